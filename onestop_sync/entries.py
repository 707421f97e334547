"""Events as the fold sees them: by whose authority each is, and what it waits for. Pure.

A store folds what it keeps by this, and an auditor what a file holds: the same events, the same entries.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Final

from onestop_sync.errors import FormatError
from onestop_sync.event import LOG, Event, Op, document_id, parse_body
from onestop_sync.fold import Author, Entry, Reason
from onestop_sync.schema import DocumentType
from onestop_sync.trust import SYSTEM, Authority, NoAuthority, Trust

__all__ = ["KNOWN_OPS", "NEWER", "OF_TRUST", "entry_of", "ops_of", "ready"]

KNOWN_OPS: Final = frozenset({"set", "note", "act", "resolve", "settle"})
"""Kinds of operations that this version folds; an event with another waits for a newer program."""
NEWER: Final = b"newer"
"""What an event needs that only a newer program understands."""
OF_TRUST: Final = SYSTEM | {LOG}
"""Document types that `trust` reads, and the fold does not."""
_NOBODY: Final = Author("", frozenset(), frozenset())


def ops_of(event: Event) -> list[Op] | None:
    """Returns an event's operations; ``None`` when its body is not here or malformed."""
    if event.body is None:
        return None
    try:
        return parse_body(event.body)
    except FormatError:
        return None


def entry_of(kind: DocumentType, trust: Trust, event: Event) -> Entry | bytes:
    """Returns an event as the fold sees it, or what it waits for.

    Returns:
        The entry; or the id of an event that is missing (its own, when its body is), or `NEWER`.
    """
    header = event.header
    if header.schema > kind.version:
        return NEWER
    if event.body is None:
        return event.id
    authority = trust.authority_at(event.log, header.seq, event.id)
    refusal: Reason | None = None
    author = _NOBODY
    if isinstance(authority, Authority):
        author = _author(trust, authority, header.doc_id)
        if authority.certificate.kind not in kind.writers:
            refusal = Reason.AUTHORITY
    elif isinstance(authority, NoAuthority):
        refusal = Reason.AUTHORITY
    else:
        return authority.needs
    ops = ops_of(event)
    if ops is None or header.doc_type != kind.name:
        ops, refusal = [], Reason.UNKNOWN
    elif any(op[0] not in KNOWN_OPS for op in ops):
        return NEWER
    if not header.parents and header.doc_id != document_id(event.log, header.seq, header.doc_type):
        refusal = Reason.ORIGIN
    return Entry(event.id, header.parents, ops, author, header.time_ms, refusal)


def _author(trust: Trust, authority: Authority, doc: bytes) -> Author:
    """Returns the author as the fold sees them: of a unit that was split, each successor has its part."""
    return trust.author(authority.certificate, doc) if trust.document.tree.has_splits else authority.author


def ready(
    kind: DocumentType, trust: Trust, events: Iterable[Event]
) -> tuple[list[Entry], dict[bytes, bytes]]:
    """Splits events of a document into those that can be folded and those that wait.

    Returns:
        The entries, and for each event that waits what it waits for, as `entry_of` says it.
    """
    found: dict[bytes, Entry] = {}
    waits: dict[bytes, bytes] = {}
    left: dict[bytes, Entry] = {}
    for event in events:
        entry = entry_of(kind, trust, event)
        if isinstance(entry, Entry):
            left[event.id] = entry
        else:
            waits[event.id] = entry
    children: dict[bytes, list[Entry]] = {}
    missing = {entry.id: len(entry.parents) for entry in left.values()}
    for entry in left.values():
        for parent in entry.parents:
            children.setdefault(parent, []).append(entry)
    free = [entry for entry in left.values() if not entry.parents]
    while free:
        entry = free.pop()
        found[entry.id] = left.pop(entry.id)
        for child in children.get(entry.id, ()):
            missing[child.id] -= 1
            if not missing[child.id]:
                free.append(child)
    for entry in left.values():
        waits[entry.id] = next(p for p in entry.parents if p not in found)
    _hand_down(children, found, waits)
    return list(found.values()), waits


def _hand_down(
    children: Mapping[bytes, Sequence[Entry]], found: Container[bytes], waits: dict[bytes, bytes]
) -> None:
    """Notes that what has seen an event that waits for a newer program waits for that as well."""
    newer = [event_id for event_id, need in waits.items() if need == NEWER]
    while newer:
        for child in children.get(newer.pop(), ()):
            lacking = (p for p in child.parents if p not in found)
            if waits[child.id] != NEWER and all(waits.get(p) == NEWER for p in lacking):
                waits[child.id] = NEWER
                newer.append(child.id)
