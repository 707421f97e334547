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
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, TypeVar

import sqlalchemy as sa

from onestop_sync import event as ev
from onestop_sync import fold as f
from onestop_sync.errors import (
    FormatError,
    NotAllowed,
    NotFound,
    OnestopError,
    StoreDamaged,
    StoreError,
    StoreExists,
    StoreMissing,
)
from onestop_sync.event import LOG, Event
from onestop_sync.fold import State
from onestop_sync.keyring import Secrets, write_durably
from onestop_sync.keys import Signer
from onestop_sync.publication import Publication, parse_files
from onestop_sync.schema import DocumentType
from onestop_sync.storage import (
    beyond,
    chunks,
    engines,
    findings,
    outbox,
    queries,
    statements,
    upgrade,
)
from onestop_sync.storage import tables as t
from onestop_sync.storage.arrive import Outcome, parse_all, verify_all
from onestop_sync.storage.chains import close_own_logs
from onestop_sync.storage.cuts import StoredChain, last_good
from onestop_sync.storage.erasure import is_scrub_due, scrub
from onestop_sync.storage.findings import Finding
from onestop_sync.storage.projection import unpack
from onestop_sync.storage.queries import Delivery, Notice, Only, Record, Row
from onestop_sync.storage.rows import select_in
from onestop_sync.storage.transaction import Raced, Transaction, erased, find_own_log
from onestop_sync.storage.whole import each_document
from onestop_sync.tombstone import Tombstone, tombstones
from onestop_sync.trail import TRAIL
from onestop_sync.trust import SYSTEM, Authority, Certificate, NoAuthority, Trust, TrustDocument, Waiting
from onestop_sync.writer import Writer

__all__ = ["Document", "ParentStatus", "Status", "Store", "Writer", "now_ms"]

DATABASE: Final = "store.db"
MARKER: Final = "marker"
_EPOCH_BYTES: Final = 16
_RETRIES: Final = 5
_OWN: Final = "own:"
"""Before the names of what programs keep in a store."""
_REFOLD_BATCH: Final = 500
_UNNAMED_MS: Final = 24 * 3600 * 1000
"""How long an attachment that no event names may lie here: it may just be coming in, milliseconds."""
_LATEST: Final = 1000
"""Events among which the latest time is looked for: the last ones stored, whatever the clock said then."""

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

    def value(self, key: str) -> Any:
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
        unsent: Events that no parent has acknowledged, without those of the audit trail: nobody waits for
            them.
        oldest_unsent_ms: When the oldest of them was written, or ``None``.
        conflicts: Documents with something to settle.
        waiting: Documents with events that wait for something.
        notices: Changes of standing that nobody has seen yet.
        forks: Logs that were written on two machines at once, while no cut says which branch counts.
        parents: One entry for each parent that was ever tried.
        findings: What was found out about somebody above and not told yet; see `Store.findings`.
        stated_ms: What the province's clock said at its newest statement of our unit, milliseconds since 1970
            UTC; ``None`` before the first.
        silent_ms: For how long there has been contact with a parent without a statement coming, milliseconds;
            being offline adds nothing to it.
        unsent_files: Attachments here that no parent has confirmed to have whole.
        unsent_bytes: Their sizes together.
    """

    unsent: int
    oldest_unsent_ms: int | None
    conflicts: int
    waiting: int
    notices: int
    forks: int
    parents: tuple[ParentStatus, ...]
    findings: int = 0
    stated_ms: int | None = None
    silent_ms: int = 0
    unsent_files: int = 0
    unsent_bytes: int = 0


class Store:
    """One machine's store. Make it by `create` or `open`.

    Attributes:
        trust: What is known of keys.
        tombstones: Of the documents that were erased by law.
        types: Document types by name; that of the audit trail is always among them.
        unit: The machine's unit; empty before it is enrolled.
        serves: Whether this machine is a parent of others.
    """

    def __init__(
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
        # The trail is known at every tier, whatever else a store is for: it must not wait unread.
        self.types: Mapping[str, DocumentType] = {kind.name: kind for kind in (TRAIL, *types)}
        self.clock = clock
        self.rng = rng
        self.engine = engine
        self.machine = secrets.machine
        self.seal_seed = secrets.seal_seed
        self.database_key = secrets.database_key
        self._lock = threading.RLock()
        self._writes = engine.execution_options(writes=True)
        self._transaction: Transaction | None = None
        self._writer = 0
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self.introduced: set[tuple[str, bytes]] = set()
        self.trust_mark = b""
        self.serves = False
        self.unit = ""
        self.root = b""
        self.epoch = b""
        self._chain = StoredChain(self.reading)
        self._publication: Publication | None = None
        self.tombstones: Mapping[bytes, Tombstone] = {}
        self.trust = Trust(TrustDocument(0, {}, {}, 0), self._chain)

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
            root: The province's anchor (`publication.anchor_of`), which is trusted from now on.
            trust: What the province has published.
            unit: The machine's unit.
            serves: Whether other machines will have this one as their parent.
            database: SQLAlchemy URL or engine; an encrypted SQLite file in ``folder`` when ``None``.
            clock: Returns milliseconds since 1970 UTC.
            rng: Returns so many random bytes.
            threads: Threads that verify signatures.

        Raises:
            StoreExists: One is there already.
            SignatureInvalid: The publication is not by ``root``.
            StoreError: The disk or database refused.
        """
        folder = Path(folder)
        document = Publication.check(trust, root).document
        folder.mkdir(parents=True, exist_ok=True)
        if database is None and (folder / DATABASE).exists():
            raise StoreExists(f"The folder {folder} holds a store already.")
        if unit not in document.units:
            raise NotFound(f"The trust document names no unit {unit!r}.", todo="Check the unit's id.")
        with engines.opened(database, folder / DATABASE, secrets.database_key) as engine:
            with engines.told():
                engines.create_tables(engine)
                facts = {
                    "version": b"%d" % t.SCHEMA_VERSION,
                    "root": root,
                    "trust": trust,
                    "unit": unit.encode(),
                    "serves": b"1" if serves else b"",
                    "epoch": rng(_EPOCH_BYTES),
                    "marker": b"",
                    "next_marker": b"",
                    "restores": b"0",
                    "folded": b"",
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
    def open(
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
        with engines.opened(database, folder / DATABASE, secrets.database_key) as engine:
            with engines.told(), engine.connect() as connection:
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
            self._migrate(int(meta["version"]))
            self.root, self.unit, self.epoch = meta["root"], meta["unit"].decode(), meta["epoch"]
            self.serves = bool(meta["serves"])
            self._take_trust(meta["trust"])
        except (KeyError, ValueError) as error:
            raise StoreDamaged("The store lacks what every store has.") from error
        # Elsewhere than in a file, the database is restored by its own administrator: cursors notice it.
        if self.engine.dialect.name == "sqlite":
            self._mark(is_new=is_new)
        self._reload_trust()
        self._fold_outdated(meta.get("folded", b""))
        self._try_scrub()
        if not is_new:
            with self._writes_raw() as connection:
                chunks.sweep(connection, self.clock() - _UNNAMED_MS)

    def _migrate(self, found: int) -> None:
        steps = upgrade.plan_steps(found, t.SCHEMA_VERSION, upgrade.MIGRATIONS)
        if steps:
            with self._writes_raw() as connection:
                upgrade.run_steps(connection, steps, t.SCHEMA_VERSION)

    def _fold_outdated(self, kept: bytes) -> None:
        """Folds again what an older program, or older document types, had folded.

        Some documents a transaction; killed in between, it begins anew at the next start.
        """
        kinds = upgrade.outdated(self.types, kept)
        if not kinds:
            return
        query = sa.select(t.document.c.id).where(t.document.c.kind.in_(sorted(kinds)))
        with self.reading() as connection:
            docs = connection.execute(query.order_by(t.document.c.n)).scalars().all()
        for i in range(0, len(docs), _REFOLD_BATCH):
            with self.writing() as transaction:
                transaction.append.refold(docs[i : i + _REFOLD_BATCH])
        with self._writes_raw() as connection:
            _set_meta(connection, {"folded": upgrade.described(self.types, kept)})

    def _mark(self, *, is_new: bool) -> None:
        """Gives the database a new marker at every start, and the same to the file beside it.

        A copy of the database that is put back later has an older one. After a restore, what the machine
        had written before is closed.
        """
        fresh = self.rng(_EPOCH_BYTES)
        facts = {"next_marker": fresh}
        # Announced first, then written: killed at any point, the file holds one of the two that are known.
        # Another program that starts now compares after this one, and its marker counts.
        with self._writes_raw() as connection:
            held = {row.key: row.value for row in connection.execute(sa.select(t.meta))}
            beside, restores_beside = self._beside()
            restores = int(held["restores"])
            if not is_new and (not beside or beside not in {held["marker"], held["next_marker"]}):
                # The file counts as well: a copy that is put back twice does not know of the first time.
                restores = max(restores, restores_beside) + 1
                facts["restores"] = b"%d" % restores
                facts["epoch"] = self.rng(_EPOCH_BYTES)
                close_own_logs(connection)
            _set_meta(connection, facts)
        with self._writes_raw() as connection:
            announced = connection.execute(
                sa.select(t.meta.c.value).where(t.meta.c.key == "next_marker")
            ).scalar()
            if announced == fresh:
                write_durably(self.folder / MARKER, fresh + b"%d" % restores)
                _set_meta(connection, {"marker": fresh})
        self.epoch = facts.get("epoch", held["epoch"])

    def _beside(self) -> tuple[bytes, int]:
        """Returns the marker in the file beside the database, and how many restores that file has seen."""
        path = self.folder / MARKER
        data = path.read_bytes() if path.exists() else b""
        count = data[_EPOCH_BYTES:]
        return data[:_EPOCH_BYTES], int(count) if count.isdigit() else 0

    # ---- trust

    @property
    def publication(self) -> Publication:
        """The newest version of what the province has published that is here."""
        assert self._publication is not None  # a store that was loaded has one
        return self._publication

    @property
    def trust_bytes(self) -> bytes:
        """The same as it travels."""
        return self.publication.data

    def _take_trust(self, data: bytes) -> None:
        self._publication = Publication.parse(data)
        self.tombstones = tombstones(self._publication)
        self.trust.replace(self._publication.document)

    def replace_trust(self, data: bytes) -> bool:
        """Takes a newer publication, and folds again what it bears on.

        Args:
            data: The publication, or as much of it as is new (`Publication.newer_than`).

        Returns:
            Whether it was newer.

        Raises:
            SignatureInvalid: Not by this province's root.
            Incomplete: Files are missing.
            FormatError: Malformed.
        """
        return self.take_files(parse_files(data))

    def take_files(self, files: Mapping[str, bytes]) -> bool:
        """Does the same with the files of a publication, by name."""
        newer = self.publication.updated(files)
        if newer.rank <= self.publication.rank:
            return False
        self.retrying(lambda: self._publish(newer))
        return True

    def _publish(self, newer: Publication) -> None:
        with self.writing() as transaction:
            held = self.publication
            if newer.rank <= held.rank:
                return  # another program was faster
            before = self.trust.with_document(held.document)
            _set_meta(transaction.connection, {"trust": newer.data})
            self._publication, self.tombstones = newer, tombstones(newer)
            self.trust.replace(newer.document)
            transaction.trust_changed(before)
            transaction.note_taught()

    def remembered(self, key: str) -> bytes:
        """Returns what a program on this store has kept under a name of its own; empty when nothing was."""
        with self.reading() as connection:
            query = sa.select(t.meta.c.value).where(t.meta.c.key == f"{_OWN}{key}")
            return connection.execute(query).scalar() or b""

    def remember(self, key: str, value: bytes) -> None:
        """Keeps something small for programs on this store; it is not synchronised."""
        self.retrying(lambda: self._remember(f"{_OWN}{key}", value))

    def _remember(self, name: str, value: bytes) -> None:
        with self.writing() as transaction:
            connection = transaction.connection
            connection.execute(sa.delete(t.meta).where(t.meta.c.key == name))
            connection.execute(sa.insert(t.meta).values(key=name, value=value))

    @property
    def below(self) -> set[str]:
        """Units whose events go up to our parents: our own, those below it, and those that they succeed."""
        return set(self.trust.document.below(self.unit))

    @property
    def restores(self) -> int:
        """How often this store was restored from a backup."""
        with self.reading() as connection:
            return int(
                connection.execute(sa.select(t.meta.c.value).where(t.meta.c.key == "restores")).scalar_one()
            )

    def refresh_trust(self) -> None:
        """Learns the keys that another program on this store has stored meanwhile."""
        with self.reading() as connection:
            is_stale = _trust_mark(connection) != self.trust_mark
        if is_stale:
            self._reload_trust()

    def _reload_trust(self) -> None:
        # Not while another thread writes: it would lose the keys that its transaction has just learned.
        with self._lock, self.reading() as connection:
            self._read_trust(connection)

    def _read_trust(self, connection: sa.Connection) -> None:
        mark = _trust_mark(connection)
        facts = sa.select(t.meta.c.key, t.meta.c.value).where(t.meta.c.key.in_(["trust", "unit"]))
        held = {row.key: row.value for row in connection.execute(facts)}
        data = held["trust"]
        publication = self.publication if data == self.publication.data else Publication.parse(data)
        trust = Trust(publication.document, self._chain)
        query = (
            sa.select(t.event)
            .join(t.document, t.document.c.n == t.event.c.doc_n)
            .where(t.document.c.kind.in_([LOG, *SYSTEM]))
            .order_by(t.event.c.n)
        )
        for row in connection.execute(query):
            event = Event(row.id, ev.parse_header(row.header), row.header, row.signature, row.body)
            with suppress(FormatError):  # kept and forwarded, without effect
                trust.add(event)
        if publication is not self._publication:
            self.tombstones = tombstones(publication)
        self.trust, self._publication, self.trust_mark = trust, publication, mark
        self.unit = held["unit"].decode()

    # ---- transactions

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Opens a read transaction, or joins the write transaction that this thread is in."""
        with engines.told():
            transaction = self._own_transaction()
            if transaction is not None:
                yield transaction.connection
                return
            with self.engine.begin() as connection:
                yield connection

    def _own_transaction(self) -> Transaction | None:
        """Returns the write transaction that this thread is in; another thread's is not ours to join."""
        return self._transaction if self._writer == threading.get_ident() else None

    @contextmanager
    def _writes_raw(self) -> Iterator[sa.Connection]:
        with self._lock, engines.told(), self._writes.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
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
                    _hold_publication(connection)
                    if _trust_mark(connection) != self.trust_mark:
                        self._read_trust(connection)
                    transaction = self._transaction = Transaction(self, connection)
                    self._writer = threading.get_ident()
                    try:
                        yield transaction
                        transaction.finish()
                    finally:
                        self._transaction, self._writer = None, 0
            except BaseException:
                # What the transaction had taught us of keys and feeds may not be stored.
                self.trust_mark = b"unknown"
                self.introduced.clear()
                raise
            transaction.committed()
        if transaction.has_erased:
            self._try_scrub()

    def _try_scrub(self) -> None:
        # What was erased is erased; that its old pages go as well is tried again at the next start. A
        # server's database is vacuumed by its administrator: that takes long, and others wait.
        if self.engine.dialect.name == "sqlite":
            with suppress(StoreError):
                self.scrub()

    def retrying(self, work: Callable[[], Result]) -> Result:
        """Runs a transaction again when another process was in its way; the outermost one, never a part."""
        if self._own_transaction() is not None:
            return work()
        for attempt in range(_RETRIES):
            try:
                return work()
            except OnestopError as error:
                cause = error.__cause__
                is_race = isinstance(error, Raced) or isinstance(cause, sa.exc.IntegrityError)
                is_race |= "deadlock" in str(cause).lower()
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
        found = self.trust.best_certificate(key)
        if found is not None:
            return found
        if self.trust.document.is_cut_off(key):
            raise NotAllowed(
                "This key was cut off.",
                todo="What was written with it before is kept. Ask the administrator for a new key.",
                reason="revoked",
            )
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
        return self.retrying(self._machine_log)

    def _machine_log(self) -> bytes:
        with self.reading() as connection:
            found = find_own_log(connection, self.machine.public)
        if found is not None and self.is_current(found.id):
            return bytes(found.id)
        with self.writing() as transaction:
            return bytes(transaction.own_log(self.machine).id)

    def is_current(self, log: bytes) -> bool:
        """Tells whether an own log goes on: its key has no newer certificate, and was not cut off."""
        genesis = self.trust.genesis(log)
        best = self.trust.best_certificate(genesis.key) if genesis else None
        return genesis is not None and best is not None and best[0] == genesis.cert

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
            known = _known(connection, list({event.id for event in events}))
        fresh = [event for event in events if event.id not in known]
        if _any_unknown_log(fresh, self.trust):
            self._reload_trust()  # another process may have stored it
        good, refused = verify_all(fresh, self.trust, self._pool, self.tombstones)
        good.sort(key=lambda e: e.header.seq > 0)  # a genesis first; logs are otherwise in order
        return Prepared(good, [*bad, *refused])

    def append(
        self, prepared: Prepared, source: bytes = b"", *, is_limited: bool = True
    ) -> tuple[list[Outcome], int]:
        """Stores what was prepared.

        Args:
            prepared: Parsed and verified frames.
            source: Log of the machine that delivers; empty for a file.
            is_limited: Whether there is a limit to what may wait without authority. What a parent sends
                has none: it had its own, and it will not send it again.

        Returns:
            What became of each frame that was not here, and how many events are new.
        """
        found = (
            self.retrying(lambda: self._append(prepared.events, source, is_limited=is_limited))
            if prepared.events
            else {}
        )
        return [*prepared.bad, *found.values()], sum(o.is_stored for o in found.values())

    def _append(self, events: Sequence[Event], source: bytes, *, is_limited: bool) -> dict[bytes, Outcome]:
        with self.writing() as transaction:
            n = transaction.log_number(source) if source else -1
            over: list[Event] = []
            if is_limited:
                events, over = transaction.within_quota(events, n)
            outcomes = transaction.append.run(events, n)
        outcomes.update(
            (event.id, Outcome(event.id, "quota", "Too many events without authority.")) for event in over
        )
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

        Args:
            doc: Its id, 16 bytes.

        Raises:
            NotFound: It is not here, or nothing of it has taken effect yet.
            NotAllowed: It was erased by law (``details["reason"]`` is ``erased``); see `tombstone`.
        """
        with self.reading() as connection:
            row = connection.execute(sa.select(t.document).where(t.document.c.id == doc)).first()
        kind = self.types.get(row.kind) if row else None
        if row is not None and row.tombstone is not None:
            raise erased()
        if row is None or row.state is None or kind is None:
            raise NotFound("There is no such document in this store.")
        return Document(doc, kind, unpack(row.state))

    def tombstone(self, doc: bytes) -> Tombstone | None:
        """Returns what stays of a document of this store that was erased by law; ``None`` of any other."""
        with self.reading() as connection:
            query = sa.select(t.document.c.tombstone).where(t.document.c.id == doc)
            data = connection.execute(query).scalar()
        return Tombstone.from_bytes(data) if data is not None else None

    def scrub(self) -> bool:
        """Makes sure that what was erased is gone from the disk as well; see `storage.erasure`.

        On SQLite done by itself after each erasure, and tried again at each start.

        Returns:
            Whether nothing is left to do.
        """
        with self.reading() as connection:
            if not is_scrub_due(connection):
                return True
        with engines.told():
            return scrub(self.engine)

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
            unsent, oldest = (0, None) if is_top else outbox.unsent(connection, TRAIL.name)
            files = chunks.Unsent(0, 0) if is_top else chunks.unsent(connection)
            count = sa.select(sa.func.count())
            conflicts = connection.execute(count.where(t.is_open)).scalar_one()
            waiting = connection.execute(sa.select(sa.func.count(t.needs.c.doc_n.distinct()))).scalar_one()
            notices = connection.execute(count.where(t.notice.c.seen == 0)).scalar_one()
            forked = connection.execute(sa.select(t.log.c.id).where(t.log.c.forked == 1)).scalars().all()
            forks = sum(last_good(self.trust, log) is None for log in forked)
            parents = connection.execute(sa.select(t.parent).order_by(t.parent.c.name)).all()
            found_out = findings.count(connection)
            stated_ms, silent_ms = (None, 0) if is_top else self._stated(connection, parents)
        found = tuple(
            ParentStatus(
                p.name, p.node, self._unit_of(p.node), levels.of(p.node), p.ok_ms, p.tried_ms, p.error
            )
            for p in parents
        )
        return Status(
            unsent, oldest, conflicts, waiting, notices, forks, found, found_out, stated_ms, silent_ms, *files
        )

    def _stated(self, connection: sa.Connection, parents: Sequence[Any]) -> tuple[int | None, int]:
        """Returns when the newest statement was made, and how long there was contact without another."""
        newest = statements.newest(connection, self.unit)
        since = newest.came_ms if newest is not None else None
        if since is None:
            first = sa.select(t.event.c.at_ms).order_by(t.event.c.n).limit(1)
            since = connection.execute(first).scalar()
        contact = max((parent.ok_ms for parent in parents), default=0)
        silent_ms = max(0, contact - since) if contact and since is not None else 0
        return (newest.at_ms if newest is not None else None), silent_ms

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

    def _unit_of(self, node: bytes) -> str:
        authority = self.trust.authority(node)
        return authority.certificate.unit if isinstance(authority, Authority) else ""

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
            last = sa.select(t.event.c.at_ms).order_by(t.event.c.n.desc()).limit(_LATEST).subquery()
            stored = connection.execute(sa.select(sa.func.max(last.c.at_ms))).scalar() or 0
            said = [
                connection.execute(sa.select(sa.func.max(table.c.at_ms))).scalar() or 0
                for table in (t.acks, t.statement)
            ]
        return max(stored, *said)

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


def _known(connection: sa.Connection, ids: Sequence[bytes]) -> set[bytes]:
    return {row.id for row in select_in(connection, sa.select(t.event.c.id), t.event.c.id, ids)}


def _any_unknown_log(events: Sequence[Event], trust: Trust) -> bool:
    here = {event.id for event in events if event.is_genesis}
    return any(trust.genesis(event.log) is None and event.log not in here for event in events)


def _set_meta(connection: sa.Connection, facts: Mapping[str, bytes]) -> None:
    for key, value in facts.items():
        connection.execute(sa.update(t.meta).where(t.meta.c.key == key).values(value=value))


def _hold_publication(connection: sa.Connection) -> None:
    """Keeps other processes from publishing until this transaction ends.

    Otherwise an event could be appended under the old tree, after the feeds of the new one were filled: a
    successor would never see it. Whoever publishes waits for all that hold this, and they for them.
    """
    if connection.dialect.name != "sqlite":  # where there is one writer at a time anyway
        row = sa.select(t.meta.c.key).where(t.meta.c.key == "trust")
        connection.execute(row.with_for_update(read=True))


def _trust_mark(connection: sa.Connection) -> bytes:
    return connection.execute(sa.select(t.meta.c.value).where(t.meta.c.key == "keys")).scalar() or b""
