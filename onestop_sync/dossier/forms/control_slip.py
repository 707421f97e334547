"""The control slip: who handed the dossier to whom, when, and whether in time.

A handover is two signed acts; a row shows both. A row is measured against every date that is known of it: the
first handover (by the end of the day, or at the start of the next), an internal step that it ends (the
catalogue shares the limit out among them), and the decision (the appointment). Where there is no date,
nothing is claimed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from onestop_sync.dossier.dates import due_field, local, to_ms
from onestop_sync.dossier.deadlines import plan_handover
from onestop_sync.dossier.forms.common import code_of, made_sheet
from onestop_sync.dossier.forms.facts import Act, Facts
from onestop_sync.dossier.forms.kinds import CONTROL_SLIP
from onestop_sync.dossier.forms.paper import Block, Column, Fact, Grid, Sheet
from onestop_sync.dossier.forms.words import cell_time, full_time, value_or_dots
from onestop_sync.dossier.labels import ACTION_LABELS, one_line
from onestop_sync.errors import InvalidInput

__all__ = ["control_slip"]

_COLUMNS: Final = (
    Column("Giao\n(đơn vị, cán bộ)", 24),
    Column("Nhận\n(đơn vị, cán bộ)", 24),
    Column("Giờ, ngày giao", 18, is_centred=True),
    Column("Giờ, ngày nhận", 18, is_centred=True),
    Column("Ký giao", 11, is_centred=True),
    Column("Ký nhận", 12, is_centred=True),
    Column("Kết quả", 15, is_centred=True),
    Column("Ghi chú", 18),
)
_GIVES: Final = frozenset({"give", "transfer", "give_result", "submit", "ask_supplement", "send_back"})
"""Acts by which a dossier passes to somebody else; the last three are received without a signature."""
_TAKES: Final = frozenset({"receive", "decline", "supply"})
_DECIDES: Final = frozenset({"approve", "reject", "stop"})
_ENDS: Final = frozenset({"return", "withdraw"})
_EMPTY_ROWS: Final = 2
"""Room for what is written by hand."""


@dataclass(slots=True)
class _Row:
    """One row: who gives, who receives, both times, how it stands, a note."""

    giver: str
    taker: str = ""
    given_ms: int | None = None
    taken_ms: int | None = None
    result: str = ""
    note: str = ""

    def cells(self) -> tuple[str, ...]:
        """Returns the row as it is printed; who signs by hand does so between the times and the result."""
        return (
            self.giver, self.taker, cell_time(self.given_ms), cell_time(self.taken_ms), "", "", self.result,
            self.note,
        )  # fmt: skip


def control_slip(facts: Facts) -> Sheet:
    """Returns the control slip. Source: NĐ 61/2018, Articles 18 and 39.1; TT 01/2018, form 05."""
    state, due = facts.state, due_field(facts.state)
    rows = [row.cells() for row in _rows(facts)]
    blank = ("",) * len(_COLUMNS)
    blocks: tuple[Block, ...] = (
        Fact("Mã hồ sơ", value_or_dots(state.value("ma_ho_so")), is_strong=True),
        Fact("Hồ sơ của", value_or_dots(state.value("nguoi_nop"))),
        Fact("Thủ tục", value_or_dots(state.value("ten_thu_tuc"))),
        Fact("Thời gian nhận hồ sơ", full_time(state.value("tiep_nhan_luc"))),
        Fact("Thời gian trả kết quả", full_time(due["ms"] if due else None)),
        Grid(_COLUMNS, (*rows, *(blank,) * _EMPTY_ROWS)),
    )
    return made_sheet(CONTROL_SLIP, facts.profile, facts.agency, blocks).with_(
        code=code_of(facts), mark=facts.mark
    )


def _rows(facts: Facts) -> Iterator[_Row]:
    """Yields the rows in the order of the work; one that nobody has received yet stands open."""
    is_handed, waiting = False, None
    for act in facts.acts:
        if act.action in _TAKES and waiting is not None:
            waiting.taker, waiting.taken_ms = _who(facts, act), act.at_ms
            waiting.note = waiting.note or _note(act)
            yield waiting
            waiting = None
        elif act.action in _GIVES:
            if waiting is not None:
                yield waiting
            waiting = _Row(_who(facts, act), given_ms=act.at_ms, note=_note(act))
            waiting.result = _words(act.at_ms, _until(facts, act, is_first=not is_handed))
            is_handed = True
        elif act.action in _DECIDES | _ENDS:
            if waiting is not None:
                waiting.taker = waiting.taker or _who(facts, act)
                yield waiting
                waiting = None
            yield _last(facts, act)
    if waiting is not None:
        yield waiting


def _last(facts: Facts, act: Act) -> _Row:
    row = _Row(_who(facts, act), given_ms=act.at_ms, note=_note(act))
    if act.action in _DECIDES:
        due = due_field(facts.state)
        row.result = _words(act.at_ms, due["ms"] if due else None)
    else:
        row.taker = one_line(str(facts.state.value("nguoi_nhan") or facts.state.value("nguoi_nop") or ""))
    return row


def _who(facts: Facts, act: Act) -> str:
    unit = one_line(facts.unit_name(act.unit))
    return f"{unit}: {one_line(act.who)}" if act.who else unit


def _note(act: Act) -> str:
    label = ACTION_LABELS.get(act.action, act.action)
    return "" if act.action in {"receive", "give"} else label


def _until(facts: Facts, act: Act, *, is_first: bool) -> int | None:
    """Returns by when a dossier was to be handed on: the earliest date that is known of it."""
    known = [step.due_ms for step in facts.steps if step.done_ms == act.at_ms and step.due_ms is not None]
    received = facts.state.value("tiep_nhan_luc")
    if is_first and type(received) is int:
        with suppress(InvalidInput):
            known.append(to_ms(plan_handover(local(received), facts.calendar, facts.profile)))
    return min(known, default=None)


def _words(at_ms: int, due_ms: int | None) -> str:
    """Says early, on time or late: early is a day before the appointment or more."""
    if due_ms is None:
        return ""
    if at_ms > due_ms:
        return "Quá hạn"
    return "Trước hạn" if local(at_ms).date() < local(due_ms).date() else "Đúng hạn"
