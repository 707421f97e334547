"""Two columns of bytes, written and read side by side: what compresses, and what does not.

Signatures, salts and ids are random to everybody else; a compressor that has to wade through them finds less
in what lies between. So they go into a column of their own, which is sent as it is, and the other column is
compressed with a dictionary that was trained on events and is part of the protocol's version.

    block = varint(2 x size + is compressed), text column, raw column
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from typing import Final

import zstandard

from onestop_sync.errors import FormatError

__all__ = ["DICTIONARY", "Columns", "Reader"]

DICTIONARY: Final = "events-1.zdict"
"""The dictionary of this version of the protocol; another dictionary is another version."""
_SEVEN: Final = 0x7F
_MAX_VARINT: Final = 2**63


class Columns:
    """What is being written.

    Attributes:
        text: Numbers, names and values: it is compressed.
        raw: What no compressor makes smaller.
    """

    __slots__ = ("raw", "text")

    def __init__(self) -> None:
        self.text = bytearray()
        self.raw = bytearray()

    def number(self, value: int) -> None:
        """Writes a number from 0 up: seven bits a byte, the lowest first."""
        text = self.text
        while value > _SEVEN:
            text.append(value & _SEVEN | 0x80)
            value >>= 7
        text.append(value)

    def signed(self, value: int) -> None:
        """Writes any number: small magnitudes are short."""
        self.number(value << 1 if value >= 0 else (-value << 1) - 1)

    def string(self, value: bytes) -> None:
        """Writes bytes that compress, behind their length."""
        self.number(len(value))
        self.text += value

    def pack(self) -> bytes:
        """Returns the block."""
        head = Columns()
        small = _compress(bytes(self.text))
        is_small = len(small) < len(self.text)
        text = small if is_small else self.text
        head.number(len(text) << 1 | is_small)
        return bytes(head.text + text + self.raw)


class Reader:
    """What is being read; every method raises `FormatError` at an end that comes too early.

    Args:
        block: What `Columns.pack` made.
        limit: Most bytes that the text column may have once it is decompressed.
    """

    __slots__ = ("_at", "_raw", "_raw_at", "_text")

    def __init__(self, block: bytes, limit: int) -> None:
        self._text, self._at = block, 0
        size = self.number()
        end = self._at + (size >> 1)
        if end > len(block):
            raise FormatError("A packet ends too early.")
        text = block[self._at : end]
        self._text = _decompress(text, limit) if size & 1 else text
        self._at, self._raw, self._raw_at = 0, block, end

    def number(self) -> int:
        """Reads a number from 0 up."""
        text, at = self._text, self._at
        try:
            byte = text[at]
            value, shift = byte & _SEVEN, 7
            while byte > _SEVEN:
                at += 1
                byte = text[at]
                value |= (byte & _SEVEN) << shift
                shift += 7
                if value >= _MAX_VARINT or shift > 63:  # noqa: PLR2004 - bits of a number
                    raise FormatError("A number in a packet is too large.")
        except IndexError:
            raise FormatError("A packet ends too early.") from None
        if byte == 0 and shift > 7:  # noqa: PLR2004 - more than one byte
            raise FormatError("A number in a packet is longer than it need be.")
        self._at = at + 1
        return value

    def signed(self) -> int:
        """Reads any number."""
        value = self.number()
        return -(value + 1 >> 1) if value & 1 else value >> 1

    def string(self) -> bytes:
        """Reads bytes behind their length."""
        size = self.number()
        start = self._at
        self._at = end = start + size
        if end > len(self._text):
            raise FormatError("A packet ends too early.")
        return self._text[start:end]

    def name(self) -> str:
        """Reads text behind its length."""
        try:
            return self.string().decode()
        except UnicodeDecodeError as error:
            raise FormatError("A name in a packet is no text.") from error

    def raw(self, size: int) -> bytes:
        """Reads bytes of the other column."""
        start = self._raw_at
        self._raw_at = end = start + size
        if end > len(self._raw):
            raise FormatError("A packet ends too early.")
        return self._raw[start:end]

    def end(self) -> None:
        """Holds that nothing is left over.

        Raises:
            FormatError: Something is.
        """
        if self._at != len(self._text) or self._raw_at != len(self._raw):
            raise FormatError("A packet goes on behind its end.")


@lru_cache(maxsize=1)
def _dictionary() -> zstandard.ZstdCompressionDict:
    data = resources.files("onestop_sync").joinpath("data", DICTIONARY).read_bytes()
    return zstandard.ZstdCompressionDict(data)


@lru_cache(maxsize=1)
def _parameters() -> zstandard.ZstdCompressionParameters:
    # Both sides know the format and the dictionary: neither is named in each block.
    return zstandard.ZstdCompressionParameters.from_level(
        3, format=zstandard.FORMAT_ZSTD1_MAGICLESS, write_content_size=False, write_checksum=False,
        write_dict_id=False,
    )  # fmt: skip


def _compress(text: bytes) -> bytes:
    compressor = zstandard.ZstdCompressor(dict_data=_dictionary(), compression_params=_parameters())
    return compressor.compress(text)


def _decompress(text: bytes, limit: int) -> bytes:
    found = bytearray()
    decompressor = zstandard.ZstdDecompressor(
        dict_data=_dictionary(), max_window_size=2**23, format=zstandard.FORMAT_ZSTD1_MAGICLESS
    )
    reader = decompressor.stream_reader(text)
    try:
        while chunk := reader.read(64 * 1024):
            found += chunk
            if len(found) > limit:
                raise FormatError("A packet is larger than the protocol allows.")
    except zstandard.ZstdError as error:
        raise FormatError("A packet cannot be decompressed.") from error
    return bytes(found)
