"""The server's log: one JSON object a line, without personal data.

What is logged are counts, sizes, times, codes and units: no name, no code of a dossier, no content.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final

__all__ = ["broke", "log", "set_up", "warn"]

_LOGGER: Final = logging.getLogger("onestop.server")


class _Lines(logging.Formatter):
    """Writes a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line; of an unexpected exception only its kind and place are told."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            line["where"] = _place(record)
        return json.dumps(line, ensure_ascii=False)


def _place(record: logging.LogRecord) -> str:
    trace = record.exc_info[2] if record.exc_info else None
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}" if trace else ""


def set_up(level: str = "info") -> None:
    """Sends the log to standard error, from ``level`` on (``debug``, ``info``, ``warning``, ``error``)."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    for name in ("onestop", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.propagate = False
        logger.setLevel(level.upper() if name == "onestop" else logging.WARNING)


def log(event: str, **facts: object) -> None:
    """Notes what happened, with facts that are numbers, codes or units."""
    _LOGGER.info(event, extra={"facts": facts})


def warn(event: str, **facts: object) -> None:
    """Notes what an operator should look at."""
    _LOGGER.warning(event, extra={"facts": facts})


def broke(event: str, **facts: object) -> None:
    """Notes a mistake of the program, inside its ``except``: kind and place, and nothing of the data."""
    _LOGGER.error(event, exc_info=sys.exc_info(), extra={"facts": facts})
