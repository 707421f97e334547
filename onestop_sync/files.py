"""Writing files so that a power cut leaves the old one or the new one, and one program at a time."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from onestop_sync.errors import StoreError, StoreFailing, StoreFull

__all__ = ["locked", "on_disk", "sync_folder", "write_durably"]

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FAILED: Final = frozenset({errno.EIO, errno.ENXIO, errno.ENODEV})


def write_durably(path: Path, data: bytes) -> None:
    """Replaces a file so that a power cut leaves the old one or the new one, readable by its owner only."""
    beside = path.with_name(path.name + ".new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(path.parent)


@contextmanager
def on_disk() -> Iterator[None]:
    """Says in our words what the machine's own disk had against a file of the program.

    Raises:
        StoreFull: It took no more.
        StoreFailing: It failed.
        StoreError: It may not be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StoreFull("The disk is full; the last change was not saved.") from error
        if error.errno in _FAILED:
            raise StoreFailing("The disk failed; the last change was not saved.") from error
        raise StoreError("The store's folder cannot be written.") from error


def sync_folder(folder: Path) -> None:
    """Makes names in a folder durable: a file that was made, renamed or removed."""
    if hasattr(os, "O_DIRECTORY"):  # Windows cannot open a folder, and needs not
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keeps other programs from changing a file between reading and writing it; a dead one holds nothing.

    Args:
        path: The file; the lock is on an empty one beside it.
    """
    file = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)  # and the lock with it
