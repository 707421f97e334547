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

from onestop_sync import brief, codec, compact, enrol_proof, publisher
from onestop_sync import event as ev
from onestop_sync.acks import ACK_KIND, Acks
from onestop_sync.columns import Columns
from onestop_sync.document_evidence import Claim, Evidence
from onestop_sync.enrol_code import read_code, write_code
from onestop_sync.enrol_proof import Offer, Reply
from onestop_sync.event import Event, Genesis
from onestop_sync.fold import Standing
from onestop_sync.keys import SigningKey
from onestop_sync.proof import check
from onestop_sync.protocol import Requester, Responder, open_packet
from onestop_sync.publication import Publication
from onestop_sync.statement import STATEMENT_KIND, Statement
from onestop_sync.store import Store
from onestop_sync.testing.contract_base import forge
from onestop_sync.testing.small_province import CLERK, MATTER, UNITS, SmallProvince
from onestop_sync.tombstone import Buried, Tombstone, add
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


def acks() -> dict[str, Any]:
    """Returns signed acks."""
    node, log, head = bytes([7]) * 32, genesis().id, created().id
    said = Acks(node, "c1", bytes([8]) * 16, TIME_MS, 3, ((log, 1, head),), (edited().id,))
    return _signed(ACK_KIND, "acks", said.sign(ADMIN))


def statement() -> dict[str, Any]:
    """Returns a signed statement."""
    node, log, head = bytes([7]) * 32, genesis().id, created().id
    before, sent = bytes([9]) * 32, (certificate_event().id,)
    said = Statement(node, "c1", bytes([8]) * 16, 4, before, TIME_MS, 2, ((log, 1, head),), sent)
    return _signed(STATEMENT_KIND, "statement", said.sign(ADMIN))


def _signed(kind: str, name: str, data: bytes) -> dict[str, Any]:
    payload, signature = codec.decode(data)
    return {
        "kind": kind,
        "seed": ADMIN.seed.hex(),
        "key": ADMIN.public.hex(),
        "payload": plain(codec.decode(payload)),
        "payload_bytes": payload.hex(),
        "signature": signature.hex(),
        name: data.hex(),
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


def first_() -> dict[str, Any]:
    """Returns a first request that is sealed to two servers, its answer, and what both hold."""
    with tempfile.TemporaryDirectory() as folder:
        province = SmallProvince(Path(folder), lambda _: "sqlite://", seed=13)
        hub = province.machine("hub", "d1", serves=True)
        other = province.machine("other", "d1", serves=True)
        pc = province.machine("pc", "c1", {"an": CLERK})
        pc.writer("an").create("matter", {"name": "Đặng Văn Đức"})
        requester, responder = Requester(pc.store, "parent", is_brief=True), Responder(hub.store)
        requester._readers = [other.secrets.seal_key, hub.secrets.seal_key]
        request = requester.next_request() or b""
        status, answer = responder.respond(request)
        found = brief.open_first(request, hub.secrets.seal_seed, 2**20)
        inside = open_packet(brief.open_first_answer(found.key, answer))
        requester.take_answer(status, answer)
        told = {
            "machine_key": pc.secrets.machine.public.hex(), "machine_log": pc.store.machine_log.hex(),
            "readers": [other.secrets.seal_key.hex(), hub.secrets.seal_key.hex()],
            "reader_seed": hub.secrets.seal_seed.hex(), "node": hub.store.machine_log.hex(),
            "request": request.hex(), "status": status, "answer": answer.hex(),
            "key": found.key.hex(), "signature": found.signature.hex(),
            "block": found.opened.packed.hex(), "frames": plain(found.opened.block.frames),
            "answer_inside": plain(inside),
        }  # fmt: skip
        province.close()
    return told


def _talk(child: Store, parent: Store, passed: list[dict[str, Any]], lost: int = 0) -> None:
    """Syncs in brief, without a first request; so many answers get lost."""
    requester, responder = Requester(child, "parent", is_brief=True), Responder(parent)
    requester._readers = []
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
    decoded = [*inside[:2], *map(codec.decode, inside[2:4]), inside[4]] if inside[1] == "answer" else inside
    return {
        "request": request.hex(),
        "request_inside": codec.encode(open_packet(request)).hex(),
        "request_payload": plain(codec.decode(payload)),
        "status": status,
        "answer": answer.hex(),
        "answer_inside": codec.encode(inside).hex(),
        "answer_decoded": plain(decoded),
    }


# ---------------------------------------------------------------------------------------------- enrolment


def enrolment() -> dict[str, Any]:
    """Returns a one-time code, what proves to know it, and answers that it opens."""
    code = write_code(bytes(range(16, 29)))
    keys = read_code(code)
    look = enrol_proof.look_packet(keys, SALT)
    asked = enrol_proof.request_packet(keys, b"a request of enrol_files")
    offer = Offer("c1", "Xã Một", "Máy tiếp nhận 1", False, (("Nguyễn Văn An", ("tiep_nhan",)),), TIME_MS)
    replies = {
        "offer": Reply(offer=offer),
        "waiting": Reply(is_waiting=True),
        "refused": Reply(reason="code_used"),
    }
    return {
        "entropy": bytes(range(16, 29)).hex(),
        "code": code,
        "selector": keys.selector,
        "request_key": keys.request_key.hex(),
        "answer_key": keys.answer_key.hex(),
        "look": look.hex(),
        "request": asked.hex(),
        "answers": {
            name: enrol_proof.seal_answer(keys.answer_key, look, bytes(12), reply).hex()
            for name, reply in replies.items()
        },
    }


# ----------------------------------------------------------------------------------------------- evidence


def evidence() -> dict[str, Any]:
    """Returns an evidence file of a document, and one of the same document after it was erased by law."""
    document = TrustDocument(1, {unit.id: unit for unit in UNITS}, {ADMIN.public: "p"}, TIME_MS)
    anchor, published = publisher.found([ROOT], 1, ROOT, document, now_ms=TIME_MS)
    held = Publication.parse(published)
    stone = Tombstone(
        MATTER.name, created().header.doc_id, TIME_MS, "Quyết định 12/QĐ-UBND", ("c1",),
        {"label": "000.01"}, {e.id: Buried(Standing.STANDS) for e in (created(), edited())},
    )  # fmt: skip
    erased = Publication.parse(publisher.publish(held, ROOT, now_ms=TIME_MS, files=add(held, [stone])))
    (name,) = set(erased.targets) - set(held.targets)
    proofs = [e.to_frame() for e in (admin_genesis(), certificate_event(), genesis())]
    events = [e.to_frame() for e in (created(), edited())]
    bare = [[header, signature, None] for header, signature, _ in events]
    claim = Claim(genesis().id, stone.doc, TIME_MS, tuple(stone.events)).sign(OFFICER)
    files = {
        "live": Evidence(MATTER.name, stone.doc, held.part([]), [*proofs, *events], claim=claim),
        "erased": Evidence(MATTER.name, stone.doc, erased.part([name]), [*proofs, *bare], claim=claim),
    }
    return {
        "anchor": anchor.hex(),
        "tombstone": stone.to_bytes().hex(),
        "files": {
            which: {
                "file": made.to_bytes().hex(),
                "fingerprint": check(made, anchor, [MATTER]).fingerprint.hex(),
            }
            for which, made in files.items()
        },
    }


MAKERS: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "event": events,
    "trust": trust,
    "acks": acks,
    "statement": statement,
    "fold": folds,
    "sync": sync,
    "compact": compact_,
    "brief": brief_,
    "first": first_,
    "enrol": enrolment,
    "evidence": evidence,
}


def write(name: str) -> None:
    """Writes one file."""
    text = json.dumps(MAKERS[name](), ensure_ascii=False, indent=1)
    (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    for each in MAKERS:
        write(each)
