"""A year of two communes that merge: the long run of ten times as many dossiers is `python -m tests.year`."""

from __future__ import annotations

from pathlib import Path

from tests.year.checks import check, check_ways
from tests.year.year import Year


def test_a_year_of_two_communes_that_merge(tmp_path: Path) -> None:
    """Codes, registers, dates and reports hold to the year's end, whichever way it was synced."""
    year = Year(tmp_path, seed=1, dossiers=800, sync_days=6)
    try:
        year.run()
        check(year)
        assert set(check_ways(year).values()) == {year.dossiers}
    finally:
        year.land.close()
