"""Files carried in a pocket between a machine without a line and its parents: lost, late, old, damaged."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from onestop_sync.bundle import BundleReport, export_bundle, import_bundle
from onestop_sync.errors import BundleRejected, NotFound, OnestopError
from onestop_sync.testing.dice import Dice
from onestop_sync.testing.network import flip
from onestop_sync.testing.node import Node

if TYPE_CHECKING:
    from onestop_sync.testing.world import World

_FORGOTTEN: Final = 0.15
_OLD: Final = 0.15
_DAMAGED: Final = 0.08


class Sticks:
    """The sticks of a world.

    Args:
        world: Whose.
        dice: Chance.
    """

    def __init__(self, world: World, dice: Dice) -> None:
        self.world = world
        self.dice = dice
        self.drawer: list[tuple[Path, Node]] = []

    def trip(self, node: Node) -> None:
        """Carries a file to a parent, and mostly one back."""
        parent = self.world.nodes[self.dice.pick(node.parents)]
        self._carry(node, parent)
        if self.dice.happens(0.8):
            self._carry(parent, node)

    def settle(self, node: Node, parent: Node) -> bool:
        """Carries files both ways, without a fault; tells whether they held anything new."""
        before = self._known(node, parent)
        for giver, taker in ((node, parent), (parent, node)):
            path = self._path()
            with suppress(NotFound):  # who has not heard yet that the other is certified writes when it has
                export_bundle(giver.store, path, self._readers(giver, taker))
                self._import(taker, path)
        return before != self._known(node, parent)

    def _import(self, taker: Node, path: Path) -> None:
        """Imports; a stick that is said to bring nothing new is believed, and the judge looks after it."""
        try:
            import_bundle(taker.store, path)
        except BundleRejected as error:
            if error.details.get("reason") not in {"repeated", "old", "stranger"}:
                raise

    def _known(self, node: Node, parent: Node) -> tuple[int, ...]:
        status = node.store.status()
        return status.unsent, status.unsent_files, len(node.event_ids()), len(parent.event_ids())

    def _carry(self, giver: Node, taker: Node) -> None:
        path = self._path()
        if not self._try(giver, lambda: export_bundle(giver.store, path, self._readers(giver, taker))):
            return
        self.reach("bundles")
        self.drawer.append((path, taker))
        if self.dice.happens(_FORGOTTEN):
            self.reach("forgotten bundles")
            return
        if self.dice.happens(_OLD):
            self.reach("old bundles")
            path, taker = self.dice.pick(self.drawer)
        if self.dice.happens(_DAMAGED):
            path.write_bytes(flip(self.dice, path.read_bytes()))
        self._try(taker, lambda: import_bundle(taker.store, path))

    def _try(self, node: Node, action: Callable[[], BundleReport]) -> bool:
        """Does something with a stick on a machine that may crash; tells whether it came to an end."""
        done: list[bool] = []

        def work() -> None:
            before = self.world.full_disks.refusals
            try:
                report = action()
                self.world.full_disks.check_told(node, before)
            except OnestopError as error:
                self.reach("bundles refused")
                self.world.note(f"{node.name} and the stick: {error.what}")
            else:
                done.append(True)
                self.world.note(f"{node.name} and the stick: {report.events} events, {report.stored} new")

        return self.world.at_risk(node, work, 0.05) and bool(done)

    def _readers(self, giver: Node, taker: Node) -> list[bytes]:
        return [] if taker.name in giver.parents else [taker.store.machine_log]

    def _path(self) -> Path:
        return self.world.folder / f"stick{len(self.drawer)}-{self.world.step}.bundle"

    def reach(self, name: str) -> None:
        """Counts."""
        self.world.reach[name] += 1
