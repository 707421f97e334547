"""How far an event has got, as each machine sees it."""

from __future__ import annotations

from pathlib import Path

from onestop_sync.protocol import Requester, Responder
from onestop_sync.store import Store
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
