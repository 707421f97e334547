"""Which rules are in force here, in words: for `onestop status` and the screen of what is not sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from onestop_sync.dossier.rules import RulesFacts

__all__ = ["rules_lines"]

_FILES: Final = {
    "catalogue.json": "danh mục thủ tục",
    "holidays.csv": "lịch nghỉ",
    "profiles.json": "quy định",
    "report_rules.json": "quy tắc báo cáo",
    "posting.json": "danh sách trường được niêm yết",
}
_NO_PROFILE: Final = "không có quy định cho ngày hôm nay: xem lại ngày của máy"
_ORIGINS: Final = {"shipped": " (kèm chương trình)", "published": "", "held": " (bản cũ)"}


def rules_lines(facts: RulesFacts) -> Iterator[str]:
    """Yields which versions are in force, and what the province published that cannot be read here."""
    said = _ORIGINS[facts.origins["catalogue.json"]], _ORIGINS[facts.origins["holidays.csv"]]
    years = ", ".join(map(str, facts.announced_years)) or "(chưa có)"
    yield (
        f"Danh mục bản {facts.catalogue_version}{said[0]}: {facts.procedures} thủ tục;"
        f" lịch nghỉ bản {facts.calendar_version}{said[1]}, có các năm {years};"
        f" {facts.profile_name or _NO_PROFILE}"
    )
    if facts.missing_years:
        unknown = ", ".join(map(str, facts.missing_years))
        yield f"! Chưa công bố lịch nghỉ {unknown}: ngày hẹn sang đó là dự kiến, giấy hẹn có ghi rõ"
    for name, reason in facts.faults.items():
        which = "bản trước đó" if facts.origins[name] == "held" else "bản kèm chương trình"
        yield (
            f"! Không đọc được {_FILES[name]} mới của tỉnh, đang dùng {which}; ngày hẹn đã cấp không đổi."
            f" Hãy cập nhật chương trình, hoặc báo tỉnh: {reason}"
        )
