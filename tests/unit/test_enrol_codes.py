"""One-time codes: letters, proofs, and what a store decides on them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onestop_sync import codec, enrol, enrol_codes, enrol_grant, enrol_proof, enrol_take
from onestop_sync.enrol_code import LETTERS, read_code, write_code
from onestop_sync.enrol_grant import Grant, Named, pack_grant, sign_grant
from onestop_sync.errors import (
    FormatError,
    InvalidInput,
    NotAllowed,
    NotFound,
    OnestopError,
    SignatureInvalid,
)
from onestop_sync.keyring import Secrets
from onestop_sync.keys import SigningKey
from onestop_sync.storage import tables as t
from onestop_sync.storage.codes import change_code
from onestop_sync.store import Store
from tests.province import CASE, Province

HOUR_MS = 3_600_000
OFFICERS = (
    Named("Nguyễn Văn An", frozenset({"clerk"}), "CB-0001"),
    Named("Lê Thị Bình", frozenset({"boss"})),
)
GRANT = Grant("c1", "Máy tiếp nhận 1", OFFICERS)


class World:
    """A province with its office, and machines that ask with a code."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self.province = Province(folder, seed=seed)
        self.store = self.province.office
        self.admin = self.province.admin
        self.rng = random.Random(3)
        self.folder = folder

    def code(self, grant: Grant = GRANT, **options: Any) -> str:
        """Makes a code."""
        return enrol_codes.make_code(self.store, self.admin, grant, **options).code

    def machine(self) -> Secrets:
        """Makes the keys of a new machine."""
        seeds = [self.rng.randbytes(32) for _ in range(3)]
        return Secrets("An", self.rng.randbytes(48), SigningKey(seeds[0]), seeds[1], SigningKey(seeds[2]))

    def packet(
        self,
        code: str,
        secrets: Secrets,
        *,
        unit: str = "c1",
        name: str = "nguyen van an",
        role: str = "judge",
    ) -> bytes:
        """Returns a machine's request, which asks for more than the code allows."""
        officer = enrol.Applicant(name, secrets.officer, [role])
        request = enrol.request(secrets, unit, "Máy của tôi", [officer])
        return enrol_proof.request_packet(read_code(code), request)

    def take(self, packet: bytes, signer: Any = "admin", **options: Any) -> enrol_take.Verdict:
        """Lets the office decide."""
        return enrol_take.take(self.store, self.admin if signer == "admin" else signer, packet, **options)

    def reason(self, code: str, packet: bytes) -> str:
        """Returns why a proven packet is refused."""
        verdict = self.take(packet)
        return enrol_proof.open_answer(read_code(code), verdict.answer, packet).reason

    def later(self, hours: float) -> None:
        """Lets time pass."""
        self.province.clock_ms += int(hours * HOUR_MS)

    def row(self, code: str) -> enrol_codes.Issued:
        """Returns what administrators see of a code."""
        return next(i for i in enrol_codes.issued(self.store) if code.startswith(i.selector))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Give a province."""
    made = World(tmp_path)
    yield made
    made.store.close()


@pytest.mark.parametrize(
    ("typed", "place"), [("Lê Thị Hòa", 1), ("le thi hoa", None), ("TRAN AN", 2), ("An", None)]
)
def test_names_are_told_apart_by_their_marks(typed: str, place: int | None) -> None:
    """The very name counts first; without marks a name is taken only where it can mean one."""
    assert enrol_grant.find_name(["Lê Thị Hoa", "Lê Thị Hòa", "Trần An"], typed) == place


# ---------------------------------------------------------------------------------------------------- letters


@given(st.binary(min_size=13, max_size=13))
def test_a_code_reads_back_however_it_is_typed(entropy: bytes) -> None:
    """Case, dashes, spaces, and O, I and L for digits make no difference."""
    code = write_code(entropy)
    loose = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert read_code(loose) == read_code(code)
    assert (len(code), code[:4]) == (29, read_code(code).selector)


@given(st.binary(min_size=13, max_size=13), st.integers(0, 24), st.sampled_from(LETTERS))
def test_one_wrong_letter_is_found_and_its_group_named(entropy: bytes, place: int, letter: str) -> None:
    """Any one wrong letter is told as a slip, with the group in which it is."""
    plain = write_code(entropy).replace("-", "")
    if plain[place] == letter:
        return
    with pytest.raises(InvalidInput) as told:
        read_code(plain[:place] + letter + plain[place + 1 :])
    assert (told.value.details["reason"], told.value.details["group"]) == ("code_slip", place // 5 + 1)


@given(st.binary(min_size=13, max_size=13), st.integers(0, 23))
def test_exchanged_neighbours_and_groups_are_found(entropy: bytes, place: int) -> None:
    """Two neighbouring letters, or two groups, in each other's place are told as a slip."""
    plain = write_code(entropy).replace("-", "")
    swapped = plain[:place] + plain[place + 1] + plain[place] + plain[place + 2 :]
    groups = write_code(entropy).split("-")
    turned = "-".join([groups[0], groups[2], groups[1], *groups[3:]])
    for slip in {swapped, turned.replace("-", "")} - {plain}:
        with pytest.raises(InvalidInput, match="mistyped"):
            read_code(slip)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "code_length"), ("K7QF4-M2", "code_length"), ("Đ" * 25, "code_letters"), ("U" * 25, "code_slip")],
)
def test_other_text_is_no_code(text: str, reason: str) -> None:
    """What is too short, was typed with Vietnamese typing on, or holds other letters is told as such."""
    with pytest.raises(InvalidInput) as told:
        read_code(text)
    assert told.value.details["reason"] == reason


# ------------------------------------------------------------------------------------------------------ using


def test_a_code_enrols_as_the_administrator_said(world: World, tmp_path: Path) -> None:
    """Name, roles and machine are the code's; only keys and unit come from the request."""
    code, secrets = world.code(), world.machine()
    packet = world.packet(code, secrets)
    reply = enrol_proof.open_answer(read_code(code), world.take(packet).answer, packet)
    store = enrol.accept(tmp_path / "pc", secrets, reply.enrolment, types=[CASE], clock=world.province.tick)
    author = store.writer(secrets.officer).author
    officer = store.find_authority(secrets.officer.public)[1]
    name = officer.name
    assert officer.person == "CB-0001"
    machine = store.find_authority(secrets.machine.public)[1]
    assert (author.roles, name, machine.name, machine.blocks[0]) == (
        frozenset({"clerk"}), "Nguyễn Văn An", "Máy tiếp nhận 1", (1, 500),
    )  # fmt: skip
    store.close()


def test_a_look_says_what_the_code_allows_and_uses_nothing_up(world: World) -> None:
    """Before any key is made, the machine learns unit, name and officers, sealed under the code."""
    code = world.code()
    packet = enrol_proof.look_packet(read_code(code), bytes(16))
    verdict = world.take(packet)
    offer = enrol_proof.open_answer(read_code(code), verdict.answer, packet).offer
    assert offer is not None
    assert (offer.unit, offer.unit_name, offer.machine_name) == ("c1", "Xã Một", "Máy tiếp nhận 1")
    assert offer.officers == (("Nguyễn Văn An", ("clerk",)), ("Lê Thị Bình", ("boss",)))
    assert world.row(code).is_open(world.store.clock())
    assert "Máy tiếp nhận".encode() not in verdict.answer


def test_a_code_serves_one_machine(world: World) -> None:
    """The first machine may ask again, for the same answer; another one is refused, and told why."""
    code, first = world.code(), world.machine()
    packet = world.packet(code, first)
    keys = read_code(code)
    answers = {enrol_proof.open_answer(keys, world.take(packet).answer, packet).enrolment for _ in range(2)}
    assert len(answers) == 1
    assert world.reason(code, world.packet(code, world.machine())) == "code_used"
    machines = [c for _, c in world.store.trust.certificates() if c.kind == "machine" and c.unit == "c1"]
    assert len(machines) == 1


def test_further_officers_of_the_code_come_later_on_the_same_machine(world: World) -> None:
    """Who was not there at first gets a key on that machine by the same code, while it lasts."""
    three = (*OFFICERS, Named("Vũ Cường", frozenset({"clerk"})))
    code, secrets = world.code(GRANT._replace(officers=three)), world.machine()
    world.take(world.packet(code, secrets))
    other = secrets._replace(officer=SigningKey(world.rng.randbytes(32)))
    packet = world.packet(code, other, name="Lê Thị Bình")
    assert world.take(packet).enrolled == secrets.machine.public
    roles = world.store.find_authority(other.officer.public)[1].roles
    assert roles == {"boss"}
    world.later(30)
    late = secrets._replace(officer=SigningKey(world.rng.randbytes(32)))
    assert world.reason(code, world.packet(code, late, name="Vũ Cường")) == "code_expired"


def test_a_name_of_the_code_is_good_for_one_key(world: World) -> None:
    """Who works on the machine and has seen the sheet gets no key in a colleague's name."""
    code, secrets = world.code(), world.machine()
    world.take(world.packet(code, secrets))
    again = secrets._replace(officer=SigningKey(world.rng.randbytes(32)))
    assert world.reason(code, world.packet(code, again)) == "code_taken"
    with pytest.raises(NotAllowed):
        world.store.find_authority(again.officer.public)
    first, second = SigningKey(world.rng.randbytes(32)), SigningKey(world.rng.randbytes(32))
    names = ("Lê Thị Bình", "le thi binh")
    officers = [enrol.Applicant(n, k, ["boss"]) for n, k in zip(names, (first, second), strict=True)]
    request = enrol.request(secrets, "c1", "Máy", officers)
    assert world.reason(code, enrol_proof.request_packet(read_code(code), request)) == "code_taken"


def test_a_code_ends_with_its_time(world: World) -> None:
    """After its hours a code neither tells nor enrols; an answer that got lost is given again."""
    code, used = world.code(hours=2), world.code(hours=2)
    secrets = world.machine()
    packet = world.packet(used, secrets)
    world.take(packet)
    world.later(2.1)
    assert world.reason(code, world.packet(code, world.machine())) == "code_expired"
    assert world.reason(code, enrol_proof.look_packet(read_code(code), bytes(16))) == "code_expired"
    assert enrol_proof.open_answer(read_code(used), world.take(packet).answer, packet).enrolment


def test_five_wrong_proofs_end_a_code(world: World) -> None:
    """Whoever guesses has five tries; then the right code does no more, and says why."""
    code = world.code()
    guess = codec.encode([1, "enrol-look", code[:4], bytes(16), bytes(32)])
    assert [world.take(guess).code for _ in range(5)] == ["wrong"] * 5
    assert world.row(code).wrong == 5
    assert world.reason(code, world.packet(code, world.machine())) == "code_tries"


def test_tries_and_uses_survive_a_restart(world: World) -> None:
    """What was counted is on the disk: a store that is opened again counts on."""
    code = world.code()
    guess = codec.encode([1, "enrol-look", code[:4], bytes(16), bytes(32)])
    for _ in range(4):
        world.take(guess)
    folder, secrets = (
        world.store.folder,
        Secrets("", b"", world.store.machine, world.store.seal_seed, world.admin),
    )
    engine = world.store.engine
    again = Store.open(folder, secrets, types=[CASE], database=engine, clock=world.province.tick)
    assert enrol_take.take(again, world.admin, guess).code == "wrong"
    assert enrol_codes.issued(again)[0].wrong == 5
    packet = world.packet(code, world.machine())
    keys = read_code(code)
    assert (
        enrol_proof.open_answer(keys, enrol_take.take(again, world.admin, packet).answer).reason
        == "code_tries"
    )


def test_guessing_across_codes_is_bounded(world: World) -> None:
    """A hundred wrong proofs an hour, known selector or not; then nobody's is looked at until the next."""
    code = world.code()
    guesses = [
        codec.encode([1, "enrol-look", f"{LETTERS[n // 32]}{LETTERS[n % 32]}00", bytes(16), bytes(32)])
        for n in range(100)
    ]
    verdicts = {world.take(guess).code for guess in guesses}
    assert verdicts == {"unknown"}
    packet = world.packet(code, world.machine())
    assert world.take(packet).code == "busy"
    assert world.take(packet, is_limited=False).enrolled
    world.later(1)
    assert world.take(packet).answer


@pytest.mark.parametrize(
    ("change", "reason"), [({"unit": "c2"}, "code_unit"), ({"name": "Kẻ Lạ"}, "code_officer")]
)  # fmt: skip
def test_what_the_code_does_not_allow_is_refused_whole(
    world: World, change: dict[str, str], reason: str
) -> None:
    """Another unit, or an officer whom the code does not name, certifies nobody and uses nothing up."""
    code, secrets = world.code(), world.machine()
    assert world.reason(code, world.packet(code, secrets, **change)) == reason
    assert world.row(code).is_open(world.store.clock())
    with pytest.raises(NotAllowed):
        world.store.find_authority(secrets.machine.public)


def test_a_cancelled_code_does_nothing(world: World) -> None:
    """An administrator ends a code by its first letters; an unknown one is told."""
    code = world.code()
    enrol_codes.cancel_code(world.store, code[:4])
    assert world.reason(code, world.packet(code, world.machine())) == "code_expired"
    with pytest.raises(NotFound):
        enrol_codes.cancel_code(world.store, "ZZZZ")


def test_without_an_administrator_the_request_waits_for_one(world: World) -> None:
    """A process that may not certify keeps the request; after the approval the machine gets its answer."""
    code, secrets = world.code(), world.machine()
    packet, keys = world.packet(code, secrets), read_code(code)
    for signer in (None, SigningKey(bytes(32))):
        assert enrol_proof.open_answer(keys, world.take(packet, signer).answer, packet).is_waiting
    assert world.reason(code, world.packet(code, world.machine())) == "code_used"
    world.later(25)  # the administrator comes back after the weekend: the request was in time
    assert [
        (c.grant.machine_name, why) for c, why in enrol_take.approve_waiting(world.store, world.admin)
    ] == [("Máy tiếp nhận 1", "")]
    assert enrol_proof.open_answer(keys, world.take(packet, None).answer, packet).enrolment
    assert enrol_take.approve_waiting(world.store, world.admin) == []


def test_only_what_an_administrator_signed_is_allowed(world: World) -> None:
    """Nobody else makes a code, or a wider one by a row in the database, whoever certifies at the server."""
    clerk = world.province.machine("pc", "c1", {"an": frozenset({"clerk"})}).officers["an"]
    wide = Named("Nguyễn Văn An", frozenset({"boss", "quan_tri"}))
    for grant in (GRANT._replace(officers=(wide,)), GRANT._replace(unit="p")):
        with pytest.raises(NotAllowed):
            enrol_codes.make_code(world.store, clerk, grant)
    code = world.code()
    forged = GRANT._replace(officers=(wide,))
    for grant in (
        forged,
        sign_grant(forged, code[:4], clerk),
        sign_grant(GRANT, "ZZZZ", world.admin),
        sign_grant(GRANT, code[:4], world.admin)._replace(officers=(wide,)),
    ):
        with world.store.writing() as transaction:
            change_code(transaction.connection, code[:4], allows=pack_grant(grant))
        assert world.reason(code, world.packet(code, world.machine())) == "code_maker"
        with pytest.raises(NotAllowed):  # nor does an administrator who widens it vouch for the rest
            enrol_codes.allow(world.store, clerk, code[:4], [wide])
    with pytest.raises(NotAllowed):
        enrol_codes.allow(world.store, world.admin, code[:4], [wide])


def test_nobody_begins_in_a_unit_that_has_ended(world: World) -> None:
    """Once the day of a merger has come, no code is made for what was merged."""
    units = world.province.document.units
    gone = replace(units["c1"], until_ms=world.province.clock_ms + HOUR_MS, successors=("c2",))
    world.province.publish(units={**units, "c1": gone})
    assert world.code()
    world.later(2)
    with pytest.raises(InvalidInput):
        world.code()


def test_no_code_and_no_key_of_one_is_in_the_database(world: World) -> None:
    """Neither the secret letters nor the keys made of them stand in any column."""
    code = world.code()
    keys = read_code(code)
    with world.store.reading() as connection:
        row = connection.execute(t.enrol_code.select()).one()
    held = b"".join(v if isinstance(v, bytes) else str(v).encode() for v in row)
    assert not any(
        part in held for part in (keys.request_key, keys.answer_key, *code.encode().split(b"-")[1:])
    )


@pytest.mark.parametrize(
    "grant",
    [
        GRANT._replace(unit="x"),
        GRANT._replace(machine_name=""),
        GRANT._replace(officers=(Named("", OFFICERS[0].roles),)),
        GRANT._replace(officers=(Named("An", frozenset()),)),
        GRANT._replace(officers=(*OFFICERS, Named("Lê Thị Bình", frozenset({"clerk"})))),
    ],
)
def test_what_no_certificate_could_bear_makes_no_code(world: World, grant: Grant) -> None:
    """An unknown unit, an empty name, no role, or one name twice is refused before a code is printed."""
    with pytest.raises(InvalidInput):
        world.code(grant)
    assert enrol_codes.issued(world.store) == []


def test_a_refusal_in_the_middle_leaves_nothing_half_done(world: World) -> None:
    """When the unit's serials are used up, no certificate is left behind, and the machine learns why."""
    code = world.code(GRANT._replace(blocks=((1, 500),)))
    other = world.code(GRANT._replace(machine_name="Máy 2", blocks=((400, 900),)))
    world.take(world.packet(code, world.machine()))
    secrets = world.machine()
    assert world.reason(other, world.packet(other, secrets)) == "blocks"
    assert world.row(other).machine == b""
    with pytest.raises(NotAllowed):
        world.store.find_authority(secrets.officer.public)


# ---------------------------------------------------------------------------------------------------- hostile


def test_a_changed_or_exchanged_packet_proves_nothing(world: World) -> None:
    """A proof fits one request of one code: a flipped bit, another code or request fails."""
    code, secrets = world.code(), world.machine()
    packet = world.packet(code, secrets)
    _, kind, selector, request, mac = codec.decode(packet)
    other = world.packet(code, world.machine())
    swapped = codec.encode([1, kind, selector, codec.decode(other)[3], mac])
    looked = codec.encode([1, "enrol-look", selector, request[:16], mac])
    assert {world.take(bad).code for bad in (swapped, looked)} == {"wrong"}
    for place in range(0, len(packet), 37):
        changed = bytearray(packet)
        changed[place] ^= 1
        try:
            verdict = world.take(bytes(changed), is_limited=False)
        except FormatError:
            continue
        assert verdict.code in {"wrong", "unknown"}


def test_a_man_in_the_middle_cannot_answer(world: World, tmp_path: Path) -> None:
    """An answer from another province, to another packet, or with a flipped bit is not taken."""
    code, secrets = world.code(), world.machine()
    keys, packet = read_code(code), world.packet(code, secrets)
    good = world.take(packet).answer
    foreign = World(tmp_path / "foreign", seed=2)
    theirs = foreign.code()
    forged = enrol_proof.seal_answer(
        read_code(theirs).answer_key, packet, bytes(12), enrol_proof.Reply(enrolment=b"theirs")
    )
    with pytest.raises(SignatureInvalid):
        enrol_proof.open_answer(keys, forged, packet)
    with pytest.raises(FormatError, match="another request"):
        enrol_proof.open_answer(keys, good, world.packet(code, world.machine()))
    for place in range(0, len(good), 101):
        changed = bytearray(good)
        changed[place] ^= 1
        with pytest.raises(OnestopError):
            enrol_proof.open_answer(keys, bytes(changed), packet)
    foreign.store.close()


def test_a_copied_packet_tells_a_stranger_nothing(world: World) -> None:
    """Whoever sends a recorded request again gets an answer that only the code opens, and changes nothing."""
    code, secrets = world.code(), world.machine()
    packet = world.packet(code, secrets)
    world.take(packet)
    before = world.store.digest(), len(list(world.store.trust.certificates()))
    answer = world.take(packet).answer
    assert (world.store.digest(), len(list(world.store.trust.certificates()))) == before
    assert world.store.root not in answer
    with pytest.raises(SignatureInvalid):
        enrol_proof.open_answer(read_code(write_code(bytes(13))), answer)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80",
        bytes(70_000),
        codec.encode([1, "enrol-look", "AAAA", bytes(15), bytes(32)]),
        codec.encode([1, "enrol-look", "aaaa", bytes(16), bytes(32)]),
        codec.encode([1, "enrol-by-code", "AAAA", b"", bytes(31)]),
    ],
)
def test_what_is_no_packet_is_refused(world: World, data: bytes) -> None:
    """Other bytes, too many of them, or a field of another length are malformed."""
    with pytest.raises(FormatError):
        world.take(data)


def test_a_proven_packet_with_a_forged_request_inside_is_refused(world: World) -> None:
    """The code does not excuse the keys: a key that did not sign the request is not certified."""
    code = world.code()
    request = bytearray(enrol.request(world.machine(), "c1", "Máy"))
    request[-1] ^= 1
    packet = enrol_proof.request_packet(read_code(code), bytes(request))
    assert world.reason(code, packet) == "format"
    assert world.row(code).is_open(world.store.clock())
