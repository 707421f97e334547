"""Programs of different versions on one line: what one does not understand, it keeps and passes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from onestop_sync.event import Event
from onestop_sync.fold import Standing
from onestop_sync.storage import tables as t
from onestop_sync.store import Store
from tests.protocol.test_sync import Line, Stranger, sync
from tests.province import Province


def newer_event(line: Line, province: Province, doc: bytes, ops: list[Any]) -> tuple[Event, list[Any]]:
    """Signs an event as a certified officer; returns it with the frames that bring it."""
    officer = Stranger(province, "c1", is_certified=True)
    event = officer.event(doc, line.pc1.store.document(doc).state.heads, ops)
    return event, [*province.issued, officer.genesis.to_frame(), event.to_frame()]


def stored(store: Store, event: Event) -> list[Any]:
    """Returns an event as a store keeps it."""
    with store.reading() as connection:
        row = connection.execute(sa.select(t.event).where(t.event.c.id == event.id)).one()
    return [row.header, row.signature, row.body]


def test_unknown_operation_is_relayed_byte_for_byte(tmp_path: Path) -> None:
    """An event with an operation that nobody here knows waits, delays nothing, and arrives unchanged."""
    province = Province(tmp_path)
    line = Line(province)
    doc = line.pc1.writer("An").create("case", {"name": "thật"})
    event, frames = newer_event(line, province, doc, [["stamp", "name", "1"], ["set", "phone", "9"]])
    line.pc1.store.receive(frames)
    line.pc1.writer("An").edit(doc, {"phone": "1"})
    line.everyone()
    for machine in (line.pc1, line.hub, line.district, line.province):
        assert stored(machine.store, event) == event.to_frame()
        assert machine.store.document(doc).value("phone") == "1"
        found = {r.event.id: r.standing for r in machine.store.history(doc)}
        assert found[event.id] is Standing.WAITING
    assert line.province.store.digest() == line.pc1.store.digest()
    assert sync(line.district, line.province).sent == 0
