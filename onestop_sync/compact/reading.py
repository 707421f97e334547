"""Reading a block: rows first, which know nothing of any store, then the frames that they come to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from onestop_sync import codec
from onestop_sync.columns import Reader
from onestop_sync.compact.block import (
    AGAIN,
    AS_IT_IS,
    BODY_START,
    COMPACT,
    CREATES,
    FOLLOWS,
    MAX_SHARED_LOGS,
    NEW_LOG,
    NOTHING,
    PARENT_DOC,
    PREFIX_BYTES,
    SALT_BYTES,
    SAME_TYPE,
    SIGNATURE_BYTES,
    Block,
    Held,
    Known,
    Unknown,
    counted,
)
from onestop_sync.compact.headers import (
    DOC_BYTES,
    ID_BYTES,
    MAX_PARENTS,
    TAG_BYTES,
    Place,
    event_id,
    header_of,
    place_of,
)
from onestop_sync.errors import FormatError
from onestop_sync.event import document_id, typed_id


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
    parser = _Parser(reader, limit)
    rows = [parser.row() for _ in range(counted(reader.number()))]
    return _Builder(parser, rows, limit, held).build(rows)._replace(time_ms=parser.time_ms)


class _Parser:
    """Reads rows; knows nothing of any store."""

    def __init__(self, reader: Reader, limit: int) -> None:
        self.reader = reader
        self._left = limit
        self.logs: list[bytes] = []
        """Ids, or first bytes of them."""
        self._last: dict[int, int] = {}
        self._kind: tuple[str, int] = ("", 0)
        self.time_ms = 0

    def row(self) -> _Row:
        marks = self.reader.number()
        if marks in {AS_IT_IS, NEW_LOG}:
            return self._plain(marks)
        if marks == AGAIN:
            return _Row(AGAIN, -1, self.reader.number(), None, "", 0, 0, [], b"", b"", None)
        if not marks & COMPACT or marks > 2 * PARENT_DOC - 1:
            raise FormatError("A frame has marks that are not known.")
        return self._compact(marks)

    def _plain(self, marks: int) -> _Row:
        reader = self.reader
        has_body = reader.number()
        header = reader.string()
        signature = reader.raw(reader.number())
        body = reader.string() if has_body else None
        place, doc = place_of(header, event_id(header))
        if marks == AS_IT_IS:
            return _Row(0, -1, 0, None, "", 0, 0, [], b"", signature, body, header)
        if place is None:
            raise FormatError("A frame names a log that is not there.")
        self.logs.append(place.log)
        self._last[len(self.logs) - 1] = place.seq
        return _Row(0, len(self.logs) - 1, place.seq, None, "", 0, 0, [], doc, signature, body, header)

    def _compact(self, marks: int) -> _Row:
        reader = self.reader
        log = self._log()
        seq, prev = self._seq(log, follows=bool(marks & FOLLOWS))
        if not marks & SAME_TYPE:
            self._kind = (reader.name(), reader.number())
        self.time_ms = _timed(self.time_ms + reader.signed())
        parents: list[bytes | _Ref] = []
        doc = b""
        if not marks & CREATES:
            parents = [self._parent() for _ in range(self._few(reader.number()))]
            doc = b"" if marks & PARENT_DOC else reader.raw(DOC_BYTES - TAG_BYTES)
        if marks & PARENT_DOC and not (parents and isinstance(parents[0], _Ref)):
            raise FormatError("A frame leans on a parent that it does not name.")
        salt = reader.raw(SALT_BYTES)
        signature = reader.raw(SIGNATURE_BYTES)
        body = BODY_START + salt + reader.string()
        self._last[log] = seq
        return _Row(marks, log, seq, prev, *self._kind, self.time_ms, parents, doc, signature, body)

    def _few(self, count: int) -> int:
        """Returns a number of parents: by their places they travel smaller than what they are put back to."""
        self._left -= count * ID_BYTES
        if count > MAX_PARENTS or self._left < 0:
            raise FormatError("A frame has more parents than the protocol allows.")
        return count

    def _log(self) -> int:
        number = self.reader.number()
        if number >= 2:  # noqa: PLR2004 - 0 and 1 are new ones
            if number - 2 >= len(self.logs):
                raise FormatError("A frame names a log that is not there.")
            return number - 2
        log = self.reader.raw(PREFIX_BYTES if number else ID_BYTES)
        self.logs.append(log)
        return len(self.logs) - 1

    def _seq(self, log: int, *, follows: bool) -> tuple[int, bytes | None]:
        if follows:
            if log not in self._last:
                raise FormatError("A frame follows one that is not there.")
            return _bounded(self._last[log] + 1), None
        value = self.reader.number()
        return _bounded(value >> 1), None if value & 1 else self.reader.raw(ID_BYTES)

    def _parent(self) -> bytes | _Ref:
        if not self.reader.number():
            return self.reader.raw(ID_BYTES)
        log = self._log()
        return _Ref(log, _bounded(self._last.get(log, 0) + self.reader.signed()))


def _bounded(value: int) -> int:
    if not 0 <= value <= codec.MAX_INT:
        raise FormatError("A number in a packet is out of bounds.")
    return value


def _timed(value: int) -> int:
    if abs(value) > codec.MAX_INT:
        raise FormatError("A time in a packet is out of bounds.")
    return value


class _Builder:
    """Puts back what was left out."""

    def __init__(self, parser: _Parser, rows: Sequence[_Row], limit: int, held: Held) -> None:
        self.known = Known()
        self.left = limit
        short = {log for log in parser.logs if len(log) == PREFIX_BYTES}
        if len(short) > MAX_SHARED_LOGS:
            raise FormatError("A packet names more logs than it may have.")
        whole = dict(held.logs(short)) if short else {}
        self.logs = [log if len(log) == ID_BYTES else whole.get(log, b"") for log in parser.logs]
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
            if row.log >= 0 and row.marks and row.prev is None and not row.marks & FOLLOWS:
                named.add(Place(self.logs[row.log], row.seq - 1))
            wanted |= named - seen
            if row.log >= 0:
                seen.add(Place(self.logs[row.log], row.seq))
        return wanted

    def build(self, rows: Sequence[_Row]) -> Block:
        frames: list[Any] = []
        ids: list[bytes] = []
        for row in rows:
            if row.marks == AGAIN:
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
        if row.marks & CREATES:
            return document_id(log, row.seq, row.doc_type)
        if row.marks & PARENT_DOC and isinstance(parent := row.parents[0], _Ref):
            return self._event(*parent)[1]
        return typed_id(row.doc_type, row.doc)

    def _header(self, row: _Row, doc: bytes) -> bytes:
        log = self.logs[row.log]
        prev = row.prev
        if prev is None:
            follows = row.marks & FOLLOWS
            prev = self.known.last[log][1] if follows else self._event(row.log, row.seq - 1)[0]
        parents = [p if isinstance(p, bytes) else self._event(*p)[0] for p in row.parents]
        return header_of(
            log, row.seq, prev, row.doc_type, doc, parents, row.time_ms, row.schema, row.body or b""
        )
