"""``python -m onestop_sync.testing.simulate``: many seeds, or one of them again.

Exits 0 when every run held and met what it claims to test, 1 when not, 2 on wrong usage.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence

from onestop_sync.testing.broken import Broken
from onestop_sync.testing.mistakes import MISTAKES
from onestop_sync.testing.reach import Reach
from onestop_sync.testing.run import Report, simulate

_HASH_SEED = "PYTHONHASHSEED"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    asked = _parser().parse_args(arguments)
    seeds = [asked.seed] if asked.seed is not None else range(asked.first, asked.first + asked.seeds)
    reach = Reach()
    began_s = time.perf_counter()
    failed = 0
    for done, seed in enumerate(seeds, 1):
        report = simulate(seed, asked.steps, mistake=asked.mistake, is_traced=asked.trace or asked.story)
        reach.update(report.reach)
        if report.broken:
            failed += 1
            _explain(report, asked)
            if asked.mistake:
                print(f"The planted mistake {asked.mistake!r} was found at seed {seed}, the {done}. tried.")
                return 1
            if not asked.keep_going:
                return 1
        elif asked.story:
            print("\n".join(report.trace))
        if asked.verbose:
            print(f"seed {seed}: {report.summary()}", flush=True)
    steps = len(seeds) * asked.steps
    took_s = time.perf_counter() - began_s
    print(f"{len(seeds)} seeds of {asked.steps} steps, {took_s:.1f} s, {steps / took_s:.0f} steps/s; met:")
    print(reach.table())
    short = [] if asked.seed is not None else reach.shortfalls(steps)
    for line in short:
        print(f"Too rare: {line}")
    if failed:
        print(f"{failed} of {len(seeds)} seeds failed.")
    return 1 if failed or short else 0


def _explain(report: Report, asked: argparse.Namespace) -> None:
    broken = report.broken
    assert isinstance(broken, Broken)
    print(f"\nSeed {report.seed} failed after {report.steps} steps: {broken}")
    if asked.trace:
        for line in report.trace:
            print(f"  {line}")
    mistake = f" --mistake {asked.mistake}" if asked.mistake else ""
    command = (
        f"python -m onestop_sync.testing.simulate --seed {report.seed} --steps {asked.steps}{mistake} --trace"
    )
    print(f"Play it again: {command}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m onestop_sync.testing.simulate",
        description="Plays the real protocol, fold, trust and store over a simulated line, disk and clock.",
    )
    parser.add_argument("--seeds", type=_count, default=20, metavar="N", help="how many seeds (default: 20)")
    parser.add_argument("--steps", type=_count, default=200, metavar="M", help="steps of each (default: 200)")
    parser.add_argument("--seed", type=int, metavar="K", help="play this seed alone")
    parser.add_argument("--first", type=int, default=1, metavar="K", help="the first seed (default: 1)")
    parser.add_argument("--mistake", choices=sorted(MISTAKES), help="plant a mistake that must be found")
    parser.add_argument("--trace", action="store_true", help="print what happened before a failure")
    parser.add_argument("--story", action="store_true", help="print what happened, also without a failure")
    parser.add_argument("--keep-going", action="store_true", help="go on after a seed that failed")
    parser.add_argument("--verbose", action="store_true", help="a line for each seed")
    return parser


def _count(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return number


def with_fixed_hashes(module: str) -> None:
    """Runs this program again if need be: the order of sets of bytes is part of what a seed must replay."""
    if os.environ.get(_HASH_SEED) != "0":
        os.execve(  # noqa: S606 - this very program again, without a shell
            sys.executable,
            [sys.executable, "-m", module, *sys.argv[1:]],
            {**os.environ, _HASH_SEED: "0"},
        )


if __name__ == "__main__":
    with_fixed_hashes("onestop_sync.testing.simulate")
    sys.exit(main())
