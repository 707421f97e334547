"""The screens about the office as a whole: handover lists, agencies that are asked, reasons, fees."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from commune_client.app import OnestopApp
from commune_client.screens import words
from commune_client.screens.agencies import AgenciesScreen
from commune_client.screens.dossier import DossierScreen, DossierScroll
from commune_client.screens.handover import HandoverScreen
from commune_client.screens.show import day_time
from commune_client.screens.why import WhyScreen
from commune_client.widgets.field_form import FieldForm
from tests.ui.office import MONDAY, PASSPHRASE, Office, opened, settled, take_in
from tests.ui.screens import screen_text
from tests.ui.test_screens_dossier import do, text_of

AN, BINH = "Nguyễn Văn An", "Trần Thị Bình"


async def test_marked_lines_are_signed_together(tmp_path: Path) -> None:
    """Enter marks a line, 0 all of them, Ctrl+S signs for the marked ones; 2 shows what waits."""
    place = Office(tmp_path).place()
    with place.unlock(AN, PASSPHRASE) as desk:
        docs = [take_in(desk).doc for _ in range(3)]
    async with opened(place, AN) as pilot:
        await pilot.app.run_action("handover")
        await settled(pilot)
        assert isinstance(pilot.app.screen, HandoverScreen)
        assert screen_text(pilot.app).count("[ ]") == 3
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert words.MARK_FIRST in screen_text(pilot.app)
        await pilot.press("enter", "down", "enter", "ctrl+s")
        await settled(pilot)
        text = screen_text(pilot.app)
        assert words.signed_list(2, 2) in text
        assert text.count("[ ]") == 1
        await pilot.press("2")
        await settled(pilot)
        assert words.NOTHING_TO_HAND in screen_text(pilot.app)
    async with opened(place, BINH) as pilot:
        await pilot.app.run_action("handover")
        await settled(pilot)
        await pilot.press("2")
        await settled(pilot)
        assert screen_text(pilot.app).count("Chờ thẩm định nhận") == 2
        await pilot.press("0", "ctrl+s")
        await settled(pilot)
        assert words.signed_list(2, 2) in screen_text(pilot.app)
    with place.unlock(BINH, PASSPHRASE) as desk:
        assert sorted(desk.step(doc) for doc in docs) == ["accepted", "appraisal", "appraisal"]


async def test_a_long_list_shows_its_last_column_whole(tmp_path: Path) -> None:
    """With a scroll bar beside the lines, the date by which a dossier is handed on is still whole."""
    office = Office(tmp_path, MONDAY)
    place = office.place()
    with place.unlock(AN, PASSPHRASE) as desk:
        for _ in range(22):
            take_in(desk)
        by = day_time(desk.to_give()[0].by_ms)
    async with opened(place, AN) as pilot:
        await pilot.app.run_action("handover")
        await settled(pilot)
        assert screen_text(pilot.app).count(by) == 19


async def test_a_dossier_says_why_and_takes_a_fee(tmp_path: Path) -> None:
    """From the menu: each day on the way to the date; and a fee that is due stands among the facts."""
    office = Office(tmp_path, MONDAY)
    place = office.place()
    with place.unlock(AN, PASSPHRASE) as desk:
        doc = take_in(desk).doc
        desk.charge(doc, "phai_nop", amount_vnd=12_000)
    async with opened(place, AN) as pilot:
        cast("OnestopApp", pilot.app).open_dossier(doc)
        await settled(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, DossierScreen)
        assert "còn 12.000 đ" in screen_text(pilot.app)
        labels = [item.label for item in screen.menu()]
        assert words.NOTE_FEE in labels
        await pilot.press(str(labels.index(words.WHY) + 1))
        await settled(pilot)
        assert isinstance(pilot.app.screen, WhyScreen)
        text = screen_text(pilot.app)
        assert "Thời hạn: trong ngày" in text
        assert "T2 02/03/2026" in text


async def test_who_was_asked_and_is_late_is_listed(tmp_path: Path) -> None:
    """The list names agency, lead and date, says who is late, and opens the dossier."""
    office = Office(tmp_path, MONDAY)
    place = office.place()
    with place.unlock(AN, PASSPHRASE) as desk:
        doc = take_in(desk).doc
        unit = next(unit.id for unit in desk.units() if unit.id != desk.store.unit)
        desk.ask_agencies(doc, [unit], "Có tranh chấp không?", desk.store.clock() + 3_600_000)
    office.later(minutes=120)
    async with opened(place, AN) as pilot:
        await pilot.app.run_action("agencies")
        await settled(pilot)
        assert isinstance(pilot.app.screen, AgenciesScreen)
        text = screen_text(pilot.app)
        assert "Có tranh chấp không?" in text
        assert words.LATE in text
        await pilot.press("enter")
        await settled(pilot)
        assert len(pilot.app.screen.query(DossierScroll)) == 1
        assert words.LATE in screen_text(pilot.app)


async def test_several_are_asked_and_papers_named_by_marks(tmp_path: Path) -> None:
    """Units to ask and papers to bring are marked; what has no digit left names F10; form 02 is proposed."""
    place = Office(tmp_path, MONDAY).place()
    with place.unlock(AN, PASSPHRASE) as desk:
        doc = take_in(desk).doc
        desk.act(doc, "give")
    with place.unlock(BINH, PASSPHRASE) as desk:
        desk.act(doc, "receive")
    async with opened(place, BINH) as pilot:
        cast("OnestopApp", pilot.app).open_dossier(doc)
        await settled(pilot)
        assert f"F10 {words.NOTE_FEE}" in text_of(pilot)
        others = tuple(unit.id for unit in cast("OnestopApp", pilot.app).desk.units() if unit.id != "c1")
        await do(pilot, "Lấy ý kiến", to=others[:2], noi_dung="Có tranh chấp không?", han="2026-03-04")
        papers = ("Tờ khai đăng ký khai sinh",)
        await do(pilot, "Yêu cầu bổ sung", ly_do="Thiếu giấy tờ", noi_dung="Nộp đủ", papers=papers)
        await pilot.press("ctrl+p")
        await settled(pilot)
        assert pilot.app.screen.query_one(FieldForm).cleaned()["form"] == "supplement"
    with place.unlock(BINH, PASSPHRASE) as desk:
        assert len(desk.asked()) == 2
        state = desk.show(doc).view.state
        assert state.value("yeu_cau_bo_sung")["giay_to"] == list(papers)
