"""Agencies that were asked and have not answered: who, by when, and who is late; the nearest date first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from commune_client.screens import words
from commune_client.screens.base import OfficeScreen
from commune_client.screens.show import day_time, short_code
from commune_client.theme import StateStyle
from commune_client.widgets.row_list import Column, Row, RowList

if TYPE_CHECKING:
    from commune_client.desk.office_facts import AskedFacts

__all__ = ["AgenciesScreen"]


class AgenciesScreen(OfficeScreen):
    """What others owe us an answer to, and we owe others."""

    NAME = "agencies"
    HEADING = words.AGENCIES
    AUTO_FOCUS = "RowList"
    DEFAULT_CSS = """
    AgenciesScreen > .about { height: auto; min-height: 3; max-height: 8; padding: 0 1; }
    """

    def __init__(self) -> None:
        """Make the list."""
        super().__init__()
        self._asked: list[AskedFacts] = []

    def compose_body(self) -> ComposeResult:
        """Lay out the list, and below it what is asked in the line with the cursor."""
        columns = [
            Column(words.CODE, 11), Column(words.ASKED_UNIT), Column(words.LEAD), Column(words.UNTIL, 16),
            Column("", 7),
        ]  # fmt: skip
        yield RowList(columns, empty="")
        yield Static("", classes="about")

    def reload(self) -> None:
        """Read who has not answered."""
        self.work(self.desk.asked, self._show)

    def _show(self, asked: list[AskedFacts]) -> None:
        self._asked = asked
        rows = [_row(str(n), each) for n, each in enumerate(asked)]
        self.query_one(RowList).set_rows(rows, empty=words.NOBODY_ASKED)
        self._show_about(self.query_one(RowList).current)

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        """Show what is asked."""
        self._show_about(event.key)

    def _show_about(self, key: str | None) -> None:
        text = Content("")
        if key is not None and self._asked:
            each = self._asked[int(key)]
            text = Content(f"{each.title}\n{each.content}")
        self.query_one(".about", Static).update(text)

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        """Open the dossier."""
        self.office.open_dossier(self._asked[int(event.key)].doc)


def _row(key: str, each: AskedFacts) -> Row:
    late = (words.LATE if each.is_late else "", StateStyle.LATE)
    return Row(
        key, (short_code(each.code, 11), each.unit_name, each.lead_name, day_time(each.until_ms), late)
    )
