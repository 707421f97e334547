"""What a target is, and what became of one input."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import traceback
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from onestop_sync.errors import OnestopError

__all__ = ["Form", "Run", "Target", "Verdict", "place_of", "scratch", "try_one"]

Run = Callable[[bytes], object]
"""Reads an input; raises `OnestopError` when it refuses it, `AssertionError` when it breaks a promise."""
_ROOT: Final = Path(__file__).parent.parent.parent


class Form(StrEnum):
    """What an input looks like, so that a mutation of a valid one gets past the first check."""

    BYTES = "bytes"
    CBOR = "cbor"
    JSON = "json"
    TABLE = "table"
    WORDS = "words"
    ZIP = "zip"


class Verdict(StrEnum):
    """What became of an input."""

    TAKEN = "taken"
    REFUSED = "refused"


class Target(NamedTuple):
    """A decoder.

    Attributes:
        name: By which it is asked for, and its corpus is kept.
        form: Of its inputs.
        make: Prepares what it needs and returns what reads one input.
        seeds: Valid inputs.
        modules: Whose lines it should reach, by their dotted names.
        is_slow: Each input costs more than some milliseconds: the suite tries fewer.
        refusals: Errors by which it refuses, besides those of our tree: for programs' own words.
    """

    name: str
    form: Form
    make: Callable[[], Run]
    seeds: Callable[[], Sequence[bytes]]
    modules: tuple[str, ...]
    is_slow: bool = False
    refusals: tuple[type[BaseException], ...] = ()


def try_one(target: Target, run: Run, data: bytes) -> Verdict:
    """Runs one input.

    Raises:
        Exception: Whatever is neither a value nor one of our errors: a find.
    """
    refusals: tuple[type[BaseException], ...] = (OnestopError, *target.refusals)
    try:
        run(data)
    except refusals:
        return Verdict.REFUSED
    return Verdict.TAKEN


def place_of(error: BaseException) -> str:
    """Says where in the project an error came up, so that finds of one place count once."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if _is_ours(f.filename)]
    last = frames[-1] if frames else None
    where = f"{Path(last.filename).relative_to(_ROOT)}:{last.lineno}" if last else "elsewhere"
    return f"{type(error).__name__} at {where}"


def _is_ours(name: str) -> bool:
    path = Path(name)
    return path.is_relative_to(_ROOT) and ".venv" not in path.parts


def scratch() -> Path:
    """Makes a folder that is there as long as the program runs."""
    folder = Path(tempfile.mkdtemp(prefix="onestop-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
