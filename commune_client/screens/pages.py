"""Pages of the working list: one list, or several merged by due date, asked for no further than is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from commune_client.desk import Desk
    from commune_client.desk.facts import ListRow, Page

__all__ = ["PAGE", "Pages", "my_steps"]

PAGE = 200
"""Lines that are asked for at once."""

Fetch = Callable[[tuple[int, int] | None], "Page"]
_NEVER_MS = 2**62
_EXCEPTIONAL = frozenset({"stop", "withdraw", "extend", "transfer"})
"""What can nearly always be done is nobody's next piece of work."""


class Pages:
    """The lines of a list, in order of due date.

    Args:
        fetches: Each gives one page of a list in this order, after a key.
    """

    def __init__(self, fetches: Sequence[Fetch]) -> None:
        self._rows = merge(*map(_lines, fetches), key=_by_due)
        self.has_more = True

    @classmethod
    def of(cls, desk: Desk, text: str, only: str, steps: Sequence[str]) -> Pages:
        """Returns the dossiers that fit.

        Args:
            desk: The desk.
            text: Words to search for.
            only: ``conflict``, ``unsent``, ``overdue``, or empty.
            steps: Only those at one of these steps; empty for any.
        """
        return cls([_fetch(desk, text, only, step) for step in steps or ("",)])

    def take(self, count: int = PAGE) -> list[ListRow]:
        """Returns the next lines."""
        rows = list(islice(self._rows, count))
        self.has_more = len(rows) == count
        return rows


def _fetch(desk: Desk, text: str, only: str, step: str) -> Fetch:
    def fetch(after: tuple[int, int] | None) -> Page:
        return desk.dossiers(text, step=step, only=only, after=after, limit=PAGE)  # type: ignore[arg-type]

    return fetch


def _lines(fetch: Fetch) -> Iterator[ListRow]:
    after: tuple[int, int] | None = None
    while True:
        page = fetch(after)
        yield from page.rows
        if page.after is None:
            return
        after = page.after


def _by_due(row: ListRow) -> int:
    return _NEVER_MS if row.due_ms is None else row.due_ms


def my_steps(roles: Sequence[str]) -> list[str]:
    """Returns the steps, without marks, at which somebody with these roles has something to do."""
    from onestop_sync.dossier.workflow import MAIN_TASK, base_step

    held = frozenset(roles)
    return sorted(
        {
            base_step(source)
            for transition in MAIN_TASK.transitions
            if transition.action not in _EXCEPTIONAL and transition.roles & held
            for source in transition.sources
        }
    )
