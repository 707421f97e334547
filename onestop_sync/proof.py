"""The proof, from the root up: who signed what under which certificate, and what it comes to. Pure.

    report = check(Evidence.parse(data), anchor, [DOSSIER])

Nothing is believed that a signature, a hash or the root does not show, and no store's projection is looked
at: trust is built anew from the anchor, each signature is checked, each authority is asked of `trust` with
the headers at hand, and the document is folded by the definition (`fold.fold`). What cannot be shown is a
`Problem`, by its own code; what is missing is said.

A `Foundation` is what the proofs of many documents stand on; `check` lays one for a single file.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from onestop_sync import codec, keys
from onestop_sync import event as ev
from onestop_sync import fold as f
from onestop_sync.acks import Acks, check_acks, parse_acks
from onestop_sync.document_evidence import Claim, Evidence
from onestop_sync.entries import NEWER, OF_TRUST, ops_of, ready
from onestop_sync.errors import FormatError, SignatureInvalid
from onestop_sync.event import EVENT_KIND, Event
from onestop_sync.fold import Standing, State
from onestop_sync.publication import Publication
from onestop_sync.report import Acked, Exporter, Link, Problem, Proven, Report
from onestop_sync.schema import DocumentType
from onestop_sync.storage.projection import pack
from onestop_sync.tombstone import Tombstone, tombstones
from onestop_sync.trust import Authority, Chain, NoAuthority, Trust, TrustDocument, Waiting

__all__ = ["Foundation", "HeaderChain", "Verified", "check", "examine", "lay", "verify_frames"]


class HeaderChain:
    """Answers `trust.Chain` from headers: walks down the hashes from the head of a cut or an ack.

    Args:
        links: Event → ``(sequence, the event before)``, of all headers at hand.
    """

    def __init__(self, links: Mapping[bytes, tuple[int, bytes]]) -> None:
        self._links = links
        self._walked: dict[bytes, dict[int, bytes]] = {}

    def __call__(self, log: bytes, seq: int, event: bytes, cut_seq: int, cut_head: bytes) -> bool | bytes:
        """Tells whether an event is on the chain that ends in ``cut_head``, or which header is missing."""
        del log
        walked = self._walked.setdefault(cut_head, {cut_seq: cut_head})
        at = cut_seq - len(walked) + 1
        while at > seq:
            link = self._links.get(walked[at])
            if link is None:
                return walked[at]
            walked[at - 1] = link[1]
            at -= 1
        return walked.get(seq) == event


class Verified(NamedTuple):
    """Events whose signature is right, and what is wrong with the other frames."""

    events: list[Event]
    problems: list[Problem]


def verify_frames(frames: Iterable[object]) -> Verified:
    """Parses frames and checks every signature by the key that the log's first event names."""
    problems: list[Problem] = []
    events: list[Event] = []
    for frame in frames:
        try:
            events.append(ev.parse(frame))
        except FormatError as error:
            problems.append(Problem("malformed", _id_of(frame), error.what))
    return _verified(events, problems)


def _id_of(frame: object) -> bytes:
    match frame:
        case [bytes(header), *_]:
            return hashlib.sha256(codec.pae(EVENT_KIND, header)).digest()
    return b""


def _verified(events: Sequence[Event], problems: list[Problem]) -> Verified:
    """Checks signatures; each frame by itself, so that a spoilt copy hides no true one."""
    signers: dict[bytes, bytes] = {}
    for event in events:
        if event.is_genesis:
            try:
                signers[event.id] = ev.parse_genesis(event).key
            except FormatError as error:
                problems.append(Problem("malformed", event.id, error.what))
    good: dict[bytes, Event] = {}
    for event in events:
        key = signers.get(event.log)
        if key is None:
            problems.append(Problem("no_log", event.id, event.log.hex()))
            continue
        try:
            ev.verify(event, key)
        except SignatureInvalid:
            problems.append(Problem("forged", event.id))
        else:
            held = good.get(event.id)
            good[event.id] = held if held and held.body is not None else event
    # What hangs on a genesis that is itself forged is by nobody.
    return Verified([event for event in good.values() if event.log in good], problems)


class Foundation:
    """What proofs stand on: the publication, checked from the anchor, and what is known of keys.

    Args:
        anchor: The province's anchor.
        publication: Checked.
        events: Geneses, certificates and countersignatures whose signatures were checked.
        chain: Tells what lies before a cut.
    """

    def __init__(
        self, anchor: bytes, publication: Publication, events: Iterable[Event], chain: Chain
    ) -> None:
        self.anchor = anchor
        self.publication = publication
        self.tombstones: Mapping[bytes, Tombstone] = tombstones(publication)
        self.trust: Trust = Trust(publication.document, chain).with_events(events)

    def report(self, kind: str, doc: bytes) -> Report:
        """Returns the beginning of a report."""
        document = self.publication.document
        names = {unit.id: unit.name for unit in document.units.values()}
        return Report(
            doc, kind, self.anchor, self.publication.version, document.issued_ms, units=names,
            tombstone=self.tombstones.get(doc),
        )  # fmt: skip

    def chain_of(self, log: bytes) -> tuple[Link, ...]:
        """Returns the certificates from a log's up to the root; empty when they do not get there."""
        found: list[Link] = []
        at: bytes | None = log
        while at is not None and len(found) <= len(self.trust.document.units) + 1:
            authority = self.trust.authority(at)
            genesis = self.trust.genesis(at)
            if genesis is None or not isinstance(authority, Authority):
                return ()
            c = authority.certificate
            found.append(Link(genesis.cert, c.key, c.name, c.unit, c.kind, tuple(sorted(c.roles))))
            if not genesis.cert:
                return tuple(found)
            at = self.trust.issuer_log(genesis.cert)
        return ()


def lay(data: bytes, anchor: bytes, events: Iterable[Event], chain: Chain, *, is_part: bool) -> Foundation:
    """Checks a publication from the anchor up, and reads what it says of keys.

    Args:
        data: The publication.
        anchor: See `publication.anchor_of`.
        events: Geneses, certificates and countersignatures whose signatures were checked.
        chain: Tells what lies before a cut.
        is_part: Whether published files may be missing that this does not need.

    Raises:
        SignatureInvalid: Not this province's, or changed.
        FormatError: Malformed, or not whole.
    """
    checked = Publication.check_part(data, anchor) if is_part else Publication.check(data, anchor)
    return Foundation(anchor, checked, events, chain)


# ------------------------------------------------------------------------------------------- one document


def examine(foundation: Foundation, kind: DocumentType, doc: bytes, events: Sequence[Event]) -> Report:
    """Proves one document.

    Args:
        foundation: What the proof stands on.
        kind: The document's type.
        doc: Its id.
        events: Its events, whose signatures were checked.
    """
    report = foundation.report(kind.name, doc)
    report.notes += [("fork", event_id) for event_id in _forks(events)]
    if not events:
        report.problems.append(Problem("empty"))
    elif report.tombstone is not None:
        _examine_erased(foundation, report, report.tombstone, events)
    else:
        _examine_folded(foundation, report, kind, events)
    return report


def _forks(events: Iterable[Event]) -> list[bytes]:
    """Returns the events that share their place in a log with another one."""
    at: dict[tuple[bytes, int], list[bytes]] = {}
    for event in events:
        at.setdefault((event.log, event.header.seq), []).append(event.id)
    return sorted(event_id for ids in at.values() if len(ids) > 1 for event_id in ids)


def _examine_erased(
    foundation: Foundation, report: Report, tombstone: Tombstone, events: Sequence[Event]
) -> None:
    here = {event.id for event in events}
    report.notes += [("not_buried", e) for e in sorted(set(tombstone.events) - here)]
    report.problems += [Problem("not_erased", e.id) for e in events if e.body is not None]
    report.fingerprint = hashlib.sha256(tombstone.to_bytes()).digest()
    for event in _in_order(events):
        became = tombstone.became(event.id)
        chain = foundation.chain_of(event.log)
        if not chain and isinstance(foundation.trust.authority(event.log), Waiting):
            report.problems.append(_unproven(foundation.trust, event))
        report.events.append(Proven(event, (), chain, became.standing, became.reason))


def _examine_folded(
    foundation: Foundation, report: Report, kind: DocumentType, events: Sequence[Event]
) -> None:
    entries, waits = ready(kind, foundation.trust, events)
    state = f.fold(kind, entries) if entries else None
    report.state = state
    report.fingerprint = hashlib.sha256(pack(state) if state else b"").digest()
    here = {event.id for event in events}
    for event in _in_order(events):
        need = waits.get(event.id)
        problem = _why_unproven(foundation.trust, event, need, here) if need is not None else None
        if problem:
            report.problems.append(problem)
        standing, reason = _became(kind, foundation.trust, state, event, need)
        chain = foundation.chain_of(event.log)
        known = None if problem else standing
        report.events.append(Proven(event, tuple(ops_of(event) or ()), chain, known, reason))


def _became(
    kind: DocumentType, trust: Trust, state: State | None, event: Event, need: bytes | None
) -> tuple[Standing, str]:
    """Returns what became of an event, and why it is refused or for what it waits."""
    if need is not None:
        return Standing.WAITING, _waits_for(trust, event, need)
    found = state or State()
    reason = found.refused.get(event.id, "")
    if reason and isinstance(why := trust.authority_at(event.log, event.header.seq, event.id), NoAuthority):
        return Standing.REFUSED, f"{reason}: {why.why}"
    return f.standing(kind, found, event.id, ops_of(event) or ()), str(reason)


def _waits_for(trust: Trust, event: Event, need: bytes) -> str:
    authority = trust.authority_at(event.log, event.header.seq, event.id)
    if isinstance(authority, Waiting):
        is_here = need == event.id or trust.certificate(need) is not None
        return "countersign" if is_here else "authority"
    return "newer" if need == NEWER else "missing"


def _why_unproven(trust: Trust, event: Event, need: bytes, here: set[bytes]) -> Problem | None:
    """Says why an event's verdict cannot be told; ``None`` when it is known that it waits."""
    if need == NEWER:
        return Problem("newer", event.id)
    if event.body is None:
        return Problem("no_body", event.id)
    if isinstance(trust.authority_at(event.log, event.header.seq, event.id), Waiting):
        return None if _waits_for(trust, event, need) == "countersign" else _unproven(trust, event)
    # A parent that is here and waits itself: what is missing there is said there.
    return None if need in here else Problem("no_parent", event.id, need.hex())


def _unproven(trust: Trust, event: Event) -> Problem:
    of_log = trust.authority(event.log)
    if isinstance(of_log, Waiting):
        return Problem("no_authority", event.id, of_log.needs.hex())
    at = trust.authority_at(event.log, event.header.seq, event.id)
    return Problem("no_chain", event.id, at.needs.hex() if isinstance(at, Waiting) else "")


def _in_order(events: Sequence[Event]) -> list[Event]:
    """Sorts by parents; what is concurrent by claimed time and id."""
    by_id = {event.id: event for event in events}
    missing = {e.id: sum(p in by_id for p in e.header.parents) for e in by_id.values()}
    children: dict[bytes, list[bytes]] = {}
    for event in by_id.values():
        for parent in event.header.parents:
            children.setdefault(parent, []).append(event.id)
    free = [(by_id[i].header.time_ms, i) for i, count in missing.items() if not count]
    heapq.heapify(free)
    found: list[Event] = []
    while free:
        _, event_id = heapq.heappop(free)
        found.append(by_id[event_id])
        for child in children.get(event_id, ()):
            missing[child] -= 1
            if not missing[child]:
                heapq.heappush(free, (by_id[child].header.time_ms, child))
    return found


# ------------------------------------------------------------------------------------------- one file


def check(evidence: Evidence, anchor: bytes, types: Iterable[DocumentType]) -> Report:
    """Proves a document from an evidence file and the province's anchor, and nothing else.

    Args:
        evidence: What was read.
        anchor: What a person has compared, or has known before; `Evidence.anchor` is only what it claims.
        types: Document types.
    """
    verified = verify_frames(evidence.frames)
    report = Report(evidence.doc, evidence.kind, anchor)
    links = _links(verified.events, evidence.headers)
    chain = HeaderChain(links)
    try:
        of_trust = [e for e in verified.events if e.header.doc_type in OF_TRUST]
        foundation = lay(evidence.publication, anchor, of_trust, chain, is_part=True)
    except (FormatError, SignatureInvalid) as error:
        report.problems = [Problem("publication", b"", error.what), *verified.problems]
        return report
    mine = [e for e in verified.events if e.header.doc_id == evidence.doc]
    kind = {each.name: each for each in types}.get(evidence.kind)
    if kind is None:
        report.problems = [Problem("type", b"", evidence.kind), *verified.problems]
        return report
    report = examine(foundation, kind, evidence.doc, mine)
    report.problems = [*verified.problems, *_foreign(verified.events, evidence), *report.problems]
    _take_acks(foundation, report, evidence.acks, chain)
    _take_claim(foundation, report, evidence, {e.id for e in mine})
    return report


def _links(events: Iterable[Event], headers: Iterable[bytes]) -> dict[bytes, tuple[int, bytes]]:
    found = {event.id: (event.header.seq, event.header.prev) for event in events}
    for data in headers:
        try:
            header = ev.parse_header(data)
        except FormatError:
            continue  # it proves nothing, and whoever needs it is told that it is missing
        event_id = hashlib.sha256(codec.pae(EVENT_KIND, data)).digest()
        found[event_id] = (header.seq, header.prev)
    return found


def _foreign(events: Iterable[Event], evidence: Evidence) -> list[Problem]:
    return [
        Problem("foreign", e.id, e.header.doc_id.hex())
        for e in events
        if e.header.doc_id != evidence.doc and e.header.doc_type not in OF_TRUST
    ]


def _take_acks(foundation: Foundation, report: Report, acks: Iterable[bytes], chain: Chain) -> None:
    said: dict[bytes, list[Acked]] = {}
    short: dict[tuple[bytes, bytes], None] = {}
    for data in acks:
        found = _statement(foundation.trust, data)
        if isinstance(found, Problem):
            report.problems.append(found)
            continue
        statement, authority = found
        acked = Acked(statement.node, authority.certificate.name, authority.certificate.unit, statement.at_ms)
        for proven in report.events:
            covers = _covers(statement, proven.event, chain)
            if covers is True:
                said.setdefault(proven.event.id, []).append(acked)
            elif covers is not False:
                short[proven.event.id, statement.node] = None
    # What one word of a node lacks links for, another one of the same node may cover.
    proven_by = {(event_id, acked.node) for event_id, found_here in said.items() for acked in found_here}
    left = dict.fromkeys(event_id for event_id, node in short if (event_id, node) not in proven_by)
    report.notes += [("ack_short", event_id) for event_id in left]
    report.events = [
        Proven(p.event, p.ops, p.chain, p.standing, p.reason, _earliest(said.get(p.event.id, ())))
        for p in report.events
    ]


def _earliest(said: Iterable[Acked]) -> tuple[Acked, ...]:
    """Returns the first word of each node."""
    first: dict[bytes, Acked] = {}
    for acked in sorted(said, key=lambda a: a.at_ms):
        first.setdefault(acked.node, acked)
    return tuple(first.values())


def _statement(trust: Trust, data: bytes) -> tuple[Acks, Authority] | Problem:
    try:
        named = parse_acks(data)[0]
    except FormatError as error:
        return Problem("ack_forged", b"", error.what)
    authority = trust.authority(named.node)
    if not isinstance(authority, Authority) or not authority.certificate.serves:
        return Problem("ack_stranger", named.node)
    document: TrustDocument = trust.document
    if not document.is_over(authority.certificate.unit, named.unit):
        return Problem("ack_stranger", named.node, named.unit)
    if document.is_cut_off(authority.key, authority.certificate.unit):
        return Problem("ack_stranger", named.node, "cut off")
    try:
        return check_acks(data, authority.key), authority
    except SignatureInvalid as error:
        return Problem("ack_forged", named.node, error.what)


def _covers(statement: Acks, event: Event, chain: Chain) -> bool | bytes:
    """Tells whether an ack covers an event, or which header is missing to tell."""
    if event.id in statement.events:
        return True
    missing = b""
    for log, seq, head in statement.logs:
        if log == event.log and seq >= event.header.seq:
            found = chain(log, event.header.seq, event.id, seq, head)
            if found is True:
                return True
            missing = missing or (found if isinstance(found, bytes) else b"")
    return missing or False


def _take_claim(foundation: Foundation, report: Report, evidence: Evidence, here: set[bytes]) -> None:
    if not evidence.claim:
        report.notes.append(("no_claim", b""))
        return
    try:
        claim, signed, signature = Claim.parse(evidence.claim)
    except FormatError as error:
        report.problems.append(Problem("claim", b"", error.what))
        return
    authority = foundation.trust.authority(claim.log)
    is_right = isinstance(authority, Authority) and keys.verify(authority.key, signed, signature)
    if not isinstance(authority, Authority) or not is_right or claim.doc != evidence.doc:
        report.problems.append(Problem("claim", claim.log))
        return
    certificate = authority.certificate
    report.exporter = Exporter(claim.log, certificate.name, certificate.unit, claim.made_ms)
    report.problems += [Problem("left_out", e) for e in sorted(set(claim.events) - here)]
    report.problems += [Problem("put_in", e) for e in sorted(here - set(claim.events))]
