"""From the first paint to the list: what is loaded when, unlocking, locking, and leaving."""

import gc
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from commune_client.app import OnestopApp
from commune_client.desk.place import Place
from commune_client.screens import words
from commune_client.screens.first_run import StepInput
from commune_client.screens.told import told
from commune_client.screens.unlock import PassphraseInput, UnlockScreen
from commune_client.screens.working_list import ListScreen
from commune_client.widgets.field_form import FieldForm
from commune_client.widgets.option_field import OptionField
from onestop_sync import enrol_code, enrol_codes, enrol_grant, enrol_take
from onestop_sync.keys import FAST_FOR_TESTS
from tests.ui.office import COUNTER, EVERYONE, PASSPHRASE, Office, opened, serving, settled
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
    """In an empty folder the screen says what to do, and leads there and back."""
    async with opened(Place(tmp_path)) as pilot:
        assert "Thư mục này chưa có kho hồ sơ" in screen_text(pilot.app)
        await pilot.press("a", "enter")
        assert type(pilot.app.screen).__name__ == "FirstRunScreen"
        await pilot.press("escape")
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


# ------------------------------------------------------------------------------------ a new machine


SHEET = ("Nguyễn Văn An", "Trần Thị Bình")


def new_machine(tmp_path: Path) -> tuple[Office, str]:
    """Make a province that serves, and a code for two officers."""
    office = Office(tmp_path)
    named = tuple(enrol_grant.Named(name, frozenset({"tiep_nhan"})) for name in SHEET)
    grant = enrol_grant.Grant("c1", "Máy tiếp nhận 1", named)
    made = enrol_codes.make_code(office.province.office, office.province.admin, grant)
    return office, made.code


async def typed(pilot: Pilot[Any], *fields: str) -> None:
    """Type into one field after the other, Enter behind each."""
    for text in fields:
        await pilot.press(*text, "enter")
        await settled(pilot)


async def test_a_new_machine_is_activated_on_the_screen(tmp_path: Path) -> None:
    """Address and code, the sheet compared, two officers each with a passphrase, and the list opens."""
    office, code = new_machine(tmp_path)
    place = Place(tmp_path / "pc", clock=office.province.tick, cost=FAST_FOR_TESTS)
    with serving(office.province.office, signer=office.province.admin) as url:
        async with opened(place) as pilot:
            await pilot.press("enter")
            await settled(pilot)
            assert type(pilot.app.screen).__name__ == "FirstRunScreen"
            assert_golden(pilot.app, "screen-first-run-80")
            await typed(pilot, url, code.lower())
            assert_golden(pilot.app, "screen-first-run-who-80")
            await pilot.press("1", "enter")
            await typed(pilot, "ngắn", "ngắn")
            assert words.UNLOCK_SHORT in screen_text(pilot.app)
            await filled(pilot, PASSPHRASE, "khác")
            assert words.UNLOCK_DIFFERS in screen_text(pilot.app)
            await filled(pilot, PASSPHRASE, PASSPHRASE)
            assert "Đã xong cho Nguyễn Văn An" in screen_text(pilot.app)
            await filled(pilot, PASSPHRASE, PASSPHRASE)
            assert isinstance(pilot.app.screen, UnlockScreen)
            assert words.ACTIVATED in screen_text(pilot.app)
            await pilot.press(*PASSPHRASE, "enter")
            await settled(pilot)
            assert "Nguyễn Văn An · Xã Một" in screen_text(pilot.app)
    assert place.officers() == list(SHEET)


async def filled(pilot: Pilot[Any], passphrase: str, again: str) -> None:
    """Fill in both passphrases anew, and go on."""
    first, second = pilot.app.screen.query(StepInput)
    first.value, second.value = passphrase, again
    second.focus()
    await typed(pilot, "")


async def test_a_slip_and_a_wrong_code_are_told_and_what_is_typed_stays(tmp_path: Path) -> None:
    """A mistyped group is named before anybody is asked; no line and a wrong code each give a sentence."""
    office, code = new_machine(tmp_path)
    other = enrol_code.write_code(bytes(13))
    place = Place(tmp_path / "pc", clock=office.province.tick, cost=FAST_FOR_TESTS)
    with serving(office.province.office) as url:
        async with opened(place) as pilot:
            await pilot.press("f2")
            await settled(pilot)
            slip = code[:6] + ("0" if code[6] != "0" else "1") + code[7:]
            await typed(pilot, url, slip)
            assert "Nhóm thứ 2 chưa đúng" in " ".join(screen_text(pilot.app).split())
            field = pilot.app.screen.query_one("#code", StepInput)
            assert field.value == slip
            field.value = other
            await typed(pilot, "")
            assert "không biết mã kích hoạt này" in " ".join(screen_text(pilot.app).split())
            await pilot.press("escape")
            await settled(pilot)
            assert isinstance(pilot.app.screen, UnlockScreen)
    assert not place.is_set_up


async def test_a_machine_that_waits_for_approval_asks_again(tmp_path: Path) -> None:
    """Where no administrator is at the server the screen says so; approved, the same Enter gets in."""
    office, code = new_machine(tmp_path)
    store = office.province.office
    place = Place(tmp_path / "pc", clock=office.province.tick, cost=FAST_FOR_TESTS)
    with serving(store) as url:
        async with opened(place) as pilot:
            await pilot.press("enter")
            await settled(pilot)
            await typed(pilot, url, code)
            await pilot.press("1", "enter")
            await filled(pilot, PASSPHRASE, PASSPHRASE)
            assert "chờ quản trị duyệt" in screen_text(pilot.app)
            assert place.is_set_up
            assert not place.is_enrolled
            enrol_take.approve_waiting(store, office.province.admin)
            await filled(pilot, PASSPHRASE, PASSPHRASE)
            assert place.is_enrolled
