"""What a parent said against its own word, with the signed papers that prove it; and what is withheld.

A *finding* is two papers that one key signed and that cannot both be true of an honest parent that lost
nothing. It stays. An *omission* is something that the province's statement names and that is not here; it
ends when that arrives.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple

import sqlalchemy as sa

from onestop_sync import codec
from onestop_sync.acks import Acks, parse_acks
from onestop_sync.snapshot import parse_summary
from onestop_sync.statement import Statement, parse_statement
from onestop_sync.storage import tables as t
from onestop_sync.storage.engines import next_numbers
from onestop_sync.storage.rows import select_in

__all__ = ["Finding", "Kind", "PaperKind", "Signed"]

_REFUSED, _TOLD = 2, 3
"""Of `summary.wanted`, as `summaries` has them."""

Kind = Literal[
    "rolled_back", "restored", "rewritten", "went_back", "equivocated", "misstated", "withheld", "gap"
]
PaperKind = Literal["ack", "statement", "answer", "snapshot", "summary"]


class Signed(NamedTuple):
    """Something that a machine signed, as it came.

    Attributes:
        kind: What it is.
        key: Key of the machine that signed it; it was checked.
        data: The bytes.
        n: Its local number here; 0 for what is not kept by itself.
    """

    kind: PaperKind
    key: bytes
    data: bytes
    n: int = 0


class Finding(NamedTuple):
    """What was found out about somebody above.

    Attributes:
        n: Its number here; 0 for an omission, which is found anew as long as it lasts.
        kind: ``rolled_back``: a parent does not know what its own signed answer had given, in the same store;
            ``restored``: it says itself that its store was put back; ``rewritten``: it acknowledged two
            events at one place of a log; ``went_back``: the province's statement names less of a log than an
            earlier one, or than an earlier ack; ``equivocated``: two statements with one number;
            ``misstated``: the events of a document come to something else than the province's snapshot says;
            ``withheld``: events that the province's statement or snapshot names are not here; ``gap``: the
            statement before this one is not.
        key: Ed25519 key of the machine that contradicted itself; of a ``withheld`` or ``gap``, of the one
            that made the statement, which is not to blame.
        node: Of a ``withheld`` or ``gap``, log of the parent that handed the statement on without it.
        unit: Unit of which the papers speak.
        at_ms: When it was noticed, by this machine's clock, milliseconds since 1970 UTC.
        papers: ``(kind, bytes)`` of what was signed.
        missing: Of a ``withheld`` or ``gap``, what is not here: ids of events, hash of a statement, or id of
            a document that a snapshot names.
        is_told: Whether it was written into a proof already.
    """

    n: int
    kind: Kind
    key: bytes
    node: bytes
    unit: str
    at_ms: int
    papers: tuple[tuple[PaperKind, bytes], ...]
    missing: tuple[bytes, ...]
    is_told: bool


# --------------------------------------------------------------------------------------------- contradictions


def note(
    connection: sa.Connection,
    kind: Kind,
    unit: str,
    details: Sequence[codec.Value],
    papers: Sequence[Signed],
) -> None:
    """Keeps a finding; `stamp` gives it its time.

    Args:
        connection: In a write transaction.
        kind: What it is.
        unit: Unit of which the papers speak.
        details: With kind and key, what makes it this one: the same is kept once.
        papers: What proves it.
    """
    key = papers[0].key
    about = hashlib.sha256(codec.encode([kind, key, unit, *details])).digest()
    if connection.execute(sa.select(t.finding.c.n).where(t.finding.c.about == about)).first():
        return
    packed = codec.encode([[paper.kind, paper.data] for paper in papers])
    row = {"kind": kind, "key": key, "unit": unit, "at_ms": 0, "papers": packed, "told": 0}
    n = next_numbers(connection, t.finding, 1)
    connection.execute(sa.insert(t.finding).values(n=n, about=about, **row))


def forget_content(connection: sa.Connection, doc: bytes) -> bool:
    """Drops findings that hold what was signed of a document that is erased now; tells if there were any."""
    query = sa.select(t.finding.c.n, t.finding.c.papers).where(t.finding.c.kind == "misstated")
    gone = [
        row.n
        for row in connection.execute(query)
        for kind, data in codec.decode(row.papers)
        if kind == "summary" and parse_summary(data).doc == doc
    ]
    connection.execute(sa.delete(t.finding).where(t.finding.c.n.in_(gone)))
    return bool(gone)


def stamp(connection: sa.Connection, now_ms: int) -> None:
    """Gives the findings of this transaction their time."""
    connection.execute(sa.update(t.finding).where(t.finding.c.at_ms == 0).values(at_ms=now_ms))


def check_epoch(connection: sa.Connection, unit: str, epoch: bytes, paper: Signed) -> None:
    """Notes that a machine speaks in an epoch, although it has spoken in another: its store was put back."""
    held = connection.execute(sa.select(t.node_epoch).where(t.node_epoch.c.key == paper.key)).all()
    if held and all(row.epoch != epoch for row in held):
        other = min(held, key=lambda row: (-row.current, row.epoch))
        first = Signed(other.kind, paper.key, other.data)
        note(connection, "restored", unit, [epoch], [first, paper])


def note_rewritten(
    connection: sa.Connection, acks: Acks, entry: tuple[bytes, int, bytes], before: int, paper: Signed
) -> None:
    """Notes that a machine acknowledged two events at one place of a log.

    Args:
        connection: In a write transaction.
        acks: What it says now.
        entry: ``(log, seq, head)`` of it.
        before: Local number of the acks that named another head there.
        paper: What it says now, as it came.
    """
    first = _acks(connection, before, paper.key)
    if first is not None and parse_acks(first.data)[0].epoch == acks.epoch:
        log, seq, _ = entry
        note(connection, "rewritten", acks.unit, [log, seq], [first, paper])


def check_acks(connection: sa.Connection, acks: Acks, paper: Signed) -> None:
    """Notes a statement that came later than these acks and names less."""
    named = t.stated_head.c
    query = sa.select(t.stated_head).where(
        named.key == paper.key, named.epoch == acks.epoch, named.k > acks.after
    )
    heads = {
        row.log: row for row in select_in(connection, query, named.log, [log for log, _, _ in acks.logs])
    }
    for log, seq, head in acks.logs:
        row = heads.get(log)
        if row is not None and is_less((row.seq, row.head), (seq, head)):
            later = _statement(connection, row.statement_n)
            if later is not None:
                note(connection, "went_back", acks.unit, [acks.epoch, log, row.k], [paper, later])


def check_statement(connection: sa.Connection, said: Statement, paper: Signed) -> None:
    """Notes what contradicts a statement that is new here, and remembers its heads."""
    _check_twin(connection, said, paper)
    logs = [log for log, _, _ in said.heads]
    named = t.stated_head.c
    query = sa.select(t.stated_head).where(named.key == paper.key, named.epoch == said.epoch)
    heads = {row.log: row for row in select_in(connection, query, named.log, logs)}
    acked = _acked(connection, said, logs)
    for log, seq, head in said.heads:
        if log in heads:
            _check_order(connection, said, (log, seq, head), heads[log], paper)
        if log in acked and is_less((seq, head), (acked[log].seq, acked[log].head)):
            first = _acks(connection, acked[log].paper, paper.key)
            if first is not None and parse_acks(first.data)[0].epoch == said.epoch:
                note(connection, "went_back", said.unit, [said.epoch, log, said.k], [first, paper])
        _remember(connection, said, (log, seq, head), heads.get(log), paper)


def is_less(later: tuple[int, bytes], earlier: tuple[int, bytes]) -> bool:
    """Tells whether ``(seq, head)`` that was said later takes back what was said earlier."""
    return later[0] < earlier[0] or (later[0] == earlier[0] and later[1] != earlier[1])


def _check_twin(connection: sa.Connection, said: Statement, paper: Signed) -> None:
    table = t.statement.c
    where = (table.key == paper.key, table.epoch == said.epoch, table.unit == said.unit, table.k == said.k)
    twin = connection.execute(sa.select(t.statement).where(*where, table.n != paper.n)).first()
    if twin is not None:
        first = Signed("statement", twin.key, twin.data, twin.n)
        note(connection, "equivocated", said.unit, [said.epoch, said.k], [first, paper])


def _acked(connection: sa.Connection, said: Statement, logs: Sequence[bytes]) -> dict[bytes, Any]:
    """Returns what the author had acknowledged of logs before it made a statement."""
    query = (
        sa.select(t.log.c.id, t.ack.c.seq, t.ack.c.head, t.ack.c.paper)
        .join(t.ack, t.ack.c.log_n == t.log.c.n)
        .where(t.ack.c.node == said.node, t.ack.c.after < said.k)
    )
    return {row.id: row for row in select_in(connection, query, t.log.c.id, logs)}


def _check_order(
    connection: sa.Connection, said: Statement, entry: tuple[bytes, int, bytes], row: Any, paper: Signed
) -> None:
    """Compares a head with the one that another statement of the same epoch names."""
    log, *here = entry
    mine, other = (here[0], here[1]), (row.seq, row.head)
    is_later = said.k > row.k
    if said.k == row.k or not is_less(*((mine, other) if is_later else (other, mine))):
        return
    held = _statement(connection, row.statement_n)
    if held is not None:
        papers = [held, paper] if is_later else [paper, held]
        note(connection, "went_back", said.unit, [said.epoch, log, max(said.k, row.k)], papers)


def _remember(
    connection: sa.Connection, said: Statement, entry: tuple[bytes, int, bytes], row: Any, paper: Signed
) -> None:
    log, seq, head = entry
    values = {"k": said.k, "seq": seq, "head": head, "statement_n": paper.n}
    named = t.stated_head.c
    if row is None:
        connection.execute(
            sa.insert(t.stated_head).values(key=paper.key, epoch=said.epoch, log=log, **values)
        )
    elif said.k > row.k:
        which = (named.key == paper.key, named.epoch == said.epoch, named.log == log)
        connection.execute(sa.update(t.stated_head).where(*which).values(**values))


def _acks(connection: sa.Connection, n: int, key: bytes) -> Signed | None:
    data = connection.execute(sa.select(t.acks.c.data).where(t.acks.c.n == n)).scalar()
    return Signed("ack", key, data, n) if data is not None else None


def _statement(connection: sa.Connection, n: int) -> Signed | None:
    row = connection.execute(sa.select(t.statement).where(t.statement.c.n == n)).first()
    return Signed("statement", row.key, row.data, n) if row is not None else None


# ------------------------------------------------------------------------------------------------- omissions


def check_presence(
    connection: sa.Connection, said: Statement, paper: Signed, node: bytes, now_ms: int
) -> None:
    """Notes what a statement names and what is not here.

    Args:
        connection: In a write transaction.
        said: A statement that came in its turn: what its author put before it, an honest line has brought.
        paper: The same as it came.
        node: Parent whose feed brought it.
        now_ms: Now.
    """
    here = {row.id for row in select_in(connection, sa.select(t.event.c.id), t.event.c.id, said.foreign)}
    wanted = [event_id for event_id in said.foreign if event_id not in here]
    if said.prev and _has_other(connection, said, paper) and not _has_statement(connection, said.prev):
        wanted.append(said.prev)
    if not wanted:
        return
    query = sa.select(t.omission.c.wanted).where(t.omission.c.statement_n == paper.n)
    noted = set(connection.execute(query).scalars())
    for each in sorted(set(wanted) - noted):
        row = {"statement_n": paper.n, "wanted": each, "node": node, "since_ms": now_ms, "told": 0}
        connection.execute(sa.insert(t.omission).values(row))


def _has_other(connection: sa.Connection, said: Statement, paper: Signed) -> bool:
    """Tells whether another statement of the unit is here: what came before the first one is nobody's lie.

    A unit that was founded just now may have been stated before those on the way knew of it.
    """
    table = t.statement.c
    where = (table.key == paper.key, table.unit == said.unit, table.n != paper.n)
    return connection.execute(sa.select(table.n).where(*where).limit(1)).first() is not None


def _has_statement(connection: sa.Connection, digest: bytes) -> bool:
    return (
        connection.execute(sa.select(t.statement.c.n).where(t.statement.c.hash == digest)).first() is not None
    )


def clear(connection: sa.Connection) -> None:
    """Ends the omissions of what has come meanwhile."""
    connection.execute(sa.delete(t.omission).where(sa.not_(_IS_OPEN)))


_IS_OPEN: Final = sa.and_(
    sa.not_(sa.exists().where(t.event.c.id == t.omission.c.wanted)),
    sa.not_(sa.exists().where(t.statement.c.hash == t.omission.c.wanted)),
)


# --------------------------------------------------------------------------------------------------- reading


def load(connection: sa.Connection) -> list[Finding]:
    """Returns all findings, oldest first, then what is withheld."""
    rows = connection.execute(sa.select(t.finding).order_by(t.finding.c.n)).all()
    return [*map(_finding, rows), *_omissions(connection), *_untold(connection)]


def count(connection: sa.Connection) -> int:
    """Returns how many findings and omissions were not told yet; those of one statement are one."""
    told = sa.select(sa.func.count()).select_from(t.finding).where(t.finding.c.told == 0)
    open_ = sa.select(sa.func.count(t.omission.c.statement_n.distinct()))
    past = sa.select(sa.func.count(t.summary.c.snapshot_n.distinct())).where(
        t.is_summary, t.summary.c.wanted == _REFUSED
    )
    return int(
        connection.execute(told).scalar_one()
        + connection.execute(open_.where(t.omission.c.told == 0, _IS_OPEN)).scalar_one()
        + connection.execute(past).scalar_one()
    )


def mark_told(connection: sa.Connection) -> None:
    """Notes that everything that is found was told to a person."""
    connection.execute(sa.update(t.finding).values(told=1))
    connection.execute(sa.update(t.omission).values(told=1))
    connection.execute(sa.update(t.summary).where(t.summary.c.wanted == _REFUSED).values(wanted=_TOLD))


def _finding(row: Any) -> Finding:
    papers = tuple((kind, data) for kind, data in codec.decode(row.papers))
    return Finding(row.n, row.kind, row.key, b"", row.unit, row.at_ms, papers, (), bool(row.told))


def _omissions(connection: sa.Connection) -> list[Finding]:
    query = sa.select(t.omission).where(_IS_OPEN).order_by(t.omission.c.statement_n, t.omission.c.wanted)
    groups: dict[tuple[int, Kind], list[Any]] = {}
    papers: dict[int, Signed] = {}
    for row in connection.execute(query).all():
        paper = papers.get(row.statement_n) or _statement(connection, row.statement_n)
        if paper is None:
            continue
        papers[row.statement_n] = paper
        said = parse_statement(paper.data)[0]
        kind: Kind = "gap" if row.wanted == said.prev else "withheld"
        groups.setdefault((row.statement_n, kind), []).append(row)
    return [_omission(kind, papers[n], rows) for (n, kind), rows in sorted(groups.items())]


def _omission(kind: Kind, paper: Signed, rows: Sequence[Any]) -> Finding:
    unit = parse_statement(paper.data)[0].unit
    missing = tuple(row.wanted for row in rows)
    is_told = all(row.told for row in rows)
    since = min(row.since_ms for row in rows)
    return Finding(
        0, kind, paper.key, rows[0].node, unit, since, (("statement", paper.data),), missing, is_told
    )


def _untold(connection: sa.Connection) -> list[Finding]:
    """Returns the documents of which a snapshot names heads that a parent was asked for, and did not give."""
    query = (
        sa.select(t.snapshot, t.summary.c.wanted, t.document.c.id.label("doc"))
        .join(t.summary, t.summary.c.snapshot_n == t.snapshot.c.n)
        .join(t.document, t.document.c.n == t.summary.c.doc_n)
        .where(t.is_summary, t.summary.c.wanted.in_([_REFUSED, _TOLD]))
        .order_by(t.document.c.n)
    )
    found: list[Finding] = []
    for row in connection.execute(query):
        papers: tuple[tuple[PaperKind, bytes], ...] = (("snapshot", row.data),)
        is_told = row.wanted == _TOLD
        found.append(Finding(0, "withheld", row.key, b"", row.unit, row.at_ms, papers, (row.doc,), is_told))
    return found
