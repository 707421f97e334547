"""Bytes on the wire, HTTP's own included and TLS's not; and how long they take on a thin line."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final

from benchmarks.bench import Bench, take_in
from benchmarks.figures import Figure
from benchmarks.link import Link
from benchmarks.server import serving
from benchmarks.world import Counter, World
from tests.bad_line import BadLine, Weather

__all__ = ["run"]

EACH: Final = {100: 170, 10: 200, 1: 450}
"""Changed dossiers in one sync, and the bytes that each may cost."""
IDLE: Final = 300
COLD: Final = 4500
COLD_TRIPS: Final = 1
THIN_S: Final = 4.0
"""Targets of issue 4."""
_THIN: Final = Weather(bytes_s=64_000 / 8, trip_s=0.6)
_DOSSIERS: Final = 200


def run(bench: Bench) -> Iterator[Figure]:
    """Measures against a server on SQLite: the database has no part in the bytes."""
    yield from _cold(bench)
    with ExitStack() as stack:
        server = stack.enter_context(bench.server("SQLite"))
        port = stack.enter_context(serving(*server))
        counter = bench.world.counter(bench.fresh("wire"))
        stack.callback(counter.store.close)
        documents = take_in(counter, 0, _DOSSIERS)
        link = Link(port)
        stack.callback(link.close)
        link.sync(counter.store)
        link.sync(counter.store)
        yield from _changes(bench, counter, documents, link)
        yield _thin(bench, counter, documents, stack.enter_context(BadLine(port, _THIN)))


def _cold(bench: Bench) -> Iterator[Figure]:
    """Ten events of a machine that the server has never seen: edits of one dossier, and a dossier itself.

    The machine knows the certificates of its parents, as every enrolled one does; the server knows nothing.
    """
    sizes: list[float] = []
    trips: list[float] = []
    for _ in range(bench.rounds):
        world = World(bench.folder / bench.fresh("world"))
        database = f"sqlite:///{world.folder / 'server.db'}"
        server = world.server("server", database)
        counter = world.counter("cold")
        [document] = take_in(counter, 0, 1)
        _change(counter, [document] * 9, 0)
        with serving(server, database) as port:
            link = Link(port)
            found = link.sync(counter.store)
            link.close()
        counter.store.close()
        world.close()
        sizes.append(found.wire_bytes)
        trips.append(found.round_trips)
    yield Figure("cold sync of ten events: on the wire", "bytes", tuple(sizes), COLD, is_worst=True)
    yield Figure("cold sync of ten events: requests", "", tuple(trips), COLD_TRIPS, is_worst=True)


def _changes(bench: Bench, counter: Counter, documents: list[bytes], link: Link) -> Iterator[Figure]:
    for count, most in EACH.items():
        sizes = []
        for turn in range(bench.rounds):
            _change(counter, documents[:count], turn)
            sizes.append(link.sync(counter.store).wire_bytes / count)
        yield Figure(f"{count} changed: on the wire", "bytes each", tuple(sizes), most, is_worst=True)
    idle = tuple(float(link.sync(counter.store).wire_bytes) for _ in range(bench.rounds))
    yield Figure("nothing changed: on the wire", "bytes", idle, IDLE, is_worst=True)


def _thin(bench: Bench, counter: Counter, documents: list[bytes], line: BadLine) -> Figure:
    """A hundred changes at 600 ms and 64 kbit/s, on a connection that is open already."""
    link = Link(line.port)
    link.sync(counter.store)
    found: list[float] = []
    for turn in range(bench.rounds):
        _change(counter, documents[:100], turn)
        begun = time.perf_counter()
        link.sync(counter.store)
        found.append(time.perf_counter() - begun)
    link.close()
    return Figure(
        "100 changed at 600 ms and 64 kbit/s", "s", tuple(found), THIN_S, is_worst=True,
        note="through a proxy",
    )  # fmt: skip


def _change(counter: Counter, documents: list[bytes], turn: int) -> None:
    with counter.store.writing():
        for n, document in enumerate(documents):
            phone = f"012{(turn * 7919 + n * 104_729) % 10**7:07d}"
            counter.officer.edit(document, {"dien_thoai": phone})
