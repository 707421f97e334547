"""Opening a database, and saying in our words what went wrong with one.

SQLite and SQLCipher run in WAL with ``synchronous=FULL``: what was acknowledged survives a power cut. Disks
write whole sectors: one that a power cut garbles takes with it what was safe in it before. So files are
opened without SQLite's trust that this does not happen (``psow=0``): no commit shares a sector with the next.
The raw key is given together with its salt, so that a damaged first page leaves the rest readable. Temporary
tables stay in memory, and no error of SQLAlchemy repeats the values of a statement: nothing of a dossier gets
into a file or a log that way.
"""

from __future__ import annotations

import math
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool, StaticPool

from onestop_sync.errors import (
    StoreBusy,
    StoreDamaged,
    StoreError,
    StoreFailing,
    StoreFull,
)
from onestop_sync.storage import tables as t

BUSY_S = 20
"""How long to wait for another program on the same store, seconds."""
_IDLE_SINCE = "onestop idle since"
_TRUSTED_S = 5.0
"""How long a connection to a server may lie idle before it is asked whether it still lives, seconds."""


def open_engine(database: str | sa.Engine | None, path: Path, key: bytes) -> sa.Engine:
    """Returns an engine.

    Args:
        database: SQLAlchemy URL, or an engine that is set up already; ``None`` for an encrypted SQLite file
            at ``path``.
        path: Where that file is.
        key: 32 bytes of key and 16 bytes of salt for it.
    """
    if isinstance(database, sa.Engine):
        return database
    if database is None:
        from sqlcipher3 import dbapi2  # servers on PostgreSQL need not load it

        # Its errors are not those of sqlite3: SQLAlchemy knows them only when it is told the module.
        engine = sa.create_engine(
            "sqlite://", module=dbapi2, creator=lambda: _cipher(dbapi2, path, key), poolclass=QueuePool,
            hide_parameters=True,
        )  # fmt: skip
    elif database == "sqlite://":
        engine = sa.create_engine(
            database, poolclass=StaticPool, hide_parameters=True,
            connect_args={"check_same_thread": False, "isolation_level": None},
        )  # fmt: skip
    elif database.startswith("sqlite"):
        engine = sa.create_engine(database, creator=partial(_plain, database), hide_parameters=True)
    else:
        engine = sa.create_engine(database, hide_parameters=True)
        _check_idle_ones(engine)
        return engine
    sa.event.listen(engine, "connect", _set_up)
    return engine


def _check_idle_ones(engine: sa.Engine) -> None:
    """Asks of a connection whether it still lives, when it lay idle for a while.

    Asked each time (SQLAlchemy's ``pool_pre_ping``), it would be every second round trip of a request.
    """

    def put_back(_: object, record: Any) -> None:
        record.info[_IDLE_SINCE] = time.monotonic()

    def taken(connection: Any, record: Any, _: object) -> None:
        if time.monotonic() - record.info.get(_IDLE_SINCE, math.inf) < _TRUSTED_S:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise sa.exc.DisconnectionError("The database closed an idle connection.") from error

    sa.event.listen(engine, "checkin", put_back)
    sa.event.listen(engine, "checkout", taken)


def for_reading(engine: sa.Engine) -> sa.Engine:
    """Returns the engine for transactions that only read.

    On PostgreSQL each statement sees what is committed when it begins, in a transaction or not: so there is
    none, which saves two of three round trips. SQLite gives a transaction one snapshot.
    """
    if engine.dialect.name == "sqlite":
        return engine
    return engine.execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def begun(engine: sa.Engine, *, writes: bool = False) -> Iterator[sa.Connection]:
    """Opens a transaction: it counts when the block ends, and nothing of it when the block fails.

    An engine that listens for the begin of a transaction would do the same by itself; but then SQLAlchemy
    asks four times at each statement who else listens, which costs a fifteenth of all time.

    Args:
        engine: Of `open_engine`, or of `for_reading`.
        writes: On SQLite a writer takes the lock first: two programs never compute one next number from the
            same past.
    """
    with engine.connect() as connection, connection.begin():
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
        yield connection


@contextmanager
def opened(database: str | sa.Engine | None, path: Path, key: bytes) -> Iterator[sa.Engine]:
    """Gives an engine as `open_engine` does, and closes it again when what follows fails."""
    engine = open_engine(database, path, key)
    try:
        yield engine
    except BaseException:
        if engine is not database:
            engine.dispose()
        raise


def _plain(database: str) -> sqlite3.Connection:
    url = sa.make_url(database)
    named = str(url.database)
    is_uri = named.startswith("file:")  # then whoever wrote it knows what they want
    return sqlite3.connect(
        named if is_uri else _address(Path(named)),
        uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False,
    )  # fmt: skip


def _address(path: Path) -> str:
    """Returns a file's name for SQLite, which then shares no sector between two commits."""
    return f"{path.absolute().as_uri()}?psow=0"


def _cipher(
    dbapi2: Any, path: Path, key: bytes, *, timeout_s: float | None = None, is_quiet: bool = False
) -> Any:
    with suppress(FileExistsError):  # for its owner only; the files that SQLite puts beside it follow suit
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    wait_s = BUSY_S if timeout_s is None else timeout_s
    connection = dbapi2.connect(
        _address(path), uri=True, timeout=wait_s, isolation_level=None, check_same_thread=False
    )
    if is_quiet:  # a key that does not fit is an answer here, and nothing for the terminal
        connection.execute("PRAGMA cipher_log_level = NONE")
    connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
    return connection


def is_key_of(path: Path, key: bytes) -> bool:
    """Tells whether a key opens an encrypted file.

    Raises:
        StoreBusy: Another program holds the file.
    """
    from sqlcipher3 import dbapi2

    connection = _cipher(dbapi2, path, key, is_quiet=True)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except dbapi2.DatabaseError as error:
        found = translate(error)
        if isinstance(found, StoreDamaged):
            return False
        raise found from error
    finally:
        connection.close()
    return True


def rekey(path: Path, old: bytes, new: bytes, *, wait_s: float = 2) -> None:
    """Gives an encrypted file another key, in one transaction: killed at any point, one of the two opens it.

    Args:
        path: The file; no other connection to it may be open.
        old: Its key.
        new: 32 bytes of key and 16 of salt.
        wait_s: How long to wait for others, seconds.

    Raises:
        StoreBusy: Another program has it open; nothing was changed.
        StoreFailing: The disk refused; the old key opens it.
        StoreError: The disk or database refused; one of the two keys opens it.
    """
    from sqlcipher3 import dbapi2

    connection = _cipher(dbapi2, path, old, timeout_s=wait_s)
    try:
        # Only the last connection can leave the write-ahead log: nobody else reads or writes from here on.
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA rekey = \"x'{new.hex()}'\"").fetchall()
    except dbapi2.DatabaseError as error:
        raise translate(error) from error
    finally:
        connection.close()
    # The pragma says nothing of a commit that the disk refused: it is asked of the file.
    try:
        check(path, new)
    except StoreDamaged as error:
        raise StoreFailing("The disk refused the database's new key; the old one opens it.") from error


def check_alone(path: Path, key: bytes) -> None:
    """Makes sure that nobody else has an encrypted file open.

    Raises:
        StoreBusy: Somebody has.
    """
    from sqlcipher3 import dbapi2

    connection = _cipher(dbapi2, path, key, timeout_s=1)
    try:
        connection.execute("PRAGMA journal_mode = DELETE")
    except dbapi2.DatabaseError as error:
        raise translate(error) from error
    finally:
        connection.close()


def copy(path: Path, key: bytes, to: Path) -> None:
    """Writes a consistent copy of an encrypted file, under the same key, while others go on writing.

    The copy is one file, and names no marker: put in the place of a store, it is noticed as restored.

    Args:
        path: The file.
        key: Its key.
        to: The copy; must not exist.

    Raises:
        StoreFull: The disk took no more.
        StoreError: The database refused.
    """
    from sqlcipher3 import dbapi2

    source, target = _cipher(dbapi2, path, key), _cipher(dbapi2, to, key)
    try:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")
        target.execute("UPDATE meta SET value = x'' WHERE key IN ('marker', 'next_marker')")
    except dbapi2.DatabaseError as error:
        raise translate(error) from error
    finally:
        target.close()
        source.close()


def check(path: Path, key: bytes) -> None:
    """Reads all of an encrypted file, and makes sure that every page is what was written.

    Raises:
        StoreDamaged: One is not, or the key is not the file's.
    """
    from sqlcipher3 import dbapi2

    connection = _cipher(dbapi2, path, key, is_quiet=True)
    try:
        sealed = connection.execute("PRAGMA cipher_integrity_check").fetchall()
        whole = connection.execute("PRAGMA integrity_check").fetchall()
    except dbapi2.DatabaseError as error:
        raise translate(error) from error
    finally:
        connection.close()
    if sealed or whole != [("ok",)]:
        raise StoreDamaged("The file is not what was written.")


def _set_up(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = OFF",
        "secure_delete = ON",  # what is deleted is overwritten: erasure means the disk too
        "temp_store = MEMORY",
        "cache_size = -16384",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def create_tables(engine: sa.Engine) -> None:
    """Makes the tables of a new store."""
    with begun(engine, writes=True) as connection:
        t.metadata.create_all(connection)


_RAISE = sa.text(
    # No wait for the disk: whoever uses the numbers commits later, and makes this durable with it.
    "UPDATE counter SET value = value + :count FROM (SELECT set_config('synchronous_commit', 'off', true)) s"
    " WHERE name = :table AND day = '' RETURNING value"
)


@lru_cache(maxsize=64)
def _last_number(table: sa.Table) -> sa.Select[Any]:
    return sa.select(sa.func.max(table.c.n))


def next_numbers(connection: sa.Connection, table: sa.Table, count: int) -> int:
    """Returns the first of ``count`` fresh local numbers for ``table``.

    On SQLite the writer holds the only write lock. Elsewhere a counter row is raised in a transaction of
    its own, so that writers do not wait for each other's; numbers of one that fails stay unused.
    """
    if connection.dialect.name == "sqlite":
        return (connection.execute(_last_number(table)).scalar() or 0) + 1
    with for_reading(connection.engine).connect() as own:
        last = own.execute(_RAISE, {"table": f"n:{table.name}", "count": count}).scalar()
        if last is None:
            own.execute(sa.insert(t.counter).values(name=f"n:{table.name}", day="", value=count))
            last = count
    return int(last) - count + 1


@contextmanager
def told() -> Iterator[None]:
    """Turns what a database says into one of our errors.

    Raises:
        StoreFull: The disk took no more.
        StoreBusy: Another program held the lock for longer than `BUSY_S`.
        StoreDamaged: The file is not a readable store.
        StoreFailing: The disk failed.
        StoreError: Anything else that the database refused.
    """
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise translate(error.orig or error) from error
    except Exception as error:
        # What a new connection says while it is set up does not come through SQLAlchemy.
        if not isinstance(error, _driver_errors()):
            raise
        raise translate(error) from error


def _driver_errors() -> tuple[type[Exception], ...]:
    cipher = sys.modules.get("sqlcipher3.dbapi2")
    return (sqlite3.DatabaseError, cipher.DatabaseError) if cipher else (sqlite3.DatabaseError,)


def translate(error: BaseException) -> StoreError:
    """Returns our error for a database's."""
    text = str(error).lower()
    if "full" in text or "no space left" in text:
        return StoreFull("The disk is full; the last change was not saved.")
    if "locked" in text or "busy" in text:
        return StoreBusy("Another program keeps the store busy.")
    if "disk i/o error" in text:
        return StoreFailing("The disk failed; the last change was not saved.")
    if "not a database" in text or "malformed" in text or "file is encrypted" in text:
        return StoreDamaged("The store's file cannot be read.")
    return StoreError(f"The store's database refused: {type(error).__name__}.")
