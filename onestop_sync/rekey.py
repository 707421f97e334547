"""The new database key after somebody was removed: carried through, whatever stops it on the way.

    1. `Keyring.remove` writes a file of keys with both keys, without the one who goes: it is decided.
    2. The database is given the new key, in one transaction of its own.
    3. What else is sealed with the old key is sealed anew.
    4. The file of keys forgets the old one.

Killed anywhere, the next start finds which of the two opens the database, and goes on from there. The second
step needs the store to be open nowhere else; until that is so, everybody works on with the old key.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from onestop_sync.errors import StoreBusy
from onestop_sync.keyring import Keyring, Secrets
from onestop_sync.storage import engines

__all__ = ["settle"]

DATABASE: Final = "store.db"


def settle(
    keyring: Keyring, secrets: Secrets, *, reseal: Callable[[bytes, bytes], None] | None = None
) -> Secrets:
    """Carries a change of the database key to its end; without one nothing happens.

    Args:
        keyring: The machine's.
        secrets: What was unlocked.
        reseal: Seals what is beside the database anew, given the old key and the new; may be called again.

    Returns:
        The secrets with the key that opens the database now.

    Raises:
        StoreError: The disk or database refused; the next start goes on.
    """
    if not secrets.next_key:
        return secrets
    path = Path(keyring.path.parent) / DATABASE
    if path.exists() and not engines.is_key_of(path, secrets.next_key):
        try:
            engines.rekey(path, secrets.database_key, secrets.next_key)
        except StoreBusy:
            return secrets  # a hub, say, has it open: the next start is another chance
    if reseal:
        reseal(secrets.database_key, secrets.next_key)
    return keyring.finish_rekey(secrets)
