"""Attachments in a store: which content is named by which event, which chunks are here, and what is complete.

All of it in the store's own database: encrypted with it, in its transactions, shared by its programs. A
chunk is taken only where an index that is here names it, an index only where an event that is here names
that; so nobody fills a store with what nobody asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from onestop_sync.attachment import (
    Index,
    bitmap,
    bits_of,
    contents_named,
    may_name_contents,
    name_of,
    parse_index,
)
from onestop_sync.entries import ops_of
from onestop_sync.errors import FormatError
from onestop_sync.event import Event
from onestop_sync.storage import feed
from onestop_sync.storage import tables as t
from onestop_sync.storage.engines import next_numbers
from onestop_sync.storage.rows import insert_all, select_in

__all__ = ["Held", "Piece", "Stock", "Taken"]

INDEX: Final = 0
"""Place of the index among the pieces of a content; chunks count from 1."""
WAITING_BYTES: Final = 256 * 2**20
"""What may be here of contents that only events without effect name, bytes."""


Stock = bool | bytes | None
"""What is said of a content, see `state_of`."""


class Piece(NamedTuple):
    """A chunk on its way.

    Attributes:
        content: Which content it belongs to.
        place: From 1; 0 is the index.
        data: Its bytes.
    """

    content: bytes
    place: int
    data: bytes


class Taken(NamedTuple):
    """What became of pieces that somebody brought.

    Attributes:
        stored: Pieces that were new.
        refused: Pieces that nobody had asked for, or that are not what they claim to be.
        completed: Local numbers of the contents that are complete with this.
    """

    stored: int
    refused: int
    completed: list[int]


class Held(NamedTuple):
    """What is here of a content.

    Attributes:
        n: Local number.
        id: The content.
        size_bytes: Size of the file; -1 while its index is not here.
        chunks: Chunks that it has.
        here: Those that are here.
        sent: Those that a parent has, as it said last.
        is_complete: All of them, and verified.
        is_wanted: It will be fetched.
    """

    n: int
    id: bytes
    size_bytes: int
    chunks: int
    here: int
    sent: int
    is_complete: bool
    is_wanted: bool


# ---- naming


def note_named(connection: sa.Connection, numbered: Iterable[tuple[int, Event]], now_ms: int) -> list[int]:
    """Notes which contents new events name.

    Returns:
        Local numbers of those that are complete here already.
    """
    named: list[tuple[int, bytes]] = []
    for n, event in numbered:
        if event.body is not None and may_name_contents(event.body):
            named += [(n, content) for content in contents_named(ops_of(event) or [])]
    if not named:
        return []
    rows = numbers_of(connection, sorted({content for _, content in named}), now_ms)
    pairs = [(rows[content].n, event_n) for event_n, content in named]
    insert_all(connection, t.naming, pairs)
    return sorted({row.n for row in rows.values() if row.complete})


def numbers_of(connection: sa.Connection, ids: Sequence[bytes], now_ms: int) -> Mapping[bytes, Any]:
    """Returns the rows of contents, which are made where there were none."""
    found = {row.id: row for row in select_in(connection, sa.select(t.content), t.content.c.id, ids)}
    missing = [content for content in ids if content not in found]
    if missing:
        first = next_numbers(connection, t.content, len(missing))
        insert_all(
            connection, t.content, [(n, i, -1, 0, 0, now_ms, 0, b"") for n, i in enumerate(missing, first)]
        )
        found.update((r.id, r) for r in select_in(connection, sa.select(t.content), t.content.c.id, missing))
    return found


def in_scope(connection: sa.Connection, unit: str, contents: Sequence[bytes]) -> set[bytes]:
    """Returns those of the contents that some event in the feed of a unit names."""
    query = (
        sa.select(t.content.c.id)
        .distinct()
        .join(t.naming, t.naming.c.content_n == t.content.c.n)
        .join(t.feed, t.feed.c.ref == t.naming.c.event_n)
        .where(t.feed.c.unit == unit, t.feed.c.kind == feed.EVENT)
    )
    return {row.id for row in select_in(connection, query, t.content.c.id, contents)}


def is_named(connection: sa.Connection, contents: Sequence[bytes]) -> set[bytes]:
    """Returns those of the contents that any event here names."""
    query = sa.select(t.content.c.id).distinct().join(t.naming, t.naming.c.content_n == t.content.c.n)
    return {row.id for row in select_in(connection, query, t.content.c.id, contents)}


def _without_room(connection: sa.Connection, contents: Sequence[bytes]) -> set[bytes]:
    """Returns the contents that only waiting events name and that find no room; the oldest go first."""
    counts = (
        sa.select(t.naming.c.content_n)
        .join(t.event, t.event.c.n == t.naming.c.event_n)
        .where(t.event.c.waiting == 0, t.naming.c.content_n == t.content.c.n)
    )
    idle = sa.select(t.content.c.id, t.content.c.size).where(~counts.exists())
    if not select_in(connection, idle, t.content.c.id, contents):
        return set()
    without: set[bytes] = set()
    total = 0
    for row in connection.execute(idle.order_by(t.content.c.n)):
        total += max(row.size, 0)
        if total > WAITING_BYTES:
            without.add(row.id)
    return without


# ---- taking


def put(
    connection: sa.Connection,
    pieces: Sequence[Piece],
    allowed: set[bytes],
    now_ms: int,
    *,
    is_limited: bool = False,
) -> Taken:
    """Takes pieces of contents; whatever is no part of one of them is left out.

    Args:
        connection: In a write transaction.
        pieces: In any order, but an index before the chunks that nothing else here names.
        allowed: Contents that whoever brings them may bring.
        now_ms: The store's clock.
        is_limited: Whether there is a limit to what may be here of contents that only waiting events name.
    """
    wanted = sorted({piece.content for piece in pieces} & allowed)
    if is_limited:
        full = _without_room(connection, wanted)
        wanted = [content for content in wanted if content not in full]
    # Locked in the order of their ids: two processes that bring the last two chunks must see each other's.
    query = sa.select(t.content)
    rows = {row.id: row for row in select_in(connection, query, t.content.c.id, wanted, lock=True)}
    shelf = _Shelf(connection, rows)
    for piece in pieces:
        shelf.take(piece)
    return Taken(shelf.stored, shelf.refused, shelf.finish(now_ms))


class _Shelf:
    """Takes pieces within one transaction."""

    def __init__(self, connection: sa.Connection, rows: Mapping[bytes, Any]) -> None:
        self.connection = connection
        self.rows = rows
        self.stored = self.refused = 0
        self._indexes: dict[bytes, Index | None] = {}
        self._touched: set[bytes] = set()
        self._fresh: set[bytes] = set()

    def take(self, piece: Piece) -> None:
        row = self.rows.get(piece.content)
        if row is None:
            self.refused += 1
        elif row.complete:
            return
        elif piece.place == INDEX:
            self._take_index(row, piece)
        else:
            self._take_chunk(row, piece)

    def _take_index(self, row: Any, piece: Piece) -> None:
        if self._index(row.id) is not None:
            return
        index = _checked_index(piece)
        if index is None:
            self.refused += 1
            return
        self._indexes[row.id] = index
        add_index(self.connection, row.n, row.id, index, piece.data)
        self._touched.add(row.id)
        self.stored += 1

    def _take_chunk(self, row: Any, piece: Piece) -> None:
        index = self._index(row.id)
        digest = name_of(piece.data)
        is_good = (
            index is not None
            and 0 < piece.place <= len(index.hashes)
            and index.hashes[piece.place - 1] == digest
            and index.size_of(piece.place) == len(piece.data)
        )
        if not is_good:
            self.refused += 1
            return
        self._touched.add(row.id)
        if add_chunk(self.connection, digest, piece.data):
            self._fresh.add(digest)
            self.stored += 1

    def _index(self, content: bytes) -> Index | None:
        if content not in self._indexes:
            self._indexes[content] = load_index(self.connection, content)
        return self._indexes[content]

    def finish(self, now_ms: int) -> list[int]:
        """Notes what is complete now, of other contents with the same chunks as well."""
        touched = {self.rows[content].n for content in self._touched}
        shared = sa.select(t.piece.c.content_n).distinct()
        touched.update(
            row.content_n for row in select_in(self.connection, shared, t.piece.c.hash, list(self._fresh))
        )
        return note_complete(self.connection, sorted(touched), now_ms)


def _checked_index(piece: Piece) -> Index | None:
    if name_of(piece.data) != piece.content:
        return None
    try:
        return parse_index(piece.data)
    except FormatError:
        return None


def add_index(connection: sa.Connection, n: int, content: bytes, index: Index, data: bytes) -> None:
    """Stores an index, and which chunks it names."""
    add_chunk(connection, content, data)
    insert_all(connection, t.piece, [(n, place, h) for place, h in enumerate(index.hashes, 1)])
    connection.execute(sa.update(t.content).where(t.content.c.n == n).values(size=index.size_bytes))


def add_chunk(connection: sa.Connection, digest: bytes, data: bytes) -> bool:
    """Stores a chunk; returns whether it is new."""
    if connection.execute(sa.select(t.chunk.c.hash).where(t.chunk.c.hash == digest)).first():
        return False
    connection.execute(sa.insert(t.chunk).values(hash=digest, data=data))
    return True


def note_complete(connection: sa.Connection, numbers: Sequence[int], now_ms: int) -> list[int]:
    """Marks those of the contents of which everything is here; returns them."""
    query = sa.select(t.content.c.n).where(t.content.c.complete == 0, t.content.c.size >= 0)
    open_ = [row.n for row in select_in(connection, query, t.content.c.n, numbers, lock=True)]
    lacking = _lacking().where(t.piece.c.content_n.in_(open_)).distinct()
    short = set(connection.execute(lacking.with_only_columns(t.piece.c.content_n)).scalars()) if open_ else ()
    done = [n for n in open_ if n not in short]
    for n in done:
        values = {"complete": 1, "wanted": 0, "at_ms": now_ms}
        connection.execute(sa.update(t.content).where(t.content.c.n == n).values(**values))
    return done


def _lacking() -> sa.Select[Any]:
    """Returns a query for the pieces of which the chunk is not here."""
    join = t.piece.outerjoin(t.chunk, t.chunk.c.hash == t.piece.c.hash)
    return sa.select(t.piece.c.content_n, t.piece.c.place).select_from(join).where(t.chunk.c.hash.is_(None))


# ---- looking


def load_index(connection: sa.Connection, content: bytes) -> Index | None:
    """Returns the index of a content, if it is here."""
    data = connection.execute(sa.select(t.chunk.c.data).where(t.chunk.c.hash == content)).scalar()
    return parse_index(data) if data is not None else None


def held(connection: sa.Connection, contents: Sequence[bytes]) -> dict[bytes, Held]:
    """Returns what is here of contents."""
    rows = select_in(connection, sa.select(t.content), t.content.c.id, contents)
    numbers = [row.n for row in rows]
    total = _counts(connection, sa.select(t.piece.c.content_n), numbers)
    lacking = _counts(connection, _lacking().with_only_columns(t.piece.c.content_n), numbers)
    return {
        row.id: Held(
            row.n, row.id, row.size, total.get(row.n, 0), total.get(row.n, 0) - lacking.get(row.n, 0),
            row.sent, bool(row.complete), bool(row.wanted),
        )
        for row in rows
    }  # fmt: skip


def _counts(connection: sa.Connection, query: Any, numbers: Sequence[int]) -> dict[int, int]:
    counted = query.add_columns(sa.func.count().label("many")).group_by(t.piece.c.content_n)
    return {row.content_n: row.many for row in select_in(connection, counted, t.piece.c.content_n, numbers)}


def state_of(connection: sa.Connection, content: bytes) -> Stock:
    """Returns what is said of a content.

    Returns:
        ``True`` complete, ``False`` not even its index is here, or the missing chunks as a bitmap; ``None``
        for one that is not known here.
    """
    row = connection.execute(sa.select(t.content).where(t.content.c.id == content)).first()
    if row is None:
        return None
    if row.complete or row.size < 0:
        return bool(row.complete)
    count = connection.execute(sa.select(sa.func.count()).where(t.piece.c.content_n == row.n)).scalar_one()
    missing = connection.execute(_lacking().where(t.piece.c.content_n == row.n).order_by(t.piece.c.place))
    return bitmap([piece.place for piece in missing], count)


def pieces_for(
    connection: sa.Connection, content: bytes, lacking: Stock, max_bytes: int
) -> tuple[list[Piece], bool]:
    """Returns pieces of a content that somebody lacks; where nothing of it is, the index alone.

    Whoever has the index knows which of the chunks it has already, of other files.

    Args:
        connection: Any transaction.
        content: Which.
        lacking: What is lacking there, as `state_of` says it.
        max_bytes: Stop after so many bytes; whoever wants one piece at least asks for one byte.

    Returns:
        The pieces that are here, in order, and whether there are more of them.
    """
    found: list[Piece] = []
    room = max_bytes
    for place in [INDEX] if lacking is False else places_of(connection, content, lacking):
        if room <= 0:
            return found, True
        piece = piece_at(connection, content, place)
        if piece is not None:
            found.append(piece)
            room -= len(piece.data)
    return found, False


def places_of(connection: sa.Connection, content: bytes, lacking: Stock) -> Sequence[int]:
    """Returns the places of everything that somebody lacks, the index first."""
    if lacking is False:
        index = load_index(connection, content)
        return range(len(index.hashes) + 1) if index else ()
    return bits_of(lacking) if isinstance(lacking, bytes) else ()


def piece_at(connection: sa.Connection, content: bytes, place: int) -> Piece | None:
    """Returns a chunk of a content, or at place 0 its index; ``None`` when it is not here."""
    if place == INDEX:
        query = sa.select(t.chunk.c.data).where(t.chunk.c.hash == content)
    else:
        query = (
            sa.select(t.chunk.c.data)
            .join(t.piece, t.piece.c.hash == t.chunk.c.hash)
            .join(t.content, t.content.c.n == t.piece.c.content_n)
            .where(t.content.c.id == content, t.piece.c.place == place)
        )
    data = connection.execute(query).scalar()
    return Piece(content, place, data) if data is not None else None


# ---- what goes where


def _upward() -> Any:
    """Returns the condition that a content is named by an event that goes up to our parents."""
    return (
        sa.select(t.naming.c.content_n)
        .join(t.event, t.event.c.n == t.naming.c.event_n)
        .join(t.log, t.log.c.n == t.event.c.log_n)
        .where(t.log.c.upward == 1, t.naming.c.content_n == t.content.c.n)
        .exists()
    )


def pending(connection: sa.Connection, node: bytes, skip: Iterable[bytes], limit: int) -> list[bytes]:
    """Returns complete contents that ``node`` has not confirmed, small before large."""
    acked = sa.select(t.content_ack.c.content_n).where(t.content_ack.c.node == node)
    query = (
        sa.select(t.content.c.id)
        .where(t.content.c.complete == 1, t.content.c.n.not_in(acked), _upward())
        .order_by(t.content.c.size, t.content.c.n)
    )
    left_out = set(skip)
    rows = connection.execute(query.limit(limit + len(left_out))).scalars()
    return [content for content in rows if content not in left_out][:limit]


def unconfirmed(connection: sa.Connection, limit: int) -> list[bytes]:
    """Returns complete contents that no parent at all has confirmed, small before large."""
    query = sa.select(t.content.c.id).where(
        t.content.c.complete == 1, t.content.c.n.not_in(sa.select(t.content_ack.c.content_n)), _upward()
    )
    return list(connection.execute(query.order_by(t.content.c.size, t.content.c.n).limit(limit)).scalars())


def wanted(connection: sa.Connection, skip: Iterable[bytes], limit: int) -> list[bytes]:
    """Returns contents that somebody asked for and that are not complete here, oldest first."""
    left_out = set(skip)
    is_wanted = t.content.c.wanted > sa.literal_column("0", sa.Integer())
    query = sa.select(t.content.c.id).where(is_wanted).order_by(t.content.c.n).limit(limit + len(left_out))
    return [c for c in connection.execute(query).scalars() if c not in left_out][:limit]


def want(connection: sa.Connection, contents: Sequence[bytes]) -> None:
    """Asks for contents: they come with the next exchanges."""
    where = (t.content.c.id.in_(list(contents)), t.content.c.complete == 0, t.content.c.wanted == 0)
    connection.execute(sa.update(t.content).where(*where).values(wanted=1))


class Unsent(NamedTuple):
    """How many attachments no parent has confirmed, and how large they are together."""

    files: int
    size_bytes: int


def unsent(connection: sa.Connection) -> Unsent:
    """Returns what no parent at all has confirmed, of the attachments that are here."""
    query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(t.content.c.size), 0)).where(
        t.content.c.complete == 1, t.content.c.n.not_in(sa.select(t.content_ack.c.content_n)), _upward()
    )
    count, size = connection.execute(query).one()
    return Unsent(int(count), int(size))


# ---- confirmations


def units_naming(connection: sa.Connection, numbers: Sequence[int]) -> dict[str, list[bytes]]:
    """Returns, for each unit, the contents that its logs name."""
    query = (
        sa.select(t.log.c.unit, t.content.c.id)
        .distinct()
        .join(t.event, t.event.c.log_n == t.log.c.n)
        .join(t.naming, t.naming.c.event_n == t.event.c.n)
        .join(t.content, t.content.c.n == t.naming.c.content_n)
    )
    found: dict[str, list[bytes]] = {}
    for row in sorted(select_in(connection, query, t.content.c.n, numbers)):
        found.setdefault(row.unit, []).append(row.id)
    return found


def note_sent(connection: sa.Connection, content: bytes, lacking: bytes) -> None:
    """Notes how much of a content a parent has, for people who wait."""
    row = connection.execute(sa.select(t.content.c.n).where(t.content.c.id == content)).first()
    if row is not None:
        every = sa.select(sa.func.count()).where(t.piece.c.content_n == row.n).scalar_subquery()
        values = {"sent": every - len(bits_of(lacking))}
        connection.execute(sa.update(t.content).where(t.content.c.n == row.n).values(**values))


def note_said(connection: sa.Connection, node: bytes, numbers: Sequence[int]) -> None:
    """Notes that contents were confirmed by this machine."""
    connection.execute(sa.update(t.content).where(t.content.c.n.in_(numbers)).values(said=node))


def unsaid(connection: sa.Connection, node: bytes, contents: Sequence[bytes]) -> list[int]:
    """Returns those of the contents that are complete and were not confirmed under this machine's log."""
    query = sa.select(t.content.c.n).where(t.content.c.complete == 1, t.content.c.said != node)
    return [row.n for row in select_in(connection, query, t.content.c.id, contents)]


def note_acks(connection: sa.Connection, node: bytes, contents: Sequence[bytes], now_ms: int) -> None:
    """Notes that ``node`` has contents, complete."""
    numbers = [row.n for row in numbers_of(connection, sorted(set(contents)), now_ms).values()]
    query = sa.select(t.content_ack.c.content_n).where(t.content_ack.c.node == node)
    there = {row.content_n for row in select_in(connection, query, t.content_ack.c.content_n, numbers)}
    insert_all(connection, t.content_ack, [(node, n) for n in numbers if n not in there])


def nodes_having(connection: sa.Connection, contents: Sequence[bytes]) -> dict[bytes, list[bytes]]:
    """Returns, for each content, the nodes that confirmed it."""
    query = sa.select(t.content.c.id, t.content_ack.c.node).join(
        t.content_ack, t.content_ack.c.content_n == t.content.c.n
    )
    found: dict[bytes, list[bytes]] = {}
    for row in sorted(select_in(connection, query, t.content.c.id, contents)):
        found.setdefault(row.id, []).append(row.node)
    return found


def out_of_reach(connection: sa.Connection, contents: Sequence[bytes]) -> set[bytes]:
    """Returns those of the contents that are neither complete here nor confirmed by anybody."""
    acked = sa.select(t.content_ack.c.content_n).where(t.content_ack.c.content_n == t.content.c.n)
    query = sa.select(t.content.c.id).where(sa.or_(t.content.c.complete == 1, acked.exists()))
    return set(contents) - {row.id for row in select_in(connection, query, t.content.c.id, contents)}


# ---- leaving


def forget(connection: sa.Connection, event_numbers: Sequence[int]) -> None:
    """Drops what only these events name: their bodies were erased."""
    rows = select_in(connection, sa.select(t.naming), t.naming.c.event_n, list(event_numbers))
    for event_n in {row.event_n for row in rows}:
        connection.execute(sa.delete(t.naming).where(t.naming.c.event_n == event_n))
    _drop_unnamed(connection, sorted({row.content_n for row in rows}))


def sweep(connection: sa.Connection, before_ms: int) -> None:
    """Drops what was taken in and then never named: the program ended in between."""
    named = sa.select(t.naming.c.content_n).where(t.naming.c.content_n == t.content.c.n)
    query = sa.select(t.content.c.n).where(t.content.c.size >= 0, t.content.c.at_ms < before_ms)
    _drop_unnamed(connection, list(connection.execute(query.where(~named.exists())).scalars()))


def _drop_unnamed(connection: sa.Connection, numbers: Sequence[int]) -> None:
    named = sa.select(t.naming.c.content_n).distinct()
    kept = {row.content_n for row in select_in(connection, named, t.naming.c.content_n, numbers)}
    for row in select_in(connection, sa.select(t.content), t.content.c.n, numbers):
        if row.n not in kept:
            hashes = sa.select(t.piece.c.hash).where(t.piece.c.content_n == row.n)
            used = sorted(set(connection.execute(hashes).scalars()))
            connection.execute(sa.delete(t.piece).where(t.piece.c.content_n == row.n))
            elsewhere = sa.select(t.piece.c.hash).distinct()
            shared = {r.hash for r in select_in(connection, elsewhere, t.piece.c.hash, used)}
            for gone in [row.id, *(h for h in used if h not in shared)]:
                connection.execute(sa.delete(t.chunk).where(t.chunk.c.hash == gone))
            connection.execute(sa.delete(t.content_ack).where(t.content_ack.c.content_n == row.n))
            connection.execute(sa.delete(t.content).where(t.content.c.n == row.n))
