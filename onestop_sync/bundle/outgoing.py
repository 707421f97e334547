"""Making a bundle: who may open it, what they lack, and a file that is there whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from onestop_sync import exchange, fetch
from onestop_sync.bundle import file
from onestop_sync.bundle.packet import BundleReport, Payload, Section
from onestop_sync.errors import InvalidInput, NotFound
from onestop_sync.exchange import Cursor
from onestop_sync.statement import parse_statement
from onestop_sync.storage import carry, chunks, feed, statements
from onestop_sync.storage.carry import Visit
from onestop_sync.storage.chunks import Piece
from onestop_sync.store import Store
from onestop_sync.trust import Authority, Certificate

SUFFIX: Final = ".onestop"
_UP_BYTES: Final = 24 * 2**20
"""Frames that go up in one bundle, bytes."""
_SECTIONS_BYTES: Final = 24 * 2**20
"""Items of all sections of one bundle, bytes."""
_STATED: Final = 8
"""Statements of the own unit that go to another machine of it: two that differ are found out."""
_FIRST_BYTES: Final = 12 * 2**20
"""Chunks of attachments in the first part, beside everything else, bytes."""
_PART_BYTES: Final = 48 * 2**20
"""Chunks of attachments in each further part, bytes."""
_MOST_CONTENTS: Final = 10_000
"""Attachments that one export looks at."""


def export_bundle(store: Store, path: Path | str, recipients: Sequence[bytes] = ()) -> BundleReport:
    """Writes a bundle, and reads it back before it says done.

    Attachments that do not fit beside the events go into further files, each a bundle of its own.

    Args:
        store: Whose.
        path: The file; in a folder, one is named after the machine's hint and the bundle's number. Only
            there can there be further ones.
        recipients: Machines that may open it, by key or log: all of our own unit and the units above it, or
            all of one unit below. None: every machine of our own unit and the units above it. For machines
            of one unit that is neither, it holds what is published, and nothing else: they may not have
            heard that they belong elsewhere by now.

    Raises:
        NotFound: No such machine is known here.
        InvalidInput: The recipients are of units that must not read the same.
        Unreachable: The stick did not take it; a file of that name is as it was.
        StoreError: The store could not be read.
    """
    path = Path(path)
    readers = _readers(store, recipients)
    if not _is_in_line(store, readers):
        return _export_published(store, path, readers)
    lots = _lots(store, readers)
    named = {c.key for c in readers} if recipients else set()
    payload, report = _pack(store, _next_number(store), readers, named, next(lots, []))
    _write(store, path, payload, readers, report)
    parts = [report.path]
    for lot in lots:
        if not path.is_dir():
            report.has_more = True
            break
        proof = store.introduction(store.machine_log)
        number = _next_number(store)
        version = store.publication.version
        payload = Payload(number, store.clock(), version, None, _said(store), proof, [], [], lot)
        parts.append(_write(store, path, payload, readers, BundleReport(Path(), number=number)))
        report.chunks += len(lot)
    report.parts = tuple(parts) if len(parts) > 1 else ()
    _note_answered(store, readers)
    return report


def _export_published(store: Store, path: Path, readers: Sequence[Certificate]) -> BundleReport:
    """Writes a bundle for machines that belong elsewhere: it tells them where, and shows nothing else."""
    number, held = _next_number(store), store.publication
    proof = store.introduction(store.machine_log)
    payload = Payload(number, store.clock(), held.version, held.data, Visit(), proof, [], [], [])
    report = BundleReport(path, number=number, sender=store.machine_log)
    _write(store, path, payload, readers, report)
    return report


def _next_number(store: Store) -> int:
    with store.writing() as transaction:
        return transaction.next_serial("bundle", "")


def _write(
    store: Store, path: Path, payload: Payload, readers: Sequence[Certificate], report: BundleReport
) -> Path:
    """Seals a bundle to its readers and writes it."""
    log = store.machine_log
    packet = payload.sign(store.machine, log)
    content_key = store.rng(file.KEY_BYTES)
    data, able = file.seal(
        packet, root=store.root, sender=log, recipients=[c.seal for c in readers], content_key=content_key
    )
    if not able:
        raise NotFound(_NOBODY, todo=_NOBODY_TODO)
    if len(data) > file.MAX_FILE_BYTES:
        raise InvalidInput("The bundle would be larger than a bundle may be.")
    report.path = (
        path / f"{file.hint('machine', log).hex()}-{report.number:04d}{SUFFIX}" if path.is_dir() else path
    )
    file.write(report.path, data)
    report.size_bytes = len(data)
    report.recipients = tuple(sorted(c.name for c in readers if c.seal in able))
    return report.path


def _lots(store: Store, readers: Sequence[Certificate]) -> Iterator[list[Piece]]:
    """Yields the chunks that the readers lack, a part at a time."""
    lot: list[Piece] = []
    size, most = 0, _FIRST_BYTES
    for content, lacking in _lacking(store, readers).items():
        for piece in _pieces(store, content, lacking):
            if lot and size + len(piece.data) > most:
                yield lot
                lot, size, most = [], 0, _PART_BYTES
            lot.append(piece)
            size += len(piece.data)
    if lot:
        yield lot


def _pieces(store: Store, content: bytes, lacking: chunks.Stock) -> Iterator[Piece]:
    """Yields what somebody lacks of a content; no transaction is open while the caller works."""
    with store.reading() as connection:
        places = chunks.places_of(connection, content, lacking)
    for place in places:
        with store.reading() as connection:
            piece = chunks.piece_at(connection, content, place)
        if piece is not None:
            yield piece


def _lacking(store: Store, readers: Sequence[Certificate]) -> dict[bytes, chunks.Stock]:
    """Returns what is to be sent: what goes up, and what a reader asked for with its last bundle."""
    found: dict[bytes, chunks.Stock] = {}
    document = store.trust.document
    with store.reading() as connection:
        for c in readers:
            wanted = carry.load_visit(connection, carry.newest_log(connection, c.key)).wanted
            named = sorted(wanted)
            if c.unit != store.unit:
                named = sorted(chunks.in_scope(connection, c.unit, named))
            found.update((content, wanted[content]) for content in named)
        parents = [c for c in readers if c.serves and document.is_over(c.unit, store.unit)]
        nodes = [carry.newest_log(connection, c.key) for c in parents]
        known = [node for node in nodes if node and carry.has_spoken(connection, node)]
        for node in known:
            found.update((i, False) for i in chunks.pending(connection, node, (), _MOST_CONTENTS))
        if not known and any(c.unit == store.unit or c in parents for c in readers):
            found.update((i, False) for i in chunks.unconfirmed(connection, _MOST_CONTENTS))
    return found


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
    machines = _machines(store)
    line = _line(store)
    if not recipients:
        found = [c for c in machines.values() if c.unit in line]
        if not found:
            raise NotFound(_NOBODY, todo=_NOBODY_TODO)
        return found
    found = [_machine(store, machines, recipient) for recipient in recipients]
    if not _is_in_line(store, found) and len({_unit_now(store, c) for c in found}) > 1:
        raise InvalidInput(
            "The machines of these units may not read the same.",
            todo="Nothing was written. Make one bundle for the own line, and one for each unit below.",
        )
    return found


def _line(store: Store) -> set[str]:
    """Returns the units whose machines may read what is ours: those above, and those that go on with it.

    We may know of a merger before we belong to the successor.
    """
    document = store.trust.document
    successors = {u for u in document.tree.heirs(store.unit) if store.unit in document.tree.acts_for(u)}
    return {*document.above(store.unit), *successors}


def _is_in_line(store: Store, readers: Sequence[Certificate]) -> bool:
    """Tells whether readers may read the same of what is stored here."""
    units = {_unit_now(store, c) for c in readers}
    return units <= _line(store) or (len(units) == 1 and units <= store.below)


def _machines(store: Store) -> dict[bytes, Certificate]:
    """Returns the certificate under which every other machine works now, of those that can be sealed to.

    After a merger a machine has two that count, of the unit that is gone and of the one that succeeded it.
    """
    found: dict[bytes, Certificate] = {}
    for key in {c.key for _, c in store.trust.certificates() if c.kind == "machine"}:
        best = store.trust.best_certificate(key)
        if best is not None and best[1].kind == "machine" and best[1].seal:
            found[key] = best[1]
    found.pop(store.machine.public, None)
    return dict(sorted(found.items()))


def _machine(store: Store, machines: dict[bytes, Certificate], recipient: bytes) -> Certificate:
    genesis = store.trust.genesis(recipient)
    certificate = machines.get(genesis.key if genesis else recipient)
    if certificate is None:
        raise NotFound("A recipient is not a machine that is certified here.", todo=_NOBODY_TODO)
    return certificate


def _pack(
    store: Store, number: int, readers: Sequence[Certificate], named: set[bytes], pieces: list[Piece]
) -> tuple[Payload, BundleReport]:
    log = store.machine_log
    report = BundleReport(Path(), number=number, sender=log, chunks=len(pieces))
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
        list(introduction.values()), frames, sections, pieces,
    )  # fmt: skip
    return payload, report


def _said(store: Store) -> Visit:
    with store.reading() as connection:
        wanted = chunks.wanted(connection, (), fetch.MAX_CONTENTS)
        return Visit(
            cursors=carry.cursors(connection), heads=carry.heads(connection), loose=carry.loose(connection),
            wanted={content: chunks.state_of(connection, content) for content in wanted},
        )  # fmt: skip


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
    unit = _unit_now(store, certificate)
    if store.serves and unit in store.below:
        return _from_feed(store, certificate, unit, visit, budget, report)
    if unit == store.unit:
        return _from_peer(store, certificate, visit, logs, budget, report)
    return None


def _unit_now(store: Store, certificate: Certificate) -> str:
    """Returns for which unit a machine writes, as far as it has told: before it knows of a merger, the old.

    Only that unit's feed brings it the certificate for the new one.
    """
    with store.reading() as connection:
        log = carry.newest_log(connection, certificate.key)
    authority = store.authority(log) if log else None
    return authority.certificate.unit if isinstance(authority, Authority) else certificate.unit


def _from_feed(
    store: Store, certificate: Certificate, unit: str, visit: Visit, budget: int, report: BundleReport
) -> Section:
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
        acks = carry.newest_acks(connection) + carry.confirmations(connection, _MOST_CONTENTS)
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
