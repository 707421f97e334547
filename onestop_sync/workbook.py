"""What an Excel workbook holds, before it is opened: a small file that would become large is told.

A workbook is a zip archive of XML. Whoever opens it takes some 30 times the bytes of a row in memory, and a
third of a second for each MiB; both are the sender's to choose.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import IO, Final

from onestop_sync.errors import FormatError

__all__ = ["check_workbook"]

_MOST_BYTES: Final = 96 * 2**20
"""Unpacked."""
_FREE_BYTES: Final = 2 * 2**20
_MOST_RATIO: Final = 40
"""Beyond what is free, bytes unpacked for each packed; tables that people type come to some 10 to 20."""
_MOST: Final = {b"row": 250_000, b"si": 600_000}
"""Rows of a sheet, and texts that cells share."""
_MOST_CELLS: Final = 2_000
"""In one row."""
_PARTS: Final = ("xl/worksheets/", "xl/sharedstrings")
_TAG: Final = re.compile(rb"<(?:[\w.-]+:)?(row|c|si)[\s/>]")
_STEP: Final = 2**20


def check_workbook(data: bytes) -> None:
    """Holds that a workbook is about as large as it looks.

    Raises:
        FormatError: It is not, or no zip archive.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            entries = packed.infolist()
            size = sum(entry.file_size for entry in entries)
            if size > min(_MOST_BYTES, _FREE_BYTES + _MOST_RATIO * len(data)):
                raise _too_large()
            for entry in entries:
                if entry.filename.lower().lstrip("/").startswith(_PARTS):
                    _check_part(_tags(packed.open(entry)))
    except FormatError:
        raise
    except Exception as error:  # a damaged archive fails in as many ways as it has fields
        raise FormatError("The file is no Excel workbook.") from error


def _check_part(tags: Iterator[bytes]) -> None:
    counts = dict.fromkeys(_MOST, 0)
    cells = 0
    for tag in tags:
        if tag == b"c":
            cells += 1
            if cells > _MOST_CELLS:
                raise _too_large()
            continue
        cells = 0
        counts[tag] += 1
        if counts[tag] > _MOST[tag]:
            raise _too_large()


def _tags(part: IO[bytes]) -> Iterator[bytes]:
    """Yields the rows, cells and shared texts of a part, as they begin."""
    rest = b""
    with part:
        while step := part.read(_STEP):
            text = rest + step
            cut = max(text.rfind(b"<"), 0)
            rest = text[cut:]
            for found in _TAG.finditer(text, 0, cut):
                yield found[1]
            if len(rest) > _STEP:  # no tag in a megabyte: a text, of which only the end matters
                rest = rest[-64:]
    for found in _TAG.finditer(rest):
        yield found[1]


def _too_large() -> FormatError:
    return FormatError("The workbook is far larger than its file.")
