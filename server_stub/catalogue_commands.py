"""``catalogue``: the province's editor, as a spreadsheet that goes out, is checked, and is published."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from onestop_sync.dossier.catalogue import Catalogue
from onestop_sync.dossier.files import write_catalogue
from onestop_sync.dossier.rulebook import rules_of
from onestop_sync.dossier.rules import CATALOGUE, check_publication
from onestop_sync.errors import InvalidInput
from server_stub import catalogue_sheet, publishing, settings
from server_stub.console import confirm, say
from server_stub.options import Verbs, add_common, add_publishing
from server_stub.roster import Problem

__all__ = ["add_parsers"]

_SHOWN: Final = 200
"""Bad rows and changes that are listed one by one."""


def add_parsers(verbs: Verbs) -> None:
    """Adds the commands."""
    catalogue = verbs.add_parser(
        "catalogue", help="edit the catalogue of procedures as a spreadsheet, and publish it"
    )
    steps = catalogue.add_subparsers(title="commands", metavar="COMMAND", required=True)
    export = steps.add_parser("export", help="write the catalogue in force as a spreadsheet")
    _add_file(export, "the workbook to write, .xlsx")
    export.set_defaults(run=_export)
    check = steps.add_parser("check", help="say what a spreadsheet would change; publishes nothing")
    _add_file(check, "the workbook, or a folder of CSV files")
    check.set_defaults(run=_check)
    publish = steps.add_parser("publish", help="publish a spreadsheet as the next version of the catalogue")
    _add_file(publish, "the workbook, or a folder of CSV files")
    add_publishing(publish)
    publish.set_defaults(run=_publish)


def _add_file(parser: ArgumentParser, what: str) -> None:
    parser.add_argument("file", metavar="FILE", help=what)
    add_common(parser)


def _export(arguments: Namespace) -> None:
    store = settings.open_store(arguments)
    try:
        catalogue = rules_of(store).catalogue
    finally:
        store.close()
    catalogue_sheet.write_sheet(Path(arguments.file), catalogue)
    facts = {"version": catalogue.version, "rows": len(catalogue.procedures), "file": arguments.file}
    say(arguments, facts, [f"Version {catalogue.version}, {facts['rows']} rows, is in {arguments.file}."])


def _check(arguments: Namespace) -> None:
    store = settings.open_store(arguments)
    try:
        held = rules_of(store).catalogue
    finally:
        store.close()
    made = _read(arguments, held)
    changes = catalogue_sheet.describe_changes(held, made)
    facts = {"version": made.version, "changes": changes}
    say(arguments, facts, [*_some(changes), f"{len(changes)} changes. Nothing was published."])


def _publish(arguments: Namespace) -> None:
    store = settings.open_store(arguments)
    try:
        rules = rules_of(store)
        made = _read(arguments, rules.catalogue)
        changes = catalogue_sheet.describe_changes(rules.catalogue, made)
        if not changes:
            raise InvalidInput("Nothing is new.", todo="Nothing was published.")
        data = write_catalogue(made)
        check_publication(CATALOGUE, data, rules)
        if not arguments.dry_run:
            confirm(arguments, _some(changes), f"Publish {len(changes)} changes?")
            publishing.publish(arguments, store, files={CATALOGUE: data})
    finally:
        store.close()
    done = (
        "Nothing was published."
        if arguments.dry_run
        else f"Published as version {made.version} of the catalogue. Machines take it as they sync."
    )
    say(arguments, {"version": made.version, "changes": changes}, [*_some(changes), done])


def _read(arguments: Namespace, held: Catalogue) -> Catalogue:
    """Reads the spreadsheet as the next version.

    Raises:
        InvalidInput: Rows are wrong: each with its sheet, number and reason.
    """
    made, problems = catalogue_sheet.read_sheet(Path(arguments.file), held.version + 1, held.fields)
    if made is None:
        raise InvalidInput(
            f"{len(problems)} rows of {arguments.file} are wrong:\n" + "\n".join(_some(map(_told, problems))),
            todo="Nothing was published. Correct them and check the file again.",
        )
    return made


def _told(problem: Problem) -> str:
    column = f", {problem.column}" if problem.column else ""
    row = f", row {problem.row}" if problem.row else ""
    return f"  {problem.sheet}{row}{column}: {problem.reason}"


def _some(lines: Iterable[str]) -> list[str]:
    every = list(lines)
    return every if len(every) <= _SHOWN else [*every[:_SHOWN], f"… and {len(every) - _SHOWN} more"]
