"""Legal profiles follow one another without a gap, and say what they govern."""

from datetime import date, timedelta
from typing import Any

import pytest

from onestop_sync import codec
from onestop_sync.dossier.codes import grammar
from onestop_sync.dossier.data import shipped_profiles
from onestop_sync.dossier.profiles import profile_for, profile_from_plain
from onestop_sync.errors import FormatError, InvalidInput


@pytest.mark.parametrize(
    ("day", "profile_id"),
    [
        (date(2018, 6, 21), "nd61-2018"),
        (date(2025, 6, 30), "nd61-2018"),
        (date(2025, 7, 1), "nd118-2025"),
        (date(2040, 1, 1), "nd118-2025"),
    ],
)
def test_the_profile_of_a_day(day: date, profile_id: str) -> None:
    """Each day since 21/06/2018 has exactly one profile."""
    assert profile_for(day, shipped_profiles()).id == profile_id


def test_a_day_without_one_profile_is_refused() -> None:
    """Before the first profile, or with two at once, the answer is an error that says so."""
    with pytest.raises(InvalidInput, match="there is none"):
        profile_for(date(2018, 6, 20), shipped_profiles())
    with pytest.raises(InvalidInput, match="nd61-2018, nd61-2018"):
        profile_for(date(2020, 1, 1), shipped_profiles() * 2)


def test_profiles_follow_without_a_gap() -> None:
    """The second begins on the day after the first ends."""
    first, second = shipped_profiles()
    assert first.effective_to
    assert first.effective_to + timedelta(days=1) == second.effective_from


def test_where_the_profiles_differ() -> None:
    """Since 2025 there is a form for stopping, the last two have moved up, and the district is gone."""
    first, second = shipped_profiles()
    assert [form.number for form in first.forms] == ["01", "02", "03", "04", "05", "06"]
    assert first.form("control_slip").number == "05"
    assert second.form("stop").number == "05"
    assert second.form("control_slip").number == "06"
    assert second.form("register").number == "07"
    assert set(first.tiers) - set(second.tiers) == {"district"}
    with pytest.raises(InvalidInput, match="no form"):
        first.form("stop")


def test_parameters_of_the_law() -> None:
    """Cut-off 15:00, 8 hours a day, supplements within 3 working days, one extension told 1 day before."""
    for profile in shipped_profiles():
        assert profile.cut_off_min == 15 * 60
        assert profile.working_hours_per_day == 8
        assert profile.supplement_notice_days == 3
        assert (profile.extensions_max, profile.extension_notice_days) == (1, 1)
        assert grammar(profile.code_grammar).sample() == "000.17.22.H56-210531-0001"


def test_targets_of_the_four_steps() -> None:
    """60 % at the province, 50 % at a district, 100 % at a commune; only of tiers that there are."""
    first, second = shipped_profiles()
    assert first.four_steps_targets == {"province": 60, "district": 50, "commune": 100}
    assert second.four_steps_targets == {"province": 60, "commune": 100}


def test_statuses_are_numbered_as_the_portal_does() -> None:
    """All ten statuses have their number and Vietnamese name."""
    for profile in shipped_profiles():
        assert [status.number for status in profile.statuses] == [*range(1, 11)]
        assert profile.status_name(5) == "Yêu cầu bổ sung giấy tờ"
        with pytest.raises(InvalidInput):
            profile.status_name(11)


def test_plain_data_goes_through_cbor_and_back() -> None:
    """A profile survives the encoding in which it is signed."""
    for profile in shipped_profiles():
        assert profile_from_plain(codec.decode(codec.encode(profile.to_plain()))) == profile


@pytest.mark.parametrize(
    "change",
    [
        {"id": 7},
        {"effective_from": "2018-6-21"},
        {"effective_from": None},
        {"day_policy": "by_the_moon"},
        {"cut_off_min": 2000},
        {"working_hours_per_day": 0},
        {"forms": [["receipt", 1, "Giấy tiếp nhận"]]},
        {"statuses": [["1", "Mới đăng ký"]]},
        {"tiers": [1]},
        {"extensions_max": -1},
        {"extensions_max": 2},
        {"code_grammar": "y3s4"},
        {"step_policy": "by_the_moon"},
        {"four_steps_targets": {"commune": 101}},
        {"four_steps_targets": [100]},
    ],
)
def test_damaged_data_is_refused(change: dict[str, Any]) -> None:
    """A profile that cannot be read, or needs a newer version, is one clear error."""
    with pytest.raises(FormatError):
        profile_from_plain({**shipped_profiles()[0].to_plain(), **change})
