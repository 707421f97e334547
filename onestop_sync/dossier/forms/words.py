"""Dates, limits and names as a form writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from onestop_sync.dossier.calendar import Certainty
from onestop_sync.dossier.charges import Charge, ChargeKind, balance
from onestop_sync.dossier.dates import limit_of, local
from onestop_sync.dossier.deadlines import LimitKind
from onestop_sync.dossier.fees import Fee, FeeKind
from onestop_sync.dossier.forms.paper import DOTS
from onestop_sync.dossier.labels import one_line
from onestop_sync.errors import InvalidInput

__all__ = [
    "agency_head",
    "agency_place",
    "agency_words",
    "cell_time",
    "charged_words",
    "committee_words",
    "date_words",
    "fee_words",
    "full_time",
    "limit_words",
    "paragraphs",
    "value_or_dots",
    "way_words",
]

_TIERS: Final = (
    "thành phố", "thị trấn", "thị xã", "đặc khu", "phường", "huyện", "quận", "tỉnh", "xã",
)  # fmt: skip
_WAYS: Final = {
    "truc_tiep": "Trực tiếp tại Bộ phận Tiếp nhận và Trả kết quả",
    "buu_chinh": "Qua dịch vụ bưu chính công ích",
    "truc_tuyen": "Trực tuyến",
}
_LIMITS: Final = {
    LimitKind.WORKING_HOURS: "giờ làm việc",
    LimitKind.WORKING_DAYS: "ngày làm việc",
    LimitKind.CALENDAR_DAYS: "ngày",
}


def full_time(ms: object) -> str:
    """Returns a moment as a form spells it out, in Vietnam's time; dots for none, or for no date at all."""
    try:
        at = local(ms) if type(ms) is int else None
    except InvalidInput:
        at = None
    return f"{at:%H} giờ {at:%M} phút, ngày {at:%d/%m/%Y}" if at else DOTS


def cell_time(ms: object) -> str:
    """Returns a moment for a cell of a table: hour and date on lines of their own; empty for none."""
    try:
        return f"{local(ms):%H:%M}\n{local(ms):%d/%m/%Y}" if type(ms) is int else ""
    except InvalidInput:
        return ""


def date_words(ms: int) -> str:
    """Returns a day as the head of a paper has it: ``ngày 02 tháng 03 năm 2026``."""
    day = local(ms)
    return f"ngày {day:%d} tháng {day:%m} năm {day:%Y}"


def limit_words(due: dict[str, Any] | None) -> str:
    """Returns the statutory limit by which a due date was counted; dots when an official gave the date."""
    limit = limit_of(due) if due else None
    if limit is None:
        return DOTS
    if limit.kind is LimitKind.SAME_DAY:
        return "trong ngày làm việc" + (f", thêm {limit.amount} ngày làm việc" if limit.amount else "")
    return f"{limit.amount} {_LIMITS[limit.kind]}"


def charged_words(charges: Sequence[Charge]) -> str:
    """Returns what a dossier is charged, as its own entries say; empty where it has none."""
    if not charges:
        return ""
    found = balance(charges)
    parts = (("Phải nộp", found.due), ("miễn", found.waived), ("đã nộp", found.paid))
    said = ", ".join(f"{what} {vnd:,} đ".replace(",", ".") for what, vnd in parts if vnd)
    receipts = ", ".join(one_line(each.receipt) for each in charges if each.kind is ChargeKind.PAID)
    return (said or "0 đ") + (f" (biên lai số {receipts})" if receipts else "")


def fee_words(fee: Fee) -> str:
    """Returns what the catalogue knows of a fee; empty when an official has to say."""
    condition = f" ({one_line(fee.condition_vi)})" if fee.condition_vi else ""
    match fee.kind:
        case FeeKind.FREE if fee.certainty is Certainty.SOURCED:  # what is only remembered is not printed
            return "Không thu"
        case FeeKind.FREE_IF:
            return f"Miễn phí khi: {one_line(fee.condition_vi)}"
        case FeeKind.PER_UNIT:
            return f"{fee.amount_vnd:,} đ/{one_line(fee.unit_vi)}".replace(",", ".") + condition
        case FeeKind.PROVINCE:
            return f"Theo mức của tỉnh{condition}: {DOTS}"
    return ""


def way_words(way: object) -> str:
    """Returns how the result is received."""
    return _WAYS.get(way, one_line(way)) if isinstance(way, str) and way else DOTS


def value_or_dots(value: object) -> str:
    """Returns a value on one line; dots to write on where there is none."""
    return (one_line(str(value)) if value not in (None, "") else "") or DOTS


def paragraphs(text: str) -> str:
    """Returns what somebody typed, with its lines and without what cannot be seen."""
    return "\n".join(line for line in map(one_line, text.splitlines()) if line)


def agency_head(name: str) -> str:
    """Returns an agency's name for the head of a form: a commune's is that of its People's Committee."""
    return committee_words(name).upper()


def committee_words(name: str) -> str:
    """Returns an agency's name as who decides: ``Ủy ban nhân dân xã Đông Phương``; others by their own."""
    shown = one_line(name)
    return f"Ủy ban nhân dân {agency_words(name)}" if _is_area(shown) else shown


def agency_words(name: str) -> str:
    """Returns an agency's name inside of a sentence: ``xã Đông Phương``."""
    shown = one_line(name)
    return shown[:1].lower() + shown[1:] if _is_area(shown) else shown


def _is_area(name: str) -> bool:
    return name.casefold().startswith(tuple(f"{tier} " for tier in _TIERS))


def agency_place(name: str) -> str:
    """Returns the place of a date: ``Đông Phương`` for ``Xã Đông Phương`` and ``UBND xã Đông Phương``."""
    shown = one_line(name)
    for lead in ("ủy ban nhân dân ", "ubnd ", *(f"{tier} " for tier in _TIERS)):
        if shown.casefold().startswith(lead):
            shown = shown[len(lead) :]
    return shown
