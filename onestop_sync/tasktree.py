"""The transitions of one task as a tree, and the walk along it.

A node is the history so far and what was done, so two people who do the same thing independently are at
one node. As long as the tree is a path, the task stands at its end. Where it branches, the task is disputed
and stays at the fork, until a settlement ends all branches but one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from onestop_sync import codec
from onestop_sync.schema import Transition

__all__ = ["Hop", "Node", "Path", "Settled", "Tree", "below", "node_id", "walk"]


def node_id(before: bytes, action: str, arguments: Mapping[str, Any]) -> bytes:
    """Returns the node to which an action leads: the same for everyone who does the same after the same."""
    return hashlib.sha256(codec.encode([before, action, arguments])).digest()[:16]


@dataclass(slots=True)
class Node:
    """A node of a task's tree: what was done after ``before``, and the mask of the events that did it."""

    before: bytes
    transition: Transition
    arguments: Mapping[str, Any]
    events: int = 0


class Settled(NamedTuple):
    """A settlement, by event ``at``: of the branches at ``fork``, ``chosen`` goes on and ``others`` end."""

    at: int
    fork: bytes
    chosen: bytes
    others: tuple[bytes, ...]


@dataclass(slots=True)
class Tree:
    """All transitions of one task, and what was settled."""

    nodes: dict[bytes, Node] = field(default_factory=dict)
    settled: list[Settled] = field(default_factory=list)


class Hop(NamedTuple):
    """One node of a path: where the task was before, and where it is after."""

    node: Node
    before: tuple[str, str]
    after: tuple[str, str]


@dataclass(slots=True)
class Path:
    """A task's tree, walked: the nodes that count, in order, and where it stopped.

    Attributes:
        order: Node → place; the root, where every task begins, has place 0.
        hops: The nodes after the root; ``hops[i]`` has place ``i + 1``.
        open: The branches of a dispute.
        unit: Who holds the task at the end.
        step: Step at the end.
    """

    unit: str
    step: str
    order: dict[bytes, int] = field(default_factory=lambda: {b"": 0})
    hops: list[Hop] = field(default_factory=list)
    open: list[bytes] = field(default_factory=list)


def walk(tree: Tree, unit: str, step: str, past: Sequence[int]) -> Path:
    """Follows a tree from its root as far as it is a path.

    Args:
        tree: Transitions and settlements.
        unit: Who holds the task at the root.
        step: Step at the root.
        past: For each event, the mask of its past.
    """
    children: dict[bytes, list[bytes]] = {}
    for node_id, node in tree.nodes.items():
        children.setdefault(node.before, []).append(node_id)
    path = Path(unit, step)
    at = b""
    while True:
        ended = _ended(tree.settled, at, past)
        going = sorted(c for c in children.get(at, ()) if c not in ended)
        if len(going) != 1:
            path.open = going
            return path
        at = going[0]
        node = tree.nodes[at]
        before = (path.unit, path.step)
        path.step = node.transition.target
        if node.transition.moves:
            path.unit = node.arguments["to"]
        path.hops.append(Hop(node, before, (path.unit, path.step)))
        path.order[at] = len(path.hops)


def _ended(settled: Sequence[Settled], fork: bytes, past: Sequence[int]) -> set[bytes]:
    """Returns the branches at ``fork`` that settlements end; two that disagree end none."""
    here = [s for s in settled if s.fork == fork]
    live = [s for s in here if not any(past[o.at] >> s.at & 1 for o in here)]
    if len({s.chosen for s in live}) != 1:
        return set()
    return {other for s in live for other in s.others}


def below(nodes: Mapping[bytes, Node], tops: list[bytes]) -> set[bytes]:
    """Returns ``tops`` and every node under them."""
    found = set(tops)
    while more := {n for n, node in nodes.items() if node.before in found} - found:
        found |= more
    return found
