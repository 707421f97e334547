"""What reports count of one dossier: when it was received, until when it was due, when it ended.

The rules, in the order in which they decide:

- *Received* when it was accepted and got its code; the moment is the one printed on the receipt. A draft, a
  dossier that waits to be completed at the counter, and one that was refused there are not received [I].
- *Ended* with the first step after which nothing more is decided (`workflow.ENDED`): approved, not granted,
  stopped, withdrawn. Handing the result over and giving it out come after that. A withdrawn dossier was
  received, so it leaves the books as resolved and not by vanishing from an earlier period [I].
- *Void* dossiers, written by mistake, are counted nowhere [I].
- *At which unit*: the one that took it in, whose code it bears and to which the result returns (NĐ 61/2018
  Article 19.7), whoever works on it meanwhile. So each dossier is counted once, and a tier is the sum of its
  units [I]. Who succeeds that unit counts it from the period in which the unit ended.
- *Rated* as the applicant said last: of several ratings the newest counts [I].
- *Waiting for the applicant* is in progress and within time, and in no other column; what was overdue when
  the applicant was asked stays overdue [I].

Moments are those that events claim, so a report does not depend on when something arrived. What an event
changes counts from its own moment on: a report of a past period is not changed by a later extension.

Source: Thông tư 01/2020/TT-VPCP, Biểu II.06a; NĐ 61/2018/NĐ-CP, Articles 15 to 20. [I]: inferred.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import cbor2

from onestop_sync.dossier.rating import ratings_of
from onestop_sync.dossier.workflow import ENDED, WAITING, base_step
from onestop_sync.schema import MAIN, Tally
from onestop_sync.state import State, Turn

__all__ = ["ONLINE", "Course", "course_of", "kept_due", "of_tally", "tally_of"]

ONLINE: Final = "truc_tuyen"
_NEVER: Final = 2**62


class Course(NamedTuple):
    """One dossier, as far as it is counted. Times are milliseconds since 1970 UTC.

    Attributes:
        unit: Unit that took it in.
        procedure: Code of the procedure.
        channel: How it was submitted: ``truc_tiep``, ``buu_chinh`` or ``truc_tuyen``.
        received_ms: When it was received.
        ended_ms: When processing ended; ``None`` while it goes on.
        outcome: The action that ended it; empty while it goes on.
        dues: ``(from, due)``, each the date that was given at a moment, in order.
        waits: ``(from, until)`` of waiting for the applicant; ``until`` is ``None`` while it lasts.
        asks: How often the applicant was asked to complete it, at the counter or later.
        others: How many other units held it, or were asked.
        ratings: ``(moment, score)`` of what the applicant said of it, in order.
    """

    unit: str
    procedure: str
    channel: str
    received_ms: int
    ended_ms: int | None
    outcome: str
    dues: tuple[tuple[int, int], ...]
    waits: tuple[tuple[int, int | None], ...]
    asks: int
    others: int
    ratings: tuple[tuple[int, int], ...] = ()

    def due_at(self, ms: int) -> int | None:
        """Returns the date that held at a moment; ``None`` where none was given."""
        found = None
        for since, due in self.dues:
            if found is not None and since > ms:
                break
            found = due
        return found

    def waiting_since(self, ms: int) -> int | None:
        """Returns since when the applicant was awaited at a moment; ``None`` when nobody was."""
        for start, end in self.waits:
            if start <= ms and (end is None or ms < end):
                return start
        return None

    def is_late_at(self, ms: int) -> bool:
        """Tells whether its time was over at a moment; what waits is held to when the applicant was asked."""
        due = self.due_at(ms)
        since = self.waiting_since(ms)
        return due is not None and (ms if since is None else since) > due

    def score_at(self, ms: int) -> int | None:
        """Returns the last rating that had been given up to a moment; ``None`` when there was none."""
        if not self.ratings:
            return None
        return next((score for at_ms, score in reversed(self.ratings) if at_ms <= ms), None)

    def waited_ms(self, ms: int) -> int:
        """Returns for how long the applicant was awaited until a moment, milliseconds."""
        if not self.waits:
            return 0
        return sum(
            max(0, min(end if end is not None else ms, ms) - start) for start, end in self.waits if start < ms
        )


def kept_due(ops: Sequence[Sequence[Any]]) -> int | None:
    """Returns the due date that an event sets, as the course of a dossier keeps it beside a transition."""
    for op in ops:
        match op:
            case ["set", "han_tra", {"ms": int(ms)}]:
                return ms
    return None


def course_of(state: State) -> Course | None:
    """Returns what is counted of a folded dossier; ``None`` of one that was not received, or is void."""
    task = state.tasks.get(MAIN)
    turns = task.course if task else ()
    accepted = next((turn for turn in turns if turn.action == "accept"), None)
    if accepted is None or state.is_void:
        return None
    said = state.value("tiep_nhan_luc")
    received_ms = said if type(said) is int else accepted.at_ms
    end = next((turn for turn in turns if base_step(turn.step) in ENDED), None)
    return Course(
        unit=state.unit,
        procedure=_text(state, "ma_thu_tuc"),
        channel=_text(state, "hinh_thuc_nop"),
        received_ms=received_ms,
        ended_ms=max(end.at_ms, received_ms) if end else None,
        outcome=end.action if end else "",
        dues=_dues(state, turns, received_ms),
        waits=_waits(turns, received_ms),
        asks=sum(base_step(turn.step) in WAITING for turn in turns),
        others=len(set(state.units) - {state.unit}),
        ratings=tuple(sorted((each.at_ms, each.score) for each in ratings_of(state))),
    )


def _text(state: State, key: str) -> str:
    value = state.value(key)
    return value if isinstance(value, str) else ""


def _dues(state: State, turns: Sequence[Turn], received_ms: int) -> tuple[tuple[int, int], ...]:
    found = [(max(turn.at_ms, received_ms), turn.kept) for turn in turns if type(turn.kept) is int]
    match state.value("han_tra"):
        case {"ms": int(ms), "tu_ms": int(since)} if not found or found[-1][1] != ms:
            # Somebody settled a conflict, or wrote the date by itself.
            found.append((max(since, found[-1][0] if found else received_ms), ms))
    return tuple(found)


def _waits(turns: Sequence[Turn], received_ms: int) -> tuple[tuple[int, int | None], ...]:
    """Returns when the applicant was awaited after acceptance."""
    found: list[tuple[int, int | None]] = []
    for turn, after in zip(turns, (*turns[1:], None), strict=True):
        if base_step(turn.step) in WAITING and turn.at_ms >= received_ms:
            found.append((turn.at_ms, max(after.at_ms, turn.at_ms) if after else None))
    return tuple(found)


def tally_of(state: State) -> Tally | None:
    """Returns the same as a store keeps it, one line a dossier."""
    found = course_of(state)
    if found is None:
        return None
    due = found.due_at(_NEVER)
    facts = cbor2.dumps([found.outcome, found.dues, found.waits, found.asks, found.others, found.ratings])
    return Tally(
        found.unit, found.procedure, found.channel, found.received_ms, found.ended_ms, due, facts
    )  # fmt: skip


def of_tally(line: Tally) -> Course:
    """Returns what `tally_of` packed."""
    outcome, dues, waits, asks, others, ratings = cbor2.loads(line.facts)
    dues = ((dues[0][0], dues[0][1]),) if len(dues) == 1 else tuple([(since, due) for since, due in dues])
    waits = tuple([(start, end) for start, end in waits]) if waits else ()
    ratings = tuple([(at_ms, score) for at_ms, score in ratings]) if ratings else ()
    return Course(
        line.unit, line.group, line.channel, line.begun_ms, line.ended_ms, outcome, dues, waits, asks, others,
        ratings,
    )  # fmt: skip
