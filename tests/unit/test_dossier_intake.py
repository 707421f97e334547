"""Intake and what changes a due date: what is planned, and what is wrong with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.people import DEMO_DAY, dossiers
from onestop_sync import codec
from onestop_sync.dossier.calendar import VIETNAM
from onestop_sync.dossier.changes import plan_extension, plan_supplement, plan_supply, profile_of
from onestop_sync.dossier.checks import Issue, Problem, check_values, tidy
from onestop_sync.dossier.data import shipped_calendar, shipped_catalogue, shipped_profiles
from onestop_sync.dossier.dates import due_field, local, to_ms
from onestop_sync.dossier.intake import (
    Paper,
    Plan,
    papers_of,
    plan_ask_at_intake,
    plan_draft,
    plan_intake,
    plan_missing,
    plan_refusal,
    plan_with_reason,
)
from onestop_sync.dossier.profiles import SupplementPolicy, profile_for
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.errors import InvalidInput
from onestop_sync.fold import Entry, State, fold
from tests.unit.dossier_world import APPRAISER, CHIEF, CLERK

CALENDAR, CATALOGUE = shipped_calendar(), shipped_catalogue()
TODAY = date(2026, 3, 2)
PROFILE = profile_for(TODAY, shipped_profiles())
CODE = "H56.22.17-260302-0001"
VALUES = {
    "nguoi_nop": "  Nguyễn  Thị Hường ",
    "ngay_sinh": "05/09/1990",
    "so_dinh_danh": "000 190 123456",
    "dia_chi": "Thôn Đông, xã Phú An Hạ",
    "dien_thoai": "+84 912.345.678",
    "truong_rieng/Quan hệ": "Con",
}
GUARDIAN = CATALOGUE.get("1.004837", TODAY)


def at(hour: int, minute: int = 0, day: date = TODAY) -> int:
    """Returns a moment of a day in Vietnam, milliseconds since 1970 UTC."""
    return to_ms(datetime(day.year, day.month, day.day, hour, minute, tzinfo=VIETNAM))


def intake(values: dict[str, Any] | None = None, now_ms: int | None = None, **options: Any) -> Plan:
    """Plans the acceptance of a dossier with all papers."""
    procedure = options.pop("procedure", GUARDIAN)
    papers = papers_of(procedure, [d.name_vi for d in procedure.checklist])
    given_code = options.pop("code", CODE)
    moment = at(9) if now_ms is None else now_ms
    return plan_intake(
        procedure,
        VALUES if values is None else values,
        papers,
        moment,
        PROFILE,
        CALENDAR,
        given_code,
        **options,
    )


def folded(*plans: tuple[Plan, Any]) -> State:
    """Folds plans one after the other, each by its officer; none may be refused."""
    entries: list[Entry] = []
    for number, (plan, author) in enumerate(plans):
        parents = (entries[-1].id,) if entries else ()
        codec.encode(plan.ops)
        entries.append(Entry(number.to_bytes(32, "big"), parents, plan.ops, author, number))
    state = fold(DOSSIER, entries)
    assert not state.refused
    return state


GIVE, RECEIVE = Plan("give", {}, {}), Plan("receive", {}, {})


def codes(plan: Plan, *, blocking: bool = True) -> list[tuple[Issue, str]]:
    """Returns what is wrong with a plan, and where."""
    return [(p.code, p.key) for p in plan.problems if p.is_blocking is blocking]


def test_acceptance_gives_code_and_due_date_with_its_grounds() -> None:
    """A complete dossier is accepted with its code and a due date that names calendar, profile and limit."""
    plan = intake()
    assert (plan.action, plan.is_ready, codes(plan)) == ("accept", True, [])
    due = plan.values["han_tra"]
    assert local(due["ms"]) == datetime(2026, 3, 5, 9, 0, tzinfo=VIETNAM)
    assert due == {
        "ms": plan.due_ms,
        "cach": "tiep_nhan",
        "tu_ms": at(9),
        "lich": CALENDAR.version,
        "quy_dinh": PROFILE.id,
        "thoi_han": {"kind": "working_days", "amount": 3},
        "gio": [[420, 690], [810, 1020]],
    }
    state = folded((plan, CLERK))
    assert state.value("ma_ho_so") == CODE
    assert state.value("nguoi_nop") == "Nguyễn Thị Hường"
    assert state.value("so_dinh_danh") == "000190123456"
    assert state.value("dien_thoai") == "0912345678"
    assert state.value("giay_to/Tờ khai đăng ký giám hộ") == {"ban_chinh": 1, "ban_sao": 0}


def test_due_date_explains_days_off() -> None:
    """Days off on the way are kept with the due date, so that it can be explained without the calendar."""
    day = date(2026, 4, 29)
    due = intake(now_ms=at(9, day=day), code="H56.22.17-260429-0001").values["han_tra"]
    assert ["2026-04-30", "holiday"] in due["bo_qua"]


def test_every_invented_dossier_is_accepted() -> None:
    """Everything that the demo invents passes intake, whatever its procedure."""
    for content in dossiers(Random(1), CATALOGUE, 40):
        procedure = CATALOGUE.get(content.procedure_code, DEMO_DAY)
        papers = papers_of(procedure, content.attachments)
        plan = plan_intake(procedure, content.fields, papers, at(9), PROFILE, CALENDAR, CODE)
        assert codes(plan) == [], content
        folded((plan, CLERK))


def test_each_of_the_308_procedures_can_be_taken_in() -> None:
    """With its papers and, where no limit is known, a date that an official gives, nothing blocks."""
    for procedure in CATALOGUE.in_force(TODAY):
        papers = papers_of(procedure, [document.name_vi for document in procedure.documents])
        given = None if procedure.limit else at(9, day=date(2026, 3, 10))
        plan = plan_intake(
            procedure, VALUES, papers, at(9), PROFILE, CALENDAR, CODE, due_ms=given, catalogue_version=1
        )
        assert plan.is_ready, (procedure.code, plan.problems)
        assert plan.values["han_tra"]["danh_muc"] == 1


def test_longer_limit_when_something_is_verified() -> None:
    """A marriage that needs verification has the longer limit."""
    marriage = CATALOGUE.get("1.000894", TODAY)
    quick, slow = (intake(procedure=marriage, is_verified=flag).due_ms for flag in (False, True))
    assert quick is not None
    assert slow is not None
    assert quick < slow


def test_unknown_limit_leaves_the_date_to_an_official() -> None:
    """Where the catalogue knows no limit, an official gives the date, which is worked and not past."""
    procedure = replace(GUARDIAN, limit=None)
    plan = intake(procedure=procedure)
    assert plan.due_ms is None
    assert codes(plan) == [(Issue.NO_LIMIT, "han_tra")]
    given_by_hand = intake(procedure=procedure, due_ms=at(9) + 86_400_000)
    assert given_by_hand.due_ms == at(9) + 86_400_000
    assert codes(intake(procedure=procedure, due_ms=at(8))) == [(Issue.NOT_LATER, "han_tra")]
    saturday = at(9, day=date(2026, 3, 7))
    assert codes(intake(procedure=procedure, due_ms=saturday)) == [(Issue.NOT_WORKED, "han_tra")]


def test_unannounced_days_are_told() -> None:
    """A due date that rests on a year that was not announced says so."""
    day = date(2026, 12, 30)
    plan = intake(now_ms=at(9, day=day), code="H56.22.17-261230-0001")
    assert (Issue.UNCERTAIN_CALENDAR, "han_tra") in codes(plan, blocking=False)
    assert plan.values["han_tra"]["chua_cong_bo"] == [2027]


@pytest.mark.parametrize(
    ("key", "value", "issue"),
    [
        ("nguoi_nop", "A" * 10_000, Issue.TOO_LONG),
        ("nguoi_nop", 7, Issue.NOT_TEXT),
        ("so_dinh_danh", "12345", Issue.ID_NUMBER),
        ("so_dinh_danh", "1" * 10, Issue.ID_NUMBER),
        ("so_dinh_danh", "00019012345٣", Issue.ID_NUMBER),
        ("dien_thoai", "1900", Issue.PHONE),
        ("email", "huong@", Issue.EMAIL),
        ("ngay_sinh", "31/02/1990", Issue.DATE),
        ("ngay_sinh", "ngày kia", Issue.DATE),
        ("ngay_sinh", "0000", Issue.DATE),
        ("ngay_sinh", "01/01/2030", Issue.FUTURE),
        ("so_bo", 0, Issue.COUNT),
        ("so_bo", True, Issue.COUNT),
        ("cach_nhan", "bồ câu", Issue.CHOICE),
        ("khong_co", "x", Issue.UNKNOWN_FIELD),
        ("giay_to", "x", Issue.UNKNOWN_FIELD),
        ("han_tra", {"ms": 1}, Issue.UNKNOWN_FIELD),
        ("ghi_chu", "x", Issue.UNKNOWN_FIELD),
        ("so_dinh_danh", ["000190123456"], Issue.NOT_TEXT),
        ("truong_rieng/" + "a" * 301, "x", Issue.TOO_LONG),
        ("truong_rieng/Con", ["một", 2], Issue.NOT_TEXT),
    ],
)
def test_wrong_values_are_named(key: str, value: object, issue: Issue) -> None:
    """Each wrong value is a blocking problem that names its field."""
    plan = intake({**VALUES, key: value})
    assert [code for code, _ in codes(plan)] == [issue]
    assert not plan.is_ready


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ngay_sinh", "1950"),
        ("ngay_sinh", "9/1950"),
        ("so_dinh_danh", "123456789"),
        ("dien_thoai", "02043 855 123"),
    ],
)
def test_what_old_papers_say_is_accepted(key: str, value: str) -> None:
    """A year of birth alone, an identity number of 9 digits and a landline are accepted."""
    assert intake({**VALUES, key: value}).is_ready


def test_organisations_have_tax_numbers() -> None:
    """An organisation is named by its tax number of 10 or 13 digits, and a person is not."""
    firm = {**VALUES, "loai_doi_tuong": "to_chuc", "so_dinh_danh": "0100109106-001"}
    assert intake(firm).is_ready
    assert codes(intake({**firm, "so_dinh_danh": "000190123456"})) == [(Issue.ID_NUMBER, "so_dinh_danh")]


def test_missing_fields_and_papers_are_listed() -> None:
    """What is missing is listed completely, at once; a paper that no source confirms stops nobody."""
    problems = plan_missing(GUARDIAN, {}, {})
    assert [p.key for p in problems if p.code is Issue.MISSING] == [
        "nguoi_nop", "so_dinh_danh", "dia_chi", "noi_dung",
    ]  # fmt: skip
    papers = [p for p in problems if p.code is Issue.MISSING_PAPER]
    assert [p.key for p in papers] == [f"giay_to/{d.name_vi}" for d in GUARDIAN.checklist]
    certain = {f"giay_to/{d.name_vi}" for d in GUARDIAN.checklist if d.certainty == "sourced"}
    assert {p.key for p in papers if p.is_blocking} == certain


def test_papers_are_wanted_in_their_number() -> None:
    """One original does not stand for the copy that the catalogue wants."""
    funeral = CATALOGUE.get("1.001731", TODAY)
    copy = next(d.name_vi for d in funeral.checklist if d.copies)
    full = papers_of(funeral, [d.name_vi for d in funeral.checklist])
    assert full[copy] == Paper(0, 1)
    assert plan_missing(funeral, {**VALUES, "noi_dung": "x"}, full) == []
    wrong = plan_missing(funeral, {**VALUES, "noi_dung": "x"}, full | {copy: Paper(1, 0)})
    assert [(p.code, p.key, p.detail) for p in wrong] == [(Issue.MISSING_PAPER, f"giay_to/{copy}", "0/1")]


@pytest.mark.parametrize("code", ["", "x", "H56.22.17-260301-0001", "H56.22.17-260302-1"])
def test_code_must_be_todays(code: str) -> None:
    """A code of another grammar or another day is refused."""
    assert codes(intake(code=code)) == [(Issue.CODE, "ma_ho_so")]


def test_what_is_not_in_force_is_refused() -> None:
    """A procedure or a profile that is not in force on the day is a blocking problem."""
    old = replace(GUARDIAN, effective_to=date(2025, 1, 1))
    assert codes(intake(procedure=old)) == [(Issue.NOT_IN_FORCE, "ma_thu_tuc")]
    papers = papers_of(GUARDIAN, [d.name_vi for d in GUARDIAN.checklist])
    before = shipped_profiles()[0]
    plan = plan_intake(GUARDIAN, VALUES, papers, at(9), before, CALENDAR, CODE)
    assert codes(plan) == [(Issue.NOT_IN_FORCE, "han_tra")]


@pytest.mark.parametrize("now_ms", [10**17, -(10**17), 0])
def test_impossible_clock_is_one_clear_error(now_ms: int) -> None:
    """A clock outside any calendar is an error that says to check the date."""
    with pytest.raises(InvalidInput, match="Check the machine's date"):
        intake(now_ms=now_ms)


def test_draft_is_checked_but_may_be_incomplete() -> None:
    """A draft is stored without code and due date, and complains of wrong values only."""
    plan = plan_draft(GUARDIAN, {"nguoi_nop": "Lò Văn Tùng"}, {}, at(9))
    assert plan.is_ready
    assert plan.acts == []
    assert not {"ma_ho_so", "han_tra", "tiep_nhan_luc"} & set(plan.values)
    assert plan.values["noi_dung"] == GUARDIAN.full_name_vi
    assert not plan_draft(GUARDIAN, {}, {"Tờ khai": Paper(-1, 0)}, at(9)).is_ready


def test_refusal_and_request_at_the_counter_want_their_words() -> None:
    """A refusal without a reason, and a request that does not say for what, are not ready."""
    assert codes(plan_refusal(" ")) == [(Issue.MISSING, "ly_do")]
    assert codes(plan_ask_at_intake("thiếu", "")) == [(Issue.MISSING, "noi_dung")]
    assert plan_with_reason("decline", "nhầm đơn vị", to="x01").arguments == {
        "ly_do": "nhầm đơn vị",
        "to": "x01",
    }
    draft = plan_draft(GUARDIAN, VALUES, {}, at(9))
    asked = plan_ask_at_intake("thiếu giấy tờ", "Văn bản cử người giám hộ")
    assert (
        folded((draft, CLERK), (asked, CLERK)).value("yeu_cau_bo_sung")["noi_dung"]
        == asked.arguments["noi_dung"]
    )


def test_supplement_restarts_the_limit() -> None:
    """After a supplement the whole limit starts anew, from the moment when the dossier is complete."""
    accepted = folded((intake(), CLERK), (GIVE, CLERK), (RECEIVE, APPRAISER))
    asked = plan_supplement(accepted, "thiếu", "bản sao", at(14), PROFILE, CALENDAR, papers=["Giấy ủy quyền"])
    assert (asked.is_ready, asked.problems, asked.arguments["to"]) == (True, (), "x01")
    steps = ((intake(), CLERK), (GIVE, CLERK), (RECEIVE, APPRAISER), (asked, APPRAISER))
    later = at(10, day=date(2026, 3, 9))
    supply = plan_supply(folded(*steps), {"Giấy ủy quyền": Paper()}, later, PROFILE, CALENDAR)
    assert local(supply.due_ms or 0) == datetime(2026, 3, 12, 10, 0, tzinfo=VIETNAM)
    due = supply.values["han_tra"]
    assert (due["cach"], due["truoc_ms"], due["thoi_han"]["amount"]) == ("bo_sung", intake().due_ms, 3)
    assert due_field(folded(*steps, (supply, CLERK))) == due


def test_supplement_pauses_where_the_profile_says_so() -> None:
    """Under the other policy the working days of waiting are added, at the same hour."""
    profile = replace(PROFILE, supplement_policy=SupplementPolicy.PAUSE)
    asked = plan_supplement(folded((intake(), CLERK)), "thiếu", "bản sao", at(14), profile, CALENDAR)
    waiting = folded((intake(), CLERK), (GIVE, CLERK), (RECEIVE, APPRAISER), (asked, APPRAISER))
    supply = plan_supply(waiting, {}, at(10, day=date(2026, 3, 9)), profile, CALENDAR)
    assert local(supply.due_ms or 0) == datetime(2026, 3, 12, 9, 0, tzinfo=VIETNAM)


def test_late_request_for_a_supplement_is_told() -> None:
    """A request later than three working days after intake is reported, and not stopped."""
    state = folded((intake(), CLERK))
    fine = plan_supplement(state, "thiếu", "x", at(16, day=date(2026, 3, 5)), PROFILE, CALENDAR)
    late = plan_supplement(state, "thiếu", "x", at(8, day=date(2026, 3, 6)), PROFILE, CALENDAR)
    assert fine.problems == ()
    assert late.problems == (Problem(Issue.LATE_NOTICE, "yeu_cau_bo_sung", "2026-03-05", is_blocking=False),)


def test_extension_gives_one_new_date() -> None:
    """A new appointment keeps the old one, its own reason, and stands in the folded dossier."""
    steps = ((intake(), CLERK), (GIVE, CLERK), (RECEIVE, APPRAISER))
    new = at(17, day=date(2026, 3, 10))
    plan = plan_extension(folded(*steps), "chờ xác minh", new, at(9, day=date(2026, 3, 4)), PROFILE, CALENDAR)
    assert (plan.is_ready, plan.problems) == (True, ())
    state = folded(*steps, (plan, CHIEF))
    assert due_field(state) == plan.values["han_tra"]
    assert plan.values["han_tra"]["truoc_ms"] == intake().due_ms
    assert profile_of(state, shipped_profiles()) is PROFILE


@pytest.mark.parametrize(
    ("reason", "day", "hour", "issue"),
    [
        ("", date(2026, 3, 10), 9, Issue.MISSING),
        ("chờ", date(2026, 3, 8), 9, Issue.NOT_WORKED),
        ("chờ", date(2026, 3, 5), 9, Issue.NOT_LATER),
    ],
)
def test_extension_that_cannot_be(reason: str, day: date, hour: int, issue: Issue) -> None:
    """An extension without a reason, to a Sunday, or to no later date is not ready."""
    state = folded((intake(), CLERK))
    plan = plan_extension(state, reason, at(hour, day=day), at(9), PROFILE, CALENDAR)
    assert [code for code, _ in codes(plan)] == [issue]


def test_a_profile_may_know_no_extension() -> None:
    """Where the dossier's profile allows no new appointment, it is refused with that reason."""
    state = folded((intake(), CLERK))
    strict = replace(PROFILE, extensions_max=0)
    plan = plan_extension(state, "chờ", at(9, day=date(2026, 3, 10)), at(9), strict, CALENDAR)
    assert [code for code, _ in codes(plan)] == [Issue.NO_EXTENSION]


def test_extension_after_the_notice_is_told() -> None:
    """An apology on the very day is late, and still possible."""
    state = folded((intake(), CLERK))
    plan = plan_extension(
        state, "chờ", at(9, day=date(2026, 3, 10)), at(8, day=date(2026, 3, 5)), PROFILE, CALENDAR
    )
    assert plan.is_ready
    assert [p.code for p in plan.problems] == [Issue.LATE_NOTICE]


def test_dossier_without_a_due_date_has_none_to_change() -> None:
    """Where there is no due date, an extension is stopped, a supplement is not, and no profile is guessed."""
    state = folded((plan_draft(GUARDIAN, VALUES, {}, at(9)), CLERK))
    assert codes(plan_extension(state, "x", at(9, day=date(2026, 3, 3)), at(9), PROFILE, CALENDAR)) == [
        (Issue.NO_DUE, "han_tra")
    ]
    assert plan_supply(state, {}, at(9), PROFILE, CALENDAR).is_ready
    with pytest.raises(InvalidInput, match="not known here"):
        profile_of(state, shipped_profiles())


TYPED = st.text() | st.integers() | st.none() | st.lists(st.text())


@given(st.dictionaries(st.sampled_from([*sorted(VALUES), "so_bo", "email"]) | st.text(max_size=9), TYPED))
def test_whatever_is_typed_is_stored_or_named(values: dict[str, Any]) -> None:
    """Any values at all give problems or a tidy result that encodes; tidying twice changes nothing."""
    tidied = tidy(values)
    assert tidy(tidied) == tidied
    if not check_values(tidied, TODAY):
        codec.encode(tidied)
