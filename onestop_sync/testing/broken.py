"""What a judge says when something does not hold."""

from __future__ import annotations

__all__ = ["Broken"]


class Broken(Exception):
    """An invariant does not hold.

    Args:
        what: Its number and name.
        why: What was seen.
    """

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"invariant {what}: {why}")
        self.what = what
