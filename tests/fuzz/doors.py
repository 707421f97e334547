"""Targets: files and documents of people: published rules, lists, workbooks, portals' documents, settings."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final

from commune_client.desk import config, tables
from onestop_sync.dossier import files, posting, register_rows, retention, status_file
from onestop_sync.dossier.catalogue import Catalogue
from onestop_sync.dossier.codes import parse_agency_code, parse_procedure_code
from onestop_sync.dossier.data import (
    shipped_calendar,
    shipped_catalogue,
    shipped_portal,
    shipped_profiles,
    shipped_report_rules,
)
from onestop_sync.dossier.portal import outside, settings, voices
from onestop_sync.dossier.portal.documents import Export, envelope, plan_export
from onestop_sync.dossier.portal.format import DOSSIER, PROGRESS, check
from onestop_sync.dossier.report import periods
from onestop_sync.errors import FormatError, InvalidInput
from server_stub import catalogue_sheet, province, roster_check, roster_files
from server_stub.portal.line import Line, credentials_from_plain
from server_stub.roster import SHEETS
from tests.fuzz.seeds import shipped
from tests.fuzz.target import Form, Run, Target, scratch
from tests.unit.portal_world import Case
from tests.unit.portal_world import settings as portal_settings

__all__ = ["TARGETS"]

_NOW_MS: Final = 1_795_600_000_000


@cache
def _small_catalogue() -> Catalogue:
    whole = shipped_catalogue()
    return Catalogue(whole.version, whole.procedures[:2])


def _always(run: Run) -> Callable[[], Run]:
    return lambda: run


def _value(data: bytes) -> Any:
    """Returns JSON as a door reads it; what is none is refused there already."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FormatError("Not JSON.") from error


_folder = cache(scratch)


def _file(name: str, data: bytes) -> Path:
    path = _folder() / name
    path.write_bytes(data)
    return path


# ---- what the province publishes


def _published(read: Callable[[bytes], tuple[Any, list[files.Fault]]], write: Callable[[Any], bytes]) -> Run:
    def run(data: bytes) -> None:
        """What can be read is written so that it reads the same; what cannot has its faults told."""
        found, faults = read(data)
        assert (found is None) == bool(faults)
        if found is None:
            raise files.first_fault("x", faults)
        assert read(write(found)) == (found, [])

    return run


def _retention(data: bytes) -> None:
    found = retention.retention_from_plain(data)
    assert all(term.years for term in found.terms.values())


def _settings(data: bytes) -> None:
    settings.settings_from_plain(shipped_portal(), _value(data))


def _posting(data: bytes) -> None:
    posting.mask_from_plain(_value(data)).of("1.001193")


# ---- lists and workbooks


def _units(data: bytes) -> None:
    province.parse_units(data.decode("utf-8-sig", errors="replace"))


def _roster(suffix: str) -> Run:
    def run(data: bytes) -> None:
        rows, problems = roster_files.read(_roster_path(suffix, data))
        roster_check.check(rows, {})
        assert all(str(problem.reason) for problem in problems)

    return run


def _roster_path(suffix: str, data: bytes) -> Path:
    if suffix == ".xlsx":
        return _file("roster.xlsx", data)
    folder = _folder() / "roster"
    folder.mkdir(exist_ok=True)
    for part, sheet in zip(data.split(b"\n\n"), SHEETS, strict=False):
        (folder / sheet.file).write_bytes(part)
    return folder


def _roster_csv() -> list[bytes]:
    tables_ = [
        "\n".join([",".join(c.key for c in sheet.columns), ",".join(c.example for c in sheet.columns)])
        for sheet in SHEETS
    ]
    return ["\n\n".join(tables_).encode()]


def _roster_workbook() -> list[bytes]:
    path = _folder() / "template.xlsx"
    path.unlink(missing_ok=True)
    roster_files.write_template(path)
    return [path.read_bytes()]


def _catalogue(data: bytes) -> None:
    catalogue, problems = catalogue_sheet.read_sheet(_file("catalogue.xlsx", data), 3)
    assert (catalogue is None) == bool(problems)


def _catalogue_csv(data: bytes) -> None:
    folder = _folder() / "catalogue"
    folder.mkdir(exist_ok=True)
    for part, sheet in zip(data.split(b"\n\n"), catalogue_sheet.SHEETS, strict=False):
        (folder / sheet.file).write_bytes(part)
    catalogue, problems = catalogue_sheet.read_sheet(folder, 3)
    assert (catalogue is None) == bool(problems)


def _catalogue_workbook() -> list[bytes]:
    path = _folder() / "written.xlsx"
    path.unlink(missing_ok=True)
    catalogue_sheet.write_sheet(path, _small_catalogue())
    return [path.read_bytes()]


def _catalogue_tables() -> list[bytes]:
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(_catalogue_workbook()[0]))
    parts = []
    for sheet in catalogue_sheet.SHEETS:
        rows = list(book[sheet.label].iter_rows(values_only=True, max_row=6))
        parts.append("\n".join(";".join(str("" if cell is None else cell) for cell in row) for row in rows))
    return ["\n\n".join(parts).encode()]


_COLUMNS: Final = {
    "Mã hồ sơ": "ma_ho_so", "Thủ tục": "ma_thu_tuc", "Người nộp": "nguoi_nop", "Số CCCD": "so_dinh_danh",
    "Địa chỉ": "dia_chi", "Ngày nhận": "tiep_nhan_luc", "Hẹn trả": "han_tra", "Ngày trả": "tra_luc",
    "Tình trạng": "trang_thai",
}  # fmt: skip
_MAPPING: Final = {"columns": _COLUMNS, "procedures": {"Khai sinh": "1.001193"}, "returned": ["Đã trả"]}
_ROWS: Final = (
    (
        "07/2026",
        "Khai sinh",
        "Trần Văn Bé",
        "001199012345",
        "Thôn Đông",
        "10/08/2026",
        "11/08/2026",
        "",
        "Đang làm",
    ),
    ("06/2026", "Khai sinh", "Lê Thị Cúc", "", "Thôn Tây", "01/08/2026 08:15", "", "02/08/2026", "Đã trả"),
)


def _old_register(name: str) -> Run:
    rules = register_rows.Rules(
        shipped_catalogue(), shipped_calendar(), shipped_profiles(), date(2026, 11, 25)
    )
    how = register_rows.map_from_plain(_MAPPING)

    def run(data: bytes) -> None:
        table = tables.read_table(_file(name, data))
        good, bad = register_rows.plan_rows(table.rows, how, rules, lambda _: False, table.source)
        assert len(good) + len(bad) == len(table.rows)
        if bad:
            raise InvalidInput("Some lines are wrong.")

    return run


def _old_csv() -> list[bytes]:
    return ["\n".join(";".join(row) for row in (_COLUMNS, *_ROWS)).encode("utf-8-sig")]


def _old_workbook() -> list[bytes]:
    import openpyxl

    book = openpyxl.Workbook()
    assert book.active is not None
    for row in (list(_COLUMNS), *map(list, _ROWS)):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return [out.getvalue()]


def _mapping(data: bytes) -> None:
    register_rows.map_from_plain(_value(data))


# ---- portals


_FILED: Final = {
    "MaHoSo": "G22.99-1", "MaDonVi": "000.01.01.H99", "MaTTHC": "1.001193", "ChuHoSo": "Nguyễn Thị Hường",
    "LoaiDoiTuong": "1", "MaDoiTuong": "001199012345", "NgaySinh": "01/02/1990", "DiaChi": "Thôn Đoài",
    "SoDienThoai": "0912345678", "Email": "a@b.vn", "TrichYeuHoSo": "Khai sinh", "NgayNop": "20261125083000",
    "HinhThucNhan": "truc_tiep", "DiaChiNhan": "", "ThongTinRieng": {"Họ tên con": "An"},
    "TaiLieuNop": [{"TenTepDinhKem": "a.pdf", "DuongDanTaiTepTin": "https://b.vn/a.pdf"}],
}  # fmt: skip
_COMPLAINT: Final = {
    "MaPhanAnh": "PA-1", "MaDonVi": "000.01.01.H99", "NoiDung": "Chậm", "MaHoSo": "000.01.01.H99-261125-0007",
    "NguoiGui": "An", "SoDienThoai": "0912345678", "NgayGui": "20261125083000",
}  # fmt: skip


_RATING: Final = {
    "MaDanhGia": "DG-1", "MaHoSo": "000.01.01.H99-261125-0007", "Diem": "2", "NoiDung": "nhanh",
    "NgayDanhGia": "20261125083000",
}  # fmt: skip


def _filed() -> Run:
    told = settings.settings_from_plain(shipped_portal(), {})

    def run(data: bytes) -> None:
        found = outside.plan_filed(_value(data), "cổng", _NOW_MS, shipped_catalogue(), told)
        assert found.code == found.code.strip()

    return run


def _complaint(data: bytes) -> None:
    found = voices.plan_complaint(_value(data), "cổng", _NOW_MS)
    assert found.values["nhan_luc"] > 0


def _rating(data: bytes) -> None:
    found = voices.plan_filed_rating(_value(data), "cổng", _NOW_MS)
    assert found.note["diem"] in {0, 1, 2}


def _portal_document(data: bytes) -> None:
    """A document for the portal, checked before it is sent: each fault is told."""
    faults = check(_value(data))
    if faults:
        raise FormatError(str(faults[0]))


def _portal_documents() -> list[bytes]:
    case = Case()
    case.to_the_end()
    found = plan_export(case.source(), portal_settings())
    assert isinstance(found, Export)
    told = [envelope(DOSSIER, "s", found.unit, [found.dossier], is_updating=False),
            envelope(PROGRESS, "s", found.unit, found.progress, is_updating=True)]  # fmt: skip
    return [json.dumps(each).encode() for each in told]


def _portal_answer() -> Run:
    import httpx

    told = settings.settings_from_plain(shipped_portal(), {"address": "http://127.0.0.1:9/"})
    line = Line(told, credentials_from_plain({"session": "x"}))

    def run(data: bytes) -> None:
        answer = line._read(httpx.Response(200, content=data))
        assert isinstance(answer, dict)

    return run


def _credentials(data: bytes) -> None:
    value = _value(data)
    with Line(
        settings.settings_from_plain(shipped_portal(), {"address": "http://127.0.0.1:9/"}),
        credentials_from_plain(value),
    ):
        pass


def _status(data: bytes) -> None:
    status_file.look_up(data, "000.01.01.H99-261125-0007", "0912345678", "001199012345")


def _status_files() -> list[bytes]:
    cost = status_file.Cost(16, 8, 1)
    key = status_file.key_of(
        status_file.question("000.01.01.H99-261125-0007", "0912345678", "001199012345"), bytes(16), cost
    )
    entry = status_file.Entry(key, {"tinh_trang": "Đã tiếp nhận"})
    data = json.loads(status_file.build_file([entry], bytes(16), "25/11/2026", Random(1).randbytes, cost))
    return [
        json.dumps({**data, "entries": dict(list(data["entries"].items())[:3])}).encode(),
        json.dumps(data).encode(),
    ]


# ---- words and settings


def _words(data: bytes) -> None:
    """Codes and periods that somebody typed."""
    text = data.decode("utf-8", errors="surrogateescape")
    told = []
    for read in (
        parse_agency_code,
        parse_procedure_code,
        lambda each: periods.named(each, shipped_report_rules()),
    ):
        try:
            read(text)
        except InvalidInput as error:
            told.append(error)
    if len(told) == 3:
        raise told[0]


def _config(data: bytes) -> None:
    _file(config.FILE, data)
    found = config.load_config(_folder())
    config.save_config(_folder(), found)
    assert config.load_config(_folder()) == found


TARGETS: Final = (
    Target(
        "catalogue.json",
        Form.JSON,
        _always(_published(files.read_catalogue, files.write_catalogue)),
        lambda: [files.write_catalogue(_small_catalogue())],
        ("onestop_sync.dossier.files", "onestop_sync.dossier.catalogue", "onestop_sync.dossier.fees"),
        is_slow=True,
    ),
    Target(
        "holidays.csv",
        Form.TABLE,
        _always(_published(files.read_calendar, files.write_calendar)),
        lambda: [files.write_calendar(shipped_calendar())],
        ("onestop_sync.dossier.files", "onestop_sync.dossier.calendar"),
        is_slow=True,
    ),
    Target(
        "profiles.json",
        Form.JSON,
        _always(_published(lambda data: files.read_profiles(data, shipped_profiles()), files.write_profiles)),
        lambda: [files.write_profiles(shipped_profiles())],
        ("onestop_sync.dossier.profiles",),
    ),
    Target(
        "report_rules.json",
        Form.JSON,
        _always(_published(files.read_report_rules, files.write_report_rules)),
        lambda: [files.write_report_rules(shipped_report_rules())],
        ("onestop_sync.dossier.report.rules",),
    ),
    Target(
        "retention.json",
        Form.JSON,
        _always(_retention),
        lambda: [shipped("retention.json")],
        ("onestop_sync.dossier.retention",),
    ),
    Target(
        "portal.json",
        Form.JSON,
        _always(_settings),
        lambda: [shipped("portal.json")],
        ("onestop_sync.dossier.portal.settings",),
    ),
    Target(
        "posting.json",
        Form.JSON,
        _always(_posting),
        lambda: [shipped("posting.json")],
        ("onestop_sync.dossier.posting",),
    ),
    Target(
        "units",
        Form.TABLE,
        _always(_units),
        lambda: [
            "id,name,parent,level,codes\np,Tỉnh,,province,000.00.00.H99\nx,Xã,p,commune,000.01.01.H99".encode(),
        ],
        ("server_stub.province",),
    ),
    Target(
        "units.json",
        Form.JSON,
        _always(_units),
        lambda: [
            json.dumps(
                [{"id": "p", "name": "Tỉnh", "level": "province", "codes": ["000.00.00.H99"]}]
            ).encode(),
        ],
        ("server_stub.province",),
    ),
    Target(
        "roster.xlsx",
        Form.ZIP,
        _always(_roster(".xlsx")),
        _roster_workbook,
        ("server_stub.roster_files", "server_stub.roster_check"),
        is_slow=True,
    ),
    Target(
        "roster.csv",
        Form.TABLE,
        _always(_roster("")),
        _roster_csv,
        ("server_stub.roster_files", "server_stub.roster_check"),
    ),
    Target(
        "catalogue.xlsx",
        Form.ZIP,
        _always(_catalogue),
        _catalogue_workbook,
        ("server_stub.catalogue_sheet",),
        is_slow=True,
    ),
    Target(
        "catalogue.csv",
        Form.TABLE,
        _always(_catalogue_csv),
        _catalogue_tables,
        ("server_stub.catalogue_sheet", "onestop_sync.dossier.catalogue_text"),
    ),
    Target(
        "register.csv",
        Form.TABLE,
        _always(_old_register("register.csv")),
        _old_csv,
        ("commune_client.desk.tables", "onestop_sync.dossier.register_rows"),
    ),
    Target(
        "register.xlsx",
        Form.ZIP,
        _always(_old_register("register.xlsx")),
        _old_workbook,
        ("commune_client.desk.tables", "onestop_sync.dossier.register_rows"),
        is_slow=True,
    ),
    Target(
        "register_map",
        Form.JSON,
        _always(_mapping),
        lambda: [json.dumps(_MAPPING).encode()],
        ("onestop_sync.dossier.register_rows",),
    ),
    Target(
        "filed",
        Form.JSON,
        _filed,
        lambda: [json.dumps(_FILED).encode()],
        ("onestop_sync.dossier.portal.outside",),
    ),
    Target(
        "complaint",
        Form.JSON,
        _always(_complaint),
        lambda: [json.dumps(_COMPLAINT).encode()],
        ("onestop_sync.dossier.portal.voices",),
    ),
    Target(
        "rating",
        Form.JSON,
        _always(_rating),
        lambda: [json.dumps(_RATING).encode()],
        ("onestop_sync.dossier.portal.voices",),
    ),
    Target(
        "portal_document",
        Form.JSON,
        _always(_portal_document),
        _portal_documents,
        ("onestop_sync.dossier.portal.format",),
    ),
    Target(
        "portal_answer",
        Form.JSON,
        _portal_answer,
        lambda: [
            json.dumps(
                {shipped_portal()["answer"]["code"]: shipped_portal()["answer"]["ok"], "data": []}
            ).encode(),
        ],
        ("server_stub.portal.line",),
    ),
    Target(
        "credentials",
        Form.JSON,
        _always(_credentials),
        lambda: [
            json.dumps({"session": "x", "headers": {"X-Key": "y"}}).encode(),
        ],
        ("server_stub.portal.line",),
        is_slow=True,
    ),
    Target(
        "status_file",
        Form.JSON,
        _always(_status),
        _status_files,
        ("onestop_sync.dossier.status_file",),
        is_slow=True,
    ),
    Target(
        "typed_codes",
        Form.TABLE,
        _always(_words),
        lambda: [
            b"000.01.01.H99",
            b"1.001193",
            b"1.001193.000.00.00.H99",
            b"Q1/2026",
            b"2026",
            b"01/02/2026-28/02/2026",
        ],
        ("onestop_sync.dossier.codes", "onestop_sync.dossier.report.periods"),
    ),
    Target(
        "config.json",
        Form.JSON,
        _always(_config),
        lambda: [
            json.dumps({"parents": ["http://127.0.0.1:8080"], "officer": "An", "idle_lock_min": 5}).encode(),
        ],
        ("commune_client.desk.config",),
        is_slow=True,
    ),
)
