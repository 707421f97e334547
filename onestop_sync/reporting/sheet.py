"""A report as a spreadsheet, laid out to be printed across an A4 page."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.worksheet.worksheet import Worksheet

from onestop_sync.reporting.making import Report
from onestop_sync.reporting.words import GROUPS, HEADS, Block, blocks, notes, safe_cell, subtitle, title

__all__ = ["to_xlsx"]

_COLUMNS: Final = 13
_WIDTHS: Final = {"A": 6, "B": 36, **dict.fromkeys("CDEFGHIJKLM", 12)}
_LINE_CHARS: Final = 170
_LINE_HEIGHT: Final = 15
_NAME_CHARS: Final = 32
_BOLD: Final = Font(name="Calibri", bold=True)
_THIN: Final = Side(style="thin")
_BOX: Final = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
_MIDDLE: Final = Alignment(horizontal="center", vertical="center", wrap_text=True)
_CENTRE: Final = Alignment(horizontal="center", vertical="top")
_WRAPPED: Final = Alignment(wrap_text=True, vertical="top")


def to_xlsx(report: Report, extra: Sequence[str] = ()) -> bytes:
    """Returns a report as a spreadsheet.

    Args:
        report: The report.
        extra: Lines to add below the table.
    """
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)  # a new workbook has one
    sheet.title = report.period.name.replace("/", "-")[:31]
    _across(sheet, title(report), is_bold=True)
    for text in subtitle(report):
        _across(sheet, text)
    for block in blocks(report):
        sheet.append([])
        _table(sheet, block)
    sheet.append([])
    for text in (*notes(report), *extra):
        _across(sheet, text)
    for letter, width in _WIDTHS.items():
        sheet.column_dimensions[letter].width = width
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9  # A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _across(sheet: Worksheet, text: str, *, is_bold: bool = False) -> None:
    """Writes a line over all columns."""
    sheet.append([safe_cell(text)])
    at = sheet.max_row
    sheet.merge_cells(start_row=at, end_row=at, start_column=1, end_column=_COLUMNS)
    cell = sheet.cell(at, 1)
    cell.alignment = _WRAPPED
    sheet.row_dimensions[at].height = _LINE_HEIGHT * (1 + len(text) // _LINE_CHARS)
    if is_bold:
        cell.font = _BOLD


def _table(sheet: Worksheet, block: Block) -> None:
    """Writes a part of the table with its three lines of heads and its sum."""
    _across(sheet, block.head, is_bold=True)
    at, start = _line(sheet, [""] * _COLUMNS, is_head=True), 1
    for text, span in GROUPS:
        sheet.cell(at, start, text)
        if text:
            sheet.merge_cells(start_row=at, end_row=at, start_column=start, end_column=start + span - 1)
        start += span
    at = _line(sheet, [HEADS[0], block.name, *HEADS[2:]], is_head=True)
    sheet.row_dimensions[at].height = 2 * _LINE_HEIGHT
    _line(sheet, [f"({n})" for n in range(1, _COLUMNS + 1)], is_head=True)
    for index, name, counts in block.lines:
        at = _line(sheet, [int(index), safe_cell(name), *counts])
        sheet.cell(at, 1).alignment, sheet.cell(at, 2).alignment = _CENTRE, _WRAPPED
        sheet.row_dimensions[at].height = _LINE_HEIGHT * (1 + len(name) // _NAME_CHARS)
    for cell in sheet[_line(sheet, ["", "Tổng cộng", *block.total])]:
        cell.font = _BOLD


def _line(sheet: Worksheet, values: Sequence[object], *, is_head: bool = False) -> int:
    """Writes a line with borders; returns its number."""
    sheet.append(list(values))
    for cell in sheet[sheet.max_row]:
        cell.border = _BOX
        if is_head:
            cell.alignment, cell.font = _MIDDLE, _BOLD
    return int(sheet.max_row)
