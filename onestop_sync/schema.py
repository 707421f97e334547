"""Document types: their fields, who owns a field at which step, and the transitions of their tasks.

A type is data, declared once by an integrator and known under the same name at every replica:

    SURVEY = DocumentType("survey", fields=(Field("head"), Field("members", kind="set")))

Fields without a task belong to everyone who takes part in the document. A field with a task belongs, at
each step of that task, to the roles that the field names, in the unit that holds the task at that step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from onestop_sync.errors import InvalidInput

if TYPE_CHECKING:
    from onestop_sync.state import State

__all__ = [
    "MAIN", "VOID", "DocumentType", "Field", "FieldKind", "Summary", "Tally", "Task", "Transition",
]  # fmt: skip

FieldKind = Literal["register", "set", "map", "notes"]
"""``register``: one value, concurrent different values are a conflict. ``map``: a register for each element
``field/element``. ``set``: elements that are present or not; adding wins over removing what was not seen.
``notes``: a list that only grows."""

MAIN: Final = "main"
"""The task that every document with a workflow has; its status is the document's."""
VOID: Final = "_void"
"""Built-in register: the reason why the document was declared void."""

Roles = frozenset[str]
_NOBODY: Final[Roles] = frozenset()
_OFFICERS: Final = frozenset({"officer"})


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a document type.

    Attributes:
        name: Name without ``/``.
        kind: See `FieldKind`.
        task: Task whose step decides who owns the field; empty: no owner, everyone who takes part writes.
            ``"agency:*"`` is, for the element ``y`` of a map, the task ``agency:y``.
        owners: Step → roles that may write the field while the task is at that step. A step that is not
            named: nobody.
        resolvers: Roles that may settle a conflict on the field besides its owner.
        is_legal: A form prints it, so printing is blocked while it is in conflict.
        max_chars: Longest text, in characters.
        within: Actions of the field's task: the event that writes the field takes one of them. Empty: it is
            written by itself as well.
        guests: Of the type's founders, roles that may add such a note afterwards; of notes alone.
        since: Version of the type that brought it; see `DocumentType.base`.
    """

    name: str
    kind: FieldKind = "register"
    task: str = ""
    owners: Mapping[str, Roles] = field(default_factory=dict)
    resolvers: Roles = _NOBODY
    is_legal: bool = False
    max_chars: int = 4000
    within: frozenset[str] = frozenset()
    guests: Roles = _NOBODY
    since: int = 1

    def task_of(self, key: str) -> str:
        """Returns the name of the task that decides who owns ``key``; empty when none does."""
        if self.task.endswith(":*"):
            return self.task[:-1] + key.partition("/")[2]
        return self.task


@dataclass(frozen=True, slots=True)
class Transition:
    """One step of a task, taken by a signed event.

    Attributes:
        action: Name, e.g. ``"approve"``.
        sources: Steps from which it leads.
        target: Step to which it leads.
        roles: Roles that may take it, in the unit that holds the task.
        needs: Names of arguments that must be given (a reason, a date).
        moves: The argument ``to`` names the unit that holds the task afterwards.
        seals: What the author had not seen of the task's fields does not enter by itself any more.
        apart: Actions of the same task; who took one of them may not take this one, where the document's
            regime says so (`DocumentType.regime`).
        needs_files: A store lets nobody begin it while an attachment of the document is neither whole here
            nor confirmed by a parent. It decides no verdict: that must not hang on what has arrived.
        since: Version of the type that brought it; see `DocumentType.base`.
    """

    action: str
    sources: frozenset[str]
    target: str
    roles: Roles
    needs: tuple[str, ...] = ()
    moves: bool = False
    seals: bool = False
    apart: frozenset[str] = frozenset()
    needs_files: bool = False
    since: int = 1


@dataclass(frozen=True)
class Task:
    """A workflow: the step in which it begins, and its transitions.

    Attributes:
        name: ``"main"``, or a kind such as ``"agency"``, of which a document has one for each unit
            (``agency:<unit>``).
        initial: First step.
        transitions: All transitions; one action may lead from different steps to different ones.
    """

    name: str
    initial: str
    transitions: tuple[Transition, ...]

    @cached_property
    def _table(self) -> dict[tuple[str, str], Transition]:
        return {(t.action, source): t for t in self.transitions for source in t.sources}

    @cached_property
    def watched(self) -> frozenset[str]:
        """The actions from which others are apart."""
        return frozenset(action for t in self.transitions for action in t.apart)

    @cached_property
    def waits_for_files(self) -> frozenset[str]:
        """The actions that wait for attachments."""
        return frozenset(t.action for t in self.transitions if t.needs_files)

    @cached_property
    def ends(self) -> frozenset[str]:
        """The steps from which nothing leads on."""
        sources = {source for t in self.transitions for source in t.sources}
        return frozenset(t.target for t in self.transitions) - sources

    def transition(self, action: str, step: str) -> Transition | None:
        """Returns the transition that ``action`` is at ``step``, if there is one."""
        return self._table.get((action, step))

    def since(self, action: str) -> int:
        """Returns the version of the type that brought the last of the transitions of this name."""
        return max((t.since for t in self.transitions if t.action == action), default=1)

    def actions_at(self, step: str) -> tuple[Transition, ...]:
        """Returns the transitions that lead from ``step``."""
        return tuple(t for t in self.transitions if step in t.sources)


class Summary(NamedTuple):
    """What a list shows and searches of a document.

    Attributes:
        label: What people call it by: a dossier's code. Unique where the type makes it so.
        title: One line.
        step: Step, or empty.
        due_ms: When it is due, milliseconds since 1970 UTC.
        search: Folded text to search in (`search_text.fold_text`).
    """

    label: str = ""
    title: str = ""
    step: str = ""
    due_ms: int | None = None
    search: str = ""


class Tally(NamedTuple):
    """What reports count a document by: times of events, as their authors claim them.

    Attributes:
        unit: Unit at which it is counted; who succeeds that unit counts it later.
        group: What it is about, e.g. the procedure's code.
        channel: How it came, e.g. ``truc_tuyen``.
        begun_ms: From when on it counts, milliseconds since 1970 UTC.
        ended_ms: When it was done with; ``None`` while it is not.
        due_ms: By when it should be, as last given; ``None`` without a date.
        facts: What more is asked of it, as the type packs it.
    """

    unit: str
    group: str
    channel: str
    begun_ms: int
    ended_ms: int | None
    due_ms: int | None
    facts: bytes = b""


@dataclass(frozen=True)
class DocumentType:
    """What a kind of document is made of.

    Attributes:
        name: Name, the same at every replica.
        fields: Its fields.
        tasks: Its workflows; none for a plain document.
        creators: Roles that may create one; empty: every officer.
        founders: Of the creators, roles that write the first event, and after it only notes of which they are
            guests (`Field.guests`).
        arbiters: Roles that settle a disputed task, in the unit that holds it.
        voiders: Roles that may declare a document void; empty: whoever may create one.
        writers: Kinds of certificates whose keys write such documents; a machine's only where it is named.
        is_final: One event makes a document whole; whatever comes after it, by whomever, takes no effect.
        version: Schema version; a higher one than known here is kept and waits for a newer program.
        base: Lowest version that folds what it knows as this one does: all that came since are fields and
            transitions, each with its `since`. An event that uses none of them is then understood by the
            programs between, and only the others wait there. 0: none before this one.
        summarise: Makes of a folded state what lists show; pure.
        regime: Names the rules under which a document runs, of which the province says whether they keep
            transitions apart (`TrustDocument.apart`); pure.
        keeps: Where it is given, a task's state knows its course (`state.Turn`); of the operations of each
            event with a transition it makes what is kept beside it: plain data, or ``None``; pure.
        tally: Makes of a folded state the line that is counted in reports; ``None``: it is not counted; pure.
        register: Makes of a folded state what may be kept when the document is erased by law: its row in the
            register, nothing personal; pure. Its label is added.
    """

    name: str
    fields: tuple[Field, ...]
    tasks: tuple[Task, ...] = ()
    creators: Roles = _NOBODY
    founders: Roles = _NOBODY
    arbiters: Roles = _NOBODY
    voiders: Roles = _NOBODY
    writers: frozenset[str] = _OFFICERS
    is_final: bool = False
    version: int = 1
    base: int = 0
    summarise: Callable[[State], Summary] | None = None
    regime: Callable[[State], str] | None = None
    register: Callable[[State], Mapping[str, Any]] | None = None
    keeps: Callable[[Sequence[Sequence[Any]]], Any] | None = None
    tally: Callable[[State], Tally | None] | None = None

    def __post_init__(self) -> None:
        """Refuses a type that could not be folded.

        Raises:
            InvalidInput: Names collide, or a field names a task or step that does not exist.
        """
        names = [f.name for f in self.fields]
        if len(set(names)) != len(names) or any("/" in n or n.startswith("_") or not n for n in names):
            raise InvalidInput(
                f"The fields of {self.name!r} need different names without '/' or a leading '_'."
            )
        for each in self.fields:
            if each.task and each.task.partition(":")[0] not in self._tasks:
                raise InvalidInput(f"Field {each.name!r} names the task {each.task!r}, which does not exist.")
            if each.guests and not (each.kind == "notes" and each.guests <= self.founders):
                raise InvalidInput(f"Guests of the field {each.name!r} are founders that add notes, or none.")
        for task in self.tasks:
            # A task besides the main one is opened by who holds the main task, for a unit that it names.
            opening = (t for t in task.transitions if task.initial in t.sources)
            if task.name != MAIN and not all(t.moves for t in opening):
                raise InvalidInput(f"Task {task.name!r} is opened by a transition that names no unit.")

    @cached_property
    def _fields(self) -> dict[str, Field]:
        return {f.name: f for f in self.fields}

    @cached_property
    def _whole(self) -> dict[str, Field]:
        """The fields that are one register each, or notes: their key is their name."""
        return {f.name: f for f in self.fields if f.kind not in {"set", "map"}}

    @cached_property
    def _tasks(self) -> dict[str, Task]:
        return {t.name: t for t in self.tasks}

    @cached_property
    def roles(self) -> Roles:
        """Every role that it names; none where it leaves everything to every officer."""
        named = [self.creators, self.founders, self.arbiters, self.voiders]
        for each in self.fields:
            named += [*each.owners.values(), each.resolvers]
        named += [transition.roles for task in self.tasks for transition in task.transitions]
        return frozenset[str]().union(*named)

    def field(self, key: str) -> Field | None:
        """Returns the field of a register key (``name`` or ``name/element``), if the type has it."""
        found = self._whole.get(key)
        if found is not None:
            return found
        name, _, element = key.partition("/")
        found = self._fields.get(name)
        return found if found and element and found.kind in {"set", "map"} else None

    def notes_field(self, name: str) -> Field | None:
        """Returns the field if it is one that notes are appended to."""
        found = self._fields.get(name)
        return found if found and found.kind == "notes" else None

    def needs_files(self, op: Sequence[Any]) -> bool:
        """Tells whether an operation is a transition that waits for the document's attachments."""
        match op:
            case ["act", str(name), str(action), *_]:
                task = self.task(name)
                return task is not None and action in task.waits_for_files
        return False

    def needed(self, ops: Iterable[Sequence[Any]]) -> int:
        """Returns which version of this type a program must know to fold these operations."""
        return max([self.base or self.version, *(self._since(op) for op in ops)])

    def _since(self, op: Sequence[Any]) -> int:
        """Returns with which version an operation came; with this one where that cannot be told."""
        found: Field | None = None
        match op:
            case ["settle", *_]:
                return 1
            case ["set" | "resolve", str(key), *_]:
                if key == VOID:
                    return 1
                found = self.field(key)
            case ["note", str(name), *_]:
                found = self.notes_field(name)
            case ["act", str(name), str(action), *_]:
                task = self.task(name)
                return task.since(action) if task else self.version
        return found.since if found else self.version

    def task(self, name: str) -> Task | None:
        """Returns the workflow of a task by its full name (``main``, ``agency:h01``)."""
        kind, colon, element = name.partition(":")
        found = self._tasks.get(kind)
        return found if found and bool(colon) == bool(element) and bool(colon) == (kind != MAIN) else None
