"""Mistakes in what one machine keeps, and when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest import mock

import sqlalchemy as sa

from onestop_sync import doctor
from onestop_sync.errors import StoreFull
from onestop_sync.event import Event
from onestop_sync.protocol import Responder
from onestop_sync.storage import tables as t
from onestop_sync.storage import upgrade
from onestop_sync.storage.append import Append
from onestop_sync.storage.arrive import Outcome
from onestop_sync.storage.transaction import Transaction
from onestop_sync.store import Store
from onestop_sync.testing.disk import Disk


@contextmanager
def identity_by_counter() -> Iterator[None]:
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
def ack_before_commit() -> Iterator[None]:
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


def unnoticed_restore() -> AbstractContextManager[Any]:
    """A database that was restored goes on writing its logs where the copy ended."""
    true = Store._mark  # noqa: SLF001

    def mark(self: Store, **_: bool) -> None:
        true(self, is_new=True)

    return mock.patch.object(Store, "_mark", mark)


def serial_reuse() -> AbstractContextManager[Any]:
    """A restored machine goes on with the serial block that it had."""
    return mock.patch.object(Store, "restores", 0)


def full_disk_overlooked() -> AbstractContextManager[Any]:
    """Events that do not fit on the disk are passed over, and the rest of the exchange is stored."""
    true = Store._append  # noqa: SLF001

    def append(
        self: Store, events: Sequence[Event], source: bytes, *, is_limited: bool
    ) -> dict[bytes, Outcome]:
        with suppress(StoreFull):
            return true(self, events, source, is_limited=is_limited)
        return {}

    return mock.patch.object(Store, "_append", append)


def unhealed_by_update() -> AbstractContextManager[Any]:
    """A newer program does not look again at what the older one could not understand."""
    return mock.patch.object(upgrade, "outdated", return_value=set())


def unknown_dropped() -> AbstractContextManager[Any]:
    """A program throws away events of document types that it does not know."""
    true = Append.run

    def run(self: Append, events: Sequence[Event], source: int, *, own: bool = False) -> dict[bytes, Outcome]:
        known = {*self.documents.types, "log", "certificate", "countersignature"}
        kept = [event for event in events if event.header.doc_type in known]
        found = true(self, kept, source, own=own)
        return {**found, **{e.id: Outcome(e.id) for e in events if e not in kept}}

    return mock.patch.object(Append, "run", run)


def blind_doctor() -> AbstractContextManager[Any]:
    """The doctor compares what is shown, and takes the events themselves for granted."""
    return mock.patch.object(doctor, "_event", return_value=iter(()))


def marks_forgotten() -> AbstractContextManager[Any]:
    """A program that stores keys does not tell the others on the store."""
    return mock.patch.object(Transaction, "note_taught", return_value=None)
