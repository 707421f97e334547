"""Pages and searches in the largest store, as the screens ask for them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from benchmarks.bench import Bench, timed
from benchmarks.figures import Figure
from benchmarks.grown import Grown
from benchmarks.world import KIND
from onestop_sync.store import Store

__all__ = ["run_pages", "run_searches"]

PAGE_MS: Final = 10
SEARCH_MS: Final = 30
_LINES: Final = 200
_LEAST: Final = 9
"""Rounds: a query is short, and the first one pays for what the others find prepared."""


def run_pages(bench: Bench, grown: Grown) -> Iterator[Figure]:
    """Measures pages of the list, in several orders and places."""
    for name, store in _stores(bench, grown):
        last = store.page(KIND, limit=bench.sizes[-1] // 2)[-1].key
        due = store.page(KIND, limit=bench.sizes[-1] // 2, order="due")[-1].key
        wanted: dict[str, dict[str, Any]] = {
            "newest": {},
            "newest, from the middle": {"after": last},
            "due first": {"order": "due"},
            "due first, from the middle": {"order": "due", "after": due},
            "one step": {"step": "accepted"},
            "in conflict": {"only": "conflict"},
            "unsent": {"only": "unsent"},
        }
        for what, options in wanted.items():
            yield _measured(f"page of {_LINES}, {what}, {name}", PAGE_MS, bench, store, options)


def run_searches(bench: Bench, grown: Grown) -> Iterator[Figure]:
    """Measures searches for many, few and none."""
    for name, store in _stores(bench, grown):
        row = store.page(KIND, limit=1, after=store.page(KIND, limit=bench.sizes[-1] // 3)[-1].key)[0]
        number = str(store.document(row.doc).value("so_dinh_danh"))
        wanted = {
            "a frequent word": "nguyen",
            "a rare word": number,
            "two words": "dang huong",
            "a whole name": "Nguyễn Thị Hường",
            "the start of a code": row.label[:-2],
            "a fragment": number[3:9],
            "nothing there": "zzyzx",
        }
        for what, text in wanted.items():
            yield _measured(f"search, {what}, {name}", SEARCH_MS, bench, store, {"search": text})


def _stores(bench: Bench, grown: Grown) -> Iterator[tuple[str, Store]]:
    grown.grow_to(bench.sizes[-1])
    yield f"{bench.sizes[-1]:,} on SQLCipher", grown.counter.store
    with grown.opened("PostgreSQL") as store:
        yield f"{bench.sizes[-1]:,} on PostgreSQL", store


def _measured(name: str, target: float, bench: Bench, store: Store, options: dict[str, Any]) -> Figure:
    ask = partial(store.page, KIND, limit=_LINES, **options)
    lines = len(ask())
    spent = tuple(timed(ask) for _ in range(max(bench.rounds, _LEAST)))
    return Figure(name, "ms", spent, target, note=f"{lines} found")
