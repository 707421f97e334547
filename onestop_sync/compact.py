"""Frames without what their receiver can work out: smaller on the wire, and put back exactly.

Left out of a frame are the version, the log (named once a block, or by its first bytes where the receiver has
it), the id of the log's previous event, the size and hash of the body, the first bytes of a document's id,
which its type gives, and all of the id of a new document; parents and their document are named by log and
sequence where the receiver has them. Whatever cannot be put back to the same bytes is sent as it is.

A receiver may have something else at a place than its sender believes. Then other bytes are put back, with
other ids: whoever carries a block binds the ids of its frames to it, and falls back to plain frames.

    block in columns = number of frames, frame, …
    frame = 0, sizes, header, signature, body              as it is
          | 64, number of an earlier frame that is the same
          | 1 + marks, log, seq, prev, type, schema, time, document, parents, body without its salt
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

import cbor2

from onestop_sync import codec
from onestop_sync.columns import Columns, Reader
from onestop_sync.errors import FormatError
from onestop_sync.event import EVENT_KIND, document_id, typed_id

__all__ = ["NOTHING", "Block", "Held", "Place", "Unknown", "read", "write"]

PREFIX_BYTES: Final = 8
"""Of a log's id, enough to find it among those that a store has."""
MAX_FRAMES: Final = 16_384
"""Frames in one block."""
_ID, _DOC, _TAG, _SALT, _SIGNATURE = 32, 16, 4, 16, 64
_BODY_START: Final = b"\x82\x50"  # an array of two, of which the first is 16 bytes
_HEADER_START: Final = b"\x8b\x01"  # an array of eleven, of which the first is the version
_MAX_PARENTS: Final = 64

# Marks of a frame.
_COMPACT: Final = 1
_FOLLOWS: Final = 2  # the event after the last one of this log in the block
_SAME_TYPE: Final = 4  # type and schema of the frame before
_CREATES: Final = 8  # no parents, and the id that a new document gets
_PARENT_DOC: Final = 16  # the document of its first parent, which is named by its place
_AS_IT_IS: Final = 0
_NEW_LOG: Final = 32  # as it is, and its log is named from now on
_AGAIN: Final = 64  # one that stands before: proofs of authority come with many logs


class Place(NamedTuple):
    """Where an event stands: in which log, and as which of it."""

    log: bytes
    seq: int


class Unknown(FormatError):
    """A block names something that is not here: its sender is to send plain frames."""


class Held(Protocol):
    """What the two sides share, looked up in a store."""

    def places(self, ids: Collection[bytes]) -> Mapping[bytes, tuple[Place, bytes]]:
        """Returns the place and document of those of ``ids`` that the receiver has."""
        ...

    def logs(self, prefixes: Collection[bytes]) -> Mapping[bytes, bytes]:
        """Returns the logs whose ids begin so; of several none."""
        ...

    def events(self, places: Collection[Place]) -> Mapping[Place, tuple[bytes, bytes]]:
        """Returns the ids and documents of the events at ``places``."""
        ...


class _Nothing:
    """Two sides that share nothing: a block that stands for itself."""

    def places(self, _ids: Collection[bytes]) -> Mapping[bytes, tuple[Place, bytes]]:
        return {}

    def logs(self, _prefixes: Collection[bytes]) -> Mapping[bytes, bytes]:
        return {}

    def events(self, _places: Collection[Place]) -> Mapping[Place, tuple[bytes, bytes]]:
        return {}


NOTHING: Final[Held] = _Nothing()


class Block(NamedTuple):
    """What a block holds.

    Attributes:
        frames: ``[header, signature, body or null]`` each.
        ids: Their events' ids; of what is no event too.
        ends: The last event of each log in the block: log, sequence, id, sorted.
        time_ms: What the last frame claims that did not travel as it is.
    """

    frames: list[Any]
    ids: list[bytes]
    ends: list[tuple[bytes, int, bytes]]
    time_ms: int = 0

    def with_frames(self, frames: Sequence[Any]) -> Block:
        """Returns a block that holds further frames, which were not read from it."""
        ids = [event_id(frame[0]) for frame in frames]
        return Block(
            [*self.frames, *(list(frame) for frame in frames)], [*self.ids, *ids], self.ends, self.time_ms
        )

    @property
    def digest(self) -> bytes:
        """What binds the frames: SHA-256 of the ids, one after the other."""
        return hashlib.sha256(b"".join(self.ids)).digest()


def event_id(header: bytes) -> bytes:
    """Returns the id of the event with this header."""
    return hashlib.sha256(codec.pae(EVENT_KIND, header)).digest()


# -------------------------------------------------------------------------------------------- one header


class _Known:
    """What was seen in the block so far, the same on both sides."""

    def __init__(self) -> None:
        self.last: dict[bytes, tuple[int, bytes]] = {}
        self.here: dict[Place, tuple[bytes, bytes]] = {}
        self.kind: tuple[str, int] = ("", 0)
        self.time_ms = 0

    def saw(self, place: Place, event: bytes, doc: bytes) -> None:
        """Notes a frame: the next may lean on it."""
        self.last[place.log] = (place.seq, event)
        self.here[place] = (event, doc)

    def ends(self) -> list[tuple[bytes, int, bytes]]:
        """Returns the last event of each log."""
        return sorted((log, seq, event) for log, (seq, event) in self.last.items())


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


def _header(  # noqa: PLR0913, PLR0917 - the header has these fields
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


class _Parts(NamedTuple):
    """A header's fields, as far as they are of the usual form."""

    log: bytes
    seq: int
    prev: bytes
    doc_type: str
    doc: bytes
    parents: list[bytes]
    time_ms: int
    schema: int


def _split(header: bytes, body: bytes) -> _Parts | None:
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
            len(log) == len(prev) == _ID
            and len(doc) == _DOC
            and len(parents) <= _MAX_PARENTS
            and all(type(each) is bytes and len(each) == _ID for each in parents)
            and 0 <= seq <= codec.MAX_INT
            and abs(time_ms) <= codec.MAX_INT
            and 0 <= schema <= codec.MAX_INT
        ):  # fmt: skip
            parts = _Parts(log, seq, prev, kind, doc, parents, time_ms, schema)
            try:
                same = _header(*parts, body) == header and doc == typed_id(kind, doc[_TAG:])
            except UnicodeEncodeError:
                return None
            return parts if same else None
    return None


# ---------------------------------------------------------------------------------------------- writing


def write(frames: Sequence[Any], columns: Columns, held: Held = NOTHING) -> Block:
    """Writes frames, and returns what a reader will find.

    Args:
        frames: ``[header, signature, body or null]`` each.
        columns: Where to.
        held: What the reader has.

    Raises:
        FormatError: More frames than a block may have.
    """
    _counted(len(frames))
    split = [_usual(frame) for frame in frames]
    writer = _Writer(columns, held, split)
    columns.number(len(frames))
    for frame, parts in zip(frames, split, strict=True):
        writer.add(frame, parts)
    return Block(list(frames), writer.ids, writer.known.ends(), writer.known.time_ms)


def _usual(frame: Any) -> _Parts | None:
    header, signature, body = frame
    if body is None or len(signature) != _SIGNATURE or len(body) < 2 + _SALT or body[:2] != _BODY_START:
        return None
    return _split(header, body)


class _Writer:
    def __init__(self, columns: Columns, held: Held, split: Sequence[_Parts | None]) -> None:
        self.columns = columns
        self.known = _Known()
        self.ids: list[bytes] = []
        self._frames: list[Any] = []
        self._seen: dict[bytes, int] = {}
        self._logs: dict[bytes, int] = {}
        asked = {p for parts in split if parts for p in parts.parents}
        # The event before the first of each log tells whether the reader has that log.
        asked |= {parts.prev for parts in split if parts}
        self._places = dict(held.places(asked)) if held is not NOTHING else {}
        self._shared = {place.log for place, _ in self._places.values()}

    def add(self, frame: Any, parts: _Parts | None) -> None:
        header, signature, body = frame
        event = event_id(header)
        n = self._seen.setdefault(event, len(self.ids))
        self.ids.append(event)
        self._frames.append(frame)
        if n < len(self._frames) - 1 and list(self._frames[n]) == list(frame):
            self.columns.number(_AGAIN)
            self.columns.number(n)
            return
        if parts is None:
            place, doc = self._plain(frame, event)
        else:
            self._compact(parts, signature, body)
            place, doc = Place(parts.log, parts.seq), parts.doc
        if place is not None:
            self.known.saw(place, event, doc)
            self._places[event] = (place, doc)

    def _plain(self, frame: Any, event: bytes) -> tuple[Place | None, bytes]:
        header, signature, body = frame
        place, doc = _place_of(header, event)
        if place is not None and place.log in self._logs:
            place = None  # the log has its number, by which the reader would not know this frame
        columns = self.columns
        columns.number(_AS_IT_IS if place is None else _NEW_LOG)
        columns.number(int(body is not None))
        columns.string(header)
        columns.number(len(signature))
        columns.raw += signature
        if body is not None:
            columns.string(body)
        if place is not None:
            self._logs[place.log] = len(self._logs)
        return place, doc

    def _compact(self, parts: _Parts, signature: bytes, body: bytes) -> None:
        columns, known = self.columns, self.known
        last = known.last.get(parts.log)
        follows = last is not None and last == (parts.seq - 1, parts.prev)
        creates = not parts.parents and parts.doc == document_id(parts.log, parts.seq, parts.doc_type)
        first = self._shared_place(parts.parents[0]) if parts.parents else None
        of_parent = first is not None and first[1] == parts.doc
        same = known.kind == (parts.doc_type, parts.schema)
        columns.number(
            _COMPACT | _FOLLOWS * follows | _SAME_TYPE * same | _CREATES * creates | _PARENT_DOC * of_parent
        )
        self._log(parts.log)
        if not follows:
            self._seq(parts, last)
        if not same:
            columns.string(parts.doc_type.encode())
            columns.number(parts.schema)
            known.kind = (parts.doc_type, parts.schema)
        columns.signed(parts.time_ms - known.time_ms)
        known.time_ms = parts.time_ms
        if not creates:
            columns.number(len(parts.parents))
            for parent in parts.parents:
                self._parent(parent)
            if not of_parent:
                columns.raw += parts.doc[_TAG:]
        columns.raw += body[2 : 2 + _SALT]
        columns.raw += signature
        columns.string(body[2 + _SALT :])

    def _shared_place(self, event: bytes) -> tuple[Place, bytes] | None:
        """Returns where an event is, if its place leads the reader to it and to no other."""
        found = self._places.get(event)
        if found is None:
            return None
        here = self.known.here.get(found[0])
        return found if here is None or here[0] == event else None

    def _log(self, log: bytes) -> None:
        """Names a log: by its number in the block, or as the next one."""
        if log in self._logs:
            self.columns.number(self._logs[log] + 2)
            return
        self._logs[log] = len(self._logs)
        is_shared = log in self._shared
        self.columns.number(int(is_shared))
        self.columns.raw += log[:PREFIX_BYTES] if is_shared else log

    def _seq(self, parts: _Parts, last: tuple[int, bytes] | None) -> None:
        columns = self.columns
        if last is not None and last == (parts.seq - 1, parts.prev):
            return
        before = self._shared_place(parts.prev)
        is_shared = before is not None and before[0] == (parts.log, parts.seq - 1)
        columns.number(parts.seq << 1 | is_shared)
        if not is_shared:
            columns.raw += parts.prev

    def _parent(self, parent: bytes) -> None:
        found = self._shared_place(parent)
        if found is None:
            self.columns.number(0)
            self.columns.raw += parent
            return
        place = found[0]
        self.columns.number(1)
        self._log(place.log)
        last = self.known.last.get(place.log, (0, b""))[0]
        self.columns.signed(place.seq - last)


def _place_of(header: bytes, event: bytes) -> tuple[Place | None, bytes]:
    """Returns where a frame that travels as it is stands, if its header says so."""
    try:
        value = codec.decode(header)
    except FormatError:
        return None, b""
    match value:
        case [1, bytes(log), int(seq), bytes(), str(), bytes(doc), *_] if (
            len(log) in {0, _ID} and len(doc) == _DOC and 0 <= seq <= codec.MAX_INT
        ):
            return Place(log or event, seq), doc
    return None, b""


# ---------------------------------------------------------------------------------------------- reading


class _Ref(NamedTuple):
    """An event that is named by its place: in which log of the block's, and as which of it."""

    log: int
    seq: int


class _Row(NamedTuple):
    """A frame as it was read, before anything was put back."""

    marks: int
    log: int
    seq: int
    prev: bytes | None
    doc_type: str
    schema: int
    time_ms: int
    parents: list[bytes | _Ref]
    doc: bytes
    signature: bytes
    body: bytes | None
    header: bytes = b""


def read(reader: Reader, limit: int, held: Held = NOTHING) -> Block:
    """Reads frames and puts back what was left out.

    Args:
        reader: Where from.
        limit: Most bytes of frames, put back.
        held: What is here.

    Raises:
        Unknown: Something that the sender believed to be here is not.
        FormatError: Malformed, or larger than the limit.
    """
    parser = _Parser(reader)
    rows = [parser.row() for _ in range(_counted(reader.number()))]
    return _Builder(parser, rows, limit, held).build(rows)._replace(time_ms=parser.time_ms)


def _counted(count: int) -> int:
    if count > MAX_FRAMES:
        raise FormatError("A packet names more frames than it may have.")
    return count


class _Parser:
    """Reads rows; knows nothing of any store."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.logs: list[bytes] = []
        """Ids, or first bytes of them."""
        self._last: dict[int, int] = {}
        self._kind: tuple[str, int] = ("", 0)
        self.time_ms = 0

    def row(self) -> _Row:
        marks = self.reader.number()
        if marks in {_AS_IT_IS, _NEW_LOG}:
            return self._plain(marks)
        if marks == _AGAIN:
            return _Row(_AGAIN, -1, self.reader.number(), None, "", 0, 0, [], b"", b"", None)
        if not marks & _COMPACT or marks > 2 * _PARENT_DOC - 1:
            raise FormatError("A frame has marks that are not known.")
        return self._compact(marks)

    def _plain(self, marks: int) -> _Row:
        reader = self.reader
        has_body = reader.number()
        header = reader.string()
        signature = reader.raw(reader.number())
        body = reader.string() if has_body else None
        place, doc = _place_of(header, event_id(header))
        if marks == _AS_IT_IS:
            return _Row(0, -1, 0, None, "", 0, 0, [], b"", signature, body, header)
        if place is None:
            raise FormatError("A frame names a log that is not there.")
        self.logs.append(place.log)
        self._last[len(self.logs) - 1] = place.seq
        return _Row(0, len(self.logs) - 1, place.seq, None, "", 0, 0, [], doc, signature, body, header)

    def _compact(self, marks: int) -> _Row:
        reader = self.reader
        log = self._log()
        seq, prev = self._seq(log, follows=bool(marks & _FOLLOWS))
        if not marks & _SAME_TYPE:
            self._kind = (reader.name(), reader.number())
        self.time_ms += reader.signed()
        parents: list[bytes | _Ref] = []
        doc = b""
        if not marks & _CREATES:
            parents = [self._parent() for _ in range(_few(reader.number()))]
            doc = b"" if marks & _PARENT_DOC else reader.raw(_DOC - _TAG)
        if marks & _PARENT_DOC and not (parents and isinstance(parents[0], _Ref)):
            raise FormatError("A frame leans on a parent that it does not name.")
        salt = reader.raw(_SALT)
        signature = reader.raw(_SIGNATURE)
        body = _BODY_START + salt + reader.string()
        self._last[log] = seq
        return _Row(marks, log, seq, prev, *self._kind, self.time_ms, parents, doc, signature, body)

    def _log(self) -> int:
        number = self.reader.number()
        if number >= 2:  # noqa: PLR2004 - 0 and 1 are new ones
            if number - 2 >= len(self.logs):
                raise FormatError("A frame names a log that is not there.")
            return number - 2
        log = self.reader.raw(PREFIX_BYTES if number else _ID)
        self.logs.append(log)
        return len(self.logs) - 1

    def _seq(self, log: int, *, follows: bool) -> tuple[int, bytes | None]:
        if follows:
            if log not in self._last:
                raise FormatError("A frame follows one that is not there.")
            return _bounded(self._last[log] + 1), None
        value = self.reader.number()
        return _bounded(value >> 1), None if value & 1 else self.reader.raw(_ID)

    def _parent(self) -> bytes | _Ref:
        if not self.reader.number():
            return self.reader.raw(_ID)
        log = self._log()
        return _Ref(log, _bounded(self._last.get(log, 0) + self.reader.signed()))


def _bounded(value: int) -> int:
    if not 0 <= value <= codec.MAX_INT:
        raise FormatError("A number in a packet is out of bounds.")
    return value


def _few(count: int) -> int:
    if count > _MAX_PARENTS:
        raise FormatError("A frame has more parents than the protocol allows.")
    return count


class _Builder:
    """Puts back what was left out."""

    def __init__(self, parser: _Parser, rows: Sequence[_Row], limit: int, held: Held) -> None:
        self.known = _Known()
        self.left = limit
        short = {log for log in parser.logs if len(log) == PREFIX_BYTES}
        whole = dict(held.logs(short)) if short else {}
        self.logs = [log if len(log) == _ID else whole.get(log, b"") for log in parser.logs]
        if not all(self.logs):
            raise Unknown("A log that a frame names is not here.")
        wanted = self._wanted(rows)
        self._held = held.events(wanted) if wanted else {}

    def _wanted(self, rows: Sequence[_Row]) -> set[Place]:
        """Returns the places that no earlier frame of the block holds."""
        seen: set[Place] = set()
        wanted: set[Place] = set()
        for row in rows:
            named = {Place(self.logs[p.log], p.seq) for p in row.parents if isinstance(p, _Ref)}
            if row.log >= 0 and row.marks and row.prev is None and not row.marks & _FOLLOWS:
                named.add(Place(self.logs[row.log], row.seq - 1))
            wanted |= named - seen
            if row.log >= 0:
                seen.add(Place(self.logs[row.log], row.seq))
        return wanted

    def build(self, rows: Sequence[_Row]) -> Block:
        frames: list[Any] = []
        ids: list[bytes] = []
        for row in rows:
            if row.marks == _AGAIN:
                self._again(row.seq, frames, ids)
                continue
            doc = self._doc(row, self.logs[row.log]) if row.marks else row.doc
            header = self._header(row, doc) if row.marks else row.header
            self.left -= len(header) + len(row.signature) + len(row.body or b"")
            if self.left < 0:
                raise FormatError("A packet is larger than the protocol allows.")
            event = event_id(header)
            frames.append([header, row.signature, row.body])
            ids.append(event)
            if row.log >= 0:
                self.known.saw(Place(self.logs[row.log], row.seq), event, doc)
        return Block(frames, ids, self.known.ends())

    def _again(self, n: int, frames: list[Any], ids: list[bytes]) -> None:
        if n >= len(frames):
            raise FormatError("A frame is to be repeated that is not there.")
        self.left -= sum(len(part or b"") for part in frames[n])
        if self.left < 0:
            raise FormatError("A packet is larger than the protocol allows.")
        frames.append(list(frames[n]))
        ids.append(ids[n])

    def _event(self, log: int, seq: int) -> tuple[bytes, bytes]:
        """Returns the id and document of the event at a place."""
        place = Place(self.logs[log], seq)
        found = self.known.here.get(place) or self._held.get(place)
        if found is None:
            raise Unknown("An event that a frame leans on is not here.")
        return found

    def _doc(self, row: _Row, log: bytes) -> bytes:
        """Returns the document of a frame."""
        if row.marks & _CREATES:
            return document_id(log, row.seq, row.doc_type)
        if row.marks & _PARENT_DOC and isinstance(parent := row.parents[0], _Ref):
            return self._event(*parent)[1]
        return typed_id(row.doc_type, row.doc)

    def _header(self, row: _Row, doc: bytes) -> bytes:
        log = self.logs[row.log]
        prev = row.prev
        if prev is None:
            follows = row.marks & _FOLLOWS
            prev = self.known.last[log][1] if follows else self._event(row.log, row.seq - 1)[0]
        parents = [p if isinstance(p, bytes) else self._event(*p)[0] for p in row.parents]
        return _header(
            log, row.seq, prev, row.doc_type, doc, parents, row.time_ms, row.schema, row.body or b""
        )
