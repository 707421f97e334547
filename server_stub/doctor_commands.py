"""``doctor``: whether a store is sound; with ``--rebuild``, what it shows is made from its events."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from typing import Final

from onestop_sync.doctor import Health, Tell, check, rebuild
from server_stub import settings
from server_stub.console import say
from server_stub.options import Verbs, add_common
from server_stub.proof_commands import Unproven

__all__ = ["add_parsers"]

_EVERY: Final = 20
_SHOWN: Final = 20


def add_parsers(verbs: Verbs) -> None:
    """Adds the command."""
    parser = verbs.add_parser(
        "doctor",
        help="check the store without changing it; --rebuild makes lists and states again",
        description="Compare all that the store shows with its events, and its events with their hashes."
        " Nothing is repaired unless asked for. Signatures and rights are proven by verify --all. A server"
        " may go on serving meanwhile; each batch of documents is locked for a moment.",
    )
    parser.add_argument("--rebuild", action="store_true", help="make what is derived again, then check")
    add_common(parser)
    parser.set_defaults(run=_doctor)


def _doctor(arguments: Namespace) -> None:
    store = settings.open_store(arguments)
    try:
        made = rebuild(store, _progress("made again")) if arguments.rebuild else 0
        health = check(store, _progress("checked"))
    finally:
        store.close()
    facts = {"rebuilt": made, **health.to_json()}
    say(arguments, facts, [*_lines(health, made)])
    if health.faults:
        raise Unproven


def _lines(health: Health, made: int) -> Iterator[str]:
    if made:
        yield f"{made} documents made again from their events; no event was touched."
    yield f"Checked: {health.documents} documents, {health.events} events, {health.chunks} chunks of scans."
    if not health.faults:
        yield "The store is sound."
        return
    for kind, count in Counter(fault.kind for fault in health.faults).items():
        yield f"{count} of kind {kind}"
    for fault in health.faults[:_SHOWN]:
        yield f"  {fault.kind} {fault.doc.hex()}: {fault.what}"
    if any(fault.is_derived for fault in health.faults):
        yield "Events are whole where only this is told: run doctor --rebuild."
    if not all(fault.is_derived for fault in health.faults):
        yield "Damaged events and scans come back from others: restore a backup, then synchronise."


def _progress(what: str) -> Tell:
    told = [0]

    def tell(done: int, total: int) -> None:
        part = done * _EVERY // max(total, 1)
        if part > told[0]:
            told[0] = part
            print(f"{done}/{total} {what}", file=sys.stderr, flush=True)

    return tell
