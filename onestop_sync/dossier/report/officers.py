"""The marks of single officers: indicators 1, 2, 3, 4 and 7 over the dossiers in which they took part.

An officer took part in a dossier in which they signed anything [I]. Of indicator 2 nothing is known of one
person: dates are given to units. What has no data is left out (Article 15.4b), and is told.

Source: TT 01/2018/TT-VPCP, Articles 15.1a, 15.2 and 15.3a.
"""

from __future__ import annotations

from collections import Counter
from typing import Final, NamedTuple

from onestop_sync.dossier.report.count import LATE_COL, Place
from onestop_sync.dossier.report.course import Course
from onestop_sync.dossier.report.rules import ReportRules
from onestop_sync.dossier.report.shares import MARK_OF, grade_of, speaks_against, tenths_of

__all__ = ["OFFICER_INDICATORS", "OfficerMarks", "OfficerWatch"]

OFFICER_INDICATORS: Final = (1, 2, 3, 4, 7)


class OfficerMarks(NamedTuple):
    """What an officer's dossiers of a period come to.

    Attributes:
        dossiers: Resolved dossiers in which the officer took part.
        late: How many of them were resolved late.
        tenths: Indicator → value in tenths; those without data are not there.
        total_tenths: Their sum.
        grade_vi: What that is called; empty without any dossier.
    """

    dossiers: int
    late: int
    tenths: dict[int, int]
    total_tenths: int
    grade_vi: str


class OfficerWatch:
    """Sums up one officer's dossiers.

    Args:
        rules: In force when the period ends.
        hears: Whether complaints are taken down at the officer's unit.
        end_ms: When the period ends, milliseconds since 1970 UTC; ratings count that were given before.
    """

    def __init__(self, rules: ReportRules, *, hears: bool, end_ms: int) -> None:
        self._rules = rules
        self._hears = hears
        self._end_ms = end_ms
        self._rated = 0
        self._sums: Counter[int] = Counter()
        self._dossiers = 0
        self._late = 0

    def add(self, course: Course, at: Place, *, is_complained_of: bool) -> None:
        """Counts a dossier that was resolved in the period; any other is left out."""
        mark = MARK_OF.get(at.stands)
        if mark is None:
            return
        self._dossiers += 1
        self._late += at.stands == LATE_COL
        self._sums[1] += mark
        self._sums[3] += max(0, 2 - course.asks)
        self._sums[4] += 1 if course.asks else 2
        score = course.score_at(self._end_ms - 1)
        self._rated += score is not None
        self._sums[7] += 0 if is_complained_of or speaks_against(score, self._rules) else mark

    def found(self) -> OfficerMarks:
        """Returns what was found."""
        is_heard = self._hears or self._rated >= max(1, self._rules.ratings_min)
        measured = (1, 3, 4, 7) if is_heard else (1, 3, 4)
        tenths = {i: tenths_of(self._sums[i], self._dossiers) for i in measured if self._dossiers}
        total = sum(tenths.values())
        grade = grade_of(total, self._rules.officer_grades) if tenths else ""
        return OfficerMarks(self._dossiers, self._late, tenths, total, grade)
