"""``import-register`` and ``old-register``: the register of before, taken in and looked at."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from commune_client.cli.codes import DONE, REFUSED, UsageFault
from commune_client.cli.session import Session
from commune_client.messages import ISSUES, REASONS
from onestop_sync.dossier.labels import field_label
from onestop_sync.errors import FormatError

if TYPE_CHECKING:
    from onestop_sync.dossier.register_rows import BadRow, RegisterMap

__all__ = ["import_register", "old_register"]

_SHOWN: Final = 50
"""Bad lines that are listed on a screen; JSON lists them all."""
_WORDS: Final = {
    "missing": "còn trống",
    "number": "ô là số nên có thể đã mất số 0 ở đầu; đổi cột sang dạng chữ (Text)",
    "date": 'không đọc được ngày; xem "dates" trong tệp ánh xạ',
    "procedure": 'không có thủ tục này trong danh mục; thêm vào "procedures" trong tệp ánh xạ',
    "twice": "mã đã có ở dòng trước trong tệp",
    "here": "mã đã có trên máy này",
    "today": "tiếp nhận từ hôm nay trở đi phải làm bằng chương trình",
    "order": "trước ngày tiếp nhận",
    "long": "dài quá",
    "profile": "không có quy định pháp lý nào của ngày này",
}


def import_register(session: Session) -> int:
    """Takes a register in: all of it or nothing."""
    arguments = session.arguments
    how = _mapping(arguments.mapping)
    with session.desk() as desk:
        found = desk.import_register(arguments.file, how, dry_run=arguments.dry_run)
    lines = list(_bad_lines(found.bad, how))
    lines.append(
        f"{found.going} hồ sơ đang giải quyết, {found.old} dòng sổ đã xong, {len(found.bad)} dòng sai."
    )
    if found.is_done:
        lines.append("Đã nhập tất cả, trong một lần ghi.")
    elif found.bad:
        lines.append("Chưa nhập dòng nào. Hãy sửa các dòng sai rồi nhập lại cả tệp.")
    else:
        lines.append("Chạy thử: chưa nhập dòng nào.")
    session.show(found, lines)
    return REFUSED if found.bad and not arguments.dry_run else DONE


def _bad_lines(bad: Iterable[BadRow], how: RegisterMap) -> Iterable[str]:
    headings = {field: heading for heading, field in how.columns.items()}
    for number, each in enumerate(bad):
        if number == _SHOWN:
            yield "… còn nữa: dùng --json để xem hết."
            return
        column = headings.get(each.field, field_label(each.field))
        said = _WORDS.get(each.reason) or ISSUES.get(each.reason, each.reason)
        yield f"Dòng {each.line}, cột {column}: {said}"


def _mapping(path: Path) -> RegisterMap:
    from onestop_sync.dossier.register_rows import map_from_plain
    from onestop_sync.strict_json import read_json

    try:
        return map_from_plain(read_json(path.read_bytes()))
    except FormatError as error:
        raise UsageFault(f"{path.name}: {REASONS['mapping']}") from error


def old_register(session: Session) -> int:
    """Lists entries of the old register."""
    from onestop_sync.dossier.timeline import show_time

    arguments = session.arguments
    with session.desk() as desk:
        rows = desk.old_entries(" ".join(arguments.words))
        facts: list[dict[str, Any]] = [desk.old_entry(row.doc) for row in rows]
    lines = []
    for entry in facts:
        times = [show_time(entry[key]) for key in ("tiep_nhan_luc", "tra_luc") if key in entry]
        lines.append(
            "  ".join(
                [entry.get("ma_ho_so", ""), entry.get("nguoi_nop", ""), entry.get("ten_thu_tuc", ""), *times]
            )
        )
    session.show(facts, lines or ["Không có dòng sổ cũ nào."])
    return DONE
