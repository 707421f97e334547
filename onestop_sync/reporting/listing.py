"""All documents of a kind in a store, page by page, the newest first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from onestop_sync.errors import NotAllowed, NotFound
from onestop_sync.state import State
from onestop_sync.storage import tallies
from onestop_sync.store import Document, Store

__all__ = ["documents", "noted"]

_PAGE: Final = 200
_MANY: Final = 1000


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


def noted(store: Store, kind: str, note: str) -> Iterator[tuple[str, State]]:
    """Yields what people call a document by, and the document, of each that has a note of a name.

    Args:
        store: Whose.
        kind: Document type.
        note: Name of the field that collects: charges, say.
    """
    after = 0
    while True:
        with store.reading() as connection:
            rows = tallies.noted(connection, kind, note, after=after, limit=_MANY)
        yield from ((label, state) for _, label, state in rows if state is not None)
        if len(rows) < _MANY:
            return
        after = rows[-1][0]
