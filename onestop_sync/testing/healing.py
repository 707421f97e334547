"""The end of a run: everything is mended, and all machines sync until nobody has anything to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from onestop_sync.errors import OnestopError
from onestop_sync.stating import make_statements
from onestop_sync.testing.broken import Broken
from onestop_sync.testing.disk import rows
from onestop_sync.testing.versions import update_all

if TYPE_CHECKING:
    from onestop_sync.testing.node import Node
    from onestop_sync.testing.world import World

__all__ = ["heal"]

_QUIET_ROUNDS: Final = 40
_CALL_ROUNDS: Final = 200


def heal(world: World) -> None:
    """Mends a world, and lets everything arrive.

    Raises:
        Broken: Its machines never fall silent, or an older program did not keep what it does not know.
    """
    world.network.calm()
    world.trouble.calm()
    world.nodes["prov"].store.replace_trust(world.people.published)  # the publisher keeps a copy of its own
    for node in world.nodes.values():
        node.restart()
        world.memory.forget(node)
    _quieten(world)
    update_all(world)
    # What is still withheld now, the next statement names.
    make_statements(world.nodes["prov"].store, interval_ms=0)
    _quieten(world)


def _quieten(world: World) -> None:
    """Syncs until nobody has anything to say."""
    # What is new goes up with those below first, and comes down with those above first.
    down = list(world.nodes.values())
    silent: dict[tuple[str, str], object] = {}
    for _ in range(_QUIET_ROUNDS):
        moved = [node.name for node in [*reversed(down), *down] if _meet_all(world, node, silent)]
        if not moved:
            return
    raise Broken("6 quiet", f"after {_QUIET_ROUNDS} rounds {', '.join(moved)} still had something to say")


def _meet_all(world: World, node: Node, silent: dict[tuple[str, str], object]) -> bool:
    moved = [_meet(world, node, world.nodes[parent], silent) for parent in node.parents]
    return any(moved)


def _meet(world: World, node: Node, parent: Node, silent: dict[tuple[str, str], object]) -> bool:
    """Lets a machine and a parent meet; tells whether anything moved.

    Two that had nothing to say, and of which nothing has changed since, need not meet again.
    """
    way = node.name, parent.name
    if silent.get(way) == (_stamp(node), _stamp(parent)):
        return False
    by_stick = node.plan.by_stick and world.people.ends_by_stick
    moved = world.sticks.settle(node, parent) if by_stick else _sync(world, node, parent)
    silent[way] = None if moved else (_stamp(node), _stamp(parent))
    return moved


def _stamp(node: Node) -> object:
    """Returns what changes with whatever a machine could tell another, or could learn."""
    return rows(node.disk.url, _STAMP), node.store.publication.rank


_STAMP: Final = (
    "SELECT (SELECT max(n) FROM event), (SELECT sum(n) FROM scope), (SELECT max(n) FROM acks),"
    " (SELECT max(n) FROM statement), (SELECT sum(seq + good) FROM ack), (SELECT count(*) FROM ack_event),"
    " (SELECT count(*) FROM content_ack), (SELECT sum(complete) FROM content),"
    " (SELECT sum(wanted) FROM content), (SELECT count(*) FROM chunk),"
    " (SELECT value FROM meta WHERE key = 'unit')"
)


def _sync(world: World, node: Node, parent: Node) -> bool:
    before = _stamp(node), _stamp(parent)
    requester = node.requester(parent.name)
    for _ in range(_CALL_ROUNDS):
        world.now_ms += 1  # no two papers of one machine are the same
        request = requester.next_request()
        if request is None:
            break
        try:
            requester.take_answer(*parent.responder().respond(request))
        except OnestopError as error:
            world.note(f"{node.name} -> {parent.name}: {error.what}")
            return True
    else:
        raise Broken("6 quiet", f"{node.name} and {parent.name} never come to an end")
    world.look(parent)
    world.look(node)
    return before != (_stamp(node), _stamp(parent))
