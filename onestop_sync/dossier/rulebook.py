"""The rules that a store works by, out of the store itself: what it was sent, and what of it could be read.

The one place of the domain that touches a store.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import Any, Final

from onestop_sync import codec
from onestop_sync.dossier.rules import FILES, Rules
from onestop_sync.errors import FormatError, StoreError
from onestop_sync.store import Store

__all__ = ["rules_of"]

_FILES: Final = "rules"
_MARK: Final = "rules_mark"


def rules_of(store: Store) -> Rules:
    """Returns the rules that are in force in a store: those of the newest publication that is here.

    The published files that can be read are kept, each with its last readable version, so that a newer one
    that cannot be read changes nothing.
    """
    publication = store.publication
    rules = Rules.of(publication)
    if not any(publication.target(name) for name in FILES):
        return rules
    mark = hashlib.sha256(
        b"".join(hashlib.sha256(publication.target(n) or b"").digest() for n in FILES)
    ).digest()
    if store.remembered(_MARK) == mark + b"whole":
        return rules
    held = _held(store)
    rules = Rules.of(publication, held)
    state = mark + (b"part" if rules.faults else b"whole")
    if store.remembered(_MARK) != state:
        with suppress(StoreError):  # a full disk stops nobody from reading; it is tried again the next time
            store.remember(_FILES, codec.encode({**held, **rules.readable}))
            store.remember(_MARK, state)
    return rules


def _held(store: Store) -> dict[str, Any]:
    data = store.remembered(_FILES)
    try:
        found = codec.decode(data) if data else {}
    except FormatError:
        return {}
    return {str(name): bytes(value) for name, value in found.items()} if isinstance(found, dict) else {}
