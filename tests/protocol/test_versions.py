"""Old and new programs on one network: what one does not understand it keeps, hands on, and reads later."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from onestop_sync import codec
from onestop_sync.errors import StoreTooNew
from onestop_sync.event import parse_header
from onestop_sync.fold import Standing
from onestop_sync.schema import MAIN, DocumentType, Field, Task, Transition
from onestop_sync.storage import feed, transaction
from onestop_sync.store import Store
from tests.protocol.parents import kinds, sync
from tests.province import CASE, CLERK, JUDGE, Machine, Province

OLD = (CASE,)
_WORKFLOW = CASE.tasks[0]
_RECALL = Transition("recall", frozenset({"work"}), "in", JUDGE, needs=("to",), moves=True, since=2)
CASE_2 = replace(
    CASE,
    version=2,
    base=1,
    fields=(*CASE.fields, Field("colour", since=2)),
    tasks=(Task(MAIN, _WORKFLOW.initial, (*_WORKFLOW.transitions, _RECALL)),),
)
PETITION = DocumentType(
    "petition",
    fields=(Field("text"),),
    tasks=(
        Task(MAIN, "in", (Transition("hand", frozenset({"in"}), "in", CLERK, needs=("to",), moves=True),)),
    ),
)
NEW = (CASE_2, PETITION)


class Mixed:
    """Province, district and a machine of c1 with the older program; machines of c1 and c2 with the newer."""

    def __init__(self, folder: Path) -> None:
        self.clock = Province(folder, types=OLD)
        make = self.clock.machine
        self.province = make("tinh", "p", {"Phúc": ["judge", "boss", "clerk"]}, serves=True)
        self.district = make("huyen", "d1", serves=True)
        self.old = make("cu", "c1", {"An": ["clerk"]})
        self.clock.types = NEW
        self.new = make("moi", "c1", {"Cúc": ["clerk"]}, database="sqlite://")
        self.far = make("xa", "c2", {"Em": ["clerk"]}, database="sqlite://")

    @property
    def below(self) -> list[Machine]:
        """The machines of the communes."""
        return [self.old, self.new, self.far]

    def everyone(self) -> None:
        """Carries everything up, and down again."""
        for _ in range(2):
            for child in self.below:
                sync(child, self.district)
            sync(self.district, self.province)
        for child in self.below:
            sync(child, self.district)

    def update(self, machine: Machine) -> None:
        """Installs the newer program on a machine."""
        machine.store.close()
        machine.store = Store.open(
            machine.folder, machine.secrets, types=NEW, clock=self.clock.tick, rng=self.clock.rng.randbytes,
            threads=1,
        )  # fmt: skip


@pytest.fixture
def mixed(tmp_path: Path) -> Mixed:
    """Give it."""
    return Mixed(tmp_path)


def frames(machine: Machine, doc: bytes) -> dict[bytes, Any]:
    """Returns the events of a document as they travel."""
    return {r.event.id: r.event.to_frame() for r in machine.store.history(doc)}


def standings(machine: Machine, doc: bytes) -> list[tuple[str, str]]:
    """Returns what became of a document's events, in the order in which they came."""
    return [(str(r.standing), str(r.reason)) for r in machine.store.history(doc)]


def test_what_is_newer_passes_older_programs_unchanged_and_counts_after_their_update(mixed: Mixed) -> None:
    """Relays hand on what they do not understand; updated one by one, all end with the same."""
    cuc = mixed.new.writer("Cúc")
    case = cuc.create("case", {"name": "Hường", "code": "A", "colour": "đỏ"})
    petition = cuc.create("petition", {"text": "kính gửi"})
    cuc.act(petition, "hand", {"to": "c2"})
    mixed.everyone()
    for machine in (mixed.district, mixed.province, mixed.old):
        for doc in (case, petition):
            assert frames(machine, doc) == frames(mixed.new, doc)
            assert {s for s, _ in standings(machine, doc)} == {Standing.WAITING}
        assert standings(machine, case) == [(Standing.WAITING, "newer")]
        assert kinds(machine) == []
    assert {r.delivery.level for r in mixed.new.store.history(petition)} == {"province"}
    # Where it goes can only be read by a newer district; everything else did not wait for that.
    assert mixed.far.store.history(petition) == []
    mixed.update(mixed.district)
    mixed.everyone()
    assert mixed.far.store.document(petition).value("text") == "kính gửi"
    mixed.update(mixed.old)
    mixed.update(mixed.province)
    mixed.everyone()
    for machine in (mixed.district, mixed.province, mixed.old):
        assert machine.store.document(case).value("colour") == "đỏ"
        for kind in ("case", "petition"):
            assert machine.store.fingerprints(kind) == mixed.new.store.fingerprints(kind)


def test_work_goes_on_between_versions(mixed: Mixed) -> None:
    """What uses nothing new counts at older programs at once; only what has seen something new waits."""
    an, cuc = mixed.old.writer("An"), mixed.new.writer("Cúc")
    doc = an.create("case", {"name": "Hường", "code": "A"})
    mixed.everyone()
    cuc.edit(doc, {"phone": "1", "members/bố": True})
    cuc.note(doc, "remarks", "đã xem")
    mixed.everyone()
    assert {s for s, _ in standings(mixed.old, doc)} == {Standing.STANDS}
    assert mixed.old.store.document(doc).value("phone") == "1"
    coloured = cuc.edit(doc, {"colour": "đỏ"})
    after = cuc.edit(doc, {"phone": "2"})
    assert [parse_header(e.header_bytes).schema for e in (coloured, after)] == [2, 1]
    mixed.everyone()
    assert standings(mixed.old, doc)[-2:] == [(Standing.WAITING, "newer"), (Standing.WAITING, "newer")]
    an.edit(doc, {"phone": "3"})  # had not seen it, and is not held up by it
    an.act(doc, "hand", {"to": "p"})
    mixed.everyone()
    mixed.province.writer("Phúc").act(doc, "decide", values={"verdict": "được"})
    mixed.everyone()
    assert mixed.old.store.document(doc).state.tasks[MAIN].step == "done"
    for machine in (mixed.old, mixed.district, mixed.province):
        mixed.update(machine)
    mixed.everyone()
    state = mixed.old.store.document(doc).state
    assert sorted(value for _, value in state.registers["phone"].live) == ["2", "3"]
    assert mixed.old.store.document(doc).value("colour") == "đỏ"
    prints = [m.store.fingerprints("case") for m in (mixed.old, mixed.new, mixed.district, mixed.province)]
    assert prints == [prints[0]] * 4


def test_an_event_names_the_lowest_version_that_folds_it() -> None:
    """Additions since the base are told apart; where rules changed, every event wants the newest version."""
    changed = replace(CASE_2, base=0)
    cases: list[tuple[list[Any], int]] = [
        (["set", "name", "x"], 1),
        (["set", "_void", "x"], 1),
        (["set", "colour", "x"], 2),
        (["resolve", "colour", "x", "vì", []], 2),
        (["note", "remarks", "x"], 1),
        (["note", "colour", "x"], 2),
        (["set", "nothing", "x"], 2),
        (["act", MAIN, "hand", {}], 1),
        (["act", MAIN, "recall", {}], 2),
        (["act", "nothing", "hand", {}], 2),
        (["settle", MAIN, b"", b"", "vì", []], 1),
    ]
    for op, version in cases:
        assert CASE_2.needed([op]) == version, op
        assert changed.needed([op]) == 2
    assert CASE_2.needed([op for op, _ in cases]) == 2
    assert CASE.needed([cases[0][0]]) == 1


def test_older_relays_hand_on_what_a_newer_province_publishes(mixed: Mixed) -> None:
    """Unknown facts of the trust document and unknown files reach those below them unchanged."""
    mixed.clock.publish(mixed.province.store, facts={"colours": ["đỏ"]})
    mixed.clock.publish_files(mixed.province.store, colours__cbor=codec.encode([9, {"a": 1}]))
    mixed.everyone()
    for machine in (mixed.district, *mixed.below):
        assert machine.store.trust.document.facts == {"colours": ["đỏ"]}
        assert machine.store.publication.files == mixed.province.store.publication.files
        assert kinds(machine) == []


def test_parts_of_another_version_hold_up_nothing(mixed: Mixed) -> None:
    """A frame, a header or an item of a feed that is not of this version is left out; the rest counts."""
    cuc = mixed.new.writer("Cúc")
    first, second = (cuc.create("case", {"name": name, "code": name}) for name in "AB")
    good = [frame for doc in (first, second) for frame in frames(mixed.new, doc).values()]
    header = codec.decode(good[0][0])
    newer = [codec.encode([header[0] + 1, *header[1:]]), *good[0][1:]]
    longer = [*good[0], {"more": 1}]
    log = mixed.new.store.history(first)[0].event.log
    proofs = mixed.new.store.introduction(log)
    outcomes = mixed.district.store.receive([*proofs, newer, longer, *good])
    assert [o.code for o in outcomes if not o.is_stored] == ["malformed"] * 2
    assert mixed.district.store.document(second).value("name") == "B"
    read = feed.read

    def with_more(*args: Any, **options: Any) -> Any:
        items, cursor, has_more = read(*args, **options)
        return [feed.Item(0, bytes(32), 9, ["something new"], b""), *items], cursor, has_more

    with mock.patch.object(feed, "read", with_more):
        sync(mixed.old, mixed.district)
    assert mixed.old.store.document(first).value("name") == "A"
    assert sync(mixed.old, mixed.district).received == 0


def test_what_waits_for_an_update_is_no_strangers(mixed: Mixed) -> None:
    """However much of a newer program waits, whoever is newly certified there is still taken."""
    with mock.patch.object(transaction, "WAITING_QUOTA", 3):
        cuc = mixed.new.writer("Cúc")
        for n in range(5):
            cuc.create("petition", {"text": str(n)})
        sync(mixed.new, mixed.district)
        stranger = Province(mixed.clock.folder / "khác", seed=2).machine("lạ", "c1", {"Ai": ["clerk"]})
        doc = stranger.writer("Ai").create("case", {"name": "x"})
        log = stranger.store.history(doc)[0].event.log
        origin = [stranger.store.introduction(log)[-1], *frames(stranger, doc).values()]
        outcomes = mixed.district.store.receive(origin, mixed.new.store.machine_log)
        assert "quota" not in {o.code for o in outcomes}


def test_an_older_program_leaves_a_newer_store_alone(mixed: Mixed) -> None:
    """After a step back to an older program, the store is refused and untouched, and the newer opens it."""
    mixed.old.writer("An").create("case", {"name": "Hường"})
    mixed.update(mixed.old)
    mixed.old.store.close()
    with pytest.raises(StoreTooNew):
        Store.open(mixed.old.folder, mixed.old.secrets, types=OLD, threads=1)
    mixed.update(mixed.old)
    assert mixed.old.store.count("case") == 1
