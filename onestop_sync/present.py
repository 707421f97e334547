"""How a new machine begins: from the province's snapshots, and its feed without what those cover.

    request = ["present", 1, [place, hash], versions, payload of a plain request]

The answer is that of the plain request, with the items of the feed that are wanted, or before those with
items of kind 4: a snapshot, the summaries that fill it, and what proves its author. Once there is no more,
the machine goes on from its cursor as every other; after a cut it goes on with the place and the cursor that
it had.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from onestop_sync import codec, exchange, snapshotting
from onestop_sync.compact import event_id
from onestop_sync.errors import FormatError
from onestop_sync.exchange import Cursor, FeedPage
from onestop_sync.schema import MAIN, DocumentType
from onestop_sync.snapshot import Snapshot, parse_snapshot, parse_summary, snapshot_hash, summary_hash
from onestop_sync.storage import bases, feed, outbox, snapshots, summaries
from onestop_sync.storage import tables as t
from onestop_sync.storage.rows import select_in
from onestop_sync.storage.snapshots import Place
from onestop_sync.storage.transaction import Transaction
from onestop_sync.storage.upgrade import PROJECTION_VERSION
from onestop_sync.store import Store

__all__ = [
    "KIND", "TASTE", "Start", "begin", "finish", "load", "note_sent", "parse", "read_page", "take", "wrap",
]  # fmt: skip

KIND: Final = "onestop/present/1"
TASTE: Final = 16 * 1024
"""Bytes of feed that a new machine asks for first: what is no longer than that needs no snapshot."""
_VERSION: Final = 1
_ROWS: Final = 50_000
"""Rows of a feed that one answer may pass over."""
_PAPERS: Final = 16
_PROJECTION: Final = "*"


class Start(NamedTuple):
    """From where a machine begins.

    Attributes:
        place: The parent's last snapshot that it has.
        versions: Those of its document types that have an end, and of its projection: summaries that other
            versions make would not be its own.
    """

    place: Place
    versions: Mapping[str, int]


def versions_of(types: Mapping[str, DocumentType]) -> dict[str, int]:
    """Returns the versions that summaries depend on."""
    ending = {name: kind.version for name, kind in types.items() if (w := kind.task(MAIN)) and w.ends}
    return {**ending, _PROJECTION: PROJECTION_VERSION}


def wrap(start: Start, payload: bytes) -> bytes:
    """Returns the payload of a request that begins so."""
    return codec.encode(["present", _VERSION, list(start.place), dict(start.versions), payload])


def parse(value: object) -> tuple[Start, bytes] | None:
    """Reads where a machine begins, and the payload of its plain request; ``None`` of another kind.

    Raises:
        FormatError: It is one, and malformed.
    """
    match value:
        case ["present", 1, [int(n), bytes(digest)], dict(versions), bytes(payload)] if (
            type(n) is int and n >= 0 and all(type(version) is int for version in versions.values())
        ):
            return Start(Place(n, digest), versions), payload
        case ["present", *_]:
            raise FormatError("A request for the present is malformed.")
    return None


# ------------------------------------------------------------------------------------------------- the parent


def read_page(
    store: Store, unit: str, cursor: Cursor | None, start: Start, reader: tuple[bytes, int, bool]
) -> FeedPage:
    """Returns the next snapshots for a machine, or its feed without what it has of them.

    Args:
        store: The parent's store.
        unit: The machine's unit.
        cursor: Where it is in its feed.
        start: What it has, and which summaries it understands.
        reader: Its log, the most bytes that it wants, and whether it wants what it brought itself.
    """
    machine, max_bytes, echo = reader
    document = store.trust.document
    if not document.units[unit].parent:  # nobody states what the unit at the top has
        return exchange.read_feed(store, unit, cursor, machine, max_bytes, echo=echo)
    # Of a unit that was split, each successor sees its own documents: those come with their events.
    units = {below for below in document.below(unit) if document.tree.is_wholly_over(unit, below)}
    at = cursor or Cursor(store.epoch, 0, feed.START)
    with store.reading() as connection:
        place = start.place if snapshots.at_place(connection, start.place) else Place()
        is_same = dict(start.versions) == versions_of(store.types)
        place = place if is_same else Place()
        items = _papers(store, connection, units, place, max_bytes) if is_same else []
    if items:
        items[0].payload.extend(store.introduction(parse_snapshot(items[0].payload[1])[0].node))
        return FeedPage(items, at, has_more=True)
    with store.reading() as connection:
        mine = connection.execute(sa.select(t.log.c.n).where(t.log.c.id == machine)).scalar()
        found, after, has_more = feed.read(
            connection, unit, at.n, not_from=None if echo else mine, max_bytes=max_bytes, max_rows=_ROWS,
            left_out=snapshots.left_out(place.n, units),
        )  # fmt: skip
    return FeedPage(found, Cursor(store.epoch, *after) if after else at, has_more)


def _papers(
    store: Store, connection: sa.Connection, units: Collection[str], place: Place, max_bytes: int
) -> list[feed.Item]:
    """Returns the next snapshots with their summaries, at least one if there is any."""
    kinds = snapshotting.kinds_of(store.types)
    items: list[feed.Item] = []
    size = 0
    for paper in snapshots.papers(connection, units, place.n, _PAPERS):
        found = snapshots.summaries_of(connection, kinds, paper)
        size += len(paper.data) + sum(map(len, found))
        if items and size > max_bytes:
            break
        payload = [paper.n, paper.data, found]
        items.append(feed.Item(paper.n, paper.hash, feed.SNAPSHOT, payload, b""))
    return items


# ------------------------------------------------------------------------------------------------ the machine


def begin(store: Store, name: str) -> Start | None:
    """Begins from a parent's snapshots, if this machine is one that should; see `load`.

    Whoever serves others takes everything, and so does a machine that has it all already: only a new one, or
    one that began so, leaves out what is finished.
    """
    if store.serves or not store.trust.document.units[store.unit].parent:
        return None
    with store.writing() as transaction:
        connection = transaction.connection
        has_feed = connection.execute(sa.select(t.parent.c.name).where(t.parent.c.n > 0).limit(1)).first()
        lacks = connection.execute(sa.select(t.summary.c.doc_n).where(t.is_summary).limit(1)).first()
        if has_feed and not lacks:
            return None
        connection.execute(sa.delete(t.place).where(t.place.c.name == name))
        connection.execute(sa.insert(t.place).values(name=name, n=0, hash=b"", upto=0))
    return load(store, name)


def load(store: Store, name: str) -> Start | None:
    """Returns how far this machine has got in beginning from a parent; ``None`` when it does not."""
    if store.serves:
        return None
    with store.reading() as connection:
        row = connection.execute(sa.select(t.place).where(t.place.c.name == name)).first()
    return Start(Place(row.n, row.hash), versions_of(store.types)) if row is not None else None


def take(store: Store, name: str, items: Iterable[tuple[int, Any]]) -> bool:
    """Takes snapshots and their summaries; each counts by itself.

    Args:
        store: The machine's store.
        name: Name under which the parent's state is kept.
        items: Those of an answer.

    Returns:
        Whether all check; with one that does not, the machine goes on without any.
    """
    for kind, payload in items:
        if kind == feed.SNAPSHOT:
            try:
                if not store.retrying(partial(_take, store, name, payload)):
                    return False
            except FormatError:
                return False
    return True


def note_sent(store: Store, node: bytes, items: Iterable[tuple[int, Any]]) -> None:
    """Notes that a parent has the events that it sent: while logs have gaps, its acks do not say so.

    Args:
        store: The machine's store.
        node: Log of the parent's machine.
        items: Those of an answer, once they are stored.
    """
    sent = [event_id(payload[0]) for kind, payload in items if kind == feed.EVENT and _is_frame(payload)]
    if sent:
        with store.writing() as transaction:
            outbox.note_events(transaction.connection, node, sent)


def _take(store: Store, name: str, payload: object) -> bool:
    match payload:
        case [int(n), bytes(data), list(found), *proof]:
            pass
        case _:
            raise FormatError("A snapshot is malformed.")
    with store.writing() as transaction:
        store.receive(proof)
        checked = snapshotting.read(store, data)
        if checked is None:
            return False
        said, key = checked
        connection = transaction.connection
        local = snapshots.find(connection, snapshot_hash(data))
        if local is None:
            local = transaction.next_serial(snapshotting.COUNTER, "")
            snapshots.keep(connection, said, data, key, local)
        _place_all(transaction, said, local, found)
        where = t.place.c.name == name
        connection.execute(sa.update(t.place).where(where).values(n=n, hash=snapshot_hash(data)))
    return True


def _place_all(transaction: Transaction, said: Snapshot, local: int, found: Iterable[object]) -> None:
    """Lists the documents of a snapshot whose summaries came with it; any other comes with its events."""
    kinds = snapshotting.kinds_of(transaction.store.types)
    told = dict(said.entries)
    placed: dict[bytes, summaries.Placed] = {}
    for data in found:
        if not isinstance(data, bytes):
            raise FormatError("A summary is malformed.")
        doc = parse_summary(data).doc
        kind = kinds.get(doc[:4])
        if kind is None or told.get(doc) != summary_hash(data):
            raise FormatError("A summary is not what the province has signed.")
        placed[doc] = summaries.placed_of(kind, data, doc, local)
    documents = transaction.append.documents
    documents.place(placed)
    documents.save()


def finish(store: Store, name: str) -> None:
    """Ends the beginning: asks for what a snapshot names and nobody gave, and closes the gaps in logs."""
    with store.writing() as transaction:
        connection = transaction.connection
        if not connection.execute(sa.delete(t.place).where(t.place.c.name == name)).rowcount:
            return
        _want_missing(transaction)
        logs = connection.execute(sa.select(t.log.c.id).where(t.log.c.upward == 1)).scalars().all()
        raised = bases.raise_bases(connection, logs)
        transaction.append.chains.join(raised)
        outbox.note_good_acks(connection, raised)


def _want_missing(transaction: Transaction) -> None:
    """Notes which documents a snapshot names that are here neither in summary nor with their events."""
    connection, store = transaction.connection, transaction.store
    kinds = snapshotting.kinds_of(store.types)
    papers = connection.execute(sa.select(t.snapshot.c.n, t.snapshot.c.data).order_by(t.snapshot.c.n)).all()
    missing: dict[bytes, summaries.Placed] = {}
    for n, data in papers:
        told = dict(parse_snapshot(data)[0].entries)
        here = {
            r.id for r in select_in(connection, sa.select(t.document.c.id), t.document.c.id, sorted(told))
        }
        for doc, digest in told.items():
            kind = kinds.get(doc[:4])
            if doc not in here and doc not in store.tombstones and kind is not None:
                missing[doc] = summaries.Placed(kind, None, n, digest)
    documents = transaction.append.documents
    documents.place(missing)
    documents.save()


def _is_frame(payload: object) -> bool:
    return isinstance(payload, list) and bool(payload) and isinstance(payload[0], bytes)
