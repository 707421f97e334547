"""The audit trail on the screen: reached from the palette, all of it for leaders, one's own for others."""

from __future__ import annotations

from pathlib import Path

from commune_client.screens import words
from commune_client.screens.dossier import DossierScreen
from commune_client.screens.trail import TrailScreen
from commune_client.widgets.row_list import RowList
from tests.ui.office import PASSPHRASE, Office, opened, settled, take_in
from tests.ui.screens import screen_text

AN, CHINH = "Nguyễn Văn An", "Lê Quốc Chính"


async def test_a_leader_finds_the_trail_in_the_palette(tmp_path: Path) -> None:
    """F10, some letters, Enter: who did what, the latest first; Enter on a line opens its dossier."""
    place = Office(tmp_path).place()
    with place.unlock(AN, PASSPHRASE) as desk:
        doc = take_in(desk).doc
        desk.show(doc)
    async with opened(place, CHINH) as pilot:
        await pilot.press("f10")
        await settled(pilot)
        for letter in "nhat ky":
            await pilot.press("space" if letter == " " else letter)
        await pilot.press("enter")
        await settled(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, TrailScreen)
        text = screen_text(pilot.app)
        assert words.TRAIL_ALL in text
        assert "Thoát" in text
        assert AN in text
        rows = screen.query_one(RowList)
        assert [row.cells[2][0] for row in rows.rows][::-1][:3] == ["Mở khóa", "Xem hồ sơ", "Thoát"]
        rows.go_to(next(row.key for row in rows.rows if row.cells[2][0] == "Xem hồ sơ"))
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(pilot.app.screen, DossierScreen)
        assert pilot.app.screen.doc == doc


async def test_an_officer_sees_the_own_entries(tmp_path: Path) -> None:
    """Who neither leads nor administers sees the own entries only, and the heading says so."""
    place = Office(tmp_path).place()
    place.unlock(CHINH, PASSPHRASE).close()
    async with opened(place, AN) as pilot:
        await pilot.app.run_action("trail")
        await settled(pilot)
        text = screen_text(pilot.app)
        assert words.TRAIL_OWN in text
        assert CHINH not in text
        assert "Mở khóa" in text


async def test_every_column_has_room_in_80(tmp_path: Path) -> None:
    """In 80 columns a line shows the whole time, the officer, what was done, and the dossier."""
    place = Office(tmp_path).place()
    with place.unlock(AN, PASSPHRASE) as desk:
        doc = take_in(desk).doc
        code = desk.show(doc).view.code
        desk.dossiers("hường")
    async with opened(place, CHINH) as pilot:
        await pilot.app.run_action("trail")
        await settled(pilot)
        lines = screen_text(pilot.app).splitlines()
    (read,) = [line for line in lines if "Xem hồ sơ" in line and AN in line]
    assert "08:15 02/03/2026" in read
    assert "-".join(code.split("-")[-2:]) in read
    (search,) = [line for line in lines if "Tìm kiếm" in line]
    assert "1 dòng" in search
    assert max(map(len, lines)) <= 80


async def test_the_lock_is_noted_for_who_worked(tmp_path: Path) -> None:
    """Locking the screen signs what was looked at, by the key of who looked, and says that it was locked."""
    place = Office(tmp_path).place()
    async with opened(place, AN) as pilot:
        pilot.app.lock()  # type: ignore[attr-defined] # the test's app is ours
        await settled(pilot)
    with place.unlock(CHINH, PASSPHRASE) as desk:
        mine = [line.what for line in desk.audit("an") if line.who == AN]
    assert mine[::-1] == ["login", "list", "lock"]
