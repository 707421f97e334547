"""What a store stands on: one database, its transactions, and whose keys are known."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar

import sqlalchemy as sa

from onestop_sync import event as ev
from onestop_sync.errors import FormatError, NotAllowed, OnestopError, StoreError, StoreFailing, StoreFull
from onestop_sync.event import LOG, Event
from onestop_sync.keyring import Secrets
from onestop_sync.publication import Publication, parse_files
from onestop_sync.schema import DocumentType
from onestop_sync.storage import ballast, engines
from onestop_sync.storage import tables as t
from onestop_sync.storage.cuts import StoredChain
from onestop_sync.storage.erasure import is_scrub_due, scrub
from onestop_sync.storage.transaction import Raced, Transaction
from onestop_sync.tombstone import Tombstone, tombstones
from onestop_sync.trail import TRAIL
from onestop_sync.trust import SYSTEM, Authority, Certificate, NoAuthority, Trust, TrustDocument, Waiting

_RESERVE: Final = (
    "What was saved before is safe. Room was held back for this: save again now, then clear the disk."
)
_RETRIES: Final = 5
_RACES: Final = frozenset({"40P01", "40001", "55P03"})
_OWN: Final = "own:"
"""Before the names of what programs keep in a store."""

_KEYS: Final = (
    sa.select(t.event)
    .join(t.document, t.document.c.n == t.event.c.doc_n)
    .where(t.document.c.kind.in_([LOG, *SYSTEM]), t.event.c.n > sa.bindparam("after"))
    .order_by(t.event.c.n)
)

_RESTORES: Final = sa.select(t.meta.c.value).where(t.meta.c.key == "restores")
_KEYS_MARK: Final = sa.select(t.meta.c.value).where(t.meta.c.key == "keys")

Result = TypeVar("Result")


def now_ms() -> int:
    """Returns the machine's time, milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


class Base:
    """One database that several programs share, and what it says of keys.

    What is known of keys lies in memory as well. `trust_mark` tells which state of the database that was:
    each write transaction compares it, and reads the keys anew where another program has taught some.

    Attributes:
        trust: What is known of keys.
        tombstones: Of the documents that were erased by law.
        types: Document types by name; that of the audit trail is always among them.
        unit: The machine's unit; empty before it is enrolled.
        serves: Whether this machine is a parent of others.
        is_failing: The disk has failed: this program only reads from now on, and has to be started again.
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
        self._reads = engines.for_reading(engine)
        self._transaction: Transaction | None = None
        self._writer = 0
        self._again = threading.local()
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self.introduced: set[tuple[str, bytes]] = set()
        self.trust_mark = b""
        self._trust_n = 0
        self.serves = False
        self.is_failing = False
        self.unit = ""
        self.root = b""
        self.epoch = b""
        self._chain = StoredChain(self.reading)
        self._publication: Publication | None = None
        self.tombstones: Mapping[bytes, Tombstone] = {}
        self.trust = Trust(TrustDocument(0, {}, {}, 0), self._chain)

    # ---- transactions

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Opens a read transaction, or joins the write transaction that this thread is in."""
        with engines.told():
            transaction = self._own_transaction()
            if transaction is not None:
                yield transaction.connection
                return
            with engines.begun(self._reads) as connection:
                yield connection

    def _own_transaction(self) -> Transaction | None:
        """Returns the write transaction that this thread is in; another thread's is not ours to join."""
        return self._transaction if self._writer == threading.get_ident() else None

    @contextmanager
    def _writes_raw(self) -> Iterator[sa.Connection]:
        begun = engines.begun(self.engine, writes=True)
        with self._lock, self._unfailing(), engines.told(), begun as connection:
            yield connection

    @contextmanager
    def _unfailing(self) -> Iterator[None]:
        """Lets nothing be written once the disk has failed, and makes room once when it is full.

        What a disk holds after a failure is known only to who reads it again: nothing is tried twice.
        """
        if self.is_failing:
            raise StoreFailing("The disk failed before, so this program writes nothing more.")
        try:
            yield
        except StoreFailing:
            self.is_failing = True
            raise
        except StoreFull as error:
            if not ballast.give_up(self.folder, ballast.SAVING):
                raise
            raise StoreFull(error.what, todo=_RESERVE, reason="reserve") from error

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """Opens a write transaction, or joins the one that this thread is in: all of it or nothing.

        Raises:
            StoreFailing: The disk failed, now or before: nothing is written until the program starts again.
            StoreFull: The disk took no more; with the reason ``reserve`` it does at the next try.
            StoreError: The disk or database refused; nothing was written.
        """
        with self._lock:
            if self._transaction is not None:
                yield self._transaction
                return
            begun: list[Transaction] = []
            try:
                with self._unfailing(), engines.told(), engines.begun(self.engine, writes=True) as connection:
                    _hold_publication(connection)
                    is_again = getattr(self._again, "is_set", False)
                    if _trust_mark(connection, is_kept=is_again) != self.trust_mark:
                        self._read_trust(connection)
                    transaction = self._transaction = Transaction(self, connection)
                    begun.append(transaction)
                    self._writer = threading.get_ident()
                    try:
                        yield transaction
                        transaction.finish()
                    finally:
                        self._transaction, self._writer = None, 0
            except BaseException:
                if begun:
                    self._unlearn(begun[0])
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

    def retrying(self, work: Callable[[], Result]) -> Result:
        """Runs a transaction again when another process was in its way; the outermost one, never a part.

        From the second time on nobody else may teach keys meanwhile: it does not lose the race for ever.
        """
        if self._own_transaction() is not None:
            return work()
        try:
            for attempt in range(_RETRIES):
                try:
                    return work()
                except OnestopError as error:
                    if not _is_race(error) or attempt == _RETRIES - 1:
                        raise
                    self._again.is_set = True
        finally:
            self._again.is_set = False
        raise AssertionError

    # ---- what is published, and whose keys are known

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
            transaction.has_moved = True
            set_meta(transaction.connection, {"trust": newer.data})
            self._publication, self.tombstones = newer, tombstones(newer)
            self.trust.replace(newer.document)
            transaction.trust_changed(before)
            transaction.note_taught()

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
        """Reads what is new of keys since the last time.

        Numbers suffice to tell: of two transactions that teach keys, one begins after the other has ended
        (`Transaction.finish`), so whatever comes later has a larger number.
        """
        mark = _trust_mark(connection)
        facts = sa.select(t.meta.c.key, t.meta.c.value).where(t.meta.c.key.in_(["trust", "unit"]))
        held = {row.key: row.value for row in connection.execute(facts)}
        data = held["trust"]
        publication = self.publication if data == self.publication.data else Publication.parse(data)
        trust = self.trust if self._trust_n else Trust(publication.document, self._chain)
        if publication is not self._publication:
            trust.replace(publication.document)
            self.tombstones = tombstones(publication)
        last = self._trust_n
        for row in connection.execute(_KEYS, {"after": last}):
            with suppress(FormatError):  # without effect; or a bit of the disk turned over
                trust.add(Event(row.id, ev.parse_header(row.header), row.header, row.signature, row.body))
            last = row.n
        if self._transaction is None:  # otherwise some of them are its own, and may not stay
            self._trust_n = last
        self.trust, self._publication, self.trust_mark = trust, publication, mark
        self.unit = held["unit"].decode()

    def _unlearn(self, transaction: Transaction) -> None:
        """Forgets the keys that a transaction had taught which came to nothing."""
        self.trust_mark = transaction.mark
        if transaction.has_moved:
            self.trust_mark, self._trust_n = b"unknown", 0
        else:
            self.trust.remove(transaction.learned)

    def authority(self, log: bytes) -> Authority | Waiting | NoAuthority:
        """Tells by which authority a log writes."""
        found = self.trust.authority(log)
        if isinstance(found, Waiting):
            self._reload_trust()  # another process may have stored what it waits for
            found = self.trust.authority(log)
        return found

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

    def is_current(self, log: bytes) -> bool:
        """Tells whether an own log goes on: its key has no newer certificate, and was not cut off."""
        genesis = self.trust.genesis(log)
        best = self.trust.best_certificate(genesis.key) if genesis else None
        return genesis is not None and best is not None and best[0] == genesis.cert

    @property
    def below(self) -> set[str]:
        """Units whose events go up to our parents: our own, those below it, and those that they succeed."""
        return set(self.trust.document.below(self.unit))

    # ---- what programs keep

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
    def restores(self) -> int:
        """How often this store was restored from a backup."""
        with self.reading() as connection:
            return int(connection.execute(_RESTORES).scalar_one())


def set_meta(connection: sa.Connection, facts: Mapping[str, bytes]) -> None:
    """Changes facts of the store that are there already."""
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


def _trust_mark(connection: sa.Connection, *, is_kept: bool = False) -> bytes:
    """Returns which keys the database has; ``is_kept``: it stays so until the transaction ends."""
    query = _KEYS_MARK
    if is_kept and connection.dialect.name != "sqlite":
        query = query.with_for_update()
    return connection.execute(query).scalar() or b""


def _is_race(error: OnestopError) -> bool:
    """Tells whether the same work succeeds when it is done again: another process came between.

    Source: PostgreSQL, Appendix A: 40P01 deadlock, 40001 serialization failure, 55P03 lock not available.
    """
    cause = error.__cause__
    state = getattr(getattr(cause, "orig", None), "sqlstate", "")
    return isinstance(error, Raced) or isinstance(cause, sa.exc.IntegrityError) or state in _RACES
