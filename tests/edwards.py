"""The curve of Ed25519 in plain integers, slow and plain to read: to make edge cases, and to judge them.

Source: RFC 8032, sections 5.1 and 6; the names of the verdicts and the classes of edge cases are those of
K. Chalkias, F. Garillot and V. Nikolaenko, "Taming the many EdDSAs", SSR 2020, https://eprint.iacr.org/2020/1244,
and of https://github.com/C2SP/CCTV, folder ``ed25519``.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Final, NamedTuple

P: Final = 2**255 - 19
"""The field."""
L: Final = 2**252 + 27742317777372353535851937790883648493
"""The order of the main subgroup; the whole group has 8 · L points."""
D: Final = -121665 * pow(121666, -1, P) % P
_ROOT: Final = pow(2, (P - 1) // 4, P)
_TOP: Final = 1 << 255


class Point(NamedTuple):
    """A point in affine coordinates."""

    x: int
    y: int

    def __neg__(self) -> Point:
        return Point(-self.x % P, self.y)


ZERO: Final = Point(0, 1)


def add(a: Point, b: Point) -> Point:
    """Adds two points; complete, so any two."""
    cross = D * a.x * b.x % P * a.y * b.y % P
    x = (a.x * b.y + a.y * b.x) * pow(1 + cross, -1, P)
    y = (a.y * b.y + a.x * b.x) * pow(1 - cross, -1, P)
    return Point(x % P, y % P)


def times(n: int, point: Point) -> Point:
    """Multiplies a point."""
    found = ZERO
    while n:
        if n & 1:
            found = add(found, point)
        point = add(point, point)
        n >>= 1
    return found


def root_of(y: int) -> int | None:
    """Returns an x for a y, ``None`` when no point has that y."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * _ROOT % P
    return None if (x * x - square) % P else x


def encode(point: Point) -> bytes:
    """Encodes a point canonically."""
    return (point.y | (point.x & 1) << 255).to_bytes(32, "little")


@cache
def decode(data: bytes) -> Point | None:
    """Decodes a point the lenient way: y may be P or more, and the sign of x = 0 may be set."""
    number = int.from_bytes(data, "little")
    y = (number % _TOP) % P
    x = root_of(y)
    if x is None:
        return None
    return Point(-x % P if x & 1 != number >> 255 else x, y)


def is_canonical(data: bytes) -> bool:
    """Tells whether an encoding is the one that RFC 8032 writes."""
    point = decode(data)
    return point is not None and encode(point) == data


def encodings(point: Point) -> list[bytes]:
    """Returns every encoding that decodes to a point: the canonical one, and what leniency adds."""
    ys = [point.y, *([point.y + P] if point.y + P < _TOP else [])]
    signs = [point.x & 1] if point.x else [0, 1]
    return [(y | sign << 255).to_bytes(32, "little") for y in ys for sign in signs]


BASE: Final = Point(0, 0)._replace(
    y=4 * pow(5, -1, P) % P,
    x=min(root_of(4 * pow(5, -1, P) % P) or 0, P - (root_of(4 * pow(5, -1, P) % P) or 0)),
)


def _small() -> tuple[Point, ...]:
    """Finds the eight points whose order divides 8: L times any point, until one is of order 8."""
    y = 2
    while True:
        x = root_of(y)
        found = times(L, Point(x, y)) if x is not None else ZERO
        if times(4, found) != ZERO:
            return tuple(times(n, found) for n in range(8))
        y += 1


SMALL: Final = _small()
"""The points of small order, from zero on; the first and the fifth have orders 1 and 2."""


def challenge(r: bytes, a: bytes, message: bytes) -> int:
    """Returns the hash k that binds a signature to its key and message."""
    return int.from_bytes(hashlib.sha512(r + a + message).digest(), "little") % L


class Verdicts(NamedTuple):
    """What the two equations say of a signature, whatever the encodings are.

    Attributes:
        cofactorless: S·B = R + k·A, which libsodium and OpenSSL check.
        cofactored: The same times 8, which RFC 8032 allows as well.
    """

    cofactorless: bool
    cofactored: bool


def verdicts(public: bytes, message: bytes, signature: bytes) -> Verdicts:
    """Judges a signature by both equations; S is taken modulo L."""
    a, r = decode(public), decode(signature[:32])
    if a is None or r is None:
        return Verdicts(cofactorless=False, cofactored=False)
    s, k = int.from_bytes(signature[32:], "little"), challenge(signature[:32], public, message)
    rest = add(times(s % L, BASE), -add(r, times(k, a)))
    return Verdicts(rest == ZERO, times(8, rest) == ZERO)
