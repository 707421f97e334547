"""``unit``: changes of the tree of units, each planned, told in words, and published."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from onestop_sync import tree_changes as changes
from onestop_sync.enrol import BLOCK_SERIALS
from onestop_sync.errors import InvalidInput, NotAllowed
from onestop_sync.store import Store
from onestop_sync.trust_document import TrustDocument
from onestop_sync.units import Unit
from server_stub import adoption, publishing, settings, split_list, unit_sheet, unit_words
from server_stub.console import confirm, counted, day_of, say
from server_stub.heads import heads_of_unit, machines_of
from server_stub.options import Verbs, add_common, add_publishing
from server_stub.roster_commands import refuse

__all__ = ["add_parsers", "change"]

LEVELS = ("province", "district", "commune")
Plan = Callable[[Store, TrustDocument, int], TrustDocument]
"""Store, what is published, the time → what is published next."""


def add_parsers(verbs: Verbs) -> None:
    """Adds the commands."""
    unit = verbs.add_parser(
        "unit",
        help="add, merge, split, move, rename, close units; show the tree at a date",
        description="Change the tree of units. A change is published at once, and machines go by it as soon"
        " as they hear of it; --at is the day from which people see it. Machines that hear of it later go on"
        " under the old unit, and nothing of theirs is lost.",
    )
    steps = unit.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_new(steps)
    _add_changes(steps)
    _add_ends(steps)
    _add_looking(steps)


def _step(
    steps: Verbs, name: str, help_: str, run: Callable[[Namespace], None], *, is_dated: bool = True
) -> ArgumentParser:
    parser = steps.add_parser(name, help=help_)
    if is_dated:
        parser.add_argument("--at", metavar="YYYY-MM-DD", required=True, help="from which day on, in Vietnam")
    add_publishing(parser)
    add_common(parser)
    parser.set_defaults(run=run)
    return parser


def _add_new(steps: Verbs) -> None:
    add = _step(steps, "add", "a new unit", _add)
    add.add_argument("unit", metavar="ID", help="opaque, never used before")
    _describe_new(add, is_needed=True)
    merge = _step(steps, "merge", "several units become one, which goes on with their work", _merge)
    merge.add_argument("merged", metavar="ID", nargs="+", help="the units that end")
    merge.add_argument(
        "--into", metavar="ID", required=True, help="the one that goes on; with --name a new one"
    )
    _describe_new(merge, is_needed=False)


def _describe_new(parser: ArgumentParser, *, is_needed: bool) -> None:
    parser.add_argument("--name", required=is_needed, default="", help="its Vietnamese name")
    parser.add_argument("--parent", metavar="ID", required=is_needed, default="", help="the unit above")
    parser.add_argument("--level", choices=LEVELS, default="commune")
    parser.add_argument(
        "--codes", nargs="+", metavar="CODE", default=[], help="agency codes, the current one first"
    )


def _add_changes(steps: Verbs) -> None:
    rename = _step(steps, "rename", "another name or agency code; the old ones stay aliases", _rename)
    rename.add_argument("unit", metavar="ID")
    rename.add_argument("--name", default="")
    rename.add_argument("--codes", nargs="+", metavar="CODE", default=[])
    move = _step(steps, "move", "below another unit", _move)
    move.add_argument("unit", metavar="ID")
    move.add_argument("--to", metavar="ID", required=True, help="the unit above, from then on")
    split = _step(steps, "split", "several units go on with the work of one", _split)
    split.add_argument("unit", metavar="ID", help="the unit that ends")
    split.add_argument(
        "--into", metavar="ID,ID", required=True, help="those that go on; `unit add` makes them"
    )
    split.add_argument(
        "--list", metavar="FILE.csv", dest="listed",
        help="lines of dossier code (or document id), successor; what is not listed goes to the unit above",
    )  # fmt: skip


def _add_ends(steps: Verbs) -> None:
    tier = _step(
        steps, "remove-tier", "a whole tier ends; what is below it goes to the tier above", _remove_tier
    )
    tier.add_argument("level", metavar="LEVEL", choices=LEVELS)
    close = _step(
        steps,
        "close",
        "close a unit that has ended: the last word on what its machines wrote",
        _close,
        is_dated=False,
    )
    close.add_argument("unit", metavar="ID")
    close.add_argument(
        "--write-off", action="append", default=[], metavar="MACHINE",
        help="do not wait for this machine; what it still holds will need a countersignature",
    )  # fmt: skip


def _add_looking(steps: Verbs) -> None:
    export = steps.add_parser("export", help="write the units as a spreadsheet, to change and to apply")
    export.add_argument("file", metavar="FILE.xlsx")
    add_common(export)
    export.set_defaults(run=_export)
    apply = _step(steps, "apply", "publish what was changed in the spreadsheet, as one change", _apply)
    apply.add_argument("file", metavar="FILE", help="the workbook, or a folder with units.csv")
    show = steps.add_parser("show", help="the tree at a date, or one unit with its machines")
    show.add_argument("unit", metavar="ID", nargs="?")
    show.add_argument("--at", metavar="YYYY-MM-DD", help="on which day (default: today)")
    add_common(show)
    show.set_defaults(run=_show)
    adopt = steps.add_parser(
        "adopt", help="certify machines and officers of merged units for their successor"
    )
    adopt.add_argument("unit", metavar="ID", help="the successor")
    adopt.add_argument(
        "--from", dest="sources", action="append", default=[], metavar="ID", help="only of this unit"
    )
    adopt.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="only this machine or officer"
    )
    adopt.add_argument(
        "--serials", type=int, default=BLOCK_SERIALS, metavar="N",
        help=f"serials of a day in each of a machine's two blocks ({BLOCK_SERIALS})",
    )  # fmt: skip
    adopt.add_argument(
        "--dry-run", action="store_true", help="say who would be certified, and certify nobody"
    )
    adopt.add_argument("--yes", action="store_true", help="certify without asking")
    add_common(adopt)
    adopt.set_defaults(run=_adopt)


# ------------------------------------------------------------------------------------------- changes


def change(arguments: Namespace, plan: Plan, told: Callable[[Store], Sequence[str]] = lambda _: ()) -> None:
    """Plans a change, tells it, and publishes it.

    Args:
        arguments: Of the command.
        plan: Makes the next trust document.
        told: Further lines to look at before.

    Raises:
        OnestopError: The plan makes no sense, or nobody has confirmed it.
    """
    store = settings.open_store(arguments)
    try:
        held = store.trust.document
        planned = plan(store, held, store.clock())
        lines = [*told(store), *changes.describe_changes(held, planned)]
        if not arguments.dry_run:
            confirm(arguments, lines, "Publish this?")
            publishing.publish(arguments, store, document=planned)
        facts = {
            "version": store.publication.version,
            "trust_version": store.trust.document.version,
            "changes": lines,
        }
    finally:
        store.close()
    done = "Nothing was published." if arguments.dry_run else f"Published as version {facts['version']}."
    say(arguments, facts, [*lines, done])


def _add(arguments: Namespace) -> None:
    new = _new(arguments, arguments.unit)
    change(
        arguments, lambda _, held, now: changes.plan_add(held, new, at_ms=day_of(arguments.at), now_ms=now)
    )


def _new(arguments: Namespace, unit: str) -> Unit:
    return Unit(unit, arguments.name, arguments.parent, arguments.level, tuple(arguments.codes))


def _rename(arguments: Namespace) -> None:
    def plan(_: Store, held: TrustDocument, now: int) -> TrustDocument:
        return changes.plan_rename(
            held,
            arguments.unit,
            name=arguments.name,
            codes=arguments.codes,
            at_ms=day_of(arguments.at),
            now_ms=now,
        )

    change(arguments, plan)


def _move(arguments: Namespace) -> None:
    def plan(_: Store, held: TrustDocument, now: int) -> TrustDocument:
        return changes.plan_move(held, arguments.unit, arguments.to, at_ms=day_of(arguments.at), now_ms=now)

    change(arguments, plan)


def _export(arguments: Namespace) -> None:
    store = settings.open_store(arguments)
    try:
        count = unit_sheet.write_units(Path(arguments.file), store.trust.document.units)
    finally:
        store.close()
    then = f"unit apply {arguments.file} --at DAY --dry-run"
    done = f"{count} units in {arguments.file}. Change it, then look at what that comes to: {then}"
    say(arguments, {"units": count}, [done])


def _apply(arguments: Namespace) -> None:
    def plan(_: Store, held: TrustDocument, now: int) -> TrustDocument:
        rows, wrong = unit_sheet.read_units(Path(arguments.file))
        planned = unit_sheet.plan_units(held, rows, at_ms=day_of(arguments.at), now_ms=now)
        refuse(arguments, [*wrong, *planned.problems])
        if planned.document is held:
            raise InvalidInput("The spreadsheet says what is published already.", todo="Nothing was changed.")
        return planned.document

    change(arguments, plan)


def _merge(arguments: Namespace) -> None:
    def plan(_: Store, held: TrustDocument, now: int) -> TrustDocument:
        into: Unit | str = arguments.into
        if arguments.into not in held.units:
            if not (arguments.name and arguments.parent):
                raise InvalidInput(
                    f"There is no unit {arguments.into!r} yet.",
                    todo="Give a new one --name, --parent and --codes.",
                )
            into = _new(arguments, arguments.into)
        elif arguments.name or arguments.parent or arguments.codes:
            raise InvalidInput(
                f"{arguments.into} is there already: change it with `unit rename` and `unit move`."
            )
        return changes.plan_merge(held, arguments.merged, into, at_ms=day_of(arguments.at), now_ms=now)

    change(arguments, plan)


def _split(arguments: Namespace) -> None:
    into = [part.strip() for part in arguments.into.split(",") if part.strip()]

    def plan(store: Store, held: TrustDocument, now: int) -> TrustDocument:
        assigned = split_list.read(store, arguments.unit, arguments.listed) if arguments.listed else {}
        return changes.plan_split(
            held, arguments.unit, into, assigned, at_ms=day_of(arguments.at), now_ms=now
        )

    change(arguments, plan)


def _remove_tier(arguments: Namespace) -> None:
    def plan(_: Store, held: TrustDocument, now: int) -> TrustDocument:
        return changes.plan_remove_tier(held, arguments.level, at_ms=day_of(arguments.at), now_ms=now)

    change(arguments, plan)


# ------------------------------------------------------------------------------------------- the end


def _close(arguments: Namespace) -> None:
    def plan(store: Store, held: TrustDocument, now: int) -> TrustDocument:
        if arguments.unit in held.units and held.units[arguments.unit].is_ended:
            _check_all_moved(store, arguments.unit, arguments.write_off)
        heads = {head.log: (head.seq, head.head) for head in heads_of_unit(store, arguments.unit)}
        return changes.plan_close(held, arguments.unit, heads, now_ms=now)

    change(arguments, plan, lambda store: unit_words.closing_lines(heads_of_unit(store, arguments.unit)))


def _check_all_moved(store: Store, unit: str, written_off: Sequence[str]) -> None:
    """Makes sure that every machine has gone on elsewhere, with all that it had, or is written off by name.

    Raises:
        NotAllowed: One has not; names them.
        InvalidInput: A machine is written off that is none of the unit's.
    """
    machines = machines_of(store, unit)
    names = {machine.name for machine in machines}
    strangers = sorted(set(written_off) - names)
    if strangers:
        raise InvalidInput(f"{unit} has no machine called {', '.join(strangers)}.")
    out = [m for m in machines if not m.is_done and m.name not in written_off]
    if out:
        told = "; ".join(unit_words.machine_line(machine) for machine in out)
        raise NotAllowed(
            f"Of {unit}, {counted(len(out), 'machine')} did not report since: {told}.",
            todo="Nothing was changed. Wait for them (`unit adopt` certifies them for the successor), or name"
            " each that will never come with --write-off.",
        )


# ------------------------------------------------------------------------------------------- looking


def _show(arguments: Namespace) -> None:
    store = settings.open_store(arguments)
    try:
        at_ms = day_of(arguments.at) if arguments.at else store.clock()
        if arguments.unit:
            facts: dict[str, Any] = unit_words.unit_facts(store, arguments.unit, at_ms)
            lines = list(unit_words.unit_lines(facts))
        else:
            facts = {"units": unit_words.tree_facts(store.trust.document, at_ms)}
            lines = list(unit_words.tree_lines(facts["units"]))
    finally:
        store.close()
    say(arguments, facts, lines)


def _adopt(arguments: Namespace) -> None:
    if not 0 < arguments.serials <= BLOCK_SERIALS * 10:
        raise InvalidInput("A block has 1 to 5000 serials.")
    secrets = settings.unlock(arguments)
    store = settings.open_store(arguments, secrets)
    try:
        planned = adoption.plan_adoption(store, arguments.unit, set(arguments.only), arguments.sources)
        lines = [unit_words.adoption_line(each) for each in planned]
        if planned and not arguments.dry_run:
            confirm(arguments, lines, "Certify them?")
            made = adoption.adopt(store, secrets.officer, planned, serials=arguments.serials)
        else:
            made = []
    finally:
        store.close()
    done = f"{counted(len(made), 'key')} certified for {arguments.unit}." if made else "Nobody was certified."
    facts = {"planned": lines, "certified": [unit_words.certificate_facts(each) for each in made]}
    say(arguments, facts, [*lines, done if planned else "Nobody is left to certify."])
