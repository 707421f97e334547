"""What reports count, read from one narrow table: a line a document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from onestop_sync.schema import Tally
from onestop_sync.state import State
from onestop_sync.storage import tables as t
from onestop_sync.storage.projection import unpack
from onestop_sync.storage.rows import select_in

__all__ = ["Head", "Name", "heads", "logs_of", "names", "noted", "numbers", "states", "tallies"]


class Name(NamedTuple):
    """A document's id, and what people call it by."""

    doc: bytes
    label: str


class Head(NamedTuple):
    """How far a log is here.

    Attributes:
        unit: For which unit it writes.
        log: Its id.
        seq: Its last event on the chain.
        header: That event's header.
        stored_ms: When it was stored here, milliseconds since 1970 UTC.
    """

    unit: str
    log: bytes
    seq: int
    header: bytes
    stored_ms: int


def tallies(
    connection: sa.Connection, kind: str, *, since_ms: int, before_ms: int
) -> list[tuple[int, Tally]]:
    """Returns what is counted of each document that began before a moment and had not ended before another.

    Args:
        connection: In a transaction.
        kind: Document type.
        since_ms: Left out is what ended before.
        before_ms: Left out is what began then or later.
    """
    at = t.tally.c
    query = sa.select(
        at.doc_n, at.unit, at.about, at.channel, at.begun_ms, at.ended_ms, at.due_ms, at.facts
    ).where(
        at.kind == kind, at.begun_ms < before_ms, sa.or_(at.ended_ms.is_(None), at.ended_ms >= since_ms)
    )  # fmt: skip
    return [(row[0], Tally(*row[1:])) for row in connection.execute(query).all()]


def names(connection: sa.Connection, numbers: Sequence[int]) -> dict[int, Name]:
    """Returns the documents behind the numbers that `tallies` gives."""
    query = sa.select(t.document.c.n, t.document.c.id, t.listing.c.label).join(
        t.listing, t.listing.c.doc_n == t.document.c.n
    )
    return {row.n: Name(row.id, row.label) for row in select_in(connection, query, t.document.c.n, numbers)}


def states(connection: sa.Connection, numbers: Sequence[int]) -> list[State]:
    """Returns documents as they stand, by the numbers that `tallies` gives; without the erased."""
    query = sa.select(t.document.c.state)
    rows = select_in(connection, query, t.document.c.n, numbers)
    return [unpack(row.state) for row in rows if row.state]


def noted(
    connection: sa.Connection, kind: str, note: str, *, after: int, limit: int
) -> list[tuple[int, str, State | None]]:
    """Returns a page of documents: number, what people call it by, and the state where it has such a note.

    A state that does not even hold the note's name is not unpacked: few documents have one.

    Args:
        connection: In a transaction.
        kind: Document type.
        note: Name of the field that collects.
        after: Number of the last document of the page before; 0 for the first page.
        limit: Documents of a page.
    """
    at, name = t.listing.c, note.encode()
    query = (
        sa.select(at.doc_n, at.label, t.document.c.state)
        .join(t.document, t.document.c.n == at.doc_n)
        .where(at.kind == kind, at.doc_n > after)
        .order_by(at.doc_n)
        .limit(limit)
    )
    found = []
    for row in connection.execute(query):
        state = unpack(row.state) if row.state and name in row.state else None
        found.append((row.doc_n, row.label, state if state and state.notes.get(note) else None))
    return found


def logs_of(connection: sa.Connection, numbers: Sequence[int]) -> list[tuple[int, bytes]]:
    """Returns each document's number with each log that has an event in it, once."""
    query = sa.select(t.event.c.doc_n, t.log.c.id).join(t.log, t.log.c.n == t.event.c.log_n).distinct()
    return [(row.doc_n, row.id) for row in select_in(connection, query, t.event.c.doc_n, numbers)]


def numbers(connection: sa.Connection, kind: str, labels: Sequence[str]) -> list[int]:
    """Returns the numbers of the documents of a kind that people call so."""
    query = sa.select(t.listing.c.doc_n).where(t.listing.c.kind == kind)
    return [row.doc_n for row in select_in(connection, query, t.listing.c.label, labels)]


def heads(connection: sa.Connection) -> list[Head]:
    """Returns the last event on the chain of every log, by log."""
    query = (
        sa.select(t.log.c.unit, t.log.c.id, t.log.c.seq, t.event.c.header, t.event.c.at_ms)
        .join(t.event, t.event.c.id == t.log.c.head)
        .where(t.log.c.seq >= 0)
        .order_by(t.log.c.id)
    )
    return [Head(*row) for row in connection.execute(query)]
