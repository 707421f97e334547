"""A store that an older program left is brought up in place, and what waited for a newer one counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest
import sqlalchemy as sa

from onestop_sync.errors import StoreDamaged, StoreTooNew
from onestop_sync.fold import Standing
from onestop_sync.schema import Field
from onestop_sync.storage import tables as t
from onestop_sync.storage import upgrade
from onestop_sync.store import Store
from tests.province import CASE, Machine, Province

NOW = t.SCHEMA_VERSION
NEWER = replace(CASE, version=2, fields=(*CASE.fields, Field("colour")))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with one document."""
    found = Province(tmp_path).machine("pc", "c1", {"An": ["clerk"]})
    found.writer("An").create("case", {"name": "Hường"})
    return found


def reopen(machine: Machine, *types: object) -> Store:
    """Opens a machine's store once more, with other types."""
    machine.store.close()
    return Store.open(machine.folder, machine.secrets, types=types or (CASE,), threads=1)  # type: ignore[arg-type]


def add_column(connection: sa.Connection) -> None:
    """A step to the next version of the tables."""
    connection.execute(sa.text("ALTER TABLE document ADD COLUMN extra INTEGER"))


def test_tables_are_upgraded_in_place(machine: Machine) -> None:
    """Each step runs once, the version is raised with it, and every document is there."""
    with (
        mock.patch.object(t, "SCHEMA_VERSION", NOW + 1),
        mock.patch.object(upgrade, "MIGRATIONS", {NOW: add_column}),
    ):
        for _ in range(2):
            store = reopen(machine)
            assert store.count("case") == 1
            store.close()
    with pytest.raises(StoreTooNew):
        reopen(machine)


def test_step_that_fails_changes_nothing(machine: Machine) -> None:
    """A step that fails leaves the store as it was, and the older program opens it."""

    def half(connection: sa.Connection) -> None:
        add_column(connection)
        raise StoreDamaged("No further.")

    with (
        mock.patch.object(t, "SCHEMA_VERSION", NOW + 1),
        mock.patch.object(upgrade, "MIGRATIONS", {NOW: half}),
    ):
        with pytest.raises(StoreDamaged):
            reopen(machine)
        with mock.patch.object(upgrade, "MIGRATIONS", {}), pytest.raises(StoreDamaged):
            reopen(machine)
    assert reopen(machine).count("case") == 1


def test_newer_type_gives_effect_to_what_waited(tmp_path: Path) -> None:
    """An edit made with a newer document type waits, and counts once this program knows the type too."""
    new_province = Province(tmp_path, types=[NEWER])
    author = new_province.machine("moi", "c1", {"An": ["clerk"]})
    doc = author.writer("An").create("case", {"colour": "đỏ"})
    older = Province(tmp_path / "cu")
    older.root, older.admin, older.trust = new_province.root, new_province.admin, new_province.trust
    reader = Machine(
        older._store("pc", secrets := older._secrets("pc"), "c1"), secrets, folder=older.folder / "pc"
    )
    frames = [r.event.to_frame() for r in author.store.history(doc)]
    log = author.store.history(doc)[0].event.log
    reader.store.receive([*author.store.introduction(log), *frames])
    assert [r.standing for r in reader.store.history(doc)] == [Standing.WAITING]
    store = reopen(reader, NEWER)
    assert store.document(doc).value("colour") == "đỏ"
    assert store.fingerprints("case") == author.store.fingerprints("case")
    reader = Machine(store, secrets, folder=reader.folder)
    with pytest.raises(StoreTooNew):
        reopen(reader)


def test_newer_projection_is_computed_from_the_events(machine: Machine) -> None:
    """When the fold changes, every document is folded again from its events at the next start."""
    with machine.store.engine.begin() as connection:
        connection.execute(sa.update(t.document).where(t.document.c.kind == "case").values(state=None))
    with mock.patch.object(upgrade, "PROJECTION_VERSION", upgrade.PROJECTION_VERSION + 1):
        store = reopen(machine)
    assert [row.title for row in store.page("case")] == ["Hường"]
    store.close()
