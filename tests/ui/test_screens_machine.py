"""Passphrases, backups and officers who leave, on the screen; what goes on while it is locked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from commune_client.app import OnestopApp
from commune_client.desk.place import Place
from commune_client.screens import words
from commune_client.screens.asked import AskScreen, LineInput
from commune_client.screens.unlock import PassphraseInput, UnlockScreen
from commune_client.screens.working_list import ListScreen
from onestop_sync import backup_files
from onestop_sync.errors import NotAllowed, NotFound, WrongPassphrase
from onestop_sync.store import Store
from tests.ui.office import COUNTER, EVERYONE, PASSPHRASE, Office, opened, serving, settled, take_in
from tests.ui.screens import screen_text

AN, BINH, CHINH = EVERYONE
NEW = "mật khẩu mới hơn"


async def palette(pilot: Pilot[Any], label: str) -> None:
    """Choose something in the palette, by typing its words."""
    await pilot.press("f10", *label, "enter")
    await settled(pilot)


async def unlock(pilot: Pilot[Any], passphrase: str = PASSPHRASE) -> None:
    """Type a passphrase at the lock."""
    await pilot.press(*passphrase, "enter")
    await settled(pilot)


async def lock(pilot: Pilot[Any]) -> None:
    """Lock the screen as an official does."""
    await pilot.press("ctrl+q", "enter")
    await settled(pilot)
    assert isinstance(pilot.app.screen, UnlockScreen)


async def test_change_of_passphrase(tmp_path: Path) -> None:
    """The old one and twice the new one; afterwards only the new one opens."""
    place = Office(tmp_path).place(officers=COUNTER)
    async with opened(place, AN) as pilot:
        await palette(pilot, "đổi mật khẩu")
        await pilot.press(*PASSPHRASE, "enter", *NEW, "enter", *NEW, "enter")
        await settled(pilot)
        assert words.WORD_CHANGED in screen_text(pilot.app)
        await lock(pilot)
        await unlock(pilot)
        assert "Mật khẩu không đúng" in screen_text(pilot.app)
        await unlock(pilot, NEW)
        assert isinstance(pilot.app.screen, ListScreen)
    with pytest.raises(WrongPassphrase):
        place.secrets(AN, PASSPHRASE)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ((PASSPHRASE, "ngắn", "ngắn"), words.WORD_SHORT),
        ((PASSPHRASE, NEW, NEW + "x"), words.WORDS_DIFFER),
        (("không phải", NEW, NEW), "Mật khẩu không đúng."),
    ],
)
async def test_a_change_that_does_not_do(tmp_path: Path, typed: tuple[str, ...], said: str) -> None:
    """What is wrong with it is said, and the old passphrase still opens."""
    place = Office(tmp_path).place(officers=COUNTER)
    async with opened(place, AN) as pilot:
        await palette(pilot, "đổi mật khẩu")
        for text in typed:
            await pilot.press(*text, "enter")
        await settled(pilot)
        assert said in screen_text(pilot.app)
        assert isinstance(pilot.app.screen, AskScreen)
    assert place.secrets(AN, PASSPHRASE).holder == AN


async def test_after_a_lock_the_officer_is_chosen(tmp_path: Path) -> None:
    """Whoever locked the screen types the passphrase alone, also where several work."""
    async with opened(Office(tmp_path).place()) as pilot:
        await pilot.press("2", "tab")
        await unlock(pilot)
        await lock(pilot)
        await unlock(pilot)
        assert isinstance(pilot.app.screen, ListScreen)


async def test_waits_are_told(tmp_path: Path) -> None:
    """After some wrong passphrases the screen says how long to wait, also in a program started anew."""
    place = Office(tmp_path).place(officers=COUNTER)
    async with opened(place) as pilot:
        for _ in range(3):
            await unlock(pilot, "sai")
        assert "Phải chờ 5 giây mới được thử lại." in screen_text(pilot.app)
    async with opened(place) as pilot:
        await unlock(pilot)
        assert "Đã gõ sai mật khẩu nhiều lần." in screen_text(pilot.app)
        assert isinstance(pilot.app.screen, UnlockScreen)


async def test_an_officer_is_removed(tmp_path: Path) -> None:
    """One's own passphrase removes a colleague; the database has a new key, and work goes on."""
    place = Office(tmp_path).place()
    before = place.secrets(BINH, PASSPHRASE).database_key
    async with opened(place, AN) as pilot:
        app = pilot.app
        assert isinstance(app, OnestopApp)
        await pilot.press("f2", *"khai tu", "enter")
        await settled(pilot)
        await pilot.press(*"Đặng Thị")
        await settled(pilot)
        await palette(pilot, "bỏ cán bộ")
        await pilot.press("down", "enter")
        await settled(pilot)
        assert BINH in screen_text(app)
        await pilot.press(*"sai rồi nhé", "enter")
        await settled(pilot)
        assert "Mật khẩu không đúng." in screen_text(app)
        await pilot.press(*PASSPHRASE, "enter")
        await settled(pilot)
        assert f"Đã bỏ {BINH}" in screen_text(app)
        assert app.desk.store.database_key != before
        assert take_in(app.desk).code
        await pilot.press("f2")
        await settled(pilot)
        assert "Đặng Thị" in screen_text(app), "what was being typed is sealed with the new key"
    assert place.officers() == sorted([AN, CHINH])
    with pytest.raises(NotFound):
        place.secrets(BINH, PASSPHRASE)


async def test_alone_nobody_can_be_removed(tmp_path: Path) -> None:
    """With no colleague on the machine that is said."""
    async with opened(Office(tmp_path).place(officers=COUNTER), AN) as pilot:
        await palette(pilot, "bỏ cán bộ")
        assert words.NO_COLLEAGUES in screen_text(pilot.app)


async def test_a_backup_is_asked_for_once(tmp_path: Path) -> None:
    """The first time the folder is asked for; it is kept for every day, and its age is shown."""
    office = Office(tmp_path)
    place, stick = office.place(officers=COUNTER), tmp_path / "usb"
    async with opened(place, AN, (100, 24)) as pilot:
        await palette(pilot, "sao lưu")
        await pilot.press(*"/không/có", "enter")
        await settled(pilot)
        assert words.NO_FOLDER in screen_text(pilot.app)
        stick.mkdir()
        pilot.app.screen.query_one(LineInput).value = str(stick)
        await pilot.press("enter")
        await settled(pilot)
        assert "Đã sao lưu và kiểm tra" in screen_text(pilot.app)
        assert "sao lưu: hôm nay" in screen_text(pilot.app)
    assert place.config.backup_folder == str(stick)
    assert len(list(stick.iterdir())) == 1


async def test_the_days_backup_is_made_by_itself(tmp_path: Path) -> None:
    """When the program is opened and today's is missing, it is made; the same day again it is not."""
    office = Office(tmp_path)
    place, stick = office.place(officers=COUNTER), tmp_path / "usb"
    stick.mkdir()
    place.save_config(place.config.with_(backup_folder=str(stick)))
    for count in (1, 1, 2):  # at 8, at 22, and at noon of the next day
        async with opened(place, AN, (100, 24)) as pilot:
            await settled(pilot)
            assert "sao lưu: hôm nay" in screen_text(pilot.app)
        assert len(list(stick.iterdir())) == count
        if count == 1:
            office.later(hours=10 if list(stick.iterdir()) else 0)
        office.later(hours=2)


@pytest.mark.parametrize(("days", "said"), [(1, "sao lưu: hôm qua"), (4, "! sao lưu: 4 ngày trước")])
async def test_an_old_backup_is_a_warning(tmp_path: Path, days: int, said: str) -> None:
    """Yesterday's is as it should be; an older one is a warning, and why the next failed is one sentence."""
    office = Office(tmp_path)
    place, stick = office.place(officers=COUNTER), tmp_path / "usb"
    stick.mkdir()
    with place.unlock(AN, PASSPHRASE) as desk:
        desk.choose_backups(stick)
        desk.backup()
    office.later(days=days)
    stick.rename(tmp_path / "pulled")
    async with opened(place, AN, (100, 24)) as pilot:
        await settled(pilot)
        assert said in screen_text(pilot.app)
        assert "Không thấy USB hoặc thư mục sao lưu." in screen_text(pilot.app)


async def test_a_missing_stick_on_a_locked_screen_takes_no_letters(tmp_path: Path) -> None:
    """A backup that fails while the screen is locked leaves what is typed there alone."""
    place = Office(tmp_path).place(officers=COUNTER)
    place.save_config(place.config.with_(backup_folder=str(tmp_path / "không có")))
    async with opened(place, AN) as pilot:
        assert isinstance(pilot.app, OnestopApp)
        await lock(pilot)
        await pilot.press(*"mật kh")
        pilot.app.chores.start_backup(is_quiet=True)
        await settled(pilot)
        assert pilot.app.screen.query_one(PassphraseInput).value == "mật kh"


async def test_a_decision_asks_for_the_passphrase(tmp_path: Path) -> None:
    """Approving needs the passphrase anew, each time; a wrong one signs nothing."""
    place = Office(tmp_path).place()
    with place.unlock(AN, PASSPHRASE) as desk:
        doc = take_in(desk).doc
        desk.handover(doc)
    with place.unlock(BINH, PASSPHRASE) as desk:
        desk.receive(doc)
        desk.appraise(doc, "Đủ điều kiện", "Xác nhận")
    async with opened(place, CHINH) as pilot:
        app = pilot.app
        assert isinstance(app, OnestopApp)
        with pytest.raises(NotAllowed):
            app.desk.approve(doc)
        await pilot.press("enter")
        await settled(pilot)
        await palette(pilot, "phê duyệt")
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert f"gõ mật khẩu của {CHINH}" in screen_text(app)
        await pilot.press(*"mật khẩu sai", "enter")
        await settled(pilot)
        assert "Mật khẩu không đúng." in screen_text(app)
        assert app.desk.step(doc) == "approval"
        await pilot.press(*PASSPHRASE, "enter")
        await settled(pilot)
        assert app.desk.step(doc) == "approved"


async def test_what_is_asked_is_forgotten_under_the_lock(tmp_path: Path) -> None:
    """A half-typed passphrase does not lie behind a locked screen; the question is still there."""
    async with opened(Office(tmp_path).place(officers=COUNTER), AN) as pilot:
        await palette(pilot, "đổi mật khẩu")
        await pilot.press(*"mật kh")
        app = pilot.app
        assert isinstance(app, OnestopApp)
        app.lock()
        await settled(pilot)
        await unlock(pilot)
        assert isinstance(app.screen, AskScreen)
        assert [field.value for field in app.screen.query(LineInput)] == ["", "", ""]


async def test_sync_goes_on_behind_the_lock(tmp_path: Path) -> None:
    """A locked screen signs nothing, but what was signed goes up, and the line of state shows it."""
    office = Office(tmp_path)
    hub = office.province.machine("hub", "c1", serves=True, blocks=())
    place = office.place(officers=COUNTER)
    with serving(hub.store) as url:
        place.save_config(place.config.with_(parents=(url,)))
        async with opened(place, AN) as pilot:
            app = pilot.app
            assert isinstance(app, OnestopApp)
            take_in(app.desk)
            await lock(pilot)
            app.again("sync", 0.05, lambda: app._sync_quietly(place.config))
            while app.desk.store.status().unsent:
                await pilot.pause(0.05)
            await settled(pilot)
            assert app.desk.is_locked
            assert "đã gửi hết" in screen_text(app)
    assert _count(hub.store) == 1


def _count(store: Store) -> int:
    return store.count("dossier")


@pytest.mark.parametrize(("minutes", "seconds"), [(3, 180), (0, 0)])
async def test_the_idle_lock_is_a_setting(tmp_path: Path, minutes: int, seconds: int) -> None:
    """How long nobody may be there is said by the machine's settings; 0 is for never."""
    place = Office(tmp_path).place(officers=COUNTER)
    place.save_config(place.config.with_(idle_lock_min=minutes))
    app = OnestopApp(place, AN)
    async with app.run_test() as pilot:
        await settled(pilot)
        await unlock(pilot)
        assert app._idle_lock_s == seconds
        assert ("idle" in app._timers_by_name) is bool(seconds)
    app.finish()


def test_backup_names_hold_no_person(tmp_path: Path) -> None:
    """Names of files and folders hold the machine's id and a date."""
    place: Place = Office(tmp_path).place(officers=COUNTER)
    (tmp_path / "usb").mkdir()
    with place.unlock(AN, PASSPHRASE) as desk:
        report = desk.backup(tmp_path / "usb")
        assert report.path.name.startswith(
            f"onestop-{backup_files.machine_id(desk.store.machine.public)}-2026"
        )
    names = {path.name for path in (tmp_path / "usb").rglob("*")}
    assert all(name.isascii() for name in names)
