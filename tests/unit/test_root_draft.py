"""A new root while its signatures are collected: who must sign, what a holder is told."""

from __future__ import annotations

import pytest

from onestop_sync import codec, publisher
from onestop_sync.errors import FormatError, InvalidInput, NotAllowed, SignatureInvalid
from onestop_sync.keys import SigningKey, fingerprint
from onestop_sync.publication import Publication
from onestop_sync.root_draft import RootDraft, read_root
from onestop_sync.trust_document import TrustDocument
from onestop_sync.units import Unit

NOW = 1_790_000_000_000
A, B, C, D, ONLINE, NEXT = (SigningKey(bytes([n]) * 32) for n in range(1, 7))


@pytest.fixture
def held() -> Publication:
    """Give a publication by two of three root keys."""
    document = TrustDocument(1, {"p": Unit("p", "Tỉnh", "", "province")}, {A.public: "p"}, NOW)
    _, data = publisher.found([A, B, C], 2, ONLINE, document, now_ms=NOW)
    return Publication.parse(data)


def drafted(
    held: Publication, *roots: SigningKey, online: SigningKey = ONLINE, threshold: int = 2
) -> RootDraft:
    """Draft a root with these keys."""
    return RootDraft.make(held, [r.public for r in roots], threshold, online.public, now_ms=NOW)


def carried(draft: RootDraft, *signers: SigningKey) -> RootDraft:
    """Carry a draft from holder to holder, as a file each time."""
    for signer in signers:
        draft = RootDraft.parse(draft.data).sign(signer)
    return RootDraft.parse(draft.data)


@pytest.mark.parametrize("signers", [(A, B), (B, A), (C, A), (A, B, C), (A, A, B)])
def test_any_two_of_three_holders_renew_the_root(held: Publication, signers: tuple[SigningKey, ...]) -> None:
    """In whatever order they sign, two holders are enough, and every machine follows."""
    root = carried(drafted(held, A, B, C), *signers).finish()
    after = Publication.parse(publisher.rotate(held, root, ONLINE, now_ms=NOW))
    assert (held.updated(after.files).root_version, read_root(root).threshold) == (2, 2)


@pytest.mark.parametrize("signers", [(), (A,), (A, A)])
def test_one_holder_alone_renews_nothing_and_is_told_who_is_missing(
    held: Publication, signers: tuple[SigningKey, ...]
) -> None:
    """A draft with less than two signatures is refused, with the fingerprints of who can complete it."""
    with pytest.raises(NotAllowed) as refused:
        carried(drafted(held, A, B, C), *signers).finish()
    assert fingerprint(B.public) in refused.value.what
    assert (fingerprint(A.public) in refused.value.what) is not bool(signers)


def test_a_lost_root_key_is_replaced_by_the_two_others(held: Publication) -> None:
    """Two old keys and the new one's two of three sign: the lost key counts no more afterwards."""
    draft = carried(drafted(held, A, D, C), A, C)
    after = Publication.parse(publisher.rotate(held, draft.finish(), ONLINE, now_ms=NOW))
    again = RootDraft.make(after, [A.public, D.public], 2, ONLINE.public, now_ms=NOW)
    with pytest.raises(NotAllowed):
        again.sign(B)
    assert carried(again, D, A).missing == []


def test_a_lost_publishing_key_is_replaced_by_the_root(held: Publication) -> None:
    """The new publishing key publishes after the rotation, and the lost one no more."""
    root = carried(drafted(held, A, B, C, online=NEXT), A, B).finish()
    after = Publication.parse(publisher.rotate(held, root, NEXT, now_ms=NOW))
    assert Publication.parse(publisher.publish(after, NEXT, now_ms=NOW)).version == after.version + 1
    with pytest.raises(NotAllowed):
        publisher.publish(after, ONLINE, now_ms=NOW)


def test_signatures_of_two_copies_add_up(held: Publication) -> None:
    """Two holders who each signed a copy of their own have signed the root together."""
    draft = drafted(held, A, B, C)
    one, other = carried(draft, A), carried(draft, C)
    assert one.merged(other).signed_by == {A.public, C.public}
    assert one.merged(other).missing == other.merged(one).missing == []
    with pytest.raises(FormatError):
        one.merged(drafted(held, A, B, D))


def test_a_forged_signature_in_the_way_of_a_right_one_counts_for_nothing(held: Publication) -> None:
    """A signature that is wrong is not counted, and the holder can sign over it."""
    signed = carried(drafted(held, A, B, C), A)
    forged = RootDraft(signed.roots, signed.root.replace(b'"sig":"', b'"sig":"00', 1))
    assert forged.root != signed.root
    assert forged.signed_by == frozenset()
    assert carried(forged, A, B).missing == []
    assert forged.merged(signed).signed_by == {A.public}


def test_new_keys_must_sign_for_themselves(held: Publication) -> None:
    """The old keys alone cannot name new ones that nobody holds."""
    draft = carried(drafted(held, C, D), A, B)
    assert len(draft.missing) == 1
    assert carried(draft, C, D).missing == []


def test_a_stranger_signs_nothing(held: Publication) -> None:
    """A key that is no root key is refused, whatever else it is."""
    with pytest.raises(NotAllowed):
        drafted(held, A, B, C).sign(ONLINE)


def test_a_holder_is_told_everything_that_changes(held: Publication) -> None:
    """Each new key, each lost one, the threshold and the publishing key are told, with fingerprints."""
    text = "\n".join(carried(drafted(held, A, D, online=NEXT, threshold=1), A).words)
    for key in (A, B, C, D, ONLINE, NEXT):
        assert fingerprint(key.public) in text
    assert text.count("CHANGES") == 4
    assert text.count("IS NEW") == 1
    assert "CHANGES" not in "\n".join(drafted(held, A, B, C).words)


def test_what_was_tampered_with_is_refused(held: Publication) -> None:
    """A draft whose published root was exchanged, shortened or is none does not even show."""
    draft = drafted(held, A, B, C)
    root = carried(draft, A, B).finish()
    after = Publication.parse(publisher.rotate(held, root, ONLINE, now_ms=NOW))
    _, foreign = publisher.found([D], 1, D, held.document, now_ms=NOW)
    good = RootDraft.make(after, [A.public, B.public], 2, ONLINE.public, now_ms=NOW)
    first = Publication.parse(foreign).files["1.root.json"]
    for bad in (RootDraft((first, *good.roots[1:]), good.root), RootDraft(good.roots[:1], good.root)):
        with pytest.raises((SignatureInvalid, FormatError)):
            RootDraft.parse(bad.data)
    for junk in (
        b"",
        b"\x00",
        codec.encode([1, "root draft", [], b""]),
        codec.encode([1, "x", [b"{}"], b"{}"]),
    ):
        with pytest.raises(FormatError):
            RootDraft.parse(junk)


def test_more_signatures_than_keys_are_not_drafted(held: Publication) -> None:
    """A threshold that can never be met is refused before anybody signs."""
    with pytest.raises(InvalidInput):
        drafted(held, A, A, threshold=2)
