"""Opening a store, writing to it, and taking what others deliver."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import sqlalchemy as sa

from onestop_sync.errors import (
    NotFound,
    StoreDamaged,
    StoreExists,
    StoreFailing,
    StoreFull,
    StoreMissing,
)
from onestop_sync.event import Event
from onestop_sync.files import on_disk, sync_folder, write_durably
from onestop_sync.keyring import Secrets
from onestop_sync.keys import Signer
from onestop_sync.publication import Publication
from onestop_sync.schema import DocumentType
from onestop_sync.storage import ballast, chunks, engines, summaries, upgrade
from onestop_sync.storage import tables as t
from onestop_sync.storage.arrive import Outcome, parse_all, verify_all
from onestop_sync.storage.chains import close_own_logs
from onestop_sync.storage.rows import select_in
from onestop_sync.storage.transaction import find_own_log
from onestop_sync.store.base import now_ms, set_meta
from onestop_sync.store.reading import Reading
from onestop_sync.trust import Trust
from onestop_sync.writer import Writer

DATABASE: Final = "store.db"
MARKER: Final = "marker"
_EPOCH_BYTES: Final = 16
_REFOLD_BATCH: Final = 500
_UNNAMED_MS: Final = 24 * 3600 * 1000
"""How long an attachment that no event names may lie here: it may just be coming in, milliseconds."""


class Prepared(NamedTuple):
    """Frames that were parsed and verified: the events to store, and what became of the others."""

    events: list[Event]
    bad: list[Outcome]


class Store(Reading):
    """One machine's store. Make it by `create` or `open`; what it holds and shows: `Base`, `Reading`."""

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
        if database is None:
            _make_file(folder / DATABASE, secrets.database_key, facts)
        with engines.opened(database, folder / DATABASE, secrets.database_key) as engine:
            if database is not None:
                with engines.told():
                    _fill(engine, facts)
            store = cls(folder, engine, secrets, types, clock, rng, threads)
            store._load(is_new=True)
        if database is None:
            ballast.lay(folder)
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
        try:
            return cls._open(folder, secrets, types, database, clock, rng, threads)
        except (StoreFull, StoreFailing) as error:
            # Where there is no room at all, SQLite speaks of a failure.
            is_full = isinstance(error, StoreFull) or ballast.is_short(folder)
            if not is_full:
                raise
            if not ballast.give_up(folder, ballast.SAVING, ballast.STARTING):
                raise StoreFull("The disk is so full that the store cannot be opened.") from error
        return cls._open(folder, secrets, types, database, clock, rng, threads)

    @classmethod
    def _open(
        cls,
        folder: Path,
        secrets: Secrets,
        types: Iterable[DocumentType],
        database: str | sa.Engine | None,
        clock: Callable[[], int],
        rng: Callable[[int], bytes],
        threads: int,
    ) -> Store:
        with engines.opened(database, folder / DATABASE, secrets.database_key) as engine:
            with engines.told(), engines.begun(engine) as connection:
                if not sa.inspect(connection).has_table(t.meta.name):
                    raise StoreMissing(f"There is no store in {folder}.")
            store = cls(folder, engine, secrets, types, clock, rng, threads)
            store._load(is_new=False)
        if database is None:
            ballast.lay(folder)
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
            set_meta(connection, {"folded": upgrade.described(self.types, kept)})

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
            set_meta(connection, facts)
        with self._writes_raw() as connection:
            announced = connection.execute(
                sa.select(t.meta.c.value).where(t.meta.c.key == "next_marker")
            ).scalar()
            if announced == fresh:
                with on_disk():
                    write_durably(self.folder / MARKER, fresh + b"%d" % restores)
                set_meta(connection, {"marker": fresh})
        self.epoch = facts.get("epoch", held["epoch"])

    def _beside(self) -> tuple[bytes, int]:
        """Returns the marker in the file beside the database, and how many restores that file has seen."""
        path = self.folder / MARKER
        data = path.read_bytes() if path.exists() else b""
        count = data[_EPOCH_BYTES:]
        return data[:_EPOCH_BYTES], int(count) if count.isdigit() else 0

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

    def move_on(self) -> str:
        """Goes on in the unit for which this machine is certified by now; returns that unit.

        Raises:
            NotAllowed: The machine is not enrolled.
        """
        return self.unit if self.machine_log else ""

    def want_history(self, doc: bytes) -> bool:
        """Asks for the events of a document that the province's snapshot alone tells of, with the next sync.

        Returns:
            Whether they are not here.
        """
        with self.writing() as transaction:
            connection = transaction.connection
            query = sa.select(t.document.c.n).join(t.summary, t.summary.c.doc_n == t.document.c.n)
            n = connection.execute(query.where(t.document.c.id == doc, t.is_summary)).scalar()
            summaries.want(connection, [n] if n is not None else [])
        return n is not None

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


def _make_file(path: Path, key: bytes, facts: Mapping[str, bytes]) -> None:
    """Makes the encrypted file of a new store; stopped anywhere, it is there whole or not at all."""
    draft = path.with_name(path.name + ".new")
    with on_disk():
        for name in (draft.name, f"{draft.name}-wal", f"{draft.name}-shm"):
            path.with_name(name).unlink(missing_ok=True)
    engine = engines.open_engine(None, draft, key)
    try:
        with engines.told():
            _fill(engine, facts)
    finally:
        engine.dispose()  # the last connection writes all of it into the file itself
    if path.with_name(f"{draft.name}-wal").exists():  # which it removes only when that went well
        raise StoreFailing("The disk failed while the store was made; there is no store yet.")
    with on_disk():
        draft.replace(path)
        sync_folder(path.parent)


def _fill(engine: sa.Engine, facts: Mapping[str, bytes]) -> None:
    """Makes the tables of a new store, and writes what is known of it."""
    engines.create_tables(engine)
    with engines.begun(engine, writes=True) as connection:
        if connection.execute(sa.select(t.meta.c.key).limit(1)).first():
            raise StoreExists("The database holds a store already.")
        connection.execute(sa.insert(t.meta), [{"key": key, "value": value} for key, value in facts.items()])


def _known(connection: sa.Connection, ids: Sequence[bytes]) -> set[bytes]:
    return {row.id for row in select_in(connection, sa.select(t.event.c.id), t.event.c.id, ids)}


def _any_unknown_log(events: Sequence[Event], trust: Trust) -> bool:
    here = {event.id for event in events if event.is_genesis}
    return any(trust.genesis(event.log) is None and event.log not in here for event in events)
