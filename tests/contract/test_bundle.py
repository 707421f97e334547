"""Bundles: what a stick carries, and each way in which one can be wrong."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import zstandard

from onestop_sync import publisher
from onestop_sync.bundle import BundleReport, export_bundle, file, import_bundle, owed
from onestop_sync.bundle.packet import Signed
from onestop_sync.errors import BundleRejected, InvalidInput, NotFound, Unreachable
from onestop_sync.keyring import Secrets
from onestop_sync.protocol import Requester, Responder
from onestop_sync.store import Store
from tests.province import CASE, Machine, Province

CLERKS: dict[str, Iterable[str]] = {"an": ["clerk"], "binh": ["judge"]}


class World:
    """A district, and in one commune a hub with two machines, none of which has a line unless it is used."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self.province = Province(folder / f"w{seed}", seed=seed)
        self.top = self.province.machine("top", "p", serves=True)
        self.district = self.province.machine("district", "d1", {"dung": ["judge"]}, serves=True)
        self.hub = self.province.machine("hub", "c1", {"hoa": ["clerk", "boss"]}, serves=True)
        self.pc = self.province.machine("pc", "c1", CLERKS)
        self.pc2 = self.province.machine("pc2", "c1", {"chi": ["clerk"]})
        self.other = self.province.machine("other", "c2", {"em": ["clerk"]})
        for machine in self.machines:
            assert not [o for o in machine.store.receive(self.province.issued) if o.code]
        self.stick = folder / f"stick{seed}"
        self.stick.mkdir()

    @property
    def machines(self) -> list[Machine]:
        """All machines but the office's."""
        return [self.top, self.district, self.hub, self.pc, self.pc2, self.other]

    def carry(self, sender: Machine, reader: Machine, *recipients: Machine) -> BundleReport:
        """Makes a bundle at one machine and takes it at another."""
        report = export_bundle(sender.store, self.stick, [r.secrets.machine.public for r in recipients])
        return import_bundle(reader.store, report.path)


def sync(child: Machine, parent: Machine) -> None:
    """Synchronises over a line."""
    requester, responder = Requester(child.store, "line"), Responder(parent.store)
    while (request := requester.next_request()) is not None:
        requester.take_answer(*responder.respond(request))


def change(path: Path, edit: Callable[[bytes], bytes]) -> Path:
    """Makes a changed copy of a file."""
    changed = path.with_name("changed" + path.suffix)
    changed.write_bytes(edit(path.read_bytes()))
    return changed


def refusal(store: Store, path: Path) -> str:
    """Returns why a file is refused, and holds that it changed nothing."""
    before = (store.digest(), store.status(), owed(store))
    with pytest.raises(BundleRejected) as caught:
        import_bundle(store, path)
    assert (store.digest(), store.status(), owed(store)) == before
    assert "Nothing was imported" in str(caught.value)
    return str(caught.value.details["reason"])


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Give a small province without lines."""
    return World(tmp_path)


def filed(machine: Machine, who: str = "an", name: str = "Nguyễn Văn An") -> bytes:
    """Files a case."""
    doc: bytes = machine.writer(who).create("case", {"name": name, "phone": "0903"})
    return doc


def test_a_stick_brings_work_up_and_acks_back(world: World) -> None:
    """Two walks with a stick bring the work of a machine without any line up, and its acks back."""
    doc = filed(world.pc)
    world.pc.writer("an").edit(doc, {"phone": "0904"})
    assert world.pc.store.status().unsent == 2
    up = world.carry(world.pc, world.district)
    assert (up.stored >= 2, up.rejected) == (True, [])
    assert owed(world.district.store) == [up.sender]
    assert world.district.store.document(doc).value("phone") == "0904"
    back = export_bundle(world.district.store, world.stick, [up.sender])
    assert owed(world.district.store) == []
    assert import_bundle(world.pc.store, back.path).acks > 0
    assert world.pc.store.status().unsent == 0
    assert world.pc.store.history(doc)[0].delivery.level == "district"


def test_a_decision_comes_down_and_only_what_is_new_goes_again(world: World) -> None:
    """The second round carries what happened since the first, in both directions, and nothing else."""
    doc = filed(world.pc)
    world.pc.writer("an").act(doc, "hand", {"to": "d1"})
    up = world.carry(world.pc, world.district)
    world.carry(world.district, world.pc, world.pc)
    world.district.writer("dung").act(doc, "decide", values={"verdict": "được"})
    extra = filed(world.pc, name="Trần Thị Bé")
    again = world.carry(world.pc, world.district)
    assert (again.number, again.events, again.stored) == (up.number + 1, 1, 1)
    down = world.carry(world.district, world.pc, world.pc)
    # What the machine brought itself is in it again, and is known.
    assert down.stored == 2  # the genesis of the district officer, and the decision
    assert world.pc.store.document(doc).state.tasks["main"].step == "done"
    assert world.pc.store.digest() == world.district.store.digest()
    assert world.pc.store.history(extra)[0].delivery.level == "district"


def test_sticks_and_lines_end_in_the_same_state(world: World) -> None:
    """One machine with a line, one with a stick to its parent, one with a stick to its neighbour converge."""
    docs = [filed(world.pc), filed(world.pc2, "chi", "Lê Văn Cường"), filed(world.hub, "hoa", "Phạm Hoa")]
    sync(world.hub, world.district)
    world.carry(world.pc, world.hub, world.hub)
    world.carry(world.pc2, world.pc, world.pc)
    world.carry(world.pc, world.hub)
    sync(world.hub, world.district)
    sync(world.district, world.top)
    sync(world.district, world.top)
    sync(world.hub, world.district)
    world.carry(world.hub, world.pc, world.pc)
    world.carry(world.pc, world.pc2, world.pc2)
    digests = {m.store.digest() for m in (world.top, world.district, world.hub, world.pc, world.pc2)}
    assert len(digests) == 1
    assert world.top.store.count("case") == len(docs)
    assert [m.store.status().unsent for m in (world.hub, world.pc, world.pc2)] == [0, 0, 0]
    assert world.pc2.store.history(docs[1])[0].delivery.level == "province"


def test_a_line_goes_on_where_a_stick_stopped(world: World) -> None:
    """What was acknowledged by stick is not sent again over a line to the same parent."""
    filed(world.pc)
    world.carry(world.pc, world.district)
    world.carry(world.district, world.pc, world.pc)
    requester, responder = Requester(world.pc.store, "line"), Responder(world.district.store)
    while (request := requester.next_request()) is not None:
        requester.take_answer(*responder.respond(request))
    assert requester.report.sent == 0


def test_a_lost_stick_loses_nothing(world: World) -> None:
    """Whatever was not acknowledged is in the next bundle too."""
    filed(world.pc)
    export_bundle(world.pc.store, world.stick)
    filed(world.pc)
    assert world.carry(world.pc, world.district).events == 2


def test_a_repeated_stick_is_told_as_such(world: World) -> None:
    """The same file a second time is refused as repeated."""
    filed(world.pc)
    path = export_bundle(world.pc.store, world.stick).path
    import_bundle(world.district.store, path)
    assert refusal(world.district.store, path) == "repeated"


def test_an_old_stick_is_told_as_such_unless_it_brings_something(world: World) -> None:
    """A bundle older than the last one is refused when nothing in it is new."""
    filed(world.pc)
    first = export_bundle(world.pc.store, world.stick).path
    filed(world.pc)
    world.carry(world.pc, world.district)
    assert refusal(world.district.store, first) == "old"
    assert import_bundle(world.hub.store, first).stored > 0


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.999])
def test_a_stick_pulled_out_too_early_is_told_as_such(world: World, kept: float) -> None:
    """A file that was not copied to its end is refused as partial, wherever it ends."""
    filed(world.pc)
    path = export_bundle(world.pc.store, world.stick).path
    cut = change(path, lambda data: data[: int(len(data) * kept)])
    assert refusal(world.district.store, cut) == "partial"


def test_any_flipped_bit_is_refused(world: World) -> None:
    """Not one bit of a bundle can be changed without its being refused."""
    filed(world.pc)
    path = export_bundle(world.pc.store, world.stick).path
    size = path.stat().st_size
    found = set()
    for at in range(0, size, 37):
        flipped = change(path, lambda data, at=at: data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])  # type: ignore[misc]
        found.add(refusal(world.district.store, flipped))
    assert found >= {"damaged", "not_bundle"}


def test_what_is_not_a_bundle_is_told_as_such(world: World, tmp_path: Path) -> None:
    """A photograph, an empty file, a folder and a missing file each have their own message."""
    photo = tmp_path / "anh.jpg"
    photo.write_bytes(b"\xff\xd8\xff\xe0" + os.urandom(1000))
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    store = world.district.store
    assert refusal(store, photo) == "not_bundle"
    assert refusal(store, empty) == "not_bundle"
    assert refusal(store, tmp_path) == "unreadable"
    assert refusal(store, tmp_path / "nowhere") == "unreadable"


def test_a_huge_file_is_refused_unread(world: World, tmp_path: Path) -> None:
    """A file beyond the limit is refused whatever it begins with."""
    huge = tmp_path / "huge"
    with huge.open("wb") as out:
        out.write(file.MAGIC)
        out.truncate(file.MAX_FILE_BYTES + 1)
    assert refusal(world.district.store, huge) == "too_large"


def test_a_newer_bundle_is_told_as_such(world: World) -> None:
    """A bundle of a later version asks for an update of the program."""
    path = export_bundle(world.pc.store, world.stick).path
    start = len(file.MAGIC) + 4
    newer = change(path, lambda data: data[: start + 1] + b"\x02" + data[start + 2 :])
    assert refusal(world.district.store, newer) == "newer"


def test_our_own_stick_is_told_as_such(world: World) -> None:
    """Who imports the bundle just made is told to carry it to somebody else."""
    filed(world.pc)
    assert refusal(world.pc.store, export_bundle(world.pc.store, world.stick).path) == "own"


def test_a_stick_for_others_stays_closed(world: World) -> None:
    """A machine of another commune cannot open what is not sealed to it."""
    filed(world.pc, name="Đặng Thị Hường")
    path = export_bundle(world.pc.store, world.stick).path
    assert refusal(world.other.store, path) == "other"


def test_a_stick_of_another_province_is_told_as_such(world: World, tmp_path: Path) -> None:
    """Another root is another province, and the message says so."""
    elsewhere = World(tmp_path, seed=2)
    path = export_bundle(elsewhere.pc.store, elsewhere.stick).path
    assert refusal(world.district.store, path) == "foreign"


def forged(world: World, secrets: Secrets, edit: Callable[[Signed], Signed] = lambda s: s) -> Path:
    """Makes a bundle for the district that a given machine key signed."""
    path = export_bundle(world.pc.store, world.stick).path
    envelope = file.parse(path.read_bytes())
    signed = edit(Signed.parse(file.open_body(envelope, world.district.secrets.seal_seed)))
    packet = signed.payload.sign(secrets.machine, signed.log)
    return sealed(world, packet, signed.log)


def sealed(world: World, packet: bytes, log: bytes) -> Path:
    """Seals anything to the district."""
    recipients = [world.district.secrets.seal_key]
    data, _ = file.seal(
        packet, root=world.province.anchor, sender=log, recipients=recipients, content_key=bytes(32)
    )
    path = world.stick / "forged"
    path.write_bytes(data)
    return path


def test_a_bundle_that_its_sender_did_not_sign_is_refused(world: World) -> None:
    """Anybody can seal a file to a public key; without the machine's signature it is not taken."""
    filed(world.pc)
    assert refusal(world.district.store, forged(world, world.other.secrets)) == "stranger"


def test_a_machine_that_nobody_certified_is_refused(world: World) -> None:
    """A signature by a key without a certificate opens nothing."""
    filed(world.pc)

    def drop(signed: Signed) -> Signed:
        intro = signed.payload.introduction
        return signed._replace(payload=signed.payload._replace(introduction=intro[-1:]))

    assert refusal(world.district.store, forged(world, world.pc.secrets, drop)) == "stranger"


def test_a_machine_of_another_line_is_refused(world: World) -> None:
    """A commune's bundle is not taken by another commune, even when it was sealed to it."""
    filed(world.other, "em")
    path = export_bundle(world.other.store, world.stick, [world.district.secrets.machine.public]).path
    packet = file.open_body(file.parse(path.read_bytes()), world.district.secrets.seal_seed)
    data, _ = file.seal(
        packet, root=world.province.anchor, sender=world.other.store.machine_log,
        recipients=[world.pc.secrets.seal_key], content_key=bytes(32),
    )  # fmt: skip
    path.write_bytes(data)
    assert refusal(world.pc.store, path) == "stranger"


def test_a_bomb_is_refused_in_bounded_memory(world: World) -> None:
    """A packet that unpacks to more than the limit is refused while it is unpacked."""
    bomb = b"\x01" + zstandard.ZstdCompressor(level=3).compress(bytes(file.MAX_FILE_BYTES + 2**20))
    assert len(bomb) < 100_000
    assert refusal(world.district.store, sealed(world, bomb, world.pc.store.machine_log)) == "damaged"


def test_a_forged_event_in_a_true_bundle_delays_no_other(world: World) -> None:
    """One damaged event is left out and named; the rest is stored, and the stick can come again."""
    filed(world.pc)
    filed(world.pc)

    def damage(signed: Signed) -> Signed:
        frames = [list(frame) for frame in signed.payload.frames]
        frames[-1][1] = bytes(64)
        return signed._replace(payload=signed.payload._replace(frames=frames))

    path = forged(world, world.pc.secrets, damage)
    report = import_bundle(world.district.store, path)
    assert [o.code for o in report.rejected] == ["forged"]
    assert world.district.store.count("case") == 1
    assert import_bundle(world.district.store, path).stored == 0
    assert world.carry(world.pc, world.district).stored == 1


def test_an_item_that_is_none_delays_no_other(world: World) -> None:
    """In what a parent sends down by stick, one item that is no frame is named, and the others count."""
    filed(world.pc)
    world.carry(world.pc, world.district)
    district = world.district
    path = export_bundle(district.store, world.stick, [world.pc2.secrets.machine.public]).path
    signed = Signed.parse(file.open_body(file.parse(path.read_bytes()), world.pc2.secrets.seal_seed))
    section = signed.payload.sections[0]
    payload = signed.payload._replace(sections=[section._replace(items=[[0, None], *section.items])])
    data, _ = file.seal(
        payload.sign(district.secrets.machine, signed.log), root=world.province.anchor,
        sender=signed.log, recipients=[world.pc2.secrets.seal_key], content_key=bytes(32),
    )  # fmt: skip
    path.write_bytes(data)
    report = import_bundle(world.pc2.store, path)
    assert [o.code for o in report.rejected] == ["malformed"]
    assert world.pc2.store.count("case") == 1


def test_a_bundle_that_is_malformed_inside_is_refused(world: World) -> None:
    """A certified sender's nonsense is refused as damaged, and changes nothing."""

    def nonsense(signed: Signed) -> Signed:
        section: Any = signed.payload._replace(frames=signed.payload.frames, introduction=[b"no frame"])
        return signed._replace(payload=section)

    assert refusal(world.district.store, forged(world, world.pc.secrets, nonsense)) == "damaged"


def test_the_name_and_the_head_name_nobody(world: World) -> None:
    """Neither the file's name nor any readable byte of it holds a name, a unit or a key."""
    filed(world.pc, name="NGUYEN VAN AN")
    report = export_bundle(world.pc.store, world.stick)
    data = report.path.read_bytes()
    keys = [m.secrets.machine.public for m in world.machines] + [m.secrets.seal_key for m in world.machines]
    for secret in (b"NGUYEN", "Xã".encode(), world.pc.store.machine_log, *keys):
        assert secret not in data
    assert report.path.name == f"{file.hint('machine', world.pc.store.machine_log).hex()}-0001.onestop"


def test_recipients_of_different_units_below_are_refused(world: World) -> None:
    """One bundle is never for two units that may not read the same."""
    both = [world.pc.secrets.machine.public, world.other.secrets.machine.public]
    with pytest.raises(InvalidInput):
        export_bundle(world.district.store, world.stick, both)
    with pytest.raises(NotFound):
        export_bundle(world.district.store, world.stick, [bytes(32)])


def test_a_bundle_down_holds_only_the_scope_of_its_reader(world: World) -> None:
    """What the district makes for one commune holds nothing of another's."""
    filed(world.other, "em", "Người Xã Hai")
    sync(world.other, world.district)
    filed(world.pc)
    world.carry(world.pc, world.district)
    world.carry(world.district, world.pc, world.pc)
    assert world.pc.store.count("case") == 1


def test_a_full_stick_is_told_and_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stick without space leaves no file behind, the work stays, and the message says what to do."""
    filed(world.pc)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unreachable, match="No space left"):
        export_bundle(world.pc.store, world.stick)
    monkeypatch.undo()
    assert list(world.stick.iterdir()) == []
    assert world.carry(world.pc, world.district).stored > 0


def test_a_stick_that_forgets_is_noticed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read back is compared, so a broken stick is told while the work is still here."""
    monkeypatch.setattr(Path, "read_bytes", lambda _: b"something else")
    with pytest.raises(Unreachable, match="read back"):
        export_bundle(world.pc.store, world.stick)


def test_a_newer_trust_document_comes_with_the_stick(world: World) -> None:
    """A machine without a line learns the newer tree from the parent's stick."""
    from dataclasses import replace

    newer = replace(world.province.document, version=7)
    world.district.store.replace_trust(
        publisher.publish(world.district.store.publication, world.province.root, document=newer, now_ms=1)
    )
    world.carry(world.pc, world.district)
    world.carry(world.district, world.pc, world.pc)
    assert world.pc.store.trust.document.version == 7
    report = export_bundle(world.pc.store, world.stick)
    signed = Signed.parse(
        file.open_body(file.parse(report.path.read_bytes()), world.district.secrets.seal_seed)
    )
    assert signed.payload.trust is not None  # the hub and the province may not have it yet


def test_two_copies_of_a_disk_are_both_told_everything_by_stick(world: World) -> None:
    """Where a copied disk brought the last stick, the other is not answered as if it were that one."""
    filed(world.pc)
    world.carry(world.pc, world.district)
    world.carry(world.district, world.pc, world.pc)
    world.pc.store.close()
    folder = world.pc.folder.with_name("copy")
    shutil.copytree(world.pc.folder, folder)
    copy = Machine(opened(world, folder), world.pc.secrets, world.pc.officers, folder)
    world.pc.store = opened(world, world.pc.folder)
    doc = filed(copy, name="Trần Thị Bé")
    for _ in range(5):
        world.carry(copy, world.district)
        world.carry(world.district, copy, copy)
    for _ in range(2):
        with suppress(BundleRejected):  # its number is lower, and it brings nothing
            world.carry(world.pc, world.district)
        world.carry(world.district, world.pc, world.pc)
    assert world.pc.store.document(doc).value("name") == "Trần Thị Bé"
    assert world.pc.store.digest() == copy.store.digest() == world.district.store.digest()


def opened(world: World, folder: Path) -> Store:
    """Opens the store of the machine without a line in a folder."""
    return Store.open(
        folder, world.pc.secrets, types=[CASE], clock=world.province.tick,
        rng=world.province.rng.randbytes, threads=1,
    )  # fmt: skip


def test_a_restored_parent_is_noticed_by_stick(world: World) -> None:
    """A parent that lost what it had acknowledged says so, and is given everything again."""
    doc = filed(world.pc)
    world.carry(world.pc, world.district)
    world.carry(world.district, world.pc, world.pc)
    assert world.pc.store.status().unsent == 0
    lost = Store.create(
        world.province.folder / "again", world.district.secrets, types=[CASE],
        root=world.province.anchor, trust=world.province.trust, unit="d1", serves=True,
        clock=world.province.tick, rng=world.province.rng.randbytes, threads=1,
    )  # fmt: skip
    lost.receive(world.province.issued)
    district = Machine(lost, world.district.secrets, world.district.officers)
    filed(world.pc)
    world.carry(world.pc, district)
    for _ in range(2):
        world.carry(district, world.pc, world.pc)
        world.carry(world.pc, district)
    assert lost.document(doc).value("phone") == "0903"
    assert lost.digest() == world.pc.store.digest()
