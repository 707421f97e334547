"""The beginning: root keys, a tree of units, and the first store, whose officer is the administrator.

    secrets = Keyring(folder).create("Office", passphrase)
    office, publishing_key = found(folder, secrets, UNITS, types=[SURVEY])

Every other machine comes by `onestop_sync.enrol`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from os import urandom
from pathlib import Path
from typing import Any, NamedTuple

from onestop_sync import enrol, publisher
from onestop_sync.errors import InvalidInput
from onestop_sync.keyring import Secrets
from onestop_sync.keys import SigningKey
from onestop_sync.schema import DocumentType
from onestop_sync.store import Store, now_ms
from onestop_sync.trust import TrustDocument, Unit

__all__ = ["Roots", "found"]


class Roots(NamedTuple):
    """The keys of a province.

    Attributes:
        keys: The root keys, which are kept offline.
        threshold: How many of them must sign a new root.
        online: The key that publishes.
        recovery: X25519 public key of the recovery key; empty for none.
    """

    keys: Sequence[SigningKey]
    threshold: int
    online: SigningKey
    recovery: bytes = b""

    @classmethod
    def single(cls, key: SigningKey) -> Roots:
        """Returns one key for everything: for trials, tests, and who has nobody else."""
        return cls((key,), 1, key)


def found(
    folder: Path | str,
    secrets: Secrets,
    units: Iterable[Unit],
    *,
    types: Iterable[DocumentType],
    name: str = "",
    roots: Roots | None = None,
    clock: Callable[[], int] = now_ms,
    **options: Any,
) -> tuple[Store, SigningKey]:
    """Founds a tree of units, with its first store at the top.

    Args:
        folder: Where the store goes.
        secrets: What the machine's keyring unlocked; the officer's key becomes the administrator's.
        units: The whole tree; one of them has no parent, and holds this store.
        types: Document types.
        name: Name of the machine; the top unit's when empty.
        roots: The root keys, and the key that publishes; one new key for everything when ``None``.
        clock: Returns milliseconds since 1970 UTC.
        **options: See `Store.create`: ``database``, ``rng``, ``threads``.

    Returns:
        The store, certified to serve others, and the key that publishes (`publisher.publish`). Keep that one
        away from every network: whoever holds it says who administrates.

    Raises:
        InvalidInput: The tree has a hole, a cycle, or not exactly one unit at its top.
        StoreExists: A store is there already.
    """
    tree = {unit.id: unit for unit in units}
    tops = [unit for unit in tree.values() if not unit.parent]
    if len(tops) != 1:
        raise InvalidInput(f"The tree of units has {len(tops)} tops instead of one.")
    roots = roots or Roots.single(SigningKey(urandom(32)))
    document = TrustDocument(1, tree, {secrets.officer.public: tops[0].id}, clock(), recovery=roots.recovery)
    anchor, published = publisher.found(roots.keys, roots.threshold, roots.online, document, now_ms=clock())
    store = Store.create(
        folder, secrets, types=types, root=anchor, trust=published, unit=tops[0].id, serves=True,
        clock=clock, **options,
    )  # fmt: skip
    asked = enrol.request(secrets, tops[0].id, name or tops[0].name)
    enrol.approve(store, secrets.officer, asked, blocks=(), serves=True)
    return store, roots.online
