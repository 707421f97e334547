"""Targets: what is signed and kept: trust, publications, tombstones, evidence, backups, keyrings."""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from onestop_sync import (
    backup_files,
    codec,
    enrol_files,
    event,
    keyring_file,
    keys,
    nearby,
    proofs,
    publisher,
    recovery,
    root_draft,
    tombstone,
    trust,
)  # fmt: skip
from onestop_sync.document_evidence import Claim, Evidence
from onestop_sync.errors import FormatError
from onestop_sync.keys import KeyCost, SealedBox, SigningKey
from onestop_sync.proof import check as check_evidence
from onestop_sync.publication import Publication, parse_files
from onestop_sync.statement import Statement
from onestop_sync.testing.small_province import MATTER
from onestop_sync.trust_document import TrustDocument
from tests.fuzz.seeds import hex_of, vectors
from tests.fuzz.target import Form, Run, Target, scratch
from tests.province import Province

__all__ = ["TARGETS"]

_ROOT: Final = SigningKey(bytes([1]) * 32)
_MACHINE: Final = SigningKey(bytes([5]) * 32)
_CHEAP: Final = KeyCost(1, 1, 8)


def _always(run: Run) -> Callable[[], Run]:
    return lambda: run


def _published() -> bytes:
    return bytes.fromhex(vectors("trust")["publication"])


def _anchor() -> bytes:
    return bytes.fromhex(vectors("trust")["anchor"])


def _trust_document(data: bytes) -> None:
    found = TrustDocument.from_bytes(data)
    assert TrustDocument.from_bytes(found.to_bytes()) == found
    for unit in found.units:
        assert unit in found.above(unit)
        assert unit in found.below(unit)


def _certificate() -> Run:
    """The operation of a certificate or countersignature, in an event whose header is right."""
    key = SigningKey(bytes([3]) * 32)

    def run(data: bytes) -> None:
        value = codec.decode(data)
        if not isinstance(value, list):
            raise FormatError("Not an operation.")
        made = event.build(
            key, log=bytes(32), seq=1, prev=bytes(32), doc_type=trust.CERTIFICATE,
            doc_id=event.typed_id(trust.CERTIFICATE, bytes(16)), parents=(), time_ms=1, schema=0, ops=[value],
            salt=bytes(16),
        )  # fmt: skip
        wrong = []
        for parse in (trust.parse_certificate, trust.parse_countersignature):
            try:
                found: Any = parse(made)
            except FormatError as error:
                wrong.append(error)
            else:
                assert codec.encode(found.to_op()[1]) or data
        if len(wrong) > 1:
            raise wrong[0]

    return run


def _certificates() -> list[bytes]:
    certificate = trust.Certificate(
        _MACHINE.public, "c1", "machine", "Máy 1", seal=bytes(32), blocks=((1, 500),), serves=True
    )
    told = vectors("event")["events"][1]
    return [
        codec.encode(certificate.to_op()),
        codec.encode(codec.decode(bytes.fromhex(told["body_bytes"]))[1][0]),
    ]


def _publication(data: bytes) -> None:
    found = Publication.check(data, _anchor())
    assert Publication.check(found.data, _anchor()).data == found.data


def _newer() -> Run:
    """Files that claim to be newer than what is held: whoever has no key can send these to a server."""
    held = Publication.check(_published(), _anchor())

    def run(data: bytes) -> None:
        held.updated(parse_files(data))

    return run


def _newer_files() -> list[bytes]:
    held = Publication.parse(_published())
    data = publisher.publish(held, _ROOT, now_ms=1_800_000_000_000, files={"x.json": b"{}"})
    return [data, codec.encode(dict(Publication.parse(data).newer_than(1)))]


def _metadata() -> Run:
    """What metadata says, signed by the true keys: by somebody who stole them, or by a newer program."""
    from securesystemslib.formats import encode_canonical

    files = parse_files(_published())
    (name,) = json.loads(files["1.root.json"])["signed"]["keys"]

    def signed(value: Any) -> bytes:
        try:
            signature = {"keyid": name, "sig": _ROOT.sign(str(encode_canonical(value)).encode()).hex()}
        except Exception as error:  # what has no canonical form is signed by nobody
            raise FormatError("Nothing that can be signed.") from error
        whole = {"signatures": [signature], "signed": value}
        return json.dumps(whole, separators=(",", ":"), sort_keys=True).encode()

    def run(data: bytes) -> None:
        try:
            told = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise FormatError("Not JSON.") from error
        if not isinstance(told, dict):
            raise FormatError("Not metadata.")
        changed = {each: signed(value) for each, value in told.items() if each in files}
        Publication.check(codec.encode({**files, **changed}), _anchor())

    return run


def _signed_parts() -> list[bytes]:
    files = parse_files(_published())
    names = ("timestamp.json", "snapshot.json", "targets.json")
    return [json.dumps({name: json.loads(files[name])["signed"]}).encode() for name in names]


def _root(data: bytes) -> None:
    found = root_draft.read_root(data)
    assert found.version == int(found.version)


def _draft(data: bytes) -> None:
    found = root_draft.RootDraft.parse(data)
    assert root_draft.RootDraft.parse(found.data) == found
    assert found.anchor
    assert isinstance(found.missing, list | tuple)


def _drafts() -> list[bytes]:
    held = Publication.parse(_published())
    key = SigningKey(bytes([9]) * 32)
    return [
        root_draft.RootDraft.make(
            held, [_ROOT.public, key.public], 2, _ROOT.public, now_ms=1_800_000_000_000
        ).data
    ]


def _tombstone(data: bytes) -> None:
    found = tombstone.Tombstone.from_bytes(data)
    assert tombstone.Tombstone.from_bytes(found.to_bytes()) == found
    assert isinstance(found.label, str)
    assert found.tally is None or found.tally


def _tombstones(data: bytes) -> None:
    for found in tombstone.read(data):
        assert found.became(bytes(32)).standing


def _stones() -> list[bytes]:
    return [codec.encode([1, [codec.decode(bytes.fromhex(vectors("evidence")["tombstone"]))]])]


def _evidence() -> Run:
    anchor = bytes.fromhex(vectors("evidence")["anchor"])

    def run(data: bytes) -> None:
        found = Evidence.parse(data)
        assert found.to_bytes() == data
        assert found.anchor
        if found.claim:
            Claim.parse(found.claim)
        check_evidence(found, anchor, [MATTER]).to_json()

    return run


def _proof(data: bytes) -> None:
    report = proofs.check(data)
    assert report.cases is not None


def _framed(data: bytes) -> bytes:
    text = proofs.pack(b"", b"", [], [], "x").decode()
    begin, end = text.index(proofs._BEGIN) + len(proofs._BEGIN), text.index(proofs._END)
    return f"{text[:begin]}\n{base64.b64encode(data).decode()}\n{text[end:]}".encode()


def _proof_inside(data: bytes) -> None:
    """What a proof holds, in the text that carries it."""
    _proof(_framed(data))


def _proof_values() -> list[bytes]:
    """A server of the province states something, and is said to have withheld it; and a proof of nothing."""
    with tempfile.TemporaryDirectory() as folder:
        province = Province(Path(folder))
        store = province.machine("tinh", "p", serves=True, database="sqlite://").store
        event_id = bytes([9]) * 32
        said = Statement(store.machine_log, "c1", bytes(16), 1, b"", 5, 1, (), (event_id,)).sign(
            store.machine
        )
        frames = store.introduction(store.machine_log)
        root, published = province.anchor, province.trust
        store.close()
        province.office.close()
    found: list[codec.Value] = [1, root, published, frames, [["withheld", [["statement", said]], [event_id]]]]
    return [codec.encode(found), codec.encode([*found[:4], []])]


def _enrol_answer(data: bytes) -> None:
    found = enrol_files.read_answer(data)
    assert found.fingerprint


def _enrol_answers() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        province = Province(Path(folder))
        machine = province.machine("pc", "c1", {"An": ["clerk"]}, database="sqlite://")
        key = machine.store.machine.public
        data = codec.encode([1, "enrolment", province.anchor, province.trust, "c1", key, province.issued])
        machine.store.close()
        province.office.close()
    return [data]


def _box(data: bytes) -> None:
    """A sealed key: only read; opening it is as slow as its maker wished."""
    found = SealedBox.from_bytes(data)
    assert found.to_bytes() == data


def _boxes() -> list[bytes]:
    return [SealedBox.seal(bytes(32), "mật khẩu", entropy=bytes(28), cost=_CHEAP).to_bytes()]


def _keyring() -> Run:
    """A file of keys that the machine signed: whoever makes the file makes the machine's key as well."""

    def run(data: bytes) -> None:
        value = codec.decode(data)
        if not isinstance(value, list) or len(value) != 6:
            raise FormatError("Not a keyring.")
        found = keyring_file.KeyringFile.from_bytes(_signed_keyring(value))
        assert keyring_file.KeyringFile.from_bytes(found.to_bytes()) == found

    return run


def _signed_keyring(value: list[Any]) -> bytes:
    try:
        bare = keyring_file.KeyringFile(
            value[1], tuple(keyring_file._entries(value[3])), value[2], value[4][0], value[4][1], b""
        )
        return codec.encode([*value[:5], _MACHINE.sign(bare.signed_bytes())])
    except (TypeError, IndexError, KeyError, AttributeError):
        return codec.encode(value)


def _keyrings() -> list[bytes]:
    box = SealedBox.from_bytes(_boxes()[0])
    entry = keyring_file.Entry(bytes(32), "An", box, bytes(80))
    return [keyring_file.KeyringFile(_MACHINE.public, (entry,), bytes(32), b"", b"", bytes(64)).to_bytes()]


def _shared() -> Run:
    """What an envelope of the keyring holds, sealed to the officer."""
    seed = bytes([7]) * 32
    purpose = keyring_file._ENVELOPE + _MACHINE.public.hex()

    def run(data: bytes) -> None:
        codec.decode(data)
        envelope = keys.seal_to(keys.seal_public_key(seed), data, purpose)
        keyring_file.Shared.opened(seed, envelope, _MACHINE.public)

    return run


def _shares() -> list[bytes]:
    return [codec.encode([bytes(48), b"", bytes([5]) * 32, bytes(32), [[bytes(32), "An"]]])]


def _open_box(data: bytes) -> None:
    assert len(keyring_file.open_box(data)) == 3


def _recovery(data: bytes) -> None:
    found = recovery.describe(data)
    assert found.fingerprint
    recovery.answer(data, bytes([8]) * 32)


def _recoveries() -> list[bytes]:
    key = keys.seal_public_key(bytes([8]) * 32)
    envelope = keys.seal_to(key, _shares()[0], keyring_file._ENVELOPE + _MACHINE.public.hex())
    return [codec.encode([1, "recovery request", _MACHINE.public, key, key, envelope])]


def _backup() -> Run:
    """The list of a backup's files, signed by a machine."""
    folder = scratch()

    def run(data: bytes) -> None:
        codec.decode(data)
        signature = _MACHINE.sign(codec.pae(backup_files._SIGNED, data))
        (folder / backup_files.MANIFEST).write_bytes(codec.encode([data, signature]))
        found = backup_files.Manifest.read(folder)
        assert found.name
        assert len(found.files) == len(found.parts) + 2

    return run


def _manifests() -> list[bytes]:
    return [
        backup_files.Manifest(
            _MACHINE.public, 1_790_000_000_000, 0, 0, 1024, (), bytes(32), bytes(32), b""
        )._body()
    ]


def _hub(data: bytes) -> None:
    """What an announcement on the local network says: anybody can send one."""
    value = codec.decode(data)
    match value:
        case [dict(told), list(addresses), int(port)] if all(isinstance(each, str) for each in addresses):
            found = nearby.read_hub({k.encode(): v for k, v in told.items()}, addresses, port)
            if found is None:
                raise FormatError("Not a hub.")
            assert found.urls
        case _:
            raise FormatError("Not an announcement.")


def _hubs() -> list[bytes]:
    told = {"v": b"1", "root": b"01" * 8, "node": b"23" * 8, "unit": b"c1"}
    return [codec.encode([told, ["192.168.1.5"], 8080])]


TARGETS: Final = (
    Target(
        "trust_document",
        Form.CBOR,
        _always(_trust_document),
        lambda: hex_of(vectors("trust")["payload_bytes"]),
        ("onestop_sync.trust_document", "onestop_sync.units"),
    ),
    Target("certificate", Form.CBOR, _certificate, _certificates, ("onestop_sync.trust",)),
    Target(
        "publication",
        Form.CBOR,
        _always(_publication),
        lambda: [_published()],
        ("onestop_sync.publication",),
        is_slow=True,
    ),
    Target("newer_files", Form.CBOR, _newer, _newer_files, ("onestop_sync.publication",), is_slow=True),
    Target("metadata", Form.JSON, _metadata, _signed_parts, ("onestop_sync.publication",), is_slow=True),
    Target(
        "root",
        Form.JSON,
        _always(_root),
        lambda: [parse_files(_published())["1.root.json"]],
        ("onestop_sync.root_draft",),
    ),
    Target("root_draft", Form.CBOR, _always(_draft), _drafts, ("onestop_sync.root_draft",), is_slow=True),
    Target(
        "tombstone",
        Form.CBOR,
        _always(_tombstone),
        lambda: hex_of(vectors("evidence")["tombstone"]),
        ("onestop_sync.tombstone",),
    ),
    Target("tombstones", Form.CBOR, _always(_tombstones), _stones, ("onestop_sync.tombstone",)),
    Target(
        "evidence",
        Form.CBOR,
        _evidence,
        lambda: hex_of(*(each["file"] for each in vectors("evidence")["files"].values())),
        ("onestop_sync.document_evidence", "onestop_sync.proof"),
        is_slow=True,
    ),
    Target(
        "proof",
        Form.TABLE,
        _always(_proof),
        lambda: [_framed(each) for each in _proof_values()],
        ("onestop_sync.proofs",),
        is_slow=True,
    ),
    Target(
        "proof_inside",
        Form.CBOR,
        _always(_proof_inside),
        _proof_values,
        ("onestop_sync.proofs",),
        is_slow=True,
    ),
    Target(
        "enrolment_answer",
        Form.CBOR,
        _always(_enrol_answer),
        _enrol_answers,
        ("onestop_sync.enrol_files",),
        is_slow=True,
    ),
    Target("sealed_key", Form.CBOR, _always(_box), _boxes, ("onestop_sync.keys",)),
    Target("keyring", Form.CBOR, _keyring, _keyrings, ("onestop_sync.keyring_file",)),
    Target("keyring_envelope", Form.CBOR, _shared, _shares, ("onestop_sync.keyring_file",)),
    Target(
        "keyring_box",
        Form.CBOR,
        _always(_open_box),
        lambda: [codec.encode([bytes(32), bytes(32), bytes(32)])],
        ("onestop_sync.keyring_file",),
    ),
    Target("recovery", Form.CBOR, _always(_recovery), _recoveries, ("onestop_sync.recovery",)),
    Target("backup", Form.CBOR, _backup, _manifests, ("onestop_sync.backup_files",)),
    Target("hub", Form.CBOR, _always(_hub), _hubs, ("onestop_sync.nearby",)),
)
