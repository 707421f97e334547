"""Printing on the screen: the receipt after acceptance, any form of a dossier, a day's, and the register."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Input

from commune_client.screens import words
from commune_client.screens.accepted import AcceptedScreen
from commune_client.screens.dossier import DossierScreen
from commune_client.screens.printing import PrintDayScreen, PrintScreen
from commune_client.screens.register import RegisterScreen
from commune_client.widgets.field_form import FieldForm
from tests.ui.office import PASSPHRASE, Office, opened, settled, take_in
from tests.ui.test_screens_dossier import AN, one_dossier, open_first, text_of

CHIEF = "Lê Quốc Chính"


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
async def test_forms_are_printed_by_keys(tmp_path: Path, size: tuple[int, int]) -> None:
    """From the dossier one form, from the list a day's: files stand in the folder, which is remembered."""
    place = Office(tmp_path).place()
    one_dossier(place)
    folder = tmp_path / "in"
    folder.mkdir()
    async with opened(place, AN, size=size) as pilot:
        await open_first(pilot)
        await pilot.press("ctrl+p")
        await settled(pilot)
        assert isinstance(pilot.app.screen, PrintScreen)
        pilot.app.screen.query_one("#field-path", Input).value = str(folder)
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert isinstance(pilot.app.screen, DossierScreen)
        assert "in xong hãy xóa" in " ".join(text_of(pilot).split())
        await pilot.press("escape")
        await settled(pilot)
        await pilot.press("ctrl+p")
        await settled(pilot)
        assert isinstance(pilot.app.screen, PrintDayScreen)
        values = pilot.app.screen.query_one(FieldForm).cleaned()
        assert (values["path"], values["manner"]) == (str(folder), "two")
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert "trong đó in lại 1" in " ".join(text_of(pilot).split())
    assert sorted(path.suffix for path in folder.iterdir()) == [".pdf", ".pdf"]
    assert place.config.print_folder == str(folder)


async def test_the_receipt_is_offered_after_acceptance(tmp_path: Path) -> None:
    """The screen after an intake names the key, and the key asks with the receipt chosen."""
    place = Office(tmp_path).place()
    async with opened(place, AN) as pilot:
        desk = pilot.app.desk  # type: ignore[attr-defined]
        accepted = take_in(desk)
        pilot.app.push_screen(AcceptedScreen(accepted, desk.procedure("1.001193")))
        await settled(pilot)
        assert words.OFFER_RECEIPT in text_of(pilot)
        await pilot.press("ctrl+p")
        await settled(pilot)
        assert isinstance(pilot.app.screen, PrintScreen)
        assert pilot.app.screen.query_one(FieldForm).cleaned()["form"] == "receipt"


async def test_the_register_is_seen_and_closed_by_its_head(tmp_path: Path) -> None:
    """F10's entry shows the year; before its end nothing is closed, after it the head signs by passphrase."""
    office = Office(tmp_path)
    place = office.place()
    one_dossier(place)
    async with opened(place, CHIEF) as pilot:
        await pilot.app.run_action("register")
        await settled(pilot)
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(pilot.app.screen, RegisterScreen)
        assert "1 hồ sơ, từ số 01 đến số 01" in text_of(pilot)
        await pilot.press("ctrl+s")
        await settled(pilot)
        list(pilot.app.screen.query(Input))[-1].value = PASSPHRASE
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert "Năm chưa hết" in " ".join(text_of(pilot).split())
        office.later(days=310)
        list(pilot.app.screen.query(Input))[-1].value = PASSPHRASE
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert isinstance(pilot.app.screen, RegisterScreen)
        assert "Khóa sổ lúc 08:15 06/01/2027: Lê Quốc Chính" in text_of(pilot)
