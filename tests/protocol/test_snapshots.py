"""A machine that begins from snapshots works at once, believes no relay, and ends with everything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import sqlalchemy as sa

from onestop_sync import codec, doctor, past, present, proofs, publisher
from onestop_sync.erasure import plan_erasure, plan_files
from onestop_sync.errors import NotAllowed
from onestop_sync.proof_export import export_proof
from onestop_sync.protocol import Requester, Responder, SyncReport, pack_packet, packets
from onestop_sync.publication import Publication
from onestop_sync.snapshot import Snapshot, parse_snapshot
from onestop_sync.snapshotting import check_snapshots, make_snapshots
from onestop_sync.stating import make_statements
from onestop_sync.storage import snapshots, summaries
from onestop_sync.storage import tables as t
from onestop_sync.trust import Unit
from onestop_sync.verification import collect, verify_document, verify_store
from tests.protocol.parents import kinds, sync
from tests.protocol.test_statements import schema
from tests.province import CASE, Machine, Province


class World:
    """Province, district and two machines of a commune, with finished dossiers and a snapshot of them."""

    def __init__(self, tmp_path: Path, database: Callable[[str], str] = lambda _: "sqlite://") -> None:
        self.clock = Province(tmp_path)
        make = self.clock.machine
        judges: dict[str, Iterable[str]] = {"Phúc": ["judge", "boss", "clerk"]}
        self.province = make("tinh", "p", judges, serves=True, database=database("tinh"))
        self.district = make("huyen", "d1", serves=True, database=database("huyen"))
        self.pc1 = make("pc1", "c1", {"An": ["clerk"]}, database="sqlite://")
        self.pc2 = make("pc2", "c1", {"Cúc": ["clerk"]}, database="sqlite://")
        self.machines = [self.province, self.district, self.pc1, self.pc2]
        self.done: list[bytes] = []
        self.open: list[bytes] = []
        self.year()

    def year(self) -> None:
        """Works for a while: a dossier of two machines, one that the province decides, an open one."""
        an, cuc = self.pc1.writer("An"), self.pc2.writer("Cúc")
        shared = an.create("case", {"name": "Người 0", "code": "H0", "phone": "0"})
        sent = an.create("case", {"name": "Gửi tỉnh", "code": "T"})
        self.open.append(an.create("case", {"name": "Đang làm", "code": "M"}))
        an.act(sent, "hand", {"to": "p"})
        self.everyone()
        cuc.note(shared, "remarks", "đã xem")
        cuc.edit(shared, {"phone": "1", "members/bố": True})
        self.province.writer("Phúc").act(sent, "decide", values={"verdict": "được"})
        self.everyone()
        an.act(shared, "reject", {"why": "thiếu"})
        self.done += [shared, sent]
        self.everyone()
        self.signed = make_snapshots(self.province.store)
        sync(self.district, self.province)

    def everyone(self) -> None:
        """Carries everything up, and down again."""
        for child in (self.pc1, self.pc2):
            sync(child, self.district)
        sync(self.district, self.province)
        for child in (self.pc1, self.pc2):
            sync(child, self.district)

    def newcomer(self, name: str = "moi", unit: str = "c1") -> Machine:
        """Sets up a new machine."""
        return self.clock.machine(name, unit, {"Mới": ["clerk"]}, database="sqlite://")

    def forget(self, *machines: Machine) -> None:
        """Takes away what servers have of snapshots, as if their programs had been older."""
        for machine in machines:
            with machine.store._writes_raw() as connection:
                for table in (t.snapshot, t.summary, t.place):
                    connection.execute(sa.delete(table))


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: Any) -> Iterator[World]:
    """Its servers on either kind of database; new machines begin from snapshots at once."""
    monkeypatch.setattr(present, "TASTE", 1)
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    made = World(tmp_path, lambda name: schema(url, name) if url else "sqlite://")
    yield made
    for machine in made.machines:
        machine.store.close()


@pytest.fixture
def small(tmp_path: Path, monkeypatch: Any) -> World:
    """The same in memory."""
    monkeypatch.setattr(present, "TASTE", 1)
    return World(tmp_path)


def told(machine: Machine) -> set[bytes]:
    """Returns the documents that a machine knows by snapshots alone."""
    query = sa.select(t.document.c.id).join(t.summary, t.summary.c.doc_n == t.document.c.n)
    with machine.store.reading() as connection:
        return set(connection.execute(query.where(t.is_summary)).scalars())


def records(machine: Machine, doc: bytes) -> dict[bytes, tuple[str, str]]:
    """Returns what became of each event of a document, and how far it has got."""
    return {r.event.id: (r.standing, r.delivery.level) for r in machine.store.history(doc)}


def start(new: Machine, parent: Machine, *, history: bool = False) -> SyncReport:
    """Lets a new machine begin; it asks for no history in passing unless it is told to."""
    requester = Requester(new.store, parent.folder.name, is_brief=True)
    requester._past = [past.Historian(new.store, past.IN_PASSING if history else 0)]
    return run(requester, parent)


def run(requester: Requester, parent: Machine) -> SyncReport:
    """Runs an exchange to its end."""
    responder = Responder(parent.store)
    while (request := requester.next_request()) is not None:
        requester.take_answer(*responder.respond(request))
    return requester.report


def test_it_reads_what_is_finished_and_ends_as_every_other(world: World) -> None:
    """Finished dossiers come as summaries, open ones with their events; then the history of all."""
    assert world.signed == len(world.done)
    new, whole = world.newcomer(), world.newcomer("cũ")
    start(new, world.district)
    assert told(new) == set(world.done)
    for doc in world.done:
        mine, theirs = (m.store.document(doc) for m in (new, world.pc1))
        assert mine.stated_ms is not None
        assert theirs.stated_ms is None
        assert mine.state.heads == theirs.state.heads
        for key in ("name", "code", "phone", "members/bố", "verdict"):
            assert mine.value(key) == theirs.value(key)
        assert mine.state.tasks["main"].step == "done"
    lines = [[row[1:5] for row in m.store.page("case", order="due")] for m in (new, world.pc1)]
    assert sorted(lines[0]) == sorted(lines[1])
    assert [row.doc for row in new.store.page("case", search="nguoi 0")] == [world.done[0]]
    new.writer("Mới").edit(world.open[0], {"phone": "7"})
    assert start(new, world.district).rejected == []
    world.everyone()
    assert world.pc1.store.document(world.open[0]).value("phone") == "7"
    with mock.patch.object(present, "begin", return_value=None):
        start(whole, world.district)
    assert told(whole) == set()
    for machine in (new, whole):
        for parent in (world.district, world.province):
            sync(machine, parent)
    assert told(new) == set()
    assert new.store.digest() == whole.store.digest() == world.pc1.store.digest()
    for doc in (*world.done, *world.open):
        assert records(new, doc) == records(whole, doc)
    assert verify_store(new.store).is_proven
    assert doctor.check(new.store).faults == ()
    assert (new.store.status().unsent, new.store.status().forks) == (0, 0)
    assert sync(new, world.district).sent == sync(new, world.province).sent == 0
    assert [kinds(m) for m in (*world.machines, new)] == [[]] * 5


def test_after_a_split_a_newcomer_reads_its_own_documents_only(small: World) -> None:
    """What was finished before the split comes with its events, to the successor that each was given to."""
    shared, sent = small.done
    units = small.clock.document.units
    gone = replace(units["c1"], until_ms=small.clock.clock_ms, successors=("y1", "y2"))
    new = {u: Unit(u, u, "d1", "commune") for u in ("y1", "y2")}
    small.clock.publish(
        small.province.store,
        units={**units, **new, "c1": gone},
        assignments={"c1": {shared: "y1", sent: "y2"}},
    )
    sync(small.district, small.province)
    for unit, mine in (("y1", shared), ("y2", sent)):
        newcomer = small.newcomer(f"moi-{unit}", unit)
        start(newcomer, small.district, history=True)
        assert set(newcomer.store.fingerprints("case")) == {mine}
        assert told(newcomer) == set()


def test_what_another_unit_finished_and_shares_is_not_left_out(small: World) -> None:
    """A newcomer of the unit that decided a neighbour's dossier gets it, whatever snapshots came before."""
    clerk, judge = small.pc1.writer("An"), frozenset({"clerk", "judge"})
    other = small.clock.machine("pc9", "c2", {"Hai": judge}, database="sqlite://")
    passed = clerk.create("case", {"name": "Chuyển xã khác", "code": "K"})
    clerk.act(passed, "hand", {"to": "c2"})
    small.everyone()
    for _ in range(2):
        sync(other, small.district)
    other.writer("Hai").act(passed, "decide", values={"verdict": "được"})
    sync(other, small.district)
    small.everyone()
    assert make_snapshots(small.province.store) == 1
    own = other.writer("Hai").create("case", {"name": "Của mình", "code": "O"})
    other.writer("Hai").act(own, "reject", {"why": "thiếu"})
    sync(other, small.district)
    small.everyone()
    make_statements(small.province.store, interval_ms=0)
    assert make_snapshots(small.province.store) == 1
    small.everyone()
    newcomer = small.newcomer("moi-c2", "c2")
    start(newcomer, small.district)
    assert told(newcomer) == {own}
    assert newcomer.store.document(passed).state.value("name") == "Chuyển xã khác"


def test_nothing_is_signed_on_a_snapshot(small: World) -> None:
    """No note and no proof is made from a summary; the try asks for the events, and then it works."""
    new = small.newcomer()
    start(new, small.district)
    doc = small.done[0]
    with pytest.raises(NotAllowed) as caught:
        new.writer("Mới").note(doc, "remarks", "x")
    assert caught.value.details["reason"] == "history"
    with pytest.raises(NotAllowed):
        collect(new.store, doc)
    assert verify_store(new.store).snapshots == len(small.done)
    report = start(new, small.district)  # what was tried is asked for now, and nothing else
    assert report.histories > 2
    assert told(new) == set(small.done[1:])
    new.writer("Mới").note(doc, "remarks", "x")
    sync(new, small.district)
    small.everyone()
    assert [len(m.store.document(doc).state.notes["remarks"]) for m in (new, small.province)] == [2, 2]


def test_news_of_a_finished_dossier_brings_its_past(small: World) -> None:
    """An event that names what is not here waits, visibly, and its past comes with the same sync."""
    new, doc = small.newcomer(), small.done[0]
    start(new, small.district)
    small.pc1.writer("An").note(doc, "remarks", "sau")
    small.everyone()
    report = start(new, small.district)
    assert report.histories > 3
    assert doc not in told(new)
    assert new.store.document(doc).state == small.pc1.store.document(doc).state
    assert kinds(new) == []


def test_a_cut_at_any_request_loses_and_repeats_nothing(small: World, monkeypatch: Any) -> None:
    """Wherever the line breaks, the next exchange goes on with the snapshot and the cursor that it had."""
    monkeypatch.setattr("onestop_sync.snapshotting.MAX_ENTRIES", 1)
    small.forget(small.province)
    assert make_snapshots(small.province.store) == len(small.done)
    new = small.newcomer()
    tight = packets.Limits(answer_bytes=1500)
    came: list[int] = []
    is_through = False
    for n in range(100):
        requester, responder = Requester(new.store, "tinh", tight), Responder(small.province.store, tight)
        for turn in range(6):
            request = requester.next_request()
            is_through = request is None
            if request is None:
                break
            answer = responder.respond(request)
            if turn == 2 + n % 4:  # the answer is lost
                break
            requester.take_answer(*answer)
        came.append(len(told(new)))
        if is_through:
            break
    assert is_through
    assert max(came) > 1
    sync(new, small.province)
    assert new.store.digest() == small.pc1.store.digest()
    with new.store.reading() as connection:
        assert connection.execute(sa.select(t.snapshot)).all()


def test_a_snapshot_that_the_events_contradict_is_a_finding(small: World, monkeypatch: Any) -> None:
    """What the province signed and the events do not come to is kept with its papers, and the fold counts."""
    doc = small.done[0]
    honest = summaries.summarise

    def lying(kind: Any, doc_id: bytes, state: Any) -> bytes | None:
        if doc_id == doc:
            state.registers["name"].live = ((state.registers["name"].live[0][0], "Kẻ khác"),)
        return honest(kind, doc_id, state)

    small.forget(small.province)
    monkeypatch.setattr(summaries, "summarise", lying)
    make_snapshots(small.province.store)
    new = small.newcomer()
    start(new, small.province)
    assert new.store.document(doc).value("name") == "Kẻ khác"
    monkeypatch.setattr(summaries, "summarise", honest)
    sync(new, small.province)
    assert new.store.document(doc).value("name") == "Người 0"
    assert kinds(new) == ["misstated"]
    [case] = proofs.check(export_proof(new.store)[0]).cases
    assert (case.signer, case.missing, case.is_proven) == ("tinh", (doc,), False)
    erase(small, doc)
    assert new.store.replace_trust(small.clock.trust)
    assert kinds(new) == []  # it holds what was said of the document


def test_a_relay_cannot_change_a_summary_or_sign_one(small: World, monkeypatch: Any) -> None:
    """With a summary that the province has not signed, or a district's list, events are taken instead."""

    def forged(connection: Any, kinds_: Any, paper: snapshots.Paper) -> list[bytes]:
        return [
            data.replace("Người".encode(), "Kẻ giả".encode()[:7])
            for data in honest(connection, kinds_, paper)
        ]

    honest = snapshots.summaries_of
    monkeypatch.setattr(snapshots, "summaries_of", forged)
    new = small.newcomer()
    start(new, small.district)
    monkeypatch.setattr(snapshots, "summaries_of", honest)
    sync(new, small.district)
    assert new.store.digest() == small.pc1.store.digest()
    store = small.district.store
    said = Snapshot(store.machine_log, "c1", 1, 1, ((small.done[0], bytes(32)),)).sign(store.machine)
    with store.writing() as transaction:
        n = transaction.next_serial("snapshots", "")
        snapshots.keep(transaction.connection, parse_snapshot(said)[0], said, store.machine.public, n)
    other = small.newcomer("khác")
    start(other, small.district)
    assert other.store.document(small.done[0]).value("name") == "Người 0"
    with other.store.reading() as connection:
        assert {row.key for row in connection.execute(sa.select(t.snapshot))} == {
            small.province.store.machine.public
        }


def test_what_a_relay_keeps_back_is_asked_for_and_told(small: World, monkeypatch: Any) -> None:
    """A summary that is not given is replaced by events; events that are not given are told as withheld."""
    with monkeypatch.context() as patch:
        patch.setattr(snapshots, "summaries_of", lambda *_: [])
        new = small.newcomer()
        start(new, small.district)
    sync(new, small.district)
    assert new.store.digest() == small.pc1.store.digest()
    other = small.newcomer("khác")
    start(other, small.district)
    with monkeypatch.context() as patch:
        patch.setattr(past, "_events", lambda *_: ([], 0))
        sync(other, small.district)
    assert set(kinds(other)) == {"withheld"}
    [case, *_] = proofs.check(export_proof(other.store)[0]).cases
    assert case.missing[0] in small.done
    other.store.want_history(small.done[0])
    sync(other, small.district)
    assert small.done[0] not in told(other)


def erase(world: World, doc: bytes) -> None:
    """Publishes at the province that a dossier is erased by law."""
    province = world.clock
    report = verify_document(world.province.store, doc)
    held = Publication.parse(province.trust)
    files = plan_files(held, [plan_erasure(report, CASE, why="hết hạn", now_ms=province.clock_ms)])
    province.trust = publisher.publish(held, province.root, now_ms=province.clock_ms, files=files)
    assert world.province.store.replace_trust(province.trust)


def test_an_erased_dossier_stays_erased(small: World) -> None:
    """What was erased by law is no summary, before the new machine came or after, and is not named again."""
    new = small.newcomer()
    start(new, small.district)
    erase(small, small.done[0])
    late = small.newcomer("muộn")
    for machine in (small.district, new, late):
        sync(machine, small.province if machine is small.district else small.district)
    for machine in (new, late):
        with pytest.raises(NotAllowed):
            machine.store.document(small.done[0])
        assert small.done[0] not in told(machine)
        assert machine.store.tombstone(small.done[0]) is not None
    assert make_snapshots(small.province.store) == 0
    assert check_snapshots(small.district.store)[2:] == (len(small.done) - 1, (), ())


def test_an_older_snapshot_does_not_bring_back_what_was_erased(small: World, tmp_path: Path) -> None:
    """A relay that has not heard of the erasure still gives the summary; nothing of it is on a disk then."""
    name, doc = "Người 0".encode(), small.done[0]
    files = {n: tmp_path / f"{n}.db" for n in ("trước", "sau")}
    make = small.clock.machine
    before = make("trước", "c1", database=f"sqlite:///{files['trước']}")
    start(before, small.district)
    assert doc in told(before)
    assert name in written(files["trước"])
    erase(small, doc)
    after = make("sau", "c1", database=f"sqlite:///{files['sau']}")
    assert small.district.store.tombstone(doc) is None
    start(after, small.district)
    assert after.store.tombstone(doc) is not None
    assert told(after) == set(small.done[1:])
    assert before.store.replace_trust(small.clock.trust)
    assert before.store.tombstone(doc) is not None
    for file in files.values():
        assert name not in written(file)
    for machine in (before, after):
        assert doctor.check(machine.store).faults == ()
        start(machine, small.district, history=True)
        assert (told(machine), machine.store.page("case", search="nguoi 0")) == (set(), [])


def written(file: Path) -> bytes:
    """Returns what a database has on disk, its log included."""
    return b"".join(part.read_bytes() for part in file.parent.glob(f"{file.name}*"))


def test_the_doctor_knows_what_a_snapshot_says(small: World) -> None:
    """What was signed is compared with what is shown; made again, it comes from the events."""
    new, (doc, other) = small.newcomer(), small.done
    start(new, small.district)
    for _ in range(2):
        found = doctor.check(new.store)
        assert (found.faults, found.summaries) == ((), 2)
        doctor.rebuild(new.store)  # what has no events here is not lost by it
    assert new.store.document(doc).value("phone") == "1"
    with new.store._writes_raw() as connection:
        state = connection.execute(sa.select(t.document.c.state).where(t.document.c.id == doc)).scalar_one()
        forged = state.replace("Người".encode(), "Kẻ giả".encode()[:7])
        assert forged != state
        connection.execute(sa.update(t.document).where(t.document.c.id == doc).values(state=forged))
    assert [(fault.kind, fault.doc) for fault in doctor.check(new.store).faults] == [("summary", doc)]
    doctor.rebuild(new.store)
    start(new, small.district)
    assert told(new) == {other}
    assert new.store.document(doc).value("name") == "Người 0"
    assert doctor.check(new.store).faults == ()
    assert kinds(new) == []


class OldProgram(Responder):
    """A parent of before: it takes a new kind of request for rubbish."""

    def respond(self, data: bytes) -> tuple[int, bytes]:
        """Answers what it knows."""
        if data[:1] in {b"\x00", b"\x01"}:
            row = packets.open_packet(data)
            value = codec.decode(row[0])
            if isinstance(value, list) and value and value[0] in {"present", "snapshots", "history"}:
                return 400, pack_packet([1, "error", ["malformed", "A request is malformed."]])
        return super().respond(data)


def test_below_an_older_parent_it_gets_the_whole_feed(small: World) -> None:
    """A parent that knows no snapshots is asked once, and gives everything; a relay asks but daily."""
    new = small.newcomer()
    requester, old = Requester(new.store, "huyen", is_brief=True), OldProgram(small.district.store)
    while (request := requester.next_request()) is not None:
        requester.take_answer(*old.respond(request))
    assert told(new) == set()
    assert new.store.digest() == small.pc1.store.digest()
    assert (new.store.status().unsent, kinds(new)) == (0, [])
    small.forget(small.district)
    trips = []
    for _ in range(2):
        requester, old = Requester(small.district.store, "tinh"), OldProgram(small.province.store)
        while (request := requester.next_request()) is not None:
            requester.take_answer(*old.respond(request))
        trips.append(requester.report.round_trips)
    assert trips[0] == trips[1] + 1


def test_a_relay_that_is_updated_mirrors_what_it_missed(small: World) -> None:
    """Lists that were made while the district's program was older are fetched by the newer one."""
    small.forget(small.district)
    sync(small.district, small.province)
    new = small.newcomer()
    start(new, small.district)
    assert told(new) == set(small.done)


def test_old_acks_statements_and_trails_are_left_out(small: World) -> None:
    """A new machine gets the newest of what others overtook, and still learns how far each event has got."""
    for i in range(6):
        small.pc1.writer("An").edit(small.open[0], {"phone": str(i)})
        small.everyone()
        make_statements(small.province.store)
    sync(small.district, small.province)
    sync(small.pc2, small.district)
    new = small.newcomer()
    start(new, small.district)
    query = [sa.select(sa.func.count()).select_from(table) for table in (t.acks, t.statement)]
    counts = []
    for machine in (new, small.pc2):
        with machine.store.reading() as connection:
            counts.append([connection.execute(each).scalar_one() for each in query])
    assert counts[0][0] < counts[1][0]
    assert counts[0][1] < counts[1][1]
    assert {r.delivery.level for r in new.store.history(small.open[0])} == {"province"}
    small.pc1.writer("An").edit(small.open[0], {"phone": "9"})
    small.everyone()
    make_statements(small.province.store)
    sync(small.district, small.province)
    sync(new, small.district)
    assert kinds(new) == []


def test_a_server_and_a_machine_that_has_a_feed_take_everything(small: World) -> None:
    """Whoever serves others never begins from snapshots, and nobody goes back to one."""
    assert present.begin(small.district.store, "x") is None
    assert present.begin(small.pc1.store, "x") is None
    assert present.begin(small.newcomer().store, "x") is not None
