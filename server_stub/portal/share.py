"""The share of dossiers that the national portal has: an indicator of its own, by which a commune is marked.

Of the dossiers that were received in a period, as II.06a counts them, the portal *has* those of which it took
the document; a unit is *behind* with those that wait, are held or fail, be it only a later step of them. What
has not come up to this server is in neither: a report says up to when each unit's work is here.

That the share is an indicator is told by those who work with it; no article was found that says how it is
counted, and what stands here is inferred [I].
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from typing import NamedTuple

import sqlalchemy as sa

from onestop_sync.alphabet import alphabetical
from onestop_sync.dossier.labels import one_line
from onestop_sync.dossier.report.periods import Period
from onestop_sync.reporting.making import numbered
from onestop_sync.reporting.words import number
from onestop_sync.storage import tallies
from onestop_sync.store import Store
from server_stub.portal import rows

__all__ = ["Share", "share_lines", "shares"]

_NEVER = "not_queued"
_WHY = {
    "waiting": "chờ gửi", "held": "chờ người xử lý", "failing": "cổng chưa nhận", _NEVER: "chưa vào hàng đợi",
    "none": "chưa vào hàng đợi",
}  # fmt: skip
_EACH = 20


class Share(NamedTuple):
    """One unit's share.

    Attributes:
        unit: Its id.
        name: Its name.
        received: Dossiers that were received in the period.
        there: How many of them the portal has.
        behind: Status → how many are not there, or not as they stand now.
    """

    unit: str
    name: str
    received: int
    there: int
    behind: dict[str, int]

    @property
    def percent(self) -> float:
        """The share, one decimal."""
        return round(100 * self.there / self.received, 1)


def shares(store: Store, period: Period, units: Collection[str]) -> list[Share]:
    """Returns the share of each of these units that received anything, the lowest first.

    Nothing where no queue to a portal was ever run here.
    """
    with store.reading() as connection:
        if not sa.inspect(connection).has_table(rows.dossier.name):
            return []
        at = rows.dossier.c
        query = sa.select(at.doc, at.sent != b"", at.status)
        queue = {bytes(doc): (is_there, status) for doc, is_there, status in connection.execute(query)}
        if not queue:
            return []
        counted = {
            n: holder
            for n, holder, course in numbered(connection, store, period)
            if holder in units and period.start_ms <= course.received_ms < period.end_ms
        }
        named = tallies.names(connection, sorted(counted))
    received: Counter[str] = Counter()
    there: Counter[str] = Counter()
    behind: dict[str, Counter[str]] = {}
    for n, unit in counted.items():
        is_there, status = queue.get(named[n].doc, (False, _NEVER)) if n in named else (False, _NEVER)
        received[unit] += 1
        there[unit] += is_there
        if status != "sent" and not (is_there and status == "none"):  # erased by law since
            behind.setdefault(unit, Counter())[status] += 1
    last_ms, known = period.end_ms - 1, store.trust.document.units
    found = [
        Share(unit, known[unit].at(last_ms).name, received[unit], there[unit], dict(behind.get(unit, {})))
        for unit in received
    ]
    return sorted(found, key=lambda each: (each.percent, alphabetical(each.name), each.unit))


def share_lines(found: Collection[Share]) -> Iterator[str]:
    """Yields the shares in Vietnamese: of all together, and of those units that have not everything there."""
    if not found:
        return
    total = Share("", "", sum(e.received for e in found), sum(e.there for e in found), {})
    yield f"Đồng bộ lên Cổng Dịch vụ công quốc gia, hồ sơ tiếp nhận trong kỳ: {_said(total)}."
    lacking = [each for each in found if each.behind]
    for each in lacking[:_EACH]:
        why = Counter[str]()
        for status, count in each.behind.items():
            why[_WHY.get(status, status)] += count
        parts = ", ".join(f"{count} {word}" for word, count in sorted(why.items()))
        yield f"{one_line(each.name)}: {_said(each)}; chưa đủ: {parts}."
    if len(lacking) > _EACH:
        yield f"{len(lacking) - _EACH} đơn vị khác cũng chưa đủ."


def _said(each: Share) -> str:
    return f"{each.there}/{each.received} ({number(each.percent)} %)"
