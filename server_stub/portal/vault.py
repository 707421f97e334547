"""Settings and secrets of the portal in the store's database; secrets are sealed under the machine's own key.

Whoever reads the database alone, a dump of PostgreSQL say, has no credentials by that.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from onestop_sync import strict_json
from onestop_sync.dossier.data import shipped_portal
from onestop_sync.dossier.portal.settings import PortalSettings, settings_from_plain
from onestop_sync.errors import NotAllowed
from onestop_sync.store import Store
from server_stub.portal import rows

__all__ = ["SETTINGS", "load", "open_sealed", "save", "seal", "settings_of"]

SETTINGS: Final = "settings"
"""What a province's file says of its portal; nothing secret."""

_NONCE_BYTES: Final = 12
_PURPOSE: Final = b"onestop portal secrets"


def load(connection: sa.Connection, name: str) -> bytes:
    """Returns a setting; empty when there is none."""
    query = sa.select(rows.setting.c.value).where(rows.setting.c.name == name)
    return bytes(connection.execute(query).scalar() or b"")


def save(connection: sa.Connection, name: str, value: bytes) -> None:
    """Writes a setting, in the caller's transaction."""
    changed = connection.execute(
        sa.update(rows.setting).where(rows.setting.c.name == name).values(value=value)
    )
    if not changed.rowcount:
        connection.execute(sa.insert(rows.setting).values(name=name, value=value))


def settings_of(store: Store) -> PortalSettings:
    """Returns the portal's settings: the shipped ones, and what was given."""
    with store.reading() as connection:
        given = load(connection, SETTINGS)
    return settings_from_plain(shipped_portal(), strict_json.read_json(given) if given else {})


def seal(store: Store, name: str, secret: bytes) -> bytes:
    """Returns a secret as a row keeps it.

    Args:
        store: Whose machine's key seals it.
        name: What it is; it opens under no other name.
        secret: The secret.
    """
    nonce = store.rng(_NONCE_BYTES)
    return nonce + _cipher(store).encrypt(nonce, secret, name.encode())


def open_sealed(store: Store, name: str, sealed: bytes) -> bytes:
    """Opens a secret.

    Raises:
        NotAllowed: Another machine's folder sealed it on this database.
    """
    try:
        return _cipher(store).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], name.encode())
    except (InvalidTag, ValueError) as error:
        raise NotAllowed(
            "The secret was sealed by another machine, or is damaged.",
            todo="Nothing was changed. Give it again, on this machine.",
            reason="sealed",
        ) from error


def _cipher(store: Store) -> ChaCha20Poly1305:
    key = HKDF(SHA256(), 32, salt=None, info=_PURPOSE).derive(store.database_key)
    return ChaCha20Poly1305(key)
