"""Vietnamese names of roles, steps, actions and fields, for screens, commands and forms."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from onestop_sync.dossier.roles import ADMIN, APPRAISAL, APPROVAL, HEAD, INTAKE, PORTAL, RETURN

__all__ = [
    "ACTION_LABELS",
    "CHARGE_LABELS",
    "CHOICE_LABELS",
    "FIELD_LABELS",
    "ROLE_LABELS",
    "SCORE_LABELS",
    "STAGE_LABELS",
    "STEP_LABELS",
    "TIER_LABELS",
    "field_label",
    "money",
    "one_line",
    "size_words",
    "step_label",
]

ROLE_LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        INTAKE: "Tiếp nhận",
        APPRAISAL: "Thẩm định",
        APPROVAL: "Phê duyệt",
        RETURN: "Trả kết quả",
        HEAD: "Lãnh đạo",
        ADMIN: "Quản trị",
        PORTAL: "Cổng dịch vụ công",
    }
)

STEP_LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "draft": "Mới lập",
        "incomplete": "Chờ bổ sung khi tiếp nhận",
        "refused": "Từ chối tiếp nhận",
        "accepted": "Đã tiếp nhận",
        "given": "Chờ thẩm định nhận",
        "sent": "Chờ đơn vị khác nhận",
        "appraisal": "Đang thẩm định",
        "supplement": "Chờ bổ sung",
        "payment": "Chờ nộp nghĩa vụ tài chính",
        "approval": "Chờ phê duyệt",
        "approved": "Đã phê duyệt",
        "rejected": "Không đủ điều kiện giải quyết",
        "stopped": "Dừng xử lý",
        "result_given": "Chờ nhận kết quả",
        "notice_given": "Chờ nhận thông báo",
        "result_ready": "Chờ trả kết quả",
        "notice_ready": "Chờ trả thông báo",
        "returned": "Đã trả kết quả",
        "withdrawn": "Đã rút hồ sơ",
        "none": "Chưa hỏi",
        "asked": "Chờ ý kiến",
        "answered": "Đã có ý kiến",
        "passed": "Không thuộc thẩm quyền",
        "erased": "Đã xóa theo quy định",
    }
)
ACTION_LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ask_at_intake": "Yêu cầu bổ sung khi tiếp nhận",
        "refuse": "Từ chối tiếp nhận",
        "accept": "Tiếp nhận",
        "give": "Bàn giao thẩm định",
        "receive": "Nhận bàn giao",
        "decline": "Trả lại bàn giao",
        "transfer": "Chuyển đơn vị khác",
        "ask_supplement": "Yêu cầu bổ sung",
        "supply": "Nhận bổ sung",
        "ask_payment": "Yêu cầu nghĩa vụ tài chính",
        "pay": "Xác nhận đã nộp",
        "submit": "Trình phê duyệt",
        "send_back": "Trả lại thẩm định",
        "extend": "Hẹn lại ngày trả",
        "approve": "Phê duyệt",
        "reject": "Không giải quyết",
        "stop": "Dừng xử lý",
        "withdraw": "Rút hồ sơ",
        "give_result": "Chuyển trả kết quả",
        "return": "Trả kết quả",
        "ask": "Lấy ý kiến",
        "answer": "Trả lời ý kiến",
        "pass": "Báo không thuộc thẩm quyền",
    }
)

CHARGE_LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {"phai_nop": "phải nộp", "da_nop": "đã nộp", "mien": "miễn", "huy": "hủy, hoàn lại"}
)
"""Kind of an entry of the field ``le_phi`` → words."""
STAGE_LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "intake": "tiếp nhận",
        "appraisal": "thẩm định",
        "approval": "phê duyệt",
        "return": "trả kết quả",
    }
)
TIER_LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {"commune": "xã", "district": "huyện", "province": "tỉnh"}
)

_WAYS: Final = {"truc_tiep": "trực tiếp", "buu_chinh": "qua bưu chính", "truc_tuyen": "trực tuyến"}
CHOICE_LABELS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "hinh_thuc_nop": _WAYS,
        "cach_nhan": _WAYS,
        "loai_doi_tuong": {"ca_nhan": "cá nhân", "to_chuc": "tổ chức"},
    }
)
"""Field that holds one of a few words → word → how it is shown."""

SCORE_LABELS: Final[Mapping[int, str]] = MappingProxyType({2: "hài lòng", 1: "tạm được", 0: "không hài lòng"})
"""What a rating says."""

FIELD_LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ma_ho_so": "Mã hồ sơ",
        "ma_thu_tuc": "Mã thủ tục",
        "ten_thu_tuc": "Tên thủ tục",
        "hinh_thuc_nop": "Hình thức nộp",
        "tiep_nhan_luc": "Tiếp nhận lúc",
        "han_tra": "Hẹn trả kết quả",
        "so_theo_doi": "Sổ theo dõi hồ sơ",
        "nguoi_nop": "Người nộp",
        "loai_doi_tuong": "Loại đối tượng",
        "nguon": "Nguồn hồ sơ",
        "ngay_sinh": "Ngày sinh",
        "so_dinh_danh": "Số định danh",
        "dia_chi": "Địa chỉ",
        "noi_dung": "Nội dung yêu cầu",
        "so_bo": "Số bộ hồ sơ",
        "giay_to": "Giấy tờ",
        "dinh_kem": "Tệp đính kèm",
        "truong_rieng": "Thông tin riêng",
        "dien_thoai": "Điện thoại",
        "email": "Thư điện tử",
        "cach_nhan": "Cách nhận kết quả",
        "dia_chi_nhan": "Nơi nhận kết quả",
        "nguoi_thu_ly": "Người thụ lý",
        "yeu_cau_bo_sung": "Yêu cầu bổ sung",
        "y_kien_tham_dinh": "Ý kiến thẩm định",
        "ket_qua": "Kết quả giải quyết",
        "nguoi_nhan": "Người nhận kết quả",
        "tra_luc": "Trả kết quả lúc",
        "y_kien": "Ý kiến phối hợp",
        "danh_gia": "Đánh giá của người nộp",
        "hoi_y_kien": "Nội dung hỏi ý kiến",
        "le_phi": "Phí, lệ phí",
        "ghi_chu": "Ghi chú",
        "_void": "Hủy hồ sơ",
    }
)
"""Field → Vietnamese name, for screens and forms."""


_KB: Final = 1024


def money(amount_vnd: int) -> str:
    """Returns an amount as people write it: ``8.000 đ``."""
    return f"{amount_vnd:,} đ".replace(",", ".")


def size_words(size_bytes: int) -> str:
    """Returns a size as people say it: ``850 KB``, ``1,2 MB``."""
    if size_bytes < _KB:
        return f"{size_bytes} byte"
    if size_bytes < _KB * _KB:
        return f"{round(size_bytes / _KB)} KB"
    return f"{size_bytes / _KB / _KB:.1f} MB".replace(".", ",")


def step_label(step: str) -> str:
    """Returns a step's name, whatever marks it bears; of a step unknown here, its own."""
    base = step.partition("+")[0]
    return STEP_LABELS.get(base, base)


def field_label(key: str) -> str:
    """Returns the name of a register key: ``giay_to/Tờ khai`` is ``Giấy tờ: Tờ khai``.

    A disputed task, as `fold.conflicts` names it, has a name too.
    """
    if key.startswith("task:"):
        unit = key.partition(":")[2].partition(":")[2]
        return f"Bước xử lý ({one_line(unit)})" if unit else "Bước xử lý"
    name, _, element = key.partition("/")
    label = FIELD_LABELS.get(name, name)
    return f"{label}: {one_line(element)}" if element else one_line(label)


def one_line(text: str) -> str:
    """Returns text on one line, fit for a screen, a list and a database.

    Whatever cannot be seen becomes a space: an event may hold control characters, with which a terminal
    would clear the screen, change what was written, or turn its direction round.
    """
    if text.isprintable() and "  " not in text and text == text.strip():
        return text
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
