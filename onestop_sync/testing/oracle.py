"""What every document must be, worked out from all events that exist and nothing else.

It keeps no projection, takes no fast path, and knows no order of arrival: it asks the trust documents who
may write, leaves out what waits, and folds the rest by definition.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace

from onestop_sync import fold as f
from onestop_sync.errors import FormatError
from onestop_sync.event import LOG, Event, document_id, parse_body
from onestop_sync.schema import DocumentType
from onestop_sync.trust import SYSTEM, Authority, Cut, NoAuthority, Trust, TrustDocument, Waiting


@dataclass
class Verdict:
    """One document, as it must be.

    Attributes:
        kind: Its type.
        state: Folded.
        waiting: Its events that take no effect yet.
        units: Every unit that takes part.
    """

    kind: DocumentType
    state: f.State
    events: set[bytes]
    waiting: set[bytes] = field(default_factory=set)

    @property
    def units(self) -> set[str]:
        """Units that take part in the document."""
        return set(self.state.units)


@dataclass
class Truth:
    """All documents, and what is known of logs.

    Attributes:
        documents: Document id → verdict, for all types that are known.
        forks: ``(log, seq)`` that two events bear.
        written_for: Event id → unit for which it was written, where its log's beginning is known.
    """

    documents: dict[bytes, Verdict]
    forks: set[tuple[bytes, int]]
    written_for: dict[bytes, str]


def judge_all(
    events: Iterable[Event],
    document: TrustDocument,
    types: Iterable[DocumentType],
    erased: Container[bytes] = frozenset(),
) -> Truth:
    """Judges every document there is, but those that were erased: their tombstones say what became of them.

    Args:
        events: All events that exist, each with a good signature if its key is known.
        document: The trust document.
        types: The document types.
        erased: Documents that were erased by law.
    """
    known = {kind.name: kind for kind in types}
    everything = {event.id: event for event in events}
    trust = _trust(everything.values(), document)
    by_document: dict[bytes, list[Event]] = defaultdict(list)
    for event in everything.values():
        if event.header.doc_type in known and event.header.doc_id not in erased:
            by_document[event.header.doc_id].append(event)
    places = Counter((event.log, event.header.seq) for event in everything.values())
    return Truth(
        {doc: _judge(known, trust, found) for doc, found in by_document.items()},
        {place for place, count in places.items() if count > 1},
        {event.id: found.unit for event in everything.values() if (found := trust.genesis(event.log))},
    )


def units_ever(
    doc: bytes,
    events: Iterable[Event],
    document: TrustDocument,
    types: Iterable[DocumentType],
    cuts: Iterable[tuple[Cut, ...]],
) -> set[str]:
    """Returns the units that took part in a document while any of these cuts were the published ones.

    What a cut refuses was valid before it, and so is what a corrected cut lets count again: who got the
    document in that time got it rightly.
    """
    known, everything = {kind.name: kind for kind in types}, list(events)
    its = [event for event in everything if event.header.doc_id == doc]
    units: set[str] = set()
    for each in cuts:
        units |= _judge(known, _trust(everything, replace(document, cuts=each)), its).units
    return units


def _trust(events: Iterable[Event], document: TrustDocument) -> Trust:
    events = list(events)
    before = {event.id: event.header.prev for event in events}

    def chain(log: bytes, seq: int, wanted: bytes, cut_seq: int, cut_head: bytes) -> bool | bytes:
        del log
        at = cut_head
        for _ in range(cut_seq - seq):
            if at not in before:
                return at
            at = before[at]
        return at == wanted

    trust = Trust(document, chain)
    for event in events:
        if event.is_genesis or event.header.doc_type in SYSTEM:
            try:
                trust.add(event)
            except FormatError:
                continue
    return trust


def _judge(known: Mapping[str, DocumentType], trust: Trust, events: list[Event]) -> Verdict:
    kind = known[events[0].header.doc_type]  # the id names the type
    waiting = {event.id for event in events if _waits(kind, trust, event)}
    here = {event.id for event in events} - waiting
    by_id = {event.id: event for event in events}
    # What stands on something that waits waits as well.
    while more := {i for i in here if not here.issuperset(by_id[i].header.parents)}:
        here -= more
        waiting |= more
    state = f.fold(kind, [_entry(trust, by_id[i]) for i in sorted(here)])
    return Verdict(kind, state, set(by_id), waiting)


def _waits(kind: DocumentType, trust: Trust, event: Event) -> bool:
    if event.header.doc_type == kind.name and event.header.schema > kind.version:
        return True
    return isinstance(trust.authority_at(event.log, event.header.seq, event.id), Waiting)


def _entry(trust: Trust, event: Event) -> f.Entry:
    assert event.body is not None
    header = event.header
    authority = trust.authority_at(event.log, event.header.seq, event.id)
    refusal: f.Reason | None = None
    if isinstance(authority, NoAuthority) or not isinstance(authority, Authority):
        refusal = f.Reason.AUTHORITY
        author = f.Author("", frozenset(), frozenset())
    else:
        author = trust.author(authority.certificate, header.doc_id)
        if not header.parents and header.doc_id != document_id(event.log, header.seq, header.doc_type):
            refusal = f.Reason.ORIGIN
    return f.Entry(event.id, header.parents, parse_body(event.body), author, header.time_ms, refusal)


def is_about_trust(event: Event) -> bool:
    """Tells whether an event opens a log or certifies, rather than edits a document."""
    return event.header.doc_type in {LOG, *SYSTEM}
