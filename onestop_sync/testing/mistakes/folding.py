"""Mistakes in what documents come to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from unittest import mock

from onestop_sync import fold as f
from onestop_sync.entries import entry_of, ready
from onestop_sync.event import Event
from onestop_sync.schema import DocumentType
from onestop_sync.storage import documents
from onestop_sync.storage.documents import Documents
from onestop_sync.trust import Trust


@contextmanager
def last_write_wins() -> Iterator[None]:
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
def verdict_by_arrival() -> Iterator[None]:
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
def skipped_parent_check() -> Iterator[None]:
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


def nobody_woken() -> AbstractContextManager[Any]:
    """What waited for a certificate, or for its ground, goes on waiting when that has come."""
    return mock.patch.object(Documents, "wake", return_value=None)
