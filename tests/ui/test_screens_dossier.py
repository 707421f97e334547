"""A dossier on the screen: through all its steps, corrected, and never signed unseen."""

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from commune_client.desk.place import Place
from commune_client.screens import words
from commune_client.screens.act import ActScreen, act_fields
from commune_client.screens.dossier import DossierScreen
from commune_client.screens.edit import EditScreen
from commune_client.widgets.field_form import FieldForm
from commune_client.widgets.field_rules import FieldValue
from commune_client.widgets.paragraphs import Paragraph, wrap
from tests.ui.office import MONDAY, PASSPHRASE, Office, opened, settled, take_in
from tests.ui.screens import assert_golden, screen_text

AN, BINH, CHINH = "Nguyễn Văn An", "Trần Thị Bình", "Lê Quốc Chính"


def one_dossier(place: Place, code: str = "1.004873") -> bytes:
    """Take one dossier in."""
    with place.unlock(AN, PASSPHRASE) as desk:
        doc: bytes = take_in(desk, code).doc
        return doc


def text_of(pilot: Pilot[Any]) -> str:
    """Return the screen, hard spaces as plain ones."""
    return screen_text(pilot.app).replace("\u00a0", " ")


async def do(pilot: Pilot[Any], label: str, **values: FieldValue) -> str:
    """Take an action by the digit that stands beside its label, fill in what it asks, and sign."""
    screen = pilot.app.screen
    assert isinstance(screen, DossierScreen)
    digit = next(n for n, item in enumerate(screen.menu(), 1) if item.label == label)
    await pilot.press(str(digit))
    await settled(pilot)
    for name, value in values.items():
        pilot.app.screen.query_one(FieldForm).set_value(name, value)
    await pilot.press("ctrl+s")
    await settled(pilot)
    return text_of(pilot)


async def open_first(pilot: Pilot[Any]) -> None:
    """Open the first dossier of the list."""
    await pilot.press("enter")
    await settled(pilot)


async def test_four_steps_on_the_spot(tmp_path: Path) -> None:
    """Given, received, appraised, approved, given back and returned: by three officers, on one machine."""
    place = Office(tmp_path).place()
    one_dossier(place)
    async with opened(place, AN) as pilot:
        await open_first(pilot)
        assert "Chờ thẩm định nhận" in await do(pilot, "Bàn giao thẩm định")
    async with opened(place, BINH) as pilot:
        await open_first(pilot)
        assert "Đang thẩm định" in await do(pilot, "Nhận bàn giao")
        said = await do(pilot, "Trình phê duyệt", y_kien="Đủ điều kiện", ket_qua="Xác nhận độc thân")
        assert "+ Trình phê duyệt: đã ký và lưu trên máy" in said
    async with opened(place, CHINH) as pilot:
        await open_first(pilot)
        assert "Xác nhận độc thân" in text_of(pilot)
        assert "gõ mật khẩu" in await do(pilot, "Phê duyệt")
        await pilot.press(*PASSPHRASE, "enter")
        await settled(pilot)
        assert "Đã phê duyệt" in text_of(pilot)
        assert "Chờ nhận kết quả" in await do(pilot, "Chuyển trả kết quả")
    async with opened(place, AN) as pilot:
        await open_first(pilot)
        assert "Chờ trả kết quả" in await do(pilot, "Nhận bàn giao")
        assert "Đã trả kết quả" in await do(pilot, "Trả kết quả")
        assert "+ đã xong" in text_of(pilot)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
async def test_picture(tmp_path: Path, size: tuple[int, int]) -> None:
    """A dossier looks as its picture in both sizes."""
    office = Office(tmp_path, MONDAY)
    place = office.place()
    doc = one_dossier(place)
    with place.unlock(AN, PASSPHRASE) as desk:
        office.later(minutes=20)
        desk.note(doc, "Người dân hẹn chiều quay lại")
        desk.handover(doc)
    async with opened(place, BINH, size) as pilot:
        await open_first(pilot)
        assert_golden(pilot.app, f"screen-dossier-{size[0]}")
        await pilot.press("tab")
        await settled(pilot)
        assert "có hiệu lực | chỉ ở máy này" in text_of(pilot)


async def test_every_signature_is_proven_on_the_screen(tmp_path: Path) -> None:
    """The palette's Xác minh shows who signed what under which certificate, up to the province's root."""
    place = Office(tmp_path).place()
    one_dossier(place)
    async with opened(place, AN) as pilot:
        await open_first(pilot)
        await pilot.press("f10")
        await settled(pilot)
        await pilot.press(*"xac minh", "enter")
        await settled(pilot)
        said = text_of(pilot)
        assert "chứng minh được toàn bộ, từ khóa gốc của tỉnh" in said
        assert "Gốc của tỉnh (root)" in said
        await pilot.press("escape")
        await settled(pilot)
        assert "Quá trình" in text_of(pilot)


async def test_reason_is_asked(tmp_path: Path) -> None:
    """An action that the law wants a reason for is not signed without one."""
    place = Office(tmp_path).place()
    one_dossier(place)
    async with opened(place, AN) as pilot:
        await open_first(pilot)
        said = await do(pilot, "Rút hồ sơ")
        assert "Phải nhập mục này" in said
        assert isinstance(pilot.app.screen, ActScreen)
        await pilot.press(*"Người dân xin rút", "ctrl+s")
        await settled(pilot)
        assert "Đã rút hồ sơ" in text_of(pilot)


async def test_typed_reason_survives(tmp_path: Path) -> None:
    """A reason that was typed and left comes back when the action is opened again, also after a crash."""
    place = Office(tmp_path).place()
    one_dossier(place)
    for _ in range(2):
        async with opened(place, AN) as pilot:
            await open_first(pilot)
            await pilot.press("3")
            await settled(pilot)
            form = pilot.app.screen.query_one(FieldForm)
            if not form.values()["ly_do"]:
                await pilot.press(*"Đổi ý")
                await settled(pilot)
                await pilot.press("escape")
                await settled(pilot)
                continue
            assert form.values()["ly_do"] == "Đổi ý"
            assert words.OLD_TEXT_BACK in text_of(pilot)


async def test_edit(tmp_path: Path) -> None:
    """Only what was changed is written, and the timeline shows it."""
    place = Office(tmp_path).place()
    doc = one_dossier(place)
    async with opened(place, AN) as pilot:
        await open_first(pilot)
        await pilot.press("0")
        await settled(pilot)
        assert isinstance(pilot.app.screen, EditScreen)
        await pilot.press("end", *" Mơ", "ctrl+s")
        await settled(pilot)
        assert "Nguyễn Thị Hường Mơ" in text_of(pilot)
    with place.unlock(AN, PASSPHRASE) as desk:
        item = desk.show(doc).timeline[-1]
        assert [(line.label, line.text) for line in item.lines] == [("Người nộp", "Nguyễn Thị Hường Mơ")]


async def test_edit_of_nothing(tmp_path: Path) -> None:
    """Saving without a change writes no event."""
    place = Office(tmp_path).place()
    doc = one_dossier(place)
    async with opened(place, AN) as pilot:
        await open_first(pilot)
        await pilot.press("0")
        await settled(pilot)
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert words.NOTHING_CHANGED in text_of(pilot)
    with place.unlock(AN, PASSPHRASE) as desk:
        assert len(desk.show(doc).timeline) == 1


async def test_papers_are_corrected(tmp_path: Path) -> None:
    """A document whose tick is taken away is gone from the dossier, and nothing else changes."""
    place = Office(tmp_path).place()
    doc = one_dossier(place)
    async with opened(place, AN) as pilot:
        await open_first(pilot)
        await pilot.press("0")
        await settled(pilot)
        form = pilot.app.screen.query_one(FieldForm)
        kept = form.values()["papers"]
        form.set_value("papers", kept[1:])
        await pilot.press("ctrl+s")
        await settled(pilot)
    with place.unlock(AN, PASSPHRASE) as desk:
        _, papers = desk.form(doc)
        assert {name for name, paper in papers.items() if paper.originals or paper.copies} == set(kept[1:])


async def test_nothing_is_signed_unseen(tmp_path: Path) -> None:
    """When a colleague's change came in between, the approver sees it before the signature counts."""
    place = Office(tmp_path).place()
    doc = one_dossier(place)
    async with opened(place, AN) as pilot:
        await open_first(pilot)
        await pilot.press("1")
        await settled(pilot)
        with place.unlock(BINH, PASSPHRASE) as colleague:
            colleague.note(doc, "Xem lại giấy tờ")
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert words.CHANGED_MEANWHILE[:40] in text_of(pilot)
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert "Chờ thẩm định nhận" in text_of(pilot)


async def test_edit_over_a_colleague(tmp_path: Path) -> None:
    """What a colleague changed meanwhile is shown before it is overwritten; other fields are taken."""
    place = Office(tmp_path).place()
    doc = one_dossier(place)
    async with opened(place, AN) as pilot:
        await open_first(pilot)
        await pilot.press("0")
        await settled(pilot)
        form = pilot.app.screen.query_one(FieldForm)
        form.set_value("dien_thoai", "0111111111")
        with place.unlock(BINH, PASSPHRASE) as colleague:
            colleague.edit(doc, {"dien_thoai": "0222222222", "email": "a@b.vn"})
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert form.values()["email"] == "a@b.vn"
        assert form._rows["dien_thoai"].error == words.now_written("0222222222")
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert "0111111111" in text_of(pilot)


async def test_refused_action(tmp_path: Path) -> None:
    """What another program did meanwhile to the step is said in one sentence, and nothing is written."""
    place = Office(tmp_path).place()
    doc = one_dossier(place)
    async with opened(place, AN) as pilot:
        await open_first(pilot)
        await pilot.press("1")
        await settled(pilot)
        with place.unlock(AN, PASSPHRASE) as same:
            same.withdraw(doc, "xin rút")
        for _ in range(2):
            await pilot.press("ctrl+s")
            await settled(pilot)
        assert "Hồ sơ không ở bước có thể làm việc này." in text_of(pilot)


async def test_transfer_asks_where(tmp_path: Path) -> None:
    """A transfer asks for the unit, and the dossier is with it then."""
    place = Office(tmp_path).place()
    one_dossier(place, "1.001776")
    async with opened(place, AN) as pilot:
        await open_first(pilot)
        assert "đang ở Huyện Một" in await do(pilot, "Chuyển đơn vị khác", to="d1")


async def test_void(tmp_path: Path) -> None:
    """The head declares a dossier void with a reason; it says so everywhere."""
    place = Office(tmp_path).place()
    one_dossier(place)
    async with opened(place, CHINH) as pilot:
        await open_first(pilot)
        assert words.IS_VOID in await do(pilot, words.VOID, ly_do="Nhập trùng")


async def test_each_action_asks_what_the_desk_needs(tmp_path: Path) -> None:
    """Every action that can come up has a form with its arguments, or none where none are needed."""
    place = Office(tmp_path).place()
    doc = one_dossier(place)
    with place.unlock(AN, PASSPHRASE) as desk:
        dossier = desk.show(doc)
        for choice in dossier.choices:
            names = {field.name for field in act_fields(dossier, choice, desk.units())}
            assert set(choice.needs) - {"to"} <= names
            assert ("to" in names) == ("to" in choice.needs)


def test_hanging_indent() -> None:
    """Wrapped lines hang below their text, words stay whole where they fit, and no letter is lost."""
    paragraph = Paragraph.labelled("Địa chỉ", "Thôn Đoài, xã Đông Phương, một nơi rất xa xôi", width=12)
    lines = [line.plain for line in wrap(paragraph, 30)]
    assert lines[0].startswith("Địa chỉ:    Thôn Đoài")
    assert all(line.startswith(" " * 12) for line in lines[1:])
    assert "".join(lines).replace(" ", "") == "Địachỉ:ThônĐoài,xãĐôngPhương,mộtnơirấtxaxôi"
    assert max(len(line.rstrip()) for line in lines) <= 30
    long = wrap(Paragraph.of("ư" * 100, indent=4), 20)
    assert "".join(line.plain.strip() for line in long) == "ư" * 100
