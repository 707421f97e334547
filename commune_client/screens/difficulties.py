"""Khó khăn, vướng mắc, and what is urged, checked or guided: the list, and what can be done with a line."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from commune_client.screens import words
from commune_client.screens.asked import AskScreen, Line
from commune_client.screens.base import OfficeScreen, bindings_of
from commune_client.screens.show import day_time
from commune_client.widgets.row_list import Column, Row, RowList
from onestop_sync.dossier.difficulty import KINDS, STEPS
from onestop_sync.reporting.difficulties import shown

if TYPE_CHECKING:
    from onestop_sync.reporting.difficulties import Listed

__all__ = ["DifficultiesScreen"]


class DifficultiesScreen(OfficeScreen):
    """The newest first; below the list the whole of the line with the cursor."""

    NAME = "difficulties"
    HEADING = words.DIFFICULTIES
    AUTO_FOCUS = "RowList"
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("difficulties")
    DEFAULT_CSS = """
    DifficultiesScreen > .about { height: auto; max-height: 10; padding: 0 1; background: $surface; }
    """

    def __init__(self) -> None:
        """Make the list."""
        super().__init__()
        self._found: dict[str, Listed] = {}

    def compose_body(self) -> ComposeResult:
        """Lay out the list, and below it the whole of a line."""
        columns = [
            Column(words.WHEN, 16), Column("Bước", 20), Column(words.UNIT, 14), Column(words.WHAT)
        ]  # fmt: skip
        yield RowList(columns, empty="")
        yield Static("", classes="about")

    def reload(self) -> None:
        """Read them."""
        self.work(self.desk.difficulties, self._show)

    def _show(self, found: list[Listed]) -> None:
        self._found = {each.doc.hex(): each for each in found}
        rows = [self._row(each) for each in found]
        self.query_one(RowList).set_rows(rows, empty=words.NO_DIFFICULTIES)
        self._show_about(self.query_one(RowList).current)

    def _row(self, each: Listed) -> Row:
        view = each.view
        kind = "" if view.kind == next(iter(KINDS)) else f"{KINDS.get(view.kind, view.kind)}: "
        title = f"{kind}{view.title}"
        step = STEPS.get(view.step, view.step)
        when = day_time(view.reported_ms)
        return Row(each.doc.hex(), (when, step, self.desk.unit_name(view.unit), title))

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        """Show the whole of a line."""
        self._show_about(event.key)

    def _show_about(self, key: str | None) -> None:
        each = self._found.get(key or "")
        said = "\n".join(shown(self.desk.store, each)) if each else ""
        self.query_one(".about", Static).update(Content(said))

    # ---- what can be done

    def action_new(self) -> None:
        """Ask for a new one, and send it."""
        names = (words.SHORT_NAME, words.CONTENT, words.PROPOSAL)
        self._ask(words.NEW_DIFFICULTY, names, self._write)

    def _write(self, title: str, text: str, proposal: str) -> Listed:
        return self.desk.write_difficulty(title, text, proposal=proposal)

    def action_take_up(self) -> None:
        """Take one up."""
        self._do("take_up")

    def action_close(self) -> None:
        """Close one that was answered."""
        self._do("close")

    def action_answer(self) -> None:
        """Ask for the answer."""
        self._ask_about("answer", words.ANSWER)

    def action_remind(self) -> None:
        """Ask what to remind of."""
        self._ask_about("remind", words.REMIND)

    def action_reopen(self) -> None:
        """Ask why the answer does not do."""
        self._ask_about("reopen", words.REOPEN)

    def action_pass_on(self) -> None:
        """Ask where to pass one on to: the unit above, where nothing else is named."""
        each = self._current()
        if each is None:
            return

        def call(to: str, reason: str) -> Listed:
            return self.desk.act_on_difficulty(each.doc, "pass_on", reason, to)

        lines = [
            Line(words.TO_UNIT, is_secret=False, value=self.desk.upper_name()),
            Line(words.REASON, is_secret=False),
        ]
        self.app.push_screen(AskScreen(words.SEND_ON, words.SEND_ON_ABOUT, lines, call, self._done))

    def _current(self) -> Listed | None:
        return self._found.get(self.query_one(RowList).current or "")

    def _do(self, action: str) -> None:
        each = self._current()
        if each is not None:
            self.work(partial(self.desk.act_on_difficulty, each.doc, action), self._done)

    def _ask_about(self, action: str, heading: str) -> None:
        each = self._current()
        if each is not None:
            self._ask(heading, (words.CONTENT,), partial(self.desk.act_on_difficulty, each.doc, action))

    def _ask(self, heading: str, names: tuple[str, ...], call: Callable[..., Any]) -> None:
        lines = [Line(name, is_secret=False) for name in names]
        self.app.push_screen(AskScreen(heading, words.NEW_DIFFICULTY_ABOUT, lines, call, self._done))

    def _done(self, each: Listed) -> None:
        self.reload()
        self.say(words.DONE_SO.format(STEPS.get(each.view.step, each.view.step)))
