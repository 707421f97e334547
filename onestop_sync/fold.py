"""The fold: events of one document -> what the document is. Pure, and the same at every replica.

Two questions, kept apart:

- *Is an event valid?* `judge` looks at the document as it was in the event's own past. Nothing that
  arrives later changes the answer.
- *Does it stand?* That depends on all events that are here, and `standing` reads it from the folded state.

`fold` computes a state from any set of events; `apply` carries a state on by one event that has seen all
of it. They agree (tests/unit/test_fold.py); the first is the definition, the second is the fast path.
"""

from __future__ import annotations

import heapq
from bisect import insort
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, NamedTuple

from onestop_sync.event import Op
from onestop_sync.judge import judge, owner
from onestop_sync.schema import MAIN, VOID, DocumentType, Field
from onestop_sync.state import (
    Author,
    Branch,
    Entry,
    Reason,
    Register,
    Standing,
    State,
    TaskState,
    Turn,
    Write,
    conflicts,
    initial_task,
    standing,
)
from onestop_sync.tasktree import Hop, Node, Path, Settled, Tree, below, node_id, walk

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


class NeedsRefold(Exception):
    """`apply` cannot carry this state on; `fold` the document from its events."""


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
    _write_all(state, entry)
    for op in entry.ops:
        if op[0] == "act":
            _advance(kind, state, entry, op[1:])
    return state


def _write_all(state: State, entry: Entry) -> None:
    registers = state.registers
    for op in entry.ops:
        if op[0] == "set":
            write = ((entry.id, op[2]),)
            register = registers.get(op[1])
            if register is None:
                registers[op[1]] = Register(write)
            else:
                register.live = write
        else:
            _write(state, entry, op)


def _write(state: State, entry: Entry, op: Op) -> None:
    match op:
        case ["resolve", key, value, _, ids]:
            register = state.registers[key]
            live = [w for w in register.live if w[0] not in ids]
            register.live = _sorted_writes([*live, (entry.id, value)])
            register.late = tuple(w for w in register.late if w[0] not in ids)
        case ["note", name, value]:
            insort(state.notes.setdefault(name, []), (entry.time_ms, entry.id, value), key=_by_time)


def _opened(kind: DocumentType, entry: Entry) -> State:
    state = State(unit=entry.author.unit, units=[entry.author.unit])
    main = initial_task(kind, state, MAIN)
    if main is not None:
        state.tasks[MAIN] = main
    return state


def _advance(kind: DocumentType, state: State, entry: Entry, act: Sequence[Any]) -> None:
    name, action, arguments = act
    task = state.tasks.get(name) or initial_task(kind, state, name)
    workflow = kind.task(name)
    transition = workflow.transition(action, task.step) if workflow and task else None
    if workflow is None or task is None or transition is None:
        raise NeedsRefold
    task.node = node_id(task.node, action, arguments)
    task.step = transition.target
    if transition.moves:
        task.unit = arguments["to"]
        if task.unit not in state.units:
            insort(state.units, task.unit)
    if action in workflow.watched:  # another table each time: copies of the state share the old one
        takers = sorted({*task.takers.get(action, ()), entry.author.person})
        task.takers = {**task.takers, action: takers}
    if kind.keeps:
        turn = Turn(entry.time_ms, action, task.step, task.unit, kind.keeps(entry.ops))
        task.course = (*task.course, turn)
    state.tasks[name] = task


def _sorted_writes(writes: Iterable[Write]) -> tuple[Write, ...]:
    return tuple(sorted(writes, key=lambda write: write[0]))


def _by_time(note: tuple[int, bytes, Any]) -> tuple[int, bytes]:
    return note[0], note[1]


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


_NO_PATH: Final = Path("", "")


class _Fold:
    """One run over one document: events as bits, pasts as masks.

    Args:
        kind: The document's type.
        entries: Its events.
        carries: Whether the state before an event is carried on from a parent's by `apply`, and by what else
            a merge brings where that is plain; otherwise each is projected anew, which is the definition,
            and slow for long histories.
    """

    def __init__(self, kind: DocumentType, entries: Iterable[Entry], *, carries: bool = True) -> None:
        self.kind = kind
        self.entries = _sorted(entries)
        self.carries = carries
        self.place = {entry.id: i for i, entry in enumerate(self.entries)}
        self.past: list[int] = []
        self.nodes: list[dict[str, bytes]] = []
        self.valid = 0
        self.plain = 0
        self.reasons: dict[int, Reason] = {}
        self.before: dict[int, State | None] = {}
        self.children = Counter(parent for entry in self.entries for parent in set(entry.parents))
        for i, entry in enumerate(self.entries):
            self._judge(i, entry)

    def _judge(self, i: int, entry: Entry) -> None:
        mask = 0
        for parent in entry.parents:
            j = self.place[parent]
            mask |= self.past[j] | 1 << j
        self.past.append(mask)
        before = self._at(mask, set(entry.parents))
        self.nodes.append({n: t.node for n, t in before.tasks.items()} if before else {})
        reason = judge(self.kind, before, entry)
        if reason is None:
            self.valid |= 1 << i
        else:
            self.reasons[i] = reason
        if entry.parents and (reason is not None or all(map(_is_plain, entry.ops))):
            self.plain |= 1 << i
        if self.carries:
            self.before[i] = before

    def _at(self, mask: int, heads: set[bytes]) -> State | None:
        """Returns the state at ``heads``, whose events and their pasts are ``mask``."""
        if not mask:
            return None
        if self.carries:
            befores = {j: self._before(j) for j in sorted(self.place[head] for head in heads)}
            j = max(befores, key=lambda j: self.past[j].bit_count())
            with suppress(NeedsRefold):
                state = apply(self.kind, befores[j], self.entries[j])
                self._join(state, self.past[j] | 1 << j, mask)
                state.heads = sorted(heads)
                return state
        return self._project(mask)

    def _before(self, j: int) -> State | None:
        """Returns the state before an event, for a child of it to change; the last child takes it itself."""
        self.children[self.entries[j].id] -= 1
        is_last = self.children[self.entries[j].id] <= 0
        return self.before.pop(j) if is_last else _copied(self.before[j])

    def _join(self, state: State, base: int, mask: int) -> None:
        """Carries the state of ``base`` on by the other events of ``mask``; changes it in place.

        It does so where all that these and ``base`` have not seen of each other is plain writes of different
        fields: then nothing is late, and every write that was seen is settled, as in `apply`.

        Raises:
            NeedsRefold: There is more to it.
        """
        for i in _bits(mask & ~base):
            entry = self.entries[i]
            if not self.plain >> i & 1 or base & ~self.past[i] & ~self.plain:
                raise NeedsRefold
            if i in self.reasons:
                state.refused[entry.id] = self.reasons[i]
            elif all(op[0] == "note" or self._has_seen(i, state.registers.get(op[1])) for op in entry.ops):
                _write_all(state, entry)
            else:
                raise NeedsRefold

    def _has_seen(self, i: int, register: Register | None) -> bool:
        """Tells whether an event has seen all that a register holds, and none of it is late."""
        if register is None:
            return True
        is_settled = not register.late and not register.overruled
        return is_settled and all(self.past[i] >> self.place[w[0]] & 1 for w in register.live)

    def state(self) -> State:
        mask = (1 << len(self.entries)) - 1
        return self._at(mask, set(self._heads(mask))) or State()

    # ---- one projection

    def _project(self, mask: int) -> State:
        state = State(heads=self._heads(mask))
        state.refused = {self.entries[i].id: r for i, r in self.reasons.items() if mask >> i & 1}
        puts: dict[str, list[_Put]] = {}
        trees: dict[str, Tree] = {}
        counted = mask & self.valid
        for i in _bits(counted):
            self._collect(i, state, puts, trees)
        if not state.unit:
            return state
        paths = self._walk_all(state, trees)
        for key, found in puts.items():
            state.registers[key] = self._register(key, found, paths)
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

    def _collect(self, i: int, state: State, puts: dict[str, list[_Put]], trees: dict[str, Tree]) -> None:
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
                    self._grow(i, trees.setdefault(name, Tree()), name, action, arguments)
                case ["settle", name, at, chosen, _, others]:
                    trees[name].settled.append(Settled(i, at, chosen, tuple(others)))

    def _node_at(self, i: int, key: str) -> bytes:
        spec = self.kind.field(key)
        return self.nodes[i].get(spec.task_of(key), b"") if spec else b""

    def _grow(self, i: int, tree: Tree, name: str, action: str, arguments: Mapping[str, Any]) -> None:
        before = self.nodes[i].get(name, b"")
        at = node_id(before, action, arguments)
        node = tree.nodes.get(at)
        if node is None:
            workflow = self.kind.task(name)
            step = tree.nodes[before].transition.target if before else workflow.initial if workflow else ""
            transition = workflow.transition(action, step) if workflow else None
            assert transition is not None  # it was judged valid
            node = tree.nodes[at] = Node(before, transition, arguments)
        node.events |= 1 << i

    # ---- tasks

    def _walk_all(self, state: State, trees: dict[str, Tree]) -> dict[str, Path]:
        main = initial_task(self.kind, state, MAIN)
        if main is not None:
            trees.setdefault(MAIN, Tree())
        paths: dict[str, Path] = {}
        for name, tree in trees.items():
            workflow = self.kind.task(name)
            assert workflow is not None  # its transitions were judged valid
            paths[name] = walk(tree, state.unit, workflow.initial, self.past)
            state.tasks[name] = self._task_state(tree, paths[name], workflow.watched)
        units = {n.arguments["to"] for t in trees.values() for n in t.nodes.values() if n.transition.moves}
        state.units = sorted(units | {state.unit})
        return paths

    def _task_state(self, tree: Tree, path: Path, watched: frozenset[str]) -> TaskState:
        ends = [(top, tree.nodes[top]) for top in path.open]
        branches = [Branch(b, n.transition.action, n.transition.target, self._ids(n.events)) for b, n in ends]
        undecided = below(tree.nodes, path.open)
        lost = 0
        for each, node in tree.nodes.items():
            if each not in path.order and each not in undecided:
                lost |= node.events
        at = next(reversed(path.order))
        takers = self._takers(path, watched)
        course = tuple(map(self._turn_at, path.hops)) if self.kind.keeps else ()
        return TaskState(path.step, path.unit, at, branches, list(self._ids(lost)), takers, course)

    def _turn_at(self, hop: Hop) -> Turn:
        """Returns a transition as the first did it who did; two may have done the same independently."""
        taken = min((self.entries[i] for i in _bits(hop.node.events)), key=lambda e: (e.time_ms, e.id))
        kept = self.kind.keeps(taken.ops) if self.kind.keeps else None
        return Turn(taken.time_ms, hop.node.transition.action, hop.after[1], hop.after[0], kept)

    def _takers(self, path: Path, watched: frozenset[str]) -> dict[str, list[str]]:
        """Returns who took the watched actions on the way."""
        found: dict[str, set[str]] = {}
        for hop in path.hops:
            action = hop.node.transition.action
            if action in watched:
                persons = {self.entries[i].author.person for i in _bits(hop.node.events)}
                found.setdefault(action, set()).update(persons)
        return {action: sorted(persons) for action, persons in sorted(found.items())}

    # ---- registers

    def _register(self, key: str, puts: list[_Put], paths: dict[str, Path]) -> Register:
        spec = self.kind.field(key)
        path = paths.get(spec.task_of(key), _NO_PATH) if spec else _NO_PATH
        taken = self._taken(spec, path) if spec else []
        late = {put.at: late for put in puts if (late := _lateness(put, path, taken)) is not None}
        counted = self._seen_by([put for put in puts if put.at not in late])
        own_side = self._seen_by([put for put in puts if put.at in late])
        standing: list[Write] = []
        waiting: list[Write] = []
        overruled: list[tuple[bytes, Any, bytes]] = []
        for put in puts:
            event_id = self.entries[put.at].id
            if put.at not in late:
                if not counted >> put.at & 1:
                    standing.append((event_id, put.value))
            elif by := self._overruler(put, puts, path, late[put.at]):
                overruled.append((event_id, put.value, by))
            elif not (own_side | self._named(puts, late)) >> put.at & 1:
                waiting.append((event_id, put.value))
        by_event = tuple(sorted(overruled, key=lambda write: write[0]))
        return Register(_sorted_writes(standing), _sorted_writes(waiting), by_event)

    def _taken(self, spec: Field, path: Path) -> list[tuple[int, int]]:
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

    def _seen_by(self, puts: list[_Put]) -> int:
        """Returns the mask of writes that one of ``puts`` saw and settled: all, or those that it names."""
        found = 0
        for put in puts:
            past = self.past[put.at]
            found |= past if put.names is None else past & self._mask(put.names)
        return found

    def _mask(self, ids: Iterable[bytes]) -> int:
        return sum(1 << self.place[i] for i in set(ids) if i in self.place)

    def _named(self, puts: list[_Put], late: Mapping[int, int]) -> int:
        """Returns the mask of writes that a resolution in time names."""
        return self._mask(i for put in puts if put.names and put.at not in late for i in put.names)

    def _overruler(self, put: _Put, puts: list[_Put], path: Path, place: int) -> bytes | None:
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


def _is_plain(op: Op) -> bool:
    return bool(op[0] == "note" or (op[0] == "set" and op[1] != VOID))


def _copied(state: State | None) -> State | None:
    """Returns a copy that `apply` may change."""
    if state is None:
        return None
    return State(
        state.unit,
        list(state.units),
        list(state.heads),
        {key: Register(r.live, r.late, r.overruled) for key, r in state.registers.items()},
        {name: list(notes) for name, notes in state.notes.items()},
        {name: replace(task) for name, task in state.tasks.items()},
        dict(state.refused),
        list(state.void_against),
    )


def _lateness(put: _Put, path: Path, taken: list[tuple[int, int]]) -> int | None:
    """Returns the place of the first handover that had not seen a write; ``None`` when it is in time.

    A write made after a transition that does not count (disputed, or on a branch that was ended) waits
    as well; nobody overrules it by having gone on elsewhere, so its place is 0.
    """
    if put.node not in path.order:
        return 0
    at = path.order[put.node]
    return next((place for place, seen in taken if place > at and not seen >> put.at & 1), None)


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
