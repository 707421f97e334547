"""Who owns what in a dossier, and what becomes of edits that did not know of each other."""

from __future__ import annotations

from typing import Any

import pytest

from onestop_sync.dossier import roles
from onestop_sync.dossier.labels import FIELD_LABELS, field_label
from onestop_sync.dossier.schema import DOSSIER, NAME_MAX
from onestop_sync.dossier.workflow import MAIN_TASK, OPEN, STEPS, base_step, is_extended
from onestop_sync.fold import Entry, Reason, Standing, conflicts, judge
from onestop_sync.schema import MAIN
from tests.unit.dossier_world import (
    APPRAISER,
    APPROVER,
    CHIEF,
    CLERK,
    CLERK_2,
    D_APPRAISER,
    D_CHIEF,
    DESK,
    TO_APPRAISAL,
    TO_APPROVAL,
    TO_DISTRICT,
    World,
    officer,
)

DECIDE = ((D_APPRAISER, "receive"), (D_APPRAISER, "submit"), (D_CHIEF, "approve"))


def test_fields_have_names_and_owners_that_exist() -> None:
    """Every field has a Vietnamese name, its owners' steps and roles exist, and the head resolves."""
    known = roles.OFFICERS | {roles.HEAD, roles.PORTAL}
    for field in DOSSIER.fields:
        assert field.name in FIELD_LABELS
        if field.task == MAIN:
            assert set(field.owners) <= set(STEPS), field.name
            assert field.resolvers == {roles.HEAD}
        assert all(owners <= known for owners in field.owners.values())
    assert field_label("giay_to/Tờ khai") == "Giấy tờ: Tờ khai"
    assert field_label("task:main") == "Bước xử lý"
    assert field_label("task:agency:cax") == "Bước xử lý (cax)"


def test_due_date_belongs_to_nobody_after_acceptance_except_where_the_law_moves_it() -> None:
    """After acceptance only an incoming supplement or a possible extension lets the due date be written."""
    spec = DOSSIER.field("han_tra")
    assert spec is not None
    for step in STEPS:
        base = base_step(step)
        may = base in {"draft", "incomplete", "supplement"}
        may |= base in {"appraisal", "approval"} and not is_extended(step)
        assert (step in spec.owners) == may, step
    world = World()
    at = world.path(world.root, *TO_APPROVAL)
    date: list[Any] = ["set", "han_tra", {"ms": 9}]
    extension = ["act", "main", "extend", {"ly_do": "vì", "han_moi": 9}]
    assert world.judge(APPROVER, date) is Reason.OWNER
    other = ["act", "main", "send_back", {"ly_do": "vì"}]
    for ops, reason in (([extension, date], None), ([date, other], Reason.OWNER)):
        assert judge(DOSSIER, world.state, Entry(b"?", (at.id,), ops, APPROVER, 0)) == reason


def test_content_has_one_owner_at_every_open_step_and_none_after() -> None:
    """What the applicant brought belongs to one desk at a time, and to nobody once it is decided."""
    spec = DOSSIER.field("noi_dung")
    assert spec is not None
    assert {base_step(s) for s in spec.owners} == OPEN
    assert {"incomplete", "given"} <= {s for s, r in spec.owners.items() if r == {roles.INTAKE}}
    assert spec.owners[MAIN_TASK.initial] == {roles.INTAKE, roles.PORTAL}


def test_a_portal_files_a_draft_and_writes_nothing_after_it() -> None:
    """An integration files what a citizen sent, and neither accepts, edits nor notes anything but ratings."""
    portal = officer("x01", roles.PORTAL)
    filed: list[Any] = [["set", "nguoi_nop", "Nguyễn A"], ["set", "nguon", {"cach": "cong", "ma": "1"}]]
    assert judge(DOSSIER, None, Entry(b"", (), filed, portal, 0)) is None
    for beyond in (["act", "main", "accept", {}], ["set", "ma_ho_so", "X"], ["set", "han_tra", {"ms": 1}]):
        assert judge(DOSSIER, None, Entry(b"", (), [*filed, beyond], portal, 0)) is not None
    world = World()
    for op in (
        ["set", "nguoi_nop", "B"],
        ["note", "ghi_chu", "x"],
        ["set", "cach_nhan", "x"],
        ["note", 1, 2],
    ):
        assert world.judge(portal, op) is Reason.ROLE
    rating = ["note", "danh_gia", {"diem": 2}]
    assert world.judge(portal, rating) is None
    assert world.judge(portal, rating, ["note", "ghi_chu", "x"]) is Reason.ROLE
    assert world.judge(officer("x02", roles.PORTAL), rating) is Reason.UNIT
    assert world.judge(officer("x01", roles.PORTAL, roles.INTAKE), ["set", "nguoi_nop", "B"]) is None


def test_contact_edits_of_one_commune_merge_or_conflict() -> None:
    """Contacts edited in parallel across a commune's handover merge, or conflict on the same field."""
    world = World()
    accepted = world.path(world.root, (CLERK, "accept"))
    mine = world.put([accepted], CLERK_2, "dien_thoai", "0987000111")
    other = world.put([mine], CLERK_2, "email", "huong@vi.vn")
    received = world.path(accepted, (CLERK, "give"), (APPRAISER, "receive"))
    theirs = world.put([received], APPRAISER, "dien_thoai", "0987000222")
    assert conflicts(DOSSIER, world.state) == ["dien_thoai"]
    assert sorted(world.live("dien_thoai")) == ["0987000111", "0987000222"]
    assert (world.standing(mine), world.standing(theirs)) == (Standing.CONFLICT, Standing.CONFLICT)
    assert world.live("email") == ["huong@vi.vn"]
    assert world.judge(APPRAISER, ["set", "dien_thoai", "0"]) is Reason.CONFLICT
    names = sorted([mine.id, theirs.id])
    op = ["resolve", "dien_thoai", "0987000222", "đã gọi lại người nộp", names]
    world.add([other, theirs], [op], APPRAISER)
    assert conflicts(DOSSIER, world.state) == []
    assert world.live("dien_thoai") == ["0987000222"]


def test_everyone_may_change_how_the_result_is_received() -> None:
    """A commune's edit of how the result is received merges with the district's decision, and is not late."""
    world = World()
    sent = world.path(world.root, *TO_DISTRICT)
    world.path(sent, *DECIDE)
    edit = world.put([sent], CLERK, "cach_nhan", "buu_chinh")
    assert world.standing(edit) is Standing.STANDS
    assert world.state.value("cach_nhan") == "buu_chinh"
    assert world.state.tasks[MAIN].step == "approved"
    assert conflicts(DOSSIER, world.state) == []


def test_commune_and_district_differ_on_a_field_of_both() -> None:
    """A field of both units that both write is a conflict, which either settles with a reason."""
    world = World()
    sent = world.path(world.root, *TO_DISTRICT)
    here = world.put([sent], CLERK, "cach_nhan", "truc_tiep")
    decided = world.path(world.put([sent], D_APPRAISER, "cach_nhan", "buu_chinh"), *DECIDE)
    assert conflicts(DOSSIER, world.state) == ["cach_nhan"]
    ids = [event_id for event_id, _ in world.state.registers["cach_nhan"].live]
    assert world.judge(CLERK, ["resolve", "cach_nhan", "truc_tiep", " ", ids]) is Reason.ARGUMENT
    world.add([here, decided], [["resolve", "cach_nhan", "truc_tiep", "người dân hẹn", ids]], CLERK)
    assert conflicts(DOSSIER, world.state) == []


def test_edit_of_another_field_is_late_and_waits_to_be_adopted() -> None:
    """What the commune edited without seeing the transfer waits until the district adopts or declines it."""
    world = World()
    accepted = world.path(world.root, (CLERK, "accept"))
    decided = world.path(accepted, (CLERK, "transfer"), *DECIDE)
    late = world.put([accepted], CLERK_2, "dien_thoai", "0987000111")
    assert world.standing(late) is Standing.LATE
    assert world.live("dien_thoai") == ["0912345678"]
    assert conflicts(DOSSIER, world.state) == ["dien_thoai"]
    op = ["resolve", "dien_thoai", "0987000111", "theo xã báo", [late.id, world.root.id]]
    assert world.judge(CLERK, op) is Reason.OWNER
    world.add([decided, late], [op], D_APPRAISER)
    assert world.live("dien_thoai") == ["0987000111"]
    assert conflicts(DOSSIER, world.state) == []


def test_district_overrules_what_did_not_know_of_the_transfer() -> None:
    """A field that the district has written stays so, and the commune's edit is marked overruled."""
    world = World()
    accepted = world.path(world.root, (CLERK, "accept"))
    received = world.path(accepted, (CLERK, "transfer"), (D_APPRAISER, "receive"))
    owned = world.put([received], D_APPRAISER, "noi_dung", "Trợ cấp xã hội hằng tháng")
    world.path(owned, (D_APPRAISER, "submit"), (D_CHIEF, "approve"))
    unaware = world.put([accepted], CLERK_2, "noi_dung", "Trợ cấp mai táng")
    assert world.standing(unaware) is Standing.OVERRULED
    assert world.state.registers["noi_dung"].overruled == ((unaware.id, "Trợ cấp mai táng", owned.id),)
    assert world.live("noi_dung") == ["Trợ cấp xã hội hằng tháng"]
    assert conflicts(DOSSIER, world.state) == []


def test_difference_before_the_handover_stays_a_conflict_after_it() -> None:
    """Edits that differ before the transfer, and that it saw, are one conflict, the district's to settle."""
    world = World()
    accepted = world.path(world.root, (CLERK, "accept"))
    one = world.put([accepted], CLERK, "noi_dung", "A")
    two = world.put([accepted], CLERK_2, "noi_dung", "B")
    sent = world.act([one, two], CLERK, "transfer", to="h01")
    received = world.path(sent, (D_APPRAISER, "receive"))
    assert conflicts(DOSSIER, world.state) == ["noi_dung"]
    op = ["resolve", "noi_dung", "B", "theo tờ khai", sorted([one.id, two.id])]
    assert world.judge(CLERK, op) is Reason.OWNER
    world.add([received], [op], D_APPRAISER)
    assert (world.live("noi_dung"), conflicts(DOSSIER, world.state)) == (["B"], [])


def test_commune_cannot_write_what_it_knows_is_the_districts() -> None:
    """After the transfer the commune's edit of a field is refused at once, with the reason."""
    world = World()
    world.path(world.root, *TO_DISTRICT)
    assert world.judge(CLERK, ["set", "noi_dung", "khác"]) is Reason.OWNER
    assert world.judge(CLERK, ["note", "ghi_chu", "Người dân gọi hỏi"]) is None


def test_approval_seals_the_dossier() -> None:
    """An edit that the approver had not seen, also of contacts, waits outside the decided dossier."""
    world = World()
    submitted = world.path(world.root, *TO_APPROVAL)
    world.act([submitted], APPROVER, "approve")
    unseen = world.put([submitted], CLERK, "dien_thoai", "0987000111")
    assert world.standing(unseen) is Standing.LATE
    assert world.live("dien_thoai") == ["0912345678"]


def test_two_acceptances_are_one_with_a_conflict_of_codes() -> None:
    """Two machines that accept one draft agree on the step, and their two codes are a conflict."""
    world = World()
    for clerk, code in ((CLERK, "H56.22.17-261123-0001"), (CLERK_2, "H56.22.17-261123-0501")):
        world.add([world.root], [["set", "ma_ho_so", code], ["act", MAIN, "accept", {}]], clerk)
    assert (world.state.tasks[MAIN].step, world.state.tasks[MAIN].branches) == ("accepted", [])
    assert conflicts(DOSSIER, world.state) == ["ma_ho_so"]
    ids = [event_id for event_id, _ in world.state.registers["ma_ho_so"].live]
    resolve = ["resolve", "ma_ho_so", "H56.22.17-261123-0001", "đã in giấy hẹn", ids]
    assert world.judge(CHIEF, resolve) is None
    assert world.judge(CLERK, resolve) is Reason.OWNER


def test_approval_against_rejection_is_settled_by_the_head() -> None:
    """Deciders who differ leave the dossier disputed at its last common step, for the head to settle."""
    world = World()
    submitted = world.path(world.root, *TO_APPROVAL)
    world.act([submitted], APPROVER, "approve")
    world.act([submitted], CHIEF, "reject", ly_do="thiếu căn cứ")
    task = world.state.tasks[MAIN]
    assert (task.step, len(task.branches)) == ("approval", 2)
    chosen, other = sorted(task.branches, key=lambda branch: branch.action)
    op = ["settle", MAIN, task.node, chosen.node, "đã họp", [other.node]]
    assert world.judge(APPROVER, op) is Reason.ROLE
    assert world.judge(CHIEF, op) is None


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("nguoi_nop", "A" * (NAME_MAX + 1), Reason.VALUE),
        ("nguoi_nop", "A" * NAME_MAX, None),
        ("giay_to", "x", Reason.UNKNOWN),
        ("giay_to/Tờ khai", {"ban_chinh": 1, "ban_sao": 0}, None),
        ("ma_ho_so", "khác", None),
        ("ket_qua", "Đồng ý", Reason.OWNER),
        ("khong_co", 1, Reason.UNKNOWN),
    ],
)
def test_draft_takes_what_the_desk_may_write(key: str, value: object, reason: Reason | None) -> None:
    """A draft takes the desk's fields, refuses others, and refuses names that are too long."""
    assert World().judge(CLERK, ["set", key, value]) is reason


def test_roles_of_other_desks_are_refused() -> None:
    """Who approves without the role, or writes the result, is refused with the reason."""
    world = World()
    world.path(world.root, *TO_APPRAISAL, (APPRAISER, "submit"))
    assert world.judge(CLERK, ["act", MAIN, "approve", {}]) is Reason.ROLE
    assert world.judge(DESK, ["set", "ket_qua", "Đồng ý"]) is Reason.OWNER
    assert world.judge(APPROVER, ["set", "ket_qua", "Đồng ý"]) is None
