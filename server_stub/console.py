"""What a command says to the person at the terminal, and what it asks."""

from __future__ import annotations

import getpass
import json
import os
import sys
from argparse import Namespace
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Final

from onestop_sync.dossier.calendar import VIETNAM
from onestop_sync.errors import InvalidInput, NotAllowed
from onestop_sync.keyring import write_durably
from server_stub import settings

__all__ = [
    "confirm",
    "counted",
    "day_of",
    "moment_of",
    "new_secret",
    "say",
    "to_day",
    "to_moment",
    "write_file",
]

NEW_PASSPHRASE: Final = "ONESTOP_NEW_PASSPHRASE"  # noqa: S105 - the name of a variable


def say(arguments: Namespace, facts: Mapping[str, Any], lines: Iterable[str]) -> None:
    """Prints a result: the facts as one JSON object where that was asked for, otherwise the lines."""
    if arguments.json:
        print(json.dumps(facts, ensure_ascii=False), flush=True)
    else:
        for line in lines:
            print(line)
        sys.stdout.flush()


def confirm(arguments: Namespace, lines: Iterable[str], question: str) -> None:
    """Shows what is about to be done, and makes sure that a person wants it.

    Raises:
        NotAllowed: The person does not.
        InvalidInput: Nobody is there to be asked.
    """
    if arguments.yes:
        return
    if sys.stdin is None or not sys.stdin.isatty():
        raise InvalidInput(
            "Nobody has confirmed this.",
            todo="Nothing was changed. Look at what it does first; then give --yes.",
        )
    for line in lines:
        print(line)
    if input(f"{question} (yes/no) ").strip().lower() not in {"yes", "y"}:
        raise NotAllowed("Not confirmed.", todo="Nothing was changed.")


def counted(count: int, what: str) -> str:
    """Returns a count with its noun: ``1 log``, ``3 logs``."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def new_secret(file: str | None, what: str) -> str:
    """Returns a new passphrase: from a file, from ``ONESTOP_NEW_PASSPHRASE``, or typed twice.

    Raises:
        InvalidInput: It is nowhere, or was typed differently the second time.
    """
    if not file and not os.environ.get(NEW_PASSPHRASE) and sys.stdin is not None and sys.stdin.isatty():
        first = getpass.getpass(f"{what}: ")
        if getpass.getpass("The same again: ") != first:
            raise InvalidInput("The two were not the same.")
        return first
    return settings.secret(NEW_PASSPHRASE, file, what)


def write_file(path: str | Path, data: bytes) -> None:
    """Writes a file that somebody named, durably.

    Raises:
        InvalidInput: It cannot be written.
    """
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_durably(Path(path), data)
    except OSError as error:
        raise InvalidInput(f"Cannot write {path}: {error.strerror}.", todo="Check the path.") from error


def day_of(text: str) -> int:
    """Reads a day, ``2026-07-01``: its first moment in Vietnam, milliseconds since 1970 UTC.

    Raises:
        InvalidInput: It is none.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{text!r} is not a day such as 2026-07-01.") from None
    return int(datetime.combine(day, time(), VIETNAM).timestamp() * 1000)


def moment_of(text: str) -> int:
    """Reads a moment in Vietnam, ``2026-07-01 14:30`` or a day, milliseconds since 1970 UTC.

    Raises:
        InvalidInput: It is none.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{text!r} is not a moment such as '2026-07-01 14:30'.") from None
    aware = found if found.tzinfo else found.replace(tzinfo=VIETNAM)
    return int(aware.timestamp() * 1000)


def to_day(ms: int) -> str:
    """Returns a day in Vietnam, ``2026-07-01``."""
    return _local(ms).date().isoformat()


def to_moment(ms: int) -> str:
    """Returns a moment in Vietnam, ``2026-07-01 14:30``."""
    return _local(ms).strftime("%Y-%m-%d %H:%M")


def _local(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(VIETNAM)
