"""One-time codes in a store, as administrators make, list, widen and end them.

    made = make_code(store, signer, grant, hours=24)      # made.code is shown once, and kept nowhere

A grant is signed by the administrator who makes the code, and is asked for again by whose authority it stands
when a machine comes: a row that anybody else put into the database allows nothing.

What a machine that knows one is answered: `enrol_take`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import sqlalchemy as sa

from onestop_sync import codec
from onestop_sync.enrol_code import ENTROPY_BYTES, read_code, write_code
from onestop_sync.enrol_grant import (
    HOURS,
    TRIES,
    Grant,
    Named,
    is_signed,
    pack_grant,
    sign_grant,
    unpack_grant,
)
from onestop_sync.errors import InvalidInput, NotAllowed
from onestop_sync.keys import Signer
from onestop_sync.storage import tables as t
from onestop_sync.storage.codes import change_code, find_code, required_code, seal_keys
from onestop_sync.store import Store
from onestop_sync.trust import ADMIN

__all__ = ["MAX_HOURS", "Issued", "Made", "allow", "cancel_code", "issued", "make_code", "may_allow"]

MAX_HOURS: Final = 24 * 60
"""Longest time of a code: two months, for the day one of a province."""
_HOUR_MS: Final = 3_600_000
_DRAWS: Final = 20
_MAX_NAME: Final = 200


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


def may_allow(store: Store, key: bytes, unit: str) -> bool:
    """Tells whether a key is an administrator's of a unit, or of one above it."""
    try:
        _, certificate = store.find_authority(key)
    except NotAllowed:
        return False
    return ADMIN in certificate.roles and store.trust.document.is_above(certificate.unit, unit)


def make_code(
    store: Store, signer: Signer, grant: Grant, *, hours: float = HOURS, machine: bytes = b""
) -> Made:
    """Makes a code; call it inside `Store.writing`, with what else has to be done with it, or alone.

    Args:
        store: The administrator's store.
        signer: The administrator's key.
        grant: What the code allows.
        hours: How long it is good.
        machine: Key of the enrolled machine for whose further officers the code is; empty for a new machine.

    Raises:
        InvalidInput: A name, role, unit or time that does not do.
        NotAllowed: The key is no administrator's at or above the unit.
    """
    _check(store, grant, hours)
    _check_maker(store, signer, grant.unit)
    now = store.clock()
    until = now + int(hours * _HOUR_MS)
    with store.writing() as transaction:
        for _ in range(_DRAWS):
            code = write_code(store.rng(ENTROPY_BYTES))
            keys = read_code(code)
            if find_code(transaction.connection, keys.selector) is None:
                break
        else:
            raise InvalidInput("No code is free.", todo="Nothing was changed. Try again.")
        transaction.connection.execute(
            sa.insert(t.enrol_code).values(
                selector=keys.selector, keys=seal_keys(store, keys), made_ms=now, until_ms=until,
                allows=pack_grant(sign_grant(grant, keys.selector, signer)), wrong=0,
                machine=machine, packet=b"",
            )
        )  # fmt: skip
    return Made(code, keys.selector, until)


def _check_maker(store: Store, signer: Signer, unit: str) -> None:
    if not may_allow(store, signer.public, unit):
        raise NotAllowed(
            "Only an administrator of the unit, or of one above it, allows machines and officers.",
            todo="Nothing was changed. Name the administrator who unlocks.",
            reason="admin",
        )


def _check(store: Store, grant: Grant, hours: float) -> None:
    if grant.unit not in store.trust.document.units:
        raise InvalidInput(f"The trust document names no unit {grant.unit!r}.", reason="unit")
    if store.trust.document.units[grant.unit].until_ms <= store.clock():
        raise InvalidInput(
            f"Unit {grant.unit!r} has ended.",
            todo="Name the unit that goes on with its work.",
            reason="ended",
        )
    if not 0 < hours <= MAX_HOURS:
        raise InvalidInput(f"A code is good for at most {MAX_HOURS} hours.")
    names = [grant.machine_name, *(o.name for o in grant.officers)]
    if not all(0 < len(name) <= _MAX_NAME and name.isprintable() for name in names):
        raise InvalidInput(f"A name needs 1 to {_MAX_NAME} characters.", reason="name")
    if len({codec.nfc(o.name) for o in grant.officers}) != len(grant.officers):
        raise InvalidInput("Two officers of one machine have one name.", reason="taken")
    if not all(o.roles and all(map(str.isidentifier, o.roles)) for o in grant.officers):
        raise InvalidInput("Each officer needs a role.", reason="role")


def allow(store: Store, signer: Signer, selector: str, officers: Sequence[Named]) -> None:
    """Lets a code that was made allow further officers; what it allowed stays.

    Raises:
        NotFound: There is no such code.
        NotAllowed: The key is no administrator's at or above the unit.
    """
    with store.writing() as transaction:
        row = required_code(transaction.connection, selector)
        grant = unpack_grant(row.allows)
        _check_maker(store, signer, grant.unit)
        if not is_signed(grant, selector):  # or the signature would vouch for what somebody else put there
            raise NotAllowed(
                "No administrator has signed what this code allows.",
                todo="Nothing was changed. End it, and make another.",
                reason="code_maker",
            )
        known = {o.name for o in grant.officers}
        added = tuple(o for o in officers if codec.nfc(o.name) not in known)
        wider = grant._replace(officers=grant.officers + added)
        change_code(transaction.connection, selector, allows=pack_grant(sign_grant(wider, selector, signer)))


def cancel_code(store: Store, selector: str) -> None:
    """Ends a code that no machine has used; of a used one, no further officers come.

    Raises:
        NotFound: There is no such code.
    """
    with store.writing() as transaction:
        required_code(transaction.connection, selector)
        change_code(transaction.connection, selector, until_ms=0, packet=b"")


def issued(store: Store) -> list[Issued]:
    """Returns all codes that were made, the newest last."""
    with store.reading() as connection:
        rows = connection.execute(
            sa.select(t.enrol_code).order_by(t.enrol_code.c.made_ms, t.enrol_code.c.selector)
        )
        return [
            Issued(
                r.selector,
                unpack_grant(r.allows),
                r.made_ms,
                r.until_ms,
                r.wrong,
                bytes(r.machine),
                bool(r.packet),
            )
            for r in rows
        ]
