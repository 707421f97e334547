"""What agencies that were asked about a dossier made of the dates that they were given (indicator 2).

An answer on a day before the date's is early, as in column (8) of the form [I]; who passed the request on as
none of its business had no part in the dossier.

Source: TT 01/2018/TT-VPCP, Article 13.2; NĐ 61/2018/NĐ-CP, Article 19.5.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from onestop_sync.dossier.consulting import asked_of
from onestop_sync.dossier.dates import local
from onestop_sync.dossier.workflow import AGENCY
from onestop_sync.state import State

__all__ = ["Part", "parts_of"]


class Part(NamedTuple):
    """One agency's part in a dossier.

    Attributes:
        unit: The agency.
        until_ms: By when it was to answer, milliseconds since 1970 UTC.
        ended_ms: When it answered; ``None`` while it has not.
    """

    unit: str
    until_ms: int
    ended_ms: int | None

    @property
    def mark(self) -> int:
        """2 when it was early, 1 when it was in time, 0 when it was late or did not answer."""
        if self.ended_ms is None or self.ended_ms > self.until_ms:
            return 0
        return 2 if local(self.ended_ms).date() < local(self.until_ms).date() else 1


def parts_of(state: State) -> Iterator[Part]:
    """Yields the parts of the agencies that were asked about a dossier, each with a date of its own."""
    for name, task in state.tasks.items():
        kind, _, unit = name.partition(":")
        until_ms = asked_of(state, unit).until_ms
        if kind != AGENCY or until_ms is None or task.step not in {"asked", "answered"}:
            continue
        ended_ms = next((turn.at_ms for turn in reversed(task.course) if turn.action == "answer"), None)
        yield Part(unit, until_ms, ended_ms)
