"""Canonical CBOR, strict decoding, and the bytes that are signed.

One value has exactly one encoding (RFC 8949 section 4.2.1, "core deterministic"), so a signature over
bytes is a signature over meaning. The value space is small on purpose: null, booleans, integers of
magnitude below 2^53 (exact in every language), byte strings, NFC text, arrays, and maps with text keys.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NoReturn

import cbor2

from onestop_sync.errors import FormatError, InvalidInput

__all__ = ["MAX_DEPTH", "MAX_INT", "Value", "decode", "encode", "nfc", "pae"]

Value = None | bool | int | bytes | str | Sequence["Value"] | Mapping[str, "Value"]

MAX_DEPTH: Final = 16
"""Deepest nesting of arrays and maps."""
MAX_INT: Final = 2**53 - 1
"""Largest magnitude of an integer."""
_MANY: Final = 2**17
_LARGEST_INLINE: Final = 23
_LONGEST_ARGUMENT: Final = 8
_COUNT_FROM: Final = 2**16
"""Bytes from which on items are counted first: each takes up to a hundred times its one byte in memory."""

# Every tag that cbor2 would turn into an object by itself: bignums and bigfloats that eat memory, shared
# references that make cycles, regular expressions. None belongs here, so each is refused before it runs.
_KNOWN_TAGS: Final = (
    *range(6), 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799,
)  # fmt: skip


def _refuse_tag(*_: object) -> NoReturn:
    raise FormatError("The data holds a CBOR tag, which this format does not have.")


_SEMANTIC: Final[dict[int, Callable[..., NoReturn]]] = dict.fromkeys(_KNOWN_TAGS, _refuse_tag)
_is_nfc = unicodedata.is_normalized


def nfc(text: str) -> str:
    """Returns ``text`` in Unicode normal form C, the only form that is stored or signed."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def encode(value: Value) -> bytes:
    """Encodes a value canonically.

    Raises:
        InvalidInput: The value lies outside the value space (a float, text that is not NFC, too deep).
    """
    problem = _problem(value, MAX_DEPTH, ordered=False)
    if problem:
        raise InvalidInput(f"The value cannot be encoded: {problem}.")
    try:
        return cbor2.dumps(value, canonical=True)
    except UnicodeEncodeError as error:
        raise InvalidInput("The value cannot be encoded: the text holds half a character.") from error


def decode(data: bytes) -> Any:
    """Decodes canonical CBOR, refusing whatever would re-encode differently.

    Raises:
        FormatError: Not CBOR, not canonical, trailing bytes, outside the value space, or of far more items
            than its bytes are good for.
    """
    if len(data) > _COUNT_FROM and _has_too_many(data):
        raise FormatError("The data has more items than any of this format.")
    try:
        value = cbor2.loads(
            data,
            max_depth=MAX_DEPTH + 1,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
            semantic_decoders=_SEMANTIC,
        )
    except FormatError:
        raise
    except Exception as error:  # cbor2 lets several kinds through for hostile bytes
        raise FormatError("The data is not canonical CBOR.") from error
    problem = _problem(value, MAX_DEPTH, ordered=True)
    if problem:
        raise FormatError(f"The data is not canonical CBOR: {problem}.")
    if cbor2.dumps(value) != data:
        raise FormatError("The data is not canonical CBOR: it would be written differently.")
    return value


def pae(kind: str, payload: bytes) -> bytes:
    """Returns the pre-authentication encoding that is signed.

    Source: DSSE protocol, https://github.com/secure-systems-lab/dsse, ``PAE(type, body)``.
    """
    name = kind.encode()
    return b"DSSEv1 %d %s %d %s" % (len(name), name, len(payload), payload)


def _has_too_many(data: bytes) -> bool:
    """Tells whether data of one item behind the other holds far more than its size gives reason for.

    Events come to some 70 bytes an item. Only heads are looked at; what is wrong with them the decoder says.
    """
    left, at, end = _MANY + len(data) // 64, 0, len(data)
    while at < end:
        major, size = data[at] >> 5, data[at] & 31
        at += 1
        if size > _LARGEST_INLINE:  # the argument follows, in 1, 2, 4 or 8 bytes
            width = 1 << (size - _LARGEST_INLINE - 1)
            if width > _LONGEST_ARGUMENT:
                return False
            size = int.from_bytes(data[at : at + width])
            at += width
        if major in {2, 3}:
            at += size
        left -= 1
        if left < 0:
            return True
    return False


def _problem(value: object, depth: int, *, ordered: bool) -> str:
    """Says why a value lies outside the value space; empty when it does not."""
    kind = type(value)
    if kind is str:
        text: str = value  # type: ignore[assignment]
        if text.isascii() or _is_nfc("NFC", text):
            return ""
        return "text is not in normal form C"
    if kind is bytes or kind is bool or value is None:
        return ""
    if kind is int:
        return "" if -MAX_INT <= value <= MAX_INT else "an integer is too large"  # type: ignore[operator]
    if depth == 0:
        return "it is nested too deep"
    if kind is list or kind is tuple:
        return _list_problem(value, depth, ordered=ordered)  # type: ignore[arg-type]
    if kind is dict:
        return _map_problem(value, depth, ordered=ordered)  # type: ignore[arg-type]
    return f"{kind.__name__} is not a type of this format"


def _list_problem(value: Sequence[Any], depth: int, *, ordered: bool) -> str:
    for item in value:
        kind = type(item)  # most are bytes and plain text: no call for those
        if kind is bytes or (kind is str and item.isascii()):
            continue
        problem = _problem(item, depth - 1, ordered=ordered)
        if problem:
            return problem
    return ""


def _map_problem(value: dict[object, object], depth: int, *, ordered: bool) -> str:
    before: tuple[int, bytes] | None = None
    for key, item in value.items():
        if type(key) is not str:
            return "a map key is not text"
        problem = _problem(key, depth, ordered=ordered) or _problem(item, depth - 1, ordered=ordered)
        if problem:
            return problem
        if ordered:
            # The length is encoded first, so bytewise order of encoded text keys is (length, bytes).
            raw = key.encode()
            rank = (len(raw), raw)
            if before is not None and rank <= before:
                return "map keys are out of order"
            before = rank
    return ""
