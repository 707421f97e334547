"""``onestop-server report``: Biểu II.06b of what a server holds, or II.06a of one of its units."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from datetime import date
from functools import partial
from pathlib import Path

from onestop_sync.audit import record
from onestop_sync.dossier.catalogue import Catalogue
from onestop_sync.dossier.report.periods import containing, named
from onestop_sync.dossier.rulebook import rules_of
from onestop_sync.errors import InvalidInput
from onestop_sync.keyring import write_durably
from onestop_sync.keys import Signer
from onestop_sync.reporting.difficulties import collected
from onestop_sync.reporting.files import render, to_text
from onestop_sync.reporting.freezing import Frozen, changes_of, freeze, frozen, frozen_lines, read
from onestop_sync.reporting.making import Report, dossiers, facts_of, make
from onestop_sync.store import Store, Writer
from onestop_sync.trail import Entry
from server_stub import settings
from server_stub.options import Verbs, add_common
from server_stub.portal.share import share_lines, shares

__all__ = ["add_parsers", "field_of", "made", "notes_of", "portal_of"]

_NO_FIELD = "Chưa rõ lĩnh vực"


def add_parsers(verbs: Verbs) -> None:
    """Adds the command."""
    report: ArgumentParser = verbs.add_parser(
        "report",
        help="make a quarterly report (Biểu II.06a, II.06b)",
        description="Show a report of a period, list the dossiers behind a figure, or write a file.",
    )
    report.add_argument(
        "period", nargs="?", default="", help="Q1/2026, 2026 or 01/02/2026-28/02/2026 (the running quarter)"
    )
    report.add_argument("--unit", default="", metavar="ID", help="of this unit (this server's)")
    report.add_argument("--alone", action="store_true", help="the unit alone (II.06a), without those below")
    report.add_argument("--column", type=int, choices=range(3, 14), help="list the dossiers of a column")
    report.add_argument(
        "--freeze", action="store_true",
        help="sign the report of a period that is over; later a supplement that says what changed and why",
    )  # fmt: skip
    report.add_argument("--frozen", action="store_true", help="show the signed reports that are here")
    report.add_argument("--out", metavar="FILE", help="a new file: .xlsx, .pdf, .csv, .json or .txt")
    add_common(report)
    report.set_defaults(run=_report)


def field_of(catalogue: Catalogue, procedure: str) -> str:
    """Returns the field of a procedure, by any version of it that is known."""
    return catalogue.any(procedure, date.max).field_vi or _NO_FIELD


def made(store: Store, period: str, unit: str = "", *, is_tier: bool = True) -> Report:
    """Makes a report of what a server holds.

    Args:
        store: The server's.
        period: As it is typed; the quarter that runs when empty.
        unit: Its id; the server's own when empty.
        is_tier: With the units below it.

    Raises:
        InvalidInput: It is no period.
        NotFound: There is no such unit.
    """
    rules = rules_of(store).report_rules
    chosen = named(period, rules) if period else containing(store.clock(), rules)
    return make(
        store,
        unit or store.unit,
        chosen,
        rules,
        partial(field_of, rules_of(store).catalogue),
        is_tier=is_tier,
    )


def _report(arguments: Namespace) -> None:
    if arguments.out and Path(arguments.out).exists():
        raise InvalidInput(f"{arguments.out} is there already.", todo="Name a new file.")
    secrets = settings.unlock(arguments)
    store = settings.open_store(arguments, secrets)
    try:
        if arguments.frozen:
            _show_frozen(arguments, list(frozen(store)))
            return
        report = made(store, arguments.period, arguments.unit, is_tier=not arguments.alone)
        if arguments.column is not None:
            found = dossiers(store, report.unit, report.period, arguments.column, is_tier=report.is_tier)
            _note(store, secrets.officer, Entry(store.clock(), "list", lines=len(found), code="report"))
            lines = [{"code": line.label, "unit": line.unit, "doc": line.doc.hex()} for line in found]
            text = (
                "\n".join(f"{line['code'] or line['doc']}  {line['unit']}" for line in lines)
                or "No dossiers."
            )
            print(json.dumps(lines, ensure_ascii=False) if arguments.json else text)
            return
        if arguments.freeze:
            _show_frozen(arguments, [_freeze(store, store.writer(secrets.officer), report)])
            return
        extra = [*notes_of(store, report), *portal_of(store, report)]
        if arguments.out:
            _write(store, secrets.officer, Path(arguments.out), report, extra)
    finally:
        store.close()
    if arguments.out:
        facts = {"file": arguments.out}
        print(json.dumps(facts) if arguments.json else f"The report is in {arguments.out}.")
    else:
        print(
            json.dumps(facts_of(report), ensure_ascii=False) if arguments.json else to_text(report, extra),
            end="",
        )


def notes_of(store: Store, report: Report) -> list[str]:
    """Returns what a report says of difficulties and obstacles."""
    return list(collected(store, {line.unit for line in report.synced}, report.period))


def portal_of(store: Store, report: Report) -> list[str]:
    """Returns what a report says of the national portal: which share of the dossiers it has."""
    return list(share_lines(shares(store, report.period, {line.unit for line in report.synced})))


def _freeze(store: Store, writer: Writer, report: Report) -> Frozen:
    before = next(frozen(store, report.unit, report.period.name, is_tier=report.is_tier), None)
    changes = changes_of(store, before, rules_of(store).report_rules) if before else []
    extra = {"difficulties": notes_of(store, report), "portal": portal_of(store, report)}
    return read(store, freeze(store, writer, report, supplements=before, changes=changes, extra=extra))


def _show_frozen(arguments: Namespace, found: Sequence[Frozen]) -> None:
    if arguments.json:
        facts = [{"label": f.label, "doc": f.doc.hex(), "total": f.content["total"]} for f in found]
        print(json.dumps(facts, ensure_ascii=False))
    else:
        print("\n".join(line for each in found for line in frozen_lines(each)))


def _note(store: Store, signer: Signer, entry: Entry) -> None:
    """Notes in the audit trail, before it happens, what is shown or written."""
    record(store, signer, [entry])


def _write(store: Store, signer: Signer, path: Path, report: Report, extra: Sequence[str]) -> None:
    data = render(report, path.suffix, extra)
    _note(store, signer, Entry(store.clock(), "export", code="report"))
    try:
        write_durably(path, data)
    except OSError as error:
        raise InvalidInput(f"Cannot write {path}: {error.strerror}.", todo="Check the path.") from error
