"""14: what an older program does not know it keeps and passes on unchanged, and applies once updated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onestop_sync.testing.broken import Broken
from onestop_sync.testing.disk import rows
from onestop_sync.testing.kinds import TYPES

if TYPE_CHECKING:
    from onestop_sync.testing.node import Node
    from onestop_sync.testing.world import World

__all__ = ["update_all"]


def update_all(world: World) -> None:
    """Checks the machines that still run the older program, and gives them the newer one.

    Raises:
        Broken: One let something take effect that it cannot know, or changed it.
    """
    for node in world.nodes.values():
        if node.is_old:
            _check_kept(world, node)
            node.is_old = False
            node.restart()
            world.reach["updates"] += 1


def _check_kept(world: World, node: Node) -> None:
    known = {kind.name: kind.version for kind in node.types}
    newer = {kind.name for kind in TYPES} - known.keys()
    waiting = {row[0] for row in rows(node.disk.url, "SELECT id FROM event WHERE waiting = 1")}
    for event_id, event in node.events().items():
        header = event.header
        is_newer = header.doc_type in newer or header.schema > known.get(header.doc_type, header.schema)
        if not is_newer:
            continue
        world.reach["kept for a newer program"] += 1
        if event_id not in waiting and header.doc_id not in node.store.tombstones:
            raise Broken("14 newer", f"{node.name} lets an event take effect that its program cannot know")
        if event.body is not None and event != world.memory.events[event_id]:
            raise Broken("14 unchanged", f"{node.name} holds an event of a newer program as nobody wrote it")
