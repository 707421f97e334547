"""What must hold after any load; each function tells what does not."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import sqlalchemy as sa

from onestop_sync.storage import feed
from onestop_sync.storage import tables as t
from onestop_sync.store import Store
from tests.load.land import Land, Machine
from tests.province import CASE

__all__ = ["Seen", "check"]


class Seen(NamedTuple):
    """What was looked at.

    Attributes:
        events: At the server.
        documents: At the server.
        readers: Machines whose cursor was compared.
        items: Items of all feeds.
        acks: Acks that machines hold.
    """

    events: int
    documents: int
    readers: int
    items: int
    acks: int


def check(land: Land) -> tuple[Seen, list[str]]:
    """Compares all machines with the server.

    Returns:
        How much was looked at, and a line for each thing that is not as it must be.
    """
    with land.office() as (store, _):
        server = _Server(store)
    wrong = [*server.wrong]
    written: Counter[bytes] = Counter()
    acks = 0
    for machine in land.machines:
        mine = _Mine(machine)
        written.update(mine.own)
        acks += len(mine.acked)
        wrong += [f"{machine.unit}: {what}" for what in _compare(server, machine, mine)]
    if doubled := sum(count > 1 for count in written.values()):
        wrong.append(f"{doubled} events were written twice")
    if lost := len(set(written) - set(server.events)):
        wrong.append(f"{lost} events of machines are not at the server")
    seen = Seen(
        len(server.events), len(server.states), len(land.machines), sum(map(len, server.feeds.values())), acks
    )
    return seen, wrong


class _Ends(NamedTuple):
    """Where the last event of a feed is, and the running digest at each number."""

    last_event: int
    digests: dict[int, bytes]


class _Server:
    """What the server's database holds."""

    def __init__(self, store: Store) -> None:
        self.wrong: list[str] = []
        self.states = store.fingerprints(CASE.name)
        self.node = store.machine_log
        with store.reading() as connection:
            rows = connection.execute(
                sa.select(t.event, t.log.c.id.label("log"))
                .join(t.log, t.log.c.n == t.event.c.log_n)
            ).all()  # fmt: skip
            self.events = {row.id: row.n for row in rows}
            self.places = {(row.log, row.seq): row.id for row in rows if row.chained}
            heads = connection.execute(sa.select(t.log.c.id, t.log.c.seq)).all()
            self.heads = {row.id: row.seq for row in heads}
            self.scopes = {
                row.unit: (row.n, row.digest) for row in connection.execute(sa.select(t.scope)).all()
            }
            self.ends: dict[str, _Ends] = {}
            self.feeds = {unit: self._feed(connection, unit) for unit in self.scopes}
        status = store.status()
        for name in ("forks", "waiting", "findings"):
            if count := getattr(status, name):
                self.wrong.append(f"the server has {count} {name}")
        if len(rows) != len(self.events):
            self.wrong.append("the server has an event twice")

    def _feed(self, connection: sa.Connection, unit: str) -> list[bytes]:
        """Returns the events of a feed; its numbers must have no gap, and its digest must be theirs."""
        query = sa.select(t.feed).where(t.feed.c.unit == unit).order_by(t.feed.c.n)
        rows = connection.execute(query).all()
        if [row.n for row in rows] != list(range(1, len(rows) + 1)):
            self.wrong.append(f"the feed of {unit} has holes")
        if (len(rows), rows[-1].digest if rows else feed.START) != self.scopes[unit]:
            self.wrong.append(f"the feed of {unit} does not end where its counter says")
        self.ends[unit] = _Ends(
            max((row.n for row in rows if row.kind == feed.EVENT), default=0),
            {row.n: row.digest for row in rows},
        )
        names = {n: event for event, n in self.events.items()}
        found, digest = [], feed.START
        for row in rows:
            name = names.get(row.ref, b"") if row.kind == feed.EVENT else _name_of(connection, row)
            digest = hashlib.sha256(digest + name).digest()[: feed.DIGEST_BYTES]
            if digest != row.digest:
                self.wrong.append(f"the feed of {unit} breaks at {row.n}")
                break
            if row.kind == feed.EVENT:
                found.append(name)
        return found


def _name_of(connection: sa.Connection, row: sa.Row[tuple[object, ...]]) -> bytes:
    table = t.acks if row.kind == feed.ACKS else t.statement
    return bytes(connection.execute(sa.select(table.c.hash).where(table.c.n == row.ref)).scalar_one())


class _Mine:
    """What one machine's database holds."""

    def __init__(self, machine: Machine) -> None:
        with machine.store.reading() as connection:
            rows = connection.execute(
                sa.select(t.event.c.id, t.log.c.own).join(t.log, t.log.c.n == t.event.c.log_n)
            ).all()
            self.events = {row.id for row in rows}
            self.own = [row.id for row in rows if row.own]
            self.acked = connection.execute(
                sa.select(t.ack.c.node, t.log.c.id, t.ack.c.seq, t.ack.c.head, t.ack.c.good)
                .join(t.log, t.log.c.n == t.ack.c.log_n)
            ).all()  # fmt: skip
            self.cursors = connection.execute(sa.select(t.parent.c.n, t.parent.c.digest)).all()


def _compare(server: _Server, machine: Machine, mine: _Mine) -> Iterator[str]:
    status = machine.store.status()
    for name in ("unsent", "forks", "waiting", "findings"):
        if count := getattr(status, name):
            yield f"{count} {name}"
    ends = server.ends[machine.unit]
    # What comes behind the last events are statements, which a server makes whenever it is time for them.
    if not any(n >= ends.last_event and ends.digests.get(n) == digest for n, digest in mine.cursors):
        yield f"its cursors are at {[n for n, _ in mine.cursors]}, the last event at {ends.last_event}"
    if unseen := len(set(server.feeds[machine.unit]) - mine.events):
        yield f"{unseen} events of its feed were passed over"
    if strange := len(mine.events - set(server.events)):
        yield f"{strange} events that the server has not got"
    for node, log, seq, head, good in mine.acked:
        if node == server.node and not (
            good and server.places.get((log, seq)) == head and seq <= server.heads[log]
        ):
            yield f"an ack of {log.hex()[:8]} up to {seq} that the server's log does not bear out"
    states = machine.store.fingerprints(CASE.name)
    if different := sum(server.states.get(doc) != state for doc, state in states.items()):
        yield f"{different} of {len(states)} documents differ from the server's"
