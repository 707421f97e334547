"""The fast path, folding again, and another store: one history has one state, whatever way it came."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from onestop_sync import event as ev
from onestop_sync.errors import NotAllowed, NotFound
from onestop_sync.keyring import Secrets
from onestop_sync.keys import SigningKey
from onestop_sync.schema import MAIN, VOID
from onestop_sync.storage import tables as t
from onestop_sync.store import Store
from onestop_sync.testing.contract_base import forge
from onestop_sync.testing.small_province import BOSS, CLERK, JUDGE, Machine, SmallProvince, frames
from onestop_sync.writer import Writer

NAMES = ("a", "b", "c")


class Step(NamedTuple):
    """One thing that happens: at which machine, what, and with which value."""

    machine: int
    what: str
    value: int


EDITS = (
    "phone",
    "name",
    "tag",
    "paper",
    "note",
    "hand",
    "reject",
    "decide",
    "resolve",
    "settle",
    "void",
    "forge",
)
STEPS = st.builds(
    Step,
    st.integers(0, 2),
    st.sampled_from((*EDITS, "phone", "name", "share", "share", "hand", "reject", "forge")),
    st.integers(0, 5),
)


def played(text: str) -> list[Step]:
    """Reads ``machine, what, value`` of each step."""
    return [Step(int(word[0]), word[1:-1], int(word[-1])) for word in text.split()]


class Players:
    """Three machines of one commune, with an officer each who holds every role."""

    def __init__(self, folder: Path) -> None:
        self.province = SmallProvince(folder, lambda _: "sqlite://", seed=5)
        self.machines = [
            self.province.machine(name, "c1", {name: CLERK | JUDGE | BOSS, f"{name}2": CLERK})
            for name in NAMES
        ]
        for machine in self.machines:
            machine.store.receive(self.province.issued)
        self.made = 0

    def newcomer(self) -> Store:
        """Makes a store that knows no certificate."""
        self.made += 1
        secrets = Secrets("", bytes(48), SigningKey(bytes(32)), bytes(32), SigningKey(bytes(32)))
        return self.province.create(f"n{self.made}", secrets, "c1", database="sqlite://")

    def play(self, doc: bytes, step: Step) -> None:
        """Lets one thing happen; what may not be does not."""
        machine = self.machines[step.machine]
        with suppress(NotAllowed, NotFound):
            if step.what == "share":
                giver = self.machines[step.value % 3]
                machine.store.receive(frames(giver.store, [doc]))
            elif step.what == "forge":
                self._forge(machine, doc, step)
            else:
                self._edit(machine, doc, step)

    def _edit(self, machine: Machine, doc: bytes, step: Step) -> None:
        hand, text = machine.writer(NAMES[step.machine]), str(step.value)
        if step.what in {"resolve", "settle"}:
            self._settle(machine, hand, doc, text)
            return
        match step.what:
            case "phone" | "name":
                hand.edit(doc, {step.what: text})
            case "tag":
                hand.edit(doc, {f"tags/{step.value // 2}": bool(step.value % 2)})
            case "paper":
                hand.edit(doc, {f"papers/{step.value % 2}": step.value, "phone": text})
            case "note":
                hand.note(doc, "remarks", text)
            case "hand":
                hand.act(doc, "hand", {"to": "c1"}, values={"name": text} if step.value % 2 else {})
            case "reject":
                hand.act(doc, "reject", {"why": text})
            case "decide":
                hand.act(doc, "decide", values={"verdict": text})
            case "void":
                hand.void(doc, text)

    @staticmethod
    def _settle(machine: Machine, hand: Writer, doc: bytes, text: str) -> None:
        """Settles the first thing that is open, if there is one."""
        found = machine.store.document(doc)
        for key in found.conflicts[:1]:
            if key.startswith("task:"):
                hand.settle(doc, MAIN, found.state.tasks[MAIN].branches[0].node, "vì")
            else:
                hand.resolve(doc, key, None if key == VOID else text, "vì")

    def _forge(self, machine: Machine, doc: bytes, step: Step) -> None:
        """Signs what the store would not let its officer write."""
        key = machine.officers[NAMES[step.machine] + "2"]
        with machine.store.writing() as writing:
            head = writing.own_log(key).head
        with machine.store.reading() as connection:
            row = connection.execute(sa.select(t.event).where(t.event.c.id == head)).one()
        last = ev.parse([row.header, row.signature, row.body])
        heads = machine.store.document(doc).state.heads
        op: ev.Op = ["set", "verdict", "sai"] if step.value % 2 else ["act", MAIN, "decide", {}]
        machine.store.receive([forge(key, last, [op], doc=doc, parents=heads).to_frame()])


def fold_again(store: Store, doc: bytes) -> None:
    """Folds a document from all its events."""
    with store.writing() as writing:
        writing.append.refold([doc])


def deliver(store: Store, given_frames: Sequence[Any], dice: random.Random) -> None:
    """Delivers frames in any order, in batches, some of them twice, until all are stored."""
    left = list(given_frames)
    while left:
        dice.shuffle(left)
        size = dice.randint(1, len(left))
        found = store.receive([*left[:size], dice.choice(left)])
        again = {outcome.id for outcome in found if not outcome.is_stored}
        left = left[size:] + [frame for frame in left[:size] if ev.parse(frame).id in again]


def packed(store: Store, doc: bytes) -> bytes:
    """Returns the bytes of a document's state."""
    with store.reading() as connection:
        found = connection.execute(sa.select(t.document.c.state).where(t.document.c.id == doc)).scalar_one()
    return bytes(found)


@pytest.fixture(scope="module")
def players(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Players]:
    """Give three machines for all histories of this file."""
    found = Players(tmp_path_factory.mktemp("players"))
    yield found
    found.province.close()


def test_one_history_has_one_state(players: Players) -> None:
    """Stores that got one history in different orders hold the same bytes, folded again or not."""
    reached: Counter[str] = Counter()

    @settings(max_examples=40)
    @example(played("0phone1 1phone2 1name3 0hand0 2forge0 1share0 2share0 0resolve1 0decide1"), 1)
    @example(played("0hand0 1reject2 2name4 0forge1 1share0 1forge1 1settle0 2void1 2share1 1phone5"), 2)
    @example(played("0hand1 1name2 2reject3 0forge0 1share0 2share1 0share2 0settle0 1void3 2resolve1"), 3)
    @given(st.lists(STEPS, min_size=4, max_size=24), st.integers(0, 2**32))
    def run(steps: list[Step], seed: int) -> None:
        machines = players.machines
        doc = machines[0].writer("a").create("matter", {"name": "x"})
        for taker in machines[1:]:
            taker.store.receive(frames(machines[0].store, [doc]))
        for step in steps:
            players.play(doc, step)
        everything = {f[0]: f for machine in machines for f in frames(machine.store, [doc])}
        for machine in machines:
            machine.store.receive(list(everything.values()))
        wanted = packed(machines[0].store, doc)
        newcomers = [players.newcomer() for _ in range(2)]
        for i, store in enumerate(newcomers):
            deliver(store, list(everything.values()), random.Random(seed + i))
        for store in (*(machine.store for machine in machines), *newcomers):
            assert packed(store, doc) == wanted
            fold_again(store, doc)
            assert packed(store, doc) == wanted
        assert newcomers[0].digest() == newcomers[1].digest()
        _count(newcomers[0], doc, reached)
        for store in newcomers:
            store.close()

    run()
    rare = {
        what: reached[what]
        for what in ("conflict", "late", "dispute", "refused", "void")
        if reached[what] < 2
    }
    assert not rare, reached


def _count(store: Store, doc: bytes, reached: Counter[str]) -> None:
    """Counts what a history came to, so that the test is known to have met it."""
    state = store.document(doc).state
    reached["conflict"] += any(len(r.values()) > 1 for r in state.registers.values())
    reached["late"] += any(r.late or r.overruled for r in state.registers.values())
    reached["dispute"] += any(task.branches or task.lost for task in state.tasks.values())
    reached["refused"] += bool(state.refused)
    reached["void"] += state.is_void
