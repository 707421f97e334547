"""A screen that is one text about a dossier, to be read and scrolled."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from commune_client.actions import Action, action
from commune_client.screens.base import OfficeScreen
from commune_client.theme import StateStyle
from commune_client.widgets.paragraphs import Paragraph, Paragraphs

__all__ = ["TextPage"]


class TextPage(OfficeScreen):
    """A text; who builds on it asks for its lines in `reload`.

    Attributes:
        MARK: Lines that begin so stand out.
        MARK_STYLE: How.
    """

    AUTO_FOCUS = ".scroll"
    MARK = "!"
    MARK_STYLE = StateStyle.SOON
    DEFAULT_CSS = """
    TextPage > .scroll { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }
    """

    def __init__(self, doc: bytes) -> None:
        """Make the screen.

        Args:
            doc: Which dossier.
        """
        super().__init__()
        self.doc = doc

    def compose_body(self) -> ComposeResult:
        """Lay the text out; it is filled when the lines are there."""
        with VerticalScroll(classes="scroll"):
            yield Paragraphs(classes="text")

    def key_actions(self) -> tuple[Action, ...]:
        """Only the way back."""
        return (action("back"), action("palette"))

    def show_lines(self, lines: Iterable[str]) -> None:
        """Show lines, each with its own indent."""
        self.query_one(".text", Paragraphs).paragraphs = tuple(map(self._paragraph, lines))

    def _paragraph(self, line: str) -> Paragraph:
        said = line.lstrip()
        style = self.MARK_STYLE if said.startswith(self.MARK) else StateStyle.PLAIN
        return Paragraph.of(line, style, len(line) - len(said) + 2)
