"""The signed unit, and its log.

An event is one person's edit of one document: a *header* that is signed, and a *body* that the header
names by hash. It is stored and forwarded byte for byte as its author made it; whoever holds it can check
it without believing whoever delivered it.

    header = [version, log, seq, prev, type, document, parents, time_ms, schema, body_size, body_hash]
    body   = [salt, [operation, …]]
    id     = SHA-256(PAE(EVENT_KIND, header)); the signature is Ed25519 over the same bytes

A *log* is one key in one epoch under one certificate. Its first event (the *genesis*, seq 0, with empty
log and prev) names them; the log's id is that event's id. Sequence and prev prove that nothing is
missing; parents alone decide what is concurrent; the claimed time decides nothing.

The salt keeps the hash of a short body from being guessed once the body has been erased.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from onestop_sync import codec, keys
from onestop_sync.errors import FormatError, InvalidInput, SignatureInvalid

__all__ = [
    "EVENT_KIND",
    "LOG",
    "MAX_EVENT_BYTES",
    "Event",
    "Genesis",
    "Header",
    "Op",
    "build",
    "document_id",
    "is_name",
    "parse",
    "parse_body",
    "parse_genesis",
    "parse_header",
    "typed_id",
    "verify",
]

EVENT_KIND: Final = "onestop/event/1"
VERSION: Final = 1
LOG: Final = "log"
"""Document type of a log's genesis."""

ID_BYTES: Final = 32
DOC_BYTES: Final = 16
TAG_BYTES: Final = 4
SALT_BYTES: Final = 16
MAX_EVENT_BYTES: Final = 64 * 1024
MAX_PARENTS: Final = 64
MAX_NAME: Final = 64
"""Longest name of a document type or unit, in characters."""
MAX_EPOCH: Final = 2**31 - 1
"""Last epoch of a key; every database can hold it."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")

Op = Sequence[Any]
"""An operation: ``[kind, …]``.

Shape:
    ``["set", key, value]`` writes a register (or an element ``field/name`` of a set or map)
    ``["note", field, value]`` appends to a list that only grows
    ``["act", task, action, arguments]`` is a transition of a task, with the arguments that the law wants
    ``["resolve", key, value, reason, [event id, …]]`` settles the named writes of a register
    ``["settle", task, at, chosen, reason, [other, …]]`` settles a disputed task
    ``["cert", {…}]`` and ``["log", {…}]`` belong to `trust`
"""


class Header(NamedTuple):
    """What is signed.

    Attributes:
        log: Id of the log; empty in a genesis.
        seq: Place in the log, from 0, without gaps.
        prev: Id of the log's previous event; empty in a genesis.
        doc_type: Name of the document type.
        doc_id: 16 bytes, of which the first 4 are of the type's hash (`typed_id`).
        parents: Heads of the document that the author had seen, sorted.
        time_ms: What the author's clock said, milliseconds since 1970 UTC. Shown, never decisive.
        schema: Version of the document type that the author used.
        body_size: Bytes of the body.
        body_hash: SHA-256 of the body.
    """

    version: int
    log: bytes
    seq: int
    prev: bytes
    doc_type: str
    doc_id: bytes
    parents: tuple[bytes, ...]
    time_ms: int
    schema: int
    body_size: int
    body_hash: bytes


class Event(NamedTuple):
    """One event as it arrived.

    Attributes:
        id: SHA-256 of the bytes that are signed: deduplicate by it and by nothing else.
        header: Decoded header.
        header_bytes: The header as signed.
        signature: 64 bytes. Two valid ones over one header are one event.
        body: The body, or ``None`` where it has not been fetched or was erased.
    """

    id: bytes
    header: Header
    header_bytes: bytes
    signature: bytes
    body: bytes | None

    @property
    def log(self) -> bytes:
        """Id of the log that this event belongs to, also for the genesis itself."""
        return self.header.log or self.id

    @property
    def is_genesis(self) -> bool:
        """Whether this event opens a log."""
        return not self.header.log

    def to_frame(self) -> list[Any]:
        """Returns what travels: ``[header, signature, body or null]``."""
        return [self.header_bytes, self.signature, self.body]


class Genesis(NamedTuple):
    """What a log's first event says.

    Attributes:
        key: Ed25519 public key that signs the whole log.
        cert: Id of the certificate event that is this log's authority; empty for a key that the trust
            document names itself.
        unit: Unit that the key writes for.
        epoch: 0 for the key's first log; each new epoch counts on.
        previous: ``(log, seq, head)`` of the epoch before, as far as it was known; empty in epoch 0.
    """

    key: bytes
    cert: bytes
    unit: str
    epoch: int
    previous: tuple[bytes, int, bytes] | None = None

    def to_op(self) -> Op:
        """Returns the operation that says so."""
        facts = {"cert": self.cert, "epoch": self.epoch, "key": self.key, "unit": self.unit}
        if self.previous:
            facts["previous"] = list(self.previous)
        return ["log", facts]


def document_id(log: bytes, seq: int, doc_type: str) -> bytes:
    """Returns the id of the document that event ``seq`` of ``log`` creates.

    It is derived, so that nobody can create a document under an id that somebody else's already has.
    """
    return typed_id(doc_type, hashlib.sha256(b"onestop document\0" + log + b"%d" % seq).digest())


def typed_id(doc_type: str, raw: bytes) -> bytes:
    """Returns a document id that says its type, so that no event can claim the document for another.

    Without it, a store would have to believe whichever event of a document came first.

    Args:
        doc_type: Name of the document type.
        raw: 12 bytes or more that make the id unique.
    """
    return _type_tag(doc_type) + raw[: DOC_BYTES - TAG_BYTES]


@lru_cache(maxsize=256)
def _type_tag(doc_type: str) -> bytes:
    return hashlib.sha256(b"onestop type\0" + doc_type.encode()).digest()[:TAG_BYTES]


def is_name(text: str) -> bool:
    """Tells whether this can name a document type or a unit: not empty, not long, no control characters.

    A database may refuse a NUL, and what one replica cannot store stops every sync through it. The
    characters are listed: other classes of Unicode change with its version, and a verdict may not.
    """
    return 0 < len(text) <= MAX_NAME and _CONTROL.search(text) is None


def build(  # noqa: PLR0913 - the header has these fields
    signer: keys.Signer,
    *,
    log: bytes,
    seq: int,
    prev: bytes,
    doc_type: str,
    doc_id: bytes,
    parents: Iterable[bytes],
    time_ms: int,
    schema: int,
    ops: Sequence[Op],
    salt: bytes,
) -> Event:
    """Makes and signs an event.

    Raises:
        InvalidInput: It would be larger than `MAX_EVENT_BYTES` or outside the value space.
    """
    body = codec.encode([salt, [list(op) for op in ops]])
    header = Header(
        VERSION, log, seq, prev, doc_type, doc_id, tuple(sorted(parents)),
        time_ms, schema, len(body), hashlib.sha256(body).digest(),
    )  # fmt: skip
    header_bytes = codec.encode([*header[:6], list(header.parents), *header[7:]])
    size = len(body) + len(header_bytes)
    if size > MAX_EVENT_BYTES:
        raise InvalidInput(
            f"One edit may hold {MAX_EVENT_BYTES} bytes, and this one has {size}.",
            todo="Nothing was changed. Shorten the text, or put it into an attachment.",
        )
    signed = codec.pae(EVENT_KIND, header_bytes)
    return Event(hashlib.sha256(signed).digest(), header, header_bytes, signer.sign(signed), body)


def parse(frame: object) -> Event:
    """Reads a frame strictly; the signature is not checked yet (see `verify`).

    Raises:
        FormatError: Not an event: malformed, over a limit, or the body is not the one the header names.
    """
    match frame:
        case [bytes(header_bytes), bytes(signature), bytes() | None as body]:
            pass
        case _:
            raise FormatError("A frame is not an event.")
    if len(header_bytes) + len(body or b"") > MAX_EVENT_BYTES or len(signature) != keys.SIGNATURE_BYTES:
        raise FormatError("An event is larger than the protocol allows.")
    header = parse_header(header_bytes)
    if body is not None and (
        len(body) != header.body_size or hashlib.sha256(body).digest() != header.body_hash
    ):
        raise FormatError("The body of an event is not the one that its header names.")
    event_id = hashlib.sha256(codec.pae(EVENT_KIND, header_bytes)).digest()
    return Event(event_id, header, header_bytes, signature, body)


def verify(event: Event, key: bytes) -> None:
    """Checks the signature.

    Raises:
        SignatureInvalid: The event was changed on the way, or forged.
    """
    if not keys.verify(key, codec.pae(EVENT_KIND, event.header_bytes), event.signature):
        raise SignatureInvalid("The signature of an event is wrong: it was changed on the way, or forged.")


def parse_body(body: bytes) -> list[Op]:
    """Returns the operations of a body; operations of kinds unknown here are kept as they are.

    Raises:
        FormatError: Not a body.
    """
    match codec.decode(body):
        case [bytes(salt), [_, *_] as ops] if len(salt) == SALT_BYTES and all(map(_is_op, ops)):
            return list(ops)
    raise FormatError("The body of an event is malformed.")


def parse_genesis(event: Event) -> Genesis:
    """Reads a log's first event.

    Raises:
        FormatError: Not a genesis, or its key is not a valid point.
    """
    if event.body is None or not event.is_genesis or event.header.doc_type != LOG:
        raise FormatError("A log does not begin with a genesis.")
    match parse_body(event.body):
        case [
            ["log", {"cert": bytes(cert), "epoch": int(epoch), "key": bytes(key), "unit": str(unit)} as facts]
        ]:
            previous = _parse_previous(facts.get("previous"))
            if not keys.is_valid_key(key):
                raise FormatError("A log names a key that is not a valid point.")
            if (
                len(cert) in {0, ID_BYTES}
                and type(epoch) is int
                and 0 <= epoch <= MAX_EPOCH
                and is_name(unit)
            ):
                return Genesis(key, cert, unit, epoch, previous)
    raise FormatError("A log's first event is malformed.")


def _parse_previous(value: object) -> tuple[bytes, int, bytes] | None:
    match value:
        case None:
            return None
        case [bytes(log), int(seq), bytes(head)] if len(log) == len(head) == ID_BYTES and seq >= 0:
            return log, seq, head
    raise FormatError("A log's first event names its previous epoch wrongly.")


def _is_op(op: object) -> bool:
    return isinstance(op, list) and len(op) > 1 and isinstance(op[0], str)


def parse_header(data: bytes) -> Header:
    """Reads a header strictly.

    Raises:
        FormatError: It is malformed, or of a version that is not known here.
    """
    value = codec.decode(data)
    if type(value) is not list or len(value) != len(Header._fields):
        raise FormatError("The header of an event is malformed.")
    version, log, seq, prev, doc_type, doc_id, parents, time_ms, schema, body_size, body_hash = value
    if version != VERSION or type(version) is not int:
        raise FormatError("An event has a version that this program does not know.")
    if not (
        type(log) is type(prev) is type(doc_id) is type(body_hash) is bytes
        and type(seq) is type(time_ms) is type(schema) is type(body_size) is int
        and type(doc_type) is str
        and type(parents) is list
        and len(parents) <= MAX_PARENTS
        and all(type(p) is bytes and len(p) == ID_BYTES for p in parents)
        and parents == sorted(set(parents))
        and len(doc_id) == DOC_BYTES
        and len(body_hash) == ID_BYTES
        and is_name(doc_type)
        and doc_id.startswith(_type_tag(doc_type))
        and schema >= 0
        and body_size > 0
    ):
        raise FormatError("The header of an event is malformed.")
    is_genesis = seq == 0 and not log and not prev
    if not is_genesis and not (seq > 0 and len(log) == len(prev) == ID_BYTES):
        raise FormatError("The header of an event is malformed.")
    return Header(
        version, log, seq, prev, doc_type, doc_id, tuple(parents), time_ms, schema, body_size, body_hash
    )
