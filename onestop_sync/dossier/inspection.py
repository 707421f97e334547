"""Inspections of how procedures are made public at a unit: the data of indicator 6.

Boards and web pages are not seen by this program, so somebody goes and looks (TT 01/2018, Article 14.3c): the
head of the unit itself, or one of a unit above it. One signed event says which unit, what mark, and what was
found; it is sent to that unit and never changed, a later inspection counts instead.

Source: TT 01/2018/TT-VPCP, Articles 13.6 and 14; NĐ 61/2018/NĐ-CP, Article 28. That the last inspection of a
period gives the period's mark is inferred [I].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from onestop_sync.dossier.labels import one_line
from onestop_sync.dossier.roles import ADMIN, HEAD
from onestop_sync.errors import InvalidInput
from onestop_sync.event import Op
from onestop_sync.schema import MAIN, DocumentType, Summary, Task, Transition
from onestop_sync.search_text import fold_text
from onestop_sync.state import State

__all__ = [
    "FINDINGS", "INSPECTION", "INSPECTORS", "TEXT_MAX", "Inspection", "inspection_of", "plan_inspection",
]  # fmt: skip

INSPECTORS: Final = frozenset({HEAD, ADMIN})
FINDINGS: Final = {
    2: "đúng, đủ, kịp thời cả ở bảng niêm yết và trên mạng",
    1: "đúng, đủ, kịp thời ở bảng niêm yết hoặc trên mạng",
    0: "chưa đúng, chưa đủ hoặc chưa kịp thời",
}
"""Mark → what was found, Article 13.6."""
TEXT_MAX: Final = 2000
"""Longest text, in characters."""
_TASK: Final = Task(
    MAIN,
    "moi",
    (
        Transition(
            "tell",
            frozenset({"moi"}),
            "da_ghi",
            INSPECTORS,
            needs=("diem", "noi_dung"),
            moves=True,
            seals=True,
        ),
    ),
)


class Inspection(NamedTuple):
    """One inspection.

    Attributes:
        unit: Unit that was inspected; ``by`` inspected it.
        mark: Key of `FINDINGS`.
        text: What was found.
        at_ms: When it was written down, as claimed, milliseconds since 1970 UTC.
    """

    unit: str
    by: str
    mark: int
    text: str
    at_ms: int


def plan_inspection(unit: str, mark: int, text: str) -> list[Op]:
    """Returns the operations of the one event that makes an inspection.

    Args:
        unit: Unit that was inspected.
        mark: Key of `FINDINGS`.
        text: What was found.

    Raises:
        InvalidInput: There is no such mark, or nothing is said of what was found.
    """
    said = " ".join(text.split())
    if mark not in FINDINGS or not said or len(said) > TEXT_MAX:
        raise InvalidInput("An inspection needs a mark 0, 1 or 2, and what was found.", reason="inspection")
    return [["act", MAIN, "tell", {"to": unit, "diem": mark, "noi_dung": said}]]


def inspection_of(state: State) -> Inspection | None:
    """Reads a folded inspection; ``None`` when it is void or says no mark."""
    task = state.tasks.get(MAIN)
    turn = task.course[-1] if task and task.course else None
    if task is None or turn is None or state.is_void:
        return None
    match turn.kept:
        case [int(mark), str(text)] if mark in FINDINGS:
            return Inspection(task.unit, state.unit, mark, text, turn.at_ms)
    return None


def _kept(ops: Sequence[Sequence[Any]]) -> list[Any] | None:
    for op in ops:
        match op:
            case ["act", _, "tell", {"diem": int(mark), "noi_dung": str(text)}]:
                return [mark, text]
    return None


def _summarise(state: State) -> Summary:
    found = inspection_of(state)
    title = f"{found.mark} điểm: {one_line(found.text)}" if found else ""
    return Summary(title=title, step="da_ghi" if found else "moi", search=fold_text(title))


INSPECTION: Final = DocumentType(
    "kiem_tra",
    fields=(),
    tasks=(_TASK,),
    creators=INSPECTORS,
    voiders=INSPECTORS,
    summarise=_summarise,
    keeps=_kept,
)
