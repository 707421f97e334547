"""Signed nonsense: what a certified key may say without stopping a store, on every database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from onestop_sync.event import LOG, Event, Genesis, Op, build, document_id, typed_id
from onestop_sync.keys import SigningKey
from onestop_sync.storage import documents
from tests.province import Machine, Province


class Hand:
    """A certified officer whose program asks no store whether it may write."""

    def __init__(self, province: Province) -> None:
        self.province = province
        self.key = SigningKey(province.rng.randbytes(32))
        self.cert = province.certify(self.key.public, "c1", "Người Lạ", ["clerk"]).id
        self.genesis = self.log_event(Genesis(self.key.public, self.cert, "c1", 0).to_op())
        self.last = self.genesis

    def log_event(self, op: Op) -> Event:
        """Returns a log's first event that says anything."""
        doc = typed_id(LOG, self.province.rng.randbytes(16))
        return self._build(b"", 0, b"", LOG, doc, (), [op])

    def event(
        self, ops: list[Op], doc: bytes = b"", parents: tuple[bytes, ...] = (), kind: str = "case"
    ) -> Event:
        """Returns the log's next event; without a document it creates one."""
        seq = self.last.header.seq + 1
        doc = doc or document_id(self.genesis.id, seq, kind)
        self.last = self._build(self.genesis.id, seq, self.last.id, kind, doc, parents, ops)
        return self.last

    def _build(
        self,
        log: bytes,
        seq: int,
        prev: bytes,
        kind: str,
        doc: bytes,
        parents: tuple[bytes, ...],
        ops: list[Op],
    ) -> Event:
        salt = self.province.rng.randbytes(16)
        return build(
            self.key, log=log, seq=seq, prev=prev, doc_type=kind, doc_id=doc, parents=parents, time_ms=1,
            schema=1, ops=ops, salt=salt,
        )  # fmt: skip


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[tuple[Machine, Hand]]:
    """Give a server on each kind of database, and a hand that it knows."""
    province = Province(tmp_path)
    hand = Hand(province)
    machine = province.machine("server", "p", serves=True, database=database_url)
    machine.store.receive([hand.genesis.to_frame()])
    yield machine, hand
    machine.store.close()


def taken(machine: Machine, *events: Event) -> list[str]:
    """Delivers events, and after them a good one, and returns what became of them."""
    return [o.code for o in machine.store.receive([e.to_frame() for e in events])]


@pytest.mark.parametrize("kind", ["a\0b", "\x1b[31m", "\x7f"])
def test_a_type_with_control_characters_is_no_event(server: tuple[Machine, Hand], kind: str) -> None:
    """A type's name that a database may not take is refused everywhere, and what follows is taken."""
    machine, hand = server
    good = hand.event([["set", "name", "An"]])
    assert taken(machine, hand.event([["set", "x", 1]], kind=kind), good) == ["malformed", ""]


@pytest.mark.parametrize(
    "facts", [{"unit": "a\0b"}, {"unit": "x" * 100}, {"epoch": 2**40}, {"epoch": True}, {"unit": ""}]
)
def test_a_log_that_no_database_can_hold_is_refused(
    server: tuple[Machine, Hand], facts: dict[str, Any]
) -> None:
    """A genesis with an impossible unit or epoch is malformed, and delays nothing that comes with it."""
    machine, hand = server
    plain = dict(Genesis(hand.key.public, hand.cert, "c1", 0).to_op()[1]) | facts
    good = hand.event([["set", "name", "An"]])
    assert sorted(taken(machine, hand.log_event(["log", plain]), good)) == ["", "malformed"]


def test_a_unit_that_nobody_can_name_takes_a_document_and_stops_nobody(server: tuple[Machine, Hand]) -> None:
    """A dossier handed to a unit with a senseless name is stored and listed; others go on."""
    machine, hand = server
    first = hand.event([["set", "name", "An\0\x1b[2J"], ["set", "code", "\0" + "9" * 3000]])
    away = hand.event([["act", "main", "hand", {"to": "a\0b"}]], first.header.doc_id, (first.id,))
    assert set(taken(machine, first, away, hand.event([["set", "name", "Bình"]]))) == {""}
    assert len(machine.store.page("case")) == 2


def test_lists_count_no_further_than_a_database_holds(
    server: tuple[Machine, Hand], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A document with more events that wait than its column holds is listed with the most that it holds."""
    monkeypatch.setattr(documents, "MAX_COUNT", 2)
    machine, hand = server
    first = hand.event([["set", "name", "An"]])
    doc = first.header.doc_id
    events = [first, *(hand.event([["set", "phone", str(n)]], doc, (bytes(32),)) for n in range(3))]
    machine.store.receive([e.to_frame() for e in events])
    (row,) = machine.store.page("case")
    assert row.waiting == 2
