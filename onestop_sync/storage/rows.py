"""Small things that every part of a store does with rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from onestop_sync.errors import FormatError
from onestop_sync.event import Event, Op, parse_body, parse_header

LOOKUP: Final = 500
"""Values in one IN list."""


def select_in(
    connection: sa.Connection,
    query: Any,
    column: Any,
    values: Sequence[Any],
    *,
    lock: bool = False,
) -> list[Any]:
    """Runs a query for many values, some hundred at a time, in the order of ``values``."""
    found: list[Any] = []
    for i in range(0, len(values), LOOKUP):
        part = query.where(column.in_(values[i : i + LOOKUP]))
        if lock and connection.dialect.name != "sqlite":
            part = part.order_by(column).with_for_update()
        found.extend(connection.execute(part).all())
    return found


def stored_event(row: Any) -> Event:
    """Returns the event that a row of t.event holds."""
    return Event(row.id, parse_header(row.header), row.header, row.signature, row.body)


def ops_of(event: Event) -> list[Op] | None:
    """Returns an event's operations; ``None`` when its body is not here or malformed."""
    if event.body is None:
        return None
    try:
        return parse_body(event.body)
    except FormatError:
        return None
