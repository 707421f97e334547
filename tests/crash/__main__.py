"""The long run: a day is killed, refused by the disk and cut from power at each of its calls to the disk.

make crash                                 every point with every fault, 2,000 cuts; resumes where it stopped
make crash ARGS="--minutes 20"             as much of it as there is time for, in an order of the dice
make crash ARGS="--share 5 --in-turn"      a twentieth of the points, one fault each
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from tests.crash.forked import can_trace
from tests.crash.run import (
    CONTROLS,
    Task,
    Tried,
    disturbances,
    power_cuts,
    seed_of_commit,
    source_mark,
    try_one,
)
from tests.crash.trial import FAULTS
from tests.crash.world import KINDS

UNABLE = 77
"""Exit code where nothing can be tried."""
_LEAST_MET = 0.5
"""Of the kills, at least this share must have met the day: a fault that never happens finds nothing.

Not all: how often a call is made differs a little from one run of a step to the next.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what is asked for, prints its figures; ends with 1 when something was lost, or nothing tried."""
    asked = _parser().parse_args(arguments)
    if not can_trace():
        _say("crash: strace is missing, or may not attach here; on Debian and Ubuntu: apt-get install strace")
        return UNABLE
    began = time.monotonic()
    seed = seed_of_commit() if asked.seed is None else asked.seed
    tasks = _tasks(asked, seed)
    done = _resumed(asked.state)
    left = [task for task in tasks if task.name not in done]
    _say(f"crash: seed {seed}, {len(tasks)} to try, {len(tasks) - len(left)} of them done before")
    with _kept(asked.state, done) as keep:
        for task, tried in _all(left, asked.workers, began + 60 * asked.minutes if asked.minutes else None):
            keep(task, tried)
            if tried.lost and not _is_control(task):
                _say(f"LOST at {task.name}: {tried.lost[0].strip()[-1200:]}")
    is_good = _report([task for task in tasks if task.name in done], done, asked)
    _say(f"crash: {'all is well' if is_good else 'NOT WELL'}, {time.monotonic() - began:.0f} s")
    return 0 if is_good else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.crash",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=KINDS)
    parser.add_argument("--faults", nargs="*", choices=FAULTS, default=FAULTS)
    parser.add_argument("--share", type=float, default=100, help="of all points, per cent")
    parser.add_argument("--in-turn", action="store_true", help="each point with one of the faults")
    parser.add_argument("--cuts", type=int, default=2000, help="of the power, with synchronous=FULL")
    parser.add_argument("--control-cuts", type=int, default=60, help="with each of NORMAL and OFF")
    parser.add_argument("--seed", type=int, help="by default that of the commit, or ONESTOP_CRASH_SEED")
    parser.add_argument("--minutes", type=float, default=0, help="stop after so long; 0: at the end")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--state", type=Path, help="a file in which is kept what was done, to go on from there"
    )
    return parser


def _tasks(asked: Any, seed: int) -> list[Task]:
    """Returns what is tried: the controls, then a mixture, so that a run that ends early has met all."""
    controls = [task for each in CONTROLS for task in power_cuts(asked.kinds, asked.control_cuts, seed, each)]
    points = disturbances(asked.kinds, asked.faults, seed, asked.share / 100, in_turn=asked.in_turn)
    mixed = [*points, *power_cuts(asked.kinds, asked.cuts, seed)]
    Random(seed).shuffle(mixed)
    return [*controls, *mixed]


def _all(tasks: Sequence[Task], workers: int, until: float | None) -> Iterator[tuple[Task, Tried]]:
    """Yields what came of tasks, as they end; begins none after the time is up."""
    if workers == 1:
        for task in tasks:
            if until is None or time.monotonic() < until:
                yield task, try_one(task)
        return
    queue: Iterator[Task] = iter(tasks)
    running: dict[Future[Tried], Task] = {}
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        while True:
            room = 2 * workers - len(running) if until is None or time.monotonic() < until else 0
            for task in islice(queue, room):
                running[pool.submit(try_one, task)] = task
            if not running:
                return
            for ended in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(ended), ended.result()


# ---- what was done before


def _resumed(state: Path | None) -> dict[str, Tried]:
    """Returns what earlier runs of the same program have tried and found well."""
    if state is None or not state.exists():
        return {}
    lines = [
        json.loads(line) for line in state.read_text(encoding="utf-8").splitlines() if line.endswith("]")
    ]
    mine = source_mark()
    return {
        name: Tried(bool(met), seconds, tuple(lost))
        for mark, name, met, seconds, lost in lines
        if mark == mine
    }


class _kept:  # noqa: N801 - used as a function
    """Gives what keeps the outcome of a task, in memory and in the file of the state."""

    def __init__(self, state: Path | None, done: dict[str, Tried]) -> None:
        self._done = done
        self._mark = source_mark()
        if state is not None:
            state.parent.mkdir(parents=True, exist_ok=True)
        self._file = state.open("a", encoding="utf-8") if state is not None else None

    def __enter__(self) -> Any:
        return self._keep

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def _keep(self, task: Task, tried: Tried) -> None:
        self._done[task.name] = tried
        if self._file is not None:
            self._file.write(json.dumps([self._mark, task.name, *tried]) + "\n")
            self._file.flush()


# ---- figures


def _is_control(task: Task) -> bool:
    return task.what == "power" and task.call in CONTROLS


def _report(tasks: Sequence[Task], done: dict[str, Tried], asked: Any) -> bool:
    """Prints the figures; returns whether all is as it must be."""
    groups: dict[str, list[Tried]] = defaultdict(list)
    for task in tasks:
        groups[_group(task)].append(done[task.name])
    is_good = True
    for name, found in groups.items():
        lost = sum(bool(each.lost) for each in found)
        met, slowest = sum(each.was_met for each in found), max(each.seconds for each in found)
        is_control = name.startswith("control")
        if is_control:
            is_good &= lost > 0
        else:
            is_good &= lost == 0
        if name.startswith("kill"):
            is_good &= met >= _LEAST_MET * len(found)
        tail = (
            "" if name.startswith(("power", "control")) else f", met {met}, slowest restart {slowest:.2f} s"
        )
        _say(f"  {name:28} {len(found):6} tried, {lost} lost{tail}")
    steps = Counter(task.step for task in tasks)
    _say(f"  by step: {', '.join(f'{step} {count}' for step, count in sorted(steps.items()))}")
    return is_good


def _group(task: Task) -> str:
    if _is_control(task):
        return f"control {task.call}"
    return f"{task.what} {task.kind}"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
