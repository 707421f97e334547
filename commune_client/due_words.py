"""Why a date is the one it is, in words, for the command ``why`` and the screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from onestop_sync.dossier.timeline import show_time

if TYPE_CHECKING:
    from datetime import date

    from commune_client.desk.office_facts import Why
    from onestop_sync.dossier.deadlines import Due, DueStep

__all__ = ["limit_words", "steps_of_due", "why_words"]

_CAUSES: Final = {"tiep_nhan": "tiếp nhận", "bo_sung": "nhận đủ bổ sung", "gia_han": "hẹn lại"}
_UNITS: Final = {
    "working_hours": "giờ làm việc",
    "working_days": "ngày làm việc",
    "calendar_days": "ngày (kể cả ngày nghỉ)",
}
_REASONS: Final = {
    "counted": "tính",
    "counted_compensatory": "tính, ngày làm bù",
    "first_day": "không tính, ngày tiếp nhận",
    "after_cut_off": "không tính, nhận sau giờ chốt trong ngày",
    "after_hours": "không tính, nhận khi đã hết giờ làm việc",
    "weekend": "nghỉ cuối tuần",
    "holiday": "nghỉ lễ",
    "day_off": "nghỉ theo công bố",
    "moved": "hạn rơi vào ngày nghỉ, chuyển sang ngày làm việc này",
}
_HOUR_MIN: Final = 60
_WEEKDAYS: Final = ("T2", "T3", "T4", "T5", "T6", "T7", "CN")


def limit_words(kind: str, amount: int) -> str:
    """Says a time limit."""
    if kind == "same_day":
        return "trong ngày" if not amount else f"trong ngày, thêm {amount} ngày làm việc"
    return f"{amount} {_UNITS.get(kind, kind)}"


def why_words(why: Why) -> Iterator[str]:
    """Yields the reasons of a date: from when it was counted, by which rule, and each day on the way."""
    facts, explained = why.facts, why.explanation
    cause = _CAUSES.get(str(facts.get("cach")), str(facts.get("cach", "")))
    match facts:
        case {"tu_ms": int(start_ms), "ms": int(due_ms)}:
            yield f"Hẹn trả {show_time(due_ms)}; tính từ {show_time(start_ms)} ({cause})"
    match facts.get("thoi_han"):
        case {"kind": "same_day", "amount": int(amount)}:
            hour, minute = divmod(why.cut_off_min, _HOUR_MIN)
            yield f"Thời hạn: {limit_words('same_day', amount)}"
            yield f"Nhận đến {hour:02d}:{minute:02d} thì trả trong ngày; sau đó thì ngày làm việc tiếp theo"
        case {"kind": str(kind), "amount": int(amount)}:
            is_hours = kind == "working_days" and explained.due is not None and explained.due.unit != "day"
            each = f", mỗi ngày {why.day_hours} giờ làm việc" if is_hours else ""
            yield f"Thời hạn: {limit_words(kind, amount)}{each}"
    catalogue = f", danh mục bản {facts['danh_muc']}" if facts.get("danh_muc") else ""
    yield f"Theo: {why.profile_name}, lịch nghỉ bản {facts.get('lich', '?')}{catalogue}"
    if explained.due is None:
        yield "Ngày do cán bộ hẹn, do chờ bổ sung, hoặc giờ làm việc đã đổi: không đếm lại từng ngày."
    else:
        yield from steps_of_due(explained.due)
    match facts:
        case {"truoc_ms": int(before_ms)}:
            yield f"Ngày hẹn trước đó: {show_time(before_ms)}"
    if not explained.is_same_calendar:
        moved = explained.now_ms is not None and explained.now_ms != facts.get("ms")
        now = f"; theo lịch mới sẽ là {show_time(explained.now_ms)}" if moved and explained.now_ms else ""
        yield f"Lịch nghỉ đã có bản mới{now}. Ngày đã hẹn không đổi."
    unsure = [*map(str, _list(facts.get("chua_cong_bo"))), *map(_day, _list(facts.get("uoc_tinh")))]
    if unsure:
        yield f"! Chưa có lịch nghỉ công bố cho: {', '.join(unsure)}. Ngày hẹn tính theo lịch dự kiến."


def steps_of_due(due: Due) -> Iterator[str]:
    """Yields each day from receipt to the due date: counted or not, and why."""
    if [str(step.reason) for step in due.steps] == ["first_day"] and due.due_at.date() == due.steps[0].day:
        yield f"  {_day_words(due.steps[0].day)}  ngày tiếp nhận, trả trong ngày lúc {due.due_at:%H:%M}"
        return
    left = 0
    for step in due.steps:
        left += step.amount
        yield f"  {_day_words(step.day)}  {_step(step, due.unit)}"
    yield f"  Cộng: {_amount(left, due.unit)}; đến {due.due_at:%H:%M %d/%m/%Y}"


def _day_words(day: date) -> str:
    return f"{_WEEKDAYS[day.weekday()]} {day:%d/%m/%Y}"


def _step(step: DueStep, unit: str) -> str:
    amount = f" {_amount(step.amount, unit)}" if step.amount else ""
    name = f" ({step.name_vi})" if step.name_vi else ""
    mark = "" if step.is_certain else " (dự kiến)"
    return f"{_REASONS[str(step.reason)]}{amount}{name}{mark}"


def _amount(amount: int, unit: str) -> str:
    if unit == "day":
        return f"{amount} ngày"
    hours, minutes = divmod(amount, _HOUR_MIN)
    return f"{hours} giờ {minutes:02d}" if minutes else f"{hours} giờ"


def _list(value: object) -> list[str]:
    return list(value) if isinstance(value, list | tuple) else []


def _day(iso: str) -> str:
    return "/".join(reversed(str(iso).split("-")))
