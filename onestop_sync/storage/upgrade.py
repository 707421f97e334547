"""Bringing an older store up to this program, in place.

Three things can be older than the program. The *tables*: each step from one version to the next is a
function here, run in the transaction that raises the version. The *projection* (how a folded state is
computed and packed) and the *document types*: what they bear on is folded again from the signed events,
which never change. Events that waited for a newer program take effect then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import sqlalchemy as sa

from onestop_sync import codec
from onestop_sync.errors import FormatError, StoreDamaged, StoreTooNew
from onestop_sync.schema import DocumentType
from onestop_sync.storage import tables as t

__all__ = ["MIGRATIONS", "PROJECTION_VERSION", "described", "outdated", "plan_steps", "run_steps"]

PROJECTION_VERSION: Final = 3
"""Raised when the fold or the packing of a state changes. States of summaries (`snapshot`) are packed in the
same way and cannot be folded again: a step that changes the packing converts those."""
_PROJECTION: Final = "*"

Step = Callable[[sa.Connection], None]


def _add_tally(connection: sa.Connection) -> None:
    """Version 2: what reports count has a table; folding again fills it."""
    t.tally.create(connection, checkfirst=True)


def _add_snapshots(connection: sa.Connection) -> None:
    """Version 3: snapshots have tables, which are empty until somebody makes or takes one."""
    for table in (t.snapshot, t.summary, t.base, t.place):
        table.create(connection, checkfirst=True)


MIGRATIONS: Final[Mapping[int, Step]] = {1: _add_tally, 2: _add_snapshots}
"""Version of the tables → what brings a store of that version to the next one."""


def plan_steps(found: int, wanted: int, migrations: Mapping[int, Step]) -> list[Step]:
    """Returns the steps from one version of the tables to another.

    Raises:
        StoreTooNew: The store was written by a newer program.
        StoreDamaged: No step leads on from its version.
    """
    if found > wanted:
        raise StoreTooNew(f"The store has version {found}, and this program knows {wanted}.")
    try:
        return [migrations[version] for version in range(found, wanted)]
    except KeyError as error:
        raise StoreDamaged(f"The store has version {found}, which this program cannot read.") from error


def run_steps(connection: sa.Connection, steps: Iterable[Step], wanted: int) -> None:
    """Runs steps and raises the version, in the caller's write transaction: all of it or nothing."""
    for step in steps:
        step(connection)
    connection.execute(sa.update(t.meta).where(t.meta.c.key == "version").values(value=b"%d" % wanted))


def described(types: Mapping[str, DocumentType], before: bytes = b"") -> bytes:
    """Returns what is kept of the versions that a store was folded with.

    Args:
        types: Document types of this program.
        before: What was kept; types that this program does not know stay named.
    """
    known = dict(_versions(before))
    known.update({name: kind.version for name, kind in types.items()})
    known[_PROJECTION] = PROJECTION_VERSION
    return codec.encode(known)


def outdated(types: Mapping[str, DocumentType], kept: bytes) -> set[str]:
    """Returns the document types of which everything must be folded again.

    Raises:
        StoreTooNew: The store was folded by a newer program, or with a newer document type.
    """
    known = _versions(kept)
    for name, version in known.items():
        ours = (
            PROJECTION_VERSION if name == _PROJECTION else types[name].version if name in types else version
        )
        if version > ours:
            raise StoreTooNew(f"The store was last used with a newer version of {name!r}.")
    if known.get(_PROJECTION) != PROJECTION_VERSION:
        return set(types)
    return {name for name, kind in types.items() if known.get(name) != kind.version}


def _versions(kept: bytes) -> dict[str, int]:
    if not kept:
        return {}
    try:
        found = codec.decode(kept)
    except FormatError as error:
        raise StoreDamaged("The store lacks what every store has.") from error
    if not isinstance(found, dict) or not all(isinstance(version, int) for version in found.values()):
        raise StoreDamaged("The store lacks what every store has.")
    return found
