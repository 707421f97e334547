"""Enrolment: how a new machine and its officers come by their certificates, by two files.

    request = [payload, [signature, …]]     payload = [1, unit, machine, officers]
    answer  = [1, "enrolment", root, trust document, unit, machine key, [frame, …]]

The machine makes its keys and writes a *request*, which every key in it signs: nobody can have a key
certified that is not theirs. An administrator compares the fingerprints with the person who asks, and
*approves*: the certificates are events, and the answer brings them together with whatever the machine needs
to check its parents. The new machine trusts the root key that the answer names, so the fingerprint of that
key is compared as well (`read_answer`).

Nothing here touches a file or the network but through a store.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from onestop_sync import codec, keys
from onestop_sync.errors import FormatError, InvalidInput, NotAllowed, StoreExists
from onestop_sync.event import Event
from onestop_sync.keyring import Secrets
from onestop_sync.schema import DocumentType
from onestop_sync.storage import tables as t
from onestop_sync.storage.arrive import parse_all, verify_all
from onestop_sync.store import Store, Writer
from onestop_sync.trust import Authority, Certificate, Trust, TrustDocument

__all__ = [
    "Applicant",
    "EnrolAnswer",
    "EnrolRequest",
    "Officer",
    "accept",
    "approve",
    "describe",
    "read_answer",
    "receive",
    "request",
]

REQUEST_KIND: Final = "onestop/enrol-request/1"
BLOCK_SERIALS: Final = 500
"""Serials of a day in one block."""
BLOCKS: Final = 2
"""Blocks for a machine: one in use, one to spare for the epoch after a restore."""
MAX_SERIAL: Final = 9999
"""Largest serial of a day where codes have four digits (TT 01/2018/TT-VPCP Article 19)."""
_MAX_NAME: Final = 200
_MAX_OFFICERS: Final = 100
_ROLE_CHARS: Final = 64

Block = tuple[int, int]


class Applicant(NamedTuple):
    """An officer who asks for a certificate.

    Attributes:
        name: As colleagues will see it.
        signer: The officer's own key.
        roles: Roles asked for.
    """

    name: str
    signer: keys.Signer
    roles: Iterable[str]


class Officer(NamedTuple):
    """An officer as a request names them."""

    name: str
    key: bytes
    roles: frozenset[str]

    @property
    def fingerprint(self) -> str:
        """What the officer reads out, and the administrator compares."""
        return keys.fingerprint(self.key)


class EnrolRequest(NamedTuple):
    """What a machine asks for; every key in it has signed it.

    Attributes:
        unit: Unit for which machine and officers will write.
        machine_name: Name of the machine.
        machine: Its Ed25519 public key.
        seal: Its X25519 public key, to which bundles are sealed.
        officers: Who will work on it.
    """

    unit: str
    machine_name: str
    machine: bytes
    seal: bytes
    officers: tuple[Officer, ...]

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the machine's key."""
        return keys.fingerprint(self.machine)


class EnrolAnswer(NamedTuple):
    """What an administrator answers; checked against the root key that it names, and no other.

    Attributes:
        root: The province's public key, which the machine will trust: compare its fingerprint.
        trust: The signed trust document.
        document: The same, read.
        unit: The machine's unit.
        machine: Public key of the machine for which the answer is.
        certificate: The machine's certificate.
        officers: Certificates of its officers.
        frames: The certificates, and what proves them and the parents.
    """

    root: bytes
    trust: bytes
    document: TrustDocument
    unit: str
    machine: bytes
    certificate: Certificate
    officers: tuple[Certificate, ...]
    frames: list[Any]

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the province's root key."""
        return keys.fingerprint(self.root)


# ------------------------------------------------------------------------------------------------ the request


def request(secrets: Secrets, unit: str, machine_name: str, officers: Sequence[Applicant] = ()) -> bytes:
    """Returns a request that every key in it has signed.

    Args:
        secrets: What the machine's keyring unlocked.
        unit: Id of the unit for which the machine will write.
        machine_name: What the machine will be called.
        officers: Who will work on it.

    Raises:
        InvalidInput: A name is empty or too long, or a key is named twice.
    """
    rows: list[codec.Value] = [[_name(o.name), o.signer.public, sorted(set(o.roles))] for o in officers]
    machine: list[codec.Value] = [_name(machine_name), secrets.machine.public, secrets.seal_key]
    signers = [secrets.machine, *(o.signer for o in officers)]
    if len({s.public for s in signers}) != len(signers):
        raise InvalidInput("Each officer, and the machine, needs a key of its own.")
    payload = codec.encode([1, unit, machine, rows])
    signed = codec.pae(REQUEST_KIND, payload)
    data = codec.encode([payload, [s.sign(signed) for s in signers]])
    describe(data)
    return data


def _name(text: str) -> str:
    name = codec.nfc(" ".join(text.split()))
    if not 0 < len(name) <= _MAX_NAME:
        raise InvalidInput(f"A name needs 1 to {_MAX_NAME} characters.")
    return name


def describe(data: bytes) -> EnrolRequest:
    """Reads a request, and checks that each of its keys signed it.

    Raises:
        FormatError: Not an enrolment request, or a key did not sign it.
    """
    match codec.decode(data):
        case [bytes(payload), list(signatures)]:
            found = _parse_payload(codec.decode(payload))
        case _:
            raise FormatError("The file is not an enrolment request.")
    signers = [found.machine, *(o.key for o in found.officers)]
    signed = codec.pae(REQUEST_KIND, payload)
    if len(set(signers)) != len(signers) or len(signatures) != len(signers):
        raise FormatError("The enrolment request does not hold one signature of each key.")
    for key, signature in zip(signers, signatures, strict=True):
        if (
            not isinstance(signature, bytes)
            or not keys.is_valid_key(key)
            or not keys.verify(key, signed, signature)
        ):
            raise FormatError("A key in the enrolment request did not sign it.")
    return found


def _parse_payload(payload: object) -> EnrolRequest:
    match payload:
        case [1, str(unit), [str(name), bytes(machine), bytes(seal)], list(officers)] if (
            _is_name(name) and len(seal) == keys.KEY_BYTES and len(officers) <= _MAX_OFFICERS
        ):
            return EnrolRequest(unit, name, machine, seal, tuple(map(_parse_officer, officers)))
    raise FormatError("The file is not an enrolment request.")


def _parse_officer(row: object) -> Officer:
    match row:
        case [str(name), bytes(key), list(roles)] if _is_name(name) and all(map(_is_role, roles)):
            return Officer(name, key, frozenset(roles))
    raise FormatError("The enrolment request names an officer wrongly.")


def _is_name(name: str) -> bool:
    return 0 < len(name) <= _MAX_NAME and name.isprintable()


def _is_role(role: object) -> bool:
    return isinstance(role, str) and 0 < len(role) <= _ROLE_CHARS and role.isidentifier()


# ----------------------------------------------------------------------------------------------- the approval


def approve(
    store: Store,
    signer: keys.Signer,
    data: bytes,
    *,
    blocks: Sequence[Block] | None = None,
    serves: bool = False,
    max_serial: int = MAX_SERIAL,
) -> bytes:
    """Certifies the machine and officers of a request, all or none; a second time changes nothing.

    Args:
        store: The administrator's store.
        signer: The administrator's key.
        data: The request.
        blocks: Serial blocks of each day for the machine; ``None`` takes the next free ones of the unit,
            ``()`` gives none (a server takes in no dossiers).
        serves: Whether the machine may be a parent of others, so that its acks count.
        max_serial: Largest serial that the unit's codes can hold.

    Returns:
        The answer for the new machine.

    Raises:
        FormatError: Not a request, or a key did not sign it.
        NotAllowed: The signer is no administrator above that unit, a block is taken, or none is left.
    """
    asked = describe(data)
    if asked.unit not in store.trust.document.units:
        raise NotAllowed(
            f"The trust document names no unit {asked.unit!r}.", todo="Check the unit's id.", reason="unit"
        )
    writer = store.writer(signer)
    with store.writing():
        machine = _certify_machine(writer, asked, blocks, serves=serves, max_serial=max_serial)
        events = [machine, *(_certify(writer, _of_officer(asked.unit, o)) for o in asked.officers)]
        frames = _frames(store, _needed(store, asked.unit, events))
    return codec.encode([1, "enrolment", store.root, store.trust_bytes, asked.unit, asked.machine, frames])


def _certify_machine(
    writer: Writer, asked: EnrolRequest, blocks: Sequence[Block] | None, *, serves: bool, max_serial: int
) -> bytes:
    wanted = Certificate(
        asked.machine, asked.unit, "machine", asked.machine_name, seal=asked.seal, serves=serves
    )
    there = _existing(writer.store, wanted)
    if there is not None:
        return there
    taken = _blocks_of(writer.store, asked.unit)
    given = _free_blocks(writer.store, asked.unit, taken, max_serial) if blocks is None else tuple(blocks)
    if any(_overlap(a, b) for i, a in enumerate(given) for b in [*taken, *given[:i]]):
        raise NotAllowed("A serial block is another machine's already.", reason="blocks")
    certified = Certificate(
        asked.machine, asked.unit, "machine", asked.machine_name, seal=asked.seal, blocks=given, serves=serves
    )
    return writer.certify(certified).id


def _of_officer(unit: str, officer: Officer) -> Certificate:
    return Certificate(officer.key, unit, "officer", officer.name, officer.roles)


def _certify(writer: Writer, wanted: Certificate) -> bytes:
    return _existing(writer.store, wanted) or writer.certify(wanted).id


def _existing(store: Store, wanted: Certificate) -> bytes | None:
    """Returns the certificate event that says the same already; a machine keeps its blocks."""
    for event_id, found in store.trust.certificates():
        same = found == wanted or (found.kind == "machine" and _without_blocks(found) == wanted)
        issuer = store.trust.issuer_log(event_id)
        if same and issuer and isinstance(store.trust.authority(issuer), Authority):
            return event_id
    return None


def _without_blocks(found: Certificate) -> Certificate:
    return Certificate(
        found.key, found.unit, found.kind, found.name, found.roles, found.valid_from_ms, found.valid_to_ms,
        found.seal, (), found.serves,
    )  # fmt: skip


def _blocks_of(store: Store, unit: str) -> list[Block]:
    """Returns every block that a machine of the unit was ever given: none is given twice."""
    return [
        b for _, c in store.trust.certificates() if c.kind == "machine" and c.unit == unit for b in c.blocks
    ]


def _free_blocks(store: Store, unit: str, taken: Sequence[Block], max_serial: int) -> tuple[Block, ...]:
    """Returns the next free blocks; a counter row keeps two administrators on one database apart."""
    found: list[Block] = []
    while len(found) < BLOCKS:
        number = store.next_serial(f"blocks of {unit}", "")
        block = ((number - 1) * BLOCK_SERIALS + 1, min(number * BLOCK_SERIALS, max_serial))
        if block[0] > max_serial:
            raise NotAllowed(
                f"Unit {unit!r} has no serial block left.",
                todo="Nothing was changed. Give the blocks of a machine that is gone, by hand.",
                reason="blocks",
            )
        if not any(_overlap(block, other) for other in taken):
            found.append(block)
    return tuple(found)


def _overlap(one: Block, other: Block) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def _needed(store: Store, unit: str, certificates: Iterable[bytes]) -> list[bytes]:
    """Returns the ids of all events of an answer, proofs first: the new certificates, and the parents'."""
    line = set(store.trust.document.line(unit))
    parents = [i for i, c in store.trust.certificates() if c.serves and c.unit in line]
    found: dict[bytes, None] = {}
    for event_id in [*parents, *certificates]:
        for each in _proof(store.trust, event_id):
            found.setdefault(each)
    return list(found)


def _proof(trust: Trust, event_id: bytes) -> list[bytes]:
    """Returns a certificate event and what proves its author, from the root down."""
    chain: list[bytes] = []
    at = event_id
    while at and at not in chain:
        chain.append(at)
        issuer = trust.issuer_log(at)
        genesis = trust.genesis(issuer) if issuer else None
        if issuer is None or genesis is None:
            break
        chain.append(issuer)
        at = genesis.cert
    return chain[::-1]


def _frames(store: Store, ids: Sequence[bytes]) -> list[Any]:
    with store.reading() as connection:
        rows = {
            bytes(row.id): [row.header, row.signature, row.body]
            for i in range(0, len(ids), 500)
            for row in connection.execute(sa.select(t.event).where(t.event.c.id.in_(ids[i : i + 500])))
        }
    return [rows[i] for i in ids if i in rows]


# ------------------------------------------------------------------------------------------------- the answer


def read_answer(data: bytes) -> EnrolAnswer:
    """Reads an answer, and checks it against the root key that it names.

    Raises:
        FormatError: Not an enrolment answer, or changed on the way.
    """
    match codec.decode(data):
        case [1, "enrolment", bytes(root), bytes(trust), str(unit), bytes(machine), list(frames)]:
            pass
        case _:
            raise FormatError("The file is not an enrolment answer.")
    document = TrustDocument.parse(trust, root)
    if unit not in document.units:
        raise FormatError("The enrolment answer names a unit that its trust document does not hold.")
    certificates = _certificates(Trust(document), frames)
    own = next((c for c in certificates if c.kind == "machine" and (c.key, c.unit) == (machine, unit)), None)
    if own is None:
        raise FormatError("The enrolment answer holds no certificate for its machine.")
    officers = tuple(c for c in certificates if c.kind == "officer" and c.unit == unit)
    return EnrolAnswer(root, trust, document, unit, machine, own, officers, frames)


def _certificates(trust: Trust, frames: Sequence[object]) -> list[Certificate]:
    """Returns the certificates among frames whose authors may give them, newest first."""
    events, bad = parse_all(frames)
    if bad or verify_all(events.values(), trust, None):
        raise FormatError("The enrolment answer was changed on its way, or is damaged.")
    for event in events.values():
        trust.add(event)
    return [
        c for event_id, c in reversed(list(trust.certificates())) if _is_proven(trust, events[event_id], c)
    ]


def _is_proven(trust: Trust, event: Event, certificate: Certificate) -> bool:
    issuer = trust.authority(event.log)
    return isinstance(issuer, Authority) and not trust.why_not(issuer, certificate)


def accept(
    folder: Path | str,
    secrets: Secrets,
    data: bytes,
    *,
    types: Iterable[DocumentType],
    expected_root: bytes = b"",
    database: str | None = None,
    **options: Any,
) -> Store:
    """Makes the store of a new machine from an answer; whether it serves is what its certificate says.

    Args:
        folder: Where the store goes.
        secrets: What the machine's keyring unlocked.
        data: The answer.
        types: Document types.
        expected_root: The province's root key when it is known already; another one is refused.
        database: SQLAlchemy URL; an encrypted file in ``folder`` when ``None``.
        **options: See `Store.create`: ``clock``, ``rng``, ``threads``.

    Raises:
        FormatError: Not an answer, changed on the way, or nobody may give these certificates.
        NotAllowed: The answer is for another machine, or from another province.
        StoreExists: A store is there already, of another province or unit.
    """
    answer = read_answer(data)
    _check_is_ours(answer, secrets)
    if expected_root and answer.root != expected_root:
        raise NotAllowed("The answer comes from another province.", reason="root")
    kinds = tuple(types)
    try:
        store = Store.create(
            folder, secrets, types=kinds, root=answer.root, trust=answer.trust, unit=answer.unit,
            serves=answer.certificate.serves, database=database, **options,
        )  # fmt: skip
    except StoreExists:
        # A power cut between making the store and taking the certificates leaves one that can go on.
        store = Store.open(folder, secrets, types=kinds, database=database, **options)
        if (store.root, store.unit) != (answer.root, answer.unit):
            store.close()
            raise
    store.receive(answer.frames)
    return store


def receive(store: Store, data: bytes) -> tuple[Certificate, ...]:
    """Takes an answer into a store that is there already: for officers who come later.

    Returns:
        The certificates of the officers.

    Raises:
        FormatError: Not an answer, or changed on the way.
        NotAllowed: From another province, or for another machine.
    """
    answer = read_answer(data)
    if answer.root != store.root:
        raise NotAllowed("The answer comes from another province.", reason="root")
    if (answer.machine, answer.unit) != (store.machine.public, store.unit):
        raise NotAllowed("The answer is for another machine.", reason="machine")
    store.replace_trust(answer.trust)
    store.receive(answer.frames)
    return answer.officers


def _check_is_ours(answer: EnrolAnswer, secrets: Secrets) -> None:
    if answer.machine != secrets.machine.public or answer.certificate.seal != secrets.seal_key:
        raise NotAllowed(
            "The answer is for another machine.",
            todo="Nothing was changed. Ask the administrator for the answer to this machine's request.",
            reason="machine",
        )
