"""Enrolment sheets to print: one A5 page for each machine, with its code as letters and as QR.

The QR holds the code alone, as it is typed: a reader that types what it reads types it into the field. The
code stands on the page and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from onestop_sync.dossier.dates import local
from onestop_sync.dossier.labels import ROLE_LABELS
from onestop_sync.enrol_grant import Named
from onestop_sync.qr import qr_bars
from server_stub.roster_apply import SheetFacts

if TYPE_CHECKING:
    from fpdf import FPDF

__all__ = ["Surroundings", "render"]

_PAGE_MM: Final = (148.0, 210.0)
_MARGIN_MM: Final = 12.0
_LABEL_MM: Final = 34.0
_LINE_MM: Final = 5.4
_QR_MM: Final = 33.0
_FONT: Final = "Source Sans Pro"
_SMALL, _PLAIN, _LARGE, _TITLE = 9, 10.5, 15, 16
_STEP, _STEP_TIGHT = 9.5, 7.0
_ROOM_MM: Final = 122.0
"""Where the steps may begin at the lowest to be set at their full size, from the top."""
_MANY: Final = 5
"""Lines for officers with their roles; when they need more, their names are run together."""
_WIDTH: Final = 45
"""Characters in such a line, at least."""
_NAMES: Final = 110
"""Characters of names that are run together; the machine shows the others."""
_CLIP: Final = 48
"""Characters of a name; a longer one is cut, and the machine shows it whole."""


class Surroundings(NamedTuple):
    """What all sheets of a run have in common.

    Attributes:
        servers: Addresses at which machines ask.
        root: Fingerprint of the province's root key.
        made_ms: When they were made, ms since 1970 UTC.
    """

    servers: tuple[str, ...]
    root: str
    made_ms: int


def render(sheets: Sequence[SheetFacts], around: Surroundings) -> bytes:
    """Returns a PDF with one page for each machine, in the order given.

    Args:
        sheets: What to print.
        around: What they have in common.
    """
    from font_source_sans_pro import font_files_ttf
    from fpdf import FPDF

    pdf = FPDF("P", "mm", _PAGE_MM)
    pdf.set_margin(_MARGIN_MM)
    pdf.set_auto_page_break(auto=False)
    pdf.set_title("Phiếu kích hoạt máy")
    pdf.set_lang("vi")
    pdf.set_creation_date(local(around.made_ms))
    pdf.add_font(_FONT, "", font_files_ttf["SourceSansPro"])
    pdf.add_font(_FONT, "B", font_files_ttf["SourceSansProBold"])
    for sheet in sheets:
        _Page(pdf, sheet, around).draw()
    return bytes(pdf.output())


class _Page:
    """One sheet."""

    def __init__(self, pdf: FPDF, sheet: SheetFacts, around: Surroundings) -> None:
        self.pdf = pdf
        self.sheet = sheet
        self.around = around

    def draw(self) -> float:
        """Draws the page from top to bottom; returns where the steps end, in mm from the top."""
        self.pdf.add_page()
        self._head()
        self._facts()
        self._code()
        self._steps()
        end = self.pdf.get_y()
        self._foot()
        return end

    def _font(self, size: float, style: str = "") -> None:
        self.pdf.set_font(_FONT, style, size)

    def _text(self, text: str, size: float = _PLAIN, style: str = "", *, indent: float = 0.0) -> None:
        """Writes a paragraph, broken at words, and goes below it."""
        self._font(size, style)
        self.pdf.set_x(_MARGIN_MM + indent)
        width = _PAGE_MM[0] - 2 * _MARGIN_MM - indent
        self.pdf.multi_cell(width, size * 0.5, text, align="L", new_x="LMARGIN", new_y="NEXT")

    def _head(self) -> None:
        title = "PHIẾU THÊM CÁN BỘ" if self.sheet.is_addition else "PHIẾU KÍCH HOẠT MÁY"
        self._text(title, _TITLE, "B")
        self._text("Bộ phận Tiếp nhận và Trả kết quả – Hồ sơ một cửa", _SMALL)
        self._rule()

    def _rule(self) -> None:
        y = self.pdf.get_y() + 1.5
        self.pdf.set_draw_color(120)
        self.pdf.line(_MARGIN_MM, y, _PAGE_MM[0] - _MARGIN_MM, y)
        self.pdf.set_y(y + 1.5)

    def _fact(self, label: str, text: str, style: str = "") -> None:
        y = self.pdf.get_y()
        self._font(_PLAIN)
        self.pdf.cell(_LABEL_MM, _LINE_MM, label)
        self.pdf.set_xy(_MARGIN_MM, y)
        self._text(text, _PLAIN, style, indent=_LABEL_MM)

    def _facts(self) -> None:
        unit, grant = self.sheet.unit, self.sheet.grant
        self._fact("Đơn vị", f"{_clipped(unit.name)} (mã {unit.id})", "B")
        self._fact(
            "Máy", _clipped(grant.machine_name) + (" – máy chủ của đơn vị" if grant.serves else ""), "B"
        )
        for number, line in enumerate(_named(grant.officers)):
            self._fact("" if number else "Cán bộ", line)
        for number, server in enumerate(self.around.servers[:2]):
            self._fact("hoặc" if number else "Địa chỉ máy chủ", _clipped(server), "B")
        self._fact("Dấu vân tay gốc", self.around.root)
        self._rule()

    def _code(self) -> None:
        top = self.pdf.get_y()
        self._text("Mã kích hoạt", _PLAIN)
        groups = self.sheet.made.code.split("-")
        self._text("–".join(groups[:3]) + "–", _LARGE + 3, "B")
        self._text("–".join(groups[3:]), _LARGE + 3, "B")
        self._text(f"Dùng được đến {_when(self.sheet.made.until_ms)},", _PLAIN)
        self._text("cho một máy, một lần, thử sai tối đa 5 lần.", _PLAIN)
        _draw_qr(self.pdf, self.sheet.made.code, _PAGE_MM[0] - _MARGIN_MM - _QR_MM, top)
        self.pdf.set_y(max(self.pdf.get_y(), top + _QR_MM))
        self._rule()

    def _steps(self) -> None:
        # Long names above leave less room: then the steps are set smaller.
        size = _STEP if self.pdf.get_y() < _ROOM_MM else _STEP_TIGHT
        self._text("Cách làm", _PLAIN, "B")
        steps = _ADDITION if self.sheet.is_addition else _STEPS
        for number, step in enumerate(steps, 1):
            y = self.pdf.get_y()
            self._font(size)
            self.pdf.cell(6, size * 0.5, f"{number}.")
            self.pdf.set_xy(_MARGIN_MM, y)
            self._text(step.format(unit=self.sheet.unit.id), size, indent=6)

    def _foot(self) -> None:
        self.pdf.set_y(_PAGE_MM[1] - _MARGIN_MM - 9)
        self._rule()
        self._text(
            "Giữ kín như mật khẩu: ai có mã này thì kích hoạt được máy. Dùng xong hãy hủy tờ giấy."
            f" Lập lúc {_when(self.around.made_ms)}; nhóm đầu {self.sheet.made.selector} không phải bí mật.",
            _SMALL - 1,
        )


_STEPS: Final = (
    "Mở chương trình một cửa trên máy mới (lệnh onestop). Màn hình đầu tiên hỏi địa chỉ máy chủ và mã.",
    (
        "Tắt bộ gõ tiếng Việt. Gõ địa chỉ và mã ở trên, hoặc quét hình vuông bằng đầu đọc. Gõ nhầm một chữ"
        " thì chương trình chỉ ra nhóm sai, không mất lần thử."
    ),
    "Màn hình hiện tên đơn vị, tên máy, tên cán bộ. Phải đúng như tờ này; khác thì dừng lại, báo quản trị.",
    (
        "Mỗi cán bộ chọn tên mình và tự đặt mật khẩu, ít nhất 8 ký tự. Không ai khác được biết mật khẩu đó."
        " Người vắng mặt làm sau, trên cùng máy, trước khi mã hết hạn."
    ),
    "Nếu máy báo chờ quản trị duyệt: mở lại chương trình và làm lại sau.",
    (
        "Không có mạng: chạy  onestop init --unit {unit} --code MÃ --machine TÊN-MÁY --officer TÊN  rồi mang"
        " tệp về tỉnh bằng USB."
    ),
)
_ADDITION: Final = (
    "Trên máy ghi ở trên, mở cửa sổ dòng lệnh.",
    (
        'Tắt bộ gõ tiếng Việt khi gõ mã. Chạy  onestop officer "HỌ VÀ TÊN" --code MÃ. Một người đang làm việc'
        " trên máy gõ mật khẩu của mình để mở máy."
    ),
    "Cán bộ mới tự đặt mật khẩu, ít nhất 8 ký tự. Không ai khác được biết mật khẩu đó.",
)


def _clipped(text: str) -> str:
    return text if len(text) <= _CLIP else text[: _CLIP - 1] + "…"


def _named(officers: Sequence[Named]) -> list[str]:
    """Returns the lines that name the officers; always few enough for the page."""
    lines = [f"{_clipped(o.name)}: {_roles(o.roles)}" for o in officers] or ["không có"]
    if sum(1 + len(line) // _WIDTH for line in lines) <= _MANY:
        return lines
    shown: list[str] = []
    for officer in officers:
        if len("; ".join([*shown, _clipped(officer.name)])) > _NAMES:
            return [f"{'; '.join(shown)} và {len(officers) - len(shown)} người nữa"]
        shown.append(_clipped(officer.name))
    return ["; ".join(shown)]


def _roles(roles: frozenset[str]) -> str:
    return ", ".join(label.lower() for role, label in ROLE_LABELS.items() if role in roles)


def _when(at_ms: int) -> str:
    found: datetime = local(at_ms)
    return found.strftime("%H:%M ngày %d/%m/%Y")


def _draw_qr(pdf: FPDF, text: str, x: float, y: float) -> None:
    pdf.set_fill_color(0)
    for bar in qr_bars(text, _QR_MM):
        pdf.rect(x + bar.x, y + bar.y, bar.width, bar.height, "F")
