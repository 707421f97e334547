"""Forms, pure: what blocks them, what they say in hard cases, and how they are broken over pages."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from commune_client.printing.layout import PAGE_MM, Page, Text
from commune_client.printing.pdf import opened_pdf, pages_of, render, shown
from commune_client.printing.text import WIDTH, cells, sheet_lines
from onestop_sync import codec
from onestop_sync.dossier.data import shipped_profiles
from onestop_sync.dossier.forms.checks import blocking_keys, check_printable, forms_of
from onestop_sync.dossier.forms.facts import Agency
from onestop_sync.dossier.forms.kinds import PRINTED
from onestop_sync.dossier.forms.paper import PaperSize, Paragraph
from onestop_sync.dossier.forms.register import (
    erased_line,
    line_of,
    register_sheet,
    volume_digest,
    volumes_of,
)
from onestop_sync.dossier.forms.sheets import sheet_of
from onestop_sync.dossier.forms.words import agency_head, agency_place
from onestop_sync.dossier.profiles import profile_for, with_forms_of
from onestop_sync.dossier.register_book import volume_name
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.dossier.summary import register_row
from onestop_sync.errors import InvalidInput, NotAllowed
from onestop_sync.state import Register
from tests.golden.form_stories import AN, CHINH, NAMES, Story, stories

PROFILE = "nd118-2025"
LETTERS = "aăâeêioôơuưydđ"
TONES = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")


def texts(pages: tuple[Page, ...]) -> list[str]:
    """Returns all texts on pages."""
    return [thing.text for page in pages for thing in page.things if isinstance(thing, Text)]


def test_every_printed_field_is_legal() -> None:
    """A field that a form prints is one whose conflict blocks printing; three others are legal as well."""
    printed = set().union(*PRINTED.values())
    legal = {field.name for field in DOSSIER.fields if field.is_legal}
    assert printed <= legal
    unprinted = {"ngay_sinh", "truong_rieng", "ket_qua"}
    assert legal - printed == unprinted


def test_a_conflict_blocks_the_forms_that_print_the_field_and_no_other() -> None:
    """Two phone numbers stop the receipt, which names the field; two addresses of mail are left out."""
    story = Story(PROFILE).accept()
    story.do(AN, values={"dien_thoai": "0911111111"})
    story.beside(AN, {"dien_thoai": "0922222222", "email": "a@b.vn"})
    assert blocking_keys("receipt", story.state) == ("dien_thoai",)
    with pytest.raises(NotAllowed) as caught:
        sheet_of("receipt", story.facts())
    assert caught.value.details["reason"] == "print_conflict"
    assert caught.value.details["fields"] == ["Điện thoại"]
    mail = Story(PROFILE).accept()
    mail.do(AN, values={"email": "a@b.vn"})
    mail.beside(AN, {"email": "c@d.vn"})
    check_printable("receipt", mail.facts())
    lines = "\n".join(sheet_lines(sheet_of("receipt", mail.facts())))
    assert "a@b.vn" not in lines
    assert "c@d.vn" not in lines


@pytest.mark.parametrize("profile_id", ["nd61-2018", "nd118-2025"])
def test_no_form_prints_one_of_two_values(profile_id: str) -> None:
    """Whichever field two people wrote differently: a form is not printed, or says the same for both."""
    shapes: dict[str, Any] = {
        "tiep_nhan_luc": 1_790_000_000_000, "han_tra": {"ms": 1_790_000_000_000}, "so_bo": 3,
        "so_theo_doi": {"nam": 2026, "quyen": "X", "so": 7}, "loai_doi_tuong": "to_chuc",
        "yeu_cau_bo_sung": {"giay_to": ["khác"]}, "giay_to/khác": {"ban_chinh": 7, "ban_sao": 0},
    }  # fmt: skip
    kinds = {field.name: field.name + ("/khác" if field.kind == "map" else "") for field in DOSSIER.fields}
    for form, facts in stories(profile_id).items():
        for key in kinds.values():
            sides = [(b"1" * 32, facts.state.value(key)), (b"2" * 32, shapes.get(key, "khác"))]
            said = set()
            for live in (sides, sides[::-1]):
                registers = {**facts.state.registers, key: Register(tuple(live))}
                with suppress(NotAllowed):
                    state = replace(facts.state, registers=registers)
                    said.add("\n".join(sheet_lines(sheet_of(form, replace(facts, state=state)))))
            assert len(said) < 2, (form, key)


def test_a_void_dossier_keeps_only_its_control_slip() -> None:
    """What was declared void gives no receipt, for that reason."""
    story = Story(PROFILE).accept()
    story.do(CHINH, values={"_void": "Nhập trùng"})
    with pytest.raises(NotAllowed) as caught:
        sheet_of("receipt", story.facts())
    assert caught.value.details["reason"] == "void"
    assert sheet_of("control_slip", story.facts()).code


def test_a_form_is_there_when_its_act_was_taken() -> None:
    """A draft has no form; acceptance gives two; a refusal is not offered to who was accepted."""
    assert forms_of(Story(PROFILE).facts()) == ()
    facts = Story(PROFILE).accept().facts()
    assert forms_of(facts) == ("receipt", "control_slip")
    with pytest.raises(InvalidInput):
        sheet_of("refusal", facts)


def test_a_reprint_says_so() -> None:
    """The second time the sheet bears a mark, on paper and as text; the first time none."""
    story = Story(PROFILE).accept()
    first, second = sheet_of("receipt", story.facts()), sheet_of("receipt", story.facts(before=1))
    assert "In lại lần 2" in texts(pages_of(second))
    assert "In lại lần 2" in list(sheet_lines(second))
    assert not any("In lại" in text for text in texts(pages_of(first)))


def test_no_form_pretends_to_be_signed() -> None:
    """Nothing on any form speaks of a digital signature, which the program's is not."""
    story = Story(PROFILE).accept().appraise().extend().decide()
    for form in forms_of(story.facts()):
        said = " ".join(sheet_lines(sheet_of(form, story.facts()))).casefold()
        assert "ký số" not in said
        assert "chữ ký" not in said


def test_the_same_sheet_gives_the_same_bytes() -> None:
    """A PDF made twice is one file, and holds no time of making."""
    sheet = sheet_of("receipt", Story(PROFILE).accept().facts())
    assert (one := render([sheet])) == render([sheet])
    assert b"D:1970" in one


def test_two_sheets_share_an_a4() -> None:
    """Two A5 in two copies are two pages of A4 on its side, and four of A5 otherwise."""
    sheets = [sheet_of("receipt", Story(PROFILE).accept().facts())] * 2
    wide = re.compile(rb"/MediaBox \[0 0 841")
    page = re.compile(rb"/Type /Page\b")
    shared, alone = render(sheets, is_two_up=True, copies=2), render(sheets, copies=2)
    assert (len(page.findall(shared)), len(wide.findall(shared))) == (2, 2)
    assert (len(page.findall(alone)), len(wide.findall(alone))) == (4, 0)


def test_every_vietnamese_letter_is_in_the_font() -> None:
    """All letters, composed or with combining marks, are drawn as themselves; what is foreign as a square."""
    vowels = [letter for letter in LETTERS + LETTERS.upper() if letter not in "dđDĐ"]
    every = "dđDĐ" + "".join(letter + tone for letter in vowels for tone in TONES)
    story = Story(PROFILE, nguoi_nop=unicodedata.normalize("NFC", every)[:200], dia_chi="漢 Thôn")
    with opened_pdf() as pdf:
        pdf.set_font("Source Sans Pro", "B", 10)
        assert shown(pdf, unicodedata.normalize("NFD", every)) == unicodedata.normalize("NFC", every)
        assert shown(pdf, "漢 Thôn") == "□ Thôn"
    story.accept()
    assert render([sheet_of("receipt", story.facts())]).startswith(b"%PDF")


def test_long_names_are_broken_and_lose_nothing() -> None:
    """A name of 1,000 characters, with or without spaces, and 40 papers go over pages, inside the margins."""
    name = "Thủ tục " + "dài" * 100 + " " + "rất dài " * 86
    papers = {f"giay_to/Giấy tờ số {n} {'x' * 150}": {"ban_chinh": 1, "ban_sao": 2} for n in range(40)}
    sheet = sheet_of("receipt", Story(PROFILE, ten_thu_tuc=name[:1000], **papers).accept().facts())
    pages = pages_of(sheet)
    width, height = PAGE_MM[PaperSize.A5]
    assert len(pages) > 2
    assert all(
        0 < text.x < width and 0 < text.y < height
        for page in pages
        for text in page.things
        if isinstance(text, Text)
    )
    said = "".join("".join(texts(pages)).split())
    assert "".join(name[:1000].split()) in said
    assert all(f"Giấytờsố{n}" in said for n in range(40))
    assert f"Trang {len(pages)}/{len(pages)}" in texts(pages)
    lines = list(sheet_lines(sheet))
    assert max(map(cells, lines)) <= WIDTH
    assert "".join(name[:1000].split()) in "".join("".join(lines).split())


def test_signatures_are_never_alone_on_a_page() -> None:
    """However long the text above is, the page with the signatures has some of the form's own words."""
    facts = Story(PROFILE).accept().appraise().supplement().facts()
    sheet = sheet_of("supplement", facts)
    *others, reason, contact = sheet.blocks
    for count in range(25):
        longer = sheet.with_(blocks=(*others, Paragraph("\n".join(["dòng"] * count)), reason, contact))
        last = [thing.text for thing in pages_of(longer)[-1].things if isinstance(thing, Text)]
        assert "NGƯỜI HƯỚNG DẪN" in last
        assert any("vướng mắc" in text for text in last), count


def test_a_register_tells_what_is_missing_and_what_stands_twice() -> None:
    """Numbers 1, 3, 3 of a volume: 2 is missing, 3 doubled; the digest says which code stands where."""
    line = line_of(Story(PROFILE).accept().state, NAMES)
    assert line is not None
    lines = [line._replace(place=line.place._replace(number=n), code=str(i)) for i, n in enumerate((3, 1, 3))]
    (volume,) = volumes_of(lines, 2026)
    numbers = [each.place.number for each in volume.lines]
    assert (numbers, volume.missing, volume.doubled) == (
        [1, 3, 3],
        (2,),
        (3,),
    )
    assert volume_digest(volume, 1) != volume_digest(volume, 3)
    assert volumes_of(lines, 2025) == ()
    long = [line._replace(place=line.place._replace(number=n)) for n in range(1, 60)]
    (volume,) = volumes_of(long, 2026)
    agency = Agency((agency_head("Xã Một"),), agency_place("UBND xã Một"), "x01")
    pages = pages_of(register_sheet(volume, 2026, Story(PROFILE).profile, agency))
    heads = [sum(text == "STT" for text in texts((page,))) for page in pages]
    assert (len(pages) > 1, set(heads)) == (True, {1})
    assert agency.place == "Một"


def test_a_volume_is_of_one_machine_and_one_epoch() -> None:
    """Another machine, another restore and another block each give another volume."""
    names = {volume_name(first, key, n) for first in (1, 501) for key in (b"a", b"b") for n in (0, 1)}
    assert len(names) == 8
    assert volume_name(1, b"a", 0) == volume_name(1, b"a", 0)


def test_the_old_forms_are_used_until_the_new_circular() -> None:
    """The decree is of July 2025, its circular's forms of September: between them, the forms of 2018."""
    profiles = shipped_profiles()
    profile = profile_for(date(2025, 8, 1), profiles)
    between, after = (with_forms_of(date(2025, 9, day), profile, profiles) for day in (14, 15))
    assert (profile.id, between.form("register").number, between.circular[:16]) == (
        PROFILE,
        "06",
        "Thông tư 01/2018",
    )
    assert (after.form("register").number, after.circular[:16]) == ("07", "Thông tư 03/2025")


def test_an_erased_dossier_keeps_its_place() -> None:
    """What a tombstone keeps gives a line with code, procedure and dates, at the same place, and no name."""
    state = Story(PROFILE).accept().state
    row = codec.decode(codec.encode(dict(register_row(state))))
    assert isinstance(row, dict)
    line, kept = line_of(state, NAMES), erased_line("000.17.22.H56-260302-0007", row)
    assert line is not None
    assert kept is not None
    assert (kept.place, kept.code, kept.cells[5]) == (line.place, line.code, line.cells[5])
    assert "Hường" not in " ".join(kept.cells)
    assert len(kept.cells) == len(line.cells)
