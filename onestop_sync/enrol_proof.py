"""What travels between a new machine and whoever knows its one-time code, as bytes: pure.

    packet = [1, "enrol-look", selector, nonce, mac]          what does the code allow?
           | [1, "enrol-by-code", selector, request, mac]     enrol me; request as in `enrol_files`
    answer = [1, "enrol-code-answer", SHA-256(packet), nonce, box]

A packet is proven by HMAC under the code's request key. An answer is sealed under its answer key, bound to
the packet that it answers. So whoever stands between, a relay, a thief of the line, another province, can
drop them, and nothing else: the answer comes from where the code was made, is for this packet alone, and is
read by nobody else. Sent again, a packet gets the same machine the same answer, and tells a stranger nothing.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from onestop_sync import codec
from onestop_sync.enrol_code import CodeKeys, is_selector
from onestop_sync.errors import FormatError, SignatureInvalid
from onestop_sync.protocol import open_packet, pack_packet

__all__ = [
    "MAX_PACKET",
    "NONCE_BYTES",
    "Offer",
    "Packet",
    "Reply",
    "bare_request",
    "is_packet",
    "is_proven",
    "look_packet",
    "open_answer",
    "parse_packet",
    "request_packet",
    "seal_answer",
]

MAX_PACKET: Final = 64 * 1024
"""Largest packet in bytes: a hundred officers need a quarter of it."""
NONCE_BYTES: Final = 12
LOOK: Final = "enrol-look"
REQUEST: Final = "enrol-by-code"
ANSWER: Final = "enrol-code-answer"
_MAC_BYTES: Final = 32
_LOOK_BYTES: Final = 16


class Packet(NamedTuple):
    """A packet of a new machine; whether it is proven says `is_proven`.

    Attributes:
        kind: ``enrol-look`` or ``enrol-by-code``.
        selector: Which code it claims to know.
        content: The request, or random bytes of a look.
        mac: Proof.
    """

    kind: str
    selector: str
    content: bytes
    mac: bytes


class Offer(NamedTuple):
    """What a code allows, as the administrator set it.

    Attributes:
        unit: Id of the unit.
        unit_name: Its name.
        machine_name: Name of the machine.
        serves: Whether it will be a parent of others.
        officers: Name and roles of each officer.
        until_ms: When the code ends, ms since 1970 UTC.
    """

    unit: str
    unit_name: str
    machine_name: str
    serves: bool
    officers: tuple[tuple[str, tuple[str, ...]], ...]
    until_ms: int


class Reply(NamedTuple):
    """What an answer says; exactly one of these.

    Attributes:
        offer: What the code allows.
        enrolment: The answer of `enrol.approve`.
        reason: Why not: a reason code.
        is_waiting: An administrator has to approve first; ask again.
    """

    offer: Offer | None = None
    enrolment: bytes = b""
    reason: str = ""
    is_waiting: bool = False


# ---------------------------------------------------------------------------------------------------- packets


def look_packet(code: CodeKeys, nonce: bytes) -> bytes:
    """Returns the packet that asks what a code allows.

    Args:
        code: The code.
        nonce: 16 fresh random bytes.
    """
    return _proven(code, LOOK, nonce)


def request_packet(code: CodeKeys, request: bytes) -> bytes:
    """Returns a request with the proof that whoever makes it knows the code."""
    return _proven(code, REQUEST, request)


def _proven(code: CodeKeys, kind: str, content: bytes) -> bytes:
    return codec.encode(
        [1, kind, code.selector, content, _mac(code.request_key, kind, code.selector, content)]
    )


def _mac(key: bytes, kind: str, selector: str, content: bytes) -> bytes:
    signed = codec.pae(f"onestop/{kind}/1", codec.encode([selector, content]))
    return hmac.digest(key, signed, "sha256")


def is_packet(data: bytes) -> bool:
    """Tells whether a file is a request with the proof of a code, and not a bare one."""
    try:
        return parse_packet(data).kind == REQUEST
    except FormatError:
        return False


def bare_request(data: bytes) -> bytes:
    """Returns the request alone, with or without a proof around it."""
    return parse_packet(data).content if is_packet(data) else data


def parse_packet(data: bytes) -> Packet:
    """Reads a packet.

    Raises:
        FormatError: It is none, or too large.
    """
    if len(data) <= MAX_PACKET:
        match codec.decode(data):
            case [1, "enrol-look" | "enrol-by-code" as kind, str(selector), bytes(content), bytes(mac)] if (
                is_selector(selector)
                and len(mac) == _MAC_BYTES
                and (kind == REQUEST or len(content) == _LOOK_BYTES)
            ):
                return Packet(kind, selector, content, mac)
    raise FormatError("The data is not a request by a one-time code.")


def is_proven(packet: Packet, request_key: bytes) -> bool:
    """Tells whether whoever made the packet knows the code; takes as long for a wrong one."""
    return hmac.compare_digest(packet.mac, _mac(request_key, packet.kind, packet.selector, packet.content))


# ---------------------------------------------------------------------------------------------------- answers


def seal_answer(answer_key: bytes, packet: bytes, nonce: bytes, reply: Reply) -> bytes:
    """Returns an answer to a packet.

    Args:
        answer_key: The code's.
        packet: What is answered.
        nonce: 12 fresh random bytes.
        reply: What to say.
    """
    about = sha256(packet).digest()
    box = ChaCha20Poly1305(answer_key).encrypt(nonce, pack_packet(_plain(reply)), _bound(about))
    return codec.encode([1, ANSWER, about, nonce, box])


def _bound(about: bytes) -> bytes:
    return codec.pae(f"onestop/{ANSWER}/1", about)


def _plain(reply: Reply) -> codec.Value:
    if reply.offer is not None:
        offer = reply.offer
        officers: list[codec.Value] = [[name, list(roles)] for name, roles in offer.officers]
        return [
            "offer",
            offer.unit,
            offer.unit_name,
            offer.machine_name,
            offer.serves,
            officers,
            offer.until_ms,
        ]
    if reply.enrolment:
        return ["enrolled", reply.enrolment]
    return ["waiting"] if reply.is_waiting else ["refused", reply.reason]


def open_answer(code: CodeKeys, data: bytes, packet: bytes = b"") -> Reply:
    """Reads an answer.

    Args:
        code: The code.
        data: The answer.
        packet: What was asked; empty for a file, whose enrolment names its machine by itself.

    Raises:
        FormatError: Not such an answer, or to another packet.
        SignatureInvalid: Not from where the code was made, or changed on the way.
    """
    match codec.decode(data):
        case [1, "enrol-code-answer", bytes(about), bytes(nonce), bytes(box)] if len(nonce) == NONCE_BYTES:
            pass
        case _:
            raise FormatError("The data is not an answer to a one-time code.")
    if packet and about != sha256(packet).digest():
        raise FormatError("The answer is to another request.")
    try:
        plain = ChaCha20Poly1305(code.answer_key).decrypt(nonce, box, _bound(about))
    except InvalidTag as error:
        raise SignatureInvalid(
            "The answer was not made with this code, or was changed on its way.", reason="code_answer"
        ) from error
    return _reply(open_packet(plain))


def _reply(value: Any) -> Reply:
    match value:
        case ["offer", str(unit), str(unit_name), str(machine), bool(serves), list(officers), int(until_ms)]:
            named = tuple(map(_officer, officers))
            return Reply(offer=Offer(unit, unit_name, machine, serves, named, until_ms))
        case ["enrolled", bytes(enrolment)]:
            return Reply(enrolment=enrolment)
        case ["waiting"]:
            return Reply(is_waiting=True)
        case ["refused", str(reason)]:
            return Reply(reason=reason)
    raise FormatError("The answer to a one-time code is malformed.")


def _officer(row: object) -> tuple[str, tuple[str, ...]]:
    match row:
        case [str(name), list(roles)] if all(isinstance(role, str) for role in roles):
            return name, tuple(roles)
    raise FormatError("The answer to a one-time code is malformed.")
