"""What a bundle says, signed by the machine that says it.

packet  = [payload, machine log, signature]                signature over PAE(BUNDLE_KIND, payload)
payload = [1, number, made_ms, [trust version, trust document or null], [cursor, …], [head, …],
           [loose, …], [introduction, …], [frame, …], [section, …], [wanted, …], [piece, …]]
cursor  = [node, epoch, n, digest]     head = [log, seq]      loose = first 8 bytes of an event's id
section = [machine key, mine, was_reset, [ack, …], [item, …]]
mine    = [from cursor or null, to cursor] of a parent; null of a machine of the same unit
wanted  = [content, lacking]           piece = [content, place, bytes]           see `fetch`
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from onestop_sync import codec, fetch, keys
from onestop_sync.bundle import file
from onestop_sync.errors import FormatError
from onestop_sync.exchange import Cursor
from onestop_sync.protocol import Limits, open_packet, pack_packet
from onestop_sync.storage.arrive import Outcome
from onestop_sync.storage.carry import Visit
from onestop_sync.storage.chunks import Piece

__all__ = ["BundleReport", "Payload", "Section", "Signed"]

BUNDLE_KIND: Final = "onestop/bundle/1"
VERSION: Final = 1
_LIMITS: Final = Limits(packet_bytes=file.MAX_FILE_BYTES)


@dataclass(slots=True)
class BundleReport:
    """What making or taking a bundle came to.

    Attributes:
        path: The file.
        size_bytes: Its size.
        number: The sender's count of its bundles.
        sender: Log of the machine that made it: whom to answer.
        recipients: Names of the machines that can open it, as certified; when it was made.
        events: Events in it, without proofs of authority.
        stored: Events that were new here; when it was taken.
        acks: Signed acks in it that were for us or for our unit.
        outcomes: What became of events that take no effect.
        rejected: What was not stored.
        chunks: Chunks of attachments in it; when it was taken, those that were new here.
        left_out: Chunks that belong to nothing that is here: take the bundle before this one first.
        parts: The files, where attachments took more than one.
        has_more: It did not hold everything; once this one is answered, make the next.
        was_rolled_back: The parent had lost what it acknowledged; everything is offered again.
    """

    path: Path
    size_bytes: int = 0
    number: int = 0
    sender: bytes = b""
    recipients: tuple[str, ...] = ()
    events: int = 0
    stored: int = 0
    acks: int = 0
    outcomes: list[Outcome] = field(default_factory=list)
    rejected: list[Outcome] = field(default_factory=list)
    chunks: int = 0
    left_out: int = 0
    parts: tuple[Path, ...] = ()
    has_more: bool = False
    was_rolled_back: bool = False


class Section(NamedTuple):
    """What a bundle holds for one machine.

    Attributes:
        key: The machine's Ed25519 key.
        mine: From where to where this is of the machine's feed at the sender; ``None`` from a machine of the
            same unit, which keeps no feed.
        was_reset: The sender does not know the cursor that the machine named: it was rolled back.
        acks: The sender's own statements.
        items: ``[kind, payload]``: events (0) and statements (1).
    """

    key: bytes
    mine: tuple[Cursor | None, Cursor] | None
    was_reset: bool
    acks: list[Any]
    items: list[list[Any]]

    def to_row(self) -> list[Any]:
        """Returns the section as it travels."""
        mine = [list(cursor) if cursor else None for cursor in self.mine] if self.mine else None
        return [self.key, mine, self.was_reset, self.acks, self.items]


class Payload(NamedTuple):
    """What a bundle says.

    Attributes:
        number: The sender's count of its bundles.
        made_ms: When, by the sender's clock, milliseconds since 1970 UTC; decides nothing.
        trust_version: Version of the sender's trust document.
        trust: That document, when a recipient may lack it.
        said: What the sender has.
        introduction: Frames that prove the authority of the sender and of every log in the bundle.
        frames: Events that go up.
        sections: What is for single machines.
        pieces: Chunks of attachments, for whoever lacks them.
    """

    number: int
    made_ms: int
    trust_version: int
    trust: bytes | None
    said: Visit
    introduction: list[Any]
    frames: list[Any]
    sections: list[Section]
    pieces: list[Piece]

    def sign(self, machine: keys.Signer, log: bytes) -> bytes:
        """Returns the packet."""
        said = self.said
        payload = codec.encode(
            [
                VERSION,
                self.number,
                self.made_ms,
                [self.trust_version, self.trust],
                [[node, *cursor] for node, cursor in sorted(said.cursors.items())],
                [[each, seq] for each, seq in sorted(said.heads.items())],
                sorted(said.loose),
                self.introduction,
                self.frames,
                [section.to_row() for section in self.sections],
                [[content, lacking] for content, lacking in sorted(said.wanted.items())],
                [list(piece) for piece in self.pieces],
            ]
        )
        return pack_packet([payload, log, machine.sign(codec.pae(BUNDLE_KIND, payload))])


class Signed(NamedTuple):
    """A packet as it was read; who signed it is not checked yet.

    Attributes:
        payload: What it says.
        digest: SHA-256 of the bytes of that.
        log: The machine log that claims to have signed.
    """

    payload: Payload
    digest: bytes
    log: bytes
    signed: bytes
    signature: bytes

    @classmethod
    def parse(cls, packet: bytes) -> Signed:
        """Reads a packet.

        Raises:
            FormatError: Malformed, or larger than the limit once it is decompressed.
        """
        match open_packet(packet, _LIMITS):
            case [bytes(data), bytes(log), bytes(signature)]:
                payload = _parse(codec.decode(data))
                digest = hashlib.sha256(data).digest()
                return cls(payload, digest, log, codec.pae(BUNDLE_KIND, data), signature)
        raise FormatError("A bundle is malformed.")

    def is_by(self, key: bytes) -> bool:
        """Tells whether ``key`` signed it."""
        return keys.verify(key, self.signed, self.signature)


def _parse(value: Any) -> Payload:
    match value:
        case [1, int(number), int(made_ms), [int(version), bytes() | None as trust], list(cursors),
              list(heads), list(loose), list(introduction), list(frames), list(sections), list(wanted),
              list(pieces)]:  # fmt: skip
            said = Visit(
                cursors=dict(map(_parse_cursor_row, cursors)),
                heads=dict(map(_parse_head, heads)),
                loose=frozenset(map(_parse_bytes, loose)),
                wanted=dict(map(fetch.parse_pair, wanted)),
            )
            found = list(map(_parse_section, sections))
            chunks = list(map(fetch.parse_piece, pieces))
            return Payload(number, made_ms, version, trust, said, introduction, frames, found, chunks)
    raise FormatError("A bundle is malformed.")


def _parse_section(value: Any) -> Section:
    match value:
        case [bytes(key), mine, bool(was_reset), list(acks), list(items)]:
            return Section(key, _parse_mine(mine), was_reset, acks, list(map(_parse_item, items)))
    raise FormatError("A bundle's section is malformed.")


def _parse_mine(value: Any) -> tuple[Cursor | None, Cursor] | None:
    match value:
        case None:
            return None
        case [None, to]:
            return None, _parse_cursor(to)
        case [start, to]:
            return _parse_cursor(start), _parse_cursor(to)
    raise FormatError("A bundle's section is malformed.")


def _parse_item(value: Any) -> list[Any]:
    match value:
        case [int(), _]:  # one that is no frame is told by itself, as over a line: it holds up no other
            return list(value)
    raise FormatError("A bundle's item is malformed.")


def _parse_cursor_row(value: Any) -> tuple[bytes, tuple[bytes, int, bytes]]:
    match value:
        case [bytes(node), *cursor]:
            epoch, n, digest = _parse_cursor(cursor)
            return node, (epoch, n, digest)
    raise FormatError("A bundle's cursor is malformed.")


def _parse_cursor(value: Any) -> Cursor:
    match value:
        case [bytes(epoch), int(n), bytes(digest)] if n >= 0:
            return Cursor(epoch, n, digest)
    raise FormatError("A bundle's cursor is malformed.")


def _parse_head(value: Any) -> tuple[bytes, int]:
    match value:
        case [bytes(log), int(seq)]:
            return log, seq
    raise FormatError("A bundle's head is malformed.")


def _parse_bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise FormatError("A bundle is malformed.")
    return value
