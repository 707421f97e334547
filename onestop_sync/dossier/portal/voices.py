"""What a citizen said on a portal, or to a device at the counter: a complaint, or a rating of a dossier.

Shape of a complaint (JSON; every value a string; * optional):
    ``MaPhanAnh`` (the portal's own id), ``MaDonVi`` (agency code of the unit that it is about), ``NoiDung``,
    ``MaHoSo``*, ``NguoiGui``*, ``SoDienThoai``*, ``NgayGui``* (yyyyMMddHHmmss in Vietnam).

Shape of a rating:
    ``MaDanhGia`` (the portal's own id), ``MaHoSo`` (the dossier's code, or what the portal knows it by),
    ``Diem`` ("0" not content, "1" so so, "2" content), ``NoiDung``*, ``NgayDanhGia``*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from onestop_sync.dossier.checks import tidy
from onestop_sync.dossier.codes import parse_agency_code
from onestop_sync.dossier.complaint import COMPLAINT
from onestop_sync.dossier.portal.outside import moment_of, wrong
from onestop_sync.dossier.rating import BY_PORTAL, SCORES, WORDS_MAX, plan_rating
from onestop_sync.dossier.summary import FROM_PORTAL
from onestop_sync.errors import InvalidInput

__all__ = ["FiledComplaint", "FiledRating", "plan_complaint", "plan_filed_rating"]

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
    said = _texts(value, (*_NAMES, *_OTHERS))
    code, agency = _id(said, "MaPhanAnh"), said.get("MaDonVi", "")
    try:
        parse_agency_code(agency)
    except InvalidInput:
        raise wrong("MaDonVi", "is no agency code") from None
    values = tidy({ours: said.get(theirs, "") for theirs, ours in _NAMES.items()})
    if "noi_dung" not in values:
        raise wrong("NoiDung", "is missing")
    for theirs, ours in _NAMES.items():
        spec = COMPLAINT.field(ours)
        if spec is not None and len(values.get(ours, "")) > spec.max_chars:
            raise wrong(theirs, "is too long")
    sent = said.get("NgayGui", "")
    received = moment_of("NgayGui", sent) if sent else now_ms
    source = {"cach": FROM_PORTAL, "ma": code, "ten": system}
    return FiledComplaint(code, agency, {**values, "kenh": "cong", "nhan_luc": received, "nguon": source})


class FiledRating(NamedTuple):
    """A rating as it was given.

    Attributes:
        code: The portal's own id.
        dossier: The dossier's code, or the portal's id of it.
        note: What is noted on the dossier, see `onestop_sync.dossier.rating`.
    """

    code: str
    dossier: str
    note: dict[str, Any]


def plan_filed_rating(value: object, system: str, now_ms: int) -> FiledRating:
    """Plans the note.

    Args:
        value: What came, see this module's *Shape*.
        system: Name of the portal, or of the device.
        now_ms: When it came, milliseconds since 1970 UTC, where it does not say when it was given.

    Raises:
        FormatError: It is none; names the field, and repeats no value.
    """
    said = _texts(value, ("MaDanhGia", "MaHoSo", "Diem", "NoiDung", "NgayDanhGia"))
    code, dossier, words = _id(said, "MaDanhGia"), _id(said, "MaHoSo"), said.get("NoiDung", "")
    if said.get("Diem", "") not in map(str, SCORES):
        raise wrong("Diem", "is not 0, 1 or 2")
    if len(words) > WORDS_MAX:
        raise wrong("NoiDung", "is too long")
    given = said.get("NgayDanhGia", "")
    at_ms = moment_of("NgayDanhGia", given) if given else now_ms
    note = plan_rating(int(said["Diem"]), at_ms, words, BY_PORTAL, (system, code))
    return FiledRating(code, dossier, note)


def _texts(value: object, names: Sequence[str]) -> Mapping[str, str]:
    """Returns what came, of which every value is text, and no name is another than these."""
    if not isinstance(value, Mapping) or set(value) - {*names}:
        raise wrong("", "has other fields than it should")
    for name in names:
        if not isinstance(value.get(name, ""), str):
            raise wrong(name, "is not text")
    return value


def _id(said: Mapping[str, str], name: str) -> str:
    code = said.get(name, "")
    if not 0 < len(code) <= _ID_MAX or not code.isprintable() or " " in code:
        raise wrong(name, "is no id")
    return code
