"""Seeded chance: one stream for each purpose, so that one more roll here changes nothing there."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from typing import Self, TypeVar

T = TypeVar("T")


class Dice(random.Random):
    """A random stream named by a seed and a purpose; the same on every machine and Python version.

    Args:
        seed: Seed of the run.
        purpose: What the stream is for.
    """

    def __new__(cls, *_: object) -> Self:
        """Makes the stream without looking at the arguments, which the base class would hash."""
        return super().__new__(cls)

    def __init__(self, seed: int, purpose: str) -> None:
        super().__init__(int.from_bytes(hashlib.sha256(f"{seed}/{purpose}".encode()).digest(), "big"))

    def happens(self, probability: float) -> bool:
        """Rolls once."""
        return self.random() < probability

    def pick(self, items: Sequence[T]) -> T:
        """Picks one of ``items``."""
        return items[self.randrange(len(items))]

    def weighted(self, weights: Mapping[T, float]) -> T:
        """Picks a key by its weight."""
        at = self.random() * sum(weights.values())
        for item, weight in weights.items():
            at -= weight
            if at < 0:
                return item
        return item
