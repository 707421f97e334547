"""What a line is asked to carry follows what it does."""

from __future__ import annotations

from onestop_sync.pace import LEAST_BYTES, START_BYTES, Pace

MOST = 512 * 1024


def test_a_quick_line_is_soon_asked_for_all() -> None:
    """On a LAN the budget reaches the limit after two requests, and stays there."""
    pace = Pace()
    for _ in range(2):
        pace = pace.after(20_000, 0.05, MOST, is_full=True)
    assert pace.budget == MOST
    assert pace.after(20_000, 0.05, MOST, is_full=True).budget == MOST


def test_small_talk_raises_nothing() -> None:
    """Requests that had room to spare tell nothing about the line's width."""
    pace = Pace()
    for _ in range(10):
        pace = pace.after(200, 0.6, MOST, is_full=False)
    assert pace.budget == START_BYTES


def test_cuts_and_slow_answers_shrink_it_and_it_recovers() -> None:
    """Each cut halves the budget down to a floor, a slow answer brings it to the goal, good ones raise it."""
    pace = Pace()
    for _ in range(20):
        pace = pace.after_cut()
    assert pace.budget == LEAST_BYTES
    assert pace.after(5_000, 1.0, MOST, is_full=True).budget == 2 * LEAST_BYTES
    assert Pace(budget=100_000).after(80_000, 16.0, MOST, is_full=True).budget == 25_000


def test_the_wait_for_an_answer_follows_the_rate() -> None:
    """On an unknown line the wait is the longest; on a known one what the request should take, with slack."""
    assert Pace().wait_s(10**6, 60.0) == 60.0
    assert 10 <= Pace(rate=10**6).wait_s(1000, 60.0) < 11
    assert 10 < Pace(rate=8000).wait_s(40_000, 60.0) < 60
    assert Pace(rate=100).wait_s(10**6, 60.0) == 60.0
