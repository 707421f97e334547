"""The tree of units as a spreadsheet: written, changed, and read back as one change with a dry run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from onestop_sync.trust_document import TrustDocument
from onestop_sync.units import Unit
from server_stub.unit_sheet import plan_units, read_units, write_units

NOW, JULY = 1_780_000_000_000, 1_790_000_000_000
UNITS = {
    "t": Unit("t", "UBND tỉnh", "", "province", ("000.00.00.H56",)),
    "h": Unit("h", "UBND huyện", "t", "district", ("000.00.17.H56",)),
    "x1": Unit("x1", "UBND xã Một", "h", "commune", ("000.17.22.H56",)),
    "x2": Unit("x2", "UBND xã Hai", "h", "commune"),
    "cu": Unit("cu", "Xã cũ", "h", "commune", until_ms=NOW, successors=("x1",)),
}
HELD = TrustDocument(7, UNITS, {}, NOW)


def sheet(path: Path, *changes: tuple[int, str, str], more: tuple[tuple[str, ...], ...] = ()) -> Path:
    """Writes the sheet, changes cells by line and column, and adds rows."""
    write_units(path, UNITS)
    book = openpyxl.load_workbook(path)
    page = book["Đơn vị"]
    for line, column, text in changes:
        page[f"{column}{line}"] = text
    for row in more:
        page.append(row)
    book.save(path)
    return path


def planned(path: Path) -> tuple[TrustDocument, list[tuple[int, str]]]:
    """Returns what a sheet comes to, and where something is wrong."""
    rows, wrong = read_units(path)
    assert wrong == []
    found = plan_units(HELD, rows, at_ms=JULY, now_ms=NOW)
    return found.document, [(problem.row, problem.column) for problem in found.problems]


def test_what_was_not_changed_changes_nothing(tmp_path: Path) -> None:
    """The sheet as it was written is what is published: units that have ended are not in it."""
    document, problems = planned(sheet(tmp_path / "dv.xlsx"))
    assert (document is HELD, problems) == (True, [])
    page = openpyxl.load_workbook(tmp_path / "dv.xlsx")["Đơn vị"]
    assert [row[0].value for row in page.iter_rows(min_row=2)] == ["t", "h", "x1", "x2"]


def test_names_codes_places_and_new_units_are_one_change(tmp_path: Path) -> None:
    """A renamed, a moved and two new units become the next document, each with its date; the rest stays."""
    path = sheet(
        tmp_path / "dv.xlsx",
        (4, "B", "UBND phường Một"), (5, "C", "t"), (5, "E", "000.17.23.H56"),
        more=(("y2", "Xã Y Hai", "y1", "xã", ""), ("y1", "Huyện Y", "t", "huyện", "")),
    )  # fmt: skip
    document, problems = planned(path)
    assert problems == []
    assert document.version == HELD.version + 1
    units = document.units
    assert (units["x1"].name, units["x1"].since_ms, units["x1"].at(NOW).name) == (
        "UBND phường Một", JULY, "UBND xã Một",
    )  # fmt: skip
    assert (units["x2"].parent, units["x2"].codes) == ("t", ("000.17.23.H56",))
    assert (units["y2"].parent, units["y1"].since_ms) == ("y1", JULY)
    assert (units["h"], units["cu"]) == (UNITS["h"], UNITS["cu"])


@pytest.mark.parametrize(
    ("change", "more", "where"),
    [
        ((4, "C", "khong-co"), (), (4, "x1")),
        ((4, "D", "huyện"), (), (4, "x1")),
        ((4, "D", "phố"), (), (4, "x1")),
        ((4, "E", "000.00.17.H56"), (), (4, "x1")),
        ((4, "E", "mã gì"), (), (4, "x1")),
        ((4, "B", ""), (), (4, "x1")),
        ((2, "C", "h"), (), (2, "t")),
        ((2, "B", "UBND tỉnh"), (("x1", "Lần hai", "h", "xã", ""),), (6, "x1")),
        ((2, "B", "UBND tỉnh"), (("cu", "Xã cũ", "h", "xã", ""),), (6, "cu")),
    ],
)  # fmt: skip
def test_each_wrong_row_is_told(
    tmp_path: Path, change: tuple[int, str, str], more: tuple[tuple[str, ...], ...], where: tuple[int, str]
) -> None:
    """An unknown parent, another level, a code of others, a ring, a row twice, a unit that has ended."""
    _, problems = planned(sheet(tmp_path / "dv.xlsx", change, more=more))
    assert problems == [where]


def test_a_move_of_the_whole_tree_below_itself_is_refused(tmp_path: Path) -> None:
    """Units that would be above each other are told, wherever their rows stand."""
    held = replace(HELD, units={**UNITS, "y": Unit("y", "Huyện Y", "t", "district")})
    write_units(tmp_path / "dv.xlsx", held.units)
    rows, _ = read_units(tmp_path / "dv.xlsx")
    turned = {"h": "y", "y": "h"}
    rows = [
        row._replace(cells={**row.cells, "parent": turned.get(row.cells["id"], row.cells["parent"])})
        for row in rows
    ]
    found = plan_units(held, rows, at_ms=JULY, now_ms=NOW)
    assert len(found.problems) == 1
