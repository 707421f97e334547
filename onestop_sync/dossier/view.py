"""A folded dossier, read for screens, commands and JSON: pure, with the time passed in.

Where it stands and until when, what is open on it, and what one officer may do here and now. What may be
done is asked of `fold.judge` itself, so that no interface offers what the fold would refuse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from onestop_sync.dossier.calendar import Calendar
from onestop_sync.dossier.consulting import asked_of
from onestop_sync.dossier.dates import due_field, local
from onestop_sync.dossier.deadlines import DueState, due_state
from onestop_sync.dossier.labels import ACTION_LABELS, field_label, step_label
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.dossier.summary import due_ms, running_due_ms, summarise, text_of
from onestop_sync.dossier.workflow import (
    AGENCY,
    MAIN_TASK,
    NEW_DUE,
    OPEN,
    UNTIL,
    base_step,
    is_extended,
    is_supplemented,
    portal_status,
)
from onestop_sync.errors import InvalidInput
from onestop_sync.fold import (
    Author,
    Entry,
    Reason,
    Register,
    State,
    TaskState,
    conflicts,
    judge,
    owner,
)
from onestop_sync.schema import MAIN, VOID, Transition

__all__ = ["ANY_AGENCY", "Agency", "Choice", "DossierView", "OpenIssue", "Side", "summarise"]

ANY_AGENCY: Final = f"{AGENCY}:*"
"""Task of a choice that opens a new agency task; the unit is still to be named."""

_FULL: Final = {"ly_do": "x", "noi_dung": "x", NEW_DUE: 1, UNTIL: 1, "to": "x"}
"""Arguments that stand for those which the officer has not been asked for yet."""
_CONSULTING: Final = OPEN - {"draft", "incomplete", "sent", "supplement"}
"""Steps in which other agencies can be asked: somebody works on the dossier."""


class Choice(NamedTuple):
    """Something that an officer may do now.

    Attributes:
        needs: Names of the arguments to ask for, ``to`` included.
        to: Unit that ``to`` should name where the law leaves no choice; empty otherwise.
    """

    task: str
    action: str
    label: str
    target: str
    needs: tuple[str, ...]
    to: str


class Side(NamedTuple):
    """One side of an open issue.

    Attributes:
        event: Event that wrote it, to look up author and time; for a branch, the first of its events.
        value: What it wrote; for a branch the action's Vietnamese name.
        kind: "live", "late", "branch" or "against" (an edit that did not know of the void).
        node: For a branch, what a settlement names it by.
    """

    event: bytes
    value: Any
    kind: str
    node: bytes = b""


class OpenIssue(NamedTuple):
    """Something that a person must settle.

    Attributes:
        key: As `fold.conflicts` names it: a register key, ``task:<name>`` or ``_void``.
        is_legal: A form prints it, so printing waits.
    """

    key: str
    label: str
    is_legal: bool
    sides: tuple[Side, ...]


class Agency(NamedTuple):
    """An agency that was asked.

    Attributes:
        content: What it was asked.
        until_ms: By when, milliseconds since 1970 UTC; ``None`` where no readable date was given.
        is_late: Whether it has not answered and its time has passed.
    """

    unit: str
    step: str
    label: str
    opinion: Any
    content: str = ""
    until_ms: int | None = None
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class DossierView:
    """What is known of a dossier at one moment.

    Attributes:
        code: Dossier's code; empty before acceptance.
        step: Step without marks; ``full_step`` bears them.
        unit: Unit that holds it; ``intake_unit`` took it in.
        due_ms: The appointment that was given, milliseconds since 1970 UTC.
        due: How it stands against it; ``None`` while no deadline runs.
        due_facts: The field ``han_tra``, see `dates`.
    """

    state: State = field(repr=False, compare=False)
    code: str
    procedure: str
    procedure_name: str
    applicant: str
    step: str
    full_step: str
    step_label: str
    portal_status: int
    unit: str
    intake_unit: str
    due_ms: int | None
    due: DueState | None
    due_facts: dict[str, Any] | None
    agencies: tuple[Agency, ...]
    issues: tuple[OpenIssue, ...]
    is_void: bool
    is_disputed: bool

    @classmethod
    def from_state(cls, state: State, now_ms: int, calendar: Calendar | None = None) -> DossierView:
        """Reads a folded dossier.

        Args:
            state: The dossier, folded.
            now_ms: Milliseconds since 1970 UTC.
            calendar: Counts what is left in working days; calendar days without one.
        """
        task = state.tasks.get(MAIN) or TaskState(MAIN_TASK.initial, state.unit)
        return cls(
            state=state,
            code=text_of(state, "ma_ho_so"),
            procedure=text_of(state, "ma_thu_tuc"),
            procedure_name=text_of(state, "ten_thu_tuc"),
            applicant=text_of(state, "nguoi_nop"),
            step=base_step(task.step),
            full_step=task.step,
            step_label=step_label(task.step),
            portal_status=portal_status(state),
            unit=task.unit,
            intake_unit=state.unit,
            due_ms=due_ms(state),
            due=_due_state(running_due_ms(state), now_ms, calendar),
            due_facts=due_field(state),
            agencies=tuple(_agencies(state, now_ms)),
            issues=tuple(_issue(state, key) for key in conflicts(DOSSIER, state)),
            is_void=state.is_void,
            is_disputed=bool(task.branches),
        )

    def why_not(self, author: Author, op: list[Any]) -> Reason | None:
        """Tells why an officer could not write an operation now; ``None`` when they could."""
        return judge(DOSSIER, self.state, Entry(b"", (), [op], author, 0))

    def why_not_edit(self, author: Author, key: str) -> Reason | None:
        """Tells why an officer could not edit a field now; ``None`` when they could."""
        spec = DOSSIER.field(key)
        value = True if spec and spec.kind == "set" else ""
        return self.why_not(author, ["set", key, value])

    def why_not_act(self, author: Author, task: str, action: str) -> str:
        """Tells why an officer could not take an action now, whatever its arguments: a code, empty for none.

        Besides the reasons of `Reason`: ``once_extended`` and ``once_supplemented``, of what is done once.
        """
        found = self.why_not(author, ["act", task, action, dict(_FULL)])
        if found is Reason.STEP and task == MAIN:
            step = dict(self._tasks()).get(MAIN, "")
            if action == "extend" and is_extended(step):
                return "once_extended"
            if action == "ask_supplement" and is_supplemented(step):
                return "once_supplemented"
        return "" if found is None else str(found)

    def allowed_actions(self, author: Author) -> tuple[Choice, ...]:
        """Returns what an officer may do now, main task first, in the order of the work."""
        return tuple(
            Choice(name, t.action, ACTION_LABELS[t.action], base_step(t.target), _needs(t), self._to(t))
            for name, step in self._tasks()
            if (workflow := DOSSIER.task(name))
            for t in workflow.actions_at(step)
            if self.why_not(author, ["act", name, t.action, dict(_FULL)]) is None
        )

    def owner(self, key: str) -> tuple[str, frozenset[str]] | None:
        """Returns the unit and the roles that own a field now; ``None`` when it belongs to everyone."""
        return owner(DOSSIER, self.state, key)

    @property
    def blocks_printing(self) -> tuple[str, ...]:
        """Keys of what a form prints and that is still open, the main task's dispute included."""
        return tuple(issue.key for issue in self.issues if issue.is_legal)

    def to_json(self) -> dict[str, Any]:
        """Returns what ``--json`` shows: plain data, ids and other bytes in hex."""
        shown = {name: getattr(self, name) for name in self.__slots__ if name not in {"state", "due"}}
        registers, notes = self.state.registers, self.state.notes
        found: dict[str, Any] = _plain(
            shown
            | {
                "due_state": self.due
                and {"kind": str(self.due.kind), "days": self.due.days, "working": self.due.is_working_days},
                "fields": {key: self.state.value(key) for key in sorted(registers) if registers[key].live},
                "notes": {name: [value for _, _, value in notes[name]] for name in sorted(notes)},
            }
        )
        return found

    def _tasks(self) -> Iterator[tuple[str, str]]:
        """Yields the name and step of each task, and of one that could be opened."""
        yield MAIN, self.full_step
        for name, task in sorted(self.state.tasks.items()):
            if name != MAIN:
                yield name, task.step
        if self.step in _CONSULTING:
            yield ANY_AGENCY, "none"

    def _to(self, transition: Transition) -> str:
        """Supplements and results go to the desk that took the dossier in."""
        return self.intake_unit if transition.action in {"ask_supplement", "give_result"} else ""


def _due_state(running_ms: int | None, now_ms: int, calendar: Calendar | None) -> DueState | None:
    """Returns how it stands; nothing for a date that no calendar reaches, whoever wrote it."""
    try:
        return None if running_ms is None else due_state(local(running_ms), local(now_ms), calendar=calendar)
    except InvalidInput:
        return None


def _needs(transition: Transition) -> tuple[str, ...]:
    return (*transition.needs, "to") if transition.moves else transition.needs


def _agencies(state: State, now_ms: int) -> Iterator[Agency]:
    for name, task in sorted(state.tasks.items()):
        if name != MAIN:
            unit = name.partition(":")[2]
            request = asked_of(state, unit)
            is_late = task.step == "asked" and request.until_ms is not None and request.until_ms < now_ms
            yield Agency(
                unit, task.step, step_label(task.step), state.value(f"y_kien/{unit}"),
                request.content, request.until_ms, is_late,
            )  # fmt: skip


def _issue(state: State, key: str) -> OpenIssue:
    if key.startswith("task:"):
        task = state.tasks[key.removeprefix("task:")]
        sides = [
            Side(branch.events[0], ACTION_LABELS.get(branch.action, branch.action), "branch", branch.node)
            for branch in task.branches
        ]
        return OpenIssue(key, field_label(key), key == f"task:{MAIN}", tuple(sides))
    register = state.registers.get(key, Register())
    sides = [Side(event, value, "live") for event, value in register.live]
    sides += [Side(event, value, "late") for event, value in register.late]
    if key == VOID:
        sides += [Side(event, None, "against") for event in state.void_against]
    spec = DOSSIER.field(key)
    return OpenIssue(key, field_label(key), bool(spec and spec.is_legal) or key == VOID, tuple(sides))


def _plain(value: Any) -> Any:
    """Returns a value as JSON can say it."""
    match value:
        case bytes():
            return value.hex()
        case dict():
            return {str(key): _plain(part) for key, part in value.items()}
        case tuple() if hasattr(value, "_asdict"):
            return _plain(value._asdict())
        case list() | tuple():
            return [_plain(part) for part in value]
    return value
