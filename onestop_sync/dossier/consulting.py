"""Other agencies are asked: all of them at once, each with its own task and deadline, under one lead agency.

The lead agency is the unit that holds the main task; it decides, and the others answer it. A consultee that
has not answered in time is told to both sides, and the lead goes on: its own deadline does not wait.

Shape of the field ``hoi_y_kien/<unit>``:
    ``{noi_dung, han_ms, luc_ms}``: what is asked, by when, asked at. Milliseconds since 1970 UTC.

Source: NĐ 61/2018/NĐ-CP, Articles 19.5 (who, what, by when; who is late is reported) and 19.6b
(electronically all agencies at once).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from onestop_sync.dossier.calendar import Calendar
from onestop_sync.dossier.checks import Issue, Problem, tidy
from onestop_sync.dossier.dates import due_field, local
from onestop_sync.dossier.intake import Plan
from onestop_sync.dossier.workflow import AGENCY, CONTENT, UNTIL
from onestop_sync.fold import State

__all__ = ["ASKED", "Request", "asked_of", "plan_consultation"]

ASKED: Final = "hoi_y_kien"


class Request(NamedTuple):
    """What an agency was asked.

    Attributes:
        until_ms: By when, milliseconds since 1970 UTC; ``None`` where no readable date was given.
        asked_ms: When it was asked.
    """

    content: str
    until_ms: int | None
    asked_ms: int | None


def plan_consultation(
    state: State, units: Sequence[str], content: str, until_ms: int, now_ms: int, calendar: Calendar
) -> Plan:
    """Plan the request to one or more agencies, as one event.

    Args:
        state: The dossier.
        units: Their ids.
        content: What is asked, of all alike.
        until_ms: By when, milliseconds since 1970 UTC.
        now_ms: Milliseconds since 1970 UTC.
        calendar: Tells whether the office works on that day.

    Raises:
        InvalidInput: A time lies outside the calendar.
    """
    said = tidy({CONTENT: content})
    problems = [] if said else [Problem(Issue.MISSING, CONTENT)]
    if not units:
        problems.append(Problem(Issue.MISSING, "to"))
    day = local(until_ms).date()
    if until_ms <= now_ms:
        problems.append(Problem(Issue.NOT_LATER, UNTIL, local(now_ms).date().isoformat()))
    if not calendar.is_working(day):
        problems.append(Problem(Issue.NOT_WORKED, UNTIL, day.isoformat()))
    due = due_field(state)
    if due is not None and until_ms > due["ms"]:
        problems.append(
            Problem(Issue.AFTER_DUE, UNTIL, local(due["ms"]).date().isoformat(), is_blocking=False)
        )
    facts = {**said, "han_ms": until_ms, "luc_ms": now_ms}
    named = list(dict.fromkeys(units))
    acts = [["act", f"{AGENCY}:{unit}", "ask", {"to": unit, **said, UNTIL: until_ms}] for unit in named]
    return Plan("ask", {"ops": acts}, {f"{ASKED}/{unit}": facts for unit in named}, tuple(problems))


def asked_of(state: State, unit: str) -> Request:
    """Return what an agency was asked, as far as the dossier says."""
    value: Any = state.value(f"{ASKED}/{unit}")
    match value:
        case {"noi_dung": str(content), "han_ms": int(until_ms), "luc_ms": int(asked_ms)}:
            return Request(content, until_ms, asked_ms)
    return Request("", None, None)
