"""The catalogue as people write it in a spreadsheet: limits, fees and codes as text, read without guessing.

A bare number is no limit: «3» may be days, working days or hours, and the portal prints all three so. «Miễn
phí» with anything behind it is not free. What cannot be read is refused with the words that would do.
"""

from __future__ import annotations

import re
from typing import Final

from onestop_sync.dossier.calendar import Certainty
from onestop_sync.dossier.codes import parse_procedure_code
from onestop_sync.dossier.deadlines import Limit, LimitKind
from onestop_sync.dossier.fees import Fee, FeeKind
from onestop_sync.errors import InvalidInput
from onestop_sync.search_text import fold_text

__all__ = [
    "CERTAINTIES",
    "certainty_of",
    "fee_from_text",
    "fee_text",
    "limit_from_text",
    "limit_text",
    "normal_code",
    "short_name",
]

CERTAINTIES: Final = {Certainty.SOURCED: "có nguồn", Certainty.RECALLED: "cần kiểm tra"}
_UNITS: Final = {
    LimitKind.WORKING_HOURS: "giờ làm việc",
    LimitKind.WORKING_DAYS: "ngày làm việc",
    LimitKind.CALENDAR_DAYS: "ngày",
}
_SAME_DAY: Final = "trong ngày"
_LIMIT: Final = re.compile(r"(\d{1,4}) (gio lam viec|ngay lam viec|ngay)", re.ASCII)
_SAME: Final = re.compile(r"trong ngay(?: \+ ?(\d{1,3}) ngay lam viec)?", re.ASCII)
_FOLDED: Final = {fold_text(text): kind for kind, text in _UNITS.items()}
_FEES: Final = {FeeKind.FREE: "miễn phí", FeeKind.PROVINCE: "tỉnh quy định", FeeKind.UNKNOWN: "chưa rõ"}
_DONG: Final = r"\d{1,3}(?:\.\d{3})+|\d+"
"""An amount: 8000, or 8.000 with its thousands; 1.5 is neither."""
_PER_UNIT: Final = re.compile(
    rf"(?P<amount>{_DONG}) ?đ?/(?P<unit>[^;/\d][^;/]*)"
    rf"(?:; ?từ (?:trang |bản )?thứ (?P<after>[2-9]|[1-9]\d+): ?(?P<reduced>{_DONG}) ?đ?)?"
    rf"(?:; ?tối đa (?P<cap>{_DONG}) ?đ?)?",
    re.ASCII,
)
_SHORT: Final = 120


def normal_code(text: str) -> str:
    """Return a procedure's code as it is written, from what was published: spaces, commas, small letters.

    Raises:
        InvalidInput: It is no procedure's code.
    """
    code = re.sub(r"\s+", "", text).replace(",", ".").upper().strip(".")
    return str(parse_procedure_code(code))


def short_name(full_name: str) -> str:
    """Return a name for lists: the whole, or its beginning, cut between words."""
    if len(full_name) <= _SHORT:
        return full_name
    return full_name[:_SHORT].rsplit(" ", 1)[0].rstrip(",;") + "…"


def certainty_of(text: str, default: Certainty = Certainty.RECALLED) -> Certainty:
    """Read how far something can be trusted; empty is the default.

    Raises:
        InvalidInput: It is neither of the two.
    """
    if not text.strip():
        return default
    for certainty, label in CERTAINTIES.items():
        if fold_text(text) in {fold_text(label), str(certainty)}:
            return certainty
    raise InvalidInput(f"{text[:40]!r} is neither 'có nguồn' nor 'cần kiểm tra'.")


# ----------------------------------------------------------------------------------------------- limits


def limit_text(limit: Limit | None) -> str:
    """Write a limit; empty for none."""
    if limit is None:
        return ""
    if limit.kind is LimitKind.SAME_DAY:
        return _SAME_DAY if not limit.amount else f"{_SAME_DAY} + {limit.amount} ngày làm việc"
    return f"{limit.amount} {_UNITS[limit.kind]}"


def limit_from_text(text: str) -> Limit | None:
    """Read a limit; empty is none.

    Raises:
        InvalidInput: It names no unit, or is written otherwise.
    """
    folded = fold_text(text).strip()
    if not folded:
        return None
    if match := _SAME.fullmatch(folded):
        return Limit(LimitKind.SAME_DAY, int(match[1] or 0))
    if match := _LIMIT.fullmatch(folded):
        return Limit(_FOLDED[match[2]], int(match[1]))
    why = "A bare number has no unit." if folded.isdigit() else f"{text[:60]!r} cannot be read as a limit."
    raise InvalidInput(
        f"{why} Write '5 ngày làm việc', '15 ngày', '8 giờ làm việc', 'trong ngày' or leave it empty."
    )


# ------------------------------------------------------------------------------------------------- fees


def fee_text(fee: Fee) -> str:
    """Write a fee."""
    if fee.kind is FeeKind.FREE_IF:
        return "miễn phí nếu"
    if fee.kind is not FeeKind.PER_UNIT:
        return _FEES[fee.kind]
    text = f"{fee.amount_vnd}/{fee.unit_vi}"
    if fee.reduced_after:
        text += f"; từ thứ {fee.reduced_after + 1}: {fee.reduced_vnd}"
    return text + (f"; tối đa {fee.cap_vnd}" if fee.cap_vnd else "")


def fee_from_text(text: str, condition: str, certainty: Certainty) -> Fee:
    """Read a fee.

    Args:
        text: As `fee_text` writes it; empty is not known.
        condition: The condition of what is free on one, the exemptions, or a remark.
        certainty: How far it can be trusted.

    Raises:
        InvalidInput: It is written otherwise.
    """
    said = text.strip()
    folded = fold_text(said)
    if not folded:
        return Fee(FeeKind.UNKNOWN, Certainty.RECALLED, condition_vi=condition)
    for kind, label in _FEES.items():
        if folded == fold_text(label):
            return Fee(kind, certainty, condition_vi=condition)
    if folded == "mien phi neu":
        if not condition.strip():
            raise InvalidInput("'miễn phí nếu' needs its condition in the next column.")
        return Fee(FeeKind.FREE_IF, certainty, condition_vi=condition)
    if match := _PER_UNIT.fullmatch(said):
        after = int(match["after"] or 0)
        return Fee(
            FeeKind.PER_UNIT, certainty, _amount(match["amount"]), match["unit"].strip(),
            max(after - 1, 0), _amount(match["reduced"]), _amount(match["cap"]), condition,
        )  # fmt: skip
    raise InvalidInput(
        f"{said[:60]!r} cannot be read as a fee. Write 'miễn phí', 'miễn phí nếu' (with the condition), 'tỉnh"
        " quy định', 'chưa rõ', '8000/bản sao' or '2000/trang; từ thứ 3: 1000; tối đa 200000'."
    )


def _amount(text: str | None) -> int:
    return int((text or "0").replace(".", "") or "0")
