"""The due date as a dossier keeps it: the moment, and what it was counted from.

Shape of the field ``han_tra``:
    ``{ms, cach, tu_ms, lich, quy_dinh, danh_muc?, thoi_han?, gio?, bo_qua?, dac_biet?, chua_cong_bo?,
    uoc_tinh?, truoc_ms?}``: due at; by which event (intake, supplement, extension); counted from; version of
    the calendar; legal profile; version of the catalogue; time limit; the office's hours, minutes of the day;
    days off that were skipped, ``[date, why]``; days that the calendar names and that were passed or counted
    all the same, ``[date, kind]``; years and days that were not announced; the appointment before.
    Milliseconds since 1970 UTC. It holds all that is needed to count again.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from onestop_sync.dossier.calendar import VIETNAM, Calendar, DayKind
from onestop_sync.dossier.deadlines import Due, Limit, StepReason, limit_from_plain
from onestop_sync.dossier.profiles import LegalProfile
from onestop_sync.errors import FormatError, InvalidInput
from onestop_sync.fold import State

__all__ = [
    "BY_EXTENSION",
    "BY_INTAKE",
    "BY_SUPPLEMENT",
    "due_field",
    "due_value",
    "limit_of",
    "local",
    "to_ms",
]

BY_INTAKE: Final = "tiep_nhan"
BY_SUPPLEMENT: Final = "bo_sung"
BY_EXTENSION: Final = "gia_han"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EXPLAINED: Final = frozenset({StepReason.HOLIDAY, StepReason.DAY_OFF, StepReason.COUNTED_COMPENSATORY})


def local(ms: int) -> datetime:
    """Returns a moment in Vietnam's time.

    Args:
        ms: Milliseconds since 1970 UTC.

    Raises:
        InvalidInput: No calendar reaches that far: the clock is wrong.
    """
    try:
        return (_EPOCH + timedelta(milliseconds=ms)).astimezone(VIETNAM)
    except OverflowError:
        raise InvalidInput(
            f"The time {ms} ms lies outside the calendar.",
            todo="Nothing was changed. Check the machine's date and try again.",
        ) from None


def to_ms(moment: datetime) -> int:
    """Returns an aware moment as milliseconds since 1970 UTC."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def due_value(due: Due, counted_from_ms: int, cause: str, before_ms: int | None = None) -> dict[str, Any]:
    """Returns the field ``han_tra`` for a due date that was counted."""
    skipped = [[s.day.isoformat(), str(s.reason)] for s in due.steps if s.reason in _EXPLAINED]
    others = [
        [s.day.isoformat(), str(s.kind)]
        for s in due.steps
        if s.kind not in {DayKind.WORKING, DayKind.WEEKEND} and s.reason not in _EXPLAINED
    ]
    value: dict[str, Any] = {
        "ms": to_ms(due.due_at),
        "cach": cause,
        "tu_ms": counted_from_ms,
        "lich": due.calendar_version,
        "quy_dinh": due.profile_id,
        "thoi_han": due.limit.to_plain(),
        "gio": [[window.start_min, window.end_min] for window in due.windows],
        "bo_qua": skipped,
        "dac_biet": others,
        "chua_cong_bo": list(due.missing_years),
        "uoc_tinh": [day.isoformat() for day in due.uncertain_days],
        "truoc_ms": before_ms,
    }
    return {key: part for key, part in value.items() if part not in ([], None)}


def given_due(
    due_ms: int,
    from_ms: int,
    cause: str,
    calendar: Calendar,
    profile: LegalProfile,
    old: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Returns the field ``han_tra`` for a date that an official gave, or that a pause moved."""
    first, last = sorted((local(from_ms).date(), local(due_ms).date()))
    value: dict[str, Any] = {
        "ms": due_ms,
        "cach": cause,
        "tu_ms": from_ms,
        "lich": calendar.version,
        "quy_dinh": profile.id,
        "thoi_han": (old or {}).get("thoi_han"),
        "chua_cong_bo": list(calendar.missing_years(first, last)),
        "uoc_tinh": [day.date.isoformat() for day in calendar.uncertain_days(first, last)],
        "truoc_ms": (old or {}).get("ms"),
    }
    return {key: part for key, part in value.items() if part not in ([], None)}


def due_field(state: State) -> dict[str, Any] | None:
    """Returns the field ``han_tra`` when the dossier has a readable one."""
    value = state.value("han_tra")
    return value if isinstance(value, dict) and type(value.get("ms")) is int else None


def limit_of(value: dict[str, Any]) -> Limit | None:
    """Returns the time limit that a due date was counted by; ``None`` when an official gave the date."""
    try:
        return limit_from_plain(value.get("thoi_han"))
    except FormatError:
        return None
