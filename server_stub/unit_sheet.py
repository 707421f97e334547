"""The tree of units as a spreadsheet: written, changed in a spreadsheet program, and read back as one change.

The sheet is that of the province's day one (`roster.SHEETS`). A row with a new id is a new unit; another name
or code of a unit that is there is a rename, another unit above it a move. What is not in the sheet stays as
it is: units end by `merge`, `split` and `close`, never because a row was lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from onestop_sync import tree_changes as changes
from onestop_sync.dossier.codes import parse_agency_code
from onestop_sync.errors import InvalidInput, OnestopError
from onestop_sync.event import is_name
from onestop_sync.search_text import fold_text
from onestop_sync.trust_document import TrustDocument
from onestop_sync.units import Unit
from server_stub import roster_files
from server_stub.roster import SHEETS, Problem, Row
from server_stub.roster_check import LEVELS

__all__ = ["Planned", "plan_units", "read_units", "write_units"]

_UNITS: Final = SHEETS[0]._replace(file="units.csv")  # not the empty one: its rows are no examples
_LABELS: Final = {"province": "tỉnh", "district": "huyện", "commune": "xã"}
_NOTES: Final = (
    "Mỗi dòng là một đơn vị. Sửa tên, mã cơ quan (mã đang dùng đứng đầu), đơn vị cấp trên ngay trên dòng.",
    "Thêm dòng với mã đơn vị chưa từng dùng để thêm đơn vị. Không đổi mã đơn vị và cấp của dòng đã có.",
    "Xóa dòng không xóa đơn vị: sáp nhập, chia tách, kết thúc làm bằng lệnh `onestop-server unit`.",
    "Xem trước: onestop-server unit apply TỆP --at NGÀY --dry-run",
)


class Planned(NamedTuple):
    """What a sheet comes to: the next trust document, or what is wrong with its rows."""

    document: TrustDocument
    problems: tuple[Problem, ...]


def write_units(path: Path, units: Mapping[str, Unit]) -> int:
    """Writes the units that have not ended, those above first; returns how many.

    Raises:
        InvalidInput: A file is there already, or it cannot be written.
    """
    rows = [
        [unit.id, unit.name, unit.parent, _LABELS.get(unit.level, unit.level), "; ".join(unit.codes)]
        for unit in _from_the_top([unit for unit in units.values() if not unit.is_ended])
    ]
    roster_files.write(path, [_UNITS], _NOTES, {_UNITS.key: rows})
    return len(rows)


def read_units(path: Path) -> tuple[list[Row], list[Problem]]:
    """Reads the rows of a sheet, and what is wrong with the table as such.

    Raises:
        InvalidInput: It cannot be read at all.
    """
    return roster_files.read(path, [_UNITS])


def plan_units(held: TrustDocument, rows: Sequence[Row], *, at_ms: int, now_ms: int) -> Planned:
    """Plans all that differs, new units first, as one change; every wrong row is told.

    Args:
        held: What is published.
        rows: Of the sheet.
        at_ms: From when on, milliseconds since 1970 UTC.
        now_ms: The time of the change.
    """
    problems: list[Problem] = []
    wanted: dict[str, tuple[Row, Unit]] = {}
    for row in rows:
        try:
            unit = _unit_of(row)
            if unit.id in wanted:
                raise InvalidInput(f"Unit {unit.id} stands in the table twice.")
            wanted[unit.id] = row, unit
        except InvalidInput as error:
            problems.append(_problem(row, error))
    document = held
    for unit in _from_the_top([unit for _, unit in wanted.values()]):
        try:
            document = _planned(document, unit, at_ms, now_ms)
        except OnestopError as error:
            problems.append(_problem(wanted[unit.id][0], error))
    if document is not held:
        document = replace(document, version=held.version + 1)
    return Planned(document, tuple(sorted(problems, key=lambda each: each.row)))


def _planned(document: TrustDocument, unit: Unit, at_ms: int, now_ms: int) -> TrustDocument:
    held = document.units.get(unit.id)
    if held is None:
        return changes.plan_add(document, unit, at_ms=at_ms, now_ms=now_ms)
    if held.is_ended:
        raise InvalidInput(f"{unit.id} has ended, and an id is never used again.")
    if unit.level != held.level:
        raise InvalidInput(f"{unit.id} is of another level, which never changes: add a unit, and merge.")
    if (unit.name, unit.codes) != (held.name, held.codes):
        document = changes.plan_rename(
            document, unit.id, name=unit.name, codes=unit.codes, at_ms=at_ms, now_ms=now_ms
        )
    if unit.parent != held.parent:
        document = changes.plan_move(document, unit.id, unit.parent, at_ms=at_ms, now_ms=now_ms)
    return document


def _unit_of(row: Row) -> Unit:
    cells = row.cells
    unit_id, level = cells["id"], LEVELS.get(fold_text(cells["level"]), "")
    if not is_name(unit_id) or " " in unit_id:
        raise InvalidInput("An id has at most 64 characters, and no spaces.")
    if not level:
        raise InvalidInput("The level is none of tỉnh, huyện, xã.")
    if not cells["name"]:
        raise InvalidInput("The name is missing.")
    codes = tuple(cells.get("codes", "").replace(";", " ").replace(",", " ").split())
    for code in codes:
        parse_agency_code(code)
    return Unit(unit_id, cells["name"], cells.get("parent", ""), level, codes)


def _problem(row: Row, error: OnestopError) -> Problem:
    return Problem(_UNITS.label, row.number, row.cells.get("id", "")[:40], error.what)


def _from_the_top(units: Sequence[Unit]) -> Iterator[Unit]:
    """Yields each unit behind the one above it, if that is among them; what runs in circles comes last."""
    left = {unit.id: unit for unit in sorted(units, key=lambda each: each.id)}
    while left:
        ready = [unit for unit in left.values() if unit.parent not in left] or list(left.values())
        for unit in ready:
            yield left.pop(unit.id)
