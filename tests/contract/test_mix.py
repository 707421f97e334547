"""Lines, sticks to the parent, sticks to a neighbour, lost, late and repeated ones: any mix ends the same."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from onestop_sync.bundle import export_bundle, import_bundle
from onestop_sync.errors import BundleRejected, NotAllowed, NotFound
from onestop_sync.store import Store
from onestop_sync.testing.small_province import BOSS, CLERK, JUDGE, Machine, SmallProvince, sync

ALL = CLERK | JUDGE | BOSS
UNITS = {"top": "p", "district": "d1", "hub": "c1", "pc": "c1", "pc2": "c1", "lone": "c2"}
LINES = (("hub", "district"), ("district", "top"), ("pc", "hub"), ("pc2", "district"), ("lone", "district"))
STICKS = (("pc", "pc2"), ("pc2", "pc"), ("pc", "hub"), ("hub", "pc"), ("pc", "district"), ("district", "pc"),
          ("lone", "district"), ("district", "lone"), ("hub", "district"), ("district", "hub"))  # fmt: skip


class Run:
    """One run: six machines, and a drawer full of sticks."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.dice = random.Random(seed)
        self.province = SmallProvince(folder, lambda _: "sqlite://", seed=seed)
        self.machines: dict[str, Machine] = {}
        for name, unit in UNITS.items():
            serves = name in {"top", "district", "hub"}
            self.machines[name] = self.province.machine(name, unit, {name: ALL}, serves=serves)
        for machine in self.machines.values():
            machine.store.receive(self.province.issued)
        self.drawer = folder / "sticks"
        self.drawer.mkdir()
        self.made: list[tuple[Path, str]] = []
        self.docs: list[bytes] = []
        self.reached: Counter[str] = Counter()

    def step(self) -> None:
        """Lets one thing happen."""
        what = self.dice.choice(("write", "write", "write", "line", "make", "take", "take", "take"))
        getattr(self, what)()

    def write(self) -> None:
        """Writes on any machine; what may not be does not happen."""
        name = self.dice.choice(list(self.machines))
        hand, value = self.machines[name].writer(name), str(self.dice.randrange(5))
        if not self.docs or self.dice.random() < 0.3:
            self.docs.append(hand.create("matter", {"name": value}))
            return
        doc = self.dice.choice(self.docs)
        with suppress(NotAllowed, NotFound):
            if self.dice.random() < 0.2:
                hand.act(doc, "hand", {"to": self.dice.choice(("d1", "c1", "c2"))})
            else:
                hand.edit(
                    doc, {self.dice.choice(("phone", "name", "verdict", "tags/x")): value == "1" or value}
                )

    def line(self) -> None:
        """Synchronises over a line."""
        child, parent = self.dice.choice(LINES)
        sync(self.machines[child], self.machines[parent])
        self.reached["line"] += 1

    def make(self) -> None:
        """Makes a stick for one machine, or for the whole line above; it may lie in the drawer for long."""
        maker, reader = self.dice.choice(STICKS)
        self._make(maker, "" if maker == "pc" and self.dice.random() < 0.3 else reader)

    def _make(self, maker: str, reader: str) -> Path:
        recipients = [self.machines[reader].secrets.machine.public] if reader else []
        stick = export_bundle(self.machines[maker].store, self.drawer, recipients).path
        self.made.append((stick, reader))
        return stick

    def take(self) -> None:
        """Tries a stick of the drawer, where it belongs or at any other machine."""
        if not self.made:
            return
        stick, reader = self.dice.choice(self.made[-8:])
        is_right = self.dice.random() < 0.7
        self._take(reader if is_right and reader else self.dice.choice(list(self.machines)), stick)

    def _take(self, reader: str, stick: Path) -> None:
        try:
            report = import_bundle(self.machines[reader].store, stick)
        except BundleRejected as error:
            self.reached[str(error.details["reason"])] += 1
        else:
            assert report.rejected == []
            self.reached["taken"] += 1

    def settle(self) -> None:
        """Brings everything everywhere: over lines above the hub, by stick to three machines without one."""
        for _ in range(4):
            for maker, reader in (("pc", "pc2"), ("pc2", "hub"), ("lone", "district")):
                self._take(reader, self._make(maker, reader))
            for child, parent in (("hub", "district"), ("district", "top"), ("district", "top")):
                sync(self.machines[child], self.machines[parent])
            sync(self.machines["hub"], self.machines["district"])
            for maker, reader in (("hub", "pc2"), ("pc2", "pc"), ("district", "lone")):
                self._take(reader, self._make(maker, reader))


def seen(store: Store, docs: list[bytes]) -> dict[bytes, bytes]:
    """Returns the fingerprints of documents that are here."""
    found = store.fingerprints("matter")
    return {doc: found[doc] for doc in docs if doc in found}


@pytest.mark.parametrize("seed", range(4))
def test_any_mix_of_lines_and_sticks_ends_in_the_same_state(tmp_path: Path, seed: int) -> None:
    """Every machine ends with what the province has of its documents, all acknowledged, and no other."""
    run = Run(tmp_path, seed)
    for _ in range(80):
        run.step()
    run.settle()
    top = run.machines["top"].store
    state = {doc: top.document(doc).state for doc in run.docs}
    own = {name: {d for d, s in state.items() if UNITS[name] in s.units} for name in UNITS}
    full = top.fingerprints("matter")
    for name, machine in run.machines.items():
        below = {d for d, s in state.items() if set(s.units) & machine.store.below}
        assert seen(machine.store, run.docs) == {doc: full[doc] for doc in own[name] | below}, name
        assert (machine.store.status().unsent, machine.store.waiting()) == (0, []), name
        assert machine.store.status().forks == 0
    run.province.close()
    assert run.reached["taken"] > 20
    assert {"other", "repeated", "line"} <= set(run.reached), run.reached
