"""The queue to the portal, against a portal's process that doubles, loses answers and restarts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from onestop_sync.dossier.catalogue import Catalogue
from onestop_sync.dossier.data import shipped_catalogue, shipped_report_rules
from onestop_sync.dossier.files import write_catalogue
from onestop_sync.dossier.portal.documents import plan_export
from onestop_sync.dossier.report.periods import named
from onestop_sync.dossier.schema import DOSSIER
from server_stub.portal import queue, rows
from server_stub.portal.line import Credentials, Line
from server_stub.portal.queue import Counts, Pace, Queue, retry, states
from server_stub.portal.share import share_lines, shares
from tests.portal_receiver import Receiver
from tests.province import Machine, Province
from tests.unit.portal_world import at, settings

QUICK = Pace(tries=2, wait_s=0.01, first_s=60, lease_s=60)
ALL = ("tiep_nhan", "tham_dinh", "phe_duyet", "tra_ket_qua", "lanh_dao")


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """Gives a portal's process."""
    receiver = Receiver(tmp_path_factory.mktemp("portal"))
    receiver.start()
    yield receiver
    receiver.kill()


class Office:
    """A server whose officers work on dossiers, and its queue to a portal."""

    def __init__(self, folder: Path, database: str, portal: Receiver) -> None:
        self.province = Province(folder, types=[DOSSIER])
        self.machine: Machine = self.province.machine(
            "m", "p", {"An": ALL}, serves=True, database=database, blocks=()
        )
        self.store = self.machine.store
        self.portal = portal
        self.count = 0
        (portal.folder / "held.json").unlink(missing_ok=True)
        portal.be()
        rows.make_tables(self.store)

    def take_in(self, **changes: Any) -> bytes:
        """Takes a dossier in; its code is the next one."""
        self.count += 1
        values = {
            "ma_ho_so": self.code, "ma_thu_tuc": "1.001193", "ten_thu_tuc": "Đăng ký khai sinh",
            "noi_dung": "Khai sinh", "loai_doi_tuong": "ca_nhan", "hinh_thuc_nop": "truc_tiep",
            "nguoi_nop": "Nguyễn Thị Hường", "so_dinh_danh": "001199012345",
            "tiep_nhan_luc": at("25/11/2026 08:30"), "han_tra": {"ms": at("26/11/2026 17:00")}, **changes,
        }  # fmt: skip
        doc: bytes = self.hand.create("dossier", values, [["act", "main", "accept", {}]])
        return doc

    @property
    def code(self) -> str:
        """The newest code."""
        return f"000.00.00.H99-261125-{self.count:04d}"

    @property
    def hand(self) -> Any:
        """The officer's."""
        return self.machine.writer("An")

    def run(self, **changes: Any) -> Counts:
        """Runs the queue once, as a program that was just started."""
        made = settings(address=self.portal.url, **changes)
        with Line(made, Credentials("phiên", {}), wait_s=5) as line:
            return Queue(self.store, line, QUICK).run()

    def wait(self, seconds: float) -> None:
        """Lets time pass."""
        self.province.clock_ms += int(seconds * 1000)


@pytest.fixture
def office(tmp_path: Path, database_url: str, portal: Receiver) -> Iterator[Office]:
    """Gives a server on each kind of database."""
    found = Office(tmp_path / "province", database_url, portal)
    yield found
    found.store.close()
    found.province.office.close()


def test_what_changed_is_told_and_nothing_else(office: Office, portal: Receiver) -> None:
    """A dossier goes out whole, then its change alone; a state that changes nothing outside sends nothing."""
    doc = office.take_in()
    assert office.run() == Counts(sent=1)
    assert office.run() == Counts()
    office.hand.act(doc, "give")
    office.hand.note(doc, "ghi_chu", "gọi lại")
    assert office.run() == Counts(sent=1)
    office.hand.note(doc, "ghi_chu", "đã gọi")
    assert office.run() == Counts(same=1)
    (held,) = portal.of(office.code)
    assert [each["NoiDungXuLy"] for each in held["QuaTrinhXuLy"]] == ["Tiếp nhận", "Bàn giao thẩm định"]
    assert portal.held["faults"] == []
    sent = [call for call in portal.held["calls"] if call[0] == "DongBoHoSoMC"]
    assert sent == [["DongBoHoSoMC", "False", "0"]]


def test_lost_answers_and_restarts_double_nothing(office: Office, portal: Receiver) -> None:
    """Answers lost at every call, a portal that was killed, and a queue that was dropped: each thing once."""
    doc = office.take_in()
    portal.be(lose=4)
    for _ in range(5):
        office.run()
        office.wait(7200)
    portal.kill()
    office.hand.act(doc, "give")
    assert office.run().failing == 1
    portal.start()
    office.wait(7200)
    assert office.run().sent == 1
    with office.store.writing() as transaction:
        rows.metadata.drop_all(transaction.connection)
    rows.make_tables(office.store)
    office.run()
    (held,) = portal.of(office.code)
    assert [each["TrangThai"] for each in held["QuaTrinhXuLy"]] == ["2", "2"]


def test_one_dossiers_trouble_delays_no_other(office: Office, portal: Receiver) -> None:
    """What the portal refuses, and what waits for a person, is told with its reason; all else goes out."""
    refused = office.take_in()
    bad = office.code
    held = office.take_in(ma_thu_tuc="1.999999")
    good = office.take_in()
    portal.be(refuse=[bad])
    assert office.run() == Counts(sent=1, held=1, failing=1)
    found = {state.doc: (state.status, state.reason) for state in states(office.store)}
    assert found == {
        refused: ("failing", "upstream_refused -9"), held: ("held", "procedure 1.999999"), good: ("sent", "")
    }  # fmt: skip
    assert office.run() == Counts()
    portal.be()
    office.wait(61)
    assert office.run() == Counts(sent=1)
    assert retry(office.store) == 1
    assert office.run() == Counts(held=1)


def test_what_a_new_catalogue_has_goes_out_by_itself(office: Office, portal: Receiver) -> None:
    """A dossier whose procedure was unknown is held until the province publishes it, and goes out then."""
    office.take_in(ma_thu_tuc="9.000001", ten_thu_tuc="Thủ tục mới")
    assert office.run() == Counts(held=1)
    assert office.run() == Counts()
    shipped = shipped_catalogue()
    fresh = replace(shipped.get("1.001193"), code="9.000001", name_vi="Thủ tục mới")
    newer = Catalogue(shipped.version + 1, (*shipped.procedures, fresh))
    office.province.publish_files(office.store, catalogue__json=write_catalogue(newer))
    assert office.run() == Counts(sent=1)
    assert portal.of(office.code)[0]["TenTTHC"] == "Thủ tục mới"


def test_the_share_that_the_portal_has_is_told(office: Office, portal: Receiver) -> None:
    """Of the dossiers received in a period: those that the portal took, and of the others why not."""
    quarter = named("Q4/2026", shipped_report_rules())
    office.take_in()
    assert shares(office.store, quarter, {"p"}) == []  # no queue was ever run
    office.take_in(ma_thu_tuc="1.999999")
    office.take_in()
    portal.be(refuse=[office.code])
    office.run()
    office.take_in(tiep_nhan_luc=at("14/12/2025 09:00"))
    office.take_in()
    (share,) = shares(office.store, quarter, {"p", "c1"})
    assert (share.unit, share.received, share.there) == ("p", 4, 1)
    assert share.behind == {"held": 1, "failing": 1, "not_queued": 1}
    first, second = share_lines([share])
    assert "1/4 (25 %)" in first
    assert "chưa đủ: 1 chưa vào hàng đợi, 1 chờ người xử lý, 1 cổng chưa nhận" in second
    assert shares(office.store, quarter, {"c1"}) == []


def test_a_dossier_that_breaks_the_program_delays_no_other(
    office: Office, portal: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever mistake the program makes with one dossier, it is held and told, and the others go out."""
    office.take_in()
    bad = office.code
    office.take_in()
    real = plan_export

    def breaks(source: Any, made: Any) -> Any:
        return 1 / 0 if source.state.value("ma_ho_so") == bad else real(source, made)

    monkeypatch.setattr(queue, "plan_export", breaks)
    assert office.run() == Counts(sent=1, held=1)
    assert [state.reason for state in states(office.store, ["held"])] == ["broken"]


def test_a_portal_that_wants_to_be_left_alone_is(office: Office, portal: Receiver) -> None:
    """Retry-After holds for every dossier and every program, and `retry` ends it."""
    office.take_in()
    office.take_in()
    portal.be(busy=1, after=3600)
    first = office.run()
    assert (first.failing, first.left) == (1, 1)
    office.wait(1800)
    assert office.run() == Counts(left=2, paused_until_ms=first.paused_until_ms)
    assert portal.held["calls"] == []
    office.wait(1801)
    assert office.run() == Counts(sent=2)


def test_two_programs_send_nothing_twice(office: Office, portal: Receiver) -> None:
    """A dossier that another program has in hand is left to it, until that must have been killed."""
    doc = office.take_in()
    with Line(settings(address=portal.url), Credentials("phiên", {})) as line:
        other = Queue(office.store, line, QUICK)
        ((due, _),) = other._due()
        assert due == doc
        assert other._claim(doc) is not None
        assert office.run() == Counts()
    office.wait(61)
    assert office.run() == Counts(sent=1)
    assert len(portal.of(office.code)) == 1
