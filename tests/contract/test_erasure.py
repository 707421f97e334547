"""A tombstone takes a document away everywhere, whatever comes first, and nothing else."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from onestop_sync import publisher, shelf
from onestop_sync.attachment import CHUNK_BYTES
from onestop_sync.bundle import export_bundle, import_bundle
from onestop_sync.document_evidence import Evidence
from onestop_sync.erasure import plan_erasure, plan_files
from onestop_sync.errors import InvalidInput, NotAllowed, NotFound
from onestop_sync.fold import Standing
from onestop_sync.proof import check
from onestop_sync.protocol import Requester, Responder
from onestop_sync.protocol.packets import LIMITS
from onestop_sync.publication import Publication
from onestop_sync.storage import chunks
from onestop_sync.storage import tables as t
from onestop_sync.store import Store
from onestop_sync.tombstone import ERASED, Buried, Tombstone, add, tombstones
from onestop_sync.verification import collect, verify_document, verify_store
from tests.province import BOSS, CASE, CLERK, JUDGE, Province

SECRET = "Nguyễn Thị Bí Mật"
WHY = "Luật Lưu trữ, hết thời hạn"


def exchange(child: Store, parent: Store) -> None:
    """Brings two stores to the same state, without a network."""
    requester, responder = Requester(child, "parent"), Responder(parent)
    while (request := requester.next_request()) is not None:
        requester.take_answer(*responder.respond(request))


class World:
    """A commune's machine with two cases, of which the first will be erased."""

    def __init__(self, folder: Path, database: Any) -> None:
        self.province = Province(folder)
        self.pc = self.province.machine("pc", "c1", {"an": CLERK, "binh": JUDGE | BOSS}, database=database)
        writer, judge = self.pc.writer("an"), self.pc.writer("binh")
        self.doc = writer.create("case", {"code": "X-1", "name": SECRET})
        self.kept = writer.create("case", {"code": "X-2", "name": "Trần Văn Ở Lại"})
        writer.note(self.doc, "remarks", f"{SECRET} hẹn quay lại")
        writer.act(self.doc, "hand", {"to": "c1"})
        judge.edit(self.doc, {"verdict": "đủ"})
        judge.note(self.kept, "remarks", "xen giữa")
        self.frames = [
            *self.province.issued,
            *self._frames(),
        ]

    def _frames(self) -> list[Any]:
        store = self.pc.store
        events = [r.event for doc in (self.doc, self.kept) for r in store.history(doc)]
        proofs = [frame for log in {e.log: 0 for e in events} for frame in store.introduction(log)]
        return [*proofs, *(event.to_frame() for event in events)]

    def erased(self) -> bytes:
        """Returns the publication that erases the first case."""
        report = verify_document(self.pc.store, self.doc)
        plan = plan_erasure(report, CASE, why=WHY, now_ms=self.province.clock_ms)
        held = self.pc.store.publication
        files = plan_files(held, [plan])
        return publisher.publish(held, self.province.root, now_ms=self.province.clock_ms, files=files)

    def reader(
        self, name: str, database: Any = "sqlite://", unit: str = "d1", *, serves: bool = False
    ) -> Store:
        """Makes another store that knows nothing yet."""
        return self.province._store(
            name, self.province._secrets(name), unit, serves=serves, database=database
        )


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    """Give the world on each kind of database."""
    made = World(tmp_path, database_url)
    yield made
    made.pc.store.close()
    made.province.office.close()


def rows_with(store: Store, text: str) -> list[str]:
    """Lists the columns of a database in which a text still stands."""
    wanted = text.encode()
    found = []
    with store.reading() as connection:
        for table in t.metadata.sorted_tables:
            for row in connection.execute(sa.select(table)):
                for column, value in row._mapping.items():
                    data = value if isinstance(value, bytes) else str(value).encode()
                    if wanted in data or text.lower().encode() in data.lower():
                        found.append(f"{table.name}.{column}")
    return found


def bodies(store: Store, doc: bytes) -> list[bool]:
    """Tells of each event of a document whether its body is here."""
    return [record.event.body is not None for record in store.history(doc)]


# ---- one store


def test_erasure_takes_the_content_and_keeps_the_row(world: World) -> None:
    """Bodies, projection, search text and title are gone; the label, the step and the signed headers stay."""
    store = world.pc.store
    assert rows_with(store, "Bí Mật")
    before = {r.event.id: (r.event.header_bytes, r.event.signature) for r in store.history(world.doc)}
    assert store.replace_trust(world.erased())
    assert rows_with(store, "Bí Mật") == []
    assert bodies(store, world.doc) == [False] * 4
    assert {r.event.id: (r.event.header_bytes, r.event.signature) for r in store.history(world.doc)} == before
    (row,) = [row for row in store.page("case") if row.doc == world.doc]
    assert (row.label, row.title, row.step, row.due_ms) == ("X-1", "", ERASED, None)
    assert store.lookup("case", "X-1") == world.doc
    assert [r.standing for r in store.history(world.doc)] == [Standing.STANDS] * 4
    tombstone = store.tombstone(world.doc)
    assert tombstone is not None
    assert (tombstone.why, tombstone.row) == (WHY, {"label": "X-1"})


def test_nothing_else_is_touched(world: World) -> None:
    """Another document, whose events stand between those of the erased one in the same logs, stays whole."""
    store = world.pc.store
    state = store.document(world.kept).state
    store.replace_trust(world.erased())
    assert store.document(world.kept).state == state
    assert all(bodies(store, world.kept))
    report = verify_store(store)
    assert (report.problems, report.odd_logs, report.erased) == ([], [], 1)
    world.pc.writer("an").note(world.kept, "remarks", "còn làm tiếp")


def test_nobody_writes_to_an_erased_document(world: World) -> None:
    """A new edit is refused with the reason, before anything is signed; so is reading it as a document."""
    store = world.pc.store
    store.replace_trust(world.erased())
    for work in (
        lambda: world.pc.writer("an").note(world.doc, "remarks", "muộn"),
        lambda: store.document(world.doc),
    ):
        with pytest.raises(NotAllowed) as error:
            work()
        assert error.value.details["reason"] == ERASED


def test_a_late_body_is_dropped(world: World) -> None:
    """Frames that bring the content again, known or new, leave none of it here."""
    store = world.pc.store
    late = world.reader("late")
    late.receive(world.frames)
    fresh = publisher_event(world)
    store.replace_trust(world.erased())
    outcomes = store.receive([*world.frames, fresh])
    assert [(o.code, o.reason) for o in outcomes] == [("refused", ERASED)]
    assert bodies(store, world.doc) == [False] * 5
    assert rows_with(store, "Bí Mật") == []
    assert store.history(world.doc)[-1].standing is Standing.REFUSED
    assert verify_store(store).problems == []


def publisher_event(world: World) -> Any:
    """Makes an event of the case that the tombstone cannot know."""
    from onestop_sync import event as ev

    last = [r.event for r in world.pc.store.history(world.doc) if r.author][-2]
    log = last.log
    top = max(
        (
            r.event
            for doc in (world.doc, world.kept)
            for r in world.pc.store.history(doc)
            if r.event.log == log
        ),
        key=lambda e: e.header.seq,
    )
    return ev.build(
        world.pc.officers["an"], log=log, seq=top.header.seq + 1, prev=top.id, doc_type="case",
        doc_id=world.doc, parents=[top.id], time_ms=1, schema=1,
        ops=[["note", "remarks", SECRET]], salt=bytes(16),
    ).to_frame()  # fmt: skip


def test_content_that_is_missing_is_not_acknowledged(world: World) -> None:
    """Headers that come without their content are stored of a document that was erased, and of no other."""
    reader = world.reader("reader")
    outcomes = reader.receive(bare(world))
    assert {o.code for o in outcomes if not o.is_stored} == {"withheld"}
    assert reader.count("case") == 0
    reader.replace_trust(world.erased())
    outcomes = reader.receive(bare(world))
    assert [o.code for o in outcomes if o.code].count("withheld") == 2  # of the other case
    assert reader.tombstone(world.doc) is not None
    reader.receive(world.frames)
    world.pc.store.replace_trust(reader.trust_bytes)
    assert reader.fingerprints("case") == world.pc.store.fingerprints("case")


def bare(world: World) -> list[Any]:
    """Returns all frames, those of cases without their bodies."""
    return [[frame[0], frame[1], None] if _of_case(frame) else frame for frame in world.frames]


def _of_case(frame: Sequence[Any]) -> bool:
    from onestop_sync import event as ev

    return ev.parse(frame).header.doc_type == "case"


def test_an_erased_document_is_proven_by_its_tombstone(world: World) -> None:
    """Evidence of an erased document proves the tombstone and every signature, from the root up."""
    store = world.pc.store
    store.replace_trust(world.erased())
    evidence = Evidence.parse(collect(store, world.doc).to_bytes())
    report = check(evidence, world.province.anchor, [CASE])
    assert (report.problems, report.notes) == ([], [])
    assert report.tombstone == store.tombstone(world.doc)
    assert [p.standing for p in report.events] == [Standing.STANDS] * 4
    assert all(p.chain and not p.ops for p in report.events)
    assert SECRET.encode() not in evidence.to_bytes()
    assert verify_document(store, world.doc).problems == []


def test_content_that_is_still_there_is_told(world: World) -> None:
    """A file in which the content of an erased document still stands proves that it should not."""
    before = collect(world.pc.store, world.doc)
    world.pc.store.replace_trust(world.erased())
    after = collect(world.pc.store, world.doc)
    mixed = Evidence(before.kind, before.doc, after.publication, before.frames, claim=after.claim)
    report = check(mixed, world.province.anchor, [CASE])
    assert {p.code for p in report.problems} == {"not_erased"}


# ---- the disk


def test_the_bytes_are_gone_from_the_disk(tmp_path: Path) -> None:
    """In an unencrypted SQLite file and its write-ahead log not one byte of the content is left."""
    world = World(tmp_path, f"sqlite:///{tmp_path / 'plain.db'}")
    store = world.pc.store
    for number in range(20):  # older versions of the projection as well
        world.pc.writer("an").note(world.doc, "remarks", f"{SECRET} {number}")
    store.replace_trust(world.erased())
    files = sorted(tmp_path.glob("plain.db*"))
    assert files
    found = [path.name for path in files if "Bí Mật".encode() in path.read_bytes()]
    assert found == []
    assert store.scrub()
    world.province.office.close()
    store.close()


def test_a_reader_holds_up_the_scrubbing_only_until_the_next_start(tmp_path: Path) -> None:
    """While another program reads, old pages stay in the log; the next start cuts it."""
    world = World(tmp_path, f"sqlite:///{tmp_path / 'plain.db'}")
    store = world.pc.store
    other = sa.create_engine(f"sqlite:///{tmp_path / 'plain.db'}")
    with other.connect() as reading:
        reading.exec_driver_sql("BEGIN")
        reading.exec_driver_sql("SELECT count(*) FROM event").fetchall()
        store.replace_trust(world.erased())
        assert not store.scrub()
        reading.exec_driver_sql("ROLLBACK")
    other.dispose()
    store.close()
    again = Store.open(
        store.folder, world.pc.secrets, types=[CASE], database=f"sqlite:///{tmp_path / 'plain.db'}",
        clock=world.province.tick, threads=1,
    )  # fmt: skip
    found = [p.name for p in tmp_path.glob("plain.db*") if "Bí Mật".encode() in p.read_bytes()]
    assert found == []
    again.close()
    world.province.office.close()


# ---- between stores


def test_a_relay_passes_on_what_is_left(world: World) -> None:
    """Up and down the line an erased document travels as headers; the receiver ends in the same state."""
    district = world.province.machine("district", "d1", serves=True, database="sqlite://")
    world.pc.store.replace_trust(world.erased())
    exchange(world.pc.store, district.store)  # up: the parent hears of the erasure
    exchange(world.pc.store, district.store)  # and takes what is left with the next sync
    assert bodies(district.store, world.doc) == [False] * 4
    other = world.province.machine("other", "c1", database="sqlite://")
    exchange(other.store, district.store)  # down: the publication comes with the same answer
    assert rows_with(other.store, "Bí Mật") == []
    assert world.pc.store.fingerprints("case") == district.store.fingerprints("case")
    assert world.pc.store.fingerprints("case") == other.store.fingerprints("case")
    for machine in (district, other):
        assert verify_store(machine.store).problems == []
        machine.store.close()


def test_a_publication_that_changes_meanwhile_costs_no_event(world: World) -> None:
    """A document that is erased above while a machine fetches what is published arrives whole."""
    district = world.province.machine("district", "d1", serves=True, database="sqlite://")
    other = world.province.machine("other", "c1", database="sqlite://")
    district.store.receive(world.province.issued)
    exchange(other.store, district.store)
    held = world.pc.store.publication
    document = replace(held.document, version=held.document.version + 1)
    world.pc.store.replace_trust(
        publisher.publish(held, world.province.root, now_ms=world.province.clock_ms, document=document)
    )
    exchange(world.pc.store, district.store)
    erased = world.erased()
    requester = Requester(other.store, "parent")
    responder = Responder(district.store, replace(LIMITS, answer_bytes=300))  # an event at a time
    for _ in range(60):  # it ends long before
        request = requester.next_request()
        if request is None:
            break
        requester.take_answer(*responder.respond(request))
        if requester.report.received:
            district.store.replace_trust(erased)  # its trust document has been asked for, and not come yet
    assert request is None
    assert bodies(other.store, world.doc) == [False] * 4
    assert district.store.fingerprints("case") == other.store.fingerprints("case")
    for machine in (district, other):
        machine.store.close()


def test_an_old_stick_brings_nothing_back(world: World, tmp_path: Path) -> None:
    """A bundle from before the erasure is imported, and its content of the erased document dropped."""
    district = world.province.machine("district", "d1", serves=True, database="sqlite://")
    world.pc.store.receive(world.province.issued)
    stick = export_bundle(world.pc.store, tmp_path / "old.bundle", [district.secrets.machine.public]).path
    district.store.replace_trust(world.erased())
    import_bundle(district.store, stick)
    assert rows_with(district.store, "Bí Mật") == []
    assert bodies(district.store, world.doc) == [False] * 4
    assert all(bodies(district.store, world.kept))
    world.pc.store.replace_trust(district.store.trust_bytes)
    assert district.store.fingerprints("case") == world.pc.store.fingerprints("case")
    district.store.close()


@pytest.mark.parametrize("seed", range(12))
def test_every_order_ends_in_the_same_state(world: World, seed: int) -> None:
    """Tombstone, events, events without bodies and late bodies in any order: the same at every store."""
    dice = random.Random(seed)
    publication = world.erased()
    want: dict[bytes, bytes] = {}
    stores = [world.reader(f"r{seed}.{n}", unit=unit) for n, unit in enumerate(("d1", "c1", "p"))]
    for store in stores:
        frames = [*world.frames, *([f[0], f[1], None] for f in world.frames if _of_case(f))]
        dice.shuffle(frames)
        cuts = sorted(dice.sample(range(len(frames)), 3))
        parts = [frames[a:b] for a, b in zip([0, *cuts], [*cuts, len(frames)], strict=True)]
        at = dice.randrange(len(parts) + 1)
        for number, part in enumerate(parts):
            if number == at:
                store.replace_trust(publication)
            store.append(store.prepare(part), is_limited=dice.random() < 0.5)  # by a stick, or a parent
        store.replace_trust(publication)
        for _ in range(3):  # what came before its log's first event was refused, and is offered again
            store.receive(world.frames)
        want = want or store.fingerprints("case")
        assert store.fingerprints("case") == want
        assert bodies(store, world.doc) == [False] * 4
        assert all(bodies(store, world.kept))
        assert rows_with(store, "Bí Mật") == []
        assert verify_store(store).problems == []
    world.pc.store.replace_trust(publication)
    assert world.pc.store.fingerprints("case") == want
    for store in stores:
        store.close()


# ---- the plan and the files


def test_only_what_is_proven_is_buried(world: World) -> None:
    """A document of which something is not proven, or that is erased already, has no plan."""
    report = verify_document(world.pc.store, world.doc)
    assert plan_erasure(report, CASE, why=WHY, now_ms=1).bodies == 4
    with pytest.raises(InvalidInput):
        plan_erasure(report, CASE, why=" ", now_ms=1)
    with world.pc.store.writing() as transaction:
        transaction.connection.execute(sa.update(t.document).values(state=b"wrong"))
    with pytest.raises(NotAllowed):
        plan_erasure(verify_document(world.pc.store, world.doc), CASE, why=WHY, now_ms=1)


def test_a_strange_key_erases_nothing(world: World) -> None:
    """Only the key that the root names for publishing makes a tombstone that anybody takes."""
    plan = plan_erasure(verify_document(world.pc.store, world.doc), CASE, why=WHY, now_ms=1)
    held = world.pc.store.publication
    with pytest.raises(NotAllowed):
        publisher.publish(held, world.pc.officers["an"], now_ms=1, files=plan_files(held, [plan]))


def test_thousands_of_tombstones_cost_one_small_file_each_time(tmp_path: Path) -> None:
    """Files that are full are never written again; reading 3,000 tombstones gives each back."""
    province = Province(tmp_path)
    held = Publication.parse(province.trust)
    stones = [
        Tombstone("case", n.to_bytes(16), n, WHY, ("c1",), {"label": f"X-{n}"},
                  {(n * 16 + i).to_bytes(32): Buried(Standing.STANDS) for i in range(10)})
        for n in range(1, 3001)
    ]  # fmt: skip
    files = add(held, stones)
    first = Publication.parse(publisher.publish(held, province.root, now_ms=1, files=files))
    assert tombstones(first) == {stone.doc: stone for stone in stones}
    one = Tombstone("case", bytes(16), 1, WHY, ("c1",), {"label": "X"}, {bytes(32): Buried(Standing.STANDS)})
    changed = add(first, [one, stones[0]])
    assert len(changed) == 1
    assert max(len(data) for data in files.values() if data) < 70_000
    assert sum(len(data) for data in files.values() if data) / 3000 < 600
    again = Publication.parse(publisher.publish(first, province.root, now_ms=1, files=changed))
    assert len(tombstones(again)) == 3001
    province.office.close()


# ---- scans


def test_the_scans_of_an_erased_document_go_with_it_and_no_others(world: World) -> None:
    """Chunks that only the erased case names are gone, also where they come later; shared ones stay."""
    store, writer = world.pc.store, world.pc.writer("an")
    page, own = bytes(CHUNK_BYTES), SECRET.encode() * 3000
    manifests = []
    for doc, data in ((world.doc, page + own), (world.kept, page + b"khac")):
        manifests.append(shelf.take_in(store, io.BytesIO(data), "x.jpg", "image/jpeg"))
        writer.edit(doc, {"phone": manifests[-1].to_value()})
    frames = world._frames()
    store.replace_trust(world.erased())
    assert rows_with(store, SECRET) == []
    assert b"".join(shelf.read(store, manifests[1])) == page + b"khac"
    with pytest.raises(NotFound):
        list(shelf.read(store, manifests[0]))
    late = world.reader("late")
    late.replace_trust(store.trust_bytes)
    late.receive([*world.province.issued, *frames])
    with late.reading() as connection:
        named = chunks.is_named(connection, [manifest.content for manifest in manifests])
    assert named == {manifests[1].content}
    late.close()
