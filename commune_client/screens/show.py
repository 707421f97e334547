"""Facts of the desk as words and styles: pure, for every screen alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from commune_client.screens import words
from commune_client.theme import StateStyle
from commune_client.widgets.due_label import DueKind as Clock
from commune_client.widgets.due_label import DueState as ShownDue
from commune_client.widgets.due_label import due_text
from commune_client.widgets.sync_status import SyncState

if TYPE_CHECKING:
    from commune_client.desk.facts import ListRow, SyncFacts
    from onestop_sync.dossier.deadlines import DueState

__all__ = ["age_s", "day_time", "due_cell", "explain_due", "moment", "row_due", "short_code", "sync_state"]

_LOCAL = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
_WAITING = frozenset({"incomplete", "supplement"})


def moment(ms: int) -> datetime | None:
    """Return a moment in Vietnam's time; None for one that no calendar reaches."""
    try:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)).astimezone(_LOCAL)
    except (OverflowError, ValueError):
        return None


def day_time(ms: int | None, empty: str = "") -> str:
    """Say a moment: ``08:12 05/09/2026``.

    Args:
        ms: Milliseconds since 1970 UTC; None or 0 for none.
        empty: What to say for none.
    """
    if not ms:
        return empty
    when = moment(ms)
    return f"{when:%H:%M %d/%m/%Y}" if when else str(ms)


def age_s(since_ms: int, now_ms: int) -> float:
    """Return a span in seconds."""
    return (now_ms - since_ms) / 1000


def due_cell(due: DueState | None, step: str) -> tuple[str, StateStyle]:
    """Say how a dossier stands against its due date: mark, words and style.

    Args:
        due: How it stands; None while no deadline runs.
        step: Step without marks.
    """
    if due is None:
        return due_text(ShownDue(None, _clock_without_date(step)))
    if due.kind == "overdue":
        if not due.days:
            return words.JUST_OVERDUE, StateStyle.LATE
        return due_text(ShownDue(-due.days))
    if due.kind == "today":
        return due_text(ShownDue(0))
    return due_text(ShownDue(due.days), soon_days=due.days if due.kind == "soon" else 0)


def _clock_without_date(step: str) -> Clock:
    from onestop_sync.dossier.workflow import ENDED

    if step in _WAITING:
        return Clock.PAUSED
    return Clock.DONE if step in ENDED else Clock.RUNNING


def row_due(row: ListRow) -> tuple[str, StateStyle]:
    """Say how a line of the list stands."""
    return due_cell(row.due, row.step)


def short_code(code: str, width: int) -> str:
    """Return a dossier's code in a column: whole, or its day and serial, by which a commune calls it."""
    if not code:
        return words.DRAFT_CODE
    return code if len(code) <= width else "-".join(code.split("-")[-2:])


def explain_due(due: dict[str, Any] | None, profile_name: str = "") -> list[str]:
    """Say why a due date is the one it is, one line a reason.

    Args:
        due: The dossier's field ``han_tra``, see `onestop_sync.dossier.dates`.
        profile_name: Name of its legal profile.
    """
    if due is None:
        return [words.NO_DUE]
    start, cause = day_time(due.get("tu_ms")), words.DUE_CAUSES.get(str(due.get("cach")), "")
    match due.get("thoi_han"):
        case {"kind": str(kind), "amount": int(amount)}:
            lines = [words.counted(words.limit(kind, amount), start, cause)]
        case _:
            lines = [words.given(start, cause)]
    lines.append(words.by_rule(profile_name or str(due.get("quy_dinh", "")), int(due.get("lich", 0))))
    if skipped := due.get("bo_qua"):
        days = (f"{_day(day)} {words.SKIPPED.get(why, why)}" for day, why in skipped)
        lines.append(words.skipped_days(", ".join(days)))
    if unsure := [*map(str, due.get("chua_cong_bo", ())), *map(_day, due.get("uoc_tinh", ()))]:
        lines.append(words.unannounced(", ".join(unsure)))
    if due.get("truoc_ms"):
        lines.append(words.before(day_time(due["truoc_ms"])))
    return lines


def _day(iso: str) -> str:
    return "/".join(reversed(iso.split("-")))


def sync_state(facts: SyncFacts, progress: tuple[int, int] | None) -> SyncState:
    """Return what the line of state shows."""
    now = facts.clock.now_ms
    clock = facts.clock
    return SyncState(
        online=facts.is_online,
        unsent=facts.unsent,
        unsent_files=facts.unsent_files[0],
        oldest_unsent_age_s=age_s(facts.oldest_unsent_ms, now) if facts.oldest_unsent_ms else None,
        conflicts=facts.conflicts,
        last_sync_at=moment(facts.last_sync_ms) if facts.last_sync_ms else None,
        today=clock.today,
        progress=progress,
        backup_at=moment(facts.backup.ok_ms) if facts.backup.ok_ms else None,
        is_backup_old=facts.backup.is_old,
        has_clock_warning=clock.is_suspect and not clock.is_confirmed,
        is_published_old=facts.is_published_old,
        old_statement_age_s=facts.silent_ms / 1000 if facts.silent_ms is not None else None,
        has_findings=facts.findings > 0,
    )
