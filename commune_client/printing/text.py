"""Sheets as plain text: 80 columns for dot-matrix printers and terminals, Vietnamese in composed letters."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from onestop_sync.dossier.forms.paper import Fact, Grid, Paragraph, Sheet, Signature

__all__ = ["WIDTH", "cells", "render", "sheet_lines"]

WIDTH: Final = 80
"""Columns of a line."""
FORM_FEED: Final = "\f"
_LEAST: Final = 6
"""A table whose narrowest column would be narrower than this is written as one paragraph for each row."""
_MOTTO: Final = ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "-" * 27)
_SIGN_LINES: Final = 4


def render(sheets: Iterable[Sheet], *, has_form_feeds: bool = False, copies: int = 1) -> str:
    """Returns sheets as text, each line ended by a newline.

    Args:
        sheets: What to print.
        has_form_feeds: Ends each sheet with a form feed, for a printer; otherwise with an empty line.
        copies: So many of each sheet, one after the other.
    """
    end = FORM_FEED if has_form_feeds else "\n"
    return "".join("\n".join(sheet_lines(sheet)) + "\n" + end for sheet in sheets for _ in range(copies))


def sheet_lines(sheet: Sheet) -> Iterator[str]:
    """Yields the lines of one sheet, none wider than 80 columns."""
    for line in _sheet_lines(sheet):
        yield line.rstrip()


def _sheet_lines(sheet: Sheet) -> Iterator[str]:
    number = f"Mẫu số {sheet.number}" + (f" - {sheet.circular}" if sheet.circular else "")
    yield from wrapped(number, WIDTH, align="right")
    half = WIDTH // 2
    issued = (f"Số: {sheet.issued}",) if sheet.issued else ()
    left = [line for text in (*sheet.issuer, *issued) for line in wrapped(text, half - 2, align="centre")]
    right = [line for text in (*_MOTTO, sheet.place_date) for line in wrapped(text, half, align="centre")]
    yield from _side_by_side([left, right], [half - 2, half], gap=2)
    yield ""
    yield from wrapped(sheet.title.upper(), WIDTH, align="centre")
    yield ""
    for block in sheet.blocks:
        match block:
            case Fact(label, value, _):
                yield from _fact(label, value)
            case Paragraph(text, _):
                for part in text.split("\n"):
                    yield from wrapped(part, WIDTH)
            case Grid():
                yield from _grid(block)
    if sheet.signatures:
        yield ""
        yield from _signatures(sheet.signatures)
    if sheet.foot:
        yield ""
        yield from wrapped(sheet.foot, WIDTH)
    if sheet.mark:
        yield sheet.mark


def _fact(label: str, value: str) -> Iterator[str]:
    first, *more = value.split("\n")
    yield from wrapped(f"{label}: {first}", WIDTH, indent=2)
    for part in more:
        yield from wrapped(f"  {part}", WIDTH, indent=2)


def _signatures(signatures: Sequence[Signature]) -> Iterator[str]:
    count = max(len(signatures), 2)
    width = WIDTH // count
    empty: list[str] = []
    columns = [
        [
            *wrapped(signature.title, width, align="centre"),
            *wrapped(signature.hint, width, align="centre"),
            *[""] * _SIGN_LINES,
            *wrapped(signature.name, width, align="centre"),
        ]
        for signature in signatures
    ]
    yield from _side_by_side([*[empty] * (count - len(columns)), *columns], [width] * count)


# ---- tables


def _grid(grid: Grid) -> Iterator[str]:
    widths = _widths(grid)
    if min(widths) < _LEAST - 1 or len(grid.columns) > len(widths):
        yield from _records(grid)
        return
    rule = "+" + "+".join("-" * width for width in widths) + "+"
    yield rule
    yield from _row([column.title for column in grid.columns], widths)
    yield rule
    for row in grid.rows:
        yield from _row(row, widths)
        yield rule


def _widths(grid: Grid) -> list[int]:
    """Returns the width of each column, so that with its lines the table is as wide as the paper."""
    room = WIDTH - len(grid.columns) - 1
    total = sum(column.weight for column in grid.columns)
    widths = [max(1, room * column.weight // total) for column in grid.columns]
    widest = max(range(len(widths)), key=widths.__getitem__)
    widths[widest] += room - sum(widths)
    return widths


def _row(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    lines = [
        [line for part in text.split("\n") for line in wrapped(part, width)]
        for text, width in zip(row, widths, strict=True)
    ]
    for number in range(max(1, *map(len, lines))):
        parts = (
            _padded(cell[number] if number < len(cell) else "", width)
            for cell, width in zip(lines, widths, strict=True)
        )
        yield "|" + "|".join(parts) + "|"


def _records(grid: Grid) -> Iterator[str]:
    """Yields a table of many columns as one paragraph for each row, each cell with its column's name."""
    for row in grid.rows:
        yield "-" * WIDTH
        pairs = zip(grid.columns, row, strict=True)
        said = [f"{column.title}: {' '.join(text.split())}" for column, text in pairs if text]
        yield from wrapped("; ".join(said), WIDTH, indent=2)
    yield "-" * WIDTH


# ---- lines


def cells(text: str) -> int:
    """Returns how many columns of a terminal text takes: none for a combining mark, two for a wide letter."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def wrapped(text: str, width: int, *, indent: int = 0, align: str = "") -> list[str]:
    """Returns text in lines of a width, broken at spaces, or inside of a word that is longer than a line.

    Args:
        text: One paragraph.
        width: Columns.
        indent: Spaces before each line but the first.
        align: ``centre`` or ``right``; otherwise to the left.
    """
    lines: list[str] = []
    line = ""
    lead = " " * indent
    for word in unicodedata.normalize("NFC", text).split():
        rest = word
        if line.strip() and cells(line) + 1 + cells(rest) <= width:
            line = f"{line} {rest}"
            continue
        if line.strip():
            lines.append(line)
        line = lead if lines else ""
        while cells(line) + cells(rest) > width:
            cut = _fitting(rest, width - cells(line))
            lines.append(line + rest[:cut])
            rest, line = rest[cut:], lead
        line += rest
    if line.strip():
        lines.append(line)
    return [_aligned(found, width, align) for found in lines]


def _fitting(text: str, width: int) -> int:
    used = 0
    for number, char in enumerate(text):
        used += cells(char)
        if used > width:
            return max(1, number)
    return len(text)


def _aligned(line: str, width: int, align: str) -> str:
    room = width - cells(line)
    return " " * (room // 2 if align == "centre" else room if align == "right" else 0) + line


def _padded(line: str, width: int) -> str:
    return line + " " * (width - cells(line))


def _side_by_side(columns: Sequence[Sequence[str]], widths: Sequence[int], gap: int = 0) -> Iterator[str]:
    for number in range(max(map(len, columns), default=0)):
        parts = (
            _padded(lines[number] if number < len(lines) else "", width)
            for lines, width in zip(columns, widths, strict=True)
        )
        yield (" " * gap).join(parts)
