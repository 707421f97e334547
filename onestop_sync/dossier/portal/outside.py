"""What a citizen filed on a portal, read into a draft: the portal's words become ours; nothing is guessed.

Shape (JSON; every value a string; * optional):
    ``MaHoSo`` (the portal's own id), ``MaDonVi`` (agency code of the receiving unit), ``MaTTHC``,
    ``ChuHoSo``, ``LoaiDoiTuong``*, ``MaDoiTuong``*, ``NgaySinh``*, ``DiaChi``*, ``SoDienThoai``*, ``Email``*,
    ``TrichYeuHoSo``*, ``NgayNop``* (yyyyMMddHHmmss in Vietnam), ``HinhThucNhan``*, ``DiaChiNhan``*,
    ``ThongTinRieng``* (an object of texts), ``TaiLieuNop``* (``[{TenTepDinhKem, DuongDanTaiTepTin}]``).

A draft holds what was sent, mistakes included, as a draft of the counter does; only what no draft may hold is
refused. The official sees the mistakes, and accepts, asks for more, or refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from onestop_sync.dossier.calendar import VIETNAM
from onestop_sync.dossier.catalogue import Catalogue
from onestop_sync.dossier.checks import CHOICES, Issue, Problem
from onestop_sync.dossier.codes import parse_agency_code
from onestop_sync.dossier.dates import local, to_ms
from onestop_sync.dossier.intake import plan_draft
from onestop_sync.dossier.labels import one_line
from onestop_sync.dossier.portal.settings import PortalSettings
from onestop_sync.dossier.summary import FROM_PORTAL
from onestop_sync.errors import FormatError, InvalidInput, NotFound

__all__ = ["Filed", "Taken", "moment_of", "plan_filed", "read_filed", "wrong"]

_TEXTS: Final = {
    "ChuHoSo": "nguoi_nop",
    "MaDoiTuong": "so_dinh_danh",
    "NgaySinh": "ngay_sinh",
    "DiaChi": "dia_chi",
    "SoDienThoai": "dien_thoai",
    "Email": "email",
    "TrichYeuHoSo": "noi_dung",
    "HinhThucNhan": "cach_nhan",
    "DiaChiNhan": "dia_chi_nhan",
}
"""The portal's name → ours, of what is taken as it is."""
_OTHERS: Final = frozenset(
    {"MaHoSo", "MaDonVi", "MaTTHC", "LoaiDoiTuong", "NgayNop", "ThongTinRieng", "TaiLieuNop"}
)
_MUST: Final = ("MaHoSo", "MaDonVi", "MaTTHC", "ChuHoSo")
_ID_MAX: Final = 64
_MOST: Final = 100
"""Fields of a procedure's own, and files, at the most."""
_UNSTORABLE: Final = frozenset({Issue.NOT_TEXT, Issue.TOO_LONG, Issue.UNKNOWN_FIELD})
_FILES: Final = "Tài liệu gửi kèm"


class Filed(NamedTuple):
    """A dossier as it was filed.

    Attributes:
        code: The portal's own id.
        agency: Agency code of the unit that shall receive it.
        values: Register key → value, of the draft.
        problems: What the official will see; none of it keeps the draft from being made.
    """

    code: str
    agency: str
    values: dict[str, Any]
    problems: tuple[Problem, ...]


class Taken(NamedTuple):
    """What became of what was filed.

    Attributes:
        code: The portal's id.
        doc: The draft, the complaint, or the dossier that is rated.
        is_new: Whether it was made now; otherwise it was here already, and was left as it is.
    """

    code: str
    doc: bytes
    is_new: bool


def wrong(field: str, what: str) -> FormatError:
    """Returns the error about one field of what came from a portal; it repeats no value."""
    return FormatError(f"Of what came from the portal, {field or 'all of it'} {what}.", field=field)


def read_filed(value: object) -> Mapping[str, Any]:
    """Checks what came from outside.

    Raises:
        FormatError: It is not of this module's *Shape*; names the field, and repeats no value.
    """
    if not isinstance(value, Mapping):
        raise wrong("", "is not an object")
    for name in value:
        if name not in _TEXTS and name not in _OTHERS:
            raise wrong(one_line(str(name))[:40], "is no field")
    for name in sorted({*_TEXTS, *_OTHERS} - {"ThongTinRieng", "TaiLieuNop"}):
        if not isinstance(value.get(name, ""), str):
            raise wrong(name, "is not text")
    for name in _MUST:
        if not value.get(name, "").strip():
            raise wrong(name, "is missing")
    code = value["MaHoSo"]
    if len(code) > _ID_MAX or not code.isprintable() or " " in code:
        raise wrong("MaHoSo", "is no id")
    try:
        parse_agency_code(value["MaDonVi"])
    except InvalidInput:
        raise wrong("MaDonVi", "is no agency code") from None
    _check_lists(value)
    return value


def _check_lists(value: Mapping[str, Any]) -> None:
    own, files = value.get("ThongTinRieng", {}), value.get("TaiLieuNop", [])
    is_own = isinstance(own, dict) and len(own) <= _MOST and all(isinstance(v, str) for v in own.values())
    if not is_own or "" in own or _FILES in own:
        raise wrong("ThongTinRieng", "is not an object of texts")
    names = {"TenTepDinhKem", "DuongDanTaiTepTin"}
    if not isinstance(files, list) or len(files) > _MOST or not all(_is_file(each, names) for each in files):
        raise wrong("TaiLieuNop", "is not a list of names and addresses")


def _is_file(value: object, names: set[str]) -> bool:
    return isinstance(value, dict) and set(value) <= names and all(isinstance(v, str) for v in value.values())


def plan_filed(
    value: object, system: str, now_ms: int, catalogue: Catalogue, settings: PortalSettings
) -> Filed:
    """Plans the draft of what was filed.

    Args:
        value: What came, see `read_filed`.
        system: Name of the portal, or of who brings it.
        now_ms: Milliseconds since 1970 UTC.
        catalogue: Knows the procedure.
        settings: Codes of kinds of applicants.

    Raises:
        FormatError: It cannot be a draft; names the field, and repeats no value.
    """
    found = read_filed(value)
    try:
        procedure = catalogue.get(found["MaTTHC"].strip(), local(now_ms).date())
    except NotFound:
        raise wrong("MaTTHC", "is no procedure in force") from None
    values: dict[str, Any] = {ours: found.get(theirs, "") for theirs, ours in _TEXTS.items()}
    values |= _own_fields(found)
    kinds = {code: word for word, code in settings.applicants.items()}
    kind = found.get("LoaiDoiTuong", "")
    if kind and kind not in kinds:
        raise wrong("LoaiDoiTuong", "is in no map")
    if values["cach_nhan"] and values["cach_nhan"] not in CHOICES["cach_nhan"]:
        raise wrong("HinhThucNhan", "is unknown")
    values["loai_doi_tuong"] = kinds.get(kind, "")
    plan = plan_draft(procedure, {**_filled(values), "hinh_thuc_nop": "truc_tuyen"}, {}, now_ms)
    bad = [problem.key for problem in plan.problems if problem.code in _UNSTORABLE]
    if bad:
        raise wrong(bad[0].partition("/")[0], "cannot be stored")
    source = {"cach": FROM_PORTAL, "ma": found["MaHoSo"], "ten": system}
    filed = found.get("NgayNop", "")
    if filed:
        source |= {"nop_luc": moment_of("NgayNop", filed)}
    return Filed(found["MaHoSo"], found["MaDonVi"], {**plan.values, "nguon": source}, plan.problems)


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value}


def _own_fields(found: Mapping[str, Any]) -> dict[str, str]:
    own = {f"truong_rieng/{one_line(k)}": v for k, v in found.get("ThongTinRieng", {}).items() if one_line(k)}
    lines = [
        " ".join(filter(None, (each.get("TenTepDinhKem", ""), each.get("DuongDanTaiTepTin", ""))))
        for each in found.get("TaiLieuNop", [])
    ]
    return own | ({f"truong_rieng/{_FILES}": "; ".join(filter(None, lines))} if any(lines) else {})


def moment_of(field: str, text: str) -> int:
    """Reads yyyyMMddHHmmss in Vietnam, as milliseconds since 1970 UTC.

    Raises:
        FormatError: It is something else.
    """
    try:
        if len(text) != 14 or not (text.isascii() and text.isdigit()):  # noqa: PLR2004 - yyyyMMddHHmmss
            raise ValueError
        return to_ms(datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=VIETNAM))
    except ValueError:
        raise wrong(field, "is not yyyyMMddHHmmss") from None
