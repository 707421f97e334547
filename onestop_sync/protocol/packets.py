"""Packets: how requests and answers are encoded, signed, bounded and read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import zstandard

from onestop_sync import brief, codec, fetch, keys, past, present
from onestop_sync.answer import answer_bytes
from onestop_sync.compact import Block
from onestop_sync.errors import FormatError
from onestop_sync.exchange import Cursor
from onestop_sync.publication import check_files
from onestop_sync.storage.arrive import Outcome
from onestop_sync.store import Store

REQUEST_KIND: Final = "onestop/sync/1"
CHALLENGE_KIND: Final = "onestop/challenge/1"
PUBLISHED_PURPOSE: Final = "onestop published"
"""For which the publication is sealed to a machine that has not met the server yet."""
VERSION: Final = 1
NO_SECRET: Final = brief.Secret(b"", b"")
"""Of an answer that is signed and sealed: nothing in it is proven by a secret that both share."""
NODE_BYTES: Final = 16
_HEAD_PARTS: Final = 4
_COMPRESS_FROM: Final = 200
"""Smaller packets do not gain by compression, bytes."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one exchange may cost.

    Attributes:
        packet_bytes: Largest packet after decompression.
        batch_bytes: Bytes of events in one request.
        batch_events: Events in one request.
        answer_bytes: Bytes of feed in one answer.
    """

    packet_bytes: int = 8 * 2**20
    batch_bytes: int = 512 * 1024
    batch_events: int = 1000
    answer_bytes: int = 512 * 1024


LIMITS: Final = Limits()


@dataclass(slots=True)
class SyncReport:
    """What an exchange came to.

    Attributes:
        parent: Name of the parent.
        sent: Events offered.
        received: Events taken.
        acked: Events offered that the parent has stored.
        round_trips: Requests that were answered.
        bytes_up: Bytes of requests, without HTTP's.
        bytes_down: Bytes of answers, without HTTP's.
        outcomes: The parent's word on events of ours that take no effect there.
        rejected: What the parent sent that was not stored here.
        was_rolled_back: The parent had lost what it acknowledged; everything was offered again.
        chunks_up: Chunks of attachments that were sent.
        chunks_down: Chunks of attachments that came.
        histories: Events that came of documents which a snapshot had named.
    """

    parent: str = ""
    sent: int = 0
    received: int = 0
    acked: int = 0
    round_trips: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    outcomes: list[Outcome] = field(default_factory=list)
    rejected: list[Outcome] = field(default_factory=list)
    was_rolled_back: bool = False
    chunks_up: int = 0
    chunks_down: int = 0
    histories: int = 0


def pack_packet(value: codec.Value) -> bytes:
    """Encodes a packet: a byte that says how, and canonical CBOR, compressed when that gains."""
    plain = codec.encode(value)
    if len(plain) >= _COMPRESS_FROM:
        small = zstandard.ZstdCompressor(level=3).compress(plain)
        if len(small) < len(plain):
            return b"\x01" + small
    return b"\x00" + plain


def open_packet(data: bytes, limits: Limits = LIMITS) -> Any:
    """Decodes a packet.

    Raises:
        FormatError: Not a packet, or larger than the limit once it is decompressed.
    """
    if data[:1] == b"\x00" and len(data) <= limits.packet_bytes:
        return codec.decode(data[1:])
    if data[:1] != b"\x01":
        raise FormatError("The data is not a packet of this protocol.")
    # The declared size of a zstd frame is the sender's to choose, so what comes out is counted.
    plain = bytearray()
    reader = zstandard.ZstdDecompressor(max_window_size=2**23).stream_reader(data[1:])
    try:
        while chunk := reader.read(64 * 1024):
            plain += chunk
            if len(plain) > limits.packet_bytes:
                raise FormatError("A packet is larger than the protocol allows.")
    except zstandard.ZstdError as error:
        raise FormatError("A packet cannot be decompressed.") from error
    return codec.decode(bytes(plain))


class Published(NamedTuple):
    """Which publication a machine has, and which files of a newer one it lacks."""

    version: int
    root: int
    wanted: tuple[str, ...] = ()
    files: Mapping[str, bytes] | None = None
    """What the parent lacks."""

    def to_row(self) -> codec.Value:
        """Returns it as it travels."""
        files: codec.Value = dict(self.files) if self.files else None
        return [self.version, self.root, list(self.wanted), files]


class Request(NamedTuple):
    """What a machine asks.

    Attributes:
        parent: First bytes of the log of the server that is asked; empty when that is not known.
        nonce: The last one that the parent gave.
        cursor: Where the machine is in its feed; ``None`` before its first answer.
        echo: Whether it wants what it brought itself.
        max_bytes: Of feed in the answer.
        published: Which publication it has.
        frames: Events.
        introduction: Frames that prove the authority of logs.
    """

    parent: bytes
    nonce: bytes
    cursor: Cursor | None
    echo: bool
    max_bytes: int
    published: Published
    frames: list[Any]
    introduction: list[Any]
    logs: tuple[bytes, ...] = ()
    """Of which the machine wants to hear what is stored; only where requests are brief."""
    is_first: bool = False
    """It bears no nonce: it is sealed, and taken from a machine that never asked before."""
    start: present.Start | None = None
    """From where a new machine begins, if it does not want all of its feed."""

    def sign(self, machine: keys.Signer, log: bytes) -> bytes:
        """Returns the packet, signed by the machine with this log."""
        cursor: codec.Value = list(self.cursor) if self.cursor else None
        head: list[codec.Value] = [
            VERSION,
            self.parent,
            self.nonce,
            cursor,
            self.echo,
            self.max_bytes,
            self.published.to_row(),
        ]
        payload, kind = codec.encode([*head, self.frames, self.introduction]), REQUEST_KIND
        if self.start is not None:
            payload, kind = present.wrap(self.start, payload), present.KIND
        return pack_packet([payload, log, machine.sign(codec.pae(kind, payload))])


Ask = fetch.Ask | past.Mirror | past.History
"""A request for something else than events that are new."""


def sign_ask(ask: Ask, machine: keys.Signer, log: bytes) -> bytes:
    """Returns the packet of a request for something else than events."""
    payload = codec.encode(ask.to_row())
    return pack_packet([payload, log, machine.sign(codec.pae(ask.kind, payload))])


def _parse_ask(value: object) -> Ask | None:
    return fetch.parse_ask(value) or past.parse_mirror(value) or past.parse_history(value)


def parse_request(data: bytes, limits: Limits) -> tuple[Request | Ask, bytes, bytes, bytes]:
    """Returns what is asked, the log that asks, what was signed, and the signature, which is not checked.

    Raises:
        FormatError: Malformed.
    """
    match open_packet(data, limits):
        case [bytes(payload), bytes(log), bytes(signature)]:
            pass
        case _:
            raise FormatError("A request is malformed.")
    value = codec.decode(payload)
    ask = _parse_ask(value)
    if ask is not None:
        return ask, log, codec.pae(ask.kind, payload), signature
    begun = present.parse(value)
    if begun is not None:
        request = _parse_plain(codec.decode(begun[1]))._replace(start=begun[0])
        return request, log, codec.pae(present.KIND, payload), signature
    return _parse_plain(value), log, codec.pae(REQUEST_KIND, payload), signature


def _parse_plain(value: object) -> Request:
    match value:
        case [
            1,
            bytes(parent),
            bytes(nonce),
            cursor,
            bool(echo),
            int(max_bytes),
            [int(version), int(root), list(wanted), dict() | None as files],
            list(frames),
            list(intro),
        ] if all(isinstance(name, str) for name in wanted):
            published = Published(version, root, tuple(wanted), check_files(files) if files else None)
            return Request(parent, nonce, parse_cursor(cursor), echo, max_bytes, published, frames, intro)
    raise FormatError("A request is malformed.")


def parse_cursor(value: object) -> Cursor | None:
    """Returns a decoded cursor, or ``None`` for none.

    Raises:
        FormatError: It is something else.
    """
    match value:
        case None:
            return None
        case [bytes(epoch), int(n), bytes(digest)] if n >= 0:
            return Cursor(epoch, n, digest)
    raise FormatError("A cursor is malformed.")


def pack_answer(signer: keys.Signer, request: bytes, log: bytes, parts: Sequence[codec.Value]) -> bytes:
    """Returns the packet of an answer: what it says of the parent's own store first."""
    head, rest = codec.encode(list(parts[:_HEAD_PARTS])), codec.encode(list(parts[_HEAD_PARTS:]))
    proof = signer.sign(answer_bytes(sha256(request), log, sha256(rest), head))
    return pack_packet([VERSION, "answer", head, rest, proof])


def with_proofs(store: Store, brought: Block, line: brief.Line) -> Block:
    """Returns what a request brought with what the two have shown each other at first contact."""
    return brought.with_frames([*store.introduction(line.machine), *store.introduction(line.node)])


def sha256(data: bytes) -> bytes:
    """Returns the hash by which papers name packets."""
    return hashlib.sha256(data).digest()
