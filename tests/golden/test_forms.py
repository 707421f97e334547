"""The forms of both legal profiles, as text and as laid out on paper, against what was looked at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from commune_client.printing.layout import Qr, Rule, Text
from commune_client.printing.pdf import pages_of
from commune_client.printing.text import WIDTH, cells, render
from onestop_sync.dossier.data import shipped_profiles
from onestop_sync.dossier.forms.facts import Agency
from onestop_sync.dossier.forms.paper import Sheet
from onestop_sync.dossier.forms.register import Closed, line_of, register_sheet, volumes_of
from onestop_sync.dossier.forms.sheets import sheet_of
from onestop_sync.dossier.profiles import LegalProfile
from tests.golden.form_stories import NAMES, STARTS, Story, stories

FOLDER = Path(__file__).with_name("forms")
PROFILES = {profile.id: profile for profile in shipped_profiles()}
CASES = [(profile, form.key) for profile, found in PROFILES.items() for form in found.forms]


def sheet(profile_id: str, form: str) -> Sheet:
    """Returns a form of a profile, filled in."""
    if form == "register":
        return register(PROFILES[profile_id])
    return sheet_of(form, stories(profile_id)[form])


def register(profile: LegalProfile) -> Sheet:
    """Returns the register of a year with two dossiers, closed."""
    ended, started = Story(profile.id).accept().appraise().decide(), Story(profile.id).accept(serial=8)
    started.do("Nguyễn Văn An", values={"dien_thoai": "0987654321"})
    lines = [line_of(ended.state, NAMES), line_of(started.state, NAMES)]
    first, second = [line for line in lines if line is not None]
    placed = [
        first._replace(place=first.place._replace(number=1)),
        second._replace(place=second.place._replace(number=2)),
    ]
    year = STARTS[profile.id].year
    (volume,) = volumes_of(placed, year)
    agency = Agency(("ỦY BAN NHÂN DÂN XÃ ĐÔNG PHƯƠNG",), "Đông Phương", "x01")
    return register_sheet(volume, year, profile, agency, Closed(2, "Lê Quốc Chính", 1_800_000_000_000))


def compare(name: str, found: str) -> None:
    """Compares with a file; with UPDATE_GOLDEN=1 in the environment, writes it anew."""
    path = FOLDER / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("profile", "form"), CASES)
def test_a_form_as_text(profile: str, form: str) -> None:
    """Each form of both circulars says what it said, in 80 columns, under the circular's own number."""
    text = render([sheet(profile, form)])
    compare(f"{profile}-{form}.txt", text)
    assert max(cells(line) for line in text.splitlines()) <= WIDTH
    assert f"Mẫu số {PROFILES[profile].form(form).number} - {PROFILES[profile].circular}" in text


@pytest.mark.parametrize("form", ["receipt", "register"])
def test_a_form_on_paper(form: str) -> None:
    """Every word, line and QR code of a page stands where it stood, to a tenth of a millimetre."""
    lines: list[str] = []
    for number, page in enumerate(pages_of(sheet("nd118-2025", form)), 1):
        lines.append(f"page {number} {page.size}")
        for thing in page.things:
            match thing:
                case Text(x, y, text, size, is_bold):
                    lines.append(f"{x:.1f} {y:.1f} {size}{' bold' * is_bold} {text}")
                case Rule():
                    lines.append("line " + " ".join(f"{at:.1f}" for at in thing))
                case Qr(x, y, size, text):
                    lines.append(f"qr {x:.1f} {y:.1f} {size} {text}")
    compare(f"{form}.layout", "\n".join(lines) + "\n")


def test_the_second_profile_differs_where_the_circular_does() -> None:
    """The stop notice is there since 2025, and the numbers of control slip and register moved on."""
    first, second = PROFILES["nd61-2018"], PROFILES["nd118-2025"]
    assert "stop" not in stories("nd61-2018")
    assert [first.form(form).number for form in ("control_slip", "register")] == ["05", "06"]
    assert [second.form(form).number for form in ("stop", "control_slip", "register")] == ["05", "06", "07"]
