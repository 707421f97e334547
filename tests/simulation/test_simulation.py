"""The whole of it, over a simulated network, disk and clock."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from onestop_sync.testing.mistakes import MISTAKES
from onestop_sync.testing.reach import FLOORS, Reach
from onestop_sync.testing.run import simulate

SEEDS = range(1, 6)
STEPS = 150

# For each mistake one seed that finds it; the tests play it in a program of its own, because the order of
# sets of bytes is part of what a seed replays.
FOUND_AT = {
    "cut-forgotten": 3,
    "no-inheritance": 25,
    "ack-before-commit": 1,
    "identity-by-counter": 2,
    "last-write-wins": 3,
    "no-backfill": 1,
    "serial-reuse": 2,
    "skipped-parent-check": 1,
    "skipping-cursor": 1,
    "unnoticed-restore": 2,
    "verdict-by-arrival": 2,
}


@pytest.mark.parametrize("seed", SEEDS)
def test_what_must_hold_holds(seed: int) -> None:
    """A province that was cut, crashed, restored, cloned and lied to comes to one state everywhere."""
    report = simulate(seed, STEPS)
    assert report.broken is None, "\n".join(report.trace)


@pytest.mark.parametrize("name", sorted(MISTAKES))
def test_planted_mistake_is_found(name: str) -> None:
    """A wrong protocol is found, and the failure names the seed and the command that replays it."""
    seed = str(FOUND_AT[name])
    done = run("--seed", seed, "--steps", str(STEPS), "--mistake", name)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "invariant program" not in done.stdout  # found by what must hold, not by falling over
    assert f"--seed {seed} --steps {STEPS} --mistake {name}" in done.stdout


def test_seed_replays_exactly() -> None:
    """The same seed tells the same story, to the last line of its trace."""
    one, other = (run("--seed", "3", "--steps", "80", "--story") for _ in range(2))
    assert one.returncode == 0, one.stdout + one.stderr
    assert without_times(one.stdout) == without_times(other.stdout)


def test_rare_events_fail_a_run() -> None:
    """A run of seeds that did not meet what it claims to test does not pass."""
    reach = Reach(dict.fromkeys(FLOORS, 1000000))
    assert reach.shortfalls(4000) == []
    reach["forks"] = 0
    assert [line.split(":")[0] for line in reach.shortfalls(4000)] == ["forks"]


def test_wrong_usage_is_told() -> None:
    """A count that is none is refused with an explanation, not a traceback."""
    done = run("--seeds", "none")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the simulator's command."""
    return subprocess.run(
        [sys.executable, "-m", "onestop_sync.testing.simulate", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )


def without_times(text: str) -> list[str]:
    """Leaves out the line that says how long it took."""
    return [line for line in text.splitlines() if "steps/s" not in line]
