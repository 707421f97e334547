"""The working calendar knows its days off, and what it does not know."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onestop_sync import codec
from onestop_sync.dossier.calendar import (
    Calendar,
    Certainty,
    DayKind,
    DayRow,
    Window,
    calendar_from_plain,
)
from onestop_sync.dossier.data import shipped_calendar
from onestop_sync.errors import FormatError, InvalidInput

DAYS = st.dates(date(2023, 1, 1), date(2028, 12, 31))


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 1, 2), DayKind.DAY_OFF),
        (date(2026, 1, 10), DayKind.COMPENSATORY_WORKDAY),
        (date(2026, 2, 17), DayKind.HOLIDAY),
        (date(2026, 2, 22), DayKind.DAY_OFF),
        (date(2026, 2, 23), DayKind.WORKING),
        (date(2026, 2, 28), DayKind.WEEKEND),
        (date(2026, 8, 22), DayKind.COMPENSATORY_WORKDAY),
    ],
)
def test_shipped_days(day: date, kind: DayKind) -> None:
    """Swaps, Tết and ordinary weekends are told apart."""
    found = shipped_calendar().day(day)
    assert found.kind is kind
    assert found.is_working is (kind in {DayKind.WORKING, DayKind.COMPENSATORY_WORKDAY})
    assert found.is_certain


def test_agrees_with_the_holidays_package() -> None:
    """The table and an independent one name the same working days, but for the swap that the other lacks."""
    calendar, other = shipped_calendar(), holidays.country_holidays("VN", years=range(2024, 2028))
    first = date(2024, 1, 1)
    days = [first + timedelta(days=ahead) for ahead in range((date(2027, 12, 31) - first).days + 1)]
    different = [day for day in days if calendar.is_working(day) != other.is_working_day(day)]
    assert different == [date(2026, 1, 2), date(2026, 1, 10)]


@given(DAYS, DAYS)
def test_counting_equals_walking(first: date, last: date) -> None:
    """The count of working days is the one that a walk from day to day gives, in both directions."""
    calendar = shipped_calendar()
    low, high = sorted((first, last))
    walked = sum(calendar.is_working(low + timedelta(days=n)) for n in range(1, (high - low).days + 1))
    assert calendar.working_days(first, last) == (walked if first <= last else -walked)


@given(DAYS)
def test_next_working_day_is_the_first_one(day: date) -> None:
    """No working day lies between a day and its next working day."""
    calendar = shipped_calendar()
    following = calendar.next_working_day(day)
    assert calendar.is_working(following)
    assert calendar.working_days(day, following) == 1


def test_unannounced_years_are_told() -> None:
    """A year without rows and a year of estimates both count as missing; none of their days is certain."""
    calendar = shipped_calendar()
    assert calendar.missing_years(date(2023, 5, 1), date(2028, 1, 1)) == (2023, 2027, 2028)
    assert calendar.missing_years(date(2026, 1, 1), date(2026, 12, 31)) == ()
    assert not calendar.day(date(2027, 2, 8)).is_certain
    assert not calendar.day(date(2030, 6, 3)).is_certain


def test_an_estimated_day_of_an_announced_year_is_told() -> None:
    """24/11/2026 is not confirmed by a law that was found, and the calendar says so."""
    found = shipped_calendar().uncertain_days(date(2026, 11, 24), date(2027, 12, 31))
    assert [day.date for day in found] == [date(2026, 11, 24)]


def test_plain_data_goes_through_cbor_and_back() -> None:
    """A calendar survives the encoding in which it is signed."""
    calendar = shipped_calendar()
    assert calendar_from_plain(codec.decode(codec.encode(calendar.to_plain()))) == calendar


@pytest.mark.parametrize(
    "change",
    [
        {"version": -1},
        {"version": True},
        {"announced_years": ["2026"]},
        {"windows": []},
        {"windows": [[700, 600]]},
        {"windows": [[600, 700], [650, 800]]},
        {"windows": [[600, 1500]]},
        {"windows": 7},
        {"rows": [["2026-02-30", "holiday", "Tết", "sourced", ""]]},
        {"rows": [["20260201", "holiday", "Tết", "sourced", ""]]},
        {"rows": [["2026-02-01", "party", "Tết", "sourced", ""]]},
        {"rows": [["2026-02-01", "weekend", "Tết", "sourced", ""]]},
        {"rows": [["2026-02-01", "holiday"]]},
        {"rows": [7]},
        {"rows": [["2026-02-01", "holiday", "Tết", "sourced", ""]] * 2},
    ],
)
def test_damaged_data_is_refused(change: dict[str, Any]) -> None:
    """A calendar that cannot be read or contradicts itself is one clear error."""
    with pytest.raises(FormatError):
        calendar_from_plain({**shipped_calendar().to_plain(), **change})
    with pytest.raises(FormatError):
        calendar_from_plain([])


def test_a_calendar_without_working_days_is_refused() -> None:
    """An endless closure ends in an error that says what to do, not in an endless loop."""
    first = date(2026, 1, 1)
    closed = tuple(
        DayRow(first + timedelta(days=n), DayKind.DAY_OFF, "đóng", Certainty.SOURCED) for n in range(70)
    )
    with pytest.raises(InvalidInput, match="no working day"):
        Calendar(1, closed, (2026,), (Window(420, 690),)).next_working_day(first)


def test_a_calendar_is_a_value() -> None:
    """Two calendars of the same data are equal, and another version is another calendar."""
    calendar = shipped_calendar()
    assert replace(calendar) == calendar
    assert hash(replace(calendar)) == hash(calendar)
    assert replace(calendar, version=2) != calendar
