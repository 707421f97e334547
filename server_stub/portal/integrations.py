"""Integrations: portals that may file drafts here, each with a name, a token, and keys of its own.

A draft must be valid at every machine by the same proof as anything else, so it is signed: an integration has
a key for each unit that receives dossiers, made from one seed, and certified by the server's administrator
with the role `PORTAL` alone. That role writes the first event of a draft and nothing after it (`judge`), at
every store, whoever holds the key. The token opens the endpoint of this server; it is shown once, and only
its hash is kept. Ending an integration ends its token; a key that was stolen is cut off like any other.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import Final, NamedTuple

import sqlalchemy as sa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from onestop_sync.dossier.roles import PORTAL
from onestop_sync.errors import InvalidInput, NotAllowed, NotFound
from onestop_sync.keys import Signer, SigningKey
from onestop_sync.store import Store
from onestop_sync.trust import Certificate
from server_stub.portal import rows, vault

__all__ = ["Integration", "add", "end", "integrations", "known_by", "signer_for"]

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,39}")
_SEED_BYTES: Final = 32


class Integration(NamedTuple):
    """An integration, as administrators see it.

    Attributes:
        name: Its name, in lower case.
        title: What officials read: ``Cổng dịch vụ công tỉnh``.
        made_ms: When it was made, milliseconds since 1970 UTC.
        ended_ms: When it was ended; 0 while it goes on.
    """

    name: str
    title: str
    made_ms: int
    ended_ms: int


def add(store: Store, name: str, title: str) -> str:
    """Makes an integration; returns its token, which is shown once and kept nowhere.

    Raises:
        InvalidInput: The name is none, or was used before: what it signed stays under it.
    """
    if not _NAME.fullmatch(name) or not title.strip():
        raise InvalidInput("An integration needs a name such as cong-tinh, and a title.")
    token = f"{name}.{secrets.token_urlsafe(32)}"
    sealed = vault.seal(store, f"integration {name}", store.rng(_SEED_BYTES))
    with store.writing() as transaction:
        at = rows.integration.c
        if transaction.connection.execute(sa.select(at.name).where(at.name == name)).first():
            raise InvalidInput(f"There was an integration {name!r} already.", todo="Choose another name.")
        transaction.connection.execute(
            sa.insert(rows.integration).values(
                name=name,
                title=title.strip(),
                token=_hashed(token),
                seed=sealed,
                made_ms=store.clock(),
                ended_ms=0,
            )
        )
    return token


def end(store: Store, name: str) -> None:
    """Ends an integration: its token opens nothing any more, and its keys sign nothing here.

    Raises:
        NotFound: There is none of that name that goes on.
    """
    at = rows.integration.c
    with store.writing() as transaction:
        changed = transaction.connection.execute(
            sa.update(rows.integration)
            .where(at.name == name, at.ended_ms == 0)
            .values(ended_ms=store.clock())
        )
        if not changed.rowcount:
            raise NotFound(
                f"There is no integration {name!r} that goes on.", todo="See `portal integrations`."
            )


def integrations(store: Store) -> list[Integration]:
    """Returns all integrations, by name."""
    at = rows.integration.c
    query = sa.select(at.name, at.title, at.made_ms, at.ended_ms).order_by(at.name)
    with store.reading() as connection:
        return [Integration(*row) for row in connection.execute(query)]


def known_by(store: Store, token: str) -> Integration:
    """Returns the integration that a token opens.

    Raises:
        NotAllowed: None; whether such a name exists is not told.
    """
    name = token.partition(".")[0]
    at = rows.integration.c
    with store.reading() as connection:
        row = connection.execute(sa.select(rows.integration).where(at.name == name)).first()
    held = bytes(row.token) if row is not None else bytes(32)
    # Compared in any case, so that time tells nothing of names.
    is_right = hmac.compare_digest(_hashed(token), held)
    if row is None or not is_right or row.ended_ms:
        raise NotAllowed("The token opens nothing.", reason="token")
    return Integration(row.name, row.title, row.made_ms, row.ended_ms)


def signer_for(store: Store, admin: Signer, integration: Integration, unit: str) -> Signer:
    """Returns the integration's key for a unit, certified.

    Args:
        store: The server's.
        admin: The administrator's key, which certifies it the first time.
        integration: Which one.
        unit: The unit that receives.

    Raises:
        NotAllowed: The administrator is not above that unit, or the key was cut off.
    """
    at = rows.integration.c
    with store.reading() as connection:
        sealed = connection.execute(
            sa.select(rows.integration.c.seed).where(at.name == integration.name)
        ).scalar_one()
    seed = vault.open_sealed(store, f"integration {integration.name}", bytes(sealed))
    key = SigningKey(HKDF(SHA256(), 32, salt=None, info=b"onestop portal unit " + unit.encode()).derive(seed))
    try:
        store.find_authority(key.public)
    except NotAllowed as error:
        if error.details.get("reason") != "authority":
            raise
        person = f"portal:{integration.name}"
        store.writer(admin).certify(
            Certificate(key.public, unit, "officer", integration.title, frozenset({PORTAL}), person=person)
        )
    return key


def _hashed(token: str) -> bytes:
    # 256 bits of chance need no slow hash.
    return hashlib.sha256(token.encode()).digest()
