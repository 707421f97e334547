"""Writes the test vectors: `python -m tests.golden.make_vectors`.

They are for other implementations first. Bytes are hexadecimal; in a decoded value, a byte string is
``{"hex": "…"}``. The canonical CBOR cases are written by hand (RFC 8949, Appendix A, and the limits of this
format) and are not made here.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from onestop_sync import codec, compact, publisher
from onestop_sync import event as ev
from onestop_sync.columns import Columns
from onestop_sync.event import Event, Genesis
from onestop_sync.keys import SigningKey
from onestop_sync.protocol import Requester, Responder, open_packet
from onestop_sync.storage.outbox import STATEMENT_KIND, Statement
from onestop_sync.store import Store
from onestop_sync.testing.contract_base import forge
from onestop_sync.testing.small_province import CLERK, UNITS, SmallProvince
from onestop_sync.trust import CERTIFICATE, Certificate, TrustDocument
from tests.golden.fold_stories import TIME_MS, folds, plain

FOLDER: Final = Path(__file__).parent / "vectors"
ROOT, ADMIN, OFFICER = (SigningKey(bytes([n]) * 32) for n in (1, 2, 3))
SALT: Final = bytes(range(16))


# ------------------------------------------------------------------------------------------------- events


def genesis() -> Event:
    """Returns the first event of the officer's log."""
    facts = Genesis(OFFICER.public, certificate_event().id, "c1", 0)
    return ev.build(
        OFFICER, log=b"", seq=0, prev=b"", doc_type=ev.LOG, doc_id=ev.typed_id(ev.LOG, b"log" * 6),
        parents=(), time_ms=TIME_MS, schema=0, ops=[facts.to_op()], salt=SALT,
    )  # fmt: skip


def admin_genesis() -> Event:
    """Returns the first event of the administrator's log, whom the root names itself."""
    facts = Genesis(ADMIN.public, b"", "p", 0)
    return ev.build(
        ADMIN, log=b"", seq=0, prev=b"", doc_type=ev.LOG, doc_id=ev.typed_id(ev.LOG, b"adm" * 6), parents=(),
        time_ms=TIME_MS, schema=0, ops=[facts.to_op()], salt=SALT,
    )  # fmt: skip


def certificate() -> Certificate:
    """Returns what the administrator says of the officer."""
    return Certificate(OFFICER.public, "c1", "officer", "Nguyễn Thị Hường", CLERK, TIME_MS, 2 * TIME_MS)


def certificate_event() -> Event:
    """Returns the event that certifies the officer."""
    doc = ev.typed_id(CERTIFICATE, b"certificate!")
    return forge(
        ADMIN, admin_genesis(), [certificate().to_op()], doc=doc, doc_type=CERTIFICATE, salt=SALT, schema=0
    )


def created() -> Event:
    """Returns the event that creates a document."""
    ops: list[ev.Op] = [["set", "name", "Đặng Văn Đức"], ["set", "papers/form", {"copies": 2}]]
    return forge(OFFICER, genesis(), ops, salt=SALT, time_ms=TIME_MS)


def edited() -> Event:
    """Returns an edit of that document."""
    first = created()
    ops: list[ev.Op] = [["set", "phone", "0903"], ["note", "remarks", "gọi lại"]]
    return forge(OFFICER, first, ops, doc=first.header.doc_id, parents=[first.id], salt=SALT, time_ms=0)


def event_vector(name: str, event: Event, key: SigningKey) -> dict[str, Any]:
    """Describes one event."""
    header = event.header
    return {
        "name": name,
        "seed": key.seed.hex(),
        "key": key.public.hex(),
        "header": plain([*header[:6], list(header.parents), *header[7:]]),
        "body": plain(codec.decode(event.body or b"")),
        "header_bytes": event.header_bytes.hex(),
        "body_bytes": (event.body or b"").hex(),
        "signed_bytes": codec.pae(ev.EVENT_KIND, event.header_bytes).hex(),
        "id": event.id.hex(),
        "signature": event.signature.hex(),
    }


def events() -> dict[str, Any]:
    """Returns events, and frames that are none."""
    first = created()
    body = first.body or b""
    return {
        "kind": ev.EVENT_KIND,
        "document_id": {
            "log": first.log.hex(),
            "seq": first.header.seq,
            "type": first.header.doc_type,
            "id": first.header.doc_id.hex(),
        },
        "events": [
            event_vector("genesis of an administrator named by the root", admin_genesis(), ADMIN),
            event_vector("certificate of an officer", certificate_event(), ADMIN),
            event_vector("genesis of an officer", genesis(), OFFICER),
            event_vector("a document is created", first, OFFICER),
            event_vector("it is edited", edited(), OFFICER),
        ],
        "refuse": [{"why": why, "frame": plain(frame)} for why, frame in _bad_frames(first, body)],
        "forged": {
            "frame": plain([first.header_bytes, edited().signature, body]),
            "key": OFFICER.public.hex(),
        },
    }


def _bad_frames(event: Event, body: bytes) -> list[tuple[str, list[Any]]]:
    header: list[Any] = [*event.header[:6], list(event.header.parents), *event.header[7:]]

    def changed(at: int, value: Any) -> list[Any]:
        return [codec.encode([*header[:at], value, *header[at + 1 :]]), event.signature, body]

    return [
        (
            "the body is not the one that the header names",
            [event.header_bytes, event.signature, body + b"\0"],
        ),
        ("an unknown version", changed(0, 2)),
        ("a first event with a log", changed(2, 0)),
        ("a negative sequence", changed(2, -1)),
        ("a document id that does not fit the type", changed(4, "other")),
        ("an empty type", changed(4, "")),
        ("a document id of 15 bytes", changed(5, event.header.doc_id[:15])),
        ("parents that are not sorted", changed(6, [b"\2" * 32, b"\1" * 32])),
        ("a parent twice", changed(6, [b"\1" * 32, b"\1" * 32])),
        ("65 parents", changed(6, [bytes([n]) * 32 for n in range(65)])),
        ("an empty body", changed(9, 0)),
        ("a signature of 63 bytes", [event.header_bytes, event.signature[:63], body]),
        ("a header with a twelfth item", [codec.encode([*header, 0]), event.signature, body]),
        (
            "a header that is not canonical",
            [b"\x9f" + event.header_bytes[1:] + b"\xff", event.signature, body],
        ),
    ]


# -------------------------------------------------------------------------------------------------- trust


def trust() -> dict[str, Any]:
    """Returns a trust document, and who may do what under it."""
    document = TrustDocument(3, {unit.id: unit for unit in UNITS}, {ADMIN.public: "p"}, TIME_MS)
    payload = document.to_bytes()
    anchor, data = publisher.found([ROOT], 1, ROOT, document, now_ms=TIME_MS)
    proof = [admin_genesis().to_frame(), certificate_event().to_frame(), genesis().to_frame()]
    return {
        "seed": ROOT.seed.hex(),
        "anchor": anchor.hex(),
        "payload": plain(codec.decode(payload)),
        "payload_bytes": payload.hex(),
        "publication": data.hex(),
        "proof": plain(proof),
        "log": genesis().id.hex(),
        "authority": {"unit": "c1", "roles": sorted(CLERK), "kind": "officer"},
    }


def statement() -> dict[str, Any]:
    """Returns a signed ack."""
    node, log, head = bytes([7]) * 32, genesis().id, created().id
    said = Statement(node, "c1", bytes([8]) * 16, TIME_MS, ((log, 1, head),), (edited().id,))
    payload, signature = codec.decode(data := said.sign(ADMIN))
    return {
        "kind": STATEMENT_KIND,
        "seed": ADMIN.seed.hex(),
        "key": ADMIN.public.hex(),
        "payload": plain(codec.decode(payload)),
        "payload_bytes": payload.hex(),
        "signature": signature.hex(),
        "statement": data.hex(),
    }


# --------------------------------------------------------------------------------------------------- sync


def sync() -> dict[str, Any]:
    """Returns the packets of a first exchange and of one without news, as they are inside the compression."""
    with tempfile.TemporaryDirectory() as folder:
        province = SmallProvince(Path(folder), lambda _: "sqlite://", seed=11)
        hub = province.machine("hub", "d1", serves=True)
        pc = province.machine("pc", "c1", {"an": CLERK})
        pc.writer("an").create("matter", {"name": "Nguyễn Văn An"})
        packets: list[dict[str, Any]] = []
        for _ in range(2):
            requester, responder = Requester(pc.store, "parent"), Responder(hub.store)
            while (request := requester.next_request()) is not None:
                status, answer = responder.respond(request)
                packets.append(_packets(request, status, answer))
                requester.take_answer(status, answer)
        found = {
            "machine_key": pc.secrets.machine.public.hex(),
            "parent_key": hub.secrets.machine.public.hex(),
            "parent_log": hub.store.machine_log.hex(),
            "exchange": packets,
        }
        province.close()
    return found


def brief_() -> dict[str, Any]:
    """Returns a line in use: requests, answers and a challenge without what both sides hold."""
    with tempfile.TemporaryDirectory() as folder:
        province = SmallProvince(Path(folder), lambda _: "sqlite://", seed=12)
        hub = province.machine("hub", "d1", serves=True)
        pc = province.machine("pc", "c1", {"an": CLERK})
        writer = pc.writer("an")
        doc = writer.create("matter", {"name": "Đặng Văn Đức"})
        passed: list[dict[str, Any]] = []
        _talk(pc.store, hub.store, passed)
        writer.edit(doc, {"name": "Đặng Văn Đức 1"})
        _talk(pc.store, hub.store, passed)
        writer.edit(doc, {"name": "Đặng Văn Đức 2"})
        _talk(pc.store, hub.store, passed, lost=1)
        found = {
            "machine_log": pc.store.machine_log.hex(), "machine_seal_seed": pc.secrets.seal_seed.hex(),
            "node": hub.store.machine_log.hex(), "node_seal_seed": hub.secrets.seal_seed.hex(),
            "exchange": passed,
        }  # fmt: skip
        province.close()
    return found


def _talk(child: Store, parent: Store, passed: list[dict[str, Any]], lost: int = 0) -> None:
    """Syncs in brief; so many answers get lost."""
    requester, responder = Requester(child, "parent", is_brief=True), Responder(parent)
    while (request := requester.next_request()) is not None:
        status, answer = responder.respond(request)
        passed.append(_brief(request, status, answer, requester._line) | {"lost": lost > 0})
        if lost:
            requester.was_cut()
            lost -= 1
        else:
            requester.take_answer(status, answer)


def _brief(request: bytes, status: int, answer: bytes, line: Any) -> dict[str, Any]:
    known = plain([line.nonce, list(line.cursor) if line.cursor else None]) if line else None
    return {"request": request.hex(), "status": status, "answer": answer.hex(), "nonce_and_cursor": known}


def compact_() -> dict[str, Any]:
    """Returns frames, and the block that holds them without leaning on any store."""
    frames = [e.to_frame() for e in (admin_genesis(), certificate_event(), genesis(), created(), edited())]
    frames.append(frames[0])
    columns = Columns()
    block = compact.write(frames, columns)
    return {
        "frames": plain(frames), "text": columns.text.hex(), "raw": columns.raw.hex(),
        "block": columns.pack().hex(), "ids": [each.hex() for each in block.ids],
    }  # fmt: skip


def _packets(request: bytes, status: int, answer: bytes) -> dict[str, Any]:
    payload = open_packet(request)[0]
    inside = open_packet(answer)
    decoded = [*inside[:2], codec.decode(inside[2]), inside[3]] if inside[1] == "answer" else inside
    return {
        "request": request.hex(),
        "request_inside": codec.encode(open_packet(request)).hex(),
        "request_payload": plain(codec.decode(payload)),
        "status": status,
        "answer": answer.hex(),
        "answer_inside": codec.encode(inside).hex(),
        "answer_decoded": plain(decoded),
    }


MAKERS: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "event": events,
    "trust": trust,
    "statement": statement,
    "fold": folds,
    "sync": sync,
    "compact": compact_,
    "brief": brief_,
}


def write(name: str) -> None:
    """Writes one file."""
    text = json.dumps(MAKERS[name](), ensure_ascii=False, indent=1)
    (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    for each in MAKERS:
        write(each)
