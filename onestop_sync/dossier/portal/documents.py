"""DongBoHoSoMC and CapNhatTienDoHoSoMC of a dossier: every value a string, times yyyyMMddHHmmss in Vietnam.

`plan_export` says what the portal should hold of a dossier, or why that cannot be said yet. It guesses
nothing: a field that forms print and that is in conflict, or a list that has no code for what stands in the
dossier, holds the export back until a person settles it.

Source: the national portal's calls, as three implementations of them agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from onestop_sync.attachment import Manifest, parse_manifest
from onestop_sync.codec import nfc
from onestop_sync.dossier.catalogue import Procedure
from onestop_sync.dossier.charges import ChargeKind, charges_of
from onestop_sync.dossier.dates import local
from onestop_sync.dossier.labels import ACTION_LABELS, one_line
from onestop_sync.dossier.portal.settings import PortalSettings
from onestop_sync.dossier.portal.steps import Step, Told, in_order, steps_of
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.dossier.summary import due_ms, outside_of, text_of
from onestop_sync.dossier.workflow import CONTENT, ENDED, PORTAL_STATUS, REASON, base_step
from onestop_sync.errors import InvalidInput
from onestop_sync.schema import MAIN, VOID
from onestop_sync.state import State, conflicts

__all__ = ["Export", "Held", "Source", "envelope", "plan_export", "stamp"]

Document = dict[str, Any]
"""Text by name, and lists of such documents."""

_ASKS: Final = frozenset({"ask_at_intake", "ask_supplement"})
_PAPERS: Final = "giay_to/"
_SCANS: Final = "dinh_kem/"
_PAPER: Final = "paper"
"""What a manifest names the paper by that it shows."""


class Source(NamedTuple):
    """What an export is made of.

    Attributes:
        state: The dossier, folded.
        told: The events that count, in any order.
        procedure: Its procedure, in the version of its day; ``None`` where the catalogue has none.
        unit_name: Names a unit by its id.
        unit_code: Returns a unit's agency code; empty where it has none.
        field_code: Code of its field of work by the catalogue of its day; empty where that has none.
    """

    state: State
    told: Sequence[Told]
    procedure: Procedure | None
    unit_name: Callable[[str], str]
    unit_code: Callable[[str], str]
    field_code: str = ""


class Export(NamedTuple):
    """What the portal should hold.

    Attributes:
        code: ``MaHoSo``.
        unit: ``madonvi`` of the receiving agency.
        dossier: The document DongBoHoSoMC.
        progress: The documents CapNhatTienDoHoSoMC, oldest first.
    """

    code: str
    unit: str
    dossier: Document
    progress: tuple[Document, ...]


class Held(NamedTuple):
    """Why nothing is exported.

    Attributes:
        reason: ``not_yet`` (nothing was accepted), ``conflict``, ``disputed``, ``procedure``, ``no_due``,
            ``unit_code``, ``field_code``, ``applicant``, ``channel``, ``missing`` or ``time``.
        detail: The keys or the word that are meant; no value of a field.
    """

    reason: str
    detail: str = ""


class _Lacking(Exception):
    """Something that the document needs is not there."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.held = Held(reason, detail)


def plan_export(source: Source, settings: PortalSettings) -> Export | Held:
    """Returns what the portal should hold of a dossier, or why nothing is exported."""
    state = source.state
    code = outside_of(state).code or text_of(state, "ma_ho_so")
    told = in_order(source.told)
    steps = list(steps_of(told))
    if not code or not steps:
        return Held("not_yet")
    held = _unsettled(state)
    if held is not None:
        return held
    try:
        unit = settings.unit_codes.get(state.unit) or source.unit_code(state.unit)
        if not unit:
            raise _Lacking("unit_code", state.unit)
        document = _dossier(code, source._replace(told=told), steps, settings)
        progress = tuple(_progress(code, step, settings) for step in steps)
    except _Lacking as lacking:
        return lacking.held
    except InvalidInput:  # a time that no calendar reaches
        return Held("time")
    return Export(code, unit, document, progress)


def envelope(
    service: str, session: str, unit: str, data: Sequence[Document], *, is_updating: bool
) -> dict[str, Any]:
    """Returns what is sent.

    Args:
        service: Name of the call.
        session: What the portal gave at the log-in.
        unit: ``madonvi``.
        data: The documents.
        is_updating: Whether the portal has the dossier already.
    """
    return {
        "session": session, "madonvi": unit, "service": service,
        "isUpdating": "True" if is_updating else "False", "data": list(data),
    }  # fmt: skip


def stamp(at_ms: int) -> str:
    """Returns a moment as yyyyMMddHHmmss in Vietnam.

    Args:
        at_ms: Milliseconds since 1970 UTC.

    Raises:
        InvalidInput: No calendar reaches that far.
    """
    moment = local(at_ms)
    return f"{moment.year:04d}{moment:%m%d%H%M%S}"


def _unsettled(state: State) -> Held | None:
    """Returns what a person must settle before anything is said of the dossier outside."""
    found = conflicts(DOSSIER, state)
    if any(key.startswith("task:") for key in found):
        return Held("disputed")
    legal = [key for key in found if key == VOID or ((spec := DOSSIER.field(key)) and spec.is_legal)]
    # A key's element may be words of a citizen; the field says enough.
    return Held("conflict", " ".join(sorted({key.partition("/")[0] for key in legal}))) if legal else None


# ---------------------------------------------------------------------------------------------- DongBoHoSoMC


def _dossier(code: str, source: Source, steps: Sequence[Step], settings: PortalSettings) -> Document:
    state, procedure = source.state, source.procedure
    if procedure is None:
        raise _Lacking("procedure", text_of(state, "ma_thu_tuc")[:64])
    own = text_of(state, "ma_ho_so")
    field_codes = {procedure.field_vi: source.field_code} | dict(settings.field_codes)
    void = state.value(VOID)
    main = state.tasks.get(MAIN)
    found: Document = {
        "MaHoSo": code,
        "MaTTHC": text_of(state, "ma_thu_tuc"),
        "TenTTHC": text_of(state, "ten_thu_tuc"),
        "MaLinhVuc": _listed(field_codes, procedure.field_vi, "field_code"),
        "TenLinhVuc": procedure.field_vi,
        "SoBienNhan": own if own != code else "",
        "ChuHoSo": text_of(state, "nguoi_nop"),
        "LoaiDoiTuong": _listed(settings.applicants, text_of(state, "loai_doi_tuong"), "applicant"),
        "MaDoiTuong": text_of(state, "so_dinh_danh"),
        "ThongTinKhac": text_of(state, "dia_chi"),
        "Email": text_of(state, "email"),
        "SoDienThoai": text_of(state, "dien_thoai"),
        "TrichYeuHoSo": text_of(state, "noi_dung") or text_of(state, "ten_thu_tuc"),
        **_times(state, source.told[0].at_ms, steps),
        "TrangThaiHoSo": settings.void_status if state.is_void else _status(steps[-1].after, settings),
        "ThongTinTra": text_of(state, "ket_qua"),
        "HinhThuc": _listed(settings.channels, text_of(state, "hinh_thuc_nop"), "channel"),
        "DonViXuLy": source.unit_name(main.unit if main else state.unit),
        "GhiChu": void if isinstance(void, str) else "",
        "TaiLieuNop": _files(state, settings, is_result=False),
        "DanhSachLePhi": _fees(state),
        "DanhSachTepDinhKemKhac": _papers(state, settings),
        "DanhSachHoSoBoSung": _supplements(steps, settings),
        "DanhSachGiayToKetQua": _files(state, settings, is_result=True),
    }
    missing = [key for key in _NEVER_EMPTY if not found[key]]
    if missing:
        raise _Lacking("missing", " ".join(missing))
    return _shown({key: value for key, value in found.items() if value or key in _MANDATORY})


_NEVER_EMPTY: Final = ("MaTTHC", "TenTTHC", "TrichYeuHoSo", "DonViXuLy")
"""Of what is mandatory, that which nothing before has made sure of."""
_MANDATORY: Final = frozenset({"Email", "SoDienThoai", "NgayHenTra"})
"""Named even where there is nothing to say."""
_BEFORE: Final = frozenset({"draft", "incomplete", "refused", "withdrawn"})
"""Steps in which there may be no appointment: nothing was accepted."""


def _times(state: State, begun_ms: int, steps: Sequence[Step]) -> Document:
    received = state.value("tiep_nhan_luc")
    if type(received) is not int:
        received = outside_of(state).filed_ms or begun_ms
    due, last = due_ms(state), base_step(steps[-1].after)
    if due is None and last not in _BEFORE:
        raise _Lacking("no_due")
    ended = next((s.told.at_ms for s in steps if base_step(s.after) in ENDED), None)
    returned: Any = state.value("tra_luc")
    if last != "returned" or type(returned) is not int:
        returned = next((s.told.at_ms for s in reversed(steps) if base_step(s.after) == "returned"), None)
    return {
        "NgayTiepNhan": stamp(received),
        "NgayHenTra": "" if due is None else stamp(due),
        "NgayTra": "" if returned is None else stamp(returned),
        "NgayKetThucXuLy": "" if ended is None else stamp(ended),
    }


def _listed(codes: Mapping[str, str], word: str, reason: str) -> str:
    found = codes.get(word, "")
    if not found:
        raise _Lacking(reason, word)
    return found


def _status(step: str, settings: PortalSettings) -> str:
    base = base_step(step)
    return settings.statuses.get(base) or str(PORTAL_STATUS[base])


def _manifests(state: State) -> list[Manifest]:
    keys = sorted(key for key in state.registers if key.startswith(_SCANS))
    return [manifest for key in keys if (manifest := parse_manifest(state.value(key))) is not None]


def _files(state: State, settings: PortalSettings, *, is_result: bool) -> list[Document]:
    """Returns the attachments, where the province serves them under an address."""
    if not settings.file_address:
        return []
    found = []
    for manifest in _manifests(state):
        paper = str(dict(manifest.extra).get(_PAPER, ""))
        link = f"{settings.file_address.rstrip('/')}/{manifest.content.hex()}"
        if is_result != (paper == settings.result_paper):
            continue
        if is_result:
            found.append(
                {
                    "TenGiayTo": manifest.name, "MaThanhPhanHoSo": paper,
                    "GiayToId": manifest.content.hex(), "DuongDanTepTinKetQua": link,
                }
            )  # fmt: skip
        else:
            found.append(
                {
                    "TepDinhKemId": manifest.content.hex(), "TenTepDinhKem": manifest.name,
                    "IsDeleted": "False", "MaThanhPhanHoSo": paper, "DuongDanTaiTepTin": link,
                }
            )  # fmt: skip
    return found


_SIGNS: Final = {ChargeKind.DUE: 1, ChargeKind.WAIVED: -1}
"""What makes a fee; that it was paid, or paid back, makes it no other."""


def _fees(state: State) -> list[Document]:
    """Returns what is to be paid, a line for each fee, without what was waived.

    Whether it is phí or lệ phí, its code and how it is collected stand in no dossier, and are left empty.
    """
    sums: dict[str, int] = {}
    for charge in charges_of(state):
        if charge.kind in _SIGNS:
            sums[charge.what] = sums.get(charge.what, 0) + _SIGNS[charge.kind] * charge.amount_vnd
    return [
        {
            "TenPhiLePhi": name or "Phí, lệ phí", "MaPhiLePhi": "", "HinhThucThu": "",
            "Gia": str(max(0, amount)), "LoaiPhiLePhi": "",
        }
        for name, amount in sums.items()
    ]  # fmt: skip


def _papers(state: State, settings: PortalSettings) -> list[Document]:
    """Returns the papers that were handed in, originals and copies apart."""
    found = []
    for key in sorted(state.registers):
        value = state.value(key) if key.startswith(_PAPERS) else None
        if isinstance(value, dict):
            for kind, name in settings.papers.items():
                count = value.get(kind)
                if type(count) is int and count > 0:
                    paper = key.removeprefix(_PAPERS)
                    found.append({"TenGiayTo": paper, "SoLuong": str(count), "LoaiGiayTo": name})
    return found


def _supplements(steps: Sequence[Step], settings: PortalSettings) -> list[Document]:
    """Returns what was asked for, and when it came."""
    found: list[Document] = []
    due: int | None = None
    for step in steps:
        before, due = due, _due_of(step, due)
        if step.action in _ASKS:
            found.append(
                {
                    "HoSoBoSungId": step.told.event.hex(), "NguoiYeuCauBoSung": step.told.who,
                    "NoiDungBoSung": str(step.arguments.get(CONTENT, "")),
                    "NgayBoSung": stamp(step.told.at_ms), "NguoiTiepNhanBoSung": "", "ThongTinTiepNhan": "",
                    "NgayTiepNhanBoSung": "", "TrangThaiBoSung": settings.supplements["asked"],
                    "NgayHenTraTruoc": "" if due is None else stamp(due), "NgayHenTraMoi": "",
                }
            )  # fmt: skip
        elif found and base_step(step.before) in {"incomplete", "supplement"} and step.action in _BRINGS:
            found[-1] |= {
                "NguoiTiepNhanBoSung": step.told.who,
                "ThongTinTiepNhan": ACTION_LABELS.get(step.action, step.action),
                "NgayTiepNhanBoSung": stamp(step.told.at_ms),
                "TrangThaiBoSung": settings.supplements["supplied"],
                "NgayHenTraTruoc": "" if before is None else stamp(before),
                "NgayHenTraMoi": "" if due is None else stamp(due),
            }
    return found


_BRINGS: Final = frozenset({"supply", "accept"})


def _due_of(step: Step, before: int | None) -> int | None:
    value = step.wrote.get("han_tra")
    found = value.get("ms") if isinstance(value, dict) else None
    return found if type(found) is int else before


# -------------------------------------------------------------------------------------- CapNhatTienDoHoSoMC


def _progress(code: str, step: Step, settings: PortalSettings) -> Document:
    told = step.told
    label = ACTION_LABELS.get(step.action, step.action)
    why = step.arguments.get(REASON)
    due = _due_of(step, None)
    found = {
        "MaHoSo": code,
        "NguoiXuLy": told.who,
        "ChucDanh": ", ".join(told.roles),
        "ThoiDiemXuLy": stamp(told.at_ms),
        "PhongBanXuLy": told.unit_name,
        "NoiDungXuLy": f"{label}: {why}" if isinstance(why, str) and why.strip() else label,
        "TrangThai": _status(step.after, settings),
        "NgayBatDau": stamp(told.at_ms) if base_step(step.after) not in ENDED else "",
        "NgayKetThucTheoQuyDinh": "" if due is None else stamp(due),
    }
    return _shown({key: value for key, value in found.items() if value})


def _shown(document: Document) -> Document:
    """Returns a document whose texts are in form C and on one line, without what cannot be seen."""
    return {key: _clean(part) for key, part in document.items()}


def _clean(value: Any) -> Any:
    return [_shown(part) for part in value] if isinstance(value, list) else nfc(one_line(value))
