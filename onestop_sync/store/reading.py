"""What screens, commands and reports ask of a store; nothing here changes a document."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal, NamedTuple

import sqlalchemy as sa

from onestop_sync import fold as f
from onestop_sync.errors import NotFound
from onestop_sync.fold import State
from onestop_sync.schema import DocumentType
from onestop_sync.storage import beyond, findings, outbox, queries, summaries
from onestop_sync.storage import tables as t
from onestop_sync.storage.findings import Finding
from onestop_sync.storage.projection import unpack
from onestop_sync.storage.queries import Delivery, Notice, Only, Record, Row
from onestop_sync.storage.transaction import erased
from onestop_sync.storage.whole import each_document
from onestop_sync.store.base import Base
from onestop_sync.store.status import Status, load_status
from onestop_sync.tombstone import Tombstone

_LATEST: Final = 1000
"""Events among which the latest time is looked for: the last ones stored, whatever the clock said then."""

_LATEST_EVENT: Final = sa.select(
    sa.func.max(sa.select(t.event.c.at_ms).order_by(t.event.c.n.desc()).limit(_LATEST).subquery().c.at_ms)
)
_LATEST_SAID: Final = tuple(sa.select(sa.func.max(table.c.at_ms)) for table in (t.acks, t.statement))


class Document(NamedTuple):
    """A folded document.

    Attributes:
        id: 16 bytes.
        kind: Its type.
        state: What its events fold to.
        stated_ms: Of a document whose events are not here, when the province signed what is shown of it,
            milliseconds since 1970 UTC: it may be read, and nothing is written on it; see `want_history`.
    """

    id: bytes
    kind: DocumentType
    state: State
    stated_ms: int | None = None

    @property
    def conflicts(self) -> list[str]:
        """What a person must settle: register keys, ``task:<name>``, and ``_void``."""
        return f.conflicts(self.kind, self.state)

    def value(self, key: str) -> Any:
        """Returns the value of a register, ``None`` of an empty one."""
        return self.state.value(key)


class Reading(Base):
    """A store that is read."""

    def document(self, doc: bytes) -> Document:
        """Returns a document.

        Args:
            doc: Its id, 16 bytes.

        Raises:
            NotFound: It is not here, or nothing of it has taken effect yet.
            NotAllowed: It was erased by law (``details["reason"]`` is ``erased``); see `tombstone`.
        """
        with self.reading() as connection:
            row = connection.execute(summaries.STATED_DOCUMENT, {"of": doc}).first()
        kind = self.types.get(row.kind) if row else None
        if row is not None and row.tombstone is not None:
            raise erased()
        if row is None or row.state is None or kind is None:
            raise NotFound("There is no such document in this store.")
        return Document(doc, kind, unpack(row.state), row.stated_ms)

    def tombstone(self, doc: bytes) -> Tombstone | None:
        """Returns what stays of a document of this store that was erased by law; ``None`` of any other."""
        with self.reading() as connection:
            query = sa.select(t.document.c.tombstone).where(t.document.c.id == doc)
            data = connection.execute(query).scalar()
        return Tombstone.from_bytes(data) if data is not None else None

    def lookup(self, kind: str, label: str) -> bytes:
        """Returns the id of the document that people call ``label``; of several the oldest here.

        Args:
            kind: Document type.
            label: What `Summary.label` gave it.

        Raises:
            NotFound: There is none.
        """
        query = sa.select(t.document.c.id).join(t.listing, t.listing.c.doc_n == t.document.c.n)
        with self.reading() as connection:
            found = connection.execute(
                query.where(t.listing.c.kind == kind, t.listing.c.label == label).order_by(t.document.c.n)
            ).scalar()
        if found is None:
            raise NotFound(f"There is no {kind} {label!r} in this store.")
        return bytes(found)

    def page(
        self,
        kind: str,
        *,
        after: tuple[int, int] | None = None,
        limit: int = 200,
        search: str = "",
        step: str = "",
        only: Only = "",
        order: Literal["new", "due"] = "new",
        is_by_label: bool = False,
    ) -> list[Row]:
        """Returns one page of a list.

        Args:
            kind: Document type.
            after: The ``key`` of the last line of the page before.
            limit: Lines.
            search: Words, with or without Vietnamese marks; all must be found.
            step: Only documents at this step.
            only: ``conflict``, ``waiting``, ``unsent`` or ``overdue``.
            order: Newest first, or what is due first.
            is_by_label: Whether the words are looked for in labels only, for who may not see the rest.
        """
        with self.reading() as connection:
            return queries.page(
                connection, kind, after=after, limit=limit, text=search, step=step, only=only, order=order,
                now_ms=self.clock(), is_by_label=is_by_label,
            )  # fmt: skip

    def count(self, kind: str) -> int:
        """Returns how many documents of a kind are here."""
        with self.reading() as connection:
            query = sa.select(sa.func.count()).where(t.listing.c.kind == kind)
            return int(connection.execute(query).scalar_one())

    def each(self, kind: str) -> Iterator[tuple[bytes, State | Tombstone]]:
        """Yields each document of a kind, folded, or what stays of one that was erased; oldest here first."""
        with self.reading() as connection:
            yield from each_document(connection, kind)

    def history(self, doc: bytes) -> list[Record]:
        """Returns all events of a document, with who, what became of them, and how far they have got."""
        levels = self.levels()
        with self.reading() as connection:
            return queries.history(connection, doc, self.types, self.trust, levels)

    def waiting(self) -> list[bytes]:
        """Returns the documents that have events without effect, because something is missing."""
        query = sa.select(t.document.c.id).where(
            t.document.c.n.in_(sa.select(t.needs.c.doc_n)), t.document.c.kind.in_(self.types)
        )
        with self.reading() as connection:
            return [bytes(i) for i in connection.execute(query.order_by(t.document.c.n)).scalars()]

    def beyond_cuts(self) -> list[beyond.Beyond]:
        """Returns what waits for a countersignature, because it lies beyond a cut."""
        self.refresh_trust()
        with self.reading() as connection:
            return beyond.beyond_cuts(connection, self.trust)

    def levels(self) -> queries.Levels:
        """Returns what tells at which level a node is; knows the keys that other programs have stored."""
        self.refresh_trust()
        return queries.Levels(self.trust, self.unit)

    def delivery(self, event_id: bytes) -> Delivery:
        """Returns how far an event has got.

        Args:
            event_id: 32 bytes.

        Raises:
            NotFound: It is not here.
        """
        query = sa.select(t.event, t.log.c.id.label("log")).join(t.log, t.log.c.n == t.event.c.log_n)
        with self.reading() as connection:
            row = connection.execute(query.where(t.event.c.id == event_id)).first()
            if row is None:
                raise NotFound("There is no such event in this store.")
            nodes = outbox.nodes_having(connection, row.n, row.log_n, row.seq, row.chained)
        return self.levels().delivery(nodes, row.log)

    def notices(self, *, unseen: bool = True) -> list[Notice]:
        """Returns changes of standing that came after the fact, oldest first."""
        with self.reading() as connection:
            return queries.notices(connection, unseen=unseen)

    def mark_seen(self, numbers: Sequence[int]) -> None:
        """Notes that a person has seen notices.

        Args:
            numbers: `Notice.n` of each.
        """
        with self._writes_raw() as connection:
            connection.execute(sa.update(t.notice).where(t.notice.c.n.in_(list(numbers))).values(seen=1))

    def status(self) -> Status:
        """Returns what the status line shows."""
        levels = self.levels()
        with self.reading() as connection:
            is_top = not self.trust.document.units[self.unit].parent
            return load_status(connection, self.trust, levels, self.unit, is_top=is_top)

    def findings(self) -> list[Finding]:
        """Returns what was found out about somebody above, oldest first, then what is withheld just now.

        A contradiction stays, with the two signed papers that show it. What is withheld is named as long as
        it is not here.
        """
        with self.reading() as connection:
            return findings.load(connection)

    def mark_told(self) -> None:
        """Notes that a person was given all findings: they stay, and are counted as news no more."""
        with self.writing() as transaction:
            findings.mark_told(transaction.connection)

    def fingerprints(self, kind: str) -> dict[bytes, bytes]:
        """Returns, for each document of a kind, the SHA-256 of its folded state, equal at equal stores.

        Of an erased document it is that of its tombstone.
        """
        with self.reading() as connection:
            return queries.fingerprints(connection, kind)

    def digest(self) -> bytes:
        """Returns a hash over all documents: stores that hold the same events have the same."""
        found = hashlib.sha256()
        for name in sorted(self.types):
            for doc, state in sorted(self.fingerprints(name).items()):
                found.update(doc + state)
        return found.digest()

    def latest_ms(self) -> int:
        """Returns the latest time that any ack, statement or own event bears; 0 for none."""
        with self.reading() as connection:
            return max(connection.execute(each).scalar() or 0 for each in (_LATEST_EVENT, *_LATEST_SAID))

    def introduction(self, log: bytes) -> list[Any]:
        """Returns the frames that prove a log's authority, from the root down; its genesis is the last."""
        if self.trust.genesis(log) is None:
            self._reload_trust()  # another process may have begun it
        ids: list[bytes] = []
        at: bytes | None = log
        while at and at not in ids:
            genesis = self.trust.genesis(at)
            ids.append(at)
            if genesis and genesis.cert:
                ids.append(genesis.cert)
            at = self.trust.issuer_log(genesis.cert) if genesis and genesis.cert else None
        with self.reading() as connection:
            rows = {
                row.id: [row.header, row.signature, row.body]
                for row in connection.execute(sa.select(t.event).where(t.event.c.id.in_(ids)))
            }
        return [rows[i] for i in reversed(ids) if i in rows]
