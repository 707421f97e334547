"""Is an event valid? Asked of the document as it was in the event's own past; nothing later changes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onestop_sync.event import Op
from onestop_sync.schema import MAIN, VOID, DocumentType, Field
from onestop_sync.state import Author, Entry, Reason, State, TaskState, initial_task, is_open

__all__ = ["judge", "owner"]


def owner(kind: DocumentType, state: State, key: str) -> tuple[str, frozenset[str]] | None:
    """Returns the unit and the roles that own ``key`` now; ``None`` when it has no owner."""
    spec = kind.field(key)
    name = spec.task_of(key) if spec else ""
    if not spec or not name:
        return None
    task = state.tasks.get(name) or initial_task(kind, state, name)
    if task is None:
        return "", frozenset()
    return task.unit, spec.owners.get(task.step, frozenset())


def judge(kind: DocumentType, state: State | None, entry: Entry) -> Reason | None:
    """Tells why an event is not valid, given the document in its own past; ``None`` when it is."""
    if entry.refusal:
        return entry.refusal
    author = entry.author
    if state is None:
        if kind.creators and not kind.creators & author.roles:
            return Reason.CREATOR
        state = State(unit=author.unit, units=[author.unit])
    elif not state.unit:
        return Reason.ORIGIN
    elif kind.is_final:
        return Reason.FINAL
    elif author.roles and author.roles <= kind.founders and not _is_guests(kind, author, entry.ops):
        return Reason.ROLE
    if author.units.isdisjoint(state.units):
        return Reason.UNIT
    return _Judge(kind, state, author).reason(entry.ops)


def _is_guests(kind: DocumentType, author: Author, ops: Sequence[Op]) -> bool:
    """Tells whether an event consists of notes of which its author is a guest."""
    for op in ops:
        match op:
            case ["note", str(name), _] if (spec := kind.notes_field(name)) and spec.guests & author.roles:
                continue
        return False
    return bool(ops)


class _Judge:
    """Judges the operations of one event; remembers what several of them ask."""

    __slots__ = ("_ops", "_owned", "_tasks", "author", "is_void", "kind", "state")

    def __init__(self, kind: DocumentType, state: State, author: Author) -> None:
        self.kind = kind
        self.state = state
        self.author = author
        self.is_void = state.is_void
        self._tasks: dict[str, TaskState | None] = {}
        self._owned: dict[tuple[str, int], Reason | None] = {}
        self._ops: Sequence[Op] = ()

    def reason(self, ops: Sequence[Op]) -> Reason | None:
        """Tells why one of the operations is not valid; ``None`` when all are."""
        seen: set[tuple[bool, object]] = set()
        self._ops = ops
        for op in ops:
            reason = self._op(op)
            if reason is not None:
                return reason
            if op[0] != "note":
                # A register is written once; a transition and a settlement of one task contradict each other.
                target = (op[0] in _OF_TASKS, op[1])
                if target in seen:
                    return Reason.VALUE
                seen.add(target)
        return None

    def _op(self, op: Op) -> Reason | None:
        match op[0], len(op):
            case "set", 3 if type(op[1]) is str:
                return self._set(op[1], op[2])
            case "note", 3 if type(op[1]) is str:
                spec = self.kind.notes_field(op[1])
                return _value_problem(spec, op[2]) if spec else Reason.UNKNOWN
            case "act", 4:
                return self._act(op)
            case "resolve", 5:
                return self._resolve(op)
            case "settle", 6:
                return self._settle(op)
        return Reason.UNKNOWN

    # ---- registers

    def _set(self, key: str, value: Any) -> Reason | None:
        if self.is_void:
            return Reason.VOID
        if key == VOID:
            allowed = self.kind.voiders or self.kind.creators
            return Reason.ROLE if allowed and not allowed & self.author.roles else _void_problem(value)
        spec = self.kind.field(key)
        if spec is None or spec.kind == "notes":
            return Reason.UNKNOWN
        # An intake writes some twenty fields of one task with the same owners.
        whose = spec.task_of(key), id(spec.owners)
        if whose not in self._owned:
            self._owned[whose] = self._ownership(key, spec, _NO_OTHERS)
        reason = self._owned[whose] or _value_problem(spec, value)
        if reason is None and spec.within and not self._is_within(whose[0], spec.within):
            reason = Reason.OWNER
        if reason is not None:
            return reason
        register = self.state.registers.get(key)
        return Reason.CONFLICT if register and is_open(self.kind, key, register) else None

    def _is_within(self, task: str, actions: frozenset[str]) -> bool:
        """Tells whether the event takes one of these actions of a task."""
        for op in self._ops:
            match op:
                case ["act", str(name), str(action), *_] if name == task and action in actions:
                    return True
        return False

    def _resolve(self, op: Op) -> Reason | None:
        match op:
            case [_, str(key), value, str(why), list(ids)] if ids and all(type(i) is bytes for i in ids):
                pass
            case _:
                return Reason.NAMES
        if not self._known(key).issuperset(ids):
            return Reason.NAMES
        if not why.strip():
            return Reason.ARGUMENT
        if key == VOID:
            return None if value is None else _void_problem(value)
        spec = self.kind.field(key)
        if self.is_void or spec is None:
            return Reason.VOID if self.is_void else Reason.UNKNOWN
        return self._ownership(key, spec, spec.resolvers) or _value_problem(spec, value)

    def _known(self, key: str) -> set[bytes]:
        """Returns the writes of a register that a resolution may name."""
        register = self.state.registers.get(key)
        if register is None:
            return set()
        known = {write[0] for write in (*register.live, *register.late, *register.overruled)}
        return known | set(self.state.void_against) if key == VOID else known

    def _ownership(self, key: str, spec: Field, others: frozenset[str]) -> Reason | None:
        """Tells why the author may not write a field; ``others`` are roles that may besides its owner."""
        name = spec.task_of(key)
        if not name:
            return None
        task = self._task(name)
        if task is None:
            return Reason.OWNER
        if task.branches:
            return Reason.DISPUTED
        roles = spec.owners.get(task.step, others)
        mine = self.author.roles
        is_role = not (mine.isdisjoint(roles) and mine.isdisjoint(others))
        return None if is_role and task.unit in self.author.units else Reason.OWNER

    # ---- tasks

    def _task(self, name: str) -> TaskState | None:
        if name not in self._tasks:
            self._tasks[name] = self.state.tasks.get(name) or initial_task(self.kind, self.state, name)
        return self._tasks[name]

    def _act(self, op: Op) -> Reason | None:
        match op:
            case [_, str(name), str(action), dict(arguments)]:
                pass
            case _:
                return Reason.UNKNOWN
        workflow, task, main = self.kind.task(name), self._task(name), self.state.tasks.get(MAIN)
        if workflow is None or task is None:
            return Reason.UNKNOWN
        if self.is_void:
            return Reason.VOID
        if task.branches or (main is not None and main.branches):
            return Reason.DISPUTED
        transition = workflow.transition(action, task.step)
        if transition is None:
            return Reason.STEP
        if task.unit not in self.author.units:
            return Reason.UNIT
        if not transition.roles & self.author.roles:
            return Reason.ROLE
        if transition.apart and self._is_same_person(transition.apart, task):
            return Reason.PERSON
        needs = (*transition.needs, "to") if transition.moves else transition.needs
        return _argument_problem(arguments, needs, moves=transition.moves)

    def _is_same_person(self, apart: frozenset[str], task: TaskState) -> bool:
        """Tells whether the author took one of these actions before, and the regime keeps them apart."""
        author, regime = self.author, self.kind.regime
        if not author.apart or regime is None or regime(self.state) not in author.apart:
            return False
        return any(author.person in task.takers.get(action, ()) for action in apart)

    def _settle(self, op: Op) -> Reason | None:
        match op:
            case [_, str(name), bytes(at), bytes(chosen), str(why), list(others)]:
                pass
            case _:
                return Reason.UNKNOWN
        task = self.state.tasks.get(name)
        if task is None or not task.branches or task.node != at:
            return Reason.STEP
        nodes = sorted(branch.node for branch in task.branches)
        if not all(type(o) is bytes for o in others) or sorted([chosen, *others]) != nodes:
            return Reason.NAMES
        if not why.strip():
            return Reason.ARGUMENT
        if task.unit not in self.author.units:
            return Reason.UNIT
        return None if self.kind.arbiters & self.author.roles else Reason.ROLE


_OF_TASKS = frozenset({"act", "settle"})
_NO_OTHERS: frozenset[str] = frozenset()


def _argument_problem(arguments: Mapping[str, Any], needs: tuple[str, ...], *, moves: bool) -> Reason | None:
    if not all(_is_given(arguments.get(need)) for need in needs):
        return Reason.ARGUMENT
    return Reason.VALUE if moves and not isinstance(arguments["to"], str) else None


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
