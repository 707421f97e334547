"""24: bits of a disk that turn over by themselves: the doctor sees each, and what can be made again is."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final, NamedTuple

from onestop_sync import doctor
from onestop_sync.testing.broken import Broken
from onestop_sync.testing.dice import Dice
from onestop_sync.testing.network import flip

if TYPE_CHECKING:
    from onestop_sync.testing.node import Node
    from onestop_sync.testing.reach import Reach

__all__ = ["Rot", "check_health"]


class _Place(NamedTuple):
    """Where a bit may turn over, and as what the doctor tells it.

    Attributes:
        kind: Kind of the fault.
        look: Finds ``(row, value)``.
        damage: Puts another value into a row.
    """

    kind: str
    look: str
    damage: str


_DERIVED: Final = (
    _Place(
        "state",
        "SELECT rowid, state FROM document WHERE state IS NOT NULL",
        "UPDATE document SET state = ? WHERE rowid = ?",
    ),
    _Place(
        "list",
        "SELECT rowid, step FROM listing WHERE step != ''",
        "UPDATE listing SET step = ? WHERE rowid = ?",
    ),
    _Place(
        "search",
        "SELECT rowid, text FROM search WHERE text != ''",
        "UPDATE search SET text = ? WHERE rowid = ?",
    ),
    _Place(
        "report",
        "SELECT rowid, about FROM tally WHERE about != ''",
        "UPDATE tally SET about = ? WHERE rowid = ?",
    ),
)
_ORIGINAL: Final = (
    _Place(
        "event",
        "SELECT rowid, body FROM event WHERE body IS NOT NULL",
        "UPDATE event SET body = ? WHERE rowid = ?",
    ),
    _Place("event", "SELECT rowid, header FROM event", "UPDATE event SET header = ? WHERE rowid = ?"),
    _Place("scan", "SELECT rowid, data FROM chunk", "UPDATE chunk SET data = ? WHERE rowid = ?"),
)


class Rot:
    """Turns bits over, and looks whether the doctor notices.

    Args:
        dice: Chance.
        reach: Where to count.
    """

    def __init__(self, dice: Dice, reach: Reach) -> None:
        self.dice = dice
        self.reach = reach

    def damage(self, node: Node, *, is_replaceable: bool) -> bool:
        """Damages one row of a machine's disk; what follows from others is made again at once.

        Args:
            node: The machine.
            is_replaceable: Whether there is a backup to go back to: what an event or a chunk says can be made
                from nothing else.

        Returns:
            Whether the disk is to be replaced by a backup.

        Raises:
            Broken: The doctor does not see it, or does not mend it.
        """
        place = self.dice.pick(_ORIGINAL if is_replaceable else _DERIVED)
        if not self._flip(node, place):
            return False
        self.reach["rotten bits"] += 1
        found = doctor.check(node.store)
        if place.kind not in {fault.kind for fault in found.faults}:
            raise Broken("24 doctor", f"the doctor sees no {place.kind} damaged at {node.name}")
        if is_replaceable:
            self.reach["rotten originals"] += 1
            return True
        doctor.rebuild(node.store)
        check_health(node)
        return False

    def _flip(self, node: Node, place: _Place) -> bool:
        with closing(sqlite3.connect(node.disk.path)) as connection:
            found = connection.execute(place.look).fetchall()
            if not found:
                return False
            row, value = self.dice.pick(found)
            damaged = flip(self.dice, value) if isinstance(value, bytes) else f"{value[:-1]}~"
            with connection:
                connection.execute(place.damage, (damaged, row))
        return True


def check_health(node: Node) -> None:
    """Lets the doctor look at a machine.

    Raises:
        Broken: Something that it shows does not follow from its events.
    """
    for fault in doctor.check(node.store).faults:
        raise Broken("24 health", f"{node.name}: {fault.kind}: {fault.what}")
