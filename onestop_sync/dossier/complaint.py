"""Complaints and suggestions about how a dossier is handled, each a document of its own with what came of it.

They stand beside the dossier and not in it: a complaint may come before a dossier does, is often about the
person who holds it, and is answered by the head. A portal may file one, as it files a dossier.

Source: TT 01/2018/TT-VPCP, Article 13.7 (a complaint that was verified as untrue does not count) and 13.8
(answered within its time, none dragging on). The time is not in the circular: the head gives it.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final, NamedTuple

from onestop_sync.dossier.labels import one_line
from onestop_sync.dossier.roles import APPROVAL, HEAD, OFFICERS, PORTAL
from onestop_sync.fold import State
from onestop_sync.schema import MAIN, DocumentType, Field, Summary, Task, Transition
from onestop_sync.search_text import fold_text

__all__ = ["COMPLAINT", "FOUNDED", "UNFOUNDED", "Handling", "handling_of"]

FOUNDED: Final = "dung"
UNFOUNDED: Final = "khong_dung"
"""What ``ket_luan`` of the action ``answer`` says: true, or verified as untrue."""

_ALL: Final = OFFICERS | {HEAD}
_DECIDE: Final = frozenset({HEAD, APPROVAL})
_OPEN: Final = frozenset({"moi", "dang_xu_ly"})
_TASK: Final = Task(
    MAIN,
    "moi",
    (
        Transition("take", frozenset({"moi"}), "dang_xu_ly", _DECIDE, needs=("han",)),
        Transition("forward", _OPEN, "moi", _DECIDE, needs=("ly_do",), moves=True),
        Transition(
            "answer", frozenset({"dang_xu_ly"}), "da_tra_loi", _DECIDE, ("noi_dung", "ket_luan"), seals=True
        ),
        Transition("dismiss", _OPEN, "khong_thu_ly", _DECIDE, needs=("ly_do",), seals=True),
    ),
)
_FILED: Final = MappingProxyType({"moi": _ALL | {PORTAL}, "dang_xu_ly": _DECIDE})
_HANDLED: Final = MappingProxyType({"moi": _DECIDE, "dang_xu_ly": _DECIDE})


class Handling(NamedTuple):
    """How a complaint is handled, as reports count it.

    Attributes:
        dossier: Code of the dossier that it is about; empty for none.
        step: ``moi``, ``dang_xu_ly``, ``da_tra_loi`` or ``khong_thu_ly``.
        received_ms: When it came, milliseconds since 1970 UTC; ``None`` when nobody said.
        due_ms: By when it is to be answered; ``None`` before the head gave it.
        ended_ms: When it was answered or dismissed; ``None`` while it is open.
        counts: Whether indicator 7 counts it: not once it was verified as untrue, or dismissed.
    """

    dossier: str
    step: str
    received_ms: int | None
    due_ms: int | None
    ended_ms: int | None
    counts: bool

    def is_on_time(self, now_ms: int, undated_ms: int = 0) -> bool:
        """Tells whether it was answered by its time, or is still within it (indicator 8).

        Args:
            now_ms: Milliseconds since 1970 UTC.
            undated_ms: For how long it may wait without a time; 0: for ever.
        """
        due_ms = self.due_ms
        if due_ms is None and undated_ms and self.received_ms is not None:
            due_ms = self.received_ms + undated_ms
        return due_ms is None or (self.ended_ms if self.ended_ms is not None else now_ms) <= due_ms


def handling_of(state: State) -> Handling:
    """Reads how a complaint is handled."""
    task = state.tasks.get(MAIN)
    step = task.step if task else "moi"
    is_untrue = state.value("ket_luan") == UNFOUNDED or step == "khong_thu_ly"
    return Handling(
        _text(state, "ho_so"), step, _moment(state, "nhan_luc"), _moment(state, "han"),
        _moment(state, "xong_luc"), counts=not is_untrue,
    )  # fmt: skip


def _text(state: State, key: str) -> str:
    value: Any = state.value(key)
    return one_line(value) if isinstance(value, str) else ""


def _moment(state: State, key: str) -> int | None:
    value = state.value(key)
    return value if type(value) is int else None


def _summarise(state: State) -> Summary:
    found = handling_of(state)
    named = (found.dossier, _text(state, "noi_dung")[:80])
    source = state.value("nguon")
    label = one_line(str(source.get("ma", ""))) if isinstance(source, dict) else ""
    words = (found.dossier, _text(state, "noi_dung"), _text(state, "nguoi_gui"), label)
    return Summary(
        label=label,
        title=" – ".join(part for part in named if part),
        step=found.step,
        due_ms=found.due_ms if found.ended_ms is None else None,
        search=fold_text(" ".join(words)),
    )


def _filed(name: str, max_chars: int = 4000) -> Field:
    return Field(name, task=MAIN, owners=_FILED, resolvers=_DECIDE, max_chars=max_chars)


COMPLAINT: Final = DocumentType(
    "phan_anh",
    fields=(
        _filed("ho_so", 64),
        _filed("noi_dung"),
        _filed("nguoi_gui", 200),
        _filed("dien_thoai", 20),
        _filed("kenh", 20),
        _filed("nhan_luc"),
        _filed("nguon"),
        *(
            Field(name, task=MAIN, owners=_HANDLED, resolvers=_DECIDE)
            for name in ("han", "ket_luan", "tra_loi", "xong_luc")
        ),
        Field("ghi_chu", "notes"),
    ),
    tasks=(_TASK,),
    creators=_ALL | {PORTAL},
    founders=frozenset({PORTAL}),
    arbiters=frozenset({HEAD}),
    voiders=frozenset({HEAD}),
    summarise=_summarise,
)
