"""How sync stands: what is not sent and since when, each parent and the last contact, a running sync."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from commune_client import strings
from commune_client.messages import parent_error
from commune_client.rules_words import rules_lines
from commune_client.screens import words
from commune_client.screens.base import OfficeScreen
from commune_client.screens.pages import PAGE, Pages
from commune_client.screens.show import age_s, day_time, short_code
from commune_client.theme import StateStyle
from commune_client.widgets.row_list import Column, Row, RowList

if TYPE_CHECKING:
    from commune_client.desk.facts import ListRow, ParentFacts, SyncFacts
    from onestop_sync.dossier.rules import RulesFacts

__all__ = ["OutboxScreen", "progress_text", "sync_lines"]

_BAR = 30


class OutboxScreen(OfficeScreen):
    """How sync stands."""

    NAME = "outbox"
    HEADING = words.OUTBOX
    AUTO_FOCUS = "RowList"
    DEFAULT_CSS = """
    OutboxScreen > .state { height: auto; max-height: 50%; padding: 0 1; margin: 0 0 1 0; }
    """

    def __init__(self) -> None:
        """Make the screen."""
        super().__init__()
        self._pages: Pages | None = None
        self._is_adding = False

    def compose_body(self) -> ComposeResult:
        """Lay out the state and the list of what waits."""
        yield Static("", classes="state")
        columns = [Column(words.CODE, 26), Column(words.UNSENT_DOSSIERS), Column(words.LAST_CHANGE, 16)]
        yield RowList(columns, empty="")

    def reload(self) -> None:
        """Read how sync stands."""
        self.work(self._read, lambda found: self._show(*found))

    def _read(self) -> tuple[SyncFacts, RulesFacts, tuple[str, ...], Pages, list[ListRow]]:
        pages = Pages.of(self.desk, "", "unsent", ())
        return self.desk.status(), self.desk.rules_facts(), self.desk.parents, pages, pages.take(PAGE)

    def _show(
        self,
        facts: SyncFacts,
        rules: RulesFacts,
        addresses: tuple[str, ...],
        pages: Pages,
        rows: list[ListRow],
    ) -> None:
        self._pages, self._is_adding = pages, False
        lines = [*sync_lines(facts, addresses), *map(Content, rules_lines(rules))]
        if self.office.sync_state.progress:
            lines.append(Content.styled(progress_text(*self.office.sync_state.progress), StateStyle.GOOD))
        self.query_one(".state", Static).update(Content("\n").join(lines))
        self.query_one(RowList).set_rows(list(map(_row, rows)), empty=words.ALL_SENT)

    def on_row_list_near_end(self) -> None:
        """Ask for the next page."""
        pages = self._pages
        if pages is not None and pages.has_more and not self._is_adding:
            self._is_adding = True
            self.work(pages.take, partial(self._add, pages))

    def _add(self, pages: Pages, rows: list[ListRow]) -> None:
        self._is_adding = False
        if pages is self._pages:
            self.query_one(RowList).add_rows(list(map(_row, rows)))

    def show_sync(self) -> None:
        """Show how far a sync is."""
        before = getattr(self, "_seen", None)
        super().show_sync()
        self._seen = self.office.sync_state
        if self.is_mounted and before is not None and before != self._seen:
            self.reload()

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        """Open the dossier."""
        self.office.open_dossier(bytes.fromhex(event.key))


def _row(row: ListRow) -> Row:
    return Row(row.doc.hex(), (short_code(row.code, 26), row.title, day_time(row.updated_ms)))


def sync_lines(facts: SyncFacts, addresses: tuple[str, ...]) -> list[Content]:
    """Say what waits, since when, and how each parent answered.

    Args:
        facts: How sync stands.
        addresses: Addresses that are tried, in order.
    """
    now = facts.clock.now_ms
    if facts.unsent and facts.oldest_unsent_ms:
        since = facts.oldest_unsent_ms
        text = words.unsent_since(facts.unsent, day_time(since), strings.age_words(age_s(since, now)))
    else:
        text = "" if facts.unsent_files[0] else words.ALL_SENT
    if facts.unsent_files[0]:
        from onestop_sync.dossier.labels import size_words

        files = words.unsent_files(facts.unsent_files[0], size_words(facts.unsent_files[1]))
        text = f"{text}; {files}" if text else files
    known = {parent.name: parent for parent in facts.parents}
    lines = [Content.styled(text, "bold"), *_stated(facts), Content.styled(words.PARENTS, "underline")]
    lines += [_parent_line(address, known.get(address)) for address in addresses]
    return lines if addresses else [*lines, Content(f"  {words.NO_PARENTS}")]


def _stated(facts: SyncFacts) -> list[Content]:
    """Say what those above state, and what of it does not fit together."""
    lines: list[Content] = []
    if facts.findings:
        text = f"{strings.WARNING_MARK} {strings.findings(facts.findings)}"
        lines.append(Content.styled(text, StateStyle.SOON))
    if facts.silent_ms is not None:
        age = strings.statement_old(strings.age_words(facts.silent_ms / 1000))
        lines.append(Content(age[:1].upper() + age[1:]))
    if facts.stated_ms:
        lines.append(Content(strings.stated(day_time(facts.stated_ms))))
    return lines


def _parent_line(address: str, parent: ParentFacts | None) -> Content:
    if parent is None or not parent.tried_ms:
        return Content(f"  {address}  {words.NEVER}")
    name = f"{parent.unit_name} ({address})" if parent.unit else address
    last = strings.sync_last(day_time(parent.ok_ms)) if parent.ok_ms else words.NEVER
    is_offline = parent.error == "unreachable"
    state = words.NO_ANSWER if is_offline else parent_error(parent.error) or words.ANSWERED
    return Content(f"  {name}  {last}; {state}")


def progress_text(done: int, total: int) -> str:
    """Draw how far a sync is, in ASCII."""
    filled = _BAR * done // total if total else _BAR
    return f"{words.SYNCING} [{'#' * filled}{'.' * (_BAR - filled)}] {done}/{total}"
