"""One-time codes in a store: made by an administrator, used by one machine, counted in the same transaction.

    made = make_code(store, grant, hours=24)          # made.code is shown once, and kept nowhere
    verdict = take(store, signer, packet)             # what to answer a machine

A code says what it allows; the machine that uses it says only its keys, and who of the named officers are
there. The first machine that proves a request is the only one from then on: it may ask again, for the same
answer or for further officers of the code, and no other may. Five wrong proofs end a code, and so does its
time. Wrong proofs of all codes together are counted by the hour, in the store, so that several processes on
one database share the count.

Keys of codes are sealed under the store's own key: whoever reads the database alone can prove nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from onestop_sync import codec, enrol, enrol_proof
from onestop_sync.enrol_code import ENTROPY_BYTES, KEY_BYTES, CodeKeys, read_code, write_code
from onestop_sync.enrol_files import EnrolRequest, Officer
from onestop_sync.enrol_proof import NONCE_BYTES, Offer, Packet, Reply
from onestop_sync.errors import FormatError, InvalidInput, NotAllowed, NotFound
from onestop_sync.keys import Signer
from onestop_sync.search_text import fold_text
from onestop_sync.storage import tables as t
from onestop_sync.store import Store
from onestop_sync.trust import ADMIN

__all__ = [
    "HOURS",
    "TRIES",
    "WRONG_PER_HOUR",
    "Grant",
    "Issued",
    "Made",
    "Named",
    "Verdict",
    "allow",
    "approve_waiting",
    "cancel_code",
    "find_name",
    "issued",
    "make_code",
    "open_own",
    "take",
]

HOURS: Final = 24
"""How long a code is good unless an administrator says otherwise."""
MAX_HOURS: Final = 24 * 60
"""Longest time of a code: two months, for the day one of a province."""
TRIES: Final = 5
"""Wrong proofs after which a code is dead."""
WRONG_PER_HOUR: Final = 100
"""Wrong proofs of all codes together in one hour; after that, nobody's proof is looked at until the next."""
_HOUR_MS: Final = 3_600_000
_COUNTER: Final = "enrol wrong"
_DRAWS: Final = 20
_MAX_NAME: Final = 200


class Named(NamedTuple):
    """An officer whom a code names.

    Attributes:
        name: As colleagues will see it.
        roles: What they will be certified for.
        person: Opaque id of the person; empty when none is kept.
    """

    name: str
    roles: frozenset[str]
    person: str = ""


class Grant(NamedTuple):
    """What a code allows.

    Attributes:
        unit: Id of the unit.
        machine_name: Name of the machine.
        officers: Who will work on it.
        serves: Whether it will be a parent of others.
        blocks: Its serial blocks; ``None`` takes the next free ones, ``()`` gives none.
    """

    unit: str
    machine_name: str
    officers: tuple[Named, ...] = ()
    serves: bool = False
    blocks: tuple[tuple[int, int], ...] | None = None


class Made(NamedTuple):
    """A new code, to be shown once.

    Attributes:
        code: The code itself.
        selector: Its first group, by which it is spoken of.
        until_ms: When it ends, ms since 1970 UTC.
    """

    code: str
    selector: str
    until_ms: int


class Issued(NamedTuple):
    """A code that was made, as administrators see it.

    Attributes:
        selector: Its first group.
        grant: What it allows.
        made_ms: When it was made, ms since 1970 UTC.
        until_ms: When it ends.
        wrong: Wrong proofs so far.
        machine: Key of the machine that used it; empty while nobody did.
        is_waiting: Whether a proven request waits for an administrator.
    """

    selector: str
    grant: Grant
    made_ms: int
    until_ms: int
    wrong: int
    machine: bytes
    is_waiting: bool

    def is_open(self, now_ms: int) -> bool:
        """Tells whether a machine could use it yet."""
        return not self.machine and self.wrong < TRIES and now_ms <= self.until_ms


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


# --------------------------------------------------------------------------------------------- administrators


def make_code(store: Store, grant: Grant, *, hours: float = HOURS, machine: bytes = b"") -> Made:
    """Makes a code; call it inside `Store.writing`, with what else has to be done with it, or alone.

    Args:
        store: The administrator's store.
        grant: What the code allows.
        hours: How long it is good.
        machine: Key of the enrolled machine for whose further officers the code is; empty for a new machine.

    Raises:
        InvalidInput: A name, role, unit or time that does not do.
    """
    _check(store, grant, hours)
    now = store.clock()
    until = now + int(hours * _HOUR_MS)
    with store.writing() as transaction:
        for _ in range(_DRAWS):
            code = write_code(store.rng(ENTROPY_BYTES))
            keys = read_code(code)
            if _row(transaction.connection, keys.selector) is None:
                break
        else:
            raise InvalidInput("No code is free.", todo="Nothing was changed. Try again.")
        transaction.connection.execute(
            sa.insert(t.enrol_code).values(
                selector=keys.selector, keys=_seal_keys(store, keys), allows=_packed(grant), made_ms=now,
                until_ms=until, wrong=0, machine=machine, packet=b"",
            )
        )  # fmt: skip
    return Made(code, keys.selector, until)


def _check(store: Store, grant: Grant, hours: float) -> None:
    if grant.unit not in store.trust.document.units:
        raise InvalidInput(f"The trust document names no unit {grant.unit!r}.", reason="unit")
    if not 0 < hours <= MAX_HOURS:
        raise InvalidInput(f"A code is good for at most {MAX_HOURS} hours.")
    names = [grant.machine_name, *(o.name for o in grant.officers)]
    if not all(0 < len(name) <= _MAX_NAME and name.isprintable() for name in names):
        raise InvalidInput(f"A name needs 1 to {_MAX_NAME} characters.", reason="name")
    if len({codec.nfc(o.name) for o in grant.officers}) != len(grant.officers):
        raise InvalidInput("Two officers of one machine have one name.", reason="taken")
    if not all(o.roles and all(map(str.isidentifier, o.roles)) for o in grant.officers):
        raise InvalidInput("Each officer needs a role.", reason="role")


def allow(store: Store, selector: str, officers: Sequence[Named]) -> None:
    """Lets a code that was made allow further officers; what it allowed stays.

    Raises:
        NotFound: There is no such code.
    """
    with store.writing() as transaction:
        row = _required(transaction.connection, selector)
        grant = _unpacked(row.allows)
        known = {o.name for o in grant.officers}
        added = tuple(o for o in officers if codec.nfc(o.name) not in known)
        wider = grant._replace(officers=grant.officers + added)
        _set(transaction.connection, selector, allows=_packed(wider))


def cancel_code(store: Store, selector: str) -> None:
    """Ends a code that no machine has used; of a used one, no further officers come.

    Raises:
        NotFound: There is no such code.
    """
    with store.writing() as transaction:
        _required(transaction.connection, selector)
        _set(transaction.connection, selector, until_ms=0, packet=b"")


def issued(store: Store) -> list[Issued]:
    """Returns all codes that were made, the newest last."""
    with store.reading() as connection:
        rows = connection.execute(
            sa.select(t.enrol_code).order_by(t.enrol_code.c.made_ms, t.enrol_code.c.selector)
        )
        return [
            Issued(
                r.selector,
                _unpacked(r.allows),
                r.made_ms,
                r.until_ms,
                r.wrong,
                bytes(r.machine),
                bool(r.packet),
            )
            for r in rows
        ]


def open_own(store: Store, data: bytes, answer: bytes) -> Reply:
    """Returns what `take` answered, where the code was made."""
    with store.reading() as connection:
        row = _required(connection, enrol_proof.parse_packet(data).selector)
    return enrol_proof.open_answer(_open_keys(store, row), answer, data)


def approve_waiting(store: Store, signer: Signer) -> list[tuple[Issued, str]]:
    """Approves, as an administrator, the proven requests that wait.

    Returns:
        Each with the reason why not; empty when it is enrolled.
    """
    found: list[tuple[Issued, str]] = []
    for code in issued(store):
        if code.is_waiting:
            with store.reading() as connection:
                packet = bytes(_required(connection, code.selector).packet)
            verdict = take(store, signer, packet, is_limited=False)
            why = verdict.code or open_own(store, packet, verdict.answer).reason
            found.append((code, "" if verdict.enrolled else why or "authority"))
    return found


# --------------------------------------------------------------------------------------------------- machines


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
        if self.is_limited and _wrong_in(connection, hour) >= WRONG_PER_HOUR:
            return "busy", None
        row = _row(connection, self.packet.selector, lock=True)
        if row is None:
            return "unknown", None
        keys = _open_keys(self.store, row)
        if not enrol_proof.is_proven(self.packet, keys.request_key):
            _set(connection, row.selector, wrong=t.enrol_code.c.wrong + 1)
            _note_wrong(connection, hour)
            return "wrong", None
        self.keys = keys
        if row.wrong >= TRIES:
            raise _Refused("code_tries")
        if self.packet.kind == enrol_proof.LOOK:
            return "", self._look(row)
        return "", self._enrol(connection, row)

    def _look(self, row: Any) -> Reply:
        if self.store.clock() > row.until_ms:
            raise _Refused("code_expired")
        grant = _unpacked(row.allows)
        name = self.store.trust.document.units[grant.unit].name
        officers = tuple((o.name, tuple(sorted(o.roles))) for o in grant.officers)
        return Reply(offer=Offer(grant.unit, name, grant.machine_name, grant.serves, officers, row.until_ms))

    def _enrol(self, connection: sa.Connection, row: Any) -> Reply:
        asked = enrol.describe(self.packet.content)
        grant = _unpacked(row.allows)
        if row.machine and row.machine != asked.machine:
            raise _Refused("code_used")
        granted = _granted(grant, asked)
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
        _set(connection, row.selector, machine=asked.machine, packet=waits)
        return Reply(enrolment=answer) if answer else Reply(is_waiting=True)

    def _may_sign(self, unit: str) -> bool:
        if self.signer is None:
            return False
        try:
            _, certificate = self.store.find_authority(self.signer.public)
        except NotAllowed:
            return False
        return ADMIN in certificate.roles and self.store.trust.document.is_above(certificate.unit, unit)


def find_name(names: Sequence[str], typed: str) -> int | None:
    """Returns which of several names somebody typed: the same, or the only one but for marks and case."""
    if typed in names:
        return names.index(typed)
    alike = [n for n, name in enumerate(names) if fold_text(name) == fold_text(typed)]
    return alike[0] if len(alike) == 1 else None


def _granted(grant: Grant, asked: EnrolRequest) -> EnrolRequest:
    """Returns what is certified: keys from the request, everything else from the code."""
    if asked.unit != grant.unit:
        raise _Refused("code_unit")
    officers: list[Officer] = []
    for officer in asked.officers:
        place = find_name([o.name for o in grant.officers], officer.name)
        if place is None:
            raise _Refused("code_officer")
        found = grant.officers[place]
        officers.append(Officer(found.name, officer.key, found.roles, found.person))
    return asked._replace(machine_name=grant.machine_name, officers=tuple(officers))


# ------------------------------------------------------------------------------------------------------- rows


def _count_wrong(store: Store) -> None:
    with store.writing() as transaction:
        _note_wrong(transaction.connection, str(store.clock() // _HOUR_MS))


def _note_wrong(connection: sa.Connection, hour: str) -> None:
    """Counts a wrong proof; the counts of other hours go."""
    where = t.counter.c.name == _COUNTER
    connection.execute(sa.delete(t.counter).where(where, t.counter.c.day != hour))
    raised = connection.execute(
        sa.update(t.counter).where(where, t.counter.c.day == hour).values(value=t.counter.c.value + 1)
    )
    if not raised.rowcount:
        connection.execute(sa.insert(t.counter).values(name=_COUNTER, day=hour, value=1))


def _wrong_in(connection: sa.Connection, hour: str) -> int:
    query = sa.select(t.counter.c.value).where(t.counter.c.name == _COUNTER, t.counter.c.day == hour)
    return int(connection.execute(query).scalar() or 0)


def _row(connection: sa.Connection, selector: str, *, lock: bool = False) -> Any:
    query = sa.select(t.enrol_code).where(t.enrol_code.c.selector == selector)
    if lock and connection.dialect.name != "sqlite":
        query = query.with_for_update()
    return connection.execute(query).first()


def _required(connection: sa.Connection, selector: str) -> Any:
    row = _row(connection, selector, lock=False)
    if row is None:
        raise NotFound(f"No code begins with {selector!r}.", todo="Look at `onestop-server enrol codes`.")
    return row


def _set(connection: sa.Connection, selector: str, **values: Any) -> None:
    connection.execute(sa.update(t.enrol_code).where(t.enrol_code.c.selector == selector).values(**values))


def _packed(grant: Grant) -> bytes:
    officers: list[codec.Value] = [
        [codec.nfc(o.name), sorted(o.roles), codec.nfc(o.person)] for o in grant.officers
    ]
    blocks: codec.Value = None if grant.blocks is None else [list(block) for block in grant.blocks]
    return codec.encode([1, grant.unit, codec.nfc(grant.machine_name), officers, grant.serves, blocks])


def _unpacked(data: bytes) -> Grant:
    _, unit, name, officers, serves, blocks = codec.decode(data)
    named = tuple(Named(name, frozenset(roles), person) for name, roles, person in officers)
    return Grant(unit, name, named, serves, None if blocks is None else tuple(map(tuple, blocks)))


def _at_rest(store: Store) -> ChaCha20Poly1305:
    kdf = HKDF(algorithm=SHA256(), length=32, salt=b"onestop enrol codes at rest", info=store.root)
    return ChaCha20Poly1305(kdf.derive(store.seal_seed))


def _seal_keys(store: Store, keys: CodeKeys) -> bytes:
    nonce = store.rng(NONCE_BYTES)
    both = keys.request_key + keys.answer_key
    return nonce + _at_rest(store).encrypt(nonce, both, keys.selector.encode())


def _open_keys(store: Store, row: Any) -> CodeKeys:
    """Opens a code's keys.

    Raises:
        NotAllowed: Another machine's folder made the code on this database.
    """
    sealed = bytes(row.keys)
    try:
        both = _at_rest(store).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], row.selector.encode())
    except InvalidTag as error:
        raise NotAllowed("The code was made with another machine's keys.", reason="code_foreign") from error
    return CodeKeys(row.selector, both[:KEY_BYTES], both[KEY_BYTES:])
