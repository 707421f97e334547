"""What a bundle asks of the database: what the other side has, said once and remembered until it returns.

A stick knows no dialogue. So each bundle says what its sender has, and who imports it remembers that as a
*visit*; the next bundle for that machine starts from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from onestop_sync import codec
from onestop_sync.storage import chunks
from onestop_sync.storage import tables as t

_KEY: Final = "bundle:"
_CONTENTS: Final = 1
_NAME_BYTES: Final = 8
"""Bytes of an event's id that say that one has it."""


class Visit(NamedTuple):
    """What the last bundle of a machine said.

    Attributes:
        number: Number of that bundle; 0 before the first.
        digest: SHA-256 of what it held.
        is_owed: Whether no bundle was made for that machine since.
        trust_version: Version of its trust document.
        cursors: Node → ``(epoch, n, digest)`` of its feed there.
        heads: Log → last sequence that it has without gap.
        loose: First bytes of the ids of further events that it has.
        wanted: Attachments that it asks for → what it lacks of each.
    """

    number: int = 0
    digest: bytes = b""
    is_owed: bool = False
    trust_version: int = 0
    cursors: Mapping[bytes, tuple[bytes, int, bytes]] = {}
    heads: Mapping[bytes, int] = {}
    loose: frozenset[bytes] = frozenset()
    wanted: Mapping[bytes, chunks.Stock] = {}


def load_visit(connection: sa.Connection, machine: bytes) -> Visit:
    """Returns what the last bundle of a machine said."""
    key = _KEY + machine.hex()
    data = connection.execute(sa.select(t.meta.c.value).where(t.meta.c.key == key)).scalar()
    if data is None:
        return Visit()
    number, digest, is_owed, version, cursors, heads, loose, wanted = codec.decode(data)
    return Visit(
        number,
        digest,
        is_owed,
        version,
        {c[0]: (c[1], c[2], c[3]) for c in cursors},
        dict(heads),
        frozenset(loose),
        dict(wanted),
    )


def save_visit(connection: sa.Connection, machine: bytes, visit: Visit) -> None:
    """Remembers what a bundle said."""
    cursors: list[codec.Value] = [[node, *cursor] for node, cursor in sorted(visit.cursors.items())]
    heads: list[codec.Value] = [[log, seq] for log, seq in sorted(visit.heads.items())]
    wanted: list[codec.Value] = [[content, stock] for content, stock in sorted(visit.wanted.items())]
    loose: codec.Value = sorted(visit.loose)
    data = codec.encode(
        [visit.number, visit.digest, visit.is_owed, visit.trust_version, cursors, heads, loose, wanted]
    )
    key = _KEY + machine.hex()
    changed = connection.execute(sa.update(t.meta).where(t.meta.c.key == key).values(value=data))
    if not changed.rowcount:
        connection.execute(sa.insert(t.meta).values(key=key, value=data))


def visitors(connection: sa.Connection) -> list[bytes]:
    """Returns the machines that brought a bundle and have had none in return."""
    keys = connection.execute(
        sa.select(t.meta.c.key).where(t.meta.c.key.like(_KEY + "%")).order_by(t.meta.c.key)
    )
    machines = [bytes.fromhex(key.removeprefix(_KEY)) for key in keys.scalars()]
    return [machine for machine in machines if load_visit(connection, machine).is_owed]


def newest_log(connection: sa.Connection, key: bytes) -> bytes:
    """Returns the newest log of a key; empty when none is here."""
    query = sa.select(t.log.c.id).where(t.log.c.key == key).order_by(t.log.c.epoch.desc(), t.log.c.n.desc())
    return connection.execute(query.limit(1)).scalar() or b""


def has_spoken(connection: sa.Connection, node: bytes) -> bool:
    """Tells whether anything was ever acknowledged by a node."""
    return any(
        connection.execute(sa.select(column).where(column == node).limit(1)).first()
        for column in (t.ack.c.node, t.ack_event.c.node, t.parent.c.node)
    )


def cursors(connection: sa.Connection) -> dict[bytes, tuple[bytes, int, bytes]]:
    """Returns where this store is in its feeds: of several ways to one node, the one that answered last."""
    rows = connection.execute(
        sa.select(t.parent).where(t.parent.c.epoch != b"").order_by(t.parent.c.ok_ms, t.parent.c.n)
    )
    return {row.node: (row.epoch, row.n, row.digest) for row in rows}


def heads(connection: sa.Connection) -> dict[bytes, int]:
    """Returns, for each log, the last sequence that is here without gap."""
    return {
        row.id: row.seq
        for row in connection.execute(sa.select(t.log.c.id, t.log.c.seq).where(t.log.c.seq >= 0))
    }


def loose(connection: sa.Connection) -> frozenset[bytes]:
    """Returns the first bytes of the ids of events that the heads do not cover."""
    rows = connection.execute(sa.select(t.event.c.id).where(t.event.c.chained == 0)).scalars()
    return frozenset(event_id[:_NAME_BYTES] for event_id in rows)


class Lot(NamedTuple):
    """Frames for one machine, the logs that they belong to, and whether there are more."""

    frames: list[list[Any]]
    logs: set[bytes]
    has_more: bool


def beyond(connection: sa.Connection, visit: Visit, max_bytes: int) -> Lot:
    """Returns the frames of all events that a machine lacks, oldest first."""
    query = sa.select(t.event.c.n, t.event.c.id, t.event.c.seq, t.event.c.chained, t.log.c.id.label("log"))
    rows = connection.execute(query.join(t.log, t.log.c.n == t.event.c.log_n).order_by(t.event.c.n))
    wanted = {row.n: row.log for row in rows if not _has(visit, row)}
    found = Lot([], set(), has_more=False)
    size = 0
    for row in _frames(connection, list(wanted)):
        frame = [row.header, row.signature, row.body]
        size += sum(len(part or b"") for part in frame)
        if found.frames and size > max_bytes:
            return found._replace(has_more=True)
        found.frames.append(frame)
        found.logs.add(wanted[row.n])
    return found


def _has(visit: Visit, row: Any) -> bool:
    if row.id[:_NAME_BYTES] in visit.loose:
        return True
    return bool(row.chained) and row.seq <= visit.heads.get(row.log, -1)


def _frames(connection: sa.Connection, numbers: Sequence[int]) -> Iterable[Any]:
    for i in range(0, len(numbers), 500):
        query = sa.select(t.event.c.n, t.event.c.header, t.event.c.signature, t.event.c.body)
        yield from connection.execute(
            query.where(t.event.c.n.in_(numbers[i : i + 500])).order_by(t.event.c.n)
        )


def log_ids(connection: sa.Connection, event_ids: Sequence[bytes]) -> set[bytes]:
    """Returns the logs of events."""
    found: set[bytes] = set()
    for i in range(0, len(event_ids), 500):
        query = sa.select(t.log.c.id).join(t.event, t.event.c.log_n == t.log.c.n).distinct()
        found.update(connection.execute(query.where(t.event.c.id.in_(event_ids[i : i + 500]))).scalars())
    return found


def newest_acks(connection: sa.Connection) -> list[tuple[bytes, bytes]]:
    """Returns ``(node, data)`` of the newest acks of each node on each unit's logs."""
    query = sa.select(t.acks).where(t.acks.c.about != _CONTENTS)
    rows = connection.execute(query.order_by(t.acks.c.n))
    newest = {(row.node, row.unit): (row.node, row.data) for row in rows}
    return [newest[key] for key in sorted(newest)]


def confirmations(connection: sa.Connection, most: int) -> list[tuple[bytes, bytes]]:
    """Returns ``(node, data)`` of the newest acks of attachments: each speaks of others."""
    query = sa.select(t.acks.c.node, t.acks.c.data).where(t.acks.c.about == _CONTENTS)
    rows = connection.execute(query.order_by(t.acks.c.n.desc()).limit(most)).all()
    return [(row.node, row.data) for row in reversed(rows)]
