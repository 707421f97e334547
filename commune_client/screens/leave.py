"""Locking or leaving."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commune_client.screens import words
from commune_client.screens.pick import Pick, PickScreen
from commune_client.widgets.row_list import Column

if TYPE_CHECKING:
    from commune_client.app import OnestopApp

__all__ = ["ask_leave"]


def ask_leave(app: OnestopApp) -> None:
    """Ask whether to lock the screen or to leave the program."""
    picks = [
        Pick("lock", (words.LOCK, words.LOCK_HELP)),
        Pick("quit", (words.QUIT, words.unsent_left(app.sync_state.unsent) or words.QUIT_HELP)),
    ]

    def then(key: str) -> None:
        if key == "lock":
            app.lock()
        else:
            app.exit(0)

    app.push_screen(PickScreen(words.QUIT_TITLE, [Column("", 24), Column("")], picks, then))
