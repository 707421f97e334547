"""What a proof comes to: plain values, for screens, commands and JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from onestop_sync.event import Event, Op
from onestop_sync.fold import Standing, State
from onestop_sync.tombstone import Tombstone

__all__ = ["NOTES", "PROBLEMS", "Acked", "Exporter", "Link", "Problem", "Proven", "Report"]

PROBLEMS: Final[Mapping[str, str]] = {
    "publication": "What the province published does not check from the root up.",
    "malformed": "A frame is not an event, or its body is not the one that was signed.",
    "forged": "The signature is wrong: the event was changed, or is by another key.",
    "foreign": "The event belongs to another document.",
    "no_log": "The first event of the author's log is missing, so the signature cannot be checked.",
    "no_authority": "A certificate, or a log that leads to the root, is missing.",
    "no_chain": "A header is missing that tells whether the event lies before a cut.",
    "no_parent": "An event that this one follows is missing.",
    "no_body": "The content of the event is missing, and no tombstone says why.",
    "newer": "The event needs a newer version of this program.",
    "type": "This program does not know the document's type.",
    "empty": "There is no event of the document.",
    "ack_forged": "An ack is malformed, or its signature is wrong.",
    "ack_stranger": "An ack is by a machine that may not give it, or whose certificate is missing.",
    "claim": "The word of the machine that made the file does not check.",
    "left_out": "The machine that made the file had this event, and it is not here.",
    "put_in": "The machine that made the file did not have this event.",
    "not_erased": "The document was erased, and the content of the event is still here.",
    "projection": "What the store shows differs from what the events fold to.",
    "broken": "The log has a hole, or an event does not follow the one before.",
    "head": "The store's head of the log is not the end of its chain.",
    "summary": "What the store shows by a snapshot is not what the province signed.",
}
"""Code → what is wrong. Each is a reason why something is not proven."""


NOTES: Final[Mapping[str, str]] = {
    "fork": "Another event has the same place in the same log: the key was used on two machines.",
    "ack_short": "An ack covers the event by a head to which the headers are not here.",
    "no_claim": "No machine has signed for which events there are: later ones may have been left out.",
    "not_buried": "The tombstone names this event, and it is not here.",
}
"""Code → what is to be known, and is no fault."""


class Problem(NamedTuple):
    """Something that is not proven.

    Attributes:
        code: One of `PROBLEMS`.
        subject: What it is about: an event's id, a log's or a document's; empty for all of it.
        detail: More, in English: the id of what is missing, say.
    """

    code: str
    subject: bytes = b""
    detail: str = ""


class Link(NamedTuple):
    """One certificate on the way from an event to the root.

    Attributes:
        certificate: Id of the event that certifies; empty where the root names the key itself.
        key: The certified Ed25519 public key.
        name: Whose.
        unit: For which unit.
        kind: ``machine`` or ``officer``.
        roles: Its roles, sorted.
    """

    certificate: bytes
    key: bytes
    name: str
    unit: str
    kind: str
    roles: tuple[str, ...]


class Acked(NamedTuple):
    """A parent's signed word that it has stored an event.

    Attributes:
        node: Log of its machine.
        name: The machine's name.
        unit: Its unit.
        at_ms: When it said so.
    """

    node: bytes
    name: str
    unit: str
    at_ms: int


class Exporter(NamedTuple):
    """The machine that made an evidence file: its log, name and unit, and when by its clock."""

    log: bytes
    name: str
    unit: str
    made_ms: int


@dataclass(frozen=True)
class Proven:
    """What was found out about one event.

    Attributes:
        event: The event.
        ops: What it did; empty where its content was erased, or is malformed.
        chain: From the author's certificate up to the root; empty when it does not get there.
        standing: What became of it; ``None`` when that cannot be told.
        reason: Why it is refused, or for what it waits.
        acks: Who has acknowledged it, proven by signature and chain.
    """

    event: Event
    ops: tuple[Op, ...]
    chain: tuple[Link, ...]
    standing: Standing | None
    reason: str = ""
    acks: tuple[Acked, ...] = ()


@dataclass
class Report:
    """What a proof of one document came to.

    Attributes:
        doc: The document.
        kind: Its type.
        anchor: The province's anchor, which everything was proven from.
        version: Version of the publication; 0 when it did not check.
        issued_ms: When its trust document was made.
        events: One entry for each event whose signature is right, in an order that parents allow.
        problems: What is not proven; empty when everything is.
        notes: What is to be known, and is no fault: ``(one of NOTES, event)``.
        state: What the events fold to; ``None`` for an erased document, or when nothing could be folded.
        fingerprint: SHA-256 of the folded state, or of the tombstone: equal at every replica that has the
            same events.
        tombstone: Of an erased document.
        exporter: Who made the file.
        units: Unit → its Vietnamese name.
    """

    doc: bytes
    kind: str
    anchor: bytes
    version: int = 0
    issued_ms: int = 0
    events: list[Proven] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[tuple[str, bytes]] = field(default_factory=list)
    state: State | None = None
    fingerprint: bytes = b""
    tombstone: Tombstone | None = None
    exporter: Exporter | None = None
    units: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_proven(self) -> bool:
        """Whether everything checks."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """Returns plain data: bytes in hex, without the document's content except in ``ops``."""
        return {
            "doc": self.doc.hex(),
            "kind": self.kind,
            "proven": self.is_proven,
            "anchor": self.anchor.hex(),
            "publication": self.version,
            "issued_ms": self.issued_ms,
            "fingerprint": self.fingerprint.hex(),
            "events": [_event_json(each) for each in self.events],
            "problems": [_plain(problem._asdict()) for problem in self.problems],
            "notes": [{"code": code, "subject": subject.hex()} for code, subject in self.notes],
            "erased": _plain(_tomb_json(self.tombstone)) if self.tombstone else None,
            "exporter": _plain(self.exporter._asdict()) if self.exporter else None,
        }


def _event_json(proven: Proven) -> dict[str, Any]:
    header = proven.event.header
    found: dict[str, Any] = _plain(
        {
            "id": proven.event.id,
            "log": proven.event.log,
            "seq": header.seq,
            "time_ms": header.time_ms,
            "parents": list(header.parents),
            "ops": list(proven.ops),
            "chain": [link._asdict() for link in proven.chain],
            "standing": proven.standing and str(proven.standing),
            "reason": proven.reason,
            "acks": [acked._asdict() for acked in proven.acks],
        }
    )
    return found


def _tomb_json(tombstone: Tombstone) -> dict[str, Any]:
    return {"erased_ms": tombstone.erased_ms, "why": tombstone.why, "row": tombstone.row}


def _plain(value: Any) -> Any:
    """Returns a value as JSON can say it."""
    match value:
        case bytes():
            return value.hex()
        case dict():
            return {str(key): _plain(part) for key, part in value.items()}
        case list() | tuple():
            return [_plain(part) for part in value]
        case Mapping():
            return {str(key): _plain(part) for key, part in value.items()}
    return value
