"""The working list: pages, filters, search, and what fits in 80 columns."""

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from commune_client.actions import ACTIONS, EVERYWHERE, actions_on
from commune_client.app import OnestopApp
from commune_client.desk.place import Place
from commune_client.screens import words
from commune_client.screens.dossier import DossierScreen
from commune_client.screens.pages import PAGE, my_steps
from commune_client.screens.show import due_cell
from commune_client.theme import StateStyle
from commune_client.widgets.key_line import fitting_lines
from commune_client.widgets.row_list import RowList
from onestop_sync.dossier.deadlines import DueKind, DueState
from tests.ui.office import PASSPHRASE, Office, opened, settled, take_in
from tests.ui.screens import assert_golden, screen_text

AN = "Nguyễn Văn An"
NAMES = ("Nguyễn Thị Hường", "Đặng Văn Đức", "Đường Quỳnh Hoa")


def fill(office: Office) -> None:
    """Take in a few dossiers on several days, so that their due dates differ."""
    place = office.place()
    with place.unlock(AN, PASSPHRASE) as desk:
        take_in(desk, "1.004884", nguoi_nop=NAMES[0])
        office.later(days=3)
        take_in(desk, "1.004873", nguoi_nop=NAMES[1])
        office.later(days=4)
        done = take_in(desk, "1.001193", nguoi_nop=NAMES[2])
        take_in(desk, "1.001776", nguoi_nop="Lê Thị Bích Ngọc")
        desk.handover(done.doc)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
async def test_picture(tmp_path: Path, size: tuple[int, int]) -> None:
    """The list looks as its picture in both sizes; what is due first stands first."""
    office = Office(tmp_path)
    fill(office)
    place = office_place(tmp_path, office)
    async with opened(place, AN, size) as pilot:
        assert_golden(pilot.app, f"screen-list-{size[0]}")
        assert max(map(len, screen_text(pilot.app).splitlines())) <= size[0]


def office_place(tmp_path: Path, office: Office) -> Place:
    """Return the machine that `fill` made."""
    return Place(tmp_path / "may-1", clock=office.province.tick)


async def search(pilot: Pilot[Any], text: str) -> str:
    """Search for a text, and return the screen."""
    await pilot.press("f3", *text)
    await pilot.pause(0.3)
    await settled(pilot)
    return screen_text(pilot.app)


@pytest.mark.parametrize(
    ("text", "found"),
    [("nguyen thi huong", NAMES[0]), ("dang van", NAMES[1]), ("Đặng Văn", NAMES[1]), ("duong hoa", NAMES[2])],
)
async def test_search_without_marks(tmp_path: Path, text: str, found: str) -> None:
    """Typed without marks or with them, only the names that are meant are found; Esc shows all again."""
    office = Office(tmp_path)
    fill(office)
    async with opened(office_place(tmp_path, office), AN) as pilot:
        shown = await search(pilot, text)
        assert found in shown
        assert [name for name in NAMES if name in shown] == [found]
        await pilot.press("escape")
        await pilot.pause(0.3)
        await settled(pilot)
        assert all(name in screen_text(pilot.app) for name in NAMES)


async def test_filters(tmp_path: Path) -> None:
    """Digits filter: my work by my roles, what is overdue, what is at one step."""
    office = Office(tmp_path)
    fill(office)
    place = office_place(tmp_path, office)
    async with opened(place, "Trần Thị Bình") as pilot:
        await pilot.press("2")
        await settled(pilot)
        mine = screen_text(pilot.app)
        assert NAMES[2] in mine
        assert NAMES[0] not in mine
        await pilot.press("3")
        await settled(pilot)
        assert words.LIST_EMPTY_FILTERED in screen_text(pilot.app)
        await pilot.press("6", *"da tiep nhan", "enter")
        await settled(pilot)
        at_step = screen_text(pilot.app)
        assert "[6 Đã tiếp nhận]" in at_step
        assert NAMES[2] not in at_step
        office.later(days=20)
        await pilot.press("5")
        await settled(pilot)
        assert "!! quá" in screen_text(pilot.app)


async def test_search_and_open(tmp_path: Path) -> None:
    """From the field of the search the arrows move in the list, and Enter opens."""
    office = Office(tmp_path)
    fill(office)
    async with opened(office_place(tmp_path, office), AN) as pilot:
        await search(pilot, "dang van")
        await pilot.press("down", "enter")
        await settled(pilot)
        assert isinstance(pilot.app.screen, DossierScreen)
        assert NAMES[1] in screen_text(pilot.app)
        await pilot.press("escape")
        await settled(pilot)
        assert "dang van" in screen_text(pilot.app)


async def test_next_page(tmp_path: Path) -> None:
    """A page is as long as promised, and the next comes when the cursor nears its end."""
    place = Office(tmp_path).place()
    with place.unlock(AN, PASSPHRASE) as desk, desk.store.writing():
        for number in range(PAGE + 5):
            take_in(desk, "2.000815", nguoi_nop=f"Người thứ {number}")
    async with opened(place, AN) as pilot:
        rows = pilot.app.screen.query_one(RowList)
        assert len(rows.rows) == PAGE
        assert f"{PAGE}+ hồ sơ" in screen_text(pilot.app)
        await pilot.press("end")
        await settled(pilot)
        await pilot.press("end")
        assert len(rows.rows) == PAGE + 5
        assert f"Người thứ {PAGE + 4}" in screen_text(pilot.app)


async def test_every_global_key_does_something(tmp_path: Path) -> None:
    """From the list, each key of the table opens its screen, and Esc returns."""
    async with opened(Office(tmp_path).place(), AN) as pilot:
        for name, heading in (
            ("intake", words.CHOOSE_PROCEDURE),
            ("outbox", words.OUTBOX),
            ("notices", words.NOTICES),
            ("conflicts", words.CONFLICTS),
            ("help", words.HELP),
            ("palette", words.PALETTE),
            ("quit", words.QUIT_TITLE),
        ):
            key = next(item.key for item in ACTIONS if item.name == name)
            await pilot.press(key)
            await settled(pilot)
            assert heading in screen_text(pilot.app).splitlines()[0]
            await pilot.press("escape")
            await settled(pilot)
            assert words.LIST in screen_text(pilot.app).splitlines()[0]


async def test_palette(tmp_path: Path) -> None:
    """The palette finds a command by its words without marks, what begins so first, and runs it."""
    async with opened(Office(tmp_path).place(), AN) as pilot:
        await pilot.press("f10", *"so theo doi", "enter")  # and not "Nhập sổ cũ", whose help has these words
        await settled(pilot)
        assert words.REGISTER_ABOUT in screen_text(pilot.app)
        await pilot.press("escape")
        await pilot.press("f10", *"xung dot", "enter")
        await settled(pilot)
        assert words.NO_CONFLICTS in screen_text(pilot.app)


async def test_help_picture(tmp_path: Path) -> None:
    """The help of the list looks as its picture."""
    async with opened(Office(tmp_path).place(), AN) as pilot:
        await pilot.press("f1")
        await settled(pilot)
        assert_golden(pilot.app, "screen-help-80")


def test_every_action_is_there() -> None:
    """Each action has words, keys differ on each screen, no key is a letter, and each has its method."""
    for item in ACTIONS:
        assert item.label
        assert item.help
        assert not (len(item.key) == 1 and item.key.isalpha())
    for screen in {item.screen for item in ACTIONS}:
        keys = [item.key for item in actions_on(screen) if item.key]
        assert len(keys) == len(set(keys))
    for item in ACTIONS:
        if item.screen == EVERYWHERE and item.key:
            assert hasattr(OnestopApp, f"action_{item.name}")


def test_key_line_always_fits() -> None:
    """In any width of a terminal the keys fit into one line or two, and the palette is among them."""
    for width in range(40, 160, 7):
        lines = fitting_lines([item for item in ACTIONS if item.key], width)
        assert {"back", "palette"} <= {item.name for line in lines for item in line}
        assert len(lines) <= 2
        for line in lines:
            assert sum(len(f"{i.key_name} {i.label}") + 2 for i in line) - 2 <= width


@pytest.mark.parametrize("screen", sorted({item.screen for item in ACTIONS} - {EVERYWHERE}))
def test_a_screen_names_all_its_own_keys_in_80_columns(screen: str) -> None:
    """Nothing that only this screen can do is left out of its line of keys for want of room."""
    keys = [item for item in actions_on(screen) if item.key and item.name != "quit"]
    shown = {item.name for line in fitting_lines(keys, 78) for item in line}
    assert {item.name for item in keys if item.screen == screen} <= shown


@pytest.mark.parametrize(
    ("due", "step", "text", "style"),
    [
        (DueState(DueKind.IN_TIME, 5, is_working_days=True), "accepted", "còn 5 ngày", StateStyle.PLAIN),
        (DueState(DueKind.SOON, 2, is_working_days=True), "accepted", "~ còn 2 ngày", StateStyle.SOON),
        (DueState(DueKind.TODAY, 0, is_working_days=True), "accepted", "! hôm nay", StateStyle.SOON),
        (DueState(DueKind.OVERDUE, 0, is_working_days=True), "accepted", "!! quá giờ hẹn", StateStyle.LATE),
        (DueState(DueKind.OVERDUE, 3, is_working_days=True), "accepted", "!! quá 3 ngày", StateStyle.LATE),
        (None, "supplement", "= tạm dừng", StateStyle.QUIET),
        (None, "returned", "+ đã xong", StateStyle.GOOD),
        (None, "draft", "- không hẹn ngày", StateStyle.QUIET),
    ],
)
def test_due_states(due: DueState | None, step: str, text: str, style: StateStyle) -> None:
    """Each state of a due date has its mark, its words and its colour."""
    assert due_cell(due, step) == (text, style)


def test_my_steps() -> None:
    """A role's steps are those at which it has the next thing to do."""
    assert {"accepted", "supplement"} <= set(my_steps(["tiep_nhan"]))
    assert "appraisal" not in my_steps(["tiep_nhan"])
    assert my_steps(["tra_ket_qua"]) == ["notice_given", "notice_ready", "result_given", "result_ready"]
    assert my_steps([]) == []
