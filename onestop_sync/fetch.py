"""Attachments over a line: what a machine asks of its parent once the events are through, and the answers.

    ask    = ["chunks", 1, parent, nonce, [content, …], [[content, place, bytes], …],
              [[content, lacking], …], max_bytes]
    answer = [nonce, [[content, state], …], [[content, place, bytes], …]]

A machine asks which of its contents are there, puts what is missing (the index first, then the chunks that
the other side has not of other files), and gets what somebody wants to see; the answer says of each content
that the ask names how it stands now. *Stock*, and what is *lacking*, is
``true`` for all of it here, ``false`` for nothing yet, a bitmap of the missing chunks, or ``null``: not yours
to know. So each step counts by itself, in any order, and after a cut only what is missing is sent.

`protocol` carries both: signed, and bound to the nonce, as every request is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple, TypeGuard

import sqlalchemy as sa

from onestop_sync import codec
from onestop_sync.errors import FormatError
from onestop_sync.storage import chunks
from onestop_sync.storage import tables as t
from onestop_sync.storage.chunks import Piece, Stock
from onestop_sync.store import Store

__all__ = ["Answer", "Ask", "Fetcher", "respond"]

VERSION: Final = 1
MAX_CONTENTS: Final = 64
"""Contents of which one ask may speak in each of its lists."""
_CONTENT_SIZE: Final = 32


class Ask(NamedTuple):
    """What a machine asks.

    Attributes:
        parent: First bytes of the parent's machine log.
        nonce: That of the last answer.
        contents: Of which of these do you have what?
        puts: Chunks that the parent lacked.
        gets: Contents that are wanted, and what is lacking of each.
        max_bytes: How much may come back.
    """

    parent: bytes
    nonce: bytes
    contents: tuple[bytes, ...]
    puts: tuple[Piece, ...]
    gets: tuple[tuple[bytes, Stock], ...]
    max_bytes: int

    @property
    def kind(self) -> str:
        """What is signed with it."""
        return "onestop/chunks/1"

    def to_row(self) -> list[codec.Value]:
        """Returns it as it travels."""
        puts: list[codec.Value] = [list(piece) for piece in self.puts]
        gets: list[codec.Value] = [[content, lacking] for content, lacking in self.gets]
        head: list[codec.Value] = ["chunks", VERSION, self.parent, self.nonce, list(self.contents)]
        return [*head, puts, gets, self.max_bytes]

    def respond(self, store: Store, unit: str, nonce: bytes, max_bytes: int) -> list[codec.Value]:
        """Answers it; see `respond`."""
        return respond(store, self, unit, nonce, max_bytes).to_row()


def parse_ask(value: object) -> Ask | None:
    """Reads an ask; ``None`` when it is another kind of request.

    Raises:
        FormatError: It is one, and malformed.
    """
    match value:
        case [
            "chunks",
            1,
            bytes(parent),
            bytes(nonce),
            list(contents),
            list(puts),
            list(gets),
            int(most),
        ] if max(len(contents), len(gets)) <= MAX_CONTENTS and all(map(_is_content, contents)):
            wanted = tuple(parse_pair(row) for row in gets)
            return Ask(parent, nonce, tuple(contents), tuple(map(parse_piece, puts)), wanted, most)
        case ["chunks", *_]:
            raise FormatError("A request for attachments is malformed.")
    return None


def _is_content(value: object) -> TypeGuard[bytes]:
    """Tells whether a value can name a content: SHA-256, 32 bytes."""
    return type(value) is bytes and len(value) == _CONTENT_SIZE


def parse_piece(row: object) -> Piece:
    """Reads a chunk on its way.

    Raises:
        FormatError: Malformed.
    """
    match row:
        case [content, int(place), bytes(data)] if _is_content(content) and type(place) is int and place >= 0:
            return Piece(content, place, data)
    raise FormatError("A chunk of an attachment is malformed.")


def parse_pair(row: object) -> tuple[bytes, Stock]:
    """Reads a content and what is said of it.

    Raises:
        FormatError: Malformed.
    """
    match row:
        case [content, bool() | bytes() | None as lacking] if _is_content(content):
            return content, lacking
    raise FormatError("The state of an attachment is malformed.")


class Answer(NamedTuple):
    """What the parent says.

    Attributes:
        nonce: For the next request.
        states: Content → how it stands there.
        pieces: What was wanted.
    """

    nonce: bytes
    states: dict[bytes, Stock]
    pieces: list[Piece]

    def to_row(self) -> list[codec.Value]:
        """Returns it as it travels."""
        states: list[codec.Value] = [[content, state] for content, state in self.states.items()]
        return [self.nonce, states, [list(piece) for piece in self.pieces]]


def parse_answer(value: object) -> Answer:
    """Reads an answer.

    Raises:
        FormatError: Malformed.
    """
    match value:
        case [bytes(nonce), list(states), list(pieces)]:
            return Answer(nonce, dict(map(parse_pair, states)), list(map(parse_piece, pieces)))
    raise FormatError("The answer on attachments is malformed.")


# ----------------------------------------------------------------------------------------------- the parent


def respond(store: Store, ask: Ask, unit: str, nonce: bytes, max_bytes: int) -> Answer:
    """Takes what an ask brings, and answers it, within the caller's transaction.

    Args:
        store: The parent's store.
        ask: Of a machine that has proven who it is.
        unit: The machine's unit; it learns of nothing that its feed does not name.
        nonce: For its next request.
        max_bytes: Largest answer; at least one chunk is sent.
    """
    named = {*ask.contents, *(piece.content for piece in ask.puts), *(content for content, _ in ask.gets)}
    with store.writing() as transaction:
        connection = transaction.connection
        allowed = chunks.in_scope(connection, unit, sorted(named))
        if ask.puts:
            transaction.take_pieces(ask.puts, allowed, is_limited=True)
        transaction.confirm(chunks.unsaid(connection, store.machine_log, sorted(allowed)))
        states = {c: chunks.state_of(connection, c) if c in allowed else None for c in sorted(named)}
        gets = [(c, lacking) for c, lacking in ask.gets if c in allowed]
        pieces, _ = _gather(connection, gets, min(max(ask.max_bytes, 1), max_bytes))
        short = [c for c, _ in gets if states[c] is not True]
        if short:  # passed on: it comes down to us with our next exchanges
            chunks.want(connection, short)
    return Answer(nonce, states, pieces)


def _gather(
    connection: sa.Connection, gets: Iterable[tuple[bytes, Stock]], max_bytes: int
) -> tuple[list[Piece], bool]:
    """Returns pieces of several contents, one after the other, and whether there are more."""
    found: list[Piece] = []
    room = max_bytes
    for content, lacking in gets:
        if lacking is None or lacking is True:
            continue
        if room <= 0:
            return found, True
        some, has_more = chunks.pieces_for(connection, content, lacking, room)
        found += some
        room -= sum(len(piece.data) for piece in some)
        if has_more:
            return found, True
    return found, False


# ----------------------------------------------------------------------------------------------- the machine


class Fetcher:
    """The machine's side: what to ask next, until there is nothing to ask.

    Args:
        store: The machine's store.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.sent = self.received = self.refused = 0
        self._there: dict[bytes, Stock] = {}
        self._left: set[bytes] = set()
        self._sent: Ask | None = None

    def next_ask(self, node: bytes, nonce: bytes, batch_bytes: int, answer_bytes: int) -> Ask | None:
        """Returns what to ask of a parent; ``None`` when nothing is left.

        Args:
            node: Log of the parent's machine.
            nonce: For the request.
            batch_bytes: Bytes of chunks in the request; at least one chunk is sent.
            answer_bytes: Bytes of chunks in the answer.
        """
        with self.store.reading() as connection:
            ups = chunks.pending(connection, node, self._left, MAX_CONTENTS)
            downs = chunks.wanted(connection, self._left, MAX_CONTENTS)
            unknown = [content for content in ups if content not in self._there]
            gets = [(content, chunks.state_of(connection, content)) for content in downs]
            known = [(content, self._there[content]) for content in ups if content in self._there]
            puts, _ = _gather(connection, known, batch_bytes)
        if not (unknown or puts or gets):
            return None
        self._sent = Ask(node[:16], nonce, tuple(unknown), tuple(puts), tuple(gets), answer_bytes)
        return self._sent

    def take(self, answer: Answer, node: bytes, parent: str) -> None:
        """Takes an answer; what it brings is stored when this returns.

        Args:
            answer: Of the parent, checked to be the answer to the last ask.
            node: Log of the parent's machine.
            parent: Name under which the parent's state is kept.

        Raises:
            FormatError: It does not answer what was asked.
        """
        ask, self._sent = self._sent, None
        if ask is None or not _named(ask) <= answer.states.keys():
            raise FormatError("The answer on attachments answers something else.")
        self.store.retrying(lambda: self._take(ask, answer, node, parent))

    def _take(self, ask: Ask, answer: Answer, node: bytes, parent: str) -> None:
        asked = {content for content, _ in ask.gets}
        whole = [content for content, state in answer.states.items() if state is True]
        with self.store.writing() as transaction:
            connection = transaction.connection
            connection.execute(
                sa.update(t.parent).where(t.parent.c.name == parent).values(nonce=answer.nonce)
            )
            taken = transaction.take_pieces(answer.pieces, asked)
            chunks.note_acks(connection, node, [c for c in whole if c in _named(ask)], self.store.clock())
            for content, stock in answer.states.items():
                if isinstance(stock, bytes) and content not in asked:
                    chunks.note_sent(connection, content, stock)
        self.sent += len(ask.puts)
        self.received += taken.stored
        self.refused += taken.refused
        self._note(ask, answer, taken.stored)

    def _note(self, ask: Ask, answer: Answer, stored: int) -> None:
        """Remembers how things stand there, and leaves alone what does not move."""
        for content in (*ask.contents, *dict.fromkeys(piece.content for piece in ask.puts)):
            state = answer.states[content]
            is_stuck = state is None or self._there.get(content) == state
            if is_stuck:
                self._left.add(content)
            self._there[content] = state
        if ask.gets and not stored:
            self._left.update(content for content, _ in ask.gets)


def _named(ask: Ask) -> set[bytes]:
    return {*ask.contents, *(piece.content for piece in ask.puts), *(content for content, _ in ask.gets)}


def is_due(store: Store, node: bytes) -> bool:
    """Tells whether there is anything to ask of a parent at all."""
    with store.reading() as connection:
        return bool(chunks.pending(connection, node, (), 1) or chunks.wanted(connection, (), 1))
