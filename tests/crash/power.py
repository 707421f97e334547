"""What a disk may hold after the power was cut, and whether what was told is there.

The model. A file's content is safe as of its last sync; each later write is lost, kept, or comes in parts:
sector by sector lost, kept or garbled, in any order. A garbled sector is garbled whole, with what was safe in
it before: disks write whole sectors. Names are safe once their folder was synced; of later ones a first part
is there, since file systems keep the order of names. What was told before the cut must be there.

``synchronous=NORMAL`` and ``OFF`` are worked through as well, and must lose something: what finds nothing
there would find nothing anywhere.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, Literal, NamedTuple, get_args

from tests.crash import forked, looking
from tests.crash.forked import Told
from tests.crash.tape import Op, read_tape, told_by
from tests.crash.trial import Stage, lost_by, work
from tests.crash.world import World

__all__ = ["SECTORS", "WAYS", "Cut", "Recorded", "Way", "draw", "image", "record", "survives"]

Way = Literal["lost", "kept", "mixed", "garbled"]
WAYS: Final[tuple[Way, ...]] = get_args(Way)
"""What becomes of writes that were not synced: all lost; all kept; each sector one of both; garbled too."""
SECTORS: Final = (512, 4096)
"""Bytes of a sector."""


class Recorded(NamedTuple):
    """A step with everything that it did to the disk.

    Attributes:
        stage: What the step found.
        ops: What it did, in order.
        world: What it left behind.
    """

    stage: Stage
    ops: list[Op]
    world: World


class Cut(NamedTuple):
    """A cut of the power.

    Attributes:
        at: How many things had been done.
        way: What becomes of writes that were not synced.
        sector: Bytes of a sector.
        seed: Of the dice.
    """

    at: int
    way: Way
    sector: int
    seed: int


def record(stage: Stage, step: str, folder: Path) -> Recorded:
    """Does a step, and keeps what it did.

    Args:
        stage: What it finds.
        step: Its name.
        folder: Where the copy goes.
    """
    world = stage.world.copy(folder)
    log = folder.with_name(f"{folder.name}.log")
    ended = forked.run(partial(work, world, step, False), log=log)
    assert not ended.broke, ended.broke
    ops = read_tape(log, folder)
    log.unlink()
    assert told_by(ops) == ended.told
    return Recorded(stage, ops, world)


def draw(recorded: Recorded, rng: random.Random, *, just_told: bool = False) -> Cut:
    """Draws a cut: anywhere, just after something was told, or while a write-ahead log grows.

    Args:
        recorded: The step.
        rng: The dice.
        just_told: Only after something was told, and not all is kept: where a control has most to lose.
    """
    ops = recorded.ops
    anywhere = list(range(len(ops) + 1))
    told = [n + 1 for n, op in enumerate(ops) if op.what == "told"] or anywhere
    growing = [n + 1 for n, op in enumerate(ops) if op.what == "write" and op.path.endswith("-wal")]
    places: list[tuple[list[int], Sequence[Way]]] = [
        (told, ["lost", "mixed"]), (anywhere, WAYS), (told, WAYS), (growing or anywhere, ["garbled"]),
    ]  # fmt: skip
    where, ways = places[0] if just_told else rng.choice(places[1:])
    return Cut(rng.choice(where), rng.choice(ways), rng.choice(SECTORS), rng.randrange(2**32))


def survives(recorded: Recorded, cut: Cut, step: str, folder: Path, *, goes_on: bool = False) -> list[str]:
    """Makes the disk that a cut leaves, and starts on it; returns what is lost.

    Args:
        recorded: The step.
        cut: Where the power was cut.
        step: The step's name.
        folder: Where the disk goes; removed afterwards.
        goes_on: Whether the day is gone on with.
    """
    world = image(recorded, cut, folder)
    told: Told = [*recorded.stage.told, *told_by(recorded.ops[: cut.at])]
    try:
        lost = lost_by(forked.run(partial(looking.look, world, step, told)))
        if goes_on and not lost:
            lost = lost_by(forked.run(partial(looking.go_on, world.later(), step, told)))
    finally:
        shutil.rmtree(folder)
    return lost


# ---- the disk


@dataclass
class _File:
    """A file's content: what is safe, and what was done since."""

    safe: bytes = b""
    pending: list[Op] = field(default_factory=list)


class _Disk:
    """Files and names below a folder, safe or not."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, _File] = {}
        self.folders: set[str] = set()
        self._unsafe: list[tuple[Op, _File | None]] = []
        self._now: dict[str, _File] = {}
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_dir():
                self.folders.add(name)
            elif not name.endswith("-shm"):
                self.names[name] = _File(path.read_bytes())
        self._now.update(self.names)

    def do(self, op: Op) -> None:
        """Takes one thing that was done."""
        if op.what in {"write", "cut"}:
            self._now[op.path].pending.append(op)
        elif op.what == "sync" and op.path in self._now:
            file = self._now[op.path]
            file.safe = _played(file.safe, file.pending)
            file.pending.clear()
        elif op.what == "sync":
            self._sync_folder(op.path)
        elif op.what != "told":
            self._name(op)

    def _name(self, op: Op) -> None:
        if op.what == "make" and op.path in self._now:
            return
        file = self._now.get(op.path)
        if op.what == "make":
            file = self._now[op.path] = _File()
        elif op.what in {"unlink", "rename"}:
            self._now.pop(op.path, None)
        if op.what == "rename" and file is not None:
            self._now[op.to] = file
        elif op.what == "rename":  # a folder, with all that is in it
            for name in [name for name in self._now if name.startswith(f"{op.path}/")]:
                self._now[op.to + name.removeprefix(op.path)] = self._now.pop(name)
        self._unsafe.append((op, file))

    def _sync_folder(self, folder: str) -> None:
        """Makes a folder's names safe, and all names before them: file systems keep that order."""
        last = max(
            (
                n
                for n, (op, _) in enumerate(self._unsafe)
                if _parent(op.path) == folder or _parent(op.to) == folder
            ),
            default=-1,
        )
        self.name_safely(last + 1)

    def name_safely(self, count: int) -> None:
        """Makes the first of the names safe that are not."""
        for op, file in self._unsafe[:count]:
            if op.what == "folder":
                self.folders.add(op.path)
            elif op.what == "make" and file is not None:
                self.names[op.path] = file
            elif op.what == "unlink":
                self.names.pop(op.path, None)
                self.folders.discard(op.path)
            elif op.what == "rename" and file is not None:
                self.names.pop(op.path, None)
                self.names[op.to] = file
            elif op.what == "rename":
                self._move(op.path, op.to)
        del self._unsafe[:count]

    def _move(self, old: str, new: str) -> None:
        self.folders = {new if name == old else name for name in self.folders}
        for name in [name for name in self.names if name.startswith(f"{old}/")]:
            self.names[new + name.removeprefix(old)] = self.names.pop(name)

    @property
    def unsafe_names(self) -> int:
        """How many things were done to names that no folder's sync has made safe."""
        return len(self._unsafe)


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _played(content: bytes, ops: list[Op]) -> bytes:
    """Returns what a content becomes when everything is done to it."""
    data = bytearray(content)
    for op in ops:
        if op.what == "cut":
            data = data[: op.at].ljust(op.at, b"\0")
        else:
            _put(data, op.at, op.data)
    return bytes(data)


def _put(data: bytearray, at: int, part: bytes) -> None:
    if len(data) < at:
        data.extend(bytes(at - len(data)))
    data[at : at + len(part)] = part


def image(recorded: Recorded, cut: Cut, folder: Path) -> World:
    """Makes the disk that a cut leaves.

    Args:
        recorded: The step.
        cut: Where the power was cut, and what became of what was not synced.
        folder: Where the disk goes.
    """
    rng = random.Random(cut.seed)
    disk = _Disk(recorded.stage.world.folder)
    for op in recorded.ops[: cut.at]:
        disk.do(op)
    kept = {"lost": 0, "kept": disk.unsafe_names}.get(cut.way)
    disk.name_safely(rng.randint(0, disk.unsafe_names) if kept is None else kept)
    folder.mkdir()
    for name in sorted(disk.folders):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, file in disk.names.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(_torn(file, cut, rng))
    return recorded.stage.world.at(folder).later()


def _torn(file: _File, cut: Cut, rng: random.Random) -> bytes:
    """Returns what a file holds after the cut."""
    if cut.way == "lost":
        return file.safe
    if cut.way == "kept":
        return _played(file.safe, file.pending)
    data = bytearray(_played(file.safe, list(_drawn(file.pending, cut.sector, rng))))
    if cut.way == "garbled":
        for at in {
            at // cut.sector * cut.sector for op in file.pending for at, _ in _sectors(op, cut.sector)
        }:
            if rng.random() < 1 / 4 and at < len(data):
                end = min(at + cut.sector, len(data))
                data[at:end] = rng.randbytes(end - at)
    return bytes(data)


def _drawn(ops: list[Op], sector: int, rng: random.Random) -> Iterator[Op]:
    """Yields the half of what was done that is kept, each write in sectors."""
    for op in ops:
        parts = (
            [op] if op.what == "cut" else [op._replace(at=at, data=part) for at, part in _sectors(op, sector)]
        )
        yield from (part for part in parts if rng.random() < 1 / 2)


def _sectors(op: Op, size: int) -> list[tuple[int, bytes]]:
    """Returns a write in the parts that fall into one sector each."""
    if op.what != "write":
        return []
    found, at, end = [], op.at, op.at + len(op.data)
    while at < end:
        stop = min(end, (at // size + 1) * size)
        found.append((at, op.data[at - op.at : stop - op.at]))
        at = stop
    return found
