"""``python -m onestop_sync.testing.hunt``: for each planted mistake the first seed that finds it.

``name`` hunts from the first seed on, ``name:seed:steps`` plays that one run.

Exits 0 when each was found, 1 when not. A mistake is found when something that must hold is seen not to; a
program that only falls over has found nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from onestop_sync.testing.mistakes import MISTAKES
from onestop_sync.testing.run import Report, simulate
from onestop_sync.testing.simulate import with_fixed_hashes

__all__ = ["hunt", "is_found"]

_MOST: Final = 500


def hunt(name: str, seeds: Sequence[int], steps: int) -> Report | None:
    """Returns the first run in which a planted mistake is found; ``None`` when it is not."""
    return next((found for seed in seeds if is_found(found := simulate(seed, steps, mistake=name))), None)


def is_found(report: Report) -> bool:
    """Tells whether a run ended because something that must hold did not."""
    return report.broken is not None and report.broken.what != "program"


def _wanted(text: str, asked: argparse.Namespace) -> tuple[str, Sequence[int], int]:
    """Returns a mistake, and which seeds of how many steps are played."""
    name, *known = text.split(":")
    if known:
        seed, steps = map(int, known)
        return name, [seed], steps
    return name, range(asked.first, asked.first + asked.seeds), asked.steps


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m onestop_sync.testing.hunt", description=__doc__)
    parser.add_argument(
        "names", nargs="*", default=sorted(MISTAKES), help="mistakes (default: all), or mistake:seed:steps"
    )
    parser.add_argument("--first", type=int, default=1, metavar="K", help="the first seed (default: 1)")
    parser.add_argument(
        "--seeds", type=int, default=_MOST, metavar="N", help=f"at the most (default: {_MOST})"
    )
    parser.add_argument("--steps", type=int, default=150, metavar="M", help="steps of each (default: 150)")
    asked = parser.parse_args(arguments)
    left = 0
    for each in asked.names:
        name, seeds, steps = _wanted(each, asked)
        found = hunt(name, seeds, steps)
        left += found is None
        told = f"seed {found.seed}, {found.steps} steps: {found.broken}" if found else "not found"
        print(f"{name}: {told}", flush=True)
    return 1 if left else 0


if __name__ == "__main__":
    with_fixed_hashes("onestop_sync.testing.hunt")
    sys.exit(main())
