"""What both sides of a line know, the keys that they share, and what is proven with them."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from onestop_sync import keys
from onestop_sync.columns import Reader
from onestop_sync.errors import FormatError
from onestop_sync.exchange import Cursor

MARK: Final = b"\x02"
"""First byte of a packet of this kind."""
SIGNED: Final = b"\x04"
"""First byte of an answer that moves the cursor: it is signed, because it is kept as evidence."""
AGAIN: Final = b"\x03"
"""First byte of a challenge."""
PROOF_BYTES: Final = 16
NONCE_BYTES: Final = 16
ID_BYTES: Final = 32


class Secret(NamedTuple):
    """Keys that a machine and its parent share, one for each direction."""

    up: bytes
    down: bytes


def shared_secret(seed: bytes, public: bytes, machine: bytes, node: bytes) -> Secret | None:
    """Returns the keys of a machine and a parent, the same on both sides; ``None`` if one has no X25519 key.

    Args:
        seed: Of one's own X25519 key.
        public: The other's X25519 key, as certified; empty when it has none.
        machine: Log of the machine.
        node: Log of the parent's machine.
    """
    common = keys.agree(seed, public) if public else b""
    if not common:
        return None
    info = b"onestop brief\0" + machine + node
    both = HKDF(SHA256(), 2 * ID_BYTES, salt=None, info=info).derive(common)
    return Secret(both[:ID_BYTES], both[ID_BYTES:])


class Line(NamedTuple):
    """What both sides of a line know.

    Attributes:
        machine: Log of the machine.
        node: Log of the parent's machine.
        unit: The machine's unit.
        nonce: The last one that the parent gave.
        cursor: Where the machine is in its feed; ``None`` before its first answer.
        secret: What the proofs are made with.
    """

    machine: bytes
    node: bytes
    unit: str
    nonce: bytes
    cursor: Cursor | None
    secret: Secret


def prove(key: bytes, message: bytes) -> bytes:
    """Returns the proof that somebody who has ``key`` said ``message``."""
    return hmac.digest(key, message, "sha256")[:PROOF_BYTES]


def read_marks(reader: Reader, most: int) -> int:
    """Reads marks, of which the largest sum is ``most``.

    Raises:
        FormatError: There are others.
    """
    marks = reader.number()
    if marks > most:
        raise FormatError("A packet has marks that are not known.")
    return marks


def digest(packet: bytes) -> bytes:
    """Returns what a request is known by afterwards."""
    return hashlib.sha256(packet).digest()[:NONCE_BYTES]
