"""Acks noted many at a time: a relay speaks of every log below, and mostly of what is on our chain.

Each statement is made once: SQLAlchemy takes longer to put one together than SQLite to run it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from onestop_sync.storage import tables as t
from onestop_sync.storage.rows import LOOKUP

__all__ = ["Entry", "note_plain"]

Entry = tuple[bytes, int, bytes]
"""``(log, sequence, head)``."""

_IDS: Final[sa.BindParameter[Any]] = sa.bindparam("ids", expanding=True)
_HELD: Final = sa.select(t.ack.c.log_n, t.ack.c.good, t.ack.c.seq, t.ack.c.head).where(
    t.ack.c.node == sa.bindparam("by"), t.ack.c.log_n.in_(_IDS)
)
_HERE: Final = sa.select(t.event.c.id, t.event.c.log_n, t.event.c.seq).where(
    t.event.c.id.in_(_IDS), t.event.c.chained == 1
)
_RAISE: Final = (
    sa.update(t.ack)
    .where(t.ack.c.node == sa.bindparam("by"), t.ack.c.log_n == sa.bindparam("of"))
    .values(
        seq=sa.bindparam("to_seq"), head=sa.bindparam("to_head"), after=sa.bindparam("said"),
        paper=sa.bindparam("on"), good=1,
    )
)  # fmt: skip


def note_plain(
    connection: sa.Connection,
    node: bytes,
    numbers: Mapping[bytes, int],
    entries: Sequence[Entry],
    said: tuple[int, int],
) -> list[Entry]:
    """Notes those entries of a node's acks that are on our chain and contradict nothing.

    Args:
        connection: In a write transaction.
        node: Log of the node's machine.
        numbers: Log → local number; entries of other logs are left.
        entries: What the node says.
        said: How many statements it had made, and the local number of the acks that say all this.

    Returns:
        The entries that are left, to be looked at one by one.
    """
    times = Counter(log for log, _, _ in entries)
    single = [each for each in entries if each[0] in numbers and times[each[0]] == 1]
    here = set(_rows(connection, _HERE, {}, [head for _, _, head in single]))
    plain = [each for each in single if (each[2], numbers[each[0]], each[1]) in here]
    of = [numbers[log] for log, _, _ in plain]
    held = {row.log_n: row for row in _rows(connection, _HELD, {"by": node}, of)}
    fresh, raised, noted = [], [], set[bytes]()
    for log, seq, head in plain:
        row = held.get(numbers[log])
        if row is not None and row.seq == seq and row.head != head:
            continue
        noted.add(log)
        if row is None:
            fresh.append({
                "node": node, "log_n": numbers[log], "seq": seq, "head": head, "good": 1, "proven": 0,
                "after": said[0], "paper": said[1],
            })  # fmt: skip
        elif (1, seq) > (row.good, row.seq):
            raised.append({
                "by": node, "of": numbers[log], "to_seq": seq, "to_head": head, "said": said[0], "on": said[1]
            })  # fmt: skip
    if fresh:
        connection.execute(sa.insert(t.ack), fresh)
    if raised:
        connection.execute(_RAISE, raised)
    return [each for each in entries if each[0] not in noted]


def _rows(
    connection: sa.Connection, query: Any, fixed: Mapping[str, Any], wanted: Sequence[Any]
) -> list[Any]:
    found: list[Any] = []
    for at in range(0, len(wanted), LOOKUP):
        found += connection.execute(query, {**fixed, "ids": wanted[at : at + LOOKUP]}).all()
    return found
