"""Strict reading of plain data: what came as CBOR or JSON becomes values, or one clear error.

The catalogue, the calendar and the profiles travel as maps, arrays, text and integers. Every reader of
them goes through `PlainMap`, so that a damaged or foreign document is refused with the name of the field
that is wrong, and never with a traceback.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from onestop_sync.errors import FormatError

__all__ = ["PlainMap", "iso_date"]


def iso_date(text: str, what: str) -> date:
    """Read a date written as yyyy-mm-dd, and in no other way.

    Raises:
        FormatError: The text is not such a date.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise FormatError(f"{what} is not a date: {text!r}.") from None
    if day.isoformat() != text:
        raise FormatError(f"{what} is not written as yyyy-mm-dd: {text!r}.")
    return day


class PlainMap:
    """One map of plain data, read field by field.

    Args:
        value: The decoded value, of any type.
        what: What it should be, for messages: "procedure 1.001193".
    """

    def __init__(self, value: object, what: str) -> None:
        if not isinstance(value, Mapping):
            raise FormatError(f"The {what} is not a map.")
        self._value: Mapping[Any, Any] = value
        self.what = what

    def _wrong(self, key: str, wanted: str) -> FormatError:
        return FormatError(f"Field {key!r} of the {self.what} is not {wanted}.")

    def has(self, key: str) -> bool:
        """Tell whether the field is there and not null."""
        return self._value.get(key) is not None

    def raw(self, key: str) -> object:
        """Return the value of a field as it is, for the reader of the inner map to check."""
        return self._value.get(key)

    def text(self, key: str, default: str | None = None) -> str:
        """Read text; a missing field is the default, or an error when there is none."""
        value = self._value.get(key, default)
        if not isinstance(value, str):
            raise self._wrong(key, "text")
        return value

    def integer(self, key: str, default: int | None = None) -> int:
        """Read an integer that is not negative (a boolean is none)."""
        value = self._value.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self._wrong(key, "a whole number from 0 up")
        return value

    def optional_integer(self, key: str) -> int | None:
        """Read an integer, or None when it is missing or null."""
        return self.integer(key) if self.has(key) else None

    def flag(self, key: str, *, default: bool) -> bool:
        """Read true or false."""
        value = self._value.get(key, default)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def day(self, key: str) -> date:
        """Read a date."""
        return iso_date(self.text(key), f"Field {key!r} of the {self.what}")

    def optional_day(self, key: str) -> date | None:
        """Read a date, or None when it is missing or null."""
        return self.day(key) if self.has(key) else None

    def items(self, key: str) -> tuple[object, ...]:
        """Read an array; a missing one is empty."""
        value = self._value.get(key, ())
        if not isinstance(value, list | tuple):
            raise self._wrong(key, "a list")
        return tuple(value)

    def integers(self, key: str) -> tuple[int, ...]:
        """Read an array of integers, none of them negative."""
        values = self.items(key)
        if any(not isinstance(value, int) or isinstance(value, bool) or value < 0 for value in values):
            raise self._wrong(key, "a list of whole numbers")
        return tuple(value for value in values if isinstance(value, int))

    def texts(self, key: str) -> tuple[str, ...]:
        """Read an array of texts."""
        values = self.items(key)
        if any(not isinstance(value, str) for value in values):
            raise self._wrong(key, "a list of texts")
        return tuple(str(value) for value in values)
