"""The only door from screens and commands to the library.

    place = Place(folder)                      # light: nothing of the library is loaded yet
    desk = place.unlock("An", passphrase)      # opens the store, with the officer's key
    draft = desk.new_draft("1.001193")
    draft = desk.save_draft(draft.doc, {"nguoi_nop": "Nguyễn Thị Hường"})    # durable when it returns
    accepted = desk.intake(draft.doc)          # code, due date and signed event, in one transaction

A `Desk` is a store and the officer who is signed in. Its methods take and return plain typed values, and
raise `OnestopError`, which `commune_client.messages` says in Vietnamese.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from commune_client.desk.config import Config
from commune_client.desk.place import Place

if TYPE_CHECKING:
    from commune_client.desk.desk import Desk

__all__ = ["Config", "Desk", "Place"]


def __getattr__(name: str) -> Any:
    """Loads `Desk`, and the library with it, only when somebody asks for it."""
    if name == "Desk":
        from commune_client.desk.desk import Desk

        return Desk
    raise AttributeError(name)
