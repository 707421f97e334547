"""A day whose every call to the disk may be its last: what was told to whoever works is there afterwards.

`make crash` tries every point of it; here a part that changes with each commit. ``ONESTOP_CRASH_SEED`` names
another part.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.full_disk import can_mount, on_a_small_disk
from tests.crash.run import seed_of_commit
from tests.crash.world import KINDS

ROOT = Path(__file__).parents[2]


def test_at_a_twentieth_of_the_points_nothing_that_was_told_is_lost() -> None:
    """Killed, refused and cut from power, a store holds all that it said; with less syncing it would not."""
    seed = seed_of_commit()
    kind = KINDS[seed % len(KINDS)]
    options = ["--share", "5", "--in-turn", "--cuts", "16", "--control-cuts", "3", "--workers", "1"]
    command = [sys.executable, "-m", "tests.crash", "--kinds", kind, "--seed", str(seed), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=280)
    if done.returncode == 77:
        pytest.skip("strace is not installed, or may not attach to a process here")
    assert done.returncode == 0, f"ONESTOP_CRASH_SEED={seed}\n{done.stdout}\n{done.stderr}"


def test_on_a_full_disk_work_goes_on_for_a_while_and_nothing_is_lost() -> None:
    """A disk without a byte left takes twenty dossiers more, opens again, and holds all that was told."""
    if not can_mount():
        pytest.skip("no file system of its own may be mounted here")
    found = on_a_small_disk()
    assert found.after >= 20
    assert found.restarted == found.told
    assert found.later == found.told + 1
