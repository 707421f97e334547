"""For how many years dossiers are kept, by procedure: published data; what it does not name is kept for good.

A term says how long at the least; that it is over erases nothing by itself. The province looks at the list
and erases by tombstones (`erasure`), which every machine follows.

Source: TT 01/2018/TT-VPCP, Article 10.3: kept as the archive law and the law of each sector say. That terms
run from the end of the year in which the work ended is recalled, and a parameter.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any, Final, NamedTuple

from onestop_sync.dossier.dates import local
from onestop_sync.dossier.plain import PlainMap
from onestop_sync.dossier.workflow import FINAL, base_step
from onestop_sync.errors import FormatError
from onestop_sync.schema import MAIN
from onestop_sync.state import State
from onestop_sync.strict_json import read_json

__all__ = ["CountedFrom", "Retention", "Term", "final_ms", "retention_from_plain"]

_LONGEST: Final = 200


class CountedFrom(StrEnum):
    """From when a term runs."""

    YEAR_END = "year_end"
    DAY = "day"


class Term(NamedTuple):
    """How long a kind of dossier is kept.

    Attributes:
        years: At the least.
        source: The article that says so; published with each tombstone.
    """

    years: int
    source: str


class Retention(NamedTuple):
    """Terms of a province.

    Attributes:
        terms: Procedure's code → term.
        counted_from: From when each runs.
    """

    terms: Mapping[str, Term]
    counted_from: CountedFrom

    def kept_until(self, state: State) -> tuple[date, Term] | None:
        """Returns the last day on which a dossier has to be kept, and why; ``None``: no end is known.

        A dossier that is not over, or whose procedure has no term, has none.
        """
        ended = final_ms(state)
        code = state.value("ma_thu_tuc")
        term = self.terms.get(code) if isinstance(code, str) else None
        if ended is None or term is None:
            return None
        day = local(ended).date()
        year = day.year + term.years
        if self.counted_from is CountedFrom.YEAR_END:
            return date(year, 12, 31), term
        is_leap_day = (day.month, day.day) == (2, 29)
        return (date(year, 2, 28) if is_leap_day else day.replace(year=year)), term


def final_ms(state: State) -> int | None:
    """Returns when a dossier came to its last step, milliseconds since 1970 UTC; ``None`` before that."""
    task = state.tasks.get(MAIN)
    if task is None or base_step(task.step) not in FINAL or not task.course:
        return None
    return max(turn.at_ms for turn in task.course)


def retention_from_plain(data: bytes) -> Retention:
    """Reads the file of terms.

    Shape:
        ``{"counted_from": "year_end", "terms": [{"procedure": …, "years": 2, "source": "…"}]}``

    Raises:
        FormatError: It is none.
    """
    try:
        plain = PlainMap(read_json(data), "file of retention terms")
        counted_from = CountedFrom(plain.text("counted_from"))
    except ValueError as error:
        raise FormatError(f"The file of retention terms cannot be read: {error}.") from None
    terms: dict[str, Term] = {}
    for item in plain.items("terms"):
        code, term = _term(item)
        if code in terms:
            raise FormatError(f"The procedure {code} has two retention terms.")
        terms[code] = term
    return Retention(terms, counted_from)


def _term(item: Any) -> tuple[str, Term]:
    plain = PlainMap(item, "retention term")
    years = plain.integer("years")
    if not 0 < years <= _LONGEST:
        raise FormatError(f"A retention term is 1 to {_LONGEST} years.")
    return plain.text("procedure"), Term(years, plain.text("source"))
