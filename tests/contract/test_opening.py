"""Several programs open one store, and none takes another's start for a restore from a backup."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from onestop_sync.store import Store
from tests.province import CASE, Province


def test_starts_at_the_same_moment_are_no_restore(tmp_path: Path) -> None:
    """However many programs open a store at once, it was not restored, and no log is closed."""
    machine = Province(tmp_path).machine("pc", "c1", {"An": ["clerk"]})
    machine.writer("An").create("case", {"name": "Hường"})
    epoch = machine.store.epoch

    def start(_: int) -> tuple[int, bytes]:
        store = Store.open(machine.folder, machine.secrets, types=[CASE], threads=1)
        try:
            return store.restores, store.epoch
        finally:
            store.close()

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(start, range(24))) == {(0, epoch)}
    machine.store.close()
