"""What waits for a person to settle: conflicts, late writes, disputed steps, edits against a void."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult

from commune_client.actions import Action, action
from commune_client.screens import words
from commune_client.screens.base import OfficeScreen
from commune_client.screens.show import day_time, short_code
from commune_client.theme import StateStyle
from commune_client.widgets.row_list import Column, Row, RowList

if TYPE_CHECKING:
    from commune_client.desk.facts import Dispute

__all__ = ["ConflictsScreen"]

_MOST = 200
"""Dossiers that are read at once; the rest come up as these are settled."""


class ConflictsScreen(OfficeScreen):
    """Everything that is open, on one dossier or on all."""

    NAME = "conflicts"
    HEADING = words.CONFLICTS
    AUTO_FOCUS = "RowList"

    def __init__(self, doc: bytes = b"") -> None:
        """Make the list.

        Args:
            doc: The only dossier to look at; empty for all.
        """
        super().__init__()
        self._doc = doc
        self._disputes: dict[str, Dispute] = {}

    def compose_body(self) -> ComposeResult:
        """Lay out the list."""
        columns = [
            Column(words.CODE, 11),
            Column(words.FIELD),
            Column(words.WHAT, 22),
            Column(words.WHEN, 16),
        ]
        yield RowList(columns, empty="")

    def key_actions(self) -> tuple[Action, ...]:
        """Open, back, and the rest."""
        return (action("settle", "conflicts"), *super().key_actions())

    def reload(self) -> None:
        """Read what is open."""
        self.work(self._read, self._show)

    def _read(self) -> list[Dispute]:
        desk = self.desk
        docs = [self._doc] if self._doc else [r.doc for r in desk.dossiers(only="conflict", limit=_MOST).rows]
        return [dispute for doc in docs for dispute in desk.conflicts(doc)]

    def _show(self, disputes: list[Dispute]) -> None:
        self._disputes = {f"{item.doc.hex()}/{item.key}": item for item in disputes}
        rows = [_row(key, item) for key, item in self._disputes.items()]
        self.query_one(RowList).set_rows(rows, empty=words.NO_CONFLICTS)

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        """Look at one."""
        from commune_client.screens.settle import SettleScreen

        self.app.push_screen(SettleScreen(self._disputes[event.key]))


def _row(key: str, item: Dispute) -> Row:
    newest = max((side.at_ms for side in item.sides), default=0)
    kind = (words.KINDS.get(item.kind, item.kind), StateStyle.SOON)
    return Row(key, (short_code(item.code, 11), item.label, kind, day_time(newest)))
