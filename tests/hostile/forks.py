"""Equivocation: logs that branch at random points, told in any order to stores that know nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from onestop_sync import event as ev
from onestop_sync.event import Event
from onestop_sync.fold import Author, Entry, Reason, fold
from onestop_sync.schema import MAIN
from onestop_sync.storage import tables as t
from onestop_sync.storage.projection import pack
from onestop_sync.store import Store
from onestop_sync.testing.dice import Dice
from onestop_sync.testing.hostile import RawLog
from tests.hostile.material import Cast
from tests.province import CASE, Province


class Verdict(NamedTuple):
    """What a store makes of a history.

    Attributes:
        states: Document → bytes of its folded state.
        forked: Logs that are flagged.
        refused: Event → reason.
    """

    states: dict[bytes, bytes]
    forked: frozenset[bytes]
    refused: dict[bytes, str]


class History:
    """Officers of one commune who write two cases; some of their logs go on in two branches.

    Args:
        province: Certifies them.
        seed: Decides who writes what, and where a log branches.
    """

    def __init__(self, province: Province, seed: int) -> None:
        self.dice = Dice(seed, "forks")
        cast = Cast(province, self.dice)
        roles = (["clerk"], ["judge"], ["boss", "clerk"])
        self.authors = {n: Author("c1", frozenset({"c1"}), frozenset(r)) for n, r in enumerate(roles)}
        self.logs = [cast.officer(f"o{n}", r) for n, r in enumerate(roles)]
        self.by = {log.id: self.authors[n] for n, log in enumerate(self.logs)}
        self.events: list[Event] = [log.genesis for log in self.logs]
        self.heads: dict[bytes, list[bytes]] = {}
        self.forked: set[bytes] = set()
        for _ in range(2):
            self._write(self.logs[0], b"", [["set", "name", "x"], ["set", "phone", "0"]])
        for _ in range(14):
            self._step()
        while len(self.forked) < 2:
            self._branch(self.dice.pick([log for log in self.logs if len(log.events) > 1]))
        self.proofs = list(province.issued)

    def _step(self) -> None:
        log = self.dice.pick(self.logs)
        doc = self.dice.pick(sorted(self.heads))
        self._write(log, doc, [self._op()])
        if self.dice.happens(0.15):
            self._branch(log)

    def _op(self) -> list[Any]:
        value = str(self.dice.randrange(4))
        return self.dice.pick([
            ["set", "phone", value], ["set", "name", value], ["note", "remarks", value],
            ["set", "members/a", value == "1"], ["act", MAIN, "hand", {"to": "c1"}],
            ["act", MAIN, "decide", {}], ["act", MAIN, "reject", {"why": value}], ["set", "verdict", value],
        ])  # fmt: skip

    def _write(self, log: RawLog, doc: bytes, ops: list[Any]) -> None:
        """Writes upon some of what is there: often upon all heads, sometimes upon an older event."""
        new = not doc
        doc = doc or log.new_document(CASE)
        heads = self.heads.get(doc, [])
        if heads and self.dice.happens(0.3):
            heads = [self.dice.pick([e.id for e in self.events if e.header.doc_id == doc])]
        event = log.write(CASE, doc, sorted(heads), ops)
        self.events.append(event)
        before = [] if new else [h for h in self.heads[doc] if h not in heads]
        self.heads[doc] = [*before, event.id]

    def _branch(self, log: RawLog) -> None:
        """Goes on from a point before the log's end: everything after it has two events in one place."""
        if len(log.events) < 2:
            return
        self.forked.add(log.id)
        del log.events[self.dice.randrange(1, len(log.events)) :]
        for _ in range(1 + self.dice.randrange(3)):
            self._write(log, self.dice.pick(sorted(self.heads)), [self._op()])

    @property
    def frames(self) -> list[Any]:
        """Everything, proofs first."""
        return [*self.proofs, *(event.to_frame() for event in self.events)]

    def expected(self, order: Sequence[Event]) -> Verdict:
        """Folds the events, given in any order, without any store."""
        entries: dict[bytes, list[Entry]] = {}
        for event in order:
            if event.is_genesis:
                continue
            header = event.header
            is_origin = header.parents or header.doc_id == ev.document_id(event.log, header.seq, CASE.name)
            entry = Entry(
                event.id, header.parents, ev.parse_body(event.body or b""), self.by[event.log],
                header.time_ms, None if is_origin else Reason.ORIGIN,
            )  # fmt: skip
            entries.setdefault(header.doc_id, []).append(entry)
        states = {doc: fold(CASE, found) for doc, found in entries.items()}
        refused = {i: str(why) for state in states.values() for i, why in state.refused.items()}
        return Verdict({doc: pack(state) for doc, state in states.items()}, frozenset(self.forked), refused)


def deliver(store: Store, frames: Iterable[Any], dice: Dice) -> None:
    """Delivers frames in any order, in batches, some of them twice, until all are stored."""
    left = list(frames)
    while left:
        dice.shuffle(left)
        size = 1 + dice.randrange(len(left))
        found = store.receive([*left[:size], dice.pick(left)])
        again = {outcome.id for outcome in found if not outcome.is_stored}
        left = left[size:] + [frame for frame in left[:size] if ev.parse(frame).id in again]


def verdict(store: Store, docs: Iterable[bytes]) -> Verdict:
    """Reads what a store makes of documents."""
    with store.reading() as connection:
        query = sa.select(t.document.c.id, t.document.c.state).where(t.document.c.id.in_(list(docs)))
        states = {bytes(row.id): bytes(row.state) for row in connection.execute(query)}
        forked = connection.execute(sa.select(t.log.c.id).where(t.log.c.forked == 1)).scalars().all()
    refused = {i: str(why) for doc in states for i, why in store.document(doc).state.refused.items()}
    return Verdict(states, frozenset(map(bytes, forked)), refused)


def tell(folder: Path, histories: int, orders: int, seed: int = 1) -> dict[str, int]:
    """Tells histories in random orders; every store must come to what the fold of all events says.

    Some stores hear everything; the others each hear a part, and what they lack from one that has heard the
    other part: a partition that ends.

    Returns:
        What was tried: histories, orders, events, branches, refusals.
    """
    counts = dict.fromkeys(("histories", "orders", "events", "branched logs", "refused"), 0)
    for number in range(histories):
        province = Province(folder / f"{seed}-{number}", seed=seed * 1000 + number)
        history = History(province, seed * 1000 + number)
        wanted = history.expected(history.events)
        for order in range(orders):
            dice = Dice(seed, f"order {number} {order}")
            shuffled = dice.sample(history.events, len(history.events))
            assert history.expected(shuffled) == wanted, (number, order)
            for found in _heard(province, history, dice):
                assert found == wanted, (number, order)
        counts["histories"] += 1
        counts["orders"] += orders
        counts["events"] += len(history.events)
        counts["branched logs"] += len(wanted.forked)
        counts["refused"] += len(wanted.refused)
        province.office.close()
    return counts


def _heard(province: Province, history: History, dice: Dice) -> list[Verdict]:
    """Returns what stores that knew nothing make of a history that they hear in some order."""
    frames = dice.sample(history.frames, len(history.frames))
    is_parted = dice.happens(0.4)
    stores = [
        province._store("newcomer", province._secrets("x"), "c1", database="sqlite://")
        for _ in range(1 + is_parted)
    ]
    if is_parted:
        cut = dice.randrange(len(frames))
        # What begins no log that is here is not stored: it comes again with the other part.
        parts = frames[:cut], frames[cut:]
        for store, part in zip(stores, parts, strict=True):
            store.receive(part)
        held = [_held(store) for store in stores]
        for store, theirs in zip(stores, reversed(held), strict=True):
            store.receive(theirs)
    for store in stores:
        deliver(store, frames, dice)
    found = [verdict(store, history.heads) for store in stores]
    for store in stores:
        store.close()
    return found


def _held(store: Store) -> list[Any]:
    with store.reading() as connection:
        return [[row.header, row.signature, row.body] for row in connection.execute(sa.select(t.event))]
