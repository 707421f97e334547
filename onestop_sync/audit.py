"""The audit trail of a store: written in batches, read page by page, and exported.

audit.record(store, secrets.officer, [Entry(store.clock(), "read", doc)])    # durable when it returns
for line in audit.lines(store):                                              # the newest first
    print(line.who, line.entry.what)
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from onestop_sync.keys import Signer
from onestop_sync.storage import tables as t
from onestop_sync.storage.projection import unpack
from onestop_sync.storage.queries import Row
from onestop_sync.storage.rows import select_in
from onestop_sync.store import Store
from onestop_sync.trail import SPAN_MS, TRAIL, Entry, entries_of, plan_batches
from onestop_sync.trust import Authority

__all__ = ["Line", "lines", "record", "to_csv", "to_json"]

_PAGE: Final = 200


class Line(NamedTuple):
    """One entry, and who answers for it.

    Attributes:
        entry: What was done.
        who: The officer: who signed, or whom the machine's entry names; empty when nobody is known.
        unit: Unit of the key that signed.
        key: The key that signed; empty when its authority is not known here.
        is_machine: Whether the machine's own key signed.
        person: The signer as a person, where the certificate tells.
        label: What people call the dossier by; empty when it is not here, or has no code yet.
        event: The signed event.
    """

    entry: Entry
    who: str
    unit: str
    key: bytes
    is_machine: bool
    person: str
    label: str
    event: bytes


def record(store: Store, signer: Signer, entries: Sequence[Entry]) -> list[bytes]:
    """Writes entries in the log of a key; they are on the disk when this returns.

    Args:
        store: Where.
        signer: An officer's key, or the machine's.
        entries: In the order in which they happened.

    Returns:
        The ids of the batches.

    Raises:
        NotAllowed: The key is not certified, or its certificate has run out.
        InvalidInput: An entry holds more than codes and numbers.
        StoreError: The disk or database refused; nothing was written.
    """
    batches = plan_batches(entries)
    if not batches:
        return []
    writer = store.writer(signer)

    def work() -> list[bytes]:
        with store.writing():
            return [writer.create(TRAIL.name, ops=ops) for ops in batches]

    return store.retrying(work)


def lines(
    store: Store, *, doc: bytes = b"", since_ms: int | None = None, until_ms: int | None = None
) -> Iterator[Line]:
    """Yields the entries that this store holds: the latest arrived first, or a period batch by batch.

    Args:
        store: Whose.
        doc: Only entries about this dossier.
        since_ms: Only entries from this time on; with ``until_ms``.
        until_ms: Only entries before this time.
    """
    has_period = since_ms is not None and until_ms is not None
    after: tuple[int, int] | None = (since_ms, -1) if has_period and since_ms is not None else None
    while True:
        rows = store.page(
            TRAIL.name,
            after=after,
            limit=_PAGE,
            search=doc.hex(),
            order="due" if has_period else "new",
        )
        for line in _lines_of(store, rows, newest_first=not has_period):
            at_ms = line.entry.at_ms
            is_in = since_ms is None or until_ms is None or since_ms <= at_ms < until_ms
            if is_in and (not doc or line.entry.doc == doc):
                yield line
        is_beyond = bool(rows) and until_ms is not None and (rows[-1].due_ms or 0) >= until_ms + SPAN_MS
        if len(rows) < _PAGE or is_beyond:
            return
        after = rows[-1].key


def _lines_of(store: Store, rows: Sequence[Row], *, newest_first: bool) -> Iterator[Line]:
    """Yields the entries of batches, with their signers and the dossiers' labels, by three queries."""
    with store.reading() as connection:
        states = _states(connection, [row.doc for row in rows])
        found = [pair for row in rows for pair in _ordered(states.get(row.doc), newest_first=newest_first)]
        logs = _logs(connection, {event for event, _ in found})
        labels = _labels(connection, {entry.doc for _, entry in found if entry.doc})
    store.refresh_trust()
    for event, entry in found:
        yield _line(store.trust.authority(logs[event]), event, entry, labels.get(entry.doc, ""))


def _ordered(state: bytes | None, *, newest_first: bool) -> list[tuple[bytes, Entry]]:
    entries = entries_of(unpack(state)) if state else []
    return entries[::-1] if newest_first else entries


def _states(connection: sa.Connection, docs: Sequence[bytes]) -> dict[bytes, bytes | None]:
    query = sa.select(t.document.c.id, t.document.c.state)
    return {row.id: row.state for row in select_in(connection, query, t.document.c.id, docs)}


def _logs(connection: sa.Connection, events: Iterable[bytes]) -> dict[bytes, bytes]:
    query = sa.select(t.event.c.id, t.log.c.id.label("log")).join(t.log, t.log.c.n == t.event.c.log_n)
    return {row.id: row.log for row in select_in(connection, query, t.event.c.id, sorted(events))}


def _labels(connection: sa.Connection, docs: Iterable[bytes]) -> dict[bytes, str]:
    query = sa.select(t.document.c.id, t.listing.c.label).join(t.listing, t.listing.c.doc_n == t.document.c.n)
    return {row.id: row.label for row in select_in(connection, query, t.document.c.id, sorted(docs))}


def _line(authority: object, event: bytes, entry: Entry, label: str) -> Line:
    if not isinstance(authority, Authority):
        return Line(entry, entry.who, "", b"", False, "", label, event)  # noqa: FBT003 - as named there
    certificate = authority.certificate
    is_machine = certificate.kind == "machine"
    return Line(
        entry=entry,
        # What an officer's own key signed is that officer's, whoever the entry names.
        who=entry.who if is_machine else certificate.name,
        unit=certificate.unit,
        key=authority.key,
        is_machine=is_machine,
        person="" if is_machine else certificate.person,
        label=label,
        event=event,
    )


# ---- exporting

_COLUMNS: Final = (
    "at", "officer", "unit", "signed_by", "what", "dossier", "document", "times", "lines", "code", "event",
)  # fmt: skip


def to_csv(found: Iterable[Line]) -> bytes:
    """Returns lines as CSV that a spreadsheet opens: UTF-8 with its mark, times in UTC."""
    out = io.StringIO()
    writer = csv.DictWriter(out, _COLUMNS)
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in _facts(line).items()} for line in found)
    return out.getvalue().encode("utf-8-sig")


def to_json(found: Iterable[Line]) -> bytes:
    """Returns lines as a JSON array of objects, times in UTC."""
    return json.dumps([_facts(line) for line in found], ensure_ascii=False, indent=1).encode() + b"\n"


def _facts(line: Line) -> dict[str, Any]:
    entry = line.entry
    return {
        "at": _iso(entry.at_ms),
        "officer": line.who,
        "unit": line.unit,
        "signed_by": "machine" if line.is_machine else "officer" if line.key else "",
        "what": entry.what,
        "dossier": line.label,
        "document": entry.doc.hex(),
        "times": entry.times,
        "lines": entry.lines,
        "code": entry.code,
        "event": line.event.hex(),
    }


def _iso(at_ms: int) -> str:
    try:
        return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):  # a claimed time may be any
        return str(at_ms)


def _cell(value: object) -> object:
    """Returns a value that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value
