"""``onestop-server difficulty``: khó khăn, vướng mắc of the units below, followed and answered."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError, Namespace
from datetime import date, datetime, time
from typing import Any

from onestop_sync.dossier.calendar import VIETNAM
from onestop_sync.dossier.dates import to_ms
from onestop_sync.dossier.difficulty import KINDS, STEPS
from onestop_sync.dossier.labels import one_line
from onestop_sync.errors import InvalidInput
from onestop_sync.reporting.difficulties import Listed, act, find, listed, remind, shown, write
from onestop_sync.store import Store, Writer
from server_stub import settings
from server_stub.options import Verbs, add_common

__all__ = ["add_parsers"]

_ACTIONS = {"take": "take_up", "answer": "answer", "pass": "pass_on", "close": "close", "reopen": "reopen"}


def add_parsers(verbs: Verbs) -> None:
    """Adds the command."""
    parser = verbs.add_parser(
        "difficulty",
        help="follow difficulties of the units below, answer them, urge a unit",
        description="List and answer what units report as difficulties; urge, check or guide a unit.",
    )
    parser.add_argument(
        "what", nargs="?", default="list", choices=["list", "show", "new", *_ACTIONS, "remind"]
    )
    parser.add_argument("id", nargs="?", default="", help="as the list names it")
    parser.add_argument("--open", action="store_true", help="with list: only what still waits for somebody")
    parser.add_argument("--title", default="", help="with new: one line")
    parser.add_argument("--text", default="", help="the text, the answer, the reason or the reminder")
    parser.add_argument("--kind", default="don_doc", choices=list(KINDS), help="with new (don_doc)")
    parser.add_argument("--to", default="", metavar="ID", help="the unit it goes to")
    parser.add_argument(
        "--due", type=_day, metavar="YYYY-MM-DD", help="with new: an answer is wanted by then"
    )
    add_common(parser)
    parser.set_defaults(run=_difficulty)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a day such as 2026-09-05") from None


def _difficulty(arguments: Namespace) -> None:
    secrets = settings.unlock(arguments)
    store = settings.open_store(arguments, secrets)
    try:
        if arguments.what == "list":
            found = listed(store, only_open=arguments.open)
            lines = [_line(store, each) for each in found]
            facts = [_plain(each) for each in found]
            text = "\n".join(lines or ["No difficulties."])
            print(json.dumps(facts, ensure_ascii=False) if arguments.json else text)
            return
        each = _done(store, store.writer(secrets.officer), arguments)
        text = "\n".join(shown(store, each))
        print(json.dumps(_plain(each), ensure_ascii=False) if arguments.json else text)
    finally:
        store.close()


def _done(store: Store, writer: Writer, arguments: Namespace) -> Listed:
    """Does what was asked for, and returns what it was done to."""
    if arguments.what == "new":
        due = arguments.due
        due_ms = to_ms(datetime.combine(due, time(17), VIETNAM)) if due else None
        doc = write(
            store, writer, title=arguments.title, text=arguments.text, kind=arguments.kind, to=arguments.to,
            due_ms=due_ms,
        )  # fmt: skip
        return find(store, doc.hex())
    if not arguments.id:
        raise InvalidInput("Which one? Its id is missing.", todo="See `onestop-server difficulty list`.")
    each = find(store, arguments.id)
    if arguments.what == "remind":
        remind(writer, each.doc, arguments.text)
    elif arguments.what in _ACTIONS:
        act(store, writer, each.doc, _ACTIONS[arguments.what], text=arguments.text, to=arguments.to)
    return find(store, each.doc.hex())


def _line(store: Store, each: Listed) -> str:
    view, units = each.view, store.trust.document.units
    unit = units[view.unit].name if view.unit in units else view.unit
    kind = KINDS.get(view.kind, one_line(view.kind))
    step = STEPS.get(view.step, view.step)
    return f"{each.id}  {step:<22} {one_line(unit)}: {kind}: {one_line(view.title)}"


def _plain(each: Listed) -> dict[str, Any]:
    return {"id": each.id, "doc": each.doc.hex(), **each.view._asdict()}
