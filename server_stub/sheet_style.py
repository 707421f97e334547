"""How a workbook that people fill in looks: wide enough columns, lists to choose from, text kept as text.

A code such as ``2.000880`` or a range such as ``1-20`` is text to us, and to a spreadsheet program a number
or a day, unless its column says that it holds text.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from server_stub.roster import MAX_ROWS, Column, Sheet

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

__all__ = ["dress"]

_TEXT: Final = "@"
_GREY: Final = "FFE7E6E6"
_A4: Final = 9
_NARROWEST, _WIDEST = 10, 40
"""Widths of a column in characters; longer text goes on in the next line of its cell."""
_PAGE: Final = 160
"""Characters of a row that are still read on an A4 on its side."""
_LINE_POINTS, _MOST_LINES = 15, 12


def dress(page: Worksheet, sheet: Sheet, *, places: dict[str, str]) -> None:
    """Styles a table that has its heading and rows.

    Args:
        page: The table.
        sheet: Its columns.
        places: Key of a table → the name of its sheet in this workbook.
    """
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    top = Alignment(wrap_text=True, vertical="top")
    for number, column in enumerate(sheet.columns, 1):
        letter = get_column_letter(number)
        cells: Sequence[Any] = page[letter]
        page.column_dimensions[letter].width = _width(column, [cell.value for cell in cells[1:]])
        page.column_dimensions[letter].number_format = _TEXT
        for cell in cells:
            cell.alignment = top
            if isinstance(cell.value, str):
                cell.number_format = _TEXT
        cells[0].font = Font(name="Calibri", bold=True)
        cells[0].fill = PatternFill("solid", start_color=_GREY)
        _offer(page, column, letter, places)
    widths = [page.column_dimensions[get_column_letter(n)].width for n in range(1, len(sheet.columns) + 1)]
    for number, row in enumerate(page.iter_rows(values_only=True), 1):
        page.row_dimensions[number].height = _LINE_POINTS * _lines(row, widths)
    page.freeze_panes = "B2"
    page.auto_filter.ref = page.dimensions
    page.print_title_rows = "1:1"
    page.page_setup.paperSize = _A4
    page.page_setup.orientation = "landscape"
    page.sheet_properties.pageSetUpPr.fitToPage = True
    page.page_setup.fitToWidth = ceil(sum(widths) / _PAGE)
    page.page_setup.fitToHeight = 0  # as many pages as the rows need


def _lines(row: Sequence[object], widths: Sequence[float]) -> int:
    """Returns how many lines a row takes: not every program finds that out when it opens a file."""
    needed = [
        sum(ceil((len(line) or 1) * 1.1 / width) for line in str(value).split("\n"))
        for value, width in zip(row, widths, strict=True)
        if value is not None
    ]
    return min(max(needed, default=1), _MOST_LINES)


def _width(column: Column, values: Sequence[object]) -> int:
    """Returns a width for the longest line, and for the longest word of the heading and its filter."""
    word = max(map(len, column.label.split())) + 5
    lines = [line for value in values if value is not None for line in str(value).split("\n")]
    longest = max(map(len, lines), default=len(column.example))
    return min(max(longest + 2, word, len(column.label) // 2 + 6, _NARROWEST), _WIDEST)


def _offer(page: Worksheet, column: Column, letter: str, places: dict[str, str]) -> None:
    """Lets people choose where only some words are understood; another word is asked about, not refused."""
    from openpyxl.worksheet.datavalidation import DataValidation

    if column.options:
        formula = f'"{",".join(column.options)}"'
    elif column.one_of in places:
        formula = f"'{places[column.one_of]}'!$A$2:$A${MAX_ROWS}"
    else:
        return
    rule = DataValidation("list", formula1=formula, allow_blank=True, errorStyle="warning")
    rule.error = f"{column.label}: hãy chọn trong danh sách."
    rule.showErrorMessage = True
    rule.add(f"{letter}2:{letter}{MAX_ROWS}")
    page.add_data_validation(rule)
