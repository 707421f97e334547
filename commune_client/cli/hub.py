"""``hub``: serves this machine's store to the other machines of the commune, and passes on to its parents.

The only module of the client that starts a server, and it does so only when it is asked to.
"""

from __future__ import annotations

import json
from pathlib import Path

from commune_client.cli.codes import DONE
from commune_client.cli.session import Session

__all__ = ["hub"]


def hub(session: Session) -> int:
    """Serves until it is told to stop."""
    arguments = session.arguments
    with session.desk() as desk:
        desk.lock()  # a hub signs nothing for an officer
        from onestop_sync.client import Parent
        from server_stub.serve import run

        config = session.place.config
        authority = Path(config.ca) if config.ca else None
        parents = [Parent(url, authority, config.proxy) for url in config.parents]
        run(desk.store, arguments.host, arguments.port, parents, on_ready=lambda port: _ready(session, port))
    return DONE


def _ready(session: Session, port: int) -> None:
    host = session.arguments.host
    shown = f"[{host}]" if ":" in host else host
    if session.arguments.json:
        print(json.dumps({"host": host, "port": port}), flush=True)
    else:
        print(f"Đang phục vụ tại http://{shown}:{port}. Ctrl+C để dừng.", flush=True)
