"""Folding for search finds Vietnamese names typed without marks."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onestop_sync.search_text import fold_text, has_words, words

VIETNAMESE = "aàáảãạăằắẳẵặâầấẩẫậeèéẻẽẹêềếểễệiìíỉĩịoòóỏõọôồốổỗộơờớởỡợuùúủũụưừứửữựyỳýỷỹỵdđ "
TEXTS = st.one_of(st.text(), st.text(alphabet=VIETNAMESE + VIETNAMESE.upper()))


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("Nguyễn Thị Hường", "nguyen thi huong"),
        ("Đặng", "dang"),
        ("Đường", "duong"),
        ("ĐỨC  \t Ðức ðức", "duc duc duc"),
        ("Thừa   Thiên\nHuế ", "thua thien hue"),
        ("đăng k\u200eý", "dang ky"),
        ("Straße Ångström", "strasse angstrom"),
        ("", ""),
    ],
)
def test_folds_as_typed_without_marks(typed: str, folded: str) -> None:
    """Marks, case, đ, invisible characters and runs of white space go, whatever the normal form."""
    assert fold_text(typed) == folded
    assert fold_text(unicodedata.normalize("NFD", typed)) == folded


@pytest.mark.parametrize("letter", sorted(set(VIETNAMESE) - {" "}))
def test_every_vietnamese_letter_becomes_ascii(letter: str) -> None:
    """No letter of the alphabet, small or capital, survives with its mark."""
    assert fold_text(letter) == fold_text(letter.upper())
    assert fold_text(letter).isascii()
    assert len(fold_text(letter)) == 1


@given(TEXTS)
def test_folding_twice_changes_nothing(text: str) -> None:
    """Folded text is its own fold."""
    assert fold_text(fold_text(text)) == fold_text(text)


@given(TEXTS)
def test_normal_forms_fold_alike(text: str) -> None:
    """NFC and NFD of one text fold to the same."""
    composed, decomposed = (fold_text(unicodedata.normalize(form, text)) for form in ("NFC", "NFD"))
    assert composed == decomposed == fold_text(text)


def test_words_are_runs_of_letters_and_digits() -> None:
    """A code falls into its groups, so that any of them can be searched."""
    assert words("Hồ sơ 000.17.22.H56-210531-0001") == (
        "ho",
        "so",
        "000",
        "17",
        "22",
        "h56",
        "210531",
        "0001",
    )


def test_query_matches_beginnings_of_words_in_any_order() -> None:
    """Every word typed has to begin some word; nothing typed matches all."""
    assert has_words("Nguyễn Thị Hường", "huo nguyen")
    assert not has_words("Nguyễn Thị Hường", "uong")
    assert has_words("Nguyễn Thị Hường", " ")
