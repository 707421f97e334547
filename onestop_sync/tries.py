"""Wrong passphrases: how long the next try has to wait, kept on the disk, counted without a calendar.

The wait is counted in the time that the machine has been running since the last wrong passphrase, never by
the date: setting the clock forward shortens no wait, and a clock that went back prolongs none. After a
restart the wait begins anew from the start of the machine, so turning it off and on gains nothing.

Guesses on a copy of the files are not slowed by this; what one of those costs is `keys.KeyCost`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from onestop_sync.files import write_durably

__all__ = ["FREE", "LONGEST_S", "Tries", "plan_wait_s", "running_ms"]

FREE: Final = 3
"""So many wrong passphrases cost nothing: Telex and Caps Lock have their share."""
FIRST_S: Final = 5
LONGEST_S: Final = 300
"""Longest wait, seconds: an official who forgot is not kept out for the day."""


def running_ms() -> int:
    """Returns for how long the machine has been running, milliseconds; no clock setting moves it."""
    return time.monotonic_ns() // 1_000_000


def plan_wait_s(failures: int) -> int:
    """Returns how long to wait after so many wrong passphrases in a row, in seconds: doubled each time."""
    if failures < FREE:
        return 0
    return min(FIRST_S << min(failures - FREE, 16), LONGEST_S)


class Tries:
    """Wrong passphrases in a row, for each holder.

    Args:
        path: The file; it holds keys' names in hex and numbers.
        running: Returns for how long the machine has been running, milliseconds.
    """

    def __init__(self, path: Path, running: Callable[[], int] = running_ms) -> None:
        self._path = path
        self._running = running

    def wait_s(self, holder: bytes) -> int:
        """Returns how long a holder's next try has to wait, in whole seconds; 0 for not at all."""
        found, now = self._load(), self._running()
        failures, since_ms = found.get(holder.hex(), (0, 0))
        if now < since_ms:  # the machine was restarted, and the wait begins with that
            since_ms = 0
            self._save({**found, holder.hex(): (failures, since_ms)})
        left_ms = plan_wait_s(failures) * 1000 - (now - since_ms)
        return max(0, -(-left_ms // 1000))

    def note_failure(self, holder: bytes) -> None:
        """Counts a wrong passphrase; it is on the disk before anybody is told that it was wrong."""
        found = self._load()
        failures, _ = found.get(holder.hex(), (0, 0))
        self._save({**found, holder.hex(): (failures + 1, self._running())})

    def forget(self, holder: bytes) -> None:
        """Begins anew: the passphrase was right, or the holder is gone."""
        found = self._load()
        if found.pop(holder.hex(), None) is not None:
            self._save(found)

    def _load(self) -> dict[str, tuple[int, int]]:
        """Reads the file; one that is missing or damaged holds nobody up."""
        with suppress(OSError, ValueError, TypeError, AttributeError):
            rows = json.loads(self._path.read_text(encoding="ascii"))
            return {str(key): (int(failures), int(since)) for key, (failures, since) in rows.items()}
        return {}

    def _save(self, found: dict[str, tuple[int, int]]) -> None:
        with suppress(OSError):  # a full disk keeps nobody from unlocking
            write_durably(self._path, json.dumps(found).encode())
