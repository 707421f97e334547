"""The local store: works without a connection, and loses nothing that it has acknowledged.

    secrets = Keyring(folder).create("An", passphrase)
    store = Store.create(folder, secrets, types=[SURVEY], root=root_key, trust=trust_document)
    writer = store.writer(secrets.officer)
    doc = writer.create("survey", {"head": "Nguyễn Văn An"})

Each write is one transaction that holds the signed event, the folded document, its line in the lists and
what is to be sent; when the call returns, it is on the disk. Several programs may open one store.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, TypeVar

import sqlalchemy as sa

from onestop_sync import codec
from onestop_sync import event as ev
from onestop_sync import fold as f
from onestop_sync.errors import (
    FormatError,
    NotAllowed,
    NotFound,
    OnestopError,
    StoreDamaged,
    StoreExists,
    StoreMissing,
)
from onestop_sync.event import LOG, Event, Genesis, Op, document_id, typed_id
from onestop_sync.fold import Author, Entry, State
from onestop_sync.keyring import Secrets, write_durably
from onestop_sync.keys import Signer
from onestop_sync.schema import MAIN, VOID, DocumentType
from onestop_sync.storage import engines, feed, outbox, queries
from onestop_sync.storage import tables as t
from onestop_sync.storage.append import Append, close_own_logs
from onestop_sync.storage.arrive import Outcome, parse_all, verify_all
from onestop_sync.storage.projection import unpack
from onestop_sync.storage.queries import Delivery, Notice, Only, Record, Row
from onestop_sync.trust import CERTIFICATE, Authority, Certificate, NoAuthority, Trust, TrustDocument, Waiting

__all__ = ["Document", "ParentStatus", "Status", "Store", "Writer", "now_ms"]

DATABASE: Final = "store.db"
MARKER: Final = "marker"
_EPOCH_BYTES: Final = 16
_RETRIES: Final = 5
_WAITING_QUOTA: Final = 2000
"""Events without authority that one machine may leave here."""

Result = TypeVar("Result")


def now_ms() -> int:
    """Returns the machine's time, milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


class Document(NamedTuple):
    """A folded document.

    Attributes:
        id: 16 bytes.
        kind: Its type.
        state: What its events fold to.
    """

    id: bytes
    kind: DocumentType
    state: State

    @property
    def conflicts(self) -> list[str]:
        """What a person must settle: register keys, ``task:<name>``, and ``_void``."""
        return f.conflicts(self.kind, self.state)

    def value(self, key: str) -> Any:  # noqa: ANN401 - a field's value
        """Returns the value of a register, ``None`` of an empty one."""
        return self.state.value(key)


class Prepared(NamedTuple):
    """Frames that were parsed and verified: the events to store, and what became of the others."""

    events: list[Event]
    bad: list[Outcome]


class ParentStatus(NamedTuple):
    """How things stand with one parent.

    Attributes:
        name: Its address, or what else it is known by.
        node: Log of its machine; empty before the first contact.
        unit: Its unit.
        level: ``hub``, ``district`` or ``province``.
        ok_ms: When an exchange last succeeded; 0 for never.
        tried_ms: When one was last tried.
        error: Code of the last error; empty after a success.
    """

    name: str
    node: bytes
    unit: str
    level: str
    ok_ms: int
    tried_ms: int
    error: str


class Status(NamedTuple):
    """What the officials' status line shows.

    Attributes:
        unsent: Events that no parent has acknowledged.
        oldest_unsent_ms: When the oldest of them was written, or ``None``.
        conflicts: Documents with something to settle.
        waiting: Documents with events that wait for something.
        notices: Changes of standing that nobody has seen yet.
        forks: Logs that were written on two machines at once.
        parents: One entry for each parent that was ever tried.
    """

    unsent: int
    oldest_unsent_ms: int | None
    conflicts: int
    waiting: int
    notices: int
    forks: int
    parents: tuple[ParentStatus, ...]


class Store:
    """One machine's store. Make it by `create` or `open`.

    Attributes:
        trust: What is known of keys.
        types: Document types by name.
        unit: The machine's unit; empty before it is enrolled.
        serves: Whether this machine is a parent of others.
    """

    def __init__(  # noqa: PLR0913 - private: use create or open
        self,
        folder: Path,
        engine: sa.Engine,
        secrets: Secrets,
        types: Iterable[DocumentType],
        clock: Callable[[], int],
        rng: Callable[[int], bytes],
        threads: int,
    ) -> None:
        self.folder = folder
        self.types: Mapping[str, DocumentType] = {kind.name: kind for kind in types}
        self.clock = clock
        self.rng = rng
        self.engine = engine
        self.machine = secrets.machine
        self.seal_seed = secrets.seal_seed
        self._lock = threading.RLock()
        self._writes = engine.execution_options(writes=True)
        self._transaction: _Transaction | None = None
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self._introduced: set[tuple[str, bytes]] = set()
        self._trust_mark = b""
        self.serves = False
        self.unit = ""
        self.root = b""
        self.epoch = b""
        self.trust = Trust(TrustDocument(0, {}, {}, 0))
        self.trust_bytes = b""

    # ---- opening

    @classmethod
    def create(  # noqa: PLR0913 - a store is made of these
        cls,
        folder: Path | str,
        secrets: Secrets,
        *,
        types: Iterable[DocumentType],
        root: bytes,
        trust: bytes,
        unit: str,
        serves: bool = False,
        database: str | sa.Engine | None = None,
        clock: Callable[[], int] = now_ms,
        rng: Callable[[int], bytes] = os.urandom,
        threads: int = 2,
    ) -> Store:
        """Makes a new store.

        Args:
            folder: Where its files are kept; made when missing.
            secrets: What the machine's keyring unlocked.
            types: Document types.
            root: The province's Ed25519 public key, which is trusted from now on.
            trust: The signed trust document.
            unit: The machine's unit.
            serves: Whether other machines will have this one as their parent.
            database: SQLAlchemy URL or engine; an encrypted SQLite file in ``folder`` when ``None``.
            clock: Returns milliseconds since 1970 UTC.
            rng: Returns so many random bytes.
            threads: Threads that verify signatures.

        Raises:
            StoreExists: One is there already.
            SignatureInvalid: The trust document is not by ``root``.
            StoreError: The disk or database refused.
        """
        folder = Path(folder)
        document = TrustDocument.parse(trust, root)
        folder.mkdir(parents=True, exist_ok=True)
        if database is None and (folder / DATABASE).exists():
            raise StoreExists(f"The folder {folder} holds a store already.")
        if unit not in document.units:
            raise NotFound(f"The trust document names no unit {unit!r}.", todo="Check the unit's id.")
        with engines.told():
            engine = engines.open_engine(database, folder / DATABASE, secrets.database_key)
            engines.create_tables(engine)
            facts = {
                "version": b"%d" % t.SCHEMA_VERSION,
                "root": root,
                "trust": trust,
                "unit": unit.encode(),
                "serves": b"1" if serves else b"",
                "epoch": rng(_EPOCH_BYTES),
                "marker": b"",
                "restores": b"0",
            }
            with engine.execution_options(writes=True).begin() as connection:
                if connection.execute(sa.select(t.meta.c.key).limit(1)).first():
                    raise StoreExists("The database holds a store already.")
                rows = [{"key": key, "value": value} for key, value in facts.items()]
                connection.execute(sa.insert(t.meta), rows)
        store = cls(folder, engine, secrets, types, clock, rng, threads)
        store._load(is_new=True)
        return store

    @classmethod
    def open(  # noqa: PLR0913 - a store is made of these
        cls,
        folder: Path | str,
        secrets: Secrets,
        *,
        types: Iterable[DocumentType],
        database: str | sa.Engine | None = None,
        clock: Callable[[], int] = now_ms,
        rng: Callable[[int], bytes] = os.urandom,
        threads: int = 2,
    ) -> Store:
        """Opens a store; the arguments are those of `create`.

        A database that is older than the marker beside it was restored from a backup: its logs are closed,
        so that no number of theirs is ever used twice.

        Raises:
            StoreMissing: There is none.
            StoreDamaged: The file cannot be read, or the key is not its.
            StoreTooNew: A newer program wrote it.
        """
        folder = Path(folder)
        if database is None and not (folder / DATABASE).exists():
            raise StoreMissing(f"There is no store in {folder}.")
        with engines.told():
            engine = engines.open_engine(database, folder / DATABASE, secrets.database_key)
            with engine.connect() as connection:
                if not sa.inspect(connection).has_table(t.meta.name):
                    raise StoreMissing(f"There is no store in {folder}.")
        store = cls(folder, engine, secrets, types, clock, rng, threads)
        store._load(is_new=False)
        return store

    def close(self) -> None:
        """Closes the store; nothing is written by closing it."""
        if self._pool:
            self._pool.shutdown()
        self.engine.dispose()

    def _load(self, *, is_new: bool) -> None:
        with self.reading() as connection:
            meta = {row.key: row.value for row in connection.execute(sa.select(t.meta))}
        try:
            engines.check_version(int(meta["version"]))
            self.root, self.unit, self.epoch = meta["root"], meta["unit"].decode(), meta["epoch"]
            self.serves = bool(meta["serves"])
            self._take_trust(meta["trust"])
        except (KeyError, ValueError) as error:
            raise StoreDamaged("The store lacks what every store has.") from error
        marker = self.folder / MARKER
        there = marker.read_bytes() if marker.exists() else b""
        # Elsewhere than in a file, the database is restored by its own administrator: cursors notice it.
        if self.engine.dialect.name == "sqlite":
            self._mark(meta, was_restored=not is_new and (meta["marker"] != there or not there))
        self._reload_trust()

    def _mark(self, meta: Mapping[str, bytes], *, was_restored: bool) -> None:
        """Gives the database a new marker at every start, and the same to the file beside it.

        A copy of the database that is put back later has an older one. After a restore, what the machine
        had written before is closed.
        """
        fresh = self.rng(_EPOCH_BYTES)
        facts = {"marker": fresh}
        with self._writes_raw() as connection:
            if was_restored:
                facts["restores"] = b"%d" % (int(meta["restores"]) + 1)
                facts["epoch"] = self.epoch = self.rng(_EPOCH_BYTES)
                close_own_logs(connection)
            for key, value in facts.items():
                connection.execute(sa.update(t.meta).where(t.meta.c.key == key).values(value=value))
            # Inside the transaction: two programs that start at once do it one after the other.
            write_durably(self.folder / MARKER, fresh)

    # ---- trust

    def _take_trust(self, data: bytes) -> None:
        document = TrustDocument.parse(data, self.root)
        self.trust.replace(document)
        self.trust_bytes = data

    def replace_trust(self, data: bytes) -> bool:
        """Takes a newer trust document, and folds again what it bears on.

        Returns:
            Whether it was newer.

        Raises:
            SignatureInvalid: Not by this province's root.
            FormatError: Malformed.
        """
        document = TrustDocument.parse(data, self.root)
        if document.version <= self.trust.document.version:
            return False
        with self.writing() as transaction:
            connection = transaction.connection
            connection.execute(sa.update(t.meta).where(t.meta.c.key == "trust").values(value=data))
            self.trust.replace(document)
            self.trust_bytes = data
            upward = sorted(self.below)
            connection.execute(sa.update(t.log).values(upward=sa.case((t.log.c.unit.in_(upward), 1), else_=0)))
            transaction.append.refold(connection.execute(sa.select(t.document.c.id)).scalars().all())
        return True

    @property
    def below(self) -> set[str]:
        """Units whose events go up to our parents: our own and those below it."""
        return self.trust.document.below(self.unit)

    @property
    def restores(self) -> int:
        """How often this store was restored from a backup."""
        with self.reading() as connection:
            return int(connection.execute(sa.select(t.meta.c.value).where(t.meta.c.key == "restores")).scalar_one())

    def _reload_trust(self) -> None:
        trust = Trust(self.trust.document)
        query = (
            sa.select(t.event)
            .join(t.document, t.document.c.n == t.event.c.doc_n)
            .where(t.document.c.kind.in_([LOG, CERTIFICATE]))
            .order_by(t.event.c.n)
        )
        with self.reading() as connection:
            mark = _trust_mark(connection)
            for row in connection.execute(query):
                event = Event(row.id, ev.parse_header(row.header), row.header, row.signature, row.body)
                try:
                    trust.add(event)
                except FormatError:
                    continue  # kept and forwarded, without effect
        self.trust, self._trust_mark = trust, mark

    # ---- transactions

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Opens a read transaction, or joins the write transaction that this thread is in."""
        with engines.told():
            if self._transaction is not None and self._lock._is_owned():  # type: ignore[attr-defined]  # noqa: SLF001
                yield self._transaction.connection
                return
            with self.engine.begin() as connection:
                yield connection

    @contextmanager
    def _writes_raw(self) -> Iterator[sa.Connection]:
        with self._lock, engines.told(), self._writes.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[_Transaction]:
        """Opens a write transaction, or joins the one that this thread is in: all of it or nothing.

        Raises:
            StoreError: The disk or database refused; nothing was written.
        """
        with self._lock:
            if self._transaction is not None:
                yield self._transaction
                return
            try:
                with engines.told(), self._writes.begin() as connection:
                    if _trust_mark(connection) != self._trust_mark:
                        self._reload_trust_in(connection)
                    transaction = self._transaction = _Transaction(self, connection)
                    try:
                        yield transaction
                        transaction.finish()
                    finally:
                        self._transaction = None
            except BaseException:
                # What the transaction had taught us of keys and feeds may not be stored.
                self._trust_mark = b"unknown"
                self._introduced.clear()
                raise
            transaction.committed()

    def _reload_trust_in(self, connection: sa.Connection) -> None:
        self._transaction = _Transaction(self, connection)
        try:
            self._reload_trust()
        finally:
            self._transaction = None

    def _retrying(self, work: Callable[[], Result]) -> Result:
        """Runs a transaction again when another process was in its way."""
        for attempt in range(_RETRIES):
            try:
                return work()
            except OnestopError as error:
                cause = error.__cause__
                is_race = isinstance(cause, sa.exc.IntegrityError) or "deadlock" in str(cause).lower()
                if not is_race or attempt == _RETRIES - 1:
                    raise
        raise AssertionError

    # ---- writing

    def writer(self, signer: Signer) -> Writer:
        """Returns the hand of an officer.

        Args:
            signer: The officer's key.

        Raises:
            NotAllowed: Nobody has certified the key (``details["reason"]`` is ``authority``).
        """
        self.find_authority(signer.public)
        return Writer(self, signer)

    def find_authority(self, key: bytes) -> tuple[bytes, Certificate]:
        """Returns the certificate of a key and its event id (empty for one that the root names).

        Raises:
            NotAllowed: Nobody has certified it.
        """
        if key in self.trust.document.admins:
            unit = self.trust.document.admins[key]
            return b"", Certificate(key, unit, "officer", self.trust.document.units[unit].name)
        found = [(c.valid_from_ms, i, c) for i, c in self.trust.certificates() if c.key == key]
        for _, event_id, certificate in sorted(found, key=lambda x: x[:2], reverse=True):
            issuer = self.trust.issuer_log(event_id)
            if issuer and isinstance(self.trust.authority(issuer), Authority):
                return event_id, certificate
        raise NotAllowed(
            "Nobody has certified this key yet.",
            todo="Ask the unit's administrator to approve the enrolment request.",
            reason="authority",
        )

    @property
    def machine_log(self) -> bytes:
        """Id of the machine's own log; it is begun when there is none.

        Raises:
            NotAllowed: The machine is not enrolled.
        """
        return self._retrying(self._machine_log)

    def _machine_log(self) -> bytes:
        with self.reading() as connection:
            found = _own_log(connection, self.machine.public)
        if found is not None:
            return bytes(found.id)
        with self.writing() as transaction:
            return transaction.own_log(self.machine).id

    def next_serial(self, name: str, day: str) -> int:
        """Returns the next number of a counter, from 1; call it inside `writing`, with what uses it.

        A restored store must not rely on its counters alone: use another block (see `restores`).
        """
        with self.writing() as transaction:
            return transaction.next_serial(name, day)

    # ---- receiving

    def receive(self, frames: Sequence[object], source: bytes = b"") -> list[Outcome]:
        """Takes events that somebody delivered; what they claim is checked, whoever brings them.

        Args:
            frames: ``[header, signature, body or null]`` each.
            source: Log of the machine that delivers; empty for a file.

        Returns:
            What became of each event that was new, and of each frame that is not one.

        Raises:
            StoreError: The disk or database refused; nothing of this call was stored.
        """
        return self.append(self.prepare(frames), source)[0]

    def prepare(self, frames: Sequence[object]) -> Prepared:
        """Parses and verifies frames, before any write transaction."""
        events, bad = parse_all(frames)
        with self.reading() as connection:
            known = _known(connection, list(events))
        fresh = [event for event in events.values() if event.id not in known]
        if _any_unknown_log(fresh, self.trust):
            self._reload_trust()  # another process may have stored it
        refused = verify_all(fresh, self.trust, self._pool)
        good = [event for event in fresh if event.id not in refused]
        good.sort(key=lambda e: e.header.seq > 0)  # a genesis first; logs are otherwise in order
        return Prepared(good, [*bad, *refused.values()])

    def append(self, prepared: Prepared, source: bytes = b"") -> tuple[list[Outcome], int]:
        """Stores what was prepared; returns what became of each frame that was not here, and how many are new."""
        found = self._retrying(lambda: self._append(prepared.events, source)) if prepared.events else {}
        return [*prepared.bad, *found.values()], sum(o.is_stored for o in found.values())

    def _append(self, events: Sequence[Event], source: bytes) -> dict[bytes, Outcome]:
        with self.writing() as transaction:
            n = transaction.log_number(source) if source else -1
            events, over = transaction.within_quota(events, n)
            outcomes = transaction.append.run(events, n)
        outcomes.update((event.id, Outcome(event.id, "quota", "Too many events without authority.")) for event in over)
        return outcomes

    def authority(self, log: bytes) -> Authority | Waiting | NoAuthority:
        """Tells by which authority a log writes."""
        found = self.trust.authority(log)
        if isinstance(found, Waiting):
            self._reload_trust()  # another process may have stored what it waits for
            found = self.trust.authority(log)
        return found

    # ---- reading

    def document(self, doc: bytes) -> Document:
        """Returns a document.

        Raises:
            NotFound: It is not here, or nothing of it has taken effect yet.
        """
        with self.reading() as connection:
            row = connection.execute(sa.select(t.document).where(t.document.c.id == doc)).first()
        kind = self.types.get(row.kind) if row else None
        if row is None or row.state is None or kind is None:
            raise NotFound("There is no such document in this store.")
        return Document(doc, kind, unpack(row.state))

    def lookup(self, kind: str, label: str) -> bytes:
        """Returns the id of the document that people call ``label``.

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

    def page(  # noqa: PLR0913 - each is a filter
        self,
        kind: str,
        *,
        after: tuple[int, int] | None = None,
        limit: int = 200,
        search: str = "",
        step: str = "",
        only: Only = "",
        order: Literal["new", "due"] = "new",
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
        """
        with self.reading() as connection:
            return queries.page(
                connection, kind, after=after, limit=limit, text=search, step=step, only=only, order=order,
                now_ms=self.clock(),
            )  # fmt: skip

    def count(self, kind: str) -> int:
        """Returns how many documents of a kind are here."""
        with self.reading() as connection:
            query = sa.select(sa.func.count()).where(t.listing.c.kind == kind)
            return int(connection.execute(query).scalar_one())

    def history(self, doc: bytes) -> list[Record]:
        """Returns all events of a document, with who, what became of them, and how far they have got."""
        levels = queries.Levels(self.trust, self.unit)
        with self.reading() as connection:
            return queries.history(connection, doc, self.types, self.trust, levels)

    def waiting(self) -> list[bytes]:
        """Returns the documents that have events without effect, because something is missing."""
        query = sa.select(t.document.c.id).where(t.document.c.n.in_(sa.select(t.needs.c.doc_n)))
        with self.reading() as connection:
            return [bytes(i) for i in connection.execute(query.order_by(t.document.c.n)).scalars()]

    def delivery(self, event_id: bytes) -> Delivery:
        """Returns how far an event has got.

        Raises:
            NotFound: It is not here.
        """
        with self.reading() as connection:
            row = connection.execute(sa.select(t.event).where(t.event.c.id == event_id)).first()
            if row is None:
                raise NotFound("There is no such event in this store.")
            nodes = outbox.nodes_having(connection, row.n, row.log_n, row.seq, row.chained)
        return queries.Levels(self.trust, self.unit).delivery(nodes)

    def notices(self, *, unseen: bool = True) -> list[Notice]:
        """Returns changes of standing that came after the fact, oldest first."""
        with self.reading() as connection:
            return queries.notices(connection, unseen=unseen)

    def mark_seen(self, numbers: Sequence[int]) -> None:
        """Notes that a person has seen notices."""
        with self._writes_raw() as connection:
            connection.execute(sa.update(t.notice).where(t.notice.c.n.in_(list(numbers))).values(seen=1))

    def status(self) -> Status:
        """Returns what the status line shows."""
        levels = queries.Levels(self.trust, self.unit)
        with self.reading() as connection:
            is_top = not self.trust.document.units[self.unit].parent
            unsent, oldest = (0, None) if is_top else outbox.unsent(connection)
            count = sa.select(sa.func.count())
            conflicts = connection.execute(count.where(t.listing.c.open > 0)).scalar_one()
            waiting = connection.execute(sa.select(sa.func.count(t.needs.c.doc_n.distinct()))).scalar_one()
            notices = connection.execute(count.where(t.notice.c.seen == 0)).scalar_one()
            forks = connection.execute(count.where(t.log.c.forked == 1)).scalar_one()
            parents = connection.execute(sa.select(t.parent).order_by(t.parent.c.name)).all()
        found = tuple(
            ParentStatus(p.name, p.node, self._unit_of(p.node), levels.of(p.node), p.ok_ms, p.tried_ms, p.error)
            for p in parents
        )
        return Status(unsent, oldest, conflicts, waiting, notices, forks, found)

    def _unit_of(self, node: bytes) -> str:
        authority = self.trust.authority(node)
        return authority.certificate.unit if isinstance(authority, Authority) else ""

    def fingerprints(self, kind: str) -> dict[bytes, bytes]:
        """Returns, for each document of a kind, the SHA-256 of its folded state: equal at equal stores."""
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
        """Returns the latest time that any statement of a parent or own event bears; 0 for none."""
        with self.reading() as connection:
            stored = connection.execute(sa.select(sa.func.max(t.event.c.at_ms))).scalar() or 0
            said = connection.execute(sa.select(sa.func.max(t.statement.c.at_ms))).scalar() or 0
        return max(stored, said)

    def introduction(self, log: bytes) -> list[Any]:
        """Returns the frames that prove a log's authority: certificates from the root down, then its genesis."""
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


class _Transaction:
    """A write transaction, and what is done in it."""

    def __init__(self, store: Store, connection: sa.Connection) -> None:
        self.store = store
        self.connection = connection
        self._feed = feed.Feed(connection, store.trust, store.unit, store._introduced) if store.serves else None  # noqa: SLF001
        self._append: Append | None = None
        self._taught = False

    @property
    def feed(self) -> feed.Feed | None:
        """The feeds, where this machine serves others."""
        return self._feed

    @property
    def append(self) -> Append:
        """A fresh `Append`; each run has its own."""
        store = self.store
        self._append = Append(
            self.connection, types=store.types, trust=store.trust, below=store.below, feed=self._feed,
            now_ms=store.clock(), taught=self._note_taught,
        )  # fmt: skip
        return self._append

    def _note_taught(self) -> None:
        self._taught = True

    def finish(self) -> None:
        """Does what comes last: tells other processes that keys changed."""
        if not self._taught:
            return
        mark = self.store.rng(8)
        changed = self.connection.execute(sa.update(t.meta).where(t.meta.c.key == "keys").values(value=mark))
        if not changed.rowcount:
            self.connection.execute(sa.insert(t.meta).values(key="keys", value=mark))
        self.store._trust_mark = mark  # noqa: SLF001

    def committed(self) -> None:
        """Keeps for the process what the transaction learned."""
        if self._feed is not None:
            self.store._introduced |= self._feed.fresh  # noqa: SLF001

    def log_number(self, log: bytes) -> int:
        """Returns the local number of a log; 0 for one that is not here."""
        found = self.connection.execute(sa.select(t.log.c.n).where(t.log.c.id == log)).scalar()
        return int(found or 0)

    def within_quota(self, events: Sequence[Event], source: int) -> tuple[list[Event], list[Event]]:
        """Splits off events without authority that go beyond what one machine may leave here."""
        trust = self.store.trust
        strangers = [
            e for e in events if not e.is_genesis and e.header.doc_type != CERTIFICATE
            and not isinstance(trust.authority(e.log), Authority)
        ]  # fmt: skip
        if not strangers:
            return list(events), []
        held = self.connection.execute(
            sa.select(sa.func.count()).where(t.event.c.waiting == 1, t.event.c.source == source)
        ).scalar_one()
        over = {e.id for e in strangers[max(0, _WAITING_QUOTA - held) :]}
        return [e for e in events if e.id not in over], [e for e in events if e.id in over]

    def next_serial(self, name: str, day: str) -> int:
        """Returns the next number of a counter, from 1."""
        where = (t.counter.c.name == name, t.counter.c.day == day)
        value = self.connection.execute(
            sa.update(t.counter).where(*where).values(value=t.counter.c.value + 1).returning(t.counter.c.value)
        ).scalar()
        if value is None:
            value = 1
            self.connection.execute(sa.insert(t.counter).values(name=name, day=day, value=value))
        return int(value)

    def own_log(self, signer: Signer) -> Any:  # noqa: ANN401 - a row of t.log
        """Returns the open log of one of this machine's keys; begins one when there is none."""
        found = _own_log(self.connection, signer.public)
        return found if found is not None else self._begin_log(signer)

    def _begin_log(self, signer: Signer) -> Any:  # noqa: ANN401
        store = self.store
        cert, certificate = store.find_authority(signer.public)
        last = self.connection.execute(
            sa.select(t.log).where(t.log.c.key == signer.public).order_by(t.log.c.epoch.desc(), t.log.c.seq.desc())
        ).first()
        epoch = last.epoch + 1 if last else 0
        previous = (last.id, last.seq, last.head) if last and last.seq >= 0 else None
        genesis = Genesis(signer.public, cert, certificate.unit, epoch, previous)
        event = ev.build(
            signer, log=b"", seq=0, prev=b"", doc_type=LOG, doc_id=typed_id(LOG, store.rng(16)), parents=(),
            time_ms=store.clock(), schema=0, ops=[genesis.to_op()], salt=store.rng(16),
        )  # fmt: skip
        self.append.run([event], 0, own=True)
        return self.connection.execute(sa.select(t.log).where(t.log.c.id == event.id)).one()

    def write(self, signer: Signer, kind: str, doc: bytes | None, ops: Sequence[Op]) -> Event:
        """Judges, signs and stores one event; see `Writer.write`."""
        log = self.own_log(signer)
        state: State | None = None
        if doc is not None:
            query = sa.select(t.document).where(t.document.c.id == doc)
            if self.connection.dialect.name != "sqlite":
                query = query.with_for_update()
            row = self.connection.execute(query).first()
            if row is None or row.state is None:
                raise NotFound("There is no such document in this store.")
            kind, state = row.kind, unpack(row.state)
        doc_type = self.store.types.get(kind)
        if doc_type is None:
            raise NotFound(f"This program knows no document type {kind!r}.", todo="Update this program.")
        self._check(doc_type, state, log.id, ops)
        return self._sign(signer, log, doc_type, doc or document_id(log.id, log.seq + 1, doc_type.name), state, ops)

    def _check(self, kind: DocumentType, state: State | None, log: bytes, ops: Sequence[Op]) -> None:
        authority = self.store.trust.authority(log)
        if not isinstance(authority, Authority) or authority.certificate.kind != "officer":
            raise NotAllowed("This key may not edit documents.", reason="authority")
        now = self.store.clock()
        if not authority.certificate.valid_from_ms <= now <= authority.certificate.valid_to_ms:
            raise NotAllowed(
                "The certificate of this officer is not valid today.",
                todo="Nothing was changed. Check the clock, or ask the administrator for a new certificate.",
                reason="expired",
            )
        plain = [list(op) for op in ops]
        codec.encode(plain)  # refuses what cannot be stored
        reason = f.judge(kind, state, Entry(b"", (), plain, authority.author, now))
        if reason is not None:
            raise NotAllowed(f"This edit is not allowed here and now: {reason}.", reason=str(reason))

    def _sign(  # noqa: PLR0913
        self, signer: Signer, log: Any, kind: DocumentType, doc: bytes, state: State | None, ops: Sequence[Op]  # noqa: ANN401
    ) -> Event:
        store = self.store
        event = ev.build(
            signer, log=log.id, seq=log.seq + 1, prev=log.head, doc_type=kind.name, doc_id=doc,
            parents=state.heads[: ev.MAX_PARENTS] if state else (), time_ms=store.clock(), schema=kind.version,
            ops=ops, salt=store.rng(16),
        )  # fmt: skip
        self.append.run([event], 0, own=True)
        return event

    def certify(self, signer: Signer, certificate: Certificate) -> Event:
        """Signs a certificate; see `Writer.certify`."""
        store = self.store
        log = self.own_log(signer)
        doc_id = typed_id(CERTIFICATE, hashlib.sha256(b"onestop key\0" + certificate.key).digest())
        event = ev.build(
            signer, log=log.id, seq=log.seq + 1, prev=log.head, doc_type=CERTIFICATE, doc_id=doc_id, parents=(),
            time_ms=store.clock(), schema=0, ops=[certificate.to_op()], salt=store.rng(16),
        )  # fmt: skip
        self._check_certificate(log.id, certificate)
        self.append.run([event], 0, own=True)
        return event

    def _check_certificate(self, log: bytes, certificate: Certificate) -> None:
        issuer = self.store.trust.authority(log)
        why = (
            self.store.trust.why_not(issuer, certificate)
            if isinstance(issuer, Authority)
            else "The issuer's own certificate is not here."
        )
        if why:
            raise NotAllowed(why, reason="authority")


class Writer:
    """The hand of one officer in one store: every method is one signed event, durable when it returns.

    Each raises `NotAllowed` before anything is written when the edit would take no effect, with the reason
    code in ``details["reason"]``; `InvalidInput` for what cannot be stored; `StoreError` when the disk
    refuses.
    """

    def __init__(self, store: Store, signer: Signer) -> None:
        self.store = store
        self.signer = signer

    @property
    def author(self) -> Author:
        """By which authority this writer writes; what `fold.judge` asks for."""
        _, certificate = self.store.find_authority(self.signer.public)
        return Author(certificate.unit, frozenset({certificate.unit}), certificate.roles)

    def create(self, kind: str, values: Mapping[str, Any] | None = None, ops: Sequence[Op] = ()) -> bytes:
        """Creates a document with values and further operations; returns its id."""
        event = self._do(kind, None, [*_sets(values or {}), *ops])
        return event.header.doc_id

    def write(self, doc: bytes, ops: Sequence[Op]) -> Event:
        """Writes any operations as one event."""
        return self._do("", doc, ops)

    def edit(self, doc: bytes, values: Mapping[str, Any]) -> Event:
        """Writes registers: ``{"name": value, "papers/form": {...}}``."""
        return self.write(doc, _sets(values))

    def note(self, doc: bytes, field: str, value: Any) -> Event:  # noqa: ANN401 - a field's value
        """Appends to a list that only grows."""
        return self.write(doc, [["note", field, value]])

    def act(
        self,
        doc: bytes,
        action: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        task: str = MAIN,
        values: Mapping[str, Any] | None = None,
    ) -> Event:
        """Takes a transition of a task, with edits that are judged at the step before it."""
        return self.write(doc, [*_sets(values or {}), ["act", task, action, dict(arguments or {})]])

    def resolve(self, doc: bytes, key: str, value: Any, reason: str) -> Event:  # noqa: ANN401
        """Settles everything that is open on a register, naming each write, with a reason.

        Raises:
            NotFound: Nothing is open there.
        """
        state = self.store.document(doc).state
        register = state.registers.get(key)
        ids = {w[0] for w in (*register.live, *register.late)} if register else set()
        if key == VOID:
            ids.update(state.void_against)
        if not ids:
            raise NotFound(f"Nothing is open on {key!r}.", todo="Reload the document.")
        return self.write(doc, [["resolve", key, value, reason, sorted(ids)]])

    def settle(self, doc: bytes, task: str, node: bytes, reason: str) -> Event:
        """Settles a disputed task in favour of the branch ``node``.

        Raises:
            NotFound: The task is not disputed, or has no such branch.
        """
        found = self.store.document(doc).state.tasks.get(task)
        nodes = [branch.node for branch in found.branches] if found else []
        if found is None or node not in nodes:
            raise NotFound(f"The task {task!r} has no such branch.", todo="Reload the document.")
        others = sorted(n for n in nodes if n != node)
        return self.write(doc, [["settle", task, found.node, node, reason, others]])

    def void(self, doc: bytes, reason: str) -> Event:
        """Declares a document void; nothing is deleted."""
        return self.write(doc, [["set", VOID, reason]])

    def certify(self, certificate: Certificate) -> Event:
        """Certifies a machine or officer, as an administrator.

        Raises:
            NotAllowed: The writer is no administrator above that unit, or it is the writer's own key.
        """
        store = self.store

        def work() -> Event:
            with store.writing() as transaction:
                return transaction.certify(self.signer, certificate)

        return store._retrying(work)  # noqa: SLF001

    def _do(self, kind: str, doc: bytes | None, ops: Sequence[Op]) -> Event:
        store = self.store

        def work() -> Event:
            with store.writing() as transaction:
                return transaction.write(self.signer, kind, doc, ops)

        return store._retrying(work)  # noqa: SLF001


def _sets(values: Mapping[str, Any]) -> list[Op]:
    return [["set", key, _normal(value)] for key, value in values.items()]


def _normal(value: Any) -> Any:  # noqa: ANN401 - a field's value
    if isinstance(value, str):
        return codec.nfc(value)
    if isinstance(value, Mapping):
        return {codec.nfc(key): _normal(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_normal(item) for item in value]
    return value


def _own_log(connection: sa.Connection, key: bytes) -> Any:  # noqa: ANN401 - a row of t.log
    return connection.execute(
        sa.select(t.log)
        .where(t.log.c.key == key, t.log.c.own == 1, t.log.c.closed == 0)
        .order_by(t.log.c.epoch.desc())
    ).first()


def _known(connection: sa.Connection, ids: Sequence[bytes]) -> set[bytes]:
    found: set[bytes] = set()
    for i in range(0, len(ids), 500):
        query = sa.select(t.event.c.id).where(t.event.c.id.in_(ids[i : i + 500]))
        found.update(connection.execute(query).scalars())
    return found


def _any_unknown_log(events: Sequence[Event], trust: Trust) -> bool:
    here = {event.id for event in events if event.is_genesis}
    return any(trust.genesis(event.log) is None and event.log not in here for event in events)


def _trust_mark(connection: sa.Connection) -> bytes:
    return connection.execute(sa.select(t.meta.c.value).where(t.meta.c.key == "keys")).scalar() or b""
