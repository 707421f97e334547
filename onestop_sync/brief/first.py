"""The first request of all, where the machine knows its parents: sealed, so that it brings everything.

A machine learns the certificates of the servers above it when it is enrolled, but not which of them answers
at an address. It seals to each of them what it would otherwise tell only after a challenge, signs it, and
gets its answer sealed under the same key: whoever copies the request, or sits at the address, reads neither.

    request = 0x05, number of readers, sealed key (80) …, nonce (12), sealed(log, signature, brief request)
    answer  = 0x05, nonce (12), sealed(packet)

Source: HPKE (RFC 9180) for the key, ChaCha20-Poly1305 (RFC 8439) under it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from onestop_sync import codec, keys
from onestop_sync.brief.line import ID_BYTES, Line, Secret
from onestop_sync.brief.request import Opened, Request, open_request
from onestop_sync.compact import NOTHING, Block, Unknown
from onestop_sync.errors import FormatError

__all__ = [
    "FIRST",
    "MOST_READERS",
    "Beginning",
    "open_first",
    "open_first_answer",
    "seal_answer",
    "write_first",
]

FIRST: Final = b"\x05"
"""First byte of a first request, and of its answer."""
FIRST_KIND: Final = "onestop/first/1"
MOST_READERS: Final = 4
"""Servers to which one first request may be sealed."""
_PURPOSE: Final = "onestop first request"
_SEALED_KEY: Final = 80
_NONCE: Final = 12


class Beginning(NamedTuple):
    """A first request that was opened, and whose signature is not checked yet.

    Attributes:
        log: Of the machine that claims to ask.
        signed: What it must have signed.
        signature: What it says is its signature.
        key: Under which its answer is sealed.
        opened: What it asks.
    """

    log: bytes
    signed: bytes
    signature: bytes
    key: bytes
    opened: Opened


def write_first(
    asked: Request, log: bytes, signer: keys.Signer, readers: Sequence[bytes], rng: Callable[[int], bytes]
) -> tuple[bytes, bytes, Block]:
    """Returns the packet of a first request, the key that opens its answer, and what it holds.

    Args:
        asked: What is asked.
        log: Of the machine.
        signer: The machine's key.
        readers: X25519 keys of the servers that may be at the address, up to `MOST_READERS`.
        rng: Makes random bytes.
    """
    key = rng(ID_BYTES)
    packet, block = asked.write(_line(log, key), NOTHING)
    sealed = b"".join(keys.seal_to(reader, key, _PURPOSE) for reader in readers)
    head = FIRST + bytes([len(readers)]) + sealed
    inner = log + signer.sign(_signed(head, packet)) + packet
    return head + _seal(key, inner, head, rng), key, block


def open_first(data: bytes, seed: bytes, limit: int) -> Beginning:
    """Opens a first request.

    Args:
        data: The packet.
        seed: Of the server's X25519 key.
        limit: Most bytes, put back.

    Raises:
        Unknown: It is sealed to others.
        FormatError: Malformed, or changed on the way.
    """
    count = data[1] if len(data) > 1 else 0
    end = 2 + count * _SEALED_KEY
    if not 1 <= count <= MOST_READERS or len(data) < end:
        raise FormatError("A packet ends too early.")
    head = data[:end]
    key = _open_key([head[i : i + _SEALED_KEY] for i in range(2, end, _SEALED_KEY)], seed)
    inner = _open(key, data[end:], head)
    start = ID_BYTES + keys.SIGNATURE_BYTES
    log, signature, packet = inner[:ID_BYTES], inner[ID_BYTES:start], inner[start:]
    opened = open_request(packet, limit, NOTHING)
    if not opened.is_proven(_line(log, key)):
        raise FormatError("A packet does not hold what it says.")
    return Beginning(log, _signed(head, packet), signature, key, opened)


def seal_answer(key: bytes, packet: bytes, rng: Callable[[int], bytes]) -> bytes:
    """Returns the answer to a first request: only its sender can open it."""
    return FIRST + _seal(_down(key), packet, FIRST, rng)


def open_first_answer(key: bytes, data: bytes) -> bytes:
    """Returns what `seal_answer` sealed.

    Raises:
        FormatError: It was sealed under another key, or changed.
    """
    return _open(_down(key), data[1:], data[:1])


def _line(log: bytes, key: bytes) -> Line:
    """Returns a line of which nothing is known yet: only the key that travels with the request."""
    return Line(log, b"", "", b"", None, Secret(key, key))


def _signed(head: bytes, packet: bytes) -> bytes:
    # With whom it is sealed to: a reader cannot pass it on to another as if it were meant for that one.
    return codec.pae(FIRST_KIND, hashlib.sha256(head).digest() + packet)


def _open_key(sealed: Sequence[bytes], seed: bytes) -> bytes:
    for each in sealed:
        try:
            key = keys.open_sealed(seed, each, _PURPOSE)
        except FormatError:
            continue
        if len(key) == ID_BYTES:
            return key
    raise Unknown("The request is sealed to other servers.")


def _down(key: bytes) -> bytes:
    return hashlib.sha256(b"onestop first answer\0" + key).digest()


def _seal(key: bytes, plain: bytes, bound: bytes, rng: Callable[[int], bytes]) -> bytes:
    nonce = rng(_NONCE)
    return nonce + ChaCha20Poly1305(key).encrypt(nonce, plain, bound)


def _open(key: bytes, sealed: bytes, bound: bytes) -> bytes:
    try:
        return ChaCha20Poly1305(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], bound)
    except (InvalidTag, ValueError) as error:
        raise FormatError("A sealed packet does not open.") from error
