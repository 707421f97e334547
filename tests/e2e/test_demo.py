"""The demo plays the whole story in real processes, believes nothing of it unchecked, and cleans up.

What is left running is looked for in Linux's /proc.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHAPTERS = 8
LIMIT_S = 600
"""It takes about a minute; a machine that runs other tests beside it needs more."""


def start(folder: Path) -> subprocess.Popen[str]:
    """Starts the demo in a folder of its own."""
    command = [sys.executable, "-m", "demo", "--folder", str(folder)]
    return subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, encoding="utf-8",
    )  # fmt: skip


def left_running(folder: Path) -> list[str]:
    """Returns the command lines of processes that name the folder."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it has ended meanwhile
        if str(folder) in line:
            found.append(line)
    return found


@pytest.mark.timeout(LIMIT_S)
def test_whole_story_comes_out_right(tmp_path: Path) -> None:
    """All eight chapters are told within 80 columns, every check holds, and no process is left."""
    folder = tmp_path / "demo"
    process = start(folder)
    told, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, told
    assert [n for n in range(1, CHAPTERS + 1) if f" {n}. " in told] == list(range(1, CHAPTERS + 1))
    assert "✗" not in told
    assert max(map(len, told.splitlines())) <= 80 + len(str(folder))
    assert (folder / "xa1-tiepnhan" / "store.db").exists()
    assert left_running(folder) == []


@pytest.mark.timeout(LIMIT_S)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_story_leaves_no_process(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl+C, or being told to end, ends every process that was started."""
    folder = tmp_path / "demo"
    process = start(folder)
    while len(left_running(folder)) < 3:
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(number)
    told, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode != 0, told
    assert "Traceback" not in told
    assert left_running(folder) == []
