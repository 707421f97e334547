"""Bases: up to where the province's statement says that a log has no gap, although not all of it is here.

A machine that began from snapshots lacks the events of finished documents, and its logs have holes there. A
statement of the province names the head of each log of the unit: up to that head, its *base*, what is here
counts as on the chain. An event that comes later and contradicts its neighbours is a fork, as ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import sqlalchemy as sa

from onestop_sync.event import parse_header
from onestop_sync.storage import tables as t
from onestop_sync.storage.rows import select_in

__all__ = ["Base", "base_of", "chained_at", "fits", "raise_bases"]


class Base(NamedTuple):
    """The place of a log up to which the province says that nothing is missing, and what stands there."""

    seq: int
    head: bytes


def base_of(connection: sa.Connection, log_n: int) -> Base | None:
    """Returns the base of a log; ``None`` of one that is here as a whole."""
    row = connection.execute(sa.select(t.base.c.seq, t.base.c.head).where(t.base.c.log_n == log_n)).first()
    return Base(*row) if row is not None else None


def chained_at(connection: sa.Connection, log_n: int, seq: int) -> bytes | None:
    """Returns which event the chain of a log has at a place, as far as that is known here."""
    at = t.event.c
    query = sa.select(at.id).where(at.log_n == log_n, at.seq == seq, at.chained == 1)
    found = connection.execute(query).scalar()
    if found is not None:
        return bytes(found)
    base = base_of(connection, log_n)
    return base.head if base is not None and base.seq == seq else None


def fits(connection: sa.Connection, log_n: int, seq: int, event: bytes, prev: bytes) -> bool:
    """Tells whether an event fills a gap below a base: nothing has its place, and its neighbours agree."""
    base = base_of(connection, log_n)
    if base is None or seq > base.seq or (seq == base.seq and event != base.head):
        return False
    at = t.event.c
    near = sa.select(at.seq, at.id, at.header).where(at.log_n == log_n, at.seq.between(seq - 1, seq + 1))
    for row in connection.execute(near):
        if row.seq == seq or (row.seq < seq and row.id != prev):
            return False
        if row.seq > seq and parse_header(row.header).prev != event:
            return False
    return True


def raise_bases(connection: sa.Connection, logs: Iterable[bytes]) -> list[int]:
    """Gives logs the base that the newest statement of each names.

    Not logs that branch, as far as is known here: of such a one nothing that counts is left out.

    Args:
        connection: In a write transaction.
        logs: Ids of logs.

    Returns:
        Local numbers of those that have a higher base now.
    """
    wanted = sorted(set(logs))
    stated: dict[bytes, Base] = {}
    for row in select_in(connection, sa.select(t.stated_head), t.stated_head.c.log, wanted):
        if row.log not in stated or row.seq > stated[row.log].seq:
            stated[row.log] = Base(row.seq, row.head)
    rows = select_in(connection, sa.select(t.log), t.log.c.id, sorted(stated), lock=True)
    return [row.n for row in rows if _raise(connection, row, stated[row.id])]


def _raise(connection: sa.Connection, log: Any, base: Base) -> bool:
    if log.forked or log.seq >= base.seq or not _is_one_line(connection, log.n, base):
        return False
    at = t.event.c
    connection.execute(sa.delete(t.base).where(t.base.c.log_n == log.n))
    connection.execute(sa.insert(t.base).values(log_n=log.n, **base._asdict()))
    connection.execute(
        sa.update(t.event).where(at.log_n == log.n, at.seq <= base.seq, at.chained == 0).values(chained=1)
    )
    connection.execute(
        sa.update(t.log).where(t.log.c.n == log.n).values(seq=base.seq, head=base.head, broken=1)
    )
    return True


def _is_one_line(connection: sa.Connection, log_n: int, base: Base) -> bool:
    """Tells whether what is here of a log up to its base can be one chain that ends there."""
    at = t.event.c
    query = sa.select(at.seq, at.id, at.header).where(at.log_n == log_n, at.seq <= base.seq).order_by(at.seq)
    before: Any = None
    for row in connection.execute(query):
        if before is not None and row.seq == before.seq:
            return False
        if before is not None and row.seq == before.seq + 1 and parse_header(row.header).prev != before.id:
            return False
        before = row
    return before is None or before.seq < base.seq or before.id == base.head
