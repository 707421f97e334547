"""Brief packets by somebody who means harm: refused as what they are, within bounds of time and memory."""

from __future__ import annotations

import hashlib
import random
import time
import tracemalloc
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onestop_sync import brief, compact
from onestop_sync.brief import Asked, Line
from onestop_sync.brief.line import Secret, prove
from onestop_sync.columns import Columns, Reader
from onestop_sync.compact import Block, Place
from onestop_sync.errors import FormatError
from onestop_sync.exchange import Cursor
from onestop_sync.protocol import LIMITS

LIMIT = LIMITS.packet_bytes
LOG, NODE = bytes(range(32)), bytes(range(32, 64))
LINE = Line(LOG, NODE, "c1", bytes(16), Cursor(bytes(16), 7, bytes(8)), Secret(bytes(32), bytes(32)))
ASKED = Asked(b"\x02 a request", (1, 1), Block([[b"header", bytes(64), None]], [bytes(32)], []))
NOISE = random.Random(3).randbytes(3000)


class Everything:
    """A store that has every event that is asked for, as the worst case."""

    def places(self, _ids: Collection[bytes]) -> Mapping[bytes, tuple[Place, bytes]]:
        """Returns nothing: it is only read here."""
        return {}

    def logs(self, prefixes: Collection[bytes]) -> Mapping[bytes, bytes]:
        """Returns a log for each prefix."""
        return {prefix: hashlib.sha256(prefix).digest() for prefix in prefixes}

    def events(self, places: Collection[Place]) -> Mapping[Place, tuple[bytes, bytes]]:
        """Returns an event for each place."""
        return {place: (place.log, place.log[:16]) for place in places}


def block_of(numbers: list[int | bytes], raw: bytes = b"") -> bytes:
    """Packs numbers and strings as they come, with ``raw`` behind."""
    columns = Columns()
    for each in numbers:
        columns.string(each) if isinstance(each, bytes) else columns.number(each)
    columns.raw += raw
    return columns.pack()


def request_of(block: bytes) -> bytes:
    """Puts a block into a request."""
    return brief.MARK + LOG[:8] + bytes(16) + block


small = st.integers(0, 40)
tokens = st.lists(
    small | small | st.sampled_from([64, 127, 2**31, 2**53, 2**62, 2**63 - 1]) | st.binary(max_size=6),
    max_size=40,
)


@settings(max_examples=150)
@given(tokens, st.sampled_from([0, 16, 100, 3000]))
def test_any_numbers_are_refused_or_read(numbers: list[int | bytes], size: int) -> None:
    """Whatever numbers stand where, readers return what they read or `FormatError`, nothing else."""
    block = block_of(numbers, NOISE[:size])
    with suppress(FormatError):
        compact.read(Reader(block, LIMIT), LIMIT, Everything())
    with suppress(FormatError):
        brief.open_request(request_of(block), LIMIT, Everything())
    for mark in (brief.MARK + bytes(16), brief.SIGNED + bytes(64)):
        with pytest.raises(FormatError):
            brief.read_answer(mark + block, LIMIT, LINE, ASKED, bytes(32))


def test_a_time_beyond_all_bounds_is_refused() -> None:
    """Times are differences that add up; where the sum is no time any more, the packet is malformed."""
    frame: list[int | bytes] = [1 + 8, 0, 0, b"case", 1, 2**63 - 1, b"", 1 + 8 + 4, 2, 2, 2**63 - 1, b""]
    with pytest.raises(FormatError, match="time"):
        compact.read(Reader(block_of([2, *frame], bytes(400)), LIMIT), LIMIT)


def _many_parents() -> bytes:
    parents: list[int | bytes] = [1, 2, 2] * 64
    frame: list[int | bytes] = [1 + 2 + 4, 2, 0, 64, *parents, b""]
    first: list[int | bytes] = [1 + 8, 1, 2 * 5 + 1, b"case", 1, 0, b""]
    count = compact.MAX_FRAMES
    return block_of([count, *first, *frame * (count - 1)], bytes(8 + 92 * count))


def _many_logs() -> bytes:
    frames: list[int | bytes] = []
    for _ in range(compact.MAX_FRAMES):
        frames += [1 + 4 + 8, 1, 2, 0, b""]
    return block_of([compact.MAX_FRAMES, *frames], random.Random(4).randbytes(2_000_000))


def _one_frame_again() -> bytes:
    frame: list[int | bytes] = [0, 1, b"x" * 60_000, 0, b"y" * 60_000]
    return block_of([compact.MAX_FRAMES, *frame, *[64, 0] * (compact.MAX_FRAMES - 1)])


def _zeros() -> bytes:
    return block_of([compact.MAX_FRAMES, *[0] * 4 * compact.MAX_FRAMES])


def _more_zeros() -> bytes:
    return block_of([b"\0" * (8 * LIMIT)])


@pytest.mark.parametrize("bomb", [_many_parents, _many_logs, _one_frame_again, _zeros, _more_zeros])
def test_bombs_take_little_time_and_memory(bomb: Callable[[], bytes]) -> None:
    """The worst that fits into a request before anything is proven: at most 64 MiB and two seconds."""
    block = bomb()
    marks, version, root = 4, 1, 1
    columns = Columns()
    for number in (marks, version, root):
        columns.number(number)
    reader = Reader(block, 16 * LIMIT)
    columns.text += reader._text
    columns.raw += reader._raw[reader._raw_at :]
    packet = request_of(columns.pack())
    assert len(packet) < LIMIT
    begun = time.process_time()
    _open(packet)
    assert time.process_time() - begun < 2
    tracemalloc.start()
    _open(packet)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * 2**20


def _open(packet: bytes) -> None:
    with suppress(FormatError):
        brief.open_request(packet, LIMIT, Everything())


def test_an_answer_names_no_more_acks_than_it_may() -> None:
    """Empty acks cost two bytes each on the wire, so their number is bounded."""
    packet = brief.MARK + bytes(16) + block_of([8, compact.MAX_FRAMES + 1], bytes(16))
    with pytest.raises(FormatError, match="more"):
        brief.read_answer(packet, LIMIT, LINE, ASKED, bytes(32))


def test_a_challenge_for_another_request_is_refused() -> None:
    """The proof of a challenge covers the request, so one for another cannot be replayed."""
    found = brief.Challenge(bytes(16), bytes(16))
    packet = found.write(LINE, b"one")
    assert brief.read_challenge(packet, LINE, b"one") == found
    with pytest.raises(FormatError):
        brief.read_challenge(packet, LINE, b"other")
    assert prove(LINE.secret.down, b"a") != prove(LINE.secret.down, b"b")
