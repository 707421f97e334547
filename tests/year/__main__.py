"""The long run: a whole year with as many dossiers as wanted, and everything that has to hold afterwards.

make year                                             8,000 dossiers
python -m tests.year --dossiers 800 --seed 7
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.year.checks import check, check_ways
from tests.year.year import Year


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a year and prints what was met; an invariant that does not hold ends it."""
    parser = argparse.ArgumentParser(prog="python -m tests.year", description=__doc__)
    parser.add_argument("--dossiers", type=int, default=8000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sync-days", type=int, default=1, help="every how many working days lines are used")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        year = Year(Path(folder), asked.seed, asked.dossiers, asked.sync_days)
        try:
            year.run()
            spent_s = time.process_time() - began
            _say(f"year: {asked.dossiers} dossiers, seed {asked.seed}, {spent_s:.0f} s of CPU")
            for name, n in sorted(year.reached.items()):
                _say(f"  {name:36} {n:7}")
            check(year)
            for way, n in check_ways(year).items():
                _say(f"  {way:36} {n:7} dossiers, the same bytes and figures")
        finally:
            year.land.close()
        _say(f"year: everything holds, {time.process_time() - began:.0f} s of CPU")
    return 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
