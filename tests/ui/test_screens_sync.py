"""The line: offline is calm, a real server takes the work, and how far it has got is told."""

from dataclasses import replace
from datetime import date
from pathlib import Path

from commune_client.app import OnestopApp
from commune_client.desk.facts import ClockFacts, ParentFacts, SyncFacts
from commune_client.screens import words
from commune_client.screens.outbox import progress_text, sync_lines
from commune_client.screens.show import sync_state
from tests.ui.office import PASSPHRASE, Office, opened, serving, settled, take_in
from tests.ui.screens import assert_golden, screen_text

AN = "Nguyễn Văn An"
NOWHERE = "http://127.0.0.1:9"


async def test_offline_is_calm(tmp_path: Path) -> None:
    """With the line down F5 says that all is kept; no word or mark of error, and work goes on."""
    place = Office(tmp_path).place()
    with place.unlock(AN, PASSPHRASE) as desk:
        take_in(desk)
        desk.set_parents([NOWHERE])
    async with opened(place, AN) as pilot:
        await pilot.press("f5")
        await settled(pilot)
        shown = screen_text(pilot.app)
        assert "Mọi việc đã lưu trên máy" in shown
        assert "Ngoại tuyến | 1 chờ gửi" in shown
        assert "lỗi" not in shown.lower()
        await pilot.press("f6")
        await settled(pilot)
        assert_golden(pilot.app, "screen-outbox-80")
        assert words.NO_ANSWER in screen_text(pilot.app)


async def test_no_parent_is_set(tmp_path: Path) -> None:
    """Without any address F5 says what to do."""
    async with opened(Office(tmp_path).place(), AN) as pilot:
        await pilot.press("f5")
        await settled(pilot)
        assert "Chưa khai địa chỉ cấp trên" in screen_text(pilot.app)


async def test_real_server(tmp_path: Path) -> None:
    """A district's server takes the work: all is sent, and each event says that it has got there."""
    office = Office(tmp_path)
    district = office.province.machine("huyen", "d1", serves=True)
    place = office.place()
    with serving(district.store) as url:
        with place.unlock(AN, PASSPHRASE) as desk:
            doc = take_in(desk, nguoi_nop="Đặng Thị Hường").doc
            desk.set_parents([url])
        async with opened(place, AN) as pilot:
            await pilot.press("f6", "f5")
            await settled(pilot)
            shown = screen_text(pilot.app)
            assert "Đồng bộ xong" in shown
            assert "Trực tuyến | đã gửi hết" in shown
            assert words.ALL_SENT in shown
            assert "Huyện Một" in shown
            app = pilot.app
            assert isinstance(app, OnestopApp)
            assert {item.level for item in app.desk.show(doc).timeline} == {"district"}
            await pilot.press("f4", "enter")
            await settled(pilot)
            assert "đã tới huyện" in screen_text(app)
    district.store.close()


async def test_locked_screen_goes_on_syncing(tmp_path: Path) -> None:
    """A sync that was started goes on and ends while the screen is locked."""
    office = Office(tmp_path)
    district = office.province.machine("huyen", "d1", serves=True)
    place = office.place()
    with serving(district.store) as url:
        with place.unlock(AN, PASSPHRASE) as desk:
            take_in(desk)
            desk.set_parents([url])
        async with opened(place, AN) as pilot:
            app = pilot.app
            assert isinstance(app, OnestopApp)
            app.action_sync()
            app.lock()
            await settled(pilot)
            assert app.sync_state.unsent == 0
    district.store.close()


CLOCK = ClockFacts(
    1_772_420_000_000, 1_772_410_000_000, date(2026, 3, 2), is_suspect=False, is_confirmed=False
)


def facts(unsent: int, *parents: ParentFacts) -> SyncFacts:
    """Return how sync stands."""
    return SyncFacts(None, unsent, 1_772_413_000_000 if unsent else None, None, 0, 0, 0, 0, parents, CLOCK)


def test_words_of_the_state() -> None:
    """What waits and since when, each parent in its order, and the last contact are said."""
    parents = (
        ParentFacts("http://hub", "c1", "Xã Một", "hub", 1_772_412_000_000, 1_772_412_000_000, ""),
        ParentFacts("http://d1", "", "", "here", 0, 1_772_412_000_000, "upstream_malformed"),
    )
    lines = [line.plain for line in sync_lines(facts(7, *parents), ("http://hub", "http://d1", "http://p"))]
    assert lines[0] == "7 việc chưa gửi, lâu nhất từ 07:56 02/03/2026 (1 giờ)"
    assert lines[2] == "  Xã Một (http://hub)  lần cuối 07:40 02/03/2026; trả lời"
    assert "không phải máy chủ của hệ thống" in lines[3]
    assert lines[4] == f"  http://p  {words.NEVER}"
    assert sync_lines(facts(0), ())[0].plain == words.ALL_SENT


def test_what_does_not_fit_together_above_is_told_calmly() -> None:
    """What was found out, and contact without a word of the province, are said; nothing looks lost."""
    told = replace(facts(0), findings=2, silent_ms=5 * 86_400_000, stated_ms=1_772_000_000_000)
    lines = [line.plain for line in sync_lines(told, ())]
    assert lines[1].startswith("! Cấp trên có 2 điểm không khớp; ở đây không mất gì. Báo người quản trị")
    assert lines[2] == "Chưa có xác nhận của tỉnh từ 5 ngày"
    assert lines[3].startswith("Xác nhận gần nhất của tỉnh: ")
    state = sync_state(told, None)
    assert (state.has_findings, state.old_statement_age_s) == (True, 5 * 86_400)
    assert sync_state(facts(0), None).old_statement_age_s is None


def test_progress() -> None:
    """The bar is as full as the count says."""
    assert progress_text(0, 200).endswith(f"[{'.' * 30}] 0/200")
    assert progress_text(100, 200).endswith(f"[{'#' * 15}{'.' * 15}] 100/200")
    assert progress_text(0, 0).endswith(f"[{'#' * 30}] 0/0")
