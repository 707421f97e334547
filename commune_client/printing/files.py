"""Printed forms as files: names without personal data, none ever replaced, and handed to the printer."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import Final

from onestop_sync.errors import InvalidInput

__all__ = ["SYSTEM", "file_name", "print_file", "write_new"]

SYSTEM: Final = "system"
"""Value of `Config.printer`: ``lp`` where there is one, what Windows prints such a file with there."""
_PRIVATE: Final = 0o600
_PATIENCE_S: Final = 60
"""A printer's command that takes longer is not waited for."""


def file_name(number: str, about: str, ending: str) -> str:
    """Returns the name of a file: form and code, never a person's name.

    Args:
        number: The form's number: ``01``.
        about: The dossier's code, a day, or a volume; what a name of a file cannot hold is left out.
        ending: ``pdf`` or ``txt``.
    """
    kept = "".join(char if char.isascii() and (char.isalnum() or char in ".-") else "-" for char in about)
    return f"mau-{number}_{kept[:80]}.{ending}" if kept else f"mau-{number}.{ending}"


def write_new(place: Path, name: str, data: bytes) -> Path:
    """Writes a new file that only its owner can read; none that is there is replaced.

    Args:
        place: A folder: the file gets the name, or ``name-2`` and so on; or else the path of a new file.
        name: See `file_name`.
        data: What stands in it.

    Raises:
        FileExistsError: The path names a file that is there.
        OSError: The disk refused, or there is no such folder.
    """
    if not place.is_dir():
        return _write(place, data)
    stem, _, ending = name.rpartition(".")
    for number in count(1):
        path = place / (name if number == 1 else f"{stem}-{number}.{ending}")
        try:
            return _write(path, data)
        except FileExistsError:
            continue
    raise AssertionError


def _write(path: Path, data: bytes) -> Path:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), _PRIVATE)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    return path


def print_file(printer: str, path: Path) -> None:
    """Hands a file to the printer.

    Args:
        printer: See `Config.printer`; not empty.
        path: The file.

    Raises:
        InvalidInput: The command is not there, failed, or took too long (``printer``); the file is kept.
    """
    if printer == SYSTEM and sys.platform == "win32":
        os.startfile(path.resolve(), "print")  # noqa: S606 - the file that was just written
        return
    try:
        # No shell: the words of the setting, and the file's path as the last one.
        words = [*(["lp"] if printer == SYSTEM else shlex.split(printer)), str(path.resolve())]
        done = subprocess.run(words, capture_output=True, check=False, timeout=_PATIENCE_S)  # noqa: S603
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise _not_printed(path) from error
    if done.returncode:
        raise _not_printed(path)


def _not_printed(path: Path) -> InvalidInput:
    return InvalidInput(
        "The printer's command did not take the file.",
        todo="The file is kept. Print it by hand, or look at the setting.",
        reason="printer",
        path=str(path),
    )
