"""What changes a due date after acceptance, planned: a supplement, or the one new appointment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from onestop_sync.dossier.calendar import Calendar
from onestop_sync.dossier.checks import Issue, Paper, Problem, paper_problems, paper_values, tidy
from onestop_sync.dossier.dates import (
    BY_EXTENSION,
    BY_SUPPLEMENT,
    due_field,
    due_value,
    given_due,
    limit_of,
    local,
    to_ms,
)
from onestop_sync.dossier.deadlines import plan_due
from onestop_sync.dossier.intake import Plan, calendar_problems
from onestop_sync.dossier.profiles import LegalProfile, SupplementPolicy, profile_for
from onestop_sync.dossier.workflow import CONTENT, NEW_DUE, REASON
from onestop_sync.errors import InvalidInput
from onestop_sync.fold import State
from onestop_sync.schema import MAIN

__all__ = ["complete_ms", "kept_profile", "plan_extension", "plan_supplement", "plan_supply", "profile_of"]


def profile_of(state: State, profiles: Iterable[LegalProfile]) -> LegalProfile:
    """Returns the legal profile that a dossier was received under, and keeps.

    One without a due date names none: for it, what was in force on the day of acceptance.

    Raises:
        InvalidInput: The dossier names none, or one that is not known here.
    """
    due, received_ms = due_field(state), state.value("tiep_nhan_luc")
    if due is None and type(received_ms) is int:
        return profile_for(local(received_ms).date(), profiles)
    name = (due or {}).get("quy_dinh")
    for profile in profiles:
        if profile.id == name:
            return profile
    raise InvalidInput(
        f"The dossier was received under the legal profile {name!r}, which is not known here.",
        todo="Nothing was changed. Synchronise the legal profiles.",
    )


def kept_profile(state: State, profiles: Sequence[LegalProfile], today: date) -> LegalProfile:
    """Returns the legal profile that a dossier keeps; before its acceptance, the one in force today.

    Raises:
        InvalidInput: See `profile_of`.
    """
    is_received = due_field(state) is not None or type(state.value("tiep_nhan_luc")) is int
    return profile_of(state, profiles) if is_received else profile_for(today, profiles)


def complete_ms(state: State) -> int | None:
    """Returns since when all that is needed is at the desk: the receipt, or when a supplement came last.

    Returns:
        Milliseconds since 1970 UTC; ``None`` of what was not received.
    """
    task, received_ms = state.tasks.get(MAIN), state.value("tiep_nhan_luc")
    supplied = [turn.at_ms for turn in task.course if turn.action == "supply"] if task else []
    return max([received_ms, *supplied]) if type(received_ms) is int else None


def plan_supplement(
    state: State,
    reason: str,
    content: str,
    now_ms: int,
    profile: LegalProfile,
    calendar: Calendar,
    *,
    papers: Iterable[str] = (),
) -> Plan:
    """Plans the request for a supplement after appraisal, which goes to the desk that took the dossier in.

    Args:
        state: The dossier.
        reason: Why.
        content: What is wanted, completely: there is no second request.
        now_ms: Milliseconds since 1970 UTC.
        profile: The dossier's own, see `profile_of`.
        calendar: Counts the working days since intake.
        papers: Documents that are wanted.
    """
    arguments = tidy({REASON: reason, CONTENT: content, "to": state.unit})
    problems = [Problem(Issue.MISSING, key) for key in (REASON, CONTENT) if key not in arguments]
    received_ms = state.value("tiep_nhan_luc")
    if type(received_ms) is int:
        last = local(received_ms).date()
        for _ in range(profile.supplement_notice_days):
            last = calendar.next_working_day(last)
        if local(now_ms).date() > last:
            problems.append(
                Problem(Issue.LATE_NOTICE, "yeu_cau_bo_sung", last.isoformat(), is_blocking=False)
            )
    task = state.tasks.get(MAIN)
    request = {
        **tidy({REASON: reason, CONTENT: content}),
        "luc_ms": now_ms,
        "don_vi": task.unit if task else state.unit,
        "giay_to": list(papers),
    }
    return Plan("ask_supplement", arguments, {"yeu_cau_bo_sung": request}, tuple(problems))


def plan_supply(
    state: State, papers: Mapping[str, Paper], now_ms: int, profile: LegalProfile, calendar: Calendar
) -> Plan:
    """Plans the receipt of a supplement, and the new due date as the dossier's profile wants it.

    The whole limit starts anew, or the days of waiting are added (`SupplementPolicy`). A date that an
    official gave has no limit to start anew, so its days of waiting are added as well.

    Raises:
        InvalidInput: The clock cannot be true, or the calendar is damaged.
    """
    old = due_field(state)
    problems = paper_problems(papers)
    values = paper_values(papers)
    if old is None:
        problems.append(Problem(Issue.NO_DUE, "han_tra", is_blocking=False))
        return Plan("supply", {}, values, tuple(problems))
    limit = limit_of(old)
    if limit is not None and profile.supplement_policy is SupplementPolicy.RESTART:
        due = due_value(plan_due(local(now_ms), limit, calendar, profile), now_ms, BY_SUPPLEMENT, old["ms"])
    else:
        due = _paused(state, old, now_ms, profile, calendar)
    problems += calendar_problems(due)
    return Plan("supply", {}, {**values, "han_tra": due}, tuple(problems))


def _paused(
    state: State, old: dict[str, Any], now_ms: int, profile: LegalProfile, calendar: Calendar
) -> dict[str, Any]:
    """Adds the working days of waiting to the old appointment; the hour of the day stays."""
    request = state.value("yeu_cau_bo_sung")
    asked_ms = request.get("luc_ms") if isinstance(request, dict) else None
    waited = 0
    if type(asked_ms) is int and asked_ms < now_ms:
        waited = calendar.working_days(local(asked_ms).date(), local(now_ms).date())
    was = local(old["ms"])
    day = was.date()
    for _ in range(waited):
        day = calendar.next_working_day(day)
    return given_due(to_ms(was + (day - was.date())), now_ms, BY_SUPPLEMENT, calendar, profile, old)


def plan_extension(
    state: State, reason: str, new_due_ms: int, now_ms: int, profile: LegalProfile, calendar: Calendar
) -> Plan:
    """Plans the one new appointment: apology, reason, new date.

    An apology that comes too late is reported, not stopped: late is better for the applicant than never.

    Args:
        state: The dossier.
        reason: Why the old date cannot be kept.
        new_due_ms: The new date, milliseconds since 1970 UTC.
        now_ms: Milliseconds since 1970 UTC.
        profile: The dossier's own, see `profile_of`.
        calendar: Tells whether the office is open on the new date.

    Raises:
        InvalidInput: A time lies outside the calendar.

    Source: NĐ 61/2018/NĐ-CP, Article 19.9.
    """
    arguments = {**tidy({REASON: reason}), NEW_DUE: new_due_ms}
    problems = [] if REASON in arguments else [Problem(Issue.MISSING, REASON)]
    if not profile.extensions_max:
        problems.append(Problem(Issue.NO_EXTENSION, NEW_DUE))
    new_day = local(new_due_ms).date()
    if not calendar.is_working(new_day):
        problems.append(Problem(Issue.NOT_WORKED, NEW_DUE, new_day.isoformat()))
    old = due_field(state)
    if old is None:
        return Plan("extend", arguments, {}, (*problems, Problem(Issue.NO_DUE, "han_tra")))
    if new_due_ms <= max(old["ms"], now_ms):
        problems.append(Problem(Issue.NOT_LATER, NEW_DUE, local(old["ms"]).date().isoformat()))
    last = local(old["ms"]).date() - timedelta(days=profile.extension_notice_days)
    if local(now_ms).date() > last:
        problems.append(Problem(Issue.LATE_NOTICE, "han_tra", last.isoformat(), is_blocking=False))
    due = given_due(new_due_ms, now_ms, BY_EXTENSION, calendar, profile, old)
    problems += calendar_problems(due)
    return Plan("extend", arguments, {"han_tra": due}, tuple(problems))
