"""Sheets as a PDF: A5 (the register A4 on its side), two A5 to an A4 where that is wanted.

The font comes with the package `font-source-sans-pro` and has every Vietnamese letter; only the glyphs that
are used go into the file. The same sheets give the same bytes: the file does not say when it was made.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from commune_client.printing.layout import PAGE_MM, Page, Qr, Rule, Text, lay_out
from onestop_sync.dossier.forms.paper import PaperSize, Sheet
from onestop_sync.qr import qr_bars

if TYPE_CHECKING:
    from fpdf import FPDF

__all__ = ["opened_pdf", "pages_of", "render", "shown"]

_FONT: Final = "Source Sans Pro"
_A4_WIDE: Final = (297.0, 210.0)
_HALF_MM: Final = 148.5
_LINE_MM: Final = 0.2
_NO_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands where PDF wants the time of making: none is told, so that the same sheets give the same bytes."""
_NO_GLYPH: Final = "\N{WHITE SQUARE}"


def render(sheets: Sequence[Sheet], *, is_two_up: bool = False, copies: int = 1) -> bytes:
    """Returns a PDF of sheets, in the order given.

    Args:
        sheets: What to print.
        is_two_up: Puts two A5 pages side by side on an A4.
        copies: So many of each sheet, one after the other; with ``is_two_up`` two of them share an A4.
    """
    with opened_pdf() as pdf:
        pages = [page for sheet in sheets for page in lay_out(sheet, _Ruler(pdf)) * copies]
        for group in _grouped(pages, is_two_up=is_two_up):
            _add_paper(pdf, group, is_pair=is_two_up and group[0].size is PaperSize.A5)
        return bytes(pdf.output())


def pages_of(sheet: Sheet) -> tuple[Page, ...]:
    """Returns a sheet's pages as they are drawn."""
    with opened_pdf() as pdf:
        return lay_out(sheet, _Ruler(pdf))


@contextmanager
def opened_pdf() -> Iterator[FPDF]:
    """Makes an empty PDF that has the fonts; their files are closed afterwards."""
    from fpdf.fonts import TTFFont

    pdf = _new_pdf()
    try:
        yield pdf
    finally:
        for font in pdf.fonts.values():
            if isinstance(font, TTFFont):
                font.ttfont.close()


def _new_pdf() -> FPDF:
    from font_source_sans_pro import font_files_ttf
    from fpdf import FPDF

    pdf = FPDF("P", "mm", PAGE_MM[PaperSize.A5])
    pdf.set_margin(0)
    pdf.set_auto_page_break(auto=False)
    pdf.set_lang("vi")
    pdf.set_creation_date(_NO_TIME)
    pdf.add_font(_FONT, "", font_files_ttf["SourceSansPro"])
    pdf.add_font(_FONT, "B", font_files_ttf["SourceSansProBold"])
    pdf.set_line_width(_LINE_MM)
    return pdf


def _add_paper(pdf: FPDF, pages: Sequence[Page], *, is_pair: bool) -> None:
    """Adds a sheet of paper with one page on it, or two side by side with a line to cut along."""
    pdf.add_page(format=_A4_WIDE if is_pair else PAGE_MM[pages[0].size])
    for number, page in enumerate(pages):
        _draw(pdf, page, number * _HALF_MM)
    if is_pair:
        pdf.set_draw_color(180)
        pdf.set_dash_pattern(dash=2, gap=2)
        pdf.line(_HALF_MM, 4, _HALF_MM, _A4_WIDE[1] - 4)
        pdf.set_dash_pattern()


def _grouped(pages: Sequence[Page], *, is_two_up: bool) -> Iterator[list[Page]]:
    """Yields what shares a sheet of paper: two A5 where that is wanted, else one page."""
    waiting: list[Page] = []
    for page in pages:
        if not is_two_up or page.size is not PaperSize.A5:
            if waiting:
                yield waiting
                waiting = []
            yield [page]
        elif waiting:
            yield [*waiting, page]
            waiting = []
        else:
            waiting = [page]
    if waiting:
        yield waiting


class _Ruler:
    """Measures text in the fonts of a PDF; words come again and again, so each is measured once."""

    def __init__(self, pdf: FPDF) -> None:
        self._pdf = pdf
        self._known: dict[tuple[str, float, bool], float] = {}

    def __call__(self, text: str, size: float, *, is_bold: bool) -> float:
        key = (text, size, is_bold)
        if key not in self._known:
            self._pdf.set_font(_FONT, "B" if is_bold else "", size)
            self._known[key] = self._pdf.get_string_width(shown(self._pdf, text))
        return self._known[key]


def shown(pdf: FPDF, text: str) -> str:
    """Returns text in composed letters, with a square for what the font does not have."""
    from fpdf.fonts import TTFFont

    font = pdf.current_font
    assert isinstance(font, TTFFont)
    known = font.cmap
    return "".join(char if ord(char) in known else _NO_GLYPH for char in unicodedata.normalize("NFC", text))


def _draw(pdf: FPDF, page: Page, left: float) -> None:
    pdf.set_draw_color(0)
    for thing in page.things:
        match thing:
            case Text(x, y, text, size, is_bold):
                pdf.set_font(_FONT, "B" if is_bold else "", size)
                pdf.text(left + x, y, shown(pdf, text))
            case Rule(x1, y1, x2, y2):
                pdf.line(left + x1, y1, left + x2, y2)
            case Qr(x, y, size, text):
                _draw_qr(pdf, text, left + x, y, size)


def _draw_qr(pdf: FPDF, text: str, x: float, y: float, size_mm: float) -> None:
    pdf.set_fill_color(0)
    for bar in qr_bars(text, size_mm):
        pdf.rect(x + bar.x, y + bar.y, bar.width, bar.height, "F")
