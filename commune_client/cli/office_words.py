"""Of one dossier, what others do for it: handover, agencies, internal steps, fees, as lines."""

from __future__ import annotations

from collections.abc import Iterator

from commune_client import strings
from commune_client.desk.facts import Dossier
from onestop_sync.dossier.labels import STAGE_LABELS, TIER_LABELS, money, one_line
from onestop_sync.dossier.timeline import show_time

__all__ = ["office_lines"]


def office_lines(dossier: Dossier) -> Iterator[str]:
    """Yields by when it is handed on, who was asked, how each step stands, and what is to be paid."""
    if dossier.handover_by_ms:
        yield f"Bàn giao trước: {show_time(dossier.handover_by_ms)}"
    for agency in dossier.view.agencies:
        until = f", hạn {show_time(agency.until_ms)}" if agency.until_ms else ""
        late = f"  {strings.ERROR_MARK} quá hạn" if agency.is_late else ""
        yield f"Lấy ý kiến {one_line(agency.unit)}: {agency.label}{until}{late}"
    if any(state.due_ms for state in dossier.steps):
        yield "Các bước:"
        yield from _steps(dossier)
    if dossier.balance is not None:
        due, paid, waived = dossier.balance
        yield (
            f"Phí, lệ phí: phải nộp {money(due)}, miễn {money(waived)}, đã nộp {money(paid)},"
            f" còn {money(dossier.balance.open)}"
        )


def _steps(dossier: Dossier) -> Iterator[str]:
    for number, state in enumerate(dossier.steps, 1):
        step = state.step
        what = step.name_vi or STAGE_LABELS[str(step.stage)]
        until = show_time(state.due_ms) if state.due_ms else "-"
        done = f", xong {show_time(state.done_ms)}" if state.done_ms else ""
        now = ", đang làm" if state.is_current else ""
        late = f"  {strings.ERROR_MARK} quá hạn" if state.is_late else ""
        yield f"  {number}. {what} ({TIER_LABELS[str(step.tier)]}): {until}{done}{now}{late}"
