"""The table of transitions as rows and as a document, made from the tasks themselves."""

from __future__ import annotations

from typing import Final, NamedTuple

from onestop_sync.dossier.labels import ACTION_LABELS, STEP_LABELS
from onestop_sync.dossier.workflow import AGENCY_TASK, MAIN_TASK, PORTAL_STATUS, STEPS
from onestop_sync.schema import Task

__all__ = ["Cell", "transition_table", "workflow_document"]


class Cell(NamedTuple):
    """One cell of the transition table: one action by one role at one step."""

    task: str
    step: str
    action: str
    role: str
    target: str
    needs: tuple[str, ...]
    moves: bool
    seals: bool


def transition_table() -> list[Cell]:
    """Returns every transition of both tasks, one cell for each step and role, in the order of the work."""
    return [
        Cell(task.name, step, t.action, role, t.target, t.needs, t.moves, t.seals)
        for task in (MAIN_TASK, AGENCY_TASK)
        for step in steps_of(task)
        for t in task.actions_at(step)
        for role in sorted(t.roles)
    ]


def steps_of(task: Task) -> tuple[str, ...]:
    """Returns a task's steps, in the order of the work."""
    if task is MAIN_TASK:
        return STEPS
    return (task.initial, *dict.fromkeys(t.target for t in task.transitions))


_TEXT: Final = """\
# The life of a dossier

Made from the table in `onestop_sync/dossier/workflow.py`; a test holds the two equal.

A step bears `+s` once a supplement was asked for after appraisal, and `+e` once a new appointment was
given: what may happen once is not offered again. *Moves*: the argument `to` names the unit that holds the
task afterwards. *Seals*: what the author had not seen does not enter by itself any more.

## Steps

| step | name | `TrangThaiHoSo` |
|---|---|---|
{steps}

## Transitions of a dossier (`main`)

{main}

## Transitions of an agency that is asked (`agency:<unit>`)

{agency}
"""


def workflow_document() -> str:
    """Returns ``docs/workflow.md``, made from the table."""
    steps = [f"| `{step}` | {STEP_LABELS[step]} | {number} |" for step, number in PORTAL_STATUS.items()]
    return _TEXT.format(steps="\n".join(steps), main=_rows(MAIN_TASK), agency=_rows(AGENCY_TASK))


def _rows(task: Task) -> str:
    lines = ["| step | action | name | leads to | roles | needs | effect |", "|---|---|---|---|---|---|---|"]
    for step in steps_of(task):
        for t in task.actions_at(step):
            needs = ", ".join(f"`{need}`" for need in (*t.needs, *(("to",) if t.moves else ())))
            effect = ", ".join(word for word, is_on in (("moves", t.moves), ("seals", t.seals)) if is_on)
            cells = (f"`{step}`", f"`{t.action}`", ACTION_LABELS[t.action], f"`{t.target}`")
            lines.append("| " + " | ".join((*cells, ", ".join(sorted(t.roles)), needs, effect)) + " |")
    return "\n".join(lines)
