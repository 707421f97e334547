"""The proof of a whole store, from the root up: signatures, chains, authorities, folds, and what is shown."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from typing import Final

from benchmarks.bench import Bench, timed
from benchmarks.figures import Figure
from benchmarks.grown import Grown
from onestop_sync.store import Store
from onestop_sync.verification import collect, verify_document, verify_store

__all__ = ["run"]

TARGET_S: Final = 60
_CHANGED: Final = 3
"""One dossier in so many was changed once more."""


def run(bench: Bench, grown: Grown) -> Iterator[Figure]:
    """Measures `verify_store` on each kind of database, its memory, and the proof of one dossier."""
    size = bench.sizes[1]
    grown.grow_to(size)
    grown.change(size // _CHANGED)
    grown.grow_to(size)
    yield from _all(f"{size:,} on SQLCipher", grown.counter.store)
    with grown.opened("PostgreSQL") as store:
        yield from _all(f"{size:,} on PostgreSQL", store)
    doc, store = grown.documents[size // 2], grown.counter.store
    spent = tuple(timed(lambda: verify_document(store, doc)) for _ in range(bench.rounds))
    yield Figure("one dossier proven", "ms", spent, note=f"{len(collect(store, doc).to_bytes()):,} bytes")


def _all(name: str, store: Store) -> Iterator[Figure]:
    report = verify_store(store)
    assert report.is_proven, report.problems[:3]
    spent = timed(lambda: verify_store(store)) / 1000
    yield Figure(f"whole store proven, {name}", "s", (spent,), TARGET_S, note=f"{report.events:,} events")
    tracemalloc.start()
    verify_store(store)
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    yield Figure(f"whole store proven, {name}: most memory", "MB", (peak,))
