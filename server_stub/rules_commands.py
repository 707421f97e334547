"""``rules``: which rules are in force, and their files, to edit and publish."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from onestop_sync.dossier.dates import local
from onestop_sync.dossier.rulebook import rules_of
from onestop_sync.dossier.rules import RulesFacts
from server_stub import settings
from server_stub.console import say, write_file
from server_stub.options import Verbs, add_common

__all__ = ["add_parsers"]


def add_parsers(verbs: Verbs) -> None:
    """Adds the command."""
    rules = verbs.add_parser(
        "rules",
        help="show which catalogue, calendar and legal profiles are in force, or write them as files",
        description="Show which catalogue, calendar and legal profiles are in force here: what the province"
        " has published, and until then what the program ships. With --out, write them as the files that"
        " `publish` takes: edit them, raise their versions, publish them.",
    )
    rules.add_argument(
        "--out", metavar="FOLDER", help="write catalogue.json, holidays.csv and profiles.json there"
    )
    add_common(rules)
    rules.set_defaults(run=_rules)


def _rules(arguments: Namespace) -> None:
    store = settings.open_store(arguments)
    try:
        rules = rules_of(store)
        facts = rules.facts(local(store.clock()).date())
    finally:
        store.close()
    lines = list(_lines(facts))
    if arguments.out:
        for name, data in rules.to_files().items():
            write_file(Path(arguments.out) / name, data)
            lines.append(f"Wrote {Path(arguments.out) / name}.")
    say(arguments, facts._asdict(), lines)


def _lines(facts: RulesFacts) -> Iterator[str]:
    origin = facts.origins
    years = ", ".join(map(str, facts.announced_years)) or "none"
    count = facts.procedures
    yield f"catalogue version {facts.catalogue_version}, {origin['catalogue.json']}: {count} procedures"
    yield f"calendar version {facts.calendar_version}, {origin['holidays.csv']}: announced years {years}"
    yield f"legal profile {facts.profile}, {origin['profiles.json']}: {facts.profile_name}"
    if facts.missing_years:
        unknown = ", ".join(map(str, facts.missing_years))
        yield f"NOT ANNOUNCED: the days off of {unknown}; due dates that reach there say so."
    for name, reason in facts.faults.items():
        yield f"CANNOT BE READ HERE: {name}, so {origin[name]} is used. {reason}"
