"""The whole of it, over a simulated network, disk and clock."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from onestop_sync.testing.mistakes import MISTAKES
from onestop_sync.testing.reach import FLOORS, Reach
from onestop_sync.testing.run import simulate
from onestop_sync.testing.soak import State

SEEDS = range(1, 6)
STEPS = 150

# For each mistake a run that finds it, as (seed, steps). They are played in programs of their own, because
# the order of sets of bytes is part of what a seed replays; several in one, since a program starts slowly.
FOUND_AT: dict[str, tuple[int, int]] = {
    "ack-before-commit": (9, 100),
    "any-head-acked": (54, 100),
    "blind-doctor": (30, 73),
    "bodies-of-latecomers": (21, 100),
    "chunk-unverified": (6, 100),
    "complete-by-index": (1, 100),
    "cursor-before-events": (60, 100),
    "cut-by-number": (43, 100),
    "cut-forgotten": (32, 100),
    "erased-comes-back": (7, 100),
    "erased-scans-kept": (58, 150),
    "feed-for-everybody": (9, 100),
    "full-disk-overlooked": (289, 110),
    "identity-by-counter": (54, 100),
    "last-write-wins": (26, 100),
    "marks-forgotten": (21, 100),
    "no-backfill": (11, 100),
    "no-inheritance": (25, 150),
    "no-proofs": (9, 100),
    "nobody-woken": (9, 100),
    "nonce-unchecked": (9, 6),
    "serial-reuse": (21, 97),
    "shared-chunks-dropped": (24, 150),
    "skipped-parent-check": (4, 98),
    "skipping-cursor": (11, 100),
    "successor-a-stranger": (1, 150),
    "tombstone-forgotten": (21, 100),
    "unhealed-by-update": (11, 100),
    "unknown-dropped": (58, 150),
    "unnoticed-restore": (21, 97),
    "unscrubbed": (21, 100),
    "unverified": (21, 24),
    "verdict-by-arrival": (7, 100),
}
PROGRAMS = 5
QUICK = "nonce-unchecked"


@pytest.mark.parametrize("seed", SEEDS)
def test_what_must_hold_holds(seed: int) -> None:
    """A province that was cut, crashed, restored, cloned and lied to comes to one state everywhere."""
    report = simulate(seed, STEPS)
    assert report.broken is None, "\n".join(report.trace)


@pytest.mark.parametrize("part", range(PROGRAMS))
def test_planted_mistakes_are_found(part: int) -> None:
    """Each wrong protocol is found, by what must hold and not by falling over."""
    names = sorted(MISTAKES)[part::PROGRAMS]
    done = run("hunt", *(f"{name}:{FOUND_AT[name][0]}:{FOUND_AT[name][1]}" for name in names))
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == names
    assert done.stdout.count(": invariant ") == len(names)


def test_a_failure_names_the_command_that_replays_it() -> None:
    """Whoever reads that something did not hold can play it again by the command that stands there."""
    seed, steps = FOUND_AT[QUICK]
    done = run("simulate", "--seed", str(seed), "--steps", str(steps), "--mistake", QUICK)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert f"--seed {seed} --steps {steps} --mistake {QUICK}" in done.stdout


def test_seed_replays_exactly() -> None:
    """The same seed tells the same story, to the last line of its trace, but for sizes of what is sealed."""
    one, other = (run("simulate", "--seed", "3", "--steps", "80", "--story") for _ in range(2))
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
    done = run("simulate", "--seeds", "none")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def run(command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs one of the simulator's commands."""
    return subprocess.run(
        [sys.executable, "-m", f"onestop_sync.testing.{command}", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )


def without_times(text: str) -> list[str]:
    """Leaves out how long it took, and sizes: what is sealed holds random bytes, which compress by chance."""
    return [re.sub(r"\d+ bytes", "bytes", line) for line in text.splitlines() if "steps/s" not in line]


def test_a_soak_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """What is done is not played again; of another length nothing counts; half a line does no harm."""
    state = tmp_path / "seeds.jsonl"
    about = ["--steps", "3", "--workers", "1", "--state", str(state)]
    first = run("soak", "--seeds", "2", *about)
    assert first.returncode == 0, first.stdout + first.stderr
    assert "2 of 2 seeds of 3 steps" in first.stdout
    with state.open("a") as file:
        file.write('{"seed": 3, "bro')
    assert "2 of 3 seeds of 3 steps are done" in run("soak", "--seeds", "3", *about).stdout
    assert len(state.read_text().splitlines()) == 4
    assert State(state, {"steps": 4}).done == {}
