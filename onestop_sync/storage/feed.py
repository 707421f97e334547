"""Feeds: for each unit below a server, a gapless sequence of what its machines may see.

The next number of a feed is taken by raising its counter row in the transaction that appends, feeds in
sorted order. So numbers become visible in order: a reader that has seen up to n has seen everything up to
n, on every database. Each row also carries a running digest; a reader gives back the digest of the last row
it has seen, and a server that was rolled back, or replaced by an older copy, is noticed by its own numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from onestop_sync.acks import parse_acks
from onestop_sync.statement import parse_statement
from onestop_sync.storage import tables as t
from onestop_sync.storage.cuts import last_good, skeleton_of
from onestop_sync.storage.rows import LOOKUP, insert_all, select_in
from onestop_sync.trust import MAX_CHAIN, Trust

EVENT: Final = 0
ACKS: Final = 1
HEADER: Final = 2
STATEMENT: Final = 3
SNAPSHOT: Final = 4
"""A snapshot with its summaries: never a row of a feed, but an item of an answer to who begins from them."""
DIGEST_BYTES: Final = 8
START: Final = bytes(DIGEST_BYTES)


class Feed:
    """Appends to feeds, within one transaction.

    Args:
        connection: In a write transaction.
        trust: Knows the tree of units, and who certified whom.
        unit: The server's own unit.
        introduced: ``(unit, log)`` pairs whose proof of authority is in the unit's feed, as far as this
            process knows; those of this transaction are added to `fresh`.
    """

    def __init__(
        self, connection: sa.Connection, trust: Trust, unit: str, introduced: set[tuple[str, bytes]]
    ) -> None:
        self.connection = connection
        self.trust = trust
        self.unit = unit
        self.introduced = introduced
        self.fresh: set[tuple[str, bytes]] = set()
        self._backed: set[tuple[str, bytes]] = set()
        self._rows: dict[str, dict[tuple[int, int], tuple[int, bytes]]] = {}
        self._scopes: dict[tuple[frozenset[str], bytes], list[str]] = {}

    def move_to(self, unit: str) -> None:
        """Goes on as a server of another unit: other feeds are below it."""
        self.unit = unit
        self._scopes.clear()

    def scopes(self, units: Iterable[str], doc: bytes = b"") -> list[str]:
        """Returns the feeds of units: their own, and those of whoever is over them and below the server.

        Args:
            units: Who takes part.
            doc: In which document; of a unit that was split, only the document's successor sees it.
        """
        tree = self.trust.document.tree
        key = (frozenset(units), doc if tree.has_splits else b"")
        found = self._scopes.get(key)
        if found is None:
            over = {upper for unit in key[0] for upper in tree.over(unit, key[1])}
            found = self._scopes[key] = sorted(u for u in over if tree.is_over(self.unit, u))
        return found

    def add(
        self, event_n: int, event_id: bytes, log: bytes, units: Iterable[str], source: int, doc: bytes
    ) -> None:
        """Puts an event into the feeds of ``units``, behind the proof of its author's authority."""
        for unit in self.scopes(units, doc):
            self._put(unit, event_n, event_id, log, source)

    def _put(self, unit: str, event_n: int, event_id: bytes, log: bytes, source: int) -> None:
        self._introduce(unit, log)
        self._vouch(unit, event_id)
        self._back(unit, log)
        self._rows.setdefault(unit, {}).setdefault((EVENT, event_n), (source, event_id))

    def _back(self, unit: str, log: bytes) -> None:
        """Gives a unit that does not replicate a log the headers that tell what lies before its cut."""
        document = self.trust.document
        last = last_good(self.trust, log) if document.cuts else None
        if last is None or (unit, log) in self._backed:
            return
        self._backed.add((unit, log))
        genesis = self.trust.genesis(log)
        if genesis is not None and not document.is_over(unit, genesis.unit):
            for n, event_id in skeleton_of(self.connection, log, last):
                self._rows.setdefault(unit, {}).setdefault((HEADER, n), (0, event_id))

    def back_all(self, logs: Iterable[bytes]) -> None:
        """Does so for every unit that has events of these logs: they were cut just now."""
        query = sa.select(t.feed.c.unit).distinct().join(t.event, t.event.c.n == t.feed.c.ref)
        query = query.join(t.log, t.log.c.n == t.event.c.log_n).where(t.feed.c.kind == EVENT)
        for log in logs:
            for unit in self.connection.execute(query.where(t.log.c.id == log)).scalars().all():
                self._back(unit, log)

    def inherit(self, heirs: Mapping[str, Iterable[str]]) -> None:
        """Gives units what the feeds of others hold: they succeed them, or were put over them.

        Args:
            heirs: Unit → the units that see from now on what it sees.
        """
        query = (
            sa.select(
                t.feed.c.ref, t.feed.c.source, t.event.c.id, t.document.c.id.label("doc"),
                t.log.c.id.label("log"),
            )
            .join(t.event, t.event.c.n == t.feed.c.ref)
            .join(t.log, t.log.c.n == t.event.c.log_n)
            .join(t.document, t.document.c.n == t.event.c.doc_n)
            .where(t.feed.c.kind == EVENT)
            .order_by(t.feed.c.n)
        )  # fmt: skip
        for unit, others in sorted(heirs.items()):
            wanted = sorted(set(others))
            for row in self.connection.execute(query.where(t.feed.c.unit == unit)).all():
                seen = self.scopes([unit], row.doc)
                for other in wanted:
                    if other in seen:
                        self._put(other, row.ref, row.id, row.log, row.source)
            self._inherit_statements(unit, wanted)

    def _inherit_statements(self, unit: str, others: Sequence[str]) -> None:
        """Gives units the acks and statements that the feed of another holds: no more than heads and ids.

        Those about a unit that was never below this server stand in no feed, and belong to its heirs as well.
        """
        for kind, table in ((ACKS, t.acks), (STATEMENT, t.statement)):
            told = sa.select(t.feed.c.ref).where(t.feed.c.unit == unit, t.feed.c.kind == kind)
            query = sa.select(table.c.n, table.c.hash, table.c.data).order_by(table.c.n)
            query = query.where(sa.or_(table.c.n.in_(told), table.c.unit == unit))
            for n, digest, data in self.connection.execute(query).all():
                node = (parse_acks if kind == ACKS else parse_statement)(data)[0].node
                for other in others:
                    self._introduce(other, node)
                    self._rows.setdefault(other, {}).setdefault((kind, n), (0, digest))

    def _vouch(self, unit: str, event_id: bytes) -> None:
        """Puts the countersignatures of an event before it."""
        for each in self.trust.countersignatures_of(event_id):
            row = self.connection.execute(
                sa.select(t.event.c.n, t.event.c.source, t.log.c.id)
                .join(t.log, t.log.c.n == t.event.c.log_n)
                .where(t.event.c.id == each)
            ).first()
            if row is not None:
                self._introduce(unit, row.id)
                self._rows.setdefault(unit, {}).setdefault((EVENT, row.n), (row.source, each))

    def add_signed(self, kind: int, n: int, digest: bytes, unit: str, node: bytes) -> None:
        """Puts acks or a statement into the feeds of a unit, behind the proof of their author's authority.

        Args:
            kind: `ACKS` or `STATEMENT`.
            n: Local number.
            digest: Hash of what was signed.
            unit: Of which unit it speaks.
            node: Log of its author.
        """
        for scope in self.scopes([unit]):
            self._introduce(scope, node)
            self._rows.setdefault(scope, {}).setdefault((kind, n), (0, digest))

    def hold(self, unit: str, node: bytes) -> int:
        """Locks the feeds that news of a unit goes into, until the transaction ends.

        Args:
            unit: The unit.
            node: A log whose proof of authority is there before.

        Returns:
            The number of the last item in the unit's feed: nothing comes before or into it any more.
        """
        for scope in self.scopes([unit]):
            self._introduce(scope, node)
        self.flush()
        last = {scope: self._lock(scope)[0] for scope in self.scopes([unit])}
        return last.get(unit, 0)

    def backfill(self, doc_n: int, doc: bytes, units: Iterable[str]) -> None:
        """Puts all events of a document into the feeds of units that take part in it from now on."""
        for row in self.connection.execute(_SENT_OF, {"of": doc_n}).all():
            self.add(row.n, row.id, row.log, units, row.source, doc)

    def flush(self, new_from: int | None = None) -> None:
        """Writes what was added; feeds are locked in sorted order.

        Args:
            new_from: Events from this local number on are new: no feed has them yet.
        """
        for unit in sorted(self._rows):
            wanted = self._rows[unit]
            head = self._lock(unit)
            new = self._not_there(unit, wanted, new_from)
            rows: list[tuple[Any, ...]] = []
            n, digest = head
            for kind, ref in new:
                n += 1
                source, name = wanted[kind, ref]
                digest = hashlib.sha256(digest + name).digest()[:DIGEST_BYTES]
                rows.append((unit, n, kind, ref, source, digest))
            if rows:
                insert_all(self.connection, t.feed, rows)
                self.connection.execute(_RAISE, [{"at": unit, "to_n": n, "to_digest": digest}])
        self._rows.clear()

    def introduce(self, doc_n: int, doc: bytes, units: Iterable[str]) -> None:
        """Completes the proofs of a document's authors: a certificate came after the events it is for."""
        query = sa.select(t.log.c.id).join(t.event, t.event.c.log_n == t.log.c.n).distinct()
        logs = self.connection.execute(query.where(t.event.c.doc_n == doc_n)).scalars().all()
        for unit in self.scopes(units, doc):
            for log in sorted(logs):
                self._introduce(unit, log)

    def _introduce(self, unit: str, log: bytes, depth: int = MAX_CHAIN) -> bool:
        """Puts the genesis of a log, and the certificates behind it, before the log's events.

        Returns:
            Whether the proof is complete; while it is not, the next event of the log tries again.
        """
        if (unit, log) in self.introduced or (unit, log) in self.fresh:
            return True
        genesis = self.trust.genesis(log)
        proof = [log]
        is_complete = genesis is not None
        if genesis and genesis.cert:
            issuer = self.trust.issuer_log(genesis.cert)
            is_complete = issuer is not None and depth > 0 and self._introduce(unit, issuer, depth - 1)
            if issuer:
                proof.insert(0, genesis.cert)
        if is_complete:
            self.fresh.add((unit, log))
        found = {row.id: row for row in select_in(self.connection, _SENT, t.event.c.id, proof)}
        for event_id in proof:
            if event_id in found:
                row = found[event_id]
                self._rows.setdefault(unit, {}).setdefault((EVENT, row.n), (row.source, event_id))
        return is_complete

    def _lock(self, unit: str) -> tuple[int, bytes]:
        query = _SCOPE if self.connection.dialect.name == "sqlite" else _SCOPE_LOCKED
        row = self.connection.execute(query, {"of": unit}).first()
        if row is not None:
            return row.n, row.digest
        if self.connection.dialect.name == "sqlite":
            self.connection.execute(sa.insert(t.scope).values(unit=unit, n=0, digest=START))
            return 0, START
        from sqlalchemy.dialects.postgresql import insert

        self.connection.execute(insert(t.scope).values(unit=unit, n=0, digest=START).on_conflict_do_nothing())
        row = self.connection.execute(query, {"of": unit}).one()
        return row.n, row.digest

    def _not_there(
        self, unit: str, wanted: Iterable[tuple[int, int]], new_from: int | None
    ) -> list[tuple[int, int]]:
        """Leaves out what the feed has already."""
        refs = sorted({ref for kind, ref in wanted if new_from is None or kind != EVENT or ref < new_from})
        if not refs:
            return list(wanted)
        query = sa.select(t.feed.c.kind, t.feed.c.ref).where(t.feed.c.unit == unit)
        there = {(row.kind, row.ref) for row in select_in(self.connection, query, t.feed.c.ref, refs)}
        return [key for key in wanted if key not in there]


class Item(NamedTuple):
    """One row of a feed: a frame and the log it belongs to, or acks, a header, or a statement."""

    n: int
    digest: bytes
    kind: int
    payload: Any
    log: bytes


def read(
    connection: sa.Connection,
    unit: str,
    after: int,
    *,
    not_from: int | None,
    max_bytes: int,
    max_rows: int = 2000,
    left_out: Sequence[sa.ColumnElement[bool]] = (),
) -> tuple[list[Item], tuple[int, bytes] | None, bool]:
    """Reads a feed from a cursor on.

    Args:
        connection: Any transaction.
        unit: Whose feed.
        after: Last number that the reader has seen.
        not_from: Leave out what this source delivered itself (its log's local number; ``None`` for nothing).
        max_bytes: Stop after so many bytes of payload, but not before one item.
        max_rows: Rows to look at.
        left_out: Conditions on rows that the reader does not want.

    Returns:
        Items, the cursor ``(n, digest)`` behind them, or ``None`` when nothing moved, and whether there is
        more.
    """
    # Numbers have no gaps, so the last row within reach is found without looking at the others.
    at, reach = t.feed.c, after + max_rows
    window = sa.select(at.n, at.kind, at.ref, at.digest).where(at.unit == unit, at.n > after, at.n <= reach)
    last = connection.execute(window.order_by(at.n.desc()).limit(1)).first()
    if last is None:
        return [], None, False
    wanted = window.where(sa.or_(at.source != not_from, at.kind != EVENT)).order_by(at.n)
    wanted = wanted.where(*map(sa.not_, left_out))
    items: list[Item] = []
    size = 0
    for item in _items(connection, connection.execute(wanted).all()):
        size += _size(item.payload)
        if items and size > max_bytes:
            return items, (items[-1].n, items[-1].digest), True
        items.append(item)
    return items, (last.n, last.digest), last.n == reach


def _items(connection: sa.Connection, rows: Sequence[Any]) -> Iterator[Item]:
    """Yields rows with their payloads, of which no more are read than some that will not be asked for."""
    for i in range(0, len(rows), LOOKUP):
        part = rows[i : i + LOOKUP]
        payloads = _payloads(connection, part)
        for row in part:
            if (row.kind, row.ref) in payloads:
                payload, log = payloads[row.kind, row.ref]
                yield Item(row.n, row.digest, row.kind, payload, log)


def digest_at(connection: sa.Connection, unit: str, n: int) -> bytes | None:
    """Returns the running digest of a feed at a number; ``None`` when the feed never got there."""
    if n == 0:
        return START
    return connection.execute(
        sa.select(t.feed.c.digest).where(t.feed.c.unit == unit, t.feed.c.n == n)
    ).scalar()


def _payloads(connection: sa.Connection, rows: Sequence[Any]) -> dict[tuple[int, int], tuple[Any, bytes]]:
    events = [row.ref for row in rows if row.kind == EVENT]
    found: dict[tuple[int, int], tuple[Any, bytes]] = {
        (EVENT, n): ([header, signature, body], log)
        for n, header, signature, body, log in select_in(connection, _FRAMES, t.event.c.n, events)
    }
    for kind, table, query in _SAID:
        refs = [row.ref for row in rows if row.kind == kind]
        for n, data in select_in(connection, query, table.c.n, refs):
            found[kind, n] = (data, b"")
    headers = [row.ref for row in rows if row.kind == HEADER]
    for n, header in select_in(connection, _BONES, t.skeleton.c.n, headers):
        found[HEADER, n] = (header, b"")
    return found


def _size(payload: Any) -> int:
    return len(payload) if isinstance(payload, bytes) else sum(len(part or b"") for part in payload) + 8


_SCOPE = sa.select(t.scope.c.n, t.scope.c.digest).where(t.scope.c.unit == sa.bindparam("of"))
_SCOPE_LOCKED = _SCOPE.with_for_update()
_SENT = sa.select(t.event.c.id, t.event.c.n, t.event.c.source)
_SENT_OF = (
    sa.select(t.event.c.n, t.event.c.id, t.event.c.source, t.log.c.id.label("log"))
    .join(t.log, t.log.c.n == t.event.c.log_n)
    .where(t.event.c.doc_n == sa.bindparam("of"))
    .order_by(t.event.c.n)
)
_FRAMES = sa.select(
    t.event.c.n, t.event.c.header, t.event.c.signature, t.event.c.body, t.log.c.id.label("log")
).join(t.log, t.log.c.n == t.event.c.log_n)
_SAID = tuple(
    (kind, table, sa.select(table.c.n, table.c.data))
    for kind, table in ((ACKS, t.acks), (STATEMENT, t.statement))
)
_BONES = sa.select(t.skeleton.c.n, t.skeleton.c.header)
_RAISE = (
    sa.update(t.scope)
    .where(t.scope.c.unit == sa.bindparam("at"))
    .values(n=sa.bindparam("to_n"), digest=sa.bindparam("to_digest"))
)
