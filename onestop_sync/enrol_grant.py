"""What a one-time code allows: fixed by whoever makes it, whatever the machine asks for. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from onestop_sync import codec, keys
from onestop_sync.search_text import fold_text

__all__ = [
    "HOURS", "TRIES", "Grant", "Named", "find_name", "is_signed", "pack_grant", "sign_grant", "unpack_grant",
]  # fmt: skip

GRANT_KIND: Final = "onestop/enrol-code/1"

HOURS: Final = 24
"""How long a code is good unless an administrator says otherwise."""
TRIES: Final = 5
"""Wrong proofs after which a code is dead."""


class Named(NamedTuple):
    """An officer whom a code names.

    Attributes:
        name: As colleagues will see it.
        roles: What they will be certified for.
        person: Opaque id of the person; empty when none is kept.
        key: The key that came in under this name; empty while none has. No other one may.
    """

    name: str
    roles: frozenset[str]
    person: str = ""
    key: bytes = b""


class Grant(NamedTuple):
    """What a code allows.

    Attributes:
        unit: Id of the unit.
        machine_name: Name of the machine.
        officers: Who will work on it.
        serves: Whether it will be a parent of others.
        blocks: Its serial blocks; ``None`` takes the next free ones, ``()`` gives none.
        maker: Key of the administrator who allows it.
        signature: By that key, over all of this but the officers' keys; see `sign_grant`.
    """

    unit: str
    machine_name: str
    officers: tuple[Named, ...] = ()
    serves: bool = False
    blocks: tuple[tuple[int, int], ...] | None = None
    maker: bytes = b""
    signature: bytes = b""


def find_name(names: Sequence[str], typed: str) -> int | None:
    """Returns which of several names somebody typed: the same, or the only one but for marks and case."""
    if typed in names:
        return names.index(typed)
    alike = [n for n, name in enumerate(names) if fold_text(name) == fold_text(typed)]
    return alike[0] if len(alike) == 1 else None


def sign_grant(grant: Grant, selector: str, signer: keys.Signer) -> Grant:
    """Returns a grant that an administrator signed for one code.

    Whoever else works on the administrator's machine has its database as well: without a signature a row in
    it would be as good as the administrator's word.
    """
    signature = signer.sign(_signed(grant, selector))
    return grant._replace(maker=signer.public, signature=signature)


def is_signed(grant: Grant, selector: str) -> bool:
    """Tells whether the maker whom a grant names has signed it for this code."""
    return bool(grant.maker) and keys.verify(grant.maker, _signed(grant, selector), grant.signature)


def _signed(grant: Grant, selector: str) -> bytes:
    unbound = grant._replace(officers=tuple(o._replace(key=b"") for o in grant.officers))
    return codec.pae(GRANT_KIND, codec.encode([selector, *_facts(unbound)]))


def _facts(grant: Grant) -> list[codec.Value]:
    officers: list[codec.Value] = [
        [codec.nfc(o.name), sorted(o.roles), codec.nfc(o.person), o.key] for o in grant.officers
    ]
    blocks: codec.Value = None if grant.blocks is None else [list(block) for block in grant.blocks]
    return [grant.unit, codec.nfc(grant.machine_name), officers, grant.serves, blocks]


def pack_grant(grant: Grant) -> bytes:
    """Returns a grant as a store keeps it."""
    return codec.encode([2, *_facts(grant), grant.maker, grant.signature])


def unpack_grant(data: bytes) -> Grant:
    """Returns the grant that `pack_grant` packed; one of before they were signed has no maker."""
    _, unit, name, officers, serves, blocks, *by = codec.decode(data)
    named = tuple(Named(name, frozenset(roles), person, key) for name, roles, person, key in officers)
    ranges = None if blocks is None else tuple(map(tuple, blocks))
    return Grant(unit, name, named, serves, ranges, *by)
