"""Real processes over lines that fail: what was posted arrives once, and little is sent twice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from onestop_sync import exchange
from onestop_sync.client import Lines, Patience, sync
from onestop_sync.errors import Unreachable
from tests.bad_line import BadLine, Weather
from tests.e2e.servers import Office, Town, serving, status
from tests.network import posts_over_a_failing_line, thousand_over_a_thin_line


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """Give a province without servers running."""
    made = Town(tmp_path)
    yield made
    made.close()


def test_posts_over_a_line_that_fails_four_times_in_ten_arrive_once(town: Town) -> None:
    """Five hundred cases, posted as they are written over a line that fails 40 %, are there once each."""
    found = posts_over_a_failing_line(town, 500, a_post=20)
    assert (found.arrived, found.unsent) == (500, 0)
    assert min(found.fates.values()) >= 2
    assert found.failed >= found.requests * 0.25


def test_a_thin_line_that_is_cut_sends_hardly_anything_twice(town: Town) -> None:
    """Over a thin and slow line with a fifth of the requests cut, each cut costs one batch at most."""
    found = thousand_over_a_thin_line(town, 400, bytes_s=48_000.0, trip_s=0.05)
    assert (found.arrived, found.unsent) == (400, 0)
    assert found.again <= 1
    assert found.failed >= 2


def test_the_pace_of_a_line_outlives_the_program(town: Town) -> None:
    """A line that was cut is asked for less, also by the next program that opens the store."""
    office = town.enrol("commune", "c9")
    office.take_in(300)
    with serving(town.folder / "province") as server, BadLine(server.port, Weather(cut=1.0)) as line:
        with pytest.raises(Unreachable):
            sync(office.store, [line.parent], patience=Patience(2, 0.0, 0.0))
        line.weather = Weather()
        small = exchange.load_pace(office.store, line.parent.name).budget
        assert small == 16 * 1024  # two cuts
        first = sync(office.store, [line.parent])
        assert first.round_trips >= 3  # the challenge, and two batches where one would do
        assert exchange.load_pace(office.store, line.parent.name).budget > small


def _took(office: Office, lines: Lines, *parents: BadLine) -> tuple[str, float]:
    begun = time.monotonic()
    report = sync(office.store, [line.parent for line in parents], lines=lines)
    return report.parent, time.monotonic() - begun


def test_a_parent_that_is_down_is_passed_over_until_it_is_back(town: Town) -> None:
    """With the first parent down the second is used, at once the next time; the first again when it is up."""
    office = town.enrol("commune", "c9")
    folder = town.folder / "province"
    with (
        serving(folder) as server,
        BadLine(server.port) as near,
        BadLine(server.port) as far,
        Lines() as lines,
    ):
        assert _took(office, lines, near, far)[0] == near.parent.name
        near.is_down = True
        assert _took(office, lines, near, far)[0] == far.parent.name
        asked = near.requests, near.connections
        assert _took(office, lines, near, far)[0] == far.parent.name
        assert (near.requests, near.connections) == asked
        near.is_down = False
        lines.circuits[near.parent].opens_at = 0.0  # the pause is over
        assert _took(office, lines, near, far)[0] == near.parent.name
    assert status(folder)["documents"] >= 0
