"""Officers' marks made of what a store holds; for the unit's own head, never part of a signed report.

for line in officers(store, "c1", period, rules):
    print(line.name, line.marks.total_tenths)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from onestop_sync.alphabet import alphabetical
from onestop_sync.dossier.labels import one_line
from onestop_sync.dossier.report.count import place
from onestop_sync.dossier.report.officers import OFFICER_INDICATORS, OfficerMarks, OfficerWatch
from onestop_sync.dossier.report.periods import Period
from onestop_sync.dossier.report.rules import ReportRules, rules_for
from onestop_sync.dossier.report.shares import MARK_OF
from onestop_sync.reporting.hearing import heard
from onestop_sync.reporting.making import numbered
from onestop_sync.reporting.words import number
from onestop_sync.storage import tallies
from onestop_sync.store import Store
from onestop_sync.trust import Authority

__all__ = ["NO_OFFICERS", "OfficerLine", "officer_lines", "officers"]

NO_OFFICERS: Final = "Không có hồ sơ nào giải quyết xong trong kỳ."
_WHY: Final = {
    2: "hạn được giao cho đơn vị, không giao cho từng người",
    7: "chưa có phản ánh, kiến nghị, đánh giá nào được ghi vào phần mềm",
}


class OfficerLine(NamedTuple):
    """One officer: the name in the certificate, and the marks."""

    name: str
    marks: OfficerMarks


def officers(
    store: Store, unit: str, period: Period, rules: Sequence[ReportRules]
) -> tuple[OfficerLine, ...]:
    """Returns the marks of a unit's officers, by name.

    Args:
        store: Holds the unit's dossiers.
        unit: Its id.
        period: The period.
        rules: All that are known; those in force on the period's last day are used.

    Raises:
        InvalidInput: No rules are known for the period.
    """
    ruled = rules_for(period.last, rules)
    complaints = heard(store, period)
    hears = len(complaints.units.get(unit, ())) >= ruled.complaints_min
    with store.reading() as connection:
        resolved = {
            n: (course, at)
            for n, holder, course in numbered(connection, store, period)
            if holder == unit and (at := place(course, period)) is not None and at.stands in MARK_OF
        }
        logs = tallies.logs_of(connection, sorted(resolved))
    watches: dict[str, OfficerWatch] = {}
    for name, n in _signers(store, unit, logs):
        course, at = resolved[n]
        watch = watches.setdefault(name, OfficerWatch(ruled, hears=hears, end_ms=period.end_ms))
        watch.add(course, at, is_complained_of=n in complaints.about)
    return tuple(
        OfficerLine(name, watch.found())
        for name, watch in sorted(watches.items(), key=lambda each: alphabetical(each[0]))
    )


def _signers(store: Store, unit: str, logs: Sequence[tuple[int, bytes]]) -> Iterator[tuple[str, int]]:
    """Yields each officer of a unit with each dossier in which they signed something, once."""
    names: dict[bytes, str] = {}
    for log in {log for _, log in logs}:
        authority = store.trust.authority(log)
        if not isinstance(authority, Authority) or authority.certificate.kind != "officer":
            continue
        of = authority.certificate.unit
        if unit in {of, *store.trust.document.tree.heirs(of)}:
            names[log] = authority.certificate.name
    yield from sorted({(names[log], n) for n, log in logs if log in names})


def officer_lines(found: Sequence[OfficerLine]) -> Iterator[str]:
    """Yields officers' marks in Vietnamese, a line each, and what could not be measured."""
    for line in found:
        marks = line.marks
        parts = "; ".join(f"chỉ số {i}: {number(v / 10)}" for i, v in marks.tenths.items())
        yield (
            f"{one_line(line.name)}: {marks.dossiers} hồ sơ, {marks.late} quá hạn; {parts};"
            f" tổng {number(marks.total_tenths / 10)} điểm. {marks.grade_vi}."
        )
    if found:
        left = {i for line in found for i in OFFICER_INDICATORS if i not in line.marks.tenths}
        yield from (f"Chưa đo được chỉ số {i}: {_WHY[i]}." for i in sorted(left) if i in _WHY)
