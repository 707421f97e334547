"""A choice or a checklist as plain lines with ASCII marks, usable with arrows, digits, Space and Enter."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from commune_client.widgets.key_order import FOCUS_BINDINGS, run_key_in_order

_DIGITS = 9


class OptionField(Widget, can_focus=True):
    """Options of which one (choice) or several (checklist) are marked.

    `( ) 1 Bản thân` and `[x] 2 Bản sao căn cước`: the mark, the digit that marks it, and the label. Up at the
    first line and Down at the last go to the neighbouring field. Where there are more lines than digits,
    letters go to the first line with a word that begins so, without marks as well.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("space", "mark", show=False),
        Binding("enter", "leave", show=False),
        *(Binding(str(digit), f"mark_line({digit})", show=False) for digit in range(1, _DIGITS + 1)),
        *FOCUS_BINDINGS,
    ]

    DEFAULT_CSS = """
    OptionField { width: 1fr; height: auto; background: $surface; color: $foreground; padding: 0 1; }
    """

    line: reactive[int] = reactive(0)
    marked: reactive[tuple[str, ...]] = reactive(())

    @dataclass
    class Changed(Message):
        """The marks changed.

        Attributes:
            field: The widget.
            marked: Values of the marked options.
        """

        field: OptionField
        marked: tuple[str, ...]

        @property
        def control(self) -> OptionField:
            """The widget, for selectors of message handlers."""
            return self.field

    def __init__(
        self,
        options: Sequence[tuple[str, str]],
        marked: tuple[str, ...] = (),
        *,
        is_multiple: bool = False,
        widget_id: str | None = None,
    ) -> None:
        """Make the field.

        Args:
            options: Pairs of value and label.
            marked: Values that are marked at first.
            is_multiple: Whether several may be marked.
            widget_id: The widget's id.
        """
        super().__init__(id=widget_id)
        self.options = tuple(options)
        self.is_multiple = is_multiple
        self.set_reactive(OptionField.marked, marked)
        first = next((index for index, (value, _) in enumerate(self.options) if value in marked), 0)
        self.set_reactive(OptionField.line, first)
        self._typed = ""

    def render(self) -> Content:
        """Return all lines; the line of the cursor is reversed while the field has the focus."""
        here = self.line if self.has_focus else None
        return Content("\n").join(
            Content.styled(text, "reverse" if row == here else "")
            for row, text in self._layout(self.size.width)
        )

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual's
        """Return the rows that the options take, long labels wrapped."""
        return len(self._layout(width))

    def _layout(self, width: int) -> list[tuple[int, str]]:
        """Return the index of the option and the text of each row on the screen."""
        rows: list[tuple[int, str]] = []
        for index, (value, label) in enumerate(self.options):
            head = self._head(index, value)
            wrapped = textwrap.wrap(label, max(width - len(head), 8)) or [""]
            rows.append((index, head + wrapped[0]))
            rows.extend((index, " " * len(head) + rest) for rest in wrapped[1:])
        return rows

    def _head(self, index: int, value: str) -> str:
        left, right = "[]" if self.is_multiple else "()"
        mark = "x" if value in self.marked else " "
        digit = str(index + 1) if index < _DIGITS else " "
        return f"{left}{mark}{right} {digit} "

    def watch_line(self) -> None:
        """Keep the line in sight."""
        self._show_line()

    def on_focus(self) -> None:
        """Keep the line in sight."""
        self._typed = ""
        self._show_line()

    def _show_line(self) -> None:
        """Scroll to the line and put the hardware cursor on it, where screen readers look."""
        if not self.has_focus:
            return
        rows = [index for index, _ in self._layout(self.size.width)]
        at = self.content_region.offset + Offset(1, rows.index(self.line))
        for ancestor in self.ancestors:
            if isinstance(ancestor, Widget) and ancestor.allow_vertical_scroll:
                row = at.y - ancestor.content_region.y + round(ancestor.scroll_y)
                ancestor.scroll_to_region(Region(0, row, 1, 1), animate=False, x_axis=False)
                break
        self.app.cursor_position = at

    async def _on_key(self, event: events.Key) -> None:
        if await run_key_in_order(self, event) or len(self.options) <= _DIGITS:
            return
        if event.key == "backspace":
            self._typed = self._typed[:-1]
        elif event.character and event.character.isalpha():
            self._find(event.character)
        else:
            return
        event.stop()
        event.prevent_default()

    def _find(self, letter: str) -> None:
        """Go to the first line with a word that begins with what was typed; else with the letter alone."""
        from onestop_sync.search_text import has_words

        for typed in (self._typed + letter, letter):
            for index, (_, label) in enumerate(self.options):
                if has_words(label, typed):
                    self.line, self._typed = index, typed
                    return

    def action_move(self, step: int) -> None:
        """Go to the next or previous line, or field."""
        self._typed = ""
        target = self.line + step
        if 0 <= target < len(self.options):
            self.line = target
        elif step > 0:
            self.screen.focus_next()
        else:
            self.screen.focus_previous()

    def action_mark_line(self, digit: int) -> None:
        """Mark the line with this digit."""
        if digit <= len(self.options):
            self.line = digit - 1
            self.action_mark()

    def action_mark(self) -> None:
        """Mark the line; in a checklist, unmark it when it is marked."""
        value = self.options[self.line][0]
        if not self.is_multiple:
            self._set_marked((value,))
        elif value in self.marked:
            self._set_marked(tuple(other for other in self.marked if other != value))
        else:
            self._set_marked((*self.marked, value))

    def _set_marked(self, marked: tuple[str, ...]) -> None:
        if marked != self.marked:
            self.marked = marked
            self.post_message(self.Changed(self, marked))

    def action_leave(self) -> None:
        """Go on to the next field."""
        self.screen.focus_next()
