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

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from commune_client.desk.place import Place

if TYPE_CHECKING:
    from commune_client.desk.config import Config
    from commune_client.desk.desk import Desk

__all__ = ["Config", "Desk", "Place"]


_LATER: Final = {"Config": "config", "Desk": "desk"}
"""What is loaded only when somebody asks for it, `Desk` above all: the library comes with it."""


def __getattr__(name: str) -> Any:
    """Loads what is public and was not needed so far."""
    if name in _LATER:
        return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    raise AttributeError(name)
