"""The working list: what is due first stands first; filtered by digits, searched without marks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Input, Static

from commune_client.actions import Action
from commune_client.screens import words
from commune_client.screens.base import OfficeScreen
from commune_client.screens.pages import PAGE, Pages, my_steps
from commune_client.screens.pick import Pick, PickInput, PickScreen
from commune_client.screens.show import row_due, short_code
from commune_client.theme import StateStyle
from commune_client.widgets.row_list import Cell, Column, Row, RowList

if TYPE_CHECKING:
    from commune_client.desk.facts import ListRow

__all__ = ["ListScreen", "list_columns", "list_row"]

_PATIENCE_S = 0.15
"""A search waits so long for the next letter."""
_WIDE = 110
_FILTERS = tuple(words.FILTERS)


class ListScreen(OfficeScreen):
    """The working list."""

    NAME = "list"
    HEADING = words.LIST
    AUTO_FOCUS = "RowList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+p", "print", show=False),
        *(Binding(str(digit), f"filter({name!r})", show=False) for digit, name in enumerate(_FILTERS, 1)),
    ]
    DEFAULT_CSS = """
    ListScreen > .filters { height: 1; padding: 0 1; background: $surface; }
    ListScreen > .find { height: 1; padding: 0 1; background: $background; }
    ListScreen > .find Static { width: auto; padding: 0 1 0 0; }
    ListScreen > .find .count { padding: 0 0 0 1; }
    ListScreen PickInput.-textual-compact { width: 1fr; background: $surface; padding: 0 1; }
    ListScreen PickInput.-textual-compact:focus { background: $panel; background-tint: transparent; }
    """

    def __init__(self) -> None:
        """Make the list; lines are asked for when it is shown."""
        super().__init__()
        self._filter = "all"
        self._step = ""
        self._asked = 0
        self._pages: Pages | None = None
        self._rows: list[ListRow] = []
        self._is_adding = False
        self._timer: Timer | None = None

    def compose_body(self) -> ComposeResult:
        """Lay out the filters, the search and the list."""
        yield Static("", classes="filters")
        with Horizontal(classes="find"):
            yield Static(Content.styled(f"F3 {words.SEARCH}", StateStyle.QUIET))
            yield PickInput(placeholder=words.SEARCH_HELP, compact=True, limit=200)
            yield Static("", classes="count")
        yield RowList(list_columns(self.app.size.width), empty="")

    def on_mount(self) -> None:
        """Show which filter is on."""
        self._show_filters()

    def key_actions(self) -> tuple[Action, ...]:
        """Without the way to where one is; searching stands above the list."""
        return tuple(item for item in super().key_actions() if item.name not in {"back", "list", "search"})

    # ------------------------------------------------------------------ asking

    @property
    def _text(self) -> str:
        return self.query_one(PickInput).value.strip()

    def reload(self) -> None:
        """Ask for the lines anew, as many as were there."""
        self._asked += 1
        self.work(
            partial(self._read, self._text, self._filter, self._step, max(PAGE, len(self._rows))),
            partial(self._show, self._asked),
        )

    def _read(self, text: str, filtered: str, step: str, count: int) -> tuple[Pages, list[ListRow]]:
        """Returns the pages and their first lines; runs in the desk's thread."""
        steps: list[str] = [step] if filtered == "step" else []
        if filtered == "mine":
            steps = my_steps(self.desk.officer.roles) or ["-"]
        only = filtered if filtered in {"conflict", "unsent", "overdue"} else ""
        pages = Pages.of(self.desk, text, only, steps)
        return pages, pages.take(count)

    def _show(self, asked: int, found: tuple[Pages, list[ListRow]]) -> None:
        if asked != self._asked:
            return  # the official has typed on
        self._pages, self._rows = found
        self._is_adding = False
        self.query_one(RowList).set_rows(self._lines(self._rows), empty=self._nothing())
        self._show_count()

    def on_row_list_near_end(self) -> None:
        """Ask for the next page."""
        pages = self._pages
        if pages is not None and pages.has_more and not self._is_adding:
            self._is_adding = True
            self.work(pages.take, partial(self._add, pages), lambda _: setattr(self, "_is_adding", False))

    def _add(self, pages: Pages, rows: list[ListRow]) -> None:
        self._is_adding = False
        if pages is self._pages:
            self._rows += rows
            self.query_one(RowList).add_rows(self._lines(rows))
            self._show_count()

    def _nothing(self) -> str:
        if self._text:
            return words.NOTHING_FOUND if self._filter == "all" else words.NOTHING_FOUND_HERE
        return words.LIST_EMPTY if self._filter == "all" else words.LIST_EMPTY_FILTERED

    # ------------------------------------------------------------------ showing

    def _lines(self, rows: list[ListRow]) -> list[Row]:
        width = self.app.size.width
        return [list_row(row, width) for row in rows]

    def on_resize(self) -> None:
        """Use the width that there is."""
        rows = self.query_one(RowList)
        rows.set_columns(list_columns(self.app.size.width))
        rows.set_rows(self._lines(self._rows))

    def _show_count(self) -> None:
        has_more = self._pages is not None and self._pages.has_more
        parts = [words.shown(len(self._rows), has_more=has_more)]
        if self.office.notices:
            parts.insert(0, words.unseen_notices(self.office.notices))
        self.query_one(".count", Static).update(Content.styled("  ".join(parts), StateStyle.QUIET))

    def show_sync(self) -> None:
        """Show how sync stands, and what changed after the fact."""
        super().show_sync()
        if self.is_mounted:
            self._show_count()

    def _show_filters(self) -> None:
        parts = []
        for digit, name in enumerate(_FILTERS, 1):
            label = words.FILTERS[name]
            if name == "step" and self._step:
                label = words.SHORT_STEPS.get(self._step, self._step)
            here = name == self._filter
            style = "reverse" if here else StateStyle.PLAIN
            mark = f"[{digit} {label}]" if here else f" {digit} {label} "
            parts.append(Content.styled(mark, style))
        self.query_one(".filters", Static).update(Content("").join(parts))

    # ------------------------------------------------------------------ choosing

    def action_filter(self, name: str) -> None:
        """Show only some of the dossiers."""
        if name == "step":
            self.app.push_screen(self._step_picker())
        else:
            self._set_filter(name, "")

    def _step_picker(self) -> PickScreen:
        from onestop_sync.dossier.labels import STEP_LABELS

        picks = [Pick(step, (STEP_LABELS[step],)) for step in words.SHORT_STEPS]
        columns = [Column("")]
        return PickScreen(words.CHOOSE_STEP, columns, picks, partial(self._set_filter, "step"))

    def _set_filter(self, name: str, step: str) -> None:
        self._filter, self._step, self._rows = name, step, []
        self._show_filters()
        self.query_one(RowList).cursor = 0
        self.query_one(RowList).focus()
        self.reload()

    def focus_search(self) -> None:
        """Go to the search."""
        self.query_one(PickInput).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search when no letter came for a moment."""
        event.stop()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(_PATIENCE_S, self._search)

    def _search(self) -> None:
        self._rows = []
        self.query_one(RowList).cursor = 0
        self.reload()

    def leave(self) -> None:
        """Clear the search, then the filter; this is the first screen, there is none before it."""
        field = self.query_one(PickInput)
        if field.value:
            field.value = ""
        elif self._filter != "all":
            self._set_filter("all", "")
        self.query_one(RowList).focus()

    def action_print(self) -> None:
        """Print one form of all dossiers that were accepted on a day."""
        from commune_client.screens.printing import open_print_day

        open_print_day(self.office)

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        """Open the dossier."""
        self.office.open_dossier(bytes.fromhex(event.key))


def list_columns(width: int) -> list[Column]:
    """Returns the columns for a terminal of so many columns."""
    is_wide = width >= _WIDE
    return [
        Column(words.CODE, 26 if is_wide else 11),
        Column(words.APPLICANT),
        Column(words.STEP, 28 if is_wide else 15),
        Column(words.DUE, 15),
        Column("", 2),
    ]


def list_row(row: ListRow, width: int) -> Row:
    """Returns one line of the list."""
    is_wide = width >= _WIDE
    marks = (words.CONFLICT_MARK if row.conflicts else "") + (words.WAITING_MARK if row.waiting else "")
    step: Cell = row.step_label if is_wide else words.SHORT_STEPS.get(row.step, row.step_label)
    code = short_code(row.code, 26 if is_wide else 11)
    return Row(row.doc.hex(), (code, row.title, step, row_due(row), (marks, StateStyle.SOON)))
