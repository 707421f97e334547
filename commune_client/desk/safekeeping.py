"""What keeps a machine's work and keys: backups, passphrases, and officers who leave."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from commune_client.desk.base import Base
from commune_client.desk.config import FILE as CONFIG
from commune_client.desk.place import Place
from commune_client.desk.sync_facts import BackupFacts
from onestop_sync.dossier.dates import local
from onestop_sync.errors import InvalidInput, OnestopError
from onestop_sync.keyring import Secrets
from onestop_sync.store import Store

if TYPE_CHECKING:
    from onestop_sync.backup import BackupReport

__all__ = ["Safekeeping", "remove_officer", "tell_province"]

_OLD_DAYS: Final = 2
"""Days after which a backup is old: one that was missed is seen the next morning."""
_AGAIN_MS: Final = 3600 * 1000
"""How long after a failure the next try of a daily backup is made, milliseconds."""


class Safekeeping(Base):
    """Backups and passphrases."""

    def backups(self) -> BackupFacts:
        """Returns how it stands with the machine's backups."""
        from onestop_sync.backup import last

        found, folder = last(self.place.folder), self.place.config.backup_folder
        days = self._days_since(found.ok_ms)
        is_old = bool(folder or found.ok_ms) and (not found.ok_ms or not 0 <= days < _OLD_DAYS)
        return BackupFacts(folder, found.ok_ms, found.error, is_old)

    def _days_since(self, at_ms: int) -> int:
        return (self.today() - local(at_ms).date()) // timedelta(days=1)

    def is_backup_due(self) -> bool:
        """Tells whether the day's backup is to be made: there is none, and no try failed within the hour."""
        from onestop_sync.backup import last

        if not self.place.config.backup_folder:
            return False
        found, now = last(self.place.folder), self.store.clock()
        if found.error and 0 <= now - found.tried_ms < _AGAIN_MS:
            return False
        return not found.ok_ms or self._days_since(found.ok_ms) != 0

    def backup(self, folder: Path | None = None) -> BackupReport:
        """Writes a backup; needs no officer's key, so a locked desk may.

        Args:
            folder: Where; the folder of the daily one when ``None``.

        Raises:
            InvalidInput: No folder was chosen.
            BackupFailed: The stick or folder is gone, full or write-protected.
            StoreFull: The machine's own disk is full.
        """
        from onestop_sync.backup import make

        config = self.place.config
        target = folder or (Path(config.backup_folder) if config.backup_folder else None)
        if target is None:
            raise InvalidInput("No folder for backups was chosen.", reason="no_backup_folder")
        path = self.place.folder / CONFIG
        extras = {CONFIG: path.read_bytes()} if path.exists() else {}
        return make(self.store, target, keep=config.backup_keep, extras=extras)

    def choose_backups(self, folder: Path, keep: int | None = None) -> None:
        """Chooses where a backup goes every day, and how many stay there."""
        config = self.place.config
        self.place.save_config(
            config.with_(backup_folder=str(folder.resolve()), backup_keep=keep or config.backup_keep)
        )

    def change_passphrase(self, old: str, new: str) -> None:
        """Changes the passphrase of the officer who is signed in.

        Raises:
            WrongPassphrase: The old one is not theirs.
            InvalidInput: The new one is too short.
        """
        self.place.change_passphrase(self.name, old, new)

    def colleagues(self) -> list[str]:
        """Returns who else can unlock on this machine."""
        return [name for name in self.place.officers() if name != self.name]


def remove_officer(place: Place, secrets: Secrets, name: str) -> Secrets:
    """Removes an officer from a machine whose store is closed; the database gets a new key.

    Args:
        place: The machine's folder.
        secrets: What another officer unlocked just now.
        name: Who goes.

    Returns:
        The secrets; with ``next_key`` when another program has the store open: the next start goes on.

    Raises:
        NotFound: Nobody of that name works here.
        NotAllowed: One's own name.
        StoreBusy: An earlier removal is not finished.
    """
    secrets = place.settled(secrets)
    secrets = place.settled(place.keyring().remove(secrets, name))
    config = place.config
    if config.officer == name:
        place.save_config(config.with_(officer=secrets.holder))
    return secrets


def tell_province(place: Place, store: Store, secrets: Secrets) -> None:
    """Seals the machine's keys to the province's recovery key, once the trust document names one."""
    public = store.trust.document.recovery
    if public:
        with suppress(
            OnestopError, OSError
        ):  # keys that are being changed, a full disk: the next start does it
            place.keyring().set_recovery(secrets, public)
