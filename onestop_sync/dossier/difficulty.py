"""Khó khăn, vướng mắc: what hinders a unit, told to the level above, taken up, answered, closed.

The same document goes down as well: the office that follows the mechanism urges, checks or guides a unit,
which takes that up and answers. Whoever holds it acts; everyone who takes part reminds. It is
written offline, and travels with the rest.

Source: the provincial plan of 04/10/2018 (difficulties reported promptly; theo dõi, kiểm tra, đôn đốc, hướng
dẫn). The steps, and who takes them, are inferred [I].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from onestop_sync.dossier.labels import one_line
from onestop_sync.dossier.roles import ADMIN, HEAD, OFFICERS
from onestop_sync.schema import MAIN, DocumentType, Field, Summary, Task, Transition
from onestop_sync.search_text import fold_text
from onestop_sync.state import State

__all__ = ["ACTIONS", "DIFFICULTY", "KINDS", "STEPS", "DifficultyView", "view_of"]

KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "kho_khan": "Khó khăn, vướng mắc",
        "don_doc": "Đôn đốc",
        "kiem_tra": "Kiểm tra",
        "huong_dan": "Hướng dẫn",
    }
)
STEPS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "written": "Mới ghi", "reported": "Đã gửi, chờ tiếp thu", "taken_up": "Đang xử lý",
        "answered": "Đã trả lời", "closed": "Đã xong",
    }
)  # fmt: skip
ACTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "report": "Gửi", "take_up": "Tiếp thu", "pass_on": "Chuyển cấp khác", "answer": "Trả lời",
        "close": "Kết thúc", "reopen": "Hỏi lại",
    }
)  # fmt: skip
_OVER: Final = frozenset({"answered", "closed"})
_SETTLES: Final = frozenset({"answer", "close"})
_ALL: Final = OFFICERS | {HEAD, ADMIN}
_LEAD: Final = frozenset({HEAD, ADMIN})
_OWNERS: Final = MappingProxyType({"written": _ALL})
_ANSWERS: Final = MappingProxyType({"reported": _LEAD, "taken_up": _LEAD})


def _at(*steps: str) -> frozenset[str]:
    return frozenset(steps)


_TASK: Final = Task(
    MAIN,
    "written",
    (
        Transition("report", _at("written"), "reported", _ALL, moves=True),
        Transition("take_up", _at("reported"), "taken_up", _LEAD),
        Transition("pass_on", _at("reported", "taken_up"), "reported", _LEAD, needs=("ly_do",), moves=True),
        Transition(
            "answer", _at("reported", "taken_up"), "answered", _LEAD, needs=("noi_dung",), moves=True
        ),
        Transition("close", _at("answered"), "closed", _ALL, seals=True),
        Transition("reopen", _at("answered"), "reported", _ALL, needs=("ly_do",), moves=True),
    ),
)  # fmt: skip


class DifficultyView(NamedTuple):
    """A difficulty, read for lists and reports.

    Attributes:
        kind: Key of `KINDS`.
        step: Where it stands.
        unit: Unit that wrote it; ``holder`` has it now.
        answers: ``(when, step's action, unit, text)`` of what was done, as claimed, oldest first.
        reminders: ``(when, text)``.
    """

    kind: str
    title: str
    text: str
    proposal: str
    step: str
    unit: str
    holder: str
    reported_ms: int | None
    due_ms: int | None
    answer: str
    answers: tuple[tuple[int, str, str, str], ...]
    reminders: tuple[tuple[int, str], ...]

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do something."""
        return self.step not in _OVER

    def was_open(self, start_ms: int, end_ms: int) -> bool:
        """Tells whether somebody had to do something at any time from one moment on and before another."""
        before = [action for at_ms, action, _, _ in self.answers if at_ms < start_ms]
        within = any(start_ms <= at_ms < end_ms and action != "close" for at_ms, action, *_ in self.answers)
        return within or bool(before and before[-1] not in _SETTLES)


def _text(state: State, key: str) -> str:
    value = state.value(key)
    return value if isinstance(value, str) else ""


def view_of(state: State) -> DifficultyView:
    """Reads a folded difficulty."""
    task = state.tasks.get(MAIN)
    course = task.course if task else ()
    done = tuple((turn.at_ms, turn.action, turn.unit, str(turn.kept or "")) for turn in course)
    due = state.value("han")
    return DifficultyView(
        kind=_text(state, "loai"),
        title=_text(state, "tieu_de"),
        text=_text(state, "noi_dung"),
        proposal=_text(state, "de_xuat"),
        step=task.step if task else "written",
        unit=state.unit,
        holder=task.unit if task else state.unit,
        reported_ms=next((at_ms for at_ms, action, _, _ in done if action == "report"), None),
        due_ms=due if type(due) is int else None,
        answer=next((text for _, action, _, text in reversed(done) if action == "answer"), ""),
        answers=done,
        reminders=tuple((at_ms, str(value)) for at_ms, _, value in state.notes.get("nhac", [])),
    )


def _kept(ops: Sequence[Sequence[Any]]) -> str | None:
    """Keeps beside a transition what was answered, or why."""
    for op in ops:
        match op:
            case ["act", _, _, {"noi_dung": str(text)} | {"ly_do": str(text)}]:
                return text
    return None


def _summarise(state: State) -> Summary:
    found = view_of(state)
    kind = KINDS.get(found.kind, one_line(found.kind))
    running = found.due_ms if found.is_open else None
    return Summary(
        title=f"{kind}: {one_line(found.title)}",
        step=found.step,
        due_ms=running,
        search=fold_text(f"{found.title} {found.text} {found.proposal}"),
    )


DIFFICULTY: Final = DocumentType(
    "difficulty",
    fields=(
        Field("loai", task=MAIN, owners=_OWNERS, max_chars=20),
        Field("tieu_de", task=MAIN, owners=_OWNERS, max_chars=200),
        Field("noi_dung", task=MAIN, owners=_OWNERS),
        Field("de_xuat", task=MAIN, owners=_OWNERS),
        Field("han", task=MAIN, owners=MappingProxyType({**_OWNERS, **_ANSWERS})),
        Field("nhac", "notes"),
    ),
    tasks=(_TASK,),
    creators=_ALL,
    arbiters=_LEAD,
    voiders=_LEAD,
    summarise=_summarise,
    keeps=_kept,
)
