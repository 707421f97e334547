"""What changed after it had been shown: an event that stood and does not any more, or the other way round."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from commune_client.messages import STANDING_LABELS
from commune_client.screens import words
from commune_client.screens.base import OfficeScreen, bindings_of
from commune_client.screens.show import day_time, short_code
from commune_client.theme import StateStyle
from commune_client.widgets.row_list import Column, Row, RowList

if TYPE_CHECKING:
    from commune_client.desk.facts import NoticeFacts

__all__ = ["NoticesScreen"]


class NoticesScreen(OfficeScreen):
    """Changes that nobody has seen yet."""

    NAME = "notices"
    HEADING = words.NOTICES
    AUTO_FOCUS = "RowList"
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("notices")
    DEFAULT_CSS = """
    NoticesScreen > .about { height: auto; min-height: 4; max-height: 8; padding: 0 1; background: $surface; }
    """

    def __init__(self) -> None:
        """Make the list."""
        super().__init__()
        self._notices: dict[str, NoticeFacts] = {}

    def compose_body(self) -> ComposeResult:
        """Lay out the list, and below it the whole of the line with the cursor."""
        columns = [Column(words.CODE, 11), Column(words.WHAT), Column(words.CHANGE), Column(words.WHEN, 16)]
        yield RowList(columns, empty="")
        yield Static("", classes="about")

    def reload(self) -> None:
        """Read what changed."""
        self.work(self.desk.notices, self._show)

    def _show(self, notices: list[NoticeFacts]) -> None:
        self._notices = {str(item.n): item for item in reversed(notices)}
        rows = [_row(key, item) for key, item in self._notices.items()]
        self.query_one(RowList).set_rows(rows, empty=words.NO_NOTICES)
        self._show_about(self.query_one(RowList).current)

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        """Show the whole of a line."""
        self._show_about(event.key)

    def _show_about(self, key: str | None) -> None:
        item = self._notices.get(key or "")
        text = Content("")
        if item:
            text = Content("\n").join(
                [
                    Content(f"{item.code or words.DRAFT_CODE}  {item.who or words.UNKNOWN_AUTHOR}"),
                    Content(_what(item)),
                    Content.styled(_change(item), StateStyle.SOON),
                    Content.styled(item.title, StateStyle.QUIET),
                ]
            )
        self.query_one(".about", Static).update(text)

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        """Open the dossier; the change has been seen then."""
        item = self._notices[event.key]
        self.work(partial(self.desk.mark_seen, [item.n]), lambda _: self.office.refresh_status())
        self.office.open_dossier(item.doc)

    def action_all_seen(self) -> None:
        """Note that everything on the list was seen."""
        numbers = [item.n for item in self._notices.values()]
        self.work(partial(self.desk.mark_seen, numbers), self._all_seen)

    def _all_seen(self, _: object) -> None:
        self.say(words.ALL_SEEN)
        self.office.refresh_status()
        self.reload()


def _row(key: str, item: NoticeFacts) -> Row:
    change = STANDING_LABELS.get(item.after, item.after)
    what = (_what(item), change)
    return Row(key, (short_code(item.code, 11), *what, day_time(item.at_ms)))


def _what(item: NoticeFacts) -> str:
    lines = [f"{line.label}: {line.text}" if line.text else line.label for line in item.lines[:2]]
    return "; ".join(lines)


def _change(item: NoticeFacts) -> str:
    before = STANDING_LABELS.get(item.before, item.before)
    return f"{before}  ->  {STANDING_LABELS.get(item.after, item.after)}"
