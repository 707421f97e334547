"""The two files of an enrolment, as bytes: pure, and checked wherever they are read.

    request = [payload, [signature, …]]     payload = [1, unit, machine, officers]
    answer  = [1, "enrolment", root, trust document, unit, machine key, [frame, …]]

Every key in a request signs it, so that nobody can have a key certified that is not theirs. An answer is
checked against the root key that it names, and by its fingerprint that key is compared by two people.
"""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from onestop_sync import codec, keys
from onestop_sync.errors import FormatError, InvalidInput
from onestop_sync.event import Event
from onestop_sync.keyring import Secrets
from onestop_sync.publication import Publication
from onestop_sync.storage.arrive import parse_all, verify_all
from onestop_sync.trust import Authority, Certificate, Trust, TrustDocument

__all__ = [
    "Applicant",
    "EnrolAnswer",
    "EnrolRequest",
    "Officer",
    "describe",
    "from_text",
    "read_answer",
    "request",
    "to_text",
]

_BEGIN: Final = "-----BEGIN ONESTOP ENROLMENT-----"
_END: Final = "-----END ONESTOP ENROLMENT-----"
REQUEST_KIND: Final = "onestop/enrol-request/1"
_MAX_NAME: Final = 200
_MAX_OFFICERS: Final = 100
_ROLE_CHARS: Final = 64


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
    """An officer as a request names them; who they are as a person, only an administrator says."""

    name: str
    key: bytes
    roles: frozenset[str]
    person: str = ""

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
    match _decoded(data, _no_request):
        case [bytes(payload), list(signatures)]:
            found = _parse_payload(_decoded(payload, _no_request))
        case _:
            raise _no_request()
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


def _decoded(data: bytes, otherwise: Callable[[], FormatError]) -> object:
    """Decodes what somebody gave as a file of an enrolment; it may be any file."""
    try:
        return codec.decode(data)
    except FormatError as error:
        raise otherwise() from error


def _no_request() -> FormatError:
    return FormatError(
        "The file is not an enrolment request, or was damaged on its way.",
        todo="Nothing was changed. Give the new machine's own file: enrol.request or officer.request.",
        reason="not_request",
    )


def _no_answer() -> FormatError:
    return FormatError(
        "The file is not an enrolment answer, or was damaged on its way.",
        todo="Nothing was changed. Give the file that the administrator's `enrol approve` wrote.",
        reason="not_answer",
    )


def _parse_payload(payload: object) -> EnrolRequest:
    match payload:
        case [1, str(unit), [str(name), bytes(machine), bytes(seal)], list(officers)] if (
            _is_name(unit)
            and _is_name(name)
            and len(seal) == keys.KEY_BYTES
            and len(officers) <= _MAX_OFFICERS
        ):
            return EnrolRequest(unit, name, machine, seal, tuple(map(_parse_officer, officers)))
    raise _no_request()


def _parse_officer(row: object) -> Officer:
    match row:
        case [str(name), bytes(key), list(roles)] if _is_name(name) and all(map(_is_role, roles)):
            return Officer(name, key, frozenset(roles))
    raise FormatError("The enrolment request names an officer wrongly.")


def _is_name(name: str) -> bool:
    return 0 < len(name) <= _MAX_NAME and name.isprintable()


def _is_role(role: object) -> bool:
    return isinstance(role, str) and 0 < len(role) <= _ROLE_CHARS and role.isidentifier()


# --------------------------------------------------------------------------------------------------- as text


def to_text(data: bytes) -> str:
    """Returns a request as text that survives mail and messengers: base64 between two lines."""
    lines = textwrap.wrap(base64.b64encode(data).decode(), 64)
    return "\n".join([_BEGIN, *lines, _END, ""])


def from_text(data: bytes) -> bytes:
    """Returns the request in a file that holds it as bytes, or as text with whatever stands around it.

    Raises:
        FormatError: The text was cut or changed.
    """
    begin, end = data.find(_BEGIN.encode()), data.find(_END.encode())
    if begin < 0:
        return data
    try:
        if end < begin:
            raise ValueError
        return base64.b64decode(b"".join(data[begin + len(_BEGIN) : end].split()), validate=True)
    except ValueError as error:
        raise FormatError("The text of the enrolment request was cut or changed.") from error


# ------------------------------------------------------------------------------------------------- the answer


def read_answer(data: bytes) -> EnrolAnswer:
    """Reads an answer, and checks it against the root key that it names.

    Raises:
        FormatError: Not an enrolment answer, or changed on the way.
    """
    match _decoded(data, _no_answer):
        case [1, "enrolment", bytes(root), bytes(trust), str(unit), bytes(machine), list(frames)]:
            pass
        case _:
            raise _no_answer()
    document = Publication.check(trust, root).document
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
    good, refused = verify_all(events, trust, None)
    if bad or refused:
        raise FormatError("The enrolment answer was changed on its way, or is damaged.")
    for event in good:
        trust.add(event)
    by_id = {event.id: event for event in good}
    return [
        c for event_id, c in reversed(list(trust.certificates())) if _is_proven(trust, by_id[event_id], c)
    ]


def _is_proven(trust: Trust, event: Event, certificate: Certificate) -> bool:
    issuer = trust.authority_at(event.log, event.header.seq, event.id)
    return isinstance(issuer, Authority) and not trust.why_not(issuer, certificate)
