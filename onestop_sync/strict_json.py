"""JSON read strictly: what two readers could understand differently is refused.

RFC 8259 leaves to each reader what a name that is there twice means, how large a number may be, and how deep
values may be nested. Here each of these is an error, as are ``NaN``, infinities and half a character, which
Python's reader lets through: none of them can be stored, signed or shown.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from onestop_sync.errors import FormatError

__all__ = ["MAX_CONTAINERS", "MAX_DEPTH", "MAX_DIGITS", "read_json"]

MAX_DEPTH: Final = 64
"""Deepest nesting of arrays and objects."""
MAX_CONTAINERS: Final = 2**17
"""Most arrays and objects: each takes a hundred times its two characters in memory."""
MAX_DIGITS: Final = 32
"""Longest whole number, in characters; how large a field's may be is told by whoever reads the field."""


def read_json(data: bytes | str) -> Any:
    """Reads one JSON value.

    Args:
        data: The text, in UTF-8 where it is bytes; a byte order mark before it is passed over.

    Raises:
        FormatError: It is none, or says something that two readers understand differently;
            ``details["line"]`` is the line, from 1, or 0 where that is not known.
    """
    text = _text(data) if isinstance(data, bytes) else data
    if text.count("{") + text.count("[") > MAX_CONTAINERS:
        raise FormatError(f"It is JSON with more than {MAX_CONTAINERS} arrays and objects.", line=0)
    try:
        value = _DECODER.decode(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        raise FormatError(f"It is not JSON: {error.msg}.", line=error.lineno) from error
    except RecursionError as error:
        raise _too_deep() from error
    _check(value)
    return value


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FormatError("It is not UTF-8.", line=line) from error


def _too_deep() -> FormatError:
    return FormatError(f"It is JSON nested deeper than {MAX_DEPTH} levels.", line=0)


def _check(value: object) -> None:
    """Holds that a value is not nested too deep, and that its texts are whole characters.

    Raises:
        FormatError: It is, or they are not.
    """
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [item for each in level for item in _members(each)]
        if not level:
            return
    raise _too_deep()


def _members(value: object) -> Sequence[Any]:
    """Returns what is in an array or object, names included."""
    match value:
        case str() if not value.isascii():
            _check_text(value)
        case list():
            return value
        case dict():
            return [*value, *value.values()]
    return ()


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise FormatError("It is JSON with half a character.", line=0) from None


def _constant(name: str) -> NoReturn:
    raise FormatError(f"It is not JSON: {name} is no number.", line=0)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise FormatError("It is JSON with a number that is too large.", line=0)
    return value


def _int(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise FormatError("It is JSON with a number that is too large.", line=0)
    return int(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise FormatError("It is JSON with one name twice in an object.", line=0)
    return found


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_int
)
