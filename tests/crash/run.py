"""Which points are tried, and in which order; each is tried by itself, so any part can be run."""

from __future__ import annotations

import atexit
import gc
import hashlib
import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.crash import power, trial
from tests.crash.day import SAVING
from tests.crash.trial import FAULTS, Fault, Point, Stage
from tests.crash.world import Kind

__all__ = ["CONTROLS", "Task", "disturbances", "power_cuts", "seed_of_commit", "source_mark", "try_one"]

CONTROLS: Final = ("NORMAL", "OFF")
"""What is asked of SQLite instead of FULL; each must lose something."""
_ROOT: Final = Path(__file__).parents[2]
_GO_ON_EVERY: Final = 8
"""Of so many points, the day is gone on with after one."""


class Task(NamedTuple):
    """One thing to try.

    Attributes:
        what: The fault, or ``power``.
        kind: Of store.
        step: Of the day.
        call: Where it is disturbed; how SQLite is asked to sync, for a cut of power.
        n: Which of these calls; the dice's seed, for a cut of power.
    """

    what: str
    kind: Kind
    step: str
    call: str
    n: int

    @property
    def name(self) -> str:
        """By which it is known to a later run."""
        return "/".join(map(str, self))

    @property
    def goes_on(self) -> bool:
        """Whether the day is gone on with afterwards."""
        return hashlib.sha256(self.name.encode()).digest()[0] % _GO_ON_EVERY == 0


class Tried(NamedTuple):
    """What came of a task.

    Attributes:
        was_met: The fault was met.
        seconds: How long the restart took; 0 for a cut of power.
        lost: What was lost; empty when all is well.
    """

    was_met: bool
    seconds: float
    lost: tuple[str, ...]


# ---- what is tried


def disturbances(
    kinds: Iterable[Kind], faults: Iterable[Fault], seed: int, share: float = 1.0, *, in_turn: bool = False
) -> list[Task]:
    """Returns a share of the day's points, in an order of the dice.

    Args:
        kinds: Of store.
        faults: Each point is tried with each of them.
        seed: Of the dice.
        share: Of all points, at most 1.
        in_turn: Each point is tried with one of the faults instead.
    """
    rng = random.Random(seed)
    faults = list(faults)
    points = [
        (kind, step, call, n)
        for kind in kinds
        for step, stage in _stages(kind).items()
        for call, count in stage.calls.items()
        for n in range(1, count + 1)
    ]
    rng.shuffle(points)
    chosen = points[: max(1, round(len(points) * share))]
    if in_turn:
        return [Task(faults[n % len(faults)], *point) for n, point in enumerate(chosen)]
    return [Task(fault, *point) for point in chosen for fault in faults]


def power_cuts(kinds: Iterable[Kind], count: int, seed: int, synchronous: str = "FULL") -> list[Task]:
    """Returns so many cuts of the power, spread over the steps of the day; a control's where it saves."""
    steps = [(k, step) for k in kinds for step in _stages(k) if synchronous == "FULL" or step in SAVING]
    rng = random.Random(f"{seed}{synchronous}")
    return [Task("power", *steps[n % len(steps)], synchronous, rng.randrange(2**32)) for n in range(count)]


# ---- trying it


def try_one(task: Task) -> Tried:
    """Tries one thing, in this process's own world."""
    if task.what == "power":
        return Tried(True, 0.0, tuple(_cut(task)))
    point = Point(task.kind, task.step, task.call, task.n, _fault(task.what))
    found = trial.attempt(_stages(task.kind)[task.step], point, _workshop() / "try", goes_on=task.goes_on)
    return Tried(found.was_met, found.seconds, found.lost)


def _fault(name: str) -> Fault:
    return next(fault for fault in FAULTS if fault == name)


def _cut(task: Task) -> list[str]:
    recorded = _recorded(task.kind, task.step, task.call)
    is_control = task.call in CONTROLS
    cut = power.draw(recorded, random.Random(task.n), just_told=is_control)
    goes_on = task.goes_on and not is_control
    return power.survives(recorded, cut, task.step, _workshop() / "cut", goes_on=goes_on)


@cache
def _recorded(kind: Kind, step: str, synchronous: str) -> power.Recorded:
    stage = _stages(kind)[step]
    if synchronous != "FULL":
        stage = stage._replace(world=replace(stage.world, synchronous=synchronous))
    return power.record(stage, step, _workshop() / f"{kind}-{step}-{synchronous}")


@cache
def _stages(kind: Kind) -> dict[str, Stage]:
    found = trial.prepare(_workshop(), kind)
    gc.collect()
    gc.freeze()  # forked processes need not copy what their garbage collector would look at
    return found


@cache
def _workshop() -> Path:
    """Returns this process's folder, in memory where the system has such a place: no plug is pulled."""
    memory = Path("/dev/shm")
    folder = Path(
        tempfile.mkdtemp(prefix="onestop-crash-", dir=memory if os.access(memory, os.W_OK) else None)
    )
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


# ---- what makes a run the same as another


def source_mark() -> str:
    """Returns a hash of the program and of these tests: what an earlier run found holds for the same."""
    found = hashlib.sha256()
    for folder in ("onestop_sync", "commune_client", "tests/crash"):
        for path in sorted((_ROOT / folder).rglob("*.py")):
            found.update(path.read_bytes())
    return found.hexdigest()[:16]


def seed_of_commit() -> int:
    """Returns a number that changes with every commit, so that the suite tries other points each time."""
    named: Any = os.environ.get("ONESTOP_CRASH_SEED")
    if named:
        return int(named)
    done = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=_ROOT, capture_output=True, text=True, check=False
    )
    return int(done.stdout.strip()[:8] or "1", 16)
