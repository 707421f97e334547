"""What has to hold after the year: codes, register, dates, reports, and the same bytes everywhere."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

import sqlalchemy as sa

from onestop_sync.dossier.data import shipped_report_rules
from onestop_sync.dossier.dates import local
from onestop_sync.dossier.report.count import COLUMNS, Counts, Place, broken
from onestop_sync.dossier.report.course import kept_due
from onestop_sync.dossier.report.periods import Period, named
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.entries import ops_of
from onestop_sync.event import Event, parse
from onestop_sync.reporting.making import Report, make
from onestop_sync.storage import tables as t
from onestop_sync.storage.arrive import Outcome
from onestop_sync.storage.rows import stored_event
from onestop_sync.store import Store
from tests.year.courses import TEAMS, Life
from tests.year.land import MERGED_MS
from tests.year.year import QUARTERS, Year

FLOORS: Final = {
    "accept": 0.8, "refuse": 0.01, "ask at intake": 0.01, "decline": 0.01, "supplement": 0.02, "supply": 0.02,
    "payment": 0.01, "ask agency": 0.005, "answer": 0.005, "extend": 0.02, "stop": 0.004, "withdraw": 0.01,
    "send back": 0.01, "reject": 0.01, "approve": 0.6, "transfer": 0.04, "return": 0.7, "fee due": 0.02,
    "fee paid": 0.015, "rate": 0.08, "had not come yet": 0.5, "acted for the new commune": 1.0,
    "acted for a commune that is gone": 0.05,
}  # fmt: skip
"""How often each thing has to happen for each dossier; a small year need not meet what is rare."""
OFTEN: Final = {
    "days off": 100, "stick": 10, "line was down": 10, "report": 14, "register closed": 2,
    "supplementary report": 3, "late dossiers named": 4,
}  # fmt: skip
"""How often each thing has to happen in a year."""
_CHANGES: Final = frozenset({"accept", "supply", "extend"})
_FULL: Final = (
    "tinh",
    "tinh-phong",
    "huyen",
    "huyen-phong",
    "hub",
    "quay",
    "chuyen-mon",
    "lanh-dao",
    "thon",
    "hai",
)


def check(year: Year) -> None:
    """Checks everything.

    Raises:
        AssertionError: Something does not hold.
    """
    check_reached(year)
    check_same_bytes(year)
    check_codes(year)
    check_dates(year)
    check_register(year)
    check_reports(year)
    check_supplements(year)


def check_reached(year: Year) -> None:
    """Each kind of happening was met often enough, and every procedure of the catalogue was."""
    wanted = {name: int(share * year.dossiers) for name, share in FLOORS.items()} | OFTEN
    rare = {name: year.reached[name] for name, least in wanted.items() if year.reached[name] < least}
    assert not rare, f"too rare: {rare}"
    assert len(year.lives) == year.dossiers
    met = {life.procedure.code for life in year.lives}
    assert len(met) == min(year.dossiers, len(list(year.procedures())))


def check_same_bytes(year: Year) -> None:
    """Every machine has all dossiers of its units, each in the same bytes; nothing waits or is in dispute."""
    machines = year.land.machines
    top = machines["tinh"].store.fingerprints(DOSSIER.name)
    assert set(top) == {life.doc for life in year.lives}
    for name in _FULL:
        store = machines[name].store
        assert store.fingerprints(DOSSIER.name) == top, name
        assert store.waiting() == [], name
        assert store.status().unsent == 0, name
    for life in year.lives:
        assert machines["tinh"].store.document(life.doc).conflicts == [], life.code


def check_codes(year: Year) -> None:
    """No code is given twice, each is found, and bears the day of acceptance."""
    store = year.land.machines["tinh"].store
    codes = Counter(life.code for life in year.lives if life.code)
    assert [code for code, n in codes.items() if n > 1] == []
    for life in _accepted(year):
        assert store.lookup(DOSSIER.name, life.code) == life.doc
        assert life.received_ms is not None
        assert f"-{local(life.received_ms):%y%m%d}-" in life.code


def check_dates(year: Year) -> None:
    """A due date is never on a day off, and nothing but acceptance, a supplement or an extension sets it."""
    calendar, events = year.calendar, _events(year.land.machines["tinh"].store)
    for life in _accepted(year):
        given = []
        for event in events[life.doc]:
            ops = ops_of(event) or ()
            due = kept_due(ops)
            if due is None:
                continue
            acts = {op[2] for op in ops if op[0] == "act"}
            assert acts & _CHANGES, f"{life.code}: {acts} set a date"
            assert calendar.is_working(local(due).date()), f"{life.code} is due on a day off"
            given.append((event.header.time_ms, due))
        # Of several officers' logs the later may come first: a line sends what is small or urgent ahead.
        assert [due for _, due in sorted(given)] == [due for _, due in life.dues], life.code


def check_register(year: Year) -> None:
    """Each accepted dossier has one line, each volume every number once, and the head signed all of them."""
    desk = year.land.desks["Em"]
    wanted = Counter(local(life.received_ms).year for life in _accepted(year) if life.received_ms)
    for of, lives in wanted.items():
        register = desk.register(of)
        assert len(register.rows) == lives, of
        assert all(volume.is_whole for volume in register.volumes), of
        (closing,) = register.closings
        signed = {name: (last, is_same) for name, (last, _, is_same) in closing.volumes.items()}
        assert signed == {volume.name: (volume.last, True) for volume in register.volumes}, of


# ---- reports


def check_reports(year: Year) -> None:
    """The quarters of commune, district and province are what was done, and each carries on from the last."""
    for store, unit, is_tier in _wanted(year):
        before: Report | None = None
        for quarter in QUARTERS:
            report = report_of(store, unit, quarter, is_tier=is_tier)
            table, where = report.table, f"{unit} {quarter}"
            assert table.broken == (), where
            assert [*broken(table.total)] == [], where
            assert table.total == counted(year, unit, report.period, is_tier=is_tier), where
            assert table.total == sum((line.counts for line in table.fields), Counts()), where
            if not is_tier and unit in report.shares:
                assert report.shares[unit].ratings == rated(year, unit, report.period), where
            if before is not None and not _is_begun_by_merger(unit, quarter):
                assert table.total.c6 == before.table.total.c11, where
            before = report


def _is_begun_by_merger(unit: str, quarter: str) -> bool:
    return unit in {"c1", "c2", "n1"} and quarter == "Q3/2026"


def _wanted(year: Year) -> Iterable[tuple[Store, str, bool]]:
    for name in ("tinh", "huyen", "lanh-dao"):
        for unit in ("c1", "c2", "n1"):
            yield year.land.machines[name].store, unit, False
    for name in ("tinh", "huyen"):
        yield year.land.machines[name].store, "d1", True
    yield year.land.machines["tinh"].store, "p", True


def report_of(store: Store, unit: str, quarter: str, *, is_tier: bool) -> Report:
    """Makes a report of what a store holds."""
    rules = shipped_report_rules()
    return make(store, unit, named(quarter, rules), rules, str, is_tier=is_tier)


def counted(year: Year, unit: str, period: Period, *, is_tier: bool) -> Counts:
    """Counts again, out of what was noted beside the desks, by the words of the form alone."""
    found: Counter[int] = Counter()
    is_merged = period.end_ms > MERGED_MS
    for life in _accepted(year):
        at = "n1" if is_merged else TEAMS[life.team].unit
        if not is_tier and at != unit:
            continue
        received, ended = life.received_ms or 0, life.ended_ms
        if received >= period.end_ms or (ended is not None and ended < period.start_ms):
            continue
        came = 6 if received < period.start_ms else 4 if life.channel == "truc_tuyen" else 5
        found.update((3, came))
        if ended is not None and ended < period.end_ms:
            found.update((7, _resolved(life, ended)))
        else:
            found.update((11, 13 if _is_late(life, period.end_ms - 1) else 12))
    return Counts(*(found[column] for column in range(3, 14)))


def rated(year: Year, unit: str, period: Period) -> tuple[int, int, int]:
    """Counts again how those rated last, up to the end of the period, whose dossiers were resolved in it."""
    found = [0, 0, 0]
    is_merged = period.end_ms > MERGED_MS
    for life in _accepted(year):
        at = "n1" if is_merged else TEAMS[life.team].unit
        given = [score for at_ms, score in life.ratings if at_ms < period.end_ms]
        if at == unit and given and life.ended_ms and period.start_ms <= life.ended_ms < period.end_ms:
            found[given[-1]] += 1
    return found[0], found[1], found[2]


def _due_at(life: Life, ms: int) -> int | None:
    given = [due for since, due in life.dues if since <= ms]
    return given[-1] if given else None


def _is_late(life: Life, ms: int) -> bool:
    due = _due_at(life, ms)
    asked = [since for since, until in life.waits if since <= ms and (until is None or ms < until)]
    return due is not None and (asked[0] if asked else ms) > due


def _resolved(life: Life, ended: int) -> int:
    if _is_late(life, ended):
        return 10
    due = _due_at(life, ended)
    return 8 if due is not None and local(ended).date() < local(due).date() else 9


def check_supplements(year: Year) -> None:
    """What a supplementary report names came late, and makes its figures of those before."""
    signed = {each.doc: each.content for each in year.signed}
    for each in year.signed:
        said = each.content
        if said["version"] == 1:
            continue
        before = signed[said["supplements"]]
        assert said["changes"], each.label
        wanted = list(before["total"])
        for label, _, old, new, late in said["changes"]:
            for n, column in enumerate(COLUMNS):
                wanted[n] += _is_in(new, column) - _is_in(old, column)
            assert late, (each.label, label)
            assert all(came_ms >= before["made_ms"] for *_, came_ms in late), (each.label, label)
        assert wanted == said["total"], each.label


def _is_in(place: Any, column: int) -> bool:
    return bool(place) and Place(*place).is_in(column)


# ---- whichever way it came


def check_ways(year: Year) -> dict[str, int]:
    """A new machine of the district ends with the same bytes and figures by line, relay, stick and any order.

    Returns:
        Way → how many dossiers came.
    """
    land, dice = year.land, random.Random(year.seed)
    names = ("by-line", "by-relay", "relay", "by-stick", "by-order")
    for name in names:
        land.add(name, "d1", serves=name == "relay")
    land.machines["tinh"].store.receive(land.province.issued)
    for name in PARENTS_FIRST:
        land.line(name, "tinh")
    land.line("by-line", "huyen")
    land.line("relay", "tinh")
    land.line("by-relay", "relay")
    land.line("by-stick", "huyen")
    land.stick("by-stick", "huyen")
    _in_any_order(year, land.machines["by-order"].store, dice)
    top = land.machines["tinh"].store
    wanted = top.fingerprints(DOSSIER.name)
    found = {}
    for name in names:
        store = land.machines[name].store
        held = store.fingerprints(DOSSIER.name)
        other = [doc.hex() for doc in wanted if held.get(doc) != wanted[doc]]
        assert not other, (name, other, len(store.waiting()))
        for quarter in QUARTERS:
            mine, theirs = (report_of(s, "d1", quarter, is_tier=True) for s in (store, top))
            assert mine.table == theirs.table, (name, quarter)
        found[name] = len(wanted)
    return found


PARENTS_FIRST: Final = ("huyen",)


def _in_any_order(year: Year, store: Store, dice: random.Random) -> None:
    top = year.land.machines["tinh"].store
    frames = {event.id: event.to_frame() for events in _events(top).values() for event in events}
    for log in sorted({parse(frame).log for frame in frames.values()}):
        frames.update((parse(frame).id, frame) for frame in top.introduction(log))
    left = list(frames)
    for _ in range(4):  # what came before the log that it belongs to is not stored: it has to come again
        dice.shuffle(left)
        outcomes: list[Outcome] = []
        for at in range(0, len(left), 500):
            outcomes += store.receive([frames[each] for each in left[at : at + 500]])
        left = [outcome.id for outcome in outcomes if not outcome.is_stored]
    assert left == []


def _events(store: Store) -> dict[bytes, list[Event]]:
    """Returns every event of every dossier, in the order in which they came to a store."""
    query = sa.select(t.event, t.document.c.id.label("doc")).join(
        t.document, t.document.c.n == t.event.c.doc_n
    )
    found: dict[bytes, list[Event]] = {}
    with store.reading() as connection:
        for row in connection.execute(query.where(t.document.c.kind == DOSSIER.name).order_by(t.event.c.n)):
            found.setdefault(row.doc, []).append(stored_event(row))
    return found


def _accepted(year: Year) -> list[Life]:
    return [life for life in year.lives if life.code]


__all__ = ["check", "check_ways"]
