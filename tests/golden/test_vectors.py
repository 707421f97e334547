"""The test vectors hold: what another implementation is given is what this one does."""

from __future__ import annotations

import hashlib
import itertools
import json
from typing import Any

import pytest

from onestop_sync import brief, codec, compact, fold, keys
from onestop_sync import event as ev
from onestop_sync.acks import check_acks
from onestop_sync.answer import ANSWER_KIND
from onestop_sync.columns import Columns, Reader
from onestop_sync.document_evidence import Evidence
from onestop_sync.errors import FormatError, SignatureInvalid
from onestop_sync.exchange import Cursor
from onestop_sync.proof import check
from onestop_sync.protocol import open_packet
from onestop_sync.protocol.packets import CHALLENGE_KIND, REQUEST_KIND
from onestop_sync.publication import Publication
from onestop_sync.state import standing
from onestop_sync.statement import check_statement
from onestop_sync.testing.small_province import MATTER
from onestop_sync.tombstone import Tombstone
from onestop_sync.trust import Authority, Trust, TrustDocument
from tests.golden import fold_stories, make_vectors


def load(name: str) -> Any:
    """Reads a file of vectors."""
    return json.loads((make_vectors.FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def value(told: Any) -> Any:
    """Returns the decoded value that JSON tells."""
    if isinstance(told, dict):
        if set(told) == {"hex"}:
            return bytes.fromhex(told["hex"])
        return {key: value(item) for key, item in told.items()}
    return [value(item) for item in told] if isinstance(told, list) else told


@pytest.mark.parametrize("name", sorted(set(make_vectors.MAKERS) - {"sync", "brief", "first"}))
def test_this_program_makes_the_same_vectors(name: str) -> None:
    """Every file is what this program would write today: the bytes of the protocol have not moved."""
    assert json.loads(json.dumps(make_vectors.MAKERS[name]())) == load(name)


@pytest.mark.parametrize("case", load("cbor")["accept"], ids=lambda c: c["hex"][:24])
def test_canonical_cbor_is_read_and_written(case: dict[str, Any]) -> None:
    """What is canonical decodes to its value and encodes back to the same bytes."""
    data = bytes.fromhex(case["hex"])
    assert codec.decode(data) == value(case["value"])
    assert codec.encode(value(case["value"])) == data


@pytest.mark.parametrize("case", load("cbor")["refuse"], ids=lambda c: c["why"])
def test_everything_else_is_refused(case: dict[str, Any]) -> None:
    """What is not canonical, or outside the value space, does not decode."""
    with pytest.raises(FormatError):
        codec.decode(bytes.fromhex(case["hex"]))


@pytest.mark.parametrize("case", load("event")["events"], ids=lambda c: c["name"])
def test_an_event_is_its_bytes(case: dict[str, Any]) -> None:
    """Header, body, hash, id and signature follow from each other as the protocol says."""
    header, body = bytes.fromhex(case["header_bytes"]), bytes.fromhex(case["body_bytes"])
    assert codec.encode(value(case["header"])) == header
    assert codec.encode(value(case["body"])) == body
    signed = b"DSSEv1 %d %s %d %s" % (len(ev.EVENT_KIND), ev.EVENT_KIND.encode(), len(header), header)
    assert signed.hex() == case["signed_bytes"]
    assert hashlib.sha256(signed).hexdigest() == case["id"]
    assert keys.SigningKey(bytes.fromhex(case["seed"])).sign(signed).hex() == case["signature"]
    found = ev.parse([header, bytes.fromhex(case["signature"]), body])
    assert found.id.hex() == case["id"]
    ev.verify(found, bytes.fromhex(case["key"]))


def test_a_document_id_follows_from_its_creation() -> None:
    """Four bytes of the type's hash, then twelve of log and number."""
    told = load("event")["document_id"]
    raw = hashlib.sha256(b"onestop document\0" + bytes.fromhex(told["log"]) + b"%d" % told["seq"]).digest()
    tag = hashlib.sha256(b"onestop type\0" + told["type"].encode()).digest()[:4]
    assert (tag + raw[:12]).hex() == told["id"]


@pytest.mark.parametrize("case", load("event")["refuse"], ids=lambda c: c["why"])
def test_what_is_no_event_is_refused(case: dict[str, Any]) -> None:
    """Each of these frames is refused before its signature is looked at."""
    with pytest.raises(FormatError):
        ev.parse(value(case["frame"]))


def test_a_forged_event_is_refused() -> None:
    """A frame in good form with another event's signature does not verify."""
    told = load("event")["forged"]
    with pytest.raises(SignatureInvalid):
        ev.verify(ev.parse(value(told["frame"])), bytes.fromhex(told["key"]))


def test_a_trust_document_and_a_proof_give_an_authority() -> None:
    """From the root's document and three events follows by what right a log writes."""
    told = load("trust")
    data = bytes.fromhex(told["publication"])
    publication = Publication.check(data, bytes.fromhex(told["anchor"]))
    assert publication.document == TrustDocument.from_bytes(bytes.fromhex(told["payload_bytes"]))
    trust = Trust(publication.document)
    for frame in value(told["proof"]):
        trust.add(ev.parse(frame))
    found = trust.authority(bytes.fromhex(told["log"]))
    assert isinstance(found, Authority)
    assert found.certificate.kind == told["authority"]["kind"]
    assert (found.author.unit, sorted(found.author.roles)) == ("c1", told["authority"]["roles"])
    with pytest.raises(SignatureInvalid):
        Publication.check(data, make_vectors.ADMIN.public)


def test_acks_are_checked_by_their_key() -> None:
    """Signed acks say which logs are stored up to where, and by whom."""
    told = load("acks")
    found = check_acks(bytes.fromhex(told["acks"]), bytes.fromhex(told["key"]))
    assert value(told["payload"])[1:6] == [found.node, found.unit, found.epoch, found.at_ms, found.after]
    assert [list(entry) for entry in found.logs] == value(told["payload"])[6]


def test_a_statement_is_checked_by_its_key() -> None:
    """A statement says which one it is, what is stored, and what was sent down."""
    told = load("statement")
    found = check_statement(bytes.fromhex(told["statement"]), bytes.fromhex(told["key"]))
    assert value(told["payload"])[1:6] == [found.node, found.unit, found.epoch, found.k, found.prev]
    assert value(told["payload"])[8:] == [[list(entry) for entry in found.heads], list(found.foreign)]
    with pytest.raises(SignatureInvalid):
        check_statement(bytes.fromhex(told["statement"]), make_vectors.ROOT.public)


def test_the_packets_of_a_sync_verify() -> None:
    """Requests, challenge and answers are signed over what the protocol says they are."""
    told = load("sync")
    machine, parent = bytes.fromhex(told["machine_key"]), bytes.fromhex(told["parent_key"])
    kinds = []
    for packet in told["exchange"]:
        request, answer = bytes.fromhex(packet["request"]), bytes.fromhex(packet["answer"])
        assert codec.encode(open_packet(request)).hex() == packet["request_inside"]
        assert codec.encode(open_packet(answer)).hex() == packet["answer_inside"]
        payload, log, signature = open_packet(request)
        assert codec.decode(payload) == value(packet["request_payload"])
        assert keys.verify(machine, codec.pae(REQUEST_KIND, payload), signature)
        inside = open_packet(answer)
        kinds.append((packet["status"], inside[1]))
        if inside[1] == "answer":
            head, rest, signature = inside[2:]
            hashes = [hashlib.sha256(part).digest() for part in (request, rest)]
            said = codec.pae(ANSWER_KIND, hashes[0] + log + hashes[1] + head)
            assert keys.verify(parent, said, signature)
            assert [codec.decode(part) for part in (head, rest)] == value(packet["answer_decoded"])[2:4]
        else:
            node, nonce, theirs, proof, _ = inside[2]
            said = codec.pae(CHALLENGE_KIND, codec.encode([theirs, node, nonce, log]))
            assert keys.verify(parent, said, proof)
    assert kinds[0] == (401, "challenge")
    assert set(kinds[1:]) == {(200, "answer")}


def test_a_block_holds_its_frames() -> None:
    """Frames are put back from the two columns, compressed or not, to the same bytes and ids."""
    told = load("compact")
    block = bytes.fromhex(told["block"])
    text, raw = bytes.fromhex(told["text"]), bytes.fromhex(told["raw"])
    plain = Columns()
    plain.number(2 * len(text))
    for each in (block, bytes(plain.text) + text + raw):
        found = compact.read(Reader(each, 1 << 20), 1 << 20)
        assert found.frames == value(told["frames"])
        assert [event.hex() for event in found.ids] == told["ids"]


def test_the_packets_of_a_brief_sync_are_proven() -> None:
    """Requests that stand for themselves, and challenges, are proven by keys that both sides derive."""
    told = load("brief")
    machine, node = bytes.fromhex(told["machine_log"]), bytes.fromhex(told["node"])
    seeds = bytes.fromhex(told["machine_seal_seed"]), bytes.fromhex(told["node_seal_seed"])
    secrets = [
        brief.shared_secret(own, keys.seal_public_key(other), machine, node)
        for own, other in (seeds, seeds[::-1])
    ]
    assert secrets[0] == secrets[1]
    assert secrets[0] is not None
    kinds = []
    for packet in told["exchange"]:
        request, answer = bytes.fromhex(packet["request"]), bytes.fromhex(packet["answer"])
        kinds.append((request[0], packet["status"], answer[0], packet["lost"]))
        if packet["nonce_and_cursor"] is None:
            continue
        nonce, at = value(packet["nonce_and_cursor"])
        line = brief.Line(machine, node, "c1", nonce, Cursor(*at) if at else None, secrets[0])
        if answer[0] == brief.AGAIN[0]:
            assert brief.read_challenge(answer, line, request).nonce
        if at is None:  # stands for itself; the others lean on what the parent's store has
            assert brief.open_request(request, 1 << 20, compact.NOTHING).is_proven(line)
    assert kinds == [
        (1, 401, 1, False), (2, 200, 4, False), (2, 200, 4, False),
        (2, 200, 4, True), (2, 401, 3, False), (2, 200, 4, False), (2, 200, 2, False),
    ]  # fmt: skip


def test_a_first_request_opens_for_its_readers() -> None:
    """A first request of long ago opens for a reader, is signed by the machine, and so does its answer."""
    told = load("first")
    request, answer = bytes.fromhex(told["request"]), bytes.fromhex(told["answer"])
    found = brief.open_first(request, bytes.fromhex(told["reader_seed"]), 1 << 20)
    assert (found.key.hex(), found.log.hex()) == (told["key"], told["machine_log"])
    assert keys.verify(bytes.fromhex(told["machine_key"]), found.signed, found.signature)
    assert found.opened.block.frames == value(told["frames"])
    inside = open_packet(brief.open_first_answer(found.key, answer))
    assert inside == value(told["answer_inside"])
    assert (told["status"], inside[:2], inside[2][2][:1]) == (200, [1, "first"], brief.SIGNED)


@pytest.mark.parametrize("name", fold_stories.STORIES)
def test_a_story_folds_the_same_in_any_order(name: str) -> None:
    """What events fold to, and what becomes of each, does not depend on their order."""
    told = next(story for story in load("fold")["stories"] if story["name"] == name)
    entries = [fold_stories.entry(line) for line in fold_stories.STORIES[name]]
    for order in itertools.permutations(entries):
        state = fold.fold(MATTER, order)
        assert json.loads(json.dumps(fold_stories.describe_state(state))) == told["state"]
        assert {key: state.value(key) for key in state.registers} == value(told["values"])
        assert state.is_void == told["is_void"]
    standings = [str(standing(MATTER, state, entry.id, entry.ops)) for entry in entries]
    assert standings == [event["standing"] for event in told["events"]]


@pytest.mark.parametrize("which", ["live", "erased"])
def test_an_evidence_file_still_proves(which: str) -> None:
    """A file that was written once proves the same as long as its version is read, from the anchor alone."""
    case = load("evidence")
    kept = case["files"][which]
    evidence = Evidence.parse(bytes.fromhex(kept["file"]))
    report = check(evidence, bytes.fromhex(case["anchor"]), [MATTER])
    assert (report.problems, report.notes) == ([], [])
    assert report.fingerprint.hex() == kept["fingerprint"]
    assert [len(proven.chain) for proven in report.events] == [2, 2]
    stone = Tombstone.from_bytes(bytes.fromhex(case["tombstone"]))
    assert report.tombstone == (stone if which == "erased" else None)
