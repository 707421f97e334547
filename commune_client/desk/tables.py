"""Tables out of files: the first sheet of a workbook, or comma-separated values."""

from __future__ import annotations

import csv
import hashlib
import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from onestop_sync.dossier.register_rows import Row
from onestop_sync.errors import InvalidInput
from onestop_sync.workbook import check_workbook

__all__ = ["Table", "read_table"]

_MAX_BYTES: Final = 64 * 2**20
_MAX_ROWS: Final = 100_000
_MAX_COLUMNS: Final = 100


class Table(NamedTuple):
    """A table.

    Attributes:
        headings: Of its columns.
        rows: Its lines, without empty ones.
        source: The first 16 digits of the file's SHA-256.
    """

    headings: tuple[str, ...]
    rows: list[Row]
    source: str


def read_table(path: Path, sheet: str = "") -> Table:
    """Reads a table; the first line that is not empty has its headings.

    Args:
        path: ``.xlsx``, or anything else as CSV in UTF-8.
        sheet: Name of the sheet; empty: the first.

    Raises:
        InvalidInput: It cannot be read, or is too large (``details["reason"]`` is ``table``).
    """
    try:
        data = path.expanduser().read_bytes() if path.stat().st_size <= _MAX_BYTES else None
    except OSError as error:
        raise InvalidInput("The file cannot be read.", reason="file") from error
    if data is None:
        raise _unreadable()
    lines = _workbook(data, sheet) if path.suffix.lower() == ".xlsx" else _csv(data)
    headings: tuple[str, ...] = ()
    rows: list[Row] = []
    for number, cells in enumerate(lines, 1):
        if number > 2 * _MAX_ROWS:  # with the empty ones, which cost a file nothing
            raise _unreadable()
        if all(cell is None or cell == "" for cell in cells):
            continue
        if not headings:
            headings = tuple(" ".join(str(cell or "").split()) for cell in cells)
            continue
        rows.append(Row(number, dict(zip(headings, cells, strict=False))))
        if len(rows) > _MAX_ROWS:
            raise _unreadable()
    return Table(headings, rows, hashlib.sha256(data).hexdigest()[:16])


def _csv(data: bytes) -> Iterator[tuple[Any, ...]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable() from error
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    try:
        yield from map(tuple, csv.reader(io.StringIO(text), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise _unreadable() from error


def _workbook(data: bytes, sheet: str) -> Iterator[tuple[Any, ...]]:
    import openpyxl

    try:
        check_workbook(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and validations, which nobody here needs
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        found = book[sheet] if sheet else book.worksheets[0]
        yield from found.iter_rows(values_only=True, max_col=_MAX_COLUMNS)
    except InvalidInput:
        raise
    except Exception as error:  # a damaged workbook fails in as many ways as it has parts
        raise _unreadable() from error


def _unreadable() -> InvalidInput:
    return InvalidInput("The file is no table that can be read.", reason="table")
