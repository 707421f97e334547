"""Wrong protocols, planted on purpose. A harness that does not find these has not looked.

Production code has no switch for any of them: each replaces a function of it for the length of a run, and
is gone when the run is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final
from unittest import mock

import sqlalchemy as sa

from onestop_sync import fold as f
from onestop_sync.entries import entry_of, ready
from onestop_sync.event import Event
from onestop_sync.protocol import Responder
from onestop_sync.schema import DocumentType
from onestop_sync.storage import documents, feed
from onestop_sync.storage import tables as t
from onestop_sync.storage.append import Append
from onestop_sync.storage.cuts import StoredChain
from onestop_sync.storage.feed import Feed
from onestop_sync.store import Store
from onestop_sync.testing.disk import Disk
from onestop_sync.trust import Trust

Planting = Callable[[], AbstractContextManager[Any]]


@contextmanager
def _last_write_wins() -> Iterator[None]:
    """Of concurrent writes the one with the latest claimed time stands, and nobody is told."""
    true = f._Fold._register  # noqa: SLF001 - a mistake is made inside

    def register(self: Any, key: str, puts: Any, paths: Any) -> f.Register:
        found = true(self, key, puts, paths)
        times = {entry.id: entry.time_ms for entry in self.entries}
        found.live = tuple(sorted(found.live, key=lambda write: (times[write[0]], write[0]))[-1:])
        return found

    with mock.patch.object(f._Fold, "_register", register):  # noqa: SLF001
        yield


@contextmanager
def _identity_by_counter() -> Iterator[None]:
    """An event is taken for known when its log already has one with its sequence."""
    true = Append._without_known  # noqa: SLF001

    def without_known(self: Append, events: Sequence[Event]) -> list[Event]:
        query = sa.select(t.event.c.seq).join(t.log, t.log.c.n == t.event.c.log_n)
        fresh: dict[tuple[bytes, int], Event] = {}
        for event in true(self, events):
            there = query.where(t.log.c.id == event.log, t.event.c.seq == event.header.seq)
            if self.connection.execute(there).first() is None:
                fresh.setdefault((event.log, event.header.seq), event)
        return list(fresh.values())

    with mock.patch.object(Append, "_without_known", without_known):
        yield


@contextmanager
def _verdict_by_arrival() -> Iterator[None]:
    """An event is judged on what is here when it is folded, in the order in which things came."""
    true = f.fold

    def fold(kind: DocumentType, entries: Iterable[f.Entry]) -> f.State:
        judged: list[f.Entry] = []
        for entry in entries:
            reason = f.judge(kind, true(kind, judged) if judged else None, entry) if entry.parents else None
            judged.append(entry._replace(refusal=entry.refusal or reason))
        return true(kind, judged)

    with mock.patch.object(f, "fold", fold):
        yield


@contextmanager
def _ack_before_commit() -> Iterator[None]:
    """A parent answers before what it acknowledges is safe, and then its machine may lose power."""
    respond, close = Responder.respond, Store.close
    unsafe: dict[Path, bytes] = {}

    def hasty(self: Responder, data: bytes) -> tuple[int, bytes]:
        before = Disk(self.store.folder).snapshot()
        answer = respond(self, data)
        unsafe[self.store.folder] = before
        return answer

    def lose(self: Store) -> None:
        close(self)
        if self.folder in unsafe:
            Disk(self.folder).rewind(unsafe.pop(self.folder))

    with mock.patch.object(Responder, "respond", hasty), mock.patch.object(Store, "close", lose):
        yield


@contextmanager
def _skipped_parent_check() -> Iterator[None]:
    """An event takes effect although what it stands on is not here."""

    def all_ready(
        kind: DocumentType, trust: Trust, events: Iterable[Event]
    ) -> tuple[list[f.Entry], dict[bytes, bytes]]:
        found, waits = ready(kind, trust, events)
        known = {entry.id for entry in found}
        for event in events:
            entry = entry_of(kind, trust, event)
            if event.id in waits and isinstance(entry, f.Entry):
                del waits[event.id]
                known.add(event.id)
                found.append(entry)
        return [e._replace(parents=tuple(p for p in e.parents if p in known)) for e in found], waits

    with mock.patch.object(documents, "ready", all_ready):
        yield


def _unnoticed_restore() -> AbstractContextManager[Any]:
    """A database that was restored goes on writing its logs where the copy ended."""
    true = Store._mark  # noqa: SLF001

    def mark(self: Store, **_: bool) -> None:
        true(self, is_new=True)

    return mock.patch.object(Store, "_mark", mark)


def _serial_reuse() -> AbstractContextManager[Any]:
    """A restored machine goes on with the serial block that it had."""
    return mock.patch.object(Store, "restores", 0)


@contextmanager
def _skipping_cursor() -> Iterator[None]:
    """A page of a feed that is full leaves the reader behind the item that did not fit."""
    true = feed.read

    def read(connection: sa.Connection, unit: str, after: int, **options: Any) -> Any:
        items, cursor, has_more = true(connection, unit, after, **options)
        if not has_more or cursor is None:
            return items, cursor, has_more
        query = sa.select(t.feed.c.n, t.feed.c.digest).where(
            t.feed.c.unit == unit, t.feed.c.n == cursor[0] + 1
        )
        row = connection.execute(query).first()
        return items, (row.n, row.digest) if row else cursor, has_more

    with mock.patch.object(feed, "read", read):
        yield


def _no_backfill() -> AbstractContextManager[Any]:
    """A unit that is given a document is sent what is written from now on, not what was before."""
    return mock.patch.object(Feed, "backfill", return_value=None)


def _no_inheritance() -> AbstractContextManager[Any]:
    """A unit that succeeds another is sent what is written from now on, not what the other had."""
    return mock.patch.object(Feed, "inherit", return_value=None)


def _cut_by_sequence() -> AbstractContextManager[Any]:
    """What has a small enough sequence lies before a cut, whichever branch it is on."""

    def by_sequence(_: StoredChain, __: bytes, seq: int, ___: bytes, cut_seq: int, ____: bytes) -> bool:
        return seq <= cut_seq

    return mock.patch.object(StoredChain, "__call__", by_sequence)


def _cut_forgotten() -> AbstractContextManager[Any]:
    """A new trust document counts for what comes, and nothing that is here is folded again."""
    return mock.patch("onestop_sync.storage.transaction.changed_logs", return_value=[])


MISTAKES: Final[dict[str, Planting]] = {
    "ack-before-commit": _ack_before_commit,
    "cut-by-sequence": _cut_by_sequence,
    "cut-forgotten": _cut_forgotten,
    "identity-by-counter": _identity_by_counter,
    "last-write-wins": _last_write_wins,
    "no-backfill": _no_backfill,
    "no-inheritance": _no_inheritance,
    "serial-reuse": _serial_reuse,
    "skipped-parent-check": _skipped_parent_check,
    "skipping-cursor": _skipping_cursor,
    "unnoticed-restore": _unnoticed_restore,
    "verdict-by-arrival": _verdict_by_arrival,
}
"""Name → what plants it."""
