"""Exit codes that a script can use, and the two ways in which a command ends without being done."""

from __future__ import annotations

from typing import Final

__all__ = ["DONE", "OFFLINE", "REFUSED", "USAGE", "UsageFault", "exit_code"]

DONE: Final = 0
REFUSED: Final = 1
"""Refused, with a reason; nothing was changed."""
USAGE: Final = 2
"""The command was not typed as it should be, or a file could not be read."""
OFFLINE: Final = 3
"""Nobody answered; the work is kept."""

_OFFLINE_CODES: Final = frozenset({"upstream", "unreachable", "upstream_malformed", "upstream_rolled_back"})


class UsageFault(Exception):
    """The command was not typed as it should be.

    Args:
        text: What is wrong, in Vietnamese.
    """


def exit_code(code: str) -> int:
    """Returns the exit code for an error code of the library."""
    return OFFLINE if code in _OFFLINE_CODES else REFUSED
