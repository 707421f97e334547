"""The administrator's command, ``onestop-server``.

Exit codes: 0 done; 1 refused, with the reason; 2 wrong usage; 3 a parent or the database is not reachable.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from datetime import date
from typing import Final

from onestop_sync import guard
from onestop_sync.enrol_grant import HOURS
from onestop_sync.errors import OnestopError, StoreMissing, Unreachable
from server_stub import audit as audit_command
from server_stub import (
    catalogue_commands,
    code_commands,
    commands,
    difficulty_commands,
    doctor_commands,
    keeping,
    openapi,
    proof_commands,
    proofs,
    publish_commands,
    report_commands,
    retention_commands,
    revoke_commands,
    root_commands,
    roster_commands,
    rules_commands,
    settings,
    snapshot_commands,
    unit_commands,
)
from server_stub.options import Verbs, add_common, add_parents, port, seconds
from server_stub.portal import commands as portal_commands
from server_stub.stater import EVERY_S

__all__ = ["build_parser", "main"]

DONE, REFUSED, USAGE, OFFLINE = 0, 1, 2, 3

_EPILOG: Final = """\
secrets are never arguments: the passphrase comes from --passphrase-file, from ONESTOP_PASSPHRASE, or is asked
for; the root keys' from --root-passphrase-file or ONESTOP_ROOT_PASSPHRASE; the publishing key's, where it is
another one, from --publishing-passphrase-file or ONESTOP_PUBLISHING_PASSPHRASE; the dashboard's from
--dashboard-password-file or ONESTOP_DASHBOARD_PASSWORD; a new server's one-time code from --code-file or
ONESTOP_ENROL_CODE.

exit codes: 0 done, 1 refused with the reason, 2 wrong usage, 3 not reachable

a province and a district:
  onestop-server init  --folder tinh --units units.json --name "May chu tinh"
  onestop-server serve --folder tinh --host 0.0.0.0 --port 8420
  onestop-server init  --folder huyen --ask huyen.request --unit h01 --name "May chu huyen"
  onestop-server enrol approve huyen.request --folder tinh --serves --no-blocks --out huyen.answer
  onestop-server init  --folder huyen --answer huyen.answer
  onestop-server serve --folder huyen --port 8421 --parent https://tinh.example.vn
"""


def build_parser() -> argparse.ArgumentParser:
    """Makes the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="onestop-server",
        description="The server of a hub, a district or a province.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_init(verbs)
    _add_enrol(verbs)
    _add_roster(verbs)
    _add_recover(verbs)
    _add_serve(verbs)
    _add_sync(verbs)
    _add_status(verbs)
    _add_audit(verbs)
    report_commands.add_parsers(verbs)
    difficulty_commands.add_parsers(verbs)
    publish_commands.add_parsers(verbs)
    rules_commands.add_parsers(verbs)
    catalogue_commands.add_parsers(verbs)
    root_commands.add_parsers(verbs)
    unit_commands.add_parsers(verbs)
    revoke_commands.add_parsers(verbs)
    _add_statement(verbs)
    _add_proof(verbs)
    proof_commands.add_parsers(verbs)
    snapshot_commands.add_parsers(verbs)
    doctor_commands.add_parsers(verbs)
    retention_commands.add_parsers(verbs)
    portal_commands.add_parsers(verbs)
    _add_openapi(verbs)
    return parser


def _add_init(verbs: Verbs) -> None:
    init = verbs.add_parser(
        "init",
        help="make a province, or a server below one",
        description="Make a province from a file of its units; or a server below one: by a one-time code from"
        " its parent, or in two steps by files, ask and answer.",
    )
    what = init.add_mutually_exclusive_group(required=True)
    what.add_argument("--units", metavar="FILE", help="make a province of these units (JSON or CSV)")
    what.add_argument("--ask", metavar="FILE", help="make keys, and write a request for an administrator")
    what.add_argument("--answer", metavar="FILE", help="make the store from the administrator's answer")
    what.add_argument(
        "--by-code", action="store_true", help="enrol at --parent by a one-time code, which is asked for"
    )
    init.add_argument("--code-file", metavar="FILE", help="with --by-code: file whose first line is the code")
    init.add_argument("--name", default="", help="what this server is called")
    init.add_argument("--unit", metavar="ID", default="", help="with --ask: the unit of this server")
    init.add_argument(
        "--admin", action="store_true", help="with --ask: ask that the holder may certify for this unit"
    )
    init.add_argument("--admin-name", metavar="NAME", default="", help="with --admin: the holder's full name")
    init.add_argument(
        "--root-keys", metavar="FOLDER", help="with --units: where the sealed root and recovery keys go"
    )
    init.add_argument("--root-passphrase-file", metavar="FILE", help="with --units: their passphrase")
    init.add_argument(
        "--root-fingerprint", metavar="HEX", help="with --answer: what the root's fingerprint must be"
    )
    init.add_argument("--yes", action="store_true", help="with --answer: take the root without comparing")
    add_parents(init)
    add_common(init)
    init.set_defaults(run=_init)


def _init(arguments: argparse.Namespace) -> None:
    if arguments.units:
        commands.found(arguments)
    elif arguments.ask:
        commands.ask(arguments)
    elif arguments.by_code:
        code_commands.join_by_code(arguments)
    else:
        commands.join(arguments)


def _add_enrol(verbs: Verbs) -> None:
    enrol = verbs.add_parser("enrol", help="make a one-time code; describe or approve a request")
    steps = enrol.add_subparsers(title="commands", metavar="COMMAND", required=True)
    describe = steps.add_parser("describe", help="show what a request asks for, with fingerprints")
    describe.add_argument("request", metavar="FILE")
    describe.add_argument("--json", action="store_true", help="print one JSON object")
    describe.set_defaults(run=commands.describe)
    approve = steps.add_parser(
        "approve",
        help="certify the machine and officers of a request",
        description="Certify the machine and officers of a request, as the administrator who unlocks the"
        " folder. Approving a request again gives the same answer again. A request that proves a one-time"
        " code needs no fingerprint, and gets what the code allows; --fingerprint sets the code aside.",
    )
    approve.add_argument(
        "request", metavar="FILE", nargs="?", help="the request, as a file or as text in one"
    )
    approve.add_argument("--waiting", action="store_true", help="approve what came over the line and waits")
    approve.add_argument("--out", metavar="FILE", help="where the answer goes")
    _add_machine(approve)
    approve.add_argument("--fingerprint", metavar="HEX", help="what the machine's fingerprint must be")
    approve.add_argument("--yes", action="store_true", help="approve without comparing the fingerprint")
    add_common(approve)
    approve.set_defaults(run=_approve)
    _add_codes(steps)


def _approve(arguments: argparse.Namespace) -> None:
    if arguments.waiting:
        code_commands.approve_waiting(arguments)
    else:
        commands.approve(arguments)


def _add_machine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--serves", action="store_true", help="the machine is a hub or server for others")
    blocks = parser.add_mutually_exclusive_group()
    blocks.add_argument("--no-blocks", action="store_true", help="the machine takes in no dossiers")
    blocks.add_argument(
        "--blocks", metavar="1-500,501-1000", help="serials of the day, instead of the next free"
    )


def _add_codes(steps: Verbs) -> None:
    code = steps.add_parser(
        "code",
        help="make a one-time code for one machine",
        description="Make a code by which one new machine enrols itself, as what is said here. It is shown"
        " once, and good for one machine, five tries and the hours given.",
    )
    code.add_argument("--unit", metavar="ID", required=True, help="the machine's unit")
    code.add_argument("--machine", metavar="NAME", required=True, help="what the machine is called")
    code.add_argument(
        "--officer", metavar="NAME:ROLES", action="append", default=[],
        help="who will work on it, with roles between commas; again for more",
    )  # fmt: skip
    code.add_argument("--hours", type=float, default=HOURS, help=f"how long it is good (default: {HOURS})")
    _add_machine(code)
    add_common(code)
    code.set_defaults(run=commands.code)
    listed = steps.add_parser("codes", help="list the codes that were made, or end one")
    listed.add_argument("--cancel", metavar="GROUP", help="first group of a code that shall do no more")
    add_common(listed)
    listed.set_defaults(run=code_commands.codes)
    more = steps.add_parser(
        "blocks",
        help="give a machine further blocks of serials",
        description="Certify a machine once more, with further blocks behind those it has: after each restore"
        " it goes on with the next. It gets the certificate with its next sync.",
    )
    more.add_argument("machine", metavar="MACHINE", help="its name as certified, or its key in hex")
    add_common(more)
    more.set_defaults(run=keeping.blocks)


def _add_roster(verbs: Verbs) -> None:
    roster = verbs.add_parser("roster", help="units, machines and officers from a spreadsheet")
    steps = roster.add_subparsers(title="commands", metavar="COMMAND", required=True)
    template = steps.add_parser("template", help="write an empty spreadsheet to fill in")
    template.add_argument("file", metavar="FILE.xlsx")
    template.set_defaults(run=roster_commands.template)
    check = steps.add_parser("check", help="say what is wrong with a spreadsheet; changes nothing")
    check.add_argument("file", metavar="FILE", help="an Excel workbook, or a folder of CSV files")
    add_common(check)
    check.set_defaults(run=roster_commands.check_roster)
    apply = steps.add_parser(
        "apply",
        help="publish new units, make codes for new machines, write sheets to print",
        description="Publish the units that are new, make a one-time code for each machine that has none, and"
        " write one page a machine to print. Applying the same again changes nothing; a grown table adds.",
    )
    apply.add_argument("file", metavar="FILE", help="an Excel workbook, or a folder of CSV files")
    apply.add_argument("--sheets", metavar="FILE.pdf", required=True, help="where the sheets to print go")
    apply.add_argument(
        "--server",
        metavar="URL",
        action="append",
        required=True,
        help="address on the sheets; again for more",
    )
    apply.add_argument(
        "--hours", type=float, default=HOURS, help=f"how long codes are good (default: {HOURS})"
    )
    apply.add_argument("--renew", action="store_true", help="new codes for machines that used none yet")
    apply.add_argument(
        "--publishing-key",
        metavar="FILE",
        help="the sealed key that publishes new units (default: in the folder)",
    )
    apply.add_argument(
        "--publishing-passphrase-file", metavar="FILE", help="its passphrase, where it is not the holder's"
    )
    add_common(apply)
    apply.set_defaults(run=roster_commands.apply_roster)


def _add_recover(verbs: Verbs) -> None:
    recover = verbs.add_parser(
        "recover",
        help="open a machine whose officers forgot their passphrases",
        description="Answer, with the province's recovery key, the request of a machine whose officers all"
        " forgot their passphrases. Works without any store or network.",
    )
    recover.add_argument("request", metavar="FILE", help="what the machine wrote")
    recover.add_argument("--key", metavar="FILE", required=True, help="the sealed recovery key")
    recover.add_argument("--key-passphrase-file", metavar="FILE", help="its passphrase")
    recover.add_argument("--out", metavar="FILE", required=True, help="where the answer goes")
    recover.add_argument("--fingerprint", metavar="HEX", help="what the request's fingerprint must be")
    recover.add_argument("--yes", action="store_true", help="answer without comparing the fingerprint")
    recover.add_argument("--json", action="store_true", help="print one JSON object")
    recover.set_defaults(run=keeping.recover)


def _add_serve(verbs: Verbs) -> None:
    serve = verbs.add_parser(
        "serve",
        help="answer machines, and sync with the own parents",
        description="Answer machines until SIGTERM or Ctrl+C. The log goes to standard error, one JSON"
        " object a line, without personal data.",
    )
    serve.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: this machine only)"
    )
    serve.add_argument("--port", type=port, default=8420, help="port; 0 takes a free one (default: 8420)")
    serve.add_argument(
        "--ready-file", metavar="FILE", help="written, with the port, once requests are answered"
    )
    serve.add_argument(
        "--interval", type=seconds, default=15.0, metavar="S", help="pause between syncs with parents (15)"
    )
    serve.add_argument(
        "--statement-every",
        type=seconds,
        default=EVERY_S,
        metavar="S",
        help="how often the top server states what each unit got (86400: once a day)",
    )
    serve.add_argument("--dashboard", action="store_true", help="show the dashboard at /, behind a password")
    serve.add_argument(
        "--dashboard-password-file", metavar="FILE", help="its password, 12 characters or more"
    )
    serve.add_argument("--log-level", choices=["debug", "info", "warning", "error"], default="info")
    add_parents(serve)
    add_common(serve)
    serve.set_defaults(run=commands.serve)


def _add_sync(verbs: Verbs) -> None:
    sync = verbs.add_parser("sync", help="sync with a parent once")
    add_parents(sync)
    add_common(sync)
    sync.set_defaults(run=commands.sync)


def _add_status(verbs: Verbs) -> None:
    status = verbs.add_parser("status", help="show counts, machines and parents")
    add_common(status)
    status.set_defaults(run=commands.status)


def _add_audit(verbs: Verbs) -> None:
    audit = verbs.add_parser(
        "audit",
        help="show or export the audit trail",
        description="Show who read, searched, printed, exported, unlocked and was refused, the latest first;"
        " or write it into a file. Either is itself an entry. Others' entries are shown to administrators"
        " and leaders only.",
    )
    audit.add_argument("--officer", default="", metavar="NAME", help="only this officer's")
    audit.add_argument("--day", type=_day, metavar="YYYY-MM-DD", help="only this day in Vietnam")
    audit.add_argument("--dossier", default="", metavar="CODE", help="only about this dossier")
    audit.add_argument("--limit", type=int, default=200, metavar="N", help="lines to show (200)")
    audit.add_argument("--export", metavar="FILE", help="a new file: JSON when it ends in .json, else CSV")
    add_common(audit)
    audit.set_defaults(run=audit_command.audit)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day such as 2026-09-05") from None


def _add_statement(verbs: Verbs) -> None:
    statement = verbs.add_parser(
        "statement",
        help="state what the province has stored and sent down",
        description="Make a signed statement of each unit below of which there is anything new to say;"
        " `serve` does it by itself once a day. Only at a server of the unit at the top.",
    )
    statement.add_argument("--all", action="store_true", help="of every unit, news or not")
    add_common(statement)
    statement.set_defaults(run=proofs.statement)


def _add_proof(verbs: Verbs) -> None:
    proof = verbs.add_parser(
        "proof",
        help="write down what was found out about a parent, or check such a file",
        description="Write a file with the signed papers by which a parent contradicted itself, and with what"
        " proves who signed them; or check one, which needs no store.",
    )
    proof.add_argument("path", metavar="FILE")
    proof.add_argument(
        "--check", action="store_true", help="check the file; needs no folder and no passphrase"
    )
    proof.add_argument(
        "--root-fingerprint", metavar="HEX", help="with --check: what the root key's fingerprint must be"
    )
    add_common(proof, is_needed=False)
    proof.set_defaults(run=proofs.proof)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command; returns its exit code."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    _check_usage(parser, arguments)
    if "types" in arguments:
        arguments.types = arguments.types or [settings.DEFAULT_TYPES]
    try:
        arguments.run(arguments)
    except Unreachable as error:
        return _tell(error, OFFLINE)
    except OnestopError as error:
        return _tell(error, REFUSED)
    except (KeyboardInterrupt, proof_commands.Unproven):
        return REFUSED
    except BrokenPipeError:
        # Whoever reads the output has stopped, as `head` does; what is still flushed goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:  # noqa: BLE001 - its words may hold a citizen's name: only kind and place
        what = guard.describe(type(error).__name__, guard.places(error.__traceback__))
        print(f"onestop-server: a mistake of the program ({what}). What was stored is safe.", file=sys.stderr)
        return REFUSED
    return DONE


def _add_openapi(verbs: Verbs) -> None:
    described = verbs.add_parser(
        "openapi",
        help="print what a server answers, as an OpenAPI document",
        description="Print the OpenAPI document of the server: every endpoint, status and content type. A"
        " server that runs has it at /v1/openapi.json.",
    )
    described.set_defaults(run=openapi.print_document)


def _check_usage(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    if getattr(arguments, "ask", None) and not (arguments.unit and arguments.name):
        parser.error("--ask needs --unit and --name")
    if getattr(arguments, "units", None) and not arguments.name:
        parser.error("--units needs --name")
    if arguments.run is _approve and bool(arguments.request and arguments.out) == arguments.waiting:
        parser.error("enrol approve needs FILE and --out, or --waiting")
    if getattr(arguments, "by_code", False) and not arguments.parent:
        parser.error("--by-code needs --parent")
    if arguments.run is proofs.proof and not (arguments.check or arguments.folder):
        parser.error("proof needs --folder, or --check")
    if arguments.run is commands.sync and not arguments.parent:
        parser.error("sync needs --parent")


def _tell(error: OnestopError, code: int) -> int:
    if isinstance(error, StoreMissing):  # the library cannot know by which program it is asked
        error = StoreMissing(error.what, todo="Check --folder, or make a store with `onestop-server init`.")
    print(f"onestop-server: {' '.join(str(error).split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
