"""What a server can tell of itself in numbers: for the dashboard, for `status`, and for the relay."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from onestop_sync.alphabet import alphabetical
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.dossier.types import TYPES
from onestop_sync.storage import tables as t
from onestop_sync.store import Status, Store
from onestop_sync.trail import TRAIL
from onestop_sync.trust import Authority

__all__ = ["Figures", "Peer", "UnitFigures", "collect", "newest_event"]


class UnitFigures(NamedTuple):
    """Counts of the documents that a unit took in, wherever they are now.

    Attributes:
        unit: Its id.
        name: Its Vietnamese name.
        level: ``province``, ``district`` or ``commune``.
        depth: Units above it, as far as this server's.
        documents: How many it holds.
        overdue: Of these, past a due date that still runs.
        conflicts: Of these, with something that a person must settle.
        waiting: Of these, with events that wait for something.
        events: Events of its logs that are stored here.
        heirs: Of a unit that has ended, the names of those that go on with its work.
    """

    unit: str
    name: str
    level: str
    depth: int
    documents: int
    overdue: int
    conflicts: int
    waiting: int
    events: int
    heirs: str = ""


class Peer(NamedTuple):
    """A machine that has synced with this server.

    Attributes:
        name: As its certificate says; empty for one without.
        unit: Id of its unit.
        unit_name: That unit's name.
        seen_ms: When it was last here, milliseconds since 1970 UTC.
    """

    name: str
    unit: str
    unit_name: str
    seen_ms: int


class Figures(NamedTuple):
    """Everything that the dashboard shows.

    Attributes:
        unit: This server's unit.
        name: That unit's name.
        at_ms: When this was counted.
        documents: Documents here.
        events: Events of the units below, and of this one.
        status: What the status line shows.
        units: One entry for each unit at or below this one, from above.
        peers: Machines, the latest first.
        published_until_ms: Until when what the province has published is current.
    """

    unit: str
    name: str
    at_ms: int
    documents: int
    events: int
    status: Status
    units: tuple[UnitFigures, ...]
    peers: tuple[Peer, ...]
    published_until_ms: int

    @property
    def is_published_old(self) -> bool:
        """Whether what the province has published has expired."""
        return self.published_until_ms < self.at_ms


def newest_event(store: Store) -> int:
    """Returns the local number of the newest event: it changes when something new is stored."""
    with store.reading() as connection:
        return int(connection.execute(sa.select(sa.func.max(t.event.c.n))).scalar() or 0)


def collect(store: Store) -> Figures:
    """Counts."""
    now = store.clock()
    with store.reading() as connection:
        listed = {row.unit: row for row in connection.execute(_per_unit(now))}
        events: dict[str, int] = {row[0]: row[1] for row in connection.execute(_EVENTS)}
        machines = connection.execute(sa.select(t.peer).order_by(t.peer.c.seen_ms.desc())).all()
        documents = connection.execute(sa.select(sa.func.count()).where(_IS_WORK)).scalar_one()
    here = store.trust.document.units[store.unit]
    units = tuple(_unit(store, unit, depth, listed.get(unit), events) for unit, depth in _tree(store))
    peers = tuple(_peer(store, row.machine, row.seen_ms) for row in machines)
    return Figures(
        here.id, here.name, now, int(documents), sum(u.events for u in units), store.status(), units, peers,
        store.publication.expires_ms,
    )  # fmt: skip


def _per_unit(now_ms: int) -> sa.Select[Any]:
    listing = t.listing.c
    is_late = sa.and_(listing.due_ms.is_not(None), listing.due_ms < now_ms)

    def count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.sum(sa.case((condition, 1), else_=0))

    query = sa.select(
        listing.unit,
        sa.func.count().label("documents"),
        count(is_late).label("overdue"),
        count(listing.open > 0).label("conflicts"),
        count(listing.waiting > 0).label("waiting"),
    )
    return query.where(_IS_WORK).group_by(listing.unit)


_PAPERS: Final = sorted({TRAIL.name, *(kind.name for kind in TYPES)} - {DOSSIER.name})
_IS_WORK: Final = t.listing.c.kind.not_in(_PAPERS)
"""The audit trail, closed registers, reports and difficulties are documents too, and no dossiers."""

_EVENTS = (
    sa.select(t.log.c.unit, sa.func.count())
    .join(t.event, t.event.c.log_n == t.log.c.n)
    .where(t.event.c.seq > 0)
    .group_by(t.log.c.unit)
)


def _tree(store: Store) -> list[tuple[str, int]]:
    """Returns this unit and those below it with their depths, each below its parent."""
    units = store.trust.document.units
    children: dict[str, list[str]] = {}
    for unit in sorted(units.values(), key=lambda u: (alphabetical(u.name), u.id)):
        children.setdefault(unit.parent, []).append(unit.id)
    found: list[tuple[str, int]] = []
    stack = [(store.unit, 0)]
    while stack:
        unit_id, depth = stack.pop()
        found.append((unit_id, depth))
        stack += [(child, depth + 1) for child in reversed(children.get(unit_id, []))]
    return found


def _unit(store: Store, unit_id: str, depth: int, row: Any, events: dict[str, int]) -> UnitFigures:
    unit = store.trust.document.units[unit_id]
    counts = map(int, row[1:]) if row else (0, 0, 0, 0)
    documents, overdue, conflicts, waiting = counts
    written = events.get(unit_id, 0)
    units = store.trust.document.units
    heirs = ", ".join(units[each].name for each in unit.successors or (unit.parent,)) if unit.is_ended else ""
    return UnitFigures(
        unit_id, unit.name, unit.level, depth, documents, overdue, conflicts, waiting, written, heirs
    )


def _peer(store: Store, machine: bytes, seen_ms: int) -> Peer:
    authority = store.trust.authority(machine)
    if not isinstance(authority, Authority):
        return Peer("", "", "", seen_ms)
    unit = authority.certificate.unit
    known = store.trust.document.units.get(unit)
    return Peer(authority.certificate.name, unit, known.name if known else unit, seen_ms)
