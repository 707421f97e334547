"""Headers of events, taken apart and put together: what a frame's fields are, and what its bytes must be."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final, NamedTuple

import cbor2

from onestop_sync import codec
from onestop_sync.errors import FormatError
from onestop_sync.event import EVENT_KIND, typed_id

ID_BYTES: Final = 32
DOC_BYTES: Final = 16
TAG_BYTES: Final = 4
"""Of a document's id, which its type gives."""
MAX_PARENTS: Final = 64
_HEADER_START: Final = b"\x8b\x01"  # an array of eleven, of which the first is the version


class Place(NamedTuple):
    """Where an event stands: in which log, and as which of it."""

    log: bytes
    seq: int


def event_id(header: bytes) -> bytes:
    """Returns the id of the event with this header."""
    return hashlib.sha256(codec.pae(EVENT_KIND, header)).digest()


def _head(value: int, major: int) -> bytes:
    """Returns the first bytes of a CBOR item."""
    major <<= 5
    if value < 24:  # noqa: PLR2004 - CBOR's own numbers, here and below
        return bytes((major | value,))
    if value < 1 << 8:
        return bytes((major | 24, value))
    if value < 1 << 16:
        return bytes((major | 25,)) + value.to_bytes(2, "big")
    if value < 1 << 32:
        return bytes((major | 26,)) + value.to_bytes(4, "big")
    return bytes((major | 27,)) + value.to_bytes(8, "big")


def _integer(value: int) -> bytes:
    return _head(value, 0) if value >= 0 else _head(-1 - value, 1)


def header_of(  # noqa: PLR0913, PLR0917 - the header has these fields
    log: bytes, seq: int, prev: bytes, doc_type: str, doc: bytes, parents: Sequence[bytes], time_ms: int,
    schema: int, body: bytes,
) -> bytes:  # fmt: skip
    """Returns the header of a frame as canonical CBOR."""
    name = doc_type.encode()
    return b"".join((
        _HEADER_START, b"\x58\x20", log, _integer(seq), b"\x58\x20", prev, _head(len(name), 3), name,
        b"\x50", doc, _head(len(parents), 4), *(b"\x58\x20" + parent for parent in parents),
        _integer(time_ms), _integer(schema), _integer(len(body)), b"\x58\x20", hashlib.sha256(body).digest(),
    ))  # fmt: skip


class Parts(NamedTuple):
    """A header's fields, as far as they are of the usual form."""

    log: bytes
    seq: int
    prev: bytes
    doc_type: str
    doc: bytes
    parents: list[bytes]
    time_ms: int
    schema: int


def split(header: bytes, body: bytes) -> Parts | None:
    """Returns the fields of a header that `_header` would write the same; ``None`` for any other."""
    if not header.startswith(_HEADER_START):
        return None
    try:
        value = cbor2.loads(header)
    except Exception:  # noqa: BLE001 - whatever it is, it travels as it is
        return None
    match value:
        case [1, bytes(log), int(seq), bytes(prev), str(kind), bytes(doc), list(parents), int(time_ms),
              int(schema), int(), bytes()] if (
            len(log) == len(prev) == ID_BYTES
            and len(doc) == DOC_BYTES
            and len(parents) <= MAX_PARENTS
            and all(type(each) is bytes and len(each) == ID_BYTES for each in parents)
            and 0 <= seq <= codec.MAX_INT
            and abs(time_ms) <= codec.MAX_INT
            and 0 <= schema <= codec.MAX_INT
        ):  # fmt: skip
            parts = Parts(log, seq, prev, kind, doc, parents, time_ms, schema)
            try:
                same = header_of(*parts, body) == header and doc == typed_id(kind, doc[TAG_BYTES:])
            except UnicodeEncodeError:
                return None
            return parts if same else None
    return None


def place_of(header: bytes, event: bytes) -> tuple[Place | None, bytes]:
    """Returns where a frame that travels as it is stands, if its header says so."""
    try:
        value = codec.decode(header)
    except FormatError:
        return None, b""
    match value:
        case [1, bytes(log), int(seq), bytes(), str(), bytes(doc), *_] if (
            len(log) in {0, ID_BYTES} and len(doc) == DOC_BYTES and 0 <= seq <= codec.MAX_INT
        ):
            return Place(log or event, seq), doc
    return None, b""
