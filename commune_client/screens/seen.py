"""Signing only what the officer has seen: a dossier that changed in between is shown again first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from commune_client.desk import Desk
    from commune_client.desk.facts import Dossier

__all__ = ["ChangedMeanwhile", "as_seen"]


class ChangedMeanwhile(Exception):
    """The dossier is not what was on the screen; nothing was written.

    Attributes:
        dossier: What it is now.
    """

    def __init__(self, dossier: Dossier) -> None:
        super().__init__("the dossier has changed")
        self.dossier = dossier


@contextmanager
def as_seen(desk: Desk, dossier: Dossier) -> Iterator[None]:
    """Runs a write in one transaction with the check that nothing came since the officer looked.

    An event names as its parents what its author had seen, and a decision seals it. A sync or a colleague's
    program may have brought something since.

    Raises:
        ChangedMeanwhile: Something came.
    """
    with desk.store.writing():
        now = desk.show(dossier.doc)
        if now.view.state.heads != dossier.view.state.heads:
            raise ChangedMeanwhile(now)
        yield
