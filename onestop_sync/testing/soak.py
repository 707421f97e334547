"""``python -m onestop_sync.testing.soak``: very many long runs, on all processors, going on where it stopped.

What is done stands in a file, a line for each seed; of another version of the code, or of another length of
runs, nothing is counted. Exits 0 when every seed held and met what it claims to test, 1 when not, 130 when it
was interrupted: the same command goes on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, NamedTuple

import onestop_sync
from onestop_sync.testing.reach import Reach
from onestop_sync.testing.run import simulate
from onestop_sync.testing.simulate import with_fixed_hashes

__all__ = ["Done", "State", "main"]

_TOLD_S: Final = 60.0
"""After so many seconds a line says how far it is."""
_RUNS_EACH: Final = 40
"""Runs after which a worker is replaced: what it has kept for speed goes with it."""
_INTERRUPTED: Final = 130


class Done(NamedTuple):
    """What came of one seed.

    Attributes:
        seed: Which.
        broken: What did not hold; empty when all did.
        events: How many events there were in the end.
        took_s: How long it took, seconds.
        reach: What it met.
    """

    seed: int
    broken: str
    events: int
    took_s: float
    reach: dict[str, int]


class State:
    """The file of what is done.

    Args:
        path: Where it is; begun when missing, or when it is of something else.
        about: What its runs are of: only equal runs count together.
    """

    def __init__(self, path: Path, about: dict[str, Any]) -> None:
        self.path = path
        self.done: dict[int, Done] = {}
        lines = path.read_text().splitlines() if path.exists() else []
        if lines and _read(lines[0]) == about:
            found = (_read(line) for line in lines[1:])
            self.done = {each["seed"]: Done(**each) for each in found if each}  # the last may be half a line
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = [about, *(each._asdict() for each in self.done.values())]
        fresh = path.with_suffix(".new")
        fresh.write_text("".join(json.dumps(each) + "\n" for each in kept))
        fresh.replace(path)

    def add(self, done: Done) -> None:
        """Notes what came of a seed."""
        self.done[done.seed] = done
        with self.path.open("a") as file:
            file.write(json.dumps(done._asdict()) + "\n")


def _read(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def play(seed: int, steps: int) -> Done:
    """Plays one seed; this is what a worker does."""
    began_s = time.perf_counter()
    report = simulate(seed, steps)
    broken = "" if report.broken is None else str(report.broken)
    return Done(seed, broken, report.events, round(time.perf_counter() - began_s, 1), dict(report.reach))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    asked = _parser().parse_args(arguments)
    state = State(asked.state, {"steps": asked.steps, "code": _code()})
    seeds = range(asked.first, asked.first + asked.seeds)
    left = [seed for seed in seeds if seed not in state.done]
    print(
        f"{len(seeds) - len(left)} of {len(seeds)} seeds of {asked.steps} steps are done; {state.path}",
        flush=True,
    )
    try:
        _play_all(state, left, asked)
    except KeyboardInterrupt:
        print(f"Interrupted; {state.path} knows what is done, and the same command goes on.")
        return _INTERRUPTED
    return _told([state.done[seed] for seed in seeds if seed in state.done], asked.steps, len(seeds))


def _play_all(state: State, left: Sequence[int], asked: argparse.Namespace) -> None:
    """Plays what is left; each result is kept as it comes, and told when it is bad."""
    began_s, told_s = time.perf_counter(), 0.0
    for count, done in enumerate(_results(left, asked.steps, asked.workers), 1):
        state.add(done)
        if done.broken:
            print(
                f"\nSeed {done.seed} failed: {done.broken}\nPlay it again: {_again(done.seed, asked.steps)}",
                flush=True,
            )
        spent_s = time.perf_counter() - began_s
        if spent_s - told_s >= _TOLD_S or count == len(left):
            told_s = spent_s
            failed = sum(bool(each.broken) for each in state.done.values())
            todo_h = spent_s / count * (len(left) - count) / 3600
            rate = count * asked.steps / spent_s
            print(
                f"{count} of {len(left)} seeds, {failed} failed, {rate:.0f} steps/s, {todo_h:.1f} h left",
                flush=True,
            )


def _results(seeds: Sequence[int], steps: int, workers: int) -> Iterator[Done]:
    """Yields what comes of each seed, in the order in which they end."""
    todo = iter(seeds)
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), max_tasks_per_child=_RUNS_EACH)
    try:
        running: set[Future[Done]] = {pool.submit(play, seed, steps) for seed in islice(todo, 2 * workers)}
        while running:
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            running |= {pool.submit(play, seed, steps) for seed in islice(todo, len(ended))}
            yield from (future.result() for future in ended)
    finally:
        pool.shutdown(cancel_futures=True)


def _told(found: Sequence[Done], steps: int, wanted: int) -> int:
    """Prints what all seeds came to, and returns the exit code."""
    reach = Reach()
    for done in found:
        reach.update(done.reach)
    failed = [done for done in found if done.broken]
    events, took_h = sum(done.events for done in found), sum(done.took_s for done in found) / 3600
    print(f"{len(found)} of {wanted} seeds of {steps} steps, {events} events, {took_h:.2f} h of runs; met:")
    print(reach.table())
    short = reach.shortfalls(len(found) * steps)
    for line in short:
        print(f"Too rare: {line}")
    for done in failed:
        print(f"Failed: {_again(done.seed, steps)}: {done.broken}")
    return 1 if failed or short else 0


def _again(seed: int, steps: int) -> str:
    return f"python -m onestop_sync.testing.simulate --seed {seed} --steps {steps} --trace"


def _code() -> str:
    """Returns a digest of the library's source: runs of another version prove nothing of this one."""
    folder = Path(onestop_sync.__file__).parent
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        found.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:16]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m onestop_sync.testing.soak",
        description="Plays very many long runs of the simulator, and goes on where it was stopped.",
    )
    parser.add_argument("--seeds", type=int, default=20_000, metavar="N", help="how many (default: 20000)")
    parser.add_argument("--steps", type=int, default=1000, metavar="M", help="steps of each (default: 1000)")
    parser.add_argument("--first", type=int, default=1, metavar="K", help="the first seed (default: 1)")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, metavar="W", help="processes (default: all)"
    )
    parser.add_argument(
        "--state", type=Path, default=Path("var/soak/seeds.jsonl"), help="what is done, a line each"
    )
    return parser


if __name__ == "__main__":
    with_fixed_hashes("onestop_sync.testing.soak")
    sys.exit(main())
