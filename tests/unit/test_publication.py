"""What the province publishes: checked like a TUF repository, without a clock."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onestop_sync import publisher
from onestop_sync.errors import FormatError, InvalidInput, NotAllowed, OnestopError, SignatureInvalid
from onestop_sync.keys import SigningKey
from onestop_sync.publication import Incomplete, Publication, anchor_of
from onestop_sync.publisher import Lifetimes
from onestop_sync.trust_document import TrustDocument
from onestop_sync.units import Unit

RNG = Random(5)
ROOTS = [SigningKey(RNG.randbytes(32)) for _ in range(4)]
ONLINE, OTHER, ADMIN = (SigningKey(RNG.randbytes(32)) for _ in range(3))
NOW_MS = 1_790_000_000_000
DOCUMENT = TrustDocument(1, {"p": Unit("p", "Tỉnh", "", "province")}, {ADMIN.public: "p"}, NOW_MS)


def first(**files: bytes) -> tuple[bytes, Publication]:
    """Returns the anchor and the first publication of a province with three root keys, two of which sign."""
    anchor, data = publisher.found(ROOTS[:3], 2, ONLINE, DOCUMENT, now_ms=NOW_MS, files=files)
    return anchor, Publication.check(data, anchor)


def after(held: Publication, version: int = 2, **files: bytes | None) -> Publication:
    """Returns the next publication, with another trust document."""
    document = replace(DOCUMENT, version=version)
    return Publication.parse(
        publisher.publish(held, ONLINE, document=document, files=dict(files), now_ms=NOW_MS)
    )


def rotated(held: Publication, keys: list[SigningKey], signers: list[SigningKey]) -> bytes:
    """Returns a new root with these keys, signed by those."""
    draft = publisher.draft_root(held, [k.public for k in keys], 2, ONLINE.public, now_ms=NOW_MS)
    for signer in signers:
        draft = publisher.sign_root(draft, signer)
    return publisher.finish_root(draft, held)


ANCHOR, FIRST = first(catalogue=b"[]")


def test_the_first_publication_is_believed_because_of_its_anchor() -> None:
    """Who knows the hash of the first root can check everything else."""
    assert Publication.check(FIRST.data, ANCHOR).document == DOCUMENT
    assert FIRST.target("catalogue") == b"[]"
    assert anchor_of(FIRST.files["1.root.json"]) == ANCHOR
    with pytest.raises(SignatureInvalid, match="not by this province"):
        Publication.check(FIRST.data, bytes(32))


def test_an_unchanged_file_does_not_travel_again() -> None:
    """A newer version is taken from its metadata and the files that changed, and no others."""
    newer = after(FIRST)
    with pytest.raises(Incomplete) as told:
        FIRST.updated(newer.newer_than(1))
    assert told.value.names == ("target/trust",)
    taken = FIRST.updated(newer.newer_than(1, told.value.names))
    assert taken.data == newer.data
    assert taken.target("catalogue") == b"[]"


def test_a_removed_file_is_gone() -> None:
    """What a newer version does not name is not kept."""
    newer = after(FIRST, catalogue=None)
    assert FIRST.updated(newer.files).target("catalogue") is None


def test_an_older_version_teaches_nothing() -> None:
    """An old stick, or a parent that has not heard of it yet, leaves everything as it is."""
    newer = after(FIRST)
    assert newer.updated(FIRST.files) is newer


def test_rollback_of_what_a_newer_version_names_is_refused() -> None:
    """A newer timestamp over an older list of files is refused: versions never go back (TUF 5.5.5)."""
    newer = after(FIRST)
    files = dict(newer.files)
    stamp = publisher.publish(FIRST, ONLINE, now_ms=NOW_MS)  # version 2 as well, over a list of version 2
    older = {**files, "timestamp.json": Publication.parse(stamp).files["timestamp.json"]}
    older["snapshot.json"] = FIRST.files["snapshot.json"]
    with pytest.raises(SignatureInvalid):
        FIRST.updated(older)


def test_files_of_two_versions_do_not_mix() -> None:
    """Metadata of one version with a file of another is refused or wanted again (mix and match)."""
    two, three = after(FIRST), after(after(FIRST), 3)
    mixed = {**three.files, "targets.json": two.files["targets.json"]}
    with pytest.raises(SignatureInvalid):
        FIRST.updated(mixed)
    with pytest.raises(Incomplete):
        FIRST.updated({**three.files, "target/trust": two.files["target/trust"]})


def test_nobody_but_the_online_key_publishes() -> None:
    """A root key, or any other, cannot publish; nor can the online key make a root."""
    for key in (ROOTS[0], OTHER):
        with pytest.raises(NotAllowed):
            publisher.publish(FIRST, key, now_ms=NOW_MS)
    draft = publisher.draft_root(FIRST, [ONLINE.public], 1, ONLINE.public, now_ms=NOW_MS)
    with pytest.raises(NotAllowed, match="lacks signatures"):
        publisher.finish_root(publisher.sign_root(draft, ONLINE), FIRST)


def test_a_new_root_needs_a_threshold_of_the_old_keys_and_of_the_new() -> None:
    """One of two is not enough, whoever it is; two of three are."""
    keys = [ROOTS[1], ROOTS[2], ROOTS[3]]
    for signers in ([ROOTS[1]], [ROOTS[0], ROOTS[1]], [ROOTS[2], ROOTS[3]], [ROOTS[1], ROOTS[1]]):
        with pytest.raises(NotAllowed):
            rotated(FIRST, keys, signers)
    root = rotated(FIRST, keys, [ROOTS[1], ROOTS[2]])
    newer = Publication.parse(publisher.rotate(FIRST, root, ONLINE, now_ms=NOW_MS))
    assert newer.root_version == 2
    assert set(publisher.signers_of(newer, "root")) == {k.public for k in keys}
    assert FIRST.updated(newer.newer_than(1)).data == newer.data
    assert Publication.check(newer.data, ANCHOR).root_version == 2


def test_a_machine_that_was_away_takes_several_roots_at_once() -> None:
    """Roots are followed one by one, however long ago the last one that is known."""
    at = FIRST
    for turn in range(3):
        keys = [ROOTS[(turn + i) % 4] for i in range(3)]
        root = rotated(at, keys, ROOTS)
        at = Publication.parse(publisher.rotate(at, root, ONLINE, now_ms=NOW_MS))
    assert FIRST.updated(at.newer_than(1)).root_version == 4
    lacking = {n: d for n, d in at.newer_than(1).items() if n != "3.root.json"}
    assert FIRST.updated(lacking).root_version == 2  # as far as it is proven, and no further


def test_a_stolen_publishing_key_ends_with_the_next_root() -> None:
    """After a rotation the old key's versions count no more, however high they count (TUF 5.3.11)."""
    stolen = FIRST
    for version in range(2, 30):
        stolen = after(stolen, version)
    draft = publisher.draft_root(FIRST, [k.public for k in ROOTS[:3]], 2, OTHER.public, now_ms=NOW_MS)
    root = publisher.finish_root(publisher.sign_root(publisher.sign_root(draft, ROOTS[0]), ROOTS[1]), FIRST)
    good = Publication.parse(publisher.rotate(FIRST, root, OTHER, now_ms=NOW_MS))
    assert good.updated(stolen.files) is good
    # Who took the thief's versions meanwhile is brought back by the new root alone.
    assert stolen.updated(good.newer_than(1, [f"target/{name}" for name in good.targets])).data == good.data
    assert good.updated(after_by(good, OTHER).files).document.version == 2


def after_by(held: Publication, key: SigningKey) -> Publication:
    """Returns the next publication by another key."""
    document = replace(DOCUMENT, version=held.document.version + 1)
    return Publication.parse(publisher.publish(held, key, document=document, now_ms=NOW_MS))


def test_what_has_expired_is_taken_and_told() -> None:
    """A stick with a revocation that is past its date still teaches it; the date is there to be shown."""
    short = Lifetimes(root=1, targets=1, timestamp=1)
    anchor, data = publisher.found(ROOTS[:3], 2, ONLINE, DOCUMENT, now_ms=0, lifetimes=short)
    held = Publication.check(data, anchor)
    newer = publisher.publish(
        held, ONLINE, document=replace(DOCUMENT, version=2), now_ms=86_400_000, lifetimes=short
    )
    found = held.updated(Publication.parse(newer).files)
    assert (found.document.version, found.expires_ms) == (2, 86_400_000)


def test_a_document_that_is_not_newer_is_not_published() -> None:
    """The trust document counts up with every change."""
    with pytest.raises(InvalidInput, match="not newer"):
        publisher.publish(FIRST, ONLINE, document=DOCUMENT, now_ms=NOW_MS)
    with pytest.raises(InvalidInput, match="cannot be removed"):
        publisher.publish(FIRST, ONLINE, files={"trust": None}, now_ms=NOW_MS)


def test_a_threshold_that_cannot_be_met_is_refused() -> None:
    """Three signatures of two keys are nobody's root."""
    with pytest.raises(InvalidInput):
        publisher.found(ROOTS[:2], 3, ONLINE, DOCUMENT, now_ms=NOW_MS)


NEWER = after(FIRST)


@settings(max_examples=300)
@given(st.sampled_from(sorted(NEWER.files)), st.integers(0, 10**6), st.integers(1, 255))
def test_any_flipped_byte_is_refused_or_means_the_same(name: str, place: int, flip: int) -> None:
    """No byte of a publication can be changed so that a machine takes something else."""
    data = bytearray(NEWER.files[name])
    data[place % len(data)] ^= flip
    try:
        found = FIRST.updated({**NEWER.files, name: bytes(data)})
    except OnestopError:
        return
    # JSON has room for white space and escapes that no signature covers.
    assert found.document == NEWER.document
    assert found.targets == NEWER.targets
    if name.startswith("target/"):
        assert found.files[name] == NEWER.files[name]


@pytest.mark.parametrize("junk", [b"", b"\xff", b"{}", b"[1]", json.dumps({"signed": {}}).encode()])
@pytest.mark.parametrize("name", ["timestamp.json", "snapshot.json", "targets.json", "2.root.json"])
def test_junk_for_metadata_is_one_clear_error(name: str, junk: bytes) -> None:
    """What is no metadata at all is told as such, and never falls over."""
    with pytest.raises((FormatError, SignatureInvalid)):
        FIRST.updated({**NEWER.files, name: junk})
