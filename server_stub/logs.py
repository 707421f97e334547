"""The server's log: one JSON object a line, without personal data.

What is logged are counts, sizes, times, codes and units: no name, no code of a dossier, no content. Of what
other libraries log, and of mistakes, only who says so, what kind it is and where are told: their words may
repeat values.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final

from onestop_sync import guard

__all__ = ["broke", "log", "set_up", "warn"]

_LOGGER: Final = logging.getLogger("onestop.server")


class _Lines(logging.Formatter):
    """Writes a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line; of an unexpected exception only its kind and place are told."""
        is_ours = record.name == _LOGGER.name
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage() if is_ours else record.name,
            **getattr(record, "facts", {}),
        }
        if not is_ours:
            line["where"] = f"{record.filename}:{record.lineno}"
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            line["where"] = (guard.places(record.exc_info[2]) or [""])[-1]
        return json.dumps(line, ensure_ascii=False)


def set_up(level: str = "info") -> None:
    """Sends the log to standard error, from ``level`` on (``debug``, ``info``, ``warning``, ``error``).

    Everything that the process says of itself goes the same way: other libraries' warnings, and exceptions
    that nobody caught, in any thread.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    for name in ("onestop", "uvicorn.error", ""):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.propagate = False
        logger.setLevel(level.upper() if name == "onestop" else logging.WARNING)
    logging.captureWarnings(capture=True)
    guard.install(lambda kind, where: _LOGGER.critical("broke", extra={"facts": _mistake(kind, where)}))


def _mistake(kind: str, where: list[str]) -> dict[str, str]:
    return {"error": kind, "where": where[-1] if where else ""}


def log(event: str, **facts: object) -> None:
    """Notes what happened, with facts that are numbers, codes or units."""
    _LOGGER.info(event, extra={"facts": facts})


def warn(event: str, **facts: object) -> None:
    """Notes what an operator should look at."""
    _LOGGER.warning(event, extra={"facts": facts})


def broke(event: str, **facts: object) -> None:
    """Notes a mistake of the program, inside its ``except``: kind and place, and nothing of the data."""
    _LOGGER.error(event, exc_info=sys.exc_info(), extra={"facts": facts})
