"""What lies on the chain that a cut ends: told from the hashes of the headers, which nobody can forge.

Whoever has the whole log knows it from the log. Who has only some of its events, because a document was
shared with it, is sent the other headers without their bodies (`keep_skeleton`), and checks them by the same
hashes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Final, NamedTuple

import sqlalchemy as sa

from onestop_sync import codec
from onestop_sync.errors import FormatError
from onestop_sync.event import EVENT_KIND, parse_header
from onestop_sync.storage import tables as t
from onestop_sync.storage.engines import next_numbers
from onestop_sync.storage.rows import insert_all, select_in
from onestop_sync.trust import Trust

__all__ = ["Bone", "StoredChain", "keep_skeleton", "last_good", "skeleton_of"]

_KEPT: Final = 64
"""Walked chains that are remembered."""


class StoredChain:
    """Answers `trust.Chain` from a store.

    Args:
        reading: Opens a read transaction, or joins the one that this thread is in.
    """

    def __init__(self, reading: Callable[[], AbstractContextManager[sa.Connection]]) -> None:
        self._reading = reading
        self._walked: dict[tuple[bytes, bytes], dict[int, bytes]] = {}

    def __call__(self, log: bytes, seq: int, event: bytes, cut_seq: int, cut_head: bytes) -> bool | bytes:
        """Tells whether an event is on the chain that ends in ``cut_head``, or which event is missing."""
        walked = self._walked.get((log, cut_head))
        if walked is not None:
            return walked.get(seq) == event
        with self._reading() as connection:
            here = _chained(connection, log, cut_seq)
            if here == cut_head or (here is None and _is_below_base(connection, log, cut_seq)):
                return _chained(connection, log, seq) == event
            found, missing = _walk(connection, log, cut_seq, cut_head, seq)
        if missing is not None:
            return missing
        if len(self._walked) >= _KEPT:
            self._walked.clear()
        if 0 in found:
            self._walked[log, cut_head] = found
        return found.get(seq) == event


def _chained(connection: sa.Connection, log: bytes, seq: int) -> bytes | None:
    """Returns the event that our chain of a log has at a sequence."""
    query = sa.select(t.event.c.id).join(t.log, t.log.c.n == t.event.c.log_n)
    where = (t.log.c.id == log, t.event.c.seq == seq, t.event.c.chained == 1)
    return connection.execute(query.where(*where)).scalar()


def _is_below_base(connection: sa.Connection, log: bytes, seq: int) -> bool:
    """Tells whether the province says of a log that it has no gap up to there: its cut lies on it then."""
    query = sa.select(t.base.c.seq).join(t.log, t.log.c.n == t.base.c.log_n).where(t.log.c.id == log)
    base = connection.execute(query).scalar()
    return base is not None and seq <= base


def _walk(
    connection: sa.Connection, log: bytes, cut_seq: int, cut_head: bytes, down_to: int
) -> tuple[dict[int, bytes], bytes | None]:
    """Walks down from a cut's head; returns what lies on its chain, and the first event that is missing."""
    before = _links(connection, log, cut_seq)
    found: dict[int, bytes] = {}
    at, seq = cut_head, cut_seq
    while seq >= 0:
        if at not in before:
            return found, at if seq >= down_to else None
        found[seq] = at
        at, seq = before[at], seq - 1
    return found, None


def _links(connection: sa.Connection, log: bytes, cut_seq: int) -> dict[bytes, bytes]:
    """Returns event → the one before, of all that is here of a log up to a sequence."""
    events = (
        sa.select(t.event.c.id, t.event.c.header)
        .join(t.log, t.log.c.n == t.event.c.log_n)
        .where(t.log.c.id == log, t.event.c.seq <= cut_seq)
    )
    bones = sa.select(t.skeleton.c.id, t.skeleton.c.header).where(t.skeleton.c.log == log)
    return {
        row.id: parse_header(row.header).prev
        for query in (events, bones)
        for row in connection.execute(query)
    }


def keep_skeleton(connection: sa.Connection, headers: Iterable[object]) -> list[Bone]:
    """Stores headers of events that are not ours to see; they may come before the cut that needs them.

    Args:
        connection: In a write transaction.
        headers: Headers as their authors signed them, from a parent; anything else is passed over.

    Returns:
        Those that are new.
    """
    return _insert(connection, {bone.id: bone for data in headers if (bone := _bone(data))})


def skeleton_of(connection: sa.Connection, log: bytes, cut_seq: int) -> list[tuple[int, bytes]]:
    """Returns ``(local number, id)`` of a log's headers up to a cut; its events give what is missing."""
    query = sa.select(t.event.c.id, t.event.c.seq, t.event.c.header).join(t.log, t.log.c.n == t.event.c.log_n)
    where = (t.log.c.id == log, t.event.c.seq <= cut_seq)
    rows = connection.execute(query.where(*where)).all()
    _insert(connection, {row.id: Bone(row.id, log, row.seq, row.header) for row in rows})
    bones = sa.select(t.skeleton.c.n, t.skeleton.c.id).where(t.skeleton.c.log == log)
    found = connection.execute(bones.where(t.skeleton.c.seq <= cut_seq).order_by(t.skeleton.c.seq))
    return [(row.n, row.id) for row in found]


class Bone(NamedTuple):
    """A header, and which."""

    id: bytes
    log: bytes
    seq: int
    header: bytes


def _insert(connection: sa.Connection, bones: Mapping[bytes, Bone]) -> list[Bone]:
    there = {r.id for r in select_in(connection, sa.select(t.skeleton.c.id), t.skeleton.c.id, sorted(bones))}
    fresh = [bone for event_id, bone in bones.items() if event_id not in there]
    first = next_numbers(connection, t.skeleton, len(fresh)) if fresh else 0
    insert_all(connection, t.skeleton, [(n, *bone) for n, bone in enumerate(fresh, first)])
    return fresh


def _bone(data: object) -> Bone | None:
    if not isinstance(data, bytes):
        return None
    try:
        header = parse_header(data)
    except FormatError:
        return None
    event_id = hashlib.sha256(codec.pae(EVENT_KIND, data)).digest()
    return Bone(event_id, header.log or event_id, header.seq, data)


def last_good(trust: Trust, log: bytes) -> int | None:
    """Returns the sequence at which the last of a log's cuts lies; ``None`` for one that nothing cuts."""
    genesis = trust.genesis(log)
    cuts = trust.document.cuts_of(genesis.key, genesis.unit) if genesis else ()
    return max((cut.heads[log][0] for cut in cuts if log in cut.heads), default=None)
