"""Messages that several text widgets share."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message
from textual.widget import Widget


@dataclass
class OverLimit(Message):
    """A text field passed its limit; nothing was cut.

    Attributes:
        widget: The field.
        length: Characters that the field holds, or would have held when the text was refused.
        limit: The most characters that are valid.
        was_refused: True when the text was not inserted; False when it was kept, and the field is too long.
    """

    widget: Widget
    length: int
    limit: int
    was_refused: bool

    @property
    def control(self) -> Widget:
        """The field, for selectors of message handlers."""
        return self.widget
