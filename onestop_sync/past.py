"""What is behind a snapshot, over a line: the lists themselves between servers, and the events of documents.

    mirror  = ["snapshots", 1, parent, nonce, [place, hash], max_bytes]
    answer  = [nonce, [[place, snapshot], …], has_more, [frame, …]]
    history = ["history", 1, parent, nonce, [[document, events that I have of you], …], max_bytes]
    answer  = [nonce, [[document, events that I have, [frame, …]], …], has_more, []]

A server mirrors its parent's snapshots once a newer statement came; a machine that knows documents by their
summaries asks for the events of those that somebody wants, and of some others in every exchange, until it has
them all. `protocol` carries both: signed, and bound to the nonce, as every request is.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from onestop_sync import codec, snapshotting
from onestop_sync.errors import FormatError
from onestop_sync.snapshot import snapshot_hash
from onestop_sync.storage import feed, snapshots, summaries
from onestop_sync.storage import tables as t
from onestop_sync.storage.rows import select_in
from onestop_sync.storage.snapshots import Place
from onestop_sync.store import Store

__all__ = ["Historian", "History", "Mirror", "Mirrorer", "parse_history", "parse_mirror"]

VERSION: Final = 1
MAX_DOCUMENTS: Final = 64
"""Documents of which one request may ask."""
IN_PASSING: Final = 20
"""Documents that nobody waits for, of which each exchange asks: some 30 kB."""
_PAPERS: Final = 256
_MOST_EVENTS: Final = 20_000
"""Of one document: whoever claims to have more is not asked for ever."""


class Mirror(NamedTuple):
    """A server asks for snapshots.

    Attributes:
        parent: First bytes of the parent's machine log.
        nonce: That of the last answer.
        place: The parent's last snapshot that it has.
        max_bytes: How much may come back.
    """

    parent: bytes
    nonce: bytes
    place: Place
    max_bytes: int

    @property
    def kind(self) -> str:
        """What is signed with it."""
        return "onestop/snapshots/1"

    def to_row(self) -> list[codec.Value]:
        """Returns it as it travels."""
        return ["snapshots", VERSION, self.parent, self.nonce, list(self.place), self.max_bytes]

    def respond(self, store: Store, unit: str, nonce: bytes, max_bytes: int) -> list[codec.Value]:
        """Answers it, within the caller's transaction; the unit is that of the server that asks."""
        units = store.trust.document.below(unit)
        budget = min(max(self.max_bytes, 1), max_bytes)
        found: list[codec.Value] = []
        proofs: list[codec.Value] = []
        with store.reading() as connection:
            after = self.place.n if snapshots.at_place(connection, self.place) else 0
            size, nodes = 0, set()
            papers = snapshots.papers(connection, units, after, _PAPERS)
            for paper in papers:
                size += len(paper.data)
                if found and size > budget:
                    break
                found.append([paper.n, paper.data])
                nodes.add(paper.node)
        for node in sorted(nodes):
            proofs += store.introduction(node)
        return [nonce, found, len(found) < len(papers) or len(papers) == _PAPERS, proofs]


class History(NamedTuple):
    """A machine asks for the events of documents.

    Attributes:
        parent: First bytes of the parent's machine log.
        nonce: That of the last answer.
        documents: Each with how many of its events the parent has sent before.
        max_bytes: How much may come back.
    """

    parent: bytes
    nonce: bytes
    documents: tuple[tuple[bytes, int], ...]
    max_bytes: int

    @property
    def kind(self) -> str:
        """What is signed with it."""
        return "onestop/history/1"

    def to_row(self) -> list[codec.Value]:
        """Returns it as it travels."""
        rows: list[codec.Value] = [list(each) for each in self.documents]
        return ["history", VERSION, self.parent, self.nonce, rows, self.max_bytes]

    def respond(self, store: Store, unit: str, nonce: bytes, max_bytes: int) -> list[codec.Value]:
        """Answers it, within the caller's transaction: of what the unit's feed holds, and nothing else."""
        room = min(max(self.max_bytes, 1), max_bytes)
        found: list[codec.Value] = []
        with store.reading() as connection:
            for doc, after in self.documents:
                frames, total = _events(connection, unit, doc, after, room)
                found.append([doc, total, frames])
                room -= sum(len(part or b"") for frame in frames for part in frame)
                if room <= 0 or after + len(frames) < total:
                    break
        return [nonce, found, len(found) < len(self.documents), []]


def _events(
    connection: sa.Connection, unit: str, doc: bytes, after: int, room: int
) -> tuple[list[list[Any]], int]:
    """Returns events of a document behind the first so many, at least one, and how many there are in all."""
    at = t.feed.c
    seen = sa.exists().where(at.unit == unit, at.kind == feed.EVENT, at.ref == t.event.c.n)
    query = (
        sa.select(t.event.c.header, t.event.c.signature, t.event.c.body)
        .join(t.document, t.document.c.n == t.event.c.doc_n)
        .where(t.document.c.id == doc, seen)
        .order_by(t.event.c.n)
    )
    rows = connection.execute(query).all()
    frames: list[list[Any]] = []
    for row in rows[after:]:
        room -= sum(len(part or b"") for part in row)
        if frames and room < 0:
            break
        frames.append(list(row))
    return frames, len(rows)


def parse_mirror(value: object) -> Mirror | None:
    """Reads a request for snapshots; ``None`` of another kind.

    Raises:
        FormatError: It is one, and malformed.
    """
    match value:
        case ["snapshots", 1, bytes(parent), bytes(nonce), [int(n), bytes(digest)], int(most)] if n >= 0:
            return Mirror(parent, nonce, Place(n, digest), most)
        case ["snapshots", *_]:
            raise FormatError("A request for snapshots is malformed.")
    return None


def parse_history(value: object) -> History | None:
    """Reads a request for the events of documents; ``None`` of another kind.

    Raises:
        FormatError: It is one, and malformed.
    """
    match value:
        case ["history", 1, bytes(parent), bytes(nonce), list(rows), int(most)] if len(
            rows
        ) <= MAX_DOCUMENTS and all(map(_is_wish, rows)):
            return History(parent, nonce, tuple((doc, after) for doc, after in rows), most)
        case ["history", *_]:
            raise FormatError("A request for the history of documents is malformed.")
    return None


def _is_wish(row: object) -> bool:
    match row:
        case [bytes(_), int(after)] if type(after) is int and after >= 0:
            return True
    return False


# ------------------------------------------------------------------------------------------------ the machine


class Mirrorer:
    """A server's side of mirroring its parent's snapshots.

    Args:
        store: The server's store.
        name: Name under which the parent's state is kept.
    """

    def __init__(self, store: Store, name: str) -> None:
        self.store = store
        self.name = name
        self._is_off = not store.serves

    def next_ask(self, node: bytes, nonce: bytes, max_bytes: int) -> Mirror | None:
        """Returns what to ask; ``None`` until a newer statement came: those are made before snapshots."""
        if self._is_off:
            return None
        with self.store.reading() as connection:
            row = connection.execute(sa.select(t.place).where(t.place.c.name == self.name)).first()
            newest = _newest_statement(connection)
        if not newest or (row is not None and row.upto >= newest):
            return None
        place = Place(row.n, row.hash) if row is not None else Place()
        return Mirror(node[:16], nonce, place, max_bytes)

    def take(self, parts: object) -> None:
        """Takes the answer's parts behind the nonce.

        Raises:
            FormatError: Malformed.
        """
        match parts:
            case [list(rows), bool(has_more), list(proofs)]:
                pass
            case _:
                raise FormatError("The answer on snapshots is malformed.")
        papers = [_paper(row) for row in rows]
        store = self.store
        with store.writing() as transaction:
            store.receive(proofs)
            snapshotting.mirror(store, [data for _, data in papers])
            place = Place(papers[-1][0], snapshot_hash(papers[-1][1])) if papers else None
            upto = 0 if has_more and papers else _newest_statement(transaction.connection)
            _note_place(transaction.connection, self.name, place, upto)

    def give_up(self) -> None:
        """Asks no more before the next statement: the parent's program is older."""
        self._is_off = True
        with self.store.writing() as transaction:
            connection = transaction.connection
            _note_place(connection, self.name, None, _newest_statement(connection))


def _paper(row: object) -> tuple[int, bytes]:
    match row:
        case [int(n), bytes(data)] if type(n) is int:
            return n, data
    raise FormatError("The answer on snapshots is malformed.")


def _newest_statement(connection: sa.Connection) -> int:
    return int(connection.execute(sa.select(sa.func.max(t.statement.c.n))).scalar() or 0)


def _note_place(connection: sa.Connection, name: str, place: Place | None, upto: int) -> None:
    values: dict[str, Any] = {"upto": upto}
    if place is not None:
        values |= place._asdict()
    if not connection.execute(sa.update(t.place).where(t.place.c.name == name).values(**values)).rowcount:
        row = Place()._asdict() | {"name": name} | values
        connection.execute(sa.insert(t.place).values(**row))


class Historian:
    """A machine's side of asking for the events of documents that it knows by their summaries.

    Args:
        store: The machine's store.
        most: Documents to ask for in passing, besides those that somebody wants.
    """

    def __init__(self, store: Store, most: int = IN_PASSING) -> None:
        self.store = store
        self.received = 0
        self._left = most
        self._done: set[int] = set()
        self._came: dict[bytes, list[Any]] = {}
        self._asked: dict[bytes, int] = {}
        self._node = b""
        self._is_off = store.serves

    def next_ask(self, node: bytes, nonce: bytes, max_bytes: int) -> History | None:
        """Returns what to ask of a parent; ``None`` when nothing is left."""
        if self._is_off:
            return None
        self._node = node
        with self.store.reading() as connection:
            rows = [row for row in _lacking(connection, len(self._done)) if row.doc_n not in self._done]
        wanted = [row for row in rows if row.wanted == summaries.ASKED]
        others = [row for row in rows if row.wanted == 0 or row.id in self._came][: max(0, self._left)]
        self._asked = {row.id: row.doc_n for row in (wanted + others)[:MAX_DOCUMENTS]}
        if not self._asked:
            return None
        wishes = tuple((doc, len(self._came.get(doc, ()))) for doc in self._asked)
        return History(node[:16], nonce, wishes, max_bytes)

    def take(self, parts: object) -> None:
        """Takes the answer's parts behind the nonce; a document counts once all of its events have come.

        Raises:
            FormatError: Malformed, or of something else than was asked.
        """
        match parts:
            case [list(rows), bool(), list()] if rows:
                pass
            case _:
                raise FormatError("The answer on histories is malformed.")
        whole: list[bytes] = []
        for row in rows:
            doc, total, frames = _told(row)
            if doc not in self._asked:
                raise FormatError("The answer on histories answers something else.")
            came = self._came.setdefault(doc, [])
            came += frames
            if not frames or len(came) >= min(total, _MOST_EVENTS):
                whole.append(doc)
        self._keep(whole)

    def _keep(self, whole: list[bytes]) -> None:
        """Stores what came of documents that are whole now, and notes of which it was not all."""
        store = self.store
        numbers = [self._asked[doc] for doc in whole]
        prepared = store.prepare([frame for doc in whole for frame in self._came.pop(doc)])
        with store.writing() as transaction:
            self.received += store.append(prepared, self._node, is_limited=False)[1]
            query = sa.select(t.summary.c.doc_n).where(t.is_summary)
            still = select_in(transaction.connection, query, t.summary.c.doc_n, numbers)
            summaries.want(transaction.connection, [row.doc_n for row in still], summaries.REFUSED)
        self._done.update(numbers)
        self._left -= len(numbers)

    def give_up(self) -> None:
        """Asks no more in this exchange: the parent's program is older."""
        self._is_off = True


def _lacking(connection: sa.Connection, extra: int) -> list[Any]:
    """Returns documents without their events: those that somebody wants first, then the newest."""
    query = (
        sa.select(t.summary.c.doc_n, t.summary.c.wanted, t.document.c.id)
        .join(t.document, t.document.c.n == t.summary.c.doc_n)
        .where(t.is_summary, t.summary.c.wanted != summaries.REFUSED)
    )
    order = (sa.case((t.summary.c.wanted == summaries.ASKED, 0), else_=1), t.summary.c.doc_n.desc())
    return list(connection.execute(query.order_by(*order).limit(MAX_DOCUMENTS + extra)).all())


def _told(row: object) -> tuple[bytes, int, list[Any]]:
    match row:
        case [bytes(doc), int(total), list(frames)] if type(total) is int:
            return doc, total, frames
    raise FormatError("The answer on histories is malformed.")
