"""What stays of a document that was erased by law: the ids of its events, what became of them, and its row.

    targets of the publication:  tombstones-0001 tombstones-0002 …
    a file    = [1, [tombstone, …]]
    tombstone = [type, document, erased_ms, why, [unit, …], row, [[event, standing, reason], …]]
    row       = {name: value}: what the register keeps (code, procedure, dates, outcome), nothing personal;
                ``label`` is what people call the document by, ``tally`` what reports count it by

Tombstones are part of what the province publishes (`publication`): signed, versioned, mirrored by relays and
sticks. A replica that learns of one drops the bodies of the document's events and all that it made of them;
headers and signatures stay, so the logs still verify. A file that is full is never written again, so that a
new tombstone costs one small file, however many there are.

Source: docs/decisions/0029-tombstones.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from onestop_sync import codec
from onestop_sync.entries import OF_TRUST
from onestop_sync.errors import FormatError, InvalidInput
from onestop_sync.event import DOC_BYTES, ID_BYTES, is_name
from onestop_sync.fold import Reason, Standing
from onestop_sync.publication import Publication
from onestop_sync.schema import Tally

__all__ = ["ERASED", "PREFIX", "TALLY", "Buried", "Tombstone", "add", "is_tombstones", "read", "tombstones"]

PREFIX: Final = "tombstones-"
"""What the names of the files begin with."""
ERASED: Final = "erased"
"""The step of an erased document in lists, and the reason why nothing more is written to it."""
TALLY: Final = "tally"
"""Name in the row of what reports still count of it, see `schema.Tally`."""
VERSION: Final = 1
MAX_EVENTS: Final = 10_000
_FULL_BYTES: Final = 64 * 1024
"""A file of this size takes no more tombstones."""
_MAX_WHY: Final = 500
_STANDINGS: Final = frozenset(map(str, Standing))
_REASONS: Final = frozenset(map(str, Reason)) | {"", "countersign", "missing", "newer", ERASED}


@dataclass(frozen=True, slots=True)
class Buried:
    """What became of one event, for good.

    Attributes:
        standing: As it was when the document was erased.
        reason: Why it was refused, if it was.
    """

    standing: Standing
    reason: str = ""


@dataclass(frozen=True)
class Tombstone:
    """What stays of one document.

    Attributes:
        kind: Its type.
        doc: Its id, 16 bytes.
        erased_ms: When it was erased, milliseconds since 1970 UTC.
        why: By what law or decision.
        units: Every unit that took part; the first is the one that created it.
        row: What the register keeps; see `schema.DocumentType.register`.
        events: Event → what became of it.
    """

    kind: str
    doc: bytes
    erased_ms: int
    why: str
    units: tuple[str, ...]
    row: Mapping[str, Any]
    events: Mapping[bytes, Buried]

    def __post_init__(self) -> None:
        """Refuses one that nobody could read.

        Raises:
            InvalidInput: It is about no document, gives no reason, or is too large.
        """
        if self.kind in OF_TRUST or not is_name(self.kind) or len(self.doc) != DOC_BYTES:
            raise InvalidInput("A tombstone is of a document.")
        if not self.why.strip() or len(self.why) > _MAX_WHY:
            raise InvalidInput(f"A tombstone gives a reason of at most {_MAX_WHY} characters.")
        if not 0 < len(self.events) <= MAX_EVENTS:
            raise InvalidInput(f"A tombstone names from 1 to {MAX_EVENTS} events.")

    @property
    def tally(self) -> Tally | None:
        """What reports count it by; ``None`` where the row says nothing of it."""
        match self.row.get(TALLY):
            case [str(), str(), str(), int(), int() | None, int() | None, bytes()] as found:
                return Tally(*found)
        return None

    def to_row(self) -> codec.Value:
        """Returns the tombstone as it travels."""
        events: list[codec.Value] = [
            [event, str(found.standing), found.reason] for event, found in sorted(self.events.items())
        ]
        return [
            self.kind,
            self.doc,
            self.erased_ms,
            codec.nfc(self.why),
            list(self.units),
            dict(self.row),
            events,
        ]

    def to_bytes(self) -> bytes:
        """Returns the same as bytes: equal at every replica."""
        return codec.encode(self.to_row())

    @classmethod
    def from_row(cls, row: object) -> Tombstone:
        """Reads a tombstone.

        Raises:
            FormatError: Malformed.
        """
        match row:
            case [
                str(kind), bytes(doc), int(erased_ms), str(why), list(units), dict(facts), list(events)
            ] if all(isinstance(unit, str) for unit in units):  # fmt: skip
                try:
                    return cls(kind, doc, erased_ms, why, tuple(units), facts, dict(map(_buried, events)))
                except InvalidInput as error:
                    raise FormatError(error.what) from error
        raise FormatError("A tombstone is malformed.")

    @classmethod
    def from_bytes(cls, data: bytes) -> Tombstone:
        """Reads what `to_bytes` gave.

        Raises:
            FormatError: Malformed.
        """
        return cls.from_row(codec.decode(data))

    @property
    def label(self) -> str:
        """What people called the document by."""
        found = self.row.get("label")
        return found if isinstance(found, str) else ""

    def became(self, event: bytes) -> Buried:
        """Returns what became of an event; one that it does not name came too late to be anything."""
        return self.events.get(event, Buried(Standing.REFUSED, ERASED))


def _buried(row: object) -> tuple[bytes, Buried]:
    match row:
        case [bytes(event), str(standing), str(reason)] if (
            len(event) == ID_BYTES and standing in _STANDINGS and reason in _REASONS
        ):
            return event, Buried(Standing(standing), reason)
    raise FormatError("A tombstone names an event wrongly.")


def is_tombstones(name: str) -> bool:
    """Tells whether a published file of this name holds tombstones."""
    return name.startswith(PREFIX)


def read(data: bytes) -> list[Tombstone]:
    """Reads a file of tombstones.

    Raises:
        FormatError: Malformed.
    """
    match codec.decode(data):
        case [1, list(rows)]:
            return list(map(Tombstone.from_row, rows))
    raise FormatError("A file of tombstones is malformed.")


def tombstones(publication: Publication) -> dict[bytes, Tombstone]:
    """Returns all tombstones of a publication by document; of two of one document the first counts.

    What is malformed is passed over: the publication is signed, and a newer program may write otherwise.
    """
    found: dict[bytes, Tombstone] = {}
    for name in sorted(filter(is_tombstones, publication.targets)):
        data = publication.target(name)
        try:
            rows = read(data) if data is not None else []
        except FormatError:
            continue
        for each in rows:
            found.setdefault(each.doc, each)
    return found


def add(publication: Publication, fresh: Iterable[Tombstone]) -> dict[str, bytes | None]:
    """Returns the files that change when tombstones are added, for `publisher.publish`.

    Documents that have one keep it.
    """
    held = tombstones(publication)
    wanted = [each for each in fresh if each.doc not in held]
    names = sorted(filter(is_tombstones, publication.targets))
    number = len(names)
    last = publication.target(names[-1]) if names else None
    rows: list[Tombstone] = []
    if last is not None and len(last) < _FULL_BYTES:
        rows, number = read(last), number - 1
    found: dict[str, bytes | None] = {}
    for each in wanted:
        rows.append(each)
        data = _file(rows)
        found[f"{PREFIX}{number + 1:04d}"] = data
        if len(data) >= _FULL_BYTES:
            rows, number = [], number + 1
    return found


def _file(rows: Sequence[Tombstone]) -> bytes:
    return codec.encode([VERSION, [each.to_row() for each in rows]])
