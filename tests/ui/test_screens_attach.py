"""Scans on the screen: attached by a path that completes itself, shown where they are, and saved."""

from __future__ import annotations

import filecmp
import random
from pathlib import Path

import pytest
from textual.widgets import Input

from commune_client.screens import words
from commune_client.screens.attach import AttachScreen, completed
from commune_client.screens.dossier import DossierScreen
from onestop_sync.attachment import CHUNK_BYTES
from tests.ui.office import Office, opened, settled
from tests.ui.test_screens_dossier import AN, do, one_dossier, open_first, text_of


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """A scan in a folder of its own."""
    folder = tmp_path / "Scan của tôi"
    folder.mkdir()
    path = folder / "Căn cước.pdf"
    path.write_bytes(random.Random(1).randbytes(CHUNK_BYTES + 1))
    return path


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
async def test_a_scan_is_attached_and_saved(tmp_path: Path, scan: Path, size: tuple[int, int]) -> None:
    """With keys alone: a file is attached, stands in the dossier, and is saved with a warning."""
    place = Office(tmp_path).place()
    one_dossier(place)
    async with opened(place, AN, size=size) as pilot:
        await open_first(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, DossierScreen)
        digit = next(n for n, item in enumerate(screen.menu(), 1) if item.label == words.ATTACH)
        await pilot.press(str(digit))
        await settled(pilot)
        field = pilot.app.screen.query_one("#field-path", Input)
        field.value = str(scan)[:-8]  # without what the suggestion brings
        await settled(pilot)
        field.cursor_position = len(field.value)
        field.focus()
        await pilot.press("right")
        await settled(pilot)
        assert field.value == str(scan)
        await pilot.press("ctrl+s")
        await settled(pilot)
        said = text_of(pilot)
        assert "Đã đính kèm Căn cước.pdf (64 KB)" in said
        assert isinstance(pilot.app.screen, DossierScreen)
        assert [each.level for each in pilot.app.screen.dossier.attachments] == ["here"]  # type: ignore[union-attr]
        out = tmp_path / "ra.pdf"
        said = await do(pilot, words.SAVE_ATTACHMENT, which="Căn cước.pdf", path=str(out))
        assert "không còn được mã hóa" in " ".join(said.split())  # the path decides where the line breaks
    assert filecmp.cmp(out, scan, shallow=False)


async def test_what_is_wrong_is_said_on_the_form(tmp_path: Path) -> None:
    """A path to nothing is told, and stays in the field to be corrected."""
    place = Office(tmp_path).place()
    one_dossier(place)
    async with opened(place, AN) as pilot:
        await open_first(pilot)
        said = await do(pilot, words.ATTACH, path=str(tmp_path / "không có"))
        assert "Không đọc" in said
        assert isinstance(pilot.app.screen, AttachScreen)
        assert pilot.app.screen.query_one("#field-path", Input).value == str(tmp_path / "không có")


def test_paths_are_completed_as_they_are_on_the_disk(scan: Path) -> None:
    """Folders get a slash, case does not matter, hidden files come only where asked for."""
    folder = scan.parent
    (folder / ".ẩn").touch()
    (folder / "con").mkdir()
    assert completed(str(folder)[:-3]) == f"{folder}/"
    assert completed(f"{folder}/c") == f"{folder}/con/"
    assert completed(f"{folder}/că") == f"{folder}/Căn cước.pdf"
    assert completed(f"{folder}/.") == f"{folder}/.ẩn"
    assert [completed(text) for text in ("", f"{folder}/x", str(scan), f"{folder}/x/y")] == [None] * 4
