"""Was this key allowed to write this? Told from signed documents alone, the same at every replica.

    publication ──names──▶ trust document: units, the root's own administrators, cuts
    administrator ──event──▶ certificate of a machine or officer of the own unit or of one below it
    genesis of a log ──names──▶ its certificate
    head of a unit ──event──▶ countersignature of what lies beyond a cut

`Trust` knows the newest trust document, the logs, the certificates and the countersignatures. It answers
`authority` for a log and `authority_at` for one event of it: by which authority that is written, that
something is missing (it *waits*), or why there is none (it is *refused*). Nothing here depends on a clock or
on the order of arrival; expiry limits only what a store lets its own user start, and is not looked at here.

A **cut** names the last good event of each log of a key. Whether an event lies before it is told by the chain
of hashes that ends in that event, so that nobody can write into the past: `chain` answers that question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from onestop_sync import codec, keys
from onestop_sync.errors import FormatError
from onestop_sync.event import ID_BYTES, Event, Genesis, Op, parse_body, parse_genesis
from onestop_sync.fold import Author
from onestop_sync.trust_document import Cut, CutReason, TrustDocument
from onestop_sync.units import Period, Tree, Unit

__all__ = [
    "ADMIN",
    "CERTIFICATE",
    "COUNTERSIGNATURE",
    "LEADER",
    "MAX_CHAIN",
    "SYSTEM",
    "Authority",
    "Certificate",
    "Chain",
    "Countersignature",
    "Cut",
    "CutReason",
    "NoAuthority",
    "Period",
    "Tree",
    "Trust",
    "TrustDocument",
    "Unit",
    "Waiting",
    "parse_certificate",
    "parse_countersignature",
]

CERTIFICATE: Final = "certificate"
"""Document type of certificates; the document is the certified key."""
COUNTERSIGNATURE: Final = "countersignature"
"""Document type of countersignatures."""
SYSTEM: Final = frozenset({CERTIFICATE, COUNTERSIGNATURE})
"""Document types that this module reads, besides the geneses of logs."""
ADMIN: Final = "quan_tri"
"""Role that certifies machines and officers."""
LEADER: Final = "lanh_dao"
"""Role that countersigns."""
MAX_CHAIN: Final = 8
"""Longest chain of certificates: province, district, commune and what a province may put between."""
MAX_COUNTERSIGNED: Final = 1000
"""Events that one countersignature names at the most."""

CertificateKind = Literal["machine", "officer"]

Chain = Callable[[bytes, int, bytes, int, bytes], bool | bytes]
"""``(log, seq, event, cut seq, cut head)`` → whether the event is on the chain that ends in the cut's head,
or the id of an event that is missing to tell."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What an administrator says of a key.

    Attributes:
        key: Ed25519 public key of the machine or officer.
        unit: Unit for which it writes.
        kind: ``machine`` or ``officer``; a machine's key edits nothing.
        name: Name to show.
        roles: Roles of an officer.
        valid_from_ms: Start of validity; limits only what may be started.
        valid_to_ms: End of validity.
        seal: X25519 public key of a machine, to which bundles are sealed.
        blocks: Serial blocks of a machine: the first is in use, the next are spares for new epochs.
        serves: Whether the machine is a parent of others, so that its acks count.
        person: Whose key it is: the same opaque word on every machine of that person. Empty: known by the
            key alone.
    """

    key: bytes
    unit: str
    kind: CertificateKind
    name: str
    roles: frozenset[str] = frozenset()
    valid_from_ms: int = 0
    valid_to_ms: int = codec.MAX_INT
    seal: bytes = b""
    blocks: tuple[tuple[int, int], ...] = ()
    serves: bool = False
    person: str = ""

    def to_op(self) -> Op:
        """Returns the operation that certifies."""
        facts = {
            "blocks": [list(b) for b in self.blocks],
            "from": self.valid_from_ms,
            "key": self.key,
            "kind": self.kind,
            "name": codec.nfc(self.name),
            "person": codec.nfc(self.person),
            "roles": sorted(self.roles),
            "seal": self.seal,
            "serves": self.serves,
            "to": self.valid_to_ms,
            "unit": self.unit,
        }
        return ["cert", facts]


def parse_certificate(event: Event) -> Certificate:
    """Reads a certificate event.

    Raises:
        FormatError: Not a certificate, or its key is not a valid point.
    """
    if event.body is None or event.header.doc_type != CERTIFICATE:
        raise FormatError("An event is not a certificate.")
    match parse_body(event.body):
        case [["cert", {
            "blocks": list(blocks), "from": int(start), "key": bytes(key),
            "kind": "machine" | "officer" as kind, "name": str(name), "person": str(person),
            "roles": list(roles), "seal": bytes(seal), "serves": bool(serves), "to": int(end),
            "unit": str(unit),
        }]] if keys.is_valid_key(key) and _are_names(roles) and len(seal) in {0, keys.KEY_BYTES}:  # fmt: skip
            return Certificate(
                key,
                unit,
                kind,
                name,
                frozenset(roles),
                start,
                end,
                seal,
                tuple(map(_block, blocks)),
                serves,
                person,
            )
    raise FormatError("A certificate is malformed, or its key is not a valid point.")


def _are_names(values: list[Any]) -> bool:
    return all(isinstance(value, str) for value in values)


def _block(row: Any) -> tuple[int, int]:
    match row:
        case [int(first), int(last)] if 0 < first <= last:
            return first, last
    raise FormatError("A certificate names a serial block wrongly.")


class Authority(NamedTuple):
    """By what right a log writes.

    Attributes:
        log: Id of the log.
        key: Its key.
        certificate: Its certificate; for an administrator whom the root names, one made from that.
        author: The same for the fold.
    """

    log: bytes
    key: bytes
    certificate: Certificate
    author: Author


class Waiting(NamedTuple):
    """The authority is not here yet.

    Attributes:
        needs: Id of the certificate or log that is missing; empty for a key that no trust document known
            here names.
    """

    needs: bytes


class NoAuthority(NamedTuple):
    """There is none, whatever else arrives under this trust document."""

    why: str


@dataclass(frozen=True, slots=True)
class Countersignature:
    """A head's word for what lies beyond a cut.

    Attributes:
        events: Ids of the events that shall count.
        why: The reason.
    """

    events: tuple[bytes, ...]
    why: str

    def to_op(self) -> Op:
        """Returns the operation that countersigns."""
        return ["countersign", {"events": list(self.events), "why": codec.nfc(self.why)}]


def parse_countersignature(event: Event) -> Countersignature:
    """Reads a countersignature.

    Raises:
        FormatError: It is none.
    """
    if event.body is None or event.header.doc_type != COUNTERSIGNATURE:
        raise FormatError("An event is not a countersignature.")
    match parse_body(event.body):
        case [["countersign", {"events": list(events), "why": str(why)}]] if (
            0 < len(events) <= MAX_COUNTERSIGNED
            and all(type(e) is bytes and len(e) == ID_BYTES for e in events)
            and why.strip()
        ):
            return Countersignature(tuple(events), why)
    raise FormatError("A countersignature is malformed.")


class _Issued(NamedTuple):
    """A certificate, and where it was made."""

    log: bytes
    seq: int
    certificate: Certificate


@dataclass
class _Knowledge:
    """Geneses, certificates and countersignatures, by what one asks for them."""

    logs: dict[bytes, Genesis] = field(default_factory=dict)
    certificates: dict[bytes, _Issued] = field(default_factory=dict)
    by_key: dict[bytes, list[bytes]] = field(default_factory=dict)
    countersigned: dict[bytes, dict[bytes, tuple[bytes, int]]] = field(default_factory=dict)
    """Event → countersignature → log and sequence of that one."""
    named: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        """Takes an event; see `Trust.add`."""
        if event.is_genesis:
            self.logs[event.id] = parse_genesis(event)
        elif event.header.doc_type == COUNTERSIGNATURE:
            found = self.named[event.id] = parse_countersignature(event).events
            for each in found:
                self.countersigned.setdefault(each, {})[event.id] = (event.log, event.header.seq)
        elif event.id not in self.certificates:
            certificate = parse_certificate(event)
            self.certificates[event.id] = _Issued(event.log, event.header.seq, certificate)
            self.by_key.setdefault(certificate.key, []).append(event.id)

    def remove(self, event: bytes) -> None:
        """Forgets an event, as if it had never been added."""
        self.logs.pop(event, None)
        for each in self.named.pop(event, ()):
            self.countersigned[each].pop(event, None)
        issued = self.certificates.pop(event, None)
        if issued is not None:
            self.by_key[issued.certificate.key].remove(event)

    def copy(self) -> _Knowledge:
        """Returns one that can grow apart."""
        return _Knowledge(
            dict(self.logs),
            dict(self.certificates),
            {key: list(ids) for key, ids in self.by_key.items()},
            {event: dict(by) for event, by in self.countersigned.items()},
            dict(self.named),
        )


_NOTHING: Final[frozenset[bytes]] = frozenset()


def _by_sequence(log: bytes, seq: int, event: bytes, cut_seq: int, cut_head: bytes) -> bool | bytes:
    """Believes that a log has no second branch: for who has no store to ask."""
    del log, event, cut_head
    return seq <= cut_seq


class Trust:
    """What is known of keys: the newest trust document, logs, certificates and countersignatures.

    Args:
        document: The newest trust document.
        chain: Tells what lies on the chain that a cut ends; see `Chain`.
    """

    def __init__(self, document: TrustDocument, chain: Chain = _by_sequence) -> None:
        self.document = document
        self.chain = chain
        self._here = _Knowledge()
        self._known: dict[bytes, Authority | Waiting | NoAuthority] = {}

    def add(self, event: Event) -> None:
        """Takes a genesis, a certificate or a countersignature whose signature was checked.

        Raises:
            FormatError: It is neither, or malformed.
        """
        self._here.add(event)
        self._known = {log: a for log, a in list(self._known.items()) if isinstance(a, Authority)}

    def remove(self, events: Iterable[Event]) -> None:
        """Forgets events that were added: what brought them came to nothing."""
        for event in events:
            self._here.remove(event.id)
        self.forget()

    def with_events(self, events: Iterable[Event]) -> Trust:
        """Returns what would be known with further ones; other events are passed over."""
        further = [event for event in events if event.is_genesis or event.header.doc_type in SYSTEM]
        if not further:
            return self  # which saves the copy of all that is known
        found = Trust(self.document, self.chain)
        found._here = self._here.copy()
        for event in further:
            with suppress(FormatError):
                found.add(event)
        return found

    def with_document(self, document: TrustDocument) -> Trust:
        """Returns what would be known under another trust document."""
        found = Trust(document, self.chain)
        found._here = self._here
        return found

    def replace(self, document: TrustDocument) -> None:
        """Takes another trust document; every verdict is asked anew. Which is newer, `publication` says."""
        self.document = document
        self.forget()

    def forget(self) -> None:
        """Asks every verdict anew: the chain to a cut may be whole now."""
        self._known = {}

    # ---- what is here

    def logs(self) -> list[bytes]:
        """Returns all logs whose genesis is here."""
        return list(self._here.logs)

    def genesis(self, log: bytes) -> Genesis | None:
        """Returns what the log's first event says, if it is here."""
        return self._here.logs.get(log)

    def certificate(self, event_id: bytes) -> Certificate | None:
        """Returns the certificate that an event made, if it is here; whether it counts is not asked."""
        found = self._here.certificates.get(event_id)
        return found.certificate if found else None

    def issuer_log(self, event_id: bytes) -> bytes | None:
        """Returns the log in which a certificate was made."""
        found = self._here.certificates.get(event_id)
        return found.log if found else None

    def certificates(self) -> Iterable[tuple[bytes, Certificate]]:
        """Returns ``(event id, certificate)`` of all that are here."""
        return [(event_id, found.certificate) for event_id, found in list(self._here.certificates.items())]

    def certificates_of(self, key: bytes) -> list[tuple[bytes, Certificate]]:
        """Returns ``(event id, certificate)`` of a key's."""
        found = self._here.certificates
        return [(i, found[i].certificate) for i in self._here.by_key.get(key, ())]

    def countersigned_by(self, event_id: bytes) -> tuple[bytes, ...]:
        """Returns the events that a countersignature names; none for any other event."""
        return self._here.named.get(event_id, ())

    def countersignatures_of(self, event_id: bytes) -> list[bytes]:
        """Returns the countersignatures that name an event; whether they count is not asked."""
        return sorted(self._here.countersigned.get(event_id, ()))

    def best_certificate(self, key: bytes) -> tuple[bytes, Certificate] | None:
        """Returns what a key writes under from now on: its event id (empty: the root names it) and it.

        Of several that count, one whose unit has not ended goes first, then the one that begins last, then
        the one with the most blocks: `enrol.give_blocks` only ever adds behind those there.
        """
        if self.document.is_cut_off(key):
            return None
        named = self.document.admins.get(key)
        if named is not None:
            return b"", self._by_root(key, named)
        good = [(i, c) for i, c in self.certificates_of(key) if self._counts(i, c)]
        units = self.document.units
        return max(
            good,
            key=lambda x: (
                not units[x[1].unit].is_ended, x[1].valid_from_ms, len(x[1].blocks), x[0],
            ),
            default=None,
        )  # fmt: skip

    def _counts(self, event_id: bytes, certificate: Certificate) -> bool:
        issued = self._here.certificates[event_id]
        issuer = self.authority_at(issued.log, issued.seq, event_id)
        # A machine of a closed unit still delivers what it holds.
        is_closed = certificate.kind == "officer" and self.document.is_cut_off(b"", certificate.unit)
        return isinstance(issuer, Authority) and not is_closed and not self.why_not(issuer, certificate)

    # ---- by what authority

    def authority(self, log: bytes) -> Authority | Waiting | NoAuthority:
        """Tells by which authority ``log`` writes, up to any cut."""
        return self._of_log(log, _NOTHING)

    def authority_at(self, log: bytes, seq: int, event: bytes) -> Authority | Waiting | NoAuthority:
        """Tells by which authority one event is written: its log's, and where a cut leaves it."""
        return self._at(log, seq, event, self.authority(log), _NOTHING)

    def _of_log(self, log: bytes, asking: frozenset[bytes]) -> Authority | Waiting | NoAuthority:
        # What another thread adds meanwhile begins another table: no old verdict gets there.
        known = self._known
        found = known.get(log)
        if found is None:
            found = self._ask(log, MAX_CHAIN, asking)
            if not asking:  # otherwise it rests on what is being asked
                known[log] = found
        return found

    def _at(
        self,
        log: bytes,
        seq: int,
        event: bytes,
        found: Authority | Waiting | NoAuthority,
        asking: frozenset[bytes],
    ) -> Authority | Waiting | NoAuthority:
        if not isinstance(found, Authority) or not self.document.cuts:
            return found
        for cut in self.document.cuts_of(found.key, found.certificate.unit):
            beyond = self._is_beyond(cut, log, seq, event)
            if isinstance(beyond, bytes):
                return Waiting(beyond)
            if beyond and cut.why == "stolen":
                return NoAuthority("The key was stolen, and this lies beyond its last good event.")
            if beyond and not self._is_countersigned(event, found, asking):
                return Waiting(event)
        return found

    def _is_beyond(self, cut: Cut, log: bytes, seq: int, event: bytes) -> bool | bytes:
        last = cut.heads.get(log)
        if last is None:
            return not cut.is_of_branches
        if seq > last[0]:
            return True
        if event == last[1]:
            return False
        on_chain = self.chain(log, seq, event, *last)
        return on_chain if isinstance(on_chain, bytes) else not on_chain

    def _is_countersigned(self, event: bytes, author: Authority, asking: frozenset[bytes]) -> bool:
        """Tells whether a head of the author's unit, or of one over it, vouches for an event.

        A countersignature that hangs on the event itself vouches for nothing.
        """
        if event in asking:
            return False
        found = sorted(self._here.countersigned.get(event, {}).items())
        return any(self._vouches(i, place, author, asking | {event}) for i, place in found)

    def _vouches(
        self, countersignature: bytes, place: tuple[bytes, int], author: Authority, asking: frozenset[bytes]
    ) -> bool:
        log, seq = place
        found = self._at(log, seq, countersignature, self._of_log(log, asking), asking)
        if not isinstance(found, Authority) or LEADER not in found.author.roles:
            return False
        is_own = found.key == author.key or _is_same_person(found.certificate, author.certificate)
        return not is_own and self.document.is_over(found.certificate.unit, author.certificate.unit)

    def _ask(self, log: bytes, depth: int, asking: frozenset[bytes]) -> Authority | Waiting | NoAuthority:
        genesis = self._here.logs.get(log)
        if genesis is None:
            return Waiting(log)
        if not genesis.cert:
            return self._named_by_root(log, genesis)
        issued = self._here.certificates.get(genesis.cert)
        if issued is None:
            return Waiting(genesis.cert)
        certificate = issued.certificate
        if (certificate.key, certificate.unit) != (genesis.key, genesis.unit):
            return NoAuthority("The certificate is for another key or unit.")
        if depth == 0:
            return NoAuthority("The chain of certificates is too long.")
        known = self._known.get(issued.log) or self._ask(issued.log, depth - 1, asking)
        issuer = self._at(issued.log, issued.seq, genesis.cert, known, asking)
        if not isinstance(issuer, Authority):
            return issuer
        why = self.why_not(issuer, certificate)
        return NoAuthority(why) if why else self._authority(log, certificate)

    def _named_by_root(self, log: bytes, genesis: Genesis) -> Authority | Waiting | NoAuthority:
        unit = self.document.admins.get(genesis.key)
        if unit is None:
            return Waiting(b"")
        if unit != genesis.unit:
            return NoAuthority("The root names this key for another unit.")
        return self._authority(log, self._by_root(genesis.key, unit))

    def _by_root(self, key: bytes, unit: str) -> Certificate:
        return Certificate(key, unit, "officer", self.document.units[unit].name, frozenset({ADMIN}))

    def _authority(self, log: bytes, certificate: Certificate) -> Authority:
        return Authority(log, certificate.key, certificate, self.author(certificate))

    def author(self, certificate: Certificate, doc: bytes = b"") -> Author:
        """Returns a certificate's holder as the fold sees them.

        Args:
            certificate: Whose.
            doc: The document that is written, where it depends on it for which units the holder acts.
        """
        unit = certificate.unit
        units = self.document.tree.acts_for(unit, doc) if unit in self.document.units else frozenset({unit})
        person = certificate.person or certificate.key.hex()
        return Author(unit, units, certificate.roles, person, self.document.apart)

    def why_not(self, issuer: Authority, certificate: Certificate) -> str:
        """Says why ``issuer`` may not give this certificate; empty when it may."""
        if ADMIN not in issuer.author.roles:
            return "The issuer is not an administrator."
        if issuer.key == certificate.key or _is_same_person(issuer.certificate, certificate):
            return "Nobody certifies their own key."
        if certificate.kind == "machine" and certificate.roles:
            return "A machine holds no roles."
        if not self.document.is_above(issuer.certificate.unit, certificate.unit):
            return "The issuer's unit is not above the certificate's."
        return ""


def _is_same_person(one: Certificate, other: Certificate) -> bool:
    return bool(one.person) and one.person == other.person
