"""The fold: events of one document -> what the document is. Pure, and the same at every replica.

Two questions, kept apart:

- *Is an event valid?* `judge` looks at the document as it was in the event's own past. Nothing that
  arrives later changes the answer.
- *Does it stand?* That depends on all events that are here, and `standing` reads it from the folded state.

`fold` computes a state from any set of events; `apply` carries a state on by one event that has seen all
of it. They agree (tests/unit/test_fold.py); the first is the definition, the second is the fast path.

A task's transitions form a tree. Its node is the history so far and what was done (`_node_id`), so two
people who do the same thing independently are at one node. As long as the tree is a path, the task stands
at its end. Where it branches, the task is *disputed*: it stays at the fork until someone settles it.
"""

from __future__ import annotations

import hashlib
import heapq
from bisect import insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple

from onestop_sync import codec
from onestop_sync.event import Op
from onestop_sync.schema import MAIN, VOID, DocumentType, Field, Transition

__all__ = [
    "Author",
    "Branch",
    "Entry",
    "NeedsRefold",
    "Reason",
    "Register",
    "Standing",
    "State",
    "TaskState",
    "apply",
    "conflicts",
    "fold",
    "judge",
    "owner",
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
    NAMES = "names"
    """A resolution names writes that its author had not seen, or none."""


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
    """

    unit: str
    units: frozenset[str]
    roles: frozenset[str]


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


class NeedsRefold(Exception):  # noqa: N818 - a signal between two functions, not an error that a person meets
    """`apply` cannot carry this state on; `fold` the document from its events."""


Write = tuple[bytes, Any]


@dataclass(slots=True)
class Register:
    """One field (or element): the writes that no other write had seen, and those that do not count.

    Attributes:
        live: ``(event, value)`` that stand. More than one distinct value is a conflict.
        late: ``(event, value)`` that had not seen a handover or an approval, and wait for the owner.
        overruled: ``(event, value, by)``: as ``late``, but the owner wrote without having seen them.
    """

    live: list[Write] = field(default_factory=list)
    late: list[Write] = field(default_factory=list)
    overruled: list[tuple[bytes, Any, bytes]] = field(default_factory=list)

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


@dataclass(slots=True)
class TaskState:
    """Where a task is.

    Attributes:
        step: Step; the last common one while disputed.
        unit: Unit that holds the task.
        node: Node of the tree at which it stands.
        branches: The sides of a dispute; empty when there is none.
        lost: Events on branches that a settlement ended.
    """

    step: str
    unit: str
    node: bytes = b""
    branches: list[Branch] = field(default_factory=list)
    lost: list[bytes] = field(default_factory=list)


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

    def value(self, key: str) -> Any:  # noqa: ANN401 - a field's value
        """Returns the value of a register; of one in conflict the first, and ``None`` of an empty one."""
        register = self.registers.get(key)
        return register.live[0][1] if register and register.live else None

    @property
    def is_void(self) -> bool:
        """Whether the document was declared void."""
        return self.value(VOID) is not None


# ---------------------------------------------------------------------------------------------- judging


def owner(kind: DocumentType, state: State, key: str) -> tuple[str, frozenset[str]] | None:
    """Returns the unit and the roles that own ``key`` now; ``None`` when it has no owner."""
    spec = kind.field(key)
    name = spec.task_of(key) if spec else ""
    if not spec or not name:
        return None
    task = state.tasks.get(name) or _initial(kind, state, name)
    if task is None:
        return "", frozenset()
    return task.unit, spec.owners.get(task.step, frozenset())


def judge(kind: DocumentType, state: State | None, entry: Entry) -> Reason | None:
    """Tells why an event is not valid, given the document in its own past; ``None`` when it is."""
    if entry.refusal:
        return entry.refusal
    if state is None:
        if kind.creators and not kind.creators & entry.author.roles:
            return Reason.CREATOR
        state = State(unit=entry.author.unit, units=[entry.author.unit])
    elif not state.unit:
        return Reason.ORIGIN
    if entry.author.units.isdisjoint(state.units):
        return Reason.UNIT
    keys: set[tuple[str, str]] = set()
    for op in entry.ops:
        reason = _judge_op(kind, state, entry.author, op)
        if reason:
            return reason
        if op[0] != "note":
            # A settlement and a transition of one task in one event would contradict each other.
            target = ("task" if op[0] in {"act", "settle"} else "key", op[1])
            if target in keys:
                return Reason.VALUE
            keys.add(target)
    return None


def _judge_op(kind: DocumentType, state: State, author: Author, op: Op) -> Reason | None:
    match op:
        case ["note", str(name), value]:
            spec = kind.notes_field(name)
            return _value_problem(spec, value) if spec else Reason.UNKNOWN
        case ["set", str(key), value]:
            return _judge_set(kind, state, author, key, value)
        case ["resolve", str(key), value, str(why), list(ids)]:
            return _judge_resolve(kind, state, author, key, value, why, ids)
        case ["act", str(name), str(action), dict(arguments)]:
            return _judge_act(kind, state, author, name, action, arguments)
        case ["settle", str(name), bytes(at), bytes(chosen), str(why), list(others)]:
            return _judge_settle(kind, state, author, name, at, chosen, why, others)
    return Reason.UNKNOWN


def _judge_set(kind: DocumentType, state: State, author: Author, key: str, value: Any) -> Reason | None:  # noqa: ANN401
    if state.is_void:
        return Reason.VOID
    if key == VOID:
        allowed = kind.voiders or kind.creators
        return Reason.ROLE if allowed and not allowed & author.roles else _void_problem(value)
    spec = kind.field(key)
    if spec is None or spec.kind == "notes":
        return Reason.UNKNOWN
    reason = _ownership(kind, state, author, key, spec, resolving=False) or _value_problem(spec, value)
    if reason:
        return reason
    register = state.registers.get(key)
    if register and len(register.live) > 1 and spec.kind != "set" and len(register.values()) > 1:
        return Reason.CONFLICT
    return None


def _judge_resolve(  # noqa: PLR0913 - an operation's parts
    kind: DocumentType, state: State, author: Author, key: str, value: Any, why: str, ids: list[Any]  # noqa: ANN401
) -> Reason | None:
    register = state.registers.get(key)
    if register is None or not ids or not all(type(i) is bytes for i in ids):
        return Reason.NAMES
    known = {write[0] for write in (*register.live, *register.late, *register.overruled)}
    if key == VOID:
        known |= set(state.void_against)
    if not known.issuperset(ids):
        return Reason.NAMES
    if not why.strip():
        return Reason.ARGUMENT
    if key == VOID:
        return None if value is None else _void_problem(value)
    if state.is_void:
        return Reason.VOID
    spec = kind.field(key)
    if spec is None:
        return Reason.UNKNOWN
    return _ownership(kind, state, author, key, spec, resolving=True) or _value_problem(spec, value)


def _ownership(  # noqa: PLR0913
    kind: DocumentType, state: State, author: Author, key: str, spec: Field, *, resolving: bool
) -> Reason | None:
    name = spec.task_of(key)
    if not name:
        return None
    task = state.tasks.get(name)
    if task is not None and task.branches:
        return Reason.DISPUTED
    owned_by = owner(kind, state, key)
    if owned_by is None:
        return None
    unit, roles = owned_by
    if resolving:
        roles |= spec.resolvers
    return None if unit in author.units and roles & author.roles else Reason.OWNER


def _judge_act(  # noqa: PLR0913
    kind: DocumentType, state: State, author: Author, name: str, action: str, arguments: Mapping[str, Any]
) -> Reason | None:
    workflow = kind.task(name)
    task = state.tasks.get(name) or _initial(kind, state, name)
    if workflow is None or task is None:
        return Reason.UNKNOWN
    if state.is_void:
        return Reason.VOID
    main = state.tasks.get(MAIN)
    if task.branches or (main is not None and main.branches):
        return Reason.DISPUTED
    transition = workflow.transition(action, task.step)
    if transition is None:
        return Reason.STEP
    if task.unit not in author.units:
        return Reason.UNIT
    if not transition.roles & author.roles:
        return Reason.ROLE
    needs = (*transition.needs, "to") if transition.moves else transition.needs
    if not all(_is_given(arguments.get(need)) for need in needs):
        return Reason.ARGUMENT
    return Reason.VALUE if transition.moves and not isinstance(arguments["to"], str) else None


def _judge_settle(  # noqa: PLR0913
    kind: DocumentType, state: State, author: Author,
    name: str, at: bytes, chosen: bytes, why: str, others: list[Any],
) -> Reason | None:  # fmt: skip
    task = state.tasks.get(name)
    if task is None or not task.branches or task.node != at:
        return Reason.STEP
    nodes = sorted(branch.node for branch in task.branches)
    if chosen in others or not all(type(o) is bytes for o in others) or sorted([chosen, *others]) != nodes:
        return Reason.NAMES
    if not why.strip():
        return Reason.ARGUMENT
    if task.unit not in author.units:
        return Reason.UNIT
    return None if kind.arbiters & author.roles else Reason.ROLE


def _is_given(value: object) -> bool:
    return value is not None and (not isinstance(value, str) or bool(value.strip()))


def _void_problem(value: object) -> Reason | None:
    return None if isinstance(value, str) and value.strip() else Reason.ARGUMENT


def _value_problem(spec: Field, value: object) -> Reason | None:
    if isinstance(value, str) and len(value) > spec.max_chars:
        return Reason.VALUE
    if spec.kind == "set" and type(value) is not bool:
        return Reason.VALUE
    return None


def _initial(kind: DocumentType, state: State, name: str) -> TaskState | None:
    """Returns the task before its first transition: held by who holds the main task."""
    workflow = kind.task(name)
    if workflow is None:
        return None
    main = state.tasks.get(MAIN)
    return TaskState(workflow.initial, main.unit if main else state.unit)


def _same(one: object, other: object) -> bool:
    """Compares values as their encodings: ``True`` is not 1."""
    return one == other and codec.encode(one) == codec.encode(other)  # type: ignore[arg-type]


def _node_id(before: bytes, action: str, arguments: Mapping[str, Any]) -> bytes:
    return hashlib.sha256(codec.encode([before, action, arguments])).digest()[:16]


# ---------------------------------------------------------------------------------------------- fast path


def apply(kind: DocumentType, state: State | None, entry: Entry) -> State:
    """Carries ``state`` on by an event whose parents are all of its heads; changes it in place.

    Raises:
        NeedsRefold: The event settles something that reaches back; nothing was changed.
    """
    if state is not None and any(task.branches for task in state.tasks.values()):
        raise NeedsRefold
    if state is not None and (state.void_against or any(op[0] == "settle" for op in entry.ops)):
        raise NeedsRefold
    reason = judge(kind, state, entry)
    if state is None:
        state = _opened(kind, entry) if reason is None else State()
    state.heads = [entry.id]
    if reason is not None:
        state.refused[entry.id] = reason
        return state
    # Every write is judged, and lands, at the step before the event's own transition.
    for op in entry.ops:
        match op:
            case ["set", key, value]:
                state.registers.setdefault(key, Register()).live = [(entry.id, value)]
            case ["resolve", key, value, _, ids]:
                register = state.registers[key]
                register.live = [w for w in register.live if w[0] not in ids]
                insort(register.live, (entry.id, value), key=_by_event)
                register.late = [w for w in register.late if w[0] not in ids]
            case ["note", name, value]:
                insort(state.notes.setdefault(name, []), (entry.time_ms, entry.id, value), key=_by_time)
    for op in entry.ops:
        if op[0] == "act":
            _advance(kind, state, op[1], op[2], op[3])
    return state


def _opened(kind: DocumentType, entry: Entry) -> State:
    state = State(unit=entry.author.unit, units=[entry.author.unit])
    main = _initial(kind, state, MAIN)
    if main is not None:
        state.tasks[MAIN] = main
    return state


def _advance(kind: DocumentType, state: State, name: str, action: str, arguments: Mapping[str, Any]) -> None:
    task = state.tasks.get(name) or _initial(kind, state, name)
    workflow = kind.task(name)
    transition = workflow.transition(action, task.step) if workflow and task else None
    if task is None or transition is None:
        raise NeedsRefold
    task.node = _node_id(task.node, action, arguments)
    task.step = transition.target
    if transition.moves:
        task.unit = arguments["to"]
        if task.unit not in state.units:
            insort(state.units, task.unit)
    state.tasks[name] = task


def _by_event(write: tuple[bytes, Any]) -> bytes:
    return write[0]


def _by_time(note: tuple[int, bytes, Any]) -> tuple[int, bytes]:
    return note[0], note[1]


# -------------------------------------------------------------------------------------------- definition


def fold(kind: DocumentType, entries: Iterable[Entry]) -> State:
    """Folds a set of events of one document; their order does not matter.

    Events whose parents are missing must have been left out: they wait.

    Returns:
        The state; that of no events is an empty `State`.
    """
    return _Fold(kind, entries).state()


class _Put(NamedTuple):
    """One write of a register: by event ``at``, when the task that owns the register was at ``node``."""

    at: int
    value: Any
    node: bytes
    names: frozenset[bytes] | None
    """The writes that a resolution settles; ``None``: a plain write, which settles all that it saw."""


@dataclass(slots=True)
class _Node:
    """A node of a task's tree: what was done after ``before``, and the mask of the events that did it."""

    before: bytes
    transition: Transition
    arguments: Mapping[str, Any]
    events: int = 0


class _Settled(NamedTuple):
    at: int
    fork: bytes
    chosen: bytes
    others: tuple[bytes, ...]


@dataclass(slots=True)
class _Tree:
    """All transitions of one task, and what was settled."""

    nodes: dict[bytes, _Node] = field(default_factory=dict)
    settled: list[_Settled] = field(default_factory=list)


class _Hop(NamedTuple):
    """One node of a path: where the task was before, and where it is after."""

    node: _Node
    before: tuple[str, str]
    after: tuple[str, str]


@dataclass(slots=True)
class _Path:
    """A task's tree, walked: the nodes that count, in order, and where it stopped.

    Attributes:
        order: Node → place; the root, where every task begins, has place 0.
        hops: The nodes after the root; ``hops[i]`` has place ``i + 1``.
        open: The branches of a dispute.
        unit: Who holds the task at the end.
        step: Step at the end.
    """

    unit: str
    step: str
    order: dict[bytes, int] = field(default_factory=lambda: {b"": 0})
    hops: list[_Hop] = field(default_factory=list)
    open: list[bytes] = field(default_factory=list)


_NO_PATH: Final = _Path("", "")


class _Fold:
    """One run over one document: events as bits, pasts as masks."""

    def __init__(self, kind: DocumentType, entries: Iterable[Entry]) -> None:
        self.kind = kind
        self.entries = _sorted(entries)
        place = {entry.id: i for i, entry in enumerate(self.entries)}
        self.past: list[int] = []
        self.nodes: list[dict[str, bytes]] = []
        self.valid = 0
        self.reasons: dict[int, Reason] = {}
        for i, entry in enumerate(self.entries):
            mask = 0
            for parent in entry.parents:
                j = place[parent]
                mask |= self.past[j] | 1 << j
            self.past.append(mask)
            before = self._project(mask) if mask else None
            self.nodes.append({n: t.node for n, t in before.tasks.items()} if before else {})
            reason = judge(kind, before, entry)
            if reason is None:
                self.valid |= 1 << i
            else:
                self.reasons[i] = reason

    def state(self) -> State:
        return self._project((1 << len(self.entries)) - 1)

    # ---- one projection

    def _project(self, mask: int) -> State:
        state = State(heads=self._heads(mask))
        state.refused = {self.entries[i].id: r for i, r in self.reasons.items() if mask >> i & 1}
        puts: dict[str, list[_Put]] = {}
        trees: dict[str, _Tree] = {}
        counted = mask & self.valid
        for i in _bits(counted):
            self._collect(i, state, puts, trees)
        if not state.unit:
            return state
        paths = self._walk_all(state, trees)
        for key in puts:
            state.registers[key] = self._register(key, puts[key], paths)
        state.void_against = self._against_void(counted, puts.get(VOID, []), state.registers.get(VOID))
        for notes in state.notes.values():
            notes.sort(key=_by_time)
        return state

    def _heads(self, mask: int) -> list[bytes]:
        covered = 0
        for i in _bits(mask):
            covered |= self.past[i]
        return sorted(self._ids(mask & ~covered))

    def _ids(self, mask: int) -> tuple[bytes, ...]:
        return tuple(sorted(self.entries[i].id for i in _bits(mask)))

    def _collect(self, i: int, state: State, puts: dict[str, list[_Put]], trees: dict[str, _Tree]) -> None:
        entry = self.entries[i]
        if not entry.parents and not state.unit:
            state.unit = entry.author.unit
        for op in entry.ops:
            match op:
                case ["set", key, value]:
                    puts.setdefault(key, []).append(_Put(i, value, self._node_at(i, key), None))
                case ["resolve", key, value, _, ids]:
                    put = _Put(i, value, self._node_at(i, key), frozenset(ids))
                    puts.setdefault(key, []).append(put)
                case ["note", name, value]:
                    state.notes.setdefault(name, []).append((entry.time_ms, entry.id, value))
                case ["act", name, action, arguments]:
                    self._grow(i, trees.setdefault(name, _Tree()), name, action, arguments)
                case ["settle", name, at, chosen, _, others]:
                    trees[name].settled.append(_Settled(i, at, chosen, tuple(others)))

    def _node_at(self, i: int, key: str) -> bytes:
        spec = self.kind.field(key)
        return self.nodes[i].get(spec.task_of(key), b"") if spec else b""

    def _grow(self, i: int, tree: _Tree, name: str, action: str, arguments: Mapping[str, Any]) -> None:
        before = self.nodes[i].get(name, b"")
        node_id = _node_id(before, action, arguments)
        node = tree.nodes.get(node_id)
        if node is None:
            workflow = self.kind.task(name)
            step = tree.nodes[before].transition.target if before else workflow.initial if workflow else ""
            transition = workflow.transition(action, step) if workflow else None
            assert transition is not None  # it was judged valid
            node = tree.nodes[node_id] = _Node(before, transition, arguments)
        node.events |= 1 << i

    # ---- tasks

    def _walk_all(self, state: State, trees: dict[str, _Tree]) -> dict[str, _Path]:
        main = _initial(self.kind, state, MAIN)
        if main is not None:
            trees.setdefault(MAIN, _Tree())
        paths: dict[str, _Path] = {}
        for name, tree in trees.items():
            workflow = self.kind.task(name)
            assert workflow is not None  # its transitions were judged valid
            paths[name] = self._walk(tree, state.unit, workflow.initial)
            state.tasks[name] = self._task_state(tree, paths[name])
        units = {n.arguments["to"] for t in trees.values() for n in t.nodes.values() if n.transition.moves}
        state.units = sorted(units | {state.unit})
        return paths

    def _walk(self, tree: _Tree, unit: str, step: str) -> _Path:
        children: dict[bytes, list[bytes]] = {}
        for node_id, node in tree.nodes.items():
            children.setdefault(node.before, []).append(node_id)
        path = _Path(unit, step)
        at = b""
        while True:
            ended = self._ended(tree.settled, at)
            going = sorted(c for c in children.get(at, ()) if c not in ended)
            if len(going) != 1:
                path.open = going
                return path
            at = going[0]
            node = tree.nodes[at]
            before = (path.unit, path.step)
            path.step = node.transition.target
            if node.transition.moves:
                path.unit = node.arguments["to"]
            path.hops.append(_Hop(node, before, (path.unit, path.step)))
            path.order[at] = len(path.hops)

    def _ended(self, settled: list[_Settled], fork: bytes) -> set[bytes]:
        """Returns the branches at ``fork`` that settlements end; two that disagree end none."""
        here = [s for s in settled if s.fork == fork]
        live = [s for s in here if not any(self.past[o.at] >> s.at & 1 for o in here)]
        if len({s.chosen for s in live}) != 1:
            return set()
        return {other for s in live for other in s.others}

    def _task_state(self, tree: _Tree, path: _Path) -> TaskState:
        branches = [
            Branch(b, tree.nodes[b].transition.action, tree.nodes[b].transition.target, self._ids(tree.nodes[b].events))
            for b in path.open
        ]  # fmt: skip
        undecided = _below(tree.nodes, path.open)
        lost = 0
        for node_id, node in tree.nodes.items():
            if node_id not in path.order and node_id not in undecided:
                lost |= node.events
        at = next(reversed(path.order))
        return TaskState(path.step, path.unit, at, branches, list(self._ids(lost)))

    # ---- registers

    def _register(self, key: str, puts: list[_Put], paths: dict[str, _Path]) -> Register:
        spec = self.kind.field(key)
        path = paths.get(spec.task_of(key), _NO_PATH) if spec else _NO_PATH
        taken = self._taken(spec, path) if spec else []
        late = {put.at: late for put in puts if (late := _lateness(put, path, taken)) is not None}
        counted = [put for put in puts if put.at not in late]
        register = Register()
        for put in puts:
            event_id = self.entries[put.at].id
            if put.at not in late:
                if not self._is_seen(put, counted):
                    register.live.append((event_id, put.value))
            elif by := self._overruler(put, puts, path, late[put.at]):
                register.overruled.append((event_id, put.value, by))
            elif not self._is_decided(put, puts, late, counted):
                register.late.append((event_id, put.value))
        register.live.sort(key=_by_event)
        register.late.sort(key=_by_event)
        register.overruled.sort(key=lambda w: w[0])
        return register

    def _taken(self, spec: Field, path: _Path) -> list[tuple[int, int]]:
        """Returns ``(place on the path, mask of what its authors saw)`` where the field changed hands."""
        found: list[tuple[int, int]] = []
        for place, hop in enumerate(path.hops, 1):
            before = (hop.before[0], spec.owners.get(hop.before[1]))
            after = (hop.after[0], spec.owners.get(hop.after[1]))
            if hop.node.transition.seals or before != after:
                seen = hop.node.events
                for i in _bits(hop.node.events):
                    seen |= self.past[i]
                found.append((place, seen))
        return found

    def _is_seen(self, put: _Put, others: list[_Put]) -> bool:
        """Tells whether one of ``others`` saw this write and settled it."""
        event_id = self.entries[put.at].id
        return any(
            self.past[o.at] >> put.at & 1 and (o.names is None or event_id in o.names) for o in others
        )

    def _overruler(self, put: _Put, puts: list[_Put], path: _Path, place: int) -> bytes | None:
        """Returns the first write that the new owner made without having seen this one.

        It overrules for good, even when it is itself superseded later: its author decided about the
        field when it was theirs.
        """
        found = [
            self.entries[o.at].id
            for o in puts
            if path.order.get(o.node, -1) >= place and not self.past[o.at] >> put.at & 1 and o.at != put.at
        ]
        return min(found, default=None) if place > 0 else None

    def _is_decided(self, put: _Put, puts: list[_Put], late: dict[int, int], counted: list[_Put]) -> bool:
        """Tells whether a late write was replaced by its own side, or named by a resolution."""
        event_id = self.entries[put.at].id
        if self._is_seen(put, [o for o in puts if o.at in late]):
            return True
        return any(o.names is not None and event_id in o.names for o in counted)

    def _against_void(self, counted: int, voids: list[_Put], register: Register | None) -> list[bytes]:
        """Returns the writes that are concurrent with a standing ``void`` and that nobody has judged."""
        live = {event_id for event_id, value in register.live if value is not None} if register else set()
        found: set[bytes] = set()
        for void in (v for v in voids if self.entries[v.at].id in live):
            judged = self.past[void.at] | 1 << void.at
            for i in _bits(counted & ~judged):
                if not self.past[i] >> void.at & 1 and any(op[0] != "note" for op in self.entries[i].ops):
                    found.add(self.entries[i].id)
        return sorted(found)


def _lateness(put: _Put, path: _Path, taken: list[tuple[int, int]]) -> int | None:
    """Returns the place of the first handover that had not seen a write; ``None`` when it is in time.

    A write made after a transition that does not count (disputed, or on a branch that was ended) waits
    as well; nobody overrules it by having gone on elsewhere, so its place is 0.
    """
    if put.node not in path.order:
        return 0
    at = path.order[put.node]
    return next((place for place, seen in taken if place > at and not seen >> put.at & 1), None)


def _below(nodes: Mapping[bytes, _Node], tops: list[bytes]) -> set[bytes]:
    """Returns ``tops`` and every node under them."""
    found = set(tops)
    while more := {n for n, node in nodes.items() if node.before in found} - found:
        found |= more
    return found


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def _sorted(entries: Iterable[Entry]) -> list[Entry]:
    """Sorts by parents, and among what is concurrent by id: the same everywhere."""
    by_id = {entry.id: entry for entry in entries}
    children: dict[bytes, list[bytes]] = {}
    missing = {entry.id: len(set(entry.parents)) for entry in by_id.values()}
    for entry in by_id.values():
        for parent in entry.parents:
            children.setdefault(parent, []).append(entry.id)
    ready = [event_id for event_id, count in missing.items() if count == 0]
    heapq.heapify(ready)
    found: list[Entry] = []
    while ready:
        event_id = heapq.heappop(ready)
        found.append(by_id[event_id])
        for child in children.get(event_id, ()):
            missing[child] -= 1
            if missing[child] == 0:
                heapq.heappush(ready, child)
    return found


# ---------------------------------------------------------------------------------------------- reading


def conflicts(kind: DocumentType, state: State) -> list[str]:
    """Returns what a person must settle: register keys in conflict or with late writes, ``task:<name>``
    for disputed tasks, and ``_void`` for edits that did not know of it."""
    found = [
        key
        for key, register in state.registers.items()
        if register.late or (len(register.live) > 1 and not _is_set(kind, key) and len(register.values()) > 1)
    ]
    found += [f"task:{name}" for name, task in state.tasks.items() if task.branches]
    if state.void_against and VOID not in found:
        found.append(VOID)
    return sorted(found)


def _is_set(kind: DocumentType, key: str) -> bool:
    spec = kind.field(key)
    return spec is not None and spec.kind == "set"


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
            is_open = not _is_set(kind, op[1]) and len(register.values()) > 1
            return Standing.CONFLICT if is_open else Standing.STANDS
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
