"""What a one-time code allows: fixed by whoever makes it, whatever the machine asks for. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from onestop_sync import codec
from onestop_sync.search_text import fold_text

__all__ = ["HOURS", "TRIES", "Grant", "Named", "find_name", "pack_grant", "unpack_grant"]

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
    """

    unit: str
    machine_name: str
    officers: tuple[Named, ...] = ()
    serves: bool = False
    blocks: tuple[tuple[int, int], ...] | None = None


def find_name(names: Sequence[str], typed: str) -> int | None:
    """Returns which of several names somebody typed: the same, or the only one but for marks and case."""
    if typed in names:
        return names.index(typed)
    alike = [n for n, name in enumerate(names) if fold_text(name) == fold_text(typed)]
    return alike[0] if len(alike) == 1 else None


def pack_grant(grant: Grant) -> bytes:
    """Returns a grant as a store keeps it."""
    officers: list[codec.Value] = [
        [codec.nfc(o.name), sorted(o.roles), codec.nfc(o.person), o.key] for o in grant.officers
    ]
    blocks: codec.Value = None if grant.blocks is None else [list(block) for block in grant.blocks]
    return codec.encode([1, grant.unit, codec.nfc(grant.machine_name), officers, grant.serves, blocks])


def unpack_grant(data: bytes) -> Grant:
    """Returns the grant that `pack_grant` packed."""
    _, unit, name, officers, serves, blocks = codec.decode(data)
    named = tuple(Named(name, frozenset(roles), person, key) for name, roles, person, key in officers)
    return Grant(unit, name, named, serves, None if blocks is None else tuple(map(tuple, blocks)))
