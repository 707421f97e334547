"""What a server's store holds of keys and units: where their logs end, and which machines have moved on.

A cut names the last good event of each log. What is proposed comes from what is stored here, which is what
this server has acknowledged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from onestop_sync.errors import NotFound
from onestop_sync.event import parse_header
from onestop_sync.storage import tables as t
from onestop_sync.storage.rows import select_in
from onestop_sync.store import Store
from onestop_sync.trust import Authority, Certificate

__all__ = [
    "Branch",
    "LogHead",
    "MachineState",
    "branch_end",
    "branches",
    "certificates_of",
    "heads_of_key",
    "heads_of_unit",
    "machines_of",
    "moved_back",
]


class LogHead(NamedTuple):
    """Where a log ends here.

    Attributes:
        log: Its id.
        key: Whose it is.
        unit: For which unit it writes.
        epoch: The how manieth of its key.
        seq: Sequence of the last event on its chain; -1 when its beginning has not arrived.
        head: That event's id.
        claimed_ms: When its author says that it was written.
        stored_ms: When it was stored here.
        is_forked: Whether it was written on two machines at once.
    """

    log: bytes
    key: bytes
    unit: str
    epoch: int
    seq: int
    head: bytes
    claimed_ms: int
    stored_ms: int
    is_forked: bool


class Branch(NamedTuple):
    """A branch of a log that was written on two machines at once: from where they part, to its last event.

    Attributes:
        seq: Sequence of its last event.
        head: That event's id.
        claimed_ms: When its author says that it was written.
        stored_ms: When it was stored here.
        events: How many events lie on this branch alone.
    """

    seq: int
    head: bytes
    claimed_ms: int
    stored_ms: int
    events: int


class MachineState(NamedTuple):
    """A machine of a unit that has ended, or not.

    Attributes:
        key: Its public key.
        name: As its certificate says.
        unit: The unit of that certificate.
        moved_to: The unit for which it writes now, where it has gone on in another one and everything from
            before is here; empty while that is not so.
        seen_ms: When it last synced with this very server; 0 for never.
        is_cut: Whether its key was cut off.
    """

    key: bytes
    name: str
    unit: str
    moved_to: str
    seen_ms: int
    is_cut: bool

    @property
    def is_done(self) -> bool:
        """Whether nothing more is to come from it for that unit."""
        return bool(self.moved_to) or self.is_cut


def heads_of_key(store: Store, key: bytes) -> list[LogHead]:
    """Returns where each log of a key ends, the first epoch first."""
    return _heads(store, t.log.c.key == key)


def heads_of_unit(store: Store, unit: str) -> list[LogHead]:
    """Returns where each log of a unit ends."""
    return _heads(store, t.log.c.unit == unit)


def _heads(store: Store, which: sa.ColumnElement[bool]) -> list[LogHead]:
    query = (
        sa.select(t.log, t.event.c.header, t.event.c.at_ms)
        .join(t.event, t.event.c.id == t.log.c.head)
        .where(which, t.log.c.seq >= 0)
        .order_by(t.log.c.key, t.log.c.epoch, t.log.c.id)
    )
    with store.reading() as connection:
        return [_head(row) for row in connection.execute(query)]


def _head(row: Any) -> LogHead:
    return LogHead(
        row.id, row.key, row.unit, row.epoch, row.seq, row.head, parse_header(row.header).time_ms, row.at_ms,
        bool(row.forked),
    )  # fmt: skip


def branches(store: Store, log: bytes) -> list[Branch]:
    """Returns the branches of a log, the one that came first at the front; one when it never branched."""
    query = sa.select(t.event).join(t.log, t.log.c.n == t.event.c.log_n).where(t.log.c.id == log)
    with store.reading() as connection:
        rows = {row.id: row for row in connection.execute(query.order_by(t.event.c.n))}
    before = {event: parse_header(row.header).prev for event, row in rows.items()}
    ends = [event for event in rows if event not in set(before.values())]
    lines = {end: _line(before, end) for end in ends}
    found = []
    for end in sorted(ends, key=lambda event: (not rows[event].chained, rows[event].n)):
        others = set().union(*(line for other, line in lines.items() if other != end))
        row = rows[end]
        own = len(lines[end] - others)
        found.append(Branch(row.seq, end, parse_header(row.header).time_ms, row.at_ms, own))
    return found


def _line(before: Mapping[bytes, bytes], end: bytes) -> set[bytes]:
    found: set[bytes] = set()
    at = end
    while at in before:
        found.add(at)
        at = before[at]
    return found


def branch_end(store: Store, head: LogHead, start: str) -> LogHead:
    """Returns a log's end on another branch: at the event whose id begins so.

    Raises:
        NotFound: The log has no such event here, or several.
    """
    query = sa.select(t.event).join(t.log, t.log.c.n == t.event.c.log_n).where(t.log.c.id == head.log)
    with store.reading() as connection:
        found = [row for row in connection.execute(query) if row.id.hex().startswith(start)]
    if len(found) != 1:
        raise NotFound(
            f"{len(found)} events of the log {head.log.hex()[:16]} begin with {start!r}.",
            todo="Nothing was changed. Give more digits of the last good event.",
        )
    (row,) = found
    claimed = parse_header(row.header).time_ms
    return head._replace(seq=row.seq, head=row.id, claimed_ms=claimed, stored_ms=row.at_ms)


def moved_back(
    store: Store, head: LogHead, *, to_seq: int | None = None, before_ms: int | None = None
) -> LogHead | None:
    """Returns an earlier end of a log: at a sequence, or the last event that was stored before a time.

    Args:
        store: The server's.
        head: Where it ends.
        to_seq: The sequence of the last good event.
        before_ms: Only what was stored here before, milliseconds since 1970 UTC; whatever its author claims.

    Returns:
        The earlier end; ``None`` when nothing of the log was here by then.

    Raises:
        NotFound: The log has no such event here.
    """
    where = [t.log.c.id == head.log, t.event.c.chained == 1, t.event.c.seq <= head.seq]
    if to_seq is not None:
        where.append(t.event.c.seq == to_seq)
    query = sa.select(t.event).join(t.log, t.log.c.n == t.event.c.log_n).where(*where).order_by(t.event.c.seq)
    found = None
    with store.reading() as connection:
        for row in connection.execute(query):
            if before_ms is not None and row.at_ms >= before_ms:
                break
            found = row
    if found is None:
        if to_seq is not None:
            raise NotFound(
                f"The log {head.log.hex()[:16]} has no event {to_seq} here.", todo="Nothing was changed."
            )
        return None
    claimed = parse_header(found.header).time_ms
    return head._replace(seq=found.seq, head=found.id, claimed_ms=claimed, stored_ms=found.at_ms)


def certificates_of(store: Store, unit: str) -> dict[bytes, Certificate]:
    """Returns the newest certificate of each key that was ever certified for a unit, as far as it counts.

    Of several the one that begins last, then the one that was written last, as its issuer claims.
    """
    found: dict[bytes, Certificate] = {}
    newest: dict[bytes, tuple[int, int, bytes]] = {}
    written = _written(store, [event_id for event_id, _ in store.trust.certificates()])
    for event_id, certificate in store.trust.certificates():
        issuer = store.trust.issuer_log(event_id)
        if certificate.unit != unit or not issuer or not isinstance(store.trust.authority(issuer), Authority):
            continue
        age = (certificate.valid_from_ms, written.get(event_id, 0), event_id)
        if newest.get(certificate.key, age) <= age:
            newest[certificate.key], found[certificate.key] = age, certificate
    return found


def _written(store: Store, events: list[bytes]) -> dict[bytes, int]:
    """Returns when events were written, milliseconds since 1970 UTC, as their authors claim."""
    query = sa.select(t.event.c.id, t.event.c.header)
    with store.reading() as connection:
        rows = select_in(connection, query, t.event.c.id, events)
    return {row.id: parse_header(row.header).time_ms for row in rows}


def machines_of(store: Store, unit: str) -> list[MachineState]:
    """Returns the machines of a unit by name, and what is known of whether they have moved on."""
    certified = {k: c for k, c in certificates_of(store, unit).items() if c.kind == "machine"}
    with store.reading() as connection:
        seen = {row.machine: row.seen_ms for row in connection.execute(sa.select(t.peer))}
    found = []
    for key, certificate in certified.items():
        heads = heads_of_key(store, key)
        last_seen = max((seen.get(head.log, 0) for head in heads), default=0)
        is_cut = store.trust.document.is_cut_off(key)
        moved = _moved_to(store, unit, heads)
        found.append(MachineState(key, certificate.name, unit, moved, last_seen, is_cut))
    return sorted(found, key=lambda machine: (machine.name, machine.key))


def _moved_to(store: Store, unit: str, heads: list[LogHead]) -> str:
    """Returns the unit in which a machine goes on, once all that it wrote before is here.

    The first event of its log there names where the log before ended. A machine sends what is older first,
    so whatever its officers wrote for the old unit came before that event.
    """
    here = {head.log: head.seq for head in heads}
    last = max(heads, key=lambda head: head.epoch, default=None)
    if last is None or last.unit == unit:
        return ""
    for head in heads:
        genesis = store.trust.genesis(head.log)
        if genesis and genesis.previous and here.get(genesis.previous[0], -1) < genesis.previous[1]:
            return ""
    return last.unit
