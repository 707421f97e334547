"""The machines of the day: a commune's PC, a second one that is being enrolled, and the server above them.

Both kinds of file are met: SQLCipher, as the program itself opens its store, and plain SQLite, as an
integrator may. Everything is below one folder, so that a copy of the folder is a copy of the world.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

import sqlalchemy as sa

from commune_client.desk.desk import Desk
from commune_client.desk.place import Place
from onestop_sync import enrol
from onestop_sync.dossier.types import TYPES
from onestop_sync.errors import WrongPassphrase
from onestop_sync.keyring import Secrets
from onestop_sync.keys import FAST_FOR_TESTS
from onestop_sync.storage.engines import open_engine
from onestop_sync.store import Store
from tests.unit.cli_world import ALL, PASSPHRASE, Commune

__all__ = ["AN", "BINH", "KINDS", "NEW_PASSPHRASE", "SCAN", "Clock", "Kind", "World", "build"]

Kind = Literal["cipher", "plain"]
KINDS: Final[tuple[Kind, ...]] = ("cipher", "plain")
AN: Final = "An"
BINH: Final = "Trần Thị Bình"
NEW_PASSPHRASE: Final = "mật khẩu mới rất dài"
SCAN: Final = b"\xff\xd8" + bytes(range(256)) * 80 + b"\xff\xd9"
"""20 kB, as a page that was made smaller."""
_COMPILED: Final[dict[Any, Any]] = {}
"""Statements, compiled by whoever opens a store first: forked processes need not do it again."""
_PC, _SECOND, _SERVER, _ANSWER, _SCANNED = "may-1", "may-2", "hub", "enrol.answer", "anh.jpg"


@dataclass
class Clock:
    """The clock of every machine: a millisecond later each time.

    Attributes:
        now_ms: Milliseconds since 1970 UTC.
    """

    now_ms: int

    def __call__(self) -> int:
        """Returns the time."""
        self.now_ms += 1
        return self.now_ms


@dataclass(frozen=True)
class World:
    """The machines, all closed; copies share the keys that are in memory.

    Attributes:
        folder: Where everything is.
        kind: Which kind of file the stores are.
        clock: Of all of them.
        server: Keys of the server.
        synchronous: What is asked of SQLite instead of what the program asks; empty for nothing else.
    """

    folder: Path
    kind: Kind
    clock: Clock
    server: Secrets = field(repr=False)
    synchronous: str = ""

    @property
    def pc(self) -> Place:
        """The PC at which the day is worked."""
        return Place(self.folder / _PC, clock=self.clock, cost=FAST_FOR_TESTS)

    @property
    def second(self) -> Place:
        """The PC that is enrolled in the course of the day."""
        return Place(self.folder / _SECOND, clock=self.clock, cost=FAST_FOR_TESTS)

    @property
    def stick(self) -> Path:
        """Where bundles go, and backups."""
        return self.folder / "stick"

    @property
    def scan(self) -> Path:
        """A scan that somebody made elsewhere."""
        return self.folder / _SCANNED

    def copy(self, folder: Path) -> World:
        """Makes another of it."""
        shutil.copytree(self.folder, folder)
        return self.at(folder)

    def at(self, folder: Path) -> World:
        """Returns the same in another folder, where a copy is, a minute later by a clock of its own."""
        return replace(self, folder=folder, clock=Clock(self.clock.now_ms + 60_000))

    def later(self) -> World:
        """Returns the same a minute later: what is done in a forked process moves no clock of this one."""
        return self.at(self.folder)

    def passphrase(self) -> str:
        """Returns An's passphrase, which may have been changed when the program was stopped."""
        try:
            self.pc.keyring().unlock(AN, PASSPHRASE)
        except WrongPassphrase:
            return NEW_PASSPHRASE
        return PASSPHRASE

    def secrets(self) -> Secrets:
        """Unlocks the PC's keys."""
        return self.pc.secrets(AN, self.passphrase())

    def desk(self) -> Desk:
        """Opens the PC's store with An signed in."""
        place = self.pc
        secrets = place.settled(self.secrets()) if self.kind == "cipher" else self.secrets()
        return Desk(place, self._open(place.folder, secrets), secrets, command="day")

    def open_server(self) -> Store:
        """Opens the server's store."""
        return self._open(self.folder / _SERVER, self.server)

    def enrol(self) -> Store:
        """Makes the second PC's store of the answer that lies beside it, or goes on where that stopped."""
        place = self.second
        answer = (place.folder / _ANSWER).read_bytes()
        return enrol.accept(
            place.folder, place.secrets(AN, PASSPHRASE), answer, types=TYPES, threads=1, clock=self.clock,
            database=_database(self.kind, place.folder),
        )  # fmt: skip

    def _open(self, folder: Path, secrets: Secrets) -> Store:
        engine = open_engine(_database(self.kind, folder), folder / "store.db", secrets.database_key)
        engine.update_execution_options(compiled_cache=_COMPILED)
        if self.synchronous:
            sa.event.listen(engine, "connect", self._set_synchronous)
        return Store.open(folder, secrets, types=TYPES, threads=1, clock=self.clock, database=engine)

    def _set_synchronous(self, connection: Any, _record: object) -> None:
        connection.execute(f"PRAGMA synchronous = {self.synchronous}")


def _database(kind: Kind, folder: Path) -> str | None:
    return None if kind == "cipher" else f"sqlite:///{folder / 'store.db'}"


def build(folder: Path, kind: Kind) -> World:
    """Makes a world in an empty folder."""
    commune = Commune(folder / "made")
    province = commune.province
    home = folder / "world"
    home.mkdir(parents=True)
    (home / "stick").mkdir()
    (home / _SCANNED).write_bytes(SCAN)
    for name in (_PC, _SECOND):
        _ask(commune, home / name, name)
    place = _enrolled(commune, home / _PC, kind)
    if kind == "cipher":  # whose file has a key that changes when somebody leaves
        commune.colleague(place, BINH, ["tham_dinh"])
    province.folder = home
    database: Any = _database(kind, home / _SERVER)
    server = province.machine(_SERVER, "d1", serves=True, blocks=(), database=database)
    server.store.close()
    clock = Clock(province.clock_ms)
    commune.close()
    shutil.rmtree(folder / "made")
    return World(home, kind, clock, server.secrets)


def _ask(commune: Commune, folder: Path, name: str) -> None:
    commune.folder = folder.parent
    place = commune.request(name, AN, ALL)
    answer = commune.approve((place.folder / "enrol.request").read_bytes())
    (place.folder / _ANSWER).write_bytes(answer)


def _enrolled(commune: Commune, folder: Path, kind: Kind) -> Place:
    place = Place(folder, clock=commune.clock, cost=FAST_FOR_TESTS)
    enrol.accept(
        folder, place.secrets(AN, PASSPHRASE), (folder / _ANSWER).read_bytes(), types=TYPES, threads=1,
        clock=commune.clock, database=_database(kind, folder),
    ).close()  # fmt: skip
    return place
