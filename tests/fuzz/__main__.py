"""The command behind `make fuzz`: targets for a while each, bombs, the server; with figures, and resuming."""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

from tests.fuzz import bombs, server
from tests.fuzz.found import load_finds
from tests.fuzz.guided import CORPUS, FINDS
from tests.fuzz.target import Target
from tests.fuzz.targets import all_targets

_OTHERS: Final = ("bombs", "server")
_ROW: Final = "{:20} {:>11} {:>8} {:>7} {:>7} {:>14} {:>6}"


class _Figures(NamedTuple):
    """What a run of a target came to."""

    executions: int
    rate: float
    corpus: int
    edges: str
    lines: str
    finds: int


def _prepare(target: Target, folder: Path) -> None:
    """Puts the valid inputs, and what was found before, beside what earlier runs have kept."""
    corpus = folder / CORPUS
    corpus.mkdir(parents=True, exist_ok=True)
    for data in (*target.seeds(), *(find.data for find in load_finds(target.name))):
        (corpus / hashlib.sha256(data).hexdigest()[:20]).write_bytes(data)


def _run(target: Target, folder: Path, seconds: float) -> _Figures:
    _prepare(target, folder)
    words = [
        sys.executable,
        "-m",
        "tests.fuzz.guided",
        target.name,
        str(seconds),
        str(folder),
        *target.modules,
    ]
    begun = time.monotonic()
    done = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False)
    took_s = time.monotonic() - begun
    (folder / "log").write_text(done.stderr)
    found = re.search(r"stat::number_of_executed_units: *(\d+)", done.stderr)
    count = int(found[1]) if found else 0
    edges = re.findall(r"cov: (\d+)", done.stderr)
    broken = [*folder.glob("timeout-*"), *folder.glob("oom-*"), *folder.glob("crash-*")]
    finds = len(list((folder / FINDS).glob("*.txt"))) if (folder / FINDS).exists() else 0
    return _Figures(
        count, count / took_s, len(list((folder / CORPUS).iterdir())), edges[-1] if edges else "-",
        _lines(target, folder), finds + len(broken) + (not found),
    )  # fmt: skip


def _lines(target: Target, folder: Path) -> str:
    words = [sys.executable, "-m", "tests.fuzz.lines", target.name, str(folder / CORPUS)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    try:
        hit, known = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        return "?"
    return f"{hit}/{known} {100 * hit // max(known, 1)} %"


def _decoders(targets: Sequence[Target], folder: Path, seconds: float, workers: int) -> int:
    """Runs targets; returns how many finds there are."""
    print(_ROW.format("target", "executions", "a second", "corpus", "edges", "lines", "finds"), flush=True)
    finds = total = 0
    with ThreadPoolExecutor(workers) as pool:
        jobs = [(t, pool.submit(_run, t, folder / t.name, seconds)) for t in targets]
        for target, job in jobs:
            f = job.result()
            row = (target.name, f.executions, f"{f.rate:.0f}", f.corpus, f.edges, f.lines, f.finds)
            print(_ROW.format(*row), flush=True)
            finds, total = finds + f.finds, total + f.executions
    print(
        f"{total} executions, {finds} finds; inputs and tracebacks of finds are in {folder}/TARGET/{FINDS}."
    )
    return finds


def main() -> int:
    """Runs what is asked for; 1 when something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30, help="for each target")
    parser.add_argument("--only", nargs="+", metavar="NAME", help=f"targets, or {' or '.join(_OTHERS)}")
    parser.add_argument("--folder", type=Path, default=Path("var/fuzz"), help="where corpora are kept")
    parser.add_argument("--workers", type=int, default=2, help="targets at a time")
    parser.add_argument("--requests", type=int, default=200, help="to each endpoint of the server, twice")
    parser.add_argument("--list", action="store_true", help="name the targets")
    arguments = parser.parse_args()
    known = all_targets()
    if arguments.list:
        print("\n".join([*known, *_OTHERS]))
        return 0
    wanted = arguments.only or [*known, *_OTHERS]
    if unknown := set(wanted) - {*known, *_OTHERS}:
        parser.error(f"no target is called {', '.join(sorted(unknown))}; --list names them")
    targets = [known[name] for name in wanted if name in known]
    finds = _decoders(targets, arguments.folder, arguments.seconds, arguments.workers) if targets else 0
    if "bombs" in wanted:
        finds += bombs.main()
    if "server" in wanted:
        finds += server.main(arguments.requests)
    return int(finds > 0)


if __name__ == "__main__":
    sys.exit(main())
