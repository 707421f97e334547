"""How far an event has got, as each machine sees it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from onestop_sync.protocol import Requester, Responder
from onestop_sync.store import Store
from onestop_sync.trust import Certificate
from tests.province import Province


def sync(store: Store, parent: Store) -> None:
    """Exchanges until nothing is left."""
    exchange, responder = Requester(store, "parent"), Responder(parent)
    while (request := exchange.next_request()) is not None:
        exchange.take_answer(*responder.respond(request))


def test_what_comes_down_has_got_as_far_as_where_it_comes_from(tmp_path: Path) -> None:
    """A decision that a commune received from its district has got as far as the district, not only here."""
    province = Province(tmp_path)
    district = province.machine("server", "d1", {"Bình": ["judge"]}, serves=True)
    commune = province.machine("pc", "c1", {"An": ["clerk"]})
    district.store.receive(province.issued)
    doc = commune.writer("An").create("case", {"name": "Hường"})
    commune.writer("An").act(doc, "hand", {"to": "d1"})
    sync(commune.store, district.store)
    decision = district.writer("Bình").act(doc, "decide")
    sync(commune.store, district.store)
    assert commune.store.delivery(decision.id).level == "district"
    assert {record.delivery.level for record in commune.store.history(doc)} == {"district"}
    assert district.store.delivery(decision.id).level == "here"
    commune.store.close()
    district.store.close()


def test_a_hub_of_a_merged_unit_is_still_the_hub(tmp_path: Path) -> None:
    """What a hub has that moved on to the successor before us has got as far as the hub, and so after us."""
    province = Province(tmp_path)
    hub = province.machine("hub", "c1", serves=True)
    pc = province.machine("pc", "c1", {"An": ["clerk"]})
    hub.store.receive(province.issued)
    doc = pc.writer("An").create("case", {"name": "Hường"})
    sync(pc.store, hub.store)
    assert {record.delivery.level for record in pc.store.history(doc)} == {"hub"}
    units = province.document.units
    gone = {"c1": replace(units["c1"], until_ms=province.clock_ms, successors=("c9",))}
    province.publish(pc.store, hub.store, units={**units, **gone})
    for machine in (hub, pc):
        moved = Certificate(machine.secrets.machine.public, "c9", "machine", "x", serves=machine is hub)
        province._issue(moved)
        machine.store.receive(province.issued)
        assert machine.store.move_on() == "c9"
        assert {record.delivery.level for record in pc.store.history(doc)} == {"hub"}
    pc.store.close()
    hub.store.close()
