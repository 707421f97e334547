"""From the first paint to the list: what is loaded when, unlocking, locking, and leaving."""

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from commune_client.app import OnestopApp
from commune_client.desk.place import Place
from commune_client.screens import words
from commune_client.screens.told import told
from commune_client.screens.unlock import PassphraseInput, UnlockScreen
from commune_client.screens.working_list import ListScreen
from commune_client.widgets.field_form import FieldForm
from commune_client.widgets.option_field import OptionField
from tests.ui.office import COUNTER, EVERYONE, PASSPHRASE, Office, opened, settled
from tests.ui.screens import assert_golden, screen_text

_HEAVY = ("sqlalchemy", "sqlcipher3", "cryptography", "nacl", "httpx", "tenacity", "cbor2", "zstandard")
_PROGRAM = """
import sys
from pathlib import Path
from commune_client.app import OnestopApp
from commune_client.desk.place import Place

class Probe(OnestopApp):
    def warm_up(self):
        assert self.screen.region.width == 80
        self.exit(" ".join(sys.modules))

app = Probe(Place(Path(sys.argv[1])))
print(app.run(headless=True, size=(80, 24)))
"""


def test_nothing_heavy_before_the_first_paint(tmp_path: Path) -> None:
    """When the unlock screen is painted, no database, network or cryptography is loaded, nor the store."""
    Office(tmp_path).place(officers=COUNTER)
    program = [sys.executable, "-c", _PROGRAM, str(tmp_path / "may-1")]
    result = subprocess.run(program, capture_output=True, text=True, check=True)
    loaded = set(result.stdout.split())
    assert {"textual.app", "commune_client.screens.unlock"} <= loaded
    assert not {name for name in loaded if name.partition(".")[0] in _HEAVY}
    ours = {name for name in loaded if name.startswith("onestop_sync")}
    assert ours <= {"onestop_sync", "onestop_sync.errors"}


async def test_garbage_is_collected_from_the_first_paint_on(tmp_path: Path) -> None:
    """The start puts it off; a program that stays open all day must not."""
    place = Office(tmp_path).place(officers=COUNTER)
    gc.disable()
    try:
        async with opened(place):
            assert gc.isenabled()
    finally:
        gc.enable()


async def test_unlock(tmp_path: Path) -> None:
    """An officer is chosen by its digit, and the passphrase, with its marks and spaces, opens the list."""
    place = Office(tmp_path).place()
    async with opened(place) as pilot:
        assert_golden(pilot.app, "screen-unlock-80")
        await pilot.press("2", "tab", *PASSPHRASE, "enter")
        await settled(pilot)
        assert isinstance(pilot.app.screen, ListScreen)
        assert "Nguyễn Văn An · Xã Một" in screen_text(pilot.app)


async def test_enter_takes_the_officer(tmp_path: Path) -> None:
    """Enter on the line of an officer takes it and goes on to the passphrase."""
    async with opened(Office(tmp_path).place()) as pilot:
        await pilot.press("down", "down", "enter", *PASSPHRASE, "enter")
        await settled(pilot)
        assert "Trần Thị Bình · Xã Một" in screen_text(pilot.app)


async def test_wrong_passphrase(tmp_path: Path) -> None:
    """A wrong passphrase gives one clear sentence, and the next attempt works."""
    async with opened(Office(tmp_path).place(officers=COUNTER)) as pilot:
        await pilot.press(*"sai", "enter")
        await settled(pilot)
        assert "Mật khẩu không đúng." in screen_text(pilot.app)
        assert pilot.app.screen.query_one(PassphraseInput).value == ""
        await pilot.press(*PASSPHRASE, "enter")
        await settled(pilot)
        assert isinstance(pilot.app.screen, ListScreen)


async def test_unlock_with_something_missing(tmp_path: Path) -> None:
    """Without an officer or a passphrase nothing is tried, and what is missing is said."""
    async with opened(Office(tmp_path).place()) as pilot:
        pilot.app.screen.query_one(PassphraseInput).focus()
        await pilot.press("enter")
        assert words.OFFICER_MISSING in screen_text(pilot.app)
        await pilot.press("1", "tab", "enter")
        assert words.UNLOCK_EMPTY in screen_text(pilot.app)


async def test_no_store_here(tmp_path: Path) -> None:
    """In an empty folder the screen says what to do."""
    async with opened(Place(tmp_path)) as pilot:
        assert "Thư mục này chưa có kho hồ sơ" in screen_text(pilot.app)
        await pilot.press("a", "enter", "f2")
        assert isinstance(pilot.app.screen, UnlockScreen)


@pytest.mark.parametrize("damage", ["keyring", "store.db"])
async def test_damaged_store(tmp_path: Path, damage: str) -> None:
    """Files that are not ours give one sentence, and no traceback."""
    place = Office(tmp_path).place(officers=COUNTER)
    (place.folder / damage).write_bytes(b"\0" * 5000)
    async with opened(place) as pilot:
        await pilot.press(*PASSPHRASE, "enter")
        await settled(pilot)
        assert isinstance(pilot.app.screen, UnlockScreen)
        said = screen_text(pilot.app)
        assert "Không đọc được tệp dữ liệu" in said or words.NOT_SET_UP[:20] in said


async def test_lock_keeps_what_is_typed(tmp_path: Path) -> None:
    """Locking covers a half-filled form and drops the key; the same officer finds every letter again."""
    async with opened(Office(tmp_path).place(), "Nguyễn Văn An") as pilot:
        app = pilot.app
        assert isinstance(app, OnestopApp)
        await pilot.press("f2", *"khai tu", "enter")
        await settled(pilot)
        await pilot.press(*"Đặng Thị", "ctrl+q", "enter")
        await settled(pilot)
        assert isinstance(app.screen, UnlockScreen)
        assert app.desk.is_locked
        assert "Đặng Thị" not in screen_text(app)
        await pilot.press("f4", *PASSPHRASE, "enter")
        await settled(pilot)
        assert app.screen.query_one(FieldForm).values()["nguoi_nop"] == "Đặng Thị"


async def test_another_officer_starts_at_the_list(tmp_path: Path) -> None:
    """After a lock somebody else gets the list, not the form of the one before."""
    async with opened(Office(tmp_path).place(officers=EVERYONE), "Nguyễn Văn An") as pilot:
        await pilot.press("f2", *"khai tu", "enter")
        await settled(pilot)
        await pilot.press("ctrl+q", "enter")
        await settled(pilot)
        pilot.app.screen.query_one(OptionField).focus()
        await pilot.press("3", "tab", *PASSPHRASE, "enter")
        await settled(pilot)
        assert isinstance(pilot.app.screen, ListScreen)
        assert "Trần Thị Bình" in screen_text(pilot.app)


async def test_idle_lock(tmp_path: Path) -> None:
    """When nobody presses a key for long enough, the screen locks itself."""
    async with opened(Office(tmp_path).place(officers=COUNTER), "Nguyễn Văn An", idle_lock_s=0.2) as pilot:
        while not isinstance(pilot.app.screen, UnlockScreen):
            await pilot.pause(0.05)
        await settled(pilot)
        assert words.LOCKED.partition(".")[0] in screen_text(pilot.app)


async def test_leave(tmp_path: Path) -> None:
    """Ctrl+Q asks whether to lock or to leave, and leaves with 0."""
    async with opened(Office(tmp_path).place(officers=COUNTER), "Nguyễn Văn An") as pilot:
        await pilot.press("ctrl+q")
        await settled(pilot)
        assert words.LOCK in screen_text(pilot.app)
        await pilot.press("down", "enter")
        await settled(pilot)
        assert pilot.app.return_value == 0


def test_a_fault_of_the_program_tells_no_values(tmp_path: Path) -> None:
    """What nobody foresaw gives one sentence; neither it nor the log holds what somebody typed."""
    try:
        raise RuntimeError("Nguyễn Thị Hường")
    except RuntimeError as error:
        text = told(error, tmp_path).text
    log = (tmp_path / "onestop.log").read_text(encoding="utf-8")
    assert "Hường" not in text + log
    assert "RuntimeError" in log
    assert "test_screens_start.py" in log


async def test_interrupt_ends_nothing(tmp_path: Path) -> None:
    """Ctrl+C, which copies elsewhere, says how to leave and ends nothing."""
    async with opened(Office(tmp_path).place(officers=COUNTER), "Nguyễn Văn An") as pilot:
        pilot.app.action_help_quit()
        await settled(pilot)
        assert words.HOW_TO_LEAVE in screen_text(pilot.app)
        assert isinstance(pilot.app.screen, ListScreen)
