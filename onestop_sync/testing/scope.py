"""12: no machine holds a document that is none of its unit's business."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from onestop_sync.testing.broken import Broken
from onestop_sync.testing.kinds import TYPES
from onestop_sync.testing.oracle import units_ever

if TYPE_CHECKING:
    from onestop_sync.event import Event
    from onestop_sync.testing.node import Node
    from onestop_sync.testing.oracle import Truth
    from onestop_sync.testing.people import People
    from onestop_sync.trust import TrustDocument

__all__ = ["check_scope"]


def check_scope(
    nodes: Mapping[str, Node],
    people: People,
    truth: Truth,
    stray: set[bytes],
    everything: Mapping[bytes, Event],
) -> None:
    """Checks what machines hold whose unit was never another: where units change, who saw what is history.

    Whoever is over a unit that takes part in a document, that wrote for it, or that took part before a cut
    made what named it refused, may have it; nobody else.

    Raises:
        Broken: A machine has a document that it should never have been sent.
    """
    document = people.document
    if document.tree.has_splits:
        return
    for node in nodes.values():
        if len(node.plan.first_blocks) > 1:
            continue
        for event in node.events().values():
            verdict = truth.documents.get(event.header.doc_id)
            if verdict is None or event.header.doc_id in stray:
                continue
            wrote = {truth.written_for.get(each, "") for each in verdict.events}
            if not _is_over(node, document, verdict.units | wrote) and not _is_over(
                node, document, _units_ever(people, event.header.doc_id, everything)
            ):
                name = f"{event.header.doc_type} {event.header.doc_id.hex()[8:14]}"
                raise Broken("12 scope", f"{node.name} holds {name}, in which {node.unit} has no part")


def _is_over(node: Node, document: TrustDocument, units: set[str]) -> bool:
    return any(document.is_over(node.unit, unit) for unit in units & document.units.keys())


def _units_ever(people: People, doc: bytes, everything: Mapping[bytes, Event]) -> set[str]:
    return units_ever(doc, everything.values(), people.document, TYPES, people.cuts_so_far)
