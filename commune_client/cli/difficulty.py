"""``difficulty``: khó khăn, vướng mắc, and what is urged, checked or guided: written, followed, answered."""

from __future__ import annotations

from typing import Any

from commune_client.cli.codes import DONE, UsageFault
from commune_client.cli.session import Session
from commune_client.cli.values import moment_ms
from onestop_sync.dossier.difficulty import KINDS, STEPS
from onestop_sync.dossier.labels import one_line
from onestop_sync.reporting.difficulties import Listed, shown

__all__ = ["difficulty"]

_ACTIONS = {
    "take": "take_up", "answer": "answer", "pass": "pass_on", "close": "close", "reopen": "reopen",
    "remind": "remind",
}  # fmt: skip


def difficulty(session: Session) -> int:
    """Does one thing with a difficulty."""
    arguments = session.arguments
    what = arguments.what
    if what not in {"list", "new"} and not arguments.id:
        raise UsageFault("còn thiếu: MÃ của khó khăn, vướng mắc (xem onestop difficulty list).")
    with session.desk() as desk:
        if what == "list":
            found = desk.difficulties(only_open=arguments.open)
            lines = [_line(each, desk.unit_name(each.view.unit)) for each in found]
            session.show([_plain(each) for each in found], lines or ["Chưa có khó khăn, vướng mắc nào."])
            return DONE
        if what == "new":
            due_ms = moment_ms(desk, arguments.due) if arguments.due else None
            each = desk.write_difficulty(
                arguments.title, arguments.text, proposal=arguments.proposal, kind=arguments.kind,
                to=arguments.to, due_ms=due_ms,
            )  # fmt: skip
        else:
            each = desk.difficulty(arguments.id)
            if what in _ACTIONS:
                each = desk.act_on_difficulty(each.doc, _ACTIONS[what], arguments.text, arguments.to)
        session.show(_plain(each), list(shown(desk.store, each)))
    return DONE


def _line(each: Listed, unit: str) -> str:
    view = each.view
    kind = KINDS.get(view.kind, one_line(view.kind))
    return f"{each.id}  {STEPS.get(view.step, view.step):<22} {unit}: {kind}: {one_line(view.title)}"


def _plain(each: Listed) -> dict[str, Any]:
    return {"id": each.id, "doc": each.doc.hex()} | each.view._asdict()
