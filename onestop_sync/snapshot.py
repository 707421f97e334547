"""Snapshots: what the province signs of finished documents, so that a new machine need not read their past.

    snapshot = [payload, signature]        signature over PAE(SNAPSHOT_KIND, payload)
    payload  = [1, node, unit, at_ms, trust version, [[document, H(summary)], …]]
    summary  = [document type, its version, version of the projection, document, state]

The state of a summary is the folded one without the ids of events, but for its heads: a pure function of the
document's events, so that whoever holds those makes the same bytes, and only the list has to travel with
them. A document of which more is to be said than that (a conflict, a late or refused event, a branch) has no
summary; it is not finished for people either.
"""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

from onestop_sync import codec, keys
from onestop_sync.errors import FormatError, SignatureInvalid
from onestop_sync.schema import DocumentType
from onestop_sync.state import Register, State, TaskState, conflicts

__all__ = [
    "MAX_ENTRIES", "MAX_SUMMARY", "SNAPSHOT_KIND", "Snapshot", "Summary", "check_snapshot", "parse_snapshot",
    "parse_summary", "snapshot_hash", "summary_hash", "without_ids",
]  # fmt: skip

SNAPSHOT_KIND: Final = "onestop/snapshot/1"
MAX_ENTRIES: Final = 200
"""Documents in one snapshot: with their summaries some 30 kB on the wire, a step of its own."""
MAX_SUMMARY: Final = 32 * 1024
"""Bytes of one summary: a larger document comes with its events."""
_HASH_BYTES: Final = 32
_DOC_BYTES: Final = 16


class Snapshot(NamedTuple):
    """What the province says of documents that a unit created and that are finished.

    Attributes:
        node: Log of the machine that signs: a server of the unit at the top.
        unit: The unit that created the documents.
        at_ms: When it was made, by the node's clock; shown, and decides nothing.
        trust_version: Version of the trust document under which the node had folded them.
        entries: ``(document, hash of its summary)``.
    """

    node: bytes
    unit: str
    at_ms: int
    trust_version: int
    entries: tuple[tuple[bytes, bytes], ...]

    def sign(self, signer: keys.Signer) -> bytes:
        """Returns the snapshot as it travels: ``[payload, signature]``."""
        entries: list[codec.Value] = [list(entry) for entry in self.entries]
        payload = codec.encode([1, self.node, self.unit, self.at_ms, self.trust_version, entries])
        return codec.encode([payload, signer.sign(codec.pae(SNAPSHOT_KIND, payload))])


class Summary(NamedTuple):
    """A finished document without its past.

    Attributes:
        kind: Name of its type.
        version: Version of the type with which it was folded.
        projection: Version of the packing of its state.
        doc: Its id, 16 bytes.
        state: Its state without the ids of events, packed.
    """

    kind: str
    version: int
    projection: int
    doc: bytes
    state: bytes

    def to_bytes(self) -> bytes:
        """Returns it as it is hashed, and as it travels."""
        return codec.encode(list(self))


def parse_snapshot(data: bytes) -> tuple[Snapshot, bytes, bytes]:
    """Reads a snapshot; returns it with the bytes that were signed and the signature.

    Raises:
        FormatError: Malformed.
    """
    match codec.decode(data):
        case [bytes(payload), bytes(signature)]:
            pass
        case _:
            raise FormatError("A snapshot is malformed.")
    match codec.decode(payload):
        case [1, bytes(node), str(unit), int(at_ms), int(version), list(entries)] if (
            type(at_ms) is type(version) is int and 0 < len(entries) <= MAX_ENTRIES
        ):
            found = Snapshot(node, unit, at_ms, version, tuple(map(_entry, entries)))
            return found, codec.pae(SNAPSHOT_KIND, payload), signature
    raise FormatError("A snapshot is malformed.")


def _entry(row: object) -> tuple[bytes, bytes]:
    match row:
        case [bytes(doc), bytes(digest)] if len(doc) == _DOC_BYTES and len(digest) == _HASH_BYTES:
            return doc, digest
    raise FormatError("A snapshot is malformed.")


def check_snapshot(data: bytes, key: bytes) -> Snapshot:
    """Reads a snapshot and checks its signature.

    Raises:
        FormatError: Malformed.
        SignatureInvalid: Not by ``key``.
    """
    snapshot, signed, signature = parse_snapshot(data)
    if not keys.verify(key, signed, signature):
        raise SignatureInvalid("A snapshot is not signed by the machine that it names.")
    return snapshot


def parse_summary(data: bytes) -> Summary:
    """Reads a summary.

    Raises:
        FormatError: Malformed.
    """
    match codec.decode(data):
        case [str(kind), int(version), int(projection), bytes(doc), bytes(state)] if len(data) <= MAX_SUMMARY:
            return Summary(kind, version, projection, doc, state)
    raise FormatError("A summary is malformed.")


def snapshot_hash(data: bytes) -> bytes:
    """Returns the hash by which a machine says which snapshot it had last."""
    return hashlib.sha256(data).digest()


def summary_hash(data: bytes) -> bytes:
    """Returns the hash by which a snapshot names a summary."""
    return hashlib.sha256(data).digest()


def without_ids(kind: DocumentType, state: State) -> State | None:
    """Returns a state without the ids of events, but for its heads.

    Returns:
        ``None`` where more is to be said of the document than a summary says.
    """
    if state.refused or state.void_against or conflicts(kind, state):
        return None
    registers: dict[str, Register] = {}
    for key, register in state.registers.items():
        if register.overruled or len(register.live) != 1:
            return None
        registers[key] = Register(((b"", register.live[0][1]),))
    tasks: dict[str, TaskState] = {}
    for name, task in state.tasks.items():
        if task.lost:
            return None
        tasks[name] = TaskState(task.step, task.unit, takers=task.takers, course=task.course)
    notes = {name: [(at_ms, b"", value) for at_ms, _, value in found] for name, found in state.notes.items()}
    return State(state.unit, state.units, state.heads, registers, notes, tasks)
