"""The life of a dossier: what the table of transitions allows, and what it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from onestop_sync.dossier import labels, roles, workflow
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.dossier.workflow import AGENCY_TASK, ENDED, FINAL, MAIN_TASK, OPEN, STEPS, base_step
from onestop_sync.dossier.workflow_doc import Cell, steps_of, transition_table, workflow_document
from onestop_sync.fold import Entry, Reason, State, TaskState, judge
from onestop_sync.schema import MAIN
from tests.unit.dossier_world import (
    APPRAISER,
    APPROVER,
    CHIEF,
    CLERK,
    D_APPRAISER,
    D_CHIEF,
    DESK,
    TO_APPRAISAL,
    TO_APPROVAL,
    TO_DISTRICT,
    World,
    officer,
)

ALL_ROLES = (*sorted(roles.OFFICERS), roles.HEAD, roles.ADMIN)
TASKS = {MAIN: MAIN_TASK, "agency": AGENCY_TASK}
FULL = {"ly_do": "vì", "noi_dung": "gì", "han_moi": 1, "han": 1, "to": "h01"}


def at(task: str, step: str) -> State:
    """Returns a dossier whose task stands at a step."""
    state = State(unit="x01", units=["x01"], tasks={MAIN: TaskState("accepted", "x01")})
    state.tasks[task if task == MAIN else f"{task}:x01"] = TaskState(step, "x01")
    return state


def verdict(cell: Cell, step: str, role: str, arguments: dict[str, object]) -> Reason | None:
    """Judges one action by one role at one step."""
    name = MAIN if cell.task == MAIN else f"{cell.task}:x01"
    op = ["act", name, cell.action, arguments]
    return judge(DOSSIER, at(cell.task, step), Entry(b"", (), [op], officer("x01", role), 0))


def test_every_cell_is_allowed_and_nothing_else() -> None:
    """An action is possible for exactly the roles and at exactly the steps that the table names."""
    allowed = {(c.task, c.step, c.action, c.role): c for c in transition_table()}
    sample = {(c.task, c.action): c for c in allowed.values()}
    for (name, action), cell in sample.items():
        for step in steps_of(TASKS[name]):
            for role in ALL_ROLES:
                reason = verdict(cell, step, role, FULL)
                if (name, step, action, role) in allowed:
                    assert reason is None, (step, action, role)
                else:
                    assert reason in {Reason.STEP, Reason.ROLE}, (step, action, role)


def test_what_the_law_wants_must_be_given() -> None:
    """Without any one of its arguments (a reason, a date, a unit) a transition is refused."""
    for cell in transition_table():
        for need in (*cell.needs, *(("to",) if cell.moves else ())):
            for empty in (None, "  "):
                reason = verdict(cell, cell.step, cell.role, {**FULL, need: empty})
                assert reason is Reason.ARGUMENT, cell


@pytest.mark.parametrize(
    "action", ["refuse", "ask_supplement", "stop", "reject", "extend", "withdraw", "decline"]
)
def test_reason_is_wanted(action: str) -> None:
    """Refusal, supplement, stop, rejection, extension, withdrawal and a declined handover give a reason."""
    assert all("ly_do" in c.needs for c in transition_table() if c.action == action)


@pytest.mark.parametrize("action", ["approve", "reject", "stop", "return", "refuse", "withdraw"])
def test_what_decides_seals(action: str) -> None:
    """What decides or ends a dossier seals what its author saw."""
    assert all(c.seals for c in transition_table() if c.action == action)


def test_every_step_has_a_portal_status_and_a_name() -> None:
    """Each step, marks or not, is one of the ten statuses, has a name, and all ten are used."""
    numbers = {step: workflow.portal_status(at(MAIN, step)) for step in STEPS}
    assert set(numbers.values()) == set(range(1, 11))
    assert all(number == numbers.get(base_step(step), number) for step, number in numbers.items())
    for task in TASKS.values():
        assert all(labels.step_label(step) != base_step(step) for step in steps_of(task))
        assert all(t.action in labels.ACTION_LABELS for t in task.transitions)


def test_steps_are_those_that_can_be_reached() -> None:
    """Every step can be reached from the first, and only final ones lead nowhere."""
    found, todo = set(), [MAIN_TASK.initial]
    while todo:
        step = todo.pop()
        if step not in found:
            found.add(step)
            todo += [t.target for t in MAIN_TASK.actions_at(step)]
    assert found == set(STEPS)
    assert {s for s in STEPS if not MAIN_TASK.actions_at(s)} == FINAL
    assert set(map(base_step, STEPS)) == OPEN | ENDED
    assert not OPEN & ENDED


def test_withdrawal_is_possible_from_every_open_step() -> None:
    """Until the decision the applicant may withdraw, and not after it."""
    can = {base_step(step) for step in STEPS if MAIN_TASK.transition("withdraw", step)}
    assert can == OPEN


@pytest.mark.parametrize("action", ["extend", "ask_supplement", "ask_at_intake"])
def test_once_means_once_on_every_path(action: str) -> None:
    """However a dossier goes on after an extension or a supplement, there is no second one."""
    todo = [t.target for t in MAIN_TASK.transitions if t.action == action]
    found: set[str] = set()
    while todo:
        step = todo.pop()
        if step not in found:
            found.add(step)
            assert MAIN_TASK.transition(action, step) is None
            todo += [t.target for t in MAIN_TASK.actions_at(step)]


def test_four_steps_on_the_spot() -> None:
    """Inside one commune a dossier goes from intake to the citizen, each handover with two signatures."""
    world = World()
    done = world.path(
        world.root,
        *TO_APPROVAL,
        (APPROVER, "approve"),
        (APPROVER, "give_result"),
        (DESK, "receive"),
        (DESK, "return"),
    )
    task = world.state.tasks[MAIN]
    assert (task.step, task.unit, workflow.portal_status(world.state)) == ("returned", "x01", 10)
    assert not world.state.refused
    assert world.state.heads == [done.id]


def test_one_officer_may_hold_every_role() -> None:
    """In a small commune one person takes all steps."""
    world = World()
    one = officer("x01", *roles.OFFICERS)
    actions = ("accept", "give", "receive", "submit", "approve", "give_result", "receive", "return")
    world.path(world.root, *((one, action) for action in actions))
    assert world.state.tasks[MAIN].step == "returned"


def test_interlinked_dossier_moves_and_comes_back() -> None:
    """A dossier that the district decides is the district's until the result is given to the intake unit."""
    world = World()
    decided = world.path(
        world.root, *TO_DISTRICT, (D_APPRAISER, "receive"), (D_APPRAISER, "submit"), (D_CHIEF, "approve")
    )
    assert world.state.tasks[MAIN].unit == "h01"
    assert world.judge(APPROVER, ["act", MAIN, "give_result", {"to": "x01"}]) is Reason.UNIT
    world.path(decided, (D_CHIEF, "give_result"), (DESK, "receive"), (DESK, "return"))
    assert (world.state.tasks[MAIN].step, world.state.tasks[MAIN].unit) == ("returned", "x01")
    assert world.state.units == ["h01", "x01"]


def test_supplement_goes_through_the_intake_desk() -> None:
    """What the district lacks is asked for by the commune's desk, which sends the dossier on again."""
    world = World()
    asked = world.path(world.root, *TO_DISTRICT, (D_APPRAISER, "receive"), (D_APPRAISER, "ask_supplement"))
    assert world.state.tasks[MAIN].unit == "x01"
    assert workflow.portal_status(world.state) == 5
    back = world.path(asked, (CLERK, "supply"), (CLERK, "transfer"), (D_APPRAISER, "receive"))
    assert world.state.tasks[MAIN].step == "appraisal+s"
    world.path(back, (D_APPRAISER, "ask_supplement"))
    assert list(world.state.refused.values()) == [Reason.STEP]


def test_extension_is_refused_the_second_time() -> None:
    """A second new appointment is refused, also after a supplement."""
    world = World()
    once = world.path(
        world.root, *TO_APPRAISAL, (CHIEF, "extend"), (APPRAISER, "ask_supplement"), (CLERK, "supply")
    )
    again = world.path(once, (CLERK, "give"), (APPRAISER, "receive"), (CHIEF, "extend"))
    assert world.state.refused == {again.id: Reason.STEP}
    assert world.state.tasks[MAIN].step == "appraisal+s+e"


def test_agencies_answer_at_once_beside_the_main_task() -> None:
    """Two agencies are asked at once and answer independently, while the dossier goes on."""
    world = World()
    here = world.path(world.root, *TO_APPRAISAL)
    ask = {"noi_dung": "Có tranh chấp không?", "han": 1}
    asked = [
        world.add([here], [["act", f"agency:{unit}", "ask", {**ask, "to": unit}]], APPRAISER)
        for unit in ("cax", "dcx")
    ]
    for unit, question in zip(("cax", "dcx"), asked, strict=True):
        answer = officer(unit, roles.APPRAISAL)
        text = ["set", f"y_kien/{unit}", f"{unit}: không"]
        world.add([question], [text, ["act", f"agency:{unit}", "answer", {}]], answer)
    world.path(asked[0], (APPRAISER, "submit"))
    state = world.state
    assert {n: t.step for n, t in state.tasks.items()} == {
        MAIN: "approval", "agency:cax": "answered", "agency:dcx": "answered",
    }  # fmt: skip
    assert [state.value(f"y_kien/{u}") for u in ("cax", "dcx")] == ["cax: không", "dcx: không"]
    assert not state.refused


def test_agency_owns_its_own_opinion_only() -> None:
    """An agency writes its own opinion until it answers, never another's and never the content."""
    world = World()
    here = world.path(world.root, *TO_APPRAISAL)
    op = ["act", "agency:cax", "ask", {"noi_dung": "?", "han": 1, "to": "cax"}]
    asked = world.add([here], [op], APPRAISER)
    agency = officer("cax", roles.APPRAISAL)
    assert world.judge(agency, ["set", "y_kien/cax", "không"]) is None
    assert world.judge(agency, ["set", "y_kien/dcx", "không"]) is Reason.OWNER
    assert world.judge(agency, ["set", "noi_dung", "khác"]) is Reason.OWNER
    assert world.judge(APPRAISER, ["set", "y_kien/cax", "có"]) is Reason.OWNER
    world.add([asked], [["act", "agency:cax", "answer", {}]], agency)
    assert world.judge(agency, ["set", "y_kien/cax", "có"]) is Reason.OWNER


def test_workflow_document_is_current() -> None:
    """docs/workflow.md says what the table says."""
    path = Path(__file__).parents[2] / "docs" / "workflow.md"
    assert path.read_text("utf-8") == workflow_document(), (
        "write workflow_document() to docs/workflow.md again"
    )
