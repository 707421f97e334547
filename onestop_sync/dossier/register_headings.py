"""What the columns of an older register seem to mean, by their headings: a proposal to be looked at. Pure.

Nothing is taken in by it: it is written into the file of the mapping, where what was not understood stands
empty (`register_rows.map_from_plain`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from onestop_sync.dossier.catalogue import Procedure
from onestop_sync.search_text import fold_text, words

__all__ = ["fields_of", "propose"]

_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "ma_ho_so": ("mã hồ sơ", "số hồ sơ", "mã số hồ sơ", "số biên nhận", "mã biên nhận", "mã số"),
    "ma_thu_tuc": ("thủ tục", "tên thủ tục", "mã thủ tục", "thủ tục hành chính", "loại hồ sơ", "tên hồ sơ"),
    "nguoi_nop": (
        "họ tên", "họ và tên", "người nộp", "tên người nộp", "chủ hồ sơ", "tên tổ chức cá nhân",
        "tên cá nhân tổ chức", "tổ chức cá nhân", "người nộp hồ sơ",
    ),
    "so_dinh_danh": ("cccd", "cmnd", "số cccd", "số cmnd", "số định danh", "căn cước", "số căn cước"),
    "dia_chi": ("địa chỉ", "nơi cư trú", "nơi ở", "thường trú"),
    "dien_thoai": ("điện thoại", "số điện thoại", "sđt", "số đt"),
    "email": ("email", "thư điện tử"),
    "noi_dung": ("nội dung", "trích yếu", "nội dung yêu cầu"),
    "trang_thai": ("trạng thái", "tình trạng"),
    "ghi_chu": ("ghi chú",),
    "tiep_nhan_luc": ("ngày nhận", "ngày tiếp nhận", "tiếp nhận", "nhận hồ sơ", "ngày nhận hồ sơ"),
    "han_tra": ("hẹn trả", "ngày hẹn", "ngày hẹn trả", "hạn trả", "hẹn trả kết quả", "ngày hẹn trả kết quả"),
    "tra_luc": ("ngày trả", "trả kết quả", "ngày trả kết quả", "đã trả", "ngày trả thực tế"),
}  # fmt: skip
_FIELD: Final = {" ".join(words(name)): field for field, names in _NAMES.items() for name in names}
_DATES: Final = ("%d/%m/%Y", "%d/%m/%Y %H:%M", "%d-%m-%Y", "%d.%m.%Y", "%Y-%m-%d", "%H:%M %d/%m/%Y")
_TIMES: Final = frozenset({"tiep_nhan_luc", "han_tra", "tra_luc"})
_RETURNED: Final = ("da tra", "hoan thanh", "da xong", "da giai quyet")
_MOST: Final = 200
"""Different texts of a column that are told."""


def fields_of(headings: Iterable[str]) -> dict[str, str]:
    """Returns heading → field of those that are understood, each field once."""
    found: dict[str, str] = {}
    for heading in headings:
        field = _FIELD.get(" ".join(words(heading)))
        if field and field not in found.values():
            found[heading] = field
    return found


def propose(
    rows: Sequence[Mapping[str, Any]], headings: Iterable[str], procedures: Iterable[Procedure]
) -> dict[str, Any]:
    """Returns a mapping to be looked at: columns, forms of dates, procedures by name, words for returned.

    Args:
        rows: The register's lines, cells by heading.
        headings: Of its columns.
        procedures: Of the catalogue; one is named when exactly one has the name, with or without "Đăng ký".
    """
    columns = fields_of(headings)
    by_field = {field: _texts(rows, heading) for heading, field in columns.items()}
    dates = [text for field in sorted(_TIMES & by_field.keys()) for text in by_field[field]]
    known = list(procedures)
    codes = {each.code for each in known}
    return {
        "columns": columns,
        "dates": [form for form in _DATES if any(map(_reader(form), dates))] or list(_DATES[:2]),
        "procedures": {
            text: _code(text, known) for text in by_field.get("ma_thu_tuc", ()) if text not in codes
        },
        "returned": [
            text
            for text in by_field.get("trang_thai", ())
            if any(said in " ".join(words(text)) for said in _RETURNED)
        ],
    }


def _texts(rows: Sequence[Mapping[str, Any]], heading: str) -> list[str]:
    found = dict.fromkeys(row[heading].strip() for row in rows if isinstance(row.get(heading), str))
    return [text for text in found if text][:_MOST]


def _reader(form: str) -> Any:
    def reads(text: str) -> bool:
        try:
            datetime.strptime(text, form)  # noqa: DTZ007 - whether it can be read is all that is asked
        except ValueError:
            return False
        return True

    return reads


def _code(text: str, procedures: Sequence[Procedure]) -> str:
    """Returns the code of the one procedure of a name; empty where there is none, or several."""
    wanted = {fold_text(text), fold_text(f"Đăng ký {text}")}
    found = {p.code for p in procedures if wanted & {fold_text(p.name_vi), fold_text(p.full_name_vi)}}
    return found.pop() if len(found) == 1 else ""
