"""Vietnamese alphabetical order, for lists that people read: a ă â b c d đ e ê … with tones after letters.

A database's order, and Python's, put Đ behind Z and every Ă behind it. Letters decide first, word by word; of
words with the same letters the tones: none, huyền, hỏi, ngã, sắc, nặng. Numbers are in order of their value.

Source: the order of the Vietnamese dictionaries; the Unicode Collation Algorithm (UTS 10) has it as a
tailoring of its own, which the libraries that are all Python do not carry.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["alphabetical"]

_LETTERS: Final = {letter: n for n, letter in enumerate("aăâbcdđeêfghijklmnoôơpqrstuưvwxyz")}
_TONES: Final = {mark: n for n, mark in enumerate("\u0300\u0309\u0303\u0301\u0323", 1)}
_PART: Final = re.compile(r"\d+|[^\W\d_]+")
_BEYOND: Final = 100
"""Letters of other scripts come after all of ours."""


def alphabetical(text: str) -> tuple[object, ...]:
    """Returns the key by which a text is sorted among others; two that differ have different keys.

    >>> sorted(["Xã Đông", "Xã Hòa", "Xã Dương", "Xã 10", "Xã 9"], key=alphabetical)
    ['Xã 9', 'Xã 10', 'Xã Dương', 'Xã Đông', 'Xã Hòa']
    """
    letters: list[tuple[int, tuple[int, ...]]] = []
    tones: list[int] = []
    for part in _PART.findall(unicodedata.normalize("NFC", text).lower()):
        if part[0].isdecimal():
            digits = [int(digit) for digit in part]
            value = digits[next((n for n, digit in enumerate(digits) if digit), len(digits)) :]
            letters.append((0, (len(value), *value)))
            continue
        word: list[int] = []
        for char in part:
            letter, tone = _split(char)
            word.append(_LETTERS.get(letter, _BEYOND + ord(letter)))
            tones.append(tone)
        letters.append((1, tuple(word)))
    return tuple(letters), tuple(tones), text


def _split(char: str) -> tuple[str, int]:
    """Returns a letter without its tone, and the tone's place."""
    marks = unicodedata.normalize("NFD", char)
    tone = next((_TONES[mark] for mark in marks if mark in _TONES), 0)
    bare = unicodedata.normalize("NFC", "".join(mark for mark in marks if mark not in _TONES))
    return bare[0], tone
