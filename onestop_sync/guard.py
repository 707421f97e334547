"""What a program tells of its own mistakes: kind and places. An exception's words may hold a citizen's name.

Python prints an uncaught exception with its message and, through some libraries, with the values at hand; in
a service that is a log. `install` has every way in which it would do so tell the kind and the places instead.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

__all__ = ["describe", "install", "places"]

Report = Callable[[str, list[str]], None]


def places(trace: TracebackType | None) -> list[str]:
    """Returns where an exception passed, outermost first: ``store.py:310 document``."""
    return [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in traceback.extract_tb(trace)]


def describe(kind: str, where: list[str]) -> str:
    """Returns one line about a mistake of the program."""
    return f"{kind} at {where[-1]}" if where else kind


def install(report: Report) -> None:
    """Has uncaught exceptions of this process, in any thread, told by ``report`` alone.

    What libraries log while nobody listens, which Python would print, is dropped: asyncio's complaints repeat
    whole exceptions.

    Args:
        report: Called with the kind of an exception and its places.
    """

    def uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        del error
        report(kind.__name__, places(trace))

    def in_thread(found: Any) -> None:
        if found.exc_type is not SystemExit:
            uncaught(found.exc_type, found.exc_value, found.exc_traceback)

    def unraisable(found: Any) -> None:
        uncaught(found.exc_type, found.exc_value, found.exc_traceback)

    logging.lastResort = None
    sys.excepthook = uncaught
    threading.excepthook = in_thread
    sys.unraisablehook = unraisable
