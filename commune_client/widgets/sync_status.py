"""The line that always tells where the work is: here only, on its way, or up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from commune_client import strings
from commune_client.theme import StateStyle

_LOCAL = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")  # no daylight saving time, so no zone database
_Part = tuple[str, StateStyle]


@dataclass(frozen=True)
class SyncState:
    """What the sync line shows; plain data, counted elsewhere.

    Attributes:
        online: Whether the parent answered last time; None before the first try.
        unsent: Events that the parent has not acknowledged.
        unsent_files: Attachments that no parent has confirmed: while there are any, not all is sent.
        oldest_unsent_age_s: Seconds that the oldest of them has waited; None when unknown.
        conflicts: Conflicts that wait for a person.
        last_sync_at: When the last sync was completed, aware; None when there was none.
        today: The local date, so that an older day is written out; None writes the hour only.
        progress: Events sent and events to send in the running sync; None when none runs.
        has_clock_warning: Whether the machine's clock disagrees with the last event or statement.
        backup_at: When the store was as the last backup has it, aware; None when there was none.
        is_backup_old: Whether that is too long ago, or never where a folder for it was chosen.
        is_published_old: Whether what the province has published has expired.
        old_statement_age_s: Seconds of contact without a statement of the province, when that is too long;
            else None. Being offline adds nothing to it.
        has_findings: Whether something that those above have signed does not fit together.
    """

    online: bool | None = None
    unsent: int = 0
    unsent_files: int = 0
    oldest_unsent_age_s: float | None = None
    conflicts: int = 0
    last_sync_at: datetime | None = None
    today: date | None = None
    progress: tuple[int, int] | None = None
    has_clock_warning: bool = False
    backup_at: datetime | None = None
    is_backup_old: bool = False
    old_statement_age_s: float | None = None
    is_published_old: bool = False
    has_findings: bool = False


def sync_text(state: SyncState, width: int | None = None) -> str:
    """Return the sync line as plain text.

    Args:
        state: What to show.
        width: Columns that there are; the least important words go first. None shows everything.
    """
    return strings.SEPARATOR.join(text for text, _ in _fitting_parts(state, width))


def _fitting_parts(state: SyncState, width: int | None) -> list[_Part]:
    """Choose the fullest form of the line that fits: warnings and counts outlive times."""
    backup = _backup(state)
    forms = (
        [
            _line(state),
            _unsent(state, with_age=True),
            *_conflicts(state),
            _last(state),
            *backup,
            *_warnings(state),
        ],
        [
            _line(state),
            _unsent(state, with_age=False),
            *_conflicts(state),
            _last(state),
            *backup,
            *_warnings(state),
        ],
        [_line(state), _unsent(state, with_age=False), *_conflicts(state), _last(state), *_warnings(state)],
        [_line(state), _unsent(state, with_age=False), *_conflicts(state), *_warnings(state)],
        [_line(state), _unsent(state, with_age=False), *_conflicts(state)],
    )
    for parts in forms:
        if width is None or _parts_width(parts) <= width:
            return parts
    return forms[-1]


def _parts_width(parts: list[_Part]) -> int:
    """Return columns; Vietnamese letters in NFC take one each."""
    return sum(len(text) for text, _ in parts) + len(strings.SEPARATOR) * (len(parts) - 1)


def _line(state: SyncState) -> _Part:
    """Offline is an ordinary state of this machine and is shown as calmly as online."""
    if state.progress is not None:
        return strings.sync_progress(*state.progress), StateStyle.GOOD
    if state.online is None:
        return strings.SYNC_UNKNOWN, StateStyle.PLAIN
    return strings.SYNC_ONLINE if state.online else strings.SYNC_OFFLINE, StateStyle.PLAIN


def _unsent(state: SyncState, *, with_age: bool) -> _Part:
    if not state.unsent:
        files = strings.sync_files(state.unsent_files) if state.unsent_files else ""
        return files or strings.SYNC_ALL_SENT, StateStyle.PLAIN
    if with_age and state.oldest_unsent_age_s is not None:
        age = strings.age_words(state.oldest_unsent_age_s)
        return strings.sync_unsent_since(state.unsent, age), StateStyle.PLAIN
    return strings.sync_unsent(state.unsent), StateStyle.PLAIN


def _conflicts(state: SyncState) -> list[_Part]:
    return [(strings.sync_conflicts(state.conflicts), StateStyle.SOON)] if state.conflicts else []


def _last(state: SyncState) -> _Part:
    if state.last_sync_at is None:
        return strings.SYNC_NEVER, StateStyle.PLAIN
    local = state.last_sync_at.astimezone(_LOCAL)
    is_today = state.today is None or local.date() == state.today
    return strings.sync_last(local.strftime("%H:%M" if is_today else "%d/%m %H:%M")), StateStyle.PLAIN


def _backup(state: SyncState) -> list[_Part]:
    """A backup that is as it should be is said where there is room; an old one is a warning."""
    if state.backup_at is None or state.is_backup_old:
        return []
    return [(strings.backup_made(_backup_days(state)), StateStyle.PLAIN)]


def _backup_days(state: SyncState) -> int:
    if state.backup_at is None or state.today is None:
        return 0
    return (state.today - state.backup_at.astimezone(_LOCAL).date()) // timedelta(days=1)


def _warnings(state: SyncState) -> list[_Part]:
    warnings: list[_Part] = []
    if state.is_backup_old:
        text = strings.backup_made(_backup_days(state)) if state.backup_at else strings.BACKUP_NEVER
        warnings.append((f"{strings.WARNING_MARK} {text}", StateStyle.SOON))
    if state.has_clock_warning:
        warnings.append((strings.CLOCK_WARNING, StateStyle.SOON))
    if state.has_findings:
        warnings.append((strings.SYNC_FINDINGS, StateStyle.SOON))
    if state.old_statement_age_s is not None:
        age = strings.age_words(state.old_statement_age_s)
        warnings.append((strings.statement_old(age), StateStyle.PLAIN))
    if state.is_published_old:
        warnings.append((strings.PUBLISHED_OLD, StateStyle.SOON))
    return warnings


class SyncStatus(Widget):
    """One line, always there; assign `state` to change it."""

    DEFAULT_CSS = """
    SyncStatus { dock: bottom; width: 1fr; height: 1; padding: 0 1; background: $panel; }
    """

    state: reactive[SyncState] = reactive(SyncState())

    def render(self) -> Content:
        """Return the form of the line that fits the width."""
        parts = [
            Content.styled(text, style) for text, style in _fitting_parts(self.state, self.content_size.width)
        ]
        return Content(strings.SEPARATOR).join(parts)
