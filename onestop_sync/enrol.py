"""Enrolment: how a new machine and its officers come by their certificates, by two files.

The machine makes its keys and writes a *request*. An administrator compares the fingerprints with the person
who asks, and *approves*: the certificates are events, and the *answer* brings them together with whatever
the machine needs to check its parents. The new machine trusts the root key that the answer names, so the
fingerprint of that key is compared as well (`read_answer`). What the files look like: `enrol_files`.

Nothing here touches a file or the network but through a store.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from onestop_sync import codec, keys
from onestop_sync.enrol_files import (
    Applicant,
    EnrolAnswer,
    EnrolRequest,
    Officer,
    describe,
    read_answer,
    request,
)
from onestop_sync.errors import NotAllowed, StoreExists
from onestop_sync.keyring import Secrets
from onestop_sync.schema import DocumentType
from onestop_sync.storage import tables as t
from onestop_sync.store import Store
from onestop_sync.trust import Authority, Certificate, Trust
from onestop_sync.writer import Writer

__all__ = [
    "Applicant",
    "EnrolAnswer",
    "EnrolRequest",
    "Officer",
    "accept",
    "approve",
    "approve_described",
    "describe",
    "find_answer",
    "give_blocks",
    "next_blocks",
    "read_answer",
    "receive",
    "request",
]

BLOCK_SERIALS: Final = 500
"""Serials of a day in one block."""
BLOCKS: Final = 2
"""Blocks for a machine: one in use, one to spare for the epoch after a restore."""
MAX_SERIAL: Final = 9999
"""Largest serial of a day where codes have four digits (TT 01/2018/TT-VPCP Article 19)."""

Block = tuple[int, int]


def approve(
    store: Store,
    signer: keys.Signer,
    data: bytes,
    *,
    blocks: Sequence[Block] | None = None,
    serves: bool = False,
    max_serial: int = MAX_SERIAL,
) -> bytes:
    """Certifies the machine and officers of a request, all or none; a second time changes nothing.

    Args:
        store: The administrator's store.
        signer: The administrator's key.
        data: The request.
        blocks: Serial blocks of each day for the machine; ``None`` takes the next free ones of the unit,
            ``()`` gives none (a server takes in no dossiers).
        serves: Whether the machine may be a parent of others, so that its acks count.
        max_serial: Largest serial that the unit's codes can hold.

    Returns:
        The answer for the new machine.

    Raises:
        FormatError: Not a request, or a key did not sign it.
        NotAllowed: The signer is no administrator above that unit, a block is taken, or none is left.
    """
    return approve_described(
        store, signer, describe(data), blocks=blocks, serves=serves, max_serial=max_serial
    )


def approve_described(
    store: Store,
    signer: keys.Signer,
    asked: EnrolRequest,
    *,
    blocks: Sequence[Block] | None = None,
    serves: bool = False,
    max_serial: int = MAX_SERIAL,
) -> bytes:
    """Certifies what `describe` read, or what an administrator made of it; see `approve`."""
    if asked.unit not in store.trust.document.units:
        raise NotAllowed(
            f"The trust document names no unit {asked.unit!r}.", todo="Check the unit's id.", reason="unit"
        )
    writer = store.writer(signer)
    with store.writing():
        machine = _certify_machine(writer, asked, blocks, serves=serves, max_serial=max_serial)
        events = [machine, *(_certify(writer, _of_officer(asked.unit, o)) for o in asked.officers)]
        return _answer(store, asked, events)


def find_answer(store: Store, asked: EnrolRequest, *, serves: bool = False) -> bytes | None:
    """Returns the answer to a request of which everything is certified already; ``None`` when not."""
    wanted = [_of_machine(asked, serves=serves), *(_of_officer(asked.unit, o) for o in asked.officers)]
    events = [event_id for each in wanted if (event_id := _existing(store, each))]
    return _answer(store, asked, events) if len(events) == len(wanted) else None


def _answer(store: Store, asked: EnrolRequest, events: Iterable[bytes]) -> bytes:
    frames = _frames(store, _needed(store, asked.unit, events))
    return codec.encode([1, "enrolment", store.root, store.trust_bytes, asked.unit, asked.machine, frames])


def _certify_machine(
    writer: Writer, asked: EnrolRequest, blocks: Sequence[Block] | None, *, serves: bool, max_serial: int
) -> bytes:
    there = _existing(writer.store, _of_machine(asked, serves=serves))
    if there is not None:
        return there
    taken = _blocks_of(writer.store, asked.unit)
    given = _free_blocks(writer.store, asked.unit, taken, max_serial) if blocks is None else tuple(blocks)
    if any(_overlap(a, b) for i, a in enumerate(given) for b in [*taken, *given[:i]]):
        raise NotAllowed("A serial block is another machine's already.", reason="blocks")
    certified = Certificate(
        asked.machine, asked.unit, "machine", asked.machine_name, seal=asked.seal, blocks=given, serves=serves
    )
    return writer.certify(certified).id


def _of_machine(asked: EnrolRequest, *, serves: bool) -> Certificate:
    return Certificate(
        asked.machine, asked.unit, "machine", asked.machine_name, seal=asked.seal, serves=serves
    )


def give_blocks(
    store: Store, signer: keys.Signer, machine: bytes, *, max_serial: int = MAX_SERIAL
) -> Certificate:
    """Certifies a machine once more, with further blocks of serials behind those it was given.

    After each restore a machine goes on with its next block, and has to be given more when it has none left.
    It gets the certificate with the next sync or stick; nothing else changes for it.

    Args:
        store: The administrator's store.
        signer: The administrator's key.
        machine: The machine's Ed25519 key.
        max_serial: Largest serial that the unit's codes can hold.

    Raises:
        NotAllowed: Nobody has certified that machine, the signer is no administrator above its unit, or no
            block is left.
    """
    _, held = store.find_authority(machine)
    if held.kind != "machine":
        raise NotAllowed("That is not a machine's key.", reason="machine")
    writer = store.writer(signer)
    with store.writing():
        _, held = store.find_authority(machine)
        more = _free_blocks(store, held.unit, _blocks_of(store, held.unit), max_serial)
        given = dataclasses.replace(held, blocks=(*held.blocks, *more))
        writer.certify(given)
    return given


def _of_officer(unit: str, officer: Officer) -> Certificate:
    return Certificate(officer.key, unit, "officer", officer.name, officer.roles, person=officer.person)


def _certify(writer: Writer, wanted: Certificate) -> bytes:
    return _existing(writer.store, wanted) or writer.certify(wanted).id


def _existing(store: Store, wanted: Certificate) -> bytes | None:
    """Returns the certificate event that says the same already; a machine keeps its blocks."""
    for event_id, found in store.trust.certificates():
        same = found == wanted or (found.kind == "machine" and _without_blocks(found) == wanted)
        issuer = store.trust.issuer_log(event_id)
        if same and issuer and isinstance(store.trust.authority(issuer), Authority):
            return event_id
    return None


def _without_blocks(found: Certificate) -> Certificate:
    return Certificate(
        found.key, found.unit, found.kind, found.name, found.roles, found.valid_from_ms, found.valid_to_ms,
        found.seal, (), found.serves,
    )  # fmt: skip


def _blocks_of(store: Store, unit: str) -> list[Block]:
    """Returns every block that a machine of the unit was ever given: none is given twice."""
    return [
        b for _, c in store.trust.certificates() if c.kind == "machine" and c.unit == unit for b in c.blocks
    ]


def _free_blocks(
    store: Store, unit: str, taken: Sequence[Block], max_serial: int, size: int = BLOCK_SERIALS
) -> tuple[Block, ...]:
    """Returns the next free blocks; a counter row keeps two administrators on one database apart."""
    found: list[Block] = []
    counter = f"blocks of {unit}" if size == BLOCK_SERIALS else f"blocks of {unit} by {size}"
    while len(found) < BLOCKS:
        number = store.next_serial(counter, "")
        block = ((number - 1) * size + 1, min(number * size, max_serial))
        if block[0] > max_serial:
            raise NotAllowed(
                f"Unit {unit!r} has no serial block left.",
                todo="Nothing was changed. Give the blocks of a machine that is gone, by hand.",
                reason="blocks",
            )
        if not any(_overlap(block, other) for other in taken):
            found.append(block)
    return tuple(found)


def next_blocks(
    store: Store, unit: str, *, size: int = BLOCK_SERIALS, max_serial: int = MAX_SERIAL
) -> tuple[Block, ...]:
    """Returns the next free serial blocks of a unit for one machine; call it in `writing`, with what uses it.

    Args:
        store: The administrator's.
        unit: Its id.
        size: Serials of each day in one block.
        max_serial: Largest serial that the unit's codes can hold.

    Raises:
        NotAllowed: None is left.
    """
    return _free_blocks(store, unit, _blocks_of(store, unit), max_serial, size)


def _overlap(one: Block, other: Block) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def _needed(store: Store, unit: str, certificates: Iterable[bytes]) -> list[bytes]:
    """Returns the ids of all events of an answer, proofs first: the new certificates, and the parents'."""
    line = set(store.trust.document.above(unit))
    parents = [i for i, c in store.trust.certificates() if c.serves and c.unit in line]
    found: dict[bytes, None] = {}
    for event_id in [*parents, *certificates]:
        for each in _proof(store.trust, event_id):
            found.setdefault(each)
    return list(found)


def _proof(trust: Trust, event_id: bytes) -> list[bytes]:
    """Returns a certificate event and what proves its author, from the root down."""
    chain: list[bytes] = []
    at = event_id
    while at and at not in chain:
        chain.append(at)
        issuer = trust.issuer_log(at)
        genesis = trust.genesis(issuer) if issuer else None
        if issuer is None or genesis is None:
            break
        chain.append(issuer)
        at = genesis.cert
    return chain[::-1]


def _frames(store: Store, ids: Sequence[bytes]) -> list[Any]:
    with store.reading() as connection:
        rows = {
            bytes(row.id): [row.header, row.signature, row.body]
            for i in range(0, len(ids), 500)
            for row in connection.execute(sa.select(t.event).where(t.event.c.id.in_(ids[i : i + 500])))
        }
    return [rows[i] for i in ids if i in rows]


def accept(
    folder: Path | str,
    secrets: Secrets,
    data: bytes,
    *,
    types: Iterable[DocumentType],
    expected_root: bytes = b"",
    database: str | None = None,
    **options: Any,
) -> Store:
    """Makes the store of a new machine from an answer; whether it serves is what its certificate says.

    Args:
        folder: Where the store goes.
        secrets: What the machine's keyring unlocked.
        data: The answer.
        types: Document types.
        expected_root: The province's root key when it is known already; another one is refused.
        database: SQLAlchemy URL; an encrypted file in ``folder`` when ``None``.
        **options: See `Store.create`: ``clock``, ``rng``, ``threads``.

    Raises:
        FormatError: Not an answer, changed on the way, or nobody may give these certificates.
        NotAllowed: The answer is for another machine, or from another province.
        StoreExists: A store is there already, of another province or unit.
    """
    answer = read_answer(data)
    _check_is_ours(answer, secrets)
    if expected_root and answer.root != expected_root:
        raise NotAllowed("The answer comes from another province.", reason="root")
    kinds = tuple(types)
    try:
        store = Store.create(
            folder, secrets, types=kinds, root=answer.root, trust=answer.trust, unit=answer.unit,
            serves=answer.certificate.serves, database=database, **options,
        )  # fmt: skip
    except StoreExists:
        # A power cut between making the store and taking the certificates leaves one that can go on.
        store = Store.open(folder, secrets, types=kinds, database=database, **options)
        if (store.root, store.unit) != (answer.root, answer.unit):
            store.close()
            raise
    store.receive(answer.frames)
    return store


def receive(store: Store, data: bytes) -> tuple[Certificate, ...]:
    """Takes an answer into a store that is there already: for officers who come later.

    Returns:
        The certificates of the officers.

    Raises:
        FormatError: Not an answer, or changed on the way.
        NotAllowed: From another province, or for another machine.
    """
    answer = read_answer(data)
    if answer.root != store.root:
        raise NotAllowed("The answer comes from another province.", reason="root")
    if (answer.machine, answer.unit) != (store.machine.public, store.unit):
        raise NotAllowed("The answer is for another machine.", reason="machine")
    store.replace_trust(answer.trust)
    store.receive(answer.frames)
    return answer.officers


def _check_is_ours(answer: EnrolAnswer, secrets: Secrets) -> None:
    if answer.machine != secrets.machine.public or answer.certificate.seal != secrets.seal_key:
        raise NotAllowed(
            "The answer is for another machine.",
            todo="Nothing was changed. Ask the administrator for the answer to this machine's request.",
            reason="machine",
        )
