"""How well it went: the four steps on the spot, the indicators of TT 01/2018, punctuality as QĐ 766 has it.

- *On the spot*: every dossier of the procedure that was decided in the period stayed at the unit that took it
  in: no other unit held it or was asked [I]. Only procedures that regularly have dossiers count.
- *Indicator 2* (time of each unit that took part): who worked alone on a dossier has the mark of 1; an agency
  that was asked has one for each answer, against the date that it was given; a unit that asked others has no
  date of its own, and so no mark for that dossier [I].
- *Indicator 6* (publication) rests on boards and web pages that nothing here sees, and so on the last
  inspection of the period that somebody wrote down; 7 (attitude) and 8 (complaints) on complaints, where a
  unit takes them down here. Indicators without data are left out (Article 15.4b), and a report says which and
  why. A dossier that is complained of has no mark for 7, any other that for 1; nor has one with which its
  applicant was not content, by the last rating up to the end of the period [I]: ratings are data of 7 as well
  (Article 14.3a). Indicator 4 needs no count of its own: supplements go through the one-stop desk alone, so
  who was asked at all had one place to go to.
- *QĐ 766* subtracts the time for which the applicant was awaited, and counts who was asked twice as late;
  waiting is subtracted by the clock, from the first appointment [I].

Source: Thông tư 01/2018/TT-VPCP, Articles 13 to 15; the provincial plan of 04/10/2018; QĐ 766/QĐ-TTg.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from onestop_sync.dossier.complaint import Handling
from onestop_sync.dossier.report.count import EARLY_COL, LATE_COL, ON_TIME_COL, ONLINE_COL, OVERDUE_COL, Place
from onestop_sync.dossier.report.course import ONLINE, Course
from onestop_sync.dossier.report.periods import Period
from onestop_sync.dossier.report.rules import Grade, ReportRules

__all__ = [
    "INDICATORS",
    "MARK_OF",
    "UNMEASURED",
    "Marks",
    "OnSpot",
    "Shares",
    "Watch",
    "grade_of",
    "is_on_time_766",
    "speaks_against",
    "tenths_of",
]

INDICATORS: Final[Mapping[int, str]] = {
    1: "Thời gian giải quyết so với quy định",
    2: "Thời gian thực hiện của từng cơ quan tham gia",
    3: "Số lần phải liên hệ để hoàn thiện hồ sơ",
    4: "Số cơ quan phải liên hệ để hoàn thiện hồ sơ",
    5: "Tiếp nhận, giải quyết, trả kết quả tại Bộ phận Một cửa",
    6: "Công khai thủ tục hành chính",
    7: "Thái độ của cán bộ, công chức, viên chức",
    8: "Tiếp thu, giải trình phản ánh, kiến nghị",
    9: "Cung cấp dịch vụ công trực tuyến",
}
_DAY_MS: Final = 24 * 3600 * 1000
_DECIDED: Final = frozenset({"approve", "reject"})
UNMEASURED: Final[Mapping[int, str]] = {
    1: "không có hồ sơ nào giải quyết xong trong kỳ",
    2: "không có phần việc nào có hạn riêng mà đơn vị phải xong trong kỳ",
    3: "không có hồ sơ nào giải quyết xong trong kỳ",
    4: "không có hồ sơ nào giải quyết xong trong kỳ",
    5: "không có thủ tục thường xuyên có hồ sơ, hoặc cấp này không có mức phải đạt",
    6: "trong kỳ chưa ghi kết quả kiểm tra niêm yết, công khai thủ tục",
    7: "đơn vị chưa ghi phản ánh, kiến nghị, đánh giá nào vào phần mềm",
    8: "đơn vị chưa ghi phản ánh, kiến nghị vào phần mềm",
    9: "không tiếp nhận hồ sơ nào trong kỳ",
}
"""Why an indicator has no data, where it has none."""
MARK_OF: Final = {EARLY_COL: 2, ON_TIME_COL: 1, LATE_COL: 0}
"""Column in which a resolved dossier stands → its mark for indicator 1."""


class OnSpot(NamedTuple):
    """The four steps on the spot at one unit.

    Attributes:
        regular: Procedures that regularly have dossiers.
        done: Of these, those of which every decided dossier was done on the spot.
        target: Share that should be, percent; ``None`` where none is set for the unit's level.
    """

    regular: int
    done: int
    target: int | None

    @property
    def percent(self) -> float | None:
        """The share, one decimal; ``None`` when there is nothing to share."""
        return round(100 * self.done / self.regular, 1) if self.regular else None

    @property
    def is_met(self) -> bool | None:
        """Whether the target was reached; ``None`` when that cannot be said."""
        if not self.regular or self.target is None:
            return None
        return 100 * self.done >= self.target * self.regular


class Marks(NamedTuple):
    """The indicators that have data: number → value in tenths; their sum, and what it is called."""

    tenths: dict[int, int]
    total_tenths: int
    grade_vi: str


class Shares(NamedTuple):
    """What was found of one unit.

    Attributes:
        on_time_766: Share of resolved dossiers in time by QĐ 766's count, percent, one decimal.
        online: Share of received dossiers that were submitted online.
        ratings: How many of the resolved dossiers their applicants rated last with 0, 1 and 2.
    """

    on_spot: OnSpot
    marks: Marks
    on_time_766: float | None
    online: float | None
    ratings: tuple[int, int, int] = (0, 0, 0)


def is_on_time_766(course: Course, ended_ms: int, rules: ReportRules) -> bool:
    """Tells whether a dossier counts as in time when waiting is subtracted from what it took."""
    if not course.dues:
        return course.asks <= rules.late_asks
    return course.asks <= rules.late_asks and ended_ms - course.waited_ms(ended_ms) <= course.dues[0][1]


class Watch:
    """Sums up one unit's dossiers, one after the other.

    Args:
        level: The unit's level.
        period: The period.
        rules: In force when it ends.
    """

    def __init__(self, level: str, period: Period, rules: ReportRules) -> None:
        self.level, self.period, self.rules = level, period, rules
        self._received: Counter[str] = Counter()
        self._online: Counter[str] = Counter()
        self._decided: Counter[str] = Counter()
        self._elsewhere: set[str] = set()
        self._sums: Counter[int] = Counter()
        self._resolved = 0
        self._parts = 0
        self._in_time = 0
        self._online_late = 0
        self._complaints: list[Handling] | None = None
        self._ratings = [0, 0, 0]
        self._public: int | None = None

    def inspect(self, mark: int) -> None:
        """Counts the mark of the inspection by which the period goes (indicator 6)."""
        self._public = mark

    def hear(self, complaints: Iterable[Handling]) -> None:
        """Counts complaints that the unit handles; few at all are not the same as never having been told."""
        found = list(complaints)
        self._complaints = found if len(found) >= self.rules.complaints_min else None

    def take_part(self, mark: int) -> None:
        """Counts how the unit kept the date that it was given for its part of a dossier."""
        self._parts += 1
        self._sums[2] += mark

    def add(self, course: Course, at: Place, *, is_complained_of: bool = False) -> None:
        """Counts a dossier of the period that stands there (`count.place`)."""
        if course.received_ms >= self.period.start_ms:
            self._received[course.procedure] += 1
            self._online[course.procedure] += at.came == ONLINE_COL
        self._online_late += course.channel == ONLINE and at.stands in {LATE_COL, OVERDUE_COL}
        if at.stands in MARK_OF and course.ended_ms is not None:
            self._add_resolved(course, course.ended_ms, MARK_OF[at.stands])
            score = course.score_at(self.period.end_ms - 1)
            if score is not None:
                self._ratings[score] += 1
            is_against = is_complained_of or speaks_against(score, self.rules)
            self._sums[7] += 0 if is_against else MARK_OF[at.stands]
            if not course.others:
                self.take_part(MARK_OF[at.stands])

    def _add_resolved(self, course: Course, ended_ms: int, mark: int) -> None:
        self._resolved += 1
        self._in_time += is_on_time_766(course, ended_ms, self.rules)
        self._sums[1] += mark
        self._sums[3] += max(0, 2 - course.asks)
        self._sums[4] += 1 if course.asks else 2
        if course.outcome in _DECIDED:
            self._decided[course.procedure] += 1
            if course.others:
                self._elsewhere.add(course.procedure)

    def found(self) -> Shares:
        """Returns what was found."""
        received, online = self._received.total(), self._online.total()
        return Shares(
            self._on_spot(),
            self._marks(received, online),
            _percent(self._in_time, self._resolved),
            _percent(online, received),
            (self._ratings[0], self._ratings[1], self._ratings[2]),
        )

    def _on_spot(self) -> OnSpot:
        regular = {p for p in self._decided if self._regular(p)}
        target = self.rules.on_spot_percent.get(self.level)
        return OnSpot(len(regular), len(regular - self._elsewhere), target)

    def _regular(self, procedure: str) -> bool:
        return max(self._received[procedure], self._decided[procedure]) >= self.rules.regular_min

    def _marks(self, received: int, online: int) -> Marks:
        tenths = {i: tenths_of(self._sums[i], self._resolved) for i in (1, 3, 4) if self._resolved}
        if self._parts:
            tenths[2] = tenths_of(self._sums[2], self._parts)
        spot = self._on_spot()
        wanted = self.rules.mark5_percent.get(self.level)
        if spot.regular and wanted is not None:
            tenths[5] = 20 if 100 * spot.done >= wanted * spot.regular else 10
        if self._public is not None:
            tenths[6] = 10 * self._public
        is_heard = self._complaints is not None or sum(self._ratings) >= max(1, self.rules.ratings_min)
        if is_heard and self._resolved:
            tenths[7] = tenths_of(self._sums[7], self._resolved)
        if self._complaints is not None:
            tenths[8] = 10 * self._mark8(self._complaints)
        if received:
            tenths[9] = 10 * self._mark9(received, online)
        total = sum(tenths.values())
        name = grade_of(total, self.rules.unit_grades)
        return Marks(dict(sorted(tenths.items())), total, name if tenths else "")

    def _mark8(self, complaints: Iterable[Handling]) -> int:
        start_ms, last_ms = self.period.start_ms, self.period.end_ms - 1
        here = [each for each in complaints if each.ended_ms is None or each.ended_ms >= start_ms]
        undated_ms = self.rules.complaint_undated_days * _DAY_MS
        late = [each for each in here if not each.is_on_time(last_ms, undated_ms)]
        in_time = len(here) - len(late)
        is_dragging = any(each.ended_ms is None or each.ended_ms > last_ms for each in late)
        if in_time == len(here):
            return 2
        return int(not is_dragging and 100 * in_time >= self.rules.complaints_percent * len(here))

    def _mark9(self, received: int, online: int) -> int:
        if self._online_late:
            return 0
        most, some = self.rules.online_percent
        offered = sum(n > 0 for n in self._online.values())
        is_offered = 100 * offered >= self.rules.online_procedures_percent * len(self._received)
        if 100 * online >= most * received and is_offered:
            return 2
        return int(100 * online >= some * received)


def speaks_against(score: int | None, rules: ReportRules) -> bool:
    """Tells whether a dossier's rating counts against indicator 7, as a complaint does."""
    return score is not None and score <= rules.rating_against


def grade_of(tenths: int, grades: Iterable[Grade]) -> str:
    """Returns what a sum of marks is called; empty where nothing is said of it."""
    return next((grade.name_vi for grade in grades if tenths >= grade.from_tenths), "")


def tenths_of(total: int, of: int) -> int:
    """Returns marks by number of dossiers, in tenths, rounded as Article 15.2a has it."""
    return (20 * total + of) // (2 * of)


def _percent(part: int, of: int) -> float | None:
    return round(100 * part / of, 1) if of else None
