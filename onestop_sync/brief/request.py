"""A request that leaves out what the parent has, and how the parent opens it."""

from __future__ import annotations

import hmac
from typing import Any, Final, NamedTuple

from onestop_sync import codec, compact
from onestop_sync.brief.line import MARK, PROOF_BYTES, Line, prove, read_marks
from onestop_sync.columns import Columns, Reader
from onestop_sync.compact import PREFIX_BYTES, Block, Held
from onestop_sync.errors import FormatError

REQUEST_KIND: Final = "onestop/brief-request/1"
_ECHO, _BUDGET, _FRAMES, _CURSOR, _LOGS, _PROOFS = 1, 2, 4, 8, 16, 32


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
            logs = self.logs[: compact.MAX_SHARED_LOGS]  # of the others it hears by and by
            columns.number(len(logs))
            columns.raw += b"".join(log[:PREFIX_BYTES] for log in logs)
        packed = columns.pack()
        proof = prove(line.secret.up, _asked(line, block, packed))
        return MARK + line.machine[:PREFIX_BYTES] + proof + packed, block


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
        return hmac.compare_digest(self.proof, prove(line.secret.up, _asked(line, self.block, self.packed)))


def log_prefix(packet: bytes) -> bytes:
    """Returns the first bytes of the log of the machine that claims to ask.

    Raises:
        FormatError: The packet is too short.
    """
    if len(packet) < 1 + PREFIX_BYTES + PROOF_BYTES:
        raise FormatError("A packet ends too early.")
    return packet[1 : 1 + PREFIX_BYTES]


def open_request(packet: bytes, limit: int, held: Held) -> Opened:
    """Reads a request.

    Raises:
        Unknown: It leans on something that is not here.
        FormatError: Malformed, or larger than the limit.
    """
    start = 1 + PREFIX_BYTES + PROOF_BYTES
    packed = packet[start:]
    reader = Reader(packed, limit)
    marks = read_marks(reader, 2 * _PROOFS - 1)
    n = reader.number() if marks & _CURSOR else None
    version, root = reader.number(), reader.number()
    max_bytes = reader.number() if marks & _BUDGET else 0
    block, first = Block([], [], []), 0
    if marks & _PROOFS:
        first = reader.number()
    if marks & _FRAMES:
        block = compact.read(reader, limit, held)
    short = _read_logs(reader) if marks & _LOGS else []
    reader.end()
    logs = tuple(held.logs(set(short)).values())
    if first > len(block.frames):
        raise FormatError("A request is malformed.")
    request = Request(
        bool(marks & _ECHO), max_bytes, version, root, block.frames[:first], block.frames[first:], logs
    )
    return Opened(request, n, block, packet[1 + PREFIX_BYTES : start], packed)


def _read_logs(reader: Reader) -> list[bytes]:
    count = reader.number()
    if count > compact.MAX_SHARED_LOGS:
        raise FormatError("A packet names more logs than it may have.")
    return [reader.raw(PREFIX_BYTES) for _ in range(count)]


def _asked(line: Line, block: Block, packed: bytes) -> bytes:
    cursor: codec.Value = list(line.cursor) if line.cursor else None
    facts = codec.encode([line.machine, line.node, line.nonce, cursor, block.digest])
    return codec.pae(REQUEST_KIND, facts + packed)
