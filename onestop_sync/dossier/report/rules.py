"""What a quarterly report goes by: when periods begin, targets, and what marks are worth; dated data.

Source: Thông tư 01/2020/TT-VPCP (periods, form II.06); Thông tư 01/2018/TT-VPCP, Articles 13 to 15 (marks);
the provincial plan of 04/10/2018 (targets of the four steps on the spot).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from onestop_sync.dossier.plain import PlainMap
from onestop_sync.errors import FormatError, InvalidInput

__all__ = ["Grade", "ReportRules", "rules_for", "rules_from_plain"]

_QUARTERS = 4
_OLDER = {"complaints_percent": 90, "complaints_min": 1, "ratings_min": 1, "rating_against": 0}
"""What rules say that were published before these parameters were: what every program went by until then."""


class Grade(NamedTuple):
    """What a sum of marks is called from a least value on, in tenths."""

    from_tenths: int
    name_vi: str


@dataclass(frozen=True, slots=True)
class ReportRules:
    """How reports are made of what ends on a day.

    Attributes:
        effective_to: Last day in force, ``None`` while it still is.
        quarters: ``(month, day)`` on which each quarter begins; the first one's lies in the year before when
            it is later than the second one's.
        on_spot_percent: Level of a unit → share of procedures that should be done in four steps on the spot.
        mark5_percent: Level of a unit → the same share, from which indicator 5 gives 2 marks.
        regular_min: From how many received dossiers in the period on a procedure "regularly" has some.
        late_asks: A dossier that was asked for supplements more often is late (QĐ 766's way of counting).
        online_percent: Shares of dossiers submitted online from which indicator 9 gives 2 marks, and 1.
        online_procedures_percent: Share of procedures with such dossiers from which it gives 2 marks.
        complaints_percent: Share of complaints handled in time from which indicator 8 gives 1 mark.
        complaint_undated_days: Days after which a complaint that nobody took in hand drags on; 0: never.
        complaints_min: From how many complaints taken down at a unit indicators 7 and 8 have data.
        ratings_min: From how many rated dossiers, of those resolved, indicator 7 has data without complaints.
        rating_against: A rating of at most this counts against indicator 7 as a complaint does; -1: none.
        unit_grades: What the sum of a unit's marks is called.
        officer_grades: What the sum of an officer's marks is called.
    """

    id: str
    effective_from: date
    effective_to: date | None
    quarters: tuple[tuple[int, int], ...]
    on_spot_percent: dict[str, int]
    mark5_percent: dict[str, int]
    regular_min: int
    late_asks: int
    online_percent: tuple[int, int]
    online_procedures_percent: int
    complaints_percent: int
    complaint_undated_days: int
    complaints_min: int
    ratings_min: int
    rating_against: int
    unit_grades: tuple[Grade, ...]
    officer_grades: tuple[Grade, ...]
    form_06a: str
    form_06b: str
    source: str = ""

    def to_plain(self) -> dict[str, Any]:
        """Return the rules as maps, arrays, text and integers, as they are published."""
        return {
            "id": self.id,
            "effective_from": self.effective_from.isoformat(),
            "effective_to": self.effective_to.isoformat() if self.effective_to else None,
            "quarters": [list(quarter) for quarter in self.quarters],
            "on_spot_percent": dict(self.on_spot_percent),
            "mark5_percent": dict(self.mark5_percent),
            "regular_min": self.regular_min,
            "late_asks": self.late_asks,
            "online_percent": list(self.online_percent),
            "online_procedures_percent": self.online_procedures_percent,
            "complaints_percent": self.complaints_percent,
            "complaint_undated_days": self.complaint_undated_days,
            "complaints_min": self.complaints_min,
            "ratings_min": self.ratings_min,
            "rating_against": self.rating_against,
            "unit_grades": [list(grade) for grade in self.unit_grades],
            "officer_grades": [list(grade) for grade in self.officer_grades],
            "form_06a": self.form_06a,
            "form_06b": self.form_06b,
            "source": self.source,
        }

    def is_in_force(self, day: date) -> bool:
        """Tell whether a period that ends on that day is reported by these rules."""
        return self.effective_from <= day and (self.effective_to is None or day <= self.effective_to)


def rules_for(day: date, rules: Iterable[ReportRules]) -> ReportRules:
    """Return the rules in force on the last day of a period.

    Raises:
        InvalidInput: None is in force, or more than one.
    """
    found = [each for each in rules if each.is_in_force(day)]
    if len(found) == 1:
        return found[0]
    raise InvalidInput(
        f"One set of rules for reports should be in force on {day}; there are {len(found)}.",
        todo="Nothing was changed. Choose another period, or synchronise the legal profiles.",
    )


def _quarter(value: object) -> tuple[int, int]:
    match value:
        case [int(month), int(day)]:
            try:
                date(2001, month, day)
            except (ValueError, OverflowError):
                raise FormatError("A quarter of the rules for reports begins on no day.") from None
            return month, day
    raise FormatError("A quarter of the rules for reports is not month and day.")


def _grade(value: object) -> Grade:
    match value:
        case [int(from_tenths), str(name)]:
            return Grade(from_tenths, name)
    raise FormatError("A grade of the rules for reports is not marks and name.")


def _shares(plain: PlainMap, key: str) -> dict[str, int]:
    value = plain.raw(key)
    if not isinstance(value, dict):
        raise FormatError(f"The rules for reports lack {key}.")
    found = PlainMap(value, f"{key} of the rules for reports")
    return {str(level): found.integer(level) for level in value}


def rules_from_plain(value: object) -> ReportRules:
    """Read rules for reports from plain data.

    Raises:
        FormatError: They are none.
    """
    plain = PlainMap(value, "rules for reports")
    online = plain.integers("online_percent")
    quarters = tuple(map(_quarter, plain.items("quarters")))
    if len(online) != 2 or len(quarters) != _QUARTERS:  # noqa: PLR2004 - a pair
        raise FormatError("The rules for reports lack shares, or one of the four quarters.")
    return ReportRules(
        id=plain.text("id"),
        effective_from=plain.day("effective_from"),
        effective_to=plain.optional_day("effective_to"),
        quarters=quarters,
        on_spot_percent=_shares(plain, "on_spot_percent"),
        mark5_percent=_shares(plain, "mark5_percent"),
        regular_min=plain.integer("regular_min"),
        late_asks=plain.integer("late_asks"),
        online_percent=(online[0], online[1]),
        online_procedures_percent=plain.integer("online_procedures_percent"),
        complaints_percent=plain.integer("complaints_percent", _OLDER["complaints_percent"]),
        complaint_undated_days=plain.integer("complaint_undated_days", 0),
        complaints_min=plain.integer("complaints_min", _OLDER["complaints_min"]),
        ratings_min=plain.integer("ratings_min", _OLDER["ratings_min"]),
        rating_against=plain.integer("rating_against", _OLDER["rating_against"]),
        unit_grades=tuple(map(_grade, plain.items("unit_grades"))),
        officer_grades=tuple(map(_grade, plain.items("officer_grades"))),
        form_06a=plain.text("form_06a"),
        form_06b=plain.text("form_06b"),
        source=plain.text("source", ""),
    )
