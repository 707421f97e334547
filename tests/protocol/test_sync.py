"""Two cores joined in memory: what a sync brings about, and what nobody can do to it."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from onestop_sync import codec
from onestop_sync.errors import FormatError, UpstreamMalformed, UpstreamRefused
from onestop_sync.event import Genesis, build, typed_id
from onestop_sync.fold import Reason, Standing
from onestop_sync.keys import SigningKey
from onestop_sync.protocol import Requester, Responder, SyncReport, open_packet, pack_packet, packets
from onestop_sync.storage import tables
from onestop_sync.store import Store
from tests.province import CASE, Machine, Province


@pytest.fixture
def province(tmp_path: Path) -> Province:
    """A province whose machines keep their databases in memory."""
    return Province(tmp_path)


class Line:
    """Province, district, hub and machines of one commune, and a machine of another."""

    def __init__(self, province: Province) -> None:
        def machine(
            name: str, unit: str, officers: dict[str, Any] | None = None, *, serves: bool = False
        ) -> Machine:
            return province.machine(name, unit, officers, serves=serves, database="sqlite://")

        self.province = machine("tinh", "p", serves=True)
        self.district = machine("huyen", "d1", {"Dũng": ["judge", "boss"]}, serves=True)
        self.hub = machine("hub", "c1", serves=True)
        self.pc1 = machine("pc1", "c1", {"An": ["clerk"]})
        self.pc2 = machine("pc2", "c1", {"Bình": ["judge", "boss"], "Cúc": ["clerk"]})
        self.lone = machine("le", "c2", {"Em": ["clerk", "judge"]})
        self.up = [(self.pc1, self.hub), (self.pc2, self.hub), (self.hub, self.district),
                   (self.lone, self.district), (self.district, self.province)]  # fmt: skip

    def everyone(self) -> None:
        """Syncs until everything has gone up and come down."""
        for _ in range(3):
            for child, parent in [*self.up, *reversed(self.up)]:
                sync(child, parent)


def exchange(
    child: Machine, parent: Machine
) -> Generator[tuple[Requester, bytes, tuple[int, bytes]], None, None]:
    """Yields each request and its answer before the child takes it."""
    requester, responder = Requester(child.store, parent.folder.name), Responder(parent.store)
    while (request := requester.next_request()) is not None:
        answer = responder.respond(request)
        yield requester, request, answer
        requester.take_answer(*answer)


def sync(child: Machine, parent: Machine) -> SyncReport:
    """Runs one whole exchange."""
    report = SyncReport()
    for requester, _, _ in exchange(child, parent):
        report = requester.report
    return report


def is_same(one: bytes, other: bytes) -> bool:
    """Tells whether two packets hold the same once they are decompressed."""
    try:
        return bool(open_packet(one) == open_packet(other))
    except FormatError:
        return False


def levels(machine: Machine, doc: bytes) -> list[str]:
    """Returns how far each event of a document has got."""
    return [record.delivery.level for record in machine.store.history(doc)]


@pytest.fixture
def line(province: Province) -> Line:
    """A line of machines that have not met."""
    return Line(province)


def test_events_go_up_and_signed_acks_come_back(line: Line) -> None:
    """What a machine writes offline reaches the province unchanged, and the machine learns how far it got."""
    doc = line.pc1.writer("An").create("case", {"name": "Nguyễn Văn An"})
    assert levels(line.pc1, doc) == ["here"]
    sync(line.pc1, line.hub)
    assert levels(line.pc1, doc) == ["hub"]
    sync(line.hub, line.district)
    sync(line.pc1, line.hub)
    assert levels(line.pc1, doc) == ["district"]
    line.everyone()
    assert levels(line.pc1, doc) == ["province"]
    frames = [[r.event.to_frame() for r in m.store.history(doc)] for m in (line.pc1, line.province)]
    assert frames[0] == frames[1]
    assert line.pc1.store.status().unsent == 0


def test_only_units_that_take_part_get_a_document(line: Line) -> None:
    """Another commune receives a dossier only once it takes part in it, and then all of its history."""
    doc = line.pc1.writer("An").create("case", {"name": "x"})
    line.everyone()
    assert line.lone.store.history(doc) == []
    line.pc1.writer("An").act(doc, "hand", {"to": "c2"})
    line.everyone()
    assert len(line.lone.store.history(doc)) == 2
    assert line.lone.store.fingerprints("case") == line.pc1.store.fingerprints("case")


def test_nothing_new_is_one_round_trip(line: Line) -> None:
    """Once connected, a sync with nothing to say is one request and few bytes."""
    line.pc1.writer("An").create("case", {"name": "x"})
    line.everyone()
    report = sync(line.pc1, line.hub)
    assert (report.round_trips, report.sent, report.received) == (1, 0, 0)
    assert report.bytes_up + report.bytes_down < 400


def test_hundred_changes_are_one_round_trip(line: Line) -> None:
    """A hundred changed dossiers travel in one request, at most 300 bytes each."""
    writer = line.pc1.writer("An")
    docs = [writer.create("case", {"name": f"Nguyễn Văn {i}", "code": str(i)}) for i in range(100)]
    line.everyone()
    for i, doc in enumerate(docs):
        writer.edit(doc, {"phone": f"09{i:08}"})
    report = sync(line.pc1, line.hub)
    assert (report.round_trips, report.sent) == (1, 100)
    assert report.bytes_up + report.bytes_down < 100 * 300


def test_conflict_is_the_same_everywhere_and_settled_once(line: Line) -> None:
    """Two officers who differ on a field make one conflict on every store; one resolution ends it."""
    doc = line.pc1.writer("An").create("case", {"name": "gốc"})
    line.everyone()
    line.pc1.writer("An").edit(doc, {"name": "An sửa"})
    line.pc2.writer("Cúc").edit(doc, {"name": "Cúc sửa"})
    line.everyone()
    stores = [line.pc1.store, line.pc2.store, line.hub.store, line.district.store, line.province.store]
    assert all(s.document(doc).conflicts == ["name"] for s in stores)
    assert len({s.digest() for s in stores}) == 1
    line.pc2.writer("Bình").resolve(doc, "name", "An sửa", "đối chiếu căn cước")
    line.everyone()
    assert all((s.document(doc).conflicts, s.document(doc).value("name")) == ([], "An sửa") for s in stores)
    assert [n.after for n in line.pc1.store.notices()][:1] == [Standing.CONFLICT]


def test_thirty_days_apart_end_in_one_state(line: Line, province: Province) -> None:
    """Each works alone for thirty days, also on the same dossiers; then all stores show the same."""
    an, cuc, dung = line.pc1.writer("An"), line.pc2.writer("Cúc"), line.district.writer("Dũng")
    shared = [an.create("case", {"name": f"chung {n}"}) for n in range(3)]
    an.act(shared[0], "hand", {"to": "d1"})
    line.everyone()
    for day in range(30):
        province.clock_ms += 24 * 3600 * 1000
        an.create("case", {"name": f"của An, ngày {day}", "phone": f"09{day}"})
        cuc.create("case", {"name": f"của Cúc, ngày {day}"})
        an.edit(shared[1], {"phone": f"An {day}", f"members/con {day}": True})
        cuc.edit(shared[1], {"phone": f"Cúc {day}"})
        cuc.note(shared[2], "remarks", f"ngày {day}")
        dung.edit(shared[0], {"phone": f"huyện {day}"})
    line.everyone()
    stores = [line.pc1.store, line.pc2.store, line.hub.store, line.district.store, line.province.store]
    assert len({store.digest() for store in stores}) == 1
    assert {store.count("case") for store in stores} == {63}
    assert all(store.document(shared[1]).conflicts == ["phone"] for store in stores)
    assert {(status.unsent, status.waiting) for status in (s.status() for s in stores[:3])} == {(0, 0)}


def test_lost_answer_doubles_nothing(line: Line) -> None:
    """When the answer to a push is lost, the next sync completes, and nothing is stored twice."""
    doc = line.pc1.writer("An").create("case", {"name": "x"})
    steps = exchange(line.pc1, line.hub)
    next(steps)
    next(steps)  # pushed, stored at the hub, and never heard
    steps.close()
    assert len(line.hub.store.history(doc)) == 1
    report = sync(line.pc1, line.hub)
    assert report.acked == report.sent
    assert len(line.hub.store.history(doc)) == 1
    assert levels(line.pc1, doc) == ["hub"]


def test_copied_request_discloses_nothing(line: Line) -> None:
    """A request that is sent again, to the same parent or to another, is answered by no data."""
    line.pc2.writer("Cúc").create("case", {"name": "bí mật"})
    sync(line.pc2, line.hub)
    requests = [request for _, request, _ in exchange(line.pc1, line.hub)]
    for responder in (Responder(line.hub.store), Responder(line.district.store)):
        for request in requests:
            status, answer = responder.respond(request)
            assert status in {401, 403}
            assert open_packet(answer)[1] in {"challenge", "error"}


def test_nothing_is_stored_for_somebody_unproven(line: Line, tmp_path: Path) -> None:
    """An opening by a stranger, or in a machine's name without its key, leaves no row and no nonce behind."""
    sync(line.pc1, line.hub)
    stranger = Line(Province(tmp_path / "la", seed=2)).pc1
    opening = Requester(stranger.store, "hub").next_request() or b""
    payload, _, signature = open_packet(opening)
    forged = pack_packet([payload, line.pc1.store.machine_log, signature])
    before = rows(line.hub)
    for request in (opening, forged):
        assert Responder(line.hub.store).respond(request)[0] == 403
    assert rows(line.hub) == before
    assert sync(line.pc1, line.hub).round_trips == 1


def rows(machine: Machine) -> list[tuple[str, int, list[bytes]]]:
    """Returns how many rows each table of a store has, and all nonces."""
    with machine.store.reading() as connection:
        nonces = list(connection.execute(sa.select(tables.peer.c.nonce)).scalars())
        return [
            (
                table.name,
                connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one(),
                nonces,
            )
            for table in tables.metadata.sorted_tables
        ]


def test_old_answer_moves_nothing(line: Line) -> None:
    """An answer to an earlier request is refused as not the parent's answer to this one."""
    sync(line.pc1, line.hub)
    line.pc2.writer("Cúc").create("case", {"name": "x"})
    sync(line.pc2, line.hub)
    requester = Requester(line.pc1.store, "hub")
    old = Responder(line.hub.store).respond(requester.next_request() or b"")
    again = Requester(line.pc1.store, "hub")
    again.next_request()
    again._sent += b"?"  # another request than the answered one
    with pytest.raises(UpstreamMalformed):
        again.take_answer(*old)
    assert line.pc1.store.count("case") == 0
    sync(line.pc1, line.hub)
    assert line.pc1.store.count("case") == 1


def test_flipped_bit_is_refused(line: Line) -> None:
    """One bit flipped anywhere in a request on the way stores nothing; the true request still counts."""
    doc = line.pc1.writer("An").create("case", {"name": "x" * 50})
    requester, responder = Requester(line.pc1.store, "hub"), Responder(line.hub.store)
    requester.take_answer(*responder.respond(requester.next_request() or b""))
    request = requester.next_request() or b""
    for bit in range(0, len(request) * 8, 13):
        changed = bytearray(request)
        changed[bit // 8] ^= 1 << bit % 8
        if is_same(bytes(changed), request):
            continue  # a bit that zstd does not mind: what was signed is unchanged
        assert responder.respond(bytes(changed))[0] in {400, 401, 403}
        assert line.hub.store.history(doc) == []
    status, answer = responder.respond(request)
    if status == 401:  # a flip in the parent's name asked for a new nonce
        requester.take_answer(status, answer)
        status, answer = responder.respond(requester.next_request() or b"")
    requester.take_answer(status, answer)
    assert len(line.hub.store.history(doc)) == 1


def test_an_answer_that_is_refused_leaves_nothing(line: Line) -> None:
    """An answer whose last part is malformed is refused before anything of it is taken."""
    line.pc2.writer("Cúc").create("case", {"name": "x"})
    sync(line.pc2, line.hub)
    sync(line.pc1, line.hub)
    doc = line.pc2.writer("Cúc").create("case", {"name": "y"})
    sync(line.pc2, line.hub)
    requester = Requester(line.pc1.store, "hub")
    request = requester.next_request() or b""
    status, answer = Responder(line.hub.store).respond(request)
    body = [part for data in open_packet(answer)[2:4] for part in codec.decode(data)]
    assert body[6]  # it brings the case
    body[5] = [["no verdict"]]
    log = line.pc1.store.machine_log
    with pytest.raises(UpstreamMalformed):
        requester.take_answer(status, packets.pack_answer(line.hub.secrets.machine, request, log, body))
    assert line.pc1.store.history(doc) == []
    sync(line.pc1, line.hub)
    assert len(line.pc1.store.history(doc)) == 1


def test_relay_that_changes_an_event_is_found_out(line: Line) -> None:
    """The province refuses the changed event as forged, stores the others, and gets the true one later."""
    writer = line.lone.writer("Em")
    docs = [writer.create("case", {"name": f"tên {i}"}) for i in range(5)]
    sync(line.lone, line.district)
    frames = [r.event.to_frame() for d in docs for r in line.district.store.history(d)]
    changed = bytearray(frames[2][0])
    changed[-1] ^= 1
    frames[2] = [bytes(changed), frames[2][1], None]
    for log in {r.event.log for d in docs for r in line.district.store.history(d)}:
        line.province.store.receive(line.district.store.introduction(log))
    outcomes = line.province.store.receive(frames)
    assert [o.code for o in outcomes if o.code] == ["forged"]
    assert line.province.store.count("case") == 4
    line.everyone()
    assert line.province.store.fingerprints("case") == line.lone.store.fingerprints("case")


def test_uncertified_key_waits_without_effect(line: Line, province: Province) -> None:
    """An event by a key that nobody certified is kept and shown, changes nothing, and delays nothing."""
    doc = line.pc1.writer("An").create("case", {"name": "thật"})
    stranger = Stranger(province, "c1")
    head = line.pc1.store.document(doc).state.heads
    frames = [stranger.genesis.to_frame(), stranger.event(doc, head, [["set", "name", "giả"]]).to_frame()]
    line.hub.store.receive(frames)
    line.pc1.writer("An").edit(doc, {"phone": "1"})
    line.everyone()
    for store in (line.hub.store, line.district.store, line.province.store, line.pc1.store):
        assert store.document(doc).value("name") == "thật"
        assert store.document(doc).value("phone") == "1"
        assert [r.standing for r in store.history(doc)].count(Standing.WAITING) == 1
    assert line.province.store.waiting() == [doc]


def test_certificate_that_comes_late_gives_effect(line: Line, province: Province) -> None:
    """An event whose certificate arrives later takes effect then, everywhere alike."""
    doc = line.pc1.writer("An").create("case", {"name": "thật"})
    officer = Stranger(province, "c1", is_certified=True)
    head = line.pc1.store.document(doc).state.heads
    frames = [officer.genesis.to_frame(), officer.event(doc, head, [["set", "name", "sửa"]]).to_frame()]
    line.hub.store.receive(frames)
    line.everyone()
    assert line.province.store.document(doc).value("name") == "thật"
    line.hub.store.receive(province.issued)
    line.everyone()
    stores = [line.hub.store, line.district.store, line.province.store, line.pc1.store]
    assert [s.document(doc).value("name") for s in stores] == ["sửa"] * 4


def test_role_that_may_not_is_refused_with_the_reason(line: Line, province: Province) -> None:
    """An approval by an officer without the role is stored, refused everywhere, and delays nothing."""
    doc = line.pc1.writer("An").create("case", {"name": "x"})
    line.pc1.writer("An").act(doc, "hand", {"to": "c1"})
    clerk = Stranger(province, "c1", is_certified=True)
    head = line.pc1.store.document(doc).state.heads
    bad = clerk.event(doc, head, [["act", "main", "decide", {}]])
    line.hub.store.receive([*province.issued, clerk.genesis.to_frame(), bad.to_frame()])
    line.everyone()
    line.pc2.writer("Bình").act(doc, "decide")
    line.everyone()
    for store in (line.province.store, line.pc1.store):
        assert store.document(doc).state.refused == {bad.id: Reason.ROLE}
        assert store.document(doc).state.tasks["main"].step == "done"


def test_parent_that_lost_its_store_gets_everything_again(line: Line, province: Province) -> None:
    """A parent that comes back empty is noticed by its own numbers, and everything is sent again."""
    doc = line.lone.writer("Em").create("case", {"name": "x"})
    sync(line.lone, line.district)
    old = line.district
    empty = Store.create(
        province.folder / "huyen-moi", old.secrets, types=[CASE], root=province.anchor,
        trust=province.trust, unit="d1", serves=True, database="sqlite://", clock=province.tick,
        rng=province.rng.randbytes, threads=1,
    )  # fmt: skip
    empty.receive(province.issued)
    line.district = Machine(empty, old.secrets, old.officers, old.folder)
    sync(line.lone, line.district)
    assert len(empty.history(doc)) == 1
    assert levels(line.lone, doc) == ["district"]


def test_stranger_is_told_nothing(line: Line, tmp_path: Path) -> None:
    """A machine of another province can neither ask nor be asked, even if it lies about whom it serves."""
    other = Line(Province(tmp_path / "khac", seed=2))
    with pytest.raises(UpstreamRefused):
        sync(other.pc1, line.hub)
    with pytest.raises(UpstreamRefused):
        sync(line.hub, line.pc1)
    requester = Requester(line.pc1.store, "hub")
    log = line.pc1.store.machine_log

    def ask_a_liar() -> None:
        asked = requester.next_request()
        assert asked is not None
        request = packets.parse_request(asked, packets.LIMITS)[0]
        assert isinstance(request, packets.Request)
        assert (request.cursor, request.frames, request.published.wanted) == (None, [], ())
        lie = Responder(other.hub.store)._challenge(other.hub.store.machine_log, requester._asked, log)
        requester.take_answer(401, lie)

    ask_a_liar()  # once more, as it might be a server of a unit that is new
    with pytest.raises(UpstreamMalformed):
        ask_a_liar()


@pytest.mark.parametrize(
    "rubbish", [b"", b"<html>", b"\x01junk", b"\x00\xa0", pack_packet([1, "answer", b"", b"", b""])]
)
def test_rubbish_is_an_error_on_either_side(line: Line, rubbish: bytes) -> None:
    """Whatever is not of this protocol gets a clear error, and changes nothing."""
    assert Responder(line.hub.store).respond(rubbish)[0] == 400
    requester = Requester(line.pc1.store, "hub")
    requester.next_request()
    with pytest.raises(UpstreamMalformed):
        requester.take_answer(200, rubbish)


def test_bomb_is_refused(line: Line) -> None:
    """A packet that grows without end when it is decompressed is refused at the limit."""
    import zstandard

    bomb = b"\x01" + zstandard.ZstdCompressor(level=19).compress(bytes(200 * 2**20))
    assert len(bomb) < 50_000
    assert Responder(line.hub.store).respond(bomb)[0] == 400


class Stranger:
    """A key with a log of its own, written by hand."""

    def __init__(self, province: Province, unit: str, *, is_certified: bool = False) -> None:
        self.key = SigningKey(province.rng.randbytes(32))
        cert = province.certify(self.key.public, unit, "Lạ", ["clerk"]).id if is_certified else b""
        self.genesis = build(
            self.key, log=b"", seq=0, prev=b"", doc_type="log", doc_id=typed_id("log", b"s" * 16), parents=(),
            time_ms=1, schema=0, ops=[Genesis(self.key.public, cert, unit, 0).to_op()], salt=b"s" * 16,
        )  # fmt: skip

    def event(self, doc: bytes, parents: list[bytes], ops: list[Any]) -> Any:
        """Signs one event of the document ``doc``."""
        codec.encode(ops)
        return build(
            self.key, log=self.genesis.id, seq=1, prev=self.genesis.id, doc_type="case", doc_id=doc,
            parents=parents, time_ms=2, schema=1, ops=ops, salt=b"t" * 16,
        )  # fmt: skip
