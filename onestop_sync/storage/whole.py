"""Every document of a kind, read in one go: for a register, a report, an export."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import sqlalchemy as sa

from onestop_sync.state import State
from onestop_sync.storage import tables as t
from onestop_sync.storage.projection import unpack
from onestop_sync.tombstone import Tombstone

__all__ = ["each_document"]

_BATCH: Final = 500


def each_document(connection: sa.Connection, kind: str) -> Iterator[tuple[bytes, State | Tombstone]]:
    """Yields each document of a kind as it is folded, or what stays of one that was erased; oldest first.

    Args:
        connection: Of one reading transaction, which lasts as long as the iteration.
        kind: Name of the type.
    """
    at, last = t.document.c, 0
    query = sa.select(at.n, at.id, at.state, at.tombstone).where(at.kind == kind).order_by(at.n).limit(_BATCH)
    while rows := connection.execute(query.where(at.n > last)).all():
        for row in rows:
            if row.tombstone is not None:
                yield bytes(row.id), Tombstone.from_bytes(row.tombstone)
            elif row.state is not None:
                yield bytes(row.id), unpack(row.state)
        last = rows[-1].n
