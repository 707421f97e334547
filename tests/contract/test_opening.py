"""Several programs open one store, and none takes another's start for a restore from a backup."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from onestop_sync.protocol import Requester, Responder
from onestop_sync.store import Store
from onestop_sync.store import store as store_module
from tests.province import CASE, Province


def test_killed_between_announcing_and_writing_a_marker_is_no_restore(tmp_path: Path) -> None:
    """A program killed at any point of its start leaves a store that opens as the same machine."""
    machine = Province(tmp_path).machine("pc", "c1", {"An": ["clerk"]})
    for broken in ("write_durably", "set_meta"):
        calls = iter([lambda *_: None]) if broken == "set_meta" else iter([])
        true = getattr(store_module, broken)

        def fail(*arguments: Any, true: Any = true, calls: Any = calls) -> None:
            if next(calls, None) is None:
                raise KeyboardInterrupt
            true(*arguments)

        with mock.patch.object(store_module, broken, fail), pytest.raises(KeyboardInterrupt):
            Store.open(machine.folder, machine.secrets, types=[CASE], threads=1)
        store = Store.open(machine.folder, machine.secrets, types=[CASE], threads=1)
        assert store.restores == 0
        store.close()
    machine.store.close()


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


def test_other_programs_keys_are_known_to_a_reader(tmp_path: Path) -> None:
    """What one program learned of a parent shows in another that has the store open: how far events got."""
    province = Province(tmp_path)
    parent = province.machine("server", "d1", serves=True)
    machine = province.machine("pc", "c1", {"An": ["clerk"]})
    doc = machine.writer("An").create("case", {"name": "Hường"})
    reader = Store.open(machine.folder, machine.secrets, types=[CASE], threads=1)
    exchange, responder = Requester(machine.store, "parent"), Responder(parent.store)
    while (request := exchange.next_request()) is not None:
        exchange.take_answer(*responder.respond(request))
    assert {record.delivery.level for record in reader.history(doc)} == {"district"}
    assert [found.level for found in reader.status().parents] == ["district"]
    reader.close()
    machine.store.close()
    parent.store.close()


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    """Nobody else on the machine can even read the encrypted files."""
    machine = Province(tmp_path).machine("pc", "c1", {"An": ["clerk"]})
    machine.writer("An").create("case", {"name": "Hường"})
    modes = {path.name: path.stat().st_mode & 0o077 for path in machine.folder.iterdir()}
    assert set(modes.values()) == {0}, modes
    assert "store.db" in modes
    machine.store.close()
