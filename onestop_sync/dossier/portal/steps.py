"""The transitions of a dossier's main task in the order of their causes, with the step that each led to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from onestop_sync.dossier.workflow import MAIN_TASK
from onestop_sync.event import Op
from onestop_sync.schema import MAIN

__all__ = ["Step", "Told", "in_order", "steps_of"]


class Told(NamedTuple):
    """One event that counts, as others are told of it.

    Attributes:
        event: Its id.
        parents: The events that its author had seen.
        at_ms: When its author says that it was written, milliseconds since 1970 UTC.
        who: Name on the certificate.
        unit_name: Name of the author's unit.
        roles: Vietnamese names of the author's roles.
        ops: Its operations.
    """

    event: bytes
    parents: tuple[bytes, ...]
    at_ms: int
    who: str
    unit_name: str
    roles: tuple[str, ...]
    ops: tuple[Op, ...]


class Step(NamedTuple):
    """One transition that was taken.

    Attributes:
        told: The event.
        action: Its action.
        arguments: The action's arguments.
        before: Step from which it led, marks included.
        after: Step to which it led.
        wrote: Register → value, written in the same event.
    """

    told: Told
    action: str
    arguments: Mapping[str, Any]
    before: str
    after: str
    wrote: Mapping[str, Any]


def in_order(found: Iterable[Told]) -> list[Told]:
    """Returns events so that each comes after what its author had seen; else by time, then by id."""
    waiting = sorted(found, key=lambda told: (told.at_ms, told.event))
    here = {told.event for told in waiting}
    done: set[bytes] = set()
    ordered: list[Told] = []
    while waiting:
        ready = next((t for t in waiting if all(p in done or p not in here for p in t.parents)), waiting[0])
        waiting.remove(ready)
        done.add(ready.event)
        ordered.append(ready)
    return ordered


def steps_of(told: Sequence[Told]) -> Iterator[Step]:
    """Yields the transitions of the main task; what leads on from no step, a settled branch say, is left out.

    Args:
        told: The events that count, ordered (`in_order`).
    """
    step = MAIN_TASK.initial
    for each in told:
        for op in each.ops:
            match op:
                case ["act", str(task), str(action), dict(arguments)] if task == MAIN:
                    transition = MAIN_TASK.transition(action, step)
                    if transition is not None:
                        yield Step(each, action, arguments, step, transition.target, _wrote(each.ops))
                        step = transition.target


def _wrote(ops: Iterable[Op]) -> dict[str, Any]:
    return {str(op[1]): op[2] for op in ops if op and op[0] == "set" and len(op) == 3}  # noqa: PLR2004
