"""Some changed among many, and nothing changed at all: round trips, bytes on the wire, time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from benchmarks.bench import Bench
from benchmarks.figures import Figure
from benchmarks.grown import SERVERS, Grown
from benchmarks.link import Exchange

__all__ = ["run"]

CHANGED: Final = 100
BYTES_EACH: Final = 300
GROWTH: Final = 1.7
IDLE_BYTES: Final = 500
"""Targets of issue 2."""
_LEAST: Final = 9
"""Rounds: a sync is short, and other programs' moments on the machine are as long."""


def run(bench: Bench, grown: Grown) -> Iterator[Figure]:
    """Measures at each size; the stores grow on the way."""
    rounds = max(bench.rounds, _LEAST)
    for size in bench.sizes:
        grown.grow_to(size)
        for kind in SERVERS:
            found = [_changed(grown, kind) for _ in range(rounds)]
            where = f"of {size:,}, {kind}"
            yield Figure(f"{CHANGED} changed {where}: time", "ms", tuple(e.total_s * 1000 for e in found))
            yield Figure(
                f"{CHANGED} changed {where}: on the wire", "bytes each",
                tuple(e.wire_bytes / CHANGED for e in found), BYTES_EACH, is_worst=True,
            )  # fmt: skip
            yield _trips(f"{CHANGED} changed {where}: round trips", found)
            idle = [grown.links[kind].sync(grown.counter.store) for _ in range(rounds)]
            yield Figure(f"nothing changed {where}: time", "ms", tuple(e.total_s * 1000 for e in idle))
            yield Figure(
                f"nothing changed {where}: on the wire", "bytes",
                tuple(float(e.wire_bytes) for e in idle), IDLE_BYTES, is_worst=True,
            )  # fmt: skip
            yield _trips(f"nothing changed {where}: round trips", idle)
    yield from _growth(bench, grown, rounds)


def _growth(bench: Bench, grown: Grown, rounds: int) -> Iterator[Figure]:
    """Compares with a small commune that is measured in turn: the machine of some minutes ago was another."""
    size = bench.sizes[0]
    small = Grown(bench)
    small.grow_to(size)
    for kind in SERVERS:
        _changed(small, kind)
        pairs = [(_changed(grown, kind), _changed(small, kind)) for _ in range(rounds)]
        yield Figure(
            f"{CHANGED} changed: time at {bench.sizes[-1]:,} / at {size:,}, {kind}", "x",
            tuple(many.total_s / few.total_s for many, few in pairs), GROWTH,
        )  # fmt: skip


def _changed(grown: Grown, kind: str) -> Exchange:
    for other in SERVERS:
        grown.links[other].sync(grown.counter.store)
    grown.change(CHANGED)
    return grown.links[kind].sync(grown.counter.store)


def _trips(name: str, found: list[Exchange]) -> Figure:
    return Figure(name, "", tuple(float(e.round_trips) for e in found), 1, is_worst=True)
