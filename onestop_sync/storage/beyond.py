"""What lies beyond a cut and waits until a head vouches for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from onestop_sync.entries import ops_of
from onestop_sync.event import LOG, Event, Op
from onestop_sync.storage import tables as t
from onestop_sync.storage.rows import stored_event
from onestop_sync.trust import LEADER, Authority, Certificate, Trust, Waiting

__all__ = ["Beyond", "beyond_cuts", "may_vouch"]


class Beyond(NamedTuple):
    """An event that waits for a countersignature.

    Attributes:
        event: The event: of a document, or a certificate on which others hang.
        doc: Its document.
        kind: The document's type.
        ops: Its operations.
        author: Under which certificate it was written.
    """

    event: Event
    doc: bytes
    kind: str
    ops: Sequence[Op]
    author: Certificate


def beyond_cuts(connection: sa.Connection, trust: Trust) -> list[Beyond]:
    """Returns every event that a countersignature would give effect, in the order in which they came."""
    if not trust.document.cuts:
        return []
    query = (
        sa.select(t.event, t.log.c.id.label("log"), t.document.c.id.label("doc"), t.document.c.kind)
        .join(t.log, t.log.c.n == t.event.c.log_n)
        .join(t.document, t.document.c.n == t.event.c.doc_n)
        .where(t.event.c.id.in_(sa.select(t.needs.c.needs)), t.document.c.kind != LOG)
        .order_by(t.event.c.n)
    )
    found: list[Beyond] = []
    for row in connection.execute(query):
        authority = trust.authority(row.log)
        is_beyond = trust.authority_at(row.log, row.seq, row.id) == Waiting(row.id)
        if is_beyond and isinstance(authority, Authority):
            event = stored_event(row)
            found.append(Beyond(event, row.doc, row.kind, ops_of(event) or (), authority.certificate))
    return found


def may_vouch(trust: Trust, key: bytes, each: Beyond) -> bool:
    """Tells whether a key's countersignature would count: a head's, over that unit, of another person."""
    best = trust.best_certificate(key)
    if best is None or LEADER not in best[1].roles or key == each.author.key:
        return False
    is_same = bool(best[1].person) and best[1].person == each.author.person
    return not is_same and trust.document.is_over(best[1].unit, each.author.unit)
