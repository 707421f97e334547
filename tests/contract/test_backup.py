"""Backups: whole or none, readable by nobody else, resumed, rotated; what stands in their way is told."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from commune_client.desk.desk import Desk
from commune_client.desk.place import Place
from onestop_sync import backup, backup_files, enrol, recovery, rekey
from onestop_sync.errors import (
    BackupFailed,
    InvalidInput,
    NotAllowed,
    StoreBusy,
    StoreExists,
    WrongPassphrase,
)
from onestop_sync.files import write_durably
from onestop_sync.keyring import Keyring
from onestop_sync.keys import FAST_FOR_TESTS, seal_public_key
from onestop_sync.storage import tables as t
from tests.unit.cli_world import PASSPHRASE, Commune, exchange, take_in

SMALL = 4096
"""Bytes of a part: a store of a test has dozens of them."""


def dossiers(desk: Desk) -> frozenset[bytes]:
    """Return what a desk's dossiers fold to; its audit trail grows with each look."""
    return frozenset(desk.store.fingerprints("dossier").values())


class World:
    """A commune with one machine, a stick, and a dossier."""

    def __init__(self, folder: Path) -> None:
        """Make it."""
        self.commune = Commune(folder)
        self.place = self.commune.place("may-1", "Đặng Văn Ẩn")
        self.desk = self.commune.desk(self.place)
        self.doc = take_in(self.desk, nguoi_nop="Nguyễn Thị Kín Đáo")
        self.stick = folder / "stick"
        self.stick.mkdir()

    def make(self, **options: Any) -> backup.BackupReport:
        """Write a backup."""
        return backup.make(self.desk.store, self.stick, **{"part_bytes": SMALL, **options})

    def restored(self, path: Path, name: str = "lai") -> Desk:
        """Restore into another folder, and open that."""
        backup.restore(path, self.place.folder.with_name(name), PASSPHRASE)
        place = Place(self.place.folder.with_name(name), clock=self.commune.clock, cost=FAST_FOR_TESTS)
        return self.commune.desk(place, place.officers()[0])


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A commune."""
    found = World(tmp_path)
    yield found
    found.commune.close()


def test_a_backup_opens_with_the_same_passphrase(world: World) -> None:
    """What was there is there, under the same name and passphrase, and is worked on at once."""
    report = world.make()
    digest = dossiers(world.desk)
    desk = world.restored(report.path)
    assert desk.name == "Đặng Văn Ẩn"
    assert dossiers(desk) == digest
    assert desk.store.restores == 1
    assert desk.note(world.doc, "sau khi khôi phục").event
    assert desk.show(take_in(desk)).code.endswith("-0501")  # the spare block


def test_nothing_of_a_backup_can_be_read(world: World) -> None:
    """No file of a stick, nor of the machine, holds a citizen's name, nor a stick an officer's."""
    world.make(extras={"config.json": '{"officer": "Đặng Văn Ẩn"}'.encode()})
    stick = [path for path in world.stick.rglob("*") if path.is_file()]
    assert len(stick) > 20
    for path in [*stick, *(p for p in world.place.folder.rglob("*") if p.is_file())]:
        for name in ("Nguyễn Thị Kín Đáo", "Kín Đáo", "kin dao", "0912345678"):
            assert name.encode() not in path.read_bytes(), path
    for path in stick:
        assert "Ẩn".encode() not in path.read_bytes(), path
    assert not any("marker" in path.name for path in stick)


def test_a_copy_while_others_write_is_of_one_moment(world: World) -> None:
    """With an officer saving all the time, a backup is a state that the store had."""
    stop, digests = threading.Event(), set()

    def work() -> None:
        while not stop.is_set():
            digests.add(dossiers(world.desk))
            world.desk.note(world.doc, "đang làm")
            digests.add(dossiers(world.desk))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        paths = [world.make().path for _ in range(5)]
    finally:
        stop.set()
        thread.join()
    found = {dossiers(world.restored(path, f"lai-{i}")) for i, path in enumerate(paths)}
    assert found <= digests
    assert len(found) > 1


def test_an_interrupted_backup_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same snapshot goes on with the parts that are missing; what was damaged is written again."""
    real, count = write_durably, [0]

    def pulled(path: Path, data: bytes) -> None:
        if path.suffix == ".part":
            count[0] += 1
            if count[0] > 10:
                raise OSError(errno.EIO, "pulled out")
        real(path, data)

    monkeypatch.setattr("onestop_sync.backup.write_durably", pulled)
    with pytest.raises(BackupFailed) as caught:
        world.make()
    assert caught.value.details["reason"] == "backup_missing"
    assert backup_files.find(world.stick, world.desk.store.machine.public) == []
    assert backup.last(world.place.folder).error == "backup_missing"
    monkeypatch.undo()
    (partial,) = world.stick.iterdir()
    (partial / "0003.part").write_bytes(b"damaged")
    digest = dossiers(world.desk)
    world.desk.note(world.doc, "sau ảnh chụp")
    report = world.make()
    assert report.kept == 9
    assert dossiers(world.restored(report.path)) == digest  # of the moment of the snapshot
    assert world.make().kept == 0
    assert not list(world.stick.glob("*.partial"))


@pytest.mark.parametrize(
    ("number", "reason"),
    [(errno.ENOSPC, "backup_full"), (errno.EROFS, "backup_refused"), (errno.ENODEV, "backup_missing")],
)
def test_what_is_wrong_with_a_stick_is_one_reason(
    world: World, monkeypatch: pytest.MonkeyPatch, number: int, reason: str
) -> None:
    """A full, locked or missing stick is told as such, and leaves no backup that is none."""

    def fails(path: Path, data: bytes) -> None:
        raise OSError(number, os.strerror(number))

    real = write_durably
    monkeypatch.setattr(
        "onestop_sync.backup.write_durably",
        lambda p, d: (fails if p.is_relative_to(world.stick) else real)(p, d),
    )
    with pytest.raises(BackupFailed) as caught:
        world.make()
    assert caught.value.details["reason"] == reason
    assert backup_files.find(world.stick, world.desk.store.machine.public) == []


def test_a_folder_that_is_not_there_is_not_made(world: World) -> None:
    """A stick that is not plugged in is told; nothing is written to where it would be."""
    with pytest.raises(BackupFailed) as caught:
        backup.make(world.desk.store, world.stick / "khong-co")
    assert caught.value.details["reason"] == "backup_missing"
    assert list(world.stick.iterdir()) == []


def test_what_comes_back_otherwise_is_no_backup(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stick that says it has written, and gives back other bytes, is found out before the backup counts."""
    real = write_durably

    def worn(path: Path, data: bytes) -> None:
        real(path, data[:-1] + b"\x00" if path.name == "0002.part" else data)

    monkeypatch.setattr("onestop_sync.backup.write_durably", worn)
    with pytest.raises(BackupFailed) as caught:
        world.make()
    assert caught.value.details["reason"] == "backup_damaged"
    assert backup_files.find(world.stick, world.desk.store.machine.public) == []


def test_old_backups_go_and_others_stay(world: World) -> None:
    """So many of this machine stay, the newest; what else is on the stick is not touched."""
    (world.stick / "ảnh.jpg").write_bytes(b"x")
    (world.stick / "onestop-00000000-20200101-000000-000").mkdir()
    made = [world.make(keep=3).path for _ in range(5)]
    assert [path for path in made if path.exists()] == made[2:]
    assert len(list(world.stick.iterdir())) == 5


def test_a_clock_that_went_back_removes_no_new_backup(world: World) -> None:
    """What was just made stays, even when its date is the oldest of all."""
    for _ in range(3):
        world.make(keep=2)
    world.commune.province.clock_ms -= 400 * 24 * 3600 * 1000
    report = world.make(keep=2)
    assert report.path.exists()
    assert len(backup_files.find(world.stick, world.desk.store.machine.public)) == 2


def test_a_damaged_backup_is_refused_whole(world: World) -> None:
    """Any changed file of a backup, the manifest too, stops a restore before anything is made."""
    report = world.make()
    files = sorted(report.path.iterdir())
    for path in [*files[:3], *files[-4:]]:
        data = path.read_bytes()
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(BackupFailed):
            backup.restore(report.path, world.place.folder.with_name("lai"), PASSPHRASE)
        path.unlink()
        with pytest.raises(BackupFailed):
            backup.restore(report.path, world.place.folder.with_name("lai"), PASSPHRASE)
        path.write_bytes(data)
    assert not world.place.folder.with_name("lai").exists()
    world.restored(report.path)


def test_a_wrong_passphrase_restores_nothing(world: World) -> None:
    """Nobody's passphrase: nothing is there afterwards, and no restore was noted."""
    report = world.make()
    with pytest.raises(WrongPassphrase):
        backup.restore(report.path, world.place.folder.with_name("lai"), "mật khẩu sai")
    assert not list(world.place.folder.parent.glob("lai*"))
    assert not list(world.stick.glob("*.restored"))


def test_a_store_that_is_there_is_kept(world: World) -> None:
    """Over another store only when told to, never while it is open, and the old one is put aside whole."""
    report = world.make()
    folder = world.place.folder
    late = take_in(world.desk)
    with pytest.raises(StoreExists):
        backup.restore(report.path, folder, PASSPHRASE)
    with pytest.raises(StoreBusy):
        backup.restore(report.path, folder, PASSPHRASE, replace=True, now_ms=1)
    world.desk.close()
    done = backup.restore(report.path, folder, PASSPHRASE, replace=True, now_ms=1)
    assert done.aside is not None
    old = world.commune.desk(Place(done.aside, clock=world.commune.clock, cost=FAST_FOR_TESTS))
    assert old.show(late).code
    assert world.commune.desk(world.place).store.restores == 1
    with pytest.raises(StoreExists):
        backup.restore(report.path, world.stick, PASSPHRASE, replace=True)


def test_a_stick_that_cannot_note_a_restore_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two restores from a locked stick would issue the same codes, so the first is refused."""
    report = world.make()

    def locked(*_: object) -> None:
        raise OSError(errno.EROFS, "read-only")

    monkeypatch.setattr(backup_files, "write_note", locked)
    with pytest.raises(BackupFailed) as caught:
        backup.restore(report.path, world.place.folder.with_name("lai"), PASSPHRASE)
    assert caught.value.details["reason"] == "backup_note"
    assert not world.place.folder.with_name("lai").exists()


def test_the_bare_file_put_over_the_store_is_noticed(world: World) -> None:
    """Even who copies the database by hand, beside the old marker, gets new logs: it names no marker."""
    report = world.make()
    world.desk.note(world.doc, "mất")
    world.desk.close()
    parts = sorted(report.path.glob("*.part"))
    for leftover in world.place.folder.glob("store.db-*"):
        leftover.unlink()
    (world.place.folder / "store.db").write_bytes(b"".join(part.read_bytes() for part in parts))
    assert world.commune.desk(world.place).store.restores == 1


def test_a_machine_without_spare_blocks_is_given_more(world: World) -> None:
    """Restored twice, it issues no code until the administrator gives further blocks, and then it does."""
    hub = world.commune.hub()
    exchange(world.desk.store, hub.store)
    report = world.make()
    world.restored(report.path, "mot").close()
    desk = world.restored(report.path, "hai")
    assert desk.store.restores == 2
    with pytest.raises(NotAllowed) as caught:
        take_in(desk)
    assert caught.value.details["reason"] == "no_block"
    office, admin = world.commune.province.office, world.commune.province.admin
    given = enrol.give_blocks(office, admin, desk.store.machine.public)
    assert [b[0] for b in given.blocks[:2]] == [1, 501]
    assert len(given.blocks) == 4
    event, _ = office.find_authority(desk.store.machine.public)
    hub.store.receive(_with_proof(world, event))
    exchange(desk.store, hub.store)
    code = desk.show(take_in(desk)).code
    assert int(code[-4:]) == given.blocks[2][0]


def _with_proof(world: World, event: bytes) -> list[Any]:
    office = world.commune.province.office
    issuer = office.trust.issuer_log(event)
    assert issuer
    with office.reading() as connection:
        row = connection.execute(sa.select(t.event).where(t.event.c.id == event)).one()
    return [*office.introduction(issuer), [row.header, row.signature, row.body]]


def test_a_backup_of_a_machine_that_forgot_is_recovered(world: World) -> None:
    """A backup whose passphrases nobody knows is restored as it is, and the province opens it."""
    seed = bytes(range(32))
    keyring = world.place.keyring()
    keyring.set_recovery(keyring.unlock("Đặng Văn Ẩn", PASSPHRASE), seal_public_key(seed))
    report = world.make()
    folder = world.place.folder.with_name("lai")
    assert backup.restore(report.path, folder, None).holders == ()
    found = Keyring(folder, cost=FAST_FOR_TESTS)
    asked = recovery.request(found, "Bà Mới", "mật khẩu thật mới", cost=FAST_FOR_TESTS)
    recovery.take(found, "mật khẩu thật mới", recovery.answer(asked, seed))
    assert found.holders() == ["Bà Mới", "Đặng Văn Ẩn"]
    desk = Place(folder, clock=world.commune.clock).unlock("Bà Mới", "mật khẩu thật mới")
    assert desk.show(world.doc).code
    desk.close()
    assert found.unlock("Đặng Văn Ẩn", PASSPHRASE).database_key == world.desk.store.database_key


def test_a_backup_between_a_removal_and_its_new_key_opens(world: World) -> None:
    """Made while the database waits for its new key, it opens with what came with it, and goes on."""
    world.commune.colleague(world.place, "Bình", ["tham_dinh"])
    keyring = world.place.keyring()
    keyring.remove(keyring.unlock("Đặng Văn Ẩn", PASSPHRASE), "Bình")
    report = world.make()
    desk = world.restored(report.path)
    assert desk.place.officers() == ["Đặng Văn Ẩn"]
    world.desk.close()
    secrets = rekey.settle(keyring, keyring.unlock("Đặng Văn Ẩn", PASSPHRASE))
    assert not secrets.next_key
    assert world.commune.desk(world.place).show(world.doc).code


def test_only_an_encrypted_file_is_backed_up_so(world: World) -> None:
    """A store on another database is told to use that database's tools."""
    machine = world.commune.province.machine("khac", "c2", database="sqlite://")
    with pytest.raises(InvalidInput):
        backup.make(machine.store, world.stick)
    machine.store.close()


def test_a_restore_that_was_killed_begins_anew(world: World) -> None:
    """What an interrupted restore left is in nobody's way."""
    report = world.make()
    left = world.place.folder.with_name("lai.restoring")
    left.mkdir()
    (left / "store.db").write_bytes(b"half")
    assert world.restored(report.path).show(world.doc).code
    assert not left.exists()
    shutil.rmtree(world.place.folder.with_name("lai"))
