"""Writing a block: each frame as small as its reader can put it back, or as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from onestop_sync.columns import Columns
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
    counted,
)
from onestop_sync.compact.headers import TAG_BYTES, Parts, Place, event_id, place_of, split
from onestop_sync.event import document_id


def write(frames: Sequence[Any], columns: Columns, held: Held = NOTHING) -> Block:
    """Writes frames, and returns what a reader will find.

    Args:
        frames: ``[header, signature, body or null]`` each.
        columns: Where to.
        held: What the reader has.

    Raises:
        FormatError: More frames than a block may have.
    """
    counted(len(frames))
    split = [_usual(frame) for frame in frames]
    writer = _Writer(columns, held, split)
    columns.number(len(frames))
    for frame, parts in zip(frames, split, strict=True):
        writer.add(frame, parts)
    return Block(list(frames), writer.ids, writer.known.ends(), writer.known.time_ms)


def _usual(frame: Any) -> Parts | None:
    header, signature, body = frame
    if (
        body is None
        or len(signature) != SIGNATURE_BYTES
        or len(body) < 2 + SALT_BYTES
        or body[:2] != BODY_START
    ):
        return None
    return split(header, body)


class _Writer:
    def __init__(self, columns: Columns, held: Held, split: Sequence[Parts | None]) -> None:
        self.columns = columns
        self.known = Known()
        self.ids: list[bytes] = []
        self._frames: list[Any] = []
        self._seen: dict[bytes, int] = {}
        self._logs: dict[bytes, int] = {}
        asked = {p for parts in split if parts for p in parts.parents}
        # The event before the first of each log tells whether the reader has that log.
        asked |= {parts.prev for parts in split if parts}
        self._places = dict(held.places(asked)) if held is not NOTHING else {}
        self._shared = {place.log for place, _ in self._places.values()}

    def add(self, frame: Any, parts: Parts | None) -> None:
        header, signature, body = frame
        event = event_id(header)
        n = self._seen.setdefault(event, len(self.ids))
        self.ids.append(event)
        self._frames.append(frame)
        if n < len(self._frames) - 1 and list(self._frames[n]) == list(frame):
            self.columns.number(AGAIN)
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
        place, doc = place_of(header, event)
        if place is not None and place.log in self._logs:
            place = None  # the log has its number, by which the reader would not know this frame
        columns = self.columns
        columns.number(AS_IT_IS if place is None else NEW_LOG)
        columns.number(int(body is not None))
        columns.string(header)
        columns.number(len(signature))
        columns.raw += signature
        if body is not None:
            columns.string(body)
        if place is not None:
            self._logs[place.log] = len(self._logs)
        return place, doc

    def _compact(self, parts: Parts, signature: bytes, body: bytes) -> None:
        columns, known = self.columns, self.known
        last = known.last.get(parts.log)
        follows = last is not None and last == (parts.seq - 1, parts.prev)
        creates = not parts.parents and parts.doc == document_id(parts.log, parts.seq, parts.doc_type)
        first = self._shared_place(parts.parents[0]) if parts.parents else None
        of_parent = first is not None and first[1] == parts.doc
        same = known.kind == (parts.doc_type, parts.schema)
        columns.number(
            COMPACT | FOLLOWS * follows | SAME_TYPE * same | CREATES * creates | PARENT_DOC * of_parent
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
                columns.raw += parts.doc[TAG_BYTES:]
        columns.raw += body[2 : 2 + SALT_BYTES]
        columns.raw += signature
        columns.string(body[2 + SALT_BYTES :])

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
        is_shared = log in self._shared and len(self._logs) <= MAX_SHARED_LOGS
        self.columns.number(int(is_shared))
        self.columns.raw += log[:PREFIX_BYTES] if is_shared else log

    def _seq(self, parts: Parts, last: tuple[int, bytes] | None) -> None:
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
