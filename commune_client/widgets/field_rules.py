"""Forms declared as data, and the pure rules for what may stand in a field."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from commune_client import strings
from commune_client.widgets.vn_text import to_nfc

FieldKind = Literal["text", "multiline", "date", "born", "phone", "id", "choice", "checklist"]
FieldValue = str | tuple[str, ...]
"""Text for every kind but a checklist, whose value is the tuple of the options that are ticked."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_SEPARATORS = re.compile(r"[\s.\-]")
_DATE = re.compile(r"([0-9]{1,2})[/.\-]([0-9]{1,2})[/.\-]([0-9]{4})")
_YEAR = re.compile(r"(?:18|19|20)[0-9]{2}")
_PHONE = re.compile(r"0[0-9]{9,10}")
_IDENTITY = re.compile(r"[0-9]{9}|[0-9]{12}")


@dataclass(frozen=True)
class FormField:
    """One field of a form.

    Attributes:
        name: Its key in the form's values: a letter, then letters, digits and underscores.
        label: Its Vietnamese label.
        kind: What it holds; ``born`` is a date, or the year alone where nobody knows more.
        required: Whether it must be filled in.
        help: One line, shown while the field has the focus.
        options: For a choice or checklist, pairs of value and label.
        limit: The most characters of a text; 0 means the kind's own limit.
    """

    name: str
    label: str
    kind: FieldKind = "text"
    required: bool = False
    help: str = ""
    options: Sequence[tuple[str, str]] = ()
    limit: int = 0

    def __post_init__(self) -> None:
        """Refuse a declaration that could not work.

        Raises:
            ValueError: The name is no identifier, or options and kind do not go together.
        """
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"field name {self.name!r} is not a letter followed by letters, digits or _")
        if self.has_options != bool(self.options):
            raise ValueError(
                f"field {self.name!r}: options belong to a choice or checklist, which needs them"
            )

    @property
    def has_options(self) -> bool:
        """Whether the official marks options instead of typing."""
        return self.kind in ("choice", "checklist")

    @property
    def max_length(self) -> int:
        """The most characters that are valid; 0 where options are marked."""
        return self.limit or _KIND_LIMITS[self.kind]

    @property
    def hint(self) -> str:
        """The line shown while the field has the focus."""
        is_long = len(self.options) > _DIGITS
        return self.help or (_LONG_HINTS if is_long else _KIND_HINTS)[self.kind]


_KIND_LIMITS: Mapping[FieldKind, int] = {
    "text": 200,
    "multiline": 2000,
    "date": 10,
    "born": 10,
    "phone": 20,
    "id": 20,
    "choice": 0,
    "checklist": 0,
}
_DIGITS = 9
"""So many options can be marked by a digit."""
_LONG_HINTS: Mapping[FieldKind, str] = {
    "choice": strings.LONG_CHOICE_HINT,
    "checklist": strings.LONG_CHECKLIST_HINT,
}
_KIND_HINTS: Mapping[FieldKind, str] = {
    "text": strings.FORM_HINT,
    "multiline": strings.MULTILINE_HINT,
    "date": strings.DATE_HINT,
    "born": strings.BORN_HINT,
    "phone": strings.PHONE_HINT,
    "id": strings.ID_HINT,
    "choice": strings.CHOICE_HINT,
    "checklist": strings.CHECKLIST_HINT,
}


def clean_value(field: FormField, value: FieldValue) -> FieldValue:
    """Return the value in the form in which it is stored.

    Text is NFC without white space around it; a date is ISO 8601 (`2026-09-05`); a phone number and an
    identity number are digits only; ticked options stand in the declared order, then undeclared ones.
    What cannot be understood is returned as it was typed: `check_value` tells.
    """
    if isinstance(value, tuple):
        known = tuple(option for option, _ in field.options if option in value)
        return known + tuple(option for option in value if option not in known)
    text = to_nfc(value).strip()
    if field.kind == "date":
        parsed = parse_date(text)
        return parsed.isoformat() if parsed else text
    if field.kind == "phone":
        return _clean_phone(text)
    if field.kind == "id":
        return _SEPARATORS.sub("", text)
    return text


def shown_value(field: FormField, value: FieldValue) -> FieldValue:
    """Return a stored value as the official reads it: dates as day/month/year, all else unchanged."""
    if field.kind == "date" and isinstance(value, str):
        parsed = parse_date(value)
        return parsed.strftime("%d/%m/%Y") if parsed else value
    return value


def check_value(field: FormField, value: FieldValue) -> str | None:
    """Return what is wrong with a value, in Vietnamese, or None."""
    cleaned = clean_value(field, value)
    if not cleaned:
        return _required_message(field) if field.required else None
    if isinstance(cleaned, tuple):
        return None
    if field.max_length and len(cleaned) > field.max_length:
        return strings.text_too_long(len(cleaned), field.max_length)
    return _check_kind(field, cleaned)


def parse_date(text: str) -> date | None:
    """Read day/month/year or ISO 8601; None when it is no date of the calendar."""
    match = _DATE.fullmatch(text.strip())
    try:
        if match:
            day, month, year = (int(part) for part in match.groups())
            return date(year, month, day)
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _clean_phone(text: str) -> str:
    digits = _SEPARATORS.sub("", text)
    return "0" + digits[3:] if digits.startswith("+84") else digits


def _required_message(field: FormField) -> str:
    if field.kind == "choice":
        return strings.CHOICE_REQUIRED
    return strings.CHECKLIST_REQUIRED if field.kind == "checklist" else strings.FIELD_REQUIRED


def _check_kind(field: FormField, text: str) -> str | None:
    """Check a text that is there and not too long."""
    if field.kind == "date":
        return None if parse_date(text) else strings.DATE_INVALID
    if field.kind == "born":
        return None if _YEAR.fullmatch(text) or parse_date(text) else strings.BORN_INVALID
    if field.kind == "phone":
        return None if _PHONE.fullmatch(text) else strings.PHONE_INVALID
    if field.kind == "id":
        return None if _IDENTITY.fullmatch(text) else strings.ID_INVALID
    if field.kind == "choice":
        return None if text in dict(field.options) else strings.CHOICE_UNKNOWN
    return None
