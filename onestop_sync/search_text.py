"""Text folded for search only: no case, no Vietnamese marks, đ as d, single spaces.

Officials type `nguyen thi huong` and mean `Nguyễn Thị Hường`. Both sides of a comparison are folded here,
because a database's own folding drops marks but keeps đ. Folded text is never shown, stored in an event
or signed.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import product
from typing import Final

__all__ = ["fold_text", "has_words", "words"]

_VOWELS: Final = "aăâeêioôơuưy"
_TONES: Final = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
"""No tone, huyền, sắc, ngã, hỏi, nặng: combining characters."""
_IGNORED: Final = frozenset({"Mn", "Cf"})
"""Unicode categories dropped: marks, and invisible format characters that pages leave in names."""
_WORD: Final = re.compile(r"[^\W_]+")


def _vietnamese_letters() -> dict[int, str]:
    """Map every precomposed Vietnamese letter and every capital to its bare lower-case letter.

    The eth (U+00D0, U+00F0) is there because old fonts and keyboards produced it for đ.
    """
    table = {ord(letter.upper()): letter for letter in "abcdefghijklmnopqrstuvwxyz"}
    table |= {ord(letter): "d" for letter in "Đđ\u00d0\u00f0"}
    for vowel, tone in product(_VOWELS + _VOWELS.upper(), _TONES):
        letter = unicodedata.normalize("NFC", vowel + tone)
        if not letter.isascii():
            table[ord(letter)] = unicodedata.normalize("NFD", letter)[0].lower()
    return table


_TABLE: Final = _vietnamese_letters()


def _fold_rest(text: str) -> str:
    """Fold what the table does not know: decomposed letters, other scripts, invisible characters.

    Source: Unicode Standard, D145 (canonical caseless matching).
    """
    bare = unicodedata.normalize("NFD", unicodedata.normalize("NFD", text).casefold())
    kept = "".join(char for char in bare if unicodedata.category(char) not in _IGNORED)
    return kept.translate(_TABLE)


def fold_text(text: str) -> str:
    """Fold text for search; the same for NFC and NFD input, and folding twice changes nothing.

    One `str.translate` does all of a Vietnamese name; only text that is still not ASCII pays for more.

    Args:
        text: Anything that was typed.

    Returns:
        Lower-case text without marks, its white space collapsed to single spaces.
    """
    folded = text.translate(_TABLE)
    if not folded.isascii():
        folded = _fold_rest(folded)
    return " ".join(folded.split())


def words(text: str) -> tuple[str, ...]:
    """Return the folded words of a text, in order: runs of letters and digits."""
    return tuple(_WORD.findall(fold_text(text)))


def has_words(text: str, query: str) -> bool:
    """Tell whether every word of the query begins some word of the text; an empty query matches all."""
    there = words(text)
    return all(any(word.startswith(wanted) for word in there) for wanted in words(query))
