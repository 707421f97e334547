"""The desk: drafts that lose nothing, codes that never collide, disputes with base and sides."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from commune_client.cli.rows import row_lines
from commune_client.desk.base import Unready
from commune_client.desk.desk import Desk
from commune_client.desk.line import whole_address
from commune_client.messages import REASONS, explain
from commune_client.screens.told import tone
from commune_client.theme import StateStyle
from onestop_sync.dossier.checks import Issue
from onestop_sync.errors import (
    ClockSuspect,
    InvalidInput,
    NotAllowed,
    NotFound,
    StoreMissing,
    Unreachable,
    WrongPassphrase,
)
from tests.province import Machine
from tests.unit.cli_world import ALL, BIRTH, PASSPHRASE, VALUES, Commune, act, checklist, exchange, take_in

DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def commune(tmp_path: Path) -> Iterator[Commune]:
    """A province with its administrator."""
    made = Commune(tmp_path)
    yield made
    made.close()


def test_a_machine_before_its_answer_says_what_it_waits_for(commune: Commune) -> None:
    """A machine that was set up but not certified opens no store, and says which command comes next."""
    place = commune.request("pc1")
    with pytest.raises(StoreMissing) as caught:
        place.unlock("An", PASSPHRASE)
    assert "onestop enrol" in explain(caught.value).text


def test_the_wrong_passphrase_opens_nothing(commune: Commune) -> None:
    """A wrong passphrase is told as such."""
    place = commune.place("pc1")
    with pytest.raises(WrongPassphrase):
        place.unlock("An", "một mật khẩu khác")


def test_a_draft_keeps_what_was_typed_wrong_as_it_may_be(commune: Commune) -> None:
    """A saved draft is there after closing, with an incomplete phone number and all."""
    place = commune.place("pc1")
    desk = place.unlock("An", PASSPHRASE)
    draft = desk.new_draft(BIRTH)
    desk.save_draft(draft.doc, {"nguoi_nop": "Trần Văn Đức", "dien_thoai": "09"})
    desk.close()
    again = commune.desk(place).draft(draft.doc)
    assert (again.values["nguoi_nop"], again.values["dien_thoai"]) == ("Trần Văn Đức", "09")
    assert (Issue.PHONE, "dien_thoai") in {(p.code, p.key) for p in again.problems}
    assert not again.is_ready


def test_saving_only_what_changed_keeps_the_rest(commune: Commune) -> None:
    """A partial save changes no other field, an unchanged one writes no event, and an empty one clears."""
    desk = commune.desk(commune.place("pc1"))
    doc = desk.new_draft(BIRTH, {"nguoi_nop": "An", "loai_doi_tuong": "to_chuc"}).doc
    desk.save_draft(doc, {"dia_chi": "Thôn Đoài"})
    events = len(desk.show(doc).timeline)
    draft = desk.save_draft(doc, {"dia_chi": "Thôn Đoài"})
    assert len(desk.show(doc).timeline) == events
    assert draft.values["loai_doi_tuong"] == "to_chuc"
    assert desk.save_draft(doc, {"dia_chi": ""}).values["dia_chi"] == ""


def test_papers_that_are_taken_off_the_list_are_missing_again(commune: Commune) -> None:
    """A checklist is the whole list: what it does not name any more is not here."""
    desk = commune.desk(commune.place("pc1"))
    draft = desk.new_draft(BIRTH, VALUES, checklist(desk := desk))
    assert draft.is_ready
    assert not desk.save_draft(draft.doc, {}, {}).is_ready


def test_what_no_dossier_can_hold_is_refused_whole(commune: Commune) -> None:
    """A value that is too long is named, and nothing of the save is written."""
    desk = commune.desk(commune.place("pc1"))
    doc = desk.new_draft(BIRTH).doc
    with pytest.raises(Unready) as caught:
        desk.save_draft(doc, {"dia_chi": "Thôn Đoài", "nguoi_nop": "x" * 10_000})
    assert [problem.key for problem in caught.value.problems] == ["nguoi_nop"]
    assert "dia_chi" not in desk.draft(doc).values


def test_acceptance_gives_code_due_date_and_event_together(commune: Commune) -> None:
    """An accepted draft has the first serial of the block and a due date, and keeps profile and calendar."""
    desk = commune.desk(commune.place("pc1"))
    draft = desk.new_draft(BIRTH, VALUES, checklist(desk))
    accepted = desk.intake(draft.doc)
    assert accepted.code == "000.01.01.H99-260921-0001"
    facts = desk.show(draft.doc).view.due_facts
    assert facts is not None
    assert (facts["ms"], facts["quy_dinh"]) == (accepted.due_ms, "nd118-2025")
    assert facts["lich"] == desk.rules.calendar.version


def test_a_refused_intake_uses_up_no_serial(commune: Commune) -> None:
    """What is wrong with a dossier leaves no hole in the day's numbers."""
    desk = commune.desk(commune.place("pc1"))
    with pytest.raises(Unready):
        desk.intake_new(BIRTH, {"nguoi_nop": "An"})
    accepted = desk.intake_new(BIRTH, VALUES, checklist(desk))
    assert accepted.code.endswith("-0001")


def test_two_machines_of_a_commune_never_give_the_same_code(commune: Commune) -> None:
    """Machines that cannot see each other number from their own blocks."""
    codes = [
        desk.intake_new(BIRTH, VALUES, checklist(desk)).code
        for desk in (commune.desk(commune.place("pc1")), commune.desk(commune.place("pc2")))
        for _ in range(3)
    ]
    assert len(set(codes)) == len(codes)


def test_a_restored_machine_numbers_from_its_spare_block(commune: Commune) -> None:
    """A database put back from a copy issues no code twice; when the spares are gone it says so."""
    place = commune.place("pc1")
    place.unlock("An", PASSPHRASE).close()
    copy = place.folder.parent / "copy.db"
    shutil.copy(place.folder / "store.db", copy)
    codes = []
    for _ in range(2):
        desk = place.unlock("An", PASSPHRASE)
        codes.append(desk.intake_new(BIRTH, VALUES, checklist(desk)).code)
        desk.close()
        _put_back(place.folder, copy)
        place.unlock("An", PASSPHRASE).close()
        shutil.copy(place.folder / "store.db", copy)
    assert [code.rpartition("-")[2] for code in codes] == ["0001", "0501"]
    desk = commune.desk(place)
    with pytest.raises(NotAllowed) as caught:
        desk.intake_new(BIRTH, VALUES, checklist(desk))
    assert caught.value.details["reason"] == "no_block"


def _put_back(folder: Path, copy: Path) -> None:
    for name in ("store.db-wal", "store.db-shm"):
        (folder / name).unlink(missing_ok=True)
    shutil.copy(copy, folder / "store.db")


def test_a_full_block_says_where_to_go(commune: Commune) -> None:
    """When the day's serials are used up, intake is refused with that reason, and nothing was written."""
    place = commune.place("pc1")
    desk = commune.desk(place)
    with desk.store.writing():
        for _ in range(500):
            desk.store.next_serial("code:1", desk.today().isoformat())
    with pytest.raises(NotAllowed) as caught:
        desk.intake_new(BIRTH, VALUES, checklist(desk))
    assert caught.value.details["reason"] == "serials_exhausted"
    assert desk.count() == 0


@pytest.mark.parametrize("days", [-365, -1, 60])
def test_a_clock_that_jumped_is_confirmed_before_a_code_is_issued(commune: Commune, days: int) -> None:
    """After a jump of the clock, drafts go on, a code waits until an official names the day."""
    desk = commune.desk(commune.place("pc1"))
    take_in(desk)
    commune.province.clock_ms += days * DAY_MS
    draft = desk.new_draft(BIRTH, VALUES, checklist(desk))
    again = commune.desk(desk.place)
    with pytest.raises(ClockSuspect):
        again.intake(draft.doc)
    with pytest.raises(InvalidInput):
        again.confirm_date(date(1999, 1, 1))
    again.confirm_date(again.today())
    assert again.intake(draft.doc).code.split("-")[1] == again.today().strftime("%y%m%d")


def test_a_clock_that_was_wrong_once_is_not_asked_about_every_day(commune: Commune) -> None:
    """After a jump of years ahead and back, one confirmation is enough until the next jump."""
    place = commune.place("pc1")
    desk = commune.desk(place)
    commune.province.clock_ms += 5 * 365 * DAY_MS
    desk.new_draft(BIRTH)
    commune.province.clock_ms -= 5 * 365 * DAY_MS
    assert desk.clock().is_suspect
    desk.confirm_date(desk.today())
    for _ in range(3):
        commune.province.clock_ms += DAY_MS
        assert not commune.desk(place).clock().is_suspect


def test_the_four_steps_on_the_spot(commune: Commune) -> None:
    """Taken in, appraised, approved and returned by four officers of one machine, each with an own key."""
    place = commune.place("pc1", "Thu", ["tiep_nhan"])
    for name, role in (("Thẩm", "tham_dinh"), ("Phê", "phe_duyet"), ("Trả", "tra_ket_qua")):
        commune.colleague(place, name, [role])
    desk = commune.desk(place, "Thu")
    doc = take_in(desk)
    desk.handover(doc)
    desk.unlock("Thẩm", PASSPHRASE)
    desk.receive(doc)
    desk.appraise(doc, "đủ điều kiện", "Giấy khai sinh")
    desk.unlock("Phê", PASSPHRASE)
    act(desk, doc, "approve", "handover")
    desk.unlock("Trả", PASSPHRASE)
    act(desk, doc, "receive", "return_result")
    dossier = desk.show(doc)
    assert dossier.view.portal_status == 10
    assert [item.who for item in dossier.timeline] == [
        "Thu",
        "Thu",
        "Thẩm",
        "Thẩm",
        "Phê",
        "Phê",
        "Trả",
        "Trả",
    ]
    assert dossier.values["nguoi_nhan"] == VALUES["nguoi_nop"]


def test_an_officer_without_the_role_is_refused_with_the_reason(commune: Commune) -> None:
    """Who may not approve is told so before anything is written."""
    place = commune.place("pc1", "Thu", ["tiep_nhan", "tham_dinh"])
    desk = commune.desk(place)
    doc = take_in(desk)
    act(desk, doc, "handover", "receive", "appraise")
    with pytest.raises(NotAllowed) as caught:
        desk.approve(doc)
    assert "vai trò" in explain(caught.value).text
    assert not {"approve", "reject"} & {choice.action for choice in desk.show(doc).choices}


def test_a_locked_desk_signs_nothing(commune: Commune) -> None:
    """After locking, reading goes on and writing waits for the passphrase."""
    desk = commune.desk(commune.place("pc1"))
    doc = take_in(desk)
    desk.lock()
    assert desk.show(doc).code
    with pytest.raises(NotAllowed):
        desk.handover(doc)
    desk.unlock("An", PASSPHRASE)
    assert desk.handover(doc).step == "given"


def test_a_key_that_nobody_certified_writes_nothing(commune: Commune) -> None:
    """An officer who was added but not certified can look, and is told why not more."""
    from commune_client.desk.enrolment import add_officer

    place = commune.place("pc1")
    add_officer(place, place.secrets("An", PASSPHRASE), "c1", "pc1", "Bình", PASSPHRASE, ["tiep_nhan"])
    desk = commune.desk(place, "Bình")
    assert not desk.officer.is_certified
    with pytest.raises(NotAllowed) as caught:
        desk.new_draft(BIRTH)
    assert caught.value.details["reason"] == "authority"


def test_a_supplement_moves_the_due_date_as_the_profile_says(commune: Commune) -> None:
    """While the applicant is awaited no deadline runs; afterwards the limit starts anew."""
    desk = commune.desk(commune.place("pc1"))
    doc = take_in(desk)
    act(desk, doc, "handover", "receive")
    before = desk.show(doc).view.due_ms
    desk.supplement(doc, "thiếu giấy", "bản chính giấy chứng sinh")
    assert desk.show(doc).view.due is None
    commune.province.clock_ms += 5 * DAY_MS
    desk.supply(doc)
    after = desk.show(doc).view.due_ms
    assert before is not None
    assert after is not None
    assert after > before


def test_the_one_new_appointment(commune: Commune) -> None:
    """A new date is given once, a supplement asked for once; a second one is refused by that reason."""
    desk = commune.desk(commune.place("pc1"))
    doc = take_in(desk)
    act(desk, doc, "handover", "receive")
    with pytest.raises(Unready):
        desk.extend(doc, "chờ xác minh", desk.closing_ms(date(2026, 9, 27)))
    new_ms = desk.closing_ms(date(2026, 9, 25))
    desk.extend(doc, "chờ xác minh", new_ms)
    assert desk.show(doc).view.due_ms == new_ms
    with pytest.raises(NotAllowed) as caught:
        desk.extend(doc, "nữa", desk.closing_ms(date(2026, 9, 30)))
    assert "chỉ cho hẹn lại một lần" in explain(caught.value).text
    desk.supplement(doc, "Thiếu giấy tờ", "Nộp đủ")
    desk.supply(doc)
    act(desk, doc, "handover", "receive")
    with pytest.raises(NotAllowed) as caught:
        desk.supplement(doc, "Còn thiếu", "Nộp thêm")
    assert "chỉ cho yêu cầu một lần" in explain(caught.value).text


def test_a_page_ends_where_the_next_begins(commune: Commune) -> None:
    """Pages by key show every dossier once, in either order."""
    desk = commune.desk(commune.place("pc1"))
    docs = {take_in(desk, nguoi_nop=f"Người {n}") for n in range(7)}
    for order in ("due", "new"):
        found, after = [], None
        while True:
            page = desk.dossiers(order=order, after=after, limit=3)
            found += [row.doc for row in page.rows]
            after = page.after
            if after is None:
                break
        assert len(found) == len(docs)
        assert set(found) == docs


def test_search_needs_no_marks(commune: Commune) -> None:
    """A name is found without marks, and a dossier by its serial: today's where several days have it."""
    desk = commune.desk(commune.place("pc1"))
    doc = take_in(desk, nguoi_nop="Đặng Đường Hường")
    other = take_in(desk)
    assert [row.doc for row in desk.dossiers("dang duong").rows] == [doc]
    assert desk.find("0001") == doc
    assert desk.find(desk.show(other).code.lower()) == other
    assert desk.find(doc.hex()) == doc
    commune.province.clock_ms += DAY_MS
    assert desk.find("2") == other
    _, newer = (take_in(desk) for _ in range(2))
    assert desk.find("2") == newer
    commune.province.clock_ms += DAY_MS
    with pytest.raises(InvalidInput):
        desk.find("2")
    with pytest.raises(NotFound):
        desk.find("000.01.01.H99-260921-0009")


def _fork(commune: Commune) -> tuple[bytes, Desk, Desk, Machine]:
    """Two machines edit one phone number, one of them the e-mail address too, cut off from each other."""
    hub = commune.hub()
    one = commune.desk(commune.place("pc1", "An", ALL))
    two = commune.desk(commune.place("pc2", "Bình", ALL))
    doc = take_in(one)
    for desk in (one, two):
        exchange(desk.store, hub.store)
    one.edit(doc, {"dien_thoai": "0911111111"})
    two.edit(doc, {"dien_thoai": "0922222222", "email": "a@b.vn"})
    for desk in (one, two, one):
        exchange(desk.store, hub.store)
    return doc, one, two, hub


def test_a_conflict_shows_base_sides_who_and_when(commune: Commune) -> None:
    """A conflict has what both had seen and each side with its author, the same on both machines."""
    doc, one, two, _ = _fork(commune)
    shown = [desk.conflict(doc, "dien_thoai") for desk in (one, two)]
    assert {(d.kind, d.base_text, d.is_legal, d.why_not) for d in shown} == {
        ("conflict", "0912345678", True, "")
    }
    sides = [[(side.who, side.text) for side in dispute.sides] for dispute in shown]
    assert sides[0] == sides[1]
    assert sorted(sides[0]) == [("An", "0911111111"), ("Bình", "0922222222")]
    assert [side.who for side in shown[0].sides if side.is_mine] == ["An"]


def test_a_settled_conflict_is_settled_everywhere(commune: Commune) -> None:
    """A resolution names both writes, with a reason; afterwards all stores show the same."""
    doc, one, two, hub = _fork(commune)
    dispute = one.conflict(doc, "dien_thoai")
    side = next(side for side in dispute.sides if side.who == "Bình")
    one.choose(doc, "dien_thoai", side.event, "gọi điện hỏi lại")
    for desk in (one, two):
        exchange(desk.store, hub.store)
        assert desk.conflicts(doc) == []
        assert desk.form(doc)[0]["dien_thoai"] == "0922222222"
        with pytest.raises(NotFound):
            desk.resolve(doc, "dien_thoai", "x", "muộn")


def test_a_late_write_waits_to_be_adopted_or_declined(commune: Commune) -> None:
    """An edit that did not know of the handover is shown as late, with what stands, and can be adopted."""
    hub = commune.hub()
    one = commune.desk(commune.place("pc1", "An", ALL))
    two = commune.desk(commune.place("pc2", "Bình", ALL))
    doc = take_in(one)
    for desk in (one, two):
        exchange(desk.store, hub.store)
    act(one, doc, "handover", "receive")
    two.edit(doc, {"dia_chi": "Thôn Đông"})
    for desk in (two, one):
        exchange(desk.store, hub.store)
    dispute = one.conflict(doc, "dia_chi")
    assert (dispute.kind, dispute.now_text, [side.text for side in dispute.sides if side.kind == "late"]) == (
        "late", "Thôn Đoài", ["Thôn Đông"],
    )  # fmt: skip
    late = next(side for side in dispute.sides if side.kind == "late")
    one.choose(doc, "dia_chi", late.event, "đúng là Thôn Đông")
    assert one.form(doc)[0]["dia_chi"] == "Thôn Đông"
    exchange(one.store, hub.store)
    exchange(two.store, hub.store)
    assert two.conflicts(doc) == []


def test_a_disputed_step_is_settled_in_favour_of_one_branch(commune: Commune) -> None:
    """Two different actions at one step leave it where it was until the head chooses."""
    hub = commune.hub()
    one = commune.desk(commune.place("pc1", "An", ALL))
    two = commune.desk(commune.place("pc2", "Bình", ALL))
    doc = take_in(one)
    act(one, doc, "handover", "receive", "appraise")
    for desk in (one, two):
        exchange(desk.store, hub.store)
    one.approve(doc, "Giấy khai sinh")
    two.send_back(doc, "thiếu ý kiến")
    for desk in (one, two, one):
        exchange(desk.store, hub.store)
    dispute = one.conflict(doc, "task:main")
    assert (dispute.kind, dispute.base_text) == ("task", "Chờ phê duyệt")
    assert {side.text for side in dispute.sides} == {"Phê duyệt", "Trả lại thẩm định"}
    approved = next(side for side in dispute.sides if side.who == "An")
    assert one.choose(doc, "task:main", approved.event, "đã đủ").step == "approved"


def test_the_timeline_tells_how_far_each_event_has_got(commune: Commune) -> None:
    """Before a sync everything is here only; afterwards at the hub, and the status says that all is sent."""
    hub = commune.hub()
    desk = commune.desk(commune.place("pc1"))
    doc = take_in(desk)
    assert (desk.show(doc).level, desk.status().unsent) != ("hub", 0)
    exchange(desk.store, hub.store)
    assert desk.show(doc).level == "hub"
    facts = desk.status()
    assert (facts.unsent, facts.is_online, facts.oldest_unsent_ms) == (0, True, None)


def test_notices_tell_what_changed_after_the_fact(commune: Commune) -> None:
    """Who wrote one side of a conflict finds it among the notices until it is marked as seen."""
    _, one, _, _ = _fork(commune)
    found = one.notices()
    assert [(notice.who, notice.before, notice.after) for notice in found] == [("An", "stands", "conflict")]
    one.mark_seen([notice.n for notice in found])
    assert one.notices() == []


def test_a_transfer_goes_to_a_unit_by_any_of_its_names(commune: Commune) -> None:
    """The receiving unit is named by id, agency code or name; an unknown one is refused."""
    desk = commune.desk(commune.place("pc1"))
    for name in ("d1", "000.00.01.H99", "huyen mot"):
        doc = take_in(desk)
        desk.transfer(doc, name)
        assert desk.show(doc).view.unit == "d1"
    with pytest.raises(NotFound):
        desk.transfer(take_in(desk), "Huyện Không Có")


def test_a_bundle_carries_the_work_to_the_parent_and_acks_back(commune: Commune, tmp_path: Path) -> None:
    """What a machine without a line exports is stored by the parent; the answer makes it delivered."""
    hub = commune.hub()
    desk = commune.desk(commune.place("pc1"))
    exchange(desk.store, hub.store)
    doc = take_in(desk)
    facts = desk.export(tmp_path)
    from onestop_sync import export_bundle, import_bundle

    taken = import_bundle(hub.store, Path(facts.path))
    assert taken.stored >= 1
    answer = export_bundle(hub.store, tmp_path / "answer.onestop", recipients=[taken.sender])
    desk.import_(answer.path)
    assert desk.show(doc).level == "hub"


def test_a_stick_that_takes_nothing_is_not_called_a_line_that_is_down(
    commune: Commune, tmp_path: Path
) -> None:
    """Export to a folder that is not there speaks of the stick and of the kept work, not of the line."""
    hub = commune.hub()
    desk = commune.desk(commune.place("pc1"))
    exchange(desk.store, hub.store)
    with pytest.raises(Unreachable) as caught:
        desk.export(tmp_path / "not there" / "stick.onestop")
    told = explain(caught.value)
    assert told.what == REASONS["stick"]
    assert "vẫn được giữ" in told.todo
    assert tone(caught.value) is StateStyle.LATE
    assert tone(Unreachable("Nobody answers.")) is StateStyle.PLAIN


def test_a_row_is_whole_for_a_program_and_cut_for_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Piped, a row of a list is one line with every letter; in a narrow window the title is below, cut."""
    facts, title = f"{'000.17.22.H56-260905-0007':<28}  còn 3 ngày", "Nguyễn Thị Hường – " + "thủ tục " * 30
    assert list(row_lines(facts, title)) == [f"{facts} {title}".rstrip()]
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((80, 24)))
    first, second = row_lines(facts, title)
    assert (first, len(second), second[-1]) == (facts, 80, "~")
    assert second.startswith("    Nguyễn Thị Hường – thủ tục")
    assert list(row_lines(facts, "Ngắn")) == [f"{facts} Ngắn"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (" may-chu.example.vn ", "https://may-chu.example.vn"),
        ("may-chu.example.vn:8420", "https://may-chu.example.vn:8420"),
        ("http://192.168.1.5:8420", "http://192.168.1.5:8420"),
        ("", ""),
    ],
)
def test_an_address_may_leave_out_what_everybody_leaves_out(typed: str, meant: str) -> None:
    """Who types a server's name alone means https; what says how is left as it is."""
    assert whole_address(typed) == meant
