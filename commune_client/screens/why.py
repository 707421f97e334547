"""Why a dossier is due when it is: each day on the way, counted or not, and by which rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from commune_client.actions import Action, action
from commune_client.screens import words
from commune_client.screens.base import OfficeScreen
from commune_client.theme import StateStyle
from commune_client.widgets.paragraphs import Paragraph, Paragraphs

if TYPE_CHECKING:
    from commune_client.desk.office_facts import Why

__all__ = ["WhyScreen"]


class WhyScreen(OfficeScreen):
    """The reasons of a date, as text."""

    NAME = "why"
    HEADING = words.WHY
    AUTO_FOCUS = ".scroll"
    DEFAULT_CSS = """
    WhyScreen > .scroll { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }
    """

    def __init__(self, doc: bytes) -> None:
        """Make the screen.

        Args:
            doc: Which dossier.
        """
        super().__init__()
        self.doc = doc

    def compose_body(self) -> ComposeResult:
        """Lay the text out; it is filled when the date was counted again."""
        with VerticalScroll(classes="scroll"):
            yield Paragraphs(classes="text")

    def key_actions(self) -> tuple[Action, ...]:
        """Only the way back."""
        return (action("back"), action("palette"))

    def reload(self) -> None:
        """Count it again."""
        self.work(lambda: self.desk.why(self.doc), self._show)

    def _show(self, why: Why) -> None:
        from commune_client.due_words import why_words

        self.set_heading(f"{words.WHY} {why.code}")
        self.query_one(".text", Paragraphs).paragraphs = tuple(map(_paragraph, why_words(why)))


def _paragraph(line: str) -> Paragraph:
    indent = len(line) - len(line.lstrip()) + 2
    return Paragraph.of(line, StateStyle.SOON if line.startswith("!") else StateStyle.PLAIN, indent)
