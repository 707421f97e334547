"""A store's health: checked without touching anything, and what is derived made again from the events.

Events are what is true; folded states, lists, the search index and the lines of reports follow from them, and
so can be compared with a fresh fold, and made anew. What an event says cannot be made again: a damaged one is
told, and comes back by synchronising with whoever has it, or from a backup.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Final, Literal, NamedTuple

import sqlalchemy as sa

from onestop_sync import codec
from onestop_sync.errors import FormatError, OnestopError
from onestop_sync.event import EVENT_KIND, parse_header
from onestop_sync.storage import summaries
from onestop_sync.storage import tables as t
from onestop_sync.storage.documents import Doc
from onestop_sync.storage.engines import told
from onestop_sync.storage.erasure import fold_log_in
from onestop_sync.storage.transaction import Transaction
from onestop_sync.store import Store

__all__ = ["Fault", "Health", "Tell", "check", "rebuild"]

_BATCH: Final = 200
_LINE: Final = (
    "kind", "label", "title", "step", "unit", "due_ms", "updated_ms", "open", "waiting", "search",
)  # fmt: skip
"""What `Doc.line` holds."""
_COMPARED: Final = tuple(name for name in _LINE if name not in {"updated_ms", "search"})

Tell = Callable[[int, int], None]
"""Is told how many documents are done, of how many."""


class Fault(NamedTuple):
    """Something that is not as it has to be.

    Attributes:
        kind: ``database``: its own check says so. ``event``: its bytes do not have its hash. ``scan``: a
            chunk of an attachment does not. ``state``, ``list``, ``search``, ``report``, ``waiting``: what is
            shown does not follow from the events; `rebuild` makes it again. ``summary``: it is not what the
            province signed; `rebuild` asks for the events.
        doc: Which document, 16 bytes; empty where it is of none.
        what: In English, without content of documents.
    """

    kind: Literal["database", "event", "scan", "state", "list", "search", "report", "waiting", "summary"]
    doc: bytes
    what: str

    @property
    def is_derived(self) -> bool:
        """Whether `rebuild` mends it."""
        return self.kind not in {"database", "event", "scan"}


class Health(NamedTuple):
    """What `check` found.

    Attributes:
        documents: How many were compared.
        events: How many were hashed.
        chunks: How many chunks of attachments were hashed.
        summaries: How many documents are known by snapshots alone, and were compared with those.
        faults: What is wrong; empty when all is well.
    """

    documents: int
    events: int
    chunks: int
    faults: tuple[Fault, ...]
    summaries: int = 0

    def to_json(self) -> dict[str, Any]:
        """Returns the same as maps, arrays, text and integers."""
        faults = [{"kind": f.kind, "doc": f.doc.hex(), "what": f.what} for f in self.faults]
        return {**self._asdict(), "faults": faults}


class _Undone(Exception):
    """Takes back everything that a check did in its transaction."""


def check(store: Store, tell: Tell | None = None) -> Health:
    """Compares everything that a store shows with its events, and its events with their hashes.

    Nothing is changed: each fold is tried in a transaction that is taken back. Signatures and rights are
    proven by `verification.verify_store`.

    Args:
        store: The store.
        tell: Is told of progress.

    Raises:
        StoreError: The database could not be read.
    """
    faults = [*_database(store)]
    events, chunks = 0, 0
    for found in _events(store):
        events += 1
        faults += found
    for found in _chunks(store):
        chunks += 1
        faults += found
    numbers = _documents(store)
    for at in range(0, len(numbers), _BATCH):
        faults += _compared(store, numbers[at : at + _BATCH])
        if tell:
            tell(min(at + _BATCH, len(numbers)), len(numbers))
    with store.reading() as connection:
        count, damaged = summaries.damaged(connection, store.types)
    faults += [Fault("summary", doc, "It is not what the province signed of it.") for _, doc in damaged]
    return Health(len(numbers), events, chunks, tuple(faults), count)


def rebuild(store: Store, tell: Tell | None = None) -> int:
    """Makes states, lists, search and reports again from the events; nothing that anyone wrote is touched.

    What a snapshot alone tells of stays as it is; where that is not what was signed, it is dropped, and the
    next sync brings the events. Some documents a transaction; killed in between, what is done stays done.

    Returns:
        How many documents were folded.

    Raises:
        StoreError: The disk or database refused.
    """
    numbers = _documents(store)
    for at in range(0, len(numbers), _BATCH):
        part = numbers[at : at + _BATCH]

        def work(part: Sequence[int] = part) -> None:
            with store.writing() as transaction:
                ids = _forget(transaction, part)
                transaction.append.refold(ids)

        store.retrying(work)
        if tell:
            tell(min(at + _BATCH, len(numbers)), len(numbers))
    with store.writing() as transaction:
        _, damaged = summaries.damaged(transaction.connection, store.types)
        wrong = [n for n, _ in damaged]
        _forget(transaction, wrong)  # nobody's word, and perhaps not even readable
        summaries.want(transaction.connection, wrong)
    return len(numbers)


def _forget(transaction: Transaction, numbers: Sequence[int]) -> list[bytes]:
    """Drops the states of documents, which may be what is damaged; returns the documents' ids."""
    where = t.document.c.n.in_(numbers)
    ids = list(transaction.connection.execute(sa.select(t.document.c.id).where(where)).scalars())
    transaction.connection.execute(sa.update(t.document).where(where).values(state=None))
    for table in (t.listing, t.search, t.tally):
        transaction.connection.execute(sa.delete(table).where(table.c.doc_n.in_(numbers)))
    return ids


def _documents(store: Store) -> list[int]:
    with store.reading() as connection:
        # What a snapshot alone says cannot be folded: its events are not here.
        told = sa.select(t.summary.c.doc_n).where(t.is_summary)
        query = sa.select(t.document.c.n).where(t.document.c.n.not_in(told)).order_by(t.document.c.n)
        return list(connection.execute(query).scalars())


# ------------------------------------------------------------------------------------------- the database


def _database(store: Store) -> Iterator[Fault]:
    """Asks the database for its own check. A server's PostgreSQL has tools of its own for that."""
    if store.engine.dialect.name != "sqlite":
        return
    # SQLCipher's check reads the file alone, in which a power cut may have left halves of pages that are
    # whole in the write-ahead log. So that is folded in first; of what the store holds, nothing changes.
    with told():
        fold_log_in(store.engine)
    with store.reading() as connection:
        said = list(connection.exec_driver_sql("PRAGMA integrity_check(20)").scalars())
        # SQLCipher's own: each page has the code that proves it; elsewhere the pragma says nothing.
        found = connection.exec_driver_sql("PRAGMA cipher_integrity_check")
        said += list(found.scalars()) if found.returns_rows else []
    for text in said:
        if text != "ok":
            yield Fault("database", b"", str(text)[:200])


# ------------------------------------------------------------------------------------------- events


def _events(store: Store) -> Iterator[list[Fault]]:
    """Yields what is wrong with each event."""
    query = sa.select(t.event, t.document.c.id.label("doc")).join(
        t.document, t.document.c.n == t.event.c.doc_n
    )
    after = 0
    while True:
        with store.reading() as connection:
            part = connection.execute(
                query.where(t.event.c.n > after).order_by(t.event.c.n).limit(_BATCH * 5)
            ).all()
        if not part:
            return
        for row in part:
            yield list(_event(row))
        after = part[-1].n


def _event(row: Any) -> Iterator[Fault]:
    if hashlib.sha256(codec.pae(EVENT_KIND, row.header)).digest() != row.id:
        yield Fault("event", row.doc, f"The header of event {row.id.hex()[:16]} does not have its hash.")
        return
    try:
        header = parse_header(row.header)
    except FormatError as error:
        yield Fault("event", row.doc, error.what)
        return
    if row.body is not None and hashlib.sha256(row.body).digest() != header.body_hash:
        yield Fault("event", row.doc, f"The body of event {row.id.hex()[:16]} does not have its hash.")


def _chunks(store: Store) -> Iterator[list[Fault]]:
    """Yields what is wrong with each chunk of an attachment."""
    after = b""
    while True:
        with store.reading() as connection:
            query = sa.select(t.chunk).where(t.chunk.c.hash > after).order_by(t.chunk.c.hash).limit(64)
            part = connection.execute(query).all()
        if not part:
            return
        for row in part:
            is_good = hashlib.sha256(row.data).digest() == row.hash
            yield (
                []
                if is_good
                else [Fault("scan", b"", f"Chunk {row.hash.hex()[:16]} does not have its hash.")]
            )
        after = part[-1].hash


# ------------------------------------------------------------------------------------------- what follows


def _compared(store: Store, numbers: Sequence[int]) -> list[Fault]:
    """Folds documents anew, and takes it back; returns where what is stored differs."""
    faults: list[Fault] = []

    def work() -> None:
        faults.clear()
        with store.writing() as transaction:
            held = _Held(transaction, numbers)
            documents = transaction.append.documents
            for doc in documents.load_all(held.ids):
                doc.packed_before = None
                try:
                    documents.refold(doc)
                except OnestopError as error:
                    faults.append(Fault("event", doc.id, error.what))
                    continue
                faults.extend(held.differences(doc))
            raise _Undone

    with suppress(_Undone):
        store.retrying(work)
    return faults


class _Held:
    """What is stored of some documents, read before they are folded anew."""

    def __init__(self, transaction: Transaction, numbers: Sequence[int]) -> None:
        run = transaction.connection.execute
        self.docs = {row.n: row for row in run(sa.select(t.document).where(t.document.c.n.in_(numbers)))}
        self.ids = [row.id for row in self.docs.values()]
        self.lines = self._by_document(transaction, t.listing, numbers)
        self.search = self._by_document(transaction, t.search, numbers)
        self.tally = self._by_document(transaction, t.tally, numbers)
        self.waits: dict[int, dict[int, bytes]] = {}
        for row in run(sa.select(t.needs).where(t.needs.c.doc_n.in_(numbers))):
            self.waits.setdefault(row.doc_n, {})[row.event_n] = row.needs

    @staticmethod
    def _by_document(transaction: Transaction, table: sa.Table, numbers: Sequence[int]) -> dict[int, Any]:
        query = sa.select(table).where(table.c.doc_n.in_(numbers))
        return {row.doc_n: row for row in transaction.connection.execute(query)}

    def differences(self, doc: Doc) -> Iterator[Fault]:
        """Yields what of a document is not as its events say."""
        held = self.docs[doc.n]
        if (held.state, held.tombstone) != (doc.packed, doc.buried):
            yield Fault("state", doc.id, "What is shown does not follow from its events.")
        if self.waits.get(doc.n, {}) != doc.waits:
            yield Fault("waiting", doc.id, "What its events wait for is not what is written.")
        if not doc.line:
            return
        line, search = self.lines.get(doc.n), self.search.get(doc.n)
        wanted = dict(zip(_LINE, doc.line, strict=True))
        if line is None or any(getattr(line, name) != wanted[name] for name in _COMPARED):
            yield Fault("list", doc.id, "Its line in the lists is missing or wrong.")
        if search is None or search.text != wanted["search"]:
            yield Fault("search", doc.id, "It is not found by its words.")
        tally = self.tally.get(doc.n)
        if (tuple(tally)[1:] if tally is not None else ()) != doc.tally:
            yield Fault("report", doc.id, "Its line in the reports is missing or wrong.")
