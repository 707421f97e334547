"""What a store does with attachments: whole or not at all, each chunk once, and nothing that nobody named."""

from __future__ import annotations

import io
import random
import threading
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from onestop_sync import shelf
from onestop_sync.attachment import CHUNK_BYTES, Manifest, bitmap
from onestop_sync.errors import InvalidInput, NotAllowed, NotFound
from onestop_sync.storage import chunks
from onestop_sync.storage import tables as t
from onestop_sync.storage.chunks import Piece
from onestop_sync.store import Store
from onestop_sync.testing.contract_base import Contract, refused
from onestop_sync.testing.small_province import CLERK, Machine, frames

__all__ = ["Attachments", "scan", "whole"]

_DAY_MS: Final = 24 * 3600 * 1000


def scan(size_bytes: int, seed: int = 1) -> bytes:
    """Returns a file that does not compress."""
    return random.Random(seed).randbytes(size_bytes)


def whole(store: Store, manifest: Manifest) -> bytes:
    """Returns an attachment as one value."""
    return b"".join(shelf.read(store, manifest))


class Attachments(Contract):
    """Attachments in one store."""

    def attach(self, data: bytes, name: str = "tờ khai.jpg") -> tuple[bytes, Manifest]:
        """Attaches a file to a new document of ``pc``."""
        doc = self.file()
        manifest = shelf.take_in(self.pc.store, io.BytesIO(data), name, "image/jpeg")
        self.pc.writer("an").edit(doc, {"papers/form": manifest.to_value()})
        return doc, manifest

    def test_a_file_comes_back_as_it_was(self) -> None:
        """What was attached is read back byte for byte, whatever its size, and shown as complete here."""
        for size in (1, CHUNK_BYTES, CHUNK_BYTES + 1, 20 * CHUNK_BYTES + 7):
            data = scan(size, size)
            doc, manifest = self.attach(data)
            assert whole(self.pc.store, manifest) == data
            (found,) = shelf.attached(self.pc.store, doc)
            assert (found.key, found.manifest, found.is_here) == ("papers/form", manifest, True)
            assert (found.is_confirmed, found.delivery.level) == (False, "here")
        assert whole(self.province.open(self.pc), manifest) == data

    def test_equal_chunks_are_stored_once(self) -> None:
        """The same file attached twice takes the room of one, and so does a page that repeats."""
        data = scan(5 * CHUNK_BYTES)
        self.attach(data)
        before = self._chunks()
        _, manifest = self.attach(data, "lần hai.jpg")
        assert self._chunks() == before + 1  # its index, which has a salt of its own
        assert whole(self.pc.store, manifest) == data
        self.attach(bytes(9 * CHUNK_BYTES))
        assert self._chunks() == before + 3

    def _chunks(self) -> int:
        with self.pc.store.reading() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(t.chunk)).scalar_one())

    def test_nothing_and_too_much_is_refused(self) -> None:
        """An empty file, one without a name, and one beyond the limit are refused, and leave nothing."""
        store = self.pc.store
        with refused(InvalidInput):
            shelf.take_in(store, io.BytesIO(b""), "x", "")
        with refused(InvalidInput):
            shelf.take_in(store, io.BytesIO(b"x"), "", "")
        with refused(InvalidInput):
            shelf.take_in(store, _Endless(), "x", "")
        assert self._chunks() == 0

    def test_pieces_count_in_any_order_and_only_where_they_belong(self) -> None:
        """Chunks make a file in any order and however often; spoilt, unasked or misplaced ones do not."""
        data = scan(6 * CHUNK_BYTES + 5)
        doc, manifest = self.attach(data)
        other = self._knowing(doc)
        store = other.store
        pieces = self._pieces(manifest.content)
        spoilt = [p._replace(data=p.data[:-1] + bytes([p.data[-1] ^ 1])) for p in pieces]
        moved = [p._replace(place=p.place % 7 + 1) for p in pieces if p.place]
        foreign = [p._replace(content=bytes(32)) for p in pieces]
        taken = self._put(store, [*spoilt, *foreign])
        assert (taken.stored, taken.refused) == (0, len(spoilt) + len(foreign))
        index, rest = pieces[0], pieces[1:]
        assert self._put(store, rest).refused == len(rest)  # nothing says yet that they belong to it
        assert self._put(store, [index]).stored == 1
        assert self._put(store, [*spoilt[1:], *moved]).stored == 0
        random.Random(3).shuffle(rest)
        for piece in rest[:-1]:
            assert self._put(store, [piece, piece]).completed == []
            with refused(NotFound):
                whole(store, manifest)
        assert len(self._put(store, [rest[-1]]).completed) == 1
        assert whole(store, manifest) == data

    def test_what_is_missing_is_told_exactly(self) -> None:
        """A state names the chunks that are not here, and the pieces for it are those and no others."""
        doc, manifest = self.attach(scan(5 * CHUNK_BYTES))
        store = self._knowing(doc).store
        index, *rest = self._pieces(manifest.content)
        assert self._state(store, manifest) is False
        self._put(store, [index, rest[1], rest[3]])
        state = self._state(store, manifest)
        with self.pc.store.reading() as connection:
            found, has_more = chunks.pieces_for(connection, manifest.content, state, 2 * CHUNK_BYTES)
            assert ([p.place for p in found], has_more) == ([1, 3], True)
            found, has_more = chunks.pieces_for(connection, manifest.content, state, 9 * CHUNK_BYTES)
            assert ([p.place for p in found], has_more) == ([1, 3, 5], False)
        self._put(store, found)
        assert self._state(store, manifest) is True

    def test_an_index_that_lies_completes_nothing(self) -> None:
        """An attachment whose index says another size than its document is damaged, and never whole."""
        doc, manifest = self.attach(scan(3 * CHUNK_BYTES))
        lie = manifest._replace(size_bytes=manifest.size_bytes - 1)
        self.pc.writer("an").edit(doc, {"papers/form": lie.to_value()})
        (found,) = shelf.attached(self.pc.store, doc)
        assert (found.is_damaged, found.is_here, found.is_confirmed) == (True, False, False)
        with refused(NotFound):
            whole(self.pc.store, lie)

    def test_a_step_waits_for_what_it_needs_to_see(self) -> None:
        """A step that needs the attachments cannot begin before they are here, and can from then on."""
        other = self.machine("other", {"binh": CLERK})
        doc, manifest = self.attach(scan(2 * CHUNK_BYTES))
        other.store.receive(frames(self.pc.store, [doc]))
        with refused(NotAllowed, "files"):
            other.writer("binh").act(doc, "weigh")
        self._put(other.store, self._pieces(manifest.content))
        assert other.writer("binh").act(doc, "weigh").id in other.store.document(doc).state.heads

    def test_what_nobody_names_is_dropped(self) -> None:
        """A file that was taken in and never named is gone a day later; one of the same chunks stays."""
        data = scan(4 * CHUNK_BYTES)
        _, manifest = self.attach(data)
        before = self._chunks()
        lost = shelf.take_in(self.pc.store, io.BytesIO(data + b"x"), "x", "")
        self.province.open(self.pc)
        assert whole(self.pc.store, lost) == data + b"x"  # it may just be coming in
        self.province.clock_ms += _DAY_MS + 1000
        again = self.province.open(self.pc)
        assert self._chunks() == before
        assert whole(again, manifest) == data
        with refused(NotFound):
            whole(again, lost)

    def test_erasing_what_names_it_erases_it(self) -> None:
        """When the body that names an attachment is erased, its chunks go with it; shared ones stay."""
        data = scan(3 * CHUNK_BYTES)
        _, kept = self.attach(data)
        before = self._chunks()
        doc, gone = self.attach(data + scan(CHUNK_BYTES, 2))
        with self.pc.store.writing() as transaction:
            connection = transaction.connection
            events = connection.execute(
                sa.select(t.event.c.n)
                .join(t.document, t.document.c.n == t.event.c.doc_n)
                .where(t.document.c.id == doc)
            )
            chunks.forget(connection, list(events.scalars()))
        assert self._chunks() == before
        assert whole(self.pc.store, kept) == data
        with refused(NotFound):
            whole(self.pc.store, gone)

    def test_two_programs_that_bring_the_last_two_chunks_see_both(self) -> None:
        """Two programs bring a file's chunks at once; it is complete with the last one, and told once."""
        doc, manifest = self.attach(scan(8 * CHUNK_BYTES))
        other = self.province.machine("other", "c1")
        other.store.receive(frames(self.pc.store, [doc]))
        second = self.province.open(other)
        index, *rest = self._pieces(manifest.content)
        self._put(other.store, [index])
        told: list[int] = []

        def bring(store: Store, mine: list[Piece]) -> None:
            for piece in mine:
                told.extend(store.retrying(partial(self._put, store, [piece])).completed)

        threads = [
            threading.Thread(target=bring, args=(store, rest[i::2]))
            for i, store in enumerate((other.store, second))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(told) == 1
        assert whole(second, manifest) == whole(self.pc.store, manifest)

    # ----

    def _knowing(self, doc: bytes) -> Machine:
        """Returns another machine that has a document of ``pc``, and none of its attachments."""
        other = self.another()
        other.store.receive(frames(self.pc.store, [doc]))
        return other

    def _pieces(self, content: bytes) -> list[Piece]:
        with self.pc.store.reading() as connection:
            index, _ = chunks.pieces_for(connection, content, lacking=False, max_bytes=1)
            count = chunks.held(connection, [content])[content].chunks
            every = bitmap(range(1, count + 1), count)
            rest, _ = chunks.pieces_for(connection, content, every, 2**30)
        return [*index, *rest]

    def _put(self, store: Store, pieces: list[Piece]) -> chunks.Taken:
        with store.writing() as transaction:
            named = sorted({piece.content for piece in pieces})
            return transaction.take_pieces(pieces, chunks.is_named(transaction.connection, named))

    def _state(self, store: Store, manifest: Manifest) -> Any:
        with store.reading() as connection:
            return chunks.state_of(connection, manifest.content)


class _Endless(io.BytesIO):
    """A file without an end."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Returns as much as is asked for."""
        return bytes(size or 0)
