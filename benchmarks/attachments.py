"""Scans in a store: 500 MB taken in, sent, and what they cost the work beside them."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.bench import Bench, timed
from benchmarks.dossiers import plans
from benchmarks.figures import Figure
from benchmarks.server import serving
from benchmarks.world import KIND, Counter
from onestop_sync import Parent, shelf, sync
from onestop_sync.storage import chunks

__all__ = ["run"]

_MB: Final = 2**20
_SCAN_MB: Final = 5
_SAVES: Final = 100
_OPENS: Final = 3


def run(bench: Bench, total_mb: int = 500) -> Iterator[Figure]:
    """Measures a counter's store before, while and after so many MB of scans are in it.

    Args:
        bench: Where.
        total_mb: How much, in scans of 5 MB.
    """
    counter = bench.world.counter(bench.fresh("scans"))
    folder = counter.store.folder
    documents = [counter.officer.create(KIND, plan.values, plan.acts) for plan in plans(_SAVES, seed=9)]
    yield Figure("edit saved without scans", "ms", tuple(_edits(counter, documents, 1)))
    spent = _take_in(counter, documents, bench.folder / "scan", total_mb)
    size = (folder / "store.db").stat().st_size / _MB
    yield Figure(f"{total_mb} MB of scans taken in", "MB/s", (total_mb / spent,), 10, is_floor=True)
    yield Figure("store with them", "MB", (size,), total_mb * 1.1)
    yield Figure(f"edit saved beside {total_mb} MB", "ms", tuple(_edits(counter, documents, 2)), 10)
    yield Figure("status line", "ms", tuple(timed(counter.store.status) for _ in range(20)), 20)
    counter.store.close()
    yield Figure("store opened", "ms", tuple(_opens(folder)), 1000)
    counter = Counter.open(folder)
    one = shelf.attached(counter.store, documents[0])[0].manifest
    read = timed(lambda: sum(map(len, shelf.read(counter.store, one)))) / 1000
    yield Figure("a scan of 5 MB read back", "MB/s", (_SCAN_MB / read,), 20, is_floor=True)
    yield from _sent(bench, counter, total_mb)
    begun = time.perf_counter()
    copied = _copy(folder, bench.folder / "copy.db")
    yield Figure("copy of the closed store's file", "MB/s", (copied / (time.perf_counter() - begun),))


def _take_in(counter: Counter, documents: list[bytes], path: Path, total_mb: int) -> float:
    """Attaches scans; returns the seconds without those for making them up."""
    rng = random.Random(4)
    spent = 0.0
    for i in range(total_mb // _SCAN_MB):
        path.write_bytes(rng.randbytes(_SCAN_MB * _MB))
        begun = time.perf_counter()
        with path.open("rb") as file:
            manifest = shelf.take_in(counter.store, file, f"{i}.jpg", "image/jpeg")
        counter.officer.edit(documents[i % len(documents)], {f"dinh_kem/{i}.jpg": manifest.to_value()})
        spent += time.perf_counter() - begun
    return spent


def _edits(counter: Counter, documents: list[bytes], round_: int) -> Iterator[float]:
    for i, document in enumerate(documents):
        yield timed(partial(counter.officer.edit, document, {"dien_thoai": f"09{round_}{i:07d}"}))


def _opens(folder: Path) -> Iterator[float]:
    for _ in range(_OPENS):
        begun = time.perf_counter()
        found = Counter.open(folder)
        yield (time.perf_counter() - begun) * 1000
        found.store.close()


def _sent(bench: Bench, counter: Counter, total_mb: int) -> Iterator[Figure]:
    with bench.server("SQLCipher") as made, serving(made.folder, made.database) as port:
        parent = Parent(f"http://127.0.0.1:{port}")
        begun = time.perf_counter()
        report = sync(counter.store, [parent], deadline_s=3600)
        spent = time.perf_counter() - begun
        assert report.is_complete
        assert shelf.unsent(counter.store).files == 0
        yield Figure("sent to a server on the same machine", "MB/s", (total_mb / spent,), 5, is_floor=True)
        overhead = 100 * (report.wire_up + report.wire_down - total_mb * _MB) / (total_mb * _MB)
        yield Figure("bytes on the wire beyond the scans", "%", (overhead,), 2)
        again = sync(counter.store, [parent])
        nothing = float(again.wire_up + again.wire_down)
        yield Figure("nothing new afterwards, with HTTP", "bytes", (nothing,), 800)
        with counter.store.reading() as connection:
            asked = timed(lambda: chunks.pending(connection, b"x" * 32, (), 64))
        yield Figure("what a new parent lacks, asked of the store", "ms", (asked,), 50)


def _copy(folder: Path, target: Path) -> float:
    """Copies the database's file, and returns its MB."""
    with target.open("wb") as out, (folder / "store.db").open("rb") as file:
        shutil.copyfileobj(file, out, 16 * _MB)
        out.flush()
        os.fsync(out.fileno())
    return target.stat().st_size / _MB
