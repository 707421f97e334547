"""Personal data: masked for who only administers, and posted only as far as the lists allow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from onestop_sync.dossier.data import shipped_posting
from onestop_sync.dossier.personal import HIDDEN, PERSONAL, initials
from onestop_sync.dossier.posting import POSTABLE, mask_from_plain
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.errors import FormatError, NotAllowed
from tests.unit.cli_world import PASSPHRASE, Commune, Shell, exchange, take_in


@pytest.fixture
def commune(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Commune]:
    """A province with its administrator; the passphrase is in the environment."""
    monkeypatch.setenv("ONESTOP_PASSPHRASE", PASSPHRASE)
    made = Commune(tmp_path)
    yield made
    made.close()


SECRETS = ("Hường", "001199012345", "Thôn Đoài", "0912345678", "gọi lại", "căn cước.pdf", "khuyết tật nặng")


def test_who_only_administers_sees_no_citizen(
    commune: Commune, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """An administrator's list, dossier, history and conflicts hold codes and steps, and nobody's data."""
    place = commune.place("pc1")
    desk = commune.desk(place)
    doc = take_in(desk)
    scan = tmp_path / "căn cước.pdf"
    scan.write_bytes(b"%PDF")
    desk.attach(doc, scan)
    desk.note(doc, "gọi lại")
    desk.charge(doc, "mien", amount_vnd=5_000, reason="khuyết tật nặng")
    commune.colleague(place, "Quản", ["quan_tri"])
    code = str(desk.show(doc).view.code)
    desk.close()
    shell = Shell(capsys, commune, place)
    shown = (["list"], ["show", code], ["verify", code])
    for command in (*shown, *([*each, "--json"] for each in shown), ["conflicts"]):
        said = shell.run(*command, "--officer", "Quản")
        assert shell.code == 0, said
        assert not [word for word in SECRETS if word in said], command
        clear = shell.run(*command, "--officer", "An")
        assert command == ["conflicts"] or "Hường" in clear
    # Nor does a search tell, by what it finds, what a mask hides.
    for words, sees in ((code[-4:], True), ("huong", False), ("09123", False), ("001199012345", False)):
        assert (code in shell.run("list", words, "--officer", "Quản")) == sees
        assert code in shell.run("list", words, "--officer", "An")
    assert "***345" in shell.run("show", code, "--json", "--officer", "Quản")
    for command in (
        ["attachments", code],
        ["attachment", code, "căn cước.pdf", "--out", str(tmp_path / "x")],
    ):
        shell.run(*command, "--officer", "Quản")
        assert shell.code in {1, 2}
    admin = commune.desk(place, "Quản")
    with pytest.raises(NotAllowed):
        admin.save_attachment(doc, "căn cước.pdf", tmp_path / "x")
    with pytest.raises(NotAllowed):
        admin.write_evidence(doc, tmp_path / "x")
    with pytest.raises(NotAllowed):
        admin.export_data(tmp_path / "x")
    with pytest.raises(NotAllowed):
        admin.print_forms([doc], "receipt", tmp_path)
    with pytest.raises(NotAllowed):
        admin.register(2026)
    assert not (tmp_path / "x").exists()


def test_what_changed_and_what_disagrees_is_masked_too(
    commune: Commune, capsys: pytest.CaptureFixture[str]
) -> None:
    """Notices and conflicts, with what stood before the conflict, show an administrator nobody's data."""
    hub = commune.hub("xã", "c1")
    place = commune.place("pc1")
    one, two = commune.desk(place), commune.desk(commune.place("pc2"))
    doc = take_in(one)
    for each in (one, two):
        exchange(each.store, hub.store)
    one.edit(doc, {"dien_thoai": "0911111111"})
    two.edit(doc, {"dien_thoai": "0922222222"})
    for each in (one, two, one):
        exchange(each.store, hub.store)
    code = one.show(doc).code
    commune.colleague(place, "Quản", ["quan_tri"])
    one.close()
    shell = Shell(capsys, commune, place)
    for command in (["notices"], ["notices", "--json"], ["conflicts", code], ["conflicts", code, "--json"]):
        clear = shell.run(*command, "--officer", "An")
        assert "0911111111" in clear or "Hường" in clear, command
        said = shell.run(*command, "--officer", "Quản")
        assert shell.code == 0, said
        assert not [word for word in (*SECRETS, "0911111111", "0922222222") if word in said], command


def test_every_field_of_a_person_is_named() -> None:
    """A field that is not said to be personal is one that says nothing about a person."""
    about_the_dossier = {
        "ma_ho_so", "ma_thu_tuc", "ten_thu_tuc", "hinh_thuc_nop", "nguon", "tiep_nhan_luc", "han_tra",
        "so_theo_doi",
        "loai_doi_tuong", "so_bo", "giay_to", "cach_nhan", "nguoi_thu_ly", "tra_luc",
    }  # fmt: skip
    assert {field.name for field in DOSSIER.fields} - set(PERSONAL) == about_the_dossier
    assert initials("Nguyễn Thị Hường") == "N.T.H."
    assert HIDDEN == "***"


def test_only_what_may_be_published_is_posted(commune: Commune, capsys: pytest.CaptureFixture[str]) -> None:
    """The board shows the fields of the procedure's list and no other; drafts are left out."""
    place = commune.place("pc1")
    desk = commune.desk(place)
    code = str(desk.show(take_in(desk, nguoi_nop="Nguyễn <b>Hường</b>")).view.code)
    draft = desk.new_draft("1.001193", {}).doc.hex()
    desk.close()
    shell = Shell(capsys, commune, place)
    said = shell.run("post", code, draft)
    assert not [word for word in SECRETS if word in said]
    assert f"Mã hồ sơ: {code}" in said
    assert "không niêm yết, chưa tiếp nhận" in said
    lists = commune.folder / "truong.json"
    names = {"fields": {"nguoi_nop": "full", "buoc": "full"}}
    lists.write_text(json.dumps(names), encoding="utf-8")
    # An officer leaves more out than the province, and puts nothing in: the birth's list names nobody.
    assert "Hường" not in shell.run("post", code, "--fields", str(lists))
    again = commune.desk(place)
    wider = json.dumps({**names, "procedures": {"1.001193": {"nguoi_nop": "full", "ma_ho_so": "full"}}})
    commune.province.publish_files(again.store, posting__json=wider.encode())
    again.close()
    page = commune.folder / "niem-yet.html"
    shell.run("post", code, "--fields", str(lists), "--out", str(page))
    text = page.read_text("utf-8")
    assert "Nguyễn &lt;b&gt;Hường&lt;/b&gt;" in text
    assert code not in text
    assert ("<b>Xã Một</b>" in text, "Niêm yết ngày 21/09/2026; 1 hồ sơ" in text) == (True, True)
    lists.write_text(json.dumps({"fields": {"so_dinh_danh": "full"}}), encoding="utf-8")
    assert "so_dinh_danh không được niêm yết" in shell.run("post", code, "--fields", str(lists))
    assert shell.code == 2


def test_the_shipped_lists_are_lists() -> None:
    """What is shipped can be read; numbers, telephones and scans are in no list that can."""
    mask = mask_from_plain(shipped_posting())
    assert set(mask.general) <= set(POSTABLE)
    assert "nguoi_nop" not in mask.general
    for field in ("so_dinh_danh", "dien_thoai", "email", "ngay_sinh", "dinh_kem", "ghi_chu"):
        with pytest.raises(FormatError):
            mask_from_plain({"fields": {field: "full"}})
