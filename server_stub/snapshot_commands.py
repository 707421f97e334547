"""``snapshot``: what the province signs of finished documents, from which a new machine begins."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime

from onestop_sync.snapshotting import Held, check_snapshots, list_snapshots, make_snapshots
from server_stub import settings
from server_stub.console import say
from server_stub.options import Verbs, add_common
from server_stub.proof_commands import Unproven

__all__ = ["add_parsers"]


def add_parsers(verbs: Verbs) -> None:
    """Adds the commands."""
    parser = verbs.add_parser(
        "snapshot",
        help="sign what is finished, so that a new machine need not fetch its history first",
        description="Signed lists of finished dossiers. A new machine begins from them, and has what is open"
        " with all of its events; the history of what is finished comes when somebody needs it, and in"
        " passing. `serve` makes them by itself at the unit at the top, and mirrors them below it.",
    )
    what = parser.add_subparsers(title="commands", metavar="WHAT", required=True)
    make = what.add_parser("make", help="sign what is finished and not signed yet; only at the top")
    show = what.add_parser("show", help="list the snapshots that are here")
    check = what.add_parser("check", help="check their signatures, and compare them with the documents")
    for each, run in ((make, _make), (show, _show), (check, _check)):
        add_common(each)
        each.set_defaults(run=run)


def _make(arguments: Namespace) -> None:
    store = settings.open_store(arguments)
    try:
        made = make_snapshots(store)
    finally:
        store.close()
    say(arguments, {"documents": made}, [f"{made} finished documents signed; new machines begin from them."])


def _show(arguments: Namespace) -> None:
    store = settings.open_store(arguments)
    try:
        held = list_snapshots(store)
    finally:
        store.close()
    say(arguments, {"snapshots": [each._asdict() for each in held]}, [*_lines(held)])


def _lines(held: list[Held]) -> Iterator[str]:
    for each in held:
        day = datetime.fromtimestamp(each.at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
        yield f"{each.n}  {each.unit}  {day} UTC  {each.named} documents, {each.current} of them as signed"
    if not held:
        yield "There is no snapshot here."


def _check(arguments: Namespace) -> None:
    store = settings.open_store(arguments)
    try:
        found = check_snapshots(store)
    finally:
        store.close()
    lines = [
        f"{found.snapshots} snapshots checked, which name {found.named} documents.",
        f"{found.current} are as signed and may be given to new machines; the others go with their events.",
    ]
    lines += [f"snapshot {n} is not signed by a server of the unit at the top" for n in found.forged]
    lines += [
        f"document {doc} is not what was signed, although nothing says that it changed" for doc in found.wrong
    ]
    say(arguments, found._asdict(), lines)
    if found.forged or found.wrong:
        raise Unproven
