"""What base classes of screens leave to others, all others have: nothing is left open where people work."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import commune_client.screens
from commune_client.office_app import OfficeApp
from commune_client.screens.attach import FileScreen
from commune_client.screens.jobs import Asker


def _opened(base: type[Any]) -> Iterator[type[Any]]:
    """Yields the classes below a base that have none below themselves: those that are opened."""
    for each in base.__subclasses__():
        below = list(_opened(each))
        yield from below or [each]


def test_no_screen_leaves_open_what_its_base_asks_for() -> None:
    """Every screen says what it asks and what it does, in which thread, and how it complains."""
    for module in pkgutil.iter_modules(commune_client.screens.__path__):
        importlib.import_module(f"commune_client.screens.{module.name}")
    for base, names in ((FileScreen, ("fields", "start")), (Asker, ("jobs_of", "complain"))):
        found = list(_opened(base))
        assert len(found) > 2, base
        lacking = [each for each in found for name in names if getattr(each, name) is getattr(base, name)]
        assert lacking == []
    assert issubclass(OfficeApp, Asker)
