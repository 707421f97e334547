"""A strict checker of what the national portal takes: it knows the format, and nothing of who writes it.

`check` reads a whole envelope and names each fault by its path. An empty tuple means: every field that must
be there is, nothing else is, every value is a string of its kind, and the times do not contradict each other.

Source: DongBoHoSoMC and CapNhatTienDoHoSoMC, as three implementations agree. What may be empty, and the order
of the times, are inferred: portals that want more refuse it themselves.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

__all__ = ["DOSSIER", "PROGRESS", "Fault", "Kind", "Rule", "check"]

DOSSIER: Final = "DongBoHoSoMC"
PROGRESS: Final = "CapNhatTienDoHoSoMC"


class Kind(StrEnum):
    """What a value is."""

    TEXT = "text"
    STAMP = "stamp"
    STATUS = "status"
    COUNT = "count"
    FLAG = "flag"
    LIST = "list"


class Rule(NamedTuple):
    """What one field has to be.

    Attributes:
        must: Whether it has to be there.
        may_be_empty: Whether it may say nothing.
        inner: Fields of a list's members.
    """

    kind: Kind = Kind.TEXT
    must: bool = True
    may_be_empty: bool = False
    inner: Mapping[str, Rule] = MappingProxyType({})


class Fault(NamedTuple):
    """One thing that is wrong: where, and what was wanted. It repeats no value."""

    path: str
    what: str


_TEXT: Final = Rule()
_EMPTY: Final = Rule(may_be_empty=True)
_OPTIONAL: Final = Rule(must=False, may_be_empty=True)
_STAMP: Final = Rule(Kind.STAMP)
_MAYBE_STAMP: Final = Rule(Kind.STAMP, may_be_empty=True)
_OPTIONAL_STAMP: Final = Rule(Kind.STAMP, must=False, may_be_empty=True)


def _list_of(**inner: Rule) -> Rule:
    return Rule(Kind.LIST, must=False, may_be_empty=True, inner=MappingProxyType(inner))


_DOSSIER: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "MaHoSo": _TEXT,
        "MaTTHC": _TEXT,
        "TenTTHC": _TEXT,
        "MaLinhVuc": _TEXT,
        "TenLinhVuc": _TEXT,
        "SoBienNhan": _OPTIONAL,
        "ChuHoSo": _OPTIONAL,
        "LoaiDoiTuong": Rule(Kind.COUNT),
        "MaDoiTuong": _OPTIONAL,
        "ThongTinKhac": _OPTIONAL,
        "Email": _EMPTY,
        "Fax": _OPTIONAL,
        "SoDienThoai": _EMPTY,
        "TrichYeuHoSo": _TEXT,
        "NgayTiepNhan": _STAMP,
        "NgayHenTra": _MAYBE_STAMP,
        "TrangThaiHoSo": Rule(Kind.STATUS),
        "NgayTra": _OPTIONAL_STAMP,
        "ThongTinTra": _OPTIONAL,
        "HinhThuc": Rule(Kind.COUNT),
        "NgayKetThucXuLy": _OPTIONAL_STAMP,
        "DonViXuLy": _TEXT,
        "GhiChu": _OPTIONAL,
        "TaiLieuNop": _list_of(
            TepDinhKemId=_TEXT, TenTepDinhKem=_TEXT, IsDeleted=Rule(Kind.FLAG), MaThanhPhanHoSo=_EMPTY,
            DuongDanTaiTepTin=_TEXT,
        ),
        "DanhSachLePhi": _list_of(
            TenPhiLePhi=_TEXT, MaPhiLePhi=_EMPTY, HinhThucThu=_EMPTY, Gia=Rule(Kind.COUNT),
            LoaiPhiLePhi=_EMPTY,
        ),
        "DanhSachTepDinhKemKhac": _list_of(TenGiayTo=_TEXT, SoLuong=Rule(Kind.COUNT), LoaiGiayTo=_TEXT),
        "DanhSachHoSoBoSung": _list_of(
            HoSoBoSungId=_TEXT, NguoiYeuCauBoSung=_TEXT, NoiDungBoSung=_TEXT, NgayBoSung=_STAMP,
            NguoiTiepNhanBoSung=_EMPTY, ThongTinTiepNhan=_EMPTY, NgayTiepNhanBoSung=_MAYBE_STAMP,
            TrangThaiBoSung=Rule(Kind.COUNT), NgayHenTraTruoc=_MAYBE_STAMP, NgayHenTraMoi=_MAYBE_STAMP,
        ),
        "DanhSachGiayToKetQua": _list_of(
            TenGiayTo=_TEXT, MaThanhPhanHoSo=_EMPTY, GiayToId=_TEXT, DuongDanTepTinKetQua=_TEXT
        ),
    }
)  # fmt: skip

_PROGRESS: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "MaHoSo": _TEXT,
        "NguoiXuLy": _TEXT,
        "ChucDanh": _OPTIONAL,
        "ThoiDiemXuLy": _STAMP,
        "PhongBanXuLy": _OPTIONAL,
        "NoiDungXuLy": _TEXT,
        "TrangThai": Rule(Kind.STATUS),
        "NgayBatDau": _OPTIONAL_STAMP,
        "NgayKetThucTheoQuyDinh": _OPTIONAL_STAMP,
    }
)
_SERVICES: Final = {DOSSIER: _DOSSIER, PROGRESS: _PROGRESS}
_ENVELOPE: Final = ("session", "madonvi", "service", "isUpdating", "data")
_FLAGS: Final = frozenset({"True", "False"})
_STATUSES: Final = frozenset(str(number) for number in range(1, 11))
_STAMP_FORM: Final = re.compile(r"[0-9]{14}", re.ASCII)
_COUNT_FORM: Final = re.compile(r"0|[1-9][0-9]{0,14}", re.ASCII)
_UNIT_FORM: Final = re.compile(r"[0-9A-Z.]{1,35}", re.ASCII)
_NOT_ACCEPTED: Final = frozenset({"1", "3", "5", "7"})
"""Statuses of a dossier that may have no appointment: nothing was accepted."""
_RETURNED: Final = "10"


def check(value: object, services: Mapping[str, str] | None = None) -> tuple[Fault, ...]:
    """Returns what is wrong with an envelope.

    Args:
        value: What was received, decoded from JSON.
        services: Name of a call at this portal → `DOSSIER` or `PROGRESS`; their own names when ``None``.
    """
    if not isinstance(value, Mapping):
        return (Fault("", "an object"),)
    return tuple(_envelope(value, services or {name: name for name in _SERVICES}))


def _envelope(value: Mapping[object, object], services: Mapping[str, str]) -> Iterator[Fault]:
    yield from (Fault(str(key), "not in the envelope") for key in value if key not in _ENVELOPE)
    for key in _ENVELOPE[:-1]:
        if not isinstance(value.get(key), str) or not value[key]:
            yield Fault(key, "text")
    unit = value.get("madonvi")
    if isinstance(unit, str) and not _UNIT_FORM.fullmatch(unit):
        yield Fault("madonvi", "an agency code")
    flag = value.get("isUpdating")
    if not isinstance(flag, str) or flag not in _FLAGS:
        yield Fault("isUpdating", "True or False")
    rules = _SERVICES.get(services.get(str(value.get("service")), ""))
    if rules is None:
        yield Fault("service", "a known call")
        return
    data = value.get("data")
    if not isinstance(data, list) or not data:
        yield Fault("data", "a list with members")
        return
    for number, member in enumerate(data):
        yield from _document(member, rules, f"data[{number}]")


def _document(value: object, rules: Mapping[str, Rule], path: str) -> Iterator[Fault]:
    if not isinstance(value, Mapping):
        yield Fault(path, "an object")
        return
    yield from (Fault(f"{path}.{key}", "no such field") for key in value if key not in rules)
    for name, rule in rules.items():
        if name in value:
            yield from _field(value[name], rule, f"{path}.{name}")
        elif rule.must:
            yield Fault(f"{path}.{name}", "missing")
    if rules is _DOSSIER:
        yield from _together(value, path)


def _field(value: object, rule: Rule, path: str) -> Iterator[Fault]:
    if rule.kind is Kind.LIST:
        if not isinstance(value, list):
            yield Fault(path, "a list")
            return
        for number, member in enumerate(value):
            yield from _document(member, rule.inner, f"{path}[{number}]")
        return
    if not isinstance(value, str):
        yield Fault(path, "a string")
    elif not value:
        if not rule.may_be_empty:
            yield Fault(path, "not empty")
    elif not _is_of(value, rule.kind):
        yield Fault(path, str(rule.kind))


def _is_of(text: str, kind: Kind) -> bool:
    match kind:
        case Kind.STAMP:
            return _moment(text) is not None
        case Kind.STATUS:
            return text in _STATUSES
        case Kind.COUNT:
            return _COUNT_FORM.fullmatch(text) is not None
        case Kind.FLAG:
            return text in _FLAGS
    # Line breaks are text; whatever else cannot be seen is a program's mistake.
    return unicodedata.is_normalized("NFC", text) and all(c.isprintable() or c == "\n" for c in text)


def _moment(text: object) -> datetime | None:
    if not isinstance(text, str) or not _STAMP_FORM.fullmatch(text):
        return None
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S")  # noqa: DTZ007 - as it is written, in Vietnam's time
    except ValueError:
        return None


def _together(value: Mapping[object, object], path: str) -> Iterator[Fault]:
    """Finds fields of a dossier that contradict each other."""
    status = value.get("TrangThaiHoSo")
    received = _moment(value.get("NgayTiepNhan"))
    if not value.get("NgayHenTra") and status not in _NOT_ACCEPTED:
        yield Fault(f"{path}.NgayHenTra", "not empty once accepted")
    if status == _RETURNED and not (value.get("NgayTra") and value.get("NgayKetThucXuLy")):
        yield Fault(f"{path}.NgayTra", "there once returned, with NgayKetThucXuLy")
    if status != _RETURNED and value.get("NgayTra"):
        yield Fault(f"{path}.NgayTra", "there only once returned")
    for name in ("NgayHenTra", "NgayTra", "NgayKetThucXuLy"):
        moment = _moment(value.get(name))
        if received and moment and moment < received:
            yield Fault(f"{path}.{name}", "not before NgayTiepNhan")
