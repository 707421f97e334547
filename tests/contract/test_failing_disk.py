"""A disk that fails or is full, a program that is stopped halfway: told in our words, and nothing is lost."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from onestop_sync import doctor, rekey
from onestop_sync.errors import StoreError, StoreFailing, StoreFull
from onestop_sync.keyring import Keyring
from onestop_sync.keys import FAST_FOR_TESTS
from onestop_sync.storage import ballast, engines
from onestop_sync.store import Store
from onestop_sync.store import store as store_module
from server_stub import serve
from tests.province import CASE, Machine, Province
from tests.unit.cli_world import PASSPHRASE, Commune, take_in


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """Give a PC with an officer."""
    made = Province(tmp_path).machine("pc", "c1", {"An": ["clerk"]})
    yield made
    made.store.close()


@contextmanager
def failing_commits(store: Store, words: str) -> Iterator[None]:
    """Has the database refuse each commit with these words, as SQLite says it."""

    def refuse(_connection: Any) -> None:
        raise sqlite3.OperationalError(words)

    sa.event.listen(store.engine, "commit", refuse)
    try:
        yield
    finally:
        sa.event.remove(store.engine, "commit", refuse)


def test_after_a_failure_a_program_reads_and_writes_nothing_more(machine: Machine) -> None:
    """Nobody knows what a failed sync left on the disk: nothing is tried again before a restart, nor lost."""
    an = machine.writer("An")
    doc = an.create("case", {"name": "Hường"})
    with failing_commits(machine.store, "disk I/O error"), pytest.raises(StoreFailing):
        an.edit(doc, {"name": "Hương"})
    for write in (lambda: an.edit(doc, {"name": "Hương"}), lambda: machine.store.remember("x", b"y")):
        with pytest.raises(StoreFailing, match="writes nothing more"):
            write()
    assert machine.store.document(doc).value("name") == "Hường"
    again = Store.open(machine.folder, machine.secrets, types=[CASE], threads=1)
    again.writer(machine.officers["An"]).edit(doc, {"name": "Hương"})
    assert (again.document(doc).value("name"), doctor.check(again).faults) == ("Hương", ())
    again.close()


def test_a_server_whose_disk_fails_stops_and_says_so(tmp_path: Path) -> None:
    """Whoever keeps the server running is told by its exit: it starts it anew, on what the disk holds."""
    server = Province(tmp_path).machine("server", "p", serves=True)

    def fail(_port: int) -> None:
        with failing_commits(server.store, "disk I/O error"), pytest.raises(StoreFailing):
            server.store.remember("x", b"y")

    with pytest.raises(StoreFailing, match="has stopped"):
        serve.run(server.store, on_ready=fail, stop=threading.Event())
    server.store.close()


@pytest.mark.parametrize(
    ("number", "told"),
    [(errno.ENOSPC, StoreFull), (errno.EIO, StoreFailing), (errno.EROFS, StoreError)],
)
def test_what_the_disk_has_against_a_file_of_the_program_is_told(
    number: int, told: type[StoreError], machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A marker or keys that cannot be written are an error of ours, and the store opens when they can."""

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    ring = Keyring(machine.folder / "keys", cost=FAST_FOR_TESTS)
    secrets = ring.create("An", PASSPHRASE)
    machine.store.close()
    ballast.give_up(machine.folder, ballast.SAVING, ballast.STARTING)
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", refuse)
        with pytest.raises(told) as first:
            Store.open(machine.folder, machine.secrets, types=[CASE], threads=1)
        with pytest.raises(told) as second:
            ring.add(secrets, "Bình", PASSPHRASE)
    assert (type(first.value), type(second.value)) == (told, told)
    again = Store.open(machine.folder, machine.secrets, types=[CASE], threads=1)
    assert (again.restores, ring.holders()) == (0, ["An"])
    again.close()


def test_a_store_that_was_stopped_in_its_making_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped in the middle of enrolling, a machine is not enrolled, and takes the same answer once more."""
    commune = Commune(tmp_path)
    place = commune.request("may-1")
    answer = commune.approve((place.folder / "enrol.request").read_bytes())
    secrets = place.secrets("An", PASSPHRASE)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    from commune_client.desk.enrolment import accept_answer

    with monkeypatch.context() as broken:
        broken.setattr(store_module, "_fill", stop)
        with pytest.raises(KeyboardInterrupt):
            accept_answer(place, secrets, answer)
    assert not place.is_enrolled
    accept_answer(place, secrets, answer)
    with place.unlock("An", PASSPHRASE) as desk:
        assert desk.find(desk.show(take_in(desk)).view.code)
    commune.close()


def test_a_store_that_the_disk_did_not_take_whole_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite says nothing of a last write that was refused: what it left behind shows it."""
    commune = Commune(tmp_path)
    place = commune.request("may-1")
    answer = commune.approve((place.folder / "enrol.request").read_bytes())
    secrets = place.secrets("An", PASSPHRASE)
    still_open = []
    fill = store_module._fill

    def held(engine: sa.Engine, facts: Mapping[str, bytes]) -> None:
        fill(engine, facts)
        still_open.append(engine.raw_connection())  # so closing does not write the log into the file

    from commune_client.desk.enrolment import accept_answer

    with monkeypatch.context() as broken:
        broken.setattr(store_module, "_fill", held)
        with pytest.raises(StoreFailing):
            accept_answer(place, secrets, answer)
    still_open[0].close()
    assert not place.is_enrolled
    accept_answer(place, secrets, answer)
    place.unlock("An", PASSPHRASE).close()
    commune.close()


def test_a_new_key_that_the_disk_refused_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLCipher hides a refused commit: the old key is forgotten only once the new one opens the file."""
    commune = Commune(tmp_path)
    place = commune.place("may-1")
    commune.colleague(place, "Bình", ["tham_dinh"])
    ring = place.keyring()
    waiting = ring.remove(ring.unlock("An", PASSPHRASE), "Bình")
    with monkeypatch.context() as broken:
        true = engines._cipher

        def deaf(*arguments: Any, **options: Any) -> Any:
            return _Deaf(true(*arguments, **options))

        broken.setattr(engines, "_cipher", deaf)
        with pytest.raises(StoreFailing):
            rekey.settle(ring, waiting)
    assert ring.unlock("An", PASSPHRASE).next_key
    with place.unlock("An", PASSPHRASE) as desk:
        take_in(desk)
    assert ring.unlock("An", PASSPHRASE).database_key == waiting.next_key
    commune.close()


class _Deaf:
    """A connection whose change of key comes to nothing, and says nothing of it."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def execute(self, statement: str) -> Any:
        """Run a statement, unless it changes the key."""
        return self._connection.execute("SELECT 1" if "rekey" in statement else statement)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def test_room_is_held_back_for_a_full_disk(machine: Machine) -> None:
    """The first save without room makes some, and says so; a start with room holds it back anew."""
    an = machine.writer("An")
    doc = an.create("case", {"name": "Hường"})
    held = machine.folder / ballast.SAVING
    assert held.exists()
    with failing_commits(machine.store, "database or disk is full"):
        with pytest.raises(StoreFull) as first:
            an.edit(doc, {"name": "Hương"})
        assert (first.value.details["reason"], held.exists()) == ("reserve", False)
        with pytest.raises(StoreFull) as second:
            an.edit(doc, {"name": "Hương"})
        assert "reason" not in second.value.details
    an.edit(doc, {"name": "Hương"})
    again = Store.open(machine.folder, machine.secrets, types=[CASE], threads=1)
    assert (held.exists(), again.document(doc).value("name")) == (True, "Hương")
    again.close()
