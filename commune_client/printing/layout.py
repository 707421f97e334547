"""Lays a sheet out: text, lines and a QR code at places on pages, broken where it must be.

Pure: how wide a piece of text is comes from whoever draws. All lengths are millimetres from the page's top
left corner, a text's y is that of its base line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple, Protocol

from onestop_sync.dossier.forms.paper import Block, Fact, Grid, PaperSize, Paragraph, Sheet, Signature

__all__ = ["PAGE_MM", "Measure", "Page", "Qr", "Rule", "Text", "lay_out"]


class Measure(Protocol):
    """Tells how wide text is."""

    def __call__(self, text: str, size: float, *, is_bold: bool) -> float:
        """Returns the width of text in mm, its size given in points."""


PAGE_MM: Final = {PaperSize.A5: (148.0, 210.0), PaperSize.A4_WIDE: (297.0, 210.0)}
_MARGIN_MM: Final = 10.0
_TOP_MM: Final = 8.0
_BOTTOM_MM: Final = 12.0
_POINT_MM: Final = 0.3528
_LEADING: Final = 1.24
_QR_MM: Final = 24.0
_GAP_MM: Final = 1.2
_PAD_MM: Final = 0.7
_SIGN_MM: Final = 28.0
"""Height of the block of signatures: title, hint, room for a hand and a stamp, name."""
_NAME_MM: Final = 24.0
_MOTTO_MM: Final = 34.0
"""Length of the line below the motto."""
_BELOW_MOTTO_MM: Final = 1.3
"""How far that line is below the motto's base line: clear of the dots and tails of its letters."""
_LEAST_LINES: Final = 3
"""So many lines of a row stand on a page at least when the row is broken."""
_LEFT_SHARE: Final = 0.46
_TINY, _SMALL, _PLAIN, _TITLE = 7.0, 8.5, 9.5, 13.0
_MANY_COLUMNS: Final = 6
_MOTTO: Final = ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc")


class Text(NamedTuple):
    """A piece of text on its base line."""

    x: float
    y: float
    text: str
    size: float
    is_bold: bool = False


class Rule(NamedTuple):
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float


class Qr(NamedTuple):
    """A QR code, a square with its quiet zone."""

    x: float
    y: float
    size: float
    text: str


Thing = Text | Rule | Qr


class Page(NamedTuple):
    """One page of a sheet."""

    size: PaperSize
    things: tuple[Thing, ...]


_Run = tuple[str, bool]
"""A word and whether it is bold."""


def lay_out(sheet: Sheet, measure: Measure) -> tuple[Page, ...]:
    """Returns the pages of a sheet."""
    return _Setter(sheet, measure).pages()


def _height(size: float) -> float:
    return size * _POINT_MM * _LEADING


class _Setter:
    """Sets one sheet, page by page."""

    def __init__(self, sheet: Sheet, measure: Measure) -> None:
        self._sheet = sheet
        self.measure = measure
        self._width, self.bottom = PAGE_MM[sheet.size][0], PAGE_MM[sheet.size][1] - _BOTTOM_MM
        self._pages: list[list[Thing]] = [[]]
        self.y = _TOP_MM
        self._beside: tuple[float, float] | None = None  # the QR's left edge, and where it ends

    def pages(self) -> tuple[Page, ...]:
        """Returns all pages, numbered where there is more than one."""
        self._head()
        for block in self._sheet.blocks:
            if self._sheet.signatures and block is self._sheet.blocks[-1]:
                self._keep_with_signatures(block)
            if isinstance(block, Grid):
                self._grid(block)
            else:
                for runs in _flows(block):
                    self._flow(runs)
        self._clear_qr()
        self._signatures(self._sheet.signatures)
        if self._sheet.foot:
            self.y += _GAP_MM
            self._flow([(self._sheet.foot, False)], _TINY)
        self._page_feet()
        return tuple(Page(self._sheet.size, tuple(things)) for things in self._pages)

    # ---- placing

    def put(self, thing: Thing) -> None:
        self._pages[-1].append(thing)

    def new_page(self) -> None:
        self._pages.append([])
        self._beside = None
        self.y = _TOP_MM
        said = " – ".join(part for part in (self._sheet.title, self._sheet.code) if part)
        self._lines([(f"{said} (tiếp theo)", False)], _TINY)
        self.y += _GAP_MM

    def need(self, height: float) -> None:
        if self.y + height > self.bottom:
            self.new_page()

    def _clear_qr(self) -> None:
        """Goes below the QR code, where it stands lower than the text beside it."""
        if self._beside is not None:
            self.y = max(self.y, self._beside[1])
            self._beside = None

    def _room(self) -> float:
        """Returns how wide a line may be here."""
        if self._beside is not None and self.y < self._beside[1]:
            return self._beside[0] - _MARGIN_MM - 2 * _GAP_MM
        return self._width - 2 * _MARGIN_MM

    # ---- the head

    def _head(self) -> None:
        number = f"Mẫu số {self._sheet.number}"
        circular = f" – {self._sheet.circular}" if self._sheet.circular else ""
        self.y += _height(_TINY)
        width = self.measure(number + circular, _TINY, is_bold=False)
        self.put(Text(self._width - _MARGIN_MM - width, self.y, number + circular, _TINY))
        self.y += _GAP_MM
        start, inner = self.y, self._width - 2 * _MARGIN_MM
        left = inner * _LEFT_SHARE
        self._centred(self._sheet.issuer, _MARGIN_MM, left, bold_from=0)
        if self._sheet.issued:
            self._centred((f"Số: {self._sheet.issued}",), _MARGIN_MM, left, bold_from=9)
        ends = self.y
        self.y = start
        right = _MARGIN_MM + left
        self._centred(_MOTTO, right, inner - left, bold_from=0)
        middle = right + (inner - left) / 2
        below = self.y + _BELOW_MOTTO_MM
        self.put(Rule(middle - _MOTTO_MM / 2, below, middle + _MOTTO_MM / 2, below))
        self.y += 2 * _GAP_MM
        if self._sheet.place_date:
            self._centred((self._sheet.place_date,), right, inner - left, bold_from=9)
        self.y = max(ends, self.y) + 2 * _GAP_MM
        for line in self.wrapped([(self._sheet.title.upper(), True)], inner, _TITLE):
            self._set_line(line, _TITLE, _MARGIN_MM, inner, is_centred=True)
        self.y += 2 * _GAP_MM
        if self._sheet.code:
            edge = self._width - _MARGIN_MM - _QR_MM
            self.put(Qr(edge, self.y, _QR_MM, self._sheet.code))
            self._beside = (edge, self.y + _QR_MM)

    def _centred(self, lines: Iterable[str], x: float, width: float, *, bold_from: int) -> None:
        for number, text in enumerate(lines):
            for line in self.wrapped([(text, number >= bold_from)], width, _SMALL):
                self._set_line(line, _SMALL, x, width, is_centred=True)

    # ---- text

    def _keep_with_signatures(self, block: Block) -> None:
        """Starts a page where a sheet's last words would leave the signatures alone on the next one."""
        lines = (
            []
            if isinstance(block, Grid)
            else [len(self.wrapped(runs, self._room(), _PLAIN)) for runs in _flows(block)]
        )
        height = sum(count * _height(_PLAIN) + _GAP_MM / 2 for count in lines)
        if lines and height + _SIGN_MM <= self.bottom - _TOP_MM - 2 * _height(_PLAIN):
            self.need(height + _SIGN_MM)

    def _flow(self, runs: Sequence[_Run], size: float = _PLAIN) -> None:
        self._lines(runs, size)
        self.y += _GAP_MM / 2

    def _lines(self, runs: Sequence[_Run], size: float) -> None:
        """Sets runs of text from here on, each line as wide as there is room for it."""
        words = _words(runs)
        while words:
            self.need(_height(size))
            line, words = self._first_line(words, self._room(), size)
            self._set_line(line, size, _MARGIN_MM, self._room())

    def _set_line(
        self, line: Sequence[_Run], size: float, x: float, width: float, *, is_centred: bool = False
    ) -> None:
        self.y += _height(size)
        runs = list(_joined(line))
        if is_centred:
            total = sum(self.measure(text, size, is_bold=is_bold) for text, is_bold in runs)
            x += (width - total) / 2
        for text, is_bold in runs:
            self.put(Text(round(x, 2), round(self.y, 2), text.rstrip(), size, is_bold))
            x += self.measure(text, size, is_bold=is_bold)

    def wrapped(self, runs: Sequence[_Run], width: float, size: float) -> list[list[_Run]]:
        words, found = _words(runs), []
        while words:
            line, words = self._first_line(words, width, size)
            found.append(line)
        return found

    def _first_line(self, words: list[_Run], width: float, size: float) -> tuple[list[_Run], list[_Run]]:
        """Splits words into those of the first line and the rest; a word that is too long is cut."""
        space, used = self.measure(" ", size, is_bold=False), 0.0
        for number, (word, is_bold) in enumerate(words):
            wide = self.measure(word, size, is_bold=is_bold)
            if used + wide > width:
                if number:
                    return words[:number], words[number:]
                cut = self._fitting(word, width, size, is_bold)
                return [(word[:cut], is_bold)], [(word[cut:], is_bold), *words[1:]]
            used += wide + space
        return words, []

    def _fitting(self, word: str, width: float, size: float, is_bold: bool) -> int:  # noqa: FBT001 - a style
        used = 0.0
        for number, char in enumerate(word):
            used += self.measure(char, size, is_bold=is_bold)
            if used > width:
                return max(1, number)
        return len(word)

    # ---- tables

    def _grid(self, grid: Grid) -> None:
        self._clear_qr()
        size = _SMALL if len(grid.columns) < _MANY_COLUMNS else _TINY
        inner, weights = self._width - 2 * _MARGIN_MM, sum(column.weight for column in grid.columns)
        edges = [_MARGIN_MM]
        for column in grid.columns:
            edges.append(edges[-1] + inner * column.weight / weights)
        table = _Table(self, grid, edges, size)
        self.y += _GAP_MM
        table.draw()
        self.y += 2 * _GAP_MM

    # ---- below

    def _signatures(self, signatures: Sequence[Signature]) -> None:
        if not signatures:
            return
        self.need(_SIGN_MM)
        self.y += _GAP_MM
        inner, top = self._width - 2 * _MARGIN_MM, self.y
        count = max(len(signatures), 2)
        for number, signature in enumerate(signatures, count - len(signatures)):
            x, width = _MARGIN_MM + inner * number / count, inner / count
            self.y = top
            self._centred((signature.title,), x, width, bold_from=0)
            self._centred((signature.hint,), x, width, bold_from=1)
            self.y = top + _NAME_MM - _height(_SMALL)
            self._centred((signature.name,), x, width, bold_from=0)
        self.y = top + _SIGN_MM - 2 * _GAP_MM

    def _page_feet(self) -> None:
        count = len(self._pages)
        y = self.bottom + _height(_TINY) + _GAP_MM
        for number, things in enumerate(self._pages, 1):
            if self._sheet.mark:
                things.append(Text(_MARGIN_MM, y, self._sheet.mark, _TINY, is_bold=True))
            if count > 1 or self._sheet.is_numbered:
                said = f"Trang {number}/{count}"
                x = self._width - _MARGIN_MM - self.measure(said, _TINY, is_bold=False)
                things.append(Text(round(x, 2), y, said, _TINY))


class _Table:
    """Draws one grid through a setter; rows that are higher than a page are broken between lines."""

    def __init__(self, setter: _Setter, grid: Grid, edges: Sequence[float], size: float) -> None:
        self._setter = setter
        self._grid = grid
        self._edges = edges
        self._size = size
        self._line_mm = _height(size) * 0.95

    def draw(self) -> None:
        """Draws head and rows."""
        self._setter.need(self._needs(self._head()) + self._line_mm * _LEAST_LINES)
        self._draw_head()
        for row in self._grid.rows:
            self._row(self._cells(row, is_bold=False))

    def _head(self) -> list[list[list[_Run]]]:
        return self._cells(tuple(column.title for column in self._grid.columns), is_bold=True)

    def _draw_head(self) -> None:
        self._draw(self._head(), is_centred=True)

    def _cells(self, row: Sequence[str], *, is_bold: bool) -> list[list[list[_Run]]]:
        """Returns the lines of each cell."""
        setter, found = self._setter, []
        for number, text in enumerate(row):
            width = self._edges[number + 1] - self._edges[number] - 2 * _PAD_MM
            lines: list[list[_Run]] = []
            for part in text.split("\n"):
                lines += setter.wrapped([(part, is_bold)], width, self._size)
            found.append(lines)
        return found

    def _needs(self, cells: Sequence[Sequence[object]]) -> float:
        return max(1, *map(len, cells)) * self._line_mm + 2 * _PAD_MM

    def _row(self, cells: list[list[list[_Run]]]) -> None:
        setter = self._setter
        while True:
            room = setter.bottom - setter.y
            if self._needs(cells) <= room:
                self._draw(cells)
                return
            fits = int((room - 2 * _PAD_MM) / self._line_mm)
            page = setter.bottom - _TOP_MM - 4 * self._line_mm - self._needs(self._head())
            if self._needs(cells) > page and fits >= _LEAST_LINES:
                self._draw([lines[:fits] for lines in cells])
                cells = [lines[fits:] for lines in cells]
            setter.new_page()
            self._draw_head()

    def _draw(self, cells: Sequence[Sequence[Sequence[_Run]]], *, is_centred: bool = False) -> None:
        setter, edges = self._setter, self._edges
        top, height = setter.y, self._needs(cells)
        for number, lines in enumerate(cells):
            left, right = edges[number] + _PAD_MM, edges[number + 1] - _PAD_MM
            centred = is_centred or self._grid.columns[number].is_centred
            y = top + _PAD_MM - _height(self._size) * 0.2
            for line in lines:
                y += self._line_mm
                text = " ".join(word for word, _ in line)
                is_bold = bool(line) and line[0][1]
                wide = setter.measure(text, self._size, is_bold=is_bold)
                x = (left + right - wide) / 2 if centred else left
                setter.put(Text(round(x, 2), round(y, 2), text, self._size, is_bold))
        for edge in edges:
            setter.put(Rule(round(edge, 2), round(top, 2), round(edge, 2), round(top + height, 2)))
        for y in (top, top + height):
            setter.put(Rule(round(edges[0], 2), round(y, 2), round(edges[-1], 2), round(y, 2)))
        setter.y = top + height


def _flows(block: Fact | Paragraph) -> Iterator[list[_Run]]:
    """Yields what stands in a block on lines of its own."""
    if isinstance(block, Fact):
        first, *more = block.value.split("\n")
        yield [(f"{block.label}:", False), (first, block.is_strong)]
    else:
        more = block.text.split("\n")
    for line in more:
        yield [(line, block.is_strong)]


def _words(runs: Iterable[_Run]) -> list[_Run]:
    return [(word, is_bold) for text, is_bold in runs for word in text.split()]


def _joined(line: Sequence[_Run]) -> Iterator[_Run]:
    """Yields neighbours of one style as one run, with the spaces between."""
    text, style = "", False
    for word, is_bold in line:
        if text and is_bold is not style:
            yield f"{text} ", style
            text = ""
        text = f"{text} {word}" if text else word
        style = is_bold
    if text:
        yield text, style
