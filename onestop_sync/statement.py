"""The province's statement of a unit: what it has stored of the unit's logs, and what it sent down to it.

Statements of a unit are a chain: each has the next number and names the one before by its hash. So one that
is withheld is missed as soon as the next one comes, and an event that is withheld is missed with the
statement that names it. Each is signed, and travels through relays and sticks as it is.
"""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

from onestop_sync import codec, keys
from onestop_sync.acks import parse_head
from onestop_sync.errors import FormatError, SignatureInvalid

__all__ = [
    "MAX_FOREIGN",
    "MAX_HEADS",
    "STATEMENT_KIND",
    "Statement",
    "check_statement",
    "parse_statement",
    "statement_hash",
]

STATEMENT_KIND: Final = "onestop/statement/1"
MAX_HEADS: Final = 500
"""Heads in one statement, about 37 kB; what is more goes into the next one."""
MAX_FOREIGN: Final = 1000
"""Foreign events in one statement, about 34 kB; what is more goes into the next one."""
_HASH_BYTES: Final = 32


class Statement(NamedTuple):
    """A statement.

    Attributes:
        node: Log of the machine that signs: a server of the unit at the top.
        unit: Of which unit it speaks.
        epoch: Store epoch of the node.
        k: Its number: 1 for the first of an epoch, then without gaps.
        prev: Hash of the statement before, whatever its epoch; empty for the first of all.
        at_ms: When it was made, by the node's clock; shown, and decides nothing.
        trust_version: Version of the trust document that the node had.
        heads: ``(log, seq, head)`` of the unit's logs that changed since the statement before; of all, from
            number 1 on.
        foreign: Ids of the events of other units' logs that went into the unit's feed since then.
    """

    node: bytes
    unit: str
    epoch: bytes
    k: int
    prev: bytes
    at_ms: int
    trust_version: int
    heads: tuple[tuple[bytes, int, bytes], ...]
    foreign: tuple[bytes, ...]

    def sign(self, signer: keys.Signer) -> bytes:
        """Returns the statement as it travels: ``[payload, signature]``."""
        heads: list[codec.Value] = [list(entry) for entry in self.heads]
        head: list[codec.Value] = [1, self.node, self.unit, self.epoch, self.k, self.prev, self.at_ms]
        payload = codec.encode([*head, self.trust_version, heads, list(self.foreign)])
        return codec.encode([payload, signer.sign(codec.pae(STATEMENT_KIND, payload))])


def parse_statement(data: bytes) -> tuple[Statement, bytes, bytes]:
    """Reads a statement; returns it with the bytes that were signed and the signature.

    Raises:
        FormatError: Malformed.
    """
    match codec.decode(data):
        case [bytes(payload), bytes(signature)]:
            pass
        case _:
            raise FormatError("A statement is malformed.")
    match codec.decode(payload):
        case [
            1, bytes(node), str(unit), bytes(epoch), int(k), bytes(prev), int(at_ms), int(version),
            list(heads), list(foreign),
        ] if k >= 1 and _are_numbers(k, at_ms, version) and _are_hashes(prev or node, *foreign):  # fmt: skip
            found = Statement(
                node, unit, epoch, k, prev, at_ms, version, tuple(map(parse_head, heads)), tuple(foreign)
            )
            return found, codec.pae(STATEMENT_KIND, payload), signature
    raise FormatError("A statement is malformed.")


def _are_numbers(*values: object) -> bool:
    return all(type(value) is int for value in values)  # a boolean is none


def _are_hashes(*values: object) -> bool:
    return all(isinstance(value, bytes) and len(value) == _HASH_BYTES for value in values)


def check_statement(data: bytes, key: bytes) -> Statement:
    """Reads a statement and checks its signature.

    Raises:
        FormatError: Malformed.
        SignatureInvalid: Not by ``key``.
    """
    statement, signed, signature = parse_statement(data)
    if not keys.verify(key, signed, signature):
        raise SignatureInvalid("A statement is not signed by the machine that it names.")
    return statement


def statement_hash(data: bytes) -> bytes:
    """Returns the hash by which the next statement names this one."""
    return hashlib.sha256(data).digest()
