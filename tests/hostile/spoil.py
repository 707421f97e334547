"""Kinds of mutation of one event in a packet: each makes of honest events what a hostile relay would send.

Each takes the honest events of a packet and the place of one of them, and returns what stands there
instead, or beside it, and the ids of what a machine may store of that, without effect: what the relay's
accomplice has signed with a key that is certified, for something else.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from onestop_sync import codec
from onestop_sync.event import (
    EVENT_KIND,
    LOG,
    MAX_EVENT_BYTES,
    Event,
    Genesis,
    Header,
    document_id,
    parse_body,
    typed_id,
)
from onestop_sync.keys import Signer
from onestop_sync.schema import MAIN
from onestop_sync.testing.hostile import RawLog
from onestop_sync.trust import CERTIFICATE
from tests.hostile.material import Material, certificate_for
from tests.province import CASE


class Spoilt(NamedTuple):
    """What a relay makes of an event.

    Attributes:
        frames: Stand in its place, or beside it.
        marked: Ids of events among them that may be stored, waiting or refused.
    """

    frames: list[Any]
    marked: frozenset[bytes] = frozenset()


Spoil = Callable[[Material, Event], Spoilt]


def _frame(event: Event, **changes: Any) -> Spoilt:
    """Returns a frame of which something was replaced."""
    found = {"header": event.header_bytes, "signature": event.signature, "body": event.body, **changes}
    return Spoilt([[found["header"], found["signature"], found["body"]]])


def _header(header: Header) -> bytes:
    return codec.encode([*header[:6], list(header.parents), *header[7:]])


def _flip(material: Material, data: bytes) -> bytes:
    at = material.dice.randrange(len(data) * 8)
    changed = bytearray(data)
    changed[at // 8] ^= 1 << at % 8
    return bytes(changed)


def _body(event: Event) -> bytes:
    assert event.body is not None
    return event.body


def _other(material: Material, event: Event) -> Event:
    return material.dice.pick([e for e in material.events if e.id != event.id])


# ---- bytes that were changed


def header_bit(material: Material, event: Event) -> Spoilt:
    """One bit of the header."""
    return _frame(event, header=_flip(material, event.header_bytes))


def body_bit(material: Material, event: Event) -> Spoilt:
    """One bit of the body."""
    return _frame(event, body=_flip(material, _body(event)))


def signature_bit(material: Material, event: Event) -> Spoilt:
    """One bit of the signature."""
    return _frame(event, signature=_flip(material, event.signature))


def header_cut(material: Material, event: Event) -> Spoilt:
    """A header that ends early."""
    return _frame(event, header=event.header_bytes[: material.dice.randrange(len(event.header_bytes))])


def body_cut(material: Material, event: Event) -> Spoilt:
    """A body that ends early."""
    return _frame(event, body=_body(event)[: material.dice.randrange(len(_body(event)))])


def signature_cut(material: Material, event: Event) -> Spoilt:
    """A signature of another length."""
    return _frame(event, signature=material.dice.pick([event.signature[:63], event.signature + b"\0", b""]))


def header_extended(material: Material, event: Event) -> Spoilt:
    """Bytes after the header."""
    return _frame(event, header=event.header_bytes + material.dice.randbytes(1 + material.dice.randrange(9)))


def body_extended(material: Material, event: Event) -> Spoilt:
    """Bytes after the body."""
    return _frame(event, body=_body(event) + material.dice.randbytes(1 + material.dice.randrange(9)))


def header_otherwise(material: Material, event: Event) -> Spoilt:
    """The same header, written as CBOR may be and this format may not."""
    return _frame(event, header=_otherwise(material, event.header_bytes))


def body_otherwise(material: Material, event: Event) -> Spoilt:
    """The same body, written as CBOR may be and this format may not."""
    return _frame(event, body=_otherwise(material, _body(event)))


def _otherwise(material: Material, data: bytes) -> bytes:
    size = data[0] & 0x1F  # both are arrays of fewer than 24 items
    heads = (b"\x98" + bytes([size]), b"\x99" + struct.pack(">H", size), b"\xd9\xd9\xf7" + data[:1])
    if material.dice.happens(0.25):
        return b"\x9f" + data[1:] + b"\xff"
    return material.dice.pick(heads) + data[1:]


# ---- parts of one event on another


def bodies_swapped(material: Material, event: Event) -> Spoilt:
    """The body of another event."""
    return _frame(event, body=_other(material, event).body)


def signatures_swapped(material: Material, event: Event) -> Spoilt:
    """The signature of another event."""
    return _frame(event, signature=_other(material, event).signature)


def body_left_out(material: Material, event: Event) -> Spoilt:
    """No body, or an empty one."""
    return _frame(event, body=material.dice.pick([None, b""]))


def forged_twin(material: Material, event: Event) -> Spoilt:
    """The same event with signatures that are none, before and after the true one."""
    wrong = [[event.header_bytes, material.dice.randbytes(64), event.body] for _ in range(3)]
    return Spoilt([*wrong, event.to_frame(), *wrong])


# ---- headers that say something else, under the old signature


def _changed(event: Event, **changes: Any) -> Spoilt:
    return _frame(event, header=_header(event.header._replace(**changes)))


def other_log(material: Material, event: Event) -> Spoilt:
    """An event that is put into somebody else's log."""
    thief = material.cast.thief
    last = thief.events[-1]
    return _changed(event, log=thief.id, seq=last.header.seq + 1, prev=last.id)


def other_seq(material: Material, event: Event) -> Spoilt:
    """Another place in its log."""
    return _changed(event, seq=event.header.seq + material.dice.pick([-1, 1, 2**40]))


def other_prev(material: Material, event: Event) -> Spoilt:
    """Another event before it."""
    return _changed(event, prev=_other(material, event).id)


def other_type(material: Material, event: Event) -> Spoilt:
    """Another type of document, whose id fits it or does not."""
    kind = material.dice.pick([CERTIFICATE, LOG, "dossier", "case2"])
    fits = typed_id(kind, event.header.doc_id[4:] + bytes(4))
    return _changed(event, doc_type=kind, doc_id=material.dice.pick([fits, event.header.doc_id]))


def other_document(material: Material, event: Event) -> Spoilt:
    """Another document."""
    docs = {e.header.doc_id for e in material.events} - {event.header.doc_id}
    return _changed(event, doc_id=material.dice.pick([*sorted(docs), typed_id(CASE.name, bytes(16))]))


def other_parents(material: Material, event: Event) -> Spoilt:
    """Other parents: none, too many, in disorder, twice."""
    one, two = sorted([_other(material, event).id, material.cast.thief.id])
    found = material.dice.pick([(one,), (two, one), (one, one), tuple(sorted(_ids(65)))])
    if found == event.header.parents:
        found = (two,)
    return _changed(event, parents=found)


def _ids(count: int) -> list[bytes]:
    return [hashlib.sha256(b"%d" % n).digest() for n in range(count)]


def other_time(material: Material, event: Event) -> Spoilt:
    """Another hour of writing."""
    return _changed(event, time_ms=event.header.time_ms + material.dice.pick([-1, 1, 10**10]))


def future_schema(material: Material, event: Event) -> Spoilt:
    """A schema of tomorrow, under the old signature."""
    return _changed(event, schema=event.header.schema + 1 + material.dice.randrange(9))


def future_version(material: Material, event: Event) -> Spoilt:
    """A version of the header that is not known."""
    return _changed(event, version=material.dice.pick([0, 2, 2**40]))


def other_body_hash(material: Material, event: Event) -> Spoilt:
    """A body of the relay's, and a header that names it, under the old signature."""
    body = codec.encode([material.dice.randbytes(16), [["set", "phone", "trộm"]]])
    header = event.header._replace(body_size=len(body), body_hash=hashlib.sha256(body).digest())
    return _frame(event, header=_header(header), body=body)


# ---- signed anew


def signed_by_colleague(material: Material, event: Event) -> Spoilt:
    """Another certified key's signature on the same header."""
    return _frame(event, signature=_sign(material.cast.thief.key, event.header_bytes))


def signed_by_stranger(material: Material, event: Event) -> Spoilt:
    """A signature by a key that nobody certified."""
    return _frame(event, signature=_sign(material.cast.stranger.key, event.header_bytes))


def changed_and_signed(material: Material, event: Event) -> Spoilt:
    """Another body and header, both whole, signed by another certified key in the author's name."""
    spoilt = other_body_hash(material, event).frames[0]
    spoilt[1] = _sign(material.cast.thief.key, spoilt[0])
    return Spoilt([spoilt])


def _sign(signer: Signer, header: bytes) -> bytes:
    return signer.sign(codec.pae(EVENT_KIND, header))


# ---- what a certified accomplice signs, without the right to it


def _by(log: RawLog, event: Event, ops: list[Any], **options: Any) -> Spoilt:
    made = log.write(CASE, event.header.doc_id, [event.id], ops, **options)
    return Spoilt([made.to_frame()], frozenset({made.id}))


def without_the_role(material: Material, event: Event) -> Spoilt:
    """A colleague takes a step, or writes a field, that is somebody else's."""
    op = material.dice.pick([["act", MAIN, "decide", {}], ["set", "name", "trộm"], ["act", MAIN, "hand", {}]])
    found = material.events[0]  # before the handover, whatever is spoilt
    del event
    return _by(material.cast.thief, found, [op])


def schema_of_tomorrow(material: Material, event: Event) -> Spoilt:
    """A colleague's edit in a schema that no program here knows."""
    return _by(material.cast.thief, event, [["set", "phone", "trộm"]], schema=CASE.version + 1)


def operation_of_tomorrow(material: Material, event: Event) -> Spoilt:
    """A colleague's edit of which one operation is of no known kind, or of no known field."""
    op = material.dice.pick([["erase", "phone"], ["set", "no_such", 1], ["act", "no_such", "x", {}]])
    return _by(material.cast.thief, event, [["set", "phone", "trộm"], op])


def taken_id(material: Material, event: Event) -> Spoilt:
    """A colleague creates a document under the id of one that is there."""
    made = material.cast.thief.write(CASE, event.header.doc_id, [], [["set", "phone", "trộm"]])
    return Spoilt([made.to_frame()], frozenset({made.id}))


def unknown_parents(material: Material, event: Event) -> Spoilt:
    """A colleague's edit upon an event that nobody has."""
    parents = [material.dice.randbytes(32)]
    made = material.cast.thief.write(CASE, event.header.doc_id, parents, [["set", "phone", "trộm"]])
    return Spoilt([made.to_frame()], frozenset({made.id}))


def _raw_body(material: Material, event: Event, body: bytes) -> Spoilt:
    """Signs a body that is none, which the header names rightly, at the end of the thief's log."""
    thief = material.cast.thief
    last = thief.events[-1]
    header = Header(
        1, thief.id, last.header.seq + 1, last.id, CASE.name, event.header.doc_id, (event.id,), 1, 1,
        len(body), hashlib.sha256(body).digest(),
    )  # fmt: skip
    data = _header(header)
    made = Event(
        hashlib.sha256(codec.pae(EVENT_KIND, data)).digest(), header, data, _sign(thief.key, data), body
    )
    thief.events.append(made)
    return Spoilt([made.to_frame()], frozenset({made.id}))


def _op(value: bytes) -> bytes:
    """Encodes a body with one operation that sets ``phone`` to a value that is CBOR already."""
    return b"\x82\x50" + bytes(16) + b"\x81\x83\x63set\x65phone" + value


def body_deep(material: Material, event: Event) -> Spoilt:
    """A signed body that is nested without end."""
    return _raw_body(material, event, _op(b"\x81" * material.dice.pick([17, 500, 20_000]) + b"\x00"))


def body_twice(material: Material, event: Event) -> Spoilt:
    """A signed body with a map that has a key twice, or in disorder."""
    twice, disorder = b"\xa2\x61a\x01\x61a\x02", b"\xa2\x61b\x01\x61a\x02"
    return _raw_body(material, event, _op(material.dice.pick([twice, disorder])))


def body_endless(material: Material, event: Event) -> Spoilt:
    """A signed body with strings, arrays or maps of indefinite length."""
    endless = (b"\x7f\x61a\x61b\xff", b"\x5f\x41a\xff", b"\x9f\x01\xff", b"\xbf\x61a\x01\xff")
    return _raw_body(material, event, _op(material.dice.pick(endless)))


def body_float(material: Material, event: Event) -> Spoilt:
    """A signed body with floats, among them those that equal nothing."""
    floats = (b"\xf9\x3c\x00", b"\xf9\x7e\x00", b"\xfa\x7f\xc0\x00\x00", b"\xfb" + struct.pack(">d", 1.5))
    return _raw_body(material, event, _op(material.dice.pick(floats)))


def body_text(material: Material, event: Event) -> Spoilt:
    """A signed body with text that is not NFC, or no text."""
    raw = material.dice.pick(
        ["e\u0302\u0301".encode(), b"\xff\xfe", b"\xed\xa0\x80", "a\u0323\u0302".encode()]
    )
    return _raw_body(material, event, _op(bytes([0x60 + len(raw)]) + raw))


def body_tagged(material: Material, event: Event) -> Spoilt:
    """A signed body with tags, great numbers, or values that CBOR leaves undefined."""
    odd = (
        b"\xc2\x49" + b"\xff" * 9,
        b"\xd8\x1d\x00",
        b"\xf7",
        b"\x1b" + b"\xff" * 8,
        b"\xc0\x61x",
        b"\xf8\x18",
    )
    return _raw_body(material, event, _op(material.dice.pick(odd)))


def body_no_operations(material: Material, event: Event) -> Spoilt:
    """A signed body of another shape: no operations, no salt, something after it."""
    shapes: tuple[codec.Value, ...] = (
        [bytes(16), []],
        [bytes(15), [["set", "phone", "x"]]],
        [],
        {},
        7,
        [1, 2, 3],
    )
    body = material.dice.pick([*map(codec.encode, shapes), _op(b"\x61x") + b"\x00"])
    return _raw_body(material, event, body)


def event_too_large(material: Material, event: Event) -> Spoilt:
    """A signed event that is larger than the protocol allows."""
    spoilt = _raw_body(
        material, event, _op(b"\x5a" + struct.pack(">I", MAX_EVENT_BYTES) + bytes(MAX_EVENT_BYTES))
    )
    material.cast.thief.events.pop()  # it is no event, so the log goes on without it
    return Spoilt(spoilt.frames)


# ---- logs and certificates


def genesis_replaced(material: Material, event: Event) -> Spoilt:
    """A log that claims another's certificate."""
    log = RawLog(material.cast.thief.key, _cert(material), "c1", material.cast.dice)
    made = log.write(CASE, event.header.doc_id, [event.id], [["set", "phone", "trộm"]])
    return Spoilt([log.genesis.to_frame(), made.to_frame()], frozenset({log.id, made.id}))


def _cert(material: Material) -> bytes:
    assert material.log.genesis.body is not None
    cert: bytes = parse_body(material.log.genesis.body)[0][1]["cert"]
    return cert


def unit_claimed(material: Material, event: Event) -> Spoilt:
    """A log under a true certificate that claims another unit."""
    thief = material.cast.thief
    cert = parse_body(thief.genesis.body or b"")[0][1]["cert"]
    log = RawLog(thief.key, cert, material.dice.pick(["p", "d1", "c9"]), material.cast.dice)
    made = log.write(CASE, event.header.doc_id, [event.id], [["set", "phone", "trộm"]])
    return Spoilt([log.genesis.to_frame(), made.to_frame()], frozenset({log.id, made.id}))


def certificate_by_colleague(material: Material, event: Event) -> Spoilt:
    """A certificate by an officer who is no administrator, and what its holder writes."""
    key = material.cast.stranger.key
    made = _certify(material.cast.thief, key.public)
    log = RawLog(key, made.id, "c1", material.cast.dice)
    wrote = log.write(CASE, event.header.doc_id, [event.id], [["set", "phone", "trộm"]])
    frames = [made.to_frame(), log.genesis.to_frame(), wrote.to_frame()]
    return Spoilt(frames, frozenset({made.id, log.id, wrote.id}))


def certificate_of_oneself(material: Material, event: Event) -> Spoilt:
    """An officer's certificate for the own key, with more roles."""
    del event
    made = _certify(material.cast.thief, material.cast.thief.key.public)
    return Spoilt([made.to_frame()], frozenset({made.id}))


def certificate_changed(material: Material, event: Event) -> Spoilt:
    """A true certificate of which the body was replaced, under the old signature."""
    del event
    true = material.certificate
    body = codec.encode([bytes(16), [certificate_for(material.cast.stranger.key.public).to_op()]])
    header = true.header._replace(body_size=len(body), body_hash=hashlib.sha256(body).digest())
    return _frame(true, header=_header(header), body=body)


def _certify(log: RawLog, key: bytes) -> Event:
    doc = typed_id(CERTIFICATE, hashlib.sha256(b"onestop key\0" + key).digest())
    last = log.events[-1]
    made = log._build(
        log.id, last.header.seq + 1, last.id, CERTIFICATE, doc, (), [certificate_for(key).to_op()], 0
    )
    log.events.append(made)
    return made


def stranger_writes(material: Material, event: Event) -> Spoilt:
    """A whole log by a key that nobody certified."""
    log = RawLog(material.cast.stranger.key, material.dice.randbytes(32), "c1", material.cast.dice)
    made = log.write(CASE, event.header.doc_id, [event.id], [["set", "phone", "trộm"]])
    return Spoilt([log.genesis.to_frame(), made.to_frame()], frozenset({log.id, made.id}))


def log_without_beginning(material: Material, event: Event) -> Spoilt:
    """Events of a log whose first event is not there."""
    log = RawLog(material.cast.stranger.key, material.dice.randbytes(32), "c1", material.cast.dice)
    return Spoilt([log.write(CASE, event.header.doc_id, [event.id], [["set", "phone", "trộm"]]).to_frame()])


def genesis_malformed(material: Material, event: Event) -> Spoilt:
    """A log whose first event says other things than one does."""
    del event
    key = material.cast.thief.key
    choices: list[dict[str, Any]] = [
        {"key": bytes(32)}, {"key": b"\x01" + bytes(31)}, {"epoch": -1}, {"epoch": 2**40}, {"unit": ""},
        {"unit": "x\0"}, {"cert": b"x"}, {"previous": [b"", 1, b""]}, {"previous": 7},
    ]  # fmt: skip
    facts = material.dice.pick(choices)
    op = Genesis(key.public, bytes(32), "c1", 0).to_op()
    log = RawLog(key, bytes(32), "c1", material.cast.dice)
    made = log._build(
        b"", 0, b"", LOG, typed_id(LOG, material.dice.randbytes(16)), (), [["log", {**op[1], **facts}]], 0
    )
    return Spoilt([made.to_frame()])


# ---- frames that are none


def no_frame(material: Material, event: Event) -> Spoilt:
    """Something that is no frame: too few parts or too many, or of other types."""
    header, signature, body = event.to_frame()
    shapes: list[Any] = [
        [header, signature], [header, signature, body, b""], [], None, 7, "chữ", header, {"header": header},
        [header, signature, "chữ"], [7, signature, body], [signature, header, body],
        [[header], signature, body], [[header, signature, body]], [header, None, body],
        [True, signature, body],
    ]  # fmt: skip
    return Spoilt([material.dice.pick(shapes)])


def header_of_wrong_shape(material: Material, event: Event) -> Spoilt:
    """A header with a part of another type or length, signed by a certified key."""
    parts: list[Any] = [*event.header[:6], list(event.header.parents), *event.header[7:]]
    at = material.dice.randrange(len(parts))
    parts[at] = material.dice.pick([None, -1, b"x", "chữ", [], {}, True, 2**53 - 1])
    if codec.encode(parts) == event.header_bytes:
        parts.append(0)
    data = codec.encode(parts)
    return _frame(event, header=data, signature=_sign(material.cast.thief.key, data))


def document_of_another(material: Material, event: Event) -> Spoilt:
    """A colleague's document, created under the id that the honest author's next one will have."""
    seq = material.log.events[-1].header.seq + 1
    doc = document_id(material.log.id, seq, CASE.name)
    del event
    made = material.cast.thief.write(CASE, doc, [], [["set", "phone", "trộm"]])
    return Spoilt([made.to_frame()], frozenset({made.id}))


KINDS: Final[dict[str, Spoil]] = {
    kind.__name__: kind
    for kind in (
        header_bit, body_bit, signature_bit, header_cut, body_cut, signature_cut, header_extended,
        body_extended, header_otherwise, body_otherwise, bodies_swapped, signatures_swapped,
        body_left_out, forged_twin, other_log, other_seq, other_prev, other_type, other_document,
        other_parents, other_time, future_schema, future_version, other_body_hash,
        signed_by_colleague, signed_by_stranger, changed_and_signed, without_the_role,
        schema_of_tomorrow, operation_of_tomorrow, taken_id, unknown_parents, body_deep, body_twice,
        body_endless, body_float, body_text, body_tagged, body_no_operations, event_too_large,
        genesis_replaced, unit_claimed, certificate_by_colleague, certificate_of_oneself,
        certificate_changed, stranger_writes, log_without_beginning, genesis_malformed, no_frame,
        header_of_wrong_shape, document_of_another,
    )
}  # fmt: skip
"""Name → kind."""
