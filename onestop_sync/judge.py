"""Is an event valid? Asked of the document as it was in the event's own past; nothing later changes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onestop_sync.event import Op
from onestop_sync.schema import MAIN, VOID, DocumentType, Field
from onestop_sync.state import Author, Entry, Reason, State, initial_task, is_open

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


def _judge_set(kind: DocumentType, state: State, author: Author, key: str, value: Any) -> Reason | None:
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
    return Reason.CONFLICT if register and is_open(kind, key, register) else None


def _judge_resolve(
    kind: DocumentType,
    state: State,
    author: Author,
    key: str,
    value: Any,
    why: str,
    ids: list[Any],
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


def _ownership(
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


def _judge_act(
    kind: DocumentType, state: State, author: Author, name: str, action: str, arguments: Mapping[str, Any]
) -> Reason | None:
    workflow = kind.task(name)
    task = state.tasks.get(name) or initial_task(kind, state, name)
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


def _judge_settle(
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
