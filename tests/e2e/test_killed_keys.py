"""Real processes killed with -9 while keys change and while backups are written: what is there opens."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from onestop_sync import backup, backup_files, rekey
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.errors import NotFound
from onestop_sync.keyring import Keyring
from onestop_sync.keys import FAST_FOR_TESTS
from onestop_sync.storage import engines
from onestop_sync.store import Store
from tests.unit.cli_world import PASSPHRASE, Commune, take_in

GONE = "Trần Thị Bình"

CHILD = """
import os, signal, sys
from pathlib import Path
from onestop_sync import backup, keyring, rekey
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.storage import engines
from onestop_sync.store import Store

folder, what, where, passphrase, gone = sys.argv[1:]
calls = {}

def fatal(module, name, moment):
    real = getattr(module, name)
    def wrapped(*given, **options):
        if moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        found = real(*given, **options)
        if moment == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return found
    setattr(module, name, wrapped)

ring = keyring.Keyring(Path(folder))
secrets = ring.unlock("An", passphrase)
if what == "remove":
    if where in {"before keys", "after keys"}:
        fatal(keyring, "write_durably", where.split()[0])
    secrets = ring.remove(secrets, gone)
    if where in {"before database", "after database"}:
        fatal(engines, "rekey", where.split()[0])
    if where in {"before end", "after end"}:
        fatal(keyring, "write_durably", where.split()[0])
    if where == "resealing":
        reseal = lambda old, new: os.kill(os.getpid(), signal.SIGKILL)
    else:
        reseal = None
    print("begun", flush=True)
    rekey.settle(ring, secrets, reseal=reseal)
else:
    store = Store.open(folder, secrets, types=[DOSSIER], threads=1)
    print("begun", flush=True)
    backup.make(store, Path(where), part_bytes=4096)
print("done", flush=True)
"""

STEPS = (
    "before keys", "after keys", "before database", "after database", "resealing", "before end", "after end",
)  # fmt: skip


class World:
    """A machine with two officers and some dossiers, all closed."""

    def __init__(self, folder: Path, dossiers: int = 3) -> None:
        """Make it."""
        self.commune = Commune(folder)
        self.place = self.commune.place("may-1")
        self.commune.colleague(self.place, GONE, ["tham_dinh"])
        desk = self.place.unlock("An", PASSPHRASE)
        for _ in range(dossiers):
            take_in(desk)
        self.before = desk.store.fingerprints("dossier")
        desk.close()

    @property
    def keyring(self) -> Keyring:
        """The machine's."""
        return Keyring(self.place.folder, cost=FAST_FOR_TESTS)

    def child(self, what: str, where: str) -> subprocess.Popen[str]:
        """Start a process that changes keys or writes a backup, and wait until it has begun."""
        command = [sys.executable, "-c", CHILD, str(self.place.folder), what, where, PASSPHRASE, GONE]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def store(self) -> Store:
        """Open the store, as a program does that knows of no removal."""
        secrets = self.keyring.unlock("An", PASSPHRASE)
        return Store.open(self.place.folder, secrets, types=[DOSSIER], threads=1)

    def open(self) -> bool:
        """Open the store as a start of the program does; returns whether the removal had happened."""
        secrets = self.keyring.unlock("An", PASSPHRASE)
        old = secrets.database_key
        settled = rekey.settle(self.keyring, secrets)
        assert not settled.next_key
        store = Store.open(self.place.folder, settled, types=[DOSSIER], threads=1)
        assert store.fingerprints("dossier") == self.before
        store.close()
        engines.check(self.place.folder / "store.db", settled.database_key)
        is_removed = GONE not in self.keyring.holders()
        if not is_removed:
            assert self.keyring.unlock(GONE, PASSPHRASE).database_key == old
            return False
        with pytest.raises(NotFound):
            self.keyring.unlock(GONE, PASSPHRASE)
        return True


@pytest.mark.parametrize("where", STEPS)
def test_killed_at_each_step_of_a_removal_the_store_opens(where: str, tmp_path: Path) -> None:
    """Killed before the keys are written nothing has happened; after that, the next start ends it."""
    world = World(tmp_path)
    before = world.keyring.unlock("An", PASSPHRASE).database_key
    process = world.child("remove", where)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert "done" not in said
    is_removed = world.open()
    assert is_removed is (where != "before keys")
    after = world.keyring.unlock("An", PASSPHRASE).database_key
    assert (after != before) is is_removed
    assert engines.is_key_of(world.place.folder / "store.db", before) is not is_removed
    world.commune.close()


def test_killed_anywhere_in_the_new_key_the_store_opens(tmp_path: Path) -> None:
    """Killed at random moments of giving the database its key, one of the two keys opens all of it."""
    rng = random.Random(3)
    found = {True: 0, False: 0}
    world = World(tmp_path, dossiers=20)
    _grow(world)
    longest_s = 0.12
    while sum(found.values()) < 12 or (not all(found.values()) and sum(found.values()) < 60):
        with world.child("remove", "") as process:
            assert process.stdout
            process.stdout.readline()
            time.sleep(rng.random() * longest_s)
            process.kill()
        secrets = world.keyring.unlock("An", PASSPHRASE)
        is_new = not secrets.next_key or engines.is_key_of(world.place.folder / "store.db", secrets.next_key)
        found[is_new] += 1
        longest_s *= 0.8 if is_new else 1.25  # so that a slow or a quick machine is killed in the middle too
        assert world.open()
        settled = world.keyring.unlock("An", PASSPHRASE)
        world.keyring.add(settled, GONE, PASSPHRASE)
    assert min(found.values()) > 0, found
    world.commune.close()


def _grow(world: World) -> None:
    """Make the database large enough for the change of its key to take a while."""
    desk = world.place.unlock("An", PASSPHRASE)
    doc = desk.dossiers().rows[0].doc
    for i in range(120):
        desk.note(doc, f"{i} " + "ghi chú dài " * 150)
    world.before = desk.store.fingerprints("dossier")
    desk.close()


def test_a_removal_waits_for_programs_that_have_the_store_open(tmp_path: Path) -> None:
    """While another program works, both keep the old key; the first start after that has the new one."""
    world = World(tmp_path)
    desk = world.place.unlock("An", PASSPHRASE)
    keyring = world.keyring
    secrets = keyring.remove(keyring.unlock("An", PASSPHRASE), GONE)
    waiting = rekey.settle(keyring, secrets)
    assert waiting.next_key
    assert waiting.database_key == secrets.database_key
    take_in(desk)
    world.before = desk.store.fingerprints("dossier")
    desk.close()
    assert world.open()
    world.commune.close()


def test_killed_while_backing_up_there_is_a_whole_backup_or_none(tmp_path: Path) -> None:
    """Killed at random moments, every backup on the stick restores, the store opens, and the next goes on."""
    rng = random.Random(5)
    world = World(tmp_path)
    _grow(world)
    stick = tmp_path / "stick"
    stick.mkdir()
    machine = world.keyring.unlock("An", PASSPHRASE).machine.public
    kept = 0
    for i in range(9):
        with world.child("backup", str(stick)) as process:
            parts = rng.randrange(60)
            while process.poll() is None and len(list(stick.glob("*.partial/*.part"))) <= parts:
                pass
            process.kill()
        for path in backup_files.find(stick, machine):
            backup_files.Manifest.read(path).check(path)
        if i % 3 == 2:
            store = world.store()
            report = backup.make(store, stick, part_bytes=4096)
            store.close()
            kept += report.kept
            backup.restore(report.path, tmp_path / f"lai-{i}", PASSPHRASE)
    assert not world.open()
    assert kept > 0, "no backup was ever resumed"
    world.commune.close()
