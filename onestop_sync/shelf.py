"""The attachments of a store: taken in from a file, shown, asked for, and given back as a file.

    manifest = shelf.take_in(store, file, "to-khai.jpg", "image/jpeg")
    writer.edit(doc, {"papers/form": manifest.to_value()})
    ...
    for chunk in shelf.read(store, manifest): out.write(chunk)

A file is taken in step by step, each durable, and belongs to nothing until an event names it; what no event
names within a day is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import BinaryIO, Final, NamedTuple

from onestop_sync.attachment import (
    CHUNK_BYTES,
    MAX_NAME,
    MAX_SIZE_BYTES,
    SALT_BYTES,
    Index,
    Manifest,
    bitmap,
    name_of,
    parse_manifest,
)
from onestop_sync.errors import InvalidInput, NotFound, StoreDamaged
from onestop_sync.state import State
from onestop_sync.storage import chunks
from onestop_sync.storage.chunks import Held, Piece, Unsent
from onestop_sync.storage.queries import Delivery
from onestop_sync.store import Store

__all__ = ["Attached", "attached", "is_ready", "lacking", "read", "take_in", "unsent", "want"]

_BATCH: Final = 16
"""Chunks in one transaction: 1 MiB, so that nobody waits long for the lock."""


class Attached(NamedTuple):
    """An attachment of a document.

    Attributes:
        key: The register that names it.
        manifest: What the document says of it.
        held: What is here of it; ``None`` when the event that names it is not here.
        delivery: Where all of it is, at the highest.
        is_damaged: What is here is not what the manifest says: another size. It never counts as complete.
    """

    key: str
    manifest: Manifest
    held: Held | None
    delivery: Delivery
    is_damaged: bool

    @property
    def is_here(self) -> bool:
        """Whether all of it is here."""
        return self.held is not None and self.held.is_complete and not self.is_damaged

    @property
    def is_confirmed(self) -> bool:
        """Whether a parent has confirmed that it has all of it."""
        return bool(self.delivery.nodes) and not self.is_damaged


def take_in(store: Store, file: BinaryIO, name: str, media_type: str) -> Manifest:
    """Takes a file into the store; an event is still to name it.

    Args:
        store: Into which.
        file: Opened for reading, and seekable: it is read twice, and never held in memory whole.
        name: Its name, without a folder.
        media_type: ``image/jpeg``, for instance.

    Raises:
        InvalidInput: Empty, larger than an attachment may be, or it changes while it is read.
        StoreFull: The disk took no more; nothing names what was taken until then, and it is dropped later.
    """
    if not 0 < len(name) <= MAX_NAME:
        raise InvalidInput(
            f"The name of an attachment has 1 to {MAX_NAME} characters.", reason="attachment_name"
        )
    index = _index_of(file, store.rng(SALT_BYTES))
    data = index.encode()
    content = name_of(data)
    with store.writing() as transaction:
        row = chunks.numbers_of(transaction.connection, [content], store.clock())[content]
        chunks.add_index(transaction.connection, row.n, content, index, data)
    file.seek(0)
    for first in range(1, len(index.hashes) + 1, _BATCH):
        lot = [Piece(content, first + i, data) for i, data in enumerate(_read(file, _BATCH))]
        taken = store.retrying(partial(_put, store, lot))
        if taken.refused:
            raise InvalidInput("The file was changed while it was read.", reason="attachment_changed")
    return Manifest(content, name, index.size_bytes, media_type)


def _put(store: Store, lot: Sequence[Piece]) -> chunks.Taken:
    with store.writing() as transaction:
        return transaction.take_pieces(lot, {piece.content for piece in lot})


def _index_of(file: BinaryIO, salt: bytes) -> Index:
    hashes: list[bytes] = []
    size = 0
    for data in _read(file, None):
        size += len(data)
        hashes.append(name_of(data))
        if size > MAX_SIZE_BYTES:
            break
    if not size:
        raise InvalidInput("The file is empty.", reason="attachment_empty")
    index = Index(salt, size, tuple(hashes))
    index.encode()  # refuses what is too large
    return index


def _read(file: BinaryIO, most: int | None) -> Iterator[bytes]:
    """Yields chunks of a file, all or so many; a short read of a pipe or a network drive is read on."""
    count = 0
    while most is None or count < most:
        data = file.read(CHUNK_BYTES)
        while 0 < len(data) < CHUNK_BYTES and (more := file.read(CHUNK_BYTES - len(data))):
            data += more
        if not data:
            return
        count += 1
        yield data


# ---- looking


def attached(store: Store, doc: bytes) -> list[Attached]:
    """Returns the attachments of a document, by key; of a register in conflict, each that it holds.

    Raises:
        NotFound: There is no such document.
    """
    state = store.document(doc).state
    named = [(key, m) for key in sorted(state.registers) for m in _live(state, key)]
    contents = sorted({manifest.content for _, manifest in named})
    levels = store.levels()
    with store.reading() as connection:
        held = chunks.held(connection, contents)
        nodes = chunks.nodes_having(connection, contents)
    log = store.machine_log if contents and store.serves else b""
    found = []
    for key, manifest in named:
        here = held.get(manifest.content)
        is_damaged = here is not None and here.size_bytes not in {-1, manifest.size_bytes}
        own = [log] if log and here is not None and here.is_complete else []
        delivery = levels.delivery([*own, *nodes.get(manifest.content, [])], b"")
        found.append(Attached(key, manifest, here, delivery, is_damaged))
    return found


def _live(state: State, key: str) -> list[Manifest]:
    """Returns the manifests that a register holds, each content once."""
    values = [value for _, value in state.registers[key].live]
    found = {m.content: m for m in map(parse_manifest, values) if m is not None}
    return [found[content] for content in sorted(found)]


def lacking(store: Store, doc: bytes) -> list[Attached]:
    """Returns the attachments of a document that are neither here nor confirmed by a parent."""
    return [each for each in attached(store, doc) if not (each.is_here or each.is_confirmed)]


def is_ready(store: Store, doc: bytes) -> bool:
    """Tells whether every attachment of a document is here, or confirmed by a parent."""
    return not lacking(store, doc)


def read(store: Store, manifest: Manifest) -> Iterator[bytes]:
    """Yields the chunks of an attachment, each checked once more.

    Raises:
        NotFound: Not all of it is here.
        StoreDamaged: A chunk is not what it was when it was stored.
    """
    with store.reading() as connection:
        index = chunks.load_index(connection, manifest.content)
        here = chunks.held(connection, [manifest.content]).get(manifest.content)
    if index is None or here is None or not here.is_complete or index.size_bytes != manifest.size_bytes:
        raise NotFound(
            "Not all of the attachment is here.",
            todo="Ask for it, and synchronise.",
            reason="attachment_incomplete",
        )
    for place, digest in enumerate(index.hashes, 1):
        with store.reading() as connection:
            wanted = bitmap([place], len(index.hashes))
            found, _ = chunks.pieces_for(connection, manifest.content, wanted, 1)
        if not found or name_of(found[0].data) != digest:
            raise StoreDamaged("A chunk of the attachment is not what was stored.")
        yield found[0].data


def want(store: Store, manifests: Sequence[Manifest]) -> None:
    """Asks for attachments that are not here: they come with the next exchanges with a parent."""
    with store.writing() as transaction:
        chunks.want(transaction.connection, [manifest.content for manifest in manifests])


def unsent(store: Store) -> Unsent:
    """Returns how many attachments no parent has confirmed, and their bytes; none at the top."""
    if not store.trust.document.units[store.unit].parent:
        return Unsent(0, 0)
    with store.reading() as connection:
        return chunks.unsent(connection)
