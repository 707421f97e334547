"""Ratings and complaints: noted for ever, handled by the head, and counted as the circular counts them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from onestop_sync.dossier.complaint import COMPLAINT
from onestop_sync.dossier.rating import ratings_of
from onestop_sync.dossier.roles import PORTAL
from onestop_sync.errors import InvalidInput, NotAllowed, NotFound
from onestop_sync.fold import Author, Entry, Reason, judge
from tests.unit.cli_world import PASSPHRASE, Commune, Shell, take_in


@pytest.fixture
def commune(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Commune]:
    """A province with its administrator; the passphrase is in the environment."""
    monkeypatch.setenv("ONESTOP_PASSPHRASE", PASSPHRASE)
    made = Commune(tmp_path)
    yield made
    made.close()


def test_a_complaint_is_handled_by_the_head_and_counted(
    commune: Commune, capsys: pytest.CaptureFixture[str]
) -> None:
    """A clerk notes it, the head sets its time and answers; untrue, it does not count; late, it is told."""
    place = commune.place("pc1")
    commune.colleague(place, "Bình", ["tiep_nhan"])
    desk = commune.desk(place)
    code = str(desk.show(take_in(desk)).view.code)
    clerk = commune.desk(place, "Bình")
    doc = clerk.complain("Thái độ chưa đúng", dossier=str(int(code[-4:])), sender="Lê C")
    with pytest.raises(NotAllowed):
        clerk.take_complaint(doc, commune.clock() + 1)
    (facts,) = desk.complaints(code)
    assert (facts.handling.step, facts.handling.counts, facts.is_late) == ("moi", True, False)
    assert desk.take_complaint(doc, commune.clock() + 2).handling.step == "dang_xu_ly"
    commune.province.clock_ms += 10
    assert desk.complaints()[0].is_late
    ended = desk.answer_complaint(doc, "Đã xác minh", is_founded=False)
    assert (ended.handling.step, ended.handling.counts, ended.is_late) == ("da_tra_loi", False, True)
    with pytest.raises(NotAllowed):
        desk.dismiss_complaint(doc, "x")
    with pytest.raises(InvalidInput):
        desk.complain("  ")
    with pytest.raises(NotFound):
        desk.complain("Chờ lâu", dossier="0999")
    shell = Shell(capsys, commune, place)
    said = shell.run("complaint", "--officer", "An")
    assert ("đã trả lời" in said, "quá hạn" in said, "không tính vào đánh giá" in said) == (True, True, True)


def test_a_rating_is_noted_for_ever(commune: Commune, capsys: pytest.CaptureFixture[str]) -> None:
    """Each rating stands beside the others with its score and words; another score than 0, 1, 2 is none."""
    place = commune.place("pc1")
    desk = commune.desk(place)
    doc = take_in(desk)
    shell = Shell(capsys, commune, place)
    shell.run("rate", doc.hex(), "2", "--words", "nhanh")
    desk.rate(doc, 0)
    notes = [value for _, _, value in desk.store.document(doc).state.notes["danh_gia"]]
    assert [(note["diem"], note.get("loi")) for note in notes] == [(2, "nhanh"), (0, None)]
    with pytest.raises(InvalidInput):
        desk.rate(doc, 3)


def test_what_people_said_comes_as_a_file(commune: Commune, capsys: pytest.CaptureFixture[str]) -> None:
    """Ratings and complaints of a file are taken once each; a wrong one is told, and stops no other."""
    place = commune.place("pc1")
    desk = commune.desk(place)
    doc = take_in(desk)
    code = str(desk.show(doc).view.code)
    shell = Shell(capsys, commune, place)
    path = commune.folder / "may-danh-gia.json"
    ratings = [{"MaDanhGia": "1", "MaHoSo": code, "Diem": "0", "NoiDung": "chậm"}, {"MaDanhGia": "2"}]
    path.write_text(json.dumps(ratings), encoding="utf-8")
    said = shell.run("rate", "--from-portal", str(path), "--portal-name", "Máy số 1")
    assert (shell.code, "1: đã ghi vào hồ sơ" in said, "Đánh giá thứ 2 (trường MaHoSo)" in said) == (
        1,
        True,
        True,
    )
    again = shell.json("rate", "--from-portal", str(path), "--portal-name", "Máy số 1")
    assert [each["is_new"] for each in again["ratings"]] == [False]
    assert "0 điểm, không hài lòng: chậm (Máy số 1, mã 1)" in shell.run("show", code)
    (rating,) = ratings_of(desk.store.document(doc).state)
    assert (rating.score, rating.source) == (0, ("Máy số 1", "1"))
    path.write_text(
        json.dumps({"MaPhanAnh": "P1", "MaDonVi": "000.01.01.H99", "NoiDung": "x"}), encoding="utf-8"
    )
    assert "P1: đã ghi phản ánh" in shell.run("complaint", "--from-portal", str(path))
    assert "P1: đã có trên máy này" in shell.run("complaint", "--from-portal", str(path))
    assert len(desk.complaints()) == 1
    assert "cần điểm" in shell.run("rate", code)
    assert "cần mã hồ sơ" in shell.run("rate")
    assert shell.code == 2


def test_a_portal_files_a_complaint_and_handles_none() -> None:
    """An integration's key may bring a complaint, and neither judge it nor change one that is there."""
    portal = Author("x01", frozenset({"x01"}), frozenset({PORTAL}))
    filed = Entry(b"", (), [["set", "noi_dung", "x"]], portal, 0)
    assert judge(COMPLAINT, None, filed) is None
    beyond = Entry(b"", (), [["set", "noi_dung", "x"], ["act", "main", "take", {"han": 1}]], portal, 0)
    assert judge(COMPLAINT, None, beyond) is Reason.ROLE
