"""Statements as they are stored: what the next one of a unit says, and the ones that came."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import sqlalchemy as sa

from onestop_sync.statement import MAX_FOREIGN, MAX_HEADS, Statement, statement_hash
from onestop_sync.storage import feed
from onestop_sync.storage import tables as t
from onestop_sync.storage.engines import next_numbers

__all__ = ["News", "Part"]


class Last(NamedTuple):
    """The newest statement of a unit that a machine made.

    Attributes:
        hash: By which the next one names it.
        epoch: Store epoch in which it was made.
        k: Its number.
        at_ms: When it was made.
        upto: The last number of the unit's feed that it speaks of.
    """

    hash: bytes = b""
    epoch: bytes = b""
    k: int = 0
    at_ms: int = 0
    upto: int = 0


class Part(NamedTuple):
    """What goes into one statement: heads, foreign events, and how far of the feed that is."""

    heads: tuple[tuple[bytes, int, bytes], ...]
    foreign: tuple[bytes, ...]
    upto: int


class News(NamedTuple):
    """What there is to say of a unit since its last statement."""

    heads: list[tuple[bytes, int, bytes]]
    foreign: list[tuple[int, bytes]]
    upto: int

    def parts(self) -> list[Part]:
        """Returns it in parts of bounded size, at least one."""
        count = max(1, -(-len(self.heads) // MAX_HEADS), -(-len(self.foreign) // MAX_FOREIGN))
        found: list[Part] = []
        for i in range(count):
            heads = tuple(self.heads[i * MAX_HEADS : (i + 1) * MAX_HEADS])
            foreign = self.foreign[i * MAX_FOREIGN : (i + 1) * MAX_FOREIGN]
            is_last = (i + 1) * MAX_FOREIGN >= len(self.foreign)
            upto = self.upto if is_last else foreign[-1][0]
            found.append(Part(heads, tuple(event_id for _, event_id in foreign), upto))
        return found


def last(connection: sa.Connection, key: bytes, unit: str) -> Last:
    """Returns the newest statement that a key made of a unit; an empty one when it made none."""
    table = t.statement.c
    query = sa.select(table.hash, table.epoch, table.k, table.at_ms, table.upto)
    row = connection.execute(
        query.where(table.key == key, table.unit == unit).order_by(table.n.desc()).limit(1)
    ).first()
    return Last(*row) if row is not None else Last()


def news(
    connection: sa.Connection,
    key: bytes,
    epoch: bytes,
    unit: str,
    below: Collection[str],
    span: tuple[int, int],
) -> News:
    """Returns what there is to say of a unit; its feed is held.

    Args:
        connection: In a write transaction.
        key: The key that makes the statement.
        epoch: The store's epoch.
        unit: The unit.
        below: The unit and those below it: events of other units' logs are foreign to it.
        span: Numbers of its feed: from behind the first, up to the second.
    """
    start, upto = span
    named = sa.and_(
        t.stated_head.c.log == t.log.c.id, t.stated_head.c.key == key, t.stated_head.c.epoch == epoch
    )
    heads = connection.execute(
        sa.select(t.log.c.id, t.log.c.seq, t.log.c.head)
        .join(t.stated_head, named, isouter=True)
        .where(t.log.c.unit == unit, t.log.c.seq > sa.func.coalesce(t.stated_head.c.seq, -1))
        .order_by(t.log.c.n)
    )
    at = t.feed.c
    foreign = connection.execute(
        sa.select(at.n, t.event.c.id)
        .join(t.event, t.event.c.n == at.ref)
        .join(t.log, t.log.c.n == t.event.c.log_n)
        .where(at.unit == unit, at.n > start, at.n <= upto, at.kind == feed.EVENT)
        .where(t.log.c.unit.not_in(sorted(below)))
        .order_by(at.n)
    )
    return News([(log, seq, head) for log, seq, head in heads], [(n, i) for n, i in foreign], upto)


def keep(
    connection: sa.Connection, said: Statement, data: bytes, key: bytes, now_ms: int, upto: int = 0
) -> tuple[int, bytes, bool]:
    """Stores a statement as it is; returns its local number, its hash, and whether it is new."""
    digest = statement_hash(data)
    n = connection.execute(sa.select(t.statement.c.n).where(t.statement.c.hash == digest)).scalar()
    if n is not None:
        return int(n), digest, False
    n = next_numbers(connection, t.statement, 1)
    row = {"key": key, "unit": said.unit, "epoch": said.epoch, "k": said.k, "at_ms": said.at_ms}
    connection.execute(
        sa.insert(t.statement).values(n=n, hash=digest, came_ms=now_ms, upto=upto, data=data, **row)
    )
    return n, digest, True


def made(connection: sa.Connection, key: bytes, epoch: bytes, units: Collection[str]) -> dict[str, int]:
    """Returns how many statements a key has made of units in an epoch."""
    table = t.statement.c
    query = sa.select(table.unit, sa.func.max(table.k)).where(table.key == key, table.epoch == epoch)
    rows = connection.execute(query.where(table.unit.in_(sorted(units))).group_by(table.unit))
    return {unit: int(k) for unit, k in rows}


def newest(connection: sa.Connection, unit: str) -> Any:
    """Returns the row of the statement of a unit that came last; ``None`` when none came."""
    table = t.statement.c
    query = sa.select(t.statement).where(table.unit == unit).order_by(table.n.desc())
    return connection.execute(query.limit(1)).first()


def recent(connection: sa.Connection, unit: str, most: int) -> list[bytes]:
    """Returns the statements of a unit that came last, oldest first."""
    table = t.statement.c
    query = sa.select(table.data).where(table.unit == unit).order_by(table.n.desc()).limit(most)
    return [bytes(data) for data in connection.execute(query).scalars()][::-1]
