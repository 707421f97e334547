"""The marks of a unit's officers in a period, for its head."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commune_client.screens import words
from commune_client.screens.text_page import TextPage
from onestop_sync.reporting.officers import NO_OFFICERS, officer_lines

if TYPE_CHECKING:
    from onestop_sync.reporting.making import Report
    from onestop_sync.reporting.officers import OfficerLine

__all__ = ["OfficersScreen"]


class OfficersScreen(TextPage):
    """A line for each officer, and what could not be measured."""

    NAME = "officers"
    HEADING = words.OFFICER_MARKS

    def __init__(self, report: Report) -> None:
        """Make the screen for a report's unit and period."""
        super().__init__(b"")
        self._report = report

    def reload(self) -> None:
        """Count."""
        self.set_heading(f"{words.OFFICER_MARKS} – {self._report.name} – {self._report.period.name}")
        self.work(lambda: self.desk.officer_marks(self._report), self._show)

    def _show(self, found: tuple[OfficerLine, ...]) -> None:
        self.show_lines([words.OFFICER_MARKS_ABOUT, "", *officer_lines(found)] if found else [NO_OFFICERS])
