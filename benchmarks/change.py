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


def run(bench: Bench, grown: Grown) -> Iterator[Figure]:
    """Measures at each size; the stores grow on the way."""
    spent: dict[tuple[str, int], Figure] = {}
    for size in bench.sizes:
        grown.grow_to(size)
        for kind in SERVERS:
            found = [_changed(grown, kind) for _ in range(bench.rounds)]
            where = f"of {size:,}, {kind}"
            spent[kind, size] = Figure(
                f"{CHANGED} changed {where}: time", "ms", tuple(e.total_s * 1000 for e in found)
            )
            yield spent[kind, size]
            yield Figure(
                f"{CHANGED} changed {where}: on the wire", "bytes each",
                tuple(e.wire_bytes / CHANGED for e in found), BYTES_EACH, is_worst=True,
            )  # fmt: skip
            yield _trips(f"{CHANGED} changed {where}: round trips", found)
            idle = [grown.links[kind].sync(grown.counter.store) for _ in range(bench.rounds)]
            yield Figure(f"nothing changed {where}: time", "ms", tuple(e.total_s * 1000 for e in idle))
            yield Figure(
                f"nothing changed {where}: on the wire", "bytes",
                tuple(float(e.wire_bytes) for e in idle), IDLE_BYTES, is_worst=True,
            )  # fmt: skip
            yield _trips(f"nothing changed {where}: round trips", idle)
    small, large = bench.sizes[0], bench.sizes[-1]
    for kind in SERVERS:
        ratio = spent[kind, large].median / spent[kind, small].median
        yield Figure(f"{CHANGED} changed: time at {large:,} / at {small:,}, {kind}", "x", (ratio,), GROWTH)


def _changed(grown: Grown, kind: str) -> Exchange:
    for other in SERVERS:
        grown.links[other].sync(grown.counter.store)
    grown.change(CHANGED)
    return grown.links[kind].sync(grown.counter.store)


def _trips(name: str, found: list[Exchange]) -> Figure:
    return Figure(name, "", tuple(float(e.round_trips) for e in found), 1, is_worst=True)
