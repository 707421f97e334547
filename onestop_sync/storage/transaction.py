"""One write transaction of a store: everything that is done in it counts, or nothing of it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from onestop_sync import codec, keys
from onestop_sync import event as ev
from onestop_sync import fold as f
from onestop_sync.acks import Acks
from onestop_sync.attachment import parse_manifest
from onestop_sync.entries import NEWER, OF_TRUST
from onestop_sync.errors import InvalidInput, NotAllowed, NotFound, StoreBusy
from onestop_sync.event import LOG, Event, Genesis, Op, document_id, typed_id
from onestop_sync.fold import Entry, State
from onestop_sync.keys import Signer
from onestop_sync.schema import DocumentType
from onestop_sync.storage import chunks, feed, outbox, summaries
from onestop_sync.storage import tables as t
from onestop_sync.storage.append import Append
from onestop_sync.storage.changes import are_documents_reassigned, changed_logs, heirs
from onestop_sync.storage.cuts import last_good
from onestop_sync.storage.erasure import to_bury
from onestop_sync.storage.projection import unpack
from onestop_sync.storage.rows import select_in
from onestop_sync.tombstone import ERASED
from onestop_sync.trust import (
    CERTIFICATE,
    COUNTERSIGNATURE,
    LEADER,
    Authority,
    Certificate,
    Countersignature,
    Trust,
)

if TYPE_CHECKING:
    from onestop_sync.store.base import Base

WAITING_QUOTA: Final = 2000
"""Events without authority that one machine may leave here."""


class Raced(StoreBusy):
    """Another process came between; the same work done again succeeds."""


_OF_TRUST: Final = (
    sa.select(t.event.c.n, t.event.c.id, t.event.c.source, t.log.c.id.label("log"), t.log.c.unit)
    .add_columns(t.document.c.id.label("doc"))
    .join(t.log, t.log.c.n == t.event.c.log_n)
    .join(t.document, t.document.c.n == t.event.c.doc_n)
    .where(t.document.c.kind.in_(sorted(OF_TRUST)))
    .order_by(t.event.c.n)
)
"""Certificates and countersignatures: documents without a state."""


class Transaction:
    """A write transaction, and what is done in it."""

    def __init__(self, store: Base, connection: sa.Connection) -> None:
        self.store = store
        self.connection = connection
        self._feed = (
            feed.Feed(connection, store.trust, store.unit, store.introduced) if store.serves else None
        )
        self._appends: list[Append] = []
        self._taught = False
        self.mark = store.trust_mark
        """Which keys of the database were known when it began."""
        self.has_moved = False
        """Whether it changed the publication or the own unit."""

    @property
    def feed(self) -> feed.Feed | None:
        """The feeds, where this machine serves others."""
        return self._feed

    @property
    def append(self) -> Append:
        """A fresh `Append`; each run has its own."""
        store = self.store
        if self._feed is not None:
            self._feed.trust = store.trust  # it may have been read again since
        found = Append(
            self.connection, types=store.types, trust=store.trust, below=store.below, feed=self._feed,
            now_ms=store.clock(), taught=self.note_taught, tombstones=store.tombstones, named=self.confirm,
        )  # fmt: skip
        self._appends.append(found)
        return found

    def note_taught(self) -> None:
        """Notes that keys, the trust document, or what waits for keys changes with this transaction."""
        self._taught = True

    def finish(self) -> None:
        """Does what comes last: tells other processes that keys changed, or that something waits for keys.

        Where two processes do that at once, neither saw what the other brings: an event would wait for ever
        for a certificate that is here. So the later one finds another mark than it began with.

        Raises:
            Raced: It did; the transaction is to be run again (`Store.retrying`).
            DBAPIError: Another one holds the mark just now; the same is to be done.
        """
        if not self._taught:
            return
        query = sa.select(t.meta.c.value).where(t.meta.c.key == "keys")
        if self.connection.dialect.name != "sqlite":
            # Nor waits it for another that does the same: that one may want the feeds that this one holds.
            query = query.with_for_update(nowait=True)
        held = self.connection.execute(query).scalar()
        if (held or b"") != self.mark:
            raise Raced("Another program changed the keys of this store at the same time.")
        mark = self.store.rng(8)
        if held is None:
            self.connection.execute(sa.insert(t.meta).values(key="keys", value=mark))
        else:
            self.connection.execute(sa.update(t.meta).where(t.meta.c.key == "keys").values(value=mark))
        self.store.trust_mark = mark

    @property
    def learned(self) -> list[Event]:
        """Geneses, certificates and countersignatures that it has stored."""
        return [event for append in self._appends for event in append.learned]

    @property
    def has_erased(self) -> bool:
        """Whether content was taken away in this transaction."""
        return any(append.documents.has_stripped for append in self._appends)

    def committed(self) -> None:
        """Keeps for the process what the transaction learned."""
        if self._feed is not None:
            self.store.introduced |= self._feed.fresh

    def log_number(self, log: bytes) -> int:
        """Returns the local number of a log; 0 for one that is not here."""
        found = self.connection.execute(sa.select(t.log.c.n).where(t.log.c.id == log)).scalar()
        return int(found or 0)

    def within_quota(self, events: Sequence[Event], source: int) -> tuple[list[Event], list[Event]]:
        """Splits off events without authority that go beyond what one machine may leave here."""
        trust = self.store.trust
        known = trust.with_events(events)
        strangers = {e.id for e in events if not isinstance(known.authority(e.log), Authority)}
        if not strangers:
            return list(events), []
        # What waits for a newer program is no stranger's, and does not count.
        query = sa.select(sa.func.count()).join_from(t.needs, t.event, t.event.c.n == t.needs.c.event_n)
        held = self.connection.execute(
            query.where(t.event.c.source == source, t.needs.c.needs != NEWER)
        ).scalar_one()
        if held < WAITING_QUOTA:
            return list(events), []
        return [e for e in events if e.id not in strangers], [e for e in events if e.id in strangers]

    def next_serial(self, name: str, day: str) -> int:
        """Returns the next number of a counter, from 1."""
        value = self.connection.execute(_NEXT_SERIAL, {"of": name, "on": day}).scalar()
        if value is None:
            value = 1
            self.connection.execute(sa.insert(t.counter).values(name=name, day=day, value=value))
        return int(value)

    def take_pieces(
        self, pieces: Sequence[chunks.Piece], allowed: set[bytes], *, is_limited: bool = False
    ) -> chunks.Taken:
        """Takes pieces of attachments, and confirms what is complete with them.

        Args:
            pieces: In any order, but an index before its chunks.
            allowed: Contents that whoever brings them may bring.
            is_limited: Whether there is a limit to what only waiting events name.
        """
        now = self.store.clock()
        taken = chunks.put(self.connection, pieces, allowed, now, is_limited=is_limited)
        self.confirm(taken.completed)
        return taken

    def confirm(self, contents: Sequence[int]) -> None:
        """Signs that attachments are complete here, for the units whose events name them.

        Args:
            contents: Local numbers.
        """
        if self._feed is None or not contents:
            return
        store, below = self.store, self.store.below
        node, now = self.own_log(store.machine).id, store.clock()
        for unit, ids in sorted(chunks.units_naming(self.connection, contents).items()):
            if unit in below:
                said = Acks(node, unit, store.epoch, now, 0, (), (), tuple(ids))
                n, digest, _ = outbox.keep_paper(self.connection, said.sign(store.machine), said)
                self._feed.add_signed(feed.ACKS, n, digest, unit, node)
        chunks.note_said(self.connection, node, contents)
        self._feed.flush()

    def own_log(self, signer: Signer) -> Any:
        """Returns the open log of one of this machine's keys; begins one when there is none.

        A new certificate opens a new epoch: the log before is closed.
        """
        found = find_own_log(self.connection, signer.public, lock=True)
        if found is not None and self.store.is_current(found.id):
            return found
        cert, certificate = self.store.find_authority(signer.public)
        if found is not None:
            self.connection.execute(sa.update(t.log).where(t.log.c.n == found.n).values(closed=1))
        if signer.public == self.store.machine.public and certificate.unit != self.store.unit:
            self._move_to(certificate.unit)
        return self._begin_log(signer, cert, certificate)

    def _move_to(self, unit: str) -> None:
        """Goes on in another unit, for which this machine was certified: its feed there begins anew."""
        self.connection.execute(sa.update(t.meta).where(t.meta.c.key == "unit").values(value=unit.encode()))
        self.connection.execute(sa.update(t.parent).values(epoch=b"", n=0, digest=feed.START, nonce=b""))
        self.has_moved = True
        before, self.store.unit = self.store.below, unit
        self._mark_upward()
        self._serve(unit, self.store.below - before)
        self.note_taught()

    def _serve(self, unit: str, fresh: set[str]) -> None:
        """Fills the feeds of units that are below this server from now on with what it holds for them."""
        if self._feed is None:
            return
        over = self.store.trust.document.tree.over
        self._feed.move_to(unit)
        self._feed.inherit({each: (over(each) & fresh) - {each} for each in self.store.below})
        self._welcome(fresh)
        self._feed.flush()

    def _mark_upward(self) -> None:
        """Notes of every log whether it goes up to our parents."""
        upward = sorted(self.store.below)
        self.connection.execute(
            sa.update(t.log).values(upward=sa.case((t.log.c.unit.in_(upward), 1), else_=0))
        )

    def trust_changed(self, before: Trust) -> None:
        """Folds again what a new trust document bears on, and gives units what they see from now on.

        Args:
            before: What was known under the document before.
        """
        trust = self.store.trust
        self._mark_upward()
        logs = changed_logs(before, trust)
        append = self.append
        again = self._documents_of(logs, everything=are_documents_reassigned(before, trust))
        append.refold(sorted({*again, *to_bury(self.connection, self.store.tombstones)}))
        if self._feed is not None:
            cut = [log for log in logs if last_good(trust, log) is not None]
            self._feed.back_all(cut)
            succeeded = heirs(before.document.tree, trust.document.tree)
            self._feed.inherit(succeeded)
            self._welcome(set(trust.document.units) - set(before.document.units), succeeded)
            self._feed.flush()

    def _welcome(self, fresh: set[str], succeeded: Collection[str] = ()) -> None:
        """Gives units what came here before we knew that it is theirs, and so stands in nobody's feed.

        Args:
            fresh: Units that nobody here had heard of: some documents may be addressed to them already.
            succeeded: Units of which others see from now on what they see. A parent that had heard of that
                before us sent documents of units that were never below us.
        """
        feed = self._feed
        units = fresh.union(succeeded)
        if feed is None or not units:
            return
        query = sa.select(t.document.c.n, t.document.c.id, t.document.c.state)
        for row in self.connection.execute(query.where(t.document.c.state.is_not(None))):
            if taking_part := units.intersection(unpack(row.state).units):
                feed.backfill(row.n, row.id, taking_part)
        for row in self.connection.execute(_OF_TRUST):
            audience = self.append.audience(row.id, {row.unit})
            if not units.isdisjoint(audience):
                feed.add(row.n, row.id, row.log, audience, row.source, row.doc)

    def _documents_of(self, logs: Sequence[bytes], *, everything: bool) -> list[bytes]:
        """Returns the documents in which one of these logs has written."""
        if everything:
            return list(self.connection.execute(sa.select(t.document.c.id)).scalars())
        query = (
            sa.select(t.document.c.id)
            .join(t.event, t.event.c.doc_n == t.document.c.n)
            .join(t.log, t.log.c.n == t.event.c.log_n)
        )
        rows = select_in(self.connection, query, t.log.c.id, list(logs))
        return sorted({bytes(row.id) for row in rows})

    def _begin_log(self, signer: Signer, cert: bytes, certificate: Certificate) -> Any:
        store = self.store
        last = self.connection.execute(
            sa.select(t.log)
            .where(t.log.c.key == signer.public)
            .order_by(t.log.c.epoch.desc(), t.log.c.seq.desc())
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
            is_locked = self.connection.dialect.name != "sqlite"
            row = self.connection.execute(_DOCUMENT_LOCKED if is_locked else _DOCUMENT, {"of": doc}).first()
            if row is None or row.state is None:
                raise (
                    erased()
                    if row and row.tombstone
                    else NotFound("There is no such document in this store.")
                )
            summaries.check_history(self.connection, row.n)
            kind, state = row.kind, unpack(row.state)
        doc_type = self.store.types.get(kind)
        if doc_type is None:
            raise NotFound(f"This program knows no document type {kind!r}.", todo="Update this program.")
        self._check(doc_type, state, log.id, doc, ops)
        return self._sign(
            signer, log, doc_type, doc or document_id(log.id, log.seq + 1, doc_type.name), state, ops
        )

    def _check(
        self, kind: DocumentType, state: State | None, log: bytes, doc: bytes | None, ops: Sequence[Op]
    ) -> None:
        authority = self.store.authority(log)
        if not isinstance(authority, Authority) or authority.certificate.kind not in kind.writers:
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
        author = self.store.trust.author(authority.certificate, doc or b"")
        reason = f.judge(kind, state, Entry(b"", (), plain, author, now))
        if reason is not None:
            raise NotAllowed(f"This edit is not allowed here and now: {reason}.", reason=str(reason))
        if state is not None and any(map(kind.needs_files, ops)):
            self._check_files(state)

    def _check_files(self, state: State) -> None:
        """Holds a step back while an attachment is neither here nor to be had from a parent."""
        values = (value for register in state.registers.values() for _, value in register.live)
        manifests = [manifest for manifest in map(parse_manifest, values) if manifest is not None]
        lacking = chunks.out_of_reach(self.connection, [manifest.content for manifest in manifests])
        if lacking:
            raise NotAllowed(
                "This step waits for attachments that are not here yet, and that no parent has confirmed.",
                todo="Nothing was changed. Synchronise, and try again when they have come.",
                reason="files",
                names=sorted(manifest.name for manifest in manifests if manifest.content in lacking),
            )

    def _sign(
        self,
        signer: Signer,
        log: Any,
        kind: DocumentType,
        doc: bytes,
        state: State | None,
        ops: Sequence[Op],
    ) -> Event:
        store = self.store
        event = ev.build(
            signer, log=log.id, seq=log.seq + 1, prev=log.head, doc_type=kind.name, doc_id=doc,
            parents=state.heads[: ev.MAX_PARENTS] if state else (), time_ms=store.clock(),
            schema=kind.needed(ops), ops=ops, salt=store.rng(16),
        )  # fmt: skip
        self.append.run([event], 0, own=True)
        return event

    def certify(self, signer: Signer, certificate: Certificate) -> Event:
        """Signs a certificate; see `Writer.certify`."""
        store = self.store
        log = self.own_log(signer)
        doc_id = typed_id(CERTIFICATE, hashlib.sha256(b"onestop key\0" + certificate.key).digest())
        event = ev.build(
            signer, log=log.id, seq=log.seq + 1, prev=log.head, doc_type=CERTIFICATE, doc_id=doc_id,
            parents=(), time_ms=store.clock(), schema=0, ops=[certificate.to_op()], salt=store.rng(16),
        )  # fmt: skip
        self._check_certificate(log.id, certificate)
        self.append.run([event], 0, own=True)
        return event

    def countersign(self, signer: Signer, countersignature: Countersignature) -> Event:
        """Signs a countersignature; see `Writer.countersign`."""
        store = self.store
        log = self.own_log(signer)
        authority = store.trust.authority(log.id)
        if not isinstance(authority, Authority) or LEADER not in authority.author.roles:
            raise NotAllowed("Only the head of a unit countersigns.", reason="role")
        raw = hashlib.sha256(b"onestop countersignature\0" + log.id + b"%d" % (log.seq + 1)).digest()
        event = ev.build(
            signer, log=log.id, seq=log.seq + 1, prev=log.head, doc_type=COUNTERSIGNATURE,
            doc_id=typed_id(COUNTERSIGNATURE, raw), parents=(), time_ms=store.clock(), schema=0,
            ops=[countersignature.to_op()], salt=store.rng(16),
        )  # fmt: skip
        self.append.run([event], 0, own=True)
        return event

    def _check_certificate(self, log: bytes, certificate: Certificate) -> None:
        if not keys.is_valid_key(certificate.key):
            raise InvalidInput(
                "The key to certify is no valid key: signatures under it would fit many messages.",
                todo="Nothing was changed. Let the machine make a new key, and ask again.",
            )
        if self.store.publication.expires_ms < self.store.clock():
            raise NotAllowed(
                "What the province has published has expired, so nobody new can be certified.",
                todo="Nothing was changed. Synchronise; the province renews it by `onestop-server publish`.",
                reason="expired",
            )
        issuer = self.store.trust.authority(log)
        why = (
            self.store.trust.why_not(issuer, certificate)
            if isinstance(issuer, Authority)
            else "The issuer's own certificate is not here."
        )
        if why:
            raise NotAllowed(why, reason="authority")


def erased() -> NotAllowed:
    """Returns what is said of a document that was erased."""
    return NotAllowed(
        "This document was erased by law; only its row in the register is kept.",
        todo="Nothing was changed. Its tombstone says when and why.",
        reason=ERASED,
    )


def find_own_log(connection: sa.Connection, key: bytes, *, lock: bool = False) -> Any:
    """Returns the open log of one of this machine's keys (a row of t.log), if there is one.

    Args:
        connection: Any transaction.
        key: Public key.
        lock: Keep it for this transaction: another program must not take the same next number.
    """
    is_locked = lock and connection.dialect.name != "sqlite"
    return connection.execute(_OWN_LOG_LOCKED if is_locked else _OWN_LOG, {"of": key}).first()


_DOCUMENT = sa.select(t.document).where(t.document.c.id == sa.bindparam("of"))
_DOCUMENT_LOCKED = _DOCUMENT.with_for_update()
_NEXT_SERIAL = (
    sa.update(t.counter)
    .where(t.counter.c.name == sa.bindparam("of"), t.counter.c.day == sa.bindparam("on"))
    .values(value=t.counter.c.value + 1)
    .returning(t.counter.c.value)
)
_OWN_LOG = (
    sa.select(t.log)
    .where(t.log.c.key == sa.bindparam("of"), t.log.c.own == 1, t.log.c.closed == 0)
    .order_by(t.log.c.epoch.desc())
)
_OWN_LOG_LOCKED = _OWN_LOG.with_for_update()
