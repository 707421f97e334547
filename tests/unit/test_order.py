"""Which events go first when not all fit into one request."""

from __future__ import annotations

from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from onestop_sync import codec
from onestop_sync.storage.outbox import Lag, _shares, plan_order


class Row(NamedTuple):
    """An event as the table has it."""

    n: int
    log_n: int
    header: bytes
    signature: bytes
    body: bytes


def row(n: int, log_n: int, ops: list[Any]) -> Row:
    """Makes an event."""
    return Row(n, log_n, bytes(190), bytes(64), codec.encode([bytes(16), ops]))


LONG = [["set", "noi_dung", "x" * 2000]]
SHORT = [["set", "dien_thoai", "0912345678"]]
DECISION = [["act", "main", "approve", {}]]


def test_a_short_edit_does_not_wait_for_long_ones_of_another_log() -> None:
    """One small event of a colleague goes before many long ones that are older."""
    rows = [*(row(n, 1, LONG) for n in range(20)), row(20, 2, SHORT)]
    assert plan_order(rows, 10_000)[0].n == 20


def test_a_decision_draws_what_it_follows() -> None:
    """The log whose decision waits behind some edits goes before one of edits alone."""
    rows = [row(n, 1 + n % 2, LONG) for n in range(10)] + [row(10, 2, DECISION)]
    order = [each.log_n for each in plan_order(rows, 10_000)]
    assert order == [2] * 6 + [1] * 5


def test_what_fits_keeps_its_order() -> None:
    """When one request holds everything there is nothing to choose."""
    rows = [row(n, n % 3, LONG if n % 2 else DECISION) for n in range(9)]
    assert plan_order(rows, 10**6) == rows


@given(st.lists(st.tuples(st.integers(1, 4), st.sampled_from([LONG, SHORT, DECISION])), max_size=40))
def test_no_log_is_reordered(made: list[tuple[int, list[Any]]]) -> None:
    """Whatever is chosen, each log's events stay in order, and none is lost."""
    rows = [row(n, log_n, ops) for n, (log_n, ops) in enumerate(made)]
    found = plan_order(rows, 1)
    assert sorted(each.n for each in found) == list(range(len(rows)))
    for log_n in range(1, 5):
        numbers = [each.n for each in found if each.log_n == log_n]
        assert numbers == sorted(numbers)


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=30), st.integers(1, 2000))
def test_small_logs_get_their_share(counts: list[int], limit: int) -> None:
    """Nobody gets more than there is, everybody something, and a log below the fair share all of it."""
    lags = [Lag(n, -1, 0, count) for n, count in enumerate(counts)]
    shares = _shares(lags, limit)
    for lag in lags:
        assert min(1, lag.ahead) <= shares[lag.log_n] <= lag.ahead
        if lag.ahead <= limit // len(lags):
            assert shares[lag.log_n] == lag.ahead
    assert sum(shares.values()) <= limit + len(lags)
