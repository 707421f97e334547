"""The document types of the simulator: one with everything that the fold knows, and a plain one."""

from __future__ import annotations

from typing import Final

from onestop_sync.schema import MAIN, DocumentType, Field, Task, Transition

CLERK: Final = "tiep_nhan"
JUDGE: Final = "tham_dinh"
BOSS: Final = "lanh_dao"
ROLES: Final = (CLERK, JUDGE, BOSS)

_CLERK, _JUDGE, _BOSS = frozenset({CLERK}), frozenset({JUDGE}), frozenset({BOSS})
_IN, _WORK, _DONE = frozenset({"in"}), frozenset({"work"}), frozenset({"done"})

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
)
"""A case with owners, handovers, a seal, agencies that are asked, and arbiters."""

SURVEY: Final = DocumentType(
    "survey", fields=(Field("head"), Field("members", kind="set"), Field("talk", kind="notes"))
)
"""A type without any workflow, as an integrator's own might be."""

TYPES: Final = (CASE, SURVEY)
