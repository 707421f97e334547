"""A text field of several lines that receives Vietnamese as it was typed."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.document._document import EditResult, Location
from textual.document._edit import Edit
from textual.widgets import TextArea

from commune_client.widgets.key_order import FOCUS_BINDINGS, run_key_in_order
from commune_client.widgets.messages import OverLimit
from commune_client.widgets.vn_text import has_leading_mark, is_refused, to_lines, to_nfc

_FUNCTION_KEYS = {"f6", "f7"}
"""Function keys that stock `TextArea` takes for selecting; here they belong to the screens."""


class VnTextArea(TextArea, inherit_bindings=False):
    """A `TextArea` that keeps the order of keys, holds NFC, and tells of its limit instead of cutting."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(item for item in TextArea.BINDINGS if isinstance(item, Binding) and item.key not in _FUNCTION_KEYS),
        *FOCUS_BINDINGS,
    ]

    def __init__(
        self,
        text: str = "",
        *,
        limit: int = 0,
        placeholder: str = "",
        read_only: bool = False,
        id: str | None = None,  # noqa: A002 - the name that Textual gives it
        classes: str | None = None,
        disabled: bool = False,
        compact: bool = False,
    ) -> None:
        """Make a field.

        Args:
            text: The first text; any normal form, any line ends.
            limit: The most characters that are valid, line ends counted; 0 means no limit.
            placeholder: Shown while the field is empty.
            read_only: Show the text without letting it be changed.
            id: The widget's id.
            classes: CSS classes.
            disabled: Whether the field can be used.
            compact: Without a border.
        """
        super().__init__(
            to_lines(text),
            placeholder=placeholder,
            read_only=read_only,
            id=id,
            classes=classes,
            disabled=disabled,
            compact=compact,
            highlight_cursor_line=False,
        )
        self.limit = limit
        self.cursor_blink = False

    def load_text(self, text: str) -> None:
        """Load a text in NFC with plain line ends."""
        super().load_text(to_lines(text))

    def edit(self, edit: Edit) -> EditResult:
        """Make an edit in NFC; a combining mark joins the letter before it."""
        start, end = sorted((edit.from_location, edit.to_location))
        text = to_nfc(edit.text)
        if has_leading_mark(text) and start[1] > 0:
            row, column = start
            text = to_nfc(self.document[row][column - 1] + text)
            start = (row, column - 1)
        if (text, start, end) == (edit.text, edit.from_location, edit.to_location):
            return super().edit(edit)
        return super().edit(Edit(text, start, end, edit.maintain_selection_offset))

    def _replace_via_keyboard(self, insert: str, start: Location, end: Location) -> EditResult | None:
        """Insert what was typed or pasted; what does not fit is refused and told."""
        insert = to_lines(insert)
        replaced = len(self.get_text_range(*sorted((start, end))))
        length = len(self.text) - replaced + len(insert)
        refused = is_refused(len(insert), length, self.limit)
        if insert and self.limit and length > self.limit:
            self.post_message(OverLimit(self, length, self.limit, refused))
        return None if refused else super()._replace_via_keyboard(insert, start, end)

    async def _on_key(self, event: events.Key) -> None:
        await run_key_in_order(self, event)
