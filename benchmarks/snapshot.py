"""A new machine at a commune with years behind it: what its first sync costs, from snapshots and without."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Final
from unittest import mock

from benchmarks.bench import Bench, ServerStore, take_in
from benchmarks.figures import Figure
from benchmarks.link import Exchange, Link
from benchmarks.server import serving
from benchmarks.world import COMMUNE, KIND, open_store
from onestop_sync import present
from onestop_sync.snapshotting import make_snapshots

__all__ = ["run"]

SHARE: Final = 0.3
"""Most of the bytes of a whole feed that the beginning may cost."""
OPEN: Final = 50
"""One dossier in so many is still worked on."""
_THIN: Final = 64_000 / 8
"""Bytes a second of a line of 64 kbit/s."""
_BATCH: Final = 200
_WAY: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("give", {}), ("receive", {}), ("submit", {}), ("approve", {}), ("give_result", {"to": COMMUNE}),
    ("receive", {}), ("return", {}),
)  # fmt: skip
"""What becomes of a dossier after its acceptance."""


def run(bench: Bench) -> Iterator[Figure]:
    """Measures both ways by turns, against a server on SQLite."""
    size = bench.sizes[1]
    with ExitStack() as stack:
        server = stack.enter_context(bench.server("SQLite"))
        finished = _years(bench, server, size)
        port = stack.enter_context(serving(*server))
        whole, begun = [], []
        for _ in range(bench.rounds):
            with mock.patch.object(present, "begin", return_value=None):
                whole.append(_first(bench, port, size))
            begun.append(_first(bench, port, size))
    name = f"new machine, {size:,} dossiers"
    for how, found in (("whole feed", whole), ("snapshots", begun)):
        wire = tuple(float(each.wire_bytes) for each in found)
        note = f"at 64 kbit/s {max(wire) / _THIN / 60:,.0f} minutes"
        yield Figure(f"{name}, {how}: on the wire", "bytes", wire, note=note)
        yield Figure(f"{name}, {how}: time", "s", tuple(each.total_s for each in found))
        yield Figure(f"{name}, {how}: requests", "", tuple(float(each.round_trips) for each in found))
    pairs = list(zip(begun, whole, strict=True))
    note = f"{finished:,} of them finished, each of 8 events"
    yield Figure(
        f"{name}: bytes, snapshots / whole", "x", tuple(b.wire_bytes / w.wire_bytes for b, w in pairs),
        SHARE, note=note,
    )  # fmt: skip
    yield Figure(f"{name}: time, snapshots / whole", "x", tuple(b.total_s / w.total_s for b, w in pairs))


def _years(bench: Bench, server: ServerStore, size: int) -> int:
    """Fills a server with what a commune has done, and signs what is finished; returns how much that is."""
    old = bench.world.counter(bench.fresh("years"))
    documents = take_in(old, 0, size)
    finished = [doc for n, doc in enumerate(documents) if n % OPEN]
    for at in range(0, len(finished), _BATCH):
        with old.store.writing():
            for doc in finished[at : at + _BATCH]:
                for action, arguments in _WAY:
                    values = {"tra_luc": old.store.clock()} if action == "return" else {}
                    old.officer.act(doc, action, arguments, values=values)
    with serving(*server) as port:
        link = Link(port)
        link.sync(old.store)
        link.close()
    old.store.close()
    store = open_store(*server)
    signed = make_snapshots(store)
    store.close()
    assert signed == len(finished), f"{signed} of {len(finished)} were signed"
    return signed


def _first(bench: Bench, port: int, size: int) -> Exchange:
    """Lets a new machine sync for the first time; it lists every dossier then."""
    new = bench.world.counter(bench.fresh("new"))
    link = Link(port)
    found = link.sync(new.store)
    link.close()
    assert new.store.count(KIND) == size
    new.store.close()
    return found
