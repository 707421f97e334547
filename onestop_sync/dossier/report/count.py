"""Biểu II.06a and II.06b: dossiers placed in columns, and the columns' sums.

Each dossier of a period stands in one column of those received (online, otherwise, carried over) and in one
of those resolved or in progress. All figures are sums of these pairs, so each of them opens to its dossiers.

Source: Thông tư 01/2020/TT-VPCP, Biểu II.06a: columns (1) to (13). That ending on a day before the due day is
"early" is inferred [I].
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from onestop_sync.alphabet import alphabetical
from onestop_sync.dossier.report.course import ONLINE, Course
from onestop_sync.dossier.report.periods import Period
from onestop_sync.units import Tree

__all__ = ["COLUMNS", "Counts", "Line", "Place", "Table", "broken", "count", "holder_at", "place", "under"]

ONLINE_COL, OTHER_COL, CARRIED_COL = 4, 5, 6
EARLY_COL, ON_TIME_COL, LATE_COL = 8, 9, 10
WITHIN_COL, OVERDUE_COL = 12, 13
GOING_ON: Final = 11
"""The column of all that is in progress."""

COLUMNS: Final[Mapping[int, str]] = {
    3: "Tiếp nhận: tổng số",
    4: "Tiếp nhận trong kỳ: trực tuyến",
    5: "Tiếp nhận trong kỳ: trực tiếp, dịch vụ bưu chính",
    6: "Từ kỳ trước",
    7: "Đã giải quyết: tổng số",
    8: "Đã giải quyết: trước hạn",
    9: "Đã giải quyết: đúng hạn",
    10: "Đã giải quyết: quá hạn",
    11: "Đang giải quyết: tổng số",
    12: "Đang giải quyết: trong hạn",
    13: "Đang giải quyết: quá hạn",
}
"""Columns of figures → what they count; (1) is the number of the line, (2) the field."""
_OPENS: Final[Mapping[int, frozenset[int]]] = {
    3: frozenset({4, 5, 6}), 7: frozenset({8, 9, 10}), 11: frozenset({12, 13}),
}  # fmt: skip
_DAY_MS: Final = 24 * 3600 * 1000
_VIETNAM_MS: Final = 7 * 3600 * 1000


class Place(NamedTuple):
    """Where one dossier stands: the column of those received, and of those resolved or in progress."""

    came: int
    stands: int

    def is_in(self, column: int) -> bool:
        """Tells whether a column counts it; one that is a sum counts what its parts do."""
        return not {self.came, self.stands}.isdisjoint(_OPENS.get(column, frozenset({column})))


def _day(ms: int) -> int:
    return (ms + _VIETNAM_MS) // _DAY_MS


def place(course: Course, period: Period) -> Place | None:
    """Returns where a dossier stands in a period; ``None`` when it was over before, or came later."""
    start, end, ended = period.start_ms, period.end_ms, course.ended_ms
    if course.received_ms >= end or (ended is not None and ended < start):
        return None
    if course.received_ms < start:
        came = CARRIED_COL
    else:
        came = ONLINE_COL if course.channel == ONLINE else OTHER_COL
    if ended is not None and ended < end:
        return Place(came, _resolved(course, ended))
    return Place(came, OVERDUE_COL if course.is_late_at(end - 1) else WITHIN_COL)


def _resolved(course: Course, ended_ms: int) -> int:
    if course.is_late_at(ended_ms):
        return LATE_COL
    due = course.due_at(ended_ms)
    return EARLY_COL if due is not None and _day(ended_ms) < _day(due) else ON_TIME_COL


class Counts(NamedTuple):
    """The figures of one line, by the numbers of the form's columns."""

    c3: int = 0
    c4: int = 0
    c5: int = 0
    c6: int = 0
    c7: int = 0
    c8: int = 0
    c9: int = 0
    c10: int = 0
    c11: int = 0
    c12: int = 0
    c13: int = 0

    @classmethod
    def of(cls, places: Mapping[Place, int]) -> Counts:
        """Sums places up."""
        return cls(*(sum(n for at, n in places.items() if at.is_in(column)) for column in COLUMNS))

    def column(self, number: int) -> int:
        """Returns the figure of a column."""
        return self[number - 3]

    @property
    def on_time_percent(self) -> float | None:
        """The share of those resolved that were not late, one decimal; ``None`` when none was resolved."""
        return round(100 * (self.c8 + self.c9) / self.c7, 1) if self.c7 else None

    def __add__(self, other: object) -> Counts:
        """Adds figures column by column."""
        if not isinstance(other, Counts):
            return NotImplemented
        return Counts(*(a + b for a, b in zip(self, other, strict=True)))


class Line(NamedTuple):
    """One line of the form: a field, or a unit."""

    key: str
    name: str
    counts: Counts


class Table(NamedTuple):
    """A report's figures.

    Attributes:
        fields: By field.
        units: By unit, for a tier.
        total: All of it.
        waiting: Dossiers in progress of which the applicant is awaited; column 12 or 13 counts them.
        broken: Invariants that do not hold; none is expected, and a report shows that they were checked.
    """

    fields: tuple[Line, ...]
    units: tuple[Line, ...]
    total: Counts
    waiting: int
    broken: tuple[str, ...]


def broken(counts: Counts, carried: int | None = None) -> Iterator[str]:
    """Yields the invariants of the form that figures do not keep.

    Args:
        counts: Figures of a line, or all.
        carried: Column 11 of the period before, where it is known.
    """
    c = counts
    if c.c3 != c.c4 + c.c5 + c.c6:
        yield f"(3) = (4)+(5)+(6): {c.c3} ≠ {c.c4}+{c.c5}+{c.c6}"
    if c.c7 != c.c8 + c.c9 + c.c10:
        yield f"(7) = (8)+(9)+(10): {c.c7} ≠ {c.c8}+{c.c9}+{c.c10}"
    if c.c11 != c.c12 + c.c13:
        yield f"(11) = (12)+(13): {c.c11} ≠ {c.c12}+{c.c13}"
    if c.c3 != c.c7 + c.c11:
        yield f"(3) = (7)+(11): {c.c3} ≠ {c.c7}+{c.c11}"
    if carried is not None and c.c6 != carried:
        yield f"(6) = (11) kỳ trước: {c.c6} ≠ {carried}"


def count(
    found: Iterable[tuple[str, Course, Place]],
    period: Period,
    field_of: Callable[[str], str],
    unit_name: Callable[[str], str],
    carried: int | None = None,
) -> Table:
    """Counts dossiers.

    Args:
        found: Each dossier of the period once, with the unit at which it counts, and where it stands.
        period: The period.
        field_of: Procedure's code → field.
        unit_name: Unit's id → name.
        carried: Column 11 of the period before, where it is known.
    """
    by_field: dict[str, Counter[Place]] = {}
    by_unit: dict[str, Counter[Place]] = {}
    waiting, last = 0, period.end_ms - 1
    for unit, course, at in found:
        by_field.setdefault(course.procedure, Counter())[at] += 1
        by_unit.setdefault(unit, Counter())[at] += 1
        waiting += at.stands >= WITHIN_COL and course.waiting_since(last) is not None
    fields: dict[str, Counter[Place]] = {}
    for procedure, places in by_field.items():
        fields.setdefault(field_of(procedure), Counter()).update(places)
    field_lines = _lines(fields, str)
    unit_lines = _lines(by_unit, unit_name)
    total = sum((line.counts for line in field_lines), Counts())
    problems = [f"{line.name}: {each}" for line in field_lines for each in broken(line.counts)]
    problems += broken(total, carried)
    if total != sum((line.counts for line in unit_lines), Counts()):
        problems.append("tổng theo lĩnh vực ≠ tổng theo đơn vị")
    return Table(field_lines, unit_lines, total, waiting, tuple(problems))


def _lines(places: Mapping[str, Mapping[Place, int]], name: Callable[[str], str]) -> tuple[Line, ...]:
    lines = [Line(key, name(key), Counts.of(found)) for key, found in places.items()]
    return tuple(sorted(lines, key=lambda line: (alphabetical(line.name), line.key)))


def holder_at(tree: Tree, unit: str, doc: bytes, ms: int) -> str:
    """Returns the unit at which a dossier counts at a moment: its own, or who had succeeded that by then."""
    line = tree.heirs(unit, doc) or (unit,)
    at = line[0]
    for heir in line[1:]:
        if tree.units[at].until_ms > ms:
            break
        at = heir
    return at


def under(tree: Tree, unit: str, ms: int) -> frozenset[str]:
    """Returns a unit and all that stood below it at a moment."""
    found = {unit}
    for each in tree.units:
        line = [each]
        while line[-1] in tree.units and (upper := tree.units[line[-1]].at(ms).parent) and upper not in line:
            line.append(upper)
        if unit in line:
            found.add(each)
    return frozenset(found)
