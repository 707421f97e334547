"""The simulated disk: backup, restore, clone, and a power cut before any statement or commit."""

from __future__ import annotations

import atexit
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from onestop_sync.storage.engines import open_engine

_DATABASE: Final = "store.db"
_FAST: Final = Path("/dev/shm")  # noqa: S108 - a folder of its own is made there
_ENGINES: Final[dict[str, sa.Engine]] = {}


@cache
def workshop() -> Path:
    """Returns this process's folder for simulated disks, in memory where the system has such a place."""
    folder = Path(tempfile.mkdtemp(prefix="onestop-simulation-", dir=_FAST if _FAST.is_dir() else None))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


class PowerCut(BaseException):
    """The machine stops here. Not an `Exception`: no handler of the program may outlive its machine."""


class Fuse:
    """Cuts the power of the machine that is at work, before its n-th statement or commit from now."""

    def __init__(self) -> None:
        self._left: int | None = None
        self.blown_in_transaction = False

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Watches every statement and commit of every engine in this process."""
        hooks = (("before_cursor_execute", self._on_execute), ("commit", self._on_commit))
        for name, hook in hooks:
            sa.event.listen(sa.Engine, name, hook)
        try:
            yield
        finally:
            for name, hook in hooks:
                sa.event.remove(sa.Engine, name, hook)

    @contextmanager
    def armed(self, statements: int | None) -> Iterator[None]:
        """Lets ``statements`` pass and cuts the power then; ``None``: never."""
        self._left = statements
        try:
            yield
        finally:
            self._left = None

    def _on_execute(self, connection: sa.Connection, *_: object) -> None:
        self._burn(in_transaction=connection.in_transaction())

    def _on_commit(self, _connection: sa.Connection) -> None:
        self._burn(in_transaction=True)

    def _burn(self, *, in_transaction: bool) -> None:
        if self._left is None:
            return
        self._left -= 1
        if self._left < 0:
            self._left = None
            self.blown_in_transaction = in_transaction
            raise PowerCut


class Disk:
    """The folder of one machine.

    Args:
        folder: Where it is.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.backups: list[Path] = []

    @classmethod
    def new(cls, folder: Path) -> Disk:
        """Makes an empty one."""
        folder.mkdir(parents=True)
        return cls(folder)

    @property
    def path(self) -> str:
        """Where the database is."""
        return str(self.folder / _DATABASE)

    @property
    def engine(self) -> sa.Engine:
        """The engine of the database; runs at one place share it, and the statements that it compiled."""
        if self.url not in _ENGINES:
            _ENGINES[self.url] = open_engine(self.url, self.folder, b"")
        return _ENGINES[self.url]

    @property
    def url(self) -> str:
        """SQLAlchemy URL of the database."""
        return f"sqlite:///{self.folder / _DATABASE}"

    def back_up(self) -> None:
        """Copies the database as our backup does: whole, alone, and marked as a copy."""
        path = self.folder.with_name(f"{self.folder.name}.backup{len(self.backups)}")
        _copy_database(self.folder / _DATABASE, path)
        with closing(sqlite3.connect(path)) as copy:
            copy.execute("UPDATE meta SET value = x'' WHERE key IN ('marker', 'next_marker')")
            copy.commit()
        self.backups.append(path)

    def restore(self, backup: Path, *, keep_marker: bool) -> None:
        """Puts a backup in the database's place; a new disk has no marker beside it."""
        for name in ("", "-wal", "-shm"):
            (self.folder / f"{_DATABASE}{name}").unlink(missing_ok=True)
        if not keep_marker:
            for path in self.folder.iterdir():
                path.unlink()
        _copy_database(backup, self.folder / _DATABASE)

    def knows_all_restores(self, backup: Path) -> bool:
        """Tells whether a backup was made after the last restore."""
        query = "SELECT value FROM meta WHERE key = 'restores'"
        return rows(f"sqlite:///{backup}", query) == rows(self.url, query)

    def clone(self, folder: Path) -> Disk:
        """Copies the whole disk, marker and all."""
        other = Disk.new(folder)
        for path in sorted(self.folder.iterdir()):
            if not path.name.startswith(_DATABASE):
                shutil.copy2(path, folder / path.name)
        _copy_database(self.folder / _DATABASE, folder / _DATABASE)
        return other

    def snapshot(self) -> bytes:
        """Returns the committed content of the database."""
        with (
            closing(sqlite3.connect(self.folder / _DATABASE)) as source,
            closing(sqlite3.connect(":memory:")) as to,
        ):
            source.backup(to)
            data = to.serialize()
        # Bytes 18 and 19 say that it wants a write-ahead log, which a database in memory cannot have.
        # Source: https://www.sqlite.org/fileformat.html, section 1.3.
        return data[:18] + b"\x01\x01" + data[20:]

    def rewind(self, snapshot: bytes) -> None:
        """Brings the database back to a snapshot, as if what came after had never been committed."""
        with (
            closing(sqlite3.connect(":memory:")) as source,
            closing(sqlite3.connect(self.folder / _DATABASE)) as to,
        ):
            source.deserialize(snapshot)
            source.backup(to)


def _copy_database(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


def rows(url: str, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """Reads from a machine's database past its program."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        return connection.execute(statement, parameters).fetchall()
