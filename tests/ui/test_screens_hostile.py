"""What a certified but hostile program may write into a dossier moves nothing on a terminal."""

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from commune_client.cli import main
from commune_client.desk.place import Place
from onestop_sync.dossier.labels import one_line
from tests.ui.office import PASSPHRASE, Office, opened, settled, take_in
from tests.ui.screens import screen_text

AN = "Nguyễn Văn An"
EVIL = "\x1b[2J\x1b[31mĐỏ\x9b5m\x07\x00 \u202eoan\u202c [bold]đậm[/bold] <b>"


def evil_dossier(place: Place) -> str:
    """Write control characters wherever text can stand; returns the dossier's code."""
    with place.unlock(AN, PASSPHRASE) as desk:
        accepted = take_in(desk)
        assert desk._signer is not None
        writer = desk.store.writer(desk._signer)
        fields = ("nguoi_nop", "dia_chi", "noi_dung", "email", f"truong_rieng/{EVIL}")
        writer.edit(accepted.doc, dict.fromkeys(fields, EVIL))
        writer.edit(accepted.doc, {f"giay_to/{EVIL}": {"ban_chinh": 1, "ban_sao": 0}})
        writer.note(accepted.doc, "ghi_chu", EVIL)
        code: str = accepted.code
        return code


def assert_plain(text: str) -> None:
    """Everything on it is seen, and markup is shown as it is."""
    seen = text.replace("\u00a0", " ")
    assert "Đỏ" in seen
    assert [char for char in seen if not char.isprintable() and char != "\n"] == []


async def shows_plain(pilot: Pilot[Any], *keys: str) -> None:
    """Press keys, and look at the screen."""
    await pilot.press(*keys)
    await settled(pilot)
    assert_plain(screen_text(pilot.app))


async def test_control_characters_move_nothing_on_the_screen(tmp_path: Path) -> None:
    """List, dossier, timeline and form show what can be seen of a hostile value, and send nothing else."""
    place = Office(tmp_path).place()
    evil_dossier(place)
    async with opened(place, AN, size=(80, 60)) as pilot:
        assert_plain(screen_text(pilot.app))
        await shows_plain(pilot, "enter")
        await shows_plain(pilot, "tab")
        await shows_plain(pilot, "0")


@pytest.mark.parametrize("flags", [[], ["--json"]])
@pytest.mark.parametrize("command", ["list", "show"])
def test_control_characters_move_nothing_on_the_command_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    flags: list[str],
    command: str,
) -> None:
    """Commands print no control characters of a dossier, as lines or as JSON."""
    place = Office(tmp_path).place()
    code = evil_dossier(place)
    monkeypatch.setenv("ONESTOP_PASSPHRASE", PASSPHRASE)
    words = [command, *([code] if command == "show" else [])]
    assert main(["--store", str(place.folder), "--officer", AN, *flags, *words]) == 0
    assert_plain(capsys.readouterr().out)


def test_one_line_keeps_what_can_be_seen() -> None:
    """Vietnamese stays as it is; control characters, line ends and marks of direction become spaces."""
    assert one_line("Nguyễn Thị Hường – đường 3/2") == "Nguyễn Thị Hường – đường 3/2"
    assert one_line(" a\n\tb\x1b[2J \u202ec\x00 ") == "a b [2J c"
