"""A machine whose officers all forgot: asked for without unlocking, answered by the province, taken once."""

from __future__ import annotations

from pathlib import Path

import pytest

from onestop_sync import enrol, recovery
from onestop_sync.errors import (
    FormatError,
    InvalidInput,
    NotAllowed,
    NotFound,
    StoreBusy,
    WrongPassphrase,
)
from onestop_sync.keyring import Keyring
from onestop_sync.keys import FAST_FOR_TESTS, seal_public_key
from tests.unit.cli_world import PASSPHRASE, Commune, take_in

SEED = bytes(range(32))
FRESH = "mật khẩu hoàn toàn mới"


def machine(folder: Path) -> Keyring:
    """Set a machine up whose keys are sealed to the province."""
    keyring = Keyring(folder, cost=FAST_FOR_TESTS)
    keyring.set_recovery(keyring.create("An", PASSPHRASE), seal_public_key(SEED))
    return keyring


def ask(keyring: Keyring, holder: str = "An") -> bytes:
    """Ask, at a cost for tests."""
    return recovery.request(keyring, holder, FRESH, cost=FAST_FOR_TESTS)


def test_who_forgot_works_again_and_nothing_typed_is_lost(tmp_path: Path) -> None:
    """With the province's answer the officer opens the same store; the new key waits for its certificate."""
    commune = Commune(tmp_path)
    place = commune.place("may-1")
    desk = commune.desk(place)
    doc = take_in(desk)
    before, old = desk.store.fingerprints("dossier"), desk.signer.public
    desk.close()
    keyring = place.keyring()
    keyring.set_recovery(keyring.unlock("An", PASSPHRASE), seal_public_key(SEED))
    secrets = recovery.take(keyring, FRESH, recovery.answer(ask(keyring), SEED))
    assert secrets.officer.public != old
    with pytest.raises(WrongPassphrase):
        keyring.unlock("An", PASSPHRASE)
    again = place.unlock("An", FRESH)
    assert again.store.fingerprints("dossier") == before
    assert not again.officer.is_certified
    applicant = enrol.Applicant("An", secrets.officer, ["tiep_nhan"])
    answer = commune.approve(enrol.request(secrets, "c1", "may-1", [applicant]))
    enrol.receive(again.store, answer)
    again.note(doc, "làm việc lại")
    assert again.show(doc).timeline[-1].is_mine
    again.close()
    commune.close()


def test_the_answer_opens_with_the_new_passphrase_alone(tmp_path: Path) -> None:
    """Who gets hold of the answer has nothing; nor does another request on the same machine."""
    keyring = machine(tmp_path)
    answer = recovery.answer(ask(keyring), SEED)
    with pytest.raises(WrongPassphrase):
        recovery.take(keyring, PASSPHRASE, answer)
    ask(keyring)
    with pytest.raises(NotAllowed):
        recovery.take(keyring, FRESH, answer)


def test_an_answer_is_taken_once(tmp_path: Path) -> None:
    """Afterwards nothing is open that a second answer could come to."""
    keyring = machine(tmp_path)
    answer = recovery.answer(ask(keyring, "Bình"), SEED)
    recovery.take(keyring, FRESH, answer)
    assert keyring.holders() == ["An", "Bình"]
    with pytest.raises(NotFound):
        recovery.take(keyring, FRESH, answer)
    assert keyring.unlock("An", PASSPHRASE).database_key == keyring.unlock("Bình", FRESH).database_key


def test_another_key_answers_nothing(tmp_path: Path) -> None:
    """The request names the recovery key; another one is refused, and a changed request is found out."""
    keyring = machine(tmp_path)
    asked = ask(keyring)
    with pytest.raises(NotAllowed):
        recovery.answer(asked, bytes(32))
    with pytest.raises(FormatError):
        recovery.answer(asked[:-1] + bytes([asked[-1] ^ 1]), SEED)
    with pytest.raises(FormatError):
        recovery.answer(b"\x80", SEED)


def test_a_machine_that_never_knew_a_recovery_key_says_so(tmp_path: Path) -> None:
    """Without an envelope for the province there is nothing to ask with."""
    keyring = Keyring(tmp_path, cost=FAST_FOR_TESTS)
    keyring.create("An", PASSPHRASE)
    with pytest.raises(NotAllowed):
        ask(keyring)
    keyring.set_recovery(keyring.unlock("An", PASSPHRASE), seal_public_key(SEED))
    with pytest.raises(InvalidInput):
        recovery.request(keyring, "An", "ngắn")


def test_a_removal_between_asking_and_taking_is_noticed(tmp_path: Path) -> None:
    """An answer that holds the old database key does not bring it back."""
    keyring = machine(tmp_path)
    an = keyring.unlock("An", PASSPHRASE)
    keyring.add(an, "Bình", PASSPHRASE)
    answer = recovery.answer(ask(keyring, "Chi"), SEED)
    keyring.finish_rekey(keyring.remove(an, "Bình"))
    with pytest.raises(StoreBusy):
        recovery.take(keyring, FRESH, answer)


def test_the_fingerprint_is_of_machine_and_request(tmp_path: Path) -> None:
    """What is compared aloud differs between two requests, so that no old one is answered."""
    keyring = machine(tmp_path)
    one, two = recovery.describe(ask(keyring)), recovery.describe(ask(keyring))
    assert one.machine == two.machine
    assert one.fingerprint != two.fingerprint
