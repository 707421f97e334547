"""Stories to fold, as test vectors: small sets of events, and what each must come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from onestop_sync import event as ev
from onestop_sync import fold
from onestop_sync.schema import MAIN, VOID
from onestop_sync.state import Author, Entry, State, conflicts, standing
from onestop_sync.testing.small_province import BOSS, CLERK, JUDGE, MATTER

TIME_MS: Final = 1_790_000_000_000


def plain(value: Any) -> Any:
    """Returns a decoded value as JSON has it."""
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


_UNIT: Final = frozenset({"c1"})
_AUTHORS: Final = {
    "clerk": Author("c1", _UNIT, CLERK),
    "judge": Author("c1", _UNIT, JUDGE),
    "boss": Author("c1", _UNIT, BOSS),
    "stranger": Author("c2", frozenset({"c2"}), CLERK | JUDGE | BOSS),
}
Line = tuple[int, Sequence[int], str, Sequence[ev.Op]]
_MADE: Final[Line] = (1, (), "clerk", [["set", "name", "An"]])
_HAND: Final[ev.Op] = ["act", MAIN, "hand", {"to": "c1"}]


def _id(n: int) -> bytes:
    return bytes([n]) * 32


STORIES: Final[dict[str, list[Line]]] = {
    "one value": [_MADE, (2, (1,), "clerk", [["set", "name", "Anh"]])],
    "different fields merge": [
        _MADE, (2, (1,), "clerk", [["set", "phone", "1"]]), (3, (1,), "clerk", [["set", "due", 5]]),
    ],
    "equal values are no conflict": [
        _MADE, (2, (1,), "clerk", [["set", "phone", "1"]]), (3, (1,), "clerk", [["set", "phone", "1"]]),
    ],
    "a conflict": [
        _MADE, (2, (1,), "clerk", [["set", "name", "A"]]), (3, (1,), "clerk", [["set", "name", "B"]]),
    ],
    "a conflict that is settled": [
        _MADE, (2, (1,), "clerk", [["set", "name", "A"]]), (3, (1,), "clerk", [["set", "name", "B"]]),
        (4, (2, 3), "clerk", [["resolve", "name", "B", "xem lại", [_id(2), _id(3)]]]),
    ],
    "a third write that the settlement did not name": [
        _MADE, (2, (1,), "clerk", [["set", "name", "A"]]), (3, (1,), "clerk", [["set", "name", "B"]]),
        (4, (2, 3), "clerk", [["resolve", "name", "B", "xem lại", [_id(2), _id(3)]]]),
        (5, (1,), "clerk", [["set", "name", "C"]]),
    ],
    "adding to a set wins over removing what was not seen": [
        _MADE, (2, (1,), "clerk", [["set", "tags/x", True]]), (3, (1,), "clerk", [["set", "tags/x", False]]),
    ],
    "adding wins whichever event has the smaller id": [
        _MADE, (2, (1,), "clerk", [["set", "tags/x", False]]), (3, (1,), "clerk", [["set", "tags/x", True]]),
    ],
    "void against taking it back": [
        _MADE, (2, (1,), "boss", [["set", VOID, "trùng"]]),
        (3, (2,), "boss", [["resolve", VOID, None, "không trùng", [_id(2)]]]),
        (4, (2,), "boss", [["resolve", VOID, "trùng với 5", "đúng là trùng", [_id(2)]]]),
    ],
    "a late write waits": [
        _MADE, (2, (1,), "clerk", [_HAND]), (3, (1,), "clerk", [["set", "name", "muộn"]]),
    ],
    "a late write is overruled for good": [
        _MADE, (2, (1,), "clerk", [_HAND]), (3, (1,), "clerk", [["set", "name", "muộn"]]),
        (4, (2,), "judge", [["set", "name", "X"]]), (5, (4,), "judge", [["set", "name", "Y"]]),
    ],
    "a late write is adopted": [
        _MADE, (2, (1,), "clerk", [_HAND]), (3, (1,), "clerk", [["set", "name", "muộn"]]),
        (4, (2, 3), "judge", [["resolve", "name", "muộn", "đúng", [_id(1), _id(3)]]]),
    ],
    "what an approval had not seen does not enter": [
        _MADE, (2, (1,), "clerk", [_HAND]), (3, (2,), "judge", [["act", MAIN, "decide", {}]]),
        (4, (2,), "judge", [["set", "verdict", "được"]]),
    ],
    "a disputed task": [
        _MADE, (2, (1,), "clerk", [_HAND]), (3, (1,), "clerk", [["act", MAIN, "reject", {"why": "thiếu"}]]),
    ],
    "identical transitions count once": [_MADE, (2, (1,), "clerk", [_HAND]), (3, (1,), "clerk", [_HAND])],
    "refusals take no effect and supersede nothing": [
        _MADE, (2, (1,), "judge", [["set", "name", "X"]]), (3, (2,), "stranger", [["set", "phone", "1"]]),
        (4, (3,), "clerk", [["act", MAIN, "decide", {}]]), (5, (4,), "clerk", [["set", "nothing", 1]]),
    ],
    "void against edit": [
        _MADE, (2, (1,), "boss", [["set", VOID, "trùng"]]), (3, (1,), "clerk", [["set", "phone", "1"]]),
        (4, (2,), "clerk", [["set", "phone", "2"]]),
    ],
    "notes are sorted by claimed time, then by event": [
        _MADE, (3, (1,), "clerk", [["note", "remarks", "b"]]), (2, (1,), "judge", [["note", "remarks", "a"]]),
    ],
}  # fmt: skip


def entry(line: Line) -> Entry:
    """Returns one line of a story as the fold takes it; every event claims the same time."""
    n, parents, who, ops = line
    return Entry(_id(n), tuple(_id(p) for p in parents), [list(op) for op in ops], _AUTHORS[who], TIME_MS)


def _story(name: str, lines: list[Line]) -> dict[str, Any]:
    entries = [entry(line) for line in lines]
    state = fold.fold(MATTER, entries)
    told = [
        {
            "id": e.id.hex(),
            "parents": [p.hex() for p in e.parents],
            "unit": e.author.unit,
            "roles": sorted(e.author.roles),
            "time_ms": e.time_ms,
            "ops": plain(e.ops),
            "standing": str(standing(MATTER, state, e.id, e.ops)),
        }
        for e in entries
    ]
    return {
        "name": name,
        "events": told,
        "state": describe_state(state),
        "values": {key: plain(state.value(key)) for key in sorted(state.registers)},
        "is_void": state.is_void,
        "conflicts": conflicts(MATTER, state),
    }


def describe_state(state: State) -> dict[str, Any]:
    """Describes a folded state."""
    return {
        "unit": state.unit,
        "units": state.units,
        "heads": plain(state.heads),
        "registers": {
            key: {"live": plain(r.live), "late": plain(r.late), "overruled": plain(r.overruled)}
            for key, r in sorted(state.registers.items())
        },
        "notes": {name: plain(found) for name, found in sorted(state.notes.items())},
        "tasks": {
            name: {
                "step": task.step, "unit": task.unit, "node": task.node.hex(), "lost": plain(task.lost),
                "branches": [
                    {"node": b.node.hex(), "action": b.action, "step": b.step, "events": plain(b.events)}
                    for b in task.branches
                ],
            }
            for name, task in sorted(state.tasks.items())
        },
        "refused": {event_id.hex(): str(reason) for event_id, reason in sorted(state.refused.items())},
        "void_against": plain(state.void_against),
    }  # fmt: skip


def _type() -> dict[str, Any]:
    task = MATTER.tasks[0]
    return {
        "fields": [
            {
                "name": f.name, "kind": f.kind, "task": f.task, "resolvers": sorted(f.resolvers),
                "owners": {step: sorted(roles) for step, roles in f.owners.items()},
            }
            for f in MATTER.fields
        ],
        "task": {
            "name": task.name,
            "initial": task.initial,
            "transitions": [
                {
                    "action": x.action, "sources": sorted(x.sources), "target": x.target,
                    "roles": sorted(x.roles), "needs": list(x.needs), "moves": x.moves, "seals": x.seals,
                }
                for x in task.transitions
            ],
        },
        "creators": sorted(MATTER.creators),
        "arbiters": sorted(MATTER.arbiters),
        "voiders": sorted(MATTER.voiders),
    }  # fmt: skip


def folds() -> dict[str, Any]:
    """Returns stories, and what they fold to."""
    return {"type": _type(), "stories": [_story(name, lines) for name, lines in STORIES.items()]}
