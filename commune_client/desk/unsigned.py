"""What has to be noted before any key is open: kept in a small file until somebody unlocks.

A wrong passphrase opens nothing that could sign. So the attempt is written down beside the store, readable by
the owner only and flushed to the disk, and the machine's key signs it at the next unlocking. The file holds
times, codes, ids of dossiers and the officer's name as the keyring shows it anyway: nothing of a citizen. Who
can delete it could delete the store as well.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from onestop_sync.errors import InvalidInput
from onestop_sync.trail import Entry

__all__ = ["Unsigned"]

FILE: Final = "unsigned"
_MAX_BYTES: Final = 64 * 1024
"""Whoever guesses that often is known by what is there."""


class Unsigned:
    """The entries of one machine that nobody has signed yet.

    Args:
        folder: The machine's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.path = Path(folder) / FILE

    def note(self, entries: Iterable[Entry]) -> None:
        """Appends entries; they are on the disk when this returns, or the file is full.

        Raises:
            OSError: The disk refused.
        """
        data = "".join(json.dumps(_plain(entry), ensure_ascii=False) + "\n" for entry in entries).encode()
        with os.fdopen(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
            if file.tell() + len(data) <= _MAX_BYTES:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())

    def read(self) -> tuple[list[Entry], int]:
        """Returns the entries, without what is none, and how many bytes they take."""
        try:
            data = self.path.read_bytes()
        except OSError:
            return [], 0
        found = (_entry(line) for line in data.splitlines())
        return [entry for entry in found if entry], len(data)

    def drop(self, size_bytes: int) -> None:
        """Removes what was read, once it is signed; what came meanwhile stays."""
        from onestop_sync.keyring import write_durably

        rest = self.path.read_bytes()[size_bytes:]
        if rest:
            write_durably(self.path, rest)
        else:
            self.path.unlink()


def _plain(entry: Entry) -> list[Any]:
    return [entry.at_ms, entry.what, entry.doc.hex(), *entry[3:]]


def _entry(line: bytes) -> Entry | None:
    try:
        at_ms, what, doc, times, lines, code, who = json.loads(line)
        return Entry(at_ms, what, bytes.fromhex(doc), times, lines, code, who).checked()
    except (ValueError, TypeError, InvalidInput):
        return None
