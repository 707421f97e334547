"""The proof of one dossier: who signed what, under which certificate, from the province's root up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from commune_client import strings
from commune_client.actions import Action, action
from commune_client.screens import words
from commune_client.screens.base import OfficeScreen
from commune_client.theme import StateStyle
from commune_client.widgets.paragraphs import Paragraph, Paragraphs

if TYPE_CHECKING:
    from onestop_sync.report import Report

__all__ = ["ProofScreen"]


class ProofScreen(OfficeScreen):
    """What the proof of a dossier came to, as text."""

    NAME = "proof"
    HEADING = words.PROOF
    AUTO_FOCUS = ".scroll"
    DEFAULT_CSS = """
    ProofScreen > .scroll { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }
    """

    def __init__(self, doc: bytes) -> None:
        """Make the screen.

        Args:
            doc: Which dossier.
        """
        super().__init__()
        self.doc = doc

    def compose_body(self) -> ComposeResult:
        """Lay the text out; it is filled when the proof is done."""
        with VerticalScroll(classes="scroll"):
            yield Paragraphs(classes="text")

    def key_actions(self) -> tuple[Action, ...]:
        """Only the way back."""
        return (action("back"), action("palette"))

    def reload(self) -> None:
        """Prove it anew."""
        self.work(lambda: self.desk.verify(self.doc), self._show)

    def _show(self, report: Report) -> None:
        from commune_client.cli.proof_words import report_lines

        self.query_one(".text", Paragraphs).paragraphs = tuple(map(_paragraph, report_lines(report)))


def _paragraph(line: str) -> Paragraph:
    """Returns a line with its own indent; what is not proven stands out."""
    indent = len(line) - len(line.lstrip()) + 2
    style = StateStyle.LATE if line.lstrip().startswith(strings.ERROR_MARK) else StateStyle.PLAIN
    return Paragraph.of(line, style, indent)
