"""Intake at the counter, planned: what is written when a dossier is drafted, accepted, refused or incomplete.

Planners are pure. They return what would be written together with what is wrong; whoever calls them shows
the problems and writes nothing while one of them is blocking.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from onestop_sync.dossier.calendar import Calendar
from onestop_sync.dossier.catalogue import Procedure
from onestop_sync.dossier.checks import (
    Issue,
    Paper,
    Problem,
    check_values,
    paper_problems,
    paper_values,
    papers_of,
    plan_missing,
    tidy,
)
from onestop_sync.dossier.codes import grammar
from onestop_sync.dossier.dates import BY_INTAKE, due_value, given_due, local
from onestop_sync.dossier.deadlines import Limit, plan_due
from onestop_sync.dossier.profiles import LegalProfile
from onestop_sync.dossier.register_book import FIELD, Place
from onestop_sync.dossier.workflow import CONTENT, REASON
from onestop_sync.errors import InvalidInput
from onestop_sync.schema import MAIN

__all__ = [
    "Issue",
    "Paper",
    "Plan",
    "Problem",
    "papers_of",
    "plan_ask_at_intake",
    "plan_draft",
    "plan_intake",
    "plan_missing",
    "plan_refusal",
]


class Plan(NamedTuple):
    """What an action would write.

    Attributes:
        action: Action of the main task; empty for a mere edit.
        arguments: Its arguments.
        values: Register key → value, written in the same event.
        problems: What is wrong, or should be known.
    """

    action: str
    arguments: dict[str, Any]
    values: dict[str, Any]
    problems: tuple[Problem, ...] = ()

    @property
    def is_ready(self) -> bool:
        """Whether nothing stops it."""
        return not any(problem.is_blocking for problem in self.problems)

    @property
    def due_ms(self) -> int | None:
        """The due date that it gives, milliseconds since 1970 UTC."""
        value = self.values.get("han_tra")
        return value["ms"] if value else None

    @property
    def acts(self) -> list[list[Any]]:
        """The transition alone, as an operation: what `create` takes beside the values."""
        return [["act", MAIN, self.action, self.arguments]] if self.action else []

    @property
    def ops(self) -> list[list[Any]]:
        """All operations of the event: the edits, then the transition."""
        return [*(["set", key, value] for key, value in self.values.items()), *self.acts]


def plan_draft(
    procedure: Procedure, values: Mapping[str, Any], papers: Mapping[str, Paper], now_ms: int
) -> Plan:
    """Plans a draft: checked, but neither complete nor accepted.

    Args:
        procedure: What the applicant wants, in the version in force today.
        values: Register key → what was typed.
        papers: Document's name → how much of it is here.
        now_ms: Milliseconds since 1970 UTC.

    Raises:
        InvalidInput: The clock cannot be true.
    """
    written = {
        "ma_thu_tuc": procedure.code,
        "ten_thu_tuc": procedure.full_name_vi,
        "noi_dung": procedure.full_name_vi,
        "loai_doi_tuong": "ca_nhan",
        "hinh_thuc_nop": "truc_tiep",
        "cach_nhan": "truc_tiep",
        "so_bo": 1,
        **tidy(values),
    }
    today = local(now_ms).date()
    problems = check_values(written, today) + paper_problems(papers)
    if not procedure.is_in_force(today):
        problems.append(Problem(Issue.NOT_IN_FORCE, "ma_thu_tuc", procedure.code))
    return Plan("", {}, tidy(written) | paper_values(papers), tuple(problems))


def plan_intake(  # noqa: PLR0913 - what acceptance rests on
    procedure: Procedure,
    values: Mapping[str, Any],
    papers: Mapping[str, Paper],
    now_ms: int,
    profile: LegalProfile,
    calendar: Calendar,
    code: str,
    *,
    place: Place | None = None,
    is_verified: bool = False,
    due_ms: int | None = None,
    catalogue_version: int = 0,
) -> Plan:
    """Plans the acceptance of a complete dossier: its code, when it was received, and when it is due.

    Args:
        procedure: What the applicant wants, in the version in force today.
        values: Register key → what was typed.
        papers: Document's name → how much of it is here.
        now_ms: Received at, milliseconds since 1970 UTC.
        profile: The legal profile in force today; the dossier keeps it.
        calendar: Days off and office hours; the dossier keeps the version.
        code: The dossier's code, from the machine's own block.
        place: Its place in the year's register, from the machine's own volume.
        is_verified: Something has to be verified first, which may have a longer limit.
        due_ms: The date that an official gives where the catalogue knows no limit.
        catalogue_version: Version of the catalogue that gave the limit; the dossier keeps it.

    Raises:
        InvalidInput: The clock cannot be true, or the calendar is damaged.
    """
    draft = plan_draft(procedure, values, papers, now_ms)
    received = local(now_ms)
    written = {**draft.values, "ma_ho_so": code, "tiep_nhan_luc": now_ms}
    if place is not None:
        written[FIELD] = place.to_plain()
    problems = [*draft.problems, *plan_missing(procedure, draft.values, papers)]
    problems += _code_problems(code, profile, received)
    if not profile.is_in_force(received.date()):
        problems.append(Problem(Issue.NOT_IN_FORCE, "han_tra", profile.id))
    limit = (procedure.verified_limit if is_verified else None) or procedure.limit
    due = _first_due(limit, due_ms, now_ms, profile, calendar)
    if due is None:
        problems.append(Problem(Issue.NO_LIMIT, "han_tra", procedure.code))  # a receipt bears a date
    else:
        written["han_tra"] = due | ({"danh_muc": catalogue_version} if catalogue_version else {})
        problems += calendar_problems(due)
        day = local(due["ms"]).date()
        if due["ms"] < now_ms:
            problems.append(Problem(Issue.NOT_LATER, "han_tra", received.date().isoformat()))
        if not calendar.is_working(day):  # only a date that an official gave can end so
            problems.append(Problem(Issue.NOT_WORKED, "han_tra", day.isoformat()))
    return Plan("accept", {}, written, tuple(problems))


def plan_ask_at_intake(reason: str, content: str, papers: Iterable[str] = ()) -> Plan:
    """Plans the one request at the counter for what is missing, all of it (form 02).

    Args:
        reason: Why it is not accepted as it is.
        content: What is missing.
        papers: Documents that are wanted; the form lists them.
    """
    arguments = tidy({REASON: reason, CONTENT: content})
    problems = [Problem(Issue.MISSING, key) for key in (REASON, CONTENT) if key not in arguments]
    named = list(papers)
    wanted = {"giay_to": named} if named else {}
    return Plan("ask_at_intake", arguments, {"yeu_cau_bo_sung": arguments | wanted}, tuple(problems))


def plan_refusal(reason: str) -> Plan:
    """Plans the refusal to accept, with its reason (form 03)."""
    return plan_with_reason("refuse", reason)


def plan_with_reason(action: str, reason: str, **arguments: Any) -> Plan:
    """Plans an action that wants a reason and writes no field: refuse, stop, reject, withdraw, decline."""
    given = tidy({**arguments, REASON: reason})
    problems = () if REASON in given else (Problem(Issue.MISSING, REASON),)
    return Plan(action, given, {}, problems)


def calendar_problems(value: Mapping[str, Any]) -> list[Problem]:
    """Tells when a due date rests on days off that were not announced."""
    unsure = [*map(str, value.get("chua_cong_bo", ())), *value.get("uoc_tinh", ())]
    if not unsure:
        return []
    return [Problem(Issue.UNCERTAIN_CALENDAR, "han_tra", " ".join(unsure), is_blocking=False)]


def _first_due(
    limit: Limit | None, due_ms: int | None, now_ms: int, profile: LegalProfile, calendar: Calendar
) -> dict[str, Any] | None:
    if limit is not None:
        return due_value(plan_due(local(now_ms), limit, calendar, profile), now_ms, BY_INTAKE)
    return None if due_ms is None else given_due(due_ms, now_ms, BY_INTAKE, calendar, profile)


def _code_problems(code: str, profile: LegalProfile, received: datetime) -> list[Problem]:
    try:
        is_good = grammar(profile.code_grammar).parse(code).received_on == received.date()
    except InvalidInput:
        is_good = False
    return [] if is_good else [Problem(Issue.CODE, "ma_ho_so", code[:64])]
