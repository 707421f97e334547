"""States told in words and marks: due dates, the sync line, and the theme's contrast."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import Color, ColorSystem
from textual.color import Color as Shade

from commune_client.theme import BACKGROUND, ONESTOP_THEME, PANEL, SURFACE, StateStyle
from commune_client.widgets.due_label import DueKind, DueState, due_text
from commune_client.widgets.sync_status import SyncState, sync_text

STATE = SyncState(online=False, unsent=7, conflicts=1, last_sync_at=datetime(2026, 9, 5, 1, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (DueState(3), "còn 3 ngày"),
        (DueState(1), "~ còn 1 ngày"),
        (DueState(0), "! hôm nay"),
        (DueState(-2), "!! quá 2 ngày"),
        (DueState(None), "- không hẹn ngày"),
        (DueState(-2, DueKind.PAUSED), "= tạm dừng"),
        (DueState(-2, DueKind.DONE), "+ đã xong"),
    ],
)
def test_due_words(state: DueState, text: str) -> None:
    """Each state of a due date differs by its mark and its words."""
    assert due_text(state)[0] == text


def test_soon_is_a_parameter() -> None:
    """The caller says from when a date is soon."""
    assert due_text(DueState(3), soon_days=3) == ("~ còn 3 ngày", StateStyle.SOON)


def test_sync_line() -> None:
    """The line reads as the style guide has it, in local time."""
    assert sync_text(STATE) == "Ngoại tuyến | 7 chờ gửi | 1 xung đột | lần cuối 08:12"


def test_sync_line_of_another_day() -> None:
    """A last sync on another day has its date."""
    assert sync_text(replace(STATE, today=date(2026, 9, 6))).endswith("lần cuối 05/09 08:12")


def test_sync_line_when_all_is_well() -> None:
    """With nothing to do the line is short and calm."""
    assert sync_text(SyncState(online=True)) == "Trực tuyến | đã gửi hết | chưa đồng bộ"
    assert sync_text(SyncState()).startswith("Chưa kết nối")
    assert sync_text(SyncState(progress=(40, 200))).startswith("đang gửi 40/200")


def test_sync_warnings() -> None:
    """A doubtful clock, what does not fit together above, old statements and publications are told."""
    state = replace(STATE, has_clock_warning=True, has_findings=True, old_statement_age_s=40 * 86_400.0)
    told = "| ! kiểm tra ngày giờ máy | ! cấp trên không khớp (F6) | chưa có xác nhận của tỉnh từ 40 ngày"
    assert sync_text(state).endswith(told)
    assert sync_text(replace(STATE, is_published_old=True)).endswith("| ! công bố của tỉnh quá hạn")


@given(
    st.builds(
        SyncState,
        online=st.none() | st.booleans(),
        unsent=st.integers(0, 10**6),
        oldest_unsent_age_s=st.none() | st.floats(-1e9, 1e9),
        conflicts=st.integers(0, 999),
        has_clock_warning=st.booleans(),
        old_statement_age_s=st.none() | st.floats(0, 1e8),
        is_published_old=st.booleans(),
        has_findings=st.booleans(),
    )
)
def test_sync_line_fits(state: SyncState) -> None:
    """In 50 columns the line fits, and still tells what is unsent and in conflict."""
    text = sync_text(state, 50)
    assert len(text) <= 50
    assert (str(state.unsent) if state.unsent else "đã gửi hết") in text
    assert not state.conflicts or f"{state.conflicts} xung đột" in text


def test_offline_is_no_error() -> None:
    """Neither a word nor a mark of error is in an offline line."""
    assert "!" not in sync_text(STATE)
    assert "lỗi" not in sync_text(STATE).lower()


@pytest.mark.parametrize("style", StateStyle)
@pytest.mark.parametrize("ground", [BACKGROUND, SURFACE, PANEL])
def test_contrast(style: StateStyle, ground: str) -> None:
    """Every state is readable on every ground: in colour, in grey (NO_COLOR), in 16 colours."""
    front, back = Shade.parse(style.split()[-1]), Shade.parse(ground)
    assert contrast(front, back) >= 4.5
    assert contrast(front.monochrome, back.monochrome) >= 4.5
    few = [Color.parse(shade.hex).downgrade(ColorSystem.STANDARD).number for shade in (front, back)]
    assert few[0] != few[1]


def test_theme_is_not_native() -> None:
    """The theme is never one of the terminal's own: with NO_COLOR those are black on black."""
    assert not ONESTOP_THEME.ansi


def contrast(one: Shade, other: Shade) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2, relative luminance)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(shade: Shade) -> float:
    """Return the relative luminance of a colour, 0 to 1."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in shade.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
