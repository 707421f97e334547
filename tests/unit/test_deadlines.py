"""Due dates are right, explain themselves, and never end on a day off."""

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onestop_sync.dossier.calendar import VIETNAM, Calendar, Certainty, DayKind, DayRow, Window
from onestop_sync.dossier.data import shipped_calendar, shipped_profiles
from onestop_sync.dossier.dates import BY_INTAKE, due_value, local, to_ms
from onestop_sync.dossier.deadlines import (
    Due,
    DueKind,
    DueState,
    DueStep,
    Limit,
    LimitKind,
    StepReason,
    due_state,
    limit_from_plain,
    plan_due,
    plan_handover,
)
from onestop_sync.dossier.explain import explain
from onestop_sync.dossier.procedure_steps import ProcedureStep, Stage, Tier, step_states
from onestop_sync.dossier.profiles import DayPolicy, LegalProfile
from onestop_sync.errors import FormatError, InvalidInput

PROFILE = shipped_profiles()[1]
BY_DAY = replace(PROFILE, day_policy=DayPolicy.END_OF_DAY)
FIRST = datetime(2023, 12, 1, tzinfo=VIETNAM)
MOMENTS = st.integers(0, 4 * 366 * 24 * 60).map(lambda minutes: FIRST + timedelta(minutes=minutes))
AMOUNTS = st.integers(1, 60)
LIMITS = st.one_of(
    st.builds(
        Limit, st.sampled_from([kind for kind in LimitKind if kind is not LimitKind.SAME_DAY]), AMOUNTS
    ),
    st.builds(Limit, st.just(LimitKind.SAME_DAY), st.integers(0, 5)),
)
PROFILES = st.sampled_from([PROFILE, BY_DAY])
STEP_KINDS = [LimitKind.WORKING_DAYS, LimitKind.WORKING_HOURS]
ALL_KINDS = [Limit(kind, 3) for kind in LimitKind]


def at(text: str) -> datetime:
    """Read a moment in Vietnam's time."""
    return datetime.fromisoformat(text).replace(tzinfo=VIETNAM)


def due(received: str, kind: LimitKind, amount: int = 0) -> Due:
    """Plan by the shipped calendar and profile."""
    return plan_due(at(received), Limit(kind, amount), shipped_calendar(), PROFILE)


@pytest.mark.parametrize(
    ("received", "kind", "amount", "expected"),
    [
        # The same hour, so many working days on.
        ("2026-03-02 09:00", LimitKind.WORKING_DAYS, 3, "2026-03-05 09:00"),
        ("2026-03-02 16:30", LimitKind.WORKING_DAYS, 1, "2026-03-03 16:30"),
        # The first minute of a day uses the whole of it; the last one, nothing.
        ("2026-03-02 07:00", LimitKind.WORKING_DAYS, 1, "2026-03-02 17:00"),
        ("2026-03-02 17:00", LimitKind.WORKING_DAYS, 1, "2026-03-03 17:00"),
        # Over lunch, at night and on Sunday the clock stands.
        ("2026-03-02 12:10", LimitKind.WORKING_HOURS, 1, "2026-03-02 14:30"),
        ("2026-03-02 11:00", LimitKind.WORKING_HOURS, 1, "2026-03-02 14:00"),
        ("2026-03-01 23:59", LimitKind.WORKING_HOURS, 8, "2026-03-02 17:00"),
        # Tết 2026: closed from 14 to 22 February.
        ("2026-02-13 10:00", LimitKind.WORKING_DAYS, 1, "2026-02-23 10:00"),
        # The swap of 2026: Friday 2 January is off, Saturday 10 January is worked.
        ("2025-12-31 10:00", LimitKind.WORKING_DAYS, 1, "2026-01-05 10:00"),
        ("2026-01-09 10:00", LimitKind.WORKING_DAYS, 1, "2026-01-10 10:00"),
        # Calendar days run through weekends and never end on a day off.
        ("2026-03-02 09:00", LimitKind.CALENDAR_DAYS, 15, "2026-03-17 17:00"),
        ("2026-03-02 09:00", LimitKind.CALENDAR_DAYS, 5, "2026-03-09 17:00"),
        ("2026-02-01 09:00", LimitKind.CALENDAR_DAYS, 15, "2026-02-23 17:00"),
        # Same day until 15:00, the next working day after it.
        ("2026-03-02 15:00:59", LimitKind.SAME_DAY, 0, "2026-03-02 17:00"),
        ("2026-03-02 15:01", LimitKind.SAME_DAY, 0, "2026-03-03 17:00"),
        ("2026-02-13 15:01", LimitKind.SAME_DAY, 0, "2026-02-23 17:00"),
        ("2026-02-28 09:00", LimitKind.SAME_DAY, 0, "2026-03-02 17:00"),
        ("2026-02-28 16:00", LimitKind.SAME_DAY, 0, "2026-03-02 17:00"),
        ("2026-03-02 09:00", LimitKind.SAME_DAY, 2, "2026-03-04 17:00"),
    ],
)
def test_due_dates(received: str, kind: LimitKind, amount: int, expected: str) -> None:
    """Each rule gives the date that an official would find in the calendar on the wall."""
    assert due(received, kind, amount).due_at == at(expected)


def test_whole_days_end_when_the_office_closes() -> None:
    """By the other policy the day of receipt is not counted and the last one counts to its end."""
    limit = Limit(LimitKind.WORKING_DAYS, 3)
    assert plan_due(at("2026-03-02 07:00"), limit, shipped_calendar(), BY_DAY).due_at == at(
        "2026-03-05 17:00"
    )


def test_the_explanation_names_each_skipped_day() -> None:
    """Across Tết the steps say which days were holidays, which were announced off, and what was counted."""
    steps = due("2026-02-13 10:00", LimitKind.WORKING_DAYS, 1).steps
    assert [step.day.day for step in steps] == [*range(13, 24)]
    assert [step.reason for step in steps[1:3]] == [StepReason.DAY_OFF, StepReason.DAY_OFF]
    assert steps[4].reason is StepReason.HOLIDAY
    assert steps[4].name_vi == "Tết Nguyên đán – mùng 1 Tết"
    assert [(step.day.day, step.amount) for step in steps if step.amount] == [(13, 300), (23, 180)]


def test_the_explanation_tells_late_receipt_and_moved_ends() -> None:
    """What moves a date is told: the cut-off, closing time, an end on a day off, a worked Saturday."""
    assert due("2026-03-02 15:01", LimitKind.SAME_DAY).steps[0].reason is StepReason.AFTER_CUT_OFF
    assert due("2026-03-02 17:00", LimitKind.WORKING_HOURS, 1).steps[0].reason is StepReason.AFTER_HOURS
    assert due("2026-03-02 09:00", LimitKind.CALENDAR_DAYS, 5).steps[-1].reason is StepReason.MOVED
    worked = due("2026-01-09 10:00", LimitKind.WORKING_DAYS, 1).steps[-1]
    assert worked.reason is StepReason.COUNTED_COMPENSATORY


def test_what_was_not_announced_is_told() -> None:
    """A deadline that reaches into an estimated year says so; one that does not is certain."""
    late = due("2026-12-30 09:00", LimitKind.WORKING_DAYS, 5)
    assert late.missing_years == (2027,)
    assert not late.is_certain
    assert due("2026-11-23 09:00", LimitKind.WORKING_DAYS, 2).uncertain_days == (date(2026, 11, 24),)
    assert due("2026-03-02 09:00", LimitKind.WORKING_DAYS, 5).is_certain


def test_the_answer_names_what_gave_it() -> None:
    """A due date keeps the versions of calendar and profile that it rests on."""
    found = due("2026-03-02 09:00", LimitKind.WORKING_DAYS, 5)
    assert (found.calendar_version, found.profile_id) == (shipped_calendar().version, PROFILE.id)


@given(MOMENTS, LIMITS, PROFILES)
def test_never_ends_on_a_day_off(received: datetime, limit: Limit, profile: LegalProfile) -> None:
    """Every due date is a working day, in office hours, and not before receipt's last working minute."""
    calendar = shipped_calendar()
    found = plan_due(received, limit, calendar, profile).due_at
    minute = found.hour * 60 + found.minute
    assert calendar.is_working(found.date())
    assert any(window.start_min < minute <= window.end_min for window in calendar.windows)


@given(MOMENTS, MOMENTS, LIMITS, PROFILES)
def test_later_receipt_is_never_due_earlier(
    one: datetime, other: datetime, limit: Limit, profile: LegalProfile
) -> None:
    """Due dates are monotone in the time of receipt."""
    first, second = sorted((one, other))
    calendar = shipped_calendar()
    earlier = plan_due(first, limit, calendar, profile).due_at
    assert earlier <= plan_due(second, limit, calendar, profile).due_at


@given(MOMENTS, LIMITS)
def test_a_longer_limit_is_never_due_earlier(received: datetime, limit: Limit) -> None:
    """Due dates are monotone in the limit."""
    longer = Limit(limit.kind, limit.amount + 1)
    calendar = shipped_calendar()
    assert (
        plan_due(received, limit, calendar, PROFILE).due_at
        <= plan_due(received, longer, calendar, PROFILE).due_at
    )


@given(
    MOMENTS, AMOUNTS, AMOUNTS, PROFILES, st.sampled_from([LimitKind.WORKING_DAYS, LimitKind.WORKING_HOURS])
)
def test_working_time_adds_up(
    received: datetime, first: int, second: int, profile: LegalProfile, kind: LimitKind
) -> None:
    """A limit in two parts, one after the other, ends where the whole limit ends."""
    calendar = shipped_calendar()
    halfway = plan_due(received, Limit(kind, first), calendar, profile).due_at
    ended = plan_due(halfway, Limit(kind, second), calendar, profile).due_at
    assert ended == plan_due(received, Limit(kind, first + second), calendar, profile).due_at


@given(MOMENTS, LIMITS, PROFILES)
def test_steps_are_every_day_once_and_use_the_whole_limit(
    received: datetime, limit: Limit, profile: LegalProfile
) -> None:
    """The explanation is complete: no day is missing, and its amounts are the limit."""
    found = plan_due(received, limit, shipped_calendar(), profile)
    assert found == plan_due(received, limit, shipped_calendar(), profile)
    days = [step.day for step in found.steps]
    assert days == [received.date() + timedelta(days=n) for n in range(len(days))]
    assert days[-1] == found.due_at.date()
    if limit.kind is LimitKind.SAME_DAY:
        assert sum(step.amount for step in found.steps) - limit.amount in {0, 1}
    else:
        minutes = 60 * (8 if limit.kind is LimitKind.WORKING_DAYS else 1) if found.unit == "minute" else 1
        assert sum(step.amount for step in found.steps) == limit.amount * minutes


@settings(max_examples=60, deadline=None)
@given(MOMENTS, LIMITS, PROFILES)
def test_a_date_explains_itself_by_another_calendar(
    received: datetime, limit: Limit, profile: LegalProfile
) -> None:
    """What a dossier keeps counts to the same date, day by day, whatever is published since."""
    found = plan_due(received, limit, shipped_calendar(), profile)
    later = Calendar(9, (), (), (Window(8 * 60, 12 * 60),))
    told = explain(due_value(found, to_ms(received), BY_INTAKE), later, profile)
    assert told.due is not None
    assert told.due.due_at == found.due_at
    assert list(map(_plain, told.due.steps)) == list(map(_plain, found.steps))
    assert not told.is_same_calendar


def _plain(step: DueStep) -> tuple[object, ...]:
    return step.day, step.reason, step.amount


@given(MOMENTS, LIMITS)
def test_the_time_zone_of_receipt_does_not_matter(received: datetime, limit: Limit) -> None:
    """The same moment told in another time zone has the same due date."""
    calendar = shipped_calendar()
    assert plan_due(received.astimezone(UTC), limit, calendar, PROFILE) == plan_due(
        received, limit, calendar, PROFILE
    )


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York", "Pacific/Kiritimati"])
def test_the_zone_of_the_machine_does_not_matter(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is set to another time zone gives the same dates, and the same words for them."""
    ms = to_ms(at("2026-02-13 15:01"))
    expected = [plan_due(local(ms), limit, shipped_calendar(), PROFILE) for limit in ALL_KINDS]
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert [plan_due(local(ms), limit, shipped_calendar(), PROFILE) for limit in ALL_KINDS] == expected
        assert f"{local(ms):%H:%M %d/%m/%Y}" == "15:01 13/02/2026"
    finally:
        monkeypatch.undo()
        time.tzset()


@settings(max_examples=50)
@given(MOMENTS, st.lists(st.tuples(st.sampled_from(STEP_KINDS), st.integers(1, 9)), min_size=1, max_size=4))
def test_steps_have_dates_in_order_and_never_after_the_dossier(
    received: datetime, shares: list[tuple[LimitKind, int]]
) -> None:
    """Each internal step ends on a working day, not before the one before it, and not after the due date."""
    calendar = shipped_calendar()
    limit = Limit(LimitKind.WORKING_DAYS, sum(amount for _, amount in shares))
    due = due_value(plan_due(received, limit, calendar, PROFILE), to_ms(received), BY_INTAKE)
    steps = [ProcedureStep(Stage.APPRAISAL, Tier.COMMUNE, limit=Limit(*share)) for share in shares]
    dates = [each.due_ms for each in step_states(steps, due, (), to_ms(received), PROFILE, calendar)]
    known = [ms for ms in dates if ms is not None]
    assert len(known) == len(steps)
    assert known == sorted(known)
    assert known[-1] <= due["ms"]
    assert all(calendar.is_working(local(ms).date()) for ms in known)
    if all(kind is LimitKind.WORKING_DAYS for kind, _ in shares):
        assert known[-1] == due["ms"]


@pytest.mark.parametrize("moment", [datetime(2026, 3, 2, 9), at("1970-01-01 09:00"), at("2400-01-01 09:00")])  # noqa: DTZ001
def test_an_impossible_time_of_receipt_is_refused(moment: datetime) -> None:
    """No time zone, or a clock that is centuries off, is an error that says what to do."""
    with pytest.raises(InvalidInput):
        plan_due(moment, Limit(LimitKind.SAME_DAY), shipped_calendar(), PROFILE)


def test_a_calendar_that_never_opens_is_refused() -> None:
    """A damaged calendar ends in a clear error, not in an endless search."""
    first = date(2026, 1, 1)
    rows = tuple(
        DayRow(first + timedelta(days=n), DayKind.DAY_OFF, "đóng", Certainty.SOURCED) for n in range(12_000)
    )
    with pytest.raises(InvalidInput, match="too few working days"):
        plan_due(
            at("2026-03-02 09:00"),
            Limit(LimitKind.WORKING_DAYS, 1),
            Calendar(1, rows, (2026,), (Window(420, 690),)),
            PROFILE,
        )


def test_limits_are_checked() -> None:
    """A limit of nothing, below zero or of decades is refused, and so is a unit that is not known."""
    with pytest.raises(InvalidInput):
        Limit(LimitKind.WORKING_DAYS, 0)
    with pytest.raises(InvalidInput):
        Limit(LimitKind.SAME_DAY, 10_000)
    with pytest.raises(FormatError):
        limit_from_plain({"kind": "moons", "amount": 3})
    limit = Limit(LimitKind.CALENDAR_DAYS, 15)
    assert limit_from_plain(limit.to_plain()) == limit


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        ("2026-03-02 15:00", "2026-03-02 17:00"),
        ("2026-03-02 15:01", "2026-03-03 07:00"),
        ("2026-02-13 16:00", "2026-02-23 07:00"),
        ("2026-02-28 10:00", "2026-03-02 07:00"),
    ],
)
def test_handover(received: str, expected: str) -> None:
    """Accepted dossiers are handed over the same day, or first thing on the next working day."""
    assert plan_handover(at(received), shipped_calendar(), PROFILE) == at(expected)


@pytest.mark.parametrize(
    ("now", "kind", "working", "calendar_days"),
    [
        ("2026-02-09 09:00", DueKind.IN_TIME, 5, 14),
        ("2026-02-13 09:00", DueKind.SOON, 1, 10),
        ("2026-02-23 09:00", DueKind.TODAY, 0, 0),
        ("2026-02-23 10:01", DueKind.OVERDUE, 0, 0),
        ("2026-02-25 09:00", DueKind.OVERDUE, 2, 2),
        ("2026-03-02 09:00", DueKind.OVERDUE, 5, 7),
    ],
)
def test_due_state(now: str, kind: DueKind, working: int, calendar_days: int) -> None:
    """What the working list shows: how a dossier stands, in working days where a calendar is given."""
    due_at = at("2026-02-23 10:00")
    found = due_state(due_at, at(now), calendar=shipped_calendar())
    assert found == DueState(kind, working, is_working_days=True)
    plain = due_state(due_at, at(now), soon_days=10)
    assert (plain.kind is DueKind.IN_TIME, plain.days) == (kind is DueKind.IN_TIME, calendar_days)


def test_due_state_needs_time_zones() -> None:
    """A moment without a time zone is refused: it could be read in the wrong one."""
    with pytest.raises(InvalidInput):
        due_state(at("2026-02-23 10:00"), datetime(2026, 2, 23))  # noqa: DTZ001
