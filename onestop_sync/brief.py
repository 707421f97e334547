"""Requests and answers between two who know each other: what both hold already is left out.

    packet  = 0x02, first 8 bytes of the machine's log (in a request), proof, block    (`columns`)
    request = marks, number of the cursor, version and root of the publication, [max bytes], frames, [logs]
    challenge = 0x03, proof, nonce, digest of the request that was taken
    answer  = marks, nonce, [cursor], [acks], [items], [verdicts and publication]

The nonce and the rest of the cursor are not sent: both sides have them. The proof is 16 bytes instead of a
signature of 64: HMAC-SHA256 under a key that only these two can compute, from the X25519 keys that their
certificates name. It covers what is sent, what was left out and put back, and the ids of all frames, so
that a wrong guess is no more than a proof that fails. Nobody else has to believe it: events and acks bear
their own signatures, as always. An answer that moves the cursor is evidence of what the parent gave: it is
signed as a plain one is (`answer`), and begins with 0x04.

A parent that cannot check a request changes nothing and asks for the plain one, which loses nothing.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from onestop_sync import codec, compact, keys
from onestop_sync.acks import Acks, parse_acks
from onestop_sync.answer import KeptAnswer, answer_bytes
from onestop_sync.columns import Columns, Reader
from onestop_sync.compact import Block, Held
from onestop_sync.errors import FormatError, InvalidInput
from onestop_sync.exchange import Cursor

__all__ = [
    "AGAIN",
    "MARK",
    "SIGNED",
    "Answer",
    "Asked",
    "Challenge",
    "Line",
    "Request",
    "Secret",
    "log_prefix",
    "shared_secret",
]

MARK: Final = b"\x02"
"""First byte of a packet of this kind."""
SIGNED: Final = b"\x04"
"""First byte of an answer that moves the cursor: it is signed, because it is kept as evidence."""
AGAIN: Final = b"\x03"
"""First byte of a challenge."""
REQUEST_KIND: Final = "onestop/brief-request/1"
ANSWER_KIND: Final = "onestop/brief-answer/1"
CHALLENGE_KIND: Final = "onestop/brief-challenge/1"
PROOF_BYTES: Final = 16
_PREFIX: Final = compact.PREFIX_BYTES
_NONCE_BYTES: Final = 16
_DIGEST_BYTES: Final = 8
_ID: Final = 32

# Marks of a request.
_ECHO, _BUDGET, _FRAMES, _CURSOR, _LOGS, _PROOFS = 1, 2, 4, 8, 16, 32
# Marks of an answer.
_MORE, _MOVED, _EPOCH, _ACKS, _ITEMS, _REST, _OURS = 1, 2, 4, 8, 16, 32, 64
# Marks of acks: what is as the line says.
_NODE, _UNIT, _AGE = 1, 2, 4
_AS_IT_IS: Final = 8
_ENDS: Final = 16  # it names the ends of what was brought, and no more
_MAX_ENTRIES: Final = 100_000
"""Logs that the statements of one answer may name."""


End = tuple[bytes, int, bytes]
"""The last event of a log in a request: log, sequence, id."""


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
    both = HKDF(SHA256(), 2 * _ID, salt=None, info=info).derive(common)
    return Secret(both[:_ID], both[_ID:])


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


class Request(NamedTuple):
    """What a machine asks, beyond what the line says.

    Attributes:
        echo: Whether it wants what it brought itself.
        max_bytes: Of feed in the answer; 0 for what the parent gives by itself.
        version: Of the publication that it has.
        root: Of that publication's root.
        introduction: Frames that prove the authority of logs.
        frames: Events.
        logs: Of which it wants to hear what is stored, because an answer was lost.
    """

    echo: bool
    max_bytes: int
    version: int
    root: int
    introduction: list[Any]
    frames: list[Any]
    logs: tuple[bytes, ...] = ()

    def write(self, line: Line, held: Held) -> tuple[bytes, Block]:
        """Returns the packet, and what it holds."""
        columns = Columns()
        sent = [*self.introduction, *self.frames]
        columns.number(
            _ECHO * self.echo | _BUDGET * (self.max_bytes > 0) | _FRAMES * bool(sent)
            | _CURSOR * (line.cursor is not None) | _LOGS * bool(self.logs)
            | _PROOFS * bool(self.introduction)
        )  # fmt: skip
        if line.cursor is not None:
            columns.number(line.cursor.n)
        columns.number(self.version)
        columns.number(self.root)
        if self.max_bytes > 0:
            columns.number(self.max_bytes)
        block = Block([], [], [])
        if self.introduction:
            columns.number(len(self.introduction))
        if sent:
            block = compact.write(sent, columns, held)
        if self.logs:
            columns.number(len(self.logs))
            columns.raw += b"".join(log[:_PREFIX] for log in self.logs)
        packed = columns.pack()
        proof = _prove(line.secret.up, _asked(line, block, packed))
        return MARK + line.machine[:_PREFIX] + proof + packed, block


class Opened(NamedTuple):
    """A request that was read, and whose proof is not checked yet.

    Attributes:
        n: Number of its cursor, or ``None``.
    """

    request: Request
    n: int | None
    block: Block
    proof: bytes
    packed: bytes

    def is_proven(self, line: Line) -> bool:
        """Tells whether the machine of this line made it, and meant what was put back."""
        return hmac.compare_digest(self.proof, _prove(line.secret.up, _asked(line, self.block, self.packed)))


def log_prefix(packet: bytes) -> bytes:
    """Returns the first bytes of the log of the machine that claims to ask.

    Raises:
        FormatError: The packet is too short.
    """
    if len(packet) < 1 + _PREFIX + PROOF_BYTES:
        raise FormatError("A packet ends too early.")
    return packet[1 : 1 + _PREFIX]


def open_request(packet: bytes, limit: int, held: Held) -> Opened:
    """Reads a request.

    Raises:
        Unknown: It leans on something that is not here.
        FormatError: Malformed, or larger than the limit.
    """
    start = 1 + _PREFIX + PROOF_BYTES
    packed = packet[start:]
    reader = Reader(packed, limit)
    marks = _marks(reader, 2 * _PROOFS - 1)
    n = reader.number() if marks & _CURSOR else None
    version, root = reader.number(), reader.number()
    max_bytes = reader.number() if marks & _BUDGET else 0
    block, first = Block([], [], []), 0
    if marks & _PROOFS:
        first = reader.number()
    if marks & _FRAMES:
        block = compact.read(reader, limit, held)
    short = [reader.raw(_PREFIX) for _ in range(reader.number())] if marks & _LOGS else []
    reader.end()
    logs = tuple(held.logs(set(short)).values())
    if first > len(block.frames):
        raise FormatError("A request is malformed.")
    request = Request(
        bool(marks & _ECHO), max_bytes, version, root, block.frames[:first], block.frames[first:], logs
    )
    return Opened(request, n, block, packet[1 + _PREFIX : start], packed)


def _asked(line: Line, block: Block, packed: bytes) -> bytes:
    cursor: codec.Value = list(line.cursor) if line.cursor else None
    facts = codec.encode([line.machine, line.node, line.nonce, cursor, block.digest])
    return codec.pae(REQUEST_KIND, facts + packed)


def _prove(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")[:PROOF_BYTES]


def _marks(reader: Reader, most: int) -> int:
    marks = reader.number()
    if marks > most:
        raise FormatError("A packet has marks that are not known.")
    return marks


# ------------------------------------------------------------------------------------------- challenges


class Challenge(NamedTuple):
    """What a parent says to a request with the nonce of one that it took before.

    Attributes:
        nonce: For the next request.
        taken: Digest of the request that it took; the machine knows by it whether that was its own.
    """

    nonce: bytes
    taken: bytes

    def write(self, line: Line, asked: bytes) -> bytes:
        """Returns the packet."""
        said = self.nonce + self.taken
        return AGAIN + _prove(line.secret.down, _challenged(asked, said)) + said


def read_challenge(packet: bytes, line: Line, asked: bytes) -> Challenge:
    """Reads a challenge and checks that it is the parent's, to this request.

    Raises:
        FormatError: It is not.
    """
    start = 1 + PROOF_BYTES
    said = packet[start:]
    proof = _prove(line.secret.down, _challenged(asked, said))
    if len(said) != 2 * _NONCE_BYTES or not hmac.compare_digest(packet[1:start], proof):
        raise FormatError("The answer is not the parent's answer to this request.")
    return Challenge(said[:_NONCE_BYTES], said[_NONCE_BYTES:])


def _challenged(asked: bytes, said: bytes) -> bytes:
    return codec.pae(CHALLENGE_KIND, hashlib.sha256(asked).digest() + said)


def digest(packet: bytes) -> bytes:
    """Returns what a request is known by afterwards."""
    return hashlib.sha256(packet).digest()[:_NONCE_BYTES]


# ---------------------------------------------------------------------------------------------- answers


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
        acks = _Acks(line, self.cursor.epoch, asked.brought)
        if self.acks:
            columns.number(len(self.acks))
            for each in self.acks:
                acks.write(each, columns)
        if self.items:
            _write_items(self.items, columns, acks, asked.brought)
        if has_rest:
            columns.string(codec.encode(rest))
        packed = columns.pack()
        head, tail = self.halves()
        if not is_moved:
            return MARK + _prove(line.secret.down, _said(asked.packet, head, tail)) + packed
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
    marks = _marks(reader, 2 * _OURS - 1)
    if is_signed != bool(marks & _MOVED):
        raise FormatError("The answer moves the cursor without a signature, or signs for nothing.")
    try:
        found = _read_answer(reader, limit, marks, line, asked)
        reader.end()
        head, rest = found.halves()
    except InvalidInput as error:
        raise FormatError("The answer is malformed.") from error
    if not is_signed:
        is_good = hmac.compare_digest(proof, _prove(line.secret.down, _said(asked.packet, head, rest)))
    else:
        digests = hashlib.sha256(asked.packet).digest(), hashlib.sha256(rest).digest()
        kept = KeptAnswer(line.node, line.machine, *digests, head, proof)
        is_good = keys.verify(key, kept.signed, proof)
        found = found._replace(signed=kept.pack())
    if not is_good:
        raise FormatError("The answer is not the parent's answer to this request.")
    return found


def _read_answer(reader: Reader, limit: int, marks: int, line: Line, asked: Asked) -> Answer:
    nonce = reader.raw(_NONCE_BYTES)
    epoch, n, digest = line.cursor or Cursor(b"", 0, b"")
    if marks & _OURS:
        epoch, n, digest = _behind(line.cursor, asked.brought)
    elif marks & _MOVED:
        n += reader.signed()
        digest = reader.raw(_DIGEST_BYTES)
    if n < 0:
        raise FormatError("A cursor is malformed.")
    if marks & _EPOCH:
        epoch = reader.raw(_NONCE_BYTES)
    acks = _Acks(line, epoch, asked.brought)
    given = [acks.read(reader) for _ in range(reader.number())] if marks & _ACKS else []
    items = _read_items(reader, limit, acks, asked.brought) if marks & _ITEMS else []
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


_EVENT, _ACK, _YOURS = 0, 1, 255
"""Kinds of items as `onestop_sync.storage.feed` has them, and one for an event that the request brought."""


def _write_items(items: Sequence[Any], columns: Columns, acks: _Acks, brought: Block) -> None:
    if len(items) > compact.MAX_FRAMES:
        raise FormatError("An answer names more items than it may have.")
    yours = {event: n for n, event in enumerate(brought.ids)}
    rows = [_row(kind, payload, brought, yours) for kind, payload in items]
    columns.string(bytes(kind for kind, _ in rows))
    compact.write([payload for kind, payload in rows if kind == _EVENT], columns)
    after = 0
    for kind, payload in rows:
        if kind == _YOURS:
            columns.signed(payload - after)
            after = payload + 1
        elif kind == _ACK:
            acks.write(payload, columns)
        elif kind != _EVENT:
            columns.string(codec.encode(payload))


def _row(kind: int, payload: Any, brought: Block, yours: Mapping[bytes, int]) -> tuple[int, Any]:
    """Returns an item as it travels: of a frame that the request brought only its number there."""
    if kind == _EVENT and yours:
        n = yours.get(compact.event_id(payload[0]))
        if n is not None and brought.frames[n] == list(payload):
            return _YOURS, n
    return kind, payload


def _read_items(reader: Reader, limit: int, acks: _Acks, brought: Block) -> list[Any]:
    kinds = reader.string()
    if len(kinds) > compact.MAX_FRAMES:
        raise FormatError("An answer names more items than it may have.")
    block = compact.read(reader, limit)
    frames = iter(block.frames)
    items: list[Any] = []
    after = 0
    for kind in kinds:
        if kind == _EVENT:
            items.append([kind, next(frames, None)])
        elif kind == _YOURS:
            after += reader.signed()
            if not 0 <= after < len(brought.frames):
                raise FormatError("The answer names a frame that was not sent.")
            items.append([_EVENT, brought.frames[after]])
            after += 1
        elif kind == _ACK:
            items.append([kind, acks.read(reader)])
        else:
            items.append([kind, codec.decode(reader.string())])
    if next(frames, None) is not None or [_EVENT, None] in items:
        raise FormatError("The answer is malformed.")
    return items


class _Acks:
    """Signed acks without what both sides can tell.

    acks = marks, [node], [unit], [epoch], time, after, logs, events, signature
    logs      = number, then for each the number of its end in the request + 1, or 0, log, seq and head
    """

    def __init__(self, line: Line, epoch: bytes, brought: Block) -> None:
        self.line = line
        self.epoch = epoch
        self.ends = brought.ends
        self._at_ms = brought.time_ms
        self._left = _MAX_ENTRIES

    def write(self, data: bytes, columns: Columns) -> None:
        """Writes one; it is put back to the same bytes."""
        said, _, signature = parse_acks(data)
        if not _is_usual(said, signature):
            columns.number(_AS_IT_IS)
            columns.string(data)
            return
        line = self.line
        marks = _NODE * (said.node == line.node) | _UNIT * (said.unit == line.unit)
        marks |= _AGE * (said.epoch == self.epoch)
        is_ends = list(said.logs) == self.ends and not said.events
        marks |= _ENDS * is_ends
        columns.number(marks)
        if not marks & _NODE:
            columns.raw += said.node
        if not marks & _UNIT:
            columns.string(said.unit.encode())
        if not marks & _AGE:
            columns.raw += said.epoch
        columns.signed(said.at_ms - self._at_ms)
        self._at_ms = said.at_ms
        columns.number(said.after)
        if not is_ends:
            columns.number(len(said.logs))
            for entry in said.logs:
                self._entry(entry, columns)
            columns.number(len(said.events))
        columns.raw += b"".join(said.events) + signature

    def _entry(self, entry: tuple[bytes, int, bytes], columns: Columns) -> None:
        if entry in self.ends:
            columns.number(self.ends.index(entry) + 1)
            return
        log, seq, head = entry
        columns.number(0)
        columns.number(seq)
        columns.raw += log + head

    def read(self, reader: Reader) -> bytes:
        """Reads one."""
        line = self.line
        marks = _marks(reader, 2 * _ENDS - 1)
        if marks == _AS_IT_IS:
            return reader.string()
        node = line.node if marks & _NODE else reader.raw(_ID)
        unit = line.unit if marks & _UNIT else reader.name()
        epoch = self.epoch if marks & _AGE else reader.raw(_NONCE_BYTES)
        self._at_ms += reader.signed()
        after = reader.number()
        logs, events = self._spent(self.ends) if marks & _ENDS else [], list[bytes]()
        if not marks & _ENDS:
            logs = [self._read_entry(reader) for _ in range(self._count(reader))]
            events = [reader.raw(_ID) for _ in range(reader.number())]
        said = Acks(node, unit, epoch, self._at_ms, after, tuple(logs), tuple(events))
        return said.with_signature(reader.raw(keys.SIGNATURE_BYTES))

    def _count(self, reader: Reader) -> int:
        """Reads how many logs a statement names; a byte names one that takes eighty."""
        count = reader.number()
        self._spend(count)
        return count

    def _spent(self, ends: list[End]) -> list[End]:
        self._spend(len(ends))
        return ends

    def _spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise FormatError("A packet is larger than the protocol allows.")

    def _read_entry(self, reader: Reader) -> tuple[bytes, int, bytes]:
        number = reader.number()
        if number > len(self.ends):
            raise FormatError("An ack names a log that was not sent.")
        if number:
            return self.ends[number - 1]
        seq = reader.number()
        log = reader.raw(_ID)
        return log, seq, reader.raw(_ID)


def _is_usual(said: Acks, signature: bytes) -> bool:
    ids = [said.node, *said.events, *(part for log, _, head in said.logs for part in (log, head))]
    numbers = [said.at_ms, said.after, *(seq for _, seq, _ in said.logs)]
    return (
        not said.contents
        and {len(each) for each in ids} == {_ID}
        and len(said.epoch) == _NONCE_BYTES
        and len(signature) == keys.SIGNATURE_BYTES
        and min(numbers) >= 0
        and all(type(each) is int for each in numbers)
    )
