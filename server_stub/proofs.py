"""``onestop-server statement`` and ``proof``: what the province states, and what was found out."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from onestop_sync import proofs
from onestop_sync.errors import InvalidInput, NotAllowed
from onestop_sync.keyring import write_durably
from onestop_sync.keys import fingerprint
from onestop_sync.proof_export import export_proof
from onestop_sync.stating import make_statements
from server_stub import settings

__all__ = ["finding_lines", "proof", "statement"]


def statement(arguments: Namespace) -> None:
    """Makes statements of the units of which there is something new to say."""
    store = settings.open_store(arguments)
    try:
        made = make_statements(store, interval_ms=0 if arguments.all else None)
    finally:
        store.close()
    if arguments.json:
        print(json.dumps({"statements": made}))
    else:
        print(f"{made} statements made; they come down with the next syncs.")


def proof(arguments: Namespace) -> None:
    """Writes a proof of what was found out, or checks one."""
    if arguments.check:
        _check(arguments)
        return
    store = settings.open_store(arguments)
    try:
        data, found = export_proof(store)
        try:
            write_durably(Path(arguments.path), data)
        except OSError as error:
            raise InvalidInput(
                f"Cannot write {arguments.path}: {error.strerror}.", todo="Check the path."
            ) from error
        store.mark_told()
    finally:
        store.close()
    if arguments.json:
        print(json.dumps({"path": arguments.path, "findings": [f.kind for f in found]}))
    else:
        print(f"{len(found)} findings are in {arguments.path}.")


def _check(arguments: Namespace) -> None:
    report = proofs.check(settings.read_file(arguments.path))
    shown = fingerprint(report.root)
    said = arguments.root_fingerprint
    if said is not None and "".join(said.split()).lower() != shown.replace(" ", ""):
        raise NotAllowed(
            f"The proof begins at a root whose fingerprint is {shown}, and not at the one that was given.",
            todo="It proves nothing about your province.",
        )
    if arguments.json:
        cases = [case._asdict() | {"missing": [m.hex() for m in case.missing]} for case in report.cases]
        print(json.dumps({"root": shown, "cases": cases}, ensure_ascii=False))
    else:
        print("\n".join(_lines(report)))


def _lines(report: proofs.Report) -> Iterator[str]:
    yield f"root: {fingerprint(report.root)} (compare it with the one that the province published)"
    for case in report.cases:
        mark = "proven" if case.is_proven else "claimed by whoever wrote the file"
        yield f"{mark}: {case.what}"
        yield from (f"  missing: {each.hex()}" for each in case.missing)


def finding_lines(status: Any) -> Iterator[str]:
    """Yields what a status says of findings and statements."""
    if status.findings:
        yield f"{status.findings} findings about a parent; nothing is lost. Run: onestop-server proof FILE"
    if status.stated_ms is not None:
        days = status.silent_ms // 86_400_000
        yield f"the province's last statement came {days} days of contact ago"
