"""Room that is held back for the moment when the disk is full.

Two files beside the store of which nothing is ever read. When the disk takes no more, the first is removed:
what was refused is saved at the second try, and so are some twenty changes after it, while somebody clears
the disk. The second is removed when not even a start finds room: then what is there can be read. At the first
start with room again both are back.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = ["SAVING", "STARTING", "give_up", "is_short", "lay"]

SAVING: Final = "ballast"
STARTING: Final = "ballast-start"
_BYTES: Final = {SAVING: 4 * 2**20, STARTING: 2**20}
"""Some twenty changes in the write-ahead log, and the folding of that log into the file; a start."""
_ROOM: Final = 8
"""So many times as much must be free: a disk that is nearly full is not made fuller."""
_SHORT_BYTES: Final = 256 * 1024


def lay(folder: Path) -> None:
    """Lays what is missing of the ballast beside a store, where there is plenty of room."""
    with suppress(OSError):  # a store works without
        missing = [name for name in _BYTES if not (folder / name).exists()]
        if missing and shutil.disk_usage(folder).free >= _ROOM * sum(_BYTES.values()):
            for name in missing:
                _reserve(folder / name, _BYTES[name])


def _reserve(path: Path, size_bytes: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        if hasattr(os, "posix_fallocate"):  # without writing it
            os.posix_fallocate(file.fileno(), 0, size_bytes)
        else:
            file.write(bytes(size_bytes))


def give_up(folder: Path, *names: str) -> bool:
    """Makes room for what is more urgent; tells whether any was held back.

    Args:
        folder: The store's folder.
        *names: `SAVING`, `STARTING`, or both.
    """
    given = [name for name in names if (folder / name).exists()]
    for name in given:
        with suppress(OSError):
            (folder / name).unlink()
    return bool(given)


def is_short(folder: Path) -> bool:
    """Tells whether a disk has so little room that no database opens on it."""
    with suppress(OSError):
        return shutil.disk_usage(folder).free < _SHORT_BYTES
    return False
