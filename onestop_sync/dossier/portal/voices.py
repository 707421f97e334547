"""A complaint that a citizen filed on a portal, read into the document that is handled here.

Shape (JSON; every value a string; * optional):
    ``MaPhanAnh`` (the portal's own id), ``MaDonVi`` (agency code of the unit that it is about), ``NoiDung``,
    ``MaHoSo``*, ``NguoiGui``*, ``SoDienThoai``*, ``NgayGui``* (yyyyMMddHHmmss in Vietnam).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from onestop_sync.dossier.checks import tidy
from onestop_sync.dossier.codes import parse_agency_code
from onestop_sync.dossier.complaint import COMPLAINT
from onestop_sync.dossier.portal.outside import moment_of, wrong
from onestop_sync.dossier.summary import FROM_PORTAL
from onestop_sync.errors import InvalidInput

__all__ = ["FiledComplaint", "plan_complaint"]

_NAMES: Final = {
    "NoiDung": "noi_dung", "MaHoSo": "ho_so", "NguoiGui": "nguoi_gui", "SoDienThoai": "dien_thoai",
}  # fmt: skip
_OTHERS: Final = ("MaPhanAnh", "MaDonVi", "NgayGui")
_ID_MAX: Final = 64


class FiledComplaint(NamedTuple):
    """A complaint as it was filed.

    Attributes:
        code: The portal's own id.
        agency: Agency code of the unit that it is about.
        values: Register key → value.
    """

    code: str
    agency: str
    values: dict[str, Any]


def plan_complaint(value: object, system: str, now_ms: int) -> FiledComplaint:
    """Plans the document.

    Args:
        value: What came, see this module's *Shape*.
        system: Name of the portal.
        now_ms: When it came, milliseconds since 1970 UTC, where it does not say when it was sent.

    Raises:
        FormatError: It is none; names the field, and repeats no value.
    """
    if not isinstance(value, Mapping) or set(value) - {*_NAMES, *_OTHERS}:
        raise wrong("", "has other fields than it should")
    for name in (*_NAMES, *_OTHERS):
        if not isinstance(value.get(name, ""), str):
            raise wrong(name, "is not text")
    code, agency = value.get("MaPhanAnh", ""), value.get("MaDonVi", "")
    if not 0 < len(code) <= _ID_MAX or not code.isprintable() or " " in code:
        raise wrong("MaPhanAnh", "is no id")
    try:
        parse_agency_code(agency)
    except InvalidInput:
        raise wrong("MaDonVi", "is no agency code") from None
    values = tidy({ours: value.get(theirs, "") for theirs, ours in _NAMES.items()})
    if "noi_dung" not in values:
        raise wrong("NoiDung", "is missing")
    for theirs, ours in _NAMES.items():
        spec = COMPLAINT.field(ours)
        if spec is not None and len(values.get(ours, "")) > spec.max_chars:
            raise wrong(theirs, "is too long")
    sent = value.get("NgayGui", "")
    received = moment_of("NgayGui", sent) if sent else now_ms
    source = {"cach": FROM_PORTAL, "ma": code, "ten": system}
    return FiledComplaint(code, agency, {**values, "kenh": "cong", "nhan_luc": received, "nguon": source})
