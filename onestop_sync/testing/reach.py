"""What a run really met. A random test that never forked proves nothing about forks."""

from __future__ import annotations

from collections import Counter
from typing import Final

FLOORS: Final = {
    "documents": 4.0,
    "edits": 20.0,
    "handovers": 1.5,
    "conflicts": 0.7,
    "late": 0.3,
    "overruled": 0.1,
    "disputes": 0.15,
    "resolutions": 0.3,
    "refusals": 0.5,
    "waits": 0.5,
    "forks": 0.4,
    "late certificates": 0.3,
    "forgeries": 0.3,
    "restores": 0.5,
    "server restores": 0.15,
    "clones": 0.2,
    "crashes": 1.0,
    "crashes in a transaction": 0.5,
    "lost requests": 1.0,
    "lost answers": 1.0,
    "duplicates": 1.0,
    "replays": 1.0,
    "flipped bytes": 0.5,
    "partitions": 0.5,
    "clock jumps": 0.5,
    "bundles": 0.3,
    "serials": 1.0,
    "cuts": 0.7,
    "backdated": 0.15,
    "countersignatures": 0.2,
    "mergers": 0.15,
    "splits": 0.1,
    "moves": 0.05,
    "adoptions": 0.15,
    "rotations": 0.05,
    "scans": 0.5,
    "scans at the province": 0.3,
    "statements": 5.0,
    "findings": 0.2,
    "first requests": 1.0,
    "first requests taken": 0.3,
    "brief requests": 1.0,
    "brief answers": 1.0,
    "brief challenges": 0.05,
    "asked to be plain": 0.3,
    "asked again after a cut": 0.3,
    "updates": 0.1,
}
"""How often each thing must happen per 200 steps, on the average of a run of seeds."""

_PER_STEPS: Final = 200
_ENOUGH_STEPS: Final = 2000
"""Below that many steps in all, chance alone could miss a floor, and none is asked for."""


class Reach(Counter[str]):
    """Counts by name."""

    def shortfalls(self, steps: int) -> list[str]:
        """Returns what was too rare over ``steps`` steps, one line each."""
        if steps < _ENOUGH_STEPS:
            return []
        return [
            f"{name}: {self[name]} in {steps} steps, fewer than {floor * steps / _PER_STEPS:.0f}"
            for name, floor in FLOORS.items()
            if self[name] < floor * steps / _PER_STEPS
        ]

    def table(self) -> str:
        """Returns the counts as lines for a terminal."""
        names = [*FLOORS, *sorted(self.keys() - FLOORS.keys())]
        cells = [f"{name:<26}{self[name]:>8}" for name in names]
        return "\n".join("   ".join(cells[i : i + 3]) for i in range(0, len(cells), 3))
