"""The catalogue goes out as a spreadsheet and comes back the same; a bad row is told with its reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from onestop_sync.dossier.catalogue import Catalogue
from onestop_sync.dossier.data import shipped_catalogue
from onestop_sync.dossier.deadlines import Limit, LimitKind
from onestop_sync.dossier.files import CATALOGUE, read_catalogue, write_catalogue
from onestop_sync.dossier.rules import Rules, plan_publication
from onestop_sync.errors import InvalidInput
from server_stub import roster_files
from server_stub.catalogue_sheet import SHEETS, describe_changes, read_sheet, write_sheet

DAY = date(2026, 5, 4)


def small() -> Catalogue:
    """Some procedures with everything that a row can say."""
    wanted = {"1.001193", "2.000815", "2.000908", "1.001776", "1.011607", "1.004873"}
    return Catalogue(1, tuple(p for p in shipped_catalogue().procedures if p.code in wanted))


def change(path: Path, sheet: str, row: int, heading: str, value: Any) -> None:
    """Writes one cell of a workbook, as somebody at the province would."""
    book = openpyxl.load_workbook(path)
    page = book[sheet]
    place = next(cell.column for cell in page[1] if cell.value == heading)
    page.cell(row, place, value)
    book.save(path)


def test_the_whole_catalogue_comes_back_the_same(tmp_path: Path) -> None:
    """All 308 procedures with documents and steps: out as a workbook, in again, nothing is lost."""
    write_sheet(tmp_path / "a.xlsx", shipped_catalogue())
    assert read_sheet(tmp_path / "a.xlsx", shipped_catalogue().version) == (shipped_catalogue(), [])


def test_a_change_is_told_before_it_is_published(tmp_path: Path) -> None:
    """A new limit, a new fee and a row that is gone: one line each, with before and after."""
    path = tmp_path / "a.xlsx"
    write_sheet(path, small())
    rows = {p.code: n for n, p in enumerate(small().procedures, 2)}
    change(path, "Thủ tục", rows["1.004873"], "Thời hạn", "2 ngày làm việc")
    change(path, "Thủ tục", rows["1.004873"], "Phí, lệ phí", "15000/trường hợp")
    change(path, "Thủ tục", rows["1.011607"], "Hiệu lực đến hết", date(2026, 11, 30))
    made, problems = read_sheet(path, 2)
    assert problems == []
    assert made
    assert made.get("1.004873", DAY).limit == Limit(LimitKind.WORKING_DAYS, 2)
    assert made.get("1.004873", DAY).fee.total_vnd(2) == 30_000
    changes = describe_changes(small(), made)
    fee, limit = "fee tỉnh quy định -> 15000/trường hợp", "limit 3 ngày làm việc -> 2 ngày làm việc"
    assert changes == [
        f"1.004873 from 2018-06-21 changes: {fee}, {limit}",
        "1.011607 from 2021-09-01 changes: effective_to",
    ]
    fewer = replace(made, procedures=tuple(p for p in made.procedures if p.code != "2.000815"))
    assert any(
        "2.000815 from 2018-06-21 is not there any more" in line for line in describe_changes(made, fewer)
    )
    assert any("2.000815 from 2018-06-21 is new" in line for line in describe_changes(fewer, made))


@pytest.mark.parametrize(
    ("sheet", "heading", "value", "reason"),
    [
        ("Thủ tục", "Mã thủ tục", "1.1193", "not a procedure's code"),
        ("Thủ tục", "Thời hạn", "3", "A bare number has no unit"),
        ("Thủ tục", "Phí, lệ phí", "Miễn phí (kèm ghi chú)", "cannot be read as a fee"),
        ("Thủ tục", "Hiệu lực từ", "32/01/2026", "not a day"),
        ("Thủ tục", "Giải quyết (xã, liên thông, tỉnh)", "thôn", "none of xã, liên thông, tỉnh"),
        ("Thủ tục", "Phí: mức tin cậy", "chắc", "neither"),
        ("Thủ tục", "Lĩnh vực", "", "lacks a field"),
        ("Thủ tục", "Tên thủ tục", "x" * 2001, "holds 2000 at most"),
        ("Giấy tờ", "Tên giấy tờ", "x" * 301, "holds 300 at most"),
        ("Giấy tờ", "Mã thủ tục", "9.999999", "There is no procedure 9.999999"),
        ("Giấy tờ", "Bản chính", "một", "not a number of copies"),
        ("Giấy tờ", "Bắt buộc (x)", "có", "neither x nor empty"),
        ("Các bước", "Bước", "nghỉ", "none of tiếp nhận"),
        ("Các bước", "Thời gian", "trong ngày", "working hours"),
    ],
)
def test_a_bad_row_is_told_by_row_and_reason(
    tmp_path: Path, sheet: str, heading: str, value: Any, reason: str
) -> None:
    """Whatever is wrong in a cell is named with sheet and row, and nothing comes of the rest."""
    path = tmp_path / "a.xlsx"
    write_sheet(path, small())
    change(path, sheet, 2, heading, value)
    made, problems = read_sheet(path, 2)
    assert made is None
    assert any(p.sheet == sheet and p.row == 2 and reason in p.reason for p in problems)
    is_code = heading == "Mã thủ tục"
    assert is_code or len(problems) == 1, "a procedure's papers are not at fault for its row"


def test_what_a_spreadsheet_would_run_or_drop_is_neither_run_nor_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that looks like a formula stays a name; rows beyond the most, or no sheet at all, are told."""
    first, *others = small().procedures
    odd = replace(first, full_name_vi='=HYPERLINK("http://x")', name_vi="+x", note_vi="@x", source="-1")
    path = tmp_path / "a.xlsx"
    write_sheet(path, Catalogue(1, (odd, *others)))
    assert read_sheet(path, 1) == (Catalogue(1, (odd, *others)), [])
    monkeypatch.setattr(roster_files, "MAX_ROWS", 5)
    with pytest.raises(InvalidInput, match="more than 5 rows"):
        read_sheet(path, 1)
    book = openpyxl.load_workbook(path)
    del book["Thủ tục"]
    book.save(path)
    monkeypatch.undo()
    with pytest.raises(InvalidInput, match="Thủ tục"):
        read_sheet(path, 1)


def test_fields_of_work_go_out_and_come_back_with_their_codes(tmp_path: Path) -> None:
    """A code and a last day are told as changes; a procedure of a field that is not listed is a bad row."""
    path, shipped = tmp_path / "a.xlsx", shipped_catalogue()
    fields = tuple(each for each in shipped.fields if each.name_vi in {"Hộ tịch", "Chứng thực"})
    births = Catalogue(1, (shipped.get("1.001193"),), fields)
    write_sheet(path, births)
    assert read_sheet(path, 1) == (births, [])
    change(path, "Lĩnh vực", 2, "Mã lĩnh vực", "h98-ct")
    made, problems = read_sheet(path, 2)
    assert made
    codes = [made.field_code(name, DAY) for name in ("Chứng thực", "Hộ tịch")]
    assert (problems, codes) == ([], ["H98-CT", ""])
    assert describe_changes(births, made) == ["field Chứng thực from 2018-06-21 changes: code none -> H98-CT"]
    assert read_catalogue(write_catalogue(made)) == (made, [])
    change(path, "Thủ tục", 2, "Lĩnh vực", "Hộ tich")
    assert [each.reason for each in read_sheet(path, 2)[1]] == ["There is no field 'Hộ tich'."]
    odd = Catalogue(9, (replace(births.procedures[0], field_vi="Hộ tich"),), fields)
    assert plan_publication(CATALOGUE, write_catalogue(odd), Rules.shipped())
    book = openpyxl.load_workbook(path)
    del book["Lĩnh vực"]
    book.save(path)
    kept, _ = read_sheet(path, 2, [*fields, replace(fields[0], name_vi="Hộ tich")])
    assert kept
    assert len(kept.fields) == 3


def test_two_versions_of_one_day_are_refused(tmp_path: Path) -> None:
    """Rows that contradict one another are refused as a whole."""
    path = tmp_path / "a.xlsx"
    write_sheet(path, small())
    change(path, "Thủ tục", 3, "Mã thủ tục", small().procedures[0].code)
    made, problems = read_sheet(path, 2)
    assert made is None
    assert problems
    assert {sheet.label for sheet in SHEETS} == {"Thủ tục", "Giấy tờ", "Các bước", "Lĩnh vực"}


def test_a_workbook_is_made_to_be_filled_in(tmp_path: Path) -> None:
    """Words are chosen from lists, what is typed stays text, long cells are wrapped and not cut."""
    write_sheet(tmp_path / "a.xlsx", small())
    page = openpyxl.load_workbook(tmp_path / "a.xlsx")["Thủ tục"]
    lists = {str(rule.sqref): rule.formula1 for rule in page.data_validations.dataValidation}
    head = {cell.value: cell.column_letter for cell in page[1]}
    assert lists[f"{head['Giải quyết (xã, liên thông, tỉnh)']}2:L20000"] == '"xã,liên thông,tỉnh"'
    assert lists[f"{head['Lĩnh vực']}2:D20000"].startswith("'Lĩnh vực'!")
    assert {page.column_dimensions[letter].number_format for letter in head.values()} == {"@"}
    assert (page.freeze_panes, page.auto_filter.ref) == ("B2", page.dimensions)
    for cell in page["B"]:
        lines = page.row_dimensions[cell.row].height / 15
        assert cell.alignment.wrap_text
        assert lines * page.column_dimensions["B"].width >= len(str(cell.value))
