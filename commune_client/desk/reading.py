"""The working list, and a dossier with the timeline of its signed events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Literal

from commune_client.desk.attachment_facts import facts_of
from commune_client.desk.base import Base
from commune_client.desk.counter import typed_values
from commune_client.desk.facts import LEVELS, Dossier, ListRow, Page, TimelineItem
from commune_client.messages import LEVEL_LABELS, STANDING_LABELS
from onestop_sync import shelf
from onestop_sync.dossier.dates import local
from onestop_sync.dossier.deadlines import DueState, due_state
from onestop_sync.dossier.labels import one_line, step_label
from onestop_sync.dossier.personal import masked_ops, masked_title
from onestop_sync.dossier.procedure_steps import Moved
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.dossier.timeline import lines_of, show_value
from onestop_sync.errors import InvalidInput
from onestop_sync.schema import MAIN
from onestop_sync.state import State
from onestop_sync.storage.queries import Only, Record, Row

__all__ = ["Reading"]

PAGE: Final = 200
_COUNTS: Final = frozenset({"stands", "superseded", "conflict"})
"""Standings of events whose transitions were taken."""


class Reading(Base):
    """Lists and dossiers."""

    def dossiers(
        self,
        search: str = "",
        *,
        step: str = "",
        only: Only = "",
        order: Literal["new", "due"] = "due",
        after: tuple[int, int] | None = None,
        limit: int = PAGE,
    ) -> Page:
        """Returns one page of dossiers.

        Args:
            search: Words, with or without Vietnamese marks; all must be found. For who sees citizens masked
                they are looked for in codes alone: what is found would tell what a mask hides.
            step: Only those at this step, without marks.
            only: ``conflict``, ``waiting``, ``unsent`` or ``overdue``.
            order: What is due first, or newest first.
            after: `Page.after` of the page before.
            limit: Lines.
        """
        rows = self.store.page(
            DOSSIER.name, after=after, limit=limit, search=search, step=step, only=only, order=order,
            is_by_label=self.is_masked,
        )  # fmt: skip
        is_masked = self.is_masked
        return Page(
            [self._row(row, is_masked=is_masked) for row in rows],
            rows[-1].key if len(rows) == limit else None,
        )

    def count(self) -> int:
        """Returns how many dossiers are here."""
        return self.store.count(DOSSIER.name)

    def _row(self, row: Row, *, is_masked: bool) -> ListRow:
        title = masked_title(row.title) if is_masked else row.title
        return ListRow(
            row.doc, row.label, title, row.step, step_label(row.step), row.unit, row.due_ms,
            self.due_state(row.due_ms), row.updated_ms, row.conflicts, row.waiting,
        )  # fmt: skip

    def due_state(self, due_ms: int | None) -> DueState | None:
        """Tells how a running due date stands today; ``None`` for none, or one that no calendar reaches."""
        if due_ms is None:
            return None
        try:
            return due_state(local(due_ms), local(self.store.clock()), calendar=self.rules.calendar)
        except InvalidInput:
            return None

    def show(self, doc: bytes) -> Dossier:
        """Returns a dossier with its signed events; where only a snapshot tells of it, they come with a sync.

        Raises:
            NotFound: It is not here.
        """
        document = self._document(doc)
        state, stated_ms = document.state, document.stated_ms
        if stated_ms is not None:
            self.store.want_history(doc)
        view = self._view(state)
        is_masked = self.is_masked
        records = self.store.history(doc)
        timeline = tuple(self._item(record, is_masked=is_masked) for record in records)
        author = self.author
        choices = view.allowed_actions(author) if author and stated_ms is None else ()
        attachments = () if is_masked else tuple(map(facts_of, shelf.attached(self.store, doc)))
        level = min((item.level for item in timeline), key=LEVELS.index, default="here")
        if stated_ms is not None:  # it is the province that says so
            level = LEVELS[-1]
        return Dossier(
            doc, view, timeline, choices, typed_values(state), _notes(state), level, attachments,
            moves=tuple(_moves(records)), stated_ms=stated_ms,
        )  # fmt: skip

    def _item(self, record: Record, *, is_masked: bool) -> TimelineItem:
        certificate = record.author.certificate if record.author else None
        unit = certificate.unit if certificate else ""
        level = record.delivery.level
        return TimelineItem(
            event=record.event.id,
            who=one_line(certificate.name) if certificate else "",
            unit=unit,
            unit_name=self.unit_name(unit),
            roles=tuple(sorted(certificate.roles)) if certificate else (),
            at_ms=record.event.header.time_ms,
            lines=tuple(lines_of(masked_ops(record.ops) if is_masked else record.ops)),
            standing=str(record.standing),
            standing_label=STANDING_LABELS[str(record.standing)],
            reason=str(record.reason),
            level=level,
            level_label=LEVEL_LABELS[level],
            is_mine=bool(record.author and self._signer and record.author.key == self._signer.public),
        )


def _moves(records: Iterable[Record]) -> Iterator[Moved]:
    """Yields the transitions of the main task that count."""
    for record in records:
        if str(record.standing) not in _COUNTS:
            continue
        for op in record.ops:
            match op:
                case ["act", str(task), str(action), *_] if task == MAIN:
                    yield Moved(action, record.event.header.time_ms)


def _notes(state: State) -> dict[str, tuple[tuple[int, str], ...]]:
    return {
        name: tuple((at_ms, show_value(name, value)) for at_ms, _, value in notes)
        for name, notes in state.notes.items()
    }
