"""What each command of ``onestop-server`` does; `cli` reads the arguments and tells the errors."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from onestop_sync import client, enrol, enrol_files, enrol_proof
from onestop_sync.dossier.roles import ADMIN
from onestop_sync.errors import InvalidInput, NotAllowed
from onestop_sync.keyring import Keyring, write_durably
from onestop_sync.keys import fingerprint
from onestop_sync.store import Store
from server_stub import code_commands, figures, logs, province, settings
from server_stub.console import to_moment, write_file
from server_stub.dashboard import check_password
from server_stub.proofs import finding_lines
from server_stub.relay import Pace

__all__ = [
    "approve", "ask", "code", "compare", "describe", "found", "join", "serve", "status", "sync",
]  # fmt: skip

_MAX_DIGITS: Final = 6
"""Of a serial."""


def found(arguments: Namespace) -> None:
    """Makes a province and its top server."""
    units = province.parse_units(settings.read_file(arguments.units).decode("utf-8", errors="replace"))
    made = province.found(
        Path(arguments.folder),
        units,
        holder=arguments.holder,
        passphrase=settings.passphrase(arguments),
        root_passphrase=settings.secret(
            "ONESTOP_ROOT_PASSPHRASE", arguments.root_passphrase_file, "Passphrase of the root keys"
        ),
        machine_name=arguments.name,
        types=settings.load_types(arguments.types),
        root_folder=Path(arguments.root_keys) if arguments.root_keys else None,
        database=settings.database_of(arguments),
    )
    facts = {
        "unit": made.store.unit,
        "root": made.root_fingerprint,
        "admin": made.admin_fingerprint,
        "machine": fingerprint(made.store.machine.public),
    }
    made.store.close()
    _say(
        arguments,
        facts,
        "The province is made. Give each root key, and the recovery key, to another person, offline.",
    )


def ask(arguments: Namespace) -> None:
    """Makes the keys of a new server, and a request that an administrator approves."""
    keyring = Keyring(Path(arguments.folder))
    if keyring.exists():
        secrets = settings.unlock(arguments)  # the file was lost: the same keys ask again
    else:
        secrets = keyring.create(arguments.holder, settings.passphrase(arguments))
    officers = [enrol.Applicant(arguments.admin_name or arguments.holder, secrets.officer, [ADMIN])]
    data = enrol.request(secrets, arguments.unit, arguments.name, officers if arguments.admin else [])
    write_file(arguments.ask, data)
    _say(
        arguments, _request_facts(data), f"The request is in {arguments.ask}. Have it approved with --serves."
    )


def join(arguments: Namespace) -> None:
    """Makes a new server's store from an administrator's answer."""
    secrets = settings.unlock(arguments)
    answer = enrol.read_answer(settings.read_file(arguments.answer))
    compare(arguments, arguments.root_fingerprint, answer.fingerprint, "root key")
    store = enrol.accept(
        arguments.folder,
        secrets,
        settings.read_file(arguments.answer),
        types=settings.load_types(arguments.types),
        database=settings.database_of(arguments),
    )
    facts = {"unit": store.unit, "serves": store.serves, "root": answer.fingerprint}
    store.close()
    _say(arguments, facts, "The server is enrolled.")


def describe(arguments: Namespace) -> None:
    """Shows what a request asks for."""
    data = enrol_files.from_text(settings.read_file(arguments.request))
    _say(arguments, _request_facts(data), "")


def code(arguments: Namespace) -> None:
    """Makes a one-time code for a machine."""
    code_commands.code(arguments, _blocks(arguments))


def approve(arguments: Namespace) -> None:
    """Approves a request as an administrator: by the code that it proves, or by compared fingerprints."""
    data = enrol_files.from_text(settings.read_file(arguments.request))
    if enrol_proof.is_packet(data) and not arguments.fingerprint:
        write_file(arguments.out, code_commands.answer_packet(arguments, data))
        _say(arguments, _request_facts(data), f"Approved by its code. The answer is in {arguments.out}.")
        return
    data = enrol_proof.bare_request(data)
    asked = enrol.describe(data)
    compare(arguments, arguments.fingerprint, asked.fingerprint, "machine's key")
    secrets = settings.unlock(arguments)
    store = Store.open(
        arguments.folder, secrets, types=settings.load_types(arguments.types),
        database=settings.database_of(arguments),
    )  # fmt: skip
    try:
        answer = enrol.approve(
            store, secrets.officer, data, blocks=_blocks(arguments), serves=arguments.serves
        )
    finally:
        store.close()
    write_file(arguments.out, answer)
    read = enrol.read_answer(answer)
    facts = _request_facts(data) | {
        "root": read.fingerprint,
        "blocks": list(map(list, read.certificate.blocks)),
    }
    _say(arguments, facts, f"Approved. The answer is in {arguments.out}.")


def serve(arguments: Namespace) -> None:
    """Serves until it is told to stop."""
    from server_stub import serve as serving

    logs.set_up(arguments.log_level)
    password = ""
    if arguments.dashboard:
        password = check_password(
            settings.secret(
                "ONESTOP_DASHBOARD_PASSWORD", arguments.dashboard_password_file, "Dashboard password"
            )
        )
    parents = settings.parents_of(arguments)
    pace = Pace(arguments.interval)
    secrets = settings.unlock(arguments)
    store = settings.open_store(arguments, secrets)

    def on_ready(port: int) -> None:
        facts = {"host": arguments.host, "port": port, "unit": store.unit}
        if arguments.ready_file:
            write_durably(Path(arguments.ready_file), json.dumps(facts).encode())
        _say(arguments, facts, f"Serving {store.unit} on {arguments.host} port {port}.")

    try:
        serving.run(
            store, arguments.host, arguments.port, parents, pace=pace, password=password,
            signer=secrets.officer, on_ready=on_ready,
            state_every_s=arguments.statement_every,
        )  # fmt: skip
    finally:
        store.close()


def sync(arguments: Namespace) -> None:
    """Syncs with a parent once."""
    store = settings.open_store(arguments)
    try:
        report = client.sync(store, settings.parents_of(arguments))
    finally:
        store.close()
    facts = {
        "parent": report.parent, "sent": report.sent, "received": report.received, "acked": report.acked,
        "round_trips": report.round_trips, "bytes_up": report.wire_up, "bytes_down": report.wire_down,
    }  # fmt: skip
    _say(arguments, facts, "")


def status(arguments: Namespace) -> None:
    """Shows the figures of the server's store."""
    store = settings.open_store(arguments)
    try:
        found = figures.collect(store)
        facts = _plain(found) | {"root": fingerprint(store.root), "digest": store.digest().hex()}
    finally:
        store.close()
    if arguments.json:
        print(json.dumps(facts, ensure_ascii=False))
    else:
        print("\n".join(_status_lines(found)))


def _plain(found: figures.Figures) -> dict[str, Any]:
    status = found.status._asdict()
    status["parents"] = [p._asdict() | {"node": p.node.hex()} for p in found.status.parents]
    return found._asdict() | {
        "is_published_old": found.is_published_old,
        "status": status,
        "units": [u._asdict() for u in found.units],
        "peers": [p._asdict() for p in found.peers],
    }


def _status_lines(found: figures.Figures) -> Iterable[str]:
    status = found.status
    yield f"{found.name} ({found.unit}): {found.documents} documents, {found.events} events"
    yield f"{status.unsent} unsent, {status.conflicts} in conflict, {status.waiting} waiting"
    if found.is_published_old:
        yield (
            f"EXPIRED since {to_moment(found.published_until_ms)}: what the province has published. Nobody"
            " new can be certified; all else goes on. The province renews it: `publish --renew`, `rotate`."
        )
    if status.unsent_files:
        yield f"{status.unsent_files} attachments unsent, {status.unsent_bytes} bytes"
    if status.forks:
        yield f"{status.forks} logs were written on two machines at once"
    yield from finding_lines(status)
    for unit in found.units:
        ended = f" (ended, {unit.heirs} goes on)" if unit.heirs else ""
        yield f"  {'  ' * unit.depth}{unit.name}{ended}: {unit.documents} documents, {unit.overdue} overdue"
    for parent in status.parents:
        yield f"parent {parent.name} ({parent.level or 'not met yet'}): {parent.error or 'ok'}"
    for peer in found.peers:
        yield f"machine {peer.name or '(not certified)'} of {peer.unit_name or '?'}"


def _request_facts(data: bytes) -> dict[str, Any]:
    asked, selector = code_commands.described(data)
    officers = [{"name": o.name, "roles": sorted(o.roles), "key": o.fingerprint} for o in asked.officers]
    return {
        "unit": asked.unit,
        "name": asked.machine_name,
        "machine": asked.fingerprint,
        "officers": officers,
    } | ({"code": selector} if selector else {})


def _blocks(arguments: Namespace) -> tuple[tuple[int, int], ...] | None:
    """Returns the blocks that were named, none for a pure server, or ``None`` for the next free."""
    if arguments.no_blocks:
        return ()
    if not arguments.blocks:
        return None
    found: list[tuple[int, int]] = []
    for part in arguments.blocks.split(","):
        first, _, last = part.partition("-")
        is_short = max(len(first), len(last)) <= _MAX_DIGITS
        if not (is_short and first.isdecimal() and last.isdecimal() and 0 < int(first) <= int(last)):
            raise InvalidInput(f"{part!r} is not a block of serials such as 1-500.")
        found.append((int(first), int(last)))
    return tuple(found)


def compare(arguments: Namespace, said: str | None, shown: str, what: str) -> None:
    """Makes sure that a person has compared a fingerprint, or was told that nobody did.

    Raises:
        NotAllowed: It is another one.
        InvalidInput: Nobody is there to be asked.
    """
    if said is not None:
        if "".join(said.split()).lower() != shown.replace(" ", ""):
            raise NotAllowed(
                f"The fingerprint of the {what} is {shown}, and not the one that was given.",
                todo="Nothing was changed. It may have been exchanged on the way: call whom it comes from.",
            )
        return
    if arguments.yes:
        return
    if not sys.stdin.isatty():
        raise InvalidInput(
            f"The fingerprint of the {what} is {shown}, and nobody has compared it.",
            todo="Give the expected fingerprint, or --yes to go without.",
        )
    print(f"Fingerprint of the {what}: {shown}")
    if input("Is it the one that was read out to you? (yes/no) ").strip().lower() not in {"yes", "y"}:
        raise NotAllowed("Not confirmed.", todo="Nothing was changed.")


def _say(arguments: Namespace, facts: dict[str, Any], done: str) -> None:
    """Prints facts, as one JSON object or as lines."""
    if arguments.json:
        print(json.dumps(facts, ensure_ascii=False), flush=True)
        return
    for key, value in facts.items():
        if key == "officers":
            for officer in value:
                print(f"officer: {officer['name']} ({', '.join(officer['roles'])}), {officer['key']}")
        else:
            print(f"{key}: {value}")
    if done:
        print(done, flush=True)
