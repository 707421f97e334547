"""Pure rules for text that an official types or pastes: NFC, plain lines, and limits that tell."""

from __future__ import annotations

import unicodedata

TYPING_SLACK = 16
"""Characters that may be typed past a limit.

An input method believes that each key arrived. If the key at the limit were swallowed, its next Backspace
would erase a letter that was there before. So the text may grow a little too long, says so, and does not
validate.
"""


def to_nfc(text: str) -> str:
    """Return text in Unicode normal form C, the only form that is stored."""
    return unicodedata.normalize("NFC", text)


def to_one_line(text: str) -> str:
    """Return pasted text as one line: line ends and tabs become spaces, unprintable characters go."""
    joined = (
        " ".join(part.strip() for part in text.splitlines() if part.strip()) if _has_breaks(text) else text
    )
    return to_nfc(_printable(joined, keep=""))


def to_lines(text: str) -> str:
    """Return pasted text with the line feed as its only line end, without unprintable characters."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    return to_nfc(_printable(unified, keep="\n"))


def has_leading_mark(text: str) -> bool:
    """Tell whether text begins with a combining mark, which belongs to the letter before it."""
    return bool(text) and unicodedata.combining(text[0]) != 0


def is_refused(inserted: int, length: int, limit: int) -> bool:
    """Tell whether an insertion does not fit.

    Args:
        inserted: Characters inserted at once; several are a paste, which is taken whole or not at all.
        length: Characters in the field afterwards.
        limit: The most characters that are valid; 0 means no limit.
    """
    if not limit or not inserted:
        return False
    return length > (limit if inserted > 1 else limit + TYPING_SLACK)


def _has_breaks(text: str) -> bool:
    return len(text.splitlines()) > 1 or text.rstrip("\r\n") != text


def _printable(text: str, keep: str) -> str:
    """Turn white space of any kind into plain spaces and drop what cannot be seen."""
    return "".join(
        char if char.isprintable() or char in keep else " " if char.isspace() else "" for char in text
    )
