"""Attachments, pure: a file as chunks by hash, an index that names them, and a manifest that names the index.

    chunk    = 65,536 bytes of the file, the last one less; named by its SHA-256
    index    = [1, salt, size of the file, the chunks' hashes, one after the other]     canonical CBOR
    content  = SHA-256 of the index: what a manifest, a request and a confirmation name
    manifest = {"attachment": content, "name": text, "size": bytes, "type": media type}

The manifest is the value of a register, so it travels, merges and conflicts like any other value, and stays
small however large the file is: an index is fetched like a chunk. Everything that arrives is checked by
itself, so it may come in any order, from anybody.

The salt keeps a content from being guessed by whoever has the same file: neither can it be asked for by that,
nor can a confirmation that is kept tell, once the dossier was erased, which file there was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from onestop_sync import codec
from onestop_sync.errors import FormatError, InvalidInput
from onestop_sync.event import Op

__all__ = [
    "CHUNK_BYTES",
    "MAX_CHUNKS",
    "MAX_SIZE_BYTES",
    "Index",
    "Manifest",
    "bitmap",
    "bits_of",
    "contents_named",
    "parse_index",
    "parse_manifest",
]

CHUNK_BYTES: Final = 64 * 1024
HASH_BYTES: Final = 32
SALT_BYTES: Final = 16
MAX_CHUNKS: Final = 2000
"""The index of so many fits into one chunk."""
MAX_SIZE_BYTES: Final = MAX_CHUNKS * CHUNK_BYTES
MAX_NAME: Final = 200
"""Longest name of an attachment, in characters."""
MAX_TYPE: Final = 100
"""Longest media type, in characters."""
_VERSION: Final = 1
_KEY: Final = "attachment"
_MARK: Final = codec.encode(_KEY)


class Index(NamedTuple):
    """Which chunks a file is made of.

    Attributes:
        salt: 16 random bytes.
        size_bytes: Size of the file.
        hashes: SHA-256 of each chunk, in order.
    """

    salt: bytes
    size_bytes: int
    hashes: tuple[bytes, ...]

    def encode(self) -> bytes:
        """Returns the index as it is stored and travels.

        Raises:
            InvalidInput: The file is larger than an attachment may be.
        """
        if len(self.hashes) > MAX_CHUNKS:
            raise InvalidInput(
                f"An attachment may have {MAX_SIZE_BYTES} bytes.",
                todo="Nothing was changed. Scan at a lower resolution, or attach it in parts.",
                reason="attachment_too_large",
            )
        return codec.encode([_VERSION, self.salt, self.size_bytes, b"".join(self.hashes)])

    def size_of(self, place: int) -> int:
        """Returns how many bytes the chunk at a place has; places count from 1."""
        return min(CHUNK_BYTES, self.size_bytes - (place - 1) * CHUNK_BYTES)


def parse_index(data: bytes) -> Index:
    """Reads an index strictly.

    Raises:
        FormatError: Malformed, or its chunks cannot make a file of its size.
    """
    match codec.decode(data) if len(data) <= CHUNK_BYTES else None:
        case [version, bytes(salt), int(size), bytes(joined)] if (
            type(version) is type(size) is int and version == _VERSION and len(salt) == SALT_BYTES
        ):
            count, rest = divmod(len(joined), HASH_BYTES)
            if not rest and count <= MAX_CHUNKS and count == count_of(size):
                return Index(salt, size, tuple(_split(joined)))
    raise FormatError("The index of an attachment is malformed.")


def _split(joined: bytes) -> Iterator[bytes]:
    for i in range(0, len(joined), HASH_BYTES):
        yield joined[i : i + HASH_BYTES]


def count_of(size_bytes: int) -> int:
    """Returns how many chunks a file of so many bytes has."""
    return -(-size_bytes // CHUNK_BYTES)


class Manifest(NamedTuple):
    """What a document says of an attachment.

    Attributes:
        content: SHA-256 of the index.
        name: The file's name, without a folder.
        size_bytes: Size of the file, as its author says; the index says it again.
        media_type: ``image/jpeg``, for instance.
        extra: What else the type of document keeps beside it.
    """

    content: bytes
    name: str
    size_bytes: int
    media_type: str
    extra: tuple[tuple[str, Any], ...] = ()

    @property
    def chunks(self) -> int:
        """How many chunks there are."""
        return count_of(self.size_bytes)

    def to_value(self) -> dict[str, Any]:
        """Returns the value of a register that says so."""
        own = {_KEY: self.content, "name": self.name, "size": self.size_bytes, "type": self.media_type}
        return {**dict(self.extra), **own}


def parse_manifest(value: Any) -> Manifest | None:
    """Returns the manifest that a register's value is; ``None`` when it is none."""
    match value:
        case {"attachment": bytes(content), "name": str(name), "size": int(size), "type": str(kind)} if (
            len(content) == HASH_BYTES
            and type(size) is int
            and 0 <= size <= MAX_SIZE_BYTES
            and 0 < len(name) <= MAX_NAME
            and len(kind) <= MAX_TYPE
        ):
            rest = {k: v for k, v in value.items() if k not in {_KEY, "name", "size", "type"}}
            return Manifest(content, name, size, kind, tuple(sorted(rest.items())))
    return None


def may_name_contents(body: bytes) -> bool:
    """Tells, without decoding it, whether a body may hold a manifest; it is right when it says no."""
    return _MARK in body


def contents_named(ops: Iterable[Op]) -> list[bytes]:
    """Returns the contents that an event's operations name, whatever becomes of them."""
    found: dict[bytes, None] = {}
    for op in ops:
        match op:
            case ["set", str(), value] | ["resolve", str(), value, *_]:
                manifest = parse_manifest(value)
                if manifest is not None:
                    found[manifest.content] = None
    return list(found)


def bitmap(places: Iterable[int], count: int) -> bytes:
    """Returns places (1 to ``count``) as bits, the first one highest."""
    bits = bytearray(-(-count // 8))
    for place in places:
        bits[(place - 1) // 8] |= 0x80 >> (place - 1) % 8
    return bytes(bits)


def bits_of(data: bytes) -> Sequence[int]:
    """Returns the places of a bitmap, in order."""
    return [8 * i + bit + 1 for i, byte in enumerate(data) for bit in range(8) if byte & (0x80 >> bit)]


def name_of(data: bytes) -> bytes:
    """Returns what a chunk or an index is named by."""
    return hashlib.sha256(data).digest()
