"""A folded state as bytes: the same state, the same bytes, at every replica.

Shape:
    ``[unit, units, heads, writers, registers, notes, tasks, refused, void_against]``; *writers* are the
    events whose writes the registers hold, sorted, and a register names them by their places there:
    ``[key, writer, value]`` when all agree on one write, else ``[key, live, late, overruled]``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import cbor2

from onestop_sync.state import Branch, Reason, Register, State, TaskState, Write

_PLAIN = 3
"""Parts of a register that holds one write."""


def pack(state: State) -> bytes:
    """Returns the canonical encoding of a state.

    Everything is sorted here, but the keys of maps inside values: those come out of canonical bodies.
    """
    writers = sorted(set(chain.from_iterable(map(_writers, state.registers.values()))))
    place = {event_id: i for i, event_id in enumerate(writers)}
    registers = [_pack_register(key, register, place) for key, register in sorted(state.registers.items())]
    notes = sorted(state.notes.items())
    tasks = [
        [name, task.step, task.unit, task.node, task.branches, task.lost]
        for name, task in sorted(state.tasks.items())
    ]
    refused = [[event_id, str(reason)] for event_id, reason in sorted(state.refused.items())]
    return cbor2.dumps(
        [state.unit, state.units, state.heads, writers, registers, notes, tasks, refused, state.void_against]
    )


def unpack(data: bytes) -> State:
    """Returns the state that `pack` encoded."""
    unit, units, heads, writers, registers, notes, tasks, refused, void_against = cbor2.loads(data)
    return State(
        unit,
        units,
        heads,
        {row[0]: _unpack_register(row, writers) for row in registers},
        {name: [tuple(note) for note in found] for name, found in notes},
        {
            name: TaskState(step, unit, node, [Branch(b[0], b[1], b[2], tuple(b[3])) for b in branches], lost)
            for name, step, unit, node, branches, lost in tasks
        },
        {event_id: Reason(reason) for event_id, reason in refused},
        void_against,
    )


def _writers(register: Register) -> Iterable[bytes]:
    if len(register.live) == 1 and not register.late and not register.overruled:
        return (register.live[0][0],)
    found = {write[0] for write in (*register.live, *register.late, *register.overruled)}
    return found | {by for _, _, by in register.overruled}


def _pack_register(key: str, register: Register, place: dict[bytes, int]) -> list[Any]:
    live, late, overruled = register.live, register.late, register.overruled
    if len(live) == 1 and not late and not overruled:
        return [key, place[live[0][0]], live[0][1]]
    return [
        key,
        [[place[event_id], value] for event_id, value in live],
        [[place[event_id], value] for event_id, value in late],
        [[place[event_id], value, place[by]] for event_id, value, by in overruled],
    ]


def _unpack_register(row: Sequence[Any], writers: Sequence[bytes]) -> Register:
    if len(row) == _PLAIN:
        return Register(((writers[row[1]], row[2]),))
    _, live, late, overruled = row
    return Register(
        _writes(live, writers),
        _writes(late, writers),
        tuple((writers[at], value, writers[by]) for at, value, by in overruled),
    )


def _writes(rows: Sequence[Any], writers: Sequence[bytes]) -> tuple[Write, ...]:
    return tuple((writers[at], value) for at, value in rows)
