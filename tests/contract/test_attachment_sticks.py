"""Attachments on sticks: up, down, past a machine without a line, in parts, in the wrong order, and mixed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from onestop_sync import shelf
from onestop_sync.attachment import CHUNK_BYTES, Manifest
from onestop_sync.bundle import export_bundle, import_bundle, outgoing
from onestop_sync.errors import BundleRejected
from onestop_sync.storage import chunks, tables
from onestop_sync.testing.contract_attachments import scan, whole
from onestop_sync.testing.small_province import CLERK, Machine, SmallProvince, sync


class Road:
    """A commune without a line, its district and province, another commune, and a stick."""

    def __init__(self, folder: Path) -> None:
        self.office = SmallProvince(folder, lambda _: "sqlite://")
        machine = self.office.machine
        self.top = machine("top", "p", serves=True)
        self.district = machine("district", "d1", serves=True)
        self.pc = machine("pc", "c1", {"an": CLERK})
        self.pc2 = machine("pc2", "c1", {"chi": CLERK})
        self.lone = machine("lone", "c2", {"em": CLERK})
        for each in (self.top, self.district, self.pc, self.pc2, self.lone):
            each.store.receive(self.office.issued)
        self.stick = folder / "stick"
        self.stick.mkdir()

    def attach(self, machine: Machine, officer: str, data: bytes) -> tuple[bytes, Manifest]:
        """Attaches a file to a new matter."""
        hand = machine.writer(officer)
        doc = hand.create("matter", {"name": "x"})
        manifest = shelf.take_in(machine.store, io.BytesIO(data), "scan.jpg", "image/jpeg")
        hand.edit(doc, {"papers/form": manifest.to_value()})
        return doc, manifest

    def carry(self, maker: Machine, reader: Machine) -> list[Path]:
        """Takes everything that one machine has for another to it; returns the files."""
        report = export_bundle(maker.store, self.stick, [reader.secrets.machine.public])
        paths = list(report.parts or (report.path,))
        for path in paths:
            assert import_bundle(reader.store, path).left_out == 0
        return paths


@pytest.fixture
def road(tmp_path: Path) -> Iterator[Road]:
    """Machines that have not met."""
    made = Road(tmp_path)
    yield made
    made.office.close()


def level(machine: Machine, doc: bytes) -> str:
    """Returns how far a matter's only attachment has got, as a machine knows."""
    (found,) = shelf.attached(machine.store, doc)
    return found.delivery.level


def test_a_stick_takes_scans_up_and_brings_the_parents_word(road: Road) -> None:
    """What goes by stick arrives as it was; the return stick says so, and then nothing is sent again."""
    data = scan(9 * CHUNK_BYTES + 3)
    doc, manifest = road.attach(road.pc, "an", data)
    road.carry(road.pc, road.district)
    assert whole(road.district.store, manifest) == data
    assert level(road.pc, doc) == "here"
    sync(road.district, road.top)
    sync(road.district, road.top)
    road.carry(road.district, road.pc)
    assert level(road.pc, doc) == "province"
    assert shelf.unsent(road.pc.store).files == 0
    assert export_bundle(road.pc.store, road.stick, [road.district.secrets.machine.public]).chunks == 0


def test_a_neighbour_is_the_courier(road: Road) -> None:
    """Scans of a machine without a line go by stick to one that has one, and on from there."""
    data = scan(4 * CHUNK_BYTES)
    doc, manifest = road.attach(road.pc, "an", data)
    road.carry(road.pc, road.pc2)
    sync(road.pc2, road.district)
    assert whole(road.district.store, manifest) == data
    sync(road.pc2, road.district)
    road.carry(road.pc2, road.pc)
    assert level(road.pc, doc) == "district"


def test_what_is_wanted_comes_with_the_next_stick(road: Road) -> None:
    """A machine without a line asks by stick, and the return stick brings what it asked for and no more."""
    data = scan(5 * CHUNK_BYTES)
    doc, manifest = road.attach(road.pc2, "chi", data)
    _, other = road.attach(road.pc2, "chi", scan(CHUNK_BYTES, 2))
    sync(road.pc2, road.district)
    road.carry(road.pc, road.district)
    road.carry(road.district, road.pc)
    assert not shelf.attached(road.pc.store, doc)[0].is_here
    shelf.want(road.pc.store, [manifest])
    road.carry(road.pc, road.district)
    road.carry(road.district, road.pc)
    assert whole(road.pc.store, manifest) == data
    with road.pc.store.reading() as connection:
        assert chunks.state_of(connection, other.content) is False


def test_large_ones_go_in_parts_and_any_of_them_may_come_again(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parts hold a bounded number of chunks; whatever the order in which they come, the file is whole."""
    monkeypatch.setattr(outgoing, "_FIRST_BYTES", 3 * CHUNK_BYTES)
    monkeypatch.setattr(outgoing, "_PART_BYTES", 4 * CHUNK_BYTES)
    data = scan(12 * CHUNK_BYTES)
    doc, manifest = road.attach(road.pc, "an", data)
    report = export_bundle(road.pc.store, road.stick, [road.district.secrets.machine.public])
    first, *rest = report.parts
    assert len(rest) == 3
    assert report.chunks == 13
    store = road.district.store
    assert import_bundle(store, rest[1]).left_out == 4  # nothing here names them yet
    import_bundle(store, first)
    with pytest.raises(BundleRejected):
        import_bundle(store, first)
    import_bundle(store, rest[2])
    import_bundle(store, rest[0])
    with store.reading() as connection:
        assert chunks.held(connection, [manifest.content])[manifest.content].here == 8
    again = import_bundle(store, rest[1])  # older than the last one, and yet not in vain
    assert (again.chunks, again.left_out) == (4, 0)
    assert whole(store, manifest) == data
    with pytest.raises(BundleRejected):
        import_bundle(store, rest[1])
    assert level(road.pc, doc) == "here"


def test_line_and_stick_share_the_work(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of a file by stick, the other half by line: what the stick brought is not sent again."""
    monkeypatch.setattr(outgoing, "_FIRST_BYTES", 5 * CHUNK_BYTES)
    data = scan(10 * CHUNK_BYTES)
    _, manifest = road.attach(road.pc, "an", data)
    report = export_bundle(road.pc.store, road.stick, [road.district.secrets.machine.public])
    import_bundle(road.district.store, report.parts[0])
    assert sync(road.pc, road.district).chunks_up == 6
    assert whole(road.district.store, manifest) == data


def test_a_stick_for_a_commune_holds_no_scan_of_another(road: Road) -> None:
    """A machine that asks by stick for what is not in its unit's scope gets nothing of it."""
    _, manifest = road.attach(road.pc, "an", scan(3 * CHUNK_BYTES))
    sync(road.pc, road.district)
    with road.lone.store.writing() as transaction:  # it knows the name from elsewhere
        chunks.numbers_of(transaction.connection, [manifest.content], 1)
        chunks.want(transaction.connection, [manifest.content])
    road.carry(road.lone, road.district)
    road.carry(road.district, road.lone)
    with road.lone.store.reading() as connection:
        assert chunks.state_of(connection, manifest.content) is False
        assert chunks.load_index(connection, manifest.content) is None


def test_a_stick_brings_no_scan_into_another_communes_dossier(road: Road) -> None:
    """Chunks that a unit may not bring are left out at the district, whatever the stick says."""
    data = scan(3 * CHUNK_BYTES)
    doc, manifest = road.attach(road.pc, "an", data)
    sync(road.pc, road.district)
    with road.district.store.writing() as transaction:
        connection = transaction.connection
        for table in (tables.chunk, tables.piece):
            connection.execute(table.delete())
        connection.execute(tables.content.update().values(size=-1, complete=0))
    with road.lone.store.writing() as transaction:
        chunks.numbers_of(transaction.connection, [manifest.content], 1)
    monkey = pytest.MonkeyPatch()
    with road.pc.store.reading() as connection:
        pieces = [p for place in range(4) if (p := chunks.piece_at(connection, manifest.content, place))]
    monkey.setattr(outgoing, "_lots", lambda *_: iter([pieces]))
    report = export_bundle(road.lone.store, road.stick, [road.district.secrets.machine.public])
    monkey.undo()
    assert import_bundle(road.district.store, report.path).left_out == 4
    assert not shelf.attached(road.district.store, doc)[0].is_here
