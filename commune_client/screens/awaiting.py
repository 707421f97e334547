"""What was written beyond a cut, on the screen: a head of the unit looks at it, and vouches for it or not."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from commune_client import strings
from commune_client.screens import words
from commune_client.screens.asked import AskScreen, Line
from commune_client.screens.base import OfficeScreen, bindings_of
from commune_client.screens.show import day_time
from commune_client.theme import StateStyle
from commune_client.widgets.row_list import Column, Row, RowList

if TYPE_CHECKING:
    from commune_client.desk.countersigning import AwaitingFacts

__all__ = ["AwaitingScreen"]


class AwaitingScreen(OfficeScreen):
    """In the order in which it came; below the list what the event with the cursor did."""

    NAME = "awaiting"
    HEADING = words.AWAITING
    AUTO_FOCUS = "RowList"
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("awaiting")
    DEFAULT_CSS = """
    AwaitingScreen > .about { height: auto; max-height: 10; padding: 0 1; background: $surface; }
    """

    def __init__(self) -> None:
        """Make the list."""
        super().__init__()
        self._found: dict[str, AwaitingFacts] = {}

    def compose_body(self) -> ComposeResult:
        """Lay out the list, and below it what an event did."""
        columns = [
            Column(words.WHEN, 16),
            Column(words.CODE, 26),
            Column(words.WHO_WROTE, 16),
            Column(words.UNIT),
        ]
        yield RowList(columns, empty="")
        yield Static("", classes="about")

    def reload(self) -> None:
        """Read them."""
        self.work(self.desk.awaiting, self._show)

    def _show(self, found: list[AwaitingFacts]) -> None:
        self._found = {each.event.hex(): each for each in found}
        rows = [
            Row(key, (day_time(each.at_ms), _what(each), each.who, each.unit_name))
            for key, each in self._found.items()
        ]
        self.query_one(RowList).set_rows(rows, empty=words.NOTHING_AWAITS)
        self._show_about(self.query_one(RowList).current)

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        """Show what that event did."""
        self._show_about(event.key)

    def _show_about(self, key: str | None) -> None:
        each = self._found.get(key or "")
        said = "\n".join(_about(each)) if each else ""
        self.query_one(".about", Static).update(Content(said))

    # ---- what can be done

    def action_one(self) -> None:
        """Ask for the reason to vouch for the event with the cursor."""
        each = self._found.get(self.query_one(RowList).current or "")
        if each is not None:
            self._ask([each])

    def action_all_of_dossier(self) -> None:
        """Ask for the reason to vouch for all that waits of that dossier."""
        each = self._found.get(self.query_one(RowList).current or "")
        if each is not None:
            self._ask([other for other in self._found.values() if other.doc == each.doc])

    def _ask(self, chosen: list[AwaitingFacts]) -> None:
        if not all(each.is_mine for each in chosen):
            self.say(words.NOT_MINE_TO_VOUCH, StateStyle.SOON)
            return
        names = [each.event.hex() for each in chosen]
        lines = [Line(words.REASON, is_secret=False), Line(words.UNLOCK_WITH)]
        self.app.push_screen(
            AskScreen(
                words.COUNTERSIGN, words.countersign_about(len(names)), lines, partial(self._sign, names),
                self._done,
            )
        )  # fmt: skip

    def _sign(self, names: list[str], why: str, passphrase: str) -> int:
        self.desk.confirm(passphrase)
        return len(self.desk.countersign(names, why))

    def _done(self, count: int) -> None:
        self.office.refresh_status()
        self.reload()
        self.say(words.COUNTERSIGNED.format(count))


def _what(each: AwaitingFacts) -> str:
    kind = strings.KINDS.get(each.kind)
    return each.code or (f"({kind})" if kind else words.NO_CODE_YET)


def _about(each: AwaitingFacts) -> list[str]:
    lines = [f"{line.label}: {line.text}" if line.text else line.label for line in each.lines]
    return [*lines, *([] if each.is_mine else [words.NOT_MINE_TO_VOUCH])]
