"""What a machine that sends a packet is answered, and its enrolment when it may be.

    verdict = take(store, signer, packet)

The first machine that proves a request is the only one from then on: it may ask again, for the same answer or
for further officers of the code, and no other may. Five wrong proofs end a code, and so does its time. Wrong
proofs of all codes together are counted by the hour, in the store, in the transaction that judges, so that
several processes on one database share the count.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from onestop_sync import enrol, enrol_proof
from onestop_sync.enrol_code import CodeKeys
from onestop_sync.enrol_codes import Issued, issued, may_allow
from onestop_sync.enrol_files import EnrolRequest, Officer
from onestop_sync.enrol_grant import TRIES, Grant, find_name, is_signed, pack_grant, unpack_grant
from onestop_sync.enrol_proof import NONCE_BYTES, Offer, Packet, Reply
from onestop_sync.errors import FormatError, NotAllowed
from onestop_sync.keys import Signer
from onestop_sync.storage import tables as t
from onestop_sync.storage.codes import (
    change_code,
    find_code,
    note_wrong,
    open_keys,
    required_code,
    wrong_in,
)
from onestop_sync.store import Store

__all__ = ["WRONG_PER_HOUR", "Verdict", "approve_waiting", "open_own", "take"]

WRONG_PER_HOUR: Final = 100
"""Wrong proofs of all codes together in one hour; after that, nobody's proof is looked at until the next."""
_HOUR_MS: Final = 3_600_000


class Verdict(NamedTuple):
    """What to answer a packet.

    Attributes:
        code: Empty: the sealed answer is in ``answer``. Otherwise ``unknown`` (no code of that selector is
            here), ``wrong`` or ``busy`` (too many wrong ones this hour).
        answer: For the machine.
        enrolled: Public key of the machine that this packet has enrolled; empty otherwise.
    """

    code: str
    answer: bytes = b""
    enrolled: bytes = b""


def open_own(store: Store, data: bytes, answer: bytes) -> Reply:
    """Returns what `take` answered, where the code was made."""
    with store.reading() as connection:
        row = required_code(connection, enrol_proof.parse_packet(data).selector)
    return enrol_proof.open_answer(open_keys(store, row), answer, data)


def approve_waiting(store: Store, signer: Signer) -> list[tuple[Issued, str]]:
    """Approves, as an administrator, the proven requests that wait.

    Returns:
        Each with the reason why not; empty when it is enrolled.
    """
    found: list[tuple[Issued, str]] = []
    for code in issued(store):
        if code.is_waiting:
            with store.reading() as connection:
                packet = bytes(required_code(connection, code.selector).packet)
            verdict = take(store, signer, packet, is_limited=False)
            why = verdict.code or open_own(store, packet, verdict.answer).reason
            found.append((code, "" if verdict.enrolled else why or "authority"))
    return found


class _Refused(Exception):
    """Why a proven request is refused; what was done in its transaction is undone."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def take(
    store: Store, signer: Signer | None, data: bytes, *, is_limited: bool = True, is_last: bool = True
) -> Verdict:
    """Decides what a machine that sent a packet is answered, and enrols it when it may be.

    Args:
        store: The store in which the code was made.
        signer: Key of an administrator; without one, a proven request waits for `approve_waiting`.
        data: The packet.
        is_limited: Whether wrong proofs of this hour count; not for a file that an administrator holds.
        is_last: Whether nobody above is asked about a selector that is unknown here: then it is a wrong one.

    Raises:
        FormatError: The packet is malformed.
        StoreError: The disk or database refused; nothing was counted.
    """
    packet = enrol_proof.parse_packet(data)
    judged = store.retrying(lambda: _Taking(store, signer, data, packet, is_limited=is_limited).run())
    if judged.code == "unknown" and is_last and is_limited:
        store.retrying(lambda: _count_wrong(store))
    return judged


class _Taking:
    """One packet, and the transaction in which it is judged."""

    def __init__(
        self, store: Store, signer: Signer | None, data: bytes, packet: Packet, *, is_limited: bool
    ) -> None:
        self.store = store
        self.signer = signer
        self.data = data
        self.packet = packet
        self.is_limited = is_limited
        self.enrolled = b""
        self.keys: CodeKeys | None = None

    def run(self) -> Verdict:
        """Judges, in one transaction; a refusal undoes what was begun."""
        try:
            with self.store.writing() as transaction:
                failed, reply = self._judge(transaction.connection)
        except (_Refused, NotAllowed, FormatError) as error:
            if self.keys is None:
                raise
            details = getattr(error, "details", {})
            failed, reply = (
                "",
                Reply(reason=getattr(error, "reason", "") or str(details.get("reason", "format"))),
            )
        if failed or self.keys is None or reply is None:
            return Verdict(failed)
        nonce = self.store.rng(NONCE_BYTES)
        answer = enrol_proof.seal_answer(self.keys.answer_key, self.data, nonce, reply)
        return Verdict("", answer, self.enrolled if reply.enrolment else b"")

    def _judge(self, connection: sa.Connection) -> tuple[str, Reply | None]:
        hour = str(self.store.clock() // _HOUR_MS)
        if self.is_limited and wrong_in(connection, hour) >= WRONG_PER_HOUR:
            return "busy", None
        row = find_code(connection, self.packet.selector, lock=True)
        if row is None:
            return "unknown", None
        keys = open_keys(self.store, row)
        if not enrol_proof.is_proven(self.packet, keys.request_key):
            change_code(connection, row.selector, wrong=t.enrol_code.c.wrong + 1)
            note_wrong(connection, hour)
            return "wrong", None
        self.keys = keys
        if row.wrong >= TRIES:
            raise _Refused("code_tries")
        self._check_maker(row)
        if self.packet.kind == enrol_proof.LOOK:
            return "", self._look(row)
        return "", self._enrol(connection, row)

    def _check_maker(self, row: Any) -> None:
        """Asks who allows what a code is for, and whether they may now: a row by itself is nobody's word."""
        grant = unpack_grant(row.allows)
        if not (is_signed(grant, row.selector) and may_allow(self.store, grant.maker, grant.unit)):
            raise _Refused("code_maker")

    def _look(self, row: Any) -> Reply:
        if self.store.clock() > row.until_ms:
            raise _Refused("code_expired")
        grant = unpack_grant(row.allows)
        name = self.store.trust.document.units[grant.unit].name
        officers = tuple((o.name, tuple(sorted(o.roles))) for o in grant.officers)
        return Reply(offer=Offer(grant.unit, name, grant.machine_name, grant.serves, officers, row.until_ms))

    def _enrol(self, connection: sa.Connection, row: Any) -> Reply:
        asked = enrol.describe(self.packet.content)
        grant = unpack_grant(row.allows)
        if row.machine and row.machine != asked.machine:
            raise _Refused("code_used")
        bound, granted = _granted(grant, asked)
        answer = enrol.find_answer(self.store, granted, serves=grant.serves)
        if answer is None and self.store.clock() > row.until_ms and row.packet != self.data:
            raise _Refused("code_expired")
        if answer is None and self._may_sign(grant.unit):
            assert self.signer is not None
            answer = enrol.approve_described(
                self.store, self.signer, granted, blocks=grant.blocks, serves=grant.serves
            )
            self.enrolled = asked.machine
        waits = b"" if answer else self.data
        change_code(connection, row.selector, machine=asked.machine, packet=waits, allows=pack_grant(bound))
        return Reply(enrolment=answer) if answer else Reply(is_waiting=True)

    def _may_sign(self, unit: str) -> bool:
        return self.signer is not None and may_allow(self.store, self.signer.public, unit)


def _granted(grant: Grant, asked: EnrolRequest) -> tuple[Grant, EnrolRequest]:
    """Returns what is certified: keys from the request, everything else from the code.

    Whoever else works on the machine knows the code too, so a name is good for one key: the first.

    Returns:
        The grant, bound to the keys that came; and the request as it is certified.
    """
    if asked.unit != grant.unit:
        raise _Refused("code_unit")
    named = list(grant.officers)
    officers: list[Officer] = []
    for officer in asked.officers:
        place = find_name([o.name for o in named], officer.name)
        if place is None:
            raise _Refused("code_officer")
        found = named[place]
        if found.key not in {b"", officer.key}:
            raise _Refused("code_taken")
        named[place] = found._replace(key=officer.key)
        officers.append(Officer(found.name, officer.key, found.roles, found.person))
    certified = asked._replace(machine_name=grant.machine_name, officers=tuple(officers))
    return grant._replace(officers=tuple(named)), certified


def _count_wrong(store: Store) -> None:
    with store.writing() as transaction:
        note_wrong(transaction.connection, str(store.clock() // _HOUR_MS))
