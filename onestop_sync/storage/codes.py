"""One-time codes as rows: found, locked, counted; their keys sealed at rest.

Keys of codes are sealed under the store's own key: whoever reads the database alone can prove nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from onestop_sync.enrol_code import KEY_BYTES, CodeKeys
from onestop_sync.errors import NotAllowed, NotFound
from onestop_sync.storage import tables as t

if TYPE_CHECKING:
    from onestop_sync.store.base import Base

__all__ = ["change_code", "find_code", "note_wrong", "open_keys", "required_code", "seal_keys", "wrong_in"]

_COUNTER: Final = "enrol wrong"
_NONCE_BYTES: Final = 12


def note_wrong(connection: sa.Connection, hour: str) -> None:
    """Counts a wrong proof; the counts of other hours go."""
    where = t.counter.c.name == _COUNTER
    connection.execute(sa.delete(t.counter).where(where, t.counter.c.day != hour))
    raised = connection.execute(
        sa.update(t.counter).where(where, t.counter.c.day == hour).values(value=t.counter.c.value + 1)
    )
    if not raised.rowcount:
        connection.execute(sa.insert(t.counter).values(name=_COUNTER, day=hour, value=1))


def wrong_in(connection: sa.Connection, hour: str) -> int:
    """Returns how many wrong proofs an hour has had."""
    query = sa.select(t.counter.c.value).where(t.counter.c.name == _COUNTER, t.counter.c.day == hour)
    return int(connection.execute(query).scalar() or 0)


def find_code(connection: sa.Connection, selector: str, *, lock: bool = False) -> Any:
    """Returns the row of a code, if there is one; locked, nobody else judges by it meanwhile."""
    query = sa.select(t.enrol_code).where(t.enrol_code.c.selector == selector)
    if lock and connection.dialect.name != "sqlite":
        query = query.with_for_update()
    return connection.execute(query).first()


def required_code(connection: sa.Connection, selector: str) -> Any:
    """Returns the row of a code.

    Raises:
        NotFound: There is none.
    """
    row = find_code(connection, selector)
    if row is None:
        raise NotFound(f"No code begins with {selector!r}.", todo="Look at `onestop-server enrol codes`.")
    return row


def change_code(connection: sa.Connection, selector: str, **values: Any) -> None:
    """Changes columns of a code's row."""
    connection.execute(sa.update(t.enrol_code).where(t.enrol_code.c.selector == selector).values(**values))


def _at_rest(store: Base) -> ChaCha20Poly1305:
    kdf = HKDF(algorithm=SHA256(), length=32, salt=b"onestop enrol codes at rest", info=store.root)
    return ChaCha20Poly1305(kdf.derive(store.seal_seed))


def seal_keys(store: Base, keys: CodeKeys) -> bytes:
    """Returns a code's keys as its row keeps them."""
    nonce = store.rng(_NONCE_BYTES)
    both = keys.request_key + keys.answer_key
    return nonce + _at_rest(store).encrypt(nonce, both, keys.selector.encode())


def open_keys(store: Base, row: Any) -> CodeKeys:
    """Opens a code's keys.

    Raises:
        NotAllowed: Another machine's folder made the code on this database.
    """
    sealed = bytes(row.keys)
    try:
        both = _at_rest(store).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], row.selector.encode())
    except InvalidTag as error:
        raise NotAllowed("The code was made with another machine's keys.", reason="code_foreign") from error
    return CodeKeys(row.selector, both[:KEY_BYTES], both[KEY_BYTES:])
