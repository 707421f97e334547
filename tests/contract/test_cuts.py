"""Revocation as a cut: one verdict, whatever arrives when, and nothing written into the past."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from onestop_sync.errors import NotAllowed, UpstreamRefused
from onestop_sync.event import Event, Genesis, build, document_id, typed_id
from onestop_sync.fold import Standing
from onestop_sync.keys import SigningKey
from onestop_sync.protocol import Requester, Responder
from onestop_sync.store import Store
from onestop_sync.trust import ADMIN, LEADER, Certificate, Cut, CutReason
from tests.hostile.cut_orders import one_verdict
from tests.province import Province

CLERK = ["clerk"]


def sync(child: Store, parent: Store, name: str = "parent") -> None:
    """Exchanges until nothing is left."""
    exchange, responder = Requester(child, name), Responder(parent)
    while (request := exchange.next_request()) is not None:
        exchange.take_answer(*responder.respond(request))


class Office:
    """A district's server, and a commune whose officer An wrote three cases."""

    def __init__(self, folder: Path, url: str) -> None:
        self.province = Province(folder)
        self.server = self.province.machine("server", "d1", {"Chủ tịch huyện": [LEADER]}, serves=True,
                                            database=url)  # fmt: skip
        self.pc = self.province.machine("pc", "c1", {"An": CLERK, "Chủ tịch xã": [LEADER, "boss"]})
        self.server.store.receive(self.province.issued)
        self.an = self.pc.writer("An")
        self.docs = [self.an.create("case", {"name": f"Số {i}", "phone": "1"}) for i in range(3)]
        sync(self.pc.store, self.server.store)

    @property
    def stores(self) -> list[Store]:
        """Both stores."""
        return [self.server.store, self.pc.store]

    def events(self, doc: int) -> list[Event]:
        """Returns the events of a case, as the PC has them."""
        return [record.event for record in self.pc.store.history(self.docs[doc])]

    def cut(self, why: CutReason, last: Event | None, *stores: Store) -> None:
        """Cuts An's key after an event; everything when ``None``."""
        heads = {last.log: (last.header.seq, last.id)} if last else {}
        cut = Cut(why, self.pc.officers["An"].public, "", heads)
        self.province.publish(*stores, cuts=(*self.province.document.cuts, cut))

    def stolen_log(self, *, seq: int, prev: bytes, log: bytes) -> Any:
        """Returns a writer of raw events with An's key."""

        def write(name: str) -> Event:
            return build(
                self.pc.officers["An"], log=log, seq=seq, prev=prev, doc_type="case",
                doc_id=document_id(log, seq, "case"), parents=(), time_ms=1, schema=1,
                ops=[["set", "name", name]], salt=bytes(16),
            )  # fmt: skip

        return write


@pytest.fixture
def office(tmp_path: Path, database_url: str) -> Iterator[Office]:
    """Give an office whose server is on either database."""
    made = Office(tmp_path, database_url)
    yield made
    for store in made.stores:
        store.close()


def names(store: Store) -> set[str]:
    """Returns the names of all cases that take effect."""
    return {row.title for row in store.page("case") if row.title}


def test_what_lies_beyond_a_stolen_keys_cut_has_no_effect(office: Office) -> None:
    """A theft is known after the second case: the third counts nowhere, though it had been shown."""
    office.cut("stolen", office.events(1)[-1], *office.stores)
    for store in office.stores:
        assert names(store) == {"Số 0", "Số 1"}
        third = store.history(office.docs[2])
        assert [record.standing for record in third] == [Standing.REFUSED]


def test_what_lies_beyond_a_retired_keys_cut_waits_for_the_head(office: Office) -> None:
    """Sent late, it waits; countersigned by the head of the unit, it counts everywhere."""
    last = office.events(2)[-1]
    office.cut("retired", office.events(1)[-1], *office.stores)
    assert office.pc.store.waiting() == [office.docs[2]]
    office.pc.writer("Chủ tịch xã").countersign([last.id], "Ký trước khi nghỉ, gửi sau")
    assert names(office.pc.store) == {"Số 0", "Số 1", "Số 2"}
    sync(office.pc.store, office.server.store)
    assert names(office.server.store) == {"Số 0", "Số 1", "Số 2"}
    assert office.server.store.digest() == office.pc.store.digest()


def test_a_stolen_key_cannot_be_countersigned(office: Office) -> None:
    """Of a thief's work nothing counts, whoever vouches for it."""
    office.cut("stolen", office.events(1)[-1], *office.stores)
    office.pc.writer("Chủ tịch xã").countersign([office.events(2)[-1].id], "Nhầm")
    assert names(office.pc.store) == {"Số 0", "Số 1"}


def test_only_a_head_of_the_line_countersigns(office: Office) -> None:
    """An officer without the role is refused at once; a head of another unit changes nothing."""
    last = office.events(2)[-1]
    other = office.province.machine("khac", "c2", {"Chủ tịch xã Hai": [LEADER], "Văn thư": CLERK})
    office.cut("retired", office.events(1)[-1], *office.stores, other.store)
    with pytest.raises(NotAllowed) as told:
        other.store.writer(other.officers["Văn thư"]).countersign([last.id], "Tôi ký thay")
    assert told.value.details["reason"] == "role"
    vouched = other.writer("Chủ tịch xã Hai").countersign([last.id], "Không phải việc của tôi")
    frames = [*other.store.introduction(vouched.log), vouched.to_frame()]
    office.pc.store.receive(frames)
    assert office.pc.store.waiting() == [office.docs[2]]
    mine = office.server.writer("Chủ tịch huyện").countersign([last.id], "Đã kiểm tra")
    office.pc.store.receive([*office.server.store.introduction(mine.log), mine.to_frame()])
    assert office.pc.store.waiting() == []


def test_a_thiefs_new_epoch_is_out(office: Office) -> None:
    """A log that the cut does not name counts for nothing, even under a good certificate."""
    office.cut("stolen", office.events(2)[-1], *office.stores)
    certificate = next(
        i for i, c in office.pc.store.trust.certificates() if c.key == office.pc.officers["An"].public
    )
    thief = RawLogOf(office, certificate)
    for store in office.stores:
        outcomes = store.receive(thief.frames)
        assert {o.code for o in outcomes} == {"refused"}
        assert names(store) == {"Số 0", "Số 1", "Số 2"}


class RawLogOf:
    """A second log of An's key with one case in it."""

    def __init__(self, office: Office, certificate: bytes) -> None:
        key = office.pc.officers["An"]
        genesis = build(
            key, log=b"", seq=0, prev=b"", doc_type="log", doc_id=typed_id("log", b"x" * 16), parents=(),
            time_ms=1, schema=0, ops=[Genesis(key.public, certificate, "c1", 7).to_op()], salt=bytes(16),
        )  # fmt: skip
        write = office.stolen_log(seq=1, prev=genesis.id, log=genesis.id)
        self.frames = [genesis.to_frame(), write("Của kẻ trộm").to_frame()]


def test_nobody_writes_into_the_past(office: Office) -> None:
    """A stolen key that branches off before the cut is out: the chain to the cut's head does not hold it."""
    first, last = office.events(0)[-1], office.events(2)[-1]
    office.cut("stolen", last, *office.stores)
    write = office.stolen_log(seq=first.header.seq, prev=first.header.prev, log=first.log)
    for store in office.stores:
        (outcome,) = store.receive([write("Chen vào quá khứ").to_frame()])
        assert outcome.code == "refused"
        assert names(store) == {"Số 0", "Số 1", "Số 2"}


def test_the_branch_that_came_first_is_out_when_the_cut_names_the_other(office: Office) -> None:
    """Which branch a store saw first decides nothing: the cut's head does."""
    first = office.events(0)[-1]
    write = office.stolen_log(seq=first.header.seq, prev=first.header.prev, log=first.log)
    forged = write("Nhánh kia")
    head = office.events(2)[-1]
    other = office.province.machine("tre", "c1")
    frames = [*office.pc.store.introduction(first.log), forged.to_frame()]
    other.store.receive(frames)  # the forged branch is this store's chain
    other.store.receive([e.to_frame() for i in range(3) for e in office.events(i)])
    office.pc.store.receive([forged.to_frame()])
    office.cut("stolen", head, office.pc.store, other.store, office.server.store)
    for store in (office.pc.store, other.store):
        assert names(store) == {"Số 0", "Số 1", "Số 2"}
    assert other.store.digest() == office.pc.store.digest()


def test_a_cut_certificate_takes_what_hung_on_it_and_gives_it_back(office: Office) -> None:
    """What an administrator certified beyond the cut of the own key waits until it is countersigned."""
    province = office.province
    admin = SigningKey(province.rng.randbytes(32))
    province.certify(admin.public, "c1", "Quản trị xã", [ADMIN])
    office.pc.store.receive(province.issued)
    hand = office.pc.store.writer(admin)
    new = SigningKey(province.rng.randbytes(32))
    certified = hand.certify(Certificate(new.public, "c1", "officer", "Bình", frozenset(CLERK)))
    office.pc.store.writer(new).create("case", {"name": "Của Bình"})
    sync(office.pc.store, office.server.store)
    province.publish(*office.stores, cuts=(Cut("transferred", admin.public, "", {}),))
    for store in office.stores:
        assert "Của Bình" not in names(store)
    office.pc.writer("Chủ tịch xã").countersign([certified.id], "Bình vào làm từ tháng trước")
    sync(office.pc.store, office.server.store)
    for store in office.stores:
        assert "Của Bình" in names(store)


def test_who_was_cut_off_starts_nothing_and_connects_nowhere(office: Office) -> None:
    """An officer's cut key writes no more; a machine's is refused by its parent; nothing is lost."""
    office.cut("retired", office.events(2)[-1], *office.stores)
    with pytest.raises(NotAllowed) as told:
        office.an.create("case", {"name": "Sau khi nghỉ"})
    assert told.value.details["reason"] == "revoked"
    document = office.province.document
    machine = Cut("stolen", office.pc.secrets.machine.public, "", {})
    office.province.publish(office.server.store, cuts=(*document.cuts, machine))
    with pytest.raises(UpstreamRefused, match="cut off"):
        sync(office.pc.store, office.server.store)


def test_a_corrected_cut_gives_back_what_it_took(office: Office) -> None:
    """A cut that was too short is replaced by a longer one; the document decides, not its history."""
    office.cut("stolen", office.events(0)[-1], *office.stores)
    assert names(office.server.store) == {"Số 0"}
    last = office.events(2)[-1]
    key = office.pc.officers["An"].public
    longer = Cut("stolen", key, "", {last.log: (last.header.seq, last.id)})
    office.province.publish(*office.stores, cuts=(longer,))
    for store in office.stores:
        assert names(store) == {"Số 0", "Số 1", "Số 2"}


def test_who_is_shown_a_change_gets_a_notice(office: Office) -> None:
    """A case that had stood and does not any more is an item in the list of changes, at both stores."""
    before = [len(store.notices()) for store in office.stores]
    office.cut("stolen", office.events(1)[-1], *office.stores)
    for store, count in zip(office.stores, before, strict=True):
        assert len(store.notices()) == count + 1


def test_an_agency_that_shares_one_case_knows_what_lies_before_the_cut(office: Office) -> None:
    """Who has one case of a log is sent the other headers, without bodies, and comes to the same verdict."""
    province = office.province
    top = province.machine("tinh", "p", {"Dũng": ["judge"]}, serves=True)
    agency = province.machine("khac", "c9", {"Em": ["judge"]})
    for store in (top.store, agency.store, office.server.store):
        store.receive(province.issued)
    shared = office.docs[1]
    office.an.act(shared, "hand", {"to": "c9"})
    last = office.events(1)[-1]
    sync(office.pc.store, office.server.store)
    sync(office.server.store, top.store)
    sync(agency.store, top.store)
    assert agency.store.document(shared).value("name") == "Số 1"
    office.cut("stolen", last, *office.stores, top.store)
    sync(agency.store, top.store)
    assert agency.store.document(shared).value("name") == "Số 1"
    assert agency.store.waiting() == []
    assert names(agency.store) == {"Số 1"}
    # A branch below the cut, shown to the agency alone, is known for what it is.
    first = office.events(0)[-1]
    forged = build(
        office.pc.officers["An"], log=first.log, seq=first.header.seq, prev=first.header.prev,
        doc_type="case", doc_id=shared, parents=(office.events(1)[0].id,), time_ms=1, schema=1,
        ops=[["set", "phone", "0999"]], salt=bytes(16),
    )  # fmt: skip
    (outcome,) = agency.store.receive([forged.to_frame()])
    assert outcome.code == "refused"


@pytest.mark.parametrize("why", get_args(CutReason))
def test_one_verdict_in_every_order_of_arrival(tmp_path: Path, why: CutReason) -> None:
    """Events of two branches, a countersignature and the cut, in 20 orders: one state, byte for byte."""
    names_of_all = one_verdict(tmp_path, why, orders=20, seed=1)
    assert names_of_all == {"Số 0", "Số 1"} | (set() if why == "stolen" else {"Số 3"})


def test_a_person_ends_a_branch_and_the_key_goes_on(office: Office) -> None:
    """A copied PC wrote beside ours: the branch that a person chose counts, and the key writes on."""
    first, last = office.events(0)[-1], office.events(2)[-1]
    write = office.stolen_log(seq=first.header.seq, prev=first.header.prev, log=first.log)
    copied = write("Trên máy chép")
    for store in office.stores:
        store.receive([copied.to_frame()])
        assert (store.status().forks, store.status().conflicts) == (1, 1)
    office.cut("forked", last, *office.stores)
    for store in office.stores:
        assert names(store) == {"Số 0", "Số 1", "Số 2"}
        assert store.waiting() == [copied.header.doc_id]
        assert (store.status().forks, store.status().conflicts) == (0, 0)
    office.an.create("case", {"name": "Sau đó"})
    sync(office.pc.store, office.server.store)
    assert "Sau đó" in names(office.server.store)
    office.pc.writer("Chủ tịch xã").countersign([copied.id], "Khách có đến thật")
    sync(office.pc.store, office.server.store)
    assert office.server.store.status().conflicts == 1


def test_the_other_branch_can_be_the_one_that_goes_on(office: Office) -> None:
    """What came second counts when a person chose it, and what came first waits; both stores agree."""
    first = office.events(0)[-1]
    write = office.stolen_log(seq=first.header.seq, prev=first.header.prev, log=first.log)
    copied = write("Trên máy chép")
    for store in office.stores:
        store.receive([copied.to_frame()])
    office.cut("forked", copied, *office.stores)
    for store in office.stores:
        assert names(store) == {"Trên máy chép"}
    assert office.server.store.digest() == office.pc.store.digest()
