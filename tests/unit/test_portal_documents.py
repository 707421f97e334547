"""What the national portal is told of a dossier: each field, and why nothing is told yet."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from onestop_sync.dossier.data import shipped_portal
from onestop_sync.dossier.portal.documents import Export, Held, envelope, plan_export, stamp
from onestop_sync.dossier.portal.format import DOSSIER, PROGRESS, check
from onestop_sync.dossier.portal.settings import settings_from_plain
from onestop_sync.errors import FormatError
from tests.unit.dossier_world import APPRAISER, CHIEF, CLERK
from tests.unit.portal_world import CODE, Case, at, settings


def exported(case: Case, **changes: Any) -> Export:
    """Returns what is exported; fails when nothing is."""
    found = plan_export(case.source(), settings(**changes))
    assert isinstance(found, Export), found
    return found


def wrapped(found: Export) -> list[dict[str, Any]]:
    """Returns both envelopes as they travel."""
    return [
        envelope(DOSSIER, "s", found.unit, [found.dossier], is_updating=False),
        envelope(PROGRESS, "s", found.unit, found.progress, is_updating=True),
    ]


def test_every_field_of_a_returned_dossier() -> None:
    """A dossier that was returned is told field by field as it was worked on, and nothing else is told."""
    case = Case()
    case.to_the_end()
    found = exported(case)
    assert found.dossier == {
        "MaHoSo": CODE, "MaTTHC": "1.001193", "TenTTHC": "Đăng ký khai sinh", "MaLinhVuc": "HT01",
        "TenLinhVuc": "Hộ tịch", "ChuHoSo": "Nguyễn Thị Hường", "LoaiDoiTuong": "1",
        "MaDoiTuong": "001199012345", "ThongTinKhac": "Thôn Đoài", "Email": "a@b.vn",
        "SoDienThoai": "0912345678", "TrichYeuHoSo": "Khai sinh", "NgayTiepNhan": "20261125083000",
        "NgayHenTra": "20261126170000", "TrangThaiHoSo": "10", "NgayTra": "20261126080000",
        "HinhThuc": "0", "NgayKetThucXuLy": "20261125140500", "DonViXuLy": "UBND xã Một",
        "DanhSachTepDinhKemKhac": [
            {"TenGiayTo": "Tờ khai", "SoLuong": "1", "LoaiGiayTo": "Bản chính"},
            {"TenGiayTo": "Tờ khai", "SoLuong": "2", "LoaiGiayTo": "Bản sao"},
        ],
    }  # fmt: skip
    assert [each["TrangThai"] for each in found.progress] == ["2", "2", "4", "4", "9", "9", "9", "10"]
    assert found.progress[0] == {
        "MaHoSo": CODE, "NguoiXuLy": "Lê Văn Đạt", "ChucDanh": "Tiếp nhận", "ThoiDiemXuLy": "20261125083000",
        "PhongBanXuLy": "Xã Một", "NoiDungXuLy": "Tiếp nhận", "TrangThai": "2",
        "NgayBatDau": "20261125083000", "NgayKetThucTheoQuyDinh": "20261126170000",
    }  # fmt: skip
    assert [check(each) for each in wrapped(found)] == [(), ()]


def test_a_supplement_is_told_with_the_dates_before_and_after() -> None:
    """What was asked for, by whom, when it came, and what it did to the due date is one entry."""
    case = Case()
    for author, when, action in (
        (CLERK, "25/11/2026 08:40", "give"),
        (APPRAISER, "25/11/2026 09:00", "receive"),
    ):
        case.step(author, when, [["act", "main", action, {}]])
    ask = {"to": "x01", "ly_do": "thiếu", "noi_dung": "Giấy chứng sinh"}
    case.step(APPRAISER, "25/11/2026 10:00", [["act", "main", "ask_supplement", ask]])
    (asked,) = exported(case).dossier["DanhSachHoSoBoSung"]
    assert (asked["NoiDungBoSung"], asked["TrangThaiBoSung"]) == ("Giấy chứng sinh", "0")
    due = {"ms": at("30/11/2026 17:00"), "quy_dinh": "nd61-2018"}
    case.step(CLERK, "27/11/2026 08:00", [["set", "han_tra", due], ["act", "main", "supply", {}]])
    found = exported(case)
    (entry,) = found.dossier["DanhSachHoSoBoSung"]
    assert entry["NgayHenTraTruoc"] == "20261126170000"
    assert entry["NgayHenTraMoi"] == found.dossier["NgayHenTra"] == "20261130170000"
    assert (entry["NgayTiepNhanBoSung"], entry["TrangThaiBoSung"]) == ("20261127080000", "1")
    assert found.progress[3]["NoiDungXuLy"] == "Yêu cầu bổ sung: thiếu"
    assert [check(each) for each in wrapped(found)] == [(), ()]


def test_a_fee_is_told_once_as_what_is_to_be_paid() -> None:
    """What is due less what was waived is one line; payments, and payments taken back, are none."""
    case = Case()
    for kind, dong in (("phai_nop", 12_000), ("mien", 2_000), ("da_nop", 10_000), ("huy", 10_000)):
        entry = {"loai": kind, "so_tien": dong, "ten": "Lệ phí", "ly_do": "hộ nghèo", "luc_ms": 1}
        case.step(CLERK, "25/11/2026 08:40", [["note", "le_phi", entry]])
    found = exported(case)
    (fee,) = found.dossier["DanhSachLePhi"]
    assert (fee["TenPhiLePhi"], fee["Gia"]) == ("Lệ phí", "10000")
    assert "hộ nghèo" not in str(found)
    assert [check(each) for each in wrapped(found)] == [(), ()]


def test_lists_differ_by_province_and_are_data() -> None:
    """Status, kind of applicant and way of filing follow the settings, with no change of the program."""
    found = exported(
        Case(), statuses={"accepted": "4"}, applicants={"ca_nhan": "0"}, channels={"truc_tiep": "3"},
        unit_codes={"x01": "H99.1"},
    )  # fmt: skip
    told = found.dossier
    assert (told["TrangThaiHoSo"], told["LoaiDoiTuong"], told["HinhThuc"]) == ("4", "0", "3")
    assert found.unit == "H99.1"


def test_a_conflict_on_what_forms_print_holds_the_dossier_back() -> None:
    """Two officers' different names hold the export back, naming the field and no name; settled, it goes."""
    case = Case()
    one = case.add([case.last], [["set", "nguoi_nop", "Nguyễn A"]], CLERK)
    other = case.add([case.last], [["set", "nguoi_nop", "Nguyễn B"]], CLERK)
    assert plan_export(case.source(), settings()) == Held("conflict", "nguoi_nop")
    settled = ["resolve", "nguoi_nop", "Nguyễn B", "theo căn cước", sorted([one.id, other.id])]
    case.add([one, other], [settled], CHIEF)
    assert exported(case).dossier["ChuHoSo"] == "Nguyễn B"


def test_what_has_no_code_is_told_and_never_guessed() -> None:
    """A field, an applicant or a due date that nobody can name holds the dossier back with that reason."""
    case = Case()
    assert plan_export(case.source(), settings(field_codes={})) == Held("field_code", "Hộ tịch")
    told = plan_export(case.source()._replace(field_code="H98-HT"), settings(field_codes={}))
    assert isinstance(told, Export)
    assert told.dossier["MaLinhVuc"] == "H98-HT"
    assert plan_export(case.source(), settings(applicants={"to_chuc": "2"})) == Held("applicant", "ca_nhan")
    assert plan_export(case.source()._replace(procedure=None), settings()) == Held("procedure", "1.001193")
    case.add([case.last], [["set", "_void", "lập nhầm"]], CHIEF)
    void = exported(case)
    assert (void.dossier["TrangThaiHoSo"], void.dossier["GhiChu"]) == ("8", "lập nhầm")


def test_a_draft_of_the_counter_is_nobodys_business() -> None:
    """Nothing is told of a dossier that was not accepted and that no portal knows."""
    case = Case()
    del case.entries[case.last.id]
    assert plan_export(case.source(), settings()) == Held("not_yet")


def test_a_portal_hears_under_its_own_id_that_its_dossier_was_refused() -> None:
    """What came from a portal is told under the portal's id, refused too, with the time when it was filed."""
    case = Case()
    del case.entries[case.last.id]
    case.last = case.root
    outside = {"cach": "cong", "ma": "DVC-1", "ten": "Cổng"}
    values = {"nguon": outside, "ma_thu_tuc": "1.001193", "ten_thu_tuc": "Đăng ký khai sinh"}
    values |= {"loai_doi_tuong": "ca_nhan", "hinh_thuc_nop": "truc_tuyen"}
    case.step(CLERK, "25/11/2026 08:35", [["set", key, value] for key, value in values.items()])
    case.step(CLERK, "25/11/2026 09:00", [["act", "main", "refuse", {"ly_do": "sai nơi"}]])
    found = exported(case)
    assert (found.code, found.dossier["TrangThaiHoSo"], found.dossier["HinhThuc"]) == ("DVC-1", "3", "1")
    assert (found.dossier["NgayTiepNhan"], found.dossier["NgayHenTra"]) == ("20261125083000", "")
    assert [check(each) for each in wrapped(found)] == [(), ()]


def test_times_are_vietnams() -> None:
    """Midnight in Vietnam is the day there, though it is still the day before in London."""
    assert stamp(at("01/01/2027 00:00")) == "20270101000000"


def _spoilt() -> list[tuple[str, Any]]:
    """Returns paths into an envelope, and what is put there."""
    return [
        ("session", ""), ("madonvi", "xã"), ("service", "Khac"), ("isUpdating", "true"), ("data", []),
        ("more", "x"), ("data.0.MaHoSo", ""), ("data.0.LoaiDoiTuong", 1),
        ("data.0.NgayTiepNhan", "2026-11-25"),
        ("data.0.NgayTiepNhan", "20261332000000"), ("data.0.NgayHenTra", ""), ("data.0.NgayTra", ""),
        ("data.0.TrangThaiHoSo", "11"), ("data.0.NgayTra", "20200101000000"), ("data.0.Khac", "x"),
        ("data.0.Email", None), ("data.0.DanhSachTepDinhKemKhac.0.SoLuong", "01"),
        ("data.0.GhiChu", "a\x1b[2J"),
        ("data.0.DanhSachTepDinhKemKhac.0.Khac", "x"), ("data.0.DanhSachLePhi", "x"),
    ]  # fmt: skip


@pytest.mark.parametrize(("path", "value"), _spoilt())
def test_the_checker_finds_each_fault(path: str, value: object) -> None:
    """An envelope with one thing wrong has a fault that names it and repeats no value."""
    case = Case()
    case.to_the_end()
    sent: Any = copy.deepcopy(wrapped(exported(case))[0])
    at_, *rest = path.split(".")
    inner = sent
    for key in rest:
        inner, at_ = inner[int(at_) if at_.isdigit() else at_], key
    inner[at_] = value
    faults = check(sent)
    assert faults
    assert any(at_ in fault.path for fault in faults)
    assert not any(str(value) in fault.what for fault in faults if value)


@pytest.mark.parametrize(
    "change", [{"x": 1}, {"address": "ftp://a"}, {"address": "http://cong.vn"}, {"papers": {}}, []]
)
def test_settings_that_cannot_be_are_refused(change: object) -> None:
    """Unknown words, an address without TLS and missing names are refused when the file is read."""
    with pytest.raises(FormatError):
        settings_from_plain(shipped_portal(), change)
