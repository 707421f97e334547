"""An older register: each bad line told by its number and column, all of it taken in or nothing."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from onestop_sync.dossier.register_rows import map_from_plain
from onestop_sync.errors import FormatError
from tests.unit.cli_world import PASSPHRASE, Commune, Shell

COLUMNS = {
    "Mã hồ sơ": "ma_ho_so", "Thủ tục": "ma_thu_tuc", "Người nộp": "nguoi_nop", "Số CCCD": "so_dinh_danh",
    "Địa chỉ": "dia_chi", "Ngày nhận": "tiep_nhan_luc", "Hẹn trả": "han_tra", "Ngày trả": "tra_luc",
    "Tình trạng": "trang_thai",
}  # fmt: skip
MAPPING = {"columns": COLUMNS, "procedures": {"Khai sinh": "1.001193"}, "returned": ["Đã trả"]}
OF_A_CELL = datetime(2026, 8, 10, 8)  # noqa: DTZ001 - as a workbook has it
ID = "001199012345"
GOOD = [
    [
        "07/2026",
        "Khai sinh",
        "Hợp tác xã Bé",
        "0101234567",
        "Thôn Đông",
        "10/08/2026",
        "11/08/2026",
        "",
        "Đang làm",
    ],
    ["06/2026", "Khai sinh", "Lê Thị Cúc", ID, "Thôn Tây", "01/08/2026 08:15", "", "02/08/2026", "Đã trả"],
    ["05/2020", "Thủ tục xưa", "Phạm D", "", "", "02/03/2020", "", "05/03/2020", "Đã trả"],
]


@pytest.fixture
def commune(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Commune]:
    """A province with its administrator; the passphrase is in the environment."""
    monkeypatch.setenv("ONESTOP_PASSPHRASE", PASSPHRASE)
    made = Commune(tmp_path)
    yield made
    made.close()


@pytest.fixture
def shell(commune: Commune, capsys: pytest.CaptureFixture[str]) -> Shell:
    """The command of one machine; the mapping is a file beside its store."""
    shell = Shell(capsys, commune, commune.place("pc1"))
    (commune.folder / "map.json").write_text(json.dumps(MAPPING, ensure_ascii=False), encoding="utf-8")
    return shell


def table(path: Path, rows: list[list[Any]]) -> Path:
    """Writes a register: as a workbook, or as values with semicolons; two empty lines stand on top."""
    lines: list[list[Any]] = [[None] * 9, [None] * 9, list(COLUMNS), *rows]
    if path.suffix == ".xlsx":
        book = openpyxl.Workbook()
        assert book.active is not None
        for line in lines:
            book.active.append(line)
        book.save(path)
    else:
        path.write_text(
            "\n".join(";".join(str(c or "") for c in line) for line in lines), encoding="utf-8-sig"
        )
    return path


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_a_register_is_taken_in_with_its_codes(shell: Shell, commune: Commune, suffix: str) -> None:
    """Open lines become dossiers that go on under their old codes, closed ones entries that are found."""
    path = table(commune.folder / f"so{suffix}", GOOD)
    how = ("--mapping", str(commune.folder / "map.json"))
    dry = shell.json("import-register", str(path), *how, "--dry-run")
    assert (dry["going"], dry["old"], dry["bad"], dry["is_done"]) == (1, 2, [], False)
    assert shell.json("list")["rows"] == []
    assert shell.json("import-register", str(path), *how)["is_done"]
    (entry,) = shell.json("old-register", "le thi cuc")
    assert (entry["ma_ho_so"], entry["nguon"]["cach"], entry["nguon"]["dong"]) == ("06/2026", "so", 5)
    (old,) = shell.json("old-register", "pham")
    assert old["ten_thu_tuc"] == "Thủ tục xưa"
    shown = shell.json("show", "07/2026")
    assert (shown["step"], shown["due_state"]["kind"]) == ("accepted", "overdue")
    assert shown["fields"]["loai_doi_tuong"] == "to_chuc"  # its number is a tax number
    shell.run("handover", "07/2026")
    assert shell.code == 0
    again = shell.json("import-register", str(path), *how)
    assert ([each["reason"] for each in again["bad"]], again["is_done"]) == (["here"] * 3, False)


def test_each_bad_line_is_told_and_nothing_is_taken(shell: Shell, commune: Commune) -> None:
    """With one wrong line nothing is written, and every wrong line is told by number, column and reason."""
    bad: list[list[Any]] = [
        ["1", "Khai sinh", "A", 1199012345, "x", "10/08/2026", "11/08/2026", "", ""],
        ["", "Khai sinh", "A", "", "x", "10/08/2026", "11/08/2026", "", ""],
        ["2", "Lạ", "A", "", "x", "10/08/2026", "11/08/2026", "", ""],
        ["3", "Khai sinh", "A", "123", "x", "10/08/2026", "11/08/2026", "", ""],
        ["4", "Khai sinh", "A", "", "x", "2026.08.10", "11/08/2026", "", ""],
        ["5", "Khai sinh", "A", "", "x", "10/08/2026", "09/08/2026", "", ""],
        ["07/2026", "Khai sinh", "A", "", "x", OF_A_CELL, "11/08/2026", "", ""],
        ["6", "Khai sinh", "A", "", "x", "10/08/2030", "11/08/2030", "", ""],
        ["7", "Khai sinh", "A", "", "x", "10/08/2026", "", "", ""],
        ["8", "Khai sinh", "A", "", "x", "10/08/0026", "11/08/2026", "", ""],
        ["9", "Khai sinh", "#N/A", "", "x", "10/08/2026", "11/08/2026", "", ""],
        ["10", "Khai sinh", "A", "", "x", "10/08/2026", "11/08/2026", "12/08/2026", "Đang làm"],
        ["000.01.01.H99-300101-0001", "Khai sinh", "A", "", "x", "10/08/2026", "11/08/2026", "", ""],
    ]
    path = table(commune.folder / "so.xlsx", [*GOOD, *bad])
    said = shell.run("import-register", str(path), "--mapping", str(commune.folder / "map.json"))
    assert shell.code == 1
    lines = [line for line in said.splitlines() if line.startswith("Dòng ")]
    assert [line.split(",")[0] for line in lines] == [f"Dòng {number}" for number in range(7, 20)]
    assert "Dòng 7, cột Số CCCD: ô là số" in said
    assert "Dòng 13, cột Mã hồ sơ: mã đã có ở dòng trước trong tệp" in said
    assert "Dòng 15, cột Hẹn trả: còn trống" in said
    assert "Dòng 17, cột Người nộp: ô là lỗi của công thức" in said
    assert "Dòng 18, cột Tình trạng: có ngày trả" in said
    assert shell.json("list")["rows"] == []
    assert shell.json("old-register") == []


def test_registers_as_offices_have_them(shell: Shell, commune: Commune) -> None:
    """A title above, letters in parts, years before the decree; the mapping proposed by the headings does."""
    rows = [*GOOD, ["01/2015", "Thủ tục xưa", "Ông B", "", "", "02/03/2015", "05/03/2015", "", "Đã trả"]]
    lines = [["UBND XÃ", "SỔ THEO DÕI HỒ SƠ"], list(COLUMNS), *rows]
    text = unicodedata.normalize("NFD", "\r\n".join("\t".join(line) for line in lines))
    path = commune.folder / "so.txt"
    path.write_bytes(text.encode("utf-16"))
    how = ("--mapping", str(commune.folder / "proposed.json"))
    shell.run("import-register", str(path), *how, "--propose")
    said = json.loads((commune.folder / "proposed.json").read_text(encoding="utf-8"))
    assert said == MAPPING | {
        "dates": ["%d/%m/%Y", "%d/%m/%Y %H:%M"], "procedures": {"Khai sinh": "1.001193", "Thủ tục xưa": ""},
    }  # fmt: skip
    shell.run("import-register", str(path), *how, "--propose")
    assert shell.code == 2  # a mapping that somebody corrected is not written over
    found = shell.json("import-register", str(path), *how)
    assert (found["going"], found["old"], found["bad"], found["is_done"]) == (1, 3, [], True)


@pytest.mark.parametrize("word", ["NguyÔn V¨n §øc", "Nguyeãn Vaên Ñöùc"])
def test_letters_before_unicode_are_refused(shell: Shell, commune: Commune, word: str) -> None:
    """Names in TCVN3 or VNI letters, or in a code page, are never taken in as they look."""
    how = ("--mapping", str(commune.folder / "map.json"))
    path = table(commune.folder / "so.xlsx", [[f"{n}/2015", "x", word, *["", word] * 2] for n in range(20)])
    assert "không phải Unicode" in shell.run("import-register", str(path), *how)
    (commune.folder / "so.csv").write_bytes("Mã hồ sơ,Ngu".encode("cp1258", "replace") + b"\xd4\xff\n")
    assert "CSV UTF-8" in shell.run("import-register", str(commune.folder / "so.csv"), *how)


def test_a_register_that_is_none_is_refused(shell: Shell, commune: Commune) -> None:
    """A file that is no table, lacks a column, or a mapping of no field is told, and nothing written."""
    how = ("--mapping", str(commune.folder / "map.json"))
    path = commune.folder / "so.xlsx"
    path.write_bytes(b"PK no workbook")
    assert "Không đọc được bảng" in shell.run("import-register", str(path), *how)
    (commune.folder / "so.csv").write_text("Mã,Tên\n1,A\n", encoding="utf-8")
    assert "Cột: Mã hồ sơ." in shell.run("import-register", str(commune.folder / "so.csv"), *how)
    (commune.folder / "map.json").write_text('{"columns": {"Mã": "ma_ho_so"}}', encoding="utf-8")
    assert "nguoi_nop, tiep_nhan_luc" in shell.run("import-register", str(path), *how)
    with pytest.raises(FormatError):
        map_from_plain({"columns": {"Mã": "khong_co"}})
    with pytest.raises(FormatError):
        map_from_plain({"columns": {"Mã": "ma_ho_so"}})


def test_what_a_portal_filed_comes_as_a_file(shell: Shell, commune: Commune) -> None:
    """A file of filed dossiers makes drafts, each once; a wrong one stops no other, and they are accepted."""
    filed = {
        "MaHoSo": "DVC-1", "MaDonVi": "000.01.01.H99", "MaTTHC": "1.001193", "ChuHoSo": "Nguyễn A",
        "MaDoiTuong": "001199012345", "DiaChi": "Thôn Đoài",
    }  # fmt: skip
    rows = [filed, {**filed, "MaHoSo": "DVC-2", "MaDonVi": "000.02.01.H99"}, {**filed, "MaHoSo": ""}]
    path = commune.folder / "cong.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    said = shell.run("intake", "--from-portal", str(path))
    assert shell.code == 1
    assert "Hồ sơ thứ 2: Hồ sơ nộp cho đơn vị khác" in said
    assert "Hồ sơ thứ 3 (trường MaHoSo)" in said
    found = shell.json("intake", "--from-portal", str(path))
    assert [each["is_new"] for each in found["drafts"]] == [False]
    doc = found["drafts"][0]["doc"]
    assert "Đã tiếp nhận" in shell.run("intake", doc, "--all-papers") or shell.code == 0
    assert shell.json("show", doc)["fields"]["hinh_thuc_nop"] == "truc_tuyen"
