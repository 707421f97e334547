"""Items of the feed in an answer: what the request brought is only named again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onestop_sync import codec, compact
from onestop_sync.brief.acks import AcksOnWire
from onestop_sync.columns import Columns, Reader
from onestop_sync.compact import Block
from onestop_sync.errors import FormatError

_EVENT, _ACK, _YOURS = 0, 1, 255
"""Kinds of items as `onestop_sync.storage.feed` has them, and one for an event that the request brought."""


def write_items(items: Sequence[Any], columns: Columns, acks: AcksOnWire, brought: Block) -> None:
    """Writes items: their kinds, their events as a block, and the others one by one.

    Raises:
        FormatError: More items than an answer may have.
    """
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


def read_items(reader: Reader, limit: int, acks: AcksOnWire, brought: Block) -> list[Any]:
    """Reads items as `write_items` wrote them.

    Raises:
        FormatError: Malformed, too many, or it names a frame that was not sent.
    """
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
