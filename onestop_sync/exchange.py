"""What both sides of a sync do to their stores; `protocol` and `bundle` carry it from one to the other.

The parent's side takes frames, says which logs it has (signed), and reads the machine's feed from a cursor.
The machine's side knows its parents, what each lacks, and takes what they send.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from onestop_sync.acks import Acks, check_acks, parse_acks
from onestop_sync.answer import KeptAnswer
from onestop_sync.errors import FormatError, SignatureInvalid
from onestop_sync.pace import Pace
from onestop_sync.statement import Statement, check_statement, parse_statement
from onestop_sync.storage import feed, findings, outbox, statements
from onestop_sync.storage import tables as t
from onestop_sync.storage.arrive import Outcome
from onestop_sync.storage.cuts import keep_skeleton
from onestop_sync.storage.findings import Signed
from onestop_sync.storage.rows import select_in
from onestop_sync.store import Prepared, Store
from onestop_sync.trust import MAX_CHAIN, Authority, NoAuthority, Waiting

__all__ = [
    "Answer",
    "Cursor",
    "FeedPage",
    "ParentState",
    "Taken",
    "acknowledge",
    "acks_of",
    "introduced",
    "is_cursor_good",
    "keep_forwarded",
    "load_pace",
    "load_parent",
    "meet_parent",
    "note_failure",
    "pending",
    "read_feed",
    "rotate_nonce",
    "save_pace",
    "take",
]

NONCE_BYTES: Final = 16
MAX_PROOF: Final = 4 * MAX_CHAIN
"""Frames that may prove one log's authority."""


class Cursor(NamedTuple):
    """Where a reader of a feed is.

    Attributes:
        epoch: Store epoch of the parent.
        n: Number of the last item seen.
        digest: The feed's running digest there.
    """

    epoch: bytes
    n: int
    digest: bytes


class ParentState(NamedTuple):
    """What a machine knows of one parent.

    Attributes:
        name: Address.
        node: Log of the parent's machine; empty before the first contact.
        nonce: For the next request.
        cursor: Where we are in our feed there; ``None`` before the first answer.
        answer: What the parent signed when it gave that cursor; empty when that came by a stick.
    """

    name: str
    node: bytes
    nonce: bytes
    cursor: Cursor | None
    answer: bytes = b""


class FeedPage(NamedTuple):
    """Items of a feed, the cursor behind them, and whether there are more."""

    items: list[feed.Item]
    cursor: Cursor
    has_more: bool


class Answer(NamedTuple):
    """What a parent said.

    Attributes:
        nonce: For the next request.
        cursor: Where the feed goes on.
        acks: The parent's own statements.
        items: ``(kind, payload)`` of the feed, in order.
        was_reset: The parent lost what it had acknowledged.
        signed: What proves that it said so; empty for what came by a stick.
        is_in_turn: Whether the items follow on those that are here: nothing of the feed is between.
    """

    nonce: bytes
    cursor: Cursor
    acks: Sequence[bytes]
    items: Sequence[tuple[int, Any]]
    was_reset: bool
    signed: bytes = b""
    is_in_turn: bool = True


class Taken(NamedTuple):
    """What came of an answer: how many events are new here, and what was not stored."""

    stored: int
    rejected: list[Outcome]


# ------------------------------------------------------------------------------------------------ the parent


def rotate_nonce(
    store: Store, machine: bytes, given: bytes | None, taken: bytes = b"", *, is_first: bool = False
) -> bytes | None:
    """Gives a machine the nonce for its next request.

    Args:
        store: The parent's store.
        machine: Log of the machine.
        given: The nonce of this request; ``None`` to give a new one whatever it was.
        taken: Digest of this request, for the machine to know it by if the answer is lost.
        is_first: It bears no nonce, and is taken from a machine that never asked here before.

    Returns:
        The next nonce; ``None`` when ``given`` was not the last one: the request is a copy, or old.
    """
    fresh = store.rng(NONCE_BYTES)
    with store.writing() as transaction:
        connection = transaction.connection
        query = sa.select(t.peer.c.nonce).where(t.peer.c.machine == machine)
        if connection.dialect.name != "sqlite":
            query = query.with_for_update()  # or two processes would both take a request and its copy
        held = connection.execute(query).scalar()
        if is_first:
            if held is not None:
                return None
        elif given is not None and (held is None or not hmac.compare_digest(held, given)):
            return None
        row: dict[str, Any] = {"nonce": fresh, "seen_ms": store.clock()}
        if given is not None:
            row |= {"before": given, "taken": taken}
        if held is None:
            connection.execute(sa.insert(t.peer).values(machine=machine, **row))
        else:
            connection.execute(sa.update(t.peer).where(t.peer.c.machine == machine).values(**row))
    return fresh


def introduced(store: Store, frames: Sequence[object], log: bytes) -> Authority | Waiting | NoAuthority:
    """Tells by which authority a log writes, from the proof that it brings; nothing is stored.

    Args:
        store: The parent's store.
        frames: Certificates and geneses, from the root down; more than `MAX_PROOF` are not looked at.
        log: The log in question.
    """
    return store.trust.with_events(store.prepare(frames[:MAX_PROOF]).events).authority(log)


def is_cursor_good(store: Store, unit: str, cursor: Cursor) -> bool:
    """Tells whether a cursor is one that this store gave, and has not lost since."""
    if cursor.epoch != store.epoch:
        return False
    with store.reading() as connection:
        held = feed.digest_at(connection, unit, cursor.n)
    return held is not None and hmac.compare_digest(held, cursor.digest)


def read_feed(
    store: Store, unit: str, cursor: Cursor | None, machine: bytes, max_bytes: int, *, echo: bool
) -> FeedPage:
    """Reads a unit's feed for a machine: what came since ``cursor``, without what the machine brought.

    With ``echo`` it gets that as well: it may be new, restored, or not the only one with its keys.
    """
    start = cursor or Cursor(store.epoch, 0, feed.START)
    with store.reading() as connection:
        mine = connection.execute(sa.select(t.log.c.n).where(t.log.c.id == machine)).scalar()
        not_from = None if echo else mine
        items, after, has_more = feed.read(connection, unit, start.n, not_from=not_from, max_bytes=max_bytes)
    return FeedPage(items, Cursor(store.epoch, *after) if after else start, has_more)


def acknowledge(
    store: Store, events: Sequence[bytes], logs: Iterable[bytes], unit: str, *, everything: bool
) -> list[bytes]:
    """Signs what is stored of logs of ``unit`` and the units below it: one list of acks for each unit.

    Args:
        store: The parent's store.
        events: Events that were offered: those off their chain are acknowledged one by one.
        logs: Further logs to speak of.
        unit: The machine's unit.
        everything: Speak of all logs there.
    """
    below = store.trust.document.below(unit)
    with store.reading() as connection:
        offered = _offered_heads(connection, events)
        touched = None if everything else {*logs, *(row.id for row in offered)}
        entries = _entries(connection, touched, below, offered)
        off = _off_chain(connection, touched, below)
        units = sorted({*entries, *off})
        # Asked after the heads: a statement that is not counted here was made later, and names no less.
        made = statements.made(connection, store.machine.public, store.epoch, units)
    node, epoch, now = store.machine_log, store.epoch, store.clock()
    return [
        Acks(node, u, epoch, now, made.get(u, 0), tuple(entries.get(u, ())), tuple(off.get(u, ()))).sign(
            store.machine
        )
        for u in units
    ]


def _offered_heads(connection: sa.Connection, events: Sequence[bytes]) -> list[Any]:
    """Returns, for each log of which events were offered, the last of them that is on our chain."""
    last: dict[bytes, Any] = {}
    query = sa.select(
        t.log.c.id, t.log.c.unit, t.event.c.seq, t.event.c.id.label("head"), t.event.c.chained
    ).join(t.event, t.event.c.log_n == t.log.c.n)
    for row in select_in(connection, query, t.event.c.id, events):
        if row.id not in last or (row.chained, row.seq) > (last[row.id].chained, last[row.id].seq):
            last[row.id] = row
    return list(last.values())


def _entries(
    connection: sa.Connection, logs: set[bytes] | None, below: AbstractSet[str], offered: Sequence[Any]
) -> dict[str, list[tuple[bytes, int, bytes]]]:
    """Returns the heads of ``logs`` (``None``: of all) by unit, and how far what was offered goes along.

    Our head may be unknown to a machine that wrote on along another branch: the event of its own up to
    which we agree tells it what it need not offer again.
    """
    if logs is None:
        rows = connection.execute(
            sa.select(t.log).where(t.log.c.unit.in_(sorted(below)), t.log.c.seq >= 0)
        ).all()
        found = {(row.unit, row.id, row.seq, row.head) for row in rows}
    else:
        found = {row for row in outbox.heads(connection, logs) if row[0] in below}
    found |= {(row.unit, row.id, row.seq, row.head) for row in offered if row.chained and row.unit in below}
    entries: dict[str, list[tuple[bytes, int, bytes]]] = {}
    for log_unit, log, seq, head in sorted(found):
        entries.setdefault(log_unit, []).append((log, seq, head))
    return entries


def _off_chain(
    connection: sa.Connection, logs: set[bytes] | None, below: AbstractSet[str]
) -> dict[str, list[bytes]]:
    """Returns the events that no head covers, by unit: beyond a hole, and all of a log that branched.

    Where a log branched, our chain may not be the one that others follow, so a head tells them little.
    """
    query = (
        sa.select(t.log.c.unit, t.event.c.id)
        .join(t.log, t.log.c.n == t.event.c.log_n)
        .where(t.log.c.broken == 1, sa.or_(t.event.c.chained == 0, t.log.c.forked == 1))
    )
    query = query.order_by(t.event.c.id)
    if logs is None:
        rows: Sequence[Any] = connection.execute(query).all()
    else:
        rows = select_in(connection, query, t.log.c.id, sorted(logs))
    found: dict[str, list[bytes]] = {}
    for row in rows:
        if row.unit in below:
            found.setdefault(row.unit, []).append(row.id)
    return found


# ----------------------------------------------------------------------------------------------- the machine


def load_parent(store: Store, name: str) -> ParentState:
    """Returns what is known of a parent; mostly nothing before the first contact."""
    with store.reading() as connection:
        row = connection.execute(sa.select(t.parent).where(t.parent.c.name == name)).first()
    if row is None:
        return ParentState(name, b"", b"", None)
    cursor = Cursor(row.epoch, row.n, row.digest) if row.epoch else None
    return ParentState(name, row.node, row.nonce, cursor, row.answer)


def meet_parent(store: Store, name: str, node: bytes, nonce: bytes) -> ParentState:
    """Notes who answers at an address, and the nonce for the next request.

    A parent that is another machine than last time has its own numbers: the feed is read from its start.
    """
    with store.writing() as transaction:
        connection = transaction.connection
        row = connection.execute(sa.select(t.parent).where(t.parent.c.name == name)).first()
        if row is None:
            _insert_parent(connection, name, node=node, nonce=nonce)
        else:
            values: dict[str, Any] = {"node": node, "nonce": nonce}
            if row.node != node:
                values |= {"epoch": b"", "n": 0, "digest": feed.START, "answer": b""}
            connection.execute(sa.update(t.parent).where(t.parent.c.name == name).values(**values))
    return load_parent(store, name)


def load_pace(store: Store, name: str) -> Pace:
    """Returns what is known of the line to a parent."""
    with store.reading() as connection:
        row = connection.execute(sa.select(t.line).where(t.line.c.name == name)).first()
    return Pace(row.budget, row.rate) if row else Pace()


def save_pace(store: Store, name: str, pace: Pace) -> None:
    """Keeps what the line to a parent does."""
    with store.writing() as transaction:
        connection = transaction.connection
        values = pace._asdict()
        if not connection.execute(sa.update(t.line).where(t.line.c.name == name).values(**values)).rowcount:
            connection.execute(sa.insert(t.line).values(name=name, **values))


def note_failure(store: Store, name: str, code: str) -> None:
    """Notes that an exchange with a parent failed, and why, for the status line."""
    with store.writing() as transaction:
        connection = transaction.connection
        values = {"tried_ms": store.clock(), "error": code}
        changed = connection.execute(sa.update(t.parent).where(t.parent.c.name == name).values(**values))
        if not changed.rowcount:
            _insert_parent(connection, name, **values)


def _insert_parent(connection: sa.Connection, name: str, **values: Any) -> None:
    row = {
        "node": b"",
        "epoch": b"",
        "n": 0,
        "digest": feed.START,
        "nonce": b"",
        "tried_ms": 0,
        "ok_ms": 0,
        "error": "",
        "answer": b"",
    }
    connection.execute(sa.insert(t.parent).values(name=name, **row | values))


def pending(
    store: Store, node: bytes, max_bytes: int, max_events: int, skip: frozenset[bytes] = frozenset()
) -> outbox.Pending:
    """Returns what ``node`` lacks, oldest first.

    Args:
        store: The machine's store.
        node: The parent's machine log.
        max_bytes: Bytes of frames; at least one frame is returned.
        max_events: Frames.
        skip: Events that the parent would not store just now: they hold up no other.
    """
    store.refresh_trust()  # the proof of a log that another program began travels with it
    with store.reading() as connection:
        found = outbox.pending(connection, node, max_bytes, max_events, skip)
        unproven = outbox.unproven(connection, node)
    # A certificate that came here late, by whatever way, has not reached the node by itself.
    # To itself a node needs no proof of its own log.
    logs = {*found.new_logs, *unproven} - {node}
    known = [log for log in sorted(logs) if isinstance(store.trust.authority(log), Authority)]
    return found._replace(new_logs=known)


def acks_of(store: Store, data: Iterable[object]) -> list[tuple[Acks, Signed]]:
    """Checks signed acks: by a serving machine whose unit is above the one that it speaks of.

    Raises:
        FormatError: Malformed, or by a machine that may not acknowledge for that unit.
        SignatureInvalid: Not by the machine that it names.
    """
    found: list[tuple[Acks, Signed]] = []
    for each in data:
        if not isinstance(each, bytes):
            raise FormatError("An ack is malformed.")
        named = parse_acks(each)[0]
        if named.unit not in store.trust.document.units:
            continue  # of a unit that this machine has not heard of yet
        key = _author(store, named.node, named.unit).key
        found.append((check_acks(each, key), Signed("ack", key, each)))
    return found


def _author(store: Store, node: bytes, unit: str) -> Authority:
    """Returns by whose right a machine speaks of a unit.

    Raises:
        FormatError: It is no parent of that unit.
    """
    authority = store.authority(node)
    if not isinstance(authority, Authority) or not authority.certificate.serves:
        raise FormatError("An ack is by a machine that is no parent.")
    if not store.trust.document.is_over(authority.certificate.unit, unit):
        raise FormatError("An ack speaks of a unit that is not below its author's.")
    if store.trust.document.is_cut_off(authority.key, authority.certificate.unit):
        raise FormatError("An ack is by a machine whose key was cut off.")
    return authority


def _statements_of(store: Store, data: Iterable[object]) -> list[tuple[Statement, Signed]]:
    """Returns those statements that check: by a server of the unit at the top, of our unit or one below."""
    found: list[tuple[Statement, Signed]] = []
    for each in data:
        try:
            if isinstance(each, bytes):
                named = parse_statement(each)[0]
                author = _author(store, named.node, named.unit)
                unit = store.trust.document.units[author.certificate.unit]
                if not unit.parent and named.unit in store.below:
                    said = check_statement(each, author.key)
                    found.append((said, Signed("statement", author.key, each)))
        except (FormatError, SignatureInvalid):
            continue
    return found


def take(store: Store, state: ParentState, answer: Answer, shown: Sequence[bytes] = ()) -> Taken:
    """Stores a parent's answer as a whole: events, acks, and where to go on.

    Args:
        store: The machine's store.
        state: The parent that answered.
        answer: What it said.
        shown: Logs whose authority we had proven to it.

    Raises:
        FormatError: An ack is malformed, or by somebody who may not give it.
        SignatureInvalid: An ack is forged.
    """
    prepared = store.prepare([payload for kind, payload in answer.items if kind == feed.EVENT])
    return store.retrying(lambda: _take(store, state, answer, prepared, shown))


def _take(
    store: Store, state: ParentState, answer: Answer, prepared: Prepared, shown: Sequence[bytes]
) -> Taken:
    with store.writing() as transaction:
        outcomes, stored = store.append(prepared, state.node, is_limited=False)
        connection, now = transaction.connection, store.clock()
        # Statements first: what is acknowledged is compared with them before it may be forgotten.
        said = [payload for kind, payload in answer.items if kind == feed.STATEMENT]
        node = state.node if answer.is_in_turn else b""
        for statement, paper in _statements_of(store, said):
            _keep_statement(store, connection, statement, paper, node)
        if answer.was_reset:
            outbox.forget_acks(connection, state.node)
            _note_lost(store, connection, state, answer)
        bones = [payload for kind, payload in answer.items if kind == feed.HEADER]
        if fresh := keep_skeleton(connection, bones):
            transaction.append.wake(fresh)
        said = [payload for kind, payload in answer.items if kind == feed.ACKS]
        for acks, paper in [*acks_of(store, answer.acks), *_checkable(store, said)]:
            _keep(store, connection, acks, paper)
        findings.stamp(connection, now)
        findings.clear(connection)
        outbox.note_proven(connection, state.node, shown)
        cursor = answer.cursor
        values = {
            "epoch": cursor.epoch, "n": cursor.n, "digest": cursor.digest, "nonce": answer.nonce,
            "ok_ms": now, "tried_ms": now, "error": "", "answer": answer.signed,
        }  # fmt: skip
        connection.execute(sa.update(t.parent).where(t.parent.c.name == state.name).values(**values))
    return Taken(stored, [o for o in outcomes if not o.is_stored])


def _note_lost(store: Store, connection: sa.Connection, state: ParentState, answer: Answer) -> None:
    """Notes that a parent does not know the cursor that it gave: it was put back, and says so or not."""
    authority, cursor = store.authority(state.node), state.cursor
    if not isinstance(authority, Authority) or cursor is None or not (state.answer and answer.signed):
        return
    first, second = KeptAnswer.parse(state.answer), KeptAnswer.parse(answer.signed)
    if second.denies(first):
        is_told = cursor.epoch != answer.cursor.epoch
        papers = [Signed("answer", authority.key, kept.pack()) for kept in (first, second)]
        if is_told:
            findings.note(connection, "restored", store.unit, [answer.cursor.epoch], papers)
        else:
            findings.note(connection, "rolled_back", store.unit, list(cursor), papers)


def keep_forwarded(store: Store, items: Sequence[Sequence[Any]]) -> int:
    """Takes acks and statements that another machine forwards; those that do not check are left out.

    Returns:
        How many were taken.
    """
    with store.writing() as transaction:
        connection = transaction.connection
        checked = _checkable(store, [payload for kind, payload in items if kind == feed.ACKS])
        for acks, paper in checked:
            _keep(store, connection, acks, paper)
        stated = _statements_of(store, [payload for kind, payload in items if kind == feed.STATEMENT])
        for statement, paper in stated:
            _keep_statement(store, connection, statement, paper, b"")
        findings.stamp(connection, store.clock())
    return len(checked) + len(stated)


def _checkable(store: Store, data: Iterable[object]) -> list[tuple[Acks, Signed]]:
    """Returns those of the forwarded acks that check; a relay's rubbish delays nothing else."""
    found: list[tuple[Acks, Signed]] = []
    for each in data:
        try:
            found += acks_of(store, [each])
        except (FormatError, SignatureInvalid):
            continue
    return found


def _keep(store: Store, connection: sa.Connection, acks: Acks, paper: Signed) -> None:
    n, digest, is_new = outbox.keep_paper(connection, paper.data, acks)
    outbox.keep_acks(connection, acks, paper._replace(n=n))
    if is_new:
        _publish(store, connection, feed.ACKS, n, digest, acks)


def _keep_statement(
    store: Store, connection: sa.Connection, said: Statement, paper: Signed, node: bytes
) -> None:
    """Takes a statement.

    Args:
        store: The machine's store.
        connection: In a write transaction.
        said: The statement.
        paper: The same as it came.
        node: The parent whose feed brought it in its turn; empty when it came otherwise: then what it names
            may still be on its way, and is not looked for yet.
    """
    n, digest, is_new = statements.keep(connection, said, paper.data, paper.key, store.clock())
    paper = paper._replace(n=n)
    if is_new:
        outbox.is_current(connection, said.node, said.unit, said.epoch, paper)
        findings.check_statement(connection, said, paper)
    if node:
        # Of our own unit everything is here. What a unit below was sent may have gone another way to it, as
        # when it was put below us later, or succeeded by several.
        if said.unit == store.unit:
            findings.check_presence(connection, said, paper, node, store.clock())
        # Those who read our feed take it that what a statement names came before it.
        _publish(store, connection, feed.STATEMENT, n, digest, said)


def _publish(
    store: Store, connection: sa.Connection, kind: int, n: int, digest: bytes, said: Acks | Statement
) -> None:
    if store.serves:
        published = feed.Feed(connection, store.trust, store.unit, set())
        published.add_signed(kind, n, digest, said.unit, said.node)
        published.flush()
