"""What is told, and what is kept, when a command was not done."""

from __future__ import annotations

import errno
import time
from pathlib import Path
from typing import Any, Final

from commune_client.messages import Message, explain, explain_unexpected, problem_text
from onestop_sync.errors import OnestopError
from onestop_sync.guard import places

__all__ = ["LOG", "complain", "keep_uncaught"]

LOG: Final = "onestop.log"
_LOG_BYTES: Final = 256 * 1024
"""The log begins anew beyond this size."""


def complain(error: Exception, folder: Path) -> tuple[Message, dict[str, Any]]:
    """Returns what to tell about an error, as words and as data.

    Args:
        error: What a command raised.
        folder: The store's folder, where the log of what nobody foresaw is kept.
    """
    if isinstance(error, OnestopError):
        return explain(error), _facts(error)
    if isinstance(error, OSError):
        message = Message(
            f"Không đọc hoặc ghi được tệp: {_file_fault(error)}.", "Những gì đã lưu vẫn còn nguyên."
        )
        return message, {"code": "file", "what": message.what, "todo": message.todo}
    message = explain_unexpected(_keep(error, folder))
    return message, {"code": "unexpected", "what": message.what, "todo": message.todo}


def _facts(error: OnestopError) -> dict[str, Any]:
    message = explain(error)
    facts: dict[str, Any] = {
        "code": error.code,
        "reason": str(error.details.get("reason", "")),
        "what": message.what,
        "todo": message.todo,
    }
    problems = getattr(error, "problems", ())
    if problems:
        facts["problems"] = [
            {"code": str(p.code), "key": p.key, "detail": p.detail, "text": problem_text(p)} for p in problems
        ]
    return facts


_FILE_FAULTS: Final = (
    (FileNotFoundError, "không có tệp hoặc thư mục đó"),
    (PermissionError, "không có quyền truy cập"),
    (IsADirectoryError, "đó là thư mục"),
    (NotADirectoryError, "đó không phải thư mục"),
    (FileExistsError, "đã có tệp đó"),
)


def _file_fault(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "ổ đĩa đã đầy"
    words = next((text for kind, text in _FILE_FAULTS if isinstance(error, kind)), f"lỗi {error.errno}")
    # A file is written beside its place first, under a name that nobody asked for.
    return f"{words} ({str(error.filename).removesuffix('.new')})" if error.filename else words


def _keep(error: Exception, folder: Path) -> str:
    """Keeps where it happened, without any value: nothing of a dossier may get into a log.

    Returns:
        Name of the log; empty when it could not be written.
    """
    return _append(type(error).__name__, places(error.__traceback__), folder)


def keep_uncaught(folder: Path, kind: str, where: list[str]) -> None:
    """Keeps a mistake that reached the end of a thread; says nothing on a screen that is drawn meanwhile.

    Args:
        folder: The store's folder.
        kind: Kind of the exception.
        where: Its places, see `onestop_sync.guard`.
    """
    _append(kind, where, folder)


def _append(kind: str, where: list[str], folder: Path) -> str:
    entry = f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {kind}\n  " + "\n  ".join(where) + "\n"
    path = folder / LOG
    try:
        is_long = path.exists() and path.stat().st_size > _LOG_BYTES
        with path.open("w" if is_long else "a", encoding="utf-8") as file:
            file.write(entry)
    except OSError:
        return LOG
    return str(path)
