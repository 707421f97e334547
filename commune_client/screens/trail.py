"""The audit trail: who unlocked, looked, searched, printed, exported or was refused, the latest first."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from commune_client.audit_words import AUDIT_LABELS, audit_detail
from commune_client.screens import words
from commune_client.screens.base import OfficeScreen
from commune_client.screens.show import day_time, short_code
from commune_client.theme import StateStyle
from commune_client.widgets.row_list import Column, Row, RowList

if TYPE_CHECKING:
    from commune_client.desk.facts import AuditLine

__all__ = ["TrailScreen"]

_PAGE = 200
_ALARMING = frozenset({"refused", "wrong_passphrase"})


class TrailScreen(OfficeScreen):
    """Entries of the audit trail; of others, only for who leads or administers."""

    NAME = "trail"
    HEADING = words.TRAIL_OWN
    AUTO_FOCUS = "RowList"
    DEFAULT_CSS = """
    TrailScreen > .about { height: 4; padding: 0 1; background: $surface; }
    """

    def __init__(self) -> None:
        """Make the list."""
        super().__init__()
        self._lines: list[AuditLine] = []
        self._asked = _PAGE

    def compose_body(self) -> ComposeResult:
        """Lay out the list, and below it the whole of the line with the cursor."""
        columns = [
            Column(words.WHEN, 16), Column(words.TRAIL_WHO), Column(words.WHAT, 16), Column(words.TRAIL_ABOUT)
        ]  # fmt: skip
        yield RowList(columns, empty="")
        yield Static("", classes="about")

    def reload(self) -> None:
        """Read the latest entries, as many as were asked for."""
        self.work(partial(self._read, self._asked), lambda found: self._show(*found))

    def _read(self, count: int) -> tuple[list[AuditLine], bool]:
        return self.desk.audit(limit=count), self.desk.sees_all

    def _show(self, lines: list[AuditLine], sees_all: bool) -> None:  # noqa: FBT001 - as `_read` returns it
        self._lines = lines
        self.set_heading(words.TRAIL_ALL if sees_all else words.TRAIL_OWN)
        rows = [_row(str(n), line) for n, line in enumerate(lines)]
        self.query_one(RowList).set_rows(rows, empty=words.TRAIL_EMPTY)
        self._show_about(self.query_one(RowList).current)

    def on_row_list_near_end(self) -> None:
        """Ask for more, when there can be more."""
        if len(self._lines) == self._asked:
            self._asked += _PAGE
            self.reload()

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        """Show the whole of a line."""
        self._show_about(event.key)

    def _show_about(self, key: str | None) -> None:
        text = Content("")
        if key is not None and self._lines:
            line = self._lines[int(key)]
            text = Content("\n").join(
                [
                    Content(f"{day_time(line.at_ms)}  {line.who or words.UNKNOWN_AUTHOR}  {line.unit_name}"),
                    Content.styled(f"{_what(line)}  {line.dossier}".rstrip(), _style(line)),
                    Content(audit_detail(line)),
                    Content.styled(
                        words.BY_MACHINE if line.is_machine else words.BY_OFFICER, StateStyle.QUIET
                    ),
                ]
            )
        self.query_one(".about", Static).update(text)

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        """Open the dossier that the line is about."""
        line = self._lines[int(event.key)]
        if line.dossier:
            self.office.open_dossier(line.doc)
        else:
            self.say(words.TRAIL_NO_DOSSIER)


def _row(key: str, line: AuditLine) -> Row:
    about = " ".join(
        part for part in (short_code(line.dossier, 11) if line.dossier else "", audit_detail(line)) if part
    )
    return Row(
        key, (day_time(line.at_ms), line.who or words.UNKNOWN_AUTHOR, (_what(line), _style(line)), about)
    )


def _what(line: AuditLine) -> str:
    return AUDIT_LABELS.get(line.what, line.what)


def _style(line: AuditLine) -> StateStyle:
    return StateStyle.SOON if line.what in _ALARMING else StateStyle.PLAIN
