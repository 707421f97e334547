"""Periods of reports, in Vietnam's days, with the legal cut-offs: the first quarter begins on 15 December.

Source: Thông tư 01/2020/TT-VPCP: quarters 15/12 to 14/3, 15/3 to 14/6, 15/6 to 14/9, 15/9 to 14/12.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple

from onestop_sync.dossier.calendar import VIETNAM
from onestop_sync.dossier.dates import local, to_ms
from onestop_sync.dossier.report.rules import ReportRules, rules_for
from onestop_sync.errors import InvalidInput

__all__ = ["Period", "after", "before", "containing", "named"]

_QUARTER: Final = re.compile(r"[qQ]?([1-4])[/-]([0-9]{4})")
_YEAR: Final = re.compile(r"[0-9]{4}")
_SPAN: Final = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})-([0-9]{2})/([0-9]{2})/([0-9]{4})")


class Period(NamedTuple):
    """From one day to another, both included.

    Attributes:
        name: ``Q1/2026``, ``2026``, or ``01/02/2026-28/02/2026``.
        first: First day.
        last: Last day.
        start_ms: When it begins, milliseconds since 1970 UTC.
        end_ms: When it is over: the first moment after it.
    """

    name: str
    first: date
    last: date
    start_ms: int
    end_ms: int

    @classmethod
    def of(cls, name: str, first: date, last: date) -> Period:
        """Returns the period of these days."""
        return cls(name, first, last, _midnight(first), _midnight(last + timedelta(days=1)))

    def until(self, ms: int) -> Period:
        """Returns the period as far as it has run at a moment: what is in time then is not late yet."""
        return self._replace(end_ms=max(self.start_ms, min(self.end_ms, ms + 1)))

    @property
    def is_over(self) -> bool:
        """Whether all of its days are counted."""
        return self.end_ms == _midnight(self.last + timedelta(days=1))

    @property
    def title_vi(self) -> str:
        """The period as a report's head says it."""
        kind, _, year = self.name.partition("/")
        what = f"Quý {kind[1:]} năm {year}" if kind[:1] == "Q" else "Kỳ báo cáo"
        if _YEAR.fullmatch(self.name):
            what = f"Năm {self.name}"
        return f"{what} (từ {self.first:%d/%m/%Y} đến {self.last:%d/%m/%Y})"


def _midnight(day: date) -> int:
    return to_ms(datetime.combine(day, time(), VIETNAM))


def named(text: str, rules: Iterable[ReportRules]) -> Period:
    """Return the period that somebody names: ``Q1/2026``, ``2026``, or ``01/02/2026-28/02/2026``.

    Raises:
        InvalidInput: It is no period.
    """
    known = tuple(rules)
    text = text.strip()
    if found := _QUARTER.fullmatch(text):
        return _quarter(int(found[2]), int(found[1]), known)
    if _YEAR.fullmatch(text):
        year = int(text)
        return Period.of(text, _quarter(year, 1, known).first, _quarter(year, 4, known).last)
    if found := _SPAN.fullmatch(text):
        numbers = [int(part) for part in found.groups()]
        try:
            first, last = date(numbers[2], numbers[1], numbers[0]), date(numbers[5], numbers[4], numbers[3])
        except ValueError:
            raise _no_period(text) from None
        if first <= last:
            return Period.of(text, first, last)
    raise _no_period(text)


def _no_period(text: str) -> InvalidInput:
    return InvalidInput(
        f"{text!r} is no period.", todo="Write Q1/2026, 2026, or 01/02/2026-28/02/2026.", reason="period"
    )


def _starts(year: int, rules: ReportRules) -> list[date]:
    """Return when the quarters of a year begin, and the first one of the year after."""
    (month, day), second = rules.quarters[0], rules.quarters[1]
    back = int((month, day) > second)
    try:
        return [
            date(year - back, month, day),
            *(date(year, m, d) for m, d in rules.quarters[1:]),
            date(year - back + 1, month, day),
        ]
    except ValueError:
        raise _no_period(str(year)) from None


def _quarter(year: int, number: int, rules: tuple[ReportRules, ...]) -> Period:
    """Return a quarter by the rules that are in force when it ends."""
    try:
        near = date(year, min(3 * number, 11), 1)
    except ValueError:
        raise _no_period(str(year)) from None
    starts = _starts(year, rules_for(near, rules))
    return Period.of(f"Q{number}/{year}", starts[number - 1], starts[number] - timedelta(days=1))


def containing(ms: int, rules: Iterable[ReportRules]) -> Period:
    """Return the quarter in which a moment lies.

    Raises:
        InvalidInput: No rules are known for it.
    """
    known, day = tuple(rules), local(ms).date()
    years = (day.year, day.year + 1)
    found = (_quarter(year, number, known) for year in years for number in (1, 2, 3, 4))
    return next(period for period in found if period.first <= day <= period.last)


def before(period: Period, rules: Iterable[ReportRules]) -> Period:
    """Return the period just before one: the quarter, the year, or as many days."""
    known = tuple(rules)
    last = period.first - timedelta(days=1)
    if period.name[:1] == "Q":
        return containing(period.start_ms - 1, known)
    if _YEAR.fullmatch(period.name):
        return named(f"{int(period.name) - 1:04d}", known)
    first = last - (period.last - period.first)
    return Period.of(f"{first:%d/%m/%Y}-{last:%d/%m/%Y}", first, last)


def after(period: Period, rules: Iterable[ReportRules]) -> Period:
    """Return the period just after one: the quarter, the year, or as many days."""
    known = tuple(rules)
    first = period.last + timedelta(days=1)
    if period.name[:1] == "Q":
        return containing(_midnight(first), known)
    if _YEAR.fullmatch(period.name):
        return named(f"{int(period.name) + 1:04d}", known)
    last = first + (period.last - period.first)
    return Period.of(f"{first:%d/%m/%Y}-{last:%d/%m/%Y}", first, last)
