"""18: what must hold of attachments when everything has arrived."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from onestop_sync.attachment import name_of, parse_index
from onestop_sync.storage.chunks import held, in_scope
from onestop_sync.testing.broken import Broken
from onestop_sync.testing.disk import rows
from onestop_sync.testing.reach import Reach

if TYPE_CHECKING:
    from onestop_sync.testing.node import Node

__all__ = ["check_scans", "check_wanted"]

_SHARED: Final = (
    "SELECT count(*) FROM (SELECT 1 FROM piece GROUP BY hash HAVING count(DISTINCT content_n) > 1)"
)


def check_scans(nodes: Mapping[str, Node], top: str, erased: set[bytes], reach: Reach) -> None:
    """Checks the attachments of a healed world.

    Complete is what verifies, byte for byte, and nothing else. What any machine has whole has reached the
    province, if the event that names it has; and who confirmed it has it.

    Raises:
        Broken: Something does not hold.
    """
    whole = {name: _whole(node, reach) for name, node in nodes.items()}
    named = _named(nodes[top])
    reach["scans at the province"] += len(whole[top])
    for name, found in whole.items():
        lost = (found & named) - whole[top]
        if lost:
            raise Broken("18 province", f"{len(lost)} scans that are whole at {name} did not get to the top")
    machines = {node.store.machine_log: name for name, node in nodes.items()}
    query = "SELECT a.node, c.id FROM content_ack a JOIN content c ON c.n = a.content_n"
    for name, node in nodes.items():
        for log, content in rows(node.disk.url, query):
            holder = machines.get(log)
            if holder is not None and content not in whole[holder] | erased:
                raise Broken("18 word", f"{name} was told by {holder} of a scan that is not whole there")


def check_wanted(nodes: Mapping[str, Node], top: str) -> None:
    """Checks that what somebody asked for came down, or is asked for further up.

    Raises:
        Broken: It did not, although a parent has it or should have passed the wish on.
    """
    for node in nodes.values():
        lacking = [
            row[0] for row in rows(node.disk.url, "SELECT id FROM content WHERE wanted = 1 AND complete = 0")
        ]
        for parent in map(nodes.__getitem__, node.parents if lacking else ()):
            with parent.store.reading() as connection:
                seen = in_scope(connection, node.unit, lacking)
                there = held(connection, sorted(seen))
            for stock in there.values():
                if stock.is_complete or not (stock.is_wanted or parent.name == top):
                    raise Broken(
                        "18 wanted", f"{node.name} asked for a scan, and {parent.name} does not give it"
                    )


def _whole(node: Node, reach: Reach) -> set[bytes]:
    """Returns the contents of which everything is on the disk, and verifies."""
    reach["shared chunks"] += rows(node.disk.url, _SHARED)[0][0]
    chunks = dict(rows(node.disk.url, "SELECT hash, data FROM chunk"))
    for digest, data in chunks.items():
        if name_of(data) != digest:
            raise Broken("18 chunk", f"a chunk at {node.name} is not what it is named by")
    found = set()
    for content, complete in rows(node.disk.url, "SELECT id, complete FROM content"):
        index = parse_index(chunks[content]) if content in chunks else None
        is_whole = index is not None and all(digest in chunks for digest in index.hashes)
        if is_whole:
            found.add(content)
        if is_whole != bool(complete):
            raise Broken("18 complete", f"a scan at {node.name} is called {'' if complete else 'in'}complete")
    return found


def _named(node: Node) -> set[bytes]:
    query = "SELECT DISTINCT c.id FROM content c JOIN naming m ON m.content_n = c.n"
    return {row[0] for row in rows(node.disk.url, query)}
