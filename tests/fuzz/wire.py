"""Targets: what travels between machines, each decoder by itself and without a store."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

from onestop_sync import (
    acks,
    attachment,
    brief,
    codec,
    compact,
    enrol_files,
    enrol_line,
    enrol_proof,
    event,
    fetch,
)
from onestop_sync import statement as statements
from onestop_sync.answer import KeptAnswer
from onestop_sync.brief import first
from onestop_sync.brief.line import Secret
from onestop_sync.brief.request import log_prefix
from onestop_sync.columns import Columns, Reader
from onestop_sync.compact import Block, Place
from onestop_sync.enrol_code import read_code, write_code
from onestop_sync.errors import FormatError
from onestop_sync.exchange import Cursor
from onestop_sync.keys import SigningKey
from onestop_sync.protocol import LIMITS, open_packet, pack_packet
from onestop_sync.protocol.packets import parse_request
from tests.fuzz.seeds import hex_of, vectors
from tests.fuzz.target import Form, Run, Target

__all__ = ["TARGETS", "enrol_wires"]

_LIMIT: Final = LIMITS.packet_bytes
_LOG, _NODE, _KEY = bytes(range(32)), bytes(range(32, 64)), SigningKey(bytes(32))
_LINE: Final = brief.Line(
    _LOG, _NODE, "c1", bytes(16), Cursor(bytes(16), 7, bytes(8)), Secret(bytes(32), bytes(32))
)


def _always(run: Run) -> Callable[[], Run]:
    return lambda: run


def _codec(data: bytes) -> None:
    value = codec.decode(data)
    assert codec.encode(value) == data


def _event(data: bytes) -> None:
    found = event.parse(codec.decode(data))
    assert codec.encode(found.to_frame()) == data
    header = found.header
    assert codec.encode([*header[:6], list(header.parents), *header[7:]]) == found.header_bytes
    if found.body is not None and found.is_genesis:
        genesis = event.parse_genesis(found)
        facts = codec.decode(found.body)[1][0][1]
        assert dict(genesis.to_op()[1]).items() <= facts.items()
    elif found.body is not None:
        ops = event.parse_body(found.body)
        attachment.contents_named(ops)


def _events() -> list[bytes]:
    told = vectors("event")["events"]
    return [codec.encode([*hex_of(e["header_bytes"], e["signature"], e["body_bytes"])]) for e in told]


def _acks(data: bytes) -> None:
    found, _, signature = acks.parse_acks(data)
    assert found.with_signature(signature) == data


def _some_acks() -> list[bytes]:
    whole = acks.Acks(_NODE, "c1", bytes(16), 5, 0, (), (), (bytes(32),))
    return [*hex_of(vectors("acks")["acks"]), whole.sign(_KEY)]


def _statement(data: bytes) -> None:
    found, _, signature = statements.parse_statement(data)
    payload, _ = codec.decode(found.sign(_KEY))
    assert codec.encode([payload, signature]) == data


def _kept_answer(data: bytes) -> None:
    found = KeptAnswer.parse(data)
    assert found.pack() == data
    assert isinstance(found.cursors, tuple)


def _answers() -> list[bytes]:
    heads: list[codec.Value] = [
        [bytes(16), [bytes(16), 4, bytes(8)], False, None],
        [bytes(16), [bytes(16), 0, bytes(8)], True, [b"", 1, b""]],
    ]
    return [
        KeptAnswer(_NODE, _LOG, bytes(32), bytes(32), codec.encode(head), bytes(64)).pack() for head in heads
    ]


def _packet(data: bytes) -> None:
    """A packet: what it holds comes back from the packet that is made of it."""
    value = open_packet(data, LIMITS)
    assert open_packet(pack_packet(value)) == value


def _request(data: bytes) -> None:
    asked, _, _, _ = parse_request(b"\0" + data, LIMITS)
    if isinstance(asked, fetch.Ask):
        assert fetch.parse_ask(asked.to_row()) == asked


def _requests() -> list[bytes]:
    asks = fetch.Ask(b"12345678", bytes(16), (bytes(32),), (), ((bytes(32), None), (bytes(32), b"\1")), 1000)
    ask = codec.encode([codec.encode(asks.to_row()), _LOG, bytes(64)])
    return [*hex_of(*(e["request_inside"] for e in vectors("sync")["exchange"])), ask]


def _answer_row(data: bytes) -> None:
    found = fetch.parse_answer(codec.decode(data))
    assert fetch.parse_answer(found.to_row()) == found


class _Everything:
    """A store that has whatever is asked for."""

    def places(self, _ids: Collection[bytes]) -> Mapping[bytes, tuple[Place, bytes]]:
        return {}

    def logs(self, prefixes: Collection[bytes]) -> Mapping[bytes, bytes]:
        return {prefix: prefix * 4 for prefix in prefixes}

    def events(self, places: Collection[Place]) -> Mapping[Place, tuple[bytes, bytes]]:
        return {place: (place.log, place.log[:16]) for place in places}


def _block_of(data: bytes) -> bytes:
    """Returns a block of two columns: the first two bytes say how long the text is, the rest is raw."""
    size = int.from_bytes(data[:2], "big")
    columns = Columns()
    columns.text += data[2 : 2 + size]
    columns.raw += data[2 + size :]
    return columns.pack()


def _compact(data: bytes) -> None:
    reader = Reader(_block_of(data), _LIMIT)
    found = compact.read(reader, _LIMIT, _Everything())
    reader.end()
    assert len(found.frames) == len(found.ids)


def _columns_of(packed: bytes) -> bytes:
    reader = Reader(packed, _LIMIT)
    text = reader._text
    return len(text).to_bytes(2, "big") + text + packed[reader._raw_at :]


def _zstd(data: bytes) -> None:
    """A block that is compressed with the dictionary of the protocol."""
    reader = Reader(data, _LIMIT)
    assert len(reader._text) <= max(_LIMIT, len(data))


def _brief_request(data: bytes) -> None:
    packet = brief.MARK + _LOG[:8] + bytes(16) + _block_of(data)
    assert log_prefix(packet) == _LOG[:8]
    found = brief.open_request(packet, _LIMIT, _Everything())
    assert len(found.request.frames) + len(found.request.introduction) == len(found.block.frames)


def _brief_requests() -> list[bytes]:
    told = (bytes.fromhex(e["request"]) for e in vectors("brief")["exchange"])
    return [_columns_of(packet[25:]) for packet in told if packet[:1] == brief.MARK]


def _brief_answer(data: bytes) -> None:
    """An answer whose proof is never good: it is read to its end before that is told."""
    asked = brief.Asked(b"\x02 a request", (1, 1), Block([[b"header", bytes(64), None]], [bytes(32)], []))
    told = []
    for mark in (brief.MARK + bytes(16), brief.SIGNED + bytes(64)):
        try:
            brief.read_answer(mark + _block_of(data), _LIMIT, _LINE, asked, _KEY.public)
        except FormatError as error:
            told.append(error)
    refusals = [error for error in told if "not the parent's answer" not in error.what]
    if len(refusals) == len(told):
        raise refusals[0]


def _brief_answers() -> list[bytes]:
    told = (bytes.fromhex(e["answer"]) for e in vectors("brief")["exchange"])
    return [
        _columns_of(p[1 + (64 if p[:1] == brief.SIGNED else 16) :])
        for p in told
        if p[:1] in {brief.MARK, brief.SIGNED}
    ]


def _first_request() -> Run:
    seed = bytes.fromhex(vectors("first")["reader_seed"])
    return lambda data: brief.open_first(data, seed, _LIMIT)


def _first_inside() -> Run:
    """What is in a first request, sealed as whoever makes one does."""
    head, key, _ = _opened_first()
    seed = bytes.fromhex(vectors("first")["reader_seed"])

    def run(data: bytes) -> None:
        try:
            brief.open_first(head + first._seal(key, data, head, bytes), seed, _LIMIT)
        except FormatError as error:  # of its proof, that it is not good, which is told at the end
            if "does not hold" not in error.what:
                raise

    return run


def _opened_first() -> tuple[bytes, bytes, bytes]:
    packet, key = hex_of(vectors("first")["request"], vectors("first")["key"])
    end = 2 + packet[1] * first._SEALED_KEY
    return packet[:end], key, first._open(key, packet[end:], packet[:end])


def _index(data: bytes) -> None:
    found = attachment.parse_index(data)
    assert found.encode() == data
    assert all(found.size_of(place) > 0 for place in range(1, len(found.hashes) + 1))


def _manifest(data: bytes) -> None:
    value = codec.decode(data)
    found = attachment.parse_manifest(value)
    if found is not None:
        assert codec.encode(found.to_value()) == data
        assert 0 <= found.chunks <= attachment.MAX_CHUNKS


def _enrol_request(data: bytes) -> None:
    found = enrol_files.describe(enrol_files.from_text(data))
    assert found.fingerprint
    assert all(officer.fingerprint for officer in found.officers)


def _enrol_requests() -> list[bytes]:
    from onestop_sync.keyring import Secrets

    secrets = Secrets(
        "An", bytes(48), SigningKey(bytes([1]) * 32), bytes([2]) * 32, SigningKey(bytes([3]) * 32)
    )
    officers = [enrol_files.Applicant("Nguyễn Văn An", SigningKey(bytes([4]) * 32), ["tiep_nhan"])]
    data = enrol_files.request(secrets, "x01", "Máy tiếp nhận 1", officers)
    return [data, enrol_files.to_text(data).encode()]


def _code() -> Run:
    def run(data: bytes) -> None:
        text = data.decode("utf-8", errors="surrogateescape")
        found = read_code(text)
        assert text.upper().replace("-", "").replace(" ", "").strip()
        assert len(found.selector) == 4

    return run


def _enrol_packet(data: bytes) -> None:
    found = enrol_proof.parse_packet(data)
    enrol_proof.is_proven(found, bytes(32))


def _enrol_answer() -> Run:
    code = read_code(vectors("enrol")["code"])
    asked = bytes.fromhex(vectors("enrol")["look"])

    def run(data: bytes) -> None:
        """A reply that whoever knows the code has sealed."""
        reply = enrol_proof._reply(codec.decode(data))
        sealed = enrol_proof.seal_answer(code.answer_key, asked, bytes(12), reply)
        assert enrol_proof.open_answer(code, sealed, asked) == reply

    return run


def _replies() -> list[bytes]:
    code = read_code(vectors("enrol")["code"])
    found = [enrol_proof.open_answer(code, each) for each in hex_of(*vectors("enrol")["answers"].values())]
    return [codec.encode(enrol_proof._plain(reply)) for reply in found]


def _enrol_wire(data: bytes) -> None:
    hops, _ = enrol_line.parse_wire(data)
    assert hops >= 0


def enrol_wires() -> list[bytes]:
    """Returns requests on enrolment, as they travel."""
    return [
        codec.encode([1, "enrol", 0, packet])
        for packet in hex_of(vectors("enrol")["look"], vectors("enrol")["request"])
    ]


def _wire_requests() -> list[bytes]:
    return hex_of(
        *(e["request"] for e in vectors("sync")["exchange"]),
        *(e["answer"] for e in vectors("sync")["exchange"]),
    )


TARGETS: Final = (
    Target(
        "codec",
        Form.CBOR,
        _always(_codec),
        lambda: hex_of(*(case["hex"] for case in vectors("cbor")["accept"])),
        ("onestop_sync.codec",),
    ),
    Target("event", Form.CBOR, _always(_event), _events, ("onestop_sync.event",)),
    Target("acks", Form.CBOR, _always(_acks), _some_acks, ("onestop_sync.acks",)),
    Target(
        "statement",
        Form.CBOR,
        _always(_statement),
        lambda: hex_of(vectors("statement")["statement"]),
        ("onestop_sync.statement",),
    ),
    Target("kept_answer", Form.CBOR, _always(_kept_answer), _answers, ("onestop_sync.answer",)),
    Target("packet", Form.BYTES, _always(_packet), _wire_requests, ("onestop_sync.protocol.packets",)),
    Target(
        "request",
        Form.CBOR,
        _always(_request),
        _requests,
        ("onestop_sync.protocol.packets", "onestop_sync.fetch"),
    ),
    Target(
        "chunks_answer",
        Form.CBOR,
        _always(_answer_row),
        lambda: [codec.encode([bytes(16), [[bytes(32), b"\1"], [bytes(32), True]], [[bytes(32), 1, b"x"]]])],
        ("onestop_sync.fetch",),
    ),
    Target(
        "compact",
        Form.BYTES,
        _always(_compact),
        lambda: [_columns_of(*hex_of(vectors("compact")["block"]))],
        ("onestop_sync.compact.reading", "onestop_sync.compact.headers", "onestop_sync.columns"),
    ),
    Target(
        "zstd",
        Form.BYTES,
        _always(_zstd),
        lambda: hex_of(vectors("compact")["block"]),
        ("onestop_sync.columns",),
    ),
    Target(
        "brief_request",
        Form.BYTES,
        _always(_brief_request),
        _brief_requests,
        ("onestop_sync.brief.request", "onestop_sync.compact.reading"),
    ),
    Target(
        "brief_answer",
        Form.BYTES,
        _always(_brief_answer),
        _brief_answers,
        ("onestop_sync.brief.reply", "onestop_sync.brief.acks", "onestop_sync.brief.items"),
    ),
    Target(
        "first_request",
        Form.BYTES,
        _first_request,
        lambda: hex_of(vectors("first")["request"]),
        ("onestop_sync.brief.first",),
    ),
    Target(
        "first_inside", Form.BYTES, _first_inside, lambda: [_opened_first()[2]], ("onestop_sync.brief.first",)
    ),
    Target(
        "attachment_index",
        Form.CBOR,
        _always(_index),
        lambda: [
            attachment.Index(bytes(16), 70_000, (bytes(32), bytes(32))).encode(),
            attachment.Index(bytes(16), 0, ()).encode(),
        ],
        ("onestop_sync.attachment",),
    ),
    Target(
        "attachment_manifest",
        Form.CBOR,
        _always(_manifest),
        lambda: [
            codec.encode(
                attachment.Manifest(bytes(32), "đơn.jpg", 70_000, "image/jpeg", (("trang", 2),)).to_value()
            ),
        ],
        ("onestop_sync.attachment",),
    ),
    Target(
        "enrol_request", Form.CBOR, _always(_enrol_request), _enrol_requests, ("onestop_sync.enrol_files",)
    ),
    Target(
        "enrol_code",
        Form.TABLE,
        _code,
        lambda: [write_code(bytes(13)).encode(), vectors("enrol")["code"].encode()],
        ("onestop_sync.enrol_code",),
    ),
    Target(
        "enrol_packet",
        Form.CBOR,
        _always(_enrol_packet),
        lambda: hex_of(vectors("enrol")["look"], vectors("enrol")["request"]),
        ("onestop_sync.enrol_proof",),
    ),
    Target("enrol_answer", Form.CBOR, _enrol_answer, _replies, ("onestop_sync.enrol_proof",)),
    Target("enrol_wire", Form.CBOR, _always(_enrol_wire), enrol_wires, ("onestop_sync.enrol_line",)),
)
