"""A report in Vietnamese words: its head, the lines of its table, and what is said below it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple

from onestop_sync.dossier.dates import local
from onestop_sync.dossier.labels import one_line
from onestop_sync.dossier.report.count import Counts
from onestop_sync.dossier.report.shares import INDICATORS, UNMEASURED, OnSpot, Shares
from onestop_sync.errors import InvalidInput
from onestop_sync.reporting.making import Report

__all__ = [
    "GROUPS",
    "HEADS",
    "Block",
    "blocks",
    "in_words",
    "made_at",
    "moment",
    "notes",
    "number",
    "safe_cell",
    "subtitle",
    "title",
]

GROUPS: Final = (("", 2), ("Số hồ sơ tiếp nhận", 4), ("Đã giải quyết", 4), ("Đang giải quyết", 3))
"""Heads of groups of columns, and how many columns each spans."""
HEADS: Final = (
    "STT", "Lĩnh vực", "Tổng số", "Trực tuyến", "Trực tiếp, bưu chính", "Từ kỳ trước", "Tổng số", "Trước hạn",
    "Đúng hạn", "Quá hạn", "Tổng số", "Trong hạn", "Quá hạn",
)  # fmt: skip
"""Heads of columns (1) to (13)."""


_EACH: Final = 20
"""Units that are told of one by one; of more, the sum, and who stands out."""


class Block(NamedTuple):
    """A part of the table: its head, that of its second column, the lines with their numbers, and the sum."""

    head: str
    name: str
    lines: tuple[tuple[str, str, Counts], ...]
    total: Counts


def title(report: Report) -> str:
    """Returns the title of the form."""
    what = "TRÊN ĐỊA BÀN" if report.is_tier else "TẠI ĐƠN VỊ"
    return f"TÌNH HÌNH, KẾT QUẢ GIẢI QUYẾT THỦ TỤC HÀNH CHÍNH {what}"


def subtitle(report: Report) -> tuple[str, ...]:
    """Returns what stands below it: form, unit, period, and when it was made."""
    return (
        f"{report.form} – {one_line(report.name)}",
        report.period.title_vi,
        f"Lập lúc {moment(report.made_ms)}. Tính theo thời điểm ghi trên từng thao tác đã ký.",
    )


def blocks(report: Report) -> tuple[Block, ...]:
    """Returns the parts of the table: by field, and for a tier by unit as well."""
    parts = [("Theo lĩnh vực", "Lĩnh vực", report.table.fields)]
    if report.is_tier:
        parts.append(("Theo đơn vị", "Đơn vị", report.table.units))
    return tuple(
        Block(
            head,
            name,
            tuple((str(n), one_line(line.name), line.counts) for n, line in enumerate(lines, 1)),
            report.table.total,
        )
        for head, name, lines in parts
    )


def moment(ms: int) -> str:
    """Returns a moment in Vietnam's time; a dash for none."""
    try:
        return f"{local(ms):%H:%M %d/%m/%Y}" if ms else "–"
    except InvalidInput:  # a claimed time may be any
        return str(ms)


def notes(report: Report) -> Iterator[str]:
    """Yields what is said below the table."""
    table = report.table
    if not report.period.is_over:
        yield f"Kỳ báo cáo chưa kết thúc: số liệu tính đến {moment(report.made_ms)}."
    if table.broken:
        yield from (f"! Số liệu không khớp: {problem}" for problem in table.broken)
    else:
        yield (
            "Đã kiểm tra: (3)=(4)+(5)+(6), (7)=(8)+(9)+(10), (11)=(12)+(13), (3)=(7)+(11),"
            f" (6)=(11) của kỳ trước ({report.before.c11}): khớp."
        )
    if table.waiting:
        yield f"Trong số đang giải quyết có {table.waiting} hồ sơ chờ người nộp bổ sung."
    percent = table.total.on_time_percent
    if percent is not None:
        yield f"Giải quyết trước hạn và đúng hạn: {number(percent)} %."
    if len(report.shares) > _EACH:
        yield from _together(report)
    else:
        for unit, shares in report.shares.items():
            yield from (f"{_name(report, unit)}: {text}" for text in in_words(shares))
    yield from _synced(report)


def _name(report: Report, unit: str) -> str:
    return one_line(next((line.name for line in report.table.units if line.key == unit), unit))


def _together(report: Report) -> Iterator[str]:
    """Yields what was found of many units, in sum; `facts_of` has each of them."""
    verdicts = {unit: shares.on_spot.is_met for unit, shares in report.shares.items()}
    known = [unit for unit, is_met in verdicts.items() if is_met is not None]
    missed = [_name(report, unit) for unit in known if not verdicts[unit]]
    yield f"Bốn bước tại chỗ: {len(known) - len(missed)}/{len(known)} đơn vị đạt mục tiêu."
    if missed:
        yield f"Chưa đạt: {_some(missed)}."
    grades = Counter(shares.marks.grade_vi for shares in report.shares.values() if shares.marks.tenths)
    found = "; ".join(f"{grade.lower()}: {n} đơn vị" for grade, n in grades.most_common())
    ratings = [sum(scores) for scores in zip(*(each.ratings for each in report.shares.values()), strict=True)]
    if sum(ratings):
        yield f"Người nộp đánh giá: {_rated((ratings[0], ratings[1], ratings[2]))}."
    yield f"Xếp loại theo Thông tư 01/2018, chỉ tính các chỉ số có dữ liệu: {found}."


def _some(names: list[str]) -> str:
    more = len(names) - _EACH
    return ", ".join(names[:_EACH]) + (f" và {more} đơn vị khác" if more > 0 else "")


def in_words(shares: Shares) -> Iterator[str]:
    """Yields what was found of one unit: four steps on the spot, punctuality, marks."""
    yield f"bốn bước tại chỗ: {_spot(shares.on_spot)}."
    if shares.on_time_766 is not None:
        yield f"đúng hạn theo QĐ 766 (trừ thời gian chờ bổ sung): {number(shares.on_time_766)} %."
    if sum(shares.ratings):
        yield f"người nộp đánh giá: {_rated(shares.ratings)}."
    if shares.marks.tenths:
        parts = "; ".join(f"chỉ số {i}: {number(v / 10)}" for i, v in shares.marks.tenths.items())
        total = number(shares.marks.total_tenths / 10)
        yield (
            f"chấm điểm theo Thông tư 01/2018: {parts}; tổng {total} điểm, {shares.marks.grade_vi.lower()}."
        )
        yield from _unmeasured(shares)


def _unmeasured(shares: Shares) -> Iterator[str]:
    """Yields which indicators are left out of the sum, and why (Article 15.4b)."""
    why: dict[str, list[str]] = {}
    for i in INDICATORS:
        if i not in shares.marks.tenths:
            why.setdefault(UNMEASURED[i], []).append(str(i))
    if why:
        said = "; ".join(f"chỉ số {', '.join(numbers)} ({reason})" for reason, numbers in why.items())
        yield f"chưa đo được, không tính vào tổng: {said}."


def _rated(ratings: tuple[int, int, int]) -> str:
    bad, fair, good = ratings
    share = number(100 * good / sum(ratings))
    return f"{sum(ratings)} hồ sơ, hài lòng {good} ({share} %), tạm được {fair}, không hài lòng {bad}"


def _spot(found: OnSpot) -> str:
    if found.percent is None:
        return "chưa có thủ tục nào giải quyết xong trong kỳ"
    share = f"{found.done}/{found.regular} thủ tục thường xuyên có hồ sơ ({number(found.percent)} %)"
    if found.target is None:
        return share
    verdict = "đạt" if found.is_met else "chưa đạt"
    return f"{share}, mục tiêu {found.target} %: {verdict}"


def _synced(report: Report) -> Iterator[str]:
    here = sorted((line for line in report.synced if line.events), key=lambda line: line.newest_ms)
    absent = [one_line(line.name) for line in report.synced if not line.events]
    for line in here[:_EACH]:
        yield (
            f"{one_line(line.name)}: đã có dữ liệu đến {moment(line.newest_ms)}"
            f" (nhận lúc {moment(line.stored_ms)}, {line.events} thao tác)."
        )
    if len(here) > _EACH:
        yield f"{len(here) - _EACH} đơn vị khác: đã có dữ liệu mới hơn."
    if absent:
        yield f"! Chưa có dữ liệu của: {_some(absent)}."
    yield f"Mã số liệu: {report.heads.hex()[:16]}."


def safe_cell(text: str) -> str:
    """Returns text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def number(value: float) -> str:
    """Returns a number with one decimal as it is written in Vietnam: a comma, and no ``,0``."""
    return f"{value:.1f}".removesuffix(".0").replace(".", ",")


def made_at(report: Report) -> datetime:
    """Returns when it was made, in Vietnam's time."""
    return local(report.made_ms)
