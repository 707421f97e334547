"""The clock behind the province's statements and snapshots: looks now and then whether the next is due."""

from __future__ import annotations

import threading
from typing import Final

from onestop_sync.errors import OnestopError
from onestop_sync.snapshotting import LEAST, make_snapshots
from onestop_sync.stating import is_top, make_statements
from onestop_sync.store import Store
from server_stub.logs import broke, log, warn

__all__ = ["EVERY_S", "Stater"]

EVERY_S: Final = 24 * 3600.0
"""How often each unit gets a statement, seconds."""
_LOOK_S: Final = 300.0
"""How often to look whether one is due, at most: a server that was off makes up for it soon."""


class Stater:
    """Makes statements from a thread of its own; below the top there is nothing to do.

    Args:
        store: The server's store.
        every_s: How often each unit gets one.
    """

    def __init__(self, store: Store, every_s: float = EVERY_S) -> None:
        self.store = store
        self.every_s = every_s
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins."""
        if is_top(self.store) and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="stater", daemon=True)
            self._thread.start()

    def stop(self, wait_s: float = 10.0) -> None:
        """Ends after the unit that is being stated, and waits for that."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(wait_s)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._once()
            self._stopping.wait(min(_LOOK_S, self.every_s))

    def _once(self) -> None:
        try:
            made = make_statements(self.store, interval_ms=int(self.every_s * 1000))
        except OnestopError as error:
            warn("statements failed", code=error.code)
        except Exception:  # noqa: BLE001 - it must outlive any mistake; it is logged, and tried again
            broke("statements broke")
        else:
            if made:
                log("stated", statements=made)
                self._sign_finished()

    def _sign_finished(self) -> None:
        """Signs what is finished and was stated just now, where it is enough of a unit."""
        try:
            signed = make_snapshots(self.store, least=LEAST)
        except OnestopError as error:
            warn("snapshots failed", code=error.code)
        except Exception:  # noqa: BLE001 - as above
            broke("snapshots broke")
        else:
            if signed:
                log("snapshots", documents=signed)
