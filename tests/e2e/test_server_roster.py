"""`onestop-server roster`: from an empty spreadsheet to printed sheets, in the words of the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from onestop_sync.keyring import Keyring
from onestop_sync.keys import FAST_FOR_TESTS
from server_stub import cli, province, roster_apply
from tests.e2e.servers import PASSPHRASE

UNITS = [{"id": "t01", "name": "UBND tỉnh", "level": "province", "codes": ["000.00.00.H56"]}]


class Desk:
    """An administrator's desk with a founded province."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capsys = capsys
        units = folder / "units.json"
        units.write_text(json.dumps(UNITS), encoding="utf-8")
        self.run("init", "--units", units, "--name", "Tỉnh", *self.here)

    @property
    def here(self) -> tuple[object, ...]:
        """The folder's arguments."""
        return ("--folder", self.folder / "tinh")

    def run(self, *words: object, code: int = 0) -> str:
        """Runs a command; returns what it said."""
        found = cli.main([str(word) for word in words])
        out, err = self.capsys.readouterr()
        assert found == code, err
        return out + err

    def apply(self, book: Path, pdf: str, *options: object) -> Any:
        """Applies a roster."""
        words = ("roster", "apply", book, "--sheets", self.folder / pdf, "--server", "https://t.example.vn")
        return json.loads(self.run(*words, "--json", *options, *self.here))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    """Give a desk with the passphrases in the environment."""
    real = province.found
    monkeypatch.setattr(province, "found", lambda *a, **k: real(*a, **k, cost=FAST_FOR_TESTS))
    monkeypatch.setattr("server_stub.commands.Keyring", lambda folder: Keyring(folder, cost=FAST_FOR_TESTS))
    monkeypatch.setenv("ONESTOP_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("ONESTOP_ROOT_PASSPHRASE", PASSPHRASE)
    monkeypatch.delenv("ONESTOP_DATABASE", raising=False)
    return Desk(tmp_path, capsys)


def test_from_the_template_to_the_sheets(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Template, check, apply: a PDF lies there, and the code is in nothing else; again, nothing happens."""
    made: list[roster_apply.SheetFacts] = []
    real = roster_apply._Work._make

    def keep(work: Any, *arguments: Any) -> None:
        real(work, *arguments)
        made.append(work.sheets[-1])

    monkeypatch.setattr(roster_apply._Work, "_make", keep)
    book = desk.folder / "danh-sach.xlsx"
    desk.run("roster", "template", book)
    assert "1 new units, 1 machines, 1 officers" in desk.run("roster", "check", book, *desk.here)
    said = desk.apply(book, "phieu.pdf")
    assert ([*said["units"]], len(said["sheets"])) == (["x01"], 1)
    assert (desk.folder / "phieu.pdf").read_bytes().startswith(b"%PDF")
    assert (desk.folder / "phieu.pdf").stat().st_mode & 0o077 == 0
    again = desk.apply(book, "phieu2.pdf")
    assert (again["unchanged"], again["sheets"], again["file"]) == (1, [], "")
    assert not (desk.folder / "phieu2.pdf").exists()
    assert not [group for group in made[0].made.code.split("-")[1:] if group in json.dumps([said, again])]
    listed = json.loads(desk.run("enrol", "codes", "--json", *desk.here))
    assert [(c["unit"], c["state"]) for c in listed] == [("x01", "open")]


def test_a_bad_row_is_told_and_nothing_is_done(desk: Desk) -> None:
    """Check and apply name sheet, row and column, end with 1, and change nothing."""
    book = desk.folder / "danh-sach.xlsx"
    desk.run("roster", "template", book)
    opened = openpyxl.load_workbook(book)
    opened["Máy"]["A2"] = "x99"
    opened.save(book)
    said = desk.run("roster", "check", book, *desk.here, code=1)
    assert "Máy, row 2, Mã đơn vị: There is no unit x99." in said
    desk.run("roster", "apply", book, "--sheets", desk.folder / "s.pdf", "--server", "u", *desk.here, code=1)
    assert not (desk.folder / "s.pdf").exists()
    assert json.loads(desk.run("enrol", "codes", "--json", *desk.here)) == []


def test_sheets_in_use_are_not_overwritten(desk: Desk) -> None:
    """A file that is there stays, no code is made, and the same with another name works."""
    book = desk.folder / "danh-sach.xlsx"
    desk.run("roster", "template", book)
    (desk.folder / "phieu.pdf").write_bytes(b"old")
    words = ("roster", "apply", book, "--server", "https://t.example.vn", *desk.here)
    assert "is there already" in desk.run(*words, "--sheets", desk.folder / "phieu.pdf", code=1)
    assert (desk.folder / "phieu.pdf").read_bytes() == b"old"
    assert len(desk.apply(book, "phieu2.pdf")["sheets"]) == 1
