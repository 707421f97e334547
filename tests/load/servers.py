"""The server's processes: what they wrote into their log, and what they and the database did meanwhile."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from tests.e2e.servers import Server, serving
from tests.load.land import Land

__all__ = ["Logged", "deadlocks", "logged", "measured", "several"]

_TICKS = os.sysconf("SC_CLK_TCK")


@contextmanager
def several(land: Land, processes: int, state_every_s: float) -> Iterator[list[Server]]:
    """Serves one database by several processes, as an operator does that puts a balancer before them."""
    options = ("--database", land.database, "--statement-every", state_every_s)
    with ExitStack() as stack:
        yield [stack.enter_context(serving(land.folder, *options)) for _ in range(processes)]


class Logged(NamedTuple):
    """What the log says of requests.

    Attributes:
        statuses: How often each HTTP status was answered.
        took_ms: How long each request took.
        broke: Lines of mistakes and warnings.
        stated: Statements that were made.
    """

    statuses: Counter[int]
    took_ms: list[float]
    broke: list[str]
    stated: int


def logged(folder: Path) -> Logged:
    """Reads the log of all processes."""
    statuses: Counter[int] = Counter()
    took_ms: list[float] = []
    broke: list[str] = []
    stated = 0
    for text in (folder / "server.log").read_text(encoding="utf-8").splitlines():
        if not text.startswith("{"):  # what the command tells a person
            continue
        line = json.loads(text)
        if line["event"] in {"sync", "sync refused"}:
            statuses[line["status"]] += 1
            took_ms.append(line.get("took_ms", 0.0))
        stated += line.get("statements", 0)
        if line["level"] != "info":
            broke.append(text)
    return Logged(statuses, sorted(took_ms), broke, stated)


class Measured(NamedTuple):
    """What a process took: CPU time in seconds, largest resident memory in bytes."""

    cpu_s: float
    memory_bytes: int


def measured(servers: Sequence[Server]) -> list[Measured]:
    """Reads what the processes took so far."""
    found = []
    for server in servers:
        of = Path(f"/proc/{server.process.pid}")
        words = (of / "stat").read_text().rsplit(")", 1)[1].split()
        peak = next(line for line in (of / "status").read_text().splitlines() if line.startswith("VmHWM"))
        found.append(Measured((int(words[11]) + int(words[12])) / _TICKS, int(peak.split()[1]) * 1024))
    return found


def deadlocks(database: str) -> int:
    """Returns how many deadlocks the database broke, so far."""
    engine = sa.create_engine(database)
    try:
        with engine.connect() as connection:
            query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
            return int(connection.execute(sa.text(query)).scalar_one())
    finally:
        engine.dispose()
