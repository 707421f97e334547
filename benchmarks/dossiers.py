"""Dossiers to measure with: seeded, over all procedures, accepted at the counter.

They go without the list of papers that were handed in, which makes their bodies 1.2 kB on average, and with
header and signature 1.4 kB: the size that the targets speak of.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from random import Random
from typing import Final

from demo.people import DEMO_DAY, dossiers
from onestop_sync.dossier.calendar import VIETNAM
from onestop_sync.dossier.data import shipped_calendar, shipped_catalogue, shipped_profiles
from onestop_sync.dossier.intake import Plan, plan_intake

__all__ = ["SEED", "plans"]

SEED: Final = 2018
_A_DAY: Final = 900
"""Dossiers a day: fifty thousand are some weeks of a province."""
_BATCH: Final = 1000


def plans(count: int, seed: int = SEED) -> Iterator[Plan]:
    """Yields what an official writes when a dossier is accepted.

    Args:
        count: How many.
        seed: The same seed makes the same dossiers.
    """
    catalogue, calendar = shipped_catalogue(), shipped_calendar()
    profile = next(p for p in shipped_profiles() if p.is_in_force(DEMO_DAY))
    rng = Random(seed)
    made = 0
    while made < count:
        for content in dossiers(rng, catalogue, min(_BATCH, count - made)):
            day = DEMO_DAY + timedelta(days=made // _A_DAY)
            now = datetime.combine(day, time(8), VIETNAM) + timedelta(seconds=10 * (made % _A_DAY))
            code = f"000.01.01.H99-{day:%y%m%d}-{made % _A_DAY + 1:04d}"
            procedure = catalogue.get(content.procedure_code)
            yield plan_intake(
                procedure, content.fields, {}, int(now.timestamp() * 1000), profile, calendar, code
            )
            made += 1
