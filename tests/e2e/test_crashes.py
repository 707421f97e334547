"""A day whose every call to the disk may be its last: what was told to whoever works is there afterwards.

`make crash` tries every point of it; here a part that changes with each commit. ``ONESTOP_CRASH_SEED`` names
another part.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.__main__ import UNABLE
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
    if done.returncode == UNABLE:
        pytest.skip("strace is not installed, or may not attach to a process here")
    assert done.returncode == 0, f"ONESTOP_CRASH_SEED={seed}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("attaches", [None, "echo 'attach: ptrace(PTRACE_SEIZE): not permitted' >&2; exit 1"])
def test_where_nothing_can_be_traced_the_run_says_so_and_claims_nothing(
    tmp_path: Path, attaches: str | None
) -> None:
    """Without strace, or where it may not attach, the run ends as unable, names strace and claims nothing."""
    if attaches:
        (tmp_path / "strace").write_text(f"#!/bin/sh\n{attaches}\n", encoding="ascii")
        (tmp_path / "strace").chmod(0o755)
    command = [sys.executable, "-m", "tests.crash", "--share", "1"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == UNABLE, done.stderr
    assert "strace is missing, or may not attach" in done.stdout
    assert "all is well" not in done.stdout


def test_on_a_full_disk_work_goes_on_for_a_while_and_nothing_is_lost() -> None:
    """A disk without a byte left takes twenty dossiers more, opens again, and holds all that was told."""
    if not can_mount():
        pytest.skip("no file system of its own may be mounted here")
    found = on_a_small_disk()
    assert found.after >= 20
    assert found.restarted == found.told
    assert found.later == found.told + 1
