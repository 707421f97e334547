"""The life of a dossier: steps, actions, and the table of transitions from which everything else is made.

A handover has two signatures, so each is two transitions: one gives, one receives. A supplement after
appraisal and an extension happen at most once: a step remembers which of the two rights is used up, as a
mark after its name (``appraisal+s``, ``appraisal+s+e``), and where the mark is, the transition is not.

A dossier that another unit decides moves there and comes back with the result; consultation and same-level
liên thông are tasks of their own (``agency:<unit>``), beside the main one and without halting it.

Source: NĐ 61/2018/NĐ-CP, Articles 15 and 17 to 20. That withdrawal ends with the decision is inferred.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from types import MappingProxyType
from typing import Final, NamedTuple

from onestop_sync.dossier.roles import APPRAISAL, APPROVAL, HEAD, INTAKE, RETURN
from onestop_sync.fold import State
from onestop_sync.schema import MAIN, Task, Transition

__all__ = [
    "AGENCY",
    "AGENCY_TASK",
    "CONTENT",
    "ENDED",
    "FINAL",
    "MAIN_TASK",
    "NEW_DUE",
    "NEW_DUE_STEPS",
    "OPEN",
    "PORTAL_STATUS",
    "REASON",
    "STEPS",
    "UNTIL",
    "WAITING",
    "base_step",
    "is_extended",
    "is_supplemented",
    "portal_status",
    "variants",
]

AGENCY: Final = "agency"
REASON: Final = "ly_do"
"""Argument: the reason, where the law wants one."""
CONTENT: Final = "noi_dung"
"""Argument: what is asked for, completely."""
NEW_DUE: Final = "han_moi"
"""Argument: the new due date, in milliseconds since 1970 UTC."""
UNTIL: Final = "han"
"""Argument: by when an agency answers, in milliseconds since 1970 UTC."""

_SUPPLEMENTED: Final = "+s"
_EXTENDED: Final = "+e"
_USED: Final = ("", _SUPPLEMENTED, _EXTENDED, _SUPPLEMENTED + _EXTENDED)
"""Which rights are used up: none, the supplement, the extension, both."""

OPEN: Final = frozenset(
    {"draft", "incomplete", "accepted", "given", "sent", "appraisal", "supplement", "payment", "approval"}
)
"""Steps before the decision; a dossier can be withdrawn from each."""
WAITING: Final = frozenset({"incomplete", "supplement"})
"""Steps in which the applicant has to bring something, and no deadline runs."""
FINAL: Final = frozenset({"refused", "returned", "withdrawn"})
ENDED: Final = FINAL | {
    "approved", "rejected", "stopped", "result_given", "notice_given", "result_ready", "notice_ready",
}  # fmt: skip
"""Steps after the processing has ended, which is what decides whether it was on time."""

_MARKED: Final = OPEN - {"draft", "incomplete"}
_EXTENDABLE: Final = frozenset({"appraisal", "approval"})

_INTAKE: Final = frozenset({INTAKE})
_APPRAISAL: Final = frozenset({APPRAISAL})
_DECIDE: Final = frozenset({APPROVAL, HEAD})
_DESK: Final = frozenset({INTAKE, APPRAISAL})
_RETURN: Final = frozenset({RETURN})
_APPRAISED: Final = frozenset({"submit"})
"""Who has appraised may not decide, where the province publishes that for the dossier's legal profile."""


class _Row(NamedTuple):
    """A line of the table, before the marks of used rights are added.

    Attributes:
        uses: Mark of the right that the transition uses up; it is possible only where that is not used.
        needs_files: Nobody decides on scans that have not come.
    """

    action: str
    sources: frozenset[str]
    target: str
    roles: frozenset[str]
    needs: tuple[str, ...] = ()
    moves: bool = False
    seals: bool = False
    uses: str = ""
    apart: frozenset[str] = frozenset()
    needs_files: bool = False


def _at(*steps: str) -> frozenset[str]:
    return frozenset(steps)


_WHY: Final = (REASON,)

_TABLE: Final = (
    # At the counter. What is missing is asked for once and completely (15.3), so not again from "incomplete".
    _Row("ask_at_intake", _at("draft"), "incomplete", _INTAKE, needs=(REASON, CONTENT)),
    _Row("refuse", _at("draft", "incomplete"), "refused", _INTAKE, needs=_WHY, seals=True),
    _Row("accept", _at("draft", "incomplete"), "accepted", _INTAKE),
    # Handover within the unit: who gives, who receives (18.2, control slip).
    _Row("give", _at("accepted"), "given", _INTAKE),
    _Row("receive", _at("given"), "appraisal", _APPRAISAL),
    _Row("decline", _at("given"), "accepted", _APPRAISAL, needs=_WHY),
    # Cross-level: to the other unit's desk (18.3, 19.7), which receives it or sends it back.
    _Row("transfer", _at("accepted"), "sent", _INTAKE, moves=True),
    _Row("transfer", _at("appraisal"), "sent", _APPRAISAL, moves=True),
    _Row("transfer", _at("approval"), "sent", _DECIDE, moves=True),
    _Row("receive", _at("sent"), "appraisal", _DESK),
    _Row("decline", _at("sent"), "accepted", _DESK, needs=_WHY, moves=True),
    # Appraisal. A supplement goes through the desk where the applicant was (5.1e, 19.4), whichever unit asks.
    _Row(
        "ask_supplement", _at("appraisal"), "supplement", _APPRAISAL,
        needs=(REASON, CONTENT), moves=True, uses=_SUPPLEMENTED,
    ),
    _Row("supply", _at("supplement"), "accepted", _INTAKE),
    _Row("ask_payment", _at("appraisal"), "payment", _APPRAISAL, needs=(CONTENT,)),
    _Row("pay", _at("payment"), "appraisal", _DESK),
    _Row("submit", _at("appraisal"), "approval", _APPRAISAL),
    _Row("send_back", _at("approval"), "appraisal", _DECIDE, needs=_WHY),
    # A new appointment, once (19.9).
    _Row("extend", _at("appraisal"), "appraisal", _DECIDE, needs=(REASON, NEW_DUE), uses=_EXTENDED),
    _Row("extend", _at("approval"), "approval", _DECIDE, needs=(REASON, NEW_DUE), uses=_EXTENDED),
    # Decision.
    _Row("approve", _at("approval"), "approved", _DECIDE, seals=True, apart=_APPRAISED, needs_files=True),
    _Row(
        "reject", _at("approval"), "rejected", _DECIDE,
        needs=_WHY, seals=True, apart=_APPRAISED, needs_files=True,
    ),
    _Row("stop", _MARKED, "stopped", _DECIDE, needs=_WHY, seals=True),
    _Row("withdraw", OPEN, "withdrawn", _DESK | _DECIDE, needs=_WHY, seals=True),
    # The result, or the notice that there is none (19.8), goes to the desk that took the dossier in (19.7b).
    _Row("give_result", _at("approved"), "result_given", _APPRAISAL | _DECIDE, moves=True),
    _Row("give_result", _at("rejected", "stopped"), "notice_given", _APPRAISAL | _DECIDE, moves=True),
    _Row("receive", _at("result_given"), "result_ready", _RETURN),
    _Row("receive", _at("notice_given"), "notice_ready", _RETURN),
    _Row("return", _at("result_ready", "notice_ready"), "returned", _RETURN, seals=True),
)  # fmt: skip

PORTAL_STATUS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "draft": 1, "incomplete": 5, "refused": 3, "accepted": 2, "given": 2, "sent": 4, "appraisal": 4,
        "supplement": 5, "payment": 6, "approval": 4, "approved": 9, "rejected": 8, "stopped": 8,
        "result_given": 9, "notice_given": 8, "result_ready": 9, "notice_ready": 8, "returned": 10,
        "withdrawn": 7,
    }
)  # fmt: skip
"""Step without its marks → the national portal's ``TrangThaiHoSo``."""


def base_step(step: str) -> str:
    """Returns a step without the marks of used rights: ``appraisal+s`` is ``appraisal``."""
    return step.partition("+")[0]


def is_supplemented(step: str) -> bool:
    """Tells whether the one supplement after appraisal was asked for on the way to this step."""
    return _SUPPLEMENTED in step


def is_extended(step: str) -> bool:
    """Tells whether the one new appointment was given on the way to this step."""
    return _EXTENDED in step


def variants(*bases: str) -> tuple[str, ...]:
    """Returns every step that has one of these names, with all marks it can bear."""
    return tuple(base + used for base in bases for used in _USED if _exists(base, used))


def _exists(base: str, used: str) -> bool:
    if base == "supplement":
        return _SUPPLEMENTED in used
    return not used or base in _MARKED


def _expand(row: _Row) -> Iterable[Transition]:
    """Yields a row once for each set of rights that were used up before."""
    for used in _USED:
        sources = frozenset(base + used for base in row.sources if _exists(base, used))
        if not sources or (row.uses and row.uses in used):
            continue
        after = "".join(m for m in (_SUPPLEMENTED, _EXTENDED) if m in used + row.uses)
        target = row.target + (after if row.target in _MARKED else "")
        yield Transition(
            row.action,
            sources,
            target,
            row.roles,
            row.needs,
            row.moves,
            row.seals,
            row.apart,
            row.needs_files,
        )


MAIN_TASK: Final = Task(MAIN, "draft", tuple(chain.from_iterable(map(_expand, _TABLE))))

AGENCY_TASK: Final = Task(
    AGENCY,
    "none",
    (
        # What is asked and by when (19.5a); of all agencies at once when the dossier is electronic (19.6b).
        Transition("ask", _at("none"), "asked", _DESK | _DECIDE, needs=(CONTENT, UNTIL), moves=True),
        Transition("answer", _at("asked"), "answered", _APPRAISAL | _DECIDE, seals=True),
        Transition("pass", _at("asked"), "passed", _DESK | _DECIDE, needs=_WHY, seals=True),
    ),
)

STEPS: Final = variants(*PORTAL_STATUS)
"""Every step of the main task."""
NEW_DUE_STEPS: Final = tuple(s for s in variants(*sorted(_EXTENDABLE)) if not is_extended(s))
"""Steps in which a new appointment can still be given."""


def portal_status(state: State) -> int:
    """Returns the national portal's number, 1 to 10, for where the main task stands."""
    task = state.tasks.get(MAIN)
    return PORTAL_STATUS[base_step(task.step if task else MAIN_TASK.initial)]
