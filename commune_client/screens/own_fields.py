"""What each procedure's form asks besides the applicant: names as the declaration prints them.

They are kept in the dossier's map ``truong_rieng``. A procedure that is not here has the common fields only;
a field that a dossier holds and this table does not know is shown all the same.

Source: the declarations of the sixteen procedures, as implementations of them ask (no annex was found).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

__all__ = ["LIST_FIELDS", "OwnField", "own_fields"]

_SEX: Final = ("nam", "nữ")


class OwnField(NamedTuple):
    """One field of a procedure's own.

    Attributes:
        name: Its Vietnamese name, which is also its key in the dossier.
        options: What can be chosen; empty for text.
        is_list: Whether each line is one value.
    """

    name: str
    options: tuple[str, ...] = ()
    is_list: bool = False


def _texts(*names: str) -> tuple[OwnField, ...]:
    return tuple(OwnField(name) for name in names)


_APPLICANT: Final = (OwnField("Giới tính", _SEX), OwnField("Dân tộc"))
_DECEASED: Final = _texts(
    "Họ tên người chết", "Ngày sinh người chết", "Số định danh người chết", "Nơi cư trú cuối cùng"
)
_REGISTER: Final = (
    OwnField("Loại sổ hộ tịch", ("khai sinh", "kết hôn", "khai tử")),
    OwnField("Số, năm đăng ký"),
)
_HOUSEHOLD: Final = (OwnField("Thành viên trong hộ", is_list=True),)

_FORMS: Final[Mapping[str, tuple[OwnField, ...]]] = {
    "1.001193": (
        *_texts("Họ tên con", "Ngày sinh của con"),
        OwnField("Giới tính của con", _SEX),
        *_texts("Nơi sinh", "Họ tên mẹ", "Ngày sinh mẹ", "Số định danh mẹ"),
        *_texts("Họ tên cha", "Ngày sinh cha", "Số định danh cha", "Số bản sao"),
    ),
    "1.000656": (
        *_DECEASED,
        OwnField("Giới tính người chết", _SEX),
        *_texts("Chết lúc", "Nơi chết", "Nguyên nhân chết", "Quan hệ"),
    ),
    "1.000894": _texts(
        "Họ tên bên nam", "Ngày sinh bên nam", "Số định danh bên nam", "Địa chỉ bên nam",
        "Họ tên bên nữ", "Ngày sinh bên nữ", "Số định danh bên nữ", "Địa chỉ bên nữ",
        "Lần kết hôn", "Số bản sao",
    ),
    "1.001022": (
        *_texts("Họ tên con", "Ngày sinh của con"),
        OwnField("Giới tính của con", _SEX),
        OwnField("Yêu cầu nhận", ("Nhận cha", "Nhận mẹ", "Nhận con")),
        OwnField("Chứng cứ"),
        OwnField("Người làm chứng", is_list=True),
    ),
    "1.001731": (*_DECEASED, *_texts("Ngày chết", "Số trích lục khai tử", "Nhóm đối tượng", "Quan hệ")),
    "1.001776": (
        *_texts("Họ tên người hưởng", "Ngày sinh người hưởng", "Số định danh người hưởng"),
        OwnField("Giới tính người hưởng", _SEX),
        *_texts("Địa chỉ người hưởng", "Nhóm đối tượng"),
        *_HOUSEHOLD,
        OwnField("Hình thức chi trả"),
    ),
    "1.004837": (
        *_texts("Họ tên người được giám hộ", "Ngày sinh người được giám hộ"),
        OwnField("Giới tính người được giám hộ", _SEX),
        OwnField("Địa chỉ người được giám hộ"),
        OwnField("Loại giám hộ", ("Giám hộ đương nhiên", "Giám hộ cử")),
        *_texts("Quan hệ", "Lý do"),
    ),
    "1.004859": (
        *_REGISTER,
        *_texts("Người được đăng ký", "Nội dung cải chính", "Đã ghi là", "Sửa thành", "Lý do"),
    ),
    "1.004873": (
        *_texts("Tình trạng hôn nhân", "Mục đích sử dụng"),
        OwnField("Quá trình cư trú", is_list=True),
    ),
    "1.004884": (
        *_texts("Nơi sinh", "Nơi đăng ký trước đây", "Họ tên cha", "Họ tên mẹ", "Lý do"),
        OwnField("Giấy tờ đang giữ", is_list=True),
    ),
    "1.011607": (
        OwnField("Đề nghị công nhận", ("Hộ nghèo", "Hộ cận nghèo")),
        *_HOUSEHOLD,
        *_texts("Thu nhập bình quân tháng (đồng)", "Nhà ở", "Lý do"),
    ),
    "1.012787": (
        *_texts("Thửa đất số", "Tờ bản đồ số", "Diện tích (m²)", "Mục đích sử dụng đất", "Nguồn gốc đất"),
        OwnField("Chủ đất giáp ranh", is_list=True),
        OwnField("Người cùng đứng tên", is_list=True),
    ),
    "2.000635": (
        *_REGISTER,
        *_texts("Người được đăng ký", "Ngày sinh người được đăng ký", "Số bản sao", "Mục đích sử dụng"),
    ),
    "2.000815": (
        OwnField("Giấy tờ cần chứng thực", is_list=True),
        *_texts("Số trang bản chính", "Số bản sao"),
    ),
    "2.000884": _texts("Văn bản ký", "Hình thức ký", "Số chữ ký", "Mục đích sử dụng"),
    "2.000908": _texts("Sổ gốc", "Năm của sổ gốc", "Số bản chính", "Số bản sao", "Quan hệ"),
}  # fmt: skip

LIST_FIELDS: Final = frozenset(field.name for form in _FORMS.values() for field in form if field.is_list)
"""Names of the fields that hold one value a line."""


def own_fields(procedure: str) -> tuple[OwnField, ...]:
    """Returns a procedure's own fields, the applicant's first; of an unknown procedure, these alone."""
    return _APPLICANT + _FORMS.get(procedure, ())
