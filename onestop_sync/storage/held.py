"""What a machine and its parent both have, looked up for `onestop_sync.compact`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from onestop_sync.compact import Place
from onestop_sync.storage import tables as t
from onestop_sync.storage.rows import select_in

__all__ = ["Asker", "StoredEvents", "machines_with"]


class StoredEvents:
    """Events of one store, as far as the other side has them.

    Args:
        connection: Any transaction.
        node: Whose acks tell what is there, for the side that writes; not needed to read.
    """

    def __init__(self, connection: sa.Connection, node: bytes = b"") -> None:
        self.connection = connection
        self.node = node

    def places(self, ids: Collection[bytes]) -> Mapping[bytes, tuple[Place, bytes]]:
        """Returns the place and document of events that the node acknowledged."""
        is_there = sa.and_(
            t.ack.c.log_n == t.event.c.log_n, t.ack.c.node == self.node, t.ack.c.good == 1,
            t.ack.c.seq >= t.event.c.seq,
        )  # fmt: skip
        query = _EVENTS.join(t.ack, is_there).where(t.event.c.chained == 1)
        rows = select_in(self.connection, query, t.event.c.id, sorted(ids))
        return {bytes(row.id): (Place(bytes(row.log), row.seq), bytes(row.doc)) for row in rows}

    def logs(self, prefixes: Collection[bytes]) -> Mapping[bytes, bytes]:
        """Returns the logs here whose ids begin so; of several that do, none."""
        found: dict[bytes, bytes] = {}
        for prefix in prefixes:
            logs = _beginning(self.connection, t.log.c.id, prefix)
            if len(logs) == 1:
                found[prefix] = bytes(logs[0])
        return found

    def events(self, places: Collection[Place]) -> Mapping[Place, tuple[bytes, bytes]]:
        """Returns the ids and documents of the events at ``places``, along the chains that are followed."""
        by_log: dict[bytes, list[int]] = {}
        for place in places:
            by_log.setdefault(place.log, []).append(place.seq)
        found: dict[Place, tuple[bytes, bytes]] = {}
        for log, numbers in by_log.items():
            query = _EVENTS.where(t.log.c.id == log, t.event.c.chained == 1)
            for row in select_in(self.connection, query, t.event.c.seq, sorted(numbers)):
                found[Place(log, row.seq)] = bytes(row.id), bytes(row.doc)
        return found


_EVENTS = (
    sa.select(t.event.c.id, t.event.c.seq, t.log.c.id.label("log"), t.document.c.id.label("doc"))
    .join_from(t.event, t.log, t.log.c.n == t.event.c.log_n)
    .join(t.document, t.document.c.n == t.event.c.doc_n)
)


class Asker(NamedTuple):
    """A machine that asked before.

    Attributes:
        log: Its log.
        nonce: What its next request is to be bound to.
        before: What the last one was bound to that was taken.
        taken: That request's digest.
    """

    log: bytes
    nonce: bytes
    before: bytes
    taken: bytes


def machines_with(connection: sa.Connection, prefix: bytes) -> list[Asker]:
    """Returns the machines that asked before and whose logs begin so."""
    machines = _beginning(connection, t.peer.c.machine, prefix)
    at = t.peer.c
    query = sa.select(at.machine, at.nonce, at.before, at.taken).where(at.machine.in_(machines))
    return [Asker(*map(bytes, row)) for row in connection.execute(query)]


def _beginning(connection: sa.Connection, column: Any, prefix: bytes) -> list[bytes]:
    """Returns up to two values of an indexed column that begin with ``prefix``."""
    end = prefix + b"\xff" * 32
    query = sa.select(column).where(column >= prefix, column <= end).limit(2)
    return list(connection.execute(query).scalars())
