"""The spreadsheet of a province's day one: its tables and columns, and what a sound one comes to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from onestop_sync.enrol_grant import Grant
from onestop_sync.trust import Unit

__all__ = ["MAX_ROWS", "SHEETS", "Column", "Problem", "Roster", "Row", "Sheet"]

MAX_ROWS: Final = 20_000
"""Rows of one table."""


class Column(NamedTuple):
    """One column.

    Attributes:
        key: By which programs know it.
        label: Its Vietnamese heading.
        example: For the template.
        is_needed: Whether a table without it is none.
        options: Words of which one stands in a cell; empty: any text.
        one_of: Key of a table whose first column has what may stand in a cell; empty: none.
    """

    key: str
    label: str
    example: str
    is_needed: bool = True
    options: tuple[str, ...] = ()
    one_of: str = ""


class Sheet(NamedTuple):
    """One table: its key, the name of its sheet, the name of its CSV file, its columns."""

    key: str
    label: str
    file: str
    columns: tuple[Column, ...]


SHEETS: Final = (
    Sheet(
        "units", "Đơn vị", "don-vi.csv",
        (
            Column("id", "Mã đơn vị", "x01"),
            Column("name", "Tên đơn vị", "UBND xã Hòa Bình"),
            Column("parent", "Mã đơn vị cấp trên", "t01", is_needed=False),
            Column("level", "Cấp (tỉnh, huyện, xã)", "xã", options=("tỉnh", "huyện", "xã")),
            Column("codes", "Mã cơ quan", "000.17.22.H56", is_needed=False),
        ),
    ),
    Sheet(
        "machines", "Máy", "may.csv",
        (
            Column("unit", "Mã đơn vị", "x01"),
            Column("name", "Tên máy", "Máy tiếp nhận 1"),
            Column("serves", "Là máy chủ (x)", "", is_needed=False, options=("x",)),
            Column("blocks", "Dải số hồ sơ", "", is_needed=False),
        ),
    ),
    Sheet(
        "officers", "Cán bộ", "can-bo.csv",
        (
            Column("unit", "Mã đơn vị", "x01"),
            Column("name", "Họ và tên", "Nguyễn Thị Lan"),
            Column("person", "Mã số cán bộ", "CB-0001", is_needed=False),
            Column("roles", "Vai trò", "tiếp nhận; trả kết quả"),
            Column("machines", "Máy làm việc", "Máy tiếp nhận 1"),
        ),
    ),
)  # fmt: skip
"""The three tables, in the order in which they are filled in."""


class Row(NamedTuple):
    """One row as it was read: its number, and its text by the column's key."""

    sheet: str
    number: int
    cells: Mapping[str, str]


class Problem(NamedTuple):
    """What is wrong, and where.

    Attributes:
        sheet: Name of the sheet as people see it.
        row: Its number, from 1; 0 for the sheet as a whole.
        column: Heading of the column; empty for the row as a whole.
        reason: What is wrong, one sentence.
    """

    sheet: str
    row: int
    column: str
    reason: str


class Roster(NamedTuple):
    """What a sound spreadsheet says.

    Attributes:
        units: The units that are not there yet, parents before children.
        machines: What each machine's code allows, with its officers.
    """

    units: tuple[Unit, ...]
    machines: tuple[Grant, ...]
