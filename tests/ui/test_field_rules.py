"""The pure rules for what may stand in a field."""

import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commune_client import strings
from commune_client.widgets.field_rules import FormField, check_value, clean_value, parse_date, shown_value
from commune_client.widgets.vn_text import TYPING_SLACK, is_refused, to_lines, to_nfc, to_one_line

PHONE = FormField("phone", "Điện thoại", kind="phone")
IDENTITY = FormField("identity", "Số căn cước", kind="id")
BORN = FormField("born", "Ngày sinh", kind="date")
PAPERS = FormField("papers", "Giấy tờ", kind="checklist", required=True, options=(("a", "A"), ("b", "B")))
SEX = FormField("sex", "Giới tính", kind="choice", required=True, options=(("f", "Nữ"), ("m", "Nam")))


@pytest.mark.parametrize("typed", ["0912345678", "0912 345 678", "+84 912.345.678", "024 3825 1234"])
def test_phone_accepted(typed: str) -> None:
    """Mobile and fixed numbers are read however they are grouped."""
    assert check_value(PHONE, typed) is None
    assert str(clean_value(PHONE, typed)).isdecimal()


@pytest.mark.parametrize("typed", ["912345678", "09123456", "0912a45678", "٠٩١٢٣٤٥٦٧٨"])
def test_phone_refused(typed: str) -> None:
    """What is no phone number is told."""
    assert check_value(PHONE, typed) == strings.PHONE_INVALID


@pytest.mark.parametrize(
    ("typed", "error"), [("001199012345", None), ("012345678", None), ("12", strings.ID_INVALID)]
)
def test_identity(typed: str, error: str | None) -> None:
    """Identity numbers have 12 digits, old ones 9."""
    assert check_value(IDENTITY, typed) == error


@pytest.mark.parametrize("typed", ["31/02/2026", "5/9", "hôm qua", "00/00/0000", "05/13/2026"])
def test_date_refused(typed: str) -> None:
    """A date that the calendar does not have is told."""
    assert check_value(BORN, typed) == strings.DATE_INVALID


@given(st.dates(min_value=date(1000, 1, 1)))
def test_dates_survive(day: date) -> None:
    """A date goes from the store to the screen and back unchanged."""
    shown = shown_value(BORN, day.isoformat())
    assert clean_value(BORN, shown) == day.isoformat()
    assert isinstance(shown, str)
    assert parse_date(shown) == day


@given(st.sampled_from([PHONE, IDENTITY, BORN, SEX, FormField("t", "T")]), st.text())
def test_cleaning_twice(field: FormField, text: str) -> None:
    """Cleaning a clean value changes nothing, and checking never raises."""
    cleaned = clean_value(field, text)
    assert clean_value(field, cleaned) == cleaned
    check_value(field, text)


def test_required() -> None:
    """An empty required field is told in words that fit its kind; white space is empty."""
    assert check_value(PAPERS, ()) == strings.CHECKLIST_REQUIRED
    assert check_value(SEX, "") == strings.CHOICE_REQUIRED
    assert check_value(FormField("t", "T", required=True), "  ") == strings.FIELD_REQUIRED
    assert check_value(PHONE, "") is None


def test_options() -> None:
    """Ticks keep the declared order, and an option of a newer catalogue is kept; a choice must be known."""
    assert clean_value(PAPERS, ("new", "b", "a")) == ("a", "b", "new")
    assert check_value(SEX, "x") == strings.CHOICE_UNKNOWN


def test_limit_tells() -> None:
    """A name of 10,000 characters is too long, and how much is told."""
    assert check_value(FormField("t", "T"), "ư" * 10_000) == strings.text_too_long(10_000, 200)


@pytest.mark.parametrize(
    "make",
    [
        lambda: FormField("họ", "Họ"),
        lambda: FormField("a", "A", kind="choice"),
        lambda: FormField("a", "A", options=(("b", "B"),)),
    ],
)
def test_wrong_declarations(make: object) -> None:
    """A field that could not work is refused where it is declared."""
    assert callable(make)
    with pytest.raises(ValueError, match="field"):
        make()


@given(st.text())
def test_pasted_text(text: str) -> None:
    """Pasted text becomes NFC and printable; one line has no line end, and cleaning twice changes nothing."""
    line, lines = to_one_line(text), to_lines(text)
    assert line.isprintable()
    assert lines.replace("\n", "").isprintable()
    assert unicodedata.is_normalized("NFC", line)
    assert to_one_line(line) == line
    assert to_lines(lines) == lines


@given(st.text())
def test_nfc_keeps_the_text(text: str) -> None:
    """Normalising loses no text: the decomposed forms are the same."""
    assert unicodedata.normalize("NFD", to_nfc(text)) == unicodedata.normalize("NFD", text)


def test_refusal() -> None:
    """Typing may pass a limit by a little; a paste must fit whole; without a limit all is taken."""
    assert not is_refused(1, 80 + TYPING_SLACK, 80)
    assert is_refused(1, 81 + TYPING_SLACK, 80)
    assert is_refused(5, 81, 80)
    assert not is_refused(0, 500, 80)
    assert not is_refused(10_000, 10_000, 0)
