"""The document types of the simulator, as two versions of the program know them.

A case has everything that the fold knows, a survey is plain, and a permit is a type that only the newer
program has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from onestop_sync.schema import MAIN, DocumentType, Field, Summary, Tally, Task, Transition
from onestop_sync.state import State

CLERK: Final = "tiep_nhan"
JUDGE: Final = "tham_dinh"
BOSS: Final = "lanh_dao"
ROLES: Final = (CLERK, JUDGE, BOSS)

_CLERK, _JUDGE, _BOSS = frozenset({CLERK}), frozenset({JUDGE}), frozenset({BOSS})
_IN, _WORK, _DONE = frozenset({"in"}), frozenset({"work"}), frozenset({"done"})


def _summary(state: State) -> Summary:
    name, step = str(state.value("name") or ""), state.tasks[MAIN].step if MAIN in state.tasks else ""
    return Summary(name, f"Case {name}", step, None, f"case {name} {step}")


def _tally(state: State) -> Tally | None:
    step = state.tasks[MAIN].step if MAIN in state.tasks else ""
    return Tally(state.unit, step, "desk", len(state.heads), None, None) if state.unit else None


def _register(state: State) -> Mapping[str, Any]:
    """What stays of a case that was erased: nothing of its name."""
    step = (
        state.tasks[MAIN].step if MAIN in state.tasks else ""
    )  # nothing of it may count, not even its beginning
    return {"step": step, "units": len(state.units)}


CASE: Final = DocumentType(
    "case",
    fields=(
        Field("phone"),
        Field("name", task=MAIN, owners={"in": _CLERK, "work": _JUDGE}, resolvers=_BOSS, is_legal=True),
        Field("verdict", task=MAIN, owners={"work": _JUDGE}, resolvers=_BOSS),
        Field("papers", kind="map", task=MAIN, owners={"in": _CLERK, "work": _JUDGE}, resolvers=_BOSS),
        Field("tags", kind="set"),
        Field("opinion", kind="map", task="agency:*", owners={"asked": _JUDGE}, resolvers=_BOSS),
        Field("remarks", kind="notes"),
    ),
    tasks=(
        Task(
            MAIN,
            "in",
            (
                Transition("hand", _IN, "work", _CLERK, needs=("to",), moves=True),
                Transition("reject", _IN, "done", _CLERK, needs=("why",)),
                Transition("decide", _WORK, "done", _JUDGE | _BOSS, seals=True),
                Transition("back", _WORK, "in", _JUDGE, moves=True),
                Transition("reopen", _DONE, "in", _BOSS, needs=("why",)),
            ),
        ),
        Task(
            "agency",
            "none",
            (
                Transition("ask", frozenset({"none"}), "asked", _CLERK | _JUDGE, moves=True),
                Transition("answer", frozenset({"asked"}), "answered", _JUDGE, seals=True),
            ),
        ),
    ),
    creators=_CLERK,
    arbiters=_BOSS,
    voiders=_BOSS | _CLERK,
    summarise=_summary,
    tally=_tally,
    register=_register,
)
"""A case with owners, handovers, a seal, agencies that are asked, and arbiters."""

OLD_SURVEY: Final = DocumentType(
    "survey", fields=(Field("head"), Field("members", kind="set"), Field("talk", kind="notes"))
)
"""A type without any workflow, as an integrator's own might be."""

SURVEY: Final = replace(OLD_SURVEY, fields=(*OLD_SURVEY.fields, Field("income")), version=2)
"""The same with a field that the older program does not know."""

PERMIT: Final = DocumentType(
    "permit",
    fields=(Field("holder", task=MAIN, owners={"open": frozenset(ROLES)}), Field("talk", kind="notes")),
    tasks=(
        Task(
            MAIN,
            "open",
            (
                Transition("pass", frozenset({"open"}), "open", frozenset(ROLES), moves=True),
                Transition("end", frozenset({"open"}), "ended", _BOSS),
            ),
        ),
    ),
)
"""A type that the older program does not know at all."""

OLD_TYPES: Final = (CASE, OLD_SURVEY)
TYPES: Final = (CASE, SURVEY, PERMIT)
