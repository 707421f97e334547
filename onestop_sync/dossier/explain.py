"""Why a due date is the one it is: counted again, day by day, from what the dossier keeps.

The dossier keeps the limit, the moment from which it was counted, the office's hours, and what the calendar
said of days on the way. From these the date is counted again by the calendar as it was then, whatever is in
force now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

from onestop_sync.dossier.calendar import Calendar, Certainty, DayKind, DayRow, Window
from onestop_sync.dossier.dates import BY_EXTENSION, limit_of, local, to_ms
from onestop_sync.dossier.deadlines import Due, plan_due
from onestop_sync.dossier.profiles import LegalProfile
from onestop_sync.errors import InvalidInput

__all__ = ["Explanation", "explain"]

_KINDS = {
    "holiday": DayKind.HOLIDAY,
    "day_off": DayKind.DAY_OFF,
    "counted_compensatory": DayKind.COMPENSATORY_WORKDAY,
    "compensatory_workday": DayKind.COMPENSATORY_WORKDAY,
}


class Explanation(NamedTuple):
    """Why a due date is the one it is.

    Attributes:
        due: The date counted again, with every day on the way; ``None`` for one that an official gave, or
            that waiting moved, and for one that an older program counted and that comes out otherwise by
            today's office hours.
        is_same_calendar: Whether the calendar in force is still the one that gave it.
        now_ms: When it would be due by the calendar in force now; ``None`` where there is nothing to count.
            It is told, and changes nothing.
    """

    due: Due | None
    is_same_calendar: bool
    now_ms: int | None


def explain(facts: Mapping[str, Any], calendar: Calendar, profile: LegalProfile) -> Explanation:
    """Return why a dossier is due when it is.

    Args:
        facts: The field ``han_tra``, see `dates`.
        calendar: The one in force now.
        profile: The dossier's own.
    """
    is_same = facts.get("lich") == calendar.version
    limit, start_ms = limit_of(dict(facts)), facts.get("tu_ms")
    if limit is None or type(start_ms) is not int or facts.get("cach") == BY_EXTENSION:
        return Explanation(None, is_same, None)
    try:
        start = local(start_ms)
        now = plan_due(start, limit, calendar, profile)
        then = now if is_same else plan_due(start, limit, _as_it_was(facts, calendar), profile)
    except (InvalidInput, ValueError, TypeError):  # a date that no calendar reaches, or grounds that are none
        return Explanation(None, is_same, None)
    is_right = to_ms(then.due_at) == facts.get("ms")
    return Explanation(_named(then, calendar) if is_right else None, is_same, to_ms(now.due_at))


def _as_it_was(facts: Mapping[str, Any], calendar: Calendar) -> Calendar:
    """Return the calendar of then, as far as it bore on this date."""
    rows = []
    for item in (*facts.get("bo_qua", ()), *facts.get("dac_biet", ())):
        match item:
            case [str(day), str(why)] if why in _KINDS:
                rows.append(DayRow(date.fromisoformat(day), _KINDS[why], "", Certainty.SOURCED))
    years = {local(facts["tu_ms"]).year, local(facts["ms"]).year} - set(facts.get("chua_cong_bo", ()))
    ordered = tuple(sorted(rows, key=lambda row: row.date))
    hours = tuple(Window(start, end) for start, end in facts.get("gio", ())) or calendar.windows
    return Calendar(int(facts.get("lich", 0)), ordered, tuple(sorted(years)), hours)


def _named(due: Due, calendar: Calendar) -> Due:
    """Return it with the names of the days that today's calendar still has."""
    steps = tuple(
        replace(step, name_vi=calendar.day(step.day).name_vi) if str(step.reason) in _KINDS else step
        for step in due.steps
    )
    return replace(due, steps=steps)
