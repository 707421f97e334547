"""The audit trail as a document type: who looked, searched, printed, exported, came, left, or was refused.

One signed event in the log of the officer (or, before anybody has unlocked, of the machine) makes one *batch*
of entries, and nothing changes a batch afterwards: not its author, not an administrator. An entry names
dossiers by id and people never, but for the officer whose passphrase was wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from onestop_sync.codec import MAX_INT
from onestop_sync.errors import InvalidInput
from onestop_sync.event import Op
from onestop_sync.schema import DocumentType, Field, Summary
from onestop_sync.state import State

__all__ = [
    "ENTRIES",
    "KINDS",
    "MAX_ENTRIES",
    "SPAN_MS",
    "TRAIL",
    "Entry",
    "entries_of",
    "merged",
    "plan_batches",
]

ENTRIES: Final = "entries"
"""The field that holds a batch's entries."""
MAX_ENTRIES: Final = 200
"""Entries of one batch, so that it is far smaller than an event may be."""
SPAN_MS: Final = 3600 * 1000
"""The entries of one batch lie within an hour, so that a day is found by the batches' times."""

KINDS: Final = frozenset({
    "login", "lock", "logout", "command", "wrong_passphrase", "read", "list", "search", "print", "export",
    "import", "sync", "refused", "audit", "audit_export",
})  # fmt: skip
"""What can be noted. ``command`` is a log-in for one command; ``list`` shows dossiers without a search."""
_CODE: Final = re.compile(r"[a-z0-9_.:/-]{0,80}")
_MAX_WHO: Final = 200
_DOC_BYTES: Final = frozenset({0, 16})


class Entry(NamedTuple):
    """One thing that was done.

    Attributes:
        at_ms: When, by the machine's clock; milliseconds since 1970 UTC.
        what: One of `KINDS`.
        doc: Id of the dossier; empty where there is none, or more than one.
        times: How often, from then on, within one batch.
        lines: Lines that a list, a search or an export showed at most.
        code: What more is known, as a code: a command's name, an action and why it was refused. No words.
        who: The officer who is meant where the machine signs; empty where the officer does.
    """

    at_ms: int
    what: str
    doc: bytes = b""
    times: int = 1
    lines: int = 0
    code: str = ""
    who: str = ""

    def checked(self) -> Entry:
        """Returns the entry, when nothing but codes and numbers is in it.

        Raises:
            InvalidInput: It is none, or holds words.
        """
        if not _is_entry(self):
            raise InvalidInput("An entry of the audit trail holds codes and numbers only.")
        return self


def _is_entry(entry: Entry) -> bool:
    numbers = (entry.at_ms, entry.times, entry.lines)
    return (
        all(type(n) is int and 0 <= n <= MAX_INT for n in numbers)
        and all(type(text) is str for text in (entry.what, entry.code, entry.who))
        and type(entry.doc) is bytes
        and len(entry.doc) in _DOC_BYTES
        and entry.what in KINDS
        and _CODE.fullmatch(entry.code) is not None
        and len(entry.who) <= _MAX_WHO
    )


def merged(entries: Iterable[Entry]) -> list[Entry]:
    """Returns entries with those that are alike but for their time made one."""
    found: dict[tuple[str, bytes, str, str], Entry] = {}
    for entry in entries:
        key = (entry.what, entry.doc, entry.code, entry.who)
        first = found.get(key)
        if first is not None:
            times, lines = first.times + entry.times, max(first.lines, entry.lines)
            entry = first._replace(times=times, lines=lines)  # noqa: PLW2901 - it takes the first one's place
        found[key] = entry
    return list(found.values())


def plan_batches(entries: Sequence[Entry]) -> list[list[Op]]:
    """Returns the operations of the batches that hold the entries, one event each."""
    batches: list[list[Entry]] = []
    for entry in entries:
        last = batches[-1] if batches else []
        if last and len(last) < MAX_ENTRIES and abs(entry.at_ms - last[0].at_ms) < SPAN_MS:
            last.append(entry)
        else:
            batches.append([entry])
    return [[["note", ENTRIES, [list(entry.checked()) for entry in batch]]] for batch in batches]


def entries_of(state: State) -> list[tuple[bytes, Entry]]:
    """Returns the entries of a batch, each with the event that holds it; what is no entry is left out.

    A fork of the author's log may give one batch two events: both count.
    """
    found: list[tuple[bytes, Entry]] = []
    for _, event, value in state.notes.get(ENTRIES, []):
        found += [(event, entry) for entry in map(_entry, value if isinstance(value, list) else []) if entry]
    return found


def _entry(value: Any) -> Entry | None:
    if not isinstance(value, list) or len(value) != len(Entry._fields):
        return None
    entry = Entry(*value)
    return entry if _is_entry(entry) else None


def _summarise(state: State) -> Summary:
    """Lists a batch by the time of its last entry, and finds it by the ids of its dossiers."""
    entries = [entry for _, entry in entries_of(state)]
    docs = sorted({entry.doc.hex() for entry in entries if entry.doc})
    return Summary(due_ms=max((entry.at_ms for entry in entries), default=None), search=" ".join(docs))


TRAIL: Final = DocumentType(
    "trail",
    fields=(Field(ENTRIES, kind="notes"),),
    writers=frozenset({"officer", "machine"}),
    is_final=True,
    summarise=_summarise,
)
