"""What a document folds to, and how to read it: registers, tasks, conflicts, standings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple

from onestop_sync import codec
from onestop_sync.event import Op
from onestop_sync.schema import MAIN, VOID, DocumentType

__all__ = [
    "Author",
    "Branch",
    "Entry",
    "Reason",
    "Register",
    "Standing",
    "State",
    "TaskState",
    "Turn",
    "Write",
    "conflicts",
    "initial_task",
    "is_open",
    "standing",
]


class Reason(StrEnum):
    """Why an event takes no effect."""

    AUTHORITY = "authority"
    """No valid certificate for this."""
    ORIGIN = "origin"
    """It does not descend from an event that could create the document."""
    CREATOR = "creator"
    """The author's role may not create such a document."""
    UNIT = "unit"
    """The author's unit has no part in the document."""
    OWNER = "owner"
    """The field belongs to somebody else at this step."""
    STEP = "step"
    """The task's step does not allow the action."""
    ROLE = "role"
    """The author does not hold a role that may take the action."""
    ARGUMENT = "argument"
    """An argument that the action needs is missing."""
    DISPUTED = "disputed"
    """The task is disputed; only notes and a settlement are accepted."""
    CONFLICT = "conflict"
    """The field is in conflict; it takes a resolution with a reason."""
    VOID = "void"
    """The document is void."""
    UNKNOWN = "unknown"
    """The document type has no such field, task or action."""
    VALUE = "value"
    """The value does not fit the field."""
    PERSON = "person"
    """The same person took a step that this one must be apart from."""
    NAMES = "names"
    """A resolution names writes that its author had not seen, or none."""
    FINAL = "final"
    """The document was whole with its first event; nobody changes or voids it."""


class Standing(StrEnum):
    """What became of an event, given all that is here; the gravest of its writes decides."""

    STANDS = "stands"
    SUPERSEDED = "superseded"
    CONFLICT = "conflict"
    LATE = "late"
    OVERRULED = "overruled"
    REFUSED = "refused"
    WAITING = "waiting"


class Author(NamedTuple):
    """By which authority an event was written, as `trust` found it.

    Attributes:
        unit: Unit of the certificate.
        units: Units for which it may write: its own, and those it succeeded.
        roles: Roles that the certificate gives.
        person: Whose certificate it is: the same word for every key of one person.
        apart: Regimes (`DocumentType.regime`) that keep certain steps apart, as the province publishes them.
    """

    unit: str
    units: frozenset[str]
    roles: frozenset[str]
    person: str = ""
    apart: frozenset[str] = frozenset()


class Entry(NamedTuple):
    """One event, as the fold sees it.

    Attributes:
        id: Event id.
        parents: Heads that the author had seen.
        ops: Its operations.
        author: By which authority.
        time_ms: Claimed time; orders notes for display, and nothing else.
        refusal: Set when the event was refused before any folding (no authority, false origin).
    """

    id: bytes
    parents: tuple[bytes, ...]
    ops: Sequence[Op]
    author: Author
    time_ms: int
    refusal: Reason | None = None


Write = tuple[bytes, Any]
"""An event and the value that it wrote."""


@dataclass(slots=True)
class Register:
    """One field (or element): the writes that no other write had seen, and those that do not count.

    Attributes:
        live: ``(event, value)`` that stand. More than one distinct value is a conflict.
        late: ``(event, value)`` that had not seen a handover or an approval, and wait for the owner.
        overruled: ``(event, value, by)``: as ``late``, but the owner wrote without having seen them.
    """

    # Tuples: a dossier has dozens of registers, most of them with one write, and lists cost thrice as much.
    live: tuple[Write, ...] = ()
    late: tuple[Write, ...] = ()
    overruled: tuple[tuple[bytes, Any, bytes], ...] = ()

    def values(self) -> list[Any]:
        """Returns the distinct live values, in the order of the events' ids."""
        found: list[Any] = []
        for _, value in self.live:
            if not any(_same(value, other) for other in found):
                found.append(value)
        return found


class Branch(NamedTuple):
    """One side of a disputed task.

    Attributes:
        node: The tree node that names it in a settlement.
        action: What was done.
        step: Step to which it would lead.
        events: Events that did so.
    """

    node: bytes
    action: str
    step: str
    events: tuple[bytes, ...]


class Turn(NamedTuple):
    """One transition of a task that counts.

    Attributes:
        at_ms: Claimed time of the first event that took it, milliseconds since 1970 UTC.
        action: What was done.
        step: Step to which it led.
        unit: Unit that holds the task afterwards.
        kept: What the document's type keeps of that event beside it (`DocumentType.keeps`).
    """

    at_ms: int
    action: str
    step: str
    unit: str
    kept: Any = None


@dataclass(slots=True)
class TaskState:
    """Where a task is.

    Attributes:
        step: Step; the last common one while disputed.
        unit: Unit that holds the task.
        node: Node of the tree at which it stands.
        branches: The sides of a dispute; empty when there is none.
        lost: Events on branches that a settlement ended.
        takers: Action → who took it on the way here, of the actions from which others are apart.
        course: The transitions that led here, in order, where the document's type keeps them.
    """

    step: str
    unit: str
    node: bytes = b""
    branches: list[Branch] = field(default_factory=list)
    lost: list[bytes] = field(default_factory=list)
    takers: dict[str, list[str]] = field(default_factory=dict)
    course: tuple[Turn, ...] = ()


@dataclass(slots=True)
class State:
    """A folded document.

    Attributes:
        unit: Unit that created it; empty when no event could.
        units: Every unit that takes part.
        heads: Events that no other has as parent, sorted.
        registers: Key → register.
        notes: Field → ``(claimed time, event, value)``, sorted.
        tasks: Name → task.
        refused: Event → reason.
        void_against: Writes that did not know that the document was declared void, and that nobody who
            saw both has judged.
    """

    unit: str = ""
    units: list[str] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)
    registers: dict[str, Register] = field(default_factory=dict)
    notes: dict[str, list[tuple[int, bytes, Any]]] = field(default_factory=dict)
    tasks: dict[str, TaskState] = field(default_factory=dict)
    refused: dict[bytes, Reason] = field(default_factory=dict)
    void_against: list[bytes] = field(default_factory=list)

    def value(self, key: str) -> Any:
        """Returns the value of a register, ``None`` of an empty one.

        Of several, that of the first event by id; but an element of a set that somebody added is there,
        whoever removed it without having seen that.
        """
        register = self.registers.get(key)
        if register is None or not register.live:
            return None
        if len(register.live) > 1 and any(value is True for _, value in register.live):
            return True
        return register.live[0][1]

    @property
    def is_void(self) -> bool:
        """Whether the document was declared void, and nobody who saw it took that back."""
        register = self.registers.get(VOID)
        return register is not None and any(value is not None for _, value in register.live)


def _same(one: object, other: object) -> bool:
    """Compares values as their encodings: ``True`` is not 1."""
    return one == other and codec.encode(one) == codec.encode(other)  # type: ignore[arg-type]


def initial_task(kind: DocumentType, state: State, name: str) -> TaskState | None:
    """Returns the task before its first transition: held by who holds the main task."""
    workflow = kind.task(name)
    if workflow is None:
        return None
    main = state.tasks.get(MAIN)
    return TaskState(workflow.initial, main.unit if main else state.unit)


def conflicts(kind: DocumentType, state: State) -> list[str]:
    """Returns what a person must settle.

    Returns:
        Register keys in conflict or with late writes, ``task:<name>`` for disputed tasks, and ``_void`` for
        edits that did not know of it; sorted.
    """
    found = [
        key for key, register in state.registers.items() if register.late or is_open(kind, key, register)
    ]
    found += [f"task:{name}" for name, task in state.tasks.items() if task.branches]
    if state.void_against and VOID not in found:
        found.append(VOID)
    return sorted(found)


def is_open(kind: DocumentType, key: str, register: Register) -> bool:
    """Tells whether the live writes of a register disagree; those of a set never do."""
    if len(register.live) < 2:  # noqa: PLR2004 - it takes two
        return False
    spec = kind.field(key)
    if spec is not None and spec.kind == "set":
        return False
    # Not `values`: that compares each with each, and this is asked for every event of a document.
    first = register.live[0][1]
    return any(not _same(first, value) for _, value in register.live[1:])


_GRAVITY: Final = (Standing.OVERRULED, Standing.LATE, Standing.CONFLICT, Standing.STANDS, Standing.SUPERSEDED)


def standing(kind: DocumentType, state: State, event_id: bytes, ops: Sequence[Op]) -> Standing:
    """Returns what became of an event that is part of ``state``; the gravest of its operations decides."""
    if event_id in state.refused:
        return Standing.REFUSED
    found = {_standing_of(kind, state, event_id, op) for op in ops}
    return next((s for s in _GRAVITY if s in found), Standing.STANDS)


def _standing_of(kind: DocumentType, state: State, event_id: bytes, op: Op) -> Standing:
    if event_id in state.void_against and op[0] != "note":
        return Standing.CONFLICT
    if op[0] in {"set", "resolve"}:
        register = state.registers.get(op[1], _EMPTY)
        if any(write[0] == event_id for write in register.live):
            return Standing.CONFLICT if is_open(kind, op[1], register) else Standing.STANDS
        if any(write[0] == event_id for write in register.late):
            return Standing.LATE
        if any(write[0] == event_id for write in register.overruled):
            return Standing.OVERRULED
        return Standing.SUPERSEDED
    if op[0] == "act":
        task = state.tasks.get(op[1])
        if task and event_id in task.lost:
            return Standing.OVERRULED
        if task and any(event_id in branch.events for branch in task.branches):
            return Standing.CONFLICT
    return Standing.STANDS


_EMPTY: Final = Register()
