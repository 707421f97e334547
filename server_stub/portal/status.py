"""The file of statuses that a province publishes, made of the server's dossiers.

The slow hash of a dossier is computed once, and kept sealed: a file is made again every hour, and
few dossiers are new by then.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

import sqlalchemy as sa

from onestop_sync.dossier.dates import local
from onestop_sync.dossier.labels import step_label
from onestop_sync.dossier.posting import why_not_posted
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.dossier.status_file import COST, Cost, Entry, build_file, key_of, question
from onestop_sync.dossier.summary import due_ms, text_of
from onestop_sync.dossier.timeline import show_time
from onestop_sync.dossier.workflow import FINAL, base_step
from onestop_sync.schema import MAIN
from onestop_sync.state import State
from onestop_sync.storage.queries import Row
from onestop_sync.store import Store
from server_stub.portal import rows, vault

__all__ = ["KEPT_DAYS", "make_status_file"]

KEPT_DAYS: Final = 90
"""Days for which a dossier that has ended can be looked up."""
_DAY_MS: Final = 24 * 3600 * 1000
_SALT: Final = "status_salt"
_SALT_BYTES: Final = 16


def make_status_file(store: Store, *, cost: Cost = COST, kept_days: int = KEPT_DAYS) -> tuple[bytes, int]:
    """Returns the file, and how many dossiers it tells of."""
    salt = _salt(store)
    since_ms = store.clock() - kept_days * _DAY_MS
    entries: list[Entry] = []
    after: tuple[int, int] | None = None
    while page := store.page(DOSSIER.name, after=after):
        for row in page:
            entry = _entry(store, row, salt, cost, since_ms)
            if entry is not None:
                entries.append(entry)
        after = page[-1].key
    made = f"{local(store.clock()):%H:%M %d/%m/%Y}"
    return build_file(entries, salt, made, store.rng, cost), len(entries)


def _entry(store: Store, row: Row, salt: bytes, cost: Cost, since_ms: int) -> Entry | None:
    if store.tombstone(row.doc) is not None:
        return None
    state = store.document(row.doc).state
    task = state.tasks.get(MAIN)
    if task is None or why_not_posted(state) or (base_step(task.step) in FINAL and row.updated_ms < since_ms):
        return None
    asked = question(text_of(state, "ma_ho_so"), text_of(state, "dien_thoai"), text_of(state, "so_dinh_danh"))
    return Entry(_key(store, row.doc, asked, salt, cost), _says(state, task.step)) if asked else None


def _says(state: State, step: str) -> dict[str, str]:
    due = due_ms(state)
    return {"tinh_trang": step_label(step), "hen_tra": "" if due is None else show_time(due)}


def _key(store: Store, doc: bytes, asked: str, salt: bytes, cost: Cost) -> bytes:
    """Returns a dossier's key: the one that is kept, as long as what it was made of is the same."""
    about = hmac.digest(store.database_key, repr((asked, salt, cost)).encode(), hashlib.sha256)
    at, name = rows.status.c, f"status {doc.hex()}"
    with store.reading() as connection:
        held = connection.execute(sa.select(at.key).where(at.doc == doc, at.about == about)).scalar()
    if held is not None:
        return vault.open_sealed(store, name, bytes(held))
    key = key_of(asked, salt, cost)
    with store.writing() as transaction:
        transaction.connection.execute(sa.delete(rows.status).where(at.doc == doc))
        sealed = vault.seal(store, name, key)
        transaction.connection.execute(sa.insert(rows.status).values(doc=doc, about=about, key=sealed))
    return key


def _salt(store: Store) -> bytes:
    with store.writing() as transaction:
        salt = vault.load(transaction.connection, _SALT)
        if not salt:
            salt = store.rng(_SALT_BYTES)
            vault.save(transaction.connection, _SALT, salt)
    return salt
