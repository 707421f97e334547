"""The local store: works without a connection, and loses nothing that it has acknowledged.

    secrets = Keyring(folder).create("An", passphrase)
    store = Store.create(folder, secrets, types=[SURVEY], root=root_key, trust=trust_document)
    writer = store.writer(secrets.officer)
    doc = writer.create("survey", {"head": "Nguyễn Văn An"})

Each write is one transaction that holds the signed event, the folded document, its line in the lists and
what is to be sent; when the call returns, it is on the disk. Several programs may open one store.

`base` has the database, its transactions and the keys that are known; `reading` what is asked of a store
(`status`: by the status line); `store` opens it, writes, and takes what others deliver.
"""

from __future__ import annotations

from onestop_sync.store.base import now_ms
from onestop_sync.store.reading import Document
from onestop_sync.store.status import ParentStatus, Status
from onestop_sync.store.store import DATABASE, MARKER, Prepared, Store
from onestop_sync.writer import Writer

__all__ = [
    "DATABASE",
    "MARKER",
    "Document",
    "ParentStatus",
    "Prepared",
    "Status",
    "Store",
    "Writer",
    "now_ms",
]
