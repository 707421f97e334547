"""Certifying the keys of merged units for their successor, as they were certified before."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import NamedTuple

from onestop_sync import enrol
from onestop_sync.errors import InvalidInput, NotAllowed, NotFound
from onestop_sync.keys import Signer
from onestop_sync.store import Store
from onestop_sync.tree_changes import succeeded_by
from onestop_sync.trust import Certificate

__all__ = ["Adoption", "adopt", "plan_adoption"]


class Adoption(NamedTuple):
    """A key that goes on in another unit.

    Attributes:
        before: The certificate under which it writes.
        after: The one that it gets; its serial blocks are filled in when it is signed.
    """

    before: Certificate
    after: Certificate


def plan_adoption(
    store: Store, unit: str, names: Collection[str] = (), sources: Sequence[str] = ()
) -> list[Adoption]:
    """Returns which keys go on in a unit: all that still write for a unit that it succeeds.

    Args:
        store: The administrator's.
        unit: The successor.
        names: Only machines and officers of these names; all when empty.
        sources: Only of these units; all that the unit succeeds when empty.

    Raises:
        NotFound: There is no such unit, or nobody of such a name.
        InvalidInput: It does not succeed a unit that was named; or that one was split, and nobody said who
            goes where.
    """
    document = store.trust.document
    if unit not in document.units:
        raise NotFound(f"There is no unit {unit!r}.", todo="Nothing was changed. Check the unit's id.")
    succeeded = succeeded_by(document, unit)
    strangers = sorted(set(sources) - set(succeeded))
    if strangers:
        raise InvalidInput(f"{unit} does not go on with the work of {', '.join(strangers)}.")
    wanted = list(sources) or succeeded
    if not wanted:
        raise InvalidInput(f"{unit} goes on with the work of no other unit.")
    split = [u for u in wanted if len(document.units[u].successors) > 1]
    if split and not names:
        raise InvalidInput(
            f"{', '.join(split)} was split: who goes to {unit} has to be said.",
            todo="Nothing was changed. Name machines and officers with --only.",
        )
    found = [a for a in _all(store, unit, wanted) if not names or a.before.name in names]
    absent = sorted(set(names) - {a.before.name for a in found})
    if absent:
        raise NotFound(
            f"Nobody called {', '.join(absent)} still writes for {', '.join(wanted)}.",
            todo="Nothing was changed. `unit show` lists them.",
        )
    return found


def _all(store: Store, unit: str, sources: Sequence[str]) -> list[Adoption]:
    keys = {c.key: c for _, c in store.trust.certificates() if c.unit in sources}
    found: list[Adoption] = []
    for key in keys:
        best = store.trust.best_certificate(key)
        if best is not None and best[1].unit in sources:
            found.append(Adoption(best[1], replace(best[1], unit=unit, blocks=())))
    return sorted(found, key=lambda a: (a.before.kind, a.before.unit, a.before.name, a.before.key))


def adopt(
    store: Store, signer: Signer, planned: Sequence[Adoption], *, serials: int = enrol.BLOCK_SERIALS
) -> list[Certificate]:
    """Certifies them, all or none; a machine that had serial blocks gets new ones of its new unit.

    Args:
        store: The administrator's.
        signer: The administrator's key.
        planned: What `plan_adoption` gave.
        serials: Serials of each day in one block.

    Raises:
        NotAllowed: The signer may not certify one of them, or no serial block is left.
    """
    writer = store.writer(signer)
    with store.writing():
        found = [
            replace(a.after, blocks=enrol.next_blocks(store, a.after.unit, size=serials))
            if a.before.blocks
            else a.after
            for a in planned
        ]
        for certificate in found:
            try:
                writer.certify(certificate)
            except NotAllowed as error:
                raise NotAllowed(
                    f"{certificate.name} cannot be certified: {error.what}", todo=error.todo, **error.details
                ) from error
    return found
