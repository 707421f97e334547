"""Edge cases of Ed25519, made from the curve: every kind of A with every kind of R, solvable or not.

A and R are each one of 22 encodings: the 14 of the eight points of small order, and a point of the main
subgroup with each of the eight added to it. For each pair there is a signature whose small-order parts
cancel out and one whose do not, where both exist; where an encoding is not canonical, also one whose k was
hashed from the canonical one; and signatures with S beyond L. What each verifier must say follows from how
a case was made, without any point arithmetic.

The classes are those of C2SP/CCTV's vectors (github.com/C2SP/CCTV, folder ``ed25519``), which no package
index carries, and of "Taming the many EdDSAs" (https://eprint.iacr.org/2020/1244), section 5.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.edwards import BASE, SMALL, L, add, challenge, encode, encodings, is_canonical, times

_TRIES = 64
_BEYOND = (1, 2, 14)
"""Multiples of L that are added to S; with 14 it still has 256 bits."""


class Half(NamedTuple):
    """A or R of a case.

    Attributes:
        data: Its encoding.
        secret: Its multiple of the base point; 0 for a point of small order.
        part: Which of the small-order points is in it, as an index into `SMALL`.
    """

    data: bytes
    secret: int
    part: int

    @property
    def canonical(self) -> bytes:
        """The canonical encoding of the same point."""
        return self.data if self.secret else encode(SMALL[self.part])


class Case(NamedTuple):
    """A signature, and what is known of it.

    Attributes:
        a: Its key.
        r: Its first half.
        message: What it signs.
        signature: 64 bytes.
        k: The challenge as every verifier hashes it.
        s: The second half as a number.
    """

    a: Half
    r: Half
    message: bytes
    signature: bytes
    k: int
    s: int

    @property
    def public(self) -> bytes:
        """The key."""
        return self.a.data

    @property
    def is_cofactored(self) -> bool:
        """Whether 8·S·B = 8·R + 8·k·A."""
        return (self.s - self.r.secret - self.k * self.a.secret) % L == 0

    @property
    def is_cofactorless(self) -> bool:
        """Whether S·B = R + k·A."""
        return self.is_cofactored and (self.r.part + self.k * self.a.part) % 8 == 0

    @property
    def is_short(self) -> bool:
        """Whether S is below L, as RFC 8032 wants it."""
        return self.s < L

    @property
    def libsodium_accepts(self) -> bool:
        """What libsodium says: cofactorless, S below L, A canonical, neither A nor R of small order."""
        is_plain = self.is_cofactorless and self.is_short and is_canonical(self.a.data)
        return is_plain and self.a.secret != 0 and self.r.secret != 0

    @property
    def openssl_accepts(self) -> bool:
        """What OpenSSL says: cofactorless, S below L, R canonical."""
        return self.is_cofactorless and self.is_short and is_canonical(self.r.data)


def halves(secret: int) -> list[Half]:
    """Returns the 22 encodings: small-order points, and ``secret``·B with each of them added."""
    small = [Half(data, 0, part) for part, point in enumerate(SMALL) for data in encodings(point)]
    main = times(secret, BASE)
    return small + [Half(encode(add(main, point)), secret, part) for part, point in enumerate(SMALL)]


def solve(
    a: Half, r: Half, message: bytes, *, k_of: tuple[bytes, bytes] | None = None, beyond: int = 0
) -> Case:
    """Solves S for a key, a first half and a message.

    Args:
        a: Key.
        r: First half.
        message: Message.
        k_of: Encodings of R and A from which the signer hashes k, where they are not those sent.
        beyond: How many times L is added to S.
    """
    k = challenge(r.data, a.data, message)
    used = challenge(*k_of, message) if k_of else k
    s = (r.secret + used * a.secret) % L + beyond * L
    return Case(a, r, message, r.data + s.to_bytes(32, "little"), k, s)


def cases(seed: int = 1) -> Iterator[Case]:
    """Makes all cases."""
    rng = random.Random(seed)
    keys, firsts = halves(rng.randrange(1, L)), halves(rng.randrange(1, L))
    for a in keys:
        for r in firsts:
            yield from _pair(a, r)


def _pair(a: Half, r: Half) -> Iterator[Case]:
    tried = [solve(a, r, b"message %d" % n) for n in range(_TRIES)]
    wanted: tuple[Callable[[Case], bool], ...] = (
        lambda c: c.is_cofactorless,
        lambda c: not c.is_cofactorless,
    )
    for want in wanted:
        found = next(filter(want, tried), None)
        if found is None:
            continue
        yield found
        if (a.canonical, r.canonical) != (a.data, r.data):
            yield solve(a, r, found.message, k_of=(r.canonical, a.canonical))
        if found.libsodium_accepts:
            for beyond in _BEYOND:
                yield solve(a, r, found.message, beyond=beyond)
