"""Who can unlock a store: waits after wrong passphrases, changes, and people who go."""

from __future__ import annotations

from pathlib import Path

import pytest

from onestop_sync import codec
from onestop_sync.errors import (
    InvalidInput,
    NotAllowed,
    NotFound,
    StoreBusy,
    StoreDamaged,
    TooManyTries,
    WrongPassphrase,
)
from onestop_sync.keyring import Keyring, Secrets
from onestop_sync.keyring_file import KeyringFile
from onestop_sync.keys import FAST_FOR_TESTS, seal_public_key
from onestop_sync.tries import FREE, LONGEST_S, plan_wait_s

RIGHT, OTHER, WRONG = "mật khẩu dài", "mật khẩu khác", "mật khẩu sai"


class Machine:
    """A keyring on a machine whose running time the test sets."""

    def __init__(self, folder: Path) -> None:
        """Set it up with An."""
        self.folder = folder
        self.running_ms = 50_000
        self.an = self.keyring.create("An", RIGHT)

    @property
    def keyring(self) -> Keyring:
        """The keyring, as a program that has just started opens it."""
        return Keyring(self.folder, cost=FAST_FOR_TESTS, running=lambda: self.running_ms)

    def fail(self, times: int, holder: str = "An") -> int:
        """Type a wrong passphrase so often; returns how long the next try has to wait."""
        wait_s = 0
        for _ in range(times):
            self.running_ms += wait_s * 1000
            with pytest.raises(WrongPassphrase) as caught:
                self.keyring.unlock(holder, WRONG)
            wait_s = int(str(caught.value.details["wait_s"]))
        return wait_s


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with one officer."""
    return Machine(tmp_path)


def same(one: Secrets, other: Secrets) -> bool:
    """Tell whether two unlocked the same."""
    return (one.database_key, one.machine.seed, one.seal_seed, one.officer.seed) == (
        other.database_key, other.machine.seed, other.seal_seed, other.officer.seed,
    )  # fmt: skip


def test_waits_grow_and_end() -> None:
    """A few mistakes are free, then each doubles the wait, up to a limit that is no lock-out."""
    waits = [plan_wait_s(n) for n in range(100)]
    assert waits[: FREE + 3] == [0, 0, 0, 5, 10, 20]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_S


def test_the_wait_is_kept_over_a_start_of_the_program(machine: Machine) -> None:
    """After three mistakes the right passphrase has to wait too, whichever program asks."""
    assert machine.fail(FREE) == 5
    with pytest.raises(TooManyTries) as caught:
        machine.keyring.unlock("An", RIGHT)
    assert caught.value.details["wait_s"] == 5
    machine.running_ms += 4001
    with pytest.raises(TooManyTries, match="wait 1 seconds"):
        machine.keyring.unlock("An", RIGHT)
    machine.running_ms += 999
    assert same(machine.keyring.unlock("An", RIGHT), machine.an)


def test_a_right_passphrase_begins_anew(machine: Machine) -> None:
    """Whoever gets in has all free mistakes again."""
    wait_s = machine.fail(FREE + 2)
    machine.running_ms += wait_s * 1000
    machine.keyring.unlock("An", RIGHT)
    assert machine.fail(FREE - 1) == 0


def test_a_restart_of_the_machine_makes_no_wait_shorter_and_none_endless(machine: Machine) -> None:
    """The wait begins with the machine, once, however long it had been running before."""
    machine.running_ms = 90_000_000
    assert machine.fail(FREE) == 5
    machine.running_ms = 1000
    with pytest.raises(TooManyTries) as caught:
        machine.keyring.unlock("An", RIGHT)
    assert caught.value.details["wait_s"] == 4
    machine.running_ms = 90_000_001  # long after; as far as it had run before
    assert same(machine.keyring.unlock("An", RIGHT), machine.an)


def test_no_date_is_looked_at(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Setting the clock forward by a year shortens no wait."""
    machine.fail(FREE)
    monkeypatch.setattr("time.time_ns", lambda: 2**62)
    monkeypatch.setattr("time.time", lambda: 2.0**40)
    with pytest.raises(TooManyTries):
        machine.keyring.unlock("An", RIGHT)


def test_each_holder_waits_for_their_own(machine: Machine) -> None:
    """One who has forgotten keeps no colleague waiting."""
    machine.keyring.add(machine.an, "Bình", OTHER)
    machine.fail(FREE + 4)
    assert machine.keyring.unlock("Bình", OTHER).holder == "Bình"
    assert "Bình" not in (machine.folder / "tries").read_text()


def test_a_damaged_count_keeps_nobody_out(machine: Machine) -> None:
    """A file of counts that cannot be read, or written, is no lock."""
    machine.fail(FREE)
    (machine.folder / "tries").write_text("[")
    assert same(machine.keyring.unlock("An", RIGHT), machine.an)
    (machine.folder / "tries").unlink(missing_ok=True)
    (machine.folder / "tries").mkdir()
    machine.fail(1)
    assert same(machine.keyring.unlock("An", RIGHT), machine.an)


def test_a_changed_passphrase_opens_the_same(machine: Machine) -> None:
    """The new passphrase gives the same keys, the old one none, and others notice nothing."""
    binh = machine.keyring.add(machine.an, "Bình", OTHER)
    machine.keyring.change("An", RIGHT, "mật khẩu rất mới")
    with pytest.raises(WrongPassphrase):
        machine.keyring.unlock("An", RIGHT)
    assert same(machine.keyring.unlock("An", "mật khẩu rất mới"), machine.an)
    assert same(machine.keyring.unlock("Bình", OTHER), binh)


def test_a_change_needs_the_old_passphrase_and_a_long_new_one(machine: Machine) -> None:
    """What does not do changes nothing, and wrong old ones are counted like any other."""
    with pytest.raises(InvalidInput):
        machine.keyring.change("An", RIGHT, "ngắn")
    for _ in range(FREE):
        with pytest.raises(WrongPassphrase):
            machine.keyring.change("An", WRONG, OTHER)
    with pytest.raises(TooManyTries):
        machine.keyring.change("An", RIGHT, OTHER)


def test_who_is_removed_opens_nothing(machine: Machine) -> None:
    """The removed person's passphrase opens nothing, and what they had once does not open what comes."""
    binh = machine.keyring.add(machine.an, "Bình", OTHER)
    chi = machine.keyring.add(machine.an, "Chi", "mật khẩu của Chi")
    changed = machine.keyring.remove(machine.an, "Bình")
    done = machine.keyring.finish_rekey(changed)
    assert machine.keyring.holders() == ["An", "Chi"]
    with pytest.raises(NotFound):
        machine.keyring.unlock("Bình", OTHER)
    with pytest.raises(WrongPassphrase):
        machine.keyring.unlock_any(OTHER)
    assert done.database_key != binh.database_key
    found = machine.keyring.unlock("Chi", "mật khẩu của Chi")
    assert (found.database_key, found.next_key) == (done.database_key, b"")
    assert found.officer.seed == chi.officer.seed


def test_until_the_database_has_its_new_key_both_are_there(machine: Machine) -> None:
    """Between the two steps everybody who stays holds both keys, and no second removal mixes them up."""
    for name in ("Bình", "Chi"):
        machine.keyring.add(machine.an, name, OTHER)
    changed = machine.keyring.remove(machine.an, "Bình")
    found = machine.keyring.unlock("An", RIGHT)
    assert (found.database_key, found.next_key) == (machine.an.database_key, changed.next_key)
    with pytest.raises(StoreBusy):
        machine.keyring.remove(found, "Chi")


def test_nobody_removes_themselves(machine: Machine) -> None:
    """The last who can unlock cannot lock everybody out."""
    with pytest.raises(NotAllowed):
        machine.keyring.remove(machine.an, "An")
    assert machine.keyring.holders() == ["An"]


def test_old_keys_in_memory_never_come_back(machine: Machine) -> None:
    """A program that unlocked before a removal cannot seal the old database key to anybody."""
    machine.keyring.add(machine.an, "Bình", OTHER)
    done = machine.keyring.finish_rekey(machine.keyring.remove(machine.an, "Bình"))
    before = machine.keyring.path.read_bytes()
    with pytest.raises(StoreBusy):
        machine.keyring.add(machine.an, "Chi", OTHER)
    with pytest.raises(StoreBusy):
        machine.keyring.set_recovery(machine.an, seal_public_key(bytes(31) + b"1"))
    assert machine.keyring.path.read_bytes() == before
    assert machine.keyring.unlock("An", RIGHT).database_key == done.database_key


def test_any_flipped_bit_is_noticed(machine: Machine) -> None:
    """A keyring in which a byte was changed opens nothing, and gives nobody other keys."""
    data = machine.keyring.path.read_bytes()
    for at in range(0, len(data), 7):
        machine.keyring.path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises((StoreDamaged, NotFound)):  # the name alone is not signed
            machine.keyring.unlock("An", RIGHT)


def test_another_machines_envelope_is_not_taken(machine: Machine, tmp_path: Path) -> None:
    """Whoever can write the file, and signs it as another machine, gives no holder that machine's keys."""
    thief = Machine(tmp_path / "thief")
    own = KeyringFile.from_bytes(machine.keyring.path.read_bytes())
    theirs = KeyringFile.from_bytes(thief.keyring.path.read_bytes())
    from onestop_sync.keyring_file import Shared

    shared = Shared(bytes(48), b"", thief.an.machine.seed, bytes(32), {own.entries[0].public: "An"})
    machine.keyring.path.write_bytes(theirs._replace(entries=own.entries).sealed(shared).to_bytes())
    with pytest.raises(StoreDamaged):
        machine.keyring.unlock("An", RIGHT)


def test_names_are_no_part_of_what_a_backup_holds(machine: Machine) -> None:
    """Without names any holder's passphrase opens, and brings everybody's name back."""
    machine.keyring.add(machine.an, "Trần Thị Bình", OTHER)
    bare = machine.keyring.load_file().named({}).to_bytes()
    assert "Bình".encode() not in bare
    assert "An" not in [entry.name for entry in KeyringFile.from_bytes(bare).entries]
    machine.keyring.path.write_bytes(bare)
    assert machine.keyring.holders() == []
    assert machine.keyring.unlock_any(OTHER).holder == "Trần Thị Bình"
    assert machine.keyring.holders() == ["An", "Trần Thị Bình"]


def test_a_file_of_something_else_is_damaged(machine: Machine) -> None:
    """Bytes that are no keyring are told as damage."""
    machine.keyring.path.write_bytes(codec.encode([1, {"An": b"x"}]))
    with pytest.raises(StoreDamaged):
        machine.keyring.holders()
