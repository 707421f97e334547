"""Pieces of attachments as a bad line or a bad neighbour brings them: out of order, in part, or spoilt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from onestop_sync.storage.chunks import INDEX, Piece
from onestop_sync.testing.disk import rows
from onestop_sync.testing.network import flip

if TYPE_CHECKING:
    from onestop_sync.testing.dice import Dice
    from onestop_sync.testing.node import Node
    from onestop_sync.testing.reach import Reach

__all__ = ["deliver_pieces"]


def deliver_pieces(dice: Dice, nodes: Sequence[Node], reach: Reach) -> None:
    """Brings a machine some pieces of a scan that it has not whole, from one that has."""
    found = [
        (node, content, other)
        for node in nodes
        for content in _lacking(node)
        for other in nodes
        if _has(other, content)
    ]
    if not found:
        return
    node, content, source = dice.pick(found)
    pieces = _pieces(source, content)
    dice.shuffle(pieces)
    pieces = pieces[: dice.randrange(1, len(pieces) + 1)]
    brought = [_spoilt(dice, piece) if dice.happens(0.4) else piece for piece in pieces]
    reach["pieces out of order"] += len(pieces)
    reach["spoilt pieces"] += sum(one != other for one, other in zip(pieces, brought, strict=True))
    with node.store.writing() as transaction:
        transaction.take_pieces(brought, {content})


def _lacking(node: Node) -> list[bytes]:
    return [row[0] for row in rows(node.disk.url, "SELECT id FROM content WHERE complete = 0 ORDER BY n")]


def _has(node: Node, content: bytes) -> bool:
    return bool(rows(node.disk.url, "SELECT 1 FROM content WHERE id = ? AND complete = 1", content))


def _pieces(node: Node, content: bytes) -> list[Piece]:
    query = (
        "SELECT p.place, k.data FROM piece p JOIN content c ON c.n = p.content_n"
        " JOIN chunk k ON k.hash = p.hash WHERE c.id = ? ORDER BY p.place"
    )
    index = rows(node.disk.url, "SELECT data FROM chunk WHERE hash = ?", content)[0][0]
    return [
        Piece(content, INDEX, index),
        *(Piece(content, *row) for row in rows(node.disk.url, query, content)),
    ]


def _spoilt(dice: Dice, piece: Piece) -> Piece:
    """Returns a piece with a bit flipped, or in another's place."""
    if dice.happens(0.3):
        return piece._replace(place=piece.place + 1)
    return piece._replace(data=flip(dice, piece.data))
