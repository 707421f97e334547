"""A folded state as bytes: the same state, the same bytes, at every replica."""

from __future__ import annotations

from typing import Any

import cbor2

from onestop_sync.fold import Branch, Reason, Register, State, TaskState


def pack(state: State) -> bytes:
    """Returns the canonical encoding of a state.

    Everything is sorted here, but the keys of maps inside values: those come out of canonical bodies.
    """
    registers = [
        [key, [list(w) for w in r.live], [list(w) for w in r.late], [list(w) for w in r.overruled]]
        for key, r in sorted(state.registers.items())
    ]
    notes = [[name, [list(note) for note in found]] for name, found in sorted(state.notes.items())]
    tasks = [
        [
            name,
            k.step,
            k.unit,
            k.node,
            [[b.node, b.action, b.step, list(b.events)] for b in k.branches],
            k.lost,
        ]
        for name, k in sorted(state.tasks.items())
    ]
    refused = [[event_id, str(reason)] for event_id, reason in sorted(state.refused.items())]
    return cbor2.dumps(
        [state.unit, state.units, state.heads, registers, notes, tasks, refused, state.void_against]
    )


def unpack(data: bytes) -> State:
    """Returns the state that `pack` encoded."""
    unit, units, heads, registers, notes, tasks, refused, void_against = cbor2.loads(data)
    return State(
        unit,
        units,
        heads,
        {key: Register(_tuples(live), _tuples(late), _tuples(over)) for key, live, late, over in registers},
        {name: _tuples(found) for name, found in notes},
        {
            name: TaskState(
                step, held_by, node, [Branch(b[0], b[1], b[2], tuple(b[3])) for b in branches], lost
            )
            for name, step, held_by, node, branches, lost in tasks
        },
        {event_id: Reason(reason) for event_id, reason in refused},
        void_against,
    )


def _tuples(rows: list[list[Any]]) -> list[Any]:
    return [tuple(row) for row in rows]
