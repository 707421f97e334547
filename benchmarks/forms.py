"""Forms: one receipt as a PDF by a new process, imports and all; many of them; and a year's register.

The process makes the dossier's facts first, and is measured from its start to its end by itself: Python,
the domain, fpdf2, both fonts, layout, QR code and the bytes.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Final

from benchmarks.bench import Bench, timed
from benchmarks.figures import Figure
from commune_client.printing import pdf, text
from onestop_sync.dossier.forms.facts import Agency
from onestop_sync.dossier.forms.paper import Sheet
from onestop_sync.dossier.forms.register import Line, line_of, register_sheet, volumes_of
from onestop_sync.dossier.forms.sheets import sheet_of
from onestop_sync.dossier.register_book import Place
from tests.golden.form_stories import NAMES, Story

__all__ = ["run"]

TARGET_MS: Final = 1000
"""A form is there within a second on two cores, import included."""
_ALONE: Final = """
from commune_client.printing import pdf
from onestop_sync.dossier.forms.sheets import sheet_of
from tests.golden.form_stories import Story
pdf.render([sheet_of("receipt", Story("nd118-2025").accept().facts())])
"""
_PROFILE: Final = "nd118-2025"
_MANY: Final = 100


def receipt() -> Sheet:
    """Returns a receipt of two papers."""
    return sheet_of("receipt", Story(_PROFILE).accept().facts())


def run(bench: Bench) -> Iterator[Figure]:
    """Measures one form in a process of its own, a batch, and a register of as many lines as a year has."""
    alone = tuple(timed(_alone) for _ in range(bench.rounds))
    yield Figure("one receipt as PDF, new process with all imports", "ms", alone, TARGET_MS)
    sheets = [receipt()] * _MANY
    batch = tuple(timed(lambda: pdf.render(sheets, is_two_up=True)) for _ in range(bench.rounds))
    yield Figure(f"{_MANY} receipts as one PDF, two to an A4", "ms", batch)
    as_text = tuple(timed(lambda: text.render(sheets)) for _ in range(bench.rounds))
    yield Figure(f"{_MANY} receipts as text", "ms", as_text)
    lines = bench.dossiers * 8 // 10
    book = _register(lines)
    paper = tuple(timed(lambda: pdf.render([book])) for _ in range(bench.rounds))
    yield Figure(f"register of {lines:,} dossiers as PDF", "ms", paper)


def _alone() -> None:
    subprocess.run([sys.executable, "-c", _ALONE], check=True)


def _register(count: int) -> Sheet:
    story = Story(_PROFILE).accept()
    line = line_of(story.state, NAMES)
    assert line is not None
    lines: list[Line] = [line._replace(place=Place(2026, "0001-7C3A9", n)) for n in range(1, count + 1)]
    (volume,) = volumes_of(lines, 2026)
    agency = Agency(("ỦY BAN NHÂN DÂN XÃ ĐÔNG PHƯƠNG",), "Đông Phương", "x01")
    return register_sheet(volume, 2026, story.profile, agency)
