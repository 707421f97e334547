"""The handover list: what is to be handed on, or signed for; marked lines are signed together."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from commune_client.screens import words
from commune_client.screens.base import OfficeScreen, bindings_of
from commune_client.screens.show import day_time, short_code
from commune_client.screens.told import told
from commune_client.theme import StateStyle
from commune_client.widgets.row_list import Column, Row, RowList

if TYPE_CHECKING:
    from commune_client.desk.office_facts import Each, HandoverRow

__all__ = ["HandoverScreen"]


class HandoverScreen(OfficeScreen):
    """Two lists: to give (1) and to receive (2)."""

    NAME = "handover"
    HEADING = words.TO_GIVE
    AUTO_FOCUS = "RowList"
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_of("handover"),
        Binding("1", "side(True)", show=False),
        Binding("2", "side(False)", show=False),
    ]
    DEFAULT_CSS = """
    HandoverScreen > .sides { height: 1; padding: 0 1; background: $surface; }
    """

    def __init__(self) -> None:
        """Make the list."""
        super().__init__()
        self._is_giving = True
        self._rows: list[HandoverRow] = []
        self._marked: set[str] = set()

    def compose_body(self) -> ComposeResult:
        """Lay out the choice of list, and the list."""
        yield Static("", classes="sides")
        columns = [
            Column("", 3), Column(words.CODE, 11), Column(words.APPLICANT), Column(words.STEP, 20),
            Column(words.HAND_BY, 16),
        ]  # fmt: skip
        yield RowList(columns, empty="")

    def reload(self) -> None:
        """Read the list."""
        read = self.desk.to_give if self._is_giving else self.desk.to_receive
        self.work(read, self._show)

    def _show(self, rows: list[HandoverRow]) -> None:
        self._rows = rows
        self._marked &= {row.doc.hex() for row in rows}
        self.set_heading(words.TO_GIVE if self._is_giving else words.TO_RECEIVE)
        self._draw()

    def _draw(self) -> None:
        sides = []
        for digit, (label, here) in enumerate(
            ((words.TO_GIVE, self._is_giving), (words.TO_RECEIVE, not self._is_giving)), 1
        ):
            text = f"[{digit} {label}]" if here else f" {digit} {label} "
            sides.append(Content.styled(text, "reverse" if here else StateStyle.PLAIN))
        sides.append(
            Content.styled(f"  {words.marked(len(self._marked), len(self._rows))}", StateStyle.QUIET)
        )
        self.query_one(".sides", Static).update(Content("").join(sides))
        rows = [_row(row, is_marked=row.doc.hex() in self._marked) for row in self._rows]
        self.query_one(RowList).set_rows(rows, empty=words.NOTHING_TO_HAND)

    def action_side(self, is_giving: bool) -> None:  # noqa: FBT001 - as the binding writes it
        """Show the other list."""
        self._is_giving, self._marked = is_giving, set()
        self.reload()

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        """Mark the line, or take the mark away."""
        self._marked ^= {event.key}
        self._draw()

    def action_mark_all(self) -> None:
        """Mark all lines; when all are marked, none."""
        every = {row.doc.hex() for row in self._rows}
        self._marked = set() if self._marked == every else every
        self._draw()

    def action_save(self) -> None:
        """Sign for what is marked, one signature for each dossier."""
        docs = [row.doc for row in self._rows if row.doc.hex() in self._marked]
        if not docs:
            self.say(words.MARK_FIRST, StateStyle.SOON)
            return
        sign = self.desk.hand_over_each if self._is_giving else self.desk.receive_each
        self.work(partial(sign, docs), self._signed)

    def _signed(self, done: list[Each]) -> None:
        failed = [each for each in done if each.error is not None]
        text = words.signed_list(len(done) - len(failed), len(done))
        style = StateStyle.GOOD
        if failed and failed[0].error is not None:
            why = told(failed[0].error, self.office.place.folder).text
            text, style = f"{text} ! {failed[0].code}: {why}", StateStyle.SOON
        self.say(text, style)
        self._marked = set()
        self.office.refresh_status()
        self.reload()


def _row(row: HandoverRow, *, is_marked: bool) -> Row:
    by = f"! {day_time(row.by_ms)}" if row.is_late else day_time(row.by_ms)
    return Row(
        row.doc.hex(),
        (
            "[x]" if is_marked else "[ ]",
            short_code(row.code, 11),
            row.title,
            row.step_label,
            (by, StateStyle.LATE if row.is_late else StateStyle.PLAIN),
        ),
    )
