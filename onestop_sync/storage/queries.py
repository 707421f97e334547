"""What screens, commands and reports read from a store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple

import sqlalchemy as sa

from onestop_sync import fold as f
from onestop_sync.entries import ops_of
from onestop_sync.event import Event, Op
from onestop_sync.fold import Standing, State
from onestop_sync.schema import DocumentType
from onestop_sync.search_text import fold_text
from onestop_sync.storage import outbox
from onestop_sync.storage import tables as t
from onestop_sync.storage.projection import unpack
from onestop_sync.storage.rows import stored_event
from onestop_sync.tombstone import Tombstone
from onestop_sync.trust import Authority, NoAuthority, Trust, Waiting

LEVELS = ("here", "hub", "district", "province")
"""How far an event can have got, in order."""

Only = Literal["", "conflict", "waiting", "unsent", "overdue"]
Order = Literal["new", "due"]


class Row(NamedTuple):
    """One line of a list.

    Attributes:
        doc: Document id.
        label: What people call it by.
        title: One line.
        step: Step of the main task.
        unit: Unit that created it.
        due_ms: When it is due, or ``None``.
        updated_ms: When this store last changed it.
        conflicts: How many things a person must settle.
        waiting: How many of its events wait for something.
        key: Where this line is in its list: give the last line's as ``after``.
    """

    doc: bytes
    label: str
    title: str
    step: str
    unit: str
    due_ms: int | None
    updated_ms: int
    conflicts: int
    waiting: int
    key: tuple[int, int]


class Delivery(NamedTuple):
    """How far an event has got.

    Attributes:
        level: ``here``, ``hub``, ``district`` or ``province``: the highest that has acknowledged it.
        nodes: Logs of the machines that have.
    """

    level: str
    nodes: tuple[bytes, ...]


class Record(NamedTuple):
    """One event of a document's history.

    Attributes:
        event: The event.
        ops: Its operations; empty when its body is not here.
        author: By which authority; ``None`` when that is not known here.
        standing: What became of it.
        reason: Why it is refused, or for what it waits.
        delivery: How far it has got.
    """

    event: Event
    ops: tuple[Op, ...]
    author: Authority | None
    standing: Standing
    reason: str
    delivery: Delivery


class Notice(NamedTuple):
    """A change of standing after the fact.

    Attributes:
        n: Number to mark it as seen.
        doc: Document.
        event: Event whose standing changed.
        before: Standing before.
        after: Standing after.
        at_ms: When this store noticed.
    """

    n: int
    doc: bytes
    event: bytes
    before: Standing
    after: Standing
    at_ms: int


def page(  # noqa: PLR0913 - each is a filter
    connection: sa.Connection,
    kind: str,
    *,
    after: tuple[int, int] | None,
    limit: int,
    text: str,
    step: str,
    only: Only,
    order: Order,
    now_ms: int,
    is_by_label: bool = False,
) -> list[Row]:
    """Returns one page of a list, by key; see `Store.page`."""
    at = t.listing.c
    where: list[sa.ColumnElement[bool]] = []
    if step:
        where.append(at.step == step)
    if only == "conflict":
        where.append(t.is_open)
    elif only == "waiting":
        where.append(t.is_waiting)
    elif only == "overdue":
        # In the order of due dates by their index; else whatever comes first is overdue or not.
        where.append((t.due_key if order == "due" else at.due_ms) < now_ms)
    holds: list[sa.ColumnElement[bool]] = []
    if is_by_label:
        where += [at.label.ilike(f"%{_escaped(word)}%", escape="\\") for word in text.split()]
    else:
        holds = [_holds(connection, word) for word in fold_text(text).split()]

    def lines(*more: sa.ColumnElement[bool]) -> sa.Select[tuple[int]]:
        if order == "due":
            return _by_due(kind, [*where, *more], holds, after)
        return _found(kind, [*where, *more], holds, after) if holds else _newest(kind, [*where, *more], after)

    if only == "unsent":
        return _unsent(connection, lines, limit, order)
    return _rows(connection, lines().limit(limit), limit, order)


_MANY: Final = 1000
"""Unsent events: with fewer it takes no time to collect the documents of them all."""


def _unsent(
    connection: sa.Connection, lines: Callable[..., sa.Select[tuple[int]]], limit: int, order: Order
) -> list[Row]:
    """Returns the lines of which something is unsent.

    Where much is unsent, most of the next lines are: these are looked at one by one first, twice as many as
    are wanted. Only when that does not fill the page, all that is unsent is collected.
    """
    if outbox.has_many_unsent(connection, _MANY):
        near = lines().limit(2 * limit).subquery()
        walk = sa.select(near.c.doc_n).where(outbox.is_unsent(near.c.doc_n))
        rows = _rows(connection, walk, limit, order)
        if len(rows) == limit:
            return rows
    every = t.listing.c.doc_n.in_(outbox.unsent_documents())
    return _rows(connection, lines(every).limit(limit), limit, order)


def _rows(connection: sa.Connection, wanted: sa.Select[tuple[int]], limit: int, order: Order) -> list[Row]:
    """Returns what lines show, in order.

    First which lines, from one narrow table or index each, then what they show: a database that is left to
    join and sort at once reads everything, before it knows its own statistics.
    """
    at, lines = t.listing.c, wanted.subquery()
    query = (
        sa.select(t.listing, t.due_key.label("due_key"), t.document.c.id.label("doc"))
        .join(lines, lines.c.doc_n == at.doc_n)
        .join(t.document, t.document.c.n == at.doc_n)
    )
    by = (at.doc_n.desc(),) if order == "new" else (t.due_key, at.doc_n)
    rows = connection.execute(query.order_by(*by).limit(limit)).all()
    return [
        Row(
            r.doc,
            r.label,
            r.title,
            r.step,
            r.unit,
            r.due_ms,
            r.updated_ms,
            r.open,
            r.waiting,
            (r.due_key, r.doc_n),
        )
        for r in rows
    ]


_Conditions = list[sa.ColumnElement[bool]]
_Key = tuple[int, int] | None


def _newest(kind: str, where: _Conditions, after: _Key) -> sa.Select[tuple[int]]:
    at = t.listing.c
    query = sa.select(at.doc_n).where(at.kind == kind, *where).order_by(at.doc_n.desc())
    return query.where(at.doc_n < after[1]) if after else query


def _by_due(kind: str, where: _Conditions, holds: _Conditions, after: _Key) -> sa.Select[tuple[int]]:
    at = t.listing.c
    query = sa.select(at.doc_n).where(at.kind == kind, *where).order_by(t.due_key, at.doc_n)
    if holds:
        query = query.where(at.doc_n.in_(sa.select(t.search.c.doc_n).where(*holds)))
    return query.where(sa.tuple_(t.due_key, at.doc_n) > sa.tuple_(*after)) if after else query


def _found(kind: str, where: _Conditions, holds: _Conditions, after: _Key) -> sa.Select[tuple[int]]:
    """Returns the newest first, and looks no further than the last line wanted."""
    at = t.search.c
    query = sa.select(at.doc_n).where(at.kind == kind, *holds).order_by(at.doc_n.desc())
    if where:
        query = query.where(sa.exists().where(t.listing.c.doc_n == at.doc_n, *where))
    return query.where(at.doc_n < after[1]) if after else query


def _holds(connection: sa.Connection, word: str) -> sa.ColumnElement[bool]:
    """Returns the condition that a document's text holds a word, or a part of one."""
    if connection.dialect.name == "postgresql":
        return sa.func.strpos(t.search.c.text, word) > 0  # takes half as long there
    return t.search.c.text.like(f"%{_escaped(word)}%", escape="\\")


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


class Levels:
    """Knows which level a node is at.

    Args:
        trust: Knows the nodes' certificates and the tree.
        unit: This store's unit.
    """

    def __init__(self, trust: Trust, unit: str) -> None:
        self._trust = trust
        self._unit = unit

    def of(self, node: bytes) -> str:
        """Returns the level of a node; ``here`` for one whose authority is not known."""
        authority = self._trust.authority(node)
        if not isinstance(authority, Authority):
            return "here"
        unit = self._trust.document.units.get(authority.certificate.unit)
        if unit is None:
            return "here"
        return "hub" if self._is_ours(unit.id) and unit.level not in LEVELS else unit.level

    def _is_ours(self, unit: str) -> bool:
        """Tells whether a unit is this store's, its successor, or one that it succeeds.

        After a merger hub and machines go on in the new unit one after the other.
        """
        tree = self._trust.document.tree
        return unit == self._unit or unit in tree.heirs(self._unit) or self._unit in tree.heirs(unit)

    def came_from(self, log: bytes) -> str:
        """Returns the level from which a log's events come down to us; ``here`` for those of our own units.

        What another unit wrote has passed the nearest unit above both, so it has got that far at least.
        """
        authority = self._trust.authority(log)
        if not isinstance(authority, Authority):
            return "here"
        document, author = self._trust.document, authority.certificate.unit
        if document.tree.is_wholly_over(self._unit, author):
            return "here"
        above = (unit for unit in document.above(self._unit) if document.is_above(unit, author))
        return next((document.units[unit].level for unit in above), "here")

    def delivery(self, nodes: list[bytes], log: bytes) -> Delivery:
        """Returns how far an event of ``log`` has got that ``nodes`` have acknowledged."""
        reached = [self.came_from(log), *map(self.of, nodes)]
        known = [level for level in reached if level in LEVELS]
        return Delivery(max(known, key=LEVELS.index, default="here"), tuple(nodes))


def history(
    connection: sa.Connection, doc_id: bytes, types: Mapping[str, DocumentType], trust: Trust, levels: Levels
) -> list[Record]:
    """Returns all events of a document in the order in which they came here; empty for an unknown one."""
    document = connection.execute(sa.select(t.document).where(t.document.c.id == doc_id)).first()
    if document is None:
        return []
    if document.tombstone is not None:
        return _history_of_erased(connection, document, trust, levels)
    kind = types.get(document.kind)
    state = unpack(document.state) if document.state else State()
    needs = {
        row.event_n: row.needs
        for row in connection.execute(sa.select(t.needs).where(t.needs.c.doc_n == document.n))
    }
    rows = connection.execute(
        sa.select(t.event).where(t.event.c.doc_n == document.n).order_by(t.event.c.n)
    ).all()
    return [_record(connection, row, kind, state, needs, trust, levels) for row in rows]


def _history_of_erased(
    connection: sa.Connection, document: Any, trust: Trust, levels: Levels
) -> list[Record]:
    tombstone = Tombstone.from_bytes(document.tombstone)
    found: list[Record] = []
    for row in connection.execute(
        sa.select(t.event).where(t.event.c.doc_n == document.n).order_by(t.event.c.n)
    ):
        event = stored_event(row)
        authority = trust.authority(event.log)
        nodes = outbox.nodes_having(connection, row.n, row.log_n, row.seq, row.chained)
        author = authority if isinstance(authority, Authority) else None
        became = tombstone.became(event.id)
        delivery = levels.delivery(nodes, event.log)
        found.append(Record(event, (), author, became.standing, became.reason, delivery))
    return found


def _record(
    connection: sa.Connection,
    row: Any,
    kind: DocumentType | None,
    state: State,
    needs: Mapping[int, bytes],
    trust: Trust,
    levels: Levels,
) -> Record:
    event = stored_event(row)
    ops = tuple(ops_of(event) or ())
    authority = trust.authority(event.log)
    nodes = outbox.nodes_having(connection, row.n, row.log_n, row.seq, row.chained)
    delivery = levels.delivery(nodes, event.log)
    author = authority if isinstance(authority, Authority) else None
    if row.waiting:
        reason = _waits_for(authority, row.id, needs.get(row.n, b""))
        return Record(event, ops, author, Standing.WAITING, reason, delivery)
    if kind is None:
        standing = Standing.REFUSED if isinstance(authority, NoAuthority) else Standing.STANDS
        why = authority.why if isinstance(authority, NoAuthority) else ""
        return Record(event, ops, author, standing, why, delivery)
    refusal = state.refused.get(event.id)
    return Record(event, ops, author, f.standing(kind, state, event.id, ops), refusal or "", delivery)


def _waits_for(authority: Authority | Waiting | NoAuthority, event: bytes, need: bytes) -> str:
    if need == event:
        return "countersign"  # it lies beyond a cut
    if isinstance(authority, Waiting):
        return "authority"
    return "newer" if need == b"newer" else "missing"


def notices(connection: sa.Connection, *, unseen: bool) -> list[Notice]:
    """Returns changes of standing, oldest first."""
    query = (
        sa.select(t.notice, t.document.c.id.label("doc"), t.event.c.id.label("event"))
        .join(t.document, t.document.c.n == t.notice.c.doc_n)
        .join(t.event, t.event.c.n == t.notice.c.event_n)
        .order_by(t.notice.c.n)
    )
    if unseen:
        query = query.where(t.notice.c.seen == 0)
    return [
        Notice(r.n, r.doc, r.event, Standing(r.before), Standing(r.after), r.at_ms)
        for r in connection.execute(query)
    ]


def fingerprints(connection: sa.Connection, kind: str) -> dict[bytes, bytes]:
    """Returns, for each document of a kind, the SHA-256 of its folded state, or of its tombstone."""
    rows = connection.execute(sa.select(t.document).where(t.document.c.kind == kind))
    return {row.id: hashlib.sha256(row.tombstone or row.state or b"").digest() for row in rows}
