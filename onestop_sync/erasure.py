"""Erasing a document by law: what would be lost and what stays, planned from a proof. Pure.

Who may is told by the publication: only the key that its root names can publish a tombstone (`publisher`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from onestop_sync import codec
from onestop_sync.errors import NotAllowed
from onestop_sync.fold import Standing
from onestop_sync.publication import Publication
from onestop_sync.report import Report
from onestop_sync.schema import DocumentType
from onestop_sync.tombstone import ERASED, TALLY, Buried, Tombstone, add

__all__ = ["ErasurePlan", "plan_erasure", "plan_files"]


class ErasurePlan(NamedTuple):
    """What erasing one document comes to.

    Attributes:
        tombstone: What stays.
        bodies: How many events lose their content.
        body_bytes: How many bytes that is.
    """

    tombstone: Tombstone
    bodies: int
    body_bytes: int


def plan_erasure(report: Report, kind: DocumentType, *, why: str, now_ms: int) -> ErasurePlan:
    """Plans the erasure of a document.

    Args:
        report: The proof of the document at the province: what is not proven is not buried.
        kind: Its type.
        why: By what law or decision; published, so nothing personal.
        now_ms: Milliseconds since 1970 UTC.

    Raises:
        NotAllowed: It is erased already, or something of it is not proven.
        InvalidInput: The reason is missing or too long.
    """
    if report.tombstone is not None:
        raise NotAllowed(
            "This document is erased already.",
            todo="Nothing was changed. `onestop-server verify` shows its tombstone.",
            reason=ERASED,
        )
    if report.problems or report.state is None:
        raise NotAllowed(
            "Not everything of this document is proven, and a verdict that cannot be proven is not buried.",
            todo="Nothing was changed. See what `onestop-server verify` says, and synchronise first.",
            reason="unproven",
        )
    summary = kind.summarise(report.state) if kind.summarise else None
    row: dict[str, Any] = {"label": summary.label} if summary else {}
    row |= kind.register(report.state) if kind.register else {}
    counted = kind.tally(report.state) if kind.tally else None
    row |= {TALLY: list(counted)} if counted else {}
    codec.encode(row)  # refuses what cannot be published
    events = {
        p.event.id: Buried(p.standing or Standing.WAITING, p.reason.partition(":")[0]) for p in report.events
    }
    units = (report.state.unit, *(unit for unit in report.state.units if unit != report.state.unit))
    bodies = [p.event.body for p in report.events if p.event.body is not None]
    tombstone = Tombstone(report.kind, report.doc, now_ms, why, units, row, events)
    return ErasurePlan(tombstone, len(bodies), sum(map(len, bodies)))


def plan_files(publication: Publication, plans: Iterable[ErasurePlan]) -> dict[str, bytes | None]:
    """Returns the files to publish (`publisher.publish`), and nothing else of the publication."""
    stones: Sequence[Tombstone] = [plan.tombstone for plan in plans]
    return add(publication, stones)
