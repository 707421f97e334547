"""One run: a world is made from a seed, lives, is healed, and is judged."""

from __future__ import annotations

import shutil
import traceback
from collections import deque
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Final

from onestop_sync.testing.broken import Broken
from onestop_sync.testing.disk import workshop
from onestop_sync.testing.mistakes import MISTAKES
from onestop_sync.testing.reach import Reach
from onestop_sync.testing.world import World

__all__ = ["Report", "simulate"]

_TRACE: Final = 60
"""Lines of the trace that are kept unless all are asked for."""


@dataclass
class Report:
    """What a run came to.

    Attributes:
        seed: Its seed.
        steps: Steps that it lived.
        reach: What it met.
        broken: The invariant that broke, if one did.
        trace: The last things that happened.
        events: How many events there were in the end.
    """

    seed: int
    steps: int = 0
    reach: Reach = field(default_factory=Reach)
    broken: Broken | None = None
    trace: list[str] = field(default_factory=list)
    events: int = 0

    def summary(self) -> str:
        """Returns one line."""
        how = "BROKEN" if self.broken else "held"
        return f"{how}, {self.events} events, {self.reach['documents']} documents"


def simulate(seed: int, steps: int, *, mistake: str | None = None, is_traced: bool = False) -> Report:
    """Plays one seed.

    Args:
        seed: Everything follows from it.
        steps: How many things happen before the province is healed.
        mistake: Name of a planted mistake (see `mistakes`).
        is_traced: Keep the whole trace instead of its end.
    """
    report = Report(seed)
    folder = workshop() / "world"
    trace: deque[str] = deque(maxlen=None if is_traced else _TRACE)
    world: World | None = None
    try:
        with MISTAKES[mistake]() if mistake else nullcontext():
            world = World(seed, folder, report.reach, trace.append)
            world.live(steps)
            world.heal()
        world.judge()
    except Broken as broken:
        report.broken = broken
    except Exception as error:  # noqa: BLE001 - whatever it is, the seed that does it again must be told
        trace.extend(traceback.format_exception(error))
        report.broken = Broken("program", f"{type(error).__name__}: {error}")
    finally:
        report.trace = list(trace)
        if world is not None:
            report.steps = world.step
            report.events = len(world.memory.events)
            world.close()
        shutil.rmtree(folder, ignore_errors=True)
    return report
