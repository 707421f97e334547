"""Logs that were written on two machines at once: one verdict and one state, in every order of arrival."""

from __future__ import annotations

from pathlib import Path

from onestop_sync.testing.dice import Dice
from tests.hostile.forks import History, tell
from tests.province import Province


def test_branched_logs_have_one_verdict_in_every_order(tmp_path: Path) -> None:
    """Each of 1,000 orders folds to the same bytes."""
    province = Province(tmp_path)
    orders = 0
    for seed in range(10):
        history = History(province, seed)
        wanted = history.expected(history.events)
        assert len(wanted.forked) >= 2
        dice = Dice(seed, "orders")
        for _ in range(100):
            assert history.expected(dice.sample(history.events, len(history.events))) == wanted
            orders += 1
    assert orders == 1000


def test_stores_that_hear_it_in_any_order_agree(tmp_path: Path) -> None:
    """Stores that hear of branches in random orders and parts end with the same bytes and the same flags."""
    counts = tell(tmp_path, histories=6, orders=5)
    assert counts["orders"] == 30
    assert counts["branched logs"] >= 12
    assert counts["refused"] >= 20
