"""The audit trail in the library: written, carried, read by who may, changed by nobody."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from onestop_sync import audit
from onestop_sync import event as ev
from onestop_sync.errors import InvalidInput, NotAllowed
from onestop_sync.protocol import Requester, Responder
from onestop_sync.store import Store
from onestop_sync.trail import MAX_ENTRIES, SPAN_MS, TRAIL, Entry, merged, plan_batches
from onestop_sync.trust import ADMIN
from tests.province import CASE, Machine, Province

DAY_MS = 24 * 3600 * 1000


class World:
    """Two machines of one commune, one of another, and a district."""

    def __init__(self, folder: Path) -> None:
        self.province = Province(folder)
        self.district = self.province.machine("district", "d1", serves=True)
        self.pc = self.province.machine("pc", "c1", {"an": ["clerk"], "chu tich": [ADMIN, "boss"]})
        self.pc2 = self.province.machine("pc2", "c1", {"binh": ["clerk"]})
        self.other = self.province.machine("other", "c2", {"chi": ["clerk"]})

    def sync(self, *machines: Machine) -> None:
        """Lets machines speak with the district, one after the other."""
        for machine in machines:
            requester, responder = Requester(machine.store, "district"), Responder(self.district.store)
            while (request := requester.next_request()) is not None:
                requester.take_answer(*responder.respond(request))


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Make the machines."""
    return World(tmp_path)


def note(machine: Machine, name: str, *entries: Entry) -> bytes:
    """Writes a batch; returns its id."""
    (batch,) = audit.record(machine.store, machine.officers[name], entries)
    return batch


def told(store: Store) -> list[tuple[str, str]]:
    """Returns who did what, the newest first."""
    return [(line.who, line.entry.what) for line in audit.lines(store)]


def test_entries_travel_to_the_unit_and_those_above_and_to_nobody_else(world: World) -> None:
    """An officer's entries are read at the unit's machines and at the district, not in the next commune."""
    note(world.pc, "an", Entry(1, "login"), Entry(2, "read", bytes(16)))
    world.sync(world.pc, world.pc2, world.other)
    for machine in (world.pc, world.pc2, world.district):
        assert told(machine.store) == [("an", "read"), ("an", "login")]
    assert told(world.other.store) == []


def test_a_machine_writes_the_trail_and_nothing_else(world: World) -> None:
    """A machine's key may note a wrong passphrase; a dossier by its hand is refused."""
    store, machine = world.pc.store, world.pc.secrets.machine
    audit.record(store, machine, [Entry(5, "wrong_passphrase", who="an")])
    with pytest.raises(NotAllowed):
        store.writer(machine).create(CASE.name, {"name": "x"})
    world.sync(world.pc)
    (line,) = audit.lines(world.district.store)
    assert (line.who, line.is_machine, line.entry.what) == ("an", True, "wrong_passphrase")


@pytest.mark.parametrize("name", ["an", "chu tich"])
@pytest.mark.parametrize("op", [["set", "_void", "lý do"], ["note", "entries", []]], ids=["void", "note"])
def test_nobody_changes_a_batch(world: World, name: str, op: ev.Op) -> None:
    """Neither its author nor an administrator may void a batch or add to it."""
    batch = note(world.pc, "an", Entry(1, "login"))
    with pytest.raises(NotAllowed) as refused:
        world.pc.writer(name).write(batch, [op])
    assert refused.value.details["reason"] == "final"
    assert told(world.pc.store) == [("an", "login")]


def test_a_change_by_a_program_that_does_not_ask_takes_no_effect_anywhere(world: World) -> None:
    """A signed event that changes a batch is stored and refused, whoever signs it and wherever it arrives."""
    batch = note(world.pc, "an", Entry(1, "login"))
    store, signer = world.pc.store, world.pc.officers["chu tich"]
    with store.writing() as transaction:
        log = transaction.own_log(signer)
        heads = store.document(batch).state.heads
        forged = ev.build(
            signer, log=log.id, seq=log.seq + 1, prev=log.head, doc_type=TRAIL.name, doc_id=batch,
            parents=tuple(heads), time_ms=2, schema=1, ops=[["note", "entries", []]], salt=bytes(16),
        )  # fmt: skip
        outcomes = transaction.append.run([forged], 0, own=True)
    assert (outcomes[forged.id].code, outcomes[forged.id].reason) == ("refused", "final")
    world.sync(world.pc, world.pc2)
    assert told(world.pc2.store) == told(world.district.store) == [("an", "login")]
    assert world.pc2.store.document(batch).state.refused == {forged.id: "final"}


def test_the_trail_is_no_work(world: World) -> None:
    """Entries that wait to be sent are not counted as unsent work, and are sent all the same."""
    note(world.pc, "an", Entry(1, "login"))
    assert world.pc.store.status().unsent == 0
    world.pc.writer("an").create(CASE.name, {"name": "x"})
    assert world.pc.store.status().unsent == 1
    world.sync(world.pc)
    assert (len(told(world.district.store)), world.pc.store.status().unsent) == (1, 0)


def test_a_day_is_found_whatever_arrived_when(world: World) -> None:
    """The entries of a period are all found, and no others, however late they were written down."""
    start = 20_000 * DAY_MS
    note(world.pc, "an", Entry(start + 5, "read", b"\1" * 16))
    note(world.pc, "an", Entry(start - 1, "logout"))
    note(world.pc, "an", Entry(start + 1, "login"), Entry(start + SPAN_MS, "lock"))
    note(world.pc, "an", Entry(start + DAY_MS, "login"))
    found = audit.lines(world.pc.store, since_ms=start, until_ms=start + DAY_MS)
    assert sorted(line.entry.at_ms - start for line in found) == [1, 5, SPAN_MS]


def test_entries_about_one_dossier_are_found(world: World) -> None:
    """A dossier's entries are found by its id, with the code that people know it by."""
    doc = world.pc.writer("an").create(CASE.name, {"code": "A-1"})
    note(world.pc, "an", Entry(1, "read", doc), Entry(1, "read", b"\7" * 16))
    note(world.pc, "an", Entry(2, "login"))
    assert [(line.entry.what, line.label) for line in audit.lines(world.pc.store, doc=doc)] == [
        ("read", "A-1")
    ]


@pytest.mark.parametrize(
    "entry",
    [
        Entry(1, "read", code="Nguyễn Văn An"),
        Entry(1, "gossip"),
        Entry(1, "read", b"short"),
        Entry(-1, "read"),
        Entry(1, "read", code="001199012345 an"),
    ],
)
def test_an_entry_holds_codes_only(world: World, entry: Entry) -> None:
    """Words, names and kinds that nobody knows are refused before anything is written."""
    with pytest.raises(InvalidInput):
        audit.record(world.pc.store, world.pc.officers["an"], [entry])
    assert told(world.pc.store) == []


def test_many_entries_make_batches_that_fit_an_event(world: World) -> None:
    """A thousand entries over a week are a few events, each within an hour and within the size of one."""
    entries = [Entry(n * SPAN_MS // 5, "read", n.to_bytes(16)) for n in range(1000)]
    assert max(len(ops[0][2]) for ops in plan_batches(entries)) == 5
    assert len(plan_batches([e._replace(at_ms=1) for e in entries])) == 1000 // MAX_ENTRIES
    audit.record(world.pc.store, world.pc.officers["an"], entries)
    assert [line.entry for line in audit.lines(world.pc.store)] == entries[::-1]


def test_alike_entries_are_counted() -> None:
    """The same dossier read twice is one entry that says so; a search tells the most lines that it showed."""
    found = merged([Entry(1, "read", b"\1" * 16), Entry(2, "search", lines=9), Entry(3, "read", b"\1" * 16),
                    Entry(4, "search", lines=2)])  # fmt: skip
    assert found == [Entry(1, "read", b"\1" * 16, times=2), Entry(2, "search", times=2, lines=9)]


def test_an_export_holds_every_line_and_no_formula(world: World) -> None:
    """CSV and JSON tell the same; a name that begins like a formula is told as text."""
    clever = world.province.machine("clever", "c1", {"=cmd()": ["clerk"]})
    note(clever, "=cmd()", Entry(1, "login"), Entry(2, "export", lines=3, code="bundle"))
    found = list(audit.lines(clever.store))
    rows = list(csv.DictReader(io.StringIO(audit.to_csv(found).decode("utf-8-sig"))))
    facts = json.loads(audit.to_json(found))
    assert [row["what"] for row in rows] == [fact["what"] for fact in facts] == ["export", "login"]
    assert [(rows[0]["officer"], facts[0]["officer"])] == [("'=cmd()", "=cmd()")]
    assert facts[1]["at"] == "1970-01-01T00:00:00.001+00:00"


def test_two_events_of_a_fork_are_both_read(world: World) -> None:
    """A forked log may give a batch two events: both are read, and nothing is in conflict."""
    batch = note(world.pc, "an", Entry(1, "login"))
    event = world.pc.store.history(batch)[0].event
    twin = ev.build(
        world.pc.officers["an"], log=event.log, seq=event.header.seq, prev=event.header.prev,
        doc_type=TRAIL.name, doc_id=batch, parents=(), time_ms=9, schema=1,
        ops=plan_batches([Entry(9, "read", bytes(16))])[0], salt=b"\1" * 16,
    )  # fmt: skip
    assert [o.code for o in world.pc.store.receive([twin.to_frame()])] == [""]
    assert sorted(told(world.pc.store)) == [("an", "login"), ("an", "read")]
    assert world.pc.store.status().conflicts == 0
