"""Where a machine's store is, and who can unlock it; loads nothing of the library until it is asked to."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from commune_client.desk.config import Config
    from commune_client.desk.desk import Desk
    from onestop_sync.keyring import Keyring, Secrets
    from onestop_sync.keys import KeyCost

__all__ = ["Place", "default_folder"]

KEYRING: Final = "keyring"
DATABASE: Final = "store.db"
FOLDER_VARIABLE: Final = "ONESTOP_STORE"


def default_folder() -> Path:
    """Returns the folder that the environment names, or the user's own for program data."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
        return Path(base) / "onestop" if base else Path.home() / "onestop"
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if base else Path.home() / ".local" / "share") / "onestop"


class Place:
    """A machine's folder.

    Args:
        folder: Where the store is, or will be.
        clock: Returns milliseconds since 1970 UTC; the machine's clock when ``None``.
        cost: What one guess of a passphrase costs, for keys sealed from now on; ``None``: the library's own.
    """

    def __init__(
        self, folder: Path | str, *, clock: Callable[[], int] | None = None, cost: KeyCost | None = None
    ) -> None:
        self.folder = Path(folder)
        self.clock = clock
        self.cost = cost

    @property
    def is_set_up(self) -> bool:
        """Whether keys were made here."""
        return (self.folder / KEYRING).exists()

    @property
    def is_enrolled(self) -> bool:
        """Whether the machine was enrolled: there is a store to work in."""
        return (self.folder / DATABASE).exists()

    @property
    def config(self) -> Config:
        """The machine's settings.

        Raises:
            StoreDamaged: The file cannot be read.
        """
        from commune_client.desk.config import load_config

        return load_config(self.folder)

    def save_config(self, config: Config) -> None:
        """Writes the settings durably."""
        from commune_client.desk.config import save_config

        save_config(self.folder, config)

    def keyring(self) -> Keyring:
        """Returns the sealed secrets of the machine."""
        from onestop_sync.keyring import Keyring

        return Keyring(self.folder) if self.cost is None else Keyring(self.folder, cost=self.cost)

    def officers(self) -> list[str]:
        """Returns who can unlock, by name; nobody before the machine is set up.

        Raises:
            StoreDamaged: The file of keys cannot be read.
        """
        return self.keyring().holders() if self.is_set_up else []

    def default_officer(self) -> str:
        """Returns whose passphrase to ask for: the chosen officer, or the only one; else empty."""
        officers = self.officers()
        chosen = self.config.officer
        if chosen in officers:
            return chosen
        return officers[0] if len(officers) == 1 else ""

    def secrets(self, officer: str, passphrase: str) -> Secrets:
        """Unlocks the keys alone, without the store.

        Raises:
            StoreMissing: The machine was never set up.
            NotFound: Nobody of that name works here.
            WrongPassphrase: It does not open.
        """
        from onestop_sync.errors import WrongPassphrase

        try:
            return self.keyring().unlock(officer, passphrase)
        except WrongPassphrase:
            self._note_attempt(officer)
            raise

    def _note_attempt(self, officer: str) -> None:
        """Notes a wrong passphrase, for the machine's key to sign as soon as somebody unlocks."""
        from commune_client.desk.unsigned import Unsigned
        from onestop_sync.trail import Entry

        at_ms = self.clock() if self.clock else time.time_ns() // 1_000_000
        with suppress(OSError):  # the official hears of the passphrase, whatever the disk says
            Unsigned(self.folder).note([Entry(at_ms, "wrong_passphrase", who=officer)])

    def change_passphrase(self, officer: str, old: str, new: str) -> None:
        """Changes a passphrase; a wrong old one is noted like any other.

        Raises:
            NotFound: Nobody of that name works here.
            WrongPassphrase: The old one does not open.
            TooManyTries: It was not tried.
            InvalidInput: The new one is too short.
        """
        self.secrets(officer, old)
        self.keyring().change(officer, old, new)

    def settled(self, secrets: Secrets) -> Secrets:
        """Gives the database the key that the removal of an officer left it to get; mostly there is none.

        Args:
            secrets: What was unlocked; no store of this place may be open.
        """
        from functools import partial

        from commune_client.scratch import reseal
        from onestop_sync.rekey import settle

        return settle(self.keyring(), secrets, reseal=partial(reseal, self.folder))

    def unlock(self, officer: str, passphrase: str) -> Desk:
        """Opens the store with an officer signed in; close it after use.

        Raises:
            StoreMissing: The machine was never set up, or is not enrolled yet.
            NotFound: Nobody of that name works here.
            WrongPassphrase: It does not open.
            StoreDamaged: The file cannot be read.
            StoreTooNew: A newer program wrote it.
        """
        from commune_client.desk.desk import open_desk

        return open_desk(self, self.secrets(officer, passphrase))
