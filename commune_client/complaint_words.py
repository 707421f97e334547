"""Complaints in Vietnamese words, for the screen and the command alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from commune_client.desk.voices import ComplaintFacts

__all__ = ["STEPS", "complaint_lines"]

STEPS: Final[Mapping[str, str]] = {
    "moi": "mới nhận", "dang_xu_ly": "đang xử lý", "da_tra_loi": "đã trả lời", "khong_thu_ly": "không thụ lý",
}  # fmt: skip


def complaint_lines(each: ComplaintFacts, unit_name: Callable[[str], str]) -> Iterator[str]:
    """Yields the whole of a complaint: what it says, where it stands, by when, and what was answered."""
    from onestop_sync.dossier.timeline import show_time

    handling = each.handling
    about = f", về hồ sơ {handling.dossier}" if handling.dossier else ""
    sender = f", người gửi: {each.sender}" if each.sender else ""
    yield f"{each.doc.hex()[:12]}{about}{sender}"
    step = STEPS.get(handling.step, handling.step)
    late = " !! quá hạn" if each.is_late and handling.ended_ms is None else ""
    due = f", hẹn trả lời {show_time(handling.due_ms)}{late}" if handling.due_ms else ""
    yield f"{step[:1].upper()}{step[1:]}, đang ở: {unit_name(each.unit)}{due}"
    yield each.content
    if each.answer:
        verdict = " (đã xác minh: không đúng)" if not handling.counts else ""
        yield f"Trả lời{verdict}: {each.answer}"
