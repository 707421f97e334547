"""Values as JSON can say them: ids in hex, times as milliseconds since 1970 UTC, dates as ISO text."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from pathlib import PurePath
from typing import Any

__all__ = ["plain"]


def plain(value: Any) -> Any:
    """Returns a value as JSON can say it; a value that knows its own plain form says it itself."""
    match value:
        case Enum():
            return value.value
        case bytes():
            return value.hex()
        case None | bool() | int() | str():
            return value
        case dict():
            return {str(key): plain(part) for key, part in value.items()}
        case tuple() if hasattr(value, "_asdict"):
            return plain(value._asdict())
        case list() | tuple():
            return [plain(part) for part in value]
    return _object(value)


def _object(value: Any) -> Any:
    if isinstance(value, date | PurePath):
        return str(value)
    if hasattr(value, "to_plain"):
        return plain(value.to_plain())
    assert is_dataclass(value), type(value).__name__
    return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
