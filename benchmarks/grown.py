"""A commune that grows from a thousand to fifty thousand dossiers, and servers that grow with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Final

from benchmarks.bench import Bench, ServerStore, take_in
from benchmarks.link import Link
from benchmarks.server import serving
from benchmarks.world import open_store
from onestop_sync.store import Store

__all__ = ["SERVERS", "Grown"]

SERVERS: Final = ("SQLite", "PostgreSQL")


class Grown:
    """The commune's machine (SQLCipher), and one server on each kind of database, all with the same.

    Args:
        bench: The run; everything lives as long as it does.
    """

    def __init__(self, bench: Bench) -> None:
        self.counter = bench.world.counter(bench.fresh("grown"))
        bench.stack.callback(self.counter.store.close)
        self.documents: list[bytes] = []
        self.links: dict[str, Link] = {}
        self._stores: dict[str, ServerStore] = {}
        self._rng = Random(7)
        self._calls = 0
        for kind in SERVERS:
            self._stores[kind] = bench.stack.enter_context(bench.server(kind))
            port = bench.stack.enter_context(serving(*self._stores[kind]))
            self.links[kind] = Link(port)
            bench.stack.callback(self.links[kind].close)

    def grow_to(self, size: int) -> None:
        """Takes in dossiers until there are so many, and tells all servers."""
        if len(self.documents) < size:
            self.documents += take_in(self.counter, len(self.documents), size)
        for link in self.links.values():
            link.sync(self.counter.store)

    def change(self, count: int) -> None:
        """Changes so many dossiers: a new phone number each, one signed event each."""
        with self.counter.store.writing():
            for document in self._rng.sample(self.documents, count):
                self._calls += 1
                self.counter.officer.edit(document, {"dien_thoai": f"012{self._calls:07d}"})

    @contextmanager
    def opened(self, kind: str) -> Iterator[Store]:
        """Opens a server's store in this process too, beside the server."""
        store = open_store(*self._stores[kind])
        try:
            yield store
        finally:
            store.close()
