"""A save at the counter: one signed event, folded and durable in the encrypted file when it returns.

The control writes as many bytes into an encrypted table and commits: what the disk and SQLCipher take.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

from benchmarks.bench import Bench, timed
from benchmarks.dossiers import plans
from benchmarks.figures import Figure
from benchmarks.grown import Grown
from benchmarks.world import KIND

__all__ = ["run"]

TARGET_MS: Final = 10
_SAVES: Final = 200


def run(bench: Bench, grown: Grown) -> Iterator[Figure]:
    """Measures intakes and edits, one at a time, in a store that holds much already."""
    grown.grow_to(bench.sizes[1])
    counter = grown.counter
    taken = [
        timed(partial(counter.officer.create, KIND, plan.values, plan.acts)) for plan in plans(_SAVES, seed=3)
    ]
    yield from _figures(f"intake saved among {bench.sizes[1]:,}", taken)
    chosen = Random(5).sample(grown.documents, _SAVES)
    phones = [(document, {"dien_thoai": f"0129{i:06d}"}) for i, document in enumerate(chosen)]
    edited = [timed(partial(counter.officer.edit, document, values)) for document, values in phones]
    yield from _figures(f"edit saved among {bench.sizes[1]:,}", edited)
    yield Figure("control: 2 kB into one SQLCipher table", "ms", tuple(_plain(bench.folder / "control.db")))


def _figures(name: str, spent: list[float]) -> Iterator[Figure]:
    yield Figure(name, "ms", tuple(spent), TARGET_MS)
    yield Figure(f"{name}: 95th percentile", "ms", (statistics.quantiles(spent, n=20)[-1],), TARGET_MS)


def _plain(path: Path) -> Iterator[float]:
    from sqlcipher3 import dbapi2

    connection = dbapi2.connect(str(path), isolation_level=None)
    connection.execute(f"PRAGMA key = \"x'{bytes(48).hex()}'\"")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE event (n INTEGER PRIMARY KEY, data BLOB)")
    data = Random(1).randbytes(2000)
    for _ in range(_SAVES):
        yield timed(lambda: connection.execute("INSERT INTO event (data) VALUES (?)", (data,)))
    connection.close()
