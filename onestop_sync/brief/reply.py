"""An answer that leaves out what the machine has: proven, and signed where it moves the cursor."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Final, NamedTuple

from onestop_sync import codec, keys
from onestop_sync.answer import KeptAnswer, answer_bytes
from onestop_sync.brief.acks import AcksOnWire
from onestop_sync.brief.items import read_items, write_items
from onestop_sync.brief.line import MARK, NONCE_BYTES, PROOF_BYTES, SIGNED, Line, prove, read_marks
from onestop_sync.columns import Columns, Reader
from onestop_sync.compact import Block
from onestop_sync.compact.block import counted
from onestop_sync.errors import FormatError, InvalidInput
from onestop_sync.exchange import Cursor

ANSWER_KIND: Final = "onestop/brief-answer/1"
_DIGEST_BYTES: Final = 8
_MORE, _MOVED, _EPOCH, _ACKS, _ITEMS, _REST, _OURS = 1, 2, 4, 8, 16, 32, 64


class Answer(NamedTuple):
    """What a parent answers.

    Attributes:
        nonce: For the next request.
        cursor: Behind the items.
        has_more: Whether there is more.
        acks: As they travel.
        verdicts: On events without effect.
        items: ``[kind, payload]`` of the feed.
        published: ``[root, version, files or null]``.
        signed: What is kept of it as evidence; empty where the cursor did not move.
    """

    nonce: bytes
    cursor: Cursor
    has_more: bool
    acks: list[bytes]
    verdicts: list[Any]
    items: list[Any]
    published: list[Any]
    signed: bytes = b""

    def write(self, line: Line, asked: Asked, signer: keys.Signer) -> bytes:
        """Returns the packet.

        Args:
            line: As both sides knew it before.
            asked: What is answered.
            signer: The parent's key.
        """
        columns = Columns()
        is_moved = self.cursor != line.cursor
        is_new_epoch = line.cursor is None or line.cursor.epoch != self.cursor.epoch
        is_ours = is_moved and self.cursor == _behind(line.cursor, asked.brought)
        rest: list[codec.Value] = [self.verdicts, self.published]
        has_rest = rest != [[], [*asked.published, None]]
        columns.number(
            _MORE * self.has_more | _MOVED * is_moved | _EPOCH * is_new_epoch | _ACKS * bool(self.acks)
            | _ITEMS * bool(self.items) | _REST * has_rest | _OURS * is_ours
        )  # fmt: skip
        columns.raw += self.nonce
        if is_moved and not is_ours:
            columns.signed(self.cursor.n - (line.cursor.n if line.cursor else 0))
            columns.raw += self.cursor.digest
        if is_new_epoch:
            columns.raw += self.cursor.epoch
        acks = AcksOnWire(line, self.cursor.epoch, asked.brought)
        if self.acks:
            columns.number(counted(len(self.acks)))
            for each in self.acks:
                acks.write(each, columns)
        if self.items:
            write_items(self.items, columns, acks, asked.brought)
        if has_rest:
            columns.string(codec.encode(rest))
        packed = columns.pack()
        head, tail = self.halves()
        if not is_moved:
            return MARK + prove(line.secret.down, _said(asked.packet, head, tail)) + packed
        digests = hashlib.sha256(asked.packet).digest(), hashlib.sha256(tail).digest()
        return SIGNED + signer.sign(answer_bytes(digests[0], line.machine, digests[1], head)) + packed

    def halves(self) -> tuple[bytes, bytes]:
        """Returns head and rest as a plain answer has them: that is what is proven."""
        head = codec.encode([self.nonce, list(self.cursor), self.has_more, None])
        return head, codec.encode([self.acks, self.verdicts, self.items, self.published])


class Asked(NamedTuple):
    """A request that is answered.

    Attributes:
        packet: As it travelled.
        published: Root and version of the publication that the machine has.
        brought: What it held: an ack of it is short, and so is what comes back of it.
    """

    packet: bytes
    published: tuple[int, int]
    brought: Block


def read_answer(packet: bytes, limit: int, line: Line, asked: Asked, key: bytes) -> Answer:
    """Reads an answer and checks that it is the parent's, to this request.

    Args:
        packet: The answer.
        limit: Most bytes, put back.
        line: As both sides knew it before.
        asked: What it answers.
        key: The parent's public key.

    Raises:
        FormatError: Malformed, or not by the parent, or to another request.
    """
    is_signed = packet[:1] == SIGNED
    start = 1 + (keys.SIGNATURE_BYTES if is_signed else PROOF_BYTES)
    proof, reader = packet[1:start], Reader(packet[start:], limit)
    marks = read_marks(reader, 2 * _OURS - 1)
    if is_signed != bool(marks & _MOVED):
        raise FormatError("The answer moves the cursor without a signature, or signs for nothing.")
    try:
        found = _read_answer(reader, limit, marks, line, asked)
        reader.end()
        head, rest = found.halves()
    except InvalidInput as error:
        raise FormatError("The answer is malformed.") from error
    if not is_signed:
        is_good = hmac.compare_digest(proof, prove(line.secret.down, _said(asked.packet, head, rest)))
    else:
        digests = hashlib.sha256(asked.packet).digest(), hashlib.sha256(rest).digest()
        kept = KeptAnswer(line.node, line.machine, *digests, head, proof)
        is_good = keys.verify(key, kept.signed, proof)
        found = found._replace(signed=kept.pack())
    if not is_good:
        raise FormatError("The answer is not the parent's answer to this request.")
    return found


def _read_answer(reader: Reader, limit: int, marks: int, line: Line, asked: Asked) -> Answer:
    nonce = reader.raw(NONCE_BYTES)
    epoch, n, digest = line.cursor or Cursor(b"", 0, b"")
    if marks & _OURS:
        epoch, n, digest = _behind(line.cursor, asked.brought)
    elif marks & _MOVED:
        n += reader.signed()
        digest = reader.raw(_DIGEST_BYTES)
    if n < 0:
        raise FormatError("A cursor is malformed.")
    if marks & _EPOCH:
        epoch = reader.raw(NONCE_BYTES)
    acks = AcksOnWire(line, epoch, asked.brought)
    given = [acks.read(reader) for _ in range(counted(reader.number()))] if marks & _ACKS else []
    items = read_items(reader, limit, acks, asked.brought) if marks & _ITEMS else []
    match codec.decode(reader.string()) if marks & _REST else [[], [*asked.published, None]]:
        case [list(verdicts), list(published)]:
            cursor = Cursor(epoch, n, digest)
            return Answer(nonce, cursor, bool(marks & _MORE), given, verdicts, items, published)
    raise FormatError("The answer is malformed.")


def _behind(cursor: Cursor | None, brought: Block) -> Cursor:
    """Returns where a feed is when nothing came into it but what was brought."""
    epoch, n, digest = cursor or Cursor(b"", 0, bytes(_DIGEST_BYTES))
    for event in brought.ids:
        digest = hashlib.sha256(digest + event).digest()[:_DIGEST_BYTES]
    return Cursor(epoch, n + len(brought.ids), digest)


def _said(asked: bytes, head: bytes, rest: bytes) -> bytes:
    parts = (asked, head, rest)
    return codec.pae(ANSWER_KIND, b"".join(hashlib.sha256(part).digest() for part in parts))
