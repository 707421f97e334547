"""The long runs: every kind of lie a thousand times, the whole matrix, a thousand orders.

make hostile                         all three, about half an hour on one core
make hostile ARGS="--what relay --packets 100 --kinds header_bit forged_twin"
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any, get_args

from onestop_sync.trust import CutReason
from tests.hostile.cut_orders import one_verdict
from tests.hostile.forks import tell
from tests.hostile.run import ALL, attack


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what is asked for and prints its figures; ends with 1 when something was accepted."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--what", choices=("all", "relay", "matrix", "orders"), default="all")
    parser.add_argument("--packets", type=int, default=1000, help="of each kind")
    parser.add_argument("--orders", type=int, default=1000, help="of arrival at stores")
    parser.add_argument("--kinds", nargs="*", choices=ALL, default=ALL, metavar="KIND")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args(arguments)
    failed = 0
    if asked.what in {"all", "relay"}:
        failed += _relay(asked)
    if asked.what in {"all", "matrix"}:
        _matrix()
    if asked.what in {"all", "orders"}:
        _orders(asked)
    return min(failed, 1)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _relay(asked: Any) -> int:
    began, failed, total = time.perf_counter(), 0, 0
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(asked.workers, mp_context=context) as pool:
        running = {pool.submit(attack, kind, asked.packets, asked.seed): kind for kind in asked.kinds}
        for done in as_completed(running):
            error = done.exception()
            if error is None:
                found = done.result()
                total += found.packets
                _say(f"  {found.kind:28} {found.packets:6} packets, none accepted  {found.seconds:7.1f} s")
            else:
                failed += 1
                _say(
                    f"  {running[done]:28} ACCEPTED OR KEPT OUT: {error!r} {getattr(error, '__notes__', '')}"
                )
    _say(
        f"hostile relay: {len(asked.kinds)} kinds, {total} packets, {failed} kinds failed, "
        f"{time.perf_counter() - began:.0f} s"
    )
    return failed


def _matrix() -> None:
    from tests.contract.test_matrix import CELLS, try_everywhere
    from tests.matrix_world import MatrixWorld

    began = time.perf_counter()
    total = dict.fromkeys(("tried", "allowed"), 0)
    for at in range(0, len(CELLS), 10_000):
        with tempfile.TemporaryDirectory() as folder:
            world = MatrixWorld(Path(folder))
            counts = try_everywhere(world, CELLS[at : at + 10_000])
            world.close()
        for name in counts:
            total[name] = total.get(name, 0) + counts[name]
        _say(f"  {total['tried']:6} cells at the store, the server and a third machine")
    _say(f"matrix: {total}, {time.perf_counter() - began:.0f} s")


def _orders(asked: Any) -> None:
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        counts = tell(Path(folder), max(1, asked.orders // 50), min(50, asked.orders), asked.seed)
    _say(f"equivocation: {counts}, one verdict, {time.perf_counter() - began:.0f} s")
    for why in get_args(CutReason):
        began = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            one_verdict(Path(folder), why, orders=asked.orders, seed=asked.seed)
        _say(f"cut, {why}: {asked.orders} orders, one verdict, {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    raise SystemExit(main())
