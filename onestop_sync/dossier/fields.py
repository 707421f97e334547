"""Fields of work (lĩnh vực): the names by which procedures are grouped and reported, and their codes; dated.

They are published with the catalogue, by the province. A code is what the national list says (``H98-HT``); it
is empty where no source gives one, and never made up.

Source: TT 01/2018/TT-VPCP, Article 20 (``MX1X2-LV``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any, Final

from onestop_sync.alphabet import alphabetical
from onestop_sync.dossier.plain import PlainMap
from onestop_sync.errors import FormatError, InvalidInput

__all__ = ["FieldOfWork", "check_fields", "code_of", "field_from_plain"]

_CODE: Final = re.compile(r"[A-Z0-9][A-Z0-9._-]{0,34}", re.ASCII)


@dataclass(frozen=True, slots=True)
class FieldOfWork:
    """A field of work in one version.

    Attributes:
        code: Its code; empty where no source says.
        effective_to: Last day in force, None while it still is.
    """

    name_vi: str
    effective_from: date
    effective_to: date | None = None
    code: str = ""
    note_vi: str = ""

    def __post_init__(self) -> None:
        if not self.name_vi.strip() or (self.code and not _CODE.fullmatch(self.code)):
            raise InvalidInput(f"Field of work {self.name_vi[:60]!r} lacks a name, or its code is none.")
        if self.effective_to is not None and self.effective_to < self.effective_from:
            raise InvalidInput(f"Field of work {self.name_vi[:60]!r} ends before it begins.")

    def is_in_force(self, day: date) -> bool:
        """Tell whether this version holds on that day."""
        return self.effective_from <= day <= (self.effective_to or date.max)

    def to_plain(self) -> dict[str, Any]:
        """Return the field as a map of texts, without what is unknown."""
        values = {
            "name_vi": self.name_vi,
            "effective_from": self.effective_from.isoformat(),
            "effective_to": self.effective_to.isoformat() if self.effective_to else "",
            "code": self.code,
            "note_vi": self.note_vi,
        }
        return {key: value for key, value in values.items() if value}


def field_from_plain(value: object) -> FieldOfWork:
    """Read a field of work from plain data.

    Raises:
        FormatError: It is none.
    """
    plain = PlainMap(value, "field of work")
    try:
        return FieldOfWork(
            plain.text("name_vi"),
            plain.day("effective_from"),
            plain.optional_day("effective_to"),
            plain.text("code", ""),
            plain.text("note_vi", ""),
        )
    except InvalidInput as error:
        raise FormatError(error.what) from None


def check_fields(fields: Iterable[FieldOfWork]) -> tuple[FieldOfWork, ...]:
    """Return fields of work in order of name, then of date.

    Raises:
        InvalidInput: Two versions of one are in force on one day.
    """
    ordered = tuple(sorted(fields, key=lambda each: (alphabetical(each.name_vi), each.effective_from)))
    for before, after in pairwise(ordered):
        if before.name_vi == after.name_vi and before.is_in_force(after.effective_from):
            raise InvalidInput(
                f"Field of work {after.name_vi[:60]!r} has two versions in force on {after.effective_from}."
            )
    return ordered


def code_of(fields: Iterable[FieldOfWork], name: str, on: date) -> str:
    """Return the code of a field of work on a day; empty where no source says."""
    return next((each.code for each in fields if each.name_vi == name and each.is_in_force(on)), "")
