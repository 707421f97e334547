"""What a block of frames holds, what both sides of it share, and how a frame is marked."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from onestop_sync.compact.headers import Place, event_id
from onestop_sync.errors import FormatError

PREFIX_BYTES: Final = 8
"""Of a log's id, enough to find it among those that a store has."""
MAX_FRAMES: Final = 16_384
"""Frames in one block."""
MAX_SHARED_LOGS: Final = 2_000
"""Logs that a block may name by their first bytes: each is looked up before anybody has proven anything."""
SALT_BYTES, SIGNATURE_BYTES = 16, 64
BODY_START: Final = b"\x82\x50"  # an array of two, of which the first is 16 bytes

# Marks of a frame.
COMPACT: Final = 1
FOLLOWS: Final = 2  # the event after the last one of this log in the block
SAME_TYPE: Final = 4  # type and schema of the frame before
CREATES: Final = 8  # no parents, and the id that a new document gets
PARENT_DOC: Final = 16  # the document of its first parent, which is named by its place
AS_IT_IS: Final = 0
NEW_LOG: Final = 32  # as it is, and its log is named from now on
AGAIN: Final = 64  # one that stands before: proofs of authority come with many logs


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


class Known:
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


def counted(count: int) -> int:
    """Returns a number of frames that a block may have.

    Raises:
        FormatError: It may not.
    """
    if count > MAX_FRAMES:
        raise FormatError("A packet names more frames than it may have.")
    return count
