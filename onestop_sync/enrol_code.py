"""One-time codes of enrolment: how they are written, read, and turned into keys. Pure.

    K7QF4-M2XZ0-…      five groups: four letters that count, and one that checks the group

The first group is the code's *selector*: it says which code is meant, is no secret, and may be read aloud.
The other sixteen letters are the secret, 80 bits. Whoever does not know them can neither prove a request nor
read or make an answer (`enrol_proof`). A slip of the keyboard fails the check letter of its group, and is
told before anything is sent: it costs no try.

Source: letters of Crockford's base 32, https://www.crockford.com/base32.html (no I, L, O, U).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from onestop_sync import codec
from onestop_sync.errors import InvalidInput

__all__ = ["ENTROPY_BYTES", "SELECTOR_LETTERS", "CodeKeys", "is_selector", "read_code", "write_code"]

LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
GROUPS: Final = 5
SELECTOR_LETTERS: Final = 4
"""Letters of a group that count; a fifth one checks them."""
ENTROPY_BYTES: Final = 13
"""Random bytes of which a code is made; 100 bits of them count."""
KEY_BYTES: Final = 32
_SALT: Final = b"onestop enrol code 1"
_LIKE: Final = str.maketrans({"O": "0", "I": "1", "L": "1"})
_BETWEEN: Final = frozenset(" -–—_.\t\r\n\u00a0\u2011")
_FIELD: Final = 0b100101
"""x^5 + x^2 + 1, by which letters multiply as numbers of GF(32)."""


class CodeKeys(NamedTuple):
    """What a code is good for.

    Attributes:
        selector: Says which code is meant; no secret.
        request_key: Proves requests; 32 bytes.
        answer_key: Seals answers; 32 bytes.
    """

    selector: str
    request_key: bytes
    answer_key: bytes


def write_code(entropy: bytes) -> str:
    """Returns a code as it is printed.

    Args:
        entropy: 13 fresh random bytes.
    """
    if len(entropy) != ENTROPY_BYTES:
        raise InvalidInput(f"A code is made from {ENTROPY_BYTES} bytes.")
    number = int.from_bytes(entropy, "big") >> 4
    digits = [number >> (5 * i) & 31 for i in reversed(range(GROUPS * SELECTOR_LETTERS))]
    groups = [digits[i : i + SELECTOR_LETTERS] for i in range(0, len(digits), SELECTOR_LETTERS)]
    return "-".join(_spelled([*group, _check(n, group)]) for n, group in enumerate(groups))


def read_code(text: str) -> CodeKeys:
    """Reads a code as somebody typed it: any case, any dashes and spaces, O for 0, I and L for 1.

    Raises:
        InvalidInput: A slip; ``details["reason"]`` is ``code_letters`` (typed with Vietnamese typing on),
            ``code_length`` or ``code_slip``, with ``group`` from 1.
    """
    plain = "".join(c for c in codec.nfc(text).upper() if c not in _BETWEEN).translate(_LIKE)
    if not plain.isascii():
        raise InvalidInput(
            "The code holds letters with marks.", todo="Turn Vietnamese typing off.", reason="code_letters"
        )
    if len(plain) != GROUPS * (SELECTOR_LETTERS + 1):
        raise InvalidInput(
            f"A code has {GROUPS} groups of {SELECTOR_LETTERS + 1} letters.",
            reason="code_length",
            count=len(plain),
        )
    return _keys("".join(_checked(n, plain[n * 5 : n * 5 + 5]) for n in range(GROUPS)))


def is_selector(text: str) -> bool:
    """Tells whether this can be the selector of a code."""
    return len(text) == SELECTOR_LETTERS and all(letter in LETTERS for letter in text)


def _checked(number: int, group: str) -> str:
    digits = [LETTERS.find(letter) for letter in group]
    if min(digits) < 0 or _check(number, digits[:-1]) != digits[-1]:
        raise InvalidInput(
            f"Group {number + 1} of the code is mistyped.",
            todo="Nothing was sent, and no try was lost. Compare it with the sheet.",
            reason="code_slip",
            group=number + 1,
        )
    return group[:-1]


def _keys(letters: str) -> CodeKeys:
    kdf = HKDF(algorithm=SHA256(), length=2 * KEY_BYTES, salt=_SALT, info=b"keys")
    both = kdf.derive(letters.encode())
    return CodeKeys(letters[:SELECTOR_LETTERS], both[:KEY_BYTES], both[KEY_BYTES:])


def _spelled(digits: list[int]) -> str:
    return "".join(LETTERS[digit] for digit in digits)


def _check(number: int, digits: list[int]) -> int:
    """Returns the letter that finds any one wrong letter, any two neighbours and any two groups exchanged."""
    found = number + 1
    for place, digit in enumerate(digits, 1):
        found ^= _times(digit, 1 << place)
    return found


def _times(one: int, other: int) -> int:
    product = 0
    for bit in range(5):
        if other >> bit & 1:
            product ^= one << bit
    for bit in (8, 7, 6, 5):
        if product >> bit & 1:
            product ^= _FIELD << (bit - 5)
    return product
