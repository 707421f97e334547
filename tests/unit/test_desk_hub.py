"""Whom a desk asks: the hub that was found goes first, and is looked for when nobody else answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from commune_client.desk.desk import Desk
from onestop_sync import client
from onestop_sync.client import Parent, WireReport
from onestop_sync.errors import InvalidInput, Unreachable
from onestop_sync.nearby import Hub, Watch
from onestop_sync.store import Store
from tests.unit.cli_world import Commune

HUB = Hub("00" * 8, "c1", "11" * 8, ("http://10.0.0.9:8420",))
DISTRICT = "https://huyen.example.vn"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk of one officer, which knows the district's address."""
    made = Commune(tmp_path)
    desk = made.desk(made.place("pc1"))
    desk.set_parents([DISTRICT])
    yield desk
    made.close()


class Around:
    """Who is near, who answers, and who was asked."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.known: list[Hub] = []
        self.late: list[Hub] = []
        self.answers = True
        self.asked: list[list[str]] = []
        patch.setattr(Watch, "hubs", self._hubs)
        patch.setattr(client, "sync", self._sync)

    def _hubs(self, _store: Store, wait_s: float = 0.0) -> list[Hub]:
        return [*self.known, *self.late] if wait_s else self.known

    def _sync(self, _store: Store, parents: Sequence[Parent], **_options: Any) -> WireReport:
        self.asked.append([parent.name for parent in parents])
        if self.answers or any(parent.found for parent in parents):
            return WireReport(parents[0].name)
        raise Unreachable("Nobody.")


@pytest.fixture
def around(monkeypatch: pytest.MonkeyPatch) -> Around:
    """A network where everybody answers and no hub is known."""
    return Around(monkeypatch)


def test_a_hub_that_is_known_goes_first(desk: Desk, around: Around) -> None:
    """The hub that announced itself is asked before the parents that are named."""
    around.known = [HUB]
    desk.sync()
    assert around.asked == [[HUB.name, DISTRICT]]


def test_a_hub_is_waited_for_only_when_nobody_answers(desk: Desk, around: Around) -> None:
    """Where the named parent answers nobody waits for a hub; where it does not, one that is there is used."""
    around.late = [HUB]
    desk.sync()
    assert around.asked == [[DISTRICT]]
    around.answers = False
    desk.sync()
    assert around.asked[1:] == [[DISTRICT], [HUB.name]]
    around.late = []
    with pytest.raises(Unreachable):
        desk.sync()


def test_looking_can_be_turned_off(desk: Desk, around: Around) -> None:
    """A machine whose settings say so asks the network nothing, with or without a named parent."""
    around.known = around.late = [HUB]
    desk.place.save_config(desk.place.config.with_(find_hub=0))
    desk.sync()
    assert around.asked == [[DISTRICT]]
    desk.set_parents([])
    with pytest.raises(InvalidInput):
        desk.sync()
