"""Was this key allowed to write this? Told from signed documents alone, the same at every replica.

    root key ──signs──▶ trust document: units, and the administrators that the root names itself
    administrator ──event──▶ certificate of a machine or officer of the own unit or of one below it
    genesis of a log ──names──▶ its certificate

`Trust` knows the newest trust document, the logs and the certificates, and answers `authority` for a log:
by which authority it writes, that something is missing (it *waits*), or why it has none (it is *refused*).
Nothing here depends on a clock or on the order of arrival; expiry limits only what a store lets its own
user start, and is not looked at here.

What comes down from the root is behind `TrustDocument`, so that publication, thresholds and rotation can
change without touching anything that asks for authority.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from onestop_sync import codec, keys
from onestop_sync.errors import FormatError, InvalidInput, SignatureInvalid
from onestop_sync.event import Event, Genesis, Op, is_name, parse_body, parse_genesis
from onestop_sync.fold import Author

__all__ = [
    "ADMIN",
    "CERTIFICATE",
    "MAX_CHAIN",
    "Authority",
    "Certificate",
    "NoAuthority",
    "Trust",
    "TrustDocument",
    "Unit",
    "Waiting",
    "parse_certificate",
]

CERTIFICATE: Final = "certificate"
"""Document type of certificates; the document is the certified key."""
ADMIN: Final = "quan_tri"
"""Role that certifies machines and officers."""
TRUST_KIND: Final = "onestop/trust/1"
MAX_CHAIN: Final = 8
"""Longest chain of certificates: province, district, commune and what a province may put between."""

CertificateKind = Literal["machine", "officer"]


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of the tree.

    Attributes:
        id: Opaque, never reused.
        name: Vietnamese name.
        parent: Unit above; empty for the root of the tree.
        level: ``province``, ``district`` or ``commune``, for display.
        codes: Agency codes, the current one first, old ones as aliases for ever.
    """

    id: str
    name: str
    parent: str
    level: str
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrustDocument:
    """What the root says: the units, and the keys that it names administrators itself.

    Attributes:
        version: Counts up; a store never goes back.
        units: By id.
        admins: Ed25519 public key → unit.
        issued_ms: When, milliseconds since 1970 UTC.
    """

    version: int
    units: Mapping[str, Unit]
    admins: Mapping[bytes, str]
    issued_ms: int

    def sign(self, root: keys.Signer) -> bytes:
        """Returns the document as it travels: ``[payload, signature]``.

        Raises:
            InvalidInput: The tree has a hole or a cycle, or an administrator's unit does not exist.
        """
        self._check()
        tree = sorted(self.units.values(), key=lambda u: u.id)
        units: list[codec.Value] = [[u.id, u.name, u.parent, u.level, list(u.codes)] for u in tree]
        admins: list[codec.Value] = [[key, unit] for key, unit in sorted(self.admins.items())]
        payload = codec.encode([1, self.version, self.issued_ms, units, admins])
        return codec.encode([payload, root.sign(codec.pae(TRUST_KIND, payload))])

    @classmethod
    def parse(cls, data: bytes, root: bytes) -> TrustDocument:
        """Reads and checks a document.

        Raises:
            FormatError: Malformed.
            SignatureInvalid: Not signed by ``root``.
        """
        match codec.decode(data):
            case [bytes(payload), bytes(signature)]:
                pass
            case _:
                raise FormatError("The trust document is malformed.")
        if not keys.verify(root, codec.pae(TRUST_KIND, payload), signature):
            raise SignatureInvalid("The trust document is not signed by this province's root.")
        match codec.decode(payload):
            case [1, int(version), int(issued_ms), list(units), list(admins)]:
                found = cls(version, dict(map(_unit, units)), dict(map(_admin, admins)), issued_ms)
            case _:
                raise FormatError("The trust document is malformed.")
        try:
            found._check()
        except InvalidInput as error:
            raise FormatError(error.what) from error
        return found

    def _check(self) -> None:
        if any(unit not in self.units for unit in self.admins.values()):
            raise InvalidInput("An administrator's unit is not in the tree.")
        for unit in self.units.values():
            if not is_name(unit.id):
                raise InvalidInput(
                    "A unit's id is empty, longer than 64 characters, or holds control characters."
                )
            if unit.parent and unit.parent not in self.units:
                raise InvalidInput(f"The parent of unit {unit.id} is not in the tree.")
            if len(list(self.line(unit.id))) > len(self.units):
                raise InvalidInput(f"Unit {unit.id} is its own ancestor.")

    def line(self, unit: str) -> Iterable[str]:
        """Yields the unit and all units above it, from below; nothing for an unknown unit."""
        for _ in range(len(self.units) + 1):
            found = self.units.get(unit)
            if found is None:
                return
            yield unit
            unit = found.parent

    def is_above(self, upper: str, lower: str) -> bool:
        """Tells whether ``upper`` is ``lower`` or one of the units above it."""
        return upper in self.line(lower)

    def below(self, unit: str) -> set[str]:
        """Returns the unit and all units below it."""
        return {u for u in self.units if self.is_above(unit, u)}


def _unit(row: Any) -> tuple[str, Unit]:
    match row:
        case [str(unit_id), str(name), str(parent), str(level), list(codes)] if all(
            isinstance(c, str) for c in codes
        ):
            return unit_id, Unit(unit_id, name, parent, level, tuple(codes))
    raise FormatError("The trust document names a unit wrongly.")


def _admin(row: Any) -> tuple[bytes, str]:
    match row:
        case [bytes(key), str(unit)] if keys.is_valid_key(key):
            return key, unit
    raise FormatError("The trust document names an administrator wrongly.")


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

    def to_op(self) -> Op:
        """Returns the operation that certifies."""
        facts = {
            "blocks": [list(b) for b in self.blocks],
            "from": self.valid_from_ms,
            "key": self.key,
            "kind": self.kind,
            "name": codec.nfc(self.name),
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
            "kind": "machine" | "officer" as kind, "name": str(name), "roles": list(roles),
            "seal": bytes(seal), "serves": bool(serves), "to": int(end), "unit": str(unit),
        }]] if keys.is_valid_key(key) and _are_names(roles) and len(seal) in {0, keys.KEY_BYTES}:  # fmt: skip
            return Certificate(
                key, unit, kind, name, frozenset(roles), start, end, seal, tuple(map(_block, blocks)), serves
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


class Trust:
    """What is known of keys: the newest trust document, logs and certificates.

    Args:
        document: The newest trust document.
    """

    def __init__(self, document: TrustDocument) -> None:
        self.document = document
        self._logs: dict[bytes, Genesis] = {}
        self._certificates: dict[bytes, tuple[bytes, Certificate]] = {}
        self._known: dict[bytes, Authority | Waiting | NoAuthority] = {}

    def add(self, event: Event) -> None:
        """Takes a genesis or a certificate whose signature was checked.

        Raises:
            FormatError: It is neither, or malformed.
        """
        if event.is_genesis:
            self._logs[event.id] = parse_genesis(event)
        else:
            self._certificates[event.id] = (event.log, parse_certificate(event))
        self._known = {log: a for log, a in list(self._known.items()) if isinstance(a, Authority)}

    def with_events(self, events: Iterable[Event]) -> Trust:
        """Returns what would be known with further geneses and certificates; other events are passed over."""
        found = Trust(self.document)
        found._logs.update(self._logs)
        found._certificates.update(self._certificates)
        for event in events:
            if event.is_genesis or event.header.doc_type == CERTIFICATE:
                with suppress(FormatError):
                    found.add(event)
        return found

    def replace(self, document: TrustDocument) -> None:
        """Takes a newer trust document; every verdict is asked anew.

        Raises:
            FormatError: It is older than the one that is here.
        """
        if document.version < self.document.version:
            raise FormatError("The trust document is older than the one that is here.")
        self.document = document
        self._known = {}

    def genesis(self, log: bytes) -> Genesis | None:
        """Returns what the log's first event says, if it is here."""
        return self._logs.get(log)

    def certificate(self, event_id: bytes) -> Certificate | None:
        """Returns the certificate that an event made, if it is here; whether it counts is not asked."""
        found = self._certificates.get(event_id)
        return found[1] if found else None

    def issuer_log(self, event_id: bytes) -> bytes | None:
        """Returns the log in which a certificate was made."""
        found = self._certificates.get(event_id)
        return found[0] if found else None

    def certificates(self) -> Iterable[tuple[bytes, Certificate]]:
        """Returns ``(event id, certificate)`` of all that are here."""
        return [(event_id, found[1]) for event_id, found in list(self._certificates.items())]

    def authority(self, log: bytes, _depth: int = MAX_CHAIN) -> Authority | Waiting | NoAuthority:
        """Tells by which authority ``log`` writes."""
        known = (
            self._known
        )  # what another thread adds meanwhile begins another table: no old verdict gets there
        found = known.get(log)
        if found is None:
            found = self._ask(log, _depth)
            if _depth == MAX_CHAIN:
                known[log] = found
        return found

    def _ask(self, log: bytes, depth: int) -> Authority | Waiting | NoAuthority:
        genesis = self._logs.get(log)
        if genesis is None:
            return Waiting(log)
        if not genesis.cert:
            return self._named_by_root(log, genesis)
        if genesis.cert not in self._certificates:
            return Waiting(genesis.cert)
        issuer_log, certificate = self._certificates[genesis.cert]
        if (certificate.key, certificate.unit) != (genesis.key, genesis.unit):
            return NoAuthority("The certificate is for another key or unit.")
        if depth == 0:
            return NoAuthority("The chain of certificates is too long.")
        issuer = self.authority(issuer_log, depth - 1)
        if not isinstance(issuer, Authority):
            return issuer
        why = self.why_not(issuer, certificate)
        return NoAuthority(why) if why else _authority(log, certificate)

    def _named_by_root(self, log: bytes, genesis: Genesis) -> Authority | Waiting | NoAuthority:
        unit = self.document.admins.get(genesis.key)
        if unit is None:
            return Waiting(b"")
        if unit != genesis.unit:
            return NoAuthority("The root names this key for another unit.")
        name = self.document.units[unit].name
        return _authority(log, Certificate(genesis.key, unit, "officer", name, frozenset({ADMIN})))

    def why_not(self, issuer: Authority, certificate: Certificate) -> str:
        """Says why ``issuer`` may not give this certificate; empty when it may."""
        if ADMIN not in issuer.author.roles:
            return "The issuer is not an administrator."
        if issuer.key == certificate.key:
            return "Nobody certifies their own key."
        if certificate.kind == "machine" and certificate.roles:
            return "A machine holds no roles."
        if not self.document.is_above(issuer.certificate.unit, certificate.unit):
            return "The issuer's unit is not above the certificate's."
        return ""


def _authority(log: bytes, certificate: Certificate) -> Authority:
    author = Author(certificate.unit, frozenset({certificate.unit}), certificate.roles)
    return Authority(log, certificate.key, certificate, author)
