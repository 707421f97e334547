"""What the app does beside the desk's own thread: the day's backup, and a store that is opened anew."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textual.message import Message

from commune_client.screens import words

if TYPE_CHECKING:
    from commune_client.app import OnestopApp
    from commune_client.desk import Desk
    from onestop_sync.backup import BackupReport

__all__ = ["BackedUp", "Chores"]

_LOOK_EVERY_S = 600
"""How often it is looked whether the day's backup is due, in seconds."""


@dataclass
class BackedUp(Message):
    """A backup has ended.

    Attributes:
        report: What it came to; None when it failed.
        error: Why it failed.
        is_quiet: Whether nobody had asked for it: then only the line of state changes.
    """

    report: BackupReport | None
    error: Exception | None
    is_quiet: bool


class Chores:
    """Backups of one app.

    Attributes:
        is_backing_up: Whether one is being written.
    """

    def __init__(self, app: OnestopApp) -> None:
        """Make it; nothing is begun yet."""
        self._app = app
        self.is_backing_up = False

    def watch_backup(self) -> None:
        """Begin the day's backup when it is due, and look again later."""
        app = self._app
        app.work(self._is_due, self._begin_if, lambda _: None)
        app.again("backup", _LOOK_EVERY_S, self.watch_backup)

    def _is_due(self) -> bool:
        return self._app.desk.is_backup_due()

    def _begin_if(self, is_due: bool) -> None:  # noqa: FBT001 - what the desk has answered
        if is_due:
            self.start_backup(is_quiet=True)

    def start_backup(self, *, is_quiet: bool) -> None:
        """Write a backup in a thread of its own."""
        if not is_quiet:
            self._app.say(words.BACKUP_RUNNING)
        if not self.is_backing_up:
            self.is_backing_up = True
            work = partial(self._back_up, self._app.desk, is_quiet)
            self._app.run_worker(work, thread=True, exit_on_error=False)

    def _back_up(self, desk: Desk, is_quiet: bool) -> None:  # noqa: FBT001 - private
        """Runs in its own thread; what it finds out goes back as a message."""
        try:
            self._app.post_message(BackedUp(desk.backup(), None, is_quiet))
        except Exception as error:  # noqa: BLE001 - whatever it is, the store is as it was, and the screen says so
            self._app.post_message(BackedUp(None, error, is_quiet))

    def take(self, event: BackedUp) -> None:
        """Say what it came to: an error where somebody sees it, a success to who waits for it."""
        self.is_backing_up = False
        self._app.refresh_status()
        if event.error is not None:
            if self._app.is_open:
                self._app.complain(event.error)
        elif event.report is not None and not event.is_quiet:
            self._app.say(words.backed_up(str(event.report.path)))

    def dismiss(self, name: str, passphrase: str) -> bool:
        """Remove an officer: the store is closed, given its new key, and opened again; in the desk's thread.

        Args:
            name: Who goes.
            passphrase: Of the officer who is signed in.

        Returns:
            Whether the new key has to wait for another program that has the store open.
        """
        from commune_client.desk.desk import open_desk
        from commune_client.desk.safekeeping import remove_officer
        from commune_client.scratch import Scratch

        app = self._app
        secrets = app.place.secrets(app.desk.name, passphrase)
        app.desk.close()
        try:
            secrets = remove_officer(app.place, secrets, name)
        finally:
            desk = open_desk(app.place, app.place.secrets(secrets.holder, passphrase))
            desk.asks_again = True
            app.exchange_desk(desk, Scratch(app.place.folder, desk.store.database_key))
        return bool(secrets.next_key)
