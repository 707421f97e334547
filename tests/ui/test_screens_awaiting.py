"""What waits beyond a cut, on the screen: seen by everybody, vouched for by the head of the unit."""

from __future__ import annotations

from pathlib import Path

import pytest

from commune_client.screens.asked import AskScreen
from commune_client.screens.awaiting import AwaitingScreen
from commune_client.widgets.row_list import RowList
from commune_client.widgets.vn_input import VnInput
from onestop_sync.trust_document import Cut
from tests.ui.office import PASSPHRASE, Office, opened, settled, take_in
from tests.ui.screens import screen_text

AN, CHINH = "Nguyễn Văn An", "Lê Quốc Chính"


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
async def test_the_head_vouches_for_a_retired_officers_work(tmp_path: Path, size: tuple[int, int]) -> None:
    """The list names the dossier and who wrote it; 2, a reason and the passphrase give it effect again."""
    office = Office(tmp_path)
    place = office.place()
    with place.unlock(AN, PASSPHRASE) as desk:
        code = desk.show(take_in(desk).doc).view.code
        cut = Cut("retired", desk.signer.public, "", {})
        office.province.publish(desk.store, cuts=(cut,))
    async with opened(place, CHINH, size=size) as pilot:
        await pilot.app.run_action("awaiting")
        await settled(pilot)
        assert isinstance(pilot.app.screen, AwaitingScreen)
        assert code in screen_text(pilot.app)
        assert AN[:10] in screen_text(pilot.app)
        rows = pilot.app.screen.query_one(RowList)
        assert [row.cells[1] for row in rows.rows] == ["(nhật ký)", code]
        rows.cursor = 1
        await settled(pilot)
        await pilot.press("2")
        await settled(pilot)
        assert isinstance(pilot.app.screen, AskScreen)
        for field, text in zip(pilot.app.screen.query(VnInput), ("Đã đối chiếu", PASSPHRASE), strict=True):
            field.value = text
        await pilot.press("ctrl+s")
        await settled(pilot)
        text = screen_text(pilot.app)
        assert [row.cells[1] for row in rows.rows] == ["(nhật ký)"]
        assert "từ nay có hiệu lực" in text
