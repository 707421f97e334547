"""The year: dossiers come in, machines synchronise or do not, quarters end, communes merge."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

from commune_client.desk.desk import Desk
from onestop_sync.dossier.calendar import VIETNAM
from onestop_sync.dossier.catalogue import Procedure
from onestop_sync.dossier.dates import local, to_ms
from onestop_sync.dossier.rules import Rules
from onestop_sync.dossier.workflow import base_step
from onestop_sync.errors import InvalidInput, NotFound
from onestop_sync.reporting.freezing import Frozen
from onestop_sync.schema import MAIN
from tests.year.courses import Life, Step, course
from tests.year.land import MERGED_MS, PARENTS, Land

FIRST: Final = date(2025, 12, 15)
"""The first quarter's first day."""
LAST: Final = date(2026, 12, 31)
QUARTERS: Final = {
    "Q1/2026": (date(2026, 3, 16), date(2026, 3, 26)),
    "Q2/2026": (date(2026, 6, 15), date(2026, 7, 20)),
    "Q3/2026": (date(2026, 9, 15), date(2026, 9, 25)),
    "Q4/2026": (date(2026, 12, 15), date(2026, 12, 24)),
}
"""Quarter → the day on which it is signed, and the day on which what came late is supplemented."""
_DARK: Final = {
    "thon": (
        (date(2026, 2, 20), date(2026, 3, 20)), (date(2026, 5, 25), date(2026, 7, 15)),
        (date(2026, 8, 28), date(2026, 9, 20)), (date(2026, 11, 28), date(2026, 12, 20)),
    ),
    "hai": ((date(2026, 3, 10), date(2026, 3, 18)), (date(2026, 6, 29), date(2026, 7, 9))),
    "hub": ((date(2026, 6, 30), date(2026, 7, 6)),),
}  # fmt: skip
"""Machine → from when to when neither line nor stick goes."""
_TEAMS: Final = ("xa-mot",) * 13 + ("thon",) * 3 + ("xa-hai",) * 4
_CHANNELS: Final = ("truc_tiep",) * 6 + ("truc_tuyen",) * 3 + ("buu_chinh",)
_PATIENCE: Final = 60
_MINUTE_MS: Final = 60_000


@dataclass
class Year:
    """A year, while it passes and afterwards.

    Args:
        folder: Where the machines' folders go.
        seed: Throws all dice.
        dossiers: How many.
        sync_days: Every how many working days the lines are used.

    Attributes:
        lives: All dossiers that were begun.
        reached: How often each thing happened.
        signed: Signed reports, oldest first.
    """

    folder: Path
    seed: int
    dossiers: int
    sync_days: int = 1
    land: Land = field(init=False)
    lives: list[Life] = field(init=False, default_factory=list)
    reached: Counter[str] = field(init=False, default_factory=Counter)
    signed: list[Frozen] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.land = Land(self.folder, self.seed)
        self.dice = random.Random(self.seed)
        self.calendar = Rules.shipped().calendar
        self.queue: list[tuple[int, int, Life]] = []
        self._number = 0

    # ---- what is to be done, and when

    def plan(self) -> None:
        """Throws the dice for every dossier: of all procedures in turn, in office hours."""
        days = [day for day in _days(FIRST, LAST) if self.calendar.is_working(day)]
        procedures = list(self.procedures())
        self.dice.shuffle(procedures)
        for n in range(self.dossiers):
            day = self.dice.choice(days)
            life = Life(
                self.dice.choice(_TEAMS), procedures[n % len(procedures)], self.dice.choice(_CHANNELS)
            )
            life.steps = course(self.dice, life)
            self._push(self._moment(day), life)

    def procedures(self) -> Iterator[Procedure]:
        """Yields the procedures that are in force on every day of the year."""
        for each in Rules.shipped().catalogue.in_force(FIRST):
            if each.is_in_force(LAST):
                yield each

    def _push(self, ms: int, life: Life) -> None:
        self._number += 1
        heapq.heappush(self.queue, (ms, self._number, life))

    def _moment(self, day: date) -> int:
        """Returns some minute of office hours, but not of their last quarter of an hour."""
        window = self.dice.choice(self.calendar.windows)
        minute = self.dice.randrange(window.start_min, window.end_min - 15)
        return to_ms(datetime.combine(day, time(), VIETNAM)) + minute * _MINUTE_MS

    def _next(self, now_ms: int, days: int) -> int:
        day = local(now_ms).date()
        if days == 0:
            return now_ms + self.dice.randrange(1, 10) * _MINUTE_MS // 10
        for _ in range(days):
            day = self.calendar.next_working_day(day)
        return self._moment(day)

    # ---- time passes

    def run(self) -> None:
        """Lets the year pass, and the first days of the next, in which its register is closed."""
        self.plan()
        worked = 0
        for day in _days(FIRST, LAST):
            if local(MERGED_MS).date() == day:
                self._at(MERGED_MS)
                self.land.merge()
            for quarter, (first, again) in QUARTERS.items():
                if day in {first, again}:
                    self._at(to_ms(datetime.combine(day, time(6, 30), VIETNAM)))
                    self._sync(day)
                    self._sign(quarter, is_again=day == again)
            self._work(to_ms(datetime.combine(day, time(18), VIETNAM)))
            if self.calendar.is_working(day):
                worked += 1
                if worked % self.sync_days == 0:
                    self._sync(day)
            else:
                self.reached["days off"] += 1
            if worked % 8 == 0 and not self._is_dark("thon", day) and self.calendar.is_working(day):
                self._stick()
        self._at(to_ms(datetime(2027, 1, 5, 9, tzinfo=VIETNAM)))
        self.reached["rounds to rest"] = self.land.settle()
        self._close()

    def _at(self, ms: int) -> None:
        self.land.province.clock_ms = max(ms, self.land.province.clock_ms)

    def _work(self, until_ms: int) -> None:
        while self.queue and self.queue[0][0] < until_ms:
            ms, _, life = heapq.heappop(self.queue)
            self._at(ms)
            self._do(life)
        self._at(until_ms)

    def _do(self, life: Life) -> None:
        """Takes a dossier's next step, if it has come to the machine of who takes it."""
        step = life.steps[0]
        desk = self.land.desks[step.who]
        now_ms = self.land.province.clock_ms
        if not self._is_there(desk, life, step):
            life.tries += 1
            self.reached["had not come yet"] += 1
            if life.tries > _PATIENCE:
                raise AssertionError(
                    f"{life.code}: {step.name} waits for {step.at} for ever: {self.where(life)}"
                )
            self._push(self._next(now_ms, 1), life)
            return
        if step.is_late and life.due_ms is not None and now_ms < life.due_ms:
            self._push(self._next(life.due_ms, self.dice.randint(1, 6)), life)
            return
        if desk.clock().is_suspect:
            desk.confirm_date(desk.today())
            self.reached["clock confirmed"] += 1
        if not life.doc:
            self.lives.append(life)
        step.act(desk, life)
        life.heads = frozenset(desk.store.document(life.doc).state.heads)
        self._note(life, step, desk)
        self.land.news[self.land.at[step.who]] += 1
        life.steps.pop(0)
        life.tries = 0
        if life.steps:
            self._push(self._next(now_ms, life.steps[0].days), life)

    def _note(self, life: Life, step: Step, desk: Desk) -> None:
        self.reached[step.name] += 1
        if desk.store.unit == "n1":
            self.reached["acted for the new commune"] += 1
        elif desk.store.unit != "d1" and self.land.province.clock_ms > MERGED_MS:
            self.reached["acted for a commune that is gone"] += 1

    def _is_there(self, desk: Desk, life: Life, step: Step) -> bool:
        """Tells whether the officer sees all that was done before."""
        if not life.doc:
            return True
        news = (step.who, self.land.news[self.land.at[step.who]])
        if life.looked == news:
            return False
        life.looked = news
        with suppress(NotFound):
            state = desk.store.document(life.doc).state
            return frozenset(state.heads) == life.heads and step.at in {"", base_step(state.tasks[MAIN].step)}
        return False

    def where(self, life: Life) -> dict[str, str]:
        """Returns at which step each machine sees a dossier."""
        found = {}
        for officer, desk in self.land.desks.items():
            with suppress(NotFound):
                found[officer] = f"{desk.step(life.doc)} {desk.store.document(life.doc).conflicts or ''}"
        return found

    # ---- lines and sticks

    @staticmethod
    def _is_dark(name: str, day: date) -> bool:
        return any(first <= day <= last for first, last in _DARK.get(name, ()))

    def _sync(self, day: date) -> None:
        for name in PARENTS:
            if self._is_dark(name, day) or self.dice.random() < 0.05:
                self.reached["line was down"] += 1
            else:
                self.land.line(name)
                self.reached["line"] += 1
        for officer, desk in self.land.desks.items():
            if officer not in {"Giang", "Hà"}:
                desk._watch.reload()
            desk.notebook.flush()

    def _stick(self) -> None:
        self.land.stick()
        self.reached["stick"] += 1

    # ---- what the heads sign

    def _sign(self, quarter: str, *, is_again: bool) -> None:
        """Signs a quarter's reports of commune, district and province, or supplements them."""
        units = ["c1", "c2"] if quarter in {"Q1/2026", "Q2/2026"} else ["n1"]
        wanted = [("Minh" if unit == "c2" else "Em", unit, False) for unit in units]
        for who, unit, is_tier in [*wanted, ("Oanh", "d1", True), ("Phúc", "p", True)]:
            desk = self.land.desks[who]
            report = desk.report(quarter, unit, is_tier=is_tier)
            try:
                signed = desk.freeze_report(report)
            except InvalidInput as error:
                if not is_again or error.details.get("reason") != "unchanged":
                    raise
                self.reached["nothing came late"] += 1
            else:
                self.signed.append(signed)
                self.reached["supplementary report" if is_again else "report"] += 1
                self.reached["late dossiers named"] += len(signed.content["changes"])

    def _close(self) -> None:
        """Closes the year's register of the commune and, before it, what was left of the year before."""
        for year in (2025, 2026):
            self.closed: Any = self.land.desks["Em"].close_register(year)
            self.reached["register closed"] += 1
        self.land.settle()


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += timedelta(days=1)
