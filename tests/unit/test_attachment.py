"""Chunks, index and manifest: what is written is read back, and nothing else is taken."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onestop_sync import codec
from onestop_sync.attachment import (
    CHUNK_BYTES,
    MAX_CHUNKS,
    MAX_SIZE_BYTES,
    Index,
    Manifest,
    bitmap,
    bits_of,
    contents_named,
    count_of,
    may_name_contents,
    parse_index,
    parse_manifest,
)
from onestop_sync.errors import FormatError, InvalidInput

SALT = bytes(16)
HASHES = st.binary(min_size=32, max_size=32)


@st.composite
def indexes(draw: st.DrawFn) -> Index:
    """An index whose size fits its chunks."""
    hashes = draw(st.lists(HASHES, min_size=1, max_size=6))
    last = draw(st.integers(1, CHUNK_BYTES))
    return Index(
        draw(st.binary(min_size=16, max_size=16)), (len(hashes) - 1) * CHUNK_BYTES + last, tuple(hashes)
    )


@given(indexes())
def test_an_index_is_read_as_it_was_written(index: Index) -> None:
    """Encoding and reading give the same index, whose chunks make up exactly its size."""
    assert parse_index(index.encode()) == index
    assert sum(index.size_of(place) for place in range(1, len(index.hashes) + 1)) == index.size_bytes


@given(indexes(), st.data())
def test_an_index_of_another_size_is_refused(index: Index, data: st.DataObject) -> None:
    """A size that so many chunks cannot have is refused, so a file is as large as its index says."""
    wrong = data.draw(st.integers(-5, MAX_SIZE_BYTES * 2).filter(lambda n: count_of(n) != len(index.hashes)))
    with pytest.raises(FormatError):
        parse_index(index._replace(size_bytes=wrong).encode())


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_an_index_of_anything_is_read_or_refused(data: bytes) -> None:
    """Whatever bytes come, they are an index or refused as malformed."""
    with contextlib.suppress(FormatError):
        assert parse_index(data).encode() == data


def test_the_largest_index_fits_into_a_chunk_and_no_larger_is_made() -> None:
    """2,000 chunks can be named by one index; one more is refused before anything is stored."""
    whole = Index(SALT, MAX_SIZE_BYTES, tuple(bytes(32) for _ in range(MAX_CHUNKS)))
    assert len(whole.encode()) <= CHUNK_BYTES
    assert parse_index(whole.encode()) == whole
    with pytest.raises(InvalidInput):
        Index(SALT, MAX_SIZE_BYTES + 1, tuple(bytes(32) for _ in range(MAX_CHUNKS + 1))).encode()


@given(st.sets(st.integers(1, 50)))
def test_a_bitmap_holds_its_places(places: set[int]) -> None:
    """Places come back in order."""
    assert list(bits_of(bitmap(places, 50))) == sorted(places)


def test_a_manifest_is_a_value_with_whatever_else_its_type_keeps() -> None:
    """A manifest is known by its form, keeps what stands beside it, and anything else is none."""
    manifest = Manifest(bytes(32), "tờ khai.jpg", 70_000, "image/jpeg", (("giay_to", "Tờ khai"),))
    value = manifest.to_value()
    assert parse_manifest(value) == manifest
    assert manifest.chunks == 2
    spoilt: list[object] = [
        None, "", [], {}, {**value, "attachment": b"x"}, {**value, "size": True}, {**value, "size": -1},
        {**value, "size": MAX_SIZE_BYTES + 1}, {**value, "name": ""}, {**value, "name": "x" * 201},
        {k: v for k, v in value.items() if k != "type"},
    ]  # fmt: skip
    assert [parse_manifest(each) for each in spoilt] == [None] * len(spoilt)


def test_contents_are_found_in_what_sets_a_register() -> None:
    """Manifests that are set or chosen name their contents, once each; a look at the bytes misses none."""
    one, two = (Manifest(bytes([i]) * 32, "x", 1, "").to_value() for i in (1, 2))
    ops: list[Any] = [
        ["set", "a", one],
        ["set", "b", one],
        ["resolve", "c", two, "vì", []],
        ["note", "d", one],
    ]
    assert contents_named(ops) == [bytes([1]) * 32, bytes([2]) * 32]
    assert may_name_contents(codec.encode([SALT, ops]))
    assert not may_name_contents(codec.encode([SALT, [["set", "a", "x"]]]))
