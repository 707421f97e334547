"""The proof of one dossier: who signed what, under which certificate, from the province's root up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commune_client import strings
from commune_client.screens import words
from commune_client.screens.text_page import TextPage
from commune_client.theme import StateStyle

if TYPE_CHECKING:
    from onestop_sync.report import Report

__all__ = ["ProofScreen"]


class ProofScreen(TextPage):
    """What the proof of a dossier came to, as text; what is not proven stands out."""

    NAME = "proof"
    HEADING = words.PROOF
    MARK = strings.ERROR_MARK
    MARK_STYLE = StateStyle.LATE

    def reload(self) -> None:
        """Prove it anew."""
        self.work(lambda: self.desk.verify(self.doc), self._show)

    def _show(self, report: Report) -> None:
        from commune_client.cli.proof_words import report_lines

        self.show_lines(report_lines(report))
