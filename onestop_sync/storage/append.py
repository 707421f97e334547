"""Events into a store: chain, fold, listing, feed, all in the caller's transaction.

One `Append` is one transaction's worth. Documents are locked in sorted order before they are folded, so
that two processes on one PostgreSQL never overwrite each other's fold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from onestop_sync import fold as f
from onestop_sync.errors import FormatError
from onestop_sync.event import LOG, Event, Op, document_id, parse_body, parse_header
from onestop_sync.fold import Author, Entry, Reason, Standing, State
from onestop_sync.schema import DocumentType, Summary
from onestop_sync.storage import tables as t
from onestop_sync.storage.arrive import Outcome
from onestop_sync.storage.engines import next_numbers
from onestop_sync.storage.feed import START, Feed
from onestop_sync.storage.projection import pack, unpack
from onestop_sync.trust import CERTIFICATE, Authority, NoAuthority, Trust

KNOWN_OPS = frozenset({"set", "note", "act", "resolve", "settle"})
"""Kinds of operations that this version folds; an event with another waits for a newer program."""
NEWER = b"newer"
"""What an event needs that only a newer program understands."""
_NOBODY = Author("", frozenset(), frozenset())
_LOOKUP = 500
"""Values in one IN list."""


class Log(NamedTuple):
    """A row of the table of logs."""

    n: int
    id: bytes
    key: bytes
    unit: str
    epoch: int
    seq: int
    head: bytes
    upward: int
    own: int
    closed: int
    broken: int
    forked: int


class _Doc:
    """One document of this transaction: what is stored, and what is new."""

    __slots__ = ("events", "id", "is_new", "kind", "n", "packed", "state", "units_before", "waits", "was_new")

    def __init__(self, n: int, doc_id: bytes, kind: str, state: bytes | None, *, is_new: bool) -> None:
        self.n = n
        self.id = doc_id
        self.kind = kind
        self.packed = state
        self.state = unpack(state) if state else None
        self.is_new = is_new
        self.was_new = is_new
        self.events: list[tuple[int, Event]] = []
        self.units_before = list(self.state.units) if self.state else []
        self.waits: dict[int, bytes] = {}


class Append:
    """Appends verified events.

    Args:
        connection: In a write transaction.
        types: Document types by name.
        trust: What is known of keys; it is told of new logs and certificates.
        below: Units whose events go up to our parents.
        feed: The feeds to append to; ``None`` where nobody is served.
        now_ms: The store's clock.
        taught: Called when `trust` was told something.
    """

    def __init__(
        self,
        connection: sa.Connection,
        *,
        types: Mapping[str, DocumentType],
        trust: Trust,
        below: set[str],
        feed: Feed | None,
        now_ms: int,
        taught: Callable[[], None],
    ) -> None:
        self.taught = taught
        self.connection = connection
        self.types = types
        self.trust = trust
        self.below = below
        self.feed = feed
        self.now_ms = now_ms
        self.docs: dict[bytes, _Doc] = {}
        self.woken: list[_Doc] = []
        self.logs: dict[bytes, Log] = {}
        self.forked: list[bytes] = []

    def run(self, events: Sequence[Event], source: int, *, own: bool = False) -> dict[bytes, Outcome]:
        """Appends events that are not in the store; returns what became of each.

        Args:
            events: Verified, each log in order of sequence.
            source: Local number of the deliverer's log, 0 for this machine.
            own: Whether this machine wrote them.
        """
        events = self._without_known(events)
        if not events:
            return {}
        for event in events:
            if event.is_genesis or event.header.doc_type == CERTIFICATE:
                self._teach(event)
        self._load_logs(events, own=own)
        self._load_docs(events)
        first = next_numbers(self.connection, t.event, len(events))
        numbered = list(enumerate(events, first))
        chained = {n: self._chain(event) for n, event in numbered}
        for n, event in numbered:
            self.docs[event.header.doc_id].events.append((n, event))
        outcomes: dict[bytes, Outcome] = {}
        again = [doc for doc in self.docs.values() if not self._apply_new(doc, outcomes)]
        self._insert_events(numbered, chained, source)
        for doc in again:
            self._refold(doc, outcomes)
        self._wake([event.id for event in events])
        self._save_docs()
        self._save_logs()
        self._good_acks(events)
        if self.feed is not None:
            self._publish(numbered, source)
        return outcomes

    def refold(self, doc_ids: Iterable[bytes]) -> None:
        """Folds documents again from their events."""
        rows = _in(self.connection, sa.select(t.document), t.document.c.id, sorted(doc_ids))
        for row in rows:
            doc = self.docs[row.id] = _Doc(row.n, row.id, row.kind, row.state, is_new=False)
            self._refold(doc, {})
        self._save_docs()
        if self.feed is not None:
            self._publish([], 0)

    # ---- what is here

    def _without_known(self, events: Sequence[Event]) -> list[Event]:
        ids = [event.id for event in events]
        known = {row.id for row in _in(self.connection, sa.select(t.event.c.id), t.event.c.id, ids)}
        return [event for event in events if event.id not in known]

    def _teach(self, event: Event) -> None:
        try:
            self.trust.add(event)
        except FormatError:
            return  # kept and forwarded, without effect
        self.taught()

    def _load_logs(self, events: Sequence[Event], *, own: bool) -> None:
        ids = sorted({event.log for event in events})
        for row in _in(self.connection, sa.select(t.log), t.log.c.id, ids, lock=True):
            self.logs[row.id] = Log(*row)
        fresh = [event for event in events if event.is_genesis]
        if not fresh:
            return
        first = next_numbers(self.connection, t.log, len(fresh))
        for n, event in enumerate(fresh, first):
            genesis = self.trust.genesis(event.id)
            if genesis is None:
                raise FormatError("A log begins with something that is not a genesis.")
            upward = int(genesis.unit in self.below)
            self.logs[event.id] = Log(
                n, event.id, genesis.key, genesis.unit, genesis.epoch, -1, b"", upward, int(own), 0, 0, 0
            )
        rows = [self.logs[event.id]._asdict() for event in fresh]
        self.connection.execute(sa.insert(t.log), rows)

    def _load_docs(self, events: Sequence[Event]) -> None:
        wanted = {event.header.doc_id: event.header.doc_type for event in events}
        ids = sorted(wanted)
        for row in _in(self.connection, sa.select(t.document), t.document.c.id, ids, lock=True):
            self.docs[row.id] = _Doc(row.n, row.id, row.kind, row.state, is_new=False)
        fresh = [doc_id for doc_id in ids if doc_id not in self.docs]
        if fresh:
            first = next_numbers(self.connection, t.document, len(fresh))
            for n, doc_id in enumerate(fresh, first):
                self.docs[doc_id] = _Doc(n, doc_id, wanted[doc_id], None, is_new=True)

    # ---- logs

    def _chain(self, event: Event) -> int:
        """Extends the log's unbroken chain by an event, or notes that it does not fit there."""
        log = self.logs[event.log]
        header = event.header
        if header.seq == log.seq + 1 and header.prev == log.head:
            self.logs[event.log] = log._replace(seq=header.seq, head=event.id)
            return 1
        if header.seq <= log.seq:
            self.forked.append(event.log)
            self.logs[event.log] = log._replace(broken=1, forked=1)
        else:
            self.logs[event.log] = log._replace(broken=1)
        return 0

    def _save_logs(self) -> None:
        self.logs = {log_id: self._joined(log) for log_id, log in self.logs.items()}
        if any(log.own and log.forked and not log.closed for log in self.logs.values()):
            close_own_logs(self.connection)
            self.logs = {log_id: log._replace(closed=log.own) for log_id, log in self.logs.items()}
        rows = [
            {"at": log.n, "to_seq": log.seq, "to_head": log.head, "is_broken": log.broken,
             "is_forked": log.forked, "is_closed": log.closed}
            for log in self.logs.values()
        ]  # fmt: skip
        if rows:
            self.connection.execute(_UPDATE_LOG, rows)

    def _joined(self, log: Log) -> Log:
        """Takes events into the chain that had come before the ones they follow."""
        if not log.broken:
            return log
        while True:
            found = self.connection.execute(
                sa.select(t.event.c.n, t.event.c.id, t.event.c.header).where(
                    t.event.c.log_n == log.n, t.event.c.seq == log.seq + 1, t.event.c.chained == 0
                )
            ).all()
            after = [row for row in found if parse_header(row.header).prev == log.head]
            if not after:
                break
            row = min(after, key=lambda r: r.id)
            self.connection.execute(sa.update(t.event).where(t.event.c.n == row.n).values(chained=1))
            log = log._replace(seq=log.seq + 1, head=row.id)
        off = (
            self.connection.execute(
                sa.select(t.event.c.seq).where(t.event.c.log_n == log.n, t.event.c.chained == 0)
            )
            .scalars()
            .all()
        )
        forked = log.forked or any(seq <= log.seq for seq in off) or len(set(off)) < len(off)
        return log._replace(broken=int(bool(off)), forked=int(forked))

    def _good_acks(self, events: Sequence[Event]) -> None:
        """Marks acks that had come before the events they speak of."""
        logs = [self.logs[log].n for log in {event.log for event in events}]
        for row in _in(self.connection, sa.select(t.ack).where(t.ack.c.good == 0), t.ack.c.log_n, logs):
            good = self.connection.execute(
                sa.select(t.event.c.n).where(
                    t.event.c.log_n == row.log_n, t.event.c.seq == row.seq, t.event.c.id == row.head,
                    t.event.c.chained == 1,
                )
            ).first()  # fmt: skip
            if good:
                self.connection.execute(
                    sa.update(t.ack)
                    .where(t.ack.c.node == row.node, t.ack.c.log_n == row.log_n)
                    .values(good=1)
                )

    # ---- documents

    def _apply_new(self, doc: _Doc, outcomes: dict[bytes, Outcome]) -> bool:
        """Carries a document on by its new events; false when it must be folded again."""
        if doc.kind in {LOG, CERTIFICATE}:
            for n, event in doc.events:
                self._wait_or_not(doc, n, event, outcomes)
            return True
        kind = self.types.get(doc.kind)
        if kind is None:
            for n, event in doc.events:
                doc.waits[n] = NEWER
                outcomes[event.id] = Outcome(event.id, "waiting", "newer")
            return True
        for _, event in doc.events:
            entry = self._entry(kind, event)
            heads = doc.state.heads if doc.state else []
            if not isinstance(entry, Entry) or list(entry.parents) != heads:
                return False
            try:
                doc.state = f.apply(kind, doc.state, entry)
            except f.NeedsRefold:
                return False
            reason = doc.state.refused.get(event.id)
            outcomes[event.id] = Outcome(event.id, "refused" if reason else "", reason or "")
        return True

    def _wait_or_not(self, doc: _Doc, n: int, event: Event, outcomes: dict[bytes, Outcome]) -> None:
        authority = self.trust.authority(event.log)
        if isinstance(authority, Authority):
            outcomes[event.id] = Outcome(event.id)
        elif isinstance(authority, NoAuthority):
            outcomes[event.id] = Outcome(event.id, "refused", authority.why)
        else:
            doc.waits[n] = authority.needs
            outcomes[event.id] = Outcome(event.id, "waiting", Reason.AUTHORITY)

    def _entry(self, kind: DocumentType, event: Event) -> Entry | bytes:
        """Returns the event as the fold sees it, or what it waits for."""
        header = event.header
        if header.schema > kind.version:
            return NEWER
        authority = self.trust.authority(event.log)
        refusal: Reason | None = None
        author = _NOBODY
        if isinstance(authority, Authority):
            author = authority.author
            if authority.certificate.kind != "officer":
                refusal = Reason.AUTHORITY
        elif isinstance(authority, NoAuthority):
            refusal = Reason.AUTHORITY
        else:
            return authority.needs
        ops = ops_of(event)
        if ops is None or header.doc_type != kind.name:
            ops, refusal = [], Reason.UNKNOWN
        elif any(op[0] not in KNOWN_OPS for op in ops):
            return NEWER
        if not header.parents and header.doc_id != document_id(event.log, header.seq, header.doc_type):
            refusal = Reason.ORIGIN
        return Entry(event.id, header.parents, ops, author, header.time_ms, refusal)

    def _refold(self, doc: _Doc, outcomes: dict[bytes, Outcome]) -> None:
        """Folds a document from all its events; tells whose standing changed after the fact."""
        kind = self.types.get(doc.kind)
        rows = self.connection.execute(_EVENTS_OF, {"doc": doc.n}).all()
        events = {row.id: (row.n, stored_event(row)) for row in rows}
        self.connection.execute(sa.delete(t.needs).where(t.needs.c.doc_n == doc.n))
        doc.waits = {}
        if kind is None:
            for n, event in events.values():
                if doc.kind in {LOG, CERTIFICATE}:
                    self._wait_or_not(doc, n, event, outcomes)
                else:
                    doc.waits[n] = NEWER
            self._mark_waiting(doc, [n for n, _ in events.values()])
            return
        entries, waits = self._ready(kind, [event for _, event in events.values()])
        before = unpack(doc.packed) if doc.packed else None
        doc.state = f.fold(kind, entries) if entries else None
        doc.waits = {events[event_id][0]: need for event_id, need in waits.items()}
        self._mark_waiting(doc, [n for n, _ in events.values()])
        for entry in entries:
            reason = doc.state.refused.get(entry.id) if doc.state else None
            outcomes[entry.id] = Outcome(entry.id, "refused" if reason else "", reason or "")
        for event_id, need in waits.items():
            outcomes[event_id] = Outcome(event_id, "waiting", _need_name(need))
        if before is not None and doc.state is not None:
            new = {event.id for _, event in doc.events}
            self._notice(kind, doc, before, [(events[e.id][0], e) for e in entries if e.id not in new])

    def _ready(self, kind: DocumentType, events: Sequence[Event]) -> tuple[list[Entry], dict[bytes, bytes]]:
        """Splits events into those that can be folded and those that wait, with what each waits for."""
        ready: dict[bytes, Entry] = {}
        waits: dict[bytes, bytes] = {}
        left: dict[bytes, Entry] = {}
        for event in events:
            entry = self._entry(kind, event)
            if isinstance(entry, Entry):
                left[event.id] = entry
            else:
                waits[event.id] = entry
        moved = True
        while moved:
            now = [entry for entry in left.values() if all(p in ready for p in entry.parents)]
            ready.update((entry.id, entry) for entry in now)
            for entry in now:
                del left[entry.id]
            moved = bool(now)
        for entry in left.values():
            waits[entry.id] = next(p for p in entry.parents if p not in ready)
        return list(ready.values()), waits

    def _mark_waiting(self, doc: _Doc, numbers: list[int]) -> None:
        if numbers:
            waiting = sorted(doc.waits)
            self.connection.execute(
                sa.update(t.event)
                .where(t.event.c.doc_n == doc.n)
                .values(waiting=sa.case((t.event.c.n.in_(waiting), 1), else_=0) if waiting else 0)
            )

    def _notice(
        self, kind: DocumentType, doc: _Doc, before: State, entries: Sequence[tuple[int, Entry]]
    ) -> None:
        """Writes down whose standing changed after it could have been seen: never in silence."""
        rows: list[dict[str, Any]] = []
        for n, entry in entries:
            old = f.standing(kind, before, entry.id, entry.ops)
            new = f.standing(kind, doc.state, entry.id, entry.ops) if doc.state else Standing.WAITING
            if new is not old and {old, new} - {Standing.STANDS, Standing.SUPERSEDED}:
                rows.append({"doc_n": doc.n, "event_n": n, "before": old, "after": new,
                             "at_ms": self.now_ms, "seen": 0})  # fmt: skip
        if rows:
            first = next_numbers(self.connection, t.notice, len(rows))
            self.connection.execute(sa.insert(t.notice), [{"n": n, **r} for n, r in enumerate(rows, first)])

    def _wake(self, ids: Sequence[bytes]) -> None:
        """Folds the documents again that waited for what has just arrived."""
        if self.connection.execute(sa.select(t.needs.c.event_n).limit(1)).first() is None:
            return
        found = {row.doc_n for row in _in(self.connection, sa.select(t.needs.c.doc_n), t.needs.c.needs, ids)}
        woken: set[int] = set()
        while found - woken:
            numbers = sorted(found - woken)
            woken |= found
            for row in _in(self.connection, sa.select(t.document), t.document.c.n, numbers, lock=True):
                doc = self.docs.get(row.id)
                if doc is None:
                    doc = self.docs[row.id] = _Doc(row.n, row.id, row.kind, row.state, is_new=False)
                self._refold(doc, {})
                self.woken.append(doc)
            # A certificate that counts now may free what its holders certified and wrote.
            freed = self._freed(numbers)
            if freed:
                more = _in(self.connection, sa.select(t.needs.c.doc_n), t.needs.c.needs, freed)
                found |= {row.doc_n for row in more} - woken

    def _freed(self, doc_numbers: Sequence[int]) -> list[bytes]:
        rows = _in(
            self.connection,
            sa.select(t.event.c.id).where(t.event.c.waiting == 0),
            t.event.c.doc_n,
            doc_numbers,
        )
        return [row.id for row in rows]

    def _insert_events(
        self, numbered: Sequence[tuple[int, Event]], chained: Mapping[int, int], source: int
    ) -> None:
        rows = []
        for n, event in numbered:
            doc = self.docs[event.header.doc_id]
            rows.append(
                {"n": n, "id": event.id, "log_n": self.logs[event.log].n, "seq": event.header.seq,
                 "doc_n": doc.n, "chained": chained[n], "waiting": int(n in doc.waits), "source": source,
                 "at_ms": self.now_ms, "header": event.header_bytes, "signature": event.signature,
                 "body": event.body}
            )  # fmt: skip
        self.connection.execute(_INSERT_EVENT, rows)

    def _save_docs(self) -> None:
        fresh: list[dict[str, Any]] = []
        old: list[dict[str, Any]] = []
        for doc in self.docs.values():
            state = pack(doc.state) if doc.state else None
            if doc.is_new:
                fresh.append({"n": doc.n, "id": doc.id, "kind": doc.kind, "state": state})
                doc.is_new = False
            else:
                old.append({"at": doc.n, "to_state": state})
        if fresh:
            self.connection.execute(_INSERT_DOCUMENT, fresh)
        if old:
            self.connection.execute(_UPDATE_DOCUMENT, old)
        waits = [
            {"event_n": n, "doc_n": doc.n, "needs": need}
            for doc in self.docs.values()
            for n, need in doc.waits.items()
        ]
        if waits:
            self.connection.execute(
                sa.delete(t.needs).where(t.needs.c.event_n == sa.bindparam("at")),
                [{"at": w["event_n"]} for w in waits],
            )
            self.connection.execute(sa.insert(t.needs), waits)
        self._save_listing({row["n"] for row in fresh})

    def _save_listing(self, fresh: set[int]) -> None:
        rows: list[dict[str, Any]] = []
        texts: list[dict[str, Any]] = []
        for doc in self.docs.values():
            kind = self.types.get(doc.kind)
            if kind is None:
                continue
            state = doc.state or State()
            summary = kind.summarise(state) if kind.summarise and doc.state else Summary()
            rows.append(
                {"doc_n": doc.n, "kind": doc.kind, "label": summary.label, "title": summary.title,
                 "step": summary.step, "unit": state.unit, "due_ms": summary.due_ms,
                 "updated_ms": self.now_ms, "open": len(f.conflicts(kind, state)), "waiting": len(doc.waits)}
            )  # fmt: skip
            texts.append({"doc_n": doc.n, "text": summary.search})
        stale = [{"at": row["doc_n"]} for row in rows if row["doc_n"] not in fresh]
        if stale:
            self.connection.execute(_DELETE_LISTING, stale)
            self.connection.execute(_DELETE_SEARCH, stale)
        if rows:
            self.connection.execute(_INSERT_LISTING, rows)
            self.connection.execute(_INSERT_SEARCH, texts)

    # ---- feeds

    def _publish(self, numbered: Sequence[tuple[int, Event]], source: int) -> None:
        """Appends events to the feeds of the units that may see them."""
        feed = self.feed
        if feed is None:
            return
        for doc in self.docs.values():
            grown = set(doc.state.units if doc.state else ()) - set(doc.units_before)
            if grown and not doc.was_new:
                feed.backfill(doc.n, grown)
        for doc in self.woken:
            feed.introduce(doc.n, doc.state.units if doc.state else ())
        for n, event in numbered:
            doc = self.docs[event.header.doc_id]
            feed.add(n, event.id, event.log, self._audience(doc, event), source)
        feed.flush()

    def _audience(self, doc: _Doc, event: Event) -> set[str]:
        units = {self.logs[event.log].unit}
        if doc.state is not None:
            units.update(doc.state.units)
        certificate = self.trust.certificate(event.id)
        if certificate is not None:
            units.add(certificate.unit)
        return units


_UPDATE_LOG = (
    sa.update(t.log)
    .where(t.log.c.n == sa.bindparam("at"))
    .values(
        seq=sa.bindparam("to_seq"),
        head=sa.bindparam("to_head"),
        broken=sa.bindparam("is_broken"),
        forked=sa.bindparam("is_forked"),
        closed=sa.bindparam("is_closed"),
    )
)
_INSERT_EVENT = sa.insert(t.event)
_INSERT_DOCUMENT = sa.insert(t.document)
_UPDATE_DOCUMENT = (
    sa.update(t.document).where(t.document.c.n == sa.bindparam("at")).values(state=sa.bindparam("to_state"))
)
_INSERT_LISTING = sa.insert(t.listing)
_INSERT_SEARCH = sa.insert(t.search)
_DELETE_LISTING = sa.delete(t.listing).where(t.listing.c.doc_n == sa.bindparam("at"))
_DELETE_SEARCH = sa.delete(t.search).where(t.search.c.doc_n == sa.bindparam("at"))
_EVENTS_OF = sa.select(t.event).where(t.event.c.doc_n == sa.bindparam("doc")).order_by(t.event.c.n)


def _in(
    connection: sa.Connection,
    query: Any,
    column: Any,
    values: Sequence[Any],
    *,
    lock: bool = False,
) -> list[Any]:
    """Runs a query for many values, some hundred at a time, in the order of ``values``."""
    found: list[Any] = []
    for i in range(0, len(values), _LOOKUP):
        part = query.where(column.in_(values[i : i + _LOOKUP]))
        if lock and connection.dialect.name != "sqlite":
            part = part.order_by(column).with_for_update()
        found.extend(connection.execute(part).all())
    return found


def stored_event(row: Any) -> Event:
    """Returns the event that a row of t.event holds."""
    return Event(row.id, parse_header(row.header), row.header, row.signature, row.body)


def close_own_logs(connection: sa.Connection) -> None:
    """Closes all logs that this machine writes, and forgets its parents' cursors.

    After a restore, or when a copy of this disk turned up: every key goes on in a new epoch, and what was
    left out of our feed because a copy of us had brought it is asked for again.
    """
    connection.execute(sa.update(t.log).where(t.log.c.own == 1).values(closed=1))
    connection.execute(sa.update(t.parent).values(epoch=b"", n=0, digest=START, nonce=b""))


def ops_of(event: Event) -> list[Op] | None:
    """Returns an event's operations; ``None`` when its body is not here or malformed."""
    if event.body is None:
        return None
    try:
        return parse_body(event.body)
    except FormatError:
        return None


def _need_name(need: bytes) -> str:
    return "newer" if need == NEWER else "authority" if not need else "missing"
