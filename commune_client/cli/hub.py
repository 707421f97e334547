"""``hub``: serves this machine's store to the other machines of the commune, and passes on to its parents.

The only module of the client that starts a server, and it does so only when it is asked to.
"""

from __future__ import annotations

import json
import math
from contextlib import ExitStack

from commune_client.cli.codes import DONE, UsageFault
from commune_client.cli.session import Session

__all__ = ["hub"]

_LAST_PORT = 65535


def hub(session: Session) -> int:
    """Serves until it is told to stop."""
    from commune_client.desk.daily import backing_up_daily
    from commune_client.messages import explain
    from onestop_sync.errors import InvalidInput, NotAllowed

    arguments = session.arguments
    if not 0 <= arguments.port <= _LAST_PORT:
        raise UsageFault(f"--port: từ 0 đến {_LAST_PORT}.")
    if not 0 < arguments.interval < math.inf:
        raise UsageFault("--interval: cần số giây lớn hơn 0.")
    with session.desk() as desk:
        desk.lock()  # a hub signs nothing for an officer
        if not desk.store.serves:
            raise NotAllowed("This machine is not certified as a server.", reason="no_hub")
        from onestop_sync.nearby import announcing
        from server_stub import logs
        from server_stub.relay import Pace
        from server_stub.serve import run

        logs.set_up("warning")
        try:
            with ExitStack() as stack:
                stack.enter_context(backing_up_daily(desk, lambda error: session.tell(explain(error).text)))

                announce = stack.enter_context(announcing(desk.store, arguments.host))

                def ready(port: int) -> None:
                    if desk.place.config.find_hub:
                        announce(port)
                    _ready(session, port)

                run(
                    desk.store, arguments.host, arguments.port, desk.parent_lines(),
                    pace=Pace(interval_s=arguments.interval), on_ready=ready,
                )  # fmt: skip
        except InvalidInput as error:
            where = f"{arguments.host} cổng {arguments.port}"
            raise UsageFault(f"không nghe được ở {where}: địa chỉ đã có chương trình khác dùng.") from error
    return DONE


def _ready(session: Session, port: int) -> None:
    host = session.arguments.host
    shown = f"[{host}]" if ":" in host else host
    if session.arguments.json:
        print(json.dumps({"host": host, "port": port}), flush=True)
    else:
        print(f"Đang phục vụ tại http://{shown}:{port}. Ctrl+C để dừng.", flush=True)
