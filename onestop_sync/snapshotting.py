"""The province's side of snapshots: when one is made, and of what; and how another server mirrors them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

from onestop_sync.errors import FormatError, SignatureInvalid
from onestop_sync.event import typed_id
from onestop_sync.schema import DocumentType
from onestop_sync.snapshot import (
    MAX_ENTRIES,
    Snapshot,
    check_snapshot,
    parse_snapshot,
    snapshot_hash,
    summary_hash,
)
from onestop_sync.stating import check_top, make_statements
from onestop_sync.storage import snapshots, statements, summaries
from onestop_sync.storage.documents import Doc
from onestop_sync.storage.projection import unpack
from onestop_sync.storage.snapshots import Candidate
from onestop_sync.store import Store
from onestop_sync.trust import Authority

__all__ = [
    "COUNTER", "LEAST", "Checked", "Held", "check_snapshots", "kinds_of", "list_snapshots", "make_snapshots",
    "mirror", "read",
]  # fmt: skip

LEAST: Final = 50
"""Finished documents of a unit from which the schedule makes a snapshot: a list has a price of its own."""
COUNTER: Final = "snapshots"
"""Counts the places of snapshots in a store."""


def kinds_of(types: Mapping[str, DocumentType]) -> dict[bytes, DocumentType]:
    """Returns document types by the first bytes of their documents' ids."""
    return {typed_id(name, bytes(16))[:4]: kind for name, kind in types.items()}


def make_snapshots(store: Store, *, least: int = 1) -> int:
    """Makes snapshots of what is finished at the units below, as far as statements name its events.

    Args:
        store: The top server's.
        least: Finished documents of a unit from which on it is worth one; with 1, what is new is stated
            first, so that it can be signed at once.

    Returns:
        How many documents were signed.

    Raises:
        NotAllowed: The store is not the top server's.
        StoreError: The disk or database refused; what was made before stays.
    """
    check_top(store)
    if least <= 1:
        make_statements(store)
    with store.reading() as connection:
        units = sorted(store.below - {store.unit})
        told = {unit: statements.last(connection, store.machine.public, unit).upto for unit in units}
        by_unit: dict[str, list[Candidate]] = {}
        for found in snapshots.candidates(connection, store.types, told, store.unit):
            by_unit.setdefault(found.unit, []).append(found)
    count = 0
    for unit, all_of_it in sorted(by_unit.items()):
        if len(all_of_it) >= least and unit in told:
            for i in range(0, len(all_of_it), MAX_ENTRIES):
                part = all_of_it[i : i + MAX_ENTRIES]
                count += store.retrying(partial(_make, store, unit, part))
    return count


def _make(store: Store, unit: str, found: Sequence[Candidate]) -> int:
    node = store.machine_log
    with store.writing() as transaction:
        connection = transaction.connection
        # Locked, and looked at once more: a document may have changed since it was found finished.
        held = {doc.id: doc for doc in transaction.append.documents.load_all([each.doc for each in found])}
        left = [each for each in found if _is_still(held[each.doc], each)]
        if not left:
            return 0
        entries = tuple((each.doc, summary_hash(each.summary)) for each in left)
        said = Snapshot(node, unit, store.clock(), store.trust.document.version, entries)
        n = transaction.next_serial(COUNTER, "")
        snapshots.keep(connection, said, said.sign(store.machine), store.machine.public, n)
        for each, (_, digest) in zip(left, entries, strict=True):
            placed = summaries.Placed(each.kind, None, n, digest)
            summaries.keep(connection, each.doc_n, placed, is_held=True)
    return len(left)


def _is_still(doc: Doc, found: Candidate) -> bool:
    """Tells whether a document is as it was when it was found finished, and nobody else has signed it."""
    if doc.summary is not None or doc.packed_before is None:
        return False
    return summaries.summarise(found.kind, doc.id, unpack(doc.packed_before)) == found.summary


def author_of(store: Store, said: Snapshot) -> bytes | None:
    """Returns the key of a snapshot's author; ``None`` of one that may not speak of its unit."""
    document = store.trust.document
    authority = store.authority(said.node)
    if not isinstance(authority, Authority) or not authority.certificate.serves:
        return None
    author = document.units.get(authority.certificate.unit)
    is_good = author is not None and not author.parent and document.is_over(author.id, said.unit)
    is_good &= not document.is_cut_off(authority.key, authority.certificate.unit)
    return authority.key if is_good else None


def read(store: Store, data: object) -> tuple[Snapshot, bytes] | None:
    """Returns a snapshot that checks, and its author's key; ``None`` of any other: it delays nothing."""
    try:
        if isinstance(data, bytes):
            key = author_of(store, parse_snapshot(data)[0])
            return (check_snapshot(data, key), key) if key is not None else None
    except (FormatError, SignatureInvalid):
        pass
    return None


def mirror(store: Store, found: Iterable[bytes]) -> int:
    """Takes snapshots at a server that passes them on; returns how many were new.

    Args:
        store: The server's.
        found: As they came, in any order.
    """
    kinds = kinds_of(store.types)
    count = 0
    with store.writing() as transaction:
        connection = transaction.connection
        for data in found:
            checked = read(store, data)
            if checked is None or snapshots.find(connection, snapshot_hash(data)) is not None:
                continue
            said, key = checked
            n = transaction.next_serial(COUNTER, "")
            paper = snapshots.keep(connection, said, data, key, n)
            snapshots.match(connection, kinds, paper)
            count += 1
    return count


class Held(NamedTuple):
    """A snapshot that is here.

    Attributes:
        n: Its place here.
        unit: The unit that created the documents.
        at_ms: When it was made, milliseconds since 1970 UTC.
        named: How many documents it names.
        current: Of how many the events here come to what it says.
    """

    n: int
    unit: str
    at_ms: int
    named: int
    current: int


def list_snapshots(store: Store) -> list[Held]:
    """Returns the snapshots of a store, oldest first."""
    with store.reading() as connection:
        current = snapshots.current(connection)
        return [
            Held(paper.n, paper.unit, said.at_ms, len(said.entries), current.get(paper.n, 0))
            for paper in snapshots.papers(connection, store.trust.document.units, 0, None)
            for said in [parse_snapshot(paper.data)[0]]
        ]


class Checked(NamedTuple):
    """What a check of a server's snapshots came to.

    Attributes:
        snapshots: How many are here.
        named: How many documents they name.
        current: How many of those are as signed.
        forged: Places of snapshots that no server of the unit at the top has signed.
        wrong: Ids of documents, in hex, that count as signed and are something else.
    """

    snapshots: int
    named: int
    current: int
    forged: tuple[int, ...]
    wrong: tuple[str, ...]


def check_snapshots(store: Store) -> Checked:
    """Checks every snapshot's signature, and makes the summaries again that new machines would be given."""
    kinds = kinds_of(store.types)
    forged: list[int] = []
    wrong: list[str] = []
    named = current = count = 0
    with store.reading() as connection:
        papers = snapshots.papers(connection, store.trust.document.units, 0, None)
    for paper in papers:
        count += 1
        if read(store, paper.data) is None:
            forged.append(paper.n)
        told = dict(parse_snapshot(paper.data)[0].entries)
        named += len(told)
        with store.reading() as connection:
            signed = snapshots.signed(connection, paper)
            found = {summary_hash(data) for data in snapshots.summaries_of(connection, kinds, paper)}
        bad = [doc for doc in signed if told.get(doc) not in found]
        current += len(signed) - len(bad)
        wrong += [doc.hex() for doc in bad]
    return Checked(count, named, current, tuple(forged), tuple(wrong))
