"""Dossiers that citizens filed on a portal: each once, valid everywhere; no portal can do more."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from onestop_sync.dossier.data import shipped_catalogue, shipped_portal
from onestop_sync.dossier.portal.outside import plan_filed
from onestop_sync.dossier.portal.settings import settings_from_plain
from onestop_sync.dossier.rating import ratings_of
from onestop_sync.dossier.report.course import course_of
from onestop_sync.dossier.roles import PORTAL
from onestop_sync.dossier.types import TYPES
from onestop_sync.errors import FormatError, NotAllowed
from onestop_sync.protocol import Requester, Responder
from onestop_sync.store import Store
from onestop_sync.trust import Authority
from server_stub.app import build_app
from server_stub.openapi import COMPLAINT_PATH, PORTAL_PATH, RATING_PATH
from server_stub.portal import integrations
from tests.province import Machine, Province

FILED = {
    "MaHoSo": "DVC-2026-000123", "MaDonVi": "000.01.01.H99", "MaTTHC": "1.001193", "LoaiDoiTuong": "1",
    "ChuHoSo": "Nguyễn Thị Hường", "MaDoiTuong": "001199012345", "DiaChi": "Thôn Đoài",
    "SoDienThoai": "0912 345 678", "NgayNop": "20261124213000", "ThongTinRieng": {"Tên con": "Nguyễn B"},
    "TaiLieuNop": [{"TenTepDinhKem": "to-khai.pdf", "DuongDanTaiTepTin": "https://cong.vn/1"}],
}  # fmt: skip
SETTINGS = settings_from_plain(shipped_portal())


class Portal:
    """A province's server whose endpoint a portal calls."""

    def __init__(self, folder: Path, database: str) -> None:
        self.province = Province(folder, types=TYPES)
        self.server = self.province.machine("s", "p", serves=True, database=database, blocks=()).store
        self.app = build_app(self.server, signer=self.province.admin)
        self.token = integrations.add(self.server, "cong-tinh", "Cổng dịch vụ công tỉnh")

    def file(self, token: str = "", **changes: Any) -> Any:
        """Files a dossier."""
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return self.post(json={**FILED, **changes}, headers=headers)

    def post(self, path: str = PORTAL_PATH, **request: Any) -> httpx.Response:
        """Sends a request to the endpoint."""

        async def send() -> httpx.Response:
            line = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=line, base_url="http://server") as client:
                return await client.post(path, **request)

        return asyncio.run(send())

    def commune(self, name: str) -> Machine:
        """Makes a machine of the commune that has heard from the server."""
        machine = self.province.machine(name, "c1", {"An": ("tiep_nhan",)})
        self.sync(machine)
        return machine

    def sync(self, machine: Machine) -> None:
        """Brings a machine and the server to the same state."""
        requester, responder = Requester(machine.store, "s"), Responder(self.server)
        while (request := requester.next_request()) is not None:
            requester.take_answer(*responder.respond(request))


@pytest.fixture
def portal(tmp_path: Path, database_url: str) -> Iterator[Portal]:
    """Gives a server on each kind of database."""
    found = Portal(tmp_path, database_url)
    yield found
    found.server.close()
    found.province.office.close()


def _docs(store: Store) -> list[bytes]:
    return [row.doc for row in store.page("dossier")]


def test_a_filed_dossier_comes_down_and_an_official_accepts_it(portal: Portal) -> None:
    """A draft is made once however often it is filed, reaches its commune, and is accepted there."""
    first, again = portal.file(), portal.file()
    assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())
    commune = portal.commune("m1")
    (doc,) = _docs(commune.store)
    assert doc.hex() == first.json()["id"]
    (record,) = commune.store.history(doc)
    assert isinstance(record.author, Authority)
    assert (record.author.certificate.unit, record.author.certificate.roles) == ("c1", frozenset({PORTAL}))
    state = commune.store.document(doc).state
    wanted = {
        "hinh_thuc_nop": "truc_tuyen", "nguoi_nop": "Nguyễn Thị Hường", "dien_thoai": "0912345678",
        "loai_doi_tuong": "ca_nhan", "truong_rieng/Tên con": "Nguyễn B",
        "truong_rieng/Tài liệu gửi kèm": "to-khai.pdf https://cong.vn/1",
    }  # fmt: skip
    assert {key: state.value(key) for key in wanted} == wanted
    assert commune.store.lookup("dossier", "DVC-2026-000123") == doc
    code = "000.01.01.H99-261125-0001"
    commune.writer("An").act(doc, "accept", values={"ma_ho_so": code})
    portal.sync(commune)
    assert portal.server.document(doc).state.tasks["main"].step == "accepted"
    assert portal.file().json() == first.json()
    assert portal.file(MaTTHC="1.000656").status_code == 409


def test_an_integration_creates_drafts_and_nothing_else(portal: Portal) -> None:
    """Its key may not touch what is there, and a token that was ended, or made up, opens nothing."""
    doc = bytes.fromhex(portal.file().json()["id"])
    found = integrations.known_by(portal.server, portal.token)
    key = integrations.signer_for(portal.server, portal.province.admin, found, "c1")
    hand = portal.server.writer(key)
    for write in (
        lambda: hand.act(doc, "accept"),
        lambda: hand.edit(doc, {"nguoi_nop": "B"}),
        lambda: hand.note(doc, "ghi_chu", "x"),
        lambda: hand.void(doc, "x"),
        lambda: hand.create("dossier", {"ma_ho_so": "000.01.01.H99-261125-0001"}),
    ):
        with pytest.raises(NotAllowed):
            write()
    assert portal.file(token="cong-tinh.x").status_code == 401
    assert portal.post(json=FILED).status_code == 401
    integrations.end(portal.server, "cong-tinh")
    assert portal.file().status_code == 401


def test_what_cannot_be_a_draft_is_told_without_repeating_it(portal: Portal) -> None:
    """A wrong body, unit or procedure is refused by the field's name; no value comes back."""
    for changes, name in (
        ({"MaDonVi": "000.09.99.H99"}, "MaDonVi"), ({"MaTTHC": "9.999999"}, "MaTTHC"),
        ({"ChuHoSo": ""}, "ChuHoSo"), ({"NgayNop": "24/11/2026"}, "NgayNop"), ({"Khac": "x"}, "Khac"),
        ({"LoaiDoiTuong": "7"}, "LoaiDoiTuong"), ({"TaiLieuNop": ["x"]}, "TaiLieuNop"),
        ({"DiaChi": "x" * 600}, "dia_chi"), ({"SoDienThoai": 5}, "SoDienThoai"),
    ):  # fmt: skip
        answer = portal.file(**changes)
        assert (answer.status_code, name in answer.json()["what"]) == (422, True), answer.text
        assert "Hường" not in answer.text
    headers = {"Authorization": f"Bearer {portal.token}", "Content-Type": "application/json"}
    assert portal.post(content=b"{", headers=headers).status_code == 422
    assert portal.post(content=b"x" * 300_000, headers=headers).status_code == 413
    assert _docs(portal.server) == []


def test_a_complaint_comes_down_once_and_is_handled_there(portal: Portal) -> None:
    """A complaint is made once however often it is filed, and the commune's head takes it in hand."""
    filed = {
        "MaPhanAnh": "PA-7",
        "MaDonVi": "000.01.01.H99",
        "NoiDung": "Chờ lâu",
        "NgayGui": "20261124213000",
    }
    headers = {"Authorization": f"Bearer {portal.token}"}
    first = portal.post(COMPLAINT_PATH, json=filed, headers=headers)
    again = portal.post(COMPLAINT_PATH, json=filed, headers=headers)
    assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())
    assert portal.post(COMPLAINT_PATH, json={**filed, "NoiDung": " "}, headers=headers).status_code == 422
    assert portal.post(COMPLAINT_PATH, json={**filed, "Khac": "x"}, headers=headers).status_code == 422
    machine = portal.province.machine("m1", "c1", {"Hoa": ("lanh_dao",)})
    portal.sync(machine)
    (row,) = machine.store.page("phan_anh")
    assert (row.doc.hex(), row.label, row.step) == (first.json()["id"], "PA-7", "moi")
    machine.writer("Hoa").act(row.doc, "take", {"han": 1}, values={"han": 1})


def test_a_rating_reaches_its_dossier_once_and_is_counted(portal: Portal) -> None:
    """A rating is noted once however often it is sent, on the dossier that it names, by either of its ids."""
    portal.file()
    commune = portal.commune("m1")
    (doc,) = _docs(commune.store)
    commune.writer("An").act(doc, "accept", values={"ma_ho_so": "000.01.01.H99-261125-0001"})
    portal.sync(commune)
    headers = {"Authorization": f"Bearer {portal.token}"}

    def rate(**said: str) -> httpx.Response:
        rating = {"MaDanhGia": "DG-1", "MaHoSo": "DVC-2026-000123", "Diem": "2", **said}
        return portal.post(RATING_PATH, json=rating, headers=headers)

    first, again = rate(NoiDung=" nhanh  lắm "), rate(Diem="0")
    assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())
    assert rate(MaDanhGia="DG-2", MaHoSo="000.01.01.H99-261125-0001", Diem="1").status_code == 201
    for said in (
        {"MaHoSo": "x-1"},
        {"Diem": "3"},
        {"Diem": ""},
        {"MaDanhGia": ""},
        {"NgayDanhGia": "hôm nay"},
    ):
        answer = rate(**{"MaDanhGia": "DG-3", **said})
        assert (answer.status_code, next(iter(said)) in answer.json()["what"]) == (422, True), answer.text
    portal.sync(commune)
    state = commune.store.document(doc).state
    noted = [(each.score, each.source) for each in ratings_of(state)]
    assert noted == [(2, ("Cổng dịch vụ công tỉnh", "DG-1")), (1, ("Cổng dịch vụ công tỉnh", "DG-2"))]
    course = course_of(state)
    assert course is not None
    assert [score for _, score in course.ratings] == [2, 1]


def test_mistakes_of_a_citizen_are_kept_for_the_official() -> None:
    """A telephone number that is none does not keep the draft from being made; it is told beside it."""
    made = plan_filed(
        {**FILED, "SoDienThoai": "12"}, "Cổng", 1_795_500_000_000, shipped_catalogue(), SETTINGS
    )
    assert [problem.key for problem in made.problems] == ["dien_thoai"]
    assert made.values["dien_thoai"] == "12"
    with pytest.raises(FormatError):
        plan_filed([], "Cổng", 0, shipped_catalogue(), SETTINGS)
