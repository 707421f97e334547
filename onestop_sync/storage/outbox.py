"""What a parent has not acknowledged, and how far each event has got.

An ack is a parent's signed word that it has stored a log up to a sequence, naming the event there; the
chain covers everything before. Events off the chain (a fork, a hole) are acknowledged one by one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from onestop_sync.acks import Acks
from onestop_sync.storage import bases, chunks, findings
from onestop_sync.storage import tables as t
from onestop_sync.storage.chains import close_own_logs
from onestop_sync.storage.engines import next_numbers
from onestop_sync.storage.many_acks import note_plain
from onestop_sync.storage.rows import select_in

_URGENT: Final = re.compile(rb"[\x81-\x97][\x80-\x97](?:cact|gresolve|fsettle|dcert|kcountersign)")
"""How the operations of an event begin, behind the salt, that somebody waits for."""
_SALTED: Final = 18
_PAPER: Final = sa.select(t.acks.c.n).where(t.acks.c.hash == sa.bindparam("of"))
_EPOCHS: Final = sa.select(t.node_epoch).where(t.node_epoch.c.node == sa.bindparam("of"))
_EARLY: Final = sa.select(t.ack_early)
_UNPLACED: Final = sa.select(t.ack).where(sa.or_(t.ack.c.good == 0, t.ack.c.ahead >= 0))
_HAVING_EVENT: Final = sa.select(t.ack_event.c.node).where(t.ack_event.c.event_n == sa.bindparam("of"))
_HAVING_LOG: Final = sa.select(t.ack.c.node).where(
    t.ack.c.log_n == sa.bindparam("of"), t.ack.c.seq >= sa.bindparam("from_seq"), t.ack.c.good == 1
)
_NUMBERS: Final = sa.select(t.log.c.id, t.log.c.n)
_URGENCY: Final = 8


def keep_paper(connection: sa.Connection, data: bytes, acks: Acks) -> tuple[int, bytes, bool]:
    """Stores acks as they came; returns their local number, their hash, and whether they are new."""
    digest = hashlib.sha256(data).digest()
    n = connection.execute(_PAPER, {"of": digest}).scalar()
    if n is not None:
        return int(n), digest, False
    n = next_numbers(connection, t.acks, 1)
    connection.execute(
        sa.insert(t.acks).values(
            n=n,
            hash=digest,
            node=acks.node,
            unit=acks.unit,
            at_ms=acks.at_ms,
            about=int(bool(acks.contents)),
            data=data,
        )
    )
    return n, digest, True


def keep_acks(connection: sa.Connection, acks: Acks, paper: findings.Signed) -> None:
    """Takes checked acks; an ack never goes back by itself.

    A node that speaks in a new epoch was restored: what it had said before counts no more, and is not
    believed when it turns up again.

    Args:
        connection: In a write transaction.
        acks: What they say.
        paper: The same as they came.
    """
    if not is_current(connection, acks.node, acks.unit, acks.epoch, paper):
        return
    findings.check_acks(connection, acks, paper)
    numbers = _log_numbers(connection, [log for log, _, _ in acks.logs])
    for log, seq, head in note_plain(connection, acks.node, numbers, acks.logs, (acks.after, paper.n)):
        if log in numbers:
            _note_ack(connection, acks, numbers[log], (log, seq, head), paper)
        else:
            _note_early(connection, acks, (log, seq, head), paper.n)
    if acks.events:
        note_events(connection, acks.node, acks.events)
    if acks.contents:
        chunks.note_acks(connection, acks.node, acks.contents, acks.at_ms)


def is_current(
    connection: sa.Connection, node: bytes, unit: str, epoch: bytes, paper: findings.Signed
) -> bool:
    """Tells whether a node speaks in the epoch in which it spoke last; a new one ends the one before."""
    table = t.node_epoch
    known = {row.epoch: row.current for row in connection.execute(_EPOCHS, {"of": node})}
    if epoch not in known:
        findings.check_epoch(connection, unit, epoch, paper)
        if known:
            forget_acks(connection, node)
            connection.execute(sa.update(table).where(table.c.node == node).values(current=0))
        row = {"node": node, "epoch": epoch, "current": 1, "key": paper.key}
        connection.execute(sa.insert(table).values(row | {"kind": paper.kind, "data": paper.data}))
        return True
    return bool(known[epoch])


def _note_ack(
    connection: sa.Connection, acks: Acks, log_n: int, entry: tuple[bytes, int, bytes], paper: findings.Signed
) -> None:
    """Notes one entry of acks, and what it contradicts."""
    _, seq, head = entry
    row = note_ack(connection, acks.node, log_n, (seq, head), (acks.after, paper.n))
    if row is not None and row.seq == seq and row.head != head:
        findings.note_rewritten(connection, acks, entry, row.paper, paper)


def note_ack(
    connection: sa.Connection, node: bytes, log_n: int, entry: tuple[int, bytes], said: tuple[int, int]
) -> Any:
    """Notes that a node has a log up to a sequence, where a head is.

    Args:
        connection: In a write transaction.
        node: Log of the node's machine.
        log_n: Local number of the log.
        entry: Sequence and head.
        said: How many statements the node had made, and the local number of the acks that say all this.

    Returns:
        The row of t.ack before; ``None`` when there was none.
    """
    seq, head = entry
    after, paper = said
    row = connection.execute(sa.select(t.ack).where(t.ack.c.node == node, t.ack.c.log_n == log_n)).first()
    ours = bases.chained_at(connection, log_n, seq)
    good = int(ours == head)
    if not good:
        # One part of a split unit has holes in a log that nobody fills: what is named is stored all the same.
        note_events(connection, node, [head])
    values = {"seq": seq, "head": head, "good": good, "after": after, "paper": paper}
    if row is None:
        connection.execute(sa.insert(t.ack).values(node=node, log_n=log_n, proven=0, **values))
    elif (good, seq) > (row.good, row.seq):
        _update_ack(connection, node, log_n, **values)
    elif ours is None and seq > row.ahead:
        _update_ack(connection, node, log_n, ahead=seq, ahead_head=head, ahead_after=after, ahead_paper=paper)
    if ours is not None and not good:
        # The node has another event at our sequence: this log was written on two machines.
        connection.execute(sa.update(t.log).where(t.log.c.n == log_n).values(forked=1, broken=1))
        if connection.execute(sa.select(t.log.c.own).where(t.log.c.n == log_n, t.log.c.closed == 0)).scalar():
            close_own_logs(connection)
    return row


def _note_early(connection: sa.Connection, acks: Acks, entry: tuple[bytes, int, bytes], paper: int) -> None:
    log, seq, head = entry
    where = (t.ack_early.c.node == acks.node, t.ack_early.c.log == log)
    held = connection.execute(sa.select(t.ack_early.c.seq).where(*where)).scalar()
    values = {"seq": seq, "head": head, "after": acks.after, "paper": paper}
    if held is None:
        connection.execute(sa.insert(t.ack_early).values(node=acks.node, log=log, **values))
    elif seq > held:
        connection.execute(sa.update(t.ack_early).where(*where).values(**values))


def take_early(connection: sa.Connection, logs: Sequence[bytes]) -> None:
    """Takes the acks of logs that have just begun here, and had come before them."""
    rows = select_in(connection, _EARLY, t.ack_early.c.log, list(logs))
    numbers = _log_numbers(connection, [row.log for row in rows])
    for row in rows:
        note_ack(connection, row.node, numbers[row.log], (row.seq, row.head), (row.after, row.paper))
        where = (t.ack_early.c.node == row.node, t.ack_early.c.log == row.log)
        connection.execute(sa.delete(t.ack_early).where(*where))


def _update_ack(connection: sa.Connection, node: bytes, log_n: int, **values: Any) -> None:
    connection.execute(sa.update(t.ack).where(t.ack.c.node == node, t.ack.c.log_n == log_n).values(**values))


def note_good_acks(connection: sa.Connection, log_numbers: Sequence[int]) -> None:
    """Marks acks that had come before the events they speak of."""
    for row in select_in(connection, _UNPLACED, t.ack.c.log_n, log_numbers):
        said = (
            (row.seq, row.head, row.after, row.paper),
            (row.ahead, row.ahead_head, row.ahead_after, row.ahead_paper),
        )
        for seq, head, after, paper in said:
            if seq >= 0 and bases.chained_at(connection, row.log_n, seq) == head:
                values = {"seq": seq, "head": head, "after": after, "paper": paper, "good": 1}
                left = {"ahead": -1, "ahead_head": b""} if seq == row.ahead else {}
                _update_ack(connection, row.node, row.log_n, **values, **left)


def note_events(connection: sa.Connection, node: bytes, ids: Sequence[bytes]) -> None:
    """Notes that ``node`` has single events."""
    numbers = [row.n for row in select_in(connection, sa.select(t.event.c.n), t.event.c.id, ids)]
    known = sa.select(t.ack_event.c.event_n).where(t.ack_event.c.node == node)
    there = {row.event_n for row in select_in(connection, known, t.ack_event.c.event_n, numbers)}
    rows = [{"node": node, "event_n": n} for n in numbers if n not in there]
    if rows:
        connection.execute(sa.insert(t.ack_event), rows)


def forget_acks(connection: sa.Connection, node: bytes) -> None:
    """Forgets what a node had acknowledged: it lost it, and everything is offered again."""
    connection.execute(sa.delete(t.ack).where(t.ack.c.node == node))
    connection.execute(sa.delete(t.ack_early).where(t.ack_early.c.node == node))
    connection.execute(sa.delete(t.ack_event).where(t.ack_event.c.node == node))
    connection.execute(sa.delete(t.content_ack).where(t.content_ack.c.node == node))


class Lag(NamedTuple):
    """A log of which a node lacks something."""

    log_n: int
    acked: int
    broken: int
    ahead: int
    """Events beyond what was acknowledged, along the chain."""


def lagging(connection: sa.Connection, node: bytes) -> list[Lag]:
    """Returns the logs of which ``node`` lacks events."""
    acked = sa.case((t.ack.c.good == 1, t.ack.c.seq), else_=-1)
    rows = connection.execute(
        sa.select(t.log.c.n, sa.func.coalesce(acked, -1).label("acked"), t.log.c.broken, t.log.c.seq)
        .join(t.ack, sa.and_(t.ack.c.log_n == t.log.c.n, t.ack.c.node == node), isouter=True)
        .where(t.log.c.upward == 1, sa.or_(t.log.c.seq > sa.func.coalesce(acked, -1), t.log.c.broken == 1))
        .order_by(t.log.c.n)
    ).all()
    return [Lag(row.n, row.acked, row.broken, max(0, row.seq - row.acked)) for row in rows]


class Pending(NamedTuple):
    """What to offer a node next.

    Attributes:
        events: ``(id, frame)``, each log's in its order; where not all fit, what is small or urgent first.
        new_logs: Logs of which the node has nothing yet, or does not know the authority.
        has_more: Whether there is more.
    """

    events: list[tuple[bytes, list[Any]]]
    new_logs: list[bytes]
    has_more: bool


def pending(
    connection: sa.Connection, node: bytes, max_bytes: int, max_events: int, skip: frozenset[bytes]
) -> Pending:
    """Returns what to offer ``node`` next."""
    lags = lagging(connection, node)
    lacking, is_cut = _lacking(connection, node, lags, max_events + 1, len(skip))
    rows = plan_order([row for row in lacking if row.id not in skip], max_bytes)
    new = {lag.log_n for lag in lags if lag.acked < 0}
    found: list[tuple[bytes, list[Any]]] = []
    logs: set[int] = set()
    size = 0
    for row in rows[:max_events]:
        cost = _cost(row)
        if found and size + cost > max_bytes:
            break
        size += cost
        logs.add(row.log_n)
        found.append((row.id, [row.header, row.signature, row.body]))
    fresh = sorted(logs & new)
    ids = connection.execute(sa.select(t.log.c.id).where(t.log.c.n.in_(fresh))).scalars() if fresh else ()
    return Pending(found, list(ids), bool(found) and (is_cut or len(rows) > len(found)))


def plan_order(rows: Sequence[Any], max_bytes: int) -> Sequence[Any]:
    """Returns events in the order in which to send them: logs with little to say before those with much.

    Each event is as far off as all that its log has before it, in bytes; a transition, a resolution or a
    certificate counts an eighth of that, and so does what it needs to follow. A log's own order stays.

    Args:
        rows: Of the table of events.
        max_bytes: What one request may hold; when it holds all, there is nothing to choose.
    """
    if sum(map(_cost, rows)) <= max_bytes:
        return rows
    far: dict[int, int] = {}
    keys: list[int] = []
    for row in rows:
        far[row.log_n] = far.get(row.log_n, 0) + _cost(row)
        keys.append(far[row.log_n] // (_URGENCY if _URGENT.match(row.body or b"", _SALTED) else 1))
    nearest: dict[int, int] = {}
    for i in range(len(rows) - 1, -1, -1):
        log_n = rows[i].log_n
        keys[i] = nearest[log_n] = min(keys[i], nearest.get(log_n, keys[i]))
    return [row for _, row in sorted(zip(keys, rows, strict=True), key=lambda pair: pair[0])]


def _cost(row: Any) -> int:
    return len(row.header) + len(row.signature) + len(row.body or b"") + 8


def _shares(lags: Sequence[Lag], limit: int) -> dict[int, int]:
    """Shares out how many events to look at: a log with few gets all of them, the others the rest."""
    shares: dict[int, int] = {}
    left = limit
    for done, lag in enumerate(sorted(lags, key=lambda lag: lag.ahead)):
        fair = max(1, left // (len(lags) - done))
        shares[lag.log_n] = fair if lag.broken else min(lag.ahead, fair)
        left = max(0, left - shares[lag.log_n])
    return shares


def _lacking(
    connection: sa.Connection, node: bytes, lags: Sequence[Lag], limit: int, extra: int
) -> tuple[list[Any], bool]:
    """Returns events that the node lacks, oldest first, and whether there may be more than those.

    Args:
        connection: Any transaction.
        node: Whose acks count.
        lags: Logs of which it lacks something.
        limit: Events to look at, of all logs together.
        extra: Events of each log beyond that, because so many are not to be sent.
    """
    columns = (
        t.event.c.n,
        t.event.c.id,
        t.event.c.log_n,
        t.event.c.header,
        t.event.c.signature,
        t.event.c.body,
    )
    # Where the node's chain is not ours (a fork, or a hole there), what it has is told one by one.
    single = sa.select(t.ack_event.c.event_n).where(t.ack_event.c.node == node)
    base = sa.select(*columns).where(t.event.c.n.not_in(single)).order_by(t.event.c.n)
    shares = _shares(lags, limit)
    whole = [lag for lag in lags if not lag.broken and lag.ahead <= shares[lag.log_n]]
    found: list[Any] = []
    is_cut = False
    for i in range(0, len(whole), 100):
        parts = [_lack(lag) for lag in whole[i : i + 100]]
        found.extend(connection.execute(base.where(sa.or_(*parts))).all())
    for lag in lags:
        if lag.broken or lag.ahead > shares[lag.log_n]:
            most = shares[lag.log_n] + extra
            part = connection.execute(base.where(_lack(lag)).limit(most)).all()
            is_cut |= len(part) == most
            found.extend(part)
    found.sort(key=lambda row: row.n)
    return found, is_cut


def _lack(lag: Lag) -> Any:
    beyond = sa.and_(t.event.c.log_n == lag.log_n, t.event.c.seq > lag.acked, t.event.c.chained == 1)
    if not lag.broken:
        return beyond
    return sa.or_(beyond, sa.and_(t.event.c.log_n == lag.log_n, t.event.c.chained == 0))


def unproven(connection: sa.Connection, node: bytes) -> list[bytes]:
    """Returns the logs of which ``node`` has events, but was not shown what proves their authority."""
    query = sa.select(t.log.c.id).join(t.ack, t.ack.c.log_n == t.log.c.n)
    where = (t.ack.c.node == node, t.ack.c.proven == 0, t.log.c.upward == 1)
    return [bytes(log) for log in connection.execute(query.where(*where).order_by(t.log.c.n)).scalars()]


def note_proven(connection: sa.Connection, node: bytes, logs: Sequence[bytes]) -> None:
    """Notes that ``node`` was shown what proves the authority of logs."""
    numbers = list(_log_numbers(connection, logs).values())
    which = (t.ack.c.node == node, t.ack.c.log_n.in_(numbers))
    connection.execute(sa.update(t.ack).where(*which).values(proven=1))


def unsent(connection: sa.Connection, passed_over: str = "") -> tuple[int, int | None]:
    """Returns how many events no parent at all has acknowledged, and when the oldest was stored (ms).

    Args:
        connection: Any transaction.
        passed_over: A kind of documents whose events are nobody's work: they travel, and are not counted.
    """
    found = _unsent_events().subquery()
    query = sa.select(sa.func.count(), sa.func.min(found.c.at_ms))
    if passed_over:
        at = t.listing.c
        query = query.where(~sa.exists().where(at.kind == passed_over, at.doc_n == found.c.doc_n))
    count, oldest = connection.execute(query).one()
    return count, oldest


def unsent_documents() -> sa.Select[tuple[int]]:
    """Returns a query for the local numbers of documents of which something is unsent.

    It takes as long as there are unsent events, however many documents there are.
    """
    return sa.select(_unsent_events().subquery().c.doc_n)


def has_many_unsent(connection: sa.Connection, many: int) -> bool:
    """Returns whether so many events, or more, are unsent; told by the ends of logs, not their events."""
    log = _unsent_logs().subquery()
    count = connection.execute(sa.select(sa.func.sum(log.c.seq - log.c.acked))).scalar()
    return (count or 0) >= many


def is_unsent(doc_n: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    """Returns the condition that something of a document is unsent; it looks at that document's events only.

    Scalars instead of joins and EXISTS, and the logs computed apart: a database that may choose where to
    begin reads all that is unsent first, before it knows its own statistics.
    """
    log = _unsent_logs().cte("unsent_log").prefix_with("MATERIALIZED")
    at = t.event.c
    is_lacking = sa.or_(at.seq > log.c.acked, sa.and_(log.c.broken == 1, t.is_off_chain))
    of_log = sa.select(log.c.n).where(log.c.n == at.log_n, is_lacking).scalar_subquery()
    is_single = at.n.in_(sa.select(t.ack_event.c.event_n))
    one = sa.select(at.n).where(at.doc_n == doc_n, of_log.is_not(None), ~is_single).limit(1)
    return one.scalar_subquery().is_not(None)


def _unsent_events() -> sa.Select[tuple[int, int, int]]:
    """Returns a query for the events that no parent has acknowledged: number, document, when stored.

    It begins at what each log's best ack left over, so that it takes as long as there are such events, and
    not as long as the log is.
    """
    log = _unsent_logs().subquery()
    of_log = sa.select(t.event.c.n, t.event.c.doc_n, t.event.c.at_ms).join(log, t.event.c.log_n == log.c.n)
    beyond = of_log.where(t.event.c.seq > log.c.acked)
    off = of_log.where(log.c.broken == 1, t.is_off_chain, t.event.c.seq <= log.c.acked)
    found = sa.union_all(beyond, off).subquery()
    return sa.select(found).where(found.c.n.not_in(sa.select(t.ack_event.c.event_n)))


def _unsent_logs() -> sa.Select[tuple[int, int, int, int]]:
    """Returns a query for the logs of which something may be unsent: number, last sequence, broken, acked.

    The best of all parents' acks counts; where there is none the genesis does, which is no work of anybody's.
    """
    acked = sa.func.coalesce(sa.func.max(sa.case((t.ack.c.good == 1, t.ack.c.seq), else_=0)), 0)
    return (
        sa.select(t.log.c.n, t.log.c.seq, t.log.c.broken, acked.label("acked"))
        .join(t.ack, t.ack.c.log_n == t.log.c.n, isouter=True)
        .where(t.log.c.upward == 1)
        .group_by(t.log.c.n, t.log.c.seq, t.log.c.broken)
        .having(sa.or_(t.log.c.seq > acked, t.log.c.broken == 1))
    )


def nodes_having(connection: sa.Connection, event_n: int, log_n: int, seq: int, chained: int) -> list[bytes]:
    """Returns the nodes whose acks cover an event."""
    found = set(connection.execute(_HAVING_EVENT, {"of": event_n}).scalars())
    if chained:
        found.update(connection.execute(_HAVING_LOG, {"of": log_n, "from_seq": seq}).scalars())
    return sorted(found)


def heads(connection: sa.Connection, logs: Iterable[bytes]) -> list[tuple[str, bytes, int, bytes]]:
    """Returns ``(unit, log, seq, head)`` of logs, as far as their chains are unbroken."""
    query = sa.select(t.log).where(t.log.c.seq >= 0)
    rows = select_in(connection, query, t.log.c.id, sorted(set(logs)))
    return [(row.unit, row.id, row.seq, row.head) for row in rows]


def _log_numbers(connection: sa.Connection, logs: Sequence[bytes]) -> dict[bytes, int]:
    return {row.id: row.n for row in select_in(connection, _NUMBERS, t.log.c.id, logs)}
