"""Taking a bundle: all of it or nothing, and each kind of wrong stick by its own name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from onestop_sync import codec, exchange, fetch
from onestop_sync.attachment import bits_of
from onestop_sync.bundle import file
from onestop_sync.bundle.packet import BundleReport, Payload, Section, Signed
from onestop_sync.errors import BundleRejected, FormatError, NotAllowed, SignatureInvalid
from onestop_sync.event import EVENT_KIND, parse, parse_genesis, verify
from onestop_sync.exchange import Cursor
from onestop_sync.storage import carry, chunks, feed
from onestop_sync.storage.chains import close_own_logs
from onestop_sync.storage.transaction import Transaction
from onestop_sync.store import Store
from onestop_sync.trust import Authority, Certificate, Trust, TrustDocument


class _Bundle(NamedTuple):
    """A bundle whose sender was checked."""

    log: bytes
    sender: Certificate
    digest: bytes
    payload: Payload


def import_bundle(store: Store, path: Path | str) -> BundleReport:
    """Takes a bundle: all of it or nothing.

    Args:
        store: Into which.
        path: The file.

    Raises:
        BundleRejected: Nothing was imported; ``details["reason"]`` is one of ``unreadable``, ``too_large``,
            ``not_bundle``, ``newer``, ``partial``, ``damaged`` (the file), ``foreign`` (another province),
            ``own`` (made by this machine), ``other`` (sealed to others), ``stranger`` (its sender is not
            certified for our line; ``stranger_news``: what the province publishes was taken from it all the
            same), ``repeated``, ``old`` (it brings nothing any more).
        StoreError: The disk or database refused; nothing was imported.
    """
    path = Path(path)
    data = file.read(path)
    try:
        bundle = _open(store, data)
        _refuse_repeated(store, bundle)
        report = store.retrying(lambda: _take(store, bundle))
    except FormatError as error:  # its sender signed it, and it is malformed or lies
        raise BundleRejected("The bundle is malformed.", reason="damaged") from error
    report.path, report.size_bytes = path, len(data)
    with suppress(NotAllowed):  # a machine that was cut off takes what comes, and writes nothing
        store.move_on()
    return report


def _open(store: Store, data: bytes) -> _Bundle:
    envelope = file.parse(data)
    if envelope.province != file.hint("root", store.root):
        raise BundleRejected("The bundle belongs to another province.", reason="foreign")
    if envelope.sender == file.hint("machine", store.machine_log):
        raise BundleRejected(
            "This machine made the bundle itself.",
            todo="Nothing was imported. Bring it to the parent or to another machine of the unit.",
            reason="own",
        )
    signed = Signed.parse(file.open_body(envelope, store.seal_seed))
    sender = _sender(store, signed.payload, signed.log)
    if not signed.is_by(sender.key):
        raise _stranger("The bundle is not signed by the machine that it names.")
    return _Bundle(signed.log, sender.certificate, signed.digest, signed.payload)


def _sender(store: Store, payload: Payload, log: bytes) -> Authority:
    """Tells by whom a bundle is, from what it brings itself: nothing is stored before that is known."""
    document, is_news = store.trust.document, False
    if payload.trust is not None:
        try:
            # It proves itself, whoever carries it, and may be what says that this sender counts no more.
            is_news = store.replace_trust(payload.trust)
            document = store.trust.document
        except SignatureInvalid as error:
            raise _stranger("What the bundle publishes is not by this province's root.") from error
    found = _introduced(document, payload.introduction).authority(log)
    if not isinstance(found, Authority) or found.certificate.kind != "machine":
        raise _stranger("The bundle was made by a machine that nobody has certified.", is_news=is_news)
    unit = found.certificate.unit
    if document.is_cut_off(found.key):  # a machine of a closed unit still delivers what it holds
        raise _stranger("The bundle was made by a machine whose key was cut off.", is_news=is_news)
    if not (document.is_over(unit, store.unit) or document.is_over(store.unit, unit)):
        what = "The bundle was made by a machine of a unit that is neither above nor below this one."
        raise _stranger(what, is_news=is_news)
    return found


def _introduced(document: TrustDocument, frames: Iterable[object]) -> Trust:
    """Reads proofs of authority, which hang on nothing that is stored here."""
    trust = Trust(document)
    for frame in frames:
        event = parse(frame)
        genesis = parse_genesis(event) if event.is_genesis else trust.genesis(event.log)
        if genesis is not None:
            verify(event, genesis.key)
            trust.add(event)
    return trust


def _stranger(what: str, *, is_news: bool = False) -> BundleRejected:
    """Returns the refusal of a sender; what the province publishes was taken all the same, as news."""
    if not is_news:
        todo = "Nothing was imported. Ask the unit's administrator about that machine."
        return BundleRejected(what, todo=todo, reason="stranger")
    return BundleRejected(
        f"{what} From it, what the province publishes was taken.",
        todo="Nothing else was imported. Make a bundle for the unit that is above this one now.",
        reason="stranger_news",
    )


def _refuse_repeated(store: Store, bundle: _Bundle) -> None:
    with store.reading() as connection:
        visit = carry.load_visit(connection, bundle.log)
    if visit.digest == bundle.digest:
        raise BundleRejected(
            "This bundle was imported before.",
            todo="Nothing was imported, and nothing is missing.",
            reason="repeated",
        )
    is_new = store.prepare(_all_frames(store, bundle.payload)).events or _brings_chunks(store, bundle)
    if bundle.payload.number < visit.number and not is_new:
        raise BundleRejected(
            "A newer bundle of that machine was imported before, and this one brings nothing more.",
            todo="Nothing was imported, and nothing is missing.",
            reason="old",
        )


def _brings_chunks(store: Store, bundle: _Bundle) -> bool:
    """Tells whether some chunk of it belongs to what is here, and is not here."""
    named = sorted({piece.content for piece in bundle.payload.pieces})
    with store.reading() as connection:
        allowed = _allowed(store, connection, bundle.sender, named)
        lacking = {content: chunks.state_of(connection, content) for content in allowed}
    places = {content: set(bits_of(stock)) for content, stock in lacking.items() if isinstance(stock, bytes)}
    return any(
        lacking.get(piece.content) is False or piece.place in places.get(piece.content, ())
        for piece in bundle.payload.pieces
    )


def _allowed(
    store: Store, connection: sa.Connection, sender: Certificate, contents: Sequence[bytes]
) -> set[bytes]:
    """Returns the contents of which a sender may bring chunks."""
    if store.serves and sender.unit in store.below:
        return chunks.in_scope(connection, sender.unit, contents)
    return chunks.is_named(connection, contents)


def _all_frames(store: Store, payload: Payload) -> list[Any]:
    ours = [
        item[1] for s in payload.sections if s.key == store.machine.public for item in s.items if not item[0]
    ]
    return [*payload.introduction, *payload.frames, *ours]


def _take(store: Store, bundle: _Bundle) -> BundleReport:
    payload = bundle.payload
    report = BundleReport(Path(), number=payload.number, sender=bundle.log)
    prepared = store.prepare(_all_frames(store, payload))
    proofs = {hashlib.sha256(codec.pae(EVENT_KIND, f[0])).digest() for f in payload.introduction}
    first = [event for event in prepared.events if event.id in proofs]
    rest = [event for event in prepared.events if event.id not in proofs]
    with store.writing() as transaction:
        # The sender's own log comes first: it is the source of everything else.
        store.append(prepared._replace(events=first, bad=[]), bundle.log)
        is_limited = not _is_parent(store, bundle.sender)
        outcomes, report.stored = store.append(
            prepared._replace(events=rest), bundle.log, is_limited=is_limited
        )
        _take_chunks(store, transaction, bundle, report)
        visit = carry.load_visit(transaction.connection, bundle.log)
        is_newer = payload.number > visit.number
        for section in payload.sections:
            if section.key == store.machine.public:
                report.acks += _take_section(store, bundle, section, report, is_newer=is_newer)
        report.outcomes = [o for o in outcomes if o.code]
        report.rejected = [o for o in outcomes if not o.is_stored]
        report.events = len(payload.frames) + sum(not i[0] for s in payload.sections for i in s.items)
        if is_newer or visit.number == payload.number:
            # What was not stored may be when the stick comes again.
            digest = b"" if report.rejected or report.left_out else bundle.digest
            seen = payload.said._replace(
                number=payload.number, digest=digest, is_owed=True, trust_version=payload.trust_version
            )
            carry.save_visit(transaction.connection, bundle.log, seen)
    return report


def _take_chunks(store: Store, transaction: Transaction, bundle: _Bundle, report: BundleReport) -> None:
    """Takes the chunks of attachments, and notes what the sender would like to have of those below it."""
    connection, payload = transaction.connection, bundle.payload
    named = sorted({piece.content for piece in payload.pieces})
    allowed = _allowed(store, connection, bundle.sender, named)
    is_limited = not _is_parent(store, bundle.sender)
    taken = transaction.take_pieces(payload.pieces, allowed, is_limited=is_limited)
    report.chunks, report.left_out = taken.stored, taken.refused
    wished = sorted(payload.said.wanted)[: fetch.MAX_CONTENTS]
    if wished and store.serves and bundle.sender.unit in store.below:
        scope = chunks.in_scope(connection, bundle.sender.unit, wished)
        chunks.want(connection, sorted(scope))
        transaction.confirm(chunks.unsaid(connection, store.machine_log, sorted(scope)))


def _take_section(
    store: Store, bundle: _Bundle, section: Section, report: BundleReport, *, is_newer: bool
) -> int:
    """Takes the acks of a section; its events are stored already. Returns how many acks it brought."""
    if section.mine is None:
        return exchange.keep_forwarded(store, section.items)
    if not _is_parent(store, bundle.sender):
        raise _stranger("The bundle was made by a machine that is no parent of this one.")
    state = exchange.load_parent(store, f"usb:{bundle.log.hex()[:16]}")
    state = exchange.meet_parent(store, state.name, bundle.log, b"")
    with store.reading() as connection:
        cursor = carry.cursors(connection).get(bundle.log)
    known = Cursor(*cursor) if cursor else None
    report.was_rolled_back = section.was_reset and is_newer
    answer = exchange.Answer(
        nonce=b"", cursor=_go_on(known, section.mine), acks=section.acks,
        items=[(kind, payload) for kind, payload in section.items], was_reset=report.was_rolled_back,
        is_in_turn=_is_in_turn(known, section.mine),
    )  # fmt: skip
    exchange.take(store, state, answer)
    if _is_ahead_of_us(known, section.mine):
        # Somebody with our keys has seen more than we have: a copy of this disk. Each goes on under new logs,
        # or the parent would take the one for an older word of the other.
        with store.writing() as transaction:
            close_own_logs(transaction.connection)
    return len(section.acks) + len([kind for kind, _ in section.items if kind != feed.EVENT])


def _is_parent(store: Store, sender: Certificate) -> bool:
    document = store.trust.document
    is_closed = document.is_cut_off(b"", sender.unit)
    return sender.serves and not is_closed and document.is_over(sender.unit, store.unit)


def _is_in_turn(known: Cursor | None, mine: tuple[Cursor | None, Cursor]) -> bool:
    """Tells whether a section of our feed leaves no gap behind what is here."""
    start, to = mine
    return start is None or (known is not None and known.epoch == to.epoch and start.n <= known.n)


def _is_ahead_of_us(known: Cursor | None, mine: tuple[Cursor | None, Cursor]) -> bool:
    """Tells whether a section of our feed begins behind what we ever told that we have."""
    start, to = mine
    is_same = known is not None and start is not None and known.epoch == to.epoch
    return is_same and known is not None and start is not None and start.n > known.n


def _go_on(known: Cursor | None, mine: tuple[Cursor | None, Cursor]) -> Cursor:
    """Returns where our feed goes on after a section; where it leaves a gap, where it did before."""
    _, to = mine
    is_same = known is not None and known.epoch == to.epoch
    if known is not None and is_same and known.n >= to.n:
        return known
    if _is_in_turn(known, mine):
        return to
    return known or Cursor(b"", 0, feed.START)
