"""``onestop verify`` and ``evidence``: what they say, and with what they end."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from commune_client.desk.desk import Desk
from onestop_sync import publisher
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.erasure import plan_erasure, plan_files
from onestop_sync.keys import fingerprint
from onestop_sync.storage import tables as t
from onestop_sync.verification import verify_document
from tests.unit.cli_world import Commune, Shell, act, take_in


class Counter:
    """A machine with one dossier that was handed over, and its command line."""

    def __init__(self, commune: Commune, capsys: pytest.CaptureFixture[str]) -> None:
        self.commune = commune
        self.place = commune.place("pc")
        with self.place.unlock("An", "mật khẩu rất dài") as desk:
            self.doc = take_in(desk)
            act(desk, self.doc, "handover", "receive")
            self.code = str(desk.store.document(self.doc).value("ma_ho_so"))
        self.root = fingerprint(commune.province.anchor)
        self.shell = Shell(capsys, commune, self.place)
        self.bare = Shell(capsys, commune)

    def opened(self) -> Desk:
        """Opens the machine's desk."""
        return self.commune.desk(self.place)

    def erase(self) -> None:
        """Erases the dossier by law."""
        desk = self.opened()
        plan = plan_erasure(verify_document(desk.store, self.doc), DOSSIER, why="Luật Lưu trữ", now_ms=1)
        held, root = desk.store.publication, self.commune.province.root
        desk.store.replace_trust(publisher.publish(held, root, now_ms=1, files=plan_files(held, [plan])))


@pytest.fixture
def counter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Counter]:
    """Give the machine, with its officer's passphrase in the environment."""
    monkeypatch.setenv("ONESTOP_PASSPHRASE", "mật khẩu rất dài")
    monkeypatch.delenv("ONESTOP_STORE", raising=False)
    commune = Commune(tmp_path)
    yield Counter(commune, capsys)
    commune.close()


def test_a_dossier_is_proven_in_words(counter: Counter) -> None:
    """Who, for which unit, in which role, by whose certificate, and what was done: in Vietnamese, with 0."""
    said = counter.shell.run("verify", counter.code)
    assert counter.shell.code == 0, said
    for words in (
        "chứng minh được toàn bộ", counter.root, "Người ký: An, Xã Một", "chứng nhận bởi: Tỉnh Mẫu",
        "do gốc của tỉnh nêu tên", "Bàn giao thẩm định", "Hiệu lực: có hiệu lực", "không phải chữ ký số",
    ):  # fmt: skip
        assert words in said, words


def test_the_whole_store_is_proven(counter: Counter) -> None:
    """``--all`` counts everything and tells how far it is; as JSON it is one object."""
    said = counter.shell.run("verify", "--all")
    assert (counter.shell.code, "1 hồ sơ (0 đã xóa" in said, "Đã kiểm tra" in said) == (0, True, True)
    found = counter.shell.json("verify", "--all")
    assert (found["proven"], found["documents"], found["problems"]) == (True, 1, [])


def test_a_changed_store_ends_with_one_and_says_where(counter: Counter) -> None:
    """A body that was changed behind the program's back is named, and the exit code is 1."""
    desk = counter.opened()
    event = desk.store.history(counter.doc)[0].event
    with desk.store.writing() as transaction:
        where = t.event.c.id == event.id
        transaction.connection.execute(sa.update(t.event).where(where).values(body=b"\x82"))
    for what in (["--all"], [counter.code]):
        said = counter.shell.run("verify", *what)
        assert counter.shell.code == 1
        assert "CHƯA chứng minh được hết" in said
        assert f"nội dung không phải nội dung đã ký: {event.id.hex()[:12]}" in said


def test_a_file_needs_no_store_and_a_compared_fingerprint(counter: Counter, tmp_path: Path) -> None:
    """Without a store: 0 with the right fingerprint, 2 without one or with another, which is then shown."""
    path = tmp_path / "chung-cu.evidence"
    said = counter.shell.run("evidence", counter.code, str(path))
    assert (counter.shell.code, "dữ liệu cá nhân" in said, counter.root in said) == (0, True, True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    said = counter.bare.run("verify", str(path), "--root", counter.root.upper())
    assert (counter.bare.code, "máy pc (Xã Một) xuất" in said) == (0, True)
    said = counter.bare.run("verify", str(path))
    assert (counter.bare.code, counter.root in said) == (2, True)
    said = counter.bare.run("verify", str(path), "--root", "0000 0000 0000 0000 0000")
    assert (counter.bare.code, "tệp thuộc gốc khác" in said) == (2, True)
    counter.shell.run("verify", counter.code, "--root", counter.root)
    assert counter.shell.code == 2


def test_a_changed_file_ends_with_one(counter: Counter, tmp_path: Path) -> None:
    """A file in which one letter of a dossier was changed is told; one that was cut short is no evidence."""
    path = tmp_path / "chung-cu.evidence"
    counter.shell.run("evidence", counter.code, str(path))
    data = path.read_bytes()
    path.write_bytes(data.replace("Hường".encode(), "Hưởng".encode()))
    said = counter.bare.run("verify", str(path), "--root", counter.root)
    assert (counter.bare.code, "ghi chép hỏng" in said) == (1, True)
    path.write_bytes(data[:-100])
    counter.bare.run("verify", str(path), "--root", counter.root)
    assert counter.bare.code == 1


def test_an_erased_dossier_is_proven_by_its_tombstone(counter: Counter, tmp_path: Path) -> None:
    """What stays is shown and proven; the dossier itself, and work on it, are refused with the reason."""
    counter.erase()
    said = counter.shell.run("verify", counter.code)
    assert counter.shell.code == 0, said
    for words in ("Đã xóa theo quy định", "Luật Lưu trữ", counter.code, "Bước cuối: Đang thẩm định"):
        assert words in said
    assert "Hường" not in said
    for command in (["show", counter.code], ["note", counter.code, "thêm"]):
        said = counter.shell.run(*command)
        assert (counter.shell.code, "đã được xóa theo quy định" in said) == (1, True), said
    assert "Đã xóa theo quy định" in counter.shell.run("list")
    path = tmp_path / "bia.evidence"
    counter.shell.run("evidence", counter.doc.hex(), str(path))
    assert counter.bare.json("verify", str(path), "--root", counter.root)["erased"]["why"] == "Luật Lưu trữ"
    assert counter.bare.code == 0


def test_the_doctor_finds_damage_and_makes_lists_again(counter: Counter) -> None:
    """A sound store says so; a lost list is found, told with the way out, and made again when asked for."""
    shell = counter.shell
    assert "Kho dữ liệu tốt." in shell.run("doctor")
    with counter.opened() as desk, desk.store.engine.begin() as connection:
        connection.execute(sa.delete(t.listing))
    said = shell.run("doctor")
    assert shell.code == 1
    assert "dòng trong danh sách không khớp" in said
    assert "onestop doctor --rebuild" in said
    assert "Đã dựng lại" in shell.run("doctor", "--rebuild")
    assert shell.code == 0
    with counter.opened() as desk:
        assert len(desk.dossiers().rows) == 1
