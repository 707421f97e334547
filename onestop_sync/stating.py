"""The province's side of statements: when one is due, and what it says.

A statement is made in a transaction of its own for each unit, while the unit's feed is held: so it names
exactly what went into the feed before it, and no ack that was signed earlier names more.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from onestop_sync.errors import NotAllowed
from onestop_sync.statement import Statement
from onestop_sync.storage import feed, findings, statements
from onestop_sync.storage.findings import Signed
from onestop_sync.storage.transaction import Transaction
from onestop_sync.store import Store

__all__ = ["INTERVAL_MS", "check_top", "is_top", "make_statements"]

INTERVAL_MS: Final = 24 * 3600 * 1000
"""How often every unit gets a statement, milliseconds."""


def is_top(store: Store) -> bool:
    """Tells whether a store makes statements: it serves, and its unit has none above it."""
    unit = store.trust.document.units.get(store.unit)
    return store.serves and unit is not None and not unit.parent


def check_top(store: Store) -> None:
    """Refuses to speak for the province elsewhere.

    Raises:
        NotAllowed: The store is not the top server's.
    """
    if not is_top(store):
        raise NotAllowed(
            "Only a server of the unit at the top makes statements and snapshots.",
            todo="Nothing was changed. Run it at the province's server.",
        )


def make_statements(store: Store, *, interval_ms: int | None = None) -> int:
    """Makes statements of the units below.

    Args:
        store: The top server's.
        interval_ms: Make one for each unit whose last one is older than so many milliseconds; ``None``: for
            each unit of which there is anything new to say.

    Returns:
        How many were made.

    Raises:
        NotAllowed: The store is not the top server's.
        StoreError: The disk or database refused; what was made before stays.
    """
    check_top(store)
    node = store.machine_log
    store.refresh_trust()
    units = sorted(store.below - {store.unit})
    return sum(store.retrying(partial(_make, store, node, unit, interval_ms)) for unit in units)


def _make(store: Store, node: bytes, unit: str, interval_ms: int | None) -> int:
    now, key, epoch = store.clock(), store.machine.public, store.epoch
    with store.writing() as transaction:
        connection, published = transaction.connection, transaction.feed
        assert published is not None
        held_to = published.hold(unit, node)
        last = statements.last(connection, key, unit)
        # A clock that was put back is no reason to say nothing for years.
        if interval_ms is not None and last.k and abs(now - last.at_ms) < interval_ms:
            return 0
        below = store.trust.document.below(unit)
        news = statements.news(connection, key, epoch, unit, below, (last.upto, held_to))
        if interval_ms is None and last.k and not news.heads and not news.foreign:
            return 0
        parts = news.parts()
        for part in parts:
            k = last.k + 1 if last.epoch == epoch else 1
            said = Statement(
                node, unit, epoch, k, last.hash, now, store.trust.document.version, part.heads, part.foreign
            )
            last = _keep_own(store, transaction, said, part.upto)
        published.flush()
    return len(parts)


def _keep_own(store: Store, transaction: Transaction, said: Statement, upto: int) -> statements.Last:
    connection, key = transaction.connection, store.machine.public
    data = said.sign(store.machine)
    n, digest, _ = statements.keep(connection, said, data, key, said.at_ms, upto)
    findings.check_statement(connection, said, Signed("statement", key, data, n))
    assert transaction.feed is not None
    transaction.feed.add_signed(feed.STATEMENT, n, digest, said.unit, said.node)
    return statements.Last(digest, said.epoch, said.k, said.at_ms, upto)
