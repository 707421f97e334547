"""What the machines do: everybody writes and syncs at once, and many of them in the same cases."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from onestop_sync.errors import NotAllowed
from tests.load.land import Land, Machine

__all__ = ["settle", "work"]

_KIND = "case"


def work(land: Land, url: str, *, rounds: int, cases: int, at_once: int, seed: int) -> float:
    """Lets every machine write and sync some times, many of them at the same moment.

    Args:
        land: The machines.
        url: The server's address; each connection may come to another process.
        rounds: How often each machine writes and syncs.
        cases: New cases of a commune in a round.
        at_once: Machines at work at a time.
        seed: Of their dice.

    Returns:
        How long it took, seconds.
    """
    begun = time.monotonic()
    with ThreadPoolExecutor(at_once) as pool:
        for number in range(rounds):
            order = list(enumerate(land.machines))
            random.Random(seed * 1000 + number).shuffle(order)

            def one(pair: tuple[int, Machine], number: int = number) -> None:
                n, machine = pair
                dice = random.Random(f"{seed} {number} {n}")
                write = _at_commune if machine.unit.startswith("c") else _at_district
                write(machine, dice, number, cases)
                machine.lines.close()  # and comes to the next process
                _timed(machine, lambda: machine.sync(url))

            list(pool.map(one, order))
    return time.monotonic() - begun


def settle(land: Land, url: str, at_once: int) -> None:
    """Syncs everybody until everything is everywhere: once up for all, then once down."""
    with ThreadPoolExecutor(at_once) as pool:
        for _ in range(2):
            list(pool.map(lambda machine: machine.sync(url), land.machines))


def _timed(machine: Machine, work: Callable[[], None]) -> None:
    begun = time.monotonic()
    work()
    machine.took_s.append(time.monotonic() - begun)


def _at_commune(machine: Machine, dice: random.Random, number: int, cases: int) -> None:
    hand, unit = machine.hand, machine.unit
    for n in range(cases):
        values = {"code": f"{unit}-{number}-{n}", "name": f"Nguyễn Văn {n}", "phone": f"09{number}{n}"}
        machine.docs.append(hand.create(_KIND, values))
    for doc in dice.sample(machine.docs, min(2, len(machine.docs))):
        with suppress(NotAllowed):  # in conflict with the district, or decided there
            hand.edit(doc, {"phone": str(dice.randrange(10**9))})
            hand.edit(doc, {f"members/{dice.randrange(50)}": True})
    district = machine.store.trust.document.units[unit].parent
    for doc in machine.docs[-cases:][: cases // 2 + 1]:
        hand.act(doc, "hand", {"to": district})


def _at_district(machine: Machine, dice: random.Random, number: int, _: int) -> None:
    """Edits cases that communes handed over and edit themselves meanwhile, and decides some."""
    hand = machine.hand
    rows = machine.store.page(_KIND, step="work", limit=100)
    chosen = dice.sample(rows, min(8, len(rows)))
    for row in chosen:
        hand.edit(row.doc, {"phone": str(dice.randrange(10**9))})
    for row in chosen[:2]:
        with suppress(NotAllowed):  # in conflict with the commune
            hand.act(row.doc, "decide", values={"verdict": f"được, lần {number}"})
