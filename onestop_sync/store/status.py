"""What the status line shows, gathered from a store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from onestop_sync.storage import chunks, findings, outbox, statements
from onestop_sync.storage import tables as t
from onestop_sync.storage.cuts import last_good
from onestop_sync.storage.queries import Levels
from onestop_sync.trail import TRAIL
from onestop_sync.trust import Authority, Trust


class ParentStatus(NamedTuple):
    """How things stand with one parent.

    Attributes:
        name: Its address, or what else it is known by.
        node: Log of its machine; empty before the first contact.
        unit: Its unit.
        level: ``hub``, ``district`` or ``province``.
        ok_ms: When an exchange last succeeded; 0 for never.
        tried_ms: When one was last tried.
        error: Code of the last error; empty after a success.
    """

    name: str
    node: bytes
    unit: str
    level: str
    ok_ms: int
    tried_ms: int
    error: str


class Status(NamedTuple):
    """What the officials' status line shows.

    Attributes:
        unsent: Events that no parent has acknowledged, without those of the audit trail: nobody waits for
            them.
        oldest_unsent_ms: When the oldest of them was written, or ``None``.
        conflicts: Documents with something to settle.
        waiting: Documents with events that wait for something.
        notices: Changes of standing that nobody has seen yet.
        forks: Logs that were written on two machines at once, while no cut says which branch counts.
        parents: One entry for each parent that was ever tried.
        findings: What was found out about somebody above and not told yet; see `Store.findings`.
        stated_ms: What the province's clock said at its newest statement of our unit, milliseconds since 1970
            UTC; ``None`` before the first.
        silent_ms: For how long there has been contact with a parent without a statement coming, milliseconds;
            being offline adds nothing to it.
        unsent_files: Attachments here that no parent has confirmed to have whole.
        unsent_bytes: Their sizes together.
    """

    unsent: int
    oldest_unsent_ms: int | None
    conflicts: int
    waiting: int
    notices: int
    forks: int
    parents: tuple[ParentStatus, ...]
    findings: int = 0
    stated_ms: int | None = None
    silent_ms: int = 0
    unsent_files: int = 0
    unsent_bytes: int = 0


def load_status(
    connection: sa.Connection, trust: Trust, levels: Levels, unit: str, *, is_top: bool
) -> Status:
    """Gathers what the status line shows.

    Args:
        connection: To read in.
        trust: Whose keys are known.
        levels: At which level each node is.
        unit: The machine's unit.
        is_top: Whether nobody is above it: nothing waits to be sent then.
    """
    unsent, oldest = (0, None) if is_top else outbox.unsent(connection, TRAIL.name)
    files = chunks.Unsent(0, 0) if is_top else chunks.unsent(connection)
    count = sa.select(sa.func.count())
    conflicts = connection.execute(count.where(t.is_open)).scalar_one()
    waiting = connection.execute(sa.select(sa.func.count(t.needs.c.doc_n.distinct()))).scalar_one()
    notices = connection.execute(count.where(t.notice.c.seen == 0)).scalar_one()
    forked = connection.execute(sa.select(t.log.c.id).where(t.log.c.forked == 1)).scalars().all()
    forks = sum(last_good(trust, log) is None for log in forked)
    parents = connection.execute(sa.select(t.parent).order_by(t.parent.c.name)).all()
    found_out = findings.count(connection)
    stated_ms, silent_ms = (None, 0) if is_top else _stated(connection, unit, parents)
    found = tuple(
        ParentStatus(p.name, p.node, _unit_of(trust, p.node), levels.of(p.node), p.ok_ms, p.tried_ms, p.error)
        for p in parents
    )
    return Status(
        unsent, oldest, conflicts, waiting, notices, forks, found, found_out, stated_ms, silent_ms, *files
    )


def _stated(connection: sa.Connection, unit: str, parents: Sequence[Any]) -> tuple[int | None, int]:
    """Returns when the newest statement was made, and how long there was contact without another."""
    newest = statements.newest(connection, unit)
    since = newest.came_ms if newest is not None else None
    if since is None:
        first = sa.select(t.event.c.at_ms).order_by(t.event.c.n).limit(1)
        since = connection.execute(first).scalar()
    contact = max((parent.ok_ms for parent in parents), default=0)
    silent_ms = max(0, contact - since) if contact and since is not None else 0
    return (newest.at_ms if newest is not None else None), silent_ms


def _unit_of(trust: Trust, node: bytes) -> str:
    authority = trust.authority(node)
    return authority.certificate.unit if isinstance(authority, Authority) else ""
