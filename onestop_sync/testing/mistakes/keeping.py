"""Mistakes with attachments, and with what was erased."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any
from unittest import mock

import sqlalchemy as sa

from onestop_sync.storage import chunks, erasure
from onestop_sync.storage import tables as t
from onestop_sync.storage import transaction as transactions
from onestop_sync.storage.documents import Doc, Documents


def tombstone_forgotten() -> AbstractContextManager[Any]:
    """A machine that has a document already goes on with it when it hears that it was erased."""
    return mock.patch.object(transactions, "to_bury", return_value=[])


def erased_comes_back() -> AbstractContextManager[Any]:
    """What is brought of an erased document is taken like anything else."""
    true = Documents._marked  # noqa: SLF001 - a mistake is made inside

    def marked(self: Documents, doc: Doc) -> Doc:
        found = true(self, doc)
        if found.is_new:
            found.tombstone = None
        return found

    return mock.patch.object(Documents, "_marked", marked)


def bodies_of_latecomers() -> AbstractContextManager[Any]:
    """The content of an event is kept although its document is erased, when it comes after the tombstone."""
    true = Documents._bury  # noqa: SLF001

    def bury(self: Documents, doc: Doc, tombstone: Any, events: Any) -> None:
        true(self, doc, tombstone, events)
        doc.tombstone = None

    return mock.patch.object(Documents, "_bury", bury)


def erased_scans_kept() -> AbstractContextManager[Any]:
    """An erased document's events lose their content, and its scans stay."""
    return mock.patch.object(chunks, "forget", return_value=None)


def unscrubbed() -> AbstractContextManager[Any]:
    """What was erased is deleted, and old pages of it stay on the disk."""
    return mock.patch.object(erasure, "note_scrub", return_value=None)


def chunk_unverified() -> AbstractContextManager[Any]:
    """A chunk is taken for what the one who brings it says."""
    true = chunks._Shelf._take_chunk  # noqa: SLF001

    def take(self: Any, row: Any, piece: chunks.Piece) -> None:
        index = self._index(row.id)
        if index is None or not 0 < piece.place <= len(index.hashes):
            true(self, row, piece)
            return
        self._touched.add(row.id)
        self._fresh.add(index.hashes[piece.place - 1])
        self.stored += chunks.add_chunk(self.connection, index.hashes[piece.place - 1], piece.data)

    return mock.patch.object(chunks._Shelf, "_take_chunk", take)  # noqa: SLF001


def complete_by_index() -> AbstractContextManager[Any]:
    """A scan is called complete as soon as its index is here, and confirmed."""
    nothing = sa.select(t.piece.c.content_n, t.piece.c.place).where(sa.false())
    return mock.patch.object(chunks, "_lacking", return_value=nothing)


def shared_chunks_dropped() -> AbstractContextManager[Any]:
    """A scan that goes takes its chunks along, also those that another scan has as well."""
    true = chunks._drop_unnamed  # noqa: SLF001

    def drop(connection: sa.Connection, numbers: Any) -> None:
        kept = {row[0] for row in connection.execute(sa.select(t.naming.c.content_n))}
        for n in set(numbers) - kept:
            hashes = sa.select(t.piece.c.hash).where(t.piece.c.content_n == n).scalar_subquery()
            connection.execute(sa.delete(t.chunk).where(t.chunk.c.hash.in_(hashes)))
        true(connection, numbers)

    return mock.patch.object(chunks, "_drop_unnamed", drop)
