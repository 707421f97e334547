"""How far everything in a store has got, counted at one go."""

from __future__ import annotations

from collections import Counter, defaultdict

import sqlalchemy as sa

from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.storage import tables as t
from onestop_sync.storage.queries import LEVELS
from onestop_sync.store import Store

__all__ = ["count_dossiers", "count_own_events"]


def count_own_events(store: Store) -> Counter[str]:
    """Returns how many events that the store's own unit wrote in dossiers have got to which level."""
    return Counter(level for _, unit, level in _levels(store) if unit == store.unit)


def count_dossiers(store: Store) -> Counter[str]:
    """Returns how many dossiers have got how far: as far as the event that has got least far."""
    lowest: dict[int, str] = {}
    for doc, _, level in _levels(store):
        lowest[doc] = min(lowest.get(doc, LEVELS[-1]), level, key=LEVELS.index)
    return Counter(lowest.values())


def _levels(store: Store) -> list[tuple[int, str, str]]:
    """Returns ``(document number, author's unit, level)`` of each event."""
    levels = store.levels()
    query = (
        sa.select(t.event, t.log.c.id.label("log"), t.log.c.unit)
        .join(t.document, t.document.c.n == t.event.c.doc_n)
        .join(t.log, t.log.c.n == t.event.c.log_n)
        .where(t.document.c.kind == DOSSIER.name)
    )
    of_log: dict[int, list[tuple[int, bytes]]] = defaultdict(list)
    of_event: dict[int, list[bytes]] = defaultdict(list)
    with store.reading() as connection:
        for ack in connection.execute(sa.select(t.ack).where(t.ack.c.good == 1)):
            of_log[ack.log_n].append((ack.seq, ack.node))
        for one in connection.execute(sa.select(t.ack_event)):
            of_event[one.event_n].append(one.node)
        events = connection.execute(query).all()
    found: list[tuple[int, str, str]] = []
    for event in events:
        nodes = [*of_event[event.n]]
        if event.chained:
            nodes += [node for seq, node in of_log[event.log_n] if seq >= event.seq]
        found.append((event.doc_n, event.unit, levels.delivery(nodes, event.log).level))
    return found
