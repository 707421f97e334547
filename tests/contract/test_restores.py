"""Restores at many points of random days: nothing is used twice, and nothing is lost that a peer had seen.

Each day is one machine with its backups on a stick, its parent, and a colleague who works on the same
dossiers through that parent. Now and then the machine is lost and restored: with a line or without one, from
the last backup or an older one, once or twice from the same, beside the old store or in its place.
"""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from commune_client.desk.desk import Desk
from onestop_sync import backup
from onestop_sync.event import parse_header
from onestop_sync.storage import tables as t
from onestop_sync.store import Store
from tests.unit.cli_world import PASSPHRASE, Commune, exchange, take_in

POINTS = int(os.environ.get("ONESTOP_RESTORES", "100"))
"""Restores in all; `make restores` asks for a thousand."""
DAYS = max(4, -(-POINTS // 125))
"""So many points a day that each kind of restore is met, and no more than there are spare blocks."""
MORE = tuple((first, first + 59) for first in range(2001, 9940, 60))
"""Spare blocks of the machine: many more than anybody has in the field."""
STEPS = ("work", "work", "work", "sync", "colleague", "backup")


def events_of(store: Store) -> Iterator[tuple[bytes, int, bytes]]:
    """Yield log, sequence and id of every event in a store."""
    with store.reading() as connection:
        for row in connection.execute(sa.select(t.event.c.id, t.event.c.header)):
            header = parse_header(row.header)
            yield header.log or bytes(row.id), header.seq, bytes(row.id)


class Day:
    """One machine's day."""

    def __init__(self, folder: Path, seed: int) -> None:
        """Make the machines."""
        self.rng = random.Random(seed)
        self.commune = Commune(folder)
        self.stick = folder / "stick"
        self.stick.mkdir()
        self.hub = self.commune.hub()
        self.place = self.commune.place("may-1")
        self.other = self.commune.desk(self.commune.place("may-2", "Bình"))
        self._give_blocks(self.place.secrets("An", PASSPHRASE).machine.public)
        self.desk: Desk = self.place.unlock("An", PASSPHRASE)
        self.places: dict[tuple[bytes, int], bytes] = {}
        self.codes: dict[str, bytes] = {}
        self.seen_by_peers: set[bytes] = set()
        self.made: list[Path] = []
        self.reached: Counter[str] = Counter()
        self.sync()
        self.backup()

    def _give_blocks(self, machine: bytes) -> None:
        """Certify the machine with many blocks; the certificate comes by its parent."""
        province = self.commune.province
        held = province.office.find_authority(machine)[1]
        event = province.hand.certify(replace(held, blocks=(*held.blocks, *MORE)))
        proof = province.office.introduction(event.log)
        assert not [o for o in self.hub.store.receive([*proof, event.to_frame()]) if o.code]

    # ---- what is watched

    def watch(self) -> None:
        """Note every place in a log and every code; one that is used twice ends the test."""
        for log, seq, event in events_of(self.desk.store):
            assert self.places.setdefault((log, seq), event) == event, "a place in a log was used twice"
        self.reached["events"] = len(self.places)

    def work(self) -> None:
        """Take in a dossier, or write into one."""
        if self.rng.random() < 0.6 or not self.codes:
            done = take_in(self.desk, nguoi_nop=f"Nguyễn Văn {self.rng.randrange(99)}")
            code = self.desk.show(done).code
            assert self.codes.setdefault(code, done) == done, "a code was issued twice"
            self.reached["codes"] += 1
        else:
            doc = self.rng.choice(sorted(self.codes.values()))
            if self._has(doc):
                self.desk.note(doc, f"ghi chú {self.rng.randrange(999)}")
        self.watch()

    def _has(self, doc: bytes) -> bool:
        return any(row.doc == doc for row in self.desk.dossiers(limit=1000).rows)

    def colleague(self) -> None:
        """Let the colleague take in and write through the same parent."""
        done = take_in(self.other)
        code = self.other.show(done).code
        assert self.codes.setdefault(code, done) == done, "a code was issued twice"
        for row in self.other.dossiers(limit=3).rows:
            self.other.note(row.doc, "máy hai")
        exchange(self.other.store, self.hub.store)
        self.reached["colleague"] += 1

    def sync(self) -> None:
        """Exchange with the parent."""
        exchange(self.desk.store, self.hub.store)
        self.seen_by_peers |= {event for _, _, event in events_of(self.hub.store)}
        self.watch()
        self.reached["sync"] += 1

    def backup(self) -> None:
        """Write a backup to the stick."""
        self.made.append(backup.make(self.desk.store, self.stick, keep=5, part_bytes=2**16).path)
        self.reached["backup"] += 1

    # ---- the machine is lost

    def restore(self) -> None:
        """Lose the machine, and restore it in one of the ways."""
        made = [path for path in self.made if path.exists()]
        path = made[-1] if self.rng.random() < 0.6 else self.rng.choice(made)
        self.reached["older" if path != made[-1] else "newest"] += 1
        twice = self.rng.random() < 0.3
        for _ in range(1 + twice):
            self._restore(path)
            if self.rng.random() < 0.5:
                self.reached["offline"] += 1
                self.work()  # before anybody was asked
        self.reached["twice"] += twice

    def _restore(self, path: Path) -> None:
        self.desk.close()
        folder = self.place.folder
        if self.rng.random() < 0.5:
            self.reached["aside"] += 1
            done = backup.restore(path, folder, PASSPHRASE, replace=True, now_ms=self.commune.clock())
            assert done.aside is not None
            shutil.rmtree(done.aside)
        else:
            shutil.rmtree(folder)
            backup.restore(path, folder, PASSPHRASE)
        self.desk = self.place.unlock("An", PASSPHRASE)
        self.reached["restored"] += 1
        self.watch()

    def end(self) -> None:
        """Bring everything together, and look."""
        for desk in (self.desk, self.other):
            desk.notebook.flush()  # or its timer may write between a sync and the comparison
        for _ in range(2):
            self.sync()
            exchange(self.other.store, self.hub.store)
        here = {event for _, _, event in events_of(self.desk.store)}
        assert self.seen_by_peers <= here, "something is lost that a peer had seen"
        assert self.desk.store.digest() == self.hub.store.digest()
        assert self.desk.store.status().forks == self.hub.store.status().forks == 0
        assert self.desk.store.status().unsent == 0

    def close(self) -> None:
        """Close everything."""
        self.desk.close()
        self.hub.store.close()
        self.commune.close()


@pytest.mark.parametrize("seed", range(DAYS))
def test_restores_reuse_and_lose_nothing(seed: int, tmp_path: Path, record_property: Any) -> None:
    """Restored at random points of random days, a machine reuses nothing, loses nothing, and converges."""
    day = Day(tmp_path, seed)
    points = -(-POINTS // DAYS)
    while day.reached["restored"] < points:
        for _ in range(day.rng.randrange(1, 5)):
            getattr(day, day.rng.choice(STEPS))()
        day.restore()
        if day.rng.random() < 0.3:
            day.end()
    day.end()
    day.close()
    record_property("reached", dict(day.reached))
    assert day.reached["restored"] >= points
    for what in ("codes", "sync", "colleague", "backup", "older", "newest", "twice", "offline", "aside"):
        assert day.reached[what] >= max(points // 25, 1), f"too few of {what}"
