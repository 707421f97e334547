"""Which forms there are, which actions make them, and which fields of a dossier each of them prints."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = [
    "APOLOGY",
    "CONTROL_SLIP",
    "DOSSIER_FORMS",
    "FORM_LABELS",
    "PRINTED",
    "RECEIPT",
    "REFUSAL",
    "REGISTER",
    "SLIP",
    "STOP",
    "SUPPLEMENT",
    "actions_of",
    "form_of_action",
]

RECEIPT: Final = "receipt"
SUPPLEMENT: Final = "supplement"
REFUSAL: Final = "refusal"
APOLOGY: Final = "apology"
STOP: Final = "stop"
CONTROL_SLIP: Final = "control_slip"
REGISTER: Final = "register"

DOSSIER_FORMS: Final = (RECEIPT, SUPPLEMENT, REFUSAL, APOLOGY, STOP, CONTROL_SLIP)
"""Forms of one dossier, in the order of the circulars; the register is of a year."""

FORM_LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        RECEIPT: "Giấy tiếp nhận và hẹn trả",
        SUPPLEMENT: "Phiếu yêu cầu bổ sung",
        REFUSAL: "Phiếu từ chối",
        APOLOGY: "Phiếu xin lỗi, hẹn lại",
        STOP: "Thông báo dừng giải quyết",
        CONTROL_SLIP: "Phiếu kiểm soát",
        REGISTER: "Sổ theo dõi hồ sơ",
    }
)
"""Short names, for menus and the audit trail; the title on the paper is the legal profile's."""

SLIP: Final = "so_phieu"
"""Argument of an action: the number of the slip that it makes."""

_ACTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ask_at_intake": SUPPLEMENT,
        "ask_supplement": SUPPLEMENT,
        "refuse": REFUSAL,
        "reject": REFUSAL,
        "extend": APOLOGY,
        "stop": STOP,
    }
)
"""Action of the workflow → the form that tells the applicant of it (NĐ 61/2018 Articles 17 and 19)."""

_APPLICANT: Final = frozenset(
    {"ma_ho_so", "ten_thu_tuc", "nguoi_nop", "so_dinh_danh", "dia_chi", "dien_thoai"}
)
PRINTED: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        RECEIPT: _APPLICANT
        | {
            "ma_thu_tuc", "noi_dung", "giay_to", "so_bo", "tiep_nhan_luc", "han_tra", "cach_nhan",
            "dia_chi_nhan", "so_theo_doi",
        },
        SUPPLEMENT: _APPLICANT | {"noi_dung", "yeu_cau_bo_sung"},
        REFUSAL: _APPLICANT | {"noi_dung"},
        APOLOGY: _APPLICANT | {"tiep_nhan_luc", "han_tra"},
        STOP: _APPLICANT | {"noi_dung", "tiep_nhan_luc"},
        CONTROL_SLIP: _APPLICANT | {"tiep_nhan_luc", "han_tra", "nguoi_nhan"},
        REGISTER: _APPLICANT | {"tiep_nhan_luc", "han_tra", "tra_luc", "cach_nhan", "so_theo_doi"},
    }
)  # fmt: skip
"""Form → the fields that it prints: while one of them is in conflict, the form is not printed."""


def form_of_action(action: str) -> str:
    """Returns the form that an action of the main task makes; empty when it makes none."""
    return _ACTIONS.get(action, "")


def actions_of(form: str) -> frozenset[str]:
    """Returns the actions that make a form; none for one that is made at any time."""
    return frozenset(action for action, made in _ACTIONS.items() if made == form)
