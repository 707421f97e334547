"""Documents as they are stored: folded by new events, folded again, listed, and woken from waiting.

Documents are locked in sorted order before they are folded, so that two processes on one PostgreSQL never
overwrite each other's fold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from onestop_sync import fold as f
from onestop_sync.event import LOG, Event, document_id
from onestop_sync.fold import Author, Entry, Reason, Standing, State
from onestop_sync.schema import DocumentType, Summary
from onestop_sync.storage import tables as t
from onestop_sync.storage.arrive import Outcome
from onestop_sync.storage.engines import next_numbers
from onestop_sync.storage.projection import pack, unpack
from onestop_sync.storage.rows import ops_of, select_in, stored_event
from onestop_sync.trust import CERTIFICATE, Authority, NoAuthority, Trust

KNOWN_OPS: Final = frozenset({"set", "note", "act", "resolve", "settle"})
"""Kinds of operations that this version folds; an event with another waits for a newer program."""
NEWER: Final = b"newer"
"""What an event needs that only a newer program understands."""
_NOBODY: Final = Author("", frozenset(), frozenset())


class Doc:
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


class Documents:
    """The documents of one transaction.

    Args:
        connection: In a write transaction.
        types: Document types by name.
        trust: What is known of keys.
        now_ms: The store's clock.
    """

    def __init__(
        self, connection: sa.Connection, types: Mapping[str, DocumentType], trust: Trust, now_ms: int
    ) -> None:
        self.connection = connection
        self.types = types
        self.trust = trust
        self.now_ms = now_ms
        self.docs: dict[bytes, Doc] = {}
        self.woken: list[Doc] = []
        self.outcomes: dict[bytes, Outcome] = {}

    def load(self, events: Sequence[Event]) -> None:
        """Loads and locks the documents of events; those that are not here begin."""
        wanted = {event.header.doc_id: event.header.doc_type for event in events}
        ids = sorted(wanted)
        for row in select_in(self.connection, sa.select(t.document), t.document.c.id, ids, lock=True):
            self.docs[row.id] = Doc(row.n, row.id, row.kind, row.state, is_new=False)
        fresh = [doc_id for doc_id in ids if doc_id not in self.docs]
        if fresh:
            first = next_numbers(self.connection, t.document, len(fresh))
            for n, doc_id in enumerate(fresh, first):
                self.docs[doc_id] = Doc(n, doc_id, wanted[doc_id], None, is_new=True)

    def load_all(self, doc_ids: Iterable[bytes]) -> list[Doc]:
        """Loads and locks documents by id."""
        rows = select_in(self.connection, sa.select(t.document), t.document.c.id, sorted(doc_ids), lock=True)
        return [self._take(row) for row in rows]

    def _take(self, row: Any) -> Doc:
        doc = self.docs.get(row.id)
        if doc is None:
            doc = self.docs[row.id] = Doc(row.n, row.id, row.kind, row.state, is_new=False)
        return doc

    # ---- folding

    def apply(self, doc: Doc) -> bool:
        """Carries a document on by its new events; false when it must be folded again."""
        if doc.kind in {LOG, CERTIFICATE}:
            for n, event in doc.events:
                self._wait_or_not(doc, n, event)
            return True
        kind = self.types.get(doc.kind)
        if kind is None:
            for n, event in doc.events:
                doc.waits[n] = NEWER
                self.outcomes[event.id] = Outcome(event.id, "waiting", "newer")
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
            self.outcomes[event.id] = Outcome(event.id, "refused" if reason else "", reason or "")
        return True

    def _wait_or_not(self, doc: Doc, n: int, event: Event) -> None:
        authority = self.trust.authority(event.log)
        if isinstance(authority, Authority):
            self.outcomes[event.id] = Outcome(event.id)
        elif isinstance(authority, NoAuthority):
            self.outcomes[event.id] = Outcome(event.id, "refused", authority.why)
        else:
            doc.waits[n] = authority.needs
            self.outcomes[event.id] = Outcome(event.id, "waiting", Reason.AUTHORITY)

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

    def refold(self, doc: Doc) -> None:
        """Folds a document from all its events; tells whose standing changed after the fact."""
        kind = self.types.get(doc.kind)
        rows = self.connection.execute(_EVENTS_OF, {"doc": doc.n}).all()
        events = {row.id: (row.n, stored_event(row)) for row in rows}
        self.connection.execute(sa.delete(t.needs).where(t.needs.c.doc_n == doc.n))
        doc.waits = {}
        if kind is None:
            for n, event in events.values():
                if doc.kind in {LOG, CERTIFICATE}:
                    self._wait_or_not(doc, n, event)
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
            self.outcomes[entry.id] = Outcome(entry.id, "refused" if reason else "", reason or "")
        for event_id, need in waits.items():
            self.outcomes[event_id] = Outcome(event_id, "waiting", _need_name(need))
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

    def _mark_waiting(self, doc: Doc, numbers: list[int]) -> None:
        if numbers:
            waiting = sorted(doc.waits)
            self.connection.execute(
                sa.update(t.event)
                .where(t.event.c.doc_n == doc.n)
                .values(waiting=sa.case((t.event.c.n.in_(waiting), 1), else_=0) if waiting else 0)
            )

    def _notice(
        self, kind: DocumentType, doc: Doc, before: State, entries: Sequence[tuple[int, Entry]]
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

    def wake(self, ids: Sequence[bytes]) -> None:
        """Folds the documents again that waited for what has just arrived."""
        if self.connection.execute(sa.select(t.needs.c.event_n).limit(1)).first() is None:
            return
        found = self._that_need(ids)
        woken: set[int] = set()
        while found - woken:
            numbers = sorted(found - woken)
            woken |= found
            for row in select_in(self.connection, sa.select(t.document), t.document.c.n, numbers, lock=True):
                doc = self._take(row)
                self.refold(doc)
                self.woken.append(doc)
            # A certificate that counts now may free what its holders certified and wrote.
            freed = self._freed(numbers)
            found |= self._that_need(freed)

    def _that_need(self, ids: Sequence[bytes]) -> set[int]:
        rows = select_in(self.connection, sa.select(t.needs.c.doc_n), t.needs.c.needs, ids)
        return {row.doc_n for row in rows}

    def _freed(self, doc_numbers: Sequence[int]) -> list[bytes]:
        rows = select_in(
            self.connection,
            sa.select(t.event.c.id).where(t.event.c.waiting == 0),
            t.event.c.doc_n,
            doc_numbers,
        )
        return [row.id for row in rows]

    # ---- saving

    def save(self) -> None:
        """Writes the documents back, what their events wait for, and their lines in the lists."""
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


_INSERT_DOCUMENT = sa.insert(t.document)
_UPDATE_DOCUMENT = (
    sa.update(t.document).where(t.document.c.n == sa.bindparam("at")).values(state=sa.bindparam("to_state"))
)
_INSERT_LISTING = sa.insert(t.listing)
_INSERT_SEARCH = sa.insert(t.search)
_DELETE_LISTING = sa.delete(t.listing).where(t.listing.c.doc_n == sa.bindparam("at"))
_DELETE_SEARCH = sa.delete(t.search).where(t.search.c.doc_n == sa.bindparam("at"))
_EVENTS_OF = sa.select(t.event).where(t.event.c.doc_n == sa.bindparam("doc")).order_by(t.event.c.n)


def _need_name(need: bytes) -> str:
    return "newer" if need == NEWER else "authority" if not need else "missing"
