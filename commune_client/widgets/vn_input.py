"""A one-line text field that receives Vietnamese as it was typed."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.widgets import Input

from commune_client.widgets.key_order import FOCUS_BINDINGS, run_key_in_order
from commune_client.widgets.messages import OverLimit
from commune_client.widgets.vn_text import is_refused, to_nfc, to_one_line


class VnInput(Input):
    """An `Input` that keeps the order of keys, holds NFC, and tells of its limit instead of cutting."""

    BINDINGS: ClassVar[list[BindingType]] = [*FOCUS_BINDINGS]

    def __init__(
        self,
        value: str = "",
        *,
        limit: int = 0,
        placeholder: str = "",
        password: bool = False,
        id: str | None = None,  # noqa: A002 - the name that Textual gives it
        classes: str | None = None,
        disabled: bool = False,
        compact: bool = False,
    ) -> None:
        """Make a field.

        Args:
            value: The first value; any normal form.
            limit: The most characters that are valid; 0 means no limit.
            placeholder: Shown while the field is empty.
            password: Show dots instead of letters.
            id: The widget's id.
            classes: CSS classes.
            disabled: Whether the field can be used.
            compact: Without a border, one row high.
        """
        super().__init__(
            to_nfc(value),
            placeholder,
            password=password,
            # A stray key after Tab must not erase the whole field.
            select_on_focus=False,
            id=id,
            classes=classes,
            disabled=disabled,
            compact=compact,
        )
        self.limit = limit
        self.cursor_blink = False

    def validate_value(self, value: str) -> str:
        """Keep the value in NFC, whoever sets it."""
        return to_nfc(value)

    def replace(self, text: str, start: int, end: int) -> None:
        """Replace a range; a combining mark joins its letter; what does not fit is refused and told."""
        start, end = sorted((max(0, start), min(len(self.value), end)))
        head = to_nfc(self.value[:start] + text)
        length = len(head) + len(self.value) - end
        refused = is_refused(len(text), length, self.limit)
        if not refused:
            super().replace(head, 0, end)
        if text and self.limit and length > self.limit:
            self.post_message(OverLimit(self, length, self.limit, refused))

    async def _on_key(self, event: events.Key) -> None:
        await run_key_in_order(self, event)

    def _on_paste(self, event: events.Paste) -> None:
        """Insert pasted lines as one line; stock `Input` keeps the first line and drops the others unsaid."""
        event.stop()
        event.prevent_default()
        self.replace(to_one_line(event.text), *self.selection)

    def action_paste(self) -> None:
        """Insert the app's own clipboard under the same rules."""
        self.replace(to_one_line(self.app.clipboard), *self.selection)
