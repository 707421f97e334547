"""Taking an older register in, in Vietnamese words: what would come of it, and each line that is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from commune_client.messages import ISSUES
from onestop_sync.dossier.labels import field_label
from onestop_sync.errors import FormatError, InvalidInput

if TYPE_CHECKING:
    from commune_client.desk.old_register import RegisterImport
    from onestop_sync.dossier.register_rows import BadRow, RegisterMap

__all__ = ["import_lines", "read_mapping"]

_SHOWN: Final = 50
"""Bad lines that are listed on a screen; JSON lists them all."""
_WORDS: Final = {
    "missing": "còn trống",
    "number": "ô là số nên có thể đã mất số 0 ở đầu; đổi cột sang dạng chữ (Text)",
    "date": 'không đọc được ngày; xem "dates" trong tệp ánh xạ',
    "error": "ô là lỗi của công thức (#N/A, #REF! …)",
    "status": 'có ngày trả, nhưng tình trạng không có trong "returned" của tệp ánh xạ',
    "procedure": 'không có thủ tục này trong danh mục; thêm vào "procedures" trong tệp ánh xạ',
    "twice": "mã đã có ở dòng trước trong tệp",
    "here": "mã đã có trên máy này",
    "today": "tiếp nhận từ hôm nay trở đi phải làm bằng chương trình",
    "order": "trước ngày tiếp nhận",
    "long": "dài quá",
    "profile": "không có quy định pháp lý nào của ngày này",
}


def import_lines(found: RegisterImport, how: RegisterMap) -> list[str]:
    """Returns what taking a register in came to, or would come to: bad lines first, then the sums."""
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
    return lines


def _bad_lines(bad: Iterable[BadRow], how: RegisterMap) -> Iterable[str]:
    headings = {field: heading for heading, field in how.columns.items()}
    for number, each in enumerate(bad):
        if number == _SHOWN:
            yield "… còn nữa: dùng --json để xem hết."
            return
        column = headings.get(each.field, field_label(each.field))
        said = _WORDS.get(each.reason) or ISSUES.get(each.reason, each.reason)
        yield f"Dòng {each.line}, cột {column}: {said}"


def read_mapping(path: Path) -> RegisterMap:
    """Reads the file that says what each column means.

    Raises:
        InvalidInput: It says no such thing.
        OSError: It cannot be read.
    """
    from onestop_sync.dossier.register_rows import map_from_plain
    from onestop_sync.strict_json import read_json

    try:
        return map_from_plain(read_json(path.read_bytes()))
    except FormatError as error:
        raise InvalidInput("The mapping of columns cannot be read.", reason="mapping") from error
