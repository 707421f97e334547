"""6: disks that fill up: what does not fit is refused, in the middle of whatever the program does."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from onestop_sync.testing.broken import Broken
from onestop_sync.testing.dice import Dice

if TYPE_CHECKING:
    from onestop_sync.testing.node import Node
    from onestop_sync.testing.world import World

__all__ = ["FullDisks"]

_ROOM_BYTES: Final = 4000
"""One more than what still fits on a disk that fills up, at the most."""
_STEPS: Final = (5, 60)
"""For how long nobody makes room."""
_WRITES: Final = ("INSERT", "UPDATE")


class FullDisks:
    """Knows how much still fits on which disk, and refuses the rest, as SQLite does with SQLITE_FULL.

    A small write may still fit where a large one did not.

    Args:
        world: Whose disks.
        dice: Chance.
    """

    def __init__(self, world: World, dice: Dice) -> None:
        self.world = world
        self.dice = dice
        self.rooms: dict[str, int] = {}
        self.refusals = 0
        self._until: dict[str, int] = {}

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Watches every statement of every engine in this process."""
        sa.event.listen(sa.Engine, "before_cursor_execute", self._on_execute)
        try:
            yield
        finally:
            sa.event.remove(sa.Engine, "before_cursor_execute", self._on_execute)
            self.rooms.clear()

    def fill(self, node: Node) -> None:
        """Fills a disk up; after some steps somebody makes room."""
        self.rooms[node.disk.path] = self.dice.randrange(_ROOM_BYTES)
        self._until[node.disk.path] = self.world.step + self.dice.randrange(*_STEPS)
        self.world.reach["full disks"] += 1
        self.world.note(f"the disk of {node.name} fills up")

    def tick(self) -> None:
        """Makes room where it is time."""
        for path in [path for path, until in self._until.items() if until <= self.world.step]:
            self._make_room(path)

    def make_room(self, node: Node) -> None:
        """Makes room on a machine's disk."""
        self._make_room(node.disk.path)

    def _make_room(self, path: str) -> None:
        self.rooms.pop(path, None)
        self._until.pop(path, None)

    def is_full(self, node: Node) -> bool:
        """Tells whether something may not fit."""
        return node.disk.path in self.rooms

    def check_told(self, node: Node, before: int) -> None:
        """Checks, after something that came to a good end, that all of it had fitted.

        Args:
            node: Where.
            before: What `refusals` was when it began.

        Raises:
            Broken: Something had not.
        """
        if self.refusals != before:
            raise Broken("6 full", f"{node.name} goes on as if all had fitted on its disk")

    def refused(self, node: Node, what: str) -> None:
        """Notes that a machine said that its disk is full, and looks whether all is still there."""
        self.world.reach["refused by a full disk"] += 1
        self.world.note(f"{node.name} has no room for {what}")
        self.world.look(node)

    def _on_execute(
        self, connection: sa.Connection, _cursor: Any, statement: str, parameters: Any, *_: object
    ) -> None:
        path = connection.engine.url.database or ""
        if path not in self.rooms or not statement.startswith(_WRITES):
            return
        size = _size(parameters)
        if size > self.rooms[path]:
            self.refusals += 1
            full = sqlite3.OperationalError("database or disk is full")
            raise sa.exc.OperationalError(statement, None, full)
        self.rooms[path] -= size


def _size(value: Any) -> int:
    """Returns about how many bytes a statement's parameters take, of one row or of many."""
    if isinstance(value, (list, tuple)):
        return sum(map(_size, value))
    return len(value) if isinstance(value, (str, bytes)) else 8
