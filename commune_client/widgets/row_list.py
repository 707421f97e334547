"""A list of lines with a cursor: thousands of rows cost no more than those in sight.

Textual's `DataTable` takes seconds to hold what a commune has in a year; this one draws only what is seen,
and asks for more when the cursor comes near the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from commune_client.strings import CUT_MARK
from commune_client.theme import StateStyle
from commune_client.widgets.key_order import FOCUS_BINDINGS

Cell = str | tuple[str, StateStyle]
_GAP = " "
_MARK = ">"
_NEAR_END = 50
"""Rows before the end at which more is asked for."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        title: Its heading.
        width: Columns of the terminal; 0 shares what is left.
    """

    title: str
    width: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One line.

    Attributes:
        key: What the line stands for; unique in the list.
        cells: One for each column: text, or text and style.
    """

    key: str
    cells: tuple[Cell, ...]


class RowList(ScrollView, can_focus=True, inherit_bindings=False):
    """Lines to choose from with the arrows and Enter."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home,ctrl+home", "first", show=False),
        Binding("end,ctrl+end", "last", show=False),
        Binding("enter", "choose", show=False),
        *FOCUS_BINDINGS,
    ]

    DEFAULT_CSS = """
    RowList { height: 1fr; background: $background; color: $foreground; scrollbar-size-vertical: 1;
              overflow-x: hidden; }
    """

    cursor: reactive[int] = reactive(0)

    @dataclass
    class Chosen(Message):
        """Enter was pressed, or a line clicked that had the cursor."""

        rows: RowList
        key: str

        @property
        def control(self) -> RowList:
            """The list, for selectors of message handlers."""
            return self.rows

    @dataclass
    class Moved(Message):
        """The cursor stands on another line."""

        rows: RowList
        key: str

        @property
        def control(self) -> RowList:
            """The list, for selectors of message handlers."""
            return self.rows

    @dataclass
    class NearEnd(Message):
        """The cursor is near the last line that is here."""

        rows: RowList

        @property
        def control(self) -> RowList:
            """The list, for selectors of message handlers."""
            return self.rows

    def __init__(self, columns: Sequence[Column], *, empty: str = "", widget_id: str | None = None) -> None:
        """Make an empty list.

        Args:
            columns: Its columns; without any title there is no heading.
            empty: What stands there while there is no line.
            widget_id: The widget's id.
        """
        super().__init__(id=widget_id)
        self.columns = tuple(columns)
        self.empty = empty
        self.rows: list[Row] = []

    @property
    def current(self) -> str | None:
        """Key of the line with the cursor; None in an empty list."""
        return self.rows[self.cursor].key if self.rows else None

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Show other columns; the rows that follow must fit them."""
        self.columns = tuple(columns)
        self.refresh()

    def set_rows(self, rows: Sequence[Row], *, empty: str | None = None) -> None:
        """Show other lines; the cursor stays on its line when that is still there."""
        before = self.current
        self.rows = list(rows)
        if empty is not None:
            self.empty = empty
        at = next((index for index, row in enumerate(self.rows) if row.key == before), 0)
        self.set_reactive(RowList.cursor, at)
        self._resized()
        self._show_cursor()

    def add_rows(self, rows: Sequence[Row]) -> None:
        """Add lines at the end."""
        self.rows.extend(rows)
        self._resized()

    def go_to(self, key: str) -> None:
        """Put the cursor on a line, if it is there."""
        self.cursor = next((i for i, row in enumerate(self.rows) if row.key == key), self.cursor)

    def _resized(self) -> None:
        self.virtual_size = Size(self.size.width, len(self.rows) + self._head)
        self.refresh()

    @property
    def _head(self) -> int:
        return 1 if any(column.title for column in self.columns) else 0

    # ------------------------------------------------------------------ drawing

    def render_line(self, y: int) -> Strip:
        """Draw one line of what is in sight; the heading does not scroll away."""
        width = self.scrollable_content_region.width  # a scroll bar stands beside the lines, not on them
        if y < self._head:
            titles = tuple(column.title for column in self.columns)
            return self._strip(" ", titles, self.rich_style + Style(bold=True, underline=True), width)
        index = y - self._head + round(self.scroll_y)
        if index < len(self.rows):
            return self._row_strip(index, width)
        text = f"  {self.empty}" if not self.rows and y == self._head + 1 else ""
        return Strip([Segment(set_cell_size(text, width), self.rich_style)], width)

    def _row_strip(self, index: int, width: int) -> Strip:
        is_here = index == self.cursor
        style = self.rich_style
        if is_here:
            name = "datatable--cursor" if self.has_focus else ""
            style += Style(reverse=True) if name else Style(bold=True)
        return self._strip(_MARK if is_here else " ", self.rows[index].cells, style, width)

    def _strip(self, mark: str, cells: Sequence[Cell], style: Style, width: int) -> Strip:
        segments = [Segment(mark, style)]
        for cell, cell_width in zip(cells, self._widths(width), strict=True):
            text, extra = cell if isinstance(cell, tuple) else (cell, None)
            look = style + Style.parse(extra) if extra and not style.reverse else style
            segments.append(Segment(_fit(text, cell_width), look))
            segments.append(Segment(_GAP, style))
        return Strip(segments[:-1]).adjust_cell_length(width, style)

    def _widths(self, width: int) -> list[int]:
        """Share the columns of the terminal: fixed ones first, the rest in equal parts."""
        fixed = sum(column.width for column in self.columns)
        free = sum(not column.width for column in self.columns)
        left = max(width - 1 - fixed - len(_GAP) * (len(self.columns) - 1), 0)
        return [column.width or left // max(free, 1) for column in self.columns]

    # ------------------------------------------------------------------ moving

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor on a line."""
        return max(0, min(cursor, len(self.rows) - 1))

    def watch_cursor(self) -> None:
        """Show the line, and tell."""
        self._show_cursor()
        if (key := self.current) is not None:
            self.post_message(self.Moved(self, key))
        if self.cursor >= len(self.rows) - _NEAR_END:
            self.post_message(self.NearEnd(self))

    def on_focus(self) -> None:
        """Put the hardware cursor on the line."""
        self._show_cursor()

    def on_resize(self) -> None:
        """Lay the lines out anew."""
        self._resized()
        self.call_after_refresh(self._show_cursor)

    def _show_cursor(self) -> None:
        """Scroll to the cursor, and put the hardware cursor there, where screen readers look."""
        seen = max(self.size.height - self._head, 1)
        top = round(self.scroll_y)
        if self.cursor < top:
            top = self.cursor
        elif self.cursor >= top + seen:
            top = self.cursor - seen + 1
        self.scroll_to(y=top, animate=False, immediate=True)
        self.refresh()
        if self.has_focus:
            row = self.cursor - top + self._head
            self.app.cursor_position = self.content_region.offset + Offset(0, row)

    def action_move(self, step: int) -> None:
        """Go one line up or down."""
        self.cursor += step

    def action_page(self, step: int) -> None:
        """Go one screen up or down."""
        self.cursor += step * max(self.size.height - self._head - 1, 1)

    def action_first(self) -> None:
        """Go to the first line."""
        self.cursor = 0

    def action_last(self) -> None:
        """Go to the last line that is here."""
        self.cursor = len(self.rows) - 1

    def action_choose(self) -> None:
        """Tell which line was chosen."""
        if (key := self.current) is not None:
            self.post_message(self.Chosen(self, key))

    def on_click(self, event: events.Click) -> None:
        """Go to the line that was clicked; a click on the line with the cursor chooses it."""
        index = event.y - self._head + round(self.scroll_y)
        if event.y < self._head or index >= len(self.rows):
            return
        if index == self.cursor:
            self.action_choose()
        self.cursor = index


def _fit(text: str, width: int) -> str:
    """Return a text in exactly so many columns; one that is cut says so."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, max(width - len(CUT_MARK), 0)) + CUT_MARK[:width]


__all__ = ["Cell", "Column", "Region", "Row", "RowList"]
