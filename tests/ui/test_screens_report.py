"""Reports and difficulties on the screen: from the palette to the dossier behind a figure, in 80 columns."""

from __future__ import annotations

from pathlib import Path

from commune_client.messages import reason_text
from commune_client.screens import words
from commune_client.screens.asked import AskScreen
from commune_client.screens.difficulties import DifficultiesScreen
from commune_client.screens.dossier import DossierScreen
from commune_client.screens.report import ReportScreen
from commune_client.widgets.field_form import FieldForm
from commune_client.widgets.row_list import RowList
from commune_client.widgets.vn_input import VnInput
from tests.ui.office import PASSPHRASE, Office, opened, settled, take_in
from tests.ui.screens import screen_text

AN, CHINH = "Nguyễn Văn An", "Lê Quốc Chính"


async def test_a_figure_opens_to_its_dossier(tmp_path: Path) -> None:
    """The report of the quarter; Enter on the sum, on a column and on a code opens that dossier."""
    office = Office(tmp_path)
    place = office.place()
    with place.unlock(AN, PASSPHRASE) as desk:
        doc = take_in(desk).doc
    async with opened(place, CHINH) as pilot:
        await pilot.app.run_action("report")
        await settled(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, ReportScreen)
        text = screen_text(pilot.app)
        assert "II.06a" in text
        assert "Hộ tịch" in text
        await pilot.press("7")
        await settled(pilot)
        form = pilot.app.screen.query_one(FieldForm)
        form.set_value("diem", "2")
        form.set_value("noi_dung", "Bảng và trang đều đúng")
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert "chỉ số 6: 2" in " ".join(screen_text(pilot.app).split())
        screen.query_one(RowList).go_to("t")
        for key in ("3", "11"):
            await pilot.press("enter")
            await settled(pilot)
            pilot.app.screen.query_one(RowList).go_to(key if key == "11" else "11")
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(pilot.app.screen, DossierScreen)
        assert pilot.app.screen.doc == doc


async def test_who_may_not_inspect_is_told_before_typing(tmp_path: Path) -> None:
    """A clerk who asks for the form of an inspection is told whose business it is."""
    async with opened(Office(tmp_path).place(), AN) as pilot:
        await pilot.app.run_action("report")
        await settled(pilot)
        await pilot.press("7")
        await settled(pilot)
        assert isinstance(pilot.app.screen, ReportScreen)
        assert reason_text("inspection_unit") in " ".join(screen_text(pilot.app).split())


async def test_periods_files_and_signing(tmp_path: Path) -> None:
    """1 and 2 change the period, 4 writes a file, 5 asks for the passphrase and signs what is over."""
    office = Office(tmp_path)
    async with opened(office.place(), CHINH) as pilot:
        await pilot.app.run_action("report")
        await settled(pilot)
        await pilot.press("1")
        await settled(pilot)
        assert "Quý 4 năm 2025" in screen_text(pilot.app)
        assert words.REPORT_EMPTY in screen_text(pilot.app)
        await pilot.press("4")
        await settled(pilot)
        path = tmp_path / "quy.pdf"
        pilot.app.screen.query_one(VnInput).value = str(path)
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert path.read_bytes().startswith(b"%PDF")
        await pilot.press("5")
        await settled(pilot)
        assert isinstance(pilot.app.screen, AskScreen)
        pilot.app.screen.query_one(VnInput).value = PASSPHRASE
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert "Q4/2025 v1" in screen_text(pilot.app)
        await pilot.press("2")
        await settled(pilot)
        assert "Quý 1 năm 2026" in screen_text(pilot.app)


async def test_a_difficulty_is_written_and_shown(tmp_path: Path) -> None:
    """1 asks for three lines and sends them; the list shows where it stands, and 4 reminds."""
    async with opened(Office(tmp_path).place(), AN) as pilot:
        await pilot.app.run_action("difficulties")
        await settled(pilot)
        assert words.NO_DIFFICULTIES in screen_text(pilot.app)
        await pilot.press("1")
        await settled(pilot)
        typed = ("Mạng chậm", "Không nộp được", "Thêm đường truyền")
        for field, text in zip(pilot.app.screen.query(VnInput), typed, strict=True):
            field.value = text
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert isinstance(pilot.app.screen, DifficultiesScreen)
        text = screen_text(pilot.app)
        assert "Mạng chậm" in text
        assert "Đã gửi, chờ tiếp thu" in text
        await pilot.press("4")
        await settled(pilot)
        pilot.app.screen.query_one(VnInput).value = "Đã ba ngày"
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert "Nhắc: Đã ba ngày" in screen_text(pilot.app)
