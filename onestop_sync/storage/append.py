"""Events into a store: chain, fold, listing, feed, all in the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import sqlalchemy as sa

from onestop_sync.errors import FormatError
from onestop_sync.event import Event
from onestop_sync.schema import DocumentType
from onestop_sync.storage import chunks, outbox
from onestop_sync.storage import tables as t
from onestop_sync.storage.arrive import Outcome
from onestop_sync.storage.chains import Chains
from onestop_sync.storage.cuts import Bone, last_good
from onestop_sync.storage.documents import Documents
from onestop_sync.storage.engines import next_numbers
from onestop_sync.storage.feed import Feed
from onestop_sync.storage.rows import insert_all, select_in
from onestop_sync.tombstone import Tombstone
from onestop_sync.trust import SYSTEM, Trust

_IDS = sa.select(t.event.c.id)


class Append:
    """Appends verified events; one transaction's worth.

    Args:
        connection: In a write transaction.
        types: Document types by name.
        trust: What is known of keys; it is told of new logs and certificates.
        below: Units whose events go up to our parents.
        feed: The feeds to append to; ``None`` where nobody is served.
        now_ms: The store's clock.
        taught: Called when `trust` was told something, or an event waits for what it was not told.
        tombstones: Of the documents that were erased.
        named: Called with attachments that are complete here and that new events name.
    """

    def __init__(  # noqa: PLR0913 - what an append has to know and to tell
        self,
        connection: sa.Connection,
        *,
        types: Mapping[str, DocumentType],
        trust: Trust,
        below: set[str],
        feed: Feed | None,
        now_ms: int,
        taught: Callable[[], None],
        tombstones: Mapping[bytes, Tombstone],
        named: Callable[[Sequence[int]], None],
    ) -> None:
        self.connection = connection
        self.trust = trust
        self.feed = feed
        self.now_ms = now_ms
        self.taught = taught
        self.named = named
        self.learned: list[Event] = []
        self.chains = Chains(connection, trust, below)
        self.documents = Documents(connection, types, trust, now_ms, tombstones)

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
            if event.is_genesis or event.header.doc_type in SYSTEM:
                self._teach(event)
        chains, documents = self.chains, self.documents
        chains.load(events, own=own)
        documents.load(events)
        numbered = list(enumerate(events, next_numbers(self.connection, t.event, len(events))))
        chained = {n: chains.extend(event) for n, event in numbered}
        for n, event in numbered:
            documents.docs[event.header.doc_id].events.append((n, event))
        again = [doc for doc in documents.docs.values() if not documents.apply(doc)]
        self._insert(numbered, chained, source)
        here = [event.id for event in events]
        here += [named for i in here for named in self.trust.countersigned_by(i)]
        # What it waited for may have come together with it: the chain to a cut, above all.
        again += [doc for doc in documents.docs.values() if doc not in again and doc.waits_for(here)]
        for doc in again:
            documents.refold(doc)
        if any(event.header.doc_type in SYSTEM for event in events):
            # Folded again before anybody asks who waited: a certificate may have come together with them.
            documents.woken += [doc for doc in again if not doc.was_new]
        documents.wake(here)
        documents.save()
        if documents.is_waiting_for_more():
            self.taught()
        chains.save()
        outbox.take_early(self.connection, [event.id for event in events if event.is_genesis])
        outbox.note_good_acks(self.connection, chains.numbers(event.log for event in events))
        kept = [(n, event) for n, event in numbered if not documents.docs[event.header.doc_id].tombstone]
        complete = chunks.note_named(self.connection, kept, self.now_ms)
        self._publish(numbered, source)
        if complete:
            self.named(complete)
        return {event.id: documents.outcomes[event.id] for event in events}

    def refold(self, doc_ids: Iterable[bytes]) -> None:
        """Folds documents again from their events."""
        for doc in self.documents.load_all(doc_ids):
            self.documents.refold(doc)
        self.documents.save()
        self._publish([], 0)

    def wake(self, bones: Sequence[Bone]) -> None:
        """Folds the documents again that waited for headers which have just arrived, and forwards those."""
        self.trust.forget()
        self.documents.wake([bone.id for bone in bones])
        self.documents.save()
        if self.feed is not None:
            self.feed.back_all({bone.log for bone in bones})
        self._publish([], 0)

    def _without_known(self, events: Sequence[Event]) -> list[Event]:
        ids = [event.id for event in events]
        known = {row.id for row in select_in(self.connection, _IDS, t.event.c.id, ids)}
        return [event for event in events if event.id not in known]

    def _teach(self, event: Event) -> None:
        try:
            self.trust.add(event)
        except FormatError:
            return  # kept and forwarded, without effect
        self.learned.append(event)
        self.taught()

    def _insert(self, numbered: Sequence[tuple[int, Event]], chained: Mapping[int, int], source: int) -> None:
        rows = []
        for n, event in numbered:
            doc = self.documents.docs[event.header.doc_id]
            rows.append((
                n, event.id, self.chains.logs[event.log].n, event.header.seq, doc.n, chained[n],
                int(n in doc.waits), source, self.now_ms, event.header_bytes, event.signature,
                None if doc.tombstone else event.body,
            ))  # fmt: skip
        insert_all(self.connection, t.event, rows)

    def _publish(self, numbered: Sequence[tuple[int, Event]], source: int) -> None:
        """Appends events to the feeds of the units that may see them."""
        feed = self.feed
        if feed is None:
            return
        for doc in self.documents.docs.values():
            grown = set(doc.units) - set(doc.units_before)
            if grown and not doc.was_new:
                feed.backfill(doc.n, doc.id, grown)
        for doc in self.documents.woken:
            feed.introduce(doc.n, doc.id, doc.units)
        for n, event in numbered:
            doc = self.documents.docs[event.header.doc_id]
            units = self.audience(event.id, {self.chains.logs[event.log].unit, *doc.units})
            feed.add(n, event.id, event.log, units, source, doc.id)
        if self.trust.document.cuts:
            # Who sees some event of a cut log wants the headers of the others, whenever they come.
            feed.back_all({e.log for _, e in numbered if last_good(self.trust, e.log) is not None})
        feed.flush(new_from=numbered[0][0] if numbered else None)

    def audience(self, event_id: bytes, units: set[str]) -> set[str]:
        """Returns the units that see an event: its log's, its document's, and whom its words are about."""
        certificate = self.trust.certificate(event_id)
        if certificate is not None:
            # Whoever holds the key reads the feed of the unit that the key was certified for before.
            units = units.union(c.unit for _, c in self.trust.certificates_of(certificate.key))
        return units | self._of_countersigned(event_id)

    def _of_countersigned(self, event_id: bytes) -> set[str]:
        """Returns who must see a countersignature: everybody who sees what it names."""
        named = self.trust.countersigned_by(event_id)
        if not named:
            return set()
        query = sa.select(t.event.c.doc_n, t.event.c.log_n).add_columns(t.log.c.unit)
        query = query.join(t.log, t.log.c.n == t.event.c.log_n)
        rows = select_in(self.connection, query, t.event.c.id, list(named))
        return {row.unit for row in rows} | self.documents.units_of({row.doc_n for row in rows})
