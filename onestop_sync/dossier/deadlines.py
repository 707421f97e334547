"""Due dates that explain themselves: every day from receipt to the due date, counted or skipped, and why.

The rules, all of them to the minute, as the receipt prints it:

1. Working hours run through the office's windows. What is received outside them starts with the next one;
   a limit that runs out with a window ends there, not at the start of the following one.
2. Working days are working hours, 8 to the day (`by_the_hour`), or whole days that end when the office
   closes (`end_of_day`); the legal profile says which.
3. Calendar days count every day after the day of receipt and end when the office closes; a period that
   would end on a day off ends on the next working day.
4. Same-day results are due when the office closes; received after the cut-off or on a day off, on the
   next working day. Further working days may be added to it.

Source: Bộ luật Dân sự 2015, Articles 147 and 148 (recalled); NĐ 61/2018/NĐ-CP, Article 18.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final

from onestop_sync.dossier.calendar import VIETNAM, Calendar, Day, DayKind, Window
from onestop_sync.dossier.plain import PlainMap
from onestop_sync.dossier.profiles import DayPolicy, LegalProfile
from onestop_sync.errors import FormatError, InvalidInput

__all__ = [
    "FIRST_YEAR",
    "LAST_YEAR",
    "Due",
    "DueKind",
    "DueState",
    "DueStep",
    "Limit",
    "LimitKind",
    "StepReason",
    "due_state",
    "limit_from_plain",
    "plan_due",
    "plan_handover",
]

FIRST_YEAR: Final = 1990
LAST_YEAR: Final = 2190
"""Receipt outside these years is a broken clock, not a dossier."""
MAX_AMOUNT: Final = 3660
"""Longest limit, in its own unit: ten years in days."""
_HOUR_MIN: Final = 60
_SKIPPED: Final = frozenset({DayKind.WEEKEND, DayKind.HOLIDAY, DayKind.DAY_OFF})


class LimitKind(StrEnum):
    """The unit of a time limit."""

    WORKING_HOURS = "working_hours"
    WORKING_DAYS = "working_days"
    CALENDAR_DAYS = "calendar_days"
    SAME_DAY = "same_day"


@dataclass(frozen=True, slots=True)
class Limit:
    """A statutory time limit.

    Attributes:
        kind: The unit.
        amount: How many. For a same-day limit, the working days added to it, most often 0.
    """

    kind: LimitKind
    amount: int = 0

    def __post_init__(self) -> None:
        lowest = 0 if self.kind is LimitKind.SAME_DAY else 1
        if not lowest <= self.amount <= MAX_AMOUNT:
            raise InvalidInput(f"A limit of {self.amount} {self.kind} is outside {lowest} to {MAX_AMOUNT}.")

    def to_plain(self) -> dict[str, Any]:
        """Return the limit as a map of text and integers."""
        return {"kind": str(self.kind), "amount": self.amount}


def limit_from_plain(value: object) -> Limit:
    """Read a limit from plain data.

    Raises:
        FormatError: It is not a limit.
    """
    plain = PlainMap(value, "time limit")
    try:
        return Limit(LimitKind(plain.text("kind")), plain.integer("amount", 0))
    except (ValueError, InvalidInput) as error:
        raise FormatError(f"The time limit cannot be read: {error}") from None


class StepReason(StrEnum):
    """Why a day counts, or does not."""

    COUNTED = "counted"
    COUNTED_COMPENSATORY = "counted_compensatory"
    """A Saturday worked in exchange for a day off."""
    FIRST_DAY = "first_day"
    """The day of receipt, which is not counted."""
    AFTER_CUT_OFF = "after_cut_off"
    AFTER_HOURS = "after_hours"
    """Received when the office had closed, or in its last minute: nothing of the day is left."""
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    DAY_OFF = "day_off"
    MOVED = "moved"
    """The working day to which an end on a day off moves."""


@dataclass(frozen=True, slots=True)
class DueStep:
    """One day on the way to the due date.

    Attributes:
        amount: How much of the limit the day used, in `Due.unit`; 0 where the day was skipped.
        name_vi: Name of the holiday, the day off or the worked Saturday; else empty.
        is_certain: False when an estimate decided it.
        kind: What the calendar says of the day, whatever the reason.
    """

    day: date
    reason: StepReason
    amount: int
    name_vi: str
    is_certain: bool
    kind: DayKind


@dataclass(frozen=True, slots=True)
class Due:
    """When a dossier is due, and the grounds for it.

    Attributes:
        due_at: Aware, Vietnam's time, to the minute.
        calendar_version: Version of the calendar that gave it.
        profile_id: Legal profile that gave it.
        unit: What the steps' amounts count, "minute" (of work) or "day".
        missing_years: Years on the way whose days off were not announced: missing or only estimated.
        uncertain_days: Estimated days on the way in years that were announced.
        steps: Every day from receipt to the due date, once each and in order.
        windows: The office's hours by which it was counted.
    """

    due_at: datetime
    calendar_version: int
    profile_id: str
    limit: Limit
    unit: str
    missing_years: tuple[int, ...]
    uncertain_days: tuple[date, ...]
    steps: tuple[DueStep, ...]
    windows: tuple[Window, ...]

    @property
    def is_certain(self) -> bool:
        """Whether every day on the way rests on an announcement."""
        return not self.missing_years and not self.uncertain_days


def _local_minute(moment: datetime, what: str) -> datetime:
    """Return an aware moment in Vietnam's time, without its seconds."""
    if moment.tzinfo is None:
        raise InvalidInput(f"The time of {what} has no time zone.")
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise InvalidInput(
            f"The time of {what} lies in the year {moment.year}.",
            todo="Nothing was changed. Check the machine's date and try again.",
        )
    return moment.astimezone(VIETNAM).replace(second=0, microsecond=0)


def _at(day: date, minute: int) -> datetime:
    """Return a moment from a day and minutes after its midnight."""
    return datetime.combine(day, time(), VIETNAM) + timedelta(minutes=minute)


def _minute_of(moment: datetime) -> int:
    return moment.hour * _HOUR_MIN + moment.minute


def _step(day: Day, amount: int, reason: StepReason | None = None) -> DueStep:
    """Record a day, by default with the reason that its kind gives."""
    if reason is None and day.kind in _SKIPPED and not amount:
        reason = StepReason(day.kind)
    elif reason is None:
        is_extra = day.kind is DayKind.COMPENSATORY_WORKDAY
        reason = StepReason.COUNTED_COMPENSATORY if is_extra else StepReason.COUNTED
    return DueStep(day.date, reason, amount, day.name_vi, day.is_certain, day.kind)


def _days_from(first: date, calendar: Calendar) -> Iterator[Day]:
    """Yield what the calendar says of a day and of every later one."""
    for ahead in range(MAX_AMOUNT * 3):
        yield calendar.day(first + timedelta(days=ahead))
    raise InvalidInput(
        f"Calendar version {calendar.version} leaves too few working days after {first}.",
        todo="Nothing was changed. Ask the province for a corrected calendar.",
    )


def _spend(calendar: Calendar, from_min: int, left: int) -> tuple[int, int]:
    """Work through the windows of one day.

    Returns:
        Minutes spent, and the minute of the day when the last of them ended.
    """
    spent, at_min = 0, from_min
    for window in calendar.windows:
        start = max(window.start_min, from_min)
        piece = min(window.end_min - start, left - spent)
        if piece > 0:
            spent, at_min = spent + piece, start + piece
    return spent, at_min


def _by_minutes(received: datetime, total: int, calendar: Calendar) -> tuple[datetime, list[DueStep]]:
    """Let working minutes run until the limit is used up (rule 1)."""
    steps: list[DueStep] = []
    left, from_min = total, _minute_of(received)
    for day in _days_from(received.date(), calendar):
        spent, at_min = _spend(calendar, from_min, left) if day.is_working else (0, 0)
        closed = StepReason.AFTER_HOURS if day.is_working and not spent else None
        steps.append(_step(day, spent, closed))
        left, from_min = left - spent, 0
        if not left:
            return _at(day.date, at_min), steps
    raise AssertionError


def _closing(calendar: Calendar, day: date) -> datetime:
    return _at(day, calendar.windows[-1].end_min)


def _by_working_days(
    received: datetime, amount: int, calendar: Calendar, first: StepReason
) -> tuple[datetime, list[DueStep]]:
    """Count working days after the day of receipt, until the office closes on the last."""
    steps: list[DueStep] = []
    left = amount
    for day in _days_from(received.date(), calendar):
        if day.date == received.date() and day.is_working:
            steps.append(_step(day, 0, first))
        else:
            steps.append(_step(day, int(day.is_working)))
            left -= int(day.is_working)
        if left <= 0 and day.is_working:
            return _closing(calendar, day.date), steps
    raise AssertionError


def _by_calendar_days(received: datetime, amount: int, calendar: Calendar) -> tuple[datetime, list[DueStep]]:
    """Count every day after the day of receipt; never end on a day off (rule 3)."""
    steps: list[DueStep] = []
    for number, day in enumerate(_days_from(received.date(), calendar)):
        if number == 0:
            steps.append(_step(day, 0, StepReason.FIRST_DAY))
        elif number <= amount:
            steps.append(_step(day, 1))
        else:
            steps.append(_step(day, 0, StepReason.MOVED if day.is_working else None))
        if number >= amount and day.is_working:
            return _closing(calendar, day.date), steps
    raise AssertionError


def _same_day(
    received: datetime, amount: int, calendar: Calendar, cut_off_min: int
) -> tuple[datetime, list[DueStep]]:
    """Due when the office closes, on this working day or the next, plus what is added (rule 4)."""
    is_late = _minute_of(received) > cut_off_min
    is_moved = is_late or not calendar.is_working(received.date())
    reason = StepReason.AFTER_CUT_OFF if is_late else StepReason.FIRST_DAY
    return _by_working_days(received, amount + int(is_moved), calendar, reason)


def plan_due(received_at: datetime, limit: Limit, calendar: Calendar, profile: LegalProfile) -> Due:
    """Say when a dossier received at a moment is due, and why.

    Args:
        received_at: Aware; seconds are cut off, as on the receipt.
        limit: The statutory limit.
        calendar: Its version is kept in the answer, with what it does not know.
        profile: Gives the cut-off and how working days are counted.

    Raises:
        InvalidInput: The moment has no time zone or cannot be true, or the calendar has too few working days.
    """
    received = _local_minute(received_at, "receipt")
    unit = "day"
    match limit.kind:
        case LimitKind.SAME_DAY:
            due_at, steps = _same_day(received, limit.amount, calendar, profile.cut_off_min)
        case LimitKind.CALENDAR_DAYS:
            due_at, steps = _by_calendar_days(received, limit.amount, calendar)
        case LimitKind.WORKING_DAYS if profile.day_policy is DayPolicy.END_OF_DAY:
            due_at, steps = _by_working_days(received, limit.amount, calendar, StepReason.FIRST_DAY)
        case LimitKind.WORKING_DAYS:
            total = limit.amount * profile.working_hours_per_day * _HOUR_MIN
            (due_at, steps), unit = _by_minutes(received, total, calendar), "minute"
        case LimitKind.WORKING_HOURS:
            (due_at, steps), unit = _by_minutes(received, limit.amount * _HOUR_MIN, calendar), "minute"
    first, last = received.date(), due_at.date()
    return Due(
        due_at=due_at,
        calendar_version=calendar.version,
        profile_id=profile.id,
        limit=limit,
        unit=unit,
        missing_years=calendar.missing_years(first, last),
        uncertain_days=tuple(day.date for day in calendar.uncertain_days(first, last)),
        steps=tuple(steps),
        windows=calendar.windows,
    )


def plan_handover(received_at: datetime, calendar: Calendar, profile: LegalProfile) -> datetime:
    """Say by when an accepted dossier is handed over.

    Source: NĐ 61/2018/NĐ-CP, Article 18.2: the same working day, or at the start of the next one when it
        was received after the cut-off.

    Returns:
        The end of office hours of the day, or their start on the next working day.
    """
    received = _local_minute(received_at, "receipt")
    day = received.date()
    if calendar.is_working(day) and _minute_of(received) <= profile.cut_off_min:
        return _closing(calendar, day)
    return _at(calendar.next_working_day(day), calendar.windows[0].start_min)


class DueKind(StrEnum):
    """How a dossier stands against its due date."""

    IN_TIME = "in_time"
    SOON = "soon"
    TODAY = "today"
    OVERDUE = "overdue"


@dataclass(frozen=True, slots=True)
class DueState:
    """How a dossier stands, and by how many days.

    Attributes:
        days: Days left, or days overdue; overdue by less than a whole day is 0.
        is_working_days: Whether working days were counted, not calendar days.
    """

    kind: DueKind
    days: int
    is_working_days: bool


def due_state(
    due_at: datetime, now: datetime, *, calendar: Calendar | None = None, soon_days: int = 2
) -> DueState:
    """Tell in time, due soon, due today or overdue.

    Args:
        due_at: Aware. On time is what ends at or before it.
        now: Aware.
        calendar: Count working days by it; calendar days without one.
        soon_days: So many days left, or fewer, are soon.

    Raises:
        InvalidInput: A moment has no time zone.
    """
    if now.tzinfo is None or due_at.tzinfo is None:
        raise InvalidInput("The due date and the present time need a time zone.")
    today, last = now.astimezone(VIETNAM).date(), due_at.astimezone(VIETNAM).date()
    days = calendar.working_days(today, last) if calendar else (last - today).days
    if now > due_at:
        kind = DueKind.OVERDUE
    elif today == last:
        kind = DueKind.TODAY
    else:
        kind = DueKind.SOON if days <= soon_days else DueKind.IN_TIME
    return DueState(kind, abs(days), calendar is not None)
