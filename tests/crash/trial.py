"""One disturbance of the day at one point, and what is found afterwards."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Final, Literal, NamedTuple, get_args

from onestop_sync.errors import OnestopError
from tests.crash import forked, looking
from tests.crash.day import STEPS, Day, Tell, of_kind
from tests.crash.forked import CALLS, Told
from tests.crash.world import Kind, World, build

__all__ = ["FAULTS", "Fault", "Found", "Point", "Stage", "attempt", "counted", "lost_by", "prepare", "work"]

Fault = Literal["kill", "EIO", "ENOSPC", "full"]
FAULTS: Final[tuple[Fault, ...]] = get_args(Fault)
"""Killed before the call; the call refused; that and all calls like it from then on refused: no room."""


class Point(NamedTuple):
    """Where the day is disturbed, and how.

    Attributes:
        kind: Of store.
        step: Of the day.
        call: Name of a call of the system.
        n: Which of the step's calls of that name, from 1.
        fault: What happens there.
    """

    kind: Kind
    step: str
    call: str
    n: int
    fault: Fault

    @property
    def inject(self) -> str:
        """The same for strace."""
        if self.fault == "kill":
            return f"{self.call}:signal=KILL:when={self.n}"
        if self.fault == "full":
            return f"{self.call}:error=ENOSPC:when={self.n}+"
        return f"{self.call}:error={self.fault}:when={self.n}"


class Stage(NamedTuple):
    """The world as a step finds it, and how often that step makes each call.

    Attributes:
        world: All closed.
        told: What was told before.
        calls: Name of a call → how often the step makes it.
    """

    world: World
    told: Told
    calls: Counter[str]


class Found(NamedTuple):
    """What came of a point.

    Attributes:
        point: Which.
        was_met: The day was killed, or said that something was refused.
        seconds: How long the restart took.
        lost: What is not as it was told, or how the program broke; empty when all is well.
    """

    point: Point
    was_met: bool
    seconds: float
    lost: tuple[str, ...]


def prepare(folder: Path, kind: Kind) -> dict[str, Stage]:
    """Works the day undisturbed; keeps the world before each step.

    Args:
        folder: Where the worlds go.
        kind: Of store.
    """
    found: dict[str, Stage] = {}
    _warm_up(folder / "warm" / kind, kind)
    world, told = build(folder / kind, kind), list[list[str]]()
    for step in of_kind(kind):
        after = world.copy(folder / kind / step)
        calls, said = counted(after, step, folder / "log")
        found[step] = Stage(world, list(told), calls)
        world, told = after.later(), told + said
    return found


def _warm_up(folder: Path, kind: Kind) -> None:
    """Works a day in this very process, so that those that are forked from it have everything loaded."""
    world, told = build(folder, kind), list[list[str]]()
    for step in of_kind(kind):
        work(world, step, False, lambda *words: told.append(list(map(str, words))))
        looking.look(world, step, told, lambda *_: None)
    looking.go_on(world.later(), "evening", told, lambda *_: None)
    shutil.rmtree(folder)


def counted(world: World, step: str, log: Path) -> tuple[Counter[str], Told]:
    """Does a step; returns how often it makes each call, and what it tells."""
    ended = forked.run(partial(work, world, step, False), log=log)
    assert not ended.broke, ended.broke
    with log.open(encoding="ascii") as lines:
        names = [match[1] for line in lines if (match := re.match(r"\d+ +(\w+)\(", line))]
    log.unlink()
    return Counter(name for name in names if name in CALLS), ended.told


def attempt(stage: Stage, point: Point, folder: Path, *, goes_on: bool = True) -> Found:
    """Disturbs the day at a point, starts again, and looks.

    Args:
        stage: What the step finds.
        point: Where and how it is disturbed.
        folder: Where the copy goes; removed afterwards.
        goes_on: Whether the day is gone on with.
    """
    world = stage.world.copy(folder)
    try:
        ended = forked.run(partial(work, world, point.step, point.fault != "kill"), [point.inject])
        told = [*stage.told, *ended.told]
        lost = [ended.broke] if ended.broke else []
        world = world.later()
        looked = forked.run(partial(looking.look, world, point.step, told))
        lost += lost_by(looked)
        if goes_on and not lost:
            lost += lost_by(forked.run(partial(looking.go_on, world.later(), point.step, told)))
    finally:
        shutil.rmtree(folder)
    seconds = max((float(words[1]) for words in looked.told if words[0] == "seconds"), default=0.0)
    if seconds > looking.MOST_S:
        lost.append(f"the restart took {seconds:.1f} s")
    was_met = ended.is_killed or any(words[0] == "refused" for words in ended.told)
    return Found(point, was_met, seconds, tuple(lost))


def lost_by(ended: forked.Ended) -> list[str]:
    """Returns what a look, or the day that was gone on with, says is lost."""
    return [
        *([ended.broke] if ended.broke else []),
        *(words[1] for words in ended.told if words[0] == "lost"),
    ]


def work(world: World, step: str, is_stubborn: bool, tell: Tell) -> None:
    """Does a step.

    Args:
        world: Where.
        step: Its name.
        is_stubborn: After an error the work goes on, and what was refused is told.
        tell: Is told what was done.
    """
    try:
        STEPS[step](Day(world, tell, is_stubborn))
    except OnestopError as error:
        if not is_stubborn:
            raise
        tell("refused", error.code)
