"""The internal steps of a procedure: who acts, in what time, until when, and which step is late.

The catalogue says how a limit is shared out among the units that act. The steps run one after the other from
the receipt on which the due date rests, so each has a date of its own, which is never after the dossier's.

Source: TT 22/2019/TT-BTTTT, Article 5.7 (each step's processing is followed); NĐ 61/2018/NĐ-CP, Article 18.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

from onestop_sync.dossier.calendar import Calendar, Certainty
from onestop_sync.dossier.dates import BY_INTAKE, BY_SUPPLEMENT, limit_of, local, to_ms
from onestop_sync.dossier.deadlines import Limit, LimitKind, limit_from_plain, plan_due
from onestop_sync.dossier.plain import PlainMap
from onestop_sync.dossier.profiles import LegalProfile, StepPolicy, SupplementPolicy
from onestop_sync.errors import FormatError

__all__ = ["Moved", "ProcedureStep", "Stage", "StepState", "Tier", "step_from_plain", "step_states"]


class Tier(StrEnum):
    """Tier of an agency. Where a deployment lacks it, its successor in the topology acts."""

    COMMUNE = "commune"
    DISTRICT = "district"
    PROVINCE = "province"


class Stage(StrEnum):
    """Which of the four steps on the spot a step is."""

    INTAKE = "intake"
    APPRAISAL = "appraisal"
    APPROVAL = "approval"
    RETURN = "return"


_ENDS: Final[Mapping[Stage, frozenset[str]]] = {
    Stage.INTAKE: frozenset({"give", "transfer"}),
    Stage.APPRAISAL: frozenset({"submit", "transfer"}),
    Stage.APPROVAL: frozenset({"approve", "reject", "transfer"}),
    Stage.RETURN: frozenset({"return"}),
}
"""Stage → actions of the main task with which it ends."""
_DECIDED: Final = frozenset({"approve", "reject"})
_ABANDONED: Final = frozenset({"stop", "withdraw"})


@dataclass(frozen=True, slots=True)
class ProcedureStep:
    """One internal step.

    Attributes:
        stage: Which of the four steps.
        tier: Who acts.
        name_vi: What is done, where it has a name of its own; else empty.
        limit: Its share of the time; ``None`` where no source says.
    """

    stage: Stage
    tier: Tier
    name_vi: str = ""
    limit: Limit | None = None
    certainty: Certainty = Certainty.RECALLED

    def to_plain(self) -> dict[str, Any]:
        """Return the step as a map, without what is unknown or empty."""
        values: dict[str, Any] = {
            "stage": str(self.stage),
            "tier": str(self.tier),
            "name_vi": self.name_vi or None,
            "limit": self.limit.to_plain() if self.limit else None,
            "certainty": str(self.certainty),
        }
        return {key: value for key, value in values.items() if value is not None}


def step_from_plain(value: object) -> ProcedureStep:
    """Read a step from plain data.

    Raises:
        FormatError: It is not one.
    """
    plain = PlainMap(value, "procedure's step")
    try:
        limit = limit_from_plain(plain.raw("limit")) if plain.has("limit") else None
        found = ProcedureStep(
            Stage(plain.text("stage")),
            Tier(plain.text("tier")),
            plain.text("name_vi", ""),
            limit,
            Certainty(plain.text("certainty", str(Certainty.RECALLED))),
        )
    except ValueError as error:
        raise FormatError(f"The procedure's step cannot be read: {error}.") from None
    if limit is not None and limit.kind is LimitKind.SAME_DAY:
        raise FormatError("A step's time is in working hours, working days or calendar days.")
    return found


class Moved(NamedTuple):
    """A transition of the main task that counts.

    Attributes:
        at_ms: When, as its author's clock said.
    """

    action: str
    at_ms: int


class StepState(NamedTuple):
    """How one step of a dossier stands.

    Attributes:
        due_ms: Until when; ``None`` where the catalogue gives it no time, or the date was given anew.
        done_ms: When it ended; ``None`` while it has not.
        is_current: Whether the dossier is in it now.
        is_late: Whether it ended, or still runs, after its time.
    """

    step: ProcedureStep
    due_ms: int | None
    done_ms: int | None
    is_current: bool
    is_late: bool


def step_states(
    steps: Iterable[ProcedureStep],
    due: Mapping[str, Any] | None,
    moves: Iterable[Moved],
    now_ms: int,
    profile: LegalProfile,
    calendar: Calendar,
) -> tuple[StepState, ...]:
    """Return how each step of an accepted dossier stands.

    Args:
        steps: Of the procedure.
        due: The dossier's field ``han_tra``, see `dates`.
        moves: What was done with the dossier, oldest first.
        now_ms: Milliseconds since 1970 UTC.
        profile: The dossier's own.
        calendar: Days off and office hours.

    Raises:
        InvalidInput: A time lies outside the calendar.
    """
    ordered = tuple(steps)
    if due is None or not ordered:
        return ()
    dates = _dates(ordered, due, profile, calendar)
    start = due.get("tu_ms", 0) if due.get("cach") == BY_SUPPLEMENT else 0
    done, is_over = _done(ordered, [move for move in moves if move.at_ms >= start])
    current = None if is_over or len(done) == len(ordered) else len(done)
    found = []
    for place, step in enumerate(ordered):
        ended = done[place] if place < len(done) else None
        against = ended if ended is not None else (now_ms if place == current else None)
        due_ms = dates[place]
        is_late = due_ms is not None and against is not None and against > due_ms
        found.append(StepState(step, due_ms, ended, place == current, is_late))
    return tuple(found)


def _dates(
    steps: tuple[ProcedureStep, ...], due: Mapping[str, Any], profile: LegalProfile, calendar: Calendar
) -> list[int | None]:
    """Chains the steps' times from the receipt on; only where the due date itself was counted so."""
    is_restarted = due.get("cach") == BY_SUPPLEMENT and profile.supplement_policy is SupplementPolicy.RESTART
    is_counted = limit_of(dict(due)) is not None and (due.get("cach") == BY_INTAKE or is_restarted)
    if profile.step_policy is not StepPolicy.CATALOGUE or not is_counted or type(due.get("tu_ms")) is not int:
        return [None] * len(steps)
    at, dates = local(due["tu_ms"]), list[int | None]()
    for step in steps:
        if step.limit is None:
            dates.append(None)
            continue
        at = plan_due(at, step.limit, calendar, profile).due_at
        dates.append(min(to_ms(at), due["ms"]))
    return dates


def _done(steps: tuple[ProcedureStep, ...], moves: Iterable[Moved]) -> tuple[list[int], bool]:
    """Returns when the steps ended, as far as they have, and whether nothing more is to be done."""
    done: list[int] = []
    for move in moves:
        if move.action in _ABANDONED:
            return done, True
        if move.action == "send_back":  # the appraisal goes on, with the date that it had
            while done and steps[len(done) - 1].stage is Stage.APPRAISAL:
                done.pop()
            continue
        if move.action in _DECIDED:  # whatever stood before the decision has ended with it
            while len(done) < len(steps) and steps[len(done)].stage is not Stage.RETURN:
                done.append(move.at_ms)
        elif len(done) < len(steps) and move.action in _ENDS[steps[len(done)].stage]:
            done.append(move.at_ms)
    return done, False
