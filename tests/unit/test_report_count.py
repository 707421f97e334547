"""Biểu II.06a/b: each dossier in its columns, sums that agree, legal cut-offs, and the shares."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onestop_sync.dossier.complaint import Handling
from onestop_sync.dossier.data import shipped_report_rules
from onestop_sync.dossier.report.count import Counts, Place, broken, count, holder_at, place, under
from onestop_sync.dossier.report.course import Course, course_of, of_tally, tally_of
from onestop_sync.dossier.report.officers import OfficerMarks, OfficerWatch
from onestop_sync.dossier.report.parts import Part
from onestop_sync.dossier.report.periods import Period, after, before, containing, named
from onestop_sync.dossier.report.rules import ReportRules
from onestop_sync.dossier.report.shares import Watch
from onestop_sync.dossier.roles import HEAD, OFFICERS, RETURN
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.dossier.workflow import ENDED, MAIN_TASK, base_step
from onestop_sync.errors import InvalidInput
from onestop_sync.fold import Author, Entry, apply, fold
from onestop_sync.schema import MAIN
from onestop_sync.storage.projection import pack, unpack
from onestop_sync.units import Tree, Unit
from tests.unit.dossier_world import APPRAISER, APPROVER, CHIEF, CLERK, D_APPRAISER, TO_APPROVAL, World

RULES = shipped_report_rules()
Q1, Q4 = named("Q1/2026", RULES), named("Q4/2025", RULES)


def placed(courses: list[Course], period: Period = Q1) -> list[tuple[str, Course, Place]]:
    """Returns the dossiers of a period with their units and places."""
    return [(c.unit, c, at) for c in courses if (at := place(c, period)) is not None]


DAY = 24 * 3600 * 1000
START, END = Q1.start_ms, Q1.end_ms


def dossier(received: int, ended: int | None = None, *dues: tuple[int, int], **facts: Any) -> Course:
    """Returns a dossier of which the due date is a day after it was received, where none is given."""
    given_dues = dues or ((received, received + DAY),)
    base = Course(
        "x01", "1.001193", "truc_tiep", received, ended, "approve" if ended else "", given_dues, (), 0, 0
    )
    return base._replace(**facts)


def test_quarters_have_the_legal_cut_offs() -> None:
    """The first quarter begins on 15 December of the year before; no day is between two."""
    days = [(p.first, p.last) for p in (named(f"Q{n}/2026", RULES) for n in (1, 2, 3, 4))]
    assert days == [
        (date(2025, 12, 15), date(2026, 3, 14)),
        (date(2026, 3, 15), date(2026, 6, 14)),
        (date(2026, 6, 15), date(2026, 9, 14)),
        (date(2026, 9, 15), date(2026, 12, 14)),
    ]
    assert named("2026", RULES)[1:3] == (date(2025, 12, 15), date(2026, 12, 14))
    assert containing(START, RULES) == Q1 == containing(END - 1, RULES)
    assert before(Q1, RULES).name == "Q4/2025"
    assert after(before(Q1, RULES), RULES) == Q1
    running = Q1.until(START + DAY)
    assert (running.is_over, Q1.is_over, Q1.until(END + DAY)) == (False, True, Q1)
    assert place(dossier(START, dues=((START, START + 2 * DAY),)), running) == (5, 12)
    for text in ("Q5/2026", "Q1/0000", "31/02/2026-01/03/2026", "02/03/2026-01/03/2026", "x"):
        with pytest.raises(InvalidInput):
            named(text, RULES)


def test_columns_of_the_form() -> None:
    """Who comes, is carried over, ends early, on the day or late, or goes on, stands in its column."""
    noon = START + DAY // 2
    assert place(dossier(noon, channel="truc_tuyen"), Q1) == (4, 13)
    assert place(dossier(noon, noon + 1), Q1) == (5, 8)
    assert place(dossier(noon, noon + DAY), Q1) == (5, 9)
    assert place(dossier(START - 1, noon + DAY), Q1) == (6, 10)
    assert place(dossier(END - 1), Q1) == (5, 12)
    assert place(dossier(noon, END), Q1) == (5, 13)
    assert place(dossier(START - 2, START - 1), Q1) is None
    assert place(dossier(END), Q1) is None
    assert place(dossier(noon, noon + DAY, dues=()), Q1) == (5, 9)


def test_waiting_for_the_applicant_is_on_one_side_only() -> None:
    """What waits is in progress and within time; what was overdue when the applicant was asked stays so."""
    noon = START + DAY // 2
    assert place(dossier(noon, waits=((noon + 1, None),)), Q1) == (5, 12)
    assert place(dossier(noon, waits=((noon + 2 * DAY, None),)), Q1) == (5, 13)
    table = count(placed([dossier(noon, waits=((noon + 1, None),))]), Q1, str, str)
    assert (table.waiting, table.total.c3, table.total.c7, table.total.c11) == (1, 1, 0, 1)


def test_what_comes_after_the_cut_off_changes_no_figure_before_it() -> None:
    """A new appointment or an end after the cut-off leaves the report of the period as it was."""
    course = dossier(END - 3 * DAY)
    later = course._replace(dues=(*course.dues, (END + 1, END + 9 * DAY)), ended_ms=END + DAY)
    assert place(course, Q1) == place(later, Q1) == (5, 13)


COURSES = st.builds(
    lambda received, lasts, due, waits, online, unit: dossier(
        received,
        None if lasts is None else received + lasts,
        (received, received + due),
        waits=() if waits is None else ((received + waits, received + 2 * waits),),
        channel="truc_tuyen" if online else "buu_chinh",
        unit=unit,
        procedure=f"p{due % 3}",
    ),
    st.integers(START - 100 * DAY, END + 100 * DAY),
    st.none() | st.integers(0, 90 * DAY),
    st.integers(0, 30 * DAY),
    st.none() | st.integers(0, 10 * DAY),
    st.booleans(),
    st.sampled_from(["a", "b"]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(COURSES, max_size=25))
def test_invariants_hold_for_any_history(courses: list[Course]) -> None:
    """3=4+5+6, 7=8+9+10, 11=12+13, 3=7+11, 6 = the last 11; counted by hand too; units sum to their tier."""
    carried = count(placed(courses, Q4), Q4, str, str).total.c11
    table = count(placed(courses), Q1, lambda p: f"field {p}", str, carried)
    total = table.total
    assert not table.broken
    assert total.c3 == total.c4 + total.c5 + total.c6 == total.c7 + total.c11
    assert total.c6 == carried
    started = [c for c in courses if START <= c.received_ms < END]
    assert total.c4 + total.c5 == len(started)
    assert total.c7 == sum(c.ended_ms is not None and START <= c.ended_ms < END for c in courses)
    assert sum((line.counts for line in table.units), Counts()) == total
    alone = [count(placed([c for c in courses if c.unit == u]), Q1, str, str).total for u in "ab"]
    assert sum(alone, Counts()) == total


def test_lines_stand_in_vietnamese_order() -> None:
    """Đ stands after D and before E, not behind Y: fields are found where people look for them."""
    courses = [dossier(START, procedure=name) for name in ("Hộ tịch", "Đất đai", "Chứng thực", "Giáo dục")]
    lines = count(placed(courses), Q1, str, str).fields
    assert [line.name for line in lines] == ["Chứng thực", "Đất đai", "Giáo dục", "Hộ tịch"]


def test_broken_figures_are_named() -> None:
    """Every invariant that does not hold is told with its figures."""
    wrong = Counts(c3=5, c4=1, c7=2, c11=2, c6=1)
    assert [line[:4] for line in broken(wrong, 3)] == ["(3) ", "(7) ", "(11)", "(3) ", "(6) "]
    assert not list(broken(Counts(), 0))


def test_course_of_a_dossier_is_read_from_its_events() -> None:
    """Acceptance, the waiting, each due date and the decision count from their own moments, packed or not."""
    world = World()
    start = world.add(
        [world.root],
        [
            ["set", "tiep_nhan_luc", 100],
            ["set", "han_tra", {"ms": 500, "tu_ms": 100}],
            ["act", MAIN, "accept", {}],
        ],
        CLERK,
    )  # fmt: skip
    assert course_of(World().state) is None
    at = world.path(start, (CLERK, "give"), (APPRAISER, "receive"), (APPRAISER, "ask_supplement"))
    waiting = course_of(world.state)
    assert waiting is not None
    assert (waiting.received_ms, waiting.dues, waiting.ended_ms) == (100, ((100, 500),), None)
    at = world.add([at], [["set", "han_tra", {"ms": 900, "tu_ms": 5}], ["act", MAIN, "supply", {}]], CLERK)
    world.path(at, (CLERK, "give"), (APPRAISER, "receive"), (APPRAISER, "submit"), (APPROVER, "approve"))
    course, line = course_of(world.state), tally_of(world.state)
    assert course is not None
    assert line is not None
    assert (course.asks, course.others, course.outcome) == (1, 0, "approve")
    assert [due for _, due in course.dues] == [500, 900]
    assert course.ended_ms == 100  # an end before the receipt is no end before it
    assert of_tally(line) == course


def test_any_walk_through_the_workflow_is_counted_as_its_events_say() -> None:
    """However a dossier goes, carried on or folded anew, its course is what its events say."""
    rng, ended = Random(11), 0
    everyone = Author("x01", frozenset({"x01", "h01"}), frozenset(OFFICERS | {HEAD, RETURN}))
    for _ in range(25):
        at, times, state = START, [], None
        entries = [Entry(b"%032d" % 0, (), [["set", "nguoi_nop", "A"]], everyone, at)]
        state = apply(DOSSIER, None, entries[0])
        while len(entries) < 14 and (able := MAIN_TASK.actions_at(state.tasks[MAIN].step)):
            at += rng.randrange(20 * DAY)
            action = rng.choice(able).action
            to = rng.choice(["x01", "h01"])
            arguments = {"to": to, "ly_do": "a", "noi_dung": "b", "han_moi": 1, "han": 1}
            ops: list[Any] = [["act", MAIN, action, arguments]]
            due = {"ms": at + rng.randrange(9) * DAY, "tu_ms": at}
            if action in {"accept", "supply", "extend"}:
                ops.insert(0, ["set", "han_tra", due])
            entry = Entry(b"%032d" % len(entries), (entries[-1].id,), ops, everyone, at)
            state = apply(DOSSIER, state, entry)
            assert not state.refused
            entries.append(entry)
            times.append((at, base_step(state.tasks[MAIN].step), action))
        whole = fold(DOSSIER, entries)
        assert whole.tasks[MAIN].course == state.tasks[MAIN].course
        assert unpack(pack(whole)).tasks == whole.tasks
        course = course_of(whole)
        accepted = [when for when, _, action in times if action == "accept"]
        assert (course is None) == (not accepted)
        if course is not None:
            over = [when for when, step, _ in times if step in ENDED]
            assert (course.received_ms, course.ended_ms) == (accepted[0], over[0] if over else None)
            ended += bool(over)
            table = count(placed([course]), Q1, str, str)
            assert not table.broken
            assert table.total.c3 == (accepted[0] < END and (not over or over[0] >= START))
    assert ended


def test_two_who_do_the_same_count_once_and_from_the_first() -> None:
    """Two officers who accept independently are one acceptance; a void dossier is none."""
    world = World()
    both = [world.act([world.root], CLERK, "accept"), world.act([world.root], CLERK, "accept")]
    course = course_of(world.state)
    assert course is not None
    assert course.received_ms == 1
    world.add(both, [["set", "_void", "lập nhầm"]], CHIEF)
    assert course_of(world.state) is None


def test_dossier_that_moved_counts_where_it_was_taken_in() -> None:
    """Whoever works on it, the unit that took it in counts it, and knows that others took part."""
    world = World()
    at = world.path(world.root, *TO_APPROVAL)
    world.path(at, (APPROVER, "transfer"), (D_APPRAISER, "receive"))
    course = course_of(world.state)
    assert course is not None
    assert (course.unit, course.others, course.ended_ms) == ("x01", 1, None)


def test_who_succeeds_a_unit_counts_its_dossiers_from_the_period_in_which_it_ended() -> None:
    """Before the merger the old unit counts them, then its successor; the tier is as it stood at the end."""
    merger = END - 10 * DAY
    top = Unit("t", "Tỉnh", "", "province")
    old = Unit("a", "Xã A", "h", "commune", until_ms=merger, successors=("b",))
    moved = replace(Unit("b", "Xã B", "h", "commune"))
    tree = Tree({u.id: u for u in (top, Unit("h", "Huyện", "t", "district"), old, moved)})
    assert holder_at(tree, "a", b"", START) == "a"
    assert holder_at(tree, "a", b"", END - 1) == "b"
    assert under(tree, "h", END - 1) == {"h", "a", "b"}
    assert under(tree, "b", END - 1) == {"b"}


def test_shares_and_marks() -> None:
    """Four steps on the spot, indicators in tenths without those that lack data, and QĐ 766's punctuality."""
    noon = START + DAY // 2
    watch = Watch("commune", Q1, RULES[1])

    def add(course: Course) -> None:
        at = place(course, Q1)
        assert at is not None
        watch.add(course, at)

    add(dossier(noon, noon + 1))
    add(dossier(noon, noon + 2 * DAY, others=1, procedure="2", asks=1, waits=((noon, noon + 2 * DAY),)))
    add(dossier(noon, noon + DAY, procedure="2", asks=2))
    found = watch.found()
    assert (found.on_spot.regular, found.on_spot.done, found.on_spot.percent) == (2, 1, 50.0)
    assert found.on_spot.is_met is False
    assert found.marks.tenths == {1: 10, 2: 15, 3: 10, 4: 13, 5: 10, 9: 0}
    assert (found.marks.total_tenths, found.marks.grade_vi) == (58, "Yếu")
    assert found.on_time_766 == pytest.approx(66.7)
    assert Watch("commune", Q1, RULES[1]).found().marks.tenths == {}


def test_complaints_are_marked_where_they_are_taken_down() -> None:
    """Who is complained of has no mark for 7; 8 falls below 100 % in time, and with one that drags on."""

    def marks(
        *complaints: Handling, is_complained_of: bool = False, rules: ReportRules = RULES[1]
    ) -> dict[int, int]:
        watch = Watch("commune", Q1, rules)
        watch.hear(complaints)
        course = dossier(START, START + 1)
        at = place(course, Q1)
        assert at is not None
        watch.add(course, at, is_complained_of=is_complained_of)
        return watch.found().marks.tenths

    def complaint(due_ms: int | None, ended_ms: int | None) -> Handling:
        return Handling("", "da_tra_loi", START, due_ms, ended_ms, counts=True)

    in_time, late = complaint(START + DAY, START + 1), complaint(START + DAY, START + 2 * DAY)
    assert not {7, 8} & set(marks())
    told = replace(RULES[1], complaints_min=0)
    assert marks(rules=told)[8] == 20
    assert marks(rules=told)[7] == marks()[1] > 0
    assert marks(in_time, is_complained_of=True)[7] == 0
    undated = complaint(None, None)
    assert marks(in_time, undated)[8] == 0  # nobody took it in hand
    assert marks(in_time, undated, rules=replace(told, complaint_undated_days=0))[8] == 20
    assert marks(in_time, undated._replace(received_ms=END - DAY))[8] == 20
    assert marks(*[in_time] * 9, late)[8] == 10
    assert marks(*[in_time] * 8, late)[8] == 0
    assert marks(*[in_time] * 8, late, rules=replace(told, complaints_percent=80))[8] == 10
    assert marks(*[in_time] * 99, complaint(START + DAY, None))[8] == 0
    assert marks(complaint(START - 9 * DAY, START - 1))[8] == 20  # settled before


def test_ratings_are_data_of_indicator_7() -> None:
    """Who was not content gives a dossier no mark for 7; the last rating before the period ends counts."""

    def found(*ratings: tuple[int, int], rules: ReportRules = RULES[1]) -> tuple[int | None, tuple[int, ...]]:
        watch = Watch("commune", Q1, rules)
        for course in (dossier(START, START + 1, ratings=ratings), dossier(START, START + 1)):
            at = place(course, Q1)
            assert at is not None
            watch.add(course, at)
        shares = watch.found()
        return shares.marks.tenths.get(7), shares.ratings

    full = 20
    assert found() == (None, (0, 0, 0))
    assert found((START, 2)) == (full, (0, 0, 1))
    assert found((START, 2), (START + 1, 0)) == (full // 2, (1, 0, 0))
    assert found((START, 0), (START + 1, 1)) == (full, (0, 1, 0))
    assert found((END - 1, 2), (END, 0)) == (full, (0, 0, 1))
    assert found((START, 0), rules=replace(RULES[1], rating_against=-1)) == (full, (1, 0, 0))
    assert found((START, 0), rules=replace(RULES[1], ratings_min=2)) == (None, (1, 0, 0))
    watch = OfficerWatch(RULES[1], hears=False, end_ms=END)
    course = dossier(START, START + 1, ratings=((START, 0),))
    at = place(course, Q1)
    assert at is not None
    watch.add(course, at, is_complained_of=False)
    assert watch.found().tenths[7] == 0


def test_an_agency_is_marked_by_the_date_that_it_was_given() -> None:
    """Indicator 2: early on a day before it, in time on its day, nothing when late or still silent."""
    until = START + 3 * DAY + DAY // 2
    assert [Part("d1", until, ended).mark for ended in (until - DAY, until - 1, until + 1, None)] == [
        2,
        1,
        0,
        0,
    ]


def test_an_officer_is_marked_by_the_dossiers_of_the_period() -> None:
    """Article 15.3a: 5 marks are the whole task; what still goes on counts nothing."""
    watch = OfficerWatch(RULES[1], hears=True, end_ms=END)
    assert watch.found() == OfficerMarks(0, 0, {}, 0, "")
    for course in (dossier(START, START + 1), dossier(START, None)):
        at = place(course, Q1)
        assert at is not None
        watch.add(course, at, is_complained_of=False)
    found = watch.found()
    assert (found.dossiers, found.late, sorted(found.tenths)) == (1, 0, [1, 3, 4, 7])
    assert found.total_tenths >= 50
    assert found.grade_vi == "Hoàn thành 100 % nhiệm vụ"


def test_period_is_told_in_words() -> None:
    """A report's head names the quarter, the year or the days."""
    assert Q1.title_vi == "Quý 1 năm 2026 (từ 15/12/2025 đến 14/03/2026)"
    assert named("2026", RULES).title_vi.startswith("Năm 2026 (")
    assert Period.of("x", date(2026, 1, 1), date(2026, 1, 2)).title_vi.startswith("Kỳ báo cáo (")
