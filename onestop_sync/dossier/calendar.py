"""The working calendar: days off, worked Saturdays, office hours, and which years are known.

The Government announces each year's days off late in the year before, swaps included (a Monday off for a
Saturday worked). The calendar is therefore versioned data with its evidence; what was not announced is
told, never guessed in silence: a year that is missing or only estimated, and a single estimated day in a
year that is known.

Source: Bộ luật Lao động 2019, Articles 111.3 and 112; the yearly announcements, named row by row.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta, timezone
from enum import StrEnum
from itertools import accumulate, pairwise
from typing import Any, Final

from onestop_sync.dossier.plain import PlainMap
from onestop_sync.errors import FormatError, InvalidInput

__all__ = ["VIETNAM", "Calendar", "Certainty", "Day", "DayKind", "DayRow", "Window", "calendar_from_plain"]

VIETNAM: Final = timezone(timedelta(hours=7), "+07")
"""Asia/Ho_Chi_Minh as a fixed offset.

The country has had UTC+7 without daylight saving time since 1975, and Windows carries no time zone
database: a fixed offset gives the same answer on every machine, whatever is installed there.
"""
_FRIDAY: Final = 4
_WEEK: Final = 7
_WORKDAYS_A_WEEK: Final = 5
_DAY_MINUTES: Final = 24 * 60
_LONGEST_CLOSURE_DAYS: Final = 60
"""No break is longer; a calendar that claims one is damaged."""


class Certainty(StrEnum):
    """How far a datum can be trusted."""

    SOURCED = "sourced"
    """Read in a source that the row names."""
    RECALLED = "recalled"
    """Remembered or estimated; somebody has to confirm it."""


class DayKind(StrEnum):
    """Why a day is worked or not."""

    WORKING = "working"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    """A public holiday of the Labour Code."""
    DAY_OFF = "day_off"
    """A day off that the Government announced: a swap, or a substitute for a holiday on a weekend."""
    COMPENSATORY_WORKDAY = "compensatory_workday"
    """A Saturday that is worked in exchange for a day off."""


_ROW_KINDS: Final = frozenset({DayKind.HOLIDAY, DayKind.DAY_OFF, DayKind.COMPENSATORY_WORKDAY})
_WORKED: Final = frozenset({DayKind.WORKING, DayKind.COMPENSATORY_WORKDAY})


@dataclass(frozen=True, slots=True)
class DayRow:
    """One exceptional day of the calendar, with its evidence."""

    date: date
    kind: DayKind
    name_vi: str
    certainty: Certainty
    source: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """What the calendar says of one day.

    Attributes:
        is_certain: False on an estimated row, and on every day of a year that was not announced.
    """

    date: date
    kind: DayKind
    name_vi: str
    is_certain: bool

    @property
    def is_working(self) -> bool:
        """Whether the office works on that day."""
        return self.kind in _WORKED


@dataclass(frozen=True, slots=True)
class Window:
    """Office hours without a break, in minutes after local midnight, the end excluded."""

    start_min: int
    end_min: int

    @property
    def length_min(self) -> int:
        """Length in minutes."""
        return self.end_min - self.start_min


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days and hours on which the office works.

    Attributes:
        version: Raised with every publication; each due date names the version that gave it.
        rows: Exceptional days in order of date.
        announced_years: Years whose days off were announced. Rows of other years are estimates.
        windows: Office hours of a working day, in order.

    Raises:
        InvalidInput: The rows or windows contradict one another.
    """

    version: int
    rows: tuple[DayRow, ...]
    announced_years: tuple[int, ...]
    windows: tuple[Window, ...]
    _by_date: dict[date, DayRow] = field(init=False, repr=False, compare=False)
    _shifts: tuple[date, ...] = field(init=False, repr=False, compare=False)
    _shift_sums: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _check_rows(self.rows)
        _check_windows(self.windows)
        shifts = [(row.date, _shift(row)) for row in self.rows if _shift(row)]
        object.__setattr__(self, "_by_date", {row.date: row for row in self.rows})
        object.__setattr__(self, "_shifts", tuple(day for day, _ in shifts))
        object.__setattr__(self, "_shift_sums", (0, *accumulate(shift for _, shift in shifts)))

    def day(self, day: date) -> Day:
        """Say of one day whether it is worked, why, and whether that is certain."""
        row = self._by_date.get(day)
        known = day.year in self.announced_years
        if row is not None:
            return Day(day, row.kind, row.name_vi, known and row.certainty is Certainty.SOURCED)
        kind = DayKind.WORKING if day.weekday() <= _FRIDAY else DayKind.WEEKEND
        return Day(day, kind, "", known)

    def is_working(self, day: date) -> bool:
        """Tell whether the office works on that day, as far as this calendar knows."""
        row = self._by_date.get(day)
        return day.weekday() <= _FRIDAY if row is None else row.kind in _WORKED

    def next_working_day(self, day: date) -> date:
        """Return the first working day after the given one.

        Raises:
            InvalidInput: The calendar closes the office for more than 60 days on end.
        """
        for ahead in range(1, _LONGEST_CLOSURE_DAYS + 1):
            candidate = day + timedelta(days=ahead)
            if self.is_working(candidate):
                return candidate
        raise InvalidInput(
            f"Calendar version {self.version} has no working day in {_LONGEST_CLOSURE_DAYS} days from {day}.",
            todo="Nothing was changed. Ask the province for a corrected calendar.",
        )

    def working_days(self, after: date, until: date) -> int:
        """Count the working days after one day and up to another, that one included.

        Returns:
            A number of days; negative when `until` lies before `after`.
        """
        if until < after:
            return -self.working_days(until, after)
        weekdays = _weekdays_before(until + timedelta(days=1)) - _weekdays_before(after + timedelta(days=1))
        first, last = bisect_right(self._shifts, after), bisect_right(self._shifts, until)
        return weekdays + self._shift_sums[last] - self._shift_sums[first]

    def missing_years(self, first: date, last: date) -> tuple[int, ...]:
        """List the years from one day to another whose days off are missing or only estimated."""
        return tuple(year for year in range(first.year, last.year + 1) if year not in self.announced_years)

    def uncertain_days(self, first: date, last: date) -> tuple[Day, ...]:
        """List the days, both ends included, that an estimated row decides in an announced year."""
        start = bisect_left(self.rows, first, key=_date_of)
        end = bisect_right(self.rows, last, key=_date_of)
        return tuple(
            self.day(row.date)
            for row in self.rows[start:end]
            if row.certainty is not Certainty.SOURCED and row.date.year in self.announced_years
        )

    def to_plain(self) -> dict[str, Any]:
        """Return the calendar as maps, arrays, text and integers, as it is signed and synced."""
        return {
            "version": self.version,
            "announced_years": list(self.announced_years),
            "windows": [[window.start_min, window.end_min] for window in self.windows],
            "rows": [
                [row.date.isoformat(), str(row.kind), row.name_vi, str(row.certainty), row.source]
                for row in self.rows
            ],
        }


def _date_of(row: DayRow) -> date:
    return row.date


def _shift(row: DayRow) -> int:
    """Return what a row changes in a count of weekdays: -1 closes one, +1 opens a Saturday or Sunday."""
    return int(row.kind in _WORKED) - int(row.date.weekday() <= _FRIDAY)


def _weekdays_before(day: date) -> int:
    """Count the days from Monday to Friday since the calendar's first day, 0001-01-01, which was a Monday."""
    weeks, rest = divmod(day.toordinal() - 1, _WEEK)
    return weeks * _WORKDAYS_A_WEEK + min(rest, _WORKDAYS_A_WEEK)


def _check_rows(rows: Sequence[DayRow]) -> None:
    for before, after in pairwise(rows):
        if after.date <= before.date:
            raise InvalidInput(
                f"The calendar's rows are not in order of date, or {after.date} is there twice."
            )
    for row in rows:
        if row.kind not in _ROW_KINDS:
            raise InvalidInput(
                f"The calendar's row of {row.date} is neither a day off nor a worked Saturday."
            )


def _check_windows(windows: Sequence[Window]) -> None:
    edges = [0, *(edge for window in windows for edge in (window.start_min, window.end_min)), _DAY_MINUTES]
    if not windows or any(window.length_min <= 0 for window in windows) or edges != sorted(edges):
        raise InvalidInput("The calendar's office hours are empty, overlap or leave the day.")


def _row_from_plain(value: object) -> DayRow:
    if not isinstance(value, list | tuple):
        raise FormatError("A row of the calendar is not a list.")
    names = ("date", "kind", "name_vi", "certainty", "source")
    if len(value) != len(names):
        raise FormatError(f"A row of the calendar does not have the fields {', '.join(names)}.")
    row = PlainMap(dict(zip(names, value, strict=True)), "calendar's row")
    try:
        kind, certainty = DayKind(row.text("kind")), Certainty(row.text("certainty"))
    except ValueError as error:
        raise FormatError(f"The calendar's row of {row.text('date')} cannot be read: {error}.") from None
    return DayRow(row.day("date"), kind, row.text("name_vi"), certainty, row.text("source"))


def _window_from_plain(value: object) -> Window:
    match value:
        case [int(start), int(end)]:
            return Window(start, end)
    raise FormatError("The office hours of the calendar are not pairs of minutes.")


def calendar_from_plain(value: Mapping[str, Any] | object) -> Calendar:
    """Read a calendar from plain data.

    Raises:
        FormatError: It is not a calendar, or contradicts itself.
    """
    plain = PlainMap(value, "calendar")
    try:
        return Calendar(
            version=plain.integer("version"),
            rows=tuple(_row_from_plain(row) for row in plain.items("rows")),
            announced_years=plain.integers("announced_years"),
            windows=tuple(_window_from_plain(window) for window in plain.items("windows")),
        )
    except InvalidInput as error:
        raise FormatError(error.what) from error
