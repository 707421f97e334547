"""Complaints, ratings, an older register, and passing a difficulty on: on the screen, in 80 columns."""

from __future__ import annotations

from pathlib import Path

from commune_client.screens import words
from commune_client.screens.complaints import ComplaintsScreen
from commune_client.screens.dossier import DossierScreen
from commune_client.screens.import_register import ImportScreen
from commune_client.widgets.field_form import FieldForm
from commune_client.widgets.row_list import RowList
from commune_client.widgets.vn_input import VnInput
from tests.ui.office import PASSPHRASE, Office, opened, settled, take_in
from tests.ui.screens import screen_text

AN, BINH, CHINH = "Nguyễn Văn An", "Trần Thị Bình", "Lê Quốc Chính"


async def _fill(pilot: object, **values: str) -> None:
    """Fills in the form on the screen, and does what it is for."""
    form = pilot.app.screen.query_one(FieldForm)  # type: ignore[attr-defined]
    for name, value in values.items():
        form.set_value(name, value)
    await pilot.press("ctrl+s")  # type: ignore[attr-defined]
    await settled(pilot)  # type: ignore[arg-type]


async def test_a_complaint_is_taken_down_taken_in_hand_and_answered(tmp_path: Path) -> None:
    """1 takes it down, 2 gives a date, 3 answers; the screen says where it stands, and by when."""
    async with opened(Office(tmp_path).place(), CHINH) as pilot:
        await pilot.app.run_action("complaints")
        await settled(pilot)
        assert words.NO_COMPLAINTS in screen_text(pilot.app)
        await pilot.press("1")
        await settled(pilot)
        await _fill(pilot, noi_dung="Chờ lâu quá", nguoi_gui="Bà Tám")
        assert isinstance(pilot.app.screen, ComplaintsScreen)
        assert "Chờ lâu quá" in screen_text(pilot.app)
        await pilot.press("2")
        await settled(pilot)
        await _fill(pilot, han="20/03/2026")
        assert "đang xử lý" in screen_text(pilot.app)
        await pilot.press("3")
        await settled(pilot)
        await _fill(pilot, noi_dung="Xin lỗi bà, đã nhắc cán bộ", ket_luan=words.FOUNDED)
        text = screen_text(pilot.app)
        assert "đã trả lời" in text
        assert "Trả lời: Xin lỗi bà" in text


async def test_what_is_not_allowed_stays_on_the_form(tmp_path: Path) -> None:
    """Who takes dossiers in answers no complaint; what was typed is still there."""
    place = Office(tmp_path).place()
    with place.unlock(AN, PASSPHRASE) as desk:
        desk.complain("Chờ lâu")
    async with opened(place, AN) as pilot:
        await pilot.app.run_action("complaints")
        await settled(pilot)
        await pilot.press("4")
        await settled(pilot)
        await _fill(pilot, ly_do="Không rõ")
        assert "do người khác phụ trách" in screen_text(pilot.app)
        assert pilot.app.screen.query_one(FieldForm).values()["ly_do"] == "Không rõ"


async def test_the_applicant_rates_when_the_result_is_returned(tmp_path: Path) -> None:
    """The form of the return asks for it, and may be left empty; afterwards it can still be noted."""
    place = Office(tmp_path).place()
    with place.unlock(AN, PASSPHRASE) as desk:
        doc = take_in(desk).doc
        desk.handover(doc)
    with place.unlock(BINH, PASSPHRASE) as desk:
        desk.receive(doc)
        desk.appraise(doc, "Đủ")
    with place.unlock(CHINH, PASSPHRASE) as desk:
        desk.approve(doc, "Đồng ý")
        desk.handover(doc)
    with place.unlock(AN, PASSPHRASE) as desk:
        desk.receive(doc)
    async with opened(place, AN) as pilot:
        for score, field in (("2", "danh_gia"), ("1", "diem")):
            pilot.app.push_screen(DossierScreen(doc))
            await settled(pilot)
            screen = pilot.app.screen
            assert isinstance(screen, DossierScreen)
            wanted = "Trả kết quả" if field == "danh_gia" else words.RATE
            next(item for item in screen.menu() if item.label == wanted).run()
            await settled(pilot)
            await _fill(pilot, **{field: score, "loi": "Nhanh"})
    with place.unlock(AN, PASSPHRASE) as desk:
        notes = desk.show(doc).view.state.notes["danh_gia"]
        assert [value["diem"] for _, _, value in notes] == [2, 1]


async def test_an_older_register_is_tried_before_it_is_taken_in(tmp_path: Path) -> None:
    """A mapping is proposed; a bad line is told and nothing is written; the mended file is, all at once."""
    table, mapping = tmp_path / "so.csv", tmp_path / "cot.json"
    async with opened(Office(tmp_path / "o").place(), AN) as pilot:
        table.write_text(_HEAD + _LINE.format("32/01/2026"), encoding="utf-8")
        await pilot.app.run_action("import_register")
        await settled(pilot)
        for field, path in zip(pilot.app.screen.query(VnInput), (table, mapping), strict=True):
            field.value = str(path)
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert "bản đề xuất đã được ghi" in " ".join(screen_text(pilot.app).split())
        for _ in range(2):  # tried, and tried again: the line is still wrong
            await pilot.press("ctrl+s")
            await settled(pilot)
            assert isinstance(pilot.app.screen, ImportScreen)
            assert "Dòng 2" in screen_text(pilot.app)
        table.write_text(_HEAD + _LINE.format("05/01/2026"), encoding="utf-8")
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert words.IMPORT_READY in " ".join(screen_text(pilot.app).split())
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert "Đã nhập tất cả" in screen_text(pilot.app)


async def test_a_difficulty_is_passed_on(tmp_path: Path) -> None:
    """7 asks where to and why, the unit above stands there already; whoever does not hold it is told so."""
    place = Office(tmp_path).place()
    with place.unlock(CHINH, PASSPHRASE) as desk:
        desk.write_difficulty("Mạng chậm", "Không nộp được")
    async with opened(place, CHINH) as pilot:
        await pilot.app.run_action("difficulties")
        await settled(pilot)
        pilot.app.screen.query_one(RowList).focus()
        await pilot.press("7")
        await settled(pilot)
        to, reason = pilot.app.screen.query(VnInput)
        assert to.value
        reason.value = "Ngoài thẩm quyền"
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert "đang do đơn vị khác giữ" in screen_text(pilot.app)
        assert pilot.app.screen.query(VnInput).last().value == "Ngoài thẩm quyền"


_HEAD = "Mã hồ sơ;Thủ tục;Họ tên;Ngày nhận;Ngày trả;Tình trạng\n"
_LINE = "06/2026;Khai sinh;Nguyễn Văn Cũ;{};06/01/2026;Đã trả\n"
