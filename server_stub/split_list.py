"""The list of a split: which dossier goes on with which successor."""

from __future__ import annotations

import csv
import io
import re
from typing import Final

import sqlalchemy as sa

from onestop_sync.errors import InvalidInput, NotFound
from onestop_sync.storage import tables as t
from onestop_sync.store import Store
from server_stub import settings

__all__ = ["read"]

_ID: Final = re.compile(r"[0-9a-f]{32}")
_TOLD: Final = 10
"""Faults that are told one by one."""


def read(store: Store, unit: str, path: str) -> dict[bytes, str]:
    """Reads a list.

    Shape:
        CSV, two columns, no head or one that begins with ``code``: dossier's code or document id in hex,
        successor's id.

    Args:
        store: Knows the dossiers.
        unit: The unit that is split.
        path: The file.

    Returns:
        Document → successor.

    Raises:
        InvalidInput: Lines that are wrong; each is told with its number.
    """
    text = settings.read_file(path).decode("utf-8-sig", errors="replace")
    found: dict[bytes, str] = {}
    faults: list[str] = []
    for number, row in enumerate(_rows(text, path), 1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (number == 1 and cells[0].lower() == "code"):
            continue
        try:
            doc, to = _line(store, unit, cells)
        except (InvalidInput, NotFound) as error:
            faults.append(f"line {number}: {error.what}")
            continue
        if found.get(doc, to) != to:
            faults.append(f"line {number}: {cells[0]} is given to {found[doc]} before.")
        found[doc] = to
    if faults:
        more = f" And {len(faults) - _TOLD} more." if len(faults) > _TOLD else ""
        raise InvalidInput(f"{path} cannot be taken: {' '.join(faults[:_TOLD])}{more}")
    return found


def _rows(text: str, path: str) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(text)))
    except csv.Error as error:
        raise InvalidInput(f"{path} is not CSV: {error}.") from error


def _line(store: Store, unit: str, cells: list[str]) -> tuple[bytes, str]:
    if len(cells) != 2 or not all(cells):  # noqa: PLR2004 - what, and to whom
        raise InvalidInput("A line has a code and a successor.")
    name, to = cells
    doc = bytes.fromhex(name) if _ID.fullmatch(name.lower()) else _lookup(store, name)
    with store.reading() as connection:
        query = sa.select(t.listing.c.unit).join(t.document, t.document.c.n == t.listing.c.doc_n)
        holder = connection.execute(query.where(t.document.c.id == doc)).scalar()
    if holder is None:
        raise NotFound(f"{name} is not in this store.")
    if holder not in store.trust.document.tree.acts_for(unit):
        raise InvalidInput(f"{name} is held by {holder}, and not by {unit}.")
    return doc, to


def _lookup(store: Store, code: str) -> bytes:
    for kind in store.types:
        try:
            return store.lookup(kind, code.upper())
        except NotFound:
            try:
                return store.lookup(kind, code)
            except NotFound:
                continue
    raise NotFound(f"No dossier here is called {code}.")
