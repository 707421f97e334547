"""The proof of a whole store: everything checks, or what does not is named, with what the store shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from onestop_sync import event as ev
from onestop_sync import publisher
from onestop_sync.event import Event
from onestop_sync.keys import SigningKey
from onestop_sync.storage import tables as t
from onestop_sync.storage.projection import pack, unpack
from onestop_sync.store import Store
from onestop_sync.trust import Cut
from onestop_sync.verification import StoreReport, verify_document, verify_store
from tests.province import BOSS, CLERK, JUDGE, Machine, Province


class World:
    """A commune's machine with three cases."""

    def __init__(self, folder: Path, database: str) -> None:
        self.province = Province(folder)
        self.pc: Machine = self.province.machine(
            "pc", "c1", {"an": CLERK, "binh": JUDGE | BOSS}, database=database
        )
        self.docs = [self.pc.writer("an").create("case", {"name": f"Người {n}"}) for n in range(3)]
        for doc in self.docs:
            self.pc.writer("an").act(doc, "hand", {"to": "c1"})
            self.pc.writer("binh").edit(doc, {"verdict": "đủ"})

    @property
    def store(self) -> Store:
        """The machine's store."""
        return self.pc.store

    def events(self, doc: int = 0) -> list[Event]:
        """Returns the events of a case."""
        return [record.event for record in self.store.history(self.docs[doc])]

    def change(self, statement: sa.Executable) -> None:
        """Changes the database behind the program's back."""
        with self.store.writing() as transaction:
            transaction.connection.execute(statement)


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[World]:
    """Give the world on each kind of database."""
    made = World(tmp_path, database_url)
    yield made
    made.store.close()
    made.province.office.close()


def told(report: StoreReport) -> set[tuple[str, bytes]]:
    """Lists what is not proven, and of what."""
    return {(problem.code, problem.subject) for problem in report.problems}


def test_a_sound_store_is_proven(world: World) -> None:
    """Every log, event and document is counted, progress is told, and nothing is missing."""
    seen: list[tuple[str, int, int]] = []
    report = verify_store(world.store, lambda *facts: seen.append(facts))
    with world.store.reading() as connection:
        count = connection.execute(sa.select(sa.func.count()).select_from(t.event)).scalar_one()
    assert (report.problems, report.documents, report.events) == ([], 3, count)
    assert (("events", count, count) in seen, ("documents", 3, 3) in seen) == (True, True)


def test_a_projection_that_was_changed_is_named(world: World) -> None:
    """What the store shows of one document differs from its events: that document is named, and no other."""
    with world.store.reading() as connection:
        query = sa.select(t.document.c.state).where(t.document.c.id == world.docs[1])
        state = unpack(connection.execute(query).scalar_one())
    state.registers["verdict"].live = ((state.registers["verdict"].live[0][0], "thiếu"),)
    world.change(sa.update(t.document).where(t.document.c.id == world.docs[1]).values(state=pack(state)))
    assert told(verify_store(world.store)) == {("projection", world.docs[1])}
    assert {p.code for p in verify_document(world.store, world.docs[1]).problems} == {"projection"}
    assert verify_document(world.store, world.docs[0]).problems == []


def body(event: Event) -> sa.Executable:
    """Changes a body."""
    assert event.body is not None
    return sa.update(t.event).where(t.event.c.id == event.id).values(body=event.body[:-1] + b"\0")


def signature(event: Event) -> sa.Executable:
    """Changes a signature."""
    return sa.update(t.event).where(t.event.c.id == event.id).values(signature=bytes(64))


def gone(event: Event) -> sa.Executable:
    """Deletes an event."""
    return sa.delete(t.event).where(t.event.c.id == event.id)


def bare(event: Event) -> sa.Executable:
    """Deletes a body, without any tombstone."""
    return sa.update(t.event).where(t.event.c.id == event.id).values(body=None)


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        (body, {"malformed", "no_parent", "projection", "broken"}),
        (signature, {"forged", "no_parent", "projection", "broken"}),
        (gone, {"no_parent", "projection"}),
        (bare, {"no_body", "projection"}),
    ],
)
def test_a_changed_event_is_named(
    world: World, change: Callable[[Event], sa.Executable], codes: set[str]
) -> None:
    """A body, a signature, an event or content that is not as it was signed is told, for its own document."""
    event = world.events(1)[1]
    world.change(change(event))
    report = verify_store(world.store)
    assert {p.code for p in report.problems} <= codes
    assert {p.code for p in report.problems} >= codes - {"broken"}
    assert {p.subject for p in report.problems} <= {e.id for e in world.events(1)} | {event.id, world.docs[1]}
    if change is not bare:
        assert [odd.holes for odd in report.odd_logs] == [((event.header.seq, event.header.seq),)]


def test_the_end_of_a_log_that_was_cut_away_is_named(world: World) -> None:
    """The last event of a log is missing though the store remembers it as the log's head."""
    last = max((e for doc in range(3) for e in world.events(doc)), key=lambda e: e.header.time_ms)
    world.change(gone(last))
    assert ("head", last.log) in told(verify_store(world.store))


def test_forks_and_holes_are_named_and_no_fault(world: World) -> None:
    """A log that was written on two machines, or that lacks a stretch, is listed with whose it is."""
    mine = sorted((e for d in range(3) for e in world.events(d)), key=lambda e: e.header.seq)
    key = world.pc.officers["an"].public
    log = next(e.log for e in mine if (g := world.store.trust.genesis(e.log)) and g.key == key)
    mine = [e for e in mine if e.log == log]
    fork = _forged(world, mine[1], mine[1].header.seq + 1)
    beyond = _forged(world, mine[-1], mine[-1].header.seq + 5)
    world.store.receive([fork.to_frame(), beyond.to_frame()])
    report = verify_store(world.store)
    assert report.problems == []
    (odd,) = report.odd_logs
    assert (odd.name, odd.unit, odd.forks) == ("an", "c1", (fork.header.seq,))
    assert odd.holes == ((mine[-1].header.seq + 1, beyond.header.seq - 1),)


def test_a_log_of_which_a_unit_gets_a_part_has_no_holes(world: World) -> None:
    """Of the province's log a commune has the certificates that concern it; nothing is wrong with that."""
    certify = world.province.certify
    certify(SigningKey(bytes(32)).public, "c9", "xã khác", ["clerk"])
    mine = certify(SigningKey(bytes([1] * 32)).public, "c1", "mới", ["clerk"])
    world.store.receive([mine.to_frame()])
    report = verify_store(world.store)
    assert (report.problems, report.odd_logs) == ([], [])


def _forged(world: World, after: Event, seq: int) -> Event:
    return ev.build(
        world.pc.officers["an"], log=after.log, seq=seq, prev=after.id, doc_type="case",
        doc_id=world.docs[0], parents=[world.events()[0].id], time_ms=1, schema=1,
        ops=[["note", "remarks", f"{seq}"]], salt=bytes(16),
    )  # fmt: skip


def test_a_cut_is_followed_by_the_hashes(world: World) -> None:
    """What lies behind a cut is proven by the chain of hashes, and not by the marks that the store keeps."""
    event = next(e for e in world.events(0) if len(e.header.parents) and e.header.seq == 1)
    key = world.pc.officers["binh"].public
    held = world.store.publication
    cuts = (Cut("stolen", key, "", {event.log: (event.header.seq, event.id)}),)
    document = replace(held.document, version=2, cuts=cuts)
    world.store.replace_trust(publisher.publish(held, world.province.root, now_ms=1, document=document))
    report = verify_store(world.store)
    assert (report.problems, report.refused) == ([], 2)
    # The mark that says which event is on the chain is believed by nobody here.
    world.change(sa.update(t.event).where(t.event.c.log_n > 0).values(chained=0))
    assert verify_store(world.store).problems == []


def test_another_anchor_proves_nothing(world: World) -> None:
    """A store whose publication is not by the root that it is held to is not proven at all."""
    world.store.root = bytes(32)
    report = verify_store(world.store)
    assert told(report) == {("publication", b"")}
    assert report.documents == 0
