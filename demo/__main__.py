"""Plays the story, checks that it came out right, and ends with exit code 0 only when it did."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Final

from demo.chapters import beginning, disagreements, ending, line_returns, offline, stick
from demo.narrator import Narrator
from demo.process import ROOT
from demo.world import World

FOLDER: Final = ROOT / "var" / "demo"
CHAPTERS: Final = (beginning, offline, line_returns, disagreements, stick, ending)


def _end(number: int, _: FrameType | None) -> None:
    """Turns a signal into an exception, so that every process that was started is ended."""
    raise SystemExit(128 + number)


def main() -> int:
    """Runs the demo; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"where it all is (default: {FOLDER})")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _end)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    world = World(options.folder, Narrator())
    try:
        for chapter in CHAPTERS:
            chapter.play(world)
    except KeyboardInterrupt:
        print("\nĐã dừng / stopped.", file=sys.stderr)
        return 130
    finally:
        world.close()
    return 1 if world.checks.missed else 0


if __name__ == "__main__":
    sys.exit(main())
