"""The commands of day one: ``roster template``, ``roster check``, ``roster apply``."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from onestop_sync.errors import InvalidInput
from onestop_sync.keyring import write_durably
from onestop_sync.keys import fingerprint
from onestop_sync.store import Store
from onestop_sync.trust import Unit
from server_stub import province, roster_files, settings
from server_stub.keyfiles import PUBLISHING
from server_stub.roster import Problem, Roster
from server_stub.roster_apply import Applied, SheetFacts, apply
from server_stub.roster_check import check

__all__ = ["apply_roster", "check_roster", "refuse", "template"]

_SHOWN: Final = 200


def template(arguments: Namespace) -> None:
    """Writes an empty spreadsheet to fill in."""
    roster_files.write_template(Path(arguments.file))
    print(f"Fill in {arguments.file}, then look at what `roster check` says of it.")


def check_roster(arguments: Namespace) -> None:
    """Says everything that is wrong with a spreadsheet; changes nothing."""
    store = settings.open_store(arguments)
    try:
        found, problems = _read(store, arguments.file)
        machines = len(found.machines)
        facts = {
            "units": len(found.units), "machines": machines,
            "officers": sum(len(grant.officers) for grant in found.machines),
        }  # fmt: skip
    finally:
        store.close()
    refuse(arguments, problems)
    if arguments.json:
        print(json.dumps({**facts, "problems": []}, ensure_ascii=False))
    else:
        print(f"No faults: {facts['units']} new units, {machines} machines, {facts['officers']} officers.")


def apply_roster(arguments: Namespace) -> None:
    """Publishes new units, makes codes for new machines, and writes their sheets."""
    secrets = settings.unlock(arguments)
    store = settings.open_store(arguments, secrets)
    try:
        found, problems = _read(store, arguments.file)
        refuse(arguments, problems)
        path = Path(arguments.sheets)
        applied = apply(
            store, secrets.officer, found, hours=arguments.hours, renew=arguments.renew,
            publish_units=lambda units: _publish(arguments, store, units),
            print_sheets=lambda sheets: _print(arguments, store, path, sheets),
        )  # fmt: skip
    finally:
        store.close()
    _tell(arguments, applied, path)


def _read(store: Store, file: str) -> tuple[Roster, list[Problem]]:
    rows, wrong = roster_files.read(Path(file))
    found, problems = check(rows, store.trust.document.units)
    return found, [*wrong, *problems]


def refuse(arguments: Namespace, problems: Sequence[Problem]) -> None:
    """Tells all problems.

    Raises:
        InvalidInput: There are some.
    """
    if not problems:
        return
    if arguments.json:
        print(json.dumps({"problems": [p._asdict() for p in problems]}, ensure_ascii=False))
    else:
        for problem in problems[:_SHOWN]:
            where = [problem.sheet, f"row {problem.row}" if problem.row else "", problem.column]
            print(f"{', '.join(filter(None, where))}: {problem.reason}")
    raise InvalidInput(f"The spreadsheet has {len(problems)} faults.")


def _publish(arguments: Namespace, store: Store, units: Sequence[Unit]) -> None:
    file = arguments.publishing_passphrase_file
    passphrase = (
        settings.secret("ONESTOP_PUBLISHING_PASSPHRASE", file, "Passphrase of the publishing key")
        if file
        else settings.passphrase(arguments)
    )
    default = Path(arguments.folder) / PUBLISHING
    province.publish_units(store, units, Path(arguments.publishing_key or default), passphrase)


def _print(arguments: Namespace, store: Store, path: Path, sheets: Sequence[SheetFacts]) -> None:
    from server_stub.sheets import Surroundings, render

    if path.exists():
        raise InvalidInput(
            f"{path} is there already.",
            todo="Nothing was changed. The sheets in it may be in use: name another.",
        )
    around = Surroundings(tuple(arguments.server), fingerprint(store.root), store.clock())
    try:
        write_durably(path, render(sheets, around))
    except OSError as error:
        raise InvalidInput(f"Cannot write {path}: {error.strerror}.", todo="No code was made.") from error


def _tell(arguments: Namespace, applied: Applied, path: Path) -> None:
    facts = {
        "units": [unit.id for unit in applied.units],
        "sheets": [[s.grant.unit, s.grant.machine_name, s.made.selector] for s in applied.sheets],
        "widened": list(map(list, applied.widened)),
        "expired": list(map(list, applied.expired)),
        "unchanged": applied.unchanged,
        "file": str(path) if applied.sheets else "",
    }
    if arguments.json:
        print(json.dumps(facts, ensure_ascii=False))
        return
    print(f"{len(applied.units)} units are new, {applied.unchanged} machines are as they were.")
    for unit, name in applied.widened:
        print(f"{unit}, {name}: its open code allows the new officers too; the old sheet is good for them.")
    for unit, name in applied.expired:
        print(f"{unit}, {name}: its code ended unused. --renew makes a new one.")
    if applied.sheets:
        print(
            f"{len(applied.sheets)} codes were made. Print {path}, hand the sheets over, and delete the file."
        )
