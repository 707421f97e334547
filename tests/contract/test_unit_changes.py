"""Units that merge, split and move in the middle of syncs: nobody loses anything, and work goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from onestop_sync.bundle import export_bundle, import_bundle
from onestop_sync.errors import NotAllowed, UpstreamRefused
from onestop_sync.protocol import Requester, Responder
from onestop_sync.schema import MAIN
from onestop_sync.storage import tables
from onestop_sync.store import Store
from onestop_sync.trust import LEADER, Certificate, Cut, Unit
from tests.province import Machine, Province

JULY_MS = 1_790_000_100_000
ROLES = ["clerk", "judge", "boss"]


def sync(child: Machine, parent: Machine) -> None:
    """Exchanges until nothing is left."""
    exchange, responder = Requester(child.store, parent.folder.name), Responder(parent.store)
    while (request := exchange.next_request()) is not None:
        exchange.take_answer(*responder.respond(request))


class Land:
    """A province with a district, whose communes c1 and c2 have a machine each, and c9 right below it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.province = province = Province(folder)
        self.top = province.machine("tinh", "p", {"Tỉnh": ROLES}, serves=True, database=url)
        self.district = province.machine("huyen", "d1", {"Huyện": ROLES}, serves=True)
        self.one = province.machine("mot", "c1", {"An": ROLES})
        self.two = province.machine("hai", "c2", {"Bình": ROLES})
        self.nine = province.machine("chin", "c9", {"Em": [*ROLES, LEADER]})
        self.machines = [self.top, self.district, self.one, self.two, self.nine]
        for machine in self.machines:
            machine.store.receive(province.issued)
        self.up = {"mot": self.district, "hai": self.district, "chin": self.top, "huyen": self.top}

    def sync_all(self, machines: Iterable[Machine] | None = None, rounds: int = 3) -> None:
        """Syncs machines with their parents, often enough for everything to go round."""
        for _ in range(rounds):
            for machine in machines or self.machines:
                if parent := self.up.get(machine.folder.name):
                    try:
                        sync(machine, parent)
                    except UpstreamRefused:  # it belongs elsewhere by now: the next parent of its list
                        sync(machine, self.top)

    def units(self, **changes: Unit) -> dict[str, Unit]:
        """Returns the tree with changes."""
        return {**self.province.document.units, **changes}

    def merge(self, *stores: Store) -> None:
        """Merges c1, c2 and c9 into n1, right below the province; these stores hear of it."""
        units = self.province.document.units
        gone = {u: replace(units[u], until_ms=JULY_MS, successors=("n1",)) for u in ("c1", "c2", "c9")}
        new = Unit("n1", "Xã Mới", "p", "commune", ("H99.01",), since_ms=JULY_MS)
        self.province.publish(*stores, units=self.units(**gone, n1=new))

    def certify_again(self, machine: Machine, unit: str, *, blocks: tuple[int, int] = (2001, 2500)) -> None:
        """Certifies a machine and its officers for another unit; the province's server knows it."""
        key = machine.secrets.machine.public
        certificate = Certificate(
            key, unit, "machine", machine.folder.name, seal=machine.secrets.seal_key, blocks=(blocks,)
        )
        self.province._issue(certificate)
        for name, signer in machine.officers.items():
            self.province.certify(signer.public, unit, name, ROLES)
        self.top.store.receive(self.province.issued)


@pytest.fixture
def land(tmp_path: Path, database_url: str) -> Iterator[Land]:
    """Give a province whose top server is on either database."""
    made = Land(tmp_path, database_url)
    yield made
    for machine in made.machines:
        machine.store.close()


def state(machine: Machine, docs: Iterable[bytes]) -> list[bytes]:
    """Returns the fingerprints of documents at a machine."""
    found = machine.store.fingerprints("case")
    return [found[doc] for doc in docs]


def log_head(store: Store, log: bytes) -> tuple[int, bytes]:
    """Returns the last sequence of a log's chain at a store, and that event's id."""
    with store.reading() as connection:
        row = connection.execute(sa.select(tables.log).where(tables.log.c.id == log)).one()
    return row.seq, row.head


def doc_log(store: Store, doc: bytes) -> bytes:
    """Returns the log that began a document."""
    return store.history(doc)[0].event.log


def frames_of(store: Store, doc: bytes) -> list[object]:
    """Returns a document's events as they travel."""
    return [record.event.to_frame() for record in store.history(doc)]


def test_three_communes_merge_while_they_work(land: Land) -> None:
    """Machines that hear of it late lose nothing; certified for the new one, they see all three's work."""
    docs = [m.writer(n).create("case", {"name": f"của {n}"}) for m, n in
            ((land.one, "An"), (land.two, "Bình"), (land.nine, "Em"))]  # fmt: skip
    sync(land.one, land.district)
    land.merge(land.top.store)
    late = land.two.writer("Bình").create("case", {"name": "viết khi chưa biết"})
    for machine in (land.one, land.two, land.nine):
        land.certify_again(machine, "n1")
    land.sync_all()
    assert land.one.store.trust.document.units["n1"].name == "Xã Mới"
    land.sync_all()  # their next contact is as machines of the new commune
    land.up |= {"mot": land.top, "hai": land.top}
    land.sync_all()
    everybody = [land.one, land.two, land.nine]
    assert {m.store.unit for m in everybody} == {"n1"}
    for machine in everybody:
        assert state(machine, [*docs, late]) == state(land.top, [*docs, late])
    # An goes on with what Bình had begun in a commune that is no more.
    land.one.writer("An").edit(late, {"phone": "0912"})
    land.one.writer("An").act(late, "hand", {"to": "n1"})
    land.two.writer("Bình").create("case", {"name": "của xã mới"})
    land.sync_all()
    for machine in (land.top, *everybody):
        assert machine.store.document(late).value("phone") == "0912"
        assert machine.store.document(late).state.tasks[MAIN].unit == "n1"
    assert land.top.store.count("case") == 5
    assert land.two.store.count("case") == 5


def test_sticks_alone_bring_a_machine_into_the_new_commune(land: Land, tmp_path: Path) -> None:
    """Without a line it hears of the merger by what a server's stick brings back, its certificate with it."""
    land.merge(land.top.store)
    land.certify_again(land.one, "n1")
    land.sync_all([land.district])
    doc = land.one.writer("An").create("case", {"name": "viết khi chưa biết"})
    sender = carry(tmp_path, land.one.store, land.district.store)
    carry(tmp_path, land.district.store, land.one.store, [sender])
    assert land.one.store.unit == "n1"
    new = land.one.writer("An").create("case", {"name": "viết cho xã mới"})
    carry(tmp_path, land.one.store, land.top.store)
    assert land.top.store.document(new).state.unit == "n1"
    assert land.one.store.unit == "n1"
    for store in (land.top.store, land.district.store):
        assert store.document(doc).value("name") == "viết khi chưa biết"


def carry(folder: Path, giver: Store, taker: Store, to: Sequence[bytes] = ()) -> bytes:
    """Carries a stick; returns whose it was."""
    path = export_bundle(giver, folder, to).path
    return import_bundle(taker, path).sender


def test_a_server_that_heard_last_passes_on_what_came_before(land: Land) -> None:
    """The province sends a district what is its own by now; once that hears of it, its commune has it."""
    doc = land.nine.writer("Em").create("case", {"name": "của Em"})
    sync(land.nine, land.top)
    units = land.province.document.units
    gone = {u: replace(units[u], until_ms=JULY_MS, successors=("n1",)) for u in ("c1", "c9")}
    new = Unit("n1", "Xã Mới", "d1", "commune", ("H99.01",), since_ms=JULY_MS)
    land.province.publish(land.top.store, units=land.units(**gone, n1=new))
    frames = [*land.top.store.introduction(doc_log(land.top.store, doc)), *frames_of(land.top.store, doc)]
    assert not any(
        outcome.code for outcome in land.district.store.receive(frames, land.top.store.machine_log)
    )
    land.certify_again(land.one, "n1")
    land.sync_all()
    assert land.one.store.unit == "n1"
    assert state(land.one, [doc]) == state(land.top, [doc])


def test_a_machine_that_has_not_heard_goes_on_for_weeks(land: Land) -> None:
    """Under the old unit it writes, syncs and is acknowledged, until the unit is closed."""
    land.merge(land.top.store, land.district.store)
    for i in range(4):
        land.one.writer("An").create("case", {"name": f"tuần {i}"})
    assert land.one.store.status().unsent == 4
    land.sync_all([land.one, land.district])
    assert land.one.store.status().unsent == 0
    assert land.top.store.count("case") == 4
    land.one.writer("An").create("case", {"name": "vẫn theo xã cũ"})
    land.sync_all([land.one, land.district])
    assert land.top.store.count("case") == 5


def test_the_closing_ends_a_unit_and_waits_for_its_head(land: Land) -> None:
    """After the closing nothing new begins under the old unit; what turns up later waits for a head."""
    land.one.writer("An").create("case", {"name": "trước"})
    land.merge(land.top.store, land.district.store)
    land.sync_all([land.one, land.district])
    log = land.one.writer("An").edit(land.one.store.page("case")[0].doc, {"phone": "1"}).log
    land.sync_all([land.one, land.district])
    seq, head = log_head(land.top.store, log)
    lost = land.one.writer("An").create("case", {"name": "trên máy bị quên"})
    land.province.publish(
        land.top.store, land.district.store, cuts=(Cut("closed", b"", "c1", {log: (seq, head)}),)
    )
    land.sync_all([land.one, land.district])
    assert lost in land.top.store.waiting()
    with pytest.raises(NotAllowed):
        land.one.writer("An").create("case", {"name": "xã này không còn"})
    successor = land.province.machine("moi", "n1", {"Chủ tịch": [LEADER, *ROLES]})
    land.up["moi"] = land.top
    land.top.store.receive(land.province.issued)
    land.sync_all([successor])
    event = land.top.store.history(lost)[0].event
    successor.writer("Chủ tịch").countersign([event.id], "Máy cũ tìm thấy trong kho")
    land.sync_all([successor])
    assert land.top.store.waiting() == []
    assert land.top.store.document(lost).value("name") == "trên máy bị quên"
    successor.store.close()


def test_the_district_tier_ends_and_communes_go_on(land: Land) -> None:
    """Communes move to the province, which goes on with the district's dossiers; its relay still works."""
    doc = land.one.writer("An").create("case", {"name": "liên thông"})
    land.one.writer("An").act(doc, "hand", {"to": "d1"})
    land.sync_all()
    units = land.province.document.units
    moved = {
        u: replace(units[u], parent="p", since_ms=JULY_MS, earlier=(units[u].periods[-1],))
        for u in ("c1", "c2")
    }
    gone = replace(units["d1"], until_ms=JULY_MS, successors=("p",))
    land.province.publish(land.top.store, units=land.units(**moved, d1=gone))
    land.one.writer("An").create("case", {"name": "giữa chừng"})
    sync(land.one, land.district)  # neither has heard of it
    land.up["mot"] = land.top
    late = land.one.writer("An").create("case", {"name": "thẳng lên tỉnh"})
    sync(land.one, land.top)
    land.top.writer("Tỉnh").act(doc, "decide")
    land.sync_all([land.one, land.district])
    assert land.one.store.document(doc).state.tasks[MAIN].step == "done"
    assert land.top.store.document(late).value("name") == "thẳng lên tỉnh"
    assert land.one.store.status().unsent == 0
    assert land.top.store.count("case") == 3


def test_a_split_gives_each_successor_its_documents_and_no_others(land: Land) -> None:
    """Listed documents go to the named successor, the rest to the parent; no body leaves its scope."""
    mine, yours, rest = (land.one.writer("An").create("case", {"name": n}) for n in ("y", "z", "còn lại"))
    land.sync_all()
    units = land.province.document.units
    gone = replace(units["c1"], until_ms=JULY_MS, successors=("y1", "z1"))
    new = {u: Unit(u, u, "d1", "commune", since_ms=JULY_MS) for u in ("y1", "z1")}
    land.province.publish(
        land.top.store, units=land.units(c1=gone, **new), assignments={"c1": {mine: "y1", yours: "z1"}}
    )
    ys = land.province.machine("y", "y1", {"Yên": ROLES}, database="sqlite://")
    zs = land.province.machine("z", "z1", {"Giang": ROLES}, database="sqlite://")
    land.machines += [ys, zs]
    land.up |= {"y": land.district, "z": land.district}
    land.top.store.receive(land.province.issued)
    land.sync_all()
    assert set(ys.store.fingerprints("case")) == {mine}
    assert set(zs.store.fingerprints("case")) == {yours}
    ys.writer("Yên").edit(mine, {"phone": "0911"})
    zs.writer("Giang").act(yours, "hand", {"to": "z1"})
    land.district.writer("Huyện").edit(rest, {"phone": "0922"})
    with pytest.raises(NotAllowed):
        land.district.writer("Huyện").edit(mine, {"phone": "không phải của huyện"})
    land.sync_all()
    for machine in (land.top, land.district, land.one):
        assert machine.store.document(mine).value("phone") == "0911"
        assert machine.store.document(yours).state.tasks[MAIN].unit == "z1"
        assert machine.store.document(rest).value("phone") == "0922"


def test_what_is_addressed_to_a_unit_that_is_gone_reaches_its_successor(land: Land) -> None:
    """A commune that has not heard of the merger hands over to the old unit; the new one takes it on."""
    land.merge(land.top.store)
    new = land.province.machine("moi", "n1", {"Mai": ROLES})
    land.up["moi"] = land.top
    land.machines.append(new)
    land.top.store.receive(land.province.issued)
    doc = land.one.writer("An").create("case", {"name": "gửi nhầm địa chỉ"})
    land.one.writer("An").act(doc, "hand", {"to": "c2"})
    land.sync_all()
    new.writer("Mai").act(doc, "decide")
    land.sync_all()
    assert land.one.store.document(doc).state.tasks[MAIN].step == "done"


def test_both_units_act_at_once_and_a_person_settles_it(land: Land) -> None:
    """An old officer who has not heard of it and a new one take different steps: one dispute, everywhere."""
    doc = land.one.writer("An").create("case", {"name": "hai nơi cùng làm"})
    land.merge(land.top.store)
    new = land.province.machine("moi", "n1", {"Mai": ROLES})
    land.up["moi"] = land.top
    land.top.store.receive(land.province.issued)
    land.sync_all()
    sync(new, land.top)
    new.writer("Mai").act(doc, "reject", {"why": "trùng"})
    land.one.store._reload_trust()
    land.one.writer("An").act(doc, "hand", {"to": "c2"})
    land.sync_all([*land.machines, new])
    found = {m.store.document(doc).conflicts == ["task:main"] for m in (land.top, land.one, new)}
    assert found == {True}
    branches = new.store.document(doc).state.tasks[MAIN].branches
    new.writer("Mai").settle(doc, MAIN, branches[0].node, "Xã mới quyết")
    land.sync_all([*land.machines, new])
    assert {m.store.document(doc).conflicts == [] for m in (land.top, land.one, new)} == {True}
    new.store.close()


def test_a_server_of_another_line_serves_no_stranger(land: Land) -> None:
    """Units that were never below a server, and succeed none below it, are still refused."""
    other = land.province.machine("khac", "d1", serves=True)
    other.store.receive(land.province.issued)
    land.up["chin"] = other
    with pytest.raises(UpstreamRefused):
        sync(land.nine, other)
    other.store.close()
