"""Why a dossier is due when it is: each day on the way, counted or not, and by which rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commune_client.screens import words
from commune_client.screens.text_page import TextPage

if TYPE_CHECKING:
    from commune_client.desk.office_facts import Why

__all__ = ["WhyScreen"]


class WhyScreen(TextPage):
    """The reasons of a date, as text."""

    NAME = "why"
    HEADING = words.WHY

    def reload(self) -> None:
        """Count it again."""
        self.work(lambda: self.desk.why(self.doc), self._show)

    def _show(self, why: Why) -> None:
        from commune_client.due_words import why_words

        self.set_heading(f"{words.WHY} {why.code}")
        self.show_lines(why_words(why))
