"""Many communes at once: `python -m tests.load` (`make load`) prints what it came to.

Several processes serve one PostgreSQL; every commune and district writes and syncs in the same minutes, each
time through another process, districts in the cases of their communes. Afterwards every event is there once,
every cursor is at the end of a feed without holes, every ack is borne out, and every state is the same bytes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.load.balancer import balanced
from tests.load.checks import check
from tests.load.land import Land
from tests.load.servers import deadlocks, logged, measured, several
from tests.load.work import settle, work
from tests.postgres import fresh_database, server_directory, start_server


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--processes", type=int, default=4, help="server processes (4)")
    parser.add_argument("--communes", type=int, default=300, help="communes, a machine each (300)")
    parser.add_argument("--rounds", type=int, default=4, help="how often each writes and syncs (4)")
    parser.add_argument("--cases", type=int, default=5, help="new cases of a commune in a round (5)")
    parser.add_argument("--at-once", type=int, default=64, help="machines at work at a time (64)")
    parser.add_argument("--state-every", type=float, default=5.0, help="seconds between statements (5)")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs it, prints what it came to, and returns whether all of it is as it must be."""
    asked = _asked(arguments)
    with tempfile.TemporaryDirectory(prefix="onestop-load-") as folder, server_directory() as directory:
        start_server(directory)
        with fresh_database(directory) as database:
            return _run(Path(folder), database, asked)


def _run(folder: Path, database: str, asked: argparse.Namespace) -> int:
    begun = time.monotonic()
    with Land(folder, database, asked.communes) as land:
        land.populate()
        prepared_s = time.monotonic() - begun
        _say(f"{asked.communes} communes and {len(land.districts)} districts in {prepared_s:.0f} s")
        with several(land, asked.processes, asked.state_every) as servers:
            with balanced([server.port for server in servers]) as url:
                took_s = work(
                    land, url, rounds=asked.rounds, cases=asked.cases, at_once=asked.at_once, seed=asked.seed
                )
                settle(land, url, asked.at_once)
                land.hang_up()
            used = measured(servers)
            is_good = all(server.stop() == 0 for server in servers)
        seen, wrong = check(land)
    found, locks = logged(land.folder), deadlocks(database)
    syncs = sorted(s for machine in land.machines for s in machine.took_s)
    _say(f"{asked.processes} processes, {asked.at_once} machines at once: {seen.events:,} events of", end=" ")
    _say(f"{seen.documents:,} cases in {took_s:.0f} s, {seen.events / took_s:,.0f} a second")
    _say(
        f"  a sync: median {_at(syncs, 0.5):.2f} s, 95 % {_at(syncs, 0.95):.2f} s, longest {syncs[-1]:.2f} s"
    )
    _say(f"  {len(found.took_ms):,} requests {dict(sorted(found.statuses.items()))}:", end=" ")
    _say(f"median {_at(found.took_ms, 0.5):.0f} ms, 95 % {_at(found.took_ms, 0.95):.0f} ms")
    _say(f"  {found.stated} statements, {locks} deadlocks broken, {len(found.broke)} warnings")
    _say("  CPU of the processes " + ", ".join(f"{each.cpu_s:.0f} s" for each in used), end="; ")
    _say("memory " + ", ".join(f"{each.memory_bytes / 2**20:.0f} MiB" for each in used))
    _say(f"  {seen.readers} readers of {seen.items:,} items, {seen.acks:,} acks: {len(wrong)} things wrong")
    for each in [*wrong[:20], *found.broke[:20]]:
        _say(f"    {each}")
    is_good &= not wrong and not found.broke and not any(status >= 500 for status in found.statuses)
    return 0 if is_good else 1


def _at(values: Sequence[float], part: float) -> float:
    return values[int((len(values) - 1) * part)]


def _say(text: str, end: str = "\n") -> None:
    sys.stdout.write(text + end)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
