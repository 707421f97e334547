"""What an official is told of an error, whoever is at fault; where it happened is kept, without any value."""

from __future__ import annotations

from pathlib import Path

from commune_client.messages import Message
from commune_client.theme import StateStyle

__all__ = ["told", "tone"]

_CALM = frozenset({"unreachable"})
"""Codes of errors that are an ordinary state of a machine in the country."""


def told(error: BaseException, folder: Path) -> Message:
    """Returns the message; what nobody foresaw goes to the log, its places and no data.

    Args:
        error: What was raised.
        folder: The store's folder, where the log is.
    """
    from commune_client.cli.complaint import complain

    message, _ = complain(error if isinstance(error, Exception) else RuntimeError(), folder)
    return message


def tone(error: BaseException) -> StateStyle:
    """Returns how an error is said: being offline is none, a stick that took nothing is one."""
    is_stick = bool(getattr(error, "details", {}).get("reason"))
    return StateStyle.PLAIN if getattr(error, "code", "") in _CALM and not is_stick else StateStyle.LATE
