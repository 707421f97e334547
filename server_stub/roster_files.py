"""The spreadsheet as a file: an Excel workbook, or a folder of CSV files; its text and nothing else."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from onestop_sync.codec import nfc
from onestop_sync.errors import InvalidInput
from onestop_sync.search_text import fold_text
from onestop_sync.workbook import check_workbook
from server_stub.roster import MAX_ROWS, SHEETS, Problem, Row, Sheet
from server_stub.settings import read_file
from server_stub.sheet_style import dress

__all__ = ["read", "write", "write_template"]

_MAX_COLUMNS: Final = 50
_NOTE: Final = "Hướng dẫn"
_NOTES: Final = (
    "Mỗi dòng một đơn vị, một máy, một cán bộ. Không đổi tên trang và dòng tiêu đề.",
    "Dòng mẫu in nghiêng: xóa đi.",
    "Mã đơn vị do tỉnh đặt, không bao giờ dùng lại; đơn vị đã có trong hệ thống không cần ghi.",
    "Mã cơ quan: mã đang dùng ghi trước, cách nhau bằng dấu chấm phẩy.",
    "Là máy chủ: ghi x cho máy đầu mối của xã; để trống cho máy khác.",
    "Dải số hồ sơ: để trống thì tự chia; máy không tiếp nhận ghi: không; hoặc ghi 1-500; 501-1000.",
    "Mã số cán bộ: số hiệu nội bộ, không ghi số căn cước.",
    "Máy làm việc: một người làm ở hai máy thì ghi tên các máy, cách nhau bằng dấu chấm phẩy.",
    "Vai trò: tiếp nhận; thẩm định; phê duyệt; trả kết quả; lãnh đạo; quản trị.",
)


def read(path: Path, sheets: Sequence[Sheet] = SHEETS) -> tuple[list[Row], list[Problem]]:
    """Reads all tables of a workbook, or of a folder of CSV files.

    Args:
        path: ``….xlsx``, or a folder.
        sheets: The tables that it may have.

    Returns:
        The rows that hold something; and what is wrong with the tables as such.

    Raises:
        InvalidInput: It cannot be read at all.
    """
    tables = _csv_tables(path, sheets) if path.is_dir() else _excel_tables(path, sheets)
    rows: list[Row] = []
    problems: list[Problem] = []
    for sheet, lines in tables:
        columns, wrong = _columns(sheet, lines[0] if lines else [])
        problems += wrong
        if not wrong:
            rows += _rows(sheet, columns, lines[1:])
    if not tables:
        raise InvalidInput(f"{path} has none of the sheets {', '.join(s.label for s in sheets)}.")
    return rows, problems


def _columns(sheet: Sheet, head: Sequence[str]) -> tuple[dict[int, str], list[Problem]]:
    """Returns the key of each column by its place; headings may be keys or labels, with or without marks."""
    keys = {fold_text(text): c.key for c in sheet.columns for text in (c.key, c.label)}
    found: dict[int, str] = {}
    problems: list[Problem] = []
    for place, text in enumerate(head):
        key = keys.get(fold_text(text))
        if key is None and text:
            problems.append(Problem(sheet.label, 1, text[:40], "This column is not known here."))
        elif key in found.values():
            problems.append(Problem(sheet.label, 1, text[:40], "This column is there twice."))
        elif key:
            found[place] = key
    missing = [c.label for c in sheet.columns if c.key not in found.values() and c.is_needed]
    problems += [Problem(sheet.label, 1, label, "This column is missing.") for label in missing]
    return found, problems


def _rows(sheet: Sheet, columns: dict[int, str], lines: Iterable[Sequence[str]]) -> Iterator[Row]:
    for number, line in enumerate(lines, 2):
        cells = {key: line[place] if place < len(line) else "" for place, key in columns.items()}
        if any(cells.values()):
            yield Row(sheet.key, number, cells)


def _text(value: Any) -> str:
    """Returns a cell as text, on one line, NFC; a whole number without its decimal point."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return nfc(" ".join(str(value).split()))


# ----------------------------------------------------------------------------------------------------- Excel


def _excel_tables(path: Path, sheets: Sequence[Sheet]) -> list[tuple[Sheet, list[list[str]]]]:
    import openpyxl

    data = read_file(path)
    try:
        check_workbook(data)
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        by_name = {fold_text(name): name for name in book.sheetnames}
        return [
            (sheet, list(_excel_lines(book[by_name[name]])))
            for sheet in sheets
            if (name := next((n for n in map(fold_text, (sheet.label, sheet.key)) if n in by_name), ""))
        ]
    except InvalidInput:
        raise
    except Exception as error:  # a damaged workbook fails in as many ways as it has parts
        raise InvalidInput(f"{path} cannot be read as an Excel workbook (.xlsx).") from error


def _excel_lines(sheet: Any) -> Iterator[list[str]]:
    """Yields a sheet's lines, those that are empty as well: rows are told by their number.

    Raises:
        InvalidInput: It has more rows than a table may have, or goes on where a table ends: none is left out
            in silence, and empty ones, which cost a file nothing, are not read without end.
    """
    filled = 0
    for number, line in enumerate(sheet.iter_rows(values_only=True, max_col=_MAX_COLUMNS), 1):
        if number > 2 * MAX_ROWS:
            raise InvalidInput(
                f"The sheet {sheet.title} goes on below row {number - 1}.",
                todo="Delete the empty rows below the table.",
            )
        cells = [_text(value) for value in line]
        filled += any(cells)
        if filled > MAX_ROWS + 1:
            raise InvalidInput(f"The sheet {sheet.title} has more than {MAX_ROWS} rows.")
        yield cells


def write_template(path: Path) -> None:
    """Writes an empty workbook with headings, one example a table, and how to fill it in.

    Raises:
        InvalidInput: A file is there already, or it cannot be written.
    """
    write(path, SHEETS, _NOTES, {s.key: [[column.example for column in s.columns]] for s in SHEETS})


def write(
    path: Path, sheets: Sequence[Sheet], notes: Iterable[str], rows: Mapping[str, Sequence[Sequence[object]]]
) -> None:
    """Writes a workbook: how it is filled in, then each table with its heading and rows.

    Args:
        path: The file.
        sheets: The tables.
        notes: Lines of the first sheet.
        rows: Key of a table → its rows, the cells in the order of its columns.

    Raises:
        InvalidInput: A file is there already, or it cannot be written.
    """
    import openpyxl
    from openpyxl.styles import Font

    book = openpyxl.Workbook()
    first = book.active
    first.title = _NOTE
    for line in notes:
        first.append([line])
    first.column_dimensions["A"].width = 110
    first.page_setup.orientation = "landscape"
    for sheet in sheets:
        page = book.create_sheet(sheet.label)
        page.append([column.label for column in sheet.columns])
        for row in rows.get(sheet.key, ()):
            page.append(list(row))
            for cell in page[page.max_row]:
                cell.data_type = "s" if cell.data_type == "f" else cell.data_type  # a name is no formula
        if sheet in SHEETS:  # an example, to be deleted
            for cell in page[2]:
                cell.font = Font(name="Calibri", italic=True)
        dress(page, sheet, places={each.key: each.label for each in sheets})
    try:
        with path.open("xb") as file:
            book.save(file)
    except OSError as error:
        raise InvalidInput(f"Cannot write {path}: {error.strerror}.", todo="Choose another name.") from error


# ------------------------------------------------------------------------------------------------------- CSV


def _csv_tables(folder: Path, sheets: Sequence[Sheet]) -> list[tuple[Sheet, list[list[str]]]]:
    return [(sheet, _csv_lines(folder / sheet.file)) for sheet in sheets if (folder / sheet.file).exists()]


def _csv_lines(path: Path) -> list[list[str]]:
    try:
        text = read_file(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not UTF-8.", todo='Save it as "CSV UTF-8".') from error
    head = text.split("\n", 1)[0]
    delimiter = ";" if head.count(";") > head.count(",") else ","
    try:
        return [[_text(cell) for cell in line] for line in csv.reader(io.StringIO(text), delimiter=delimiter)]
    except csv.Error as error:
        raise InvalidInput(f"{path} is not CSV: {error}.") from error
