"""Logs as they are stored: the unbroken chain of each, what lies off it, and forks.

A log's chain grows from its genesis, event by event, each naming the one before. What comes before the
events that it follows waits off the chain and is joined later. Two events with one sequence are a fork: both
are kept, and the one that came second stays off the chain.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from onestop_sync.errors import FormatError
from onestop_sync.event import Event, parse_header
from onestop_sync.storage import bases
from onestop_sync.storage import tables as t
from onestop_sync.storage.engines import next_numbers
from onestop_sync.storage.feed import START
from onestop_sync.storage.rows import select_in
from onestop_sync.trust import Trust


class Log(NamedTuple):
    """A row of the table of logs."""

    n: int
    id: bytes
    key: bytes
    unit: str
    epoch: int
    seq: int
    head: bytes
    upward: int
    own: int
    closed: int
    broken: int
    forked: int


_LOGS = sa.select(t.log)
_OFF_CHAIN = sa.select(t.event.c.seq).where(t.event.c.log_n == sa.bindparam("of"), t.event.c.chained == 0)
_NEXT_OFF_CHAIN = sa.select(t.event.c.n, t.event.c.id, t.event.c.header).where(
    t.event.c.log_n == sa.bindparam("of"), t.event.c.seq == sa.bindparam("at"), t.event.c.chained == 0
)

_CHAIN = sa.update(t.event).where(t.event.c.n == sa.bindparam("at")).values(chained=1)


class Chains:
    """The logs of one transaction.

    Args:
        connection: In a write transaction.
        trust: Knows what each genesis says.
        below: Units whose events go up to our parents.
    """

    def __init__(self, connection: sa.Connection, trust: Trust, below: set[str]) -> None:
        self.connection = connection
        self.trust = trust
        self.below = below
        self.logs: dict[bytes, Log] = {}
        self._filled: set[tuple[int, int]] = set()

    def load(self, events: Sequence[Event], *, own: bool) -> None:
        """Loads and locks the logs of events; begins those whose genesis is among them.

        Args:
            events: About to be stored.
            own: Whether this machine wrote them.
        """
        ids = sorted({event.log for event in events})
        for row in select_in(self.connection, _LOGS, t.log.c.id, ids, lock=True):
            self.logs[row.id] = Log(*row)
        fresh = [event for event in events if event.is_genesis]
        if not fresh:
            return
        first = next_numbers(self.connection, t.log, len(fresh))
        for n, event in enumerate(fresh, first):
            genesis = self.trust.genesis(event.id)
            if genesis is None:
                raise FormatError("A log begins with something that is not a genesis.")
            upward = int(genesis.unit in self.below)
            self.logs[event.id] = Log(
                n, event.id, genesis.key, genesis.unit, genesis.epoch, -1, b"", upward, int(own), 0, 0, 0
            )
        rows = [self.logs[event.id]._asdict() for event in fresh]
        self.connection.execute(sa.insert(t.log), rows)

    def extend(self, event: Event) -> int:
        """Extends a log's chain by an event.

        Returns:
            1 when it is on the chain now, 0 when it does not fit there.
        """
        log = self.logs[event.log]
        header = event.header
        if header.seq == log.seq + 1 and header.prev == log.head:
            self.logs[event.log] = log._replace(seq=header.seq, head=event.id)
            return 1
        if header.seq <= log.seq and self._fills_gap(log, event):
            return 1
        if header.seq <= log.seq:
            self.logs[event.log] = log._replace(broken=1, forked=1)
        else:
            self.logs[event.log] = log._replace(broken=1)
        return 0

    def _fills_gap(self, log: Log, event: Event) -> bool:
        """Tells whether an event belongs where its log has a gap that the province knows of."""
        place = (log.n, event.header.seq)
        if place in self._filled or not bases.fits(self.connection, *place, event.id, event.header.prev):
            return False
        self._filled.add(place)
        return True

    def join(self, numbers: Sequence[int]) -> None:
        """Takes into the chains of logs what follows on their new bases, and writes them back."""
        rows = select_in(self.connection, sa.select(t.log), t.log.c.n, numbers)
        self.logs = {row.id: Log(*row) for row in rows}
        self.save()

    def save(self) -> None:
        """Writes the logs back; a fork of an own log closes all own logs."""
        self.logs = {log_id: self._joined(log) for log_id, log in self.logs.items()}
        if any(log.own and log.forked and not log.closed for log in self.logs.values()):
            close_own_logs(self.connection)
            self.logs = {log_id: log._replace(closed=log.own) for log_id, log in self.logs.items()}
        rows = [
            {"at": log.n, "to_seq": log.seq, "to_head": log.head, "is_broken": log.broken,
             "is_forked": log.forked, "is_closed": log.closed}
            for log in self.logs.values()
        ]  # fmt: skip
        if rows:
            self.connection.execute(_UPDATE_LOG, rows)

    def _joined(self, log: Log) -> Log:
        """Takes events into the chain that had come before the ones they follow."""
        if not log.broken:
            return log
        while True:
            found = self.connection.execute(_NEXT_OFF_CHAIN, {"of": log.n, "at": log.seq + 1}).all()
            after = [row for row in found if parse_header(row.header).prev == log.head]
            if not after:
                break
            row = min(after, key=lambda r: r.id)
            self.connection.execute(_CHAIN, {"at": row.n})
            log = log._replace(seq=log.seq + 1, head=row.id)
        off = self.connection.execute(_OFF_CHAIN, {"of": log.n}).scalars().all()
        forked = log.forked or any(seq <= log.seq for seq in off) or len(set(off)) < len(off)
        return log._replace(broken=int(bool(off)), forked=int(forked))

    def numbers(self, logs: Iterable[bytes]) -> list[int]:
        """Returns the local numbers of logs."""
        return sorted(self.logs[log].n for log in set(logs))


def close_own_logs(connection: sa.Connection) -> None:
    """Closes all logs that this machine writes, and forgets its parents' cursors.

    After a restore, or when a copy of this disk turned up: every key goes on in a new epoch, and what was
    left out of our feed because a copy of us had brought it is asked for again.
    """
    connection.execute(sa.update(t.log).where(t.log.c.own == 1).values(closed=1))
    connection.execute(sa.update(t.parent).values(epoch=b"", n=0, digest=START, nonce=b""))


_UPDATE_LOG = (
    sa.update(t.log)
    .where(t.log.c.n == sa.bindparam("at"))
    .values(
        seq=sa.bindparam("to_seq"),
        head=sa.bindparam("to_head"),
        broken=sa.bindparam("is_broken"),
        forked=sa.bindparam("is_forked"),
        closed=sa.bindparam("is_closed"),
    )
)
