"""Every decoder takes or refuses whatever it is given; `make fuzz` asks the same for as long as one likes."""

from __future__ import annotations

import random
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.bombs import BOMBS, MOST_BYTES, MOST_S, cost_of
from tests.fuzz.found import FOLDER, load_finds
from tests.fuzz.mutate import mutate
from tests.fuzz.target import Run, Target, Verdict, try_one
from tests.fuzz.targets import all_targets

LARGE = {
    "xlsx: 2 GiB of one text", "xlsx: 90 MiB of short texts", "xlsx: 45 MiB in one row",
    "roster: 45 MiB in one row",
    "roster: 2 MiB of short texts", "roster: 2 MiB of rows", "packet: 200 MiB of zeros",
    "png: 10 billion pixels",
}  # fmt: skip
"""Bombs that take long to make: `make fuzz` tries them."""
_READY: dict[str, tuple[Run, list[bytes]]] = {}


def ready(target: Target) -> tuple[Run, list[bytes]]:
    """Returns what reads an input, and valid ones; made once."""
    if target.name not in _READY:
        _READY[target.name] = (target.make(), list(target.seeds()))
    return _READY[target.name]


@pytest.fixture(params=sorted(all_targets()))
def target(request: pytest.FixtureRequest) -> Target:
    """Give each target."""
    return all_targets()[request.param]


def test_a_decoder_takes_or_refuses_and_nothing_else(target: Target) -> None:
    """Of valid inputs at least one is taken; of changed ones each is taken or refused by an error of ours."""
    run, seeds = ready(target)
    assert Verdict.TAKEN in {try_one(target, run, seed) for seed in seeds}

    # The same inputs in each run: what is new is for `make fuzz`, and not for whoever changes something else.
    @settings(
        max_examples=5 if target.is_slow else 20, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(st.sampled_from(seeds), st.integers(0, 2**32))
    def changed(seed: bytes, dice: int) -> None:
        try_one(target, run, mutate(target.form, seed, random.Random(dice)))

    changed()


def test_what_was_found_stays_mended(target: Target) -> None:
    """Inputs that once came through as something else are taken or refused."""
    for find in load_finds(target.name):
        assert try_one(target, ready(target)[0], find.data) in Verdict


def test_every_kept_find_has_its_target() -> None:
    """What was found is kept under the name of a target that is still there."""
    assert {path.stem for path in FOLDER.glob("*.json")} <= set(all_targets())


@pytest.mark.parametrize("name", ["acks", "event", "filed", "units", "onestop", "roster.xlsx"])
def test_mutations_are_neither_all_good_nor_all_bad(name: str) -> None:
    """Of fifty changed inputs some are taken and some are refused: they get past the first check."""
    target = all_targets()[name]
    run, seeds = ready(target)
    dice = random.Random(4)
    told = {try_one(target, run, mutate(target.form, dice.choice(seeds), dice)) for _ in range(50)}
    assert told == set(Verdict)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
@pytest.mark.parametrize("name", sorted(set(BOMBS) - LARGE))
def test_a_bomb_costs_little(name: str) -> None:
    """What is small and would become large is refused, or taken, within 64 MiB and two seconds."""
    cost = cost_of(name)
    assert cost.end in {"taken", "refused"}
    assert (cost.grown_bytes <= MOST_BYTES, cost.cpu_s <= MOST_S) == (True, True), cost
