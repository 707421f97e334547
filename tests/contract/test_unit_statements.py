"""Statements while the tree of units changes: whatever moves, merges or is split, nobody is accused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from onestop_sync.stating import make_statements
from onestop_sync.storage import tables
from tests.contract import test_unit_changes as changes
from tests.contract.test_unit_changes import Land
from tests.province import Machine

SCENARIOS = (
    changes.test_three_communes_merge_while_they_work,
    changes.test_a_machine_that_has_not_heard_goes_on_for_weeks,
    changes.test_the_closing_ends_a_unit_and_waits_for_its_head,
    changes.test_the_district_tier_ends_and_communes_go_on,
    changes.test_a_split_gives_each_successor_its_documents_and_no_others,
    changes.test_what_is_addressed_to_a_unit_that_is_gone_reaches_its_successor,
    changes.test_both_units_act_at_once_and_a_person_settles_it,
)


class StatedLand(Land):
    """A province that states everything before each round."""

    def sync_all(self, machines: Iterable[Machine] | None = None, rounds: int = 3) -> None:
        """States and syncs, each as often."""
        for _ in range(rounds):
            make_statements(self.top.store, interval_ms=0)
            super().sync_all(machines, 1)
        super().sync_all(machines, 1)


@pytest.fixture
def land(tmp_path: Path) -> Iterator[StatedLand]:
    """Give a province."""
    made = StatedLand(tmp_path, "sqlite://")
    yield made
    for machine in made.machines:
        machine.store.close()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__[5:])
def test_a_change_of_the_tree_accuses_nobody(land: StatedLand, scenario: Callable[[Land], None]) -> None:
    """Each change of units, with statements before and after it, leaves nothing to find at any machine."""
    land.sync_all()
    scenario(land)
    land.sync_all()
    for machine in land.machines:
        assert machine.store.findings() == [], machine.folder.name
    with land.one.store.reading() as connection:
        count = sa.select(sa.func.count()).select_from(tables.statement)
        assert connection.execute(count).scalar_one() > 2
