"""Vietnamese alphabetical order: as in a dictionary, for any text."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from onestop_sync.alphabet import alphabetical


def test_letters_then_tones_then_numbers_by_value() -> None:
    """Đ follows D, Ă and Â follow A, tones decide last, 9 comes before 10, case does not matter."""
    wanted = [
        "Phường Nguyễn Trãi", "Xã 9", "Xã 10", "Xã An", "xã Ăn", "Xã Ân", "Xã Bình", "Xã Dương", "Xã Đa",
        "Xã đông", "Xã Hoa", "Xã Hòa", "Xã Hỏa", "Xã Hõa", "Xã Hóa", "Xã Họa", "Xã Hoa Lư", "Xã Tân",
        "Xã Ứng Hòa",
    ]  # fmt: skip
    assert sorted(frozenset(wanted), key=alphabetical) == wanted


@given(st.text(), st.text())
def test_any_two_texts_have_an_order(first: str, second: str) -> None:
    """Keys of all texts can be compared, differ where texts do, and do not mind how marks are composed."""
    one, other = alphabetical(first), alphabetical(second)
    assert (one < other) + (other < one) == (first != second)
    assert alphabetical(unicodedata.normalize("NFD", first))[:2] == one[:2]
