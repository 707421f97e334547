"""Role × action × unit × step: exactly the cells of the hand-written tables pass, in three places alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.fold import Author, Entry, judge
from tests.matrix import BOUND, FIELDS, FREE, MAIN_ACTIONS, OPINION_ACTIONS, SITUATIONS, Cell, cells
from tests.matrix_world import MatrixWorld

CELLS = list(cells())
EVERY = 40
"""Of the refused cells, each so manieth goes through the three places here; `make hostile` takes all."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MatrixWorld]:
    """Give a province with a dossier at every step."""
    found = MatrixWorld(tmp_path_factory.mktemp("matrix"))
    yield found
    found.close()


def test_the_tables_name_everything() -> None:
    """The matrix has every action, field and step, and a cell that passes for each that stands by itself."""
    transitions = [t for task in DOSSIER.tasks for t in task.transitions]
    steps = {t.target for t in transitions} | {task.initial for task in DOSSIER.tasks}
    assert {situation.step for situation in SITUATIONS} == steps
    assert {*MAIN_ACTIONS, *OPINION_ACTIONS} == {t.action for t in transitions}
    assert {key.partition("/")[0] for key in (*FIELDS, *FREE, *BOUND)} == {
        field.name for field in DOSSIER.fields
    }
    allowed = [cell for cell in CELLS if cell.is_allowed]
    assert {cell.what for cell in allowed} == {cell.what for cell in CELLS} - {*BOUND}
    assert (len(CELLS), len(allowed)) == (110_000, 5_008)


def test_every_dossier_stands_at_its_step(world: MatrixWorld) -> None:
    """The dossiers of the matrix are where they should be, by steps that all counted."""
    for situation, dossier in world.dossiers.items():
        state = world.client.store.document(dossier.doc).state
        task = state.tasks.get(situation.task)
        assert (task.step if task else "none") == situation.step
        assert (state.refused, set(state.units)) == ({}, set(situation.units))


def test_every_cell_is_judged_as_the_tables_say(world: MatrixWorld) -> None:
    """The function that every verifier asks allows exactly the cells of the tables, of all 110,000."""
    states = {s: world.client.store.document(d.doc).state for s, d in world.dossiers.items()}
    wrong = []
    for cell in CELLS:
        author = Author(cell.unit, frozenset({cell.unit}), frozenset(cell.roles))
        reason = judge(DOSSIER, states[cell.situation], Entry(b"?", (), [cell.op], author, 0))
        if (reason is None) != cell.is_allowed:
            wrong.append((cell, reason))
    assert wrong == []


def test_three_places_say_the_same(world: MatrixWorld) -> None:
    """A store lets its officers do, a server and a third machine take as valid, what the tables allow.

    What is not allowed is signed by a client that asks nobody: it is stored and marked, with the reason that
    the store gave its officer.
    """
    refused = [cell for cell in CELLS if not cell.is_allowed]
    tried = [cell for cell in CELLS if cell.is_allowed][::3] + refused[::EVERY]
    counts = try_everywhere(world, tried)
    assert counts["tried"] == len(tried) > 3_500
    assert counts["allowed"] > 1_300
    assert {"role", "unit", "step", "owner"} <= counts.keys()


def try_everywhere(world: MatrixWorld, tried: Sequence[Cell]) -> Counter[str]:
    """Tries cells in all three places, which must agree with the tables; counts what they said."""
    here = dict(world.try_here(tried))
    places = world.forge(tried)
    server, third = world.send(places), world.carry()
    counts: Counter[str] = Counter()
    for cell, event in places:
        said = [here[cell], *(world.reason(found, event.id) for found in (server, third))]
        assert len(set(said)) == 1, (cell, said)
        assert (said[0] == "") == cell.is_allowed, (cell, said[0])
        counts.update(["tried", said[0] or "allowed"])
    assert world.stored(world.server) == world.stored(world.third) >= {event.id for _, event in places}
    return counts
