"""Enrolment: two files, and nothing that was not signed takes effect."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onestop_sync import codec, enrol
from onestop_sync.errors import FormatError, InvalidInput, NotAllowed, OnestopError, StoreExists
from onestop_sync.keyring import Secrets
from onestop_sync.keys import SigningKey, fingerprint
from onestop_sync.protocol import Requester, Responder
from onestop_sync.store import Store
from onestop_sync.trust import ADMIN, Certificate
from tests.province import CASE, Province


def secrets_of(rng: random.Random, holder: str = "An") -> Secrets:
    """Makes the keys of a machine and its first officer."""
    machine, officer = SigningKey(rng.randbytes(32)), SigningKey(rng.randbytes(32))
    return Secrets(holder, rng.randbytes(48), machine, rng.randbytes(32), officer)


class Applied:
    """A province, and a machine of commune c1 that asked to be enrolled."""

    def __init__(self, folder: Path) -> None:
        self.province = Province(folder)
        self.rng = random.Random(7)
        self.secrets = secrets_of(self.rng)
        self.folder = folder / "commune"
        self.request = self.ask(self.secrets)

    def ask(self, secrets: Secrets, unit: str = "c1", roles: tuple[str, ...] = ("clerk",)) -> bytes:
        """Returns a request of a machine with one officer."""
        return enrol.request(
            secrets, unit, "Máy quầy 1", [enrol.Applicant("Nguyễn Văn An", secrets.officer, roles)]
        )

    def approve(self, data: bytes | None = None, **options: Any) -> bytes:
        """Returns the administrator's answer."""
        return enrol.approve(self.province.office, self.province.admin, data or self.request, **options)

    def accept(self, data: bytes, secrets: Secrets | None = None) -> Store:
        """Makes the machine's store."""
        return enrol.accept(
            self.folder, secrets or self.secrets, data, types=[CASE], clock=self.province.tick
        )


@pytest.fixture
def applied(tmp_path: Path) -> Applied:
    """Give a province and a request."""
    return Applied(tmp_path)


def test_an_officer_of_an_accepted_machine_writes_at_once(applied: Applied) -> None:
    """After request, approval and acceptance the officer writes offline, with what was asked for."""
    store = applied.accept(applied.approve())
    store.writer(applied.secrets.officer).create("case", {"code": "1"})
    assert store.writer(applied.secrets.officer).author.roles == {"clerk"}
    assert (store.unit, store.serves, store.count("case")) == ("c1", False, 1)
    store.close()


def test_an_enrolled_machine_syncs_with_a_parent_that_never_heard_of_it(applied: Applied) -> None:
    """The answer holds all that machine and parent need to believe each other."""
    district = applied.province.machine("district", "d1", serves=True)
    store = applied.accept(applied.approve())
    store.writer(applied.secrets.officer).create("case", {"code": "1"})
    requester = Requester(store, "district")
    while (data := requester.next_request()) is not None:
        requester.take_answer(*Responder(district.store).respond(data))
    assert (store.status().unsent, district.store.count("case")) == (0, 1)
    store.close()


def test_a_request_shows_the_fingerprints_that_people_compare(applied: Applied) -> None:
    """A request names unit, machine and officers, each with the fingerprint of its key."""
    asked = enrol.describe(applied.request)
    assert (asked.unit, asked.machine_name) == ("c1", "Máy quầy 1")
    assert asked.fingerprint == fingerprint(applied.secrets.machine.public)
    assert [(o.name, o.roles, o.fingerprint) for o in asked.officers] == [
        ("Nguyễn Văn An", frozenset({"clerk"}), fingerprint(applied.secrets.officer.public))
    ]


def test_an_answer_shows_the_fingerprint_of_the_root(applied: Applied) -> None:
    """An answer can be read before it is accepted, and names the root key that will be trusted."""
    answer = enrol.read_answer(applied.approve())
    assert answer.fingerprint == fingerprint(applied.province.anchor)
    assert [c.name for c in answer.officers] == ["Nguyễn Văn An"]


def test_blocks_of_one_unit_never_overlap(applied: Applied) -> None:
    """Each machine of a unit gets the next free block and a spare; another unit starts anew."""
    found = []
    for unit in ("c1", "c1", "c2", "c1"):
        answer = enrol.read_answer(applied.approve(applied.ask(secrets_of(applied.rng), unit)))
        found.append(answer.certificate.blocks)
    assert [blocks[0] for blocks in found] == [(1, 500), (1001, 1500), (1, 500), (2001, 2500)]
    assert [blocks[1] for blocks in found] == [(501, 1000), (1501, 2000), (501, 1000), (2501, 3000)]


def test_blocks_that_were_given_by_hand_are_passed_over(applied: Applied) -> None:
    """Free blocks are those that no certificate of the unit names, whoever gave it."""
    applied.approve(blocks=[(400, 1200)])
    answer = enrol.read_answer(applied.approve(applied.ask(secrets_of(applied.rng))))
    assert answer.certificate.blocks == ((1501, 2000), (2001, 2500))


@pytest.mark.parametrize("blocks", [[(400, 600)], [(3000, 3500), (3400, 3600)]])
def test_a_block_that_is_taken_is_refused(applied: Applied, blocks: list[tuple[int, int]]) -> None:
    """A block given by hand may overlap neither another machine's nor the machine's other ones."""
    applied.approve()
    with pytest.raises(NotAllowed) as caught:
        applied.approve(applied.ask(secrets_of(applied.rng)), blocks=blocks)
    assert caught.value.details["reason"] == "blocks"


def test_a_unit_that_ran_out_of_serials_says_so(applied: Applied) -> None:
    """When the codes' digits hold no further block, the approval is refused and nothing is certified."""
    before = len(list(applied.province.office.trust.certificates()))
    with pytest.raises(NotAllowed, match="no serial block left"):
        applied.approve(max_serial=500)
    applied.approve(max_serial=1000)
    assert len(list(applied.province.office.trust.certificates())) == before + 2


def test_approving_twice_certifies_once(applied: Applied) -> None:
    """The same request gives the same answer again: a lost file costs no block and no certificate."""
    assert applied.approve() == applied.approve()


def test_an_officer_who_comes_later_is_taken_into_the_store_that_is_there(applied: Applied) -> None:
    """A second request of the same machine adds the officer and leaves the machine's certificate alone."""
    store = applied.accept(applied.approve())
    late = SigningKey(applied.rng.randbytes(32))
    data = enrol.request(
        applied.secrets, "c1", "Máy quầy 1", [enrol.Applicant("Trần Thị Bình", late, ["judge"])]
    )
    added = enrol.receive(store, applied.approve(data))
    assert [c.name for c in added] == ["Trần Thị Bình"]
    assert store.writer(late).author.roles == {"judge"}
    store.close()


def test_accepting_again_goes_on_where_a_power_cut_left_it(applied: Applied) -> None:
    """An answer that was accepted is accepted again; one of another unit leaves the store alone."""
    answer = applied.approve()
    applied.accept(answer).close()
    store = applied.accept(answer)
    assert store.writer(applied.secrets.officer).author.unit == "c1"
    store.close()
    elsewhere = applied.approve(applied.ask(applied.secrets, "c2"))
    with pytest.raises(StoreExists):
        applied.accept(elsewhere)


def test_an_answer_for_another_machine_is_refused_and_leaves_nothing(applied: Applied) -> None:
    """An answer works only on the machine whose keys asked for it."""
    answer = applied.approve(applied.ask(secrets_of(applied.rng)))
    with pytest.raises(NotAllowed, match="another machine"):
        applied.accept(answer)
    assert not applied.folder.exists()


def test_an_answer_of_another_province_is_refused(applied: Applied, tmp_path: Path) -> None:
    """A machine that knows its root takes no answer of another one."""
    other = Province(tmp_path / "other", seed=99)
    answer = enrol.approve(other.office, other.admin, applied.request)
    with pytest.raises(NotAllowed, match="another province"):
        enrol.accept(
            applied.folder, applied.secrets, answer, types=[CASE], expected_root=applied.province.anchor
        )
    store = applied.accept(applied.approve())
    with pytest.raises(NotAllowed, match="another province"):
        enrol.receive(store, answer)
    store.close()


def test_only_an_administrator_above_the_unit_approves(applied: Applied) -> None:
    """A stranger, an officer and an administrator of another unit cannot certify anybody."""
    province = applied.province
    with pytest.raises(NotAllowed):
        enrol.approve(province.office, SigningKey(bytes(31) + b"\1"), applied.request)
    for unit, roles in (("c1", ["clerk"]), ("c2", [ADMIN])):
        key = SigningKey(applied.rng.randbytes(32))
        province.hand.certify(Certificate(key.public, unit, "officer", "Bình", frozenset(roles)))
        with pytest.raises(NotAllowed):
            enrol.approve(province.office, key, applied.request)


def test_a_unit_that_does_not_exist_is_refused(applied: Applied) -> None:
    """A request for a unit that the trust document does not name is refused by its id."""
    with pytest.raises(NotAllowed, match="no unit 'c77'"):
        applied.approve(applied.ask(applied.secrets, "c77"))


@pytest.mark.parametrize("name", ["", "  ", "x" * 201])
def test_a_name_that_cannot_be_shown_is_refused(applied: Applied, name: str) -> None:
    """A machine without a name, or with an endless one, is refused when it asks."""
    with pytest.raises(InvalidInput):
        enrol.request(applied.secrets, "c1", name)


def test_one_key_for_two_officers_is_refused(applied: Applied) -> None:
    """A request cannot name one key twice: an edit must tell who made it."""
    twice = [enrol.Applicant(name, applied.secrets.officer, ["clerk"]) for name in ("An", "Bình")]
    with pytest.raises(InvalidInput):
        enrol.request(applied.secrets, "c1", "Máy", twice)


def test_a_key_that_did_not_sign_is_refused(applied: Applied) -> None:
    """Nobody can have somebody else's key certified: every key in a request signs it."""
    payload, signatures = codec.decode(applied.request)
    stolen = SigningKey(applied.rng.randbytes(32)).public
    decoded = codec.decode(payload)
    decoded[3][0][1] = stolen
    with pytest.raises(FormatError, match="did not sign"):
        enrol.describe(codec.encode([codec.encode(decoded), signatures]))
    with pytest.raises(FormatError, match="one signature of each key"):
        enrol.describe(codec.encode([payload, signatures[:1]]))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_changed_byte_is_refused_on_both_ways(applied: Applied, data: st.DataObject) -> None:
    """One changed byte anywhere in a request or an answer is refused, and makes no store."""
    answer = applied.approve()
    for whole, read in ((applied.request, enrol.describe), (answer, applied.accept)):
        at = data.draw(st.integers(0, len(whole) - 1))
        changed = bytearray(whole)
        changed[at] ^= data.draw(st.integers(1, 255))
        with pytest.raises((FormatError, NotAllowed)):
            read(bytes(changed))
    assert not applied.folder.exists()


@given(st.binary(max_size=300))
def test_random_bytes_are_neither_request_nor_answer(data: bytes) -> None:
    """Bytes that are nothing of ours get one clear error."""
    for read in (enrol.describe, enrol.read_answer):
        with pytest.raises(OnestopError):
            read(data)
