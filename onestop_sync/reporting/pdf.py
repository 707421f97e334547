"""A report as PDF: A4 across, the form's thirteen columns, searchable text, numbered pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from font_source_sans_pro import font_files_ttf
from fpdf import FPDF

from onestop_sync.dossier.report.count import Counts
from onestop_sync.reporting.making import Report
from onestop_sync.reporting.words import GROUPS, HEADS, blocks, made_at, notes, subtitle, title

__all__ = ["to_pdf"]

_FONT: Final = "Source Sans Pro"
_MARGIN_MM: Final = 12.0
_WIDTHS_MM: Final = (10.0, 65.0, *(18.0,) * 11)
_LINE_MM: Final = 5.2
_SMALL, _PLAIN, _TITLE = 8.5, 9.5, 13
_FOOT_MM: Final = 14.0


class _Pages(FPDF):
    """Pages with the name of the report and their number at the foot."""

    def __init__(self, foot: str) -> None:
        super().__init__("L", "mm", "A4")
        self.foot = foot
        self.set_margin(_MARGIN_MM)
        self.set_auto_page_break(auto=True, margin=_FOOT_MM)
        self.set_lang("vi")
        self.add_font(_FONT, "", font_files_ttf["SourceSansPro"])
        self.add_font(_FONT, "B", font_files_ttf["SourceSansProBold"])

    def footer(self) -> None:
        """Writes the foot of a page."""
        self.set_y(-_FOOT_MM + 4)
        self.set_font(_FONT, "", _SMALL)
        self.cell(0, 4, f"{self.foot} – trang {self.page_no()}/{{nb}}", align="C")


def to_pdf(report: Report, extra: Sequence[str] = ()) -> bytes:
    """Returns a report as PDF.

    Args:
        report: The report.
        extra: Lines to add below the table.
    """
    pdf = _Pages(f"{report.form} – {report.period.name}")
    pdf.set_title(f"{report.form} {report.period.name}")
    pdf.set_creation_date(made_at(report))
    pdf.add_page()
    _line(pdf, title(report), _TITLE, "B")
    for text in subtitle(report):
        _line(pdf, text, _PLAIN)
    for block in blocks(report):
        if pdf.will_page_break(6 * _LINE_MM):
            pdf.add_page()
        _line(pdf, block.head, _PLAIN, "B", above=2.0)
        _heads(pdf, block.name)
        for index, name, counts in block.lines:
            _row(pdf, block.name, (index, name, counts))
        _row(pdf, block.name, ("", "Tổng cộng", block.total), "B")
    pdf.ln(2)
    for text in (*notes(report), *extra):
        _line(pdf, f"– {text}", _PLAIN)
    return bytes(pdf.output())


def _line(pdf: FPDF, text: str, size: float, style: str = "", *, above: float = 0.0) -> None:
    pdf.ln(above)
    pdf.set_font(_FONT, style, size)
    pdf.multi_cell(0, size * 0.5, text, align="L", new_x="LMARGIN", new_y="NEXT")


def _heads(pdf: FPDF, second: str) -> None:
    """Draws the three lines at the head of the table."""
    pdf.set_font(_FONT, "B", _SMALL)
    start = 0
    for text, span in GROUPS:
        pdf.cell(
            sum(_WIDTHS_MM[start : start + span]), _LINE_MM, text, border="LTR" if not text else 1, align="C"
        )
        start += span
    pdf.ln(_LINE_MM)
    top = pdf.get_y()
    left = pdf.l_margin
    for text, width in zip((HEADS[0], second, *HEADS[2:]), _WIDTHS_MM, strict=True):
        pdf.rect(left, top, width, 2 * _LINE_MM - 1)
        pdf.set_xy(left, top + 0.6)
        pdf.multi_cell(width, _SMALL * 0.42, text, align="C")
        left += width
    pdf.set_xy(pdf.l_margin, top + 2 * _LINE_MM - 1)
    pdf.set_font(_FONT, "", _SMALL)
    for n, width in enumerate(_WIDTHS_MM, 1):
        pdf.cell(width, _LINE_MM, f"({n})", border=1, align="C")
    pdf.ln(_LINE_MM)


def _row(pdf: FPDF, second: str, line: tuple[str, str, Counts], style: str = "") -> None:
    """Draws a line of the table; its height is that of the name, and a new page begins with the heads."""
    index, name, counts = line
    pdf.set_font(_FONT, style, _PLAIN)
    parts = pdf.multi_cell(
        _WIDTHS_MM[1], _LINE_MM, name, dry_run=True, output="LINES", align="L"
    )  # fmt: skip
    height = _LINE_MM * (len(parts) if isinstance(parts, list) else 1)
    if pdf.will_page_break(height):
        pdf.add_page()
        _heads(pdf, second)
        pdf.set_font(_FONT, style, _PLAIN)
    top = pdf.get_y()
    pdf.cell(_WIDTHS_MM[0], height, index, border=1, align="C")
    left = pdf.get_x()
    pdf.rect(left, top, _WIDTHS_MM[1], height)
    pdf.multi_cell(_WIDTHS_MM[1], _LINE_MM, name, align="L")
    pdf.set_xy(left + _WIDTHS_MM[1], top)
    for figure, width in zip(counts, _WIDTHS_MM[2:], strict=True):
        pdf.cell(width, height, f"{figure:,}".replace(",", "."), border=1, align="R")
    pdf.ln(height)
