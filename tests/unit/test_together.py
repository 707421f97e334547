"""The office as a whole: handover lists, agencies asked at once, fees, reasons of a date."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from commune_client.desk.base import Unready
from commune_client.desk.desk import Desk
from commune_client.desk.print_facts import Manner
from commune_client.due_words import why_words
from onestop_sync.dossier.calendar import Certainty, DayKind, DayRow
from onestop_sync.dossier.data import shipped_calendar
from onestop_sync.dossier.files import write_calendar
from onestop_sync.errors import NotAllowed
from tests.unit.cli_world import PASSPHRASE, Commune, Shell, act, checklist, exchange, take_in

COPY, GUARDIAN = "2.000815", "1.004837"
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@pytest.fixture
def commune(tmp_path: Path) -> Iterator[Commune]:
    """A province with its administrator; it is Monday 21/09/2026, 21:13."""
    made = Commune(tmp_path)
    yield made
    made.close()


def shell(capsys: pytest.CaptureFixture[str], commune: Commune, desk: Desk) -> Shell:
    """Returns the command line of a machine."""
    secret = desk.place.folder / "secret"
    secret.write_text(PASSPHRASE + "\n", encoding="utf-8")
    return Shell(capsys, commune, desk.place)


def run(found: Shell, *words: str) -> str:
    """Runs a command with the passphrase."""
    assert found.place
    return found.run(*words, "--passphrase-file", str(found.place.folder / "secret"))


def take(desk: Desk, procedure: str) -> bytes:
    """Takes in a dossier of a procedure."""
    values = {
        "nguoi_nop": "Trần Văn Đức", "so_dinh_danh": "001199012345", "dia_chi": "Thôn Đoài", "noi_dung": "x",
    }  # fmt: skip
    return desk.intake_new(procedure, values, checklist(desk, procedure)).doc


# ---------------------------------------------------------------------------------------- handovers


def test_a_list_is_handed_over_and_received_with_two_signatures_a_dossier(
    commune: Commune, capsys: pytest.CaptureFixture[str]
) -> None:
    """One list to give, one to receive; each dossier gets an event of who gives and one of who receives."""
    place = commune.place("pc1", roles=["tiep_nhan"])
    commune.colleague(place, "Bình", ["tham_dinh"])
    clerk = commune.desk(place, "An")
    docs = [take_in(clerk), take_in(clerk), take_in(clerk)]
    assert [row.doc for row in clerk.to_give()] == docs
    assert clerk.to_receive() == []
    line = shell(capsys, commune, clerk)
    assert "3 hồ sơ" in run(line, "handover", "--officer", "An")
    assert run(line, "handover", "--all", "--officer", "An").count("Chờ thẩm định nhận") == 3
    assert "Không có hồ sơ" in run(line, "handover", "--officer", "An")
    judge = commune.desk(place, "Bình")
    assert [row.doc for row in judge.to_receive()] == docs
    assert judge.to_give() == []
    done = judge.receive_each([docs[0], docs[1], docs[0]])
    assert [(each.step_label, type(each.error)) for each in done] == [
        ("Đang thẩm định", type(None)), ("Đang thẩm định", type(None)), ("", NotAllowed),
    ]  # fmt: skip
    assert [row.doc for row in judge.to_receive()] == docs[2:]
    names = [item.who for item in judge.show(docs[0]).timeline[-2:]]
    assert names == ["An", "Bình"]


def test_who_signs_for_a_dossier_that_moved_is_the_unit_that_it_moved_to(commune: Commune) -> None:
    """A dossier on its way to another unit waits on that unit's list, and on nobody's at home."""
    hub = commune.hub("huyện", "d1")
    home, other = commune.desk(commune.place("pc1")), commune.desk(commune.place("pc2", unit="c2"))
    doc = take(home, GUARDIAN)
    home.transfer(doc, "c2")
    exchange(home.store, hub.store)
    exchange(other.store, hub.store)
    assert home.to_receive() == []
    assert [row.doc for row in other.to_receive()] == [doc]
    other.receive(doc)
    other.appraise(doc)
    other.approve(doc)
    exchange(other.store, hub.store)
    exchange(home.store, hub.store)
    assert home.to_give() == []
    assert [row.doc for row in other.to_give()] == [doc]


def test_what_is_accepted_after_15_is_handed_over_next_morning(
    commune: Commune,
) -> None:
    """Accepted in the evening: by 07:00 tomorrow; the list says when that has passed; anew once supplied."""
    desk = commune.desk(commune.place("pc1"))
    doc = take_in(desk)
    (row,) = desk.to_give()
    assert row.by_ms == desk.show(doc).handover_by_ms == desk.closing_ms(date(2026, 9, 22)) - 10 * HOUR_MS
    assert not row.is_late
    commune.province.clock_ms += DAY_MS
    assert desk.to_give()[0].is_late
    act(desk, doc, "handover", "receive")
    desk.supplement(doc, "Thiếu", "Giấy chứng sinh")
    commune.province.clock_ms += DAY_MS
    desk.supply(doc)
    assert desk.to_give()[0].by_ms == desk.closing_ms(date(2026, 9, 24)) - 10 * HOUR_MS


# ---------------------------------------------------------------------------------------- agencies


def test_several_agencies_are_asked_at_once_under_one_lead(
    commune: Commune, capsys: pytest.CaptureFixture[str]
) -> None:
    """One event opens a task with a deadline for each; who is late is told; the lead goes on."""
    hub = commune.hub("huyện", "d1")
    lead, other = commune.desk(commune.place("pc1")), commune.desk(commune.place("pc2", unit="c2"))
    doc = take(lead, GUARDIAN)
    act(lead, doc, "handover", "receive")
    events = len(lead.show(doc).timeline)
    until_ms = lead.closing_ms(date(2026, 9, 23))
    lead.ask_agencies(doc, ["c2", "000.00.01.H99"], "Có tranh chấp không?", until_ms)
    assert len(lead.show(doc).timeline) == events + 1
    asked = {agency.unit: agency for agency in lead.show(doc).view.agencies}
    assert set(asked) == {"c2", "d1"}
    with pytest.raises(NotAllowed) as caught:
        lead.ask_agencies(doc, ["c2"], "Còn gì nữa?", until_ms)
    assert caught.value.details["reason"] == "asked_before"
    assert {(a.step, a.until_ms, a.content, a.is_late) for a in asked.values()} == {
        ("asked", until_ms, "Có tranh chấp không?", False)
    }
    for desk in (lead, other, lead):
        exchange(desk.store, hub.store)
    assert [(a.unit, a.is_ours) for a in other.asked()] == [("c2", True), ("d1", False)]
    other.answer(doc, "Không")
    for desk in (other, lead):
        exchange(desk.store, hub.store)
    commune.province.clock_ms += 3 * DAY_MS
    (late,) = lead.asked()
    assert (late.unit, late.is_late, late.lead_name) == ("d1", True, "Xã Một")
    assert "quá hạn" in run(shell(capsys, commune, lead), "asked", "--late")
    assert [a.is_late for a in lead.show(doc).view.agencies] == [False, True]
    lead.appraise(doc)
    assert lead.approve(doc).step == "approved"


def test_a_consultation_needs_a_date_on_which_somebody_works(commune: Commune) -> None:
    """No unit, nothing asked, a day off or a date that has passed: refused whole, nothing is written."""
    desk = commune.desk(commune.place("pc1"))
    doc = take(desk, GUARDIAN)
    act(desk, doc, "handover", "receive")
    good = desk.closing_ms(date(2026, 9, 22))
    for units, content, until_ms in (
        ([], "gì", good), (["c2"], " ", good), (["c2"], "gì", desk.closing_ms(date(2026, 9, 27))),
        (["c2"], "gì", desk.closing_ms(date(2026, 9, 18))),
    ):  # fmt: skip
        with pytest.raises(Unready):
            desk.ask_agencies(doc, units, content, until_ms)
    assert desk.show(doc).view.agencies == ()
    done = desk.ask_agencies(doc, ["c2"], "gì", desk.closing_ms(date(2026, 10, 15)))
    assert [(p.key, str(p.code)) for p in done.problems] == [("han", "after_due")]
    with pytest.raises(NotAllowed):
        desk.ask_agencies(doc, ["c2"], "gì nữa", good)


# -------------------------------------------------------------------------------------------- fees


def test_fees_are_due_paid_waived_and_settled_by_quarter(
    commune: Commune, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is due is counted by the catalogue; a payment names its receipt; the quarter's list adds up."""
    desk = commune.desk(commune.place("pc1"))
    one, two = take(desk, COPY), take(desk, COPY)
    for odd in (-3, 10**9):
        with pytest.raises(Unready) as caught:
            desk.charge(one, "phai_nop", units=odd)
        assert [problem.key for problem in caught.value.problems] == ["so_luong"]
    with pytest.raises(Unready):
        desk.charge(one, "phai_nop", units=4, copies=0)
    desk.charge(one, "phai_nop", units=4, copies=2)  # twice 2 × 2.000 đ and 2 × 1.000 đ
    with pytest.raises(Unready) as caught:
        desk.charge(one, "da_nop")
    assert [problem.key for problem in caught.value.problems] == ["bien_lai"]
    desk.charge(one, "da_nop", receipt="BL 0001")
    assert desk.fees(one).balance == (12_000, 12_000, 0)
    sheet = commune.folder / "giay.txt"
    run(
        shell(capsys, commune, desk),
        "print",
        desk.show(one).code,
        "--form",
        "01",
        "--text",
        "--out",
        str(sheet),
    )
    assert "Phải nộp 12.000 đ, đã nộp 12.000 đ" in " ".join(sheet.read_text(encoding="utf-8").split())
    desk.charge(two, "phai_nop", units=1)
    desk.charge(two, "da_nop", receipt="BL 0002", amount_vnd=500)
    desk.charge(two, "huy", amount_vnd=500, reason="Gõ nhầm")
    found = desk.settlement(date(2026, 7, 1), date(2026, 9, 30))
    (row,) = found.rows
    assert row == (COPY, row.name, 2, 2, 14_000, 0, 12_000, 2_000)
    assert found.total[2:] == row[2:]
    assert found.open_codes == (desk.show(two).code,)
    line = shell(capsys, commune, desk)
    code = desk.show(two).code
    assert "còn 0 đ" in run(line, "fee", code, "waived", "--reason", "Hộ nghèo")
    said = run(line, "fees")
    assert "từ 01/07/2026 đến 30/09/2026" in said
    assert "đã nộp 12.000 đ, còn 0 đ" in said
    lines = [line.text for item in desk.show(two).timeline for line in item.lines if line.kind == "note"]
    assert lines[1:3] == ["đã nộp 500 đ, biên lai BL 0002", "hủy, hoàn lại 500 đ (Gõ nhầm)"]
    assert desk.settlement(date(2026, 4, 1), date(2026, 6, 30)).rows == ()


def test_a_fee_that_the_catalogue_cannot_count_is_never_zero(commune: Commune) -> None:
    """Where the province sets the fee, somebody names the amount; nothing is taken for free."""
    desk = commune.desk(commune.place("pc1"))
    doc = take(desk, "1.004873")
    with pytest.raises(Unready) as caught:
        desk.charge(doc, "phai_nop", units=1)
    assert [problem.key for problem in caught.value.problems] == ["so_tien"]
    for kind in ("da_nop", "mien"):  # before anybody noted how much is due
        with pytest.raises(Unready) as caught:
            desk.charge(doc, kind, receipt="BL 0003", reason="Hộ nghèo")
        assert [problem.key for problem in caught.value.problems] == ["so_tien"]
    desk.charge(doc, "phai_nop", amount_vnd=15_000)
    balance = desk.show(doc).balance
    assert balance
    assert balance.open == 15_000


# ------------------------------------------------------------------------------------------ reasons


def test_a_date_says_why_also_when_the_calendar_has_changed(
    commune: Commune, capsys: pytest.CaptureFixture[str]
) -> None:
    """Day by day as it was counted; a newer calendar is told, with what it would give, and moves nothing."""
    desk = commune.desk(commune.place("pc1"))
    doc = take(desk, GUARDIAN)
    before = list(why_words(desk.why(doc)))
    assert before[0].startswith("Hẹn trả 17:00 24/09/2026; tính từ 21:13 21/09/2026 (tiếp nhận)")
    assert "  T2 21/09/2026  không tính, nhận khi đã hết giờ làm việc" in before
    assert sum("tính 8 giờ" in line for line in before) == 3
    off = DayRow(date(2026, 9, 23), DayKind.DAY_OFF, "Nghỉ bù", Certainty.SOURCED)
    rows = tuple(sorted((*shipped_calendar().rows, off), key=lambda row: row.date))
    commune.province.publish_files(
        desk.store, holidays__csv=write_calendar(replace(shipped_calendar(), version=2, rows=rows))
    )
    after = list(why_words(desk.why(doc)))
    assert after[:-1] == before
    assert after[-1].startswith("Lịch nghỉ đã có bản mới; theo lịch mới sẽ là 17:00 25/09/2026. Ngày đã hẹn")
    assert run(shell(capsys, commune, desk), "why", desk.show(doc).code).splitlines()[1:] == after


def test_each_internal_step_has_its_date_and_says_when_it_is_late(commune: Commune) -> None:
    """Steps share the time out one after the other; a step that ended late, or still runs, is marked."""
    desk = commune.desk(commune.place("pc1"))
    doc = take(desk, "1.001731")
    first, second = desk.show(doc).steps
    assert (first.step.tier, second.step.tier) == ("commune", "district")
    assert first.due_ms == desk.closing_ms(date(2026, 9, 23))
    assert second.due_ms == desk.show(doc).view.due_ms
    assert (first.is_current, first.is_late, second.is_current) == (True, False, False)
    act(desk, doc, "handover", "receive")
    commune.province.clock_ms += 3 * DAY_MS
    assert desk.show(doc).steps[0].is_late
    desk.transfer(doc, "d1")
    first, second = desk.show(doc).steps
    assert first.done_ms
    assert (first.is_late, second.is_current, second.is_late) == (True, True, False)
    # On the control slip the step that ended with the transfer is late, and the handover was not.
    slip = desk.print_forms([doc], "control_slip", commune.folder, Manner(is_text=True)).path
    said = slip.read_text(encoding="utf-8")
    assert (said.count("|Quá "), said.count("|Trước")) == (1, 1)
