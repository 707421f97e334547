"""What concerns the machine and who works on it: passphrase, backup, officers who leave."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from commune_client.desk.enrolment import MIN_PASSPHRASE
from commune_client.screens import words
from commune_client.screens.asked import AskScreen, Line
from commune_client.screens.pick import Pick, PickScreen
from commune_client.theme import StateStyle
from commune_client.widgets.row_list import Column

if TYPE_CHECKING:
    from commune_client.app import OnestopApp

__all__ = ["ask_backup", "ask_dismissal", "ask_passphrase"]


def ask_passphrase(app: OnestopApp) -> None:
    """Ask for the old passphrase and the new one, and change it."""

    def call(old: str, new: str, _again: str) -> None:
        app.desk.change_passphrase(old, new)

    def check(_old: str, new: str, again: str) -> str:
        if len(new) < MIN_PASSPHRASE:
            return words.WORD_SHORT
        return "" if new == again else words.WORDS_DIFFER

    lines = [Line(words.OLD_WORD), Line(words.NEW_WORD), Line(words.NEW_WORD_AGAIN)]
    about = words.passphrase_about(app.desk.name)
    app.push_screen(
        AskScreen(
            words.CHANGING, about, lines, call, lambda _: app.say(words.WORD_CHANGED),
            check=check,
        )
    )  # fmt: skip


def ask_backup(app: OnestopApp) -> None:
    """Write a backup: to the folder that was chosen, or to one that is asked for."""
    folder = app.desk.backups().folder
    if folder:
        app.start_backup()
        return

    def call(path: str) -> None:
        app.desk.choose_backups(Path(path).expanduser())

    app.push_screen(
        AskScreen(
            words.BACKUP, words.BACKUP_ABOUT, [Line(words.BACKUP_FOLDER, is_secret=False)], call,
            lambda _: app.start_backup(), check=lambda path: "" if _is_folder(path) else words.NO_FOLDER,
        )
    )  # fmt: skip


def _is_folder(path: str) -> bool:
    return Path(path).expanduser().is_dir()


def ask_dismissal(app: OnestopApp) -> None:
    """Ask who leaves, then for the own passphrase, and remove them from this machine."""
    names = app.desk.colleagues()
    if not names:
        app.say(words.NO_COLLEAGUES, StateStyle.SOON)
        return
    picks = [Pick(name, (name,)) for name in names]
    app.push_screen(PickScreen(words.DISMISS, [Column("")], picks, partial(_confirm_dismissal, app)))


def _confirm_dismissal(app: OnestopApp, name: str) -> None:
    def then(is_waiting: bool) -> None:  # noqa: FBT001 - what the call has answered
        app.refresh_status()
        app.say(words.dismissed(name, is_waiting=is_waiting))

    app.push_screen(
        AskScreen(
            words.DISMISS, words.dismiss_about(name), [Line(words.UNLOCK_WITH)],
            partial(app.chores.dismiss, name), then,
        )
    )  # fmt: skip
