"""A server that is also a client of its parents: passes up what comes from below, and down what from above.

It syncs at an interval, and soon after something new was stored. A parent that is down is asked again after
pauses that double, so that a busy morning does not hammer on a dead line.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from onestop_sync.client import Lines, Parent, Patience, WireReport, is_reachable, sync
from onestop_sync.errors import OnestopError, Unreachable
from onestop_sync.protocol import LIMITS, Limits
from onestop_sync.store import Store
from server_stub.logs import broke, log, warn

__all__ = ["PACE", "Pace", "Relay"]

_GATHER_S: Final = 0.05
"""How long to wait after the first news, so that what comes together goes up together, seconds."""
_PROBE_S: Final = 2.0
"""How often to look whether a line that is down is back, seconds."""
_STEADY: Final = Patience(tries=1)
"""The relay comes back by itself: one try at a time."""


@dataclass(frozen=True, slots=True)
class Pace:
    """When a relay syncs.

    Attributes:
        interval_s: Pause when nothing happens, seconds.
        most_s: Longest pause after failures.
    """

    interval_s: float = 15.0
    most_s: float = 60.0


PACE: Final = Pace()


class Relay:
    """Syncs a store with its parents from a thread of its own.

    Args:
        store: The server's store.
        parents: In the order in which they are tried.
        pace: When to sync.
        limits: What one exchange may cost.
    """

    def __init__(
        self, store: Store, parents: Sequence[Parent], pace: Pace = PACE, limits: Limits = LIMITS
    ) -> None:
        self.store = store
        self.parents = tuple(parents)
        self.pace = pace
        self.limits = limits
        self.failures = 0
        self._is_line_down = False
        self._news = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins; without parents there is nothing to do."""
        if self.parents and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """Says that something new is here."""
        self._news.set()

    def stop(self, wait_s: float = 10.0) -> None:
        """Ends after the exchange that is going on, and waits for that.

        An exchange that takes longer is left alone: it may be broken off at any point.
        """
        self._stopping.set()
        self._news.set()
        if self._thread is not None:
            self._thread.join(wait_s)

    def _run(self) -> None:
        with Lines() as lines:
            while not self._stopping.is_set():
                self._once(lines)
                self._pause()

    def _once(self, lines: Lines) -> None:
        self._news.clear()
        try:
            report = sync(self.store, self.parents, lines=lines, limits=self.limits, patience=_STEADY)
        except OnestopError as error:
            self.failures += 1
            self._is_line_down = isinstance(error, Unreachable)
            warn("relay failed", code=error.code, failures=self.failures)
        except Exception:  # noqa: BLE001 - the relay must outlive any mistake; it is logged, and tried again
            self.failures += 1
            broke("relay broke", failures=self.failures)
        else:
            self.failures = 0
            _note(report)

    def _wait_for_line(self, pause_s: float) -> None:
        """Waits for a while, or only until a line that was down takes connections again."""
        end = time.monotonic() + pause_s
        while (left := end - time.monotonic()) > 0 and not self._stopping.wait(min(left, _PROBE_S)):
            if self._is_line_down and left > _PROBE_S and any(map(is_reachable, self.parents)):
                return

    def _pause(self) -> None:
        if self.failures:
            bound = min(self.pace.most_s, min(1.0, self.pace.interval_s) * 2 ** min(self.failures - 1, 10))
            self._wait_for_line(bound * random.uniform(0.5, 1.0))  # noqa: S311 - not a secret
        elif self._news.wait(self.pace.interval_s):
            self._stopping.wait(_GATHER_S)


def _note(report: WireReport) -> None:
    log(
        "relayed", parent=report.parent, sent=report.sent, received=report.received, acked=report.acked,
        round_trips=report.round_trips, bytes_up=report.wire_up, bytes_down=report.wire_down,
    )  # fmt: skip
