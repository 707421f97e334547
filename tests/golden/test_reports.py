"""Reports of both forms in every format, against what was looked at once."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook

from onestop_sync.dossier.complaint import Handling
from onestop_sync.dossier.data import shipped_report_rules
from onestop_sync.dossier.report.count import count, place
from onestop_sync.dossier.report.course import ONLINE, Course
from onestop_sync.dossier.report.periods import before, named
from onestop_sync.dossier.report.rules import rules_for
from onestop_sync.dossier.report.shares import Watch
from onestop_sync.reporting.files import to_csv, to_text
from onestop_sync.reporting.making import Report, Synced
from onestop_sync.reporting.pdf import to_pdf
from onestop_sync.reporting.sheet import to_xlsx
from tests.golden.test_forms import compare as compare_form

RULES = shipped_report_rules()
PERIOD = named("Q3/2026", RULES)
DAY_MS = 24 * 3600 * 1000
NAMES = {
    "x01": "Xã Đông Phương",
    "x02": "Phường Nguyễn Trãi",
    "x03": "Xã Thượng Hòa - An Lạc Đông Kinh Bắc Giang",
}
FIELDS = {
    "1.001193": "Hộ tịch", "2.000815": "Chứng thực", "1.001776": "Bảo trợ xã hội",
    "1.012787": "Đất đai, đo đạc bản đồ và đăng ký biện pháp bảo đảm bằng quyền sử dụng đất",
}  # fmt: skip
EXTRA = ("Khó khăn, vướng mắc trong kỳ: 1. Xã Đông Phương: Máy in hỏng ba ngày (đã trả lời).",)


def courses(unit: str, number: int) -> Iterator[Course]:
    """Yields dossiers of a unit that differ by their number: early, in time, late, awaited, carried over."""
    procedures = sorted(FIELDS)
    for n in range(number):
        received = PERIOD.start_ms - 4 * DAY_MS + n * (PERIOD.end_ms - PERIOD.start_ms) // number
        due = received + (1 + n % 7) * DAY_MS
        ended = None if n % 9 == 0 else received + (1 + n % 5) * DAY_MS
        waits = ((received + 1, received + DAY_MS),) if n % 8 == 3 else ()
        ratings = ((received + 2 * DAY_MS, (n // 6) % 3),) if n % 6 == 1 else ()
        yield Course(
            unit, procedures[n % len(procedures)], ONLINE if n % 3 == 0 else "truc_tiep", received, ended,
            "approve" if ended else "", ((received, due),), waits, len(waits), n % 11 == 5, ratings,
        )  # fmt: skip


def made(units: list[str], number: int, *, is_tier: bool) -> Report:
    """Returns a report of these units."""
    level = "province" if is_tier else "commune"
    rules, earlier = rules_for(PERIOD.last, RULES), before(PERIOD, RULES)
    found = [(unit, course) for unit in units for course in courses(unit, number)]
    counted = [(unit, c, at) for unit, c in found if (at := place(c, PERIOD)) is not None]
    carried = [at for _, c in found if (at := place(c, earlier)) is not None and at.is_in(11)]
    watches = {unit: Watch("commune", PERIOD, rules) for unit in units}
    for unit, course, at in counted:
        watches[unit].add(course, at)
    watches[units[0]].inspect(1)
    watches[units[0]].hear(
        [Handling("", "da_tra_loi", PERIOD.start_ms, None, PERIOD.start_ms + 1, counts=True)]
    )
    name_of = {**NAMES, **{unit: f"Xã số {unit[1:]}" for unit in units if unit not in NAMES}}
    table = count(counted, PERIOD, FIELDS.__getitem__, name_of.__getitem__, len(carried))
    synced = tuple(
        Synced(
            unit,
            name_of[unit],
            0 if n == 2 else PERIOD.end_ms - n * DAY_MS,
            PERIOD.end_ms,
            0 if n == 2 else 40 + n,
        )
        for n, unit in enumerate(units)
    )
    unit, name = ("p", "Tỉnh Mẫu") if is_tier else (units[0], NAMES[units[0]])
    return Report(
        unit, name, level, is_tier, PERIOD, rules, table,
        table.total._replace(c11=len(carried)), {unit: each.found() for unit, each in watches.items()},
        PERIOD.end_ms + DAY_MS, synced, bytes(32), {},
    )  # fmt: skip


REPORTS: dict[str, Callable[[], Report]] = {
    "06a": lambda: made(["x01"], 60, is_tier=False),
    "06b": lambda: made([*NAMES, *(f"x{n:02}" for n in range(4, 31))], 20, is_tier=True),
}


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_says_what_it_said(name: str) -> None:
    """As text, as CSV and cell by cell in a workbook; the invariants hold, and are said to."""
    report = REPORTS[name]()
    assert report.table.broken == ()
    compare(f"{name}.txt", to_text(report, EXTRA))
    compare(f"{name}.csv", to_csv(report, EXTRA).decode("utf-8-sig").replace("\r\n", "\n"))
    sheet = load_workbook(io.BytesIO(to_xlsx(report, EXTRA))).worksheets[0]
    rows = ("\t".join("" if value is None else str(value) for value in row).rstrip() for row in sheet.values)
    compare(f"{name}.cells", "\n".join(rows) + "\n")


def compare(name: str, found: str) -> None:
    """Compares with a file of the reports' folder."""
    compare_form(f"../reports/{name}", found)


def main(folder: Path) -> None:
    """Writes the reports as PDF and as workbooks, to be looked at."""
    for name, make in REPORTS.items():
        (folder / f"{name}.pdf").write_bytes(to_pdf(make(), EXTRA))
        (folder / f"{name}.xlsx").write_bytes(to_xlsx(make(), EXTRA))
