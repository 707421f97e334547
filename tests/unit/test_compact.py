"""Frames without what their receiver can work out: put back to the same bytes, whatever they are."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onestop_sync import codec, compact
from onestop_sync import event as ev
from onestop_sync.columns import Columns, Reader
from onestop_sync.compact import Block, Held, Place
from onestop_sync.errors import FormatError
from onestop_sync.event import Event
from onestop_sync.keys import SigningKey

LIMIT = 1 << 20
KEYS = [SigningKey(bytes([n]) * 32) for n in range(1, 4)]
KINDS = ("case", "trail", "hồ-sơ")


def forth(frames: list[Any], held: Held = compact.NOTHING) -> tuple[bytes, Block]:
    """Writes frames; returns the block's bytes and what the writer says that it holds."""
    columns = Columns()
    block = compact.write(frames, columns, held)
    return columns.pack(), block


def back(data: bytes, held: Held = compact.NOTHING) -> Block:
    """Reads frames."""
    reader = Reader(data, LIMIT)
    block = compact.read(reader, LIMIT, held)
    reader.end()
    return block


class World(Held):
    """Logs that grow at random over a few documents; what was "sent" before is held by both sides."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.ends: list[Event | None] = [None] * len(KEYS)
        self.events_: list[Event] = []
        self.sent: set[bytes] = set()

    def step(self) -> Event:
        """Adds an event to some log, about some document."""
        dice = self.dice
        which = dice.randrange(len(KEYS))
        before = self.ends[which]
        if before is None:
            event = self._build(which, b"", 0, b"", ev.LOG, ev.typed_id(ev.LOG, dice.randbytes(12)), ())
        else:
            log, seq = before.log, before.header.seq + 1
            kind = dice.choice(KINDS)
            old = [e for e in self.events_ if e.header.doc_type == kind]
            if old and dice.random() < 0.7:
                about = dice.choice(old)
                same = [e.id for e in old if e.header.doc_id == about.header.doc_id]
                parents = set(dice.sample(same, min(len(same), dice.choice([1, 1, 1, 2, 3]))))
                event = self._build(which, log, seq, before.id, kind, about.header.doc_id, parents)
            else:
                doc = ev.document_id(log, seq, kind)
                event = self._build(which, log, seq, before.id, kind, doc, ())
        self.ends[which] = event
        self.events_.append(event)
        return event

    def _build(
        self, which: int, log: bytes, seq: int, prev: bytes, kind: str, doc: bytes, parents: Collection[bytes]
    ) -> Event:
        dice = self.dice
        ops: list[ev.Op] = [["set", "name", "Đặng " * dice.randrange(1, 9)], ["note", "x", dice.randbytes(3)]]
        return ev.build(
            KEYS[which], log=log, seq=seq, prev=prev, doc_type=kind, doc_id=doc, parents=parents,
            time_ms=dice.randrange(-(10**6), 2**45), schema=dice.randrange(3), ops=ops,
            salt=dice.randbytes(16),
        )  # fmt: skip

    def places(self, ids: Collection[bytes]) -> Mapping[bytes, tuple[Place, bytes]]:
        """Returns where events are that were sent."""
        return {
            e.id: (Place(e.log, e.header.seq), e.header.doc_id)
            for e in self.events_ if e.id in ids and e.id in self.sent
        }  # fmt: skip

    def logs(self, prefixes: Collection[bytes]) -> Mapping[bytes, bytes]:
        """Returns logs of which something was sent."""
        known = {e.log for e in self.events_ if e.id in self.sent}
        return {log[:8]: log for log in known if log[:8] in prefixes}

    def events(self, places: Collection[Place]) -> Mapping[Place, tuple[bytes, bytes]]:
        """Returns what was sent."""
        return {
            Place(e.log, e.header.seq): (e.id, e.header.doc_id)
            for e in self.events_ if e.id in self.sent and Place(e.log, e.header.seq) in places
        }  # fmt: skip


@given(st.integers(0, 10**9))
def test_events_come_back_to_the_byte(seed: int) -> None:
    """Whatever grows in a few logs comes back exactly, alone and on top of what both sides have."""
    world = World(random.Random(seed))
    for _ in range(3):
        batch = [world.step() for _ in range(world.dice.randrange(1, 12))]
        frames = [event.to_frame() for event in batch]
        for held in (compact.NOTHING, world):
            data, block = forth(frames, held)
            assert back(data, held) == block
            assert (block.frames, block.ids) == (frames, [event.id for event in batch])
        world.sent |= {event.id for event in batch}


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.binary(max_size=40) | st.text(max_size=20)
    | st.floats() | st.binary(min_size=32, max_size=32),
    lambda inner: st.lists(inner, max_size=12) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=15,
)  # fmt: skip


@given(st.integers(0, 10**6), st.data())
def test_spoilt_frames_come_back_to_the_byte(seed: int, data: st.DataObject) -> None:
    """What is no event, or not quite, travels as it is: rubbish, other numbers, other sizes, no body."""
    import cbor2

    world = World(random.Random(seed))
    frames = [world.step().to_frame() for _ in range(8)]
    for frame in frames:
        way = data.draw(st.integers(0, 6))
        header = codec.decode(frame[0])
        match way:
            case 1:
                header[data.draw(st.integers(0, 10))] = data.draw(values)
                frame[0] = cbor2.dumps(header)
            case 2:
                frame[0] = data.draw(st.binary(max_size=80))
            case 3:
                frame[1] = data.draw(st.binary(max_size=80))
            case 4:
                frame[2] = data.draw(st.none() | st.binary(max_size=80))
            case 5:
                frame[2] = frame[2][:17] + data.draw(st.binary(max_size=9))
            case 6:
                frame[0] += b"\0"
    frames += data.draw(st.lists(st.sampled_from(frames), max_size=4))
    packed, block = forth(frames)
    assert back(packed) == block
    assert block.frames == frames


def test_a_fork_in_one_block_comes_back(world: World) -> None:
    """Two events at one place, and events that hang on either, are not mixed up."""
    one = [world.step() for _ in range(30)]
    branch = one[-1]
    twin = world._build(
        next(n for n, end in enumerate(world.ends) if end and end.log == branch.log),
        branch.header.log, branch.header.seq, branch.header.prev, "case",
        ev.document_id(branch.log, branch.header.seq, "case"), (),
    )  # fmt: skip
    frames = [e.to_frame() for e in (*one, twin, *one, twin, branch)]
    data, block = forth(frames)
    assert back(data) == block
    assert block.frames == frames


@pytest.fixture
def world() -> World:
    """Give a world with its own dice."""
    return World(random.Random(7))


def test_what_is_not_here_is_told_apart(world: World) -> None:
    """A block that leans on what its reader has not got asks for plain frames; one that leans is smaller."""
    for _ in range(20):
        world.step()
    world.sent = {event.id for event in world.events_}
    frames = [world.step().to_frame() for _ in range(5)]
    leaning, alone = forth(frames, world)[0], forth(frames)[0]
    assert len(leaning) + 100 < len(alone)
    with pytest.raises(compact.Unknown):
        back(leaning)


def test_a_wrong_guess_gives_another_id(world: World) -> None:
    """A reader with another event at a place puts back other bytes, and the digest of the ids tells."""
    for _ in range(20):
        world.step()
    world.sent = {event.id for event in world.events_}
    data, block = forth([world.step().to_frame() for _ in range(5)], world)

    class Other(World):
        def events(self, places: Collection[Place]) -> Mapping[Place, tuple[bytes, bytes]]:
            return {place: (bytes(32), bytes(16)) for place in places}

    other = Other(world.dice)
    other.events_, other.sent = world.events_, world.sent
    assert back(data, other).digest != block.digest


@given(st.binary(max_size=300))
def test_rubbish_is_refused(data: bytes) -> None:
    """Whatever bytes come, a reader returns frames or says that they are none."""
    with suppress(FormatError):
        back(data)


@given(st.integers(0, 10**6), st.data())
def test_damage_is_refused_or_read(seed: int, data: st.DataObject) -> None:
    """A true block with a few bytes changed, cut or added gives frames or `FormatError`, nothing else."""
    world = World(random.Random(seed))
    packed = bytearray(forth([world.step().to_frame() for _ in range(6)])[0])
    for _ in range(data.draw(st.integers(1, 3))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(packed)))
    with suppress(FormatError):
        back(bytes(packed[:end]))


def test_what_comes_out_is_bounded() -> None:
    """Neither the column nor what is put back may be larger than the limit, however small it travels."""
    columns = Columns()
    columns.text += bytes(LIMIT + 1)
    with pytest.raises(FormatError, match="larger"):
        Reader(columns.pack(), LIMIT)
    world = World(random.Random(1))
    while not any(len(e.header.parents) for e in world.events_):
        world.step()
    data, _ = forth([e.to_frame() for e in world.events_] * 40)
    with pytest.raises(FormatError, match="larger"):
        compact.read(Reader(data, LIMIT), 4000)
