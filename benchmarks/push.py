"""First push: all dossiers of a commune reach an empty server, over HTTP, in its own process.

At the server each is verified, authorised, folded, listed for search and durable before the answer leaves.
The control writes the same bytes into a plain SQLite table and does nothing else.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from benchmarks.bench import DATABASES, Bench, take_in, timed
from benchmarks.figures import Figure
from benchmarks.link import Exchange, Link
from benchmarks.server import serving
from benchmarks.world import Counter
from onestop_sync.storage import tables as t

__all__ = ["run"]

TARGET: Final = 3000
"""Dossiers a second at the server (issue 2)."""
_BATCH: Final = 1000


def run(bench: Bench) -> Iterator[Figure]:
    """Measures the first push on each database."""
    counter = bench.world.counter("full")
    made_ms = timed(lambda: take_in(counter, 0, bench.dossiers))
    frames = _frames(counter)
    counter.store.close()
    size = sum(sum(map(len, frame)) for frame in frames) / len(frames)
    for kind in DATABASES:
        found = [_push(bench, counter.store.folder, kind) for _ in range(bench.rounds)]
        yield Figure(
            f"first push, at the server, {kind}", "dossiers/s",
            tuple(bench.dossiers / e.server_s for e in found), TARGET, is_floor=True,
            note=f"{bench.dossiers} of {size:.0f} bytes, {found[0].round_trips} requests",
        )  # fmt: skip
        yield Figure(
            f"first push, machine's own work included, {kind}", "dossiers/s",
            tuple(bench.dossiers / e.total_s for e in found), is_floor=True,
            note=f"{found[0].wire_bytes / bench.dossiers:.0f} bytes each on the wire",
        )  # fmt: skip
    yield Figure(
        "dossiers taken in, many in one transaction", "dossiers/s", (bench.dossiers / made_ms * 1000,)
    )
    rates = tuple(len(frames) / _insert(bench, frames) * 1000 for _ in range(bench.rounds))
    yield Figure("control: the same bytes into one SQLite table", "rows/s", rates)


def _push(bench: Bench, original: Path, kind: str) -> Exchange:
    """Pushes a copy of the full machine to an empty server."""
    folder = bench.folder / bench.fresh("machine")
    shutil.copytree(original, folder)
    counter = Counter.open(folder)
    try:
        with bench.server(kind) as server, serving(*server) as port:
            link = Link(port)
            found = link.sync(counter.store)
            link.close()
    finally:
        counter.store.close()
        shutil.rmtree(folder)
    if found.sent < bench.dossiers:
        raise RuntimeError("The push left something behind.")
    return found


def _frames(counter: Counter) -> list[tuple[bytes, bytes, bytes]]:
    with counter.store.reading() as connection:
        query = sa.select(t.event.c.header, t.event.c.signature, t.event.c.body).where(t.event.c.seq > 0)
        return [(row[0], row[1], row[2]) for row in connection.execute(query)]


def _insert(bench: Bench, frames: list[tuple[bytes, bytes, bytes]]) -> float:
    """Returns the milliseconds that plain inserts take, one durable transaction for each batch."""
    with sqlite3.connect(bench.folder / bench.fresh("plain"), isolation_level=None) as connection:
        connection.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "CREATE TABLE event (n INTEGER PRIMARY KEY, header BLOB, signature BLOB, body BLOB);"
        )

        def work() -> None:
            for i in range(0, len(frames), _BATCH):
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(
                    "INSERT INTO event (header, signature, body) VALUES (?, ?, ?)", frames[i : i + _BATCH]
                )
                connection.execute("COMMIT")

        spent = timed(work)
    connection.close()
    return spent
