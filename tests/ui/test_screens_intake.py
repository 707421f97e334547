"""Intake at the counter: from the procedure to the code, and nothing lost on the way."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from textual.pilot import Pilot

from commune_client.app import OnestopApp
from commune_client.desk.place import Place
from commune_client.scratch import Note, Scratch
from commune_client.screens import words
from commune_client.screens.accepted import AcceptedScreen
from commune_client.screens.intake import IntakeScreen
from commune_client.screens.intake_form import DossierForm, due_at_close
from commune_client.screens.own_fields import own_fields
from commune_client.widgets.field_form import FieldForm
from commune_client.widgets.row_list import RowList
from demo.people import dossiers
from onestop_sync.dossier.checks import papers_of
from onestop_sync.dossier.data import shipped_catalogue
from onestop_sync.errors import StoreError
from onestop_sync.storage import engines
from tests.ui.office import APPLICANT, PASSPHRASE, Office, opened, settled, take_in
from tests.ui.screens import assert_golden, screen_text

AN = "Nguyễn Văn An"
CODE = "000.01.01.H99-260302-0001"


async def begin(pilot: Pilot[Any], procedure: str) -> FieldForm:
    """Choose a procedure by some letters, and return its form."""
    await pilot.press("f2")
    await settled(pilot)
    await pilot.press(*procedure, "enter")
    await settled(pilot)
    return pilot.app.screen.query_one(FieldForm)


def fill(form: FieldForm) -> None:
    """Fill in what has to be there, and tick all documents."""
    for name, value in APPLICANT.items():
        form.set_value(name, value)
    papers = next(row.field for row in form._rows.values() if row.field.name == "papers")
    form.set_value("papers", tuple(value for value, _ in papers.options))


async def test_from_procedure_to_code(tmp_path: Path) -> None:
    """A dossier is taken in without any line: code, due date, and why that day; it is in the list then."""
    place = Office(tmp_path).place()
    async with opened(place, AN) as pilot:
        form = await begin(pilot, "tinh trang hon nhan")
        assert_golden(pilot.app, "screen-intake-80")
        fill(form)
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert isinstance(pilot.app.screen, AcceptedScreen)
        assert_golden(pilot.app, "screen-accepted-80")
        assert CODE in screen_text(pilot.app)
        await pilot.press("f4")
        await settled(pilot)
        assert "Nguyễn Thị Hường" in screen_text(pilot.app)
    with Place(place.folder, clock=place.clock).unlock(AN, PASSPHRASE) as desk:
        values, papers = desk.form(desk.find(CODE))
        assert values["nguoi_nop"] == "Nguyễn Thị Hường"
        assert papers
    assert not list((place.folder / "typing").glob("*.note"))


async def test_wide_form(tmp_path: Path) -> None:
    """The form of a birth looks as its picture in 120 by 40."""
    async with opened(Office(tmp_path).place(), AN, (120, 40)) as pilot:
        await begin(pilot, "dang ky khai sinh")
        assert_golden(pilot.app, "screen-intake-120")


async def test_mistakes_are_shown_in_their_fields(tmp_path: Path) -> None:
    """Nothing is accepted while something is wrong; each fault stands below its field, papers too."""
    async with opened(Office(tmp_path).place(), AN) as pilot:
        form = await begin(pilot, "khai tu")
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert "cần sửa trước" in screen_text(pilot.app)
        assert {"nguoi_nop", "papers"} <= {name for name, row in form._rows.items() if row.error}  # at once
        fill(form)
        form.set_value("papers", ())
        form.set_value("ngay_sinh", "31/02/1990")
        form.set_value("so_dinh_danh", "123")
        await pilot.press("ctrl+s")
        await settled(pilot)
        errors = {name: row.error for name, row in form._rows.items() if row.error}
        assert set(errors) == {"papers", "ngay_sinh", "so_dinh_danh"}
        assert isinstance(pilot.app.screen, IntakeScreen)


async def crash(pilot: Pilot[Any]) -> None:
    """End the app as a power cut does, once the last letter is said to be kept."""
    await settled(pilot)
    assert words.KEPT in screen_text(pilot.app)


async def test_crash_loses_nothing(tmp_path: Path) -> None:
    """After the last letter is kept, the program dies; reopened, it offers the draft with every letter."""
    place = Office(tmp_path).place()
    async with opened(place, AN) as pilot:
        await begin(pilot, "khai tu")
        await pilot.press(*"Đặng Thị Hường", "tab", *"0001")
        await crash(pilot)
    with place.unlock(AN, PASSPHRASE) as desk:
        assert desk.count() == 0
    async with opened(place, AN) as pilot:
        await pilot.press("f2")
        await settled(pilot)
        first = screen_text(pilot.app).splitlines()[3]
        assert words.DRAFT in first
        assert "Đặng Thị Hường" in first
        await pilot.press("enter")
        await settled(pilot)
        values = pilot.app.screen.query_one(FieldForm).values()
        assert (values["nguoi_nop"], values["so_dinh_danh"]) == ("Đặng Thị Hường", "0001")
        assert words.OLD_TEXT_BACK in screen_text(pilot.app)


async def test_draft_is_sealed(tmp_path: Path) -> None:
    """What is being typed lies on the disk sealed, under a name that tells nothing."""
    place = Office(tmp_path).place()
    async with opened(place, AN) as pilot:
        await begin(pilot, "khai tu")
        await pilot.press(*"Hường")
        await crash(pilot)
    (path,) = (place.folder / "typing").iterdir()
    assert "Hường".encode() not in path.read_bytes()
    assert path.stem.isalnum()


async def test_discard(tmp_path: Path) -> None:
    """A draft is thrown away only when that is said twice, and leaves nothing."""
    place = Office(tmp_path).place()
    async with opened(place, AN) as pilot:
        await begin(pilot, "khai tu")
        await pilot.press("a", "f12", "enter")
        await settled(pilot)
        assert isinstance(pilot.app.screen, IntakeScreen)
        await pilot.press("f12", "down", "enter")
        await settled(pilot)
        assert words.DISCARDED in screen_text(pilot.app)
    assert not list((place.folder / "typing").glob("*.note"))


async def test_draft_accepted_just_before_the_crash(tmp_path: Path) -> None:
    """A draft whose dossier is there already is opened with a warning that names the code."""
    place = Office(tmp_path).place()
    async with opened(place, AN) as pilot:
        fill(await begin(pilot, "tinh trang hon nhan"))
        await crash(pilot)
        desk = pilot.app.desk  # type: ignore[attr-defined]
        take_in(desk, "1.004873")
    async with opened(place, AN) as pilot:
        await pilot.press("f2")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert words.maybe_accepted(CODE)[:60] in screen_text(pilot.app)


async def test_full_disk(tmp_path: Path) -> None:
    """When the disk refuses, one sentence says so, the form stays, and the next letter is kept again."""
    place = Office(tmp_path).place()
    folder = place.folder / "typing"
    async with opened(place, AN) as pilot:
        form = await begin(pilot, "khai tu")
        folder.write_text("in the way")
        await pilot.press(*"Lê")
        await settled(pilot)
        assert words.NOT_KEPT in screen_text(pilot.app)
        assert "Kho dữ liệu trên máy chưa làm được việc này" in screen_text(pilot.app)
        assert form.values()["nguoi_nop"] == "Lê"
        folder.unlink()
        await pilot.press("n")
        await settled(pilot)
        assert words.NOT_KEPT not in screen_text(pilot.app)
        assert words.KEPT in screen_text(pilot.app)


async def test_locked_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another program holds the store, one sentence says so; the form stays, and it works later."""
    monkeypatch.setattr(engines, "BUSY_S", 0.1)
    place = Office(tmp_path).place()
    other = place.unlock("Lê Quốc Chính", PASSPHRASE)
    async with opened(place, AN) as pilot:
        form = await begin(pilot, "tinh trang hon nhan")
        fill(form)
        await settled(pilot)
        with other.store.writing():
            await pilot.press("ctrl+s")
            await settled(pilot)
            assert "đang được chương trình khác sử dụng" in screen_text(pilot.app)
        assert form.values()["nguoi_nop"] == "Nguyễn Thị Hường"
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert isinstance(pilot.app.screen, AcceptedScreen)
    other.close()


async def test_wrong_clock(tmp_path: Path) -> None:
    """When the clock has jumped back, the date is confirmed before a code is issued."""
    office = Office(tmp_path)
    place = office.place()
    with place.unlock(AN, PASSPHRASE) as desk:
        take_in(desk)
    office.later(days=-3)
    async with opened(place, AN) as pilot:
        fill(await begin(pilot, "tinh trang hon nhan"))
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert f"{words.CONFIRM_DATE_TITLE} 27/02/2026?" in screen_text(pilot.app)
        await pilot.press("enter")
        await settled(pilot)
        assert "000.01.01.H99-260227-0001" in screen_text(pilot.app)


async def test_ask_for_what_is_missing(tmp_path: Path) -> None:
    """A draft that cannot be accepted becomes a dossier; what is missing is marked, and asked for."""
    async with opened(Office(tmp_path).place(), AN) as pilot:
        form = await begin(pilot, "khai tu")
        form.set_value("nguoi_nop", "Lê Thị Mơ")
        await pilot.press("ctrl+r")
        await settled(pilot)
        screen = screen_text(pilot.app)
        assert "Yêu cầu bổ sung khi tiếp nhận" in screen.replace("\u00a0", " ")
        digit = next(n for n in "123456" if f"{n} Yêu cầu bổ sung" in screen.replace("\u00a0", " "))
        await pilot.press(digit)
        await settled(pilot)
        asking = pilot.app.screen.query_one(FieldForm)
        missing = asking.values()["papers"]
        assert "Tờ khai đăng ký khai tử" in missing  # what is not here is marked already
        asking.set_value("ly_do", "Thiếu giấy báo tử")
        asking.set_value("noi_dung", "Giấy báo tử bản chính")
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert "Chờ bổ sung khi tiếp nhận" in screen_text(pilot.app)
        state = pilot.app.screen.dossier.view.state  # type: ignore[attr-defined]
        assert state.value("yeu_cau_bo_sung")["giay_to"] == list(missing)


async def test_name_of_ten_thousand_letters(tmp_path: Path) -> None:
    """A name of 10,000 letters is refused in one sentence in its field."""
    async with opened(Office(tmp_path).place(), AN) as pilot:
        form = await begin(pilot, "khai tu")
        form.set_value("nguoi_nop", "ư" * 10_000)
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert "Dài quá 9800 ký tự" in screen_text(pilot.app)
        app = pilot.app
        assert isinstance(app, OnestopApp)
        assert app.desk.count() == 0


async def test_search_of_procedures(tmp_path: Path) -> None:
    """Procedures are found by letters without marks, and by code."""
    async with opened(Office(tmp_path).place(), AN) as pilot:
        await pilot.press("f2", *"2.000815")
        await settled(pilot)
        rows = pilot.app.screen.query_one(RowList)
        assert [row.key for row in rows.rows] == ["2.000815"]
        for _ in "2.000815":
            await pilot.press("backspace")
        await pilot.press(*"mai tang")
        assert [row.key for row in rows.rows][:1] == ["1.001731"]


# ------------------------------------------------------------------ pure


@pytest.mark.parametrize("code", [item.code for item in shipped_catalogue().procedures if item.is_complete])
def test_forms_hold_whole_dossiers(code: str) -> None:
    """What an applicant of any procedure brings goes into its form and comes out the same."""
    catalogue = shipped_catalogue()
    content = next(item for item in dossiers(Random(3), catalogue, 64) if item.procedure_code == code)
    procedure = catalogue.get(code)
    papers = papers_of(procedure, content.attachments)
    form = DossierForm.of(procedure, content.fields, papers)
    shown = form.shown(content.fields, papers)
    registers = form.registers(shown)
    assert {key: registers[key] for key in content.fields} == content.fields
    assert set(shown["papers"]) == set(papers)


def test_unknown_own_fields_are_shown() -> None:
    """A field that only the dossier knows, and an option that is not offered, can be read and kept."""
    procedure = shipped_catalogue().get("1.001193")
    values = {"truong_rieng/Giới tính": "khác", "truong_rieng/Ngày lạ": ["a", "b"]}
    form = DossierForm.of(procedure, values)
    shown = form.shown(values, {})
    assert {form.registers(shown)[key] == value for key, value in values.items()} == {True}
    assert len({item.name for item in own_fields("1.001193")}) == len(own_fields("1.001193"))


def test_day_at_closing_time() -> None:
    """A day that was typed means its closing time in Vietnam; nonsense means nothing."""
    assert due_at_close("02/03/2026", 17 * 60) == 1_772_445_600_000
    assert due_at_close("hôm nào", 17 * 60) is None


def test_scratch(tmp_path: Path) -> None:
    """Notes come back newest first, a foreign key or damage reads as nothing, and a file is left alone."""
    scratch = Scratch(tmp_path, b"k" * 48)
    scratch.keep(Note("a", {"họ": "Lê", "giấy": ("x", "y")}, "An", 1))
    scratch.keep(Note("b", {}, "An", 2, {"doc": "00"}))
    assert [note.name for note in scratch.notes()] == ["b", "a"]
    assert scratch.read("a") == Note("a", {"họ": "Lê", "giấy": ["x", "y"]}, "An", 1)
    assert Scratch(tmp_path, b"other").notes() == []
    for path in (tmp_path / "typing").iterdir():
        path.write_bytes(path.read_bytes()[:-1])
    assert scratch.notes() == []
    assert len(list((tmp_path / "typing").iterdir())) == 2
    scratch.forget("a")
    scratch.forget("never")
    blocked = Scratch(tmp_path / "file", b"k")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError):
        blocked.keep(Note("a", {}))
