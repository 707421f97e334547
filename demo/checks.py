"""What must have come out, looked at by the demo itself; one miss and it fails."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from demo import PASSPHRASE
from demo.narrator import Narrator
from onestop_sync.dossier.types import TYPES
from onestop_sync.keyring import Keyring
from onestop_sync.store import Store

_SHOWN: Final = 400
"""Characters of a difference that are printed."""

__all__ = ["Checks", "differing", "open_store"]


class Checks:
    """Counts what held and what did not.

    Args:
        narrator: Prints each.
    """

    def __init__(self, narrator: Narrator) -> None:
        self._narrator = narrator
        self.held = 0
        self.missed: list[str] = []

    def that(self, is_so: bool, label: str, detail: object = "") -> None:  # noqa: FBT001 - what is checked
        """Prints and counts a check; what is shown besides is printed only when it did not hold."""
        self._narrator.verdict(label, "" if is_so else str(detail), is_good=is_so)
        if is_so:
            self.held += 1
        else:
            self.missed.append(label)

    def equal(self, found: object, wanted: object, label: str) -> None:
        """Checks that something measured is what it must be."""
        self.that(found == wanted, label, f"{found!r} ≠ {wanted!r}"[:_SHOWN])


def open_store(folder: Path, holder: str) -> Store:
    """Opens a machine's store from the disk."""
    return Store.open(folder, Keyring(folder).unlock(holder, PASSPHRASE), types=TYPES)


def differing(one: Mapping[bytes, bytes], other: Mapping[bytes, bytes]) -> list[bytes]:
    """Returns the dossiers of ``one`` whose folded bytes in ``other`` are not the same."""
    return [doc for doc, print_ in one.items() if other.get(doc) != print_]
