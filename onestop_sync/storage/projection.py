"""A folded state as bytes: the same state, the same bytes, at every replica.

Shape:
    ``[unit, units, heads, written, disputed, notes, tasks, refused, void_against]``; *written* holds the
    registers with one write, by event: ``[event, [key, value, key, value, …]]``; *disputed* the others:
    ``[key, live, late, overruled]``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cbor2

from onestop_sync.state import Branch, Reason, Register, State, TaskState, Turn


def pack(state: State) -> bytes:
    """Returns the canonical encoding of a state.

    Everything is sorted here, but the keys of maps inside values: those come out of canonical bodies.
    """
    written: dict[bytes, list[Any]] = {}
    disputed: list[Any] = []
    for key, register in sorted(state.registers.items()):
        if len(register.live) == 1 and not register.late and not register.overruled:
            event_id, value = register.live[0]
            written.setdefault(event_id, []).extend((key, value))
        else:
            disputed.append([key, register.live, register.late, register.overruled])
    notes = sorted(state.notes.items())
    tasks = [
        [
            name,
            task.step,
            task.unit,
            task.node,
            task.branches,
            task.lost,
            sorted(task.takers.items()),
            *([task.course] if task.course else []),
        ]
        for name, task in sorted(state.tasks.items())
    ]
    refused = [[event_id, str(reason)] for event_id, reason in sorted(state.refused.items())]
    registers = [sorted(written.items()), disputed]
    return cbor2.dumps(
        [state.unit, state.units, state.heads, *registers, notes, tasks, refused, state.void_against]
    )


def unpack(data: bytes) -> State:
    """Returns the state that `pack` encoded."""
    unit, units, heads, written, disputed, notes, tasks, refused, void_against = cbor2.loads(data)
    registers = {
        key: Register(((event_id, value),))
        for event_id, parts in written
        for key, value in zip(parts[::2], parts[1::2], strict=True)
    }
    registers |= {
        key: Register(_tuples(live), _tuples(late), _tuples(overruled))
        for key, live, late, overruled in disputed
    }
    return State(
        unit,
        units,
        heads,
        registers,
        {name: list(_tuples(found)) for name, found in notes},
        {
            name: TaskState(
                step,
                unit,
                node,
                [Branch(b[0], b[1], b[2], tuple(b[3])) for b in branches],
                lost,
                dict(takers),
                tuple(Turn(*turn) for turn in (course[0] if course else ())),
            )
            for name, step, unit, node, branches, lost, takers, *course in tasks
        },
        {event_id: Reason(reason) for event_id, reason in refused},
        void_against,
    )


def _tuples(rows: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(map(tuple, rows))
