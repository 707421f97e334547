"""Everything in open formats: whole, readable without this program, noted, and only by who may."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from commune_client.desk.desk import Desk
from commune_client.desk.open_data import FILES
from onestop_sync.dossier.open_data import SCHEMA
from onestop_sync.dossier.types import TYPES
from onestop_sync.errors import InvalidInput, NotAllowed
from tests.unit.cli_world import PASSPHRASE, Commune, Shell, take_in


@pytest.fixture
def commune(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Commune]:
    """A province with its administrator; the passphrase is in the environment."""
    monkeypatch.setenv("ONESTOP_PASSPHRASE", PASSPHRASE)
    made = Commune(tmp_path)
    yield made
    made.close()


def test_everything_is_there_and_can_be_read(commune: Commune, tmp_path: Path) -> None:
    """Lines, table, attachments and the description hold what the store holds; formulas stay words."""
    desk: Desk = commune.desk(commune.place("pc1"))
    doc = take_in(desk, dia_chi="=1+1")
    scan = tmp_path / "to khai.pdf"
    scan.write_bytes(b"%PDF-1.7 scan")
    desk.attach(doc, scan)
    desk.note(doc, "gọi lại")
    found = desk.export_data(tmp_path / "xuat")
    assert (found.counts["ho-so.jsonl"], found.counts["dinh-kem"], found.missing) == (1, 1, 0)
    (line,) = (json.loads(text) for text in (found.folder / "ho-so.jsonl").read_text("utf-8").splitlines())
    assert set(line) <= set(SCHEMA["properties"])
    assert line["fields"]["nguoi_nop"] == "Nguyễn Thị Hường"
    assert [each["who"] for each in line["history"]] == ["An"] * 3
    content = line["fields"]["dinh_kem/to khai.pdf"]["attachment"]
    assert (found.folder / "dinh-kem" / content).read_bytes() == scan.read_bytes()
    (row,) = csv.DictReader((found.folder / "ho-so.csv").read_text("utf-8-sig").splitlines())
    assert (row["dia_chi"], row["trang_thai"]) == ("'=1+1", "Đã tiếp nhận")
    assert "dữ liệu cá nhân" in (found.folder / "README.md").read_text("utf-8")
    assert found.folder.stat().st_mode & 0o077 == 0
    assert "export" in [each.what for each in desk.audit()]
    with pytest.raises(InvalidInput):
        desk.export_data(tmp_path / "xuat")


def test_every_kind_of_document_has_its_file(commune: Commune, tmp_path: Path) -> None:
    """Nothing that is written here lacks a file; a signed report is unpacked."""
    assert {kind.name for kind in FILES.values()} == {kind.name for kind in TYPES}
    desk: Desk = commune.desk(commune.place("pc1"))
    commune.province.clock_ms = desk.period().end_ms + 1000
    signed = desk.freeze_report(desk.report("Q4/2026"))
    found = desk.export_data(tmp_path / "xuat")
    (line,) = (json.loads(text) for text in (found.folder / "bao-cao.jsonl").read_text("utf-8").splitlines())
    assert (line["id"], line["content"]["period"]) == (signed.doc.hex(), "Q4/2026")


def test_only_who_may_and_who_was_warned(commune: Commune, capsys: pytest.CaptureFixture[str]) -> None:
    """A clerk is refused, and nobody exports without having confirmed what it is; nothing is left behind."""
    clerk = commune.desk(commune.place("pc2", officer="Bình", roles=("tiep_nhan",)))
    folder = commune.folder / "xuat"
    with pytest.raises(NotAllowed):
        clerk.export_data(folder)
    shell = Shell(capsys, commune, commune.place("pc3"))
    assert "KHÔNG mã hóa" in shell.run("export-data", str(folder))
    assert (shell.code, folder.exists()) == (2, False)
    shell.run("export-data", str(folder), "--yes")
    assert (shell.code, folder.exists()) == (0, True)
