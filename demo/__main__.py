"""Plays the story, checks that it came out right, and ends with exit code 0 only when it did."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

from demo import PASSPHRASE
from demo.cast import INTAKE_PC
from demo.chapters import beginning, cut_line, disagreements, ending, forgery, line_returns, offline, stick
from demo.narrator import Narrator
from demo.process import ROOT, JobFailed
from demo.world import World
from onestop_sync.errors import OnestopError

FOLDER: Final = ROOT / "var" / "demo"
_AFTER: Final = """
  Mọi điều đều đúng / all is right. Mở màn hình của xã / open the commune's screen:

    make tui          ({store})
    cán bộ / officer            {officer}
    mật khẩu / passphrase       {passphrase}
    make clean        xóa tất cả / removes it all
"""
CHAPTERS: Final = (beginning, offline, line_returns, disagreements, forgery, stick, cut_line, ending)


def main() -> int:
    """Runs the demo; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"where it all is (default: {FOLDER})")
    options = parser.parse_args()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    try:
        world = World(options.folder, Narrator())
    except FileExistsError as error:
        parser.error(str(error))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, world.processes.interrupt)
    try:
        for chapter in CHAPTERS:
            chapter.play(world)
    except SystemExit:
        print("\nĐã dừng / stopped.", file=sys.stderr)
        raise
    except (JobFailed, OnestopError, OSError, RuntimeError, subprocess.SubprocessError) as error:
        print(f"\n✗ {error}\n  {world.folder / 'logs'}", file=sys.stderr)
        return 1
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # nothing comes between the processes and their end
        world.close()
    if world.checks.missed:
        print(f"\n✗ {len(world.checks.missed)} điều không đúng / checks failed", file=sys.stderr)
        return 1
    print(_AFTER.format(store=world.path(INTAKE_PC), officer=INTAKE_PC.first, passphrase=PASSPHRASE))
    return 0


if __name__ == "__main__":
    sys.exit(main())
