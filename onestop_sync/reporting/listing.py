"""All documents of a kind in a store, page by page, the newest first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from onestop_sync.errors import NotAllowed, NotFound
from onestop_sync.store import Document, Store

__all__ = ["documents"]

_PAGE: Final = 200


def documents(store: Store, kind: str, search: str = "") -> Iterator[Document]:
    """Yields documents; one that waits for something, or was erased, is left out.

    Args:
        store: Whose.
        kind: Document type.
        search: Words, all of which must be found.
    """
    after: tuple[int, int] | None = None
    while True:
        rows = store.page(kind, after=after, limit=_PAGE, search=search)
        for row in rows:
            with suppress(NotFound, NotAllowed):
                yield store.document(row.doc)
        if len(rows) < _PAGE:
            return
        after = rows[-1].key
