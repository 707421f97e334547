"""``onestop-server verify``, ``evidence`` and ``erase``: proofs of a province's store, and erasure by law."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from onestop_sync import publisher
from onestop_sync.audit import record
from onestop_sync.document_evidence import MAX_BYTES, Evidence
from onestop_sync.erasure import ErasurePlan, plan_erasure, plan_files
from onestop_sync.errors import FormatError, InvalidInput, NotFound
from onestop_sync.keyring import write_durably
from onestop_sync.keys import SigningKey, fingerprint
from onestop_sync.proof import check
from onestop_sync.report import NOTES, PROBLEMS, Problem, Proven, Report
from onestop_sync.store import Store
from onestop_sync.tombstone import Tombstone
from onestop_sync.trail import Entry
from onestop_sync.verification import StoreReport, collect, verify_document, verify_store
from server_stub import settings
from server_stub.keyfiles import PUBLISHING, open_key
from server_stub.options import Verbs, add_common

__all__ = ["Unproven", "add_parsers", "erase", "evidence", "note", "publish_erasure", "verify"]

NOT_LEGAL: Final = (
    "The signatures prove origin and integrity; they are no legal digital signatures (chữ ký số), and times"
    " are what the signers' clocks said."
)
_SHORT: Final = 12
_EVERY: Final = 20
_MS: Final = 10**11
"""Numbers of a row above this are times, in milliseconds since 1970 UTC."""


def add_parsers(verbs: Verbs) -> None:
    """Adds ``verify``, ``evidence`` and ``erase``."""
    verify_ = verbs.add_parser(
        "verify",
        help="prove who signed what, from the root up",
        description="Prove a document, the whole store, or an evidence file: who signed what under which"
        " certificate, and that the store shows what the events come to. Exit code 1 when something is not"
        " proven. A file needs no folder.",
    )
    what = verify_.add_mutually_exclusive_group(required=True)
    what.add_argument("code", metavar="CODE", nargs="?", default="", help="a document, or an evidence file")
    what.add_argument("--all", action="store_true", help="every log and every document of the store")
    verify_.add_argument("--root", metavar="HEX", help="with a file: the fingerprint of the province's root")
    add_common(verify_, is_needed=False)
    verify_.set_defaults(run=verify)
    file = verbs.add_parser("evidence", help="write all that proves a document into one file")
    file.add_argument("code", metavar="CODE")
    file.add_argument("out", metavar="FILE", help="where it goes; it holds personal data")
    add_common(file)
    file.set_defaults(run=evidence)
    _add_erase(verbs)


def _add_erase(verbs: Verbs) -> None:
    parser = verbs.add_parser(
        "erase",
        help="erase documents by law, at the province",
        description="Publish a tombstone for each document: every machine that learns of it drops the"
        " content, and keeps the register's row. It cannot be undone.",
    )
    parser.add_argument("codes", metavar="CODE", nargs="+")
    parser.add_argument("--why", required=True, metavar="TEXT", help="by what law or decision; published")
    parser.add_argument("--dry-run", action="store_true", help="show what would be erased and what stays")
    add_common(parser)
    parser.set_defaults(run=erase)


class Unproven(Exception):
    """Something was not proven; what, has been printed."""


def verify(arguments: Namespace) -> None:
    """Proves a document, a whole store, or an evidence file.

    Raises:
        Unproven: Something does not check.
    """
    if arguments.code and Path(arguments.code).is_file():
        report: Report | StoreReport = _verify_file(arguments)
    else:
        report = _verify_store(arguments)
    if arguments.json:
        print(json.dumps(report.to_json(), ensure_ascii=False))
    else:
        lines = _report_lines(report) if isinstance(report, Report) else _store_lines(report)
        for line in lines:
            print("".join(char for char in line if char.isprintable()))
    if not report.is_proven:
        raise Unproven


def _verify_file(arguments: Namespace) -> Report:
    data = settings.read_file(arguments.code)
    if len(data) > MAX_BYTES:
        raise FormatError("The file is larger than any evidence file.")
    found = Evidence.parse(data)
    shown = fingerprint(found.anchor)
    if "".join((arguments.root or "").split()).lower() != shown.replace(" ", ""):
        raise InvalidInput(
            f"The fingerprint of the root in the file is {shown}, and nobody has compared it.",
            todo="Nothing is proven. Give the province's with --root.",
        )
    return check(found, found.anchor, settings.load_types(arguments.types))


def _verify_store(arguments: Namespace) -> Report | StoreReport:
    if not arguments.folder:
        raise InvalidInput(f"--folder is missing (or {settings.FOLDER}).")
    store = settings.open_store(arguments)
    try:
        if arguments.code:
            doc = _find(store, arguments.code)
            note(store, arguments, "read", doc, "verify")
            return verify_document(store, doc)
        return verify_store(store, _progress())
    finally:
        store.close()


def note(store: Store, arguments: Namespace, what: str, doc: bytes, code: str) -> None:
    """Notes in the audit trail, before it happens, who does what; in the machine's own log."""
    record(store, store.machine, [Entry(store.clock(), what, doc, code=code, who=arguments.holder)])


def _progress() -> Any:
    told: dict[str, int] = {}

    def tell(what: str, done: int, total: int) -> None:
        part = done * _EVERY // max(total, 1)
        if part > told.get(what, 0):
            told[what] = part
            print(f"{done}/{total} {what}", file=sys.stderr, flush=True)

    return tell


def _find(store: Store, code: str) -> bytes:
    """Returns the document that is called so, of whatever type, or has that id in hex.

    Raises:
        NotFound: There is none.
    """
    for kind in store.types:
        try:
            return store.lookup(kind, code)
        except NotFound:
            continue
    try:
        doc = bytes.fromhex(code)
    except ValueError:
        doc = b""
    if store.history(doc):
        return doc
    raise NotFound(f"There is no document {code!r} in this store.")


def evidence(arguments: Namespace) -> None:
    """Writes everything that proves a document into one file."""
    store = settings.open_store(arguments)
    try:
        doc = _find(store, arguments.code)
        note(store, arguments, "export", doc, "evidence")
        data = collect(store, doc).to_bytes()
        root = fingerprint(store.root)
    finally:
        store.close()
    try:
        write_durably(Path(arguments.out), data)
    except OSError as error:
        raise InvalidInput(
            f"Cannot write {arguments.out}: {error.strerror}.", todo="Check the path."
        ) from error
    if arguments.json:
        print(json.dumps({"path": str(arguments.out), "size_bytes": len(data), "root": root}))
        return
    print(f"{arguments.out}: {len(data)} bytes, readable by its owner only.")
    print("It holds personal data and is not encrypted: give it only to who may see the document.")
    print(f"The auditor runs: onestop-server verify {Path(arguments.out).name} --root '{root}'")


# ---------------------------------------------------------------------------------------------- erasure


def erase(arguments: Namespace) -> None:
    """Erases documents by law: publishes their tombstones, and applies them here."""
    passphrase = settings.passphrase(arguments)
    store = settings.open_store(arguments)
    try:
        plans = [_plan(store, code, arguments.why) for code in arguments.codes]
        for plan in plans:
            note(
                store, arguments, "command", plan.tombstone.doc, "erase.dry" if arguments.dry_run else "erase"
            )
        if not arguments.dry_run:
            online = SigningKey(open_key(Path(arguments.folder) / PUBLISHING, passphrase, "publishing"))
            publish_erasure(store, online, plans)
        is_gone = arguments.dry_run or store.scrub()
        version = store.publication.version
    finally:
        store.close()
    _say_erased(arguments, plans, version, is_gone=is_gone)


def _plan(store: Store, code: str, why: str) -> ErasurePlan:
    report = verify_document(store, _find(store, code))
    return plan_erasure(report, store.types[report.kind], why=why, now_ms=store.clock())


def publish_erasure(store: Store, online: SigningKey, plans: Sequence[ErasurePlan]) -> None:
    """Publishes the tombstones of plans, and applies them to a store.

    Raises:
        NotAllowed: The root does not name that key for publishing.
    """
    files = plan_files(store.publication, plans)
    store.replace_trust(publisher.publish(store.publication, online, now_ms=store.clock(), files=files))


def _say_erased(arguments: Namespace, plans: Sequence[ErasurePlan], version: int, *, is_gone: bool) -> None:
    facts = [
        {
            "doc": plan.tombstone.doc.hex(),
            "row": dict(plan.tombstone.row),
            "events": len(plan.tombstone.events),
            "bodies": plan.bodies,
            "body_bytes": plan.body_bytes,
        }
        for plan in plans
    ]
    if arguments.json:
        found = {"dry_run": arguments.dry_run, "publication": version, "scrubbed": is_gone, "erased": facts}
        print(json.dumps(found, ensure_ascii=False))
        return
    for plan in plans:
        print(f"{plan.tombstone.doc.hex()}: {plan.bodies} bodies, {plan.body_bytes} bytes; what stays:")
        for line in _kept(plan.tombstone):
            print(f"  {line}")
    if arguments.dry_run:
        print("Nothing was changed: this was a dry run.")
        return
    print(
        f"Erased, in publication {version}. Each machine erases when it next synchronises or takes a stick."
    )
    if not is_gone:
        print(
            "Old pages are still in the write-ahead log: another program was in the way; it is tried again."
        )
    print("Backups, copies of disks and PostgreSQL's own logs keep what they held: see docs/operators.md.")


# ---------------------------------------------------------------------------------------------- words


def _report_lines(report: Report) -> Iterator[str]:
    yield "document: " + ("proven, from the root up" if report.is_proven else "NOT all of it is proven")
    yield f"root {fingerprint(report.anchor)}, publication {report.version}"
    if report.exporter:
        made = report.exporter
        yield f"made and signed by {made.name} of {_unit(report, made.unit)} at {_time(made.made_ms)}"
    if report.tombstone:
        yield from _tombstone_lines(report.tombstone)
    yield from map(_problem, report.problems)
    for code, subject in report.notes:
        yield f"  note: {NOTES[code]} {subject.hex()[:_SHORT]}".rstrip()
    for proven in report.events:
        yield from _event(report, proven)
    if report.fingerprint:
        yield f"final state, SHA-256: {report.fingerprint.hex()}"
    yield NOT_LEGAL


def _unit(report: Report, unit: str) -> str:
    return report.units.get(unit, unit)


def _time(ms: int) -> str:
    try:
        return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%SZ}"
    except (OverflowError, ValueError, OSError):
        return str(ms)


def _problem(problem: Problem) -> str:
    detail = f" ({problem.detail})" if problem.detail else ""
    return f"  NOT PROVEN {problem.code} {problem.subject.hex()[:_SHORT]}: {PROBLEMS[problem.code]}{detail}"


def _tombstone_lines(tombstone: Tombstone) -> Iterator[str]:
    yield f"erased by law at {_time(tombstone.erased_ms)}: {tombstone.why}"
    yield "  what stays:"
    yield from (f"    {line}" for line in _kept(tombstone))


def _kept(tombstone: Tombstone) -> Iterator[str]:
    """Yields the row of the register that stays, as people read it."""
    for key, value in tombstone.row.items():
        match value:
            case int() if value > _MS:
                yield f"{key}: {_time(value)}"
            case dict():
                yield f"{key}: " + ", ".join(f"{name} {each}" for name, each in value.items())
            case list() | tuple() | bytes():
                yield f"{key}: the line that reports count, of numbers alone"
            case _:
                yield f"{key}: {value}"


def _event(report: Report, proven: Proven) -> Iterator[str]:
    event = proven.event
    standing = str(proven.standing) if proven.standing else "not proven"
    why = f": {proven.reason}" if proven.reason else ""
    done = ", ".join(" ".join(map(str, op[: 3 if op[0] == "act" else 2])) for op in proven.ops)
    yield f"{event.id.hex()[:_SHORT]}  {_time(event.header.time_ms)}  {standing}{why}"
    yield f"    {done or '(no content)'}"
    for depth, link in enumerate(proven.chain):
        lead = "certified by" if depth else "signed by"
        roles = ", ".join(link.roles) or "machine"
        by = f"certificate {link.certificate.hex()[:_SHORT]}" if link.certificate else "named by the root"
        who = f"{link.name} of {_unit(report, link.unit)} ({roles})"
        yield f"    {lead} {who}, {by}, key {fingerprint(link.key)}"
    for acked in proven.acks:
        yield f"    stored by {acked.name} of {_unit(report, acked.unit)} at {_time(acked.at_ms)}"


def _store_lines(report: StoreReport) -> Iterator[str]:
    yield "store: " + ("proven, from the root up" if report.is_proven else "NOT all of it is proven")
    yield f"root {fingerprint(report.anchor)}, publication {report.version}"
    yield f"{report.documents} documents ({report.erased} erased), {report.trail} entries of the audit trail"
    if report.snapshots:
        yield f"{report.snapshots} documents more by the province's snapshots alone: not proven here"
    yield f"{report.events} events in {report.logs} logs"
    yield f"{report.refused} events refused, {report.waiting} documents with events that wait"
    yield from map(_problem, report.problems)
    for odd in report.odd_logs:
        holes = ", ".join(f"{first}-{last}" for first, last in odd.holes)
        facts = [f"forked at {', '.join(map(str, odd.forks))}"] if odd.forks else []
        facts += [f"lacks {holes}"] if holes else []
        yield f"  log {odd.log.hex()[:_SHORT]} of {odd.name or '?'} ({odd.unit}): {'; '.join(facts)}"
    yield NOT_LEGAL
