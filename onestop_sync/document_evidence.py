"""Everything that proves one document, in one file: for an auditor who has nothing else.

    file  = MAGIC, then CBOR [kind, document, publication, [frame, …], [header, …], [ack, …], claim, facts]
    claim = [[1, log, document, made_ms, [event, …]], signature]; empty when nobody signed for it

The *publication* holds the root's metadata from the first version on, the trust document and, of an erased
document, its tombstone. The *frames* are the document's events, the geneses and certificates by which their
authors may write, countersignatures, and the same for whoever acknowledged. The *headers*, of events that
belong to other documents, prove what lies before a cut, and what an ack covers. The *claim* is the word of
the machine that made the file: which events it had. Without it nobody could tell that the last ones were
left out. *facts* is room for what a newer program adds; it is kept, and nothing is concluded from it.

The file holds the document's content. `proof.check` says what it proves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from onestop_sync import codec, keys
from onestop_sync.errors import FormatError
from onestop_sync.event import DOC_BYTES, is_name
from onestop_sync.publication import anchor_of, parse_files, root_name

__all__ = ["CLAIM_KIND", "MAGIC", "MAX_BYTES", "Claim", "Evidence"]

MAGIC: Final = b"onestop evidence 1\n"
CLAIM_KIND: Final = "onestop/evidence/1"
MAX_BYTES: Final = 64 * 2**20
"""Largest file that is read."""


class Claim(NamedTuple):
    """What the machine that made the file says that it had.

    Attributes:
        log: Log of the machine.
        doc: The document.
        made_ms: When, milliseconds since 1970 UTC, by that machine's clock.
        events: Ids of the document's events.
    """

    log: bytes
    doc: bytes
    made_ms: int
    events: tuple[bytes, ...]

    def sign(self, signer: keys.Signer) -> bytes:
        """Returns the claim as it travels."""
        payload = codec.encode([1, self.log, self.doc, self.made_ms, sorted(self.events)])
        return codec.encode([payload, signer.sign(codec.pae(CLAIM_KIND, payload))])

    @classmethod
    def parse(cls, data: bytes) -> tuple[Claim, bytes, bytes]:
        """Reads a claim; returns it with the bytes that were signed and the signature.

        Raises:
            FormatError: Malformed.
        """
        match codec.decode(data):
            case [bytes(payload), bytes(signature)]:
                pass
            case _:
                raise FormatError("The claim of an evidence file is malformed.")
        match codec.decode(payload):
            case [1, bytes(log), bytes(doc), int(made_ms), list(events)] if _are_bytes(events):
                return cls(log, doc, made_ms, tuple(events)), codec.pae(CLAIM_KIND, payload), signature
        raise FormatError("The claim of an evidence file is malformed.")


@dataclass(frozen=True)
class Evidence:
    """What proves one document; nothing of it is believed before `proof.check`.

    Attributes:
        kind: Document type.
        doc: Its id.
        publication: Bytes of a publication, or of the part of it that is needed.
        frames: ``[header, signature, body or null]`` each.
        headers: Headers of events of other documents.
        acks: Signed acks of parents.
        claim: See `Claim`; may be empty.
        facts: What a newer program put there.
    """

    kind: str
    doc: bytes
    publication: bytes
    frames: Sequence[Any]
    headers: Sequence[bytes] = ()
    acks: Sequence[bytes] = ()
    claim: bytes = b""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Returns the file."""
        value: list[codec.Value] = [
            self.kind, self.doc, self.publication, list(self.frames), list(self.headers), list(self.acks),
            self.claim, dict(self.facts),
        ]  # fmt: skip
        return MAGIC + codec.encode(value)

    @classmethod
    def parse(cls, data: bytes) -> Evidence:
        """Reads a file.

        Raises:
            FormatError: It is none, or was cut short.
        """
        if not data.startswith(MAGIC):
            raise FormatError(
                "The file is no evidence file of this version.",
                todo="Check the file's name.",
                reason="not_evidence",
            )
        match codec.decode(data[len(MAGIC) :]):
            case [
                str(kind), bytes(doc), bytes(publication), list(frames), list(headers), list(acks),
                bytes(claim), dict(facts),
            ] if is_name(kind) and len(doc) == DOC_BYTES and _are_bytes([*headers, *acks]):  # fmt: skip
                return cls(kind, doc, publication, frames, headers, acks, claim, facts)
        raise FormatError("The evidence file is malformed.")

    @property
    def anchor(self) -> bytes:
        """What the file says is the province's anchor: a person compares its fingerprint.

        Raises:
            FormatError: The publication in it is malformed.
        """
        first = parse_files(self.publication).get(root_name(1))
        if first is None:
            raise FormatError("The publication in the file lacks the first root.")
        return anchor_of(first)


def _are_bytes(values: Sequence[Any]) -> bool:
    return all(type(value) is bytes for value in values)
