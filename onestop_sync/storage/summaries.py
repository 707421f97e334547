"""Summaries as they are stored: which documents are known by a snapshot, and what becomes of them.

At a server a row says that the events of a document come to what a snapshot says of it: a new machine may be
given the summary instead. The row goes as soon as the document changes. At such a machine a row says that the
events are not here yet; it goes when they are, and have come to the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from onestop_sync.errors import FormatError, NotAllowed
from onestop_sync.schema import MAIN, DocumentType
from onestop_sync.snapshot import (
    MAX_SUMMARY,
    Summary,
    parse_snapshot,
    parse_summary,
    summary_hash,
    without_ids,
)
from onestop_sync.state import Entry, State
from onestop_sync.storage import findings
from onestop_sync.storage import tables as t
from onestop_sync.storage.projection import pack, unpack
from onestop_sync.storage.upgrade import PROJECTION_VERSION

__all__ = [
    "STATED_DOCUMENT", "Placed", "check_history", "compare", "damaged", "forget", "has_any", "is_closed",
    "is_known", "keep", "made_by", "past_of", "placed_of", "row_of", "stated_ms", "summarise", "want",
]  # fmt: skip

ASKED, REFUSED, TOLD = 1, 2, 3
"""Of `summary.wanted`: the history is wanted now; a parent did not give all of it; that was told."""


class Placed(NamedTuple):
    """A document that a snapshot names.

    Attributes:
        kind: Its type.
        state: What its summary says; ``None`` where no parent gave the summary.
        snapshot_n: Local number of the snapshot.
        hash: What the snapshot says of the summary.
    """

    kind: DocumentType
    state: State | None
    snapshot_n: int
    hash: bytes


def made_by(kind: DocumentType) -> str:
    """Returns by which versions a summary of a type is made in this program."""
    return f"{kind.version}.{PROJECTION_VERSION}"


def is_closed(kind: DocumentType, state: State) -> bool:
    """Tells whether nothing leads on from any step of a document."""
    if MAIN not in state.tasks:
        return False
    workflows = ((kind.task(name), task.step) for name, task in state.tasks.items())
    return all(workflow is not None and step in workflow.ends for workflow, step in workflows)


def summarise(kind: DocumentType, doc: bytes, state: State) -> bytes | None:
    """Returns the summary of a document; ``None`` of one that has none."""
    bare = without_ids(kind, state) if is_closed(kind, state) else None
    if bare is None:
        return None
    found = Summary(kind.name, kind.version, PROJECTION_VERSION, doc, pack(bare)).to_bytes()
    return found if len(found) <= MAX_SUMMARY else None


def placed_of(kind: DocumentType, data: bytes, doc: bytes, snapshot_n: int) -> Placed:
    """Reads a summary that a snapshot names by its hash.

    Raises:
        FormatError: Malformed, of another document, or made by other versions than these.
    """
    said = parse_summary(data)
    if said[:4] != (kind.name, kind.version, PROJECTION_VERSION, doc):
        raise FormatError("A summary is of something else, or made by another program.")
    try:
        state = unpack(said.state)
        is_whole = pack(state) == said.state
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise FormatError("A summary is malformed.") from error
    if not is_whole:
        raise FormatError("A summary is malformed.")
    return Placed(kind, state, snapshot_n, summary_hash(data))


# ------------------------------------------------------------------------------------------------------- rows


def has_any(connection: sa.Connection) -> bool:
    """Tells whether any document is known by a snapshot."""
    return connection.execute(_ANY).first() is not None


def row_of(connection: sa.Connection, doc_n: int) -> Any:
    """Returns the row of a document; ``None`` when no snapshot names it."""
    return connection.execute(sa.select(t.summary).where(t.summary.c.doc_n == doc_n)).first()


def keep(connection: sa.Connection, doc_n: int, placed: Placed, *, is_held: bool = False) -> None:
    """Notes that a document is known by a snapshot."""
    wanted = 0 if is_held or placed.state is not None else ASKED
    connection.execute(
        sa.insert(t.summary).values(
            doc_n=doc_n, snapshot_n=placed.snapshot_n, hash=placed.hash, made=made_by(placed.kind),
            held=int(is_held), wanted=wanted,
        )
    )  # fmt: skip


def stated_ms(connection: sa.Connection, doc_n: int) -> int | None:
    """Returns when the province signed what is known of a document; ``None`` when its events are here."""
    return connection.execute(_STATED, {"of": doc_n}).scalar()


def check_history(connection: sa.Connection, doc_n: int) -> None:
    """Refuses what needs the events of a document.

    Raises:
        NotAllowed: They are not here (``details["reason"]`` is ``history``).
    """
    if stated_ms(connection, doc_n) is not None:
        raise NotAllowed(
            "The events of this document are not here yet: it is known by the province's snapshot.",
            todo="Nothing was changed. Synchronise, and try again: they come with the next sync.",
            reason="history",
        )


def damaged(
    connection: sa.Connection, types: Mapping[str, DocumentType]
) -> tuple[int, list[tuple[int, bytes]]]:
    """Compares what is known by snapshots with what they say.

    Returns:
        How many documents are, and the local number and id of each that is not what the province signed.
        What an older version of its type made is passed over: it cannot be made again.
    """
    query = (
        sa.select(t.document.c.n, t.document.c.id, t.document.c.kind, t.document.c.state)
        .add_columns(t.summary.c.hash, t.summary.c.made)
        .join(t.summary, t.summary.c.doc_n == t.document.c.n)
        .where(t.is_summary, t.document.c.state.is_not(None))
    )
    bad: list[tuple[int, bytes]] = []
    count = 0
    for row in connection.execute(query):
        count += 1
        kind = types.get(row.kind)
        if kind is not None and row.made == made_by(kind):
            said = Summary(kind.name, kind.version, PROJECTION_VERSION, row.id, row.state)
            if summary_hash(said.to_bytes()) != row.hash:
                bad.append((row.n, row.id))
    return count, bad


def forget(connection: sa.Connection, numbers: Sequence[int]) -> None:
    """Forgets the snapshot of documents: they changed, or their events have come."""
    if numbers:
        connection.execute(_FORGET, [{"at": n} for n in numbers])


def want(connection: sa.Connection, numbers: Iterable[int], how: int = ASKED) -> None:
    """Notes that the events of documents are wanted, or that a parent did not give them."""
    rows = [{"at": n, "how": how} for n in numbers]
    if rows:
        connection.execute(_WANT, rows)


def is_known(connection: sa.Connection, doc_n: int, placed: Placed) -> bool:
    """Tells whether as much of a document is here as a snapshot says, or more."""
    query = sa.select(t.event.c.id).where(t.event.c.doc_n == doc_n, t.event.c.waiting == 0)
    here = set(connection.execute(query).scalars())
    if placed.state is not None:
        return here.issuperset(placed.state.heads) and _is_folded(connection, doc_n)
    return _is_folded(connection, doc_n)


def _is_folded(connection: sa.Connection, doc_n: int) -> bool:
    """Tells whether a document has a state that comes from events."""
    row = row_of(connection, doc_n)
    state = sa.select(t.document.c.n).where(t.document.c.n == doc_n, t.document.c.state.is_not(None))
    return (row is None or bool(row.held)) and connection.execute(state).first() is not None


# -------------------------------------------------------------------------------------------------- the past


def past_of(entries: Sequence[Entry], heads: Sequence[bytes]) -> list[Entry]:
    """Returns heads of a document and what they have seen; nothing when a head is not there.

    Without ``heads``, which a missing summary does not tell, everything there is.
    """
    if not heads:
        return list(entries)
    known = {entry.id: entry for entry in entries}
    if not known.keys() >= set(heads):
        return []
    found: set[bytes] = set()
    left = list(heads)
    while left:
        event_id = left.pop()
        if event_id not in found:
            found.add(event_id)
            left.extend(known[event_id].parents)
    return [entry for entry in entries if entry.id in found]


def compare(
    connection: sa.Connection, kind: DocumentType, doc: bytes, folded: State, told: tuple[Any, int]
) -> None:
    """Notes it when the events of a document come to something else than the province has signed.

    Made by another version of the program, or under another trust document, it may honestly be another.

    Args:
        connection: In a write transaction.
        kind: Type of the document.
        doc: Its id.
        folded: What its events come to at the heads that the summary names.
        told: Its row, and the version of the trust document that is known here.
    """
    row, trust_version = told
    found = summarise(kind, doc, folded)
    if row.made != made_by(kind) or (found is not None and summary_hash(found) == row.hash):
        return
    state = connection.execute(sa.select(t.document.c.state).where(t.document.c.n == row.doc_n)).scalar()
    said = Summary(kind.name, kind.version, PROJECTION_VERSION, doc, state or b"").to_bytes()
    if summary_hash(said) != row.hash:
        return  # what is stored here is damaged, and nobody's word
    paper = connection.execute(sa.select(t.snapshot).where(t.snapshot.c.n == row.snapshot_n)).first()
    if paper is None or parse_snapshot(paper.data)[0].trust_version != trust_version:
        return
    papers = [findings.Signed("snapshot", paper.key, paper.data), findings.Signed("summary", paper.key, said)]
    findings.note(connection, "misstated", paper.unit, [doc], papers)


_ANY = sa.select(t.summary.c.doc_n).limit(1)
_STATED = (
    sa.select(t.snapshot.c.at_ms)
    .join(t.summary, t.summary.c.snapshot_n == t.snapshot.c.n)
    .where(t.summary.c.doc_n == sa.bindparam("of"), t.is_summary)
)
STATED_DOCUMENT: Final = (
    sa.select(t.document, t.snapshot.c.at_ms.label("stated_ms"))
    .select_from(t.document)
    .outerjoin(t.summary, sa.and_(t.summary.c.doc_n == t.document.c.n, t.is_summary))
    .outerjoin(t.snapshot, t.snapshot.c.n == t.summary.c.snapshot_n)
    .where(t.document.c.id == sa.bindparam("of"))
)
"""A document by its id, and when the province signed what is known of it, as `stated_ms` returns it."""
_FORGET = sa.delete(t.summary).where(t.summary.c.doc_n == sa.bindparam("at"))
_WANT = (
    sa.update(t.summary)
    .where(t.summary.c.doc_n == sa.bindparam("at"), t.summary.c.held == 0)
    .values(wanted=sa.bindparam("how"))
)
