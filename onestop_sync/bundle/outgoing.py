"""Making a bundle: who may open it, what they lack, and a file that is there whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from onestop_sync import exchange
from onestop_sync.bundle import file
from onestop_sync.bundle.packet import BundleReport, Payload, Section
from onestop_sync.errors import InvalidInput, NotFound
from onestop_sync.exchange import Cursor
from onestop_sync.statement import parse_statement
from onestop_sync.storage import carry, feed, statements
from onestop_sync.storage.carry import Visit
from onestop_sync.store import Store
from onestop_sync.trust import Authority, Certificate

SUFFIX: Final = ".onestop"
_UP_BYTES: Final = 24 * 2**20
"""Frames that go up in one bundle, bytes."""
_SECTIONS_BYTES: Final = 24 * 2**20
"""Items of all sections of one bundle, bytes."""
_STATED: Final = 8
"""Statements of the own unit that go to another machine of it: two that differ are found out."""


def export_bundle(store: Store, path: Path | str, recipients: Sequence[bytes] = ()) -> BundleReport:
    """Writes a bundle, and reads it back before it says done.

    Args:
        store: Whose.
        path: The file; in a folder, one is named after the machine's hint and the bundle's number.
        recipients: Machines that may open it, by key or log: all of our own unit and the units above it, or
            all of one unit below. None: every machine of our own unit and the units above it.

    Raises:
        NotFound: No such machine is known here.
        InvalidInput: The recipients are of units that must not read the same.
        Unreachable: The stick did not take it; a file of that name is as it was.
        StoreError: The store could not be read.
    """
    path = Path(path)
    log = store.machine_log
    readers = _readers(store, recipients)
    with store.writing() as transaction:
        number = transaction.next_serial("bundle", "")
    packet, report = _pack(
        store, log, number, readers, named={c.key for c in readers} if recipients else set()
    )
    content_key = store.rng(file.KEY_BYTES)
    data, able = file.seal(
        packet, root=store.root, sender=log, recipients=[c.seal for c in readers], content_key=content_key
    )
    if not able:
        raise NotFound(_NOBODY, todo=_NOBODY_TODO)
    if len(data) > file.MAX_FILE_BYTES:
        raise InvalidInput("The bundle would be larger than a bundle may be.")
    report.path = path / f"{file.hint('machine', log).hex()}-{number:04d}{SUFFIX}" if path.is_dir() else path
    file.write(report.path, data)
    report.size_bytes = len(data)
    report.recipients = tuple(sorted(c.name for c in readers if c.seal in able))
    _note_answered(store, readers)
    return report


def owed(store: Store) -> list[bytes]:
    """Returns the machines (logs) that brought a bundle and have had none in return."""
    with store.reading() as connection:
        return carry.visitors(connection)


_NOBODY: Final = "No machine is known here to which a bundle could be sealed."
_NOBODY_TODO: Final = (
    "Nothing was written. Import the answer to this machine's enrolment, or synchronise once."
)


def _readers(store: Store, recipients: Sequence[bytes]) -> list[Certificate]:
    """Returns the certificates of the machines that may open a bundle."""
    document = store.trust.document
    machines = _machines(store)
    line = set(document.above(store.unit))
    if not recipients:
        found = [c for c in machines.values() if c.unit in line]
        if not found:
            raise NotFound(_NOBODY, todo=_NOBODY_TODO)
        return found
    found = [_machine(store, machines, recipient) for recipient in recipients]
    units = {c.unit for c in found}
    if not (units <= line or (len(units) == 1 and units <= store.below)):
        raise InvalidInput(
            "The machines of these units may not read the same.",
            todo="Nothing was written. Make one bundle for the own line, and one for each unit below.",
        )
    return found


def _machines(store: Store) -> dict[bytes, Certificate]:
    """Returns the newest valid certificate of every other machine to which something can be sealed."""
    trust = store.trust
    found: dict[bytes, Certificate] = {}
    for event_id, certificate in sorted(trust.certificates(), key=lambda c: (c[1].valid_from_ms, c[0])):
        issuer = trust.authority(trust.issuer_log(event_id) or b"")
        is_good = isinstance(issuer, Authority) and not trust.why_not(issuer, certificate)
        if is_good and certificate.kind == "machine" and certificate.seal:
            found[certificate.key] = certificate
    found.pop(store.machine.public, None)
    return found


def _machine(store: Store, machines: dict[bytes, Certificate], recipient: bytes) -> Certificate:
    genesis = store.trust.genesis(recipient)
    certificate = machines.get(genesis.key if genesis else recipient)
    if certificate is None:
        raise NotFound("A recipient is not a machine that is certified here.", todo=_NOBODY_TODO)
    return certificate


def _pack(
    store: Store, log: bytes, number: int, readers: Sequence[Certificate], named: set[bytes]
) -> tuple[bytes, BundleReport]:
    report = BundleReport(Path(), number=number, sender=log)
    visits = {c.key: _visit(store, c.key) for c in readers}
    logs = {log}
    frames = _upward(store, readers, logs, report)
    sections: list[Section] = []
    for certificate in readers:
        visit = visits[certificate.key]
        if visit.number or certificate.key in named:
            section = _section(store, certificate, visit, logs, _SECTIONS_BYTES // len(readers), report)
            if section is not None:
                sections.append(section)
    report.acks = sum(len(section.acks) for section in sections)
    introduction: dict[bytes, list[Any]] = {}
    for each in [log, *sorted(logs - {log})]:
        introduction.update((frame[0], frame) for frame in store.introduction(each))
    frames = [frame for frame in frames if frame[0] not in introduction]
    report.events += len(frames)
    version = store.publication.version
    is_news = any(visit.trust_version != version for visit in visits.values())
    payload = Payload(
        number, store.clock(), version, store.trust_bytes if is_news else None, _said(store),
        list(introduction.values()), frames, sections,
    )  # fmt: skip
    return payload.sign(store.machine, log), report


def _said(store: Store) -> Visit:
    with store.reading() as connection:
        return Visit(
            cursors=carry.cursors(connection), heads=carry.heads(connection), loose=carry.loose(connection)
        )


def _visit(store: Store, key: bytes) -> Visit:
    with store.reading() as connection:
        return carry.load_visit(connection, carry.newest_log(connection, key))


def _upward(
    store: Store, readers: Sequence[Certificate], logs: set[bytes], report: BundleReport
) -> list[list[Any]]:
    """Returns what one of the parents among the readers lacks; of parents never met, what the others lack."""
    document = store.trust.document
    parents = [c for c in readers if c.serves and document.is_over(c.unit, store.unit)]
    if not parents:
        return []
    with store.reading() as connection:
        nodes = [carry.newest_log(connection, c.key) for c in parents]
        known = [node for node in nodes if node and carry.has_spoken(connection, node)]
    found: dict[bytes, list[Any]] = {}
    for node in known or [b""]:
        lacking = exchange.pending(store, node, _UP_BYTES, _UP_BYTES)
        report.has_more |= lacking.has_more
        found.update(lacking.events)
    with store.reading() as connection:
        logs |= carry.log_ids(connection, list(found))
    return list(found.values())


def _section(
    store: Store, certificate: Certificate, visit: Visit, logs: set[bytes], budget: int, report: BundleReport
) -> Section | None:
    if store.serves and certificate.unit in store.below:
        return _from_feed(store, certificate, visit, budget, report)
    if certificate.unit == store.unit:
        return _from_peer(store, certificate, visit, logs, budget, report)
    return None


def _from_feed(
    store: Store, certificate: Certificate, visit: Visit, budget: int, report: BundleReport
) -> Section:
    unit = certificate.unit
    with store.reading() as connection:
        machine = carry.newest_log(connection, certificate.key)
    named = visit.cursors.get(store.machine_log)
    start = Cursor(*named) if named else None
    was_reset = start is not None and not exchange.is_cursor_good(store, unit, start)
    start = None if was_reset else start
    at = start or Cursor(store.epoch, 0, feed.START)
    items: list[list[Any]] = []
    has_more = True
    while has_more and budget > 0:
        # What the machine brought goes back with the rest: it may not be the only one with its keys.
        page = exchange.read_feed(store, unit, at, machine, budget, echo=True)
        items += [[item.kind, item.payload] for item in page.items]
        budget -= sum(_size(item.payload) for item in page.items)
        at, has_more = page.cursor, page.has_more
    acks = exchange.acknowledge(store, [], [], unit, everything=True)
    report.has_more |= has_more
    report.events += sum(kind == feed.EVENT for kind, _ in items)
    return Section(certificate.key, (start, at), was_reset, list(acks), items)


def _from_peer(
    store: Store, certificate: Certificate, visit: Visit, logs: set[bytes], budget: int, report: BundleReport
) -> Section:
    with store.reading() as connection:
        lot = carry.beyond(connection, visit, budget)
        acks = carry.newest_acks(connection)
        stated = statements.recent(connection, store.unit, _STATED)
    logs |= lot.logs | {node for node, _ in acks} | {parse_statement(data)[0].node for data in stated}
    report.has_more |= lot.has_more
    report.events += len(lot.frames)
    items: list[list[Any]] = [[feed.EVENT, frame] for frame in lot.frames]
    items += [[feed.ACKS, data] for _, data in acks]
    items += [[feed.STATEMENT, data] for data in stated]
    return Section(certificate.key, None, was_reset=False, acks=[], items=items)


def _note_answered(store: Store, readers: Iterable[Certificate]) -> None:
    with store.writing() as transaction:
        for certificate in readers:
            machine = carry.newest_log(transaction.connection, certificate.key)
            visit = carry.load_visit(transaction.connection, machine)
            if visit.is_owed:
                carry.save_visit(transaction.connection, machine, visit._replace(is_owed=False))


def _size(payload: Any) -> int:
    return len(payload) if isinstance(payload, bytes) else sum(len(part or b"") for part in payload)
