"""What all sections share: a folder, databases, and how often and with how much each thing is measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.dossiers import plans
from benchmarks.world import KIND, Counter, World
from tests import postgres

__all__ = ["DATABASES", "Bench", "ServerStore", "take_in", "timed"]

DATABASES: Final = ("SQLite", "SQLCipher", "PostgreSQL")
_A_TRANSACTION: Final = 1000


class ServerStore(NamedTuple):
    """A server's store: its folder, and its SQLAlchemy URL (``None`` for an encrypted file)."""

    folder: Path
    database: str | None


class Bench:
    """One run.

    Args:
        folder: For all files; removed by the caller.
        stack: Closes what is opened.
        rounds: How often each thing is measured.
        dossiers: How many the first push has.
        sizes: Sizes of the growing store, dossiers.
    """

    def __init__(
        self, folder: Path, stack: ExitStack, rounds: int, dossiers: int, sizes: tuple[int, ...]
    ) -> None:
        self.folder = folder
        self.rounds = rounds
        self.dossiers = dossiers
        self.sizes = sizes
        self.stack = stack
        self.world = World(folder / "world")
        stack.callback(self.world.close)
        self._names = 0

    def fresh(self, prefix: str) -> str:
        """Returns a name that was not used before."""
        self._names += 1
        return f"{prefix}-{self._names}"

    @contextmanager
    def server(self, kind: str) -> Iterator[ServerStore]:
        """Makes an empty store for a server, which exists for the length of the block.

        Args:
            kind: One of `DATABASES`.
        """
        name = self.fresh("server")
        with ExitStack() as stack:
            database = None
            if kind == "PostgreSQL":
                database = stack.enter_context(postgres.fresh_database(self._postgres))
            elif kind == "SQLite":
                database = f"sqlite:///{self.folder / name}.db"
            yield ServerStore(self.world.server(name, database), database)

    @cached_property
    def _postgres(self) -> Path:
        directory = self.stack.enter_context(postgres.server_directory())
        postgres.start_server(directory)
        return directory


def take_in(counter: Counter, start: int, stop: int) -> list[bytes]:
    """Takes in the dossiers from one number to another, many in one transaction; returns their ids."""
    found: list[bytes] = []
    wanted = islice(plans(stop), start, stop)
    while batch := list(islice(wanted, _A_TRANSACTION)):
        with counter.store.writing():
            found += [counter.officer.create(KIND, plan.values, plan.acts) for plan in batch]
    return found


def timed(work: Callable[[], object]) -> float:
    """Returns the milliseconds that something takes."""
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000
