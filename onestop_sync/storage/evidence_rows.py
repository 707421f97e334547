"""What a store gives into an evidence file: events and their proofs, headers, acks. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import sqlalchemy as sa

from onestop_sync.acks import Acks, parse_acks
from onestop_sync.errors import FormatError
from onestop_sync.event import Event, Header
from onestop_sync.storage import tables as t
from onestop_sync.storage.rows import select_in, stored_event
from onestop_sync.trust import Trust

__all__ = ["acks_for", "document_events", "events_by_id", "headers_between", "proofs_of", "spans_of_cuts"]

MAX_GAP: Final = 2_000
"""Headers between an event and the head that an ack names: more is not worth the space."""

Spans = dict[bytes, list[tuple[int, int]]]
"""Log → ``(first, last)`` sequences whose headers are wanted."""


def document_events(connection: sa.Connection, doc: bytes) -> list[Event]:
    """Returns all events of a document."""
    query = sa.select(t.event).join(t.document, t.document.c.n == t.event.c.doc_n)
    rows = connection.execute(query.where(t.document.c.id == doc).order_by(t.event.c.n))
    return [stored_event(row) for row in rows]


def events_by_id(connection: sa.Connection, ids: Iterable[bytes]) -> list[Event]:
    """Returns events that are here."""
    return [stored_event(row) for row in select_in(connection, sa.select(t.event), t.event.c.id, sorted(ids))]


def proofs_of(
    connection: sa.Connection, trust: Trust, events: Iterable[Event], logs: Iterable[bytes] = ()
) -> list[Event]:
    """Returns all that proves by what right events were written: geneses, certificates, countersignatures.

    Args:
        connection: Any transaction.
        trust: Knows which they are.
        events: The events.
        logs: Further logs whose authority is wanted.
    """
    found: dict[bytes, Event] = {}
    wanted_logs = {*logs, *(event.log for event in events)}
    asked = {event.id for event in events}
    done: set[bytes] = set()
    while wanted_logs - done or asked:
        ids = {c for e in asked for c in trust.countersignatures_of(e)}
        for log in wanted_logs - done:
            done.add(log)
            ids.add(log)
            genesis = trust.genesis(log)
            if genesis is not None and genesis.cert:
                ids.add(genesis.cert)
        fresh = events_by_id(connection, ids - found.keys())
        found |= {event.id: event for event in fresh}
        asked = {event.id for event in fresh}
        wanted_logs |= {event.log for event in fresh}
    return list(found.values())


def spans_of_cuts(trust: Trust, events: Iterable[Event]) -> Spans:
    """Returns which headers tell, of each event, whether it lies before a cut."""
    found: Spans = {}
    for event in events:
        genesis = trust.genesis(event.log)
        for cut in trust.document.cuts_of(genesis.key, genesis.unit) if genesis else ():
            if event.log in cut.heads and event.header.seq <= cut.heads[event.log][0]:
                found.setdefault(event.log, []).append((event.header.seq, cut.heads[event.log][0]))
    return found


def headers_between(connection: sa.Connection, spans: Mapping[bytes, list[tuple[int, int]]]) -> list[bytes]:
    """Returns the headers of logs between sequences, those of events and those without."""
    found: set[bytes] = set()
    events = sa.select(t.event.c.header).join(t.log, t.log.c.n == t.event.c.log_n)
    for log, wanted in spans.items():
        for first, last in _merged(wanted):
            rows = connection.execute(events.where(t.log.c.id == log, t.event.c.seq.between(first, last)))
            found.update(rows.scalars())
            bones = sa.select(t.skeleton.c.header).where(t.skeleton.c.log == log)
            found.update(connection.execute(bones.where(t.skeleton.c.seq.between(first, last))).scalars())
    return sorted(found)


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def acks_for(
    connection: sa.Connection, events: Iterable[Event], units: Iterable[str]
) -> tuple[dict[bytes, Acks], Spans]:
    """Returns the first ack of each node that covers each event, and the headers that this takes.

    Args:
        connection: Any transaction.
        events: The events.
        units: Units whose logs they are in.

    Returns:
        Acks as they travel → read, and the spans of headers.
    """
    headers = {event.id: (event.log, event.header) for event in events}
    covered: set[tuple[bytes, bytes]] = set()
    found: dict[bytes, Acks] = {}
    spans: Spans = {}
    query = sa.select(t.acks.c.data).where(t.acks.c.unit.in_(sorted(set(units))))
    for data in connection.execute(query.order_by(t.acks.c.at_ms, t.acks.c.n)).scalars():
        try:
            said = parse_acks(data)[0]
        except FormatError:
            continue
        for event_id, span in _newly(said, headers, covered):
            found[data] = said
            covered.add((said.node, event_id))
            if span is not None:
                spans.setdefault(headers[event_id][0], []).append(span)
    return found, spans


def _newly(
    said: Acks, headers: Mapping[bytes, tuple[bytes, Header]], covered: set[tuple[bytes, bytes]]
) -> list[tuple[bytes, tuple[int, int] | None]]:
    """Returns which events acks are the first to cover, each with the headers that show it."""
    single = set(said.events)
    heads: dict[bytes, list[int]] = {}
    for log, seq, _ in said.logs:
        heads.setdefault(log, []).append(seq)
    found: list[tuple[bytes, Any]] = []
    for event_id, (log, header) in headers.items():
        if (said.node, event_id) in covered:
            continue
        if event_id in single:
            found.append((event_id, None))
            continue
        above = [seq for seq in heads.get(log, ()) if header.seq <= seq <= header.seq + MAX_GAP]
        if above:
            found.append((event_id, (header.seq, min(above))))
    return found
