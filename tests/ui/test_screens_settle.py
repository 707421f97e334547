"""Conflicts, late writes, disputed steps and notices: shown with both sides, settled with a reason."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from commune_client.desk import Desk
from commune_client.desk.place import Place
from commune_client.screens import words
from commune_client.screens.settle import SettleScreen
from commune_client.widgets.field_form import FieldForm
from tests.ui.office import PASSPHRASE, Office, exchange, opened, settled, take_in
from tests.ui.screens import assert_golden, screen_text

AN, LAN, DUNG = "Nguyễn Văn An", "Vũ Thị Lan", "Phạm Văn Dũng"
OTHERS = {DUNG: ("tiep_nhan", "tham_dinh"), LAN: ("lanh_dao", "phe_duyet")}


class Two:
    """Two machines of one commune that know one dossier."""

    def __init__(self, folder: Path) -> None:
        """Make the machines."""
        self.office = Office(folder)
        self.places = [
            self.office.place(),
            self.office.place("may-2", OTHERS, blocks=((1001, 1500),)),
        ]
        with self.both() as (one, other):
            self.doc: bytes = take_in(one, "1.004873").doc
            exchange(one, other)

    @contextmanager
    def both(self) -> Iterator[tuple[Desk, Desk]]:
        """Open both machines; what they write meanwhile, the other does not know of."""
        first, second = self.places
        with first.unlock(AN, PASSPHRASE) as one, second.unlock(DUNG, PASSPHRASE) as other:
            yield one, other

    def disagree(self) -> None:
        """Write one field differently on both, then let both see it."""
        with self.both() as (one, other):
            self.office.later(minutes=5)
            one.edit(self.doc, {"dien_thoai": "0111111111"})
            self.office.later(minutes=5)
            other.edit(self.doc, {"dien_thoai": "0222222222", "email": "huong@vidu.vn"})
            exchange(one, other)

    def values(self) -> list[Any]:
        """Return the telephone number on both machines, after they have seen each other."""
        with self.both() as (one, other):
            exchange(one, other)
            return [desk.form(self.doc)[0].get("dien_thoai") for desk in (one, other)]


async def open_dispute(pilot: Pilot[Any]) -> FieldForm:
    """Open the first thing to settle."""
    await pilot.press("f8")
    await settled(pilot)
    await pilot.press("enter")
    await settled(pilot)
    assert isinstance(pilot.app.screen, SettleScreen)
    return pilot.app.screen.query_one(FieldForm)


async def sign(pilot: Pilot[Any]) -> str:
    """Sign, and return the screen."""
    await pilot.press("ctrl+s")
    await settled(pilot)
    return screen_text(pilot.app)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
async def test_picture(tmp_path: Path, size: tuple[int, int]) -> None:
    """A conflict looks as its picture: base, both sides, who, where and when."""
    two = Two(tmp_path)
    two.disagree()
    async with opened(two.places[0], "Lê Quốc Chính", size) as pilot:
        await pilot.press("f8")
        await settled(pilot)
        assert_golden(pilot.app, f"screen-conflicts-{size[0]}")
        await pilot.press("enter")
        await settled(pilot)
        assert_golden(pilot.app, f"screen-conflict-{size[0]}")


@pytest.mark.parametrize(
    ("choice", "value"), [("1", "0222222222"), ("2", "0111111111"), ("3", "0123456789"), ("", "0333333333")]
)
async def test_choose_or_type(tmp_path: Path, choice: str, value: str) -> None:
    """Either side, the base, or a typed value settles the conflict, the same on both machines."""
    two = Two(tmp_path)
    two.disagree()
    async with opened(two.places[1], LAN) as pilot:
        assert "X" in screen_text(pilot.app).splitlines()[4]
        form = await open_dispute(pilot)
        sides = screen_text(pilot.app)
        if choice:
            number = next(n for n in "123" if f"{n} {value}" in sides or f"{n} Ban đầu: {value}" in sides)
            await pilot.press(number, "enter", "enter")
        else:
            await pilot.press("tab", *value, "enter")
            assert form.values()["choice"] == "typed"
        assert "cần sửa trước" in await sign(pilot)
        await pilot.press(*"Gọi điện xác nhận")
        said = await sign(pilot)
        assert words.RESOLVED in said
        assert words.NO_CONFLICTS in said
    assert two.values() == [value, value]


async def test_from_the_dossier(tmp_path: Path) -> None:
    """F8 on a dossier goes to what is open on it; the field is marked there."""
    two = Two(tmp_path)
    two.disagree()
    async with opened(two.places[1], LAN) as pilot:
        await pilot.press("enter")
        await settled(pilot)
        shown = screen_text(pilot.app)
        assert words.settle_count(1) in shown
        assert words.PRINT_BLOCKED in shown
        await pilot.press("f8")
        await settled(pilot)
        assert "Điện thoại" in screen_text(pilot.app)


async def test_who_may_not_settle(tmp_path: Path) -> None:
    """An officer who may not settle sees both sides, and why not."""
    two = Two(tmp_path)
    with two.both() as (one, other):
        one.handover(two.doc)
        exchange(one, other)
        other.receive(two.doc)
        one.edit(two.doc, {"dia_chi": "Xóm 9, xã Khe Trầu"})
        exchange(one, other)
    async with opened(two.places[0], AN) as pilot:
        await pilot.press("f8", "enter")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        shown = screen_text(pilot.app)
        assert words.CANNOT_SETTLE in shown
        assert "Xóm 9, xã Khe Trầu" in shown
        assert not pilot.app.screen.query(FieldForm)


@pytest.mark.parametrize(
    ("digit", "address"), [("1", "Thôn Đoài, xã Đông Phương"), ("2", "Xóm 9, xã Khe Trầu")]
)
async def test_late_write(tmp_path: Path, digit: str, address: str) -> None:
    """A write that had not seen the handover waits; who owns the field now adopts or declines it."""
    two = Two(tmp_path)
    with two.both() as (one, other):
        one.handover(two.doc)
        exchange(one, other)
        other.receive(two.doc)
        one.edit(two.doc, {"dia_chi": "Xóm 9, xã Khe Trầu"})
        exchange(one, other)
    async with opened(two.places[1], DUNG) as pilot:
        form = await open_dispute(pilot)
        assert words.EXPLAIN_KINDS["late"][:60] in screen_text(pilot.app)
        await pilot.press(digit)
        form.set_value("ly_do", "Đã đối chiếu sổ hộ khẩu")
        assert words.RESOLVED in await sign(pilot)
    with two.both() as (one, other):
        exchange(one, other)
        assert one.form(two.doc)[0]["dia_chi"] == other.form(two.doc)[0]["dia_chi"] == address


async def test_disputed_step(tmp_path: Path) -> None:
    """Two different actions on one step: the head chooses one, with a reason."""
    two = Two(tmp_path)
    with two.both() as (one, other):
        one.handover(two.doc)
        other.withdraw(two.doc, "Người dân xin rút")
        exchange(one, other)
    async with opened(two.places[1], LAN) as pilot:
        form = await open_dispute(pilot)
        shown = screen_text(pilot.app)
        number = next(n for n in "12" if f"{n} Bàn giao thẩm định" in shown)
        await pilot.press(number)
        form.set_value("ly_do", "Người dân đổi ý, không rút nữa")
        assert words.RESOLVED in await sign(pilot)
    with two.both() as (one, other):
        exchange(one, other)
        assert one.show(two.doc).view.step == other.show(two.doc).view.step == "given"


async def test_void_against_edit(tmp_path: Path) -> None:
    """A void and an edit that did not know of each other: the void is kept or lifted, by a person."""
    two = Two(tmp_path)
    with two.both() as (one, _), two.places[1].unlock(LAN, PASSPHRASE) as head:
        head.void(two.doc, "Nhập trùng")
        one.edit(two.doc, {"dien_thoai": "0111111111"})
        exchange(one, head)
    async with opened(two.places[1], LAN) as pilot:
        form = await open_dispute(pilot)
        await pilot.press("2")
        form.set_value("ly_do", "Không trùng")
        assert words.RESOLVED in await sign(pilot)
        with two.places[1].unlock(LAN, PASSPHRASE) as head:
            assert not head.show(two.doc).view.is_void


async def test_third_side_while_settling(tmp_path: Path) -> None:
    """When a third value arrives while somebody settles, it is shown first; nothing is settled unseen."""
    two = Two(tmp_path)
    two.disagree()
    third = two.office.place("may-3", {"Hồ Thị Ba": ("tiep_nhan",)}, blocks=((2001, 2500),))
    with two.both() as (one, _), third.unlock("Hồ Thị Ba", PASSPHRASE) as three:
        three.store.receive(one.store.introduction(one.store.history(two.doc)[0].event.log))
        first = one.store.history(two.doc)[0].event
        three.store.receive([first.to_frame()])
        three.edit(two.doc, {"dien_thoai": "0999999999"})
        frames = [record.event.to_frame() for record in three.store.history(two.doc)]
        log = three.store.history(two.doc)[-1].event.log
        introduction = three.store.introduction(log)
    async with opened(two.places[1], LAN) as pilot:
        form = await open_dispute(pilot)
        await pilot.press("1")
        form.set_value("ly_do", "Đã hỏi")
        with two.places[1].unlock(DUNG, PASSPHRASE) as other:
            other.store.receive([*introduction, *frames])
        shown = await sign(pilot)
        assert "0999999999" in shown
        assert words.CHANGED_MEANWHILE[:40] in shown
        await settled(pilot)
        assert pilot.app.screen.query_one(FieldForm).values()["ly_do"] == "Đã hỏi"


async def test_notices(tmp_path: Path) -> None:
    """What changed after the fact is counted, shown with before and after, and marked as seen."""
    two = Two(tmp_path)
    two.disagree()
    place: Place = two.places[0]
    async with opened(place, AN) as pilot:
        assert words.unseen_notices(1) in screen_text(pilot.app)
        await pilot.press("f7")
        await settled(pilot)
        assert_golden(pilot.app, "screen-notices-80")
        assert "có hiệu lực  ->  đang xung đột" in screen_text(pilot.app)
        await pilot.press("enter")
        await settled(pilot)
        assert words.settle_count(1) in screen_text(pilot.app)
        await pilot.press("f7")
        await settled(pilot)
        assert words.NO_NOTICES in screen_text(pilot.app)


async def test_all_seen(tmp_path: Path) -> None:
    """All notices can be marked as seen at once."""
    two = Two(tmp_path)
    two.disagree()
    async with opened(two.places[0], AN) as pilot:
        await pilot.press("f7")
        await settled(pilot)
        await pilot.press("0")
        await settled(pilot)
        assert words.NO_NOTICES in screen_text(pilot.app)
