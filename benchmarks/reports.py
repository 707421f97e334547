"""The quarterly report over 100,000 dossiers, with all shares, and the dossiers behind one figure.

What reports count is put into the projection in bulk, as many folded dossiers would have left it there.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from random import Random
from typing import Any, Final

import cbor2

from benchmarks.bench import Bench, timed
from benchmarks.figures import Figure
from benchmarks.world import COMMUNE, KIND, open_store
from onestop_sync.dossier.data import shipped_catalogue, shipped_report_rules
from onestop_sync.dossier.report.periods import Period, named
from onestop_sync.reporting.making import dossiers, make
from onestop_sync.storage import tables as t
from onestop_sync.storage.rows import insert_all
from onestop_sync.store import Store

__all__ = ["run"]

REPORT_MS: Final = 2000
_DOSSIERS: Final = 100_000
_DAY_MS: Final = 24 * 3600 * 1000
_PROVINCE: Final = "p"
_FIRST: Final = 1000
"""Numbers below are the certificates'."""


def run(bench: Bench) -> Iterator[Figure]:
    """Measures the report of a province and of its commune."""
    rules = shipped_report_rules()
    period = named("Q1/2026", rules)
    number = _DOSSIERS * bench.sizes[-1] // 50_000
    for database in ("SQLCipher", "PostgreSQL"):
        with bench.server(database) as made:
            store = open_store(made.folder, made.database)
            _fill(store, number, period)
            for unit, is_tier in ((COMMUNE, False), (_PROVINCE, True)):
                ask = partial(make, store, unit, period, rules, str, is_tier=is_tier)
                form, counted = ("II.06b" if is_tier else "II.06a"), ask().table.total.c3
                spent = tuple(timed(ask) for _ in range(bench.rounds))
                name = f"report {form} of {number:,} on {database}"
                yield Figure(name, "ms", spent, REPORT_MS, note=f"{counted} counted")
            late = partial(dossiers, store, COMMUNE, period, 10)
            spent = tuple(timed(late) for _ in range(bench.rounds))
            name = f"dossiers behind one figure, {number:,} on {database}"
            yield Figure(name, "ms", spent, REPORT_MS, note=f"{len(late())} found")
            store.close()


def _fill(store: Store, number: int, period: Period) -> None:
    """Puts dossiers into the projection: half a year, most of it in the period."""
    rng = Random(5)
    codes = [procedure.code for procedure in shipped_catalogue().procedures]
    numbers = range(_FIRST, _FIRST + number)
    rows = [_row(rng, n, codes, period) for n in numbers]
    with store.writing() as transaction:
        connection = transaction.connection
        insert_all(connection, t.document, [(n, b"%016d" % n, KIND, None, None) for n in numbers])
        lines = [(n, KIND, f"H99.01-{n:07d}", "", "returned", COMMUNE, None, 0, 0, 0) for n in numbers]
        insert_all(connection, t.listing, lines)
        insert_all(connection, t.tally, rows)


def _row(rng: Random, n: int, codes: list[str], period: Period) -> tuple[Any, ...]:
    received = rng.randrange(period.start_ms - 20 * _DAY_MS, period.end_ms)
    due = received + rng.randrange(8) * _DAY_MS
    ended = None if rng.random() < 0.05 else received + rng.randrange(7) * _DAY_MS
    asks = int(rng.random() < 0.1)
    waits = [[received + 1, received + _DAY_MS]] * asks
    rated = [[due, rng.randrange(3)]] * (rng.random() < 0.3)
    facts = cbor2.dumps(["approve" if ended else "", [[received, due]], waits, asks, 0, rated])
    return (n, KIND, COMMUNE, rng.choice(codes), "truc_tiep", received, ended, due, facts)
