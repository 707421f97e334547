"""Erasure in a database: what a tombstone takes away, and that the bytes are gone from the disk as well.

SQLite runs with ``secure_delete``: what is deleted is overwritten in the file. Older pages are in the
write-ahead log until it is folded in and cut to nothing (`scrub`), which is tried until it succeeds: another
program that reads holds it up. On PostgreSQL old rows stay in the files until VACUUM, and in its write-ahead
log, its replicas and its backups for as long as these are kept: see docs/operators.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from onestop_sync.storage import chunks
from onestop_sync.storage import tables as t
from onestop_sync.storage.engines import BUSY_S, begun
from onestop_sync.storage.rows import select_in
from onestop_sync.tombstone import Tombstone

__all__ = ["TABLES", "is_scrub_due", "note_scrub", "scrub", "strip", "to_bury"]

_DUE: Final = "scrub"
_WAIT_MS: Final = 500
TABLES: Final = (t.event, t.document, t.listing, t.search, t.notice, t.needs, t.chunk, t.tally, t.finding)
"""Tables from which content was taken away."""


def to_bury(connection: sa.Connection, tombstones: Mapping[bytes, Tombstone]) -> list[bytes]:
    """Returns the documents that are not yet as the tombstones say."""
    at = t.document.c
    held = {row.id: row.tombstone for row in connection.execute(_BURIED)}
    here = {row.id for row in select_in(connection, sa.select(at.id), at.id, sorted(tombstones))}
    fresh = {doc for doc in here if held.get(doc) != tombstones[doc].to_bytes()}
    return sorted(fresh | {doc for doc in held if doc not in tombstones})


def strip(connection: sa.Connection, doc_n: int) -> bool:
    """Takes away the bodies of a document's events, and what was noted of it; tells if there were any."""
    has_body = (t.event.c.doc_n == doc_n, t.event.c.body.is_not(None))
    of_doc = sa.select(t.event.c.n).where(t.event.c.doc_n == doc_n)
    chunks.forget(connection, list(connection.execute(of_doc).scalars()))
    gone = connection.execute(sa.update(t.event).where(*has_body).values(body=None))
    connection.execute(sa.update(t.event).where(t.event.c.doc_n == doc_n).values(waiting=0))
    connection.execute(sa.delete(t.notice).where(t.notice.c.doc_n == doc_n))
    connection.execute(sa.delete(t.needs).where(t.needs.c.doc_n == doc_n))
    if gone.rowcount:
        note_scrub(connection)
    return bool(gone.rowcount)


def note_scrub(connection: sa.Connection) -> None:
    """Notes, with what was taken away, that old pages of it are still on the disk."""
    if not is_scrub_due(connection):
        connection.execute(sa.insert(t.meta).values(key=_DUE, value=b"1"))


def is_scrub_due(connection: sa.Connection) -> bool:
    """Tells whether something was taken away whose old pages may still be on the disk."""
    query = sa.select(t.meta.c.value).where(t.meta.c.key == _DUE)
    return connection.execute(query).scalar() is not None


def scrub(engine: sa.Engine) -> bool:
    """Folds the write-ahead log in and cuts it; on PostgreSQL, makes the space of old rows free.

    Call it outside of any transaction.

    Returns:
        Whether it is done; false while another program is in the way, to be tried again later.
    """
    if not _is_done(engine):
        return False
    with begun(engine, writes=True) as connection:
        connection.execute(sa.delete(t.meta).where(t.meta.c.key == _DUE))
    return True


def _is_done(engine: sa.Engine) -> bool:
    if engine.dialect.name != "sqlite":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in TABLES:
                connection.exec_driver_sql(f'VACUUM "{table.name}"')
        return True
    return fold_log_in(engine)


def fold_log_in(engine: sa.Engine) -> bool:
    """Writes what SQLite's write-ahead log holds into the file, and cuts the log; outside of any transaction.

    Returns:
        Whether it is done; false while another program is in the way.
    """
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        # Nobody waits for this: it is tried again at the next start.
        cursor.execute(f"PRAGMA busy_timeout = {_WAIT_MS}")
        row: Any = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_S * 1000}")
        cursor.close()
    finally:
        raw.close()
    return row is None or row[0] == 0


_BURIED: Final = sa.select(t.document.c.id, t.document.c.tombstone).where(t.document.c.tombstone.is_not(None))
