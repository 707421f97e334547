"""``onestop-server portal``: settings and credentials, the queue run once or on and on, and how it stands."""

from __future__ import annotations

import json
import signal
import threading
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from onestop_sync import strict_json
from onestop_sync.audit import record
from onestop_sync.dossier.data import shipped_portal
from onestop_sync.dossier.portal.documents import Held, plan_export
from onestop_sync.dossier.portal.settings import settings_from_plain
from onestop_sync.dossier.rulebook import rules_of
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.errors import FormatError, InvalidInput, NotAllowed, NotFound, OnestopError
from onestop_sync.keys import Signer
from onestop_sync.store import Store
from onestop_sync.trail import Entry
from server_stub import logs, settings
from server_stub.console import counted, say, to_moment, write_file
from server_stub.options import Verbs, add_common, seconds
from server_stub.portal import rows, vault
from server_stub.portal.source import source_of
from server_stub.portal.vault import SETTINGS, settings_of

if TYPE_CHECKING:
    from server_stub.portal.line import Line
    from server_stub.portal.queue import Counts
    from server_stub.portal.share import Share

__all__ = ["add_parsers", "opened"]

CREDENTIALS: Final = "credentials"
_LISTED: Final = ("held", "failing", "waiting")


def add_parsers(verbs: Verbs) -> None:
    """Adds the commands."""
    portal = verbs.add_parser("portal", help="the national portal: send dossiers there, see what waits")
    steps = portal.add_subparsers(title="commands", metavar="COMMAND", required=True)
    set_up = steps.add_parser(
        "set-up",
        help="give the portal's settings and credentials",
        description="Give the settings (JSON: address, codes of fields, maps) and the credentials (JSON:"
        " session, headers). The credentials are sealed under this machine's key; delete their file then.",
    )
    set_up.add_argument("--settings", metavar="FILE", help="what differs from the shipped settings")
    set_up.add_argument("--credentials", metavar="FILE", help='{"session": "…", "headers": {…}}')
    add_common(set_up)
    set_up.set_defaults(run=_set_up)
    run = steps.add_parser("run", help="send what changed, once; with --every, on and on until told to stop")
    run.add_argument("--every", metavar="SECONDS", type=seconds, help="again after so many seconds")
    run.add_argument("--ca", metavar="FILE", help="PEM of the authority that signed the portal's certificate")
    run.add_argument("--log-level", default="info", choices=["debug", "info", "warning", "error"])
    add_common(run)
    run.set_defaults(run=_run)
    status = steps.add_parser("status", help="how many dossiers are sent, held and failing, and why")
    add_common(status)
    status.set_defaults(run=_status)
    share = steps.add_parser(
        "share",
        help="which share of a period's dossiers the portal has, by unit",
        description="Tell which share of the dossiers that were received in a period the portal has: of each"
        " unit, the lowest first, and why the others are not there. Reports say the same.",
    )
    share.add_argument("period", nargs="?", default="", help="Q1/2026, 2026 (the running quarter)")
    add_common(share)
    share.set_defaults(run=_share)
    show = steps.add_parser(
        "show",
        help="show what the portal is told of a dossier; that is personal data",
        description="Show what the portal is told of a dossier, and how that stands. It is personal data:"
        " the audit trail notes who looked.",
    )
    show.add_argument("dossier", metavar="CODE")
    add_common(show)
    show.set_defaults(run=_show)
    retry = steps.add_parser("retry", help="make what is held or failing due at once, or one dossier")
    retry.add_argument("dossier", metavar="CODE", nargs="?", default="")
    add_common(retry)
    retry.set_defaults(run=_retry)
    publish = steps.add_parser(
        "publish-status",
        help="write the file in which citizens look up their dossiers",
        description="Write the file of statuses: an entry opens to who knows the code, the telephone number"
        " and the last four digits of the id number; the file alone tells nothing. The first time takes a"
        " tenth of a second for each dossier, after that only for what is new.",
    )
    publish.add_argument("file", metavar="FILE")
    add_common(publish)
    publish.set_defaults(run=_publish_status)
    _add_filing(steps)


def _add_filing(steps: Verbs) -> None:
    """Adds what concerns dossiers that citizens filed on a portal."""
    add = steps.add_parser(
        "add-integration",
        help="let a portal file drafts here; its token is shown once",
        description="Let a portal file drafts at POST /v1/portal/dossiers. Its token is shown once. Its keys"
        " create drafts and do nothing else.",
    )
    add.add_argument("name", metavar="NAME", help="in lower case: cong-tinh")
    add.add_argument("--title", required=True, help="what officials read, such as 'Cổng dịch vụ công tỉnh'")
    add_common(add)
    add.set_defaults(run=_add)
    ending = steps.add_parser("end-integration", help="end a portal's token")
    ending.add_argument("name", metavar="NAME")
    add_common(ending)
    ending.set_defaults(run=_end)
    listed = steps.add_parser("integrations", help="list the portals that may file drafts here")
    add_common(listed)
    listed.set_defaults(run=_integrations)
    take = steps.add_parser(
        "take",
        help="take a file of what citizens filed and said",
        description="Take a JSON file with one filed dossier, complaint or rating, or a list of them. What is"
        " here already is left as it is; what cannot be taken is told by its place, and stops no other.",
    )
    take.add_argument("file", metavar="FILE")
    take.add_argument("--integration", metavar="NAME", required=True, help="whose they are")
    add_common(take)
    take.set_defaults(run=_take)


@contextmanager
def opened(arguments: Namespace) -> Iterator[tuple[Store, Signer]]:
    """Opens the server's store with the portal's tables; gives it, and the holder's key."""
    secrets = settings.unlock(arguments)
    store = settings.open_store(arguments, secrets)
    try:
        rows.make_tables(store)
        yield store, secrets.officer
    finally:
        store.close()


def read_json(path: str) -> Any:
    """Reads a JSON file that somebody named.

    Raises:
        InvalidInput: It is none.
    """
    try:
        return strict_json.read_json(settings.read_file(path))
    except FormatError as error:
        raise InvalidInput(
            f"{path} cannot be read. {error.what}", todo="Nothing was changed. Correct it."
        ) from error


def _set_up(arguments: Namespace) -> None:
    from server_stub.portal.line import credentials_from_plain
    from server_stub.portal.queue import retry

    if not (arguments.settings or arguments.credentials):
        raise InvalidInput("Neither settings nor credentials were given.", todo="Give --settings FILE.")
    given: dict[str, bytes] = {}
    if arguments.settings:
        plain = read_json(arguments.settings)
        try:
            settings_from_plain(shipped_portal(), plain)
        except FormatError as error:
            raise InvalidInput(error.what) from None
        given[SETTINGS] = json.dumps(plain, ensure_ascii=False).encode()
    with opened(arguments) as (store, _):
        if arguments.credentials:
            plain = read_json(arguments.credentials)
            credentials_from_plain(plain)
            given[CREDENTIALS] = vault.seal(store, CREDENTIALS, json.dumps(plain).encode())
        with store.writing() as transaction:
            for name, value in given.items():
                vault.save(transaction.connection, name, value)
        again = retry(store)
    say(arguments, {"changed": sorted(given), "retried": again}, [f"Changed: {', '.join(sorted(given))}."])


def _line(store: Store, ca: str | None) -> Line:
    from server_stub.portal.line import Line, credentials_from_plain

    with store.reading() as connection:
        sealed = vault.load(connection, CREDENTIALS)
    if not sealed:
        raise InvalidInput(
            "The portal's credentials were not given yet.", todo="Give them: `portal set-up --credentials`."
        )
    credentials = credentials_from_plain(strict_json.read_json(vault.open_sealed(store, CREDENTIALS, sealed)))
    return Line(settings_of(store), credentials, Path(ca) if ca else None)


def _run(arguments: Namespace) -> None:
    from server_stub.portal.queue import Queue

    if arguments.every:
        logs.set_up(arguments.log_level)
    stop = threading.Event()
    with opened(arguments) as (store, signer), _line(store, arguments.ca) as line, _until_told(stop):
        queue = Queue(store, line)
        counts = _once(store, signer, queue)
        while arguments.every and not stop.wait(arguments.every):
            try:
                counts = _once(store, signer, queue)
            except OnestopError as error:
                logs.warn("portal run failed", code=error.code)
    say(arguments, counts._asdict(), [_summed(counts)])


def _once(store: Store, signer: Signer, queue: Any) -> Counts:
    counts: Counts = queue.run()
    if counts.sent:
        record(store, signer, [Entry(store.clock(), "export", lines=counts.sent, code="portal")])
    logs.log("portal", **counts._asdict())
    return counts


@contextmanager
def _until_told(stop: threading.Event) -> Iterator[None]:
    """Sets ``stop`` on SIGTERM and Ctrl+C, so that a call that is under way ends first."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        del number, frame
        stop.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _summed(counts: Counts) -> str:
    text = f"{counts.sent} sent, {counts.same} unchanged, {counts.held} held, {counts.failing} failing"
    if counts.left:
        text += f", {counts.left} left"
    if counts.paused_until_ms:
        text += f"; the portal wants no call before {to_moment(counts.paused_until_ms)}"
    return text + "."


def _status(arguments: Namespace) -> None:
    from server_stub.portal.queue import states

    with opened(arguments) as (store, _):
        found = states(store)
        labels = {each.doc: _label(store, each.doc, each.code) for each in found if each.status in _LISTED}
    tally = Counter(each.status for each in found)
    listed = [each for each in found if each.status in _LISTED]
    facts = {
        "counts": dict(tally),
        "dossiers": [each._asdict() | {"doc": each.doc.hex(), "code": labels[each.doc]} for each in listed],
    }
    lines = [", ".join(f"{tally[s]} {s}" for s in ("sent", *_LISTED)) + "."]
    for each in listed:
        due = f", again after {to_moment(each.next_ms)}" if each.status == "failing" else ""
        lines.append(f"{labels[each.doc]}: {each.status}, {each.reason or '-'}{due}")
    say(arguments, facts, lines)


def _share(arguments: Namespace) -> None:
    from onestop_sync.dossier.report.count import under
    from onestop_sync.dossier.report.periods import containing, named
    from server_stub.portal.share import shares

    with opened(arguments) as (store, _):
        rules = rules_of(store).report_rules
        now_ms = store.clock()
        period = (named(arguments.period, rules) if arguments.period else containing(now_ms, rules)).until(
            now_ms
        )
        found = shares(store, period, under(store.trust.document.tree, store.unit, period.end_ms - 1))
    lines = [
        f"{each.name} ({each.unit}): {each.there} of {each.received} ({each.percent} %)" + _lacks(each)
        for each in found
    ]
    facts = [each._asdict() | {"percent": each.percent} for each in found]
    say(
        arguments,
        {"period": period.name, "units": facts},
        lines or ["No dossiers, or nothing was queued yet."],
    )


def _lacks(each: Share) -> str:
    lacking = ", ".join(
        f"{count} {status.replace('_', ' ')}" for status, count in sorted(each.behind.items())
    )
    return f"; {lacking}" if lacking else ""


def _label(store: Store, doc: bytes, code: str) -> str:
    if code:
        return code
    try:
        found = store.document(doc).value("ma_ho_so")
    except OnestopError:
        found = None
    return found if isinstance(found, str) else doc.hex()


def _show(arguments: Namespace) -> None:
    from server_stub.portal.queue import states

    with opened(arguments) as (store, signer):
        doc = _find(store, arguments.dossier)
        record(store, signer, [Entry(store.clock(), "read", doc, code="portal")])
        plan = plan_export(source_of(store, doc, rules_of(store).catalogue), settings_of(store))
        found = next((each for each in states(store) if each.doc == doc), None)
    facts: dict[str, Any] = {
        "status": found.status if found else "none",
        "reason": found.reason if found else "",
    }
    if isinstance(plan, Held):
        facts |= {"held": f"{plan.reason} {plan.detail}".strip()}
    else:
        facts |= {"madonvi": plan.unit, "dossier": plan.dossier, "progress": list(plan.progress)}
    say(arguments, facts, [json.dumps(facts, ensure_ascii=False, indent=2)])


def _find(store: Store, code: str) -> bytes:
    return store.lookup(DOSSIER.name, code.upper())


def _retry(arguments: Namespace) -> None:
    from server_stub.portal.queue import retry

    with opened(arguments) as (store, _):
        doc = _find(store, arguments.dossier) if arguments.dossier else b""
        count = retry(store, doc)
    say(arguments, {"retried": count}, [f"{count} will be sent with the next run."])


def _publish_status(arguments: Namespace) -> None:
    from server_stub.portal.status import make_status_file

    with opened(arguments) as (store, signer):
        data, count = make_status_file(store)
        record(store, signer, [Entry(store.clock(), "export", lines=count, code="status")])
    write_file(arguments.file, data)
    say(arguments, {"dossiers": count, "bytes": len(data)}, [f"{count} dossiers are in {arguments.file}."])


# ---------------------------------------------------------------------------------------------- from outside


def _add(arguments: Namespace) -> None:
    from server_stub.portal.integrations import add

    with opened(arguments) as (store, _):
        token = add(store, arguments.name, arguments.title)
    say(
        arguments,
        {"name": arguments.name, "token": token},
        [f"Token of {arguments.name}, shown this once: {token}"],
    )


def _end(arguments: Namespace) -> None:
    from server_stub.portal.integrations import end

    with opened(arguments) as (store, _):
        end(store, arguments.name)
    say(arguments, {"ended": arguments.name}, [f"The token of {arguments.name} opens nothing any more."])


def _integrations(arguments: Namespace) -> None:
    from server_stub.portal.integrations import integrations

    with opened(arguments) as (store, _):
        found = integrations(store)
    lines = [
        f"{each.name}: {each.title}, {'ended ' + to_moment(each.ended_ms) if each.ended_ms else 'goes on'}"
        for each in found
    ]
    say(arguments, {"integrations": [each._asdict() for each in found]}, lines or ["There is none."])


def _take(arguments: Namespace) -> None:
    from server_stub.portal.filing import taker_of
    from server_stub.portal.integrations import integrations

    data = read_json(arguments.file)
    made, here, wrong = 0, 0, []
    with opened(arguments) as (store, signer):
        named = [i for i in integrations(store) if i.name == arguments.integration and not i.ended_ms]
        if not named:
            raise NotFound(f"There is no integration {arguments.integration!r} that goes on.")
        for number, value in enumerate(data if isinstance(data, list) else [data], 1):
            try:
                found = taker_of(value)(store, signer, named[0], value)
            except (FormatError, NotAllowed) as error:
                wrong.append({"number": number, "what": error.what})
            else:
                made, here = made + found.is_new, here + (not found.is_new)
        record(store, signer, [Entry(store.clock(), "import", lines=made, code="portal")])
    lines = [f"{made} taken, {here} were here already, {len(wrong)} are wrong."]
    lines += [f"  number {each['number']}: {each['what']}" for each in wrong]
    say(arguments, {"made": made, "here": here, "wrong": wrong}, lines)
    if wrong:
        raise InvalidInput(
            f"{counted(len(wrong), 'item')} of the file could not be taken.",
            todo="The others were. Correct what is named, and take the file again.",
        )
