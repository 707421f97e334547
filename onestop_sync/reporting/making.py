"""A report made of what a store holds: figures by field and unit, shares, and up to when each unit is here.

report = make(store, "c1", named("Q1/2026", rules), rules, field_of)
for found in dossiers(store, "c1", report.period, column=10):    # what a figure is made of
    print(found.label)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from onestop_sync import codec
from onestop_sync.alphabet import alphabetical
from onestop_sync.dossier.report.count import (
    CARRIED_COL,
    GOING_ON,
    Counts,
    Line,
    Place,
    Table,
    count,
    holder_at,
    place,
    under,
)
from onestop_sync.dossier.report.course import Course, of_tally
from onestop_sync.dossier.report.parts import parts_of
from onestop_sync.dossier.report.periods import Period, before
from onestop_sync.dossier.report.rules import ReportRules, rules_for
from onestop_sync.dossier.report.shares import MARK_OF, Shares, Watch
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.errors import InvalidInput, NotFound
from onestop_sync.event import parse_header
from onestop_sync.reporting.hearing import heard, inspected
from onestop_sync.storage import tallies
from onestop_sync.storage.tallies import Head
from onestop_sync.store import Store

__all__ = ["Found", "Report", "Synced", "dossiers", "facts_of", "make", "numbered", "synced"]

_COLUMNS: Final = range(3, 14)


class Synced(NamedTuple):
    """Up to when a unit's work is here.

    Attributes:
        unit: Its id.
        name: Its name.
        newest_ms: When the newest of its events that are here was made, as claimed; 0 for none. Each log is
            unbroken, so whatever that log's author did before is here as well.
        stored_ms: When it arrived here.
        events: How many events of its logs are here.
    """

    unit: str
    name: str
    newest_ms: int
    stored_ms: int
    events: int


class Report(NamedTuple):
    """One report.

    Attributes:
        unit: Of which unit.
        name: Its name.
        level: Its level.
        is_tier: Whether the units below are in it: form II.06b instead of II.06a.
        period: The period; as far as it had run when the report was made.
        rules: By which it was made.
        table: The figures.
        before: The figures of the period before, of which column 11 is carried over.
        shares: Unit → what else was found; the unit itself, or each of a tier that had dossiers.
        made_ms: When it was made.
        synced: Up to when each unit is here.
        heads: Hash of how far every log of these units was here: the same, the same events were counted.
        logs: How far every log was here, whoever's: log → sequence.
    """

    unit: str
    name: str
    level: str
    is_tier: bool
    period: Period
    rules: ReportRules
    table: Table
    before: Counts
    shares: dict[str, Shares]
    made_ms: int
    synced: tuple[Synced, ...]
    heads: bytes
    logs: dict[bytes, int]

    @property
    def form(self) -> str:
        """The number of the form."""
        return self.rules.form_06b if self.is_tier else self.rules.form_06a


class Found(NamedTuple):
    """A dossier behind a figure."""

    doc: bytes
    label: str
    unit: str
    course: Course
    place: Place


def make(
    store: Store,
    unit: str,
    period: Period,
    rules: Sequence[ReportRules],
    field_of: Callable[[str], str],
    *,
    is_tier: bool = False,
) -> Report:
    """Makes a report.

    Args:
        store: Holds the dossiers of the unit, and for a tier of those below it.
        unit: Its id.
        period: The period.
        rules: All that are known; those in force on the period's last day are used.
        field_of: Procedure's code → its field.
        is_tier: Count the units below as well.

    Raises:
        NotFound: There is no such unit.
        InvalidInput: No rules are known for the period.
    """
    known, tree = store.trust.document.units, store.trust.document.tree
    if unit not in known:
        raise NotFound(f"The trust document names no unit {unit!r}.", todo="Check the unit's id.", unit=unit)
    ruled = rules_for(period.last, rules)
    made_ms = store.clock()
    period = period.until(made_ms)
    last_ms = period.end_ms - 1
    units = under(tree, unit, last_ms) if is_tier else frozenset({unit})
    levels = {each: known[each].at(last_ms).level for each in units}
    watches: dict[str, Watch] = {}
    counted: list[tuple[str, Course, Place]] = []
    earlier = before(period, rules)
    carried = 0
    shared: list[int] = []
    with store.reading() as connection:
        # First how far the logs are: what comes between the two reads is late, and never taken for counted.
        heads = tallies.heads(connection)
        lines = numbered(connection, store, period)
    complaints, inspections = heard(store, period), inspected(store, period)

    def begun(holder: str) -> Watch:
        watch = Watch(levels[holder], period, ruled)
        watch.hear(complaints.units.get(holder, ()))
        if holder in inspections:
            watch.inspect(inspections[holder].mark)
        return watch

    for n, holder, course, at in _placed(lines, units, period):
        if course.others and at.stands in MARK_OF:
            shared.append(n)
        if holder in units:
            counted.append((holder, course, at))
            carried += at.came == CARRIED_COL and _was_open(course, earlier)
            if holder not in watches:
                watches[holder] = begun(holder)
            watches[holder].add(course, at, is_complained_of=n in complaints.about)

    for agency, given in _parts(store, shared, units, last_ms):
        watches.setdefault(agency, begun(agency)).take_part(given)

    def unit_name(each: str) -> str:
        return known[each].at(last_ms).name if each in known else each

    table = count(counted, period, field_of, unit_name, carried)
    shares = {each: watches[each].found() for each in sorted(watches)}
    here, mark = synced(store, heads, units, unit_name)
    return Report(
        unit, unit_name(unit), levels[unit], is_tier, period, ruled, table, Counts(c11=carried), shares,
        made_ms, here,
        mark,
        {head.log: head.seq for head in heads},
    )  # fmt: skip


def _placed(
    lines: Iterable[tuple[int, str, Course]], units: frozenset[str], period: Period
) -> Iterator[tuple[int, str, Course, Place]]:
    """Yields where dossiers stand: those of these units, and those in which other units took part."""
    for n, holder, course in lines:
        at = place(course, period) if course.others or holder in units else None
        if at is not None:
            yield n, holder, course, at


def _parts(
    store: Store, numbers: Sequence[int], units: frozenset[str], last_ms: int
) -> Iterator[tuple[str, int]]:
    """Yields what each agency of these gets for its part in dossiers about which it was asked."""
    tree = store.trust.document.tree
    with store.reading() as connection:
        states = tallies.states(connection, numbers)
    for state in states:
        for part in parts_of(state):
            agency = holder_at(tree, part.unit, b"", last_ms)
            if agency in units:
                yield agency, part.mark


def _was_open(course: Course, earlier: Period) -> bool:
    """Tells whether the period before leaves a dossier in progress, by its own count."""
    at = place(course, earlier)
    return at is not None and at.is_in(GOING_ON)


def numbered(
    connection: sa.Connection, store: Store, period: Period
) -> list[tuple[int, str, Course]]:  # fmt: skip
    """Returns each dossier with its number here and the unit at which it counts in the period."""
    tree, last_ms = store.trust.document.tree, period.end_ms - 1
    found = tallies.tallies(connection, DOSSIER.name, since_ms=period.start_ms, before_ms=period.end_ms)
    split = [n for n, line in found if tree.has_splits and _is_split(store, line.unit)]
    docs = tallies.names(connection, split) if split else {}
    holders = {line.unit: "" for _, line in found}
    holders = {unit: holder_at(tree, unit, b"", last_ms) for unit in holders}
    return [
        (
            n,
            holder_at(tree, line.unit, docs[n].doc, last_ms) if n in docs else holders[line.unit],
            of_tally(line),
        )
        for n, line in found
    ]


def _is_split(store: Store, unit: str) -> bool:
    tree = store.trust.document.tree
    return any(len(tree.units[each].successors) > 1 for each in tree.heirs(unit))


def dossiers(
    store: Store,
    unit: str,
    period: Period,
    column: int,
    *,
    is_tier: bool = False,
    procedures: Sequence[str] = (),
) -> list[Found]:
    """Returns the dossiers behind a figure, by code.

    Args:
        store: As in `make`.
        unit: As in `make`.
        period: As in `make`.
        column: The form's column, 3 to 13.
        is_tier: As in `make`.
        procedures: Only of these; all when none is named.

    Raises:
        InvalidInput: There is no such column.
    """
    if column not in _COLUMNS:
        raise InvalidInput(f"The form has no column {column} of figures.", todo="Name one from 3 to 13.")
    tree, last_ms = store.trust.document.tree, period.end_ms - 1
    units = under(tree, unit, last_ms) if is_tier else frozenset({unit})
    found: dict[int, tuple[str, Course, Place]] = {}
    with store.reading() as connection:
        all_of = numbered(connection, store, period)
    for n, holder, course in all_of:
        if holder in units and (not procedures or course.procedure in procedures):
            at = place(course, period)
            if at is not None and at.is_in(column):
                found[n] = (holder, course, at)
    with store.reading() as connection:
        named = tallies.names(connection, sorted(found))
    lines = [Found(named[n].doc, named[n].label, *facts) for n, facts in found.items() if n in named]
    return sorted(lines, key=lambda line: (line.label, line.doc))


def synced(
    store: Store, heads: Sequence[Head], units: frozenset[str], unit_name: Callable[[str], str]
) -> tuple[tuple[Synced, ...], bytes]:
    """Returns up to when each unit is here, and a hash of how far every log of theirs is."""
    tree = store.trust.document.tree
    newest: dict[str, Synced] = {unit: Synced(unit, unit_name(unit), 0, 0, 0) for unit in units}
    counted: list[list[Any]] = []
    for head in heads:
        at = next((each for each in (head.unit, *tree.heirs(head.unit)) if each in units), None)
        if at is None:
            continue
        counted.append([head.log, head.seq])
        old = newest[at]
        newest[at] = old._replace(
            newest_ms=max(old.newest_ms, parse_header(head.header).time_ms),
            stored_ms=max(old.stored_ms, head.stored_ms),
            events=old.events + head.seq,
        )
    lines = tuple(sorted(newest.values(), key=lambda line: (alphabetical(line.name), line.unit)))
    return lines, hashlib.sha256(codec.encode(counted)).digest()


def facts_of(report: Report) -> dict[str, Any]:
    """Returns a report as plain data: what JSON shows, and what is frozen."""
    period = report.period
    return {
        "form": report.form,
        "unit": report.unit,
        "name": report.name,
        "level": report.level,
        "is_tier": report.is_tier,
        "period": period.name,
        "from": period.first.isoformat(),
        "to": period.last.isoformat(),
        "is_over": period.is_over,
        "rules": report.rules.id,
        "made_ms": report.made_ms,
        "total": list(report.table.total),
        "fields": [_line(line) for line in report.table.fields],
        "units": [_line(line) for line in report.table.units] if report.is_tier else [],
        "waiting": report.table.waiting,
        "broken": list(report.table.broken),
        "shares": {unit: _shares(found) for unit, found in report.shares.items()},
        "synced": [list(line) for line in report.synced],
        "heads": report.heads.hex(),
    }


def _line(line: Line) -> list[Any]:
    return [line.key, line.name, list(line.counts)]


def _shares(found: Shares) -> dict[str, Any]:
    spot = found.on_spot
    return {
        "on_spot": {"regular": spot.regular, "done": spot.done, "target": spot.target},
        "marks_tenths": {str(i): value for i, value in found.marks.tenths.items()},
        "total_tenths": found.marks.total_tenths,
        "grade": found.marks.grade_vi,
        "on_time_766_permille": _permille(found.on_time_766),
        "online_permille": _permille(found.online),
        "ratings": list(found.ratings),
    }


def _permille(percent: float | None) -> int | None:
    """Returns a share as a whole number: what is signed holds no fractions."""
    return None if percent is None else round(10 * percent)
