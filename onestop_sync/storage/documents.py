"""Documents as they are stored: folded by new events, folded again, listed, and woken from waiting.

Documents are locked in sorted order before they are folded, so that two processes on one PostgreSQL never
overwrite each other's fold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from onestop_sync import fold as f
from onestop_sync.codec import MAX_INT
from onestop_sync.entries import NEWER, OF_TRUST, entry_of, ready
from onestop_sync.event import Event
from onestop_sync.fold import Entry, Reason, Standing, State
from onestop_sync.schema import DocumentType, Summary, Tally
from onestop_sync.search_text import fold_text
from onestop_sync.storage import findings, summaries
from onestop_sync.storage import tables as t
from onestop_sync.storage.arrive import Outcome
from onestop_sync.storage.engines import next_numbers
from onestop_sync.storage.erasure import note_scrub, strip
from onestop_sync.storage.projection import pack, unpack
from onestop_sync.storage.rows import insert_all, select_in, stored_event
from onestop_sync.tombstone import ERASED, Tombstone
from onestop_sync.trust import Authority, NoAuthority, Trust, Waiting

MAX_LABEL: Final = 200
"""Characters of a label that lists hold: the database keeps them in an index, whose entries are short."""
MAX_COUNT: Final = 2**15 - 1
"""What lists count up to; more open things than that are as many."""


class Doc:
    """One document of this transaction: what is stored, and what is new.

    A folded state lives only while its document is folded: thousands of them at a time would keep the
    garbage collector busier than all else.
    """

    __slots__ = (
        "buried", "events", "id", "is_new", "kind", "line", "n", "packed", "packed_before", "summary",
        "tally", "tombstone", "units", "units_before", "waiting_before", "waits", "was_new",
    )  # fmt: skip

    def __init__(self, n: int, doc_id: bytes, kind: str, state: bytes | None, *, is_new: bool) -> None:
        self.n = n
        self.id = doc_id
        self.kind = kind
        self.packed_before = state
        self.packed: bytes | None = None
        self.is_new = is_new
        self.was_new = is_new
        self.events: list[tuple[int, Event]] = []
        self.units_before: list[str] = []
        self.units: list[str] = []
        self.waits: dict[int, bytes] = {}
        self.waiting_before = 0
        self.line: tuple[Any, ...] = ()
        self.tally: tuple[Any, ...] = ()
        self.tombstone: Tombstone | None = None
        self.buried: bytes | None = None
        self.summary: Any = None

    @property
    def is_summary(self) -> bool:
        """Whether it is known by the province's word alone: its events are not all here."""
        return self.summary is not None and not self.summary.held

    @property
    def is_changed(self) -> bool:
        """Whether it is something else now than what is stored."""
        return self.packed != self.packed_before or bool(self.waits)

    def waits_for(self, ids: Iterable[bytes]) -> bool:
        """Tells whether one of its events waits for one of these."""
        return bool(self.waits) and not set(ids).isdisjoint(self.waits.values())

    def before(self) -> State | None:
        """Returns the state that is stored, if there is one."""
        if self.packed_before is None:
            return None
        state = unpack(self.packed_before)
        self.units_before = list(state.units)
        return state


class Documents:
    """The documents of one transaction.

    Args:
        connection: In a write transaction.
        types: Document types by name.
        trust: What is known of keys.
        now_ms: The store's clock.
        tombstones: Of the documents that were erased.
    """

    def __init__(
        self,
        connection: sa.Connection,
        types: Mapping[str, DocumentType],
        trust: Trust,
        now_ms: int,
        tombstones: Mapping[bytes, Tombstone],
    ) -> None:
        self.tombstones = tombstones
        self.has_stripped = False
        self.connection = connection
        self.types = types
        self.trust = trust
        self.now_ms = now_ms
        self.docs: dict[bytes, Doc] = {}
        self.woken: list[Doc] = []
        self.outcomes: dict[bytes, Outcome] = {}
        self._has_summaries = summaries.has_any(connection)

    def load(self, events: Sequence[Event]) -> None:
        """Loads and locks the documents of events; those that are not here begin."""
        wanted = {event.header.doc_id: event.header.doc_type for event in events}
        ids = sorted(wanted)
        for row in select_in(self.connection, _DOCUMENTS, t.document.c.id, ids, lock=True):
            self.docs[row.id] = self._held(row)
        self._count_waiting()
        fresh = [doc_id for doc_id in ids if doc_id not in self.docs]
        if fresh:
            first = next_numbers(self.connection, t.document, len(fresh))
            for n, doc_id in enumerate(fresh, first):
                self.docs[doc_id] = self._marked(Doc(n, doc_id, wanted[doc_id], None, is_new=True))

    def _count_waiting(self) -> None:
        """Notes of how many earlier events each document waits, for what is carried on without them."""
        if not self.docs or not self._is_anything_waiting():
            return
        by_number = {doc.n: doc for doc in self.docs.values()}
        for row in select_in(self.connection, _NEEDED, t.needs.c.doc_n, sorted(by_number)):
            by_number[row.doc_n].waiting_before = row.many

    def _is_anything_waiting(self) -> bool:
        return self.connection.execute(_ANY_NEED).first() is not None

    def load_all(self, doc_ids: Iterable[bytes]) -> list[Doc]:
        """Loads and locks documents by id."""
        rows = select_in(self.connection, _DOCUMENTS, t.document.c.id, sorted(doc_ids), lock=True)
        return [self._take(row) for row in rows]

    def _take(self, row: Any) -> Doc:
        doc = self.docs.get(row.id)
        if doc is None:
            doc = self.docs[row.id] = self._held(row)
        return doc

    def _held(self, row: Any) -> Doc:
        doc = Doc(row.n, row.id, row.kind, row.state, is_new=False)
        doc.buried = row.tombstone
        return self._marked(doc)

    def _marked(self, doc: Doc) -> Doc:
        """Notes of a document whether it is erased."""
        found = self.tombstones.get(doc.id)
        doc.tombstone = found if found and found.kind == doc.kind and doc.kind not in OF_TRUST else None
        if self._has_summaries and not doc.is_new:
            doc.summary = summaries.row_of(self.connection, doc.n)
        return doc

    def _bury(self, doc: Doc, tombstone: Tombstone, events: Iterable[Event]) -> None:
        """Makes a document what its tombstone says, whatever of it is here."""
        before = doc.before()
        doc.units = list(tombstone.units)
        doc.units_before = before.units if before else list(doc.units)
        doc.packed, doc.buried, doc.waits = None, tombstone.to_bytes(), {}
        label = _column(tombstone.label)[:MAX_LABEL]
        unit = tombstone.units[0] if tombstone.units else ""
        doc.line = (doc.kind, label, "", ERASED, unit, None, self.now_ms, 0, 0, fold_text(label))
        counted = tombstone.tally
        doc.tally = _tally_line(doc.kind, counted) if counted else ()
        for event in events:
            became = tombstone.became(event.id)
            code = "refused" if became.standing is Standing.REFUSED else ""
            self.outcomes[event.id] = Outcome(event.id, code, became.reason)
        if not doc.is_new:
            self.has_stripped |= strip(self.connection, doc.n)
        is_told = doc.is_summary and doc.packed_before is not None
        if findings.forget_content(self.connection, doc.id) or is_told:
            # Known without any event, so there was no body to take away; its content was here all the same.
            note_scrub(self.connection)
            self.has_stripped = True
        self._forget_summary(doc)

    # ---- folding

    def apply(self, doc: Doc) -> bool:
        """Carries a document on by its new events; false when it must be folded again."""
        if doc.kind in OF_TRUST:
            for n, event in doc.events:
                self._wait_or_not(doc, n, event)
            return True
        if doc.tombstone is not None:
            self._bury(doc, doc.tombstone, [event for _, event in doc.events])
            return True
        kind = self.types.get(doc.kind)
        if kind is None:
            for n, event in doc.events:
                doc.waits[n] = NEWER
                self.outcomes[event.id] = Outcome(event.id, "waiting", "newer")
            return True
        if doc.is_summary:
            return False
        state = doc.before()
        for _, event in doc.events:
            entry = entry_of(kind, self.trust, event)
            heads = state.heads if state else []
            if not isinstance(entry, Entry) or list(entry.parents) != heads:
                return False
            try:
                state = f.apply(kind, state, entry)
            except f.NeedsRefold:
                return False
            reason = state.refused.get(event.id)
            self.outcomes[event.id] = Outcome(event.id, "refused" if reason else "", reason or "")
        self._keep(doc, kind, state, doc.waiting_before)
        return True

    def _keep(self, doc: Doc, kind: DocumentType, state: State | None, waiting: int) -> None:
        """Makes of a state what is written of it."""
        doc.packed = pack(state) if state else None
        doc.buried = None
        doc.units = state.units if state else []
        counted = kind.tally(state) if kind.tally and state else None
        doc.tally = _tally_line(doc.kind, counted) if counted else ()
        summary = kind.summarise(state) if kind.summarise and state else Summary()
        found = f.conflicts(kind, state) if state else []
        doc.line = (
            doc.kind, _column(summary.label)[:MAX_LABEL], _column(summary.title), _column(summary.step),
            state.unit if state else "", summary.due_ms, self.now_ms, min(len(found), MAX_COUNT),
            min(waiting, MAX_COUNT), _column(summary.search),
        )  # fmt: skip

    def _wait_or_not(self, doc: Doc, n: int, event: Event) -> None:
        authority = self._authority(event)
        if isinstance(authority, Authority):
            self.outcomes[event.id] = Outcome(event.id)
        elif isinstance(authority, NoAuthority):
            self.outcomes[event.id] = Outcome(event.id, "refused", authority.why)
        else:
            doc.waits[n] = authority.needs
            self.outcomes[event.id] = Outcome(event.id, "waiting", Reason.AUTHORITY)

    def _authority(self, event: Event) -> Authority | Waiting | NoAuthority:
        return self.trust.authority_at(event.log, event.header.seq, event.id)

    def refold(self, doc: Doc) -> None:
        """Folds a document from all its events; tells whose standing changed after the fact."""
        kind = self.types.get(doc.kind)
        rows = self.connection.execute(_EVENTS_OF, {"doc": doc.n}).all()
        events = {row.id: (row.n, stored_event(row)) for row in rows}
        if doc.tombstone is not None:
            self._bury(doc, doc.tombstone, [event for _, event in events.values()])
            return
        waited = {row.n for row in rows if row.waiting}
        self.connection.execute(_DELETE_NEEDS, {"of": doc.n})
        doc.waits = {}
        if kind is None:
            for n, event in events.values():
                if doc.kind in OF_TRUST:
                    self._wait_or_not(doc, n, event)
                else:
                    doc.waits[n] = NEWER
            self._mark_waiting(doc, waited)
            return
        entries, waits = ready(kind, self.trust, [event for _, event in events.values()])
        before = doc.before()
        doc.waits = {events[event_id][0]: need for event_id, need in waits.items()}
        self._mark_waiting(doc, waited)
        if doc.is_summary and not self._has_come(doc, kind, entries):
            self._leave(doc, kind, list(events))
            return
        state = f.fold(kind, entries) if entries else None
        for entry in entries:
            reason = state.refused.get(entry.id) if state else None
            self.outcomes[entry.id] = Outcome(entry.id, "refused" if reason else "", reason or "")
        for event_id, need in waits.items():
            why = self._why_waiting(events[event_id][1], need)
            self.outcomes[event_id] = Outcome(event_id, "waiting", why)
        self._keep(doc, kind, state, len(doc.waits))
        if before is not None and doc.packed_before is not None and state is not None:
            new = {event.id for _, event in doc.events}
            old = [(events[e.id][0], e) for e in entries if e.id not in new]
            self._notice(kind, doc, (before, state), old)

    def _has_come(self, doc: Doc, kind: DocumentType, entries: Sequence[Entry]) -> bool:
        """Tells whether the past of a summarised document is here; it is compared then, and counts alone."""
        told = doc.before()
        past = summaries.past_of(entries, told.heads if told else [])
        if not past:
            return False
        if told is not None:
            folded = f.fold(kind, past)
            summaries.compare(
                self.connection, kind, doc.id, folded, (doc.summary, self.trust.document.version)
            )
        doc.packed_before = None  # nothing of it changed after the fact: it is known only now
        self._forget_summary(doc)
        return True

    def _leave(self, doc: Doc, kind: DocumentType, ids: Sequence[bytes]) -> None:
        """Leaves a document as its summary says, until the events before these are here."""
        for event_id in ids:
            self.outcomes[event_id] = Outcome(event_id, "waiting", "missing")
        if ids:
            summaries.want(self.connection, [doc.n])
        self._keep(doc, kind, doc.before(), len(doc.waits))

    def _forget_summary(self, doc: Doc) -> None:
        if doc.summary is not None:
            summaries.forget(self.connection, [doc.n])
            doc.summary = None

    def place(self, found: Mapping[bytes, summaries.Placed]) -> None:
        """Lists documents as their summaries say, where not as much of them is here; call `save` after it."""
        self._has_summaries = True
        here = {doc.id: doc for doc in self.load_all(found)}
        self._count_waiting()
        fresh = [doc_id for doc_id in sorted(found) if doc_id not in here]
        first = next_numbers(self.connection, t.document, len(fresh)) if fresh else 0
        for n, doc_id in enumerate(fresh, first):
            doc = Doc(n, doc_id, found[doc_id].kind.name, None, is_new=True)
            here[doc_id] = self.docs[doc_id] = self._marked(doc)
        for doc_id, placed in found.items():
            self._place(here[doc_id], placed)

    def _place(self, doc: Doc, placed: summaries.Placed) -> None:
        before = doc.before()
        doc.packed, doc.buried, doc.units = doc.packed_before, None, before.units if before else []
        if doc.tombstone is not None:
            self._bury(doc, doc.tombstone, [])
        elif doc.kind == placed.kind.name and not summaries.is_known(self.connection, doc.n, placed):
            self._forget_summary(doc)
            summaries.keep(self.connection, doc.n, placed)
            if placed.state is not None:
                self._keep(doc, placed.kind, placed.state, doc.waiting_before)

    def _why_waiting(self, event: Event, need: bytes) -> str:
        if isinstance(self._authority(event), Waiting):
            return Reason.AUTHORITY
        return "newer" if need == NEWER else "missing"

    def _mark_waiting(self, doc: Doc, waited: set[int]) -> None:
        """Marks which events wait, where others did before."""
        waiting = sorted(doc.waits)
        if set(waiting) != waited:
            self.connection.execute(_MARK_WAITING, {"of": doc.n, "waiting": waiting})

    def _notice(
        self,
        kind: DocumentType,
        doc: Doc,
        states: tuple[State, State],
        entries: Sequence[tuple[int, Entry]],
    ) -> None:
        """Writes down whose standing changed after it could have been seen: never in silence."""
        rows: list[dict[str, Any]] = []
        for n, entry in entries:
            old, new = (f.standing(kind, state, entry.id, entry.ops) for state in states)
            if new is not old and {old, new} - {Standing.STANDS, Standing.SUPERSEDED}:
                rows.append({"doc_n": doc.n, "event_n": n, "before": old, "after": new,
                             "at_ms": self.now_ms, "seen": 0})  # fmt: skip
        if rows:
            first = next_numbers(self.connection, t.notice, len(rows))
            self.connection.execute(sa.insert(t.notice), [{"n": n, **r} for n, r in enumerate(rows, first)])

    def wake(self, ids: Sequence[bytes]) -> None:
        """Folds the documents again that waited for what has just arrived."""
        if not self._is_anything_waiting():
            return
        found = self._that_need(ids)
        woken: set[int] = set()
        while found - woken:
            numbers = sorted(found - woken)
            woken |= found
            for row in select_in(self.connection, _DOCUMENTS, t.document.c.n, numbers, lock=True):
                doc = self._take(row)
                self.refold(doc)
                self.woken.append(doc)
            # A certificate that counts now may free what its holders certified and wrote.
            freed = self._freed(numbers)
            found |= self._that_need(freed)

    def units_of(self, doc_numbers: Iterable[int]) -> set[str]:
        """Returns the units that take part in documents."""
        found: set[str] = set()
        for row in select_in(
            self.connection,
            sa.select(t.document.c.state, t.document.c.tombstone),
            t.document.c.n,
            sorted(doc_numbers),
        ):
            found.update(unpack(row.state).units if row.state else ())
            found.update(Tombstone.from_bytes(row.tombstone).units if row.tombstone else ())
        return found

    def _that_need(self, ids: Sequence[bytes]) -> set[int]:
        rows = select_in(self.connection, _NEEDING, t.needs.c.needs, ids)
        return {row.doc_n for row in rows}

    def _freed(self, doc_numbers: Sequence[int]) -> list[bytes]:
        rows = select_in(
            self.connection,
            sa.select(t.event.c.id).where(t.event.c.waiting == 0),
            t.event.c.doc_n,
            doc_numbers,
        )
        freed = [row.id for row in rows]
        return [*freed, *(named for i in freed for named in self.trust.countersigned_by(i))]

    def is_waiting_for_more(self) -> bool:
        """Tells whether an event of these documents waits for another event to arrive."""
        return any(need != NEWER for doc in self.docs.values() for need in doc.waits.values())

    # ---- saving

    def save(self) -> None:
        """Writes the documents back, what their events wait for, and their lines in the lists."""
        fresh = [doc for doc in self.docs.values() if doc.is_new]
        old = [doc for doc in self.docs.values() if not doc.is_new]
        insert_all(
            self.connection, t.document, [(doc.n, doc.id, doc.kind, doc.packed, doc.buried) for doc in fresh]
        )
        changed = [doc.n for doc in old if doc.summary is not None and doc.summary.held and doc.is_changed]
        summaries.forget(self.connection, changed)
        if old:
            rows = [{"at": doc.n, "to_state": doc.packed, "to_tombstone": doc.buried} for doc in old]
            self.connection.execute(_UPDATE_DOCUMENT, rows)
        waits = [
            {"event_n": n, "doc_n": doc.n, "needs": need}
            for doc in self.docs.values()
            for n, need in doc.waits.items()
        ]
        if waits:
            self.connection.execute(_DELETE_NEED, [{"at": w["event_n"]} for w in waits])
            self.connection.execute(sa.insert(t.needs), waits)
        self._save_lines(old)
        for doc in fresh:
            doc.is_new = False

    def _save_lines(self, old: Sequence[Doc]) -> None:
        """Writes what lists show and searches read."""
        stale = [{"at": doc.n} for doc in old if doc.line]
        if stale:
            self.connection.execute(_DELETE_LISTING, stale)
            self.connection.execute(_DELETE_SEARCH, stale)
            self.connection.execute(_DELETE_TALLY, stale)
        listed = [doc for doc in self.docs.values() if doc.line]
        insert_all(self.connection, t.listing, [(doc.n, *doc.line[:-1]) for doc in listed])
        insert_all(self.connection, t.tally, [(doc.n, *doc.tally) for doc in listed if doc.tally])
        insert_all(self.connection, t.search, [(doc.n, doc.kind, doc.line[-1]) for doc in listed])


def _tally_line(kind: str, found: Tally) -> tuple[Any, ...]:
    """Returns what is written of a tally; a time that no database column holds is cut to what it does."""
    begun, ended, due = (
        None if ms is None else max(-MAX_INT, min(ms, MAX_INT))
        for ms in (found.begun_ms, found.ended_ms, found.due_ms)
    )
    texts = (_column(found.unit), _column(found.group), _column(found.channel))
    return (kind, *texts, begun, ended, due, found.facts)


def _column(text: str) -> str:
    """Returns text as every database can hold it: PostgreSQL's takes no NUL, and a signed body may."""
    return text.replace("\0", " ")


_UPDATE_DOCUMENT = (
    sa.update(t.document)
    .where(t.document.c.n == sa.bindparam("at"))
    .values(state=sa.bindparam("to_state"), tombstone=sa.bindparam("to_tombstone"))
)
_DELETE_LISTING = sa.delete(t.listing).where(t.listing.c.doc_n == sa.bindparam("at"))
_DELETE_TALLY = sa.delete(t.tally).where(t.tally.c.doc_n == sa.bindparam("at"))
_DELETE_SEARCH = sa.delete(t.search).where(t.search.c.doc_n == sa.bindparam("at"))
_DOCUMENTS = sa.select(t.document)
_DELETE_NEEDS = sa.delete(t.needs).where(t.needs.c.doc_n == sa.bindparam("of"))
_MARK_WAITING = (
    sa.update(t.event)
    .where(t.event.c.doc_n == sa.bindparam("of"))
    .values(waiting=sa.case((t.event.c.n.in_(sa.bindparam("waiting", expanding=True)), 1), else_=0))
)
_NEEDED = sa.select(t.needs.c.doc_n, sa.func.count().label("many")).group_by(t.needs.c.doc_n)
_DELETE_NEED = sa.delete(t.needs).where(t.needs.c.event_n == sa.bindparam("at"))
_NEEDING = sa.select(t.needs.c.doc_n)
_ANY_NEED = sa.select(t.needs.c.event_n).limit(1)
_EVENTS_OF = sa.select(t.event).where(t.event.c.doc_n == sa.bindparam("doc")).order_by(t.event.c.n)
