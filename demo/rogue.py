"""A relay whose program somebody changed: certified, polite downward, and a forger upward.

    python -m demo.rogue FOLDER HOLDER PORT         passphrase in ONESTOP_PASSPHRASE

It serves its commune like any hub. Told an address on standard input, it passes on to that server what it
holds, but changes one byte of the body of one event and one of the header of another; it answers with a
line of JSON that says what the server said.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from onestop_sync.client import CONTENT_TYPE, SYNC_PATH
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.event import parse
from onestop_sync.keyring import Keyring
from onestop_sync.protocol import Requester
from onestop_sync.store import Store

__all__ = ["Forger"]


class Forger(Requester):
    """A machine's side of an exchange that changes two events on their way.

    Attributes:
        offered: Ids of the true events.
        changed: Ids of those that it changed, as their authors made them.
    """

    offered: list[str]
    changed: list[str]

    def _sync_request(self) -> Any:
        request = super()._sync_request()
        self.offered = [parse(frame).id.hex() for frame in request.frames]
        self.changed = []
        return request._replace(frames=self._forged(request.frames))

    def _forged(self, frames: list[Any]) -> list[Any]:
        # The two newest, which the server cannot have from elsewhere: a body and a header.
        chosen = [i for i, frame in enumerate(frames) if parse(frame).header.doc_type == DOSSIER.name][-2:]
        self.changed = [parse(frames[i]).id.hex() for i in chosen]
        forged = [list(frame) for frame in frames]
        for i, change in zip(chosen, (_change_body, _change_header), strict=False):
            change(forged[i])
        return forged


def _change_body(frame: list[Any]) -> None:
    frame[2] = frame[2][:-1] + bytes([frame[2][-1] ^ 1])


def _change_header(frame: list[Any]) -> None:
    before = parse(frame).header.prev
    frame[0] = frame[0].replace(before, before[:-1] + bytes([before[-1] ^ 1]))


def push(store: Store, address: str) -> dict[str, Any]:
    """Passes on to a server what it has not acknowledged; returns what it said."""
    forger = Forger(store, address)
    offered: list[str] = []
    changed: list[str] = []
    while (body := forger.next_request()) is not None:
        request = urllib.request.Request(  # noqa: S310 - http, to this machine
            address + SYNC_PATH, data=body, headers={"Content-Type": CONTENT_TYPE}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - the same
                forger.take_answer(answer.status, answer.read())
        except urllib.error.HTTPError as error:  # a challenge comes with 401
            forger.take_answer(error.code, error.read())
        offered += getattr(forger, "offered", [])
        changed += getattr(forger, "changed", [])
    said = [[outcome.id.hex(), outcome.code] for outcome in forger.report.outcomes]
    return {"offered": offered, "changed": changed, "said": said}


def main(folder: str, holder: str, port: str) -> None:
    """Serves, and pushes when it is told to, until standard input ends."""
    from server_stub.serve import run

    secrets = Keyring(Path(folder)).unlock(holder, os.environ["ONESTOP_PASSPHRASE"])
    store = Store.open(folder, secrets, types=[DOSSIER])
    stop = threading.Event()
    server = threading.Thread(target=run, args=[store, "127.0.0.1", int(port)], kwargs={"stop": stop})
    server.start()
    try:
        for line in sys.stdin:
            print(json.dumps(push(store, line.strip())), flush=True)
    finally:
        stop.set()
        server.join()
        store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
