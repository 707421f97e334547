"""Is the machine's clock to be trusted? Compared with what the store has seen, before a code bears its date.

A clock that jumped is doubted until an official confirms the day, however many drafts were saved and
however often the program was started meanwhile: the doubt itself is kept.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from commune_client.desk.config import Config
from commune_client.desk.facts import ClockFacts
from commune_client.desk.place import Place
from onestop_sync.dossier.dates import local
from onestop_sync.errors import InvalidInput
from onestop_sync.store import Store

__all__ = ["ClockWatch", "disagrees"]

BEHIND_MS: Final = 10 * 60 * 1000
"""Machines of one unit may differ by so much; a clock that is further behind is wrong."""
AHEAD_MS: Final = 31 * 24 * 3600 * 1000
"""After so long without any event the date is worth a question."""


def disagrees(now_ms: int, seen_ms: int) -> bool:
    """Tells whether the clock cannot follow on a time that was seen; 0 for none."""
    return bool(seen_ms) and not seen_ms - BEHIND_MS <= now_ms <= seen_ms + AHEAD_MS


def _trusted(latest_ms: int, config: Config) -> int:
    """Returns what to compare with: a time from before the last confirmation is known to be wrong or old."""
    return config.confirmed_ms if latest_ms <= config.confirmed_over_ms else latest_ms


class ClockWatch:
    """Watches the clock of one open store.

    Args:
        place: The machine's folder; its settings keep the doubt.
        store: Knows the time of everything that was stored, and the clock.
    """

    def __init__(self, place: Place, store: Store) -> None:
        self._place = place
        self._store = store
        self._seen_ms = 0
        self.reload()

    def reload(self) -> None:
        """Looks again at what the store has seen, after something came in."""
        self._seen_ms = max(self._seen_ms, _trusted(self._store.latest_ms(), self._place.config))
        self.look()

    def look(self) -> None:
        """Looks at the clock, before anything is stored under its time."""
        now = self._store.clock()
        if disagrees(now, self._seen_ms):
            config = self._place.config
            if not config.doubted_ms:
                self._place.save_config(config.with_(doubted_ms=self._seen_ms))
        self._seen_ms = max(self._seen_ms, now)

    def facts(self) -> ClockFacts:
        """Returns how the clock stands."""
        self.look()
        now, config = self._store.clock(), self._place.config
        today = local(now).date()
        is_confirmed = bool(config.confirmed_ms) and local(config.confirmed_ms).date() == today
        seen = config.doubted_ms or self._seen_ms
        return ClockFacts(now, seen, today, bool(config.doubted_ms), is_confirmed)

    def confirm(self, day: date) -> None:
        """Ends the doubt.

        Raises:
            InvalidInput: The clock says another day.
        """
        now = self._store.clock()
        today = local(now).date()
        if day != today:
            raise InvalidInput(
                f"The machine's clock says {today.isoformat()}, not {day.isoformat()}.",
                todo="Nothing was changed. Set the machine's clock and try again.",
                today=today.isoformat(),
            )
        over = self._store.latest_ms()
        self._place.save_config(
            self._place.config.with_(confirmed_ms=now, confirmed_over_ms=over, doubted_ms=0)
        )
        self._seen_ms = now
