"""Tables out of files: the first sheet of a workbook, or comma-separated values."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from onestop_sync.codec import nfc
from onestop_sync.dossier.register_rows import Row
from onestop_sync.errors import InvalidInput
from onestop_sync.workbook import check_workbook

__all__ = ["Table", "read_table"]

Score = Callable[[tuple[str, ...]], int]
_MAX_BYTES: Final = 64 * 2**20
_MAX_ROWS: Final = 100_000
_MAX_COLUMNS: Final = 100
_MOST_CELLS: Final = 2_000
"""In a line of values; a table that people keep has some twenty."""
_HEAD: Final = 2**16
"""Characters in which the first line is looked for that says by what values are kept apart."""
_MOST_TITLES: Final = 30
"""Lines above the headings, at the most."""
_OLD_FONT: Final = re.compile(
    r"[µ¸¶·¹¨»¾¼½Æ©Ç®Î§Ï¡ª¦¬¤«¥Ñ×ØÜÞßåæçëîïñö÷øûüþÄÅÖ]|[ae][àáâãèéê]", re.IGNORECASE
)
"""What TCVN3 and VNI write for Vietnamese letters, and no Vietnamese word in Unicode has."""
_OLD_SHARE: Final = 4
"""One text of so many: a few foreign names are no old font."""


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


def read_table(path: Path, sheet: str = "", wanted: Collection[str] | Score = ()) -> Table:
    """Reads a table, its texts in Unicode's form C.

    Args:
        path: ``.xlsx``, or anything else as CSV: in UTF-8, or in UTF-16 with its mark, as Excel writes text.
        sheet: Name of the sheet; empty: the first.
        wanted: Headings that it should have. The first line with all of them has the headings, and what
            stands above it is the table's title; where there is none, the first line that is not empty.
            Or how well a line does for headings: the first of those that do best has them.

    Raises:
        InvalidInput: It cannot be read, or is too large (``details["reason"]`` is ``table``), or is written
            in another encoding than Unicode (``encoding``).
    """
    try:
        data = path.expanduser().read_bytes() if path.stat().st_size <= _MAX_BYTES else None
    except OSError as error:
        raise InvalidInput("The file cannot be read.", reason="file") from error
    if data is None:
        raise _unreadable()
    lines = list(_filled(_workbook(data, sheet) if path.suffix.lower() == ".xlsx" else _csv(data)))
    _check_letters(cells for _, cells in lines)
    heads = [(n, _headings(cells)) for n, (_, cells) in enumerate(lines[:_MOST_TITLES])]
    if callable(wanted):
        at, headings = max(heads, key=lambda each: wanted(each[1]), default=(0, ()))
    else:
        with_all = (each for each in heads if {*wanted} <= {*each[1]})
        at, headings = next(with_all, heads[0] if heads else (0, ()))
    rows = [Row(number, dict(zip(headings, cells, strict=False))) for number, cells in lines[at + 1 :]]
    return Table(headings, rows, hashlib.sha256(data).hexdigest()[:16])


def _filled(lines: Iterable[tuple[Any, ...]]) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Yields the lines that are not empty, each with its number in the file, from 1."""
    filled = 0
    for number, cells in enumerate(lines, 1):
        if len(cells) > _MOST_CELLS:
            raise _unreadable()
        is_filled = not all(cell is None or cell == "" for cell in cells)
        filled += is_filled
        if filled > _MAX_ROWS + 1 or number > 2 * _MAX_ROWS:  # empty ones cost a file nothing
            raise _unreadable()
        if is_filled:
            yield number, tuple(nfc(cell) if isinstance(cell, str) else cell for cell in cells)


def _headings(cells: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(" ".join(str(cell or "").split()) for cell in cells)


def _check_letters(lines: Iterable[tuple[Any, ...]]) -> None:
    """Refuses texts of the fonts before Unicode, in which ``NguyÔn`` is how Nguyễn is stored.

    Raises:
        InvalidInput: Many texts that are not plain ASCII have letters that no Vietnamese word has.
    """
    found = [cell for cells in lines for cell in cells if isinstance(cell, str) and not cell.isascii()]
    if _OLD_SHARE * sum(_OLD_FONT.search(cell) is not None for cell in found) > len(found):
        raise _encoded()


def _csv(data: bytes) -> Iterator[tuple[Any, ...]]:
    text = _decoded(data)
    first = next((line for line in io.StringIO(text[:_HEAD]) if line.strip(";, \t")), "")
    delimiter = max(",;\t", key=first.count)
    try:
        yield from map(tuple, csv.reader(io.StringIO(text), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise _unreadable() from error


def _decoded(data: bytes) -> str:
    is_wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if is_wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise _encoded() from error


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


def _encoded() -> InvalidInput:
    return InvalidInput("The file's letters are of another encoding than Unicode.", reason="encoding")
