"""A list to choose one thing from by typing some of its letters: procedures, units, steps, commands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static

from commune_client.actions import Action, action
from commune_client.screens import words
from commune_client.screens.base import OfficeScreen
from commune_client.theme import StateStyle
from commune_client.widgets.row_list import Cell, Column, Row, RowList
from commune_client.widgets.vn_input import VnInput

__all__ = ["Pick", "PickInput", "PickScreen"]

_FEW = 4
"""So many things are chosen with the arrows alone."""


class Pick(NamedTuple):
    """One thing to choose.

    Attributes:
        key: What it stands for.
        cells: One for each column.
        search: Besides what is shown, text to find it by.
    """

    key: str
    cells: tuple[Cell, ...]
    search: str = ""

    @property
    def shown(self) -> tuple[str, ...]:
        """What stands in its columns, as text."""
        return tuple(cell if isinstance(cell, str) else cell[0] for cell in self.cells)

    @property
    def text(self) -> str:
        """Everything that it is found by."""
        return " ".join((*self.shown, self.search))


class PickInput(VnInput):
    """The field above a list: the arrows move in the list, Enter chooses there."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move_list(1)", show=False),
        Binding("up", "move_list(-1)", show=False),
        Binding("pagedown", "page_list(1)", show=False),
        Binding("pageup", "page_list(-1)", show=False),
    ]

    def action_move_list(self, step: int) -> None:
        """Go one line up or down in the list."""
        self.screen.query_one(RowList).action_move(step)

    def action_page_list(self, step: int) -> None:
        """Go one page up or down in the list."""
        self.screen.query_one(RowList).action_page(step)

    async def action_submit(self) -> None:
        """Choose the line with the cursor."""
        self.screen.query_one(RowList).action_choose()


class PickScreen(OfficeScreen):
    """Chooses one of several things."""

    AUTO_FOCUS = "PickInput, RowList"
    DEFAULT_CSS = """
    PickScreen > .find { height: 1; padding: 0 1; background: $surface; }
    PickScreen > .find Static { width: auto; padding: 0 1 0 0; }
    PickScreen PickInput.-textual-compact { width: 1fr; background: $panel; padding: 0 1; }
    PickScreen PickInput.-textual-compact:focus { background: $panel; background-tint: transparent; }
    """

    def __init__(
        self,
        heading: str,
        columns: Sequence[Column],
        picks: Sequence[Pick],
        then: Callable[[str], None],
        *,
        hint: str = "",
        empty: str = "",
        stays: bool = False,
    ) -> None:
        """Make the screen.

        Args:
            heading: What is chosen.
            columns: Columns of the list.
            picks: What there is.
            then: Called with the key of what was chosen, after the screen is gone.
            hint: Shown in the empty field.
            empty: Shown when nothing fits.
            stays: Stay until what is chosen takes this screen's place.
        """
        super().__init__()
        self._title = heading
        self._columns = columns
        self._picks = tuple(picks)
        self._then = then
        self._hint = hint
        self._empty = empty
        self._stays = stays

    def compose_body(self) -> ComposeResult:
        """Lay out the field and the list."""
        if len(self._picks) > _FEW:
            with Horizontal(classes="find"):
                yield Static(Content.styled(words.SEARCH, StateStyle.QUIET))
                yield PickInput(placeholder=self._hint, compact=True, limit=200)
        yield RowList(self._columns, empty=self._empty)

    def key_actions(self) -> tuple[Action, ...]:
        """Choose, go back, help."""
        return (action("choose", "pick"), action("back"), action("help"))

    def on_mount(self) -> None:
        """Show everything."""
        self.set_heading(self._title)
        self._show("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what fits the letters."""
        event.stop()
        self._show(event.value)

    def _show(self, text: str) -> None:
        from onestop_sync.search_text import fold_text, has_words

        words_typed = " ".join(fold_text(text).split())
        found = [pick for pick in self._picks if has_words(pick.text, text)]
        if words_typed:  # what begins so comes before what has the words somewhere
            found.sort(
                key=lambda pick: not any(fold_text(cell).startswith(words_typed) for cell in pick.shown)
            )
        self.query_one(RowList).set_rows([Row(pick.key, pick.cells) for pick in found])

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        """Go back, and tell."""
        event.stop()
        if not self._stays:
            self.app.pop_screen()
        self._then(event.key)
