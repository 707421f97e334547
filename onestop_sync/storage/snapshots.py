"""Snapshots as they are stored: which documents the next one names, those that came, and what they replace.

Each has a *place*, counted from 1 without gaps in the order of commit, by a counter row that is raised in the
transaction that stores it: so a reader never passes a place that commits later.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import sqlalchemy as sa

from onestop_sync.schema import MAIN, DocumentType
from onestop_sync.snapshot import Snapshot, parse_snapshot, snapshot_hash, summary_hash
from onestop_sync.storage import feed, summaries
from onestop_sync.storage import tables as t
from onestop_sync.storage.projection import unpack
from onestop_sync.storage.rows import select_in
from onestop_sync.trail import TRAIL

__all__ = [
    "Candidate", "Paper", "Place", "at_place", "candidates", "current", "find", "keep", "left_out", "match",
    "papers", "signed", "summaries_of",
]  # fmt: skip

_BATCH: Final = 500


class Place(NamedTuple):
    """How far somebody has got: the place of the last snapshot, and its hash; zero and empty for none."""

    n: int = 0
    hash: bytes = b""


class Paper(NamedTuple):
    """A snapshot as it is stored."""

    n: int
    hash: bytes
    node: bytes
    unit: str
    data: bytes

    @property
    def place(self) -> Place:
        """Its place, as others say that they have it."""
        return Place(self.n, self.hash)


class Candidate(NamedTuple):
    """A finished document: its local number, its id, the unit that created it, and its summary."""

    doc_n: int
    doc: bytes
    unit: str
    kind: DocumentType
    summary: bytes


# ----------------------------------------------------------------------------------------------- the province


def candidates(
    connection: sa.Connection, types: Mapping[str, DocumentType], told: Mapping[str, int], unit: str
) -> Iterator[Candidate]:
    """Yields finished documents that no snapshot names, oldest here first.

    Only documents of which all events are on unbroken logs below the heads that the last statements name, and
    within what those say was sent down: whoever is given a summary instead must not miss them there.

    Args:
        connection: Any transaction.
        types: Document types by name.
        told: Unit → the last number of its feed that its last statement speaks of.
        unit: The unit at the top, of which nobody makes statements.
    """
    at = t.listing.c
    for name, kind in sorted(types.items()):
        workflow = kind.task(MAIN)
        if workflow is None or not workflow.ends:
            continue
        query = (
            sa.select(t.document.c.n, t.document.c.id, t.document.c.state)
            .join(t.listing, at.doc_n == t.document.c.n)
            .where(at.kind == name, at.step.in_(sorted(workflow.ends)), at.open == 0, at.waiting == 0)
            .where(sa.not_(sa.exists().where(t.summary.c.doc_n == at.doc_n)))
            .where(t.document.c.state.is_not(None))
            .order_by(t.document.c.n)
        )
        after = 0
        while rows := connection.execute(query.where(t.document.c.n > after).limit(_BATCH)).all():
            after = rows[-1].n
            numbers = [row.n for row in rows]
            left = _unsettled(connection, numbers, unit) | _untold(connection, numbers, told)
            for row in rows:
                found = None if row.n in left else summaries.summarise(kind, row.id, unpack(row.state))
                if found is not None:
                    yield Candidate(row.n, row.id, unpack(row.state).unit, kind, found)


def _unsettled(connection: sa.Connection, numbers: Sequence[int], unit: str) -> set[int]:
    """Returns the documents of which an event is off its chain, or beyond what was stated of its log."""
    stated = sa.select(sa.func.max(t.stated_head.c.seq)).where(t.stated_head.c.log == t.log.c.id)
    is_beyond = t.event.c.seq > sa.func.coalesce(stated.scalar_subquery(), -1)
    query = (
        sa.select(t.event.c.doc_n)
        .distinct()
        .join(t.log, t.log.c.n == t.event.c.log_n)
        .where(sa.or_(t.event.c.chained == 0, t.log.c.forked == 1, sa.and_(t.log.c.unit != unit, is_beyond)))
    )
    return {row.doc_n for row in select_in(connection, query, t.event.c.doc_n, numbers)}


def _untold(connection: sa.Connection, numbers: Sequence[int], told: Mapping[str, int]) -> set[int]:
    """Returns the documents of which a feed has got an event since the last statement of its unit."""
    at = t.feed.c
    query = (
        sa.select(t.event.c.doc_n, at.unit, sa.func.max(at.n).label("last"))
        .join(t.event, t.event.c.n == at.ref)
        .where(at.kind == feed.EVENT, at.unit.in_(sorted(told)))
        .group_by(t.event.c.doc_n, at.unit)
    )
    rows = select_in(connection, query, t.event.c.doc_n, numbers)
    return {row.doc_n for row in rows if row.last > told[row.unit]}


# ----------------------------------------------------------------------------------------------------- papers


def keep(connection: sa.Connection, said: Snapshot, data: bytes, key: bytes, n: int) -> Paper:
    """Stores a snapshot that is not here yet, as it is.

    Args:
        connection: In a write transaction.
        said: What it says; its signature was checked.
        data: The same as it came.
        key: Key of its author.
        n: The next place.
    """
    digest = snapshot_hash(data)
    row = {"key": key, "node": said.node, "unit": said.unit, "at_ms": said.at_ms, "data": data}
    connection.execute(sa.insert(t.snapshot).values(n=n, hash=digest, **row))
    return Paper(n, digest, said.node, said.unit, data)


def find(connection: sa.Connection, digest: bytes) -> int | None:
    """Returns the place of a snapshot here; ``None`` when it is not."""
    return connection.execute(sa.select(t.snapshot.c.n).where(t.snapshot.c.hash == digest)).scalar()


def at_place(connection: sa.Connection, place: Place) -> bool:
    """Tells whether somebody has what this store has up to a place."""
    if not place.n:
        return True
    held = connection.execute(sa.select(t.snapshot.c.hash).where(t.snapshot.c.n == place.n)).scalar()
    return held == place.hash


def papers(connection: sa.Connection, units: Collection[str], after: int, most: int | None) -> list[Paper]:
    """Returns snapshots of units behind a place, in order."""
    at = t.snapshot.c
    query = sa.select(at.n, at.hash, at.node, at.unit, at.data)
    where = (at.unit.in_(sorted(units)), at.n > after)
    return [Paper(*row) for row in connection.execute(query.where(*where).order_by(at.n).limit(most))]


def current(connection: sa.Connection) -> dict[int, int]:
    """Returns of how many documents of each snapshot the events here come to what it says."""
    at = t.summary.c
    query = sa.select(at.snapshot_n, sa.func.count()).where(at.held == 1).group_by(at.snapshot_n)
    return {int(n): int(count) for n, count in connection.execute(query)}


def signed(connection: sa.Connection, paper: Paper) -> list[bytes]:
    """Returns the documents of a snapshot that count as what it says."""
    query = sa.select(t.document.c.id).join(t.summary, t.summary.c.doc_n == t.document.c.n)
    where = (t.summary.c.snapshot_n == paper.n, t.summary.c.held == 1)
    return list(connection.execute(query.where(*where).order_by(t.document.c.id)).scalars())


def match(connection: sa.Connection, kinds: Mapping[bytes, DocumentType], paper: Paper) -> int:
    """Notes at a server which documents of a snapshot are here, and come to what it says of them.

    Args:
        connection: In a write transaction.
        kinds: Document types by the first bytes of their documents' ids.
        paper: A snapshot that is new here.

    Returns:
        How many.
    """
    told = dict(parse_snapshot(paper.data)[0].entries)
    query = sa.select(t.document.c.n, t.document.c.id, t.document.c.state)
    query = query.where(t.document.c.state.is_not(None))
    count = 0
    for row in select_in(connection, query, t.document.c.id, sorted(told)):
        kind = kinds.get(row.id[:4])
        found = summaries.summarise(kind, row.id, unpack(row.state)) if kind else None
        if kind is not None and found is not None and summary_hash(found) == told[row.id]:
            placed = summaries.Placed(kind, unpack(row.state), paper.n, told[row.id])
            summaries.forget(connection, [row.n])
            summaries.keep(connection, row.n, placed, is_held=True)
            count += 1
    return count


def summaries_of(connection: sa.Connection, kinds: Mapping[bytes, DocumentType], paper: Paper) -> list[bytes]:
    """Returns the summaries of a snapshot's documents that are still what it says."""
    query = (
        sa.select(t.document.c.id, t.document.c.state)
        .join(t.summary, t.summary.c.doc_n == t.document.c.n)
        .where(t.summary.c.snapshot_n == paper.n, t.summary.c.held == 1, t.document.c.state.is_not(None))
        .order_by(t.document.c.id)
    )
    found: list[bytes] = []
    for doc, state in connection.execute(query):
        kind = kinds.get(doc[:4])
        summary = summaries.summarise(kind, doc, unpack(state)) if kind else None
        if summary is not None:
            found.append(summary)
    return found


# -------------------------------------------------------------------------------------------------- the feed


def left_out(upto: int, units: Collection[str]) -> list[sa.ColumnElement[bool]]:
    """Returns which rows of a feed a machine is not given that has the snapshots up to a place.

    Events of documents that those name and that are still as they say; entries of the audit trail up to the
    stated heads; acks and statements that later ones have overtaken.

    Args:
        upto: The place.
        units: The machine's unit and those below it, of which it is given snapshots, and of whose logs the
            statements name the heads.
    """
    at, event = t.feed.c, t.event.c
    summarised = (
        sa.select(event.n)
        .join(t.summary, t.summary.c.doc_n == event.doc_n)
        .join(t.snapshot, t.snapshot.c.n == t.summary.c.snapshot_n)
        .where(event.n == at.ref, t.summary.c.held == 1, t.summary.c.snapshot_n <= upto)
        .where(t.snapshot.c.unit.in_(sorted(units)))  # what other units finished comes with its events
        .correlate(t.feed)
        .exists()
    )
    stated = sa.select(sa.func.max(t.stated_head.c.seq)).where(t.stated_head.c.log == t.log.c.id)
    trail = (
        sa.select(event.n)
        .join(t.log, t.log.c.n == event.log_n)
        .join(t.document, t.document.c.n == event.doc_n)
        .where(event.n == at.ref, t.document.c.kind == TRAIL.name, event.chained == 1, t.log.c.forked == 0)
        .where(t.log.c.unit.in_(sorted(units)), event.seq <= stated.correlate(t.log).scalar_subquery())
        .correlate(t.feed)
        .exists()
    )
    current = (
        sa.select(t.acks.c.n).where(t.acks.c.n == at.ref, t.acks.c.about == 1).correlate(t.feed).exists()
    )
    told = sa.select(t.ack.c.paper).union(sa.select(t.ack.c.ahead_paper))
    last = sa.select(sa.func.max(t.statement.c.n)).group_by(t.statement.c.unit)
    heads = sa.select(t.stated_head.c.statement_n)
    return [
        sa.and_(at.kind == feed.EVENT, sa.or_(summarised, trail)),
        sa.and_(at.kind == feed.ACKS, at.ref.not_in(told), sa.not_(current)),
        sa.and_(at.kind == feed.STATEMENT, at.ref.not_in(heads), at.ref.not_in(last)),
    ]
