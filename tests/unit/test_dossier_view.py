"""A dossier as screens, commands and lists see it."""

from __future__ import annotations

import json
from datetime import datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onestop_sync.dossier.calendar import VIETNAM
from onestop_sync.dossier.dates import to_ms
from onestop_sync.dossier.deadlines import DueKind
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.dossier.timeline import Line, last_arguments, lines_of, show_time
from onestop_sync.dossier.view import ANY_AGENCY, DossierView, summarise
from onestop_sync.dossier.workflow import FINAL, base_step
from onestop_sync.fold import Author, Reason, State, apply
from onestop_sync.schema import MAIN, VOID
from tests.unit.dossier_world import (
    APPRAISER,
    APPROVER,
    CHIEF,
    CLERK,
    CLERK_2,
    D_APPRAISER,
    TO_APPRAISAL,
    TO_APPROVAL,
    TO_DISTRICT,
    World,
    officer,
)

OFFICERS = [
    CLERK,
    CLERK_2,
    APPRAISER,
    APPROVER,
    CHIEF,
    D_APPRAISER,
    officer("h01", "phe_duyet", "tra_ket_qua"),
]
NOW = to_ms(datetime(2026, 3, 2, 9, 0, tzinfo=VIETNAM))
DAY_MS = 86_400_000
CODE = "H56.22.17-260302-0001"


def accepted(world: World, due_ms: int = NOW + DAY_MS) -> Any:
    """Accepts the drafted dossier with a code and a due date."""
    values = {"ma_ho_so": CODE, "ten_thu_tuc": "Đăng ký khai sinh", "han_tra": {"ms": due_ms, "lich": 3}}
    ops = [["set", key, value] for key, value in values.items()]
    return world.add([world.root], [*ops, ["act", MAIN, "accept", {}]], CLERK)


def actions(world: World, author: Author) -> set[str]:
    """Returns the actions of the main task that an officer is offered."""
    view = DossierView.from_state(world.state, NOW)
    return {choice.action for choice in view.allowed_actions(author) if choice.task == MAIN}


def test_view_says_where_it_stands() -> None:
    """Code, applicant, step, status, holder and due state are read from the folded dossier."""
    world = World()
    accepted(world)
    view = DossierView.from_state(world.state, NOW)
    assert (view.code, view.applicant, view.procedure_name) == (CODE, "Nguyễn Thị Hường", "Đăng ký khai sinh")
    assert (view.step, view.step_label, view.portal_status) == ("accepted", "Đã tiếp nhận", 2)
    assert (view.unit, view.intake_unit, view.due_ms) == ("x01", "x01", NOW + DAY_MS)
    assert view.due is not None
    assert (view.due.kind, view.due.days) == (DueKind.SOON, 1)
    assert DossierView.from_state(world.state, NOW + 9 * DAY_MS).due != view.due


def test_no_deadline_runs_while_waiting_or_after_the_end() -> None:
    """While a supplement is awaited, and once processing has ended, nothing is overdue."""
    world = World()
    start = accepted(world)
    path = ((CLERK, "give"), (APPRAISER, "receive"), (APPRAISER, "ask_supplement"))
    asked = world.path(start, *path)
    view = DossierView.from_state(world.state, NOW + 9 * DAY_MS)
    assert (view.step, view.full_step, view.due) == ("supplement", "supplement+s", None)
    assert (view.due_ms, summarise(world.state).due_ms) == (NOW + DAY_MS, None)
    world.path(asked, (CLERK, "supply"))
    assert summarise(world.state).due_ms == NOW + DAY_MS
    world.path(asked, (CLERK, "withdraw"))


def test_each_officer_is_offered_what_the_fold_accepts() -> None:
    """Offered actions follow role, step and unit."""
    world = World()
    assert actions(world, CLERK) == {"accept", "refuse", "ask_at_intake", "withdraw"}
    assert actions(world, APPRAISER) == {"withdraw"}
    world.path(world.root, *TO_APPROVAL)
    assert actions(world, APPROVER) == {
        "approve",
        "reject",
        "send_back",
        "extend",
        "stop",
        "transfer",
        "withdraw",
    }
    assert actions(world, D_APPRAISER) == set()


@settings(max_examples=60)
@given(st.randoms(use_true_random=False))
def test_whatever_is_offered_can_be_done(rng: Random) -> None:
    """Along any path of offered actions none is refused, each leads where it said, and both folds agree."""
    world = World()
    last = world.root
    carried = apply(DOSSIER, None, last)
    for _ in range(25):
        view = DossierView.from_state(world.state, NOW)
        assert view.portal_status in range(1, 11)
        offers = [(author, choice) for author in OFFICERS for choice in view.allowed_actions(author)]
        if not offers:
            assert view.step in FINAL
            break
        author, choice = rng.choice(offers)
        to = choice.to or rng.choice(["x01", "h01"])
        task = choice.task.replace("*", to)
        arguments = {
            name: to if name == "to" else 1 if name.startswith("han") else "vì" for name in choice.needs
        }
        if task in world.state.tasks and choice.task != task:
            continue
        last = world.add([last], [["act", task, choice.action, arguments]], author)
        carried = apply(DOSSIER, carried, last)
        assert carried == world.state
        assert not carried.refused
        assert base_step(world.state.tasks[task].step) == choice.target


def test_choices_name_what_to_ask_for() -> None:
    """A choice lists its arguments, and names the unit where the law leaves no choice."""
    world = World()
    world.path(world.root, *TO_DISTRICT, (D_APPRAISER, "receive"))
    view = DossierView.from_state(world.state, NOW)
    found = {choice.action: choice for choice in view.allowed_actions(D_APPRAISER)}
    assert found["ask_supplement"].needs == ("ly_do", "noi_dung", "to")
    assert found["ask_supplement"].to == "x01"
    assert found["transfer"].to == ""
    assert (found["ask"].task, found["ask"].needs) == (ANY_AGENCY, ("noi_dung", "han", "to"))


def test_agencies_are_listed_with_their_opinion() -> None:
    """An agency that was asked is listed with its step, and offered its answer."""
    world = World()
    here = world.path(world.root, *TO_APPRAISAL)
    op = ["act", "agency:cax", "ask", {"noi_dung": "?", "han": 1, "to": "cax"}]
    asked = world.add([here], [op], APPRAISER)
    agency = officer("cax", "tham_dinh")
    view = DossierView.from_state(world.state, NOW)
    assert [choice.action for choice in view.allowed_actions(agency)] == ["answer", "pass"]
    world.put([asked], agency, "y_kien/cax", "Không")
    view = DossierView.from_state(world.state, NOW)
    assert [tuple(a)[:4] for a in view.agencies] == [("cax", "asked", "Chờ ý kiến", "Không")]


def test_open_issues_show_every_side() -> None:
    """Conflicts, late writes and disputes are listed with their sides, and legal ones block printing."""
    world = World()
    start = accepted(world)
    one = world.put([start], CLERK, "noi_dung", "A")
    two = world.put([start], CLERK_2, "noi_dung", "B")
    view = DossierView.from_state(world.state, NOW)
    assert [(i.key, i.label, i.is_legal) for i in view.issues] == [("noi_dung", "Nội dung yêu cầu", True)]
    assert {(s.event, s.value, s.kind) for s in view.issues[0].sides} == {
        (one.id, "A", "live"), (two.id, "B", "live"),
    }  # fmt: skip
    assert view.blocks_printing == ("noi_dung",)
    assert view.why_not_edit(CLERK, "noi_dung") is Reason.CONFLICT
    assert view.why_not_edit(CLERK, "email") is None
    assert view.owner("noi_dung") == ("x01", frozenset({"tiep_nhan"}))
    world.act([start], CLERK, "give")
    world.act([start], CHIEF, "stop", ly_do="trùng")
    view = DossierView.from_state(world.state, NOW)
    assert view.is_disputed
    dispute = next(i for i in view.issues if i.key == "task:main")
    assert sorted(side.value for side in dispute.sides) == ["Bàn giao thẩm định", "Dừng xử lý"]
    assert all(side.node and side.kind == "branch" for side in dispute.sides)


def test_late_and_void_are_issues_too() -> None:
    """A late write and an edit that did not know of the void are listed as such."""
    world = World()
    start = accepted(world)
    world.path(start, (CLERK, "transfer"))
    world.put([start], CLERK_2, "dien_thoai", "0987000111")
    view = DossierView.from_state(world.state, NOW)
    assert [s.kind for s in view.issues[0].sides] == ["live", "late"]
    world.put([start], CHIEF, VOID, "lập trùng")
    view = DossierView.from_state(world.state, NOW)
    assert view.is_void
    assert "against" in {side.kind for issue in view.issues if issue.key == VOID for side in issue.sides}
    assert summarise(world.state).due_ms is None


def test_json_is_plain() -> None:
    """What --json shows can be written as JSON, whatever an event holds."""
    world = World()
    start = accepted(world)
    world.put([start], CLERK, "noi_dung", {"la": [b"\x00", None, 1]})
    world.put([start], CLERK_2, "noi_dung", "B")
    world.add([start], [["note", "ghi_chu", "gọi lại"]], APPRAISER)
    found = DossierView.from_state(world.state, NOW).to_json()
    assert json.loads(json.dumps(found)) == found
    assert found["notes"] == {"ghi_chu": ["gọi lại"]}
    assert found["fields"]["email"] == "a@b.vn"
    assert found["due_state"] == {"kind": "soon", "days": 1, "working": False}


def test_hostile_values_do_not_stop_a_list() -> None:
    """A due date beyond any calendar and a name with control characters are shown as far as they can be."""
    world = World()
    start = accepted(world, due_ms=2**53 - 1)
    world.put([start], CLERK, "nguoi_nop", "Lò\x00Văn\x1b[2J\nTùng")
    view = DossierView.from_state(world.state, NOW)
    assert view.due is None
    row = summarise(world.state)
    assert row.title == "Lò Văn [2J Tùng – Đăng ký khai sinh"
    assert row.search.isprintable()
    world.put([start], CLERK_2, "nguoi_nop", 7)
    assert isinstance(DossierView.from_state(world.state, NOW).applicant, str)


def test_summary_is_found_without_marks() -> None:
    """A row bears code, applicant and procedure, and is searched without Vietnamese marks."""
    world = World()
    accepted(world)
    row = summarise(world.state)
    assert (row.label, row.step, row.due_ms) == (CODE, "accepted", NOW + DAY_MS)
    assert row.title == "Nguyễn Thị Hường – Đăng ký khai sinh"
    for words in ("nguyen thi huong", "dang ky khai sinh", "0912345678", CODE.lower()):
        assert words in row.search
    assert summarise(State(unit="x01")).step == "draft"


@pytest.mark.parametrize(
    ("op", "line"),
    [
        (["act", MAIN, "transfer", {"to": "h01"}], Line("act", "Chuyển đơn vị khác", "h01")),
        (["act", "agency:cax", "ask", {"noi_dung": "?", "to": "cax"}],
         Line("act", "Lấy ý kiến (cax)", "cax; ?")),
        (["act", MAIN, "extend", {"ly_do": "chờ", "han_moi": NOW}],
         Line("act", "Hẹn lại ngày trả", "chờ; 09:00 02/03/2026")),
        (["set", "han_tra", {"ms": NOW, "lich": 3}], Line("set", "Hẹn trả kết quả", "09:00 02/03/2026")),
        (["set", "tiep_nhan_luc", NOW], Line("set", "Tiếp nhận lúc", "09:00 02/03/2026")),
        (["set", "giay_to/Tờ khai", {"ban_chinh": 1, "ban_sao": 2}],
         Line("set", "Giấy tờ: Tờ khai", "1 bản chính, 2 bản sao")),
        (["set", "truong_rieng/Con", ["An", "Bình"]], Line("set", "Thông tin riêng: Con", "An, Bình")),
        (["set", VOID, "lập trùng"], Line("set", "Hủy hồ sơ", "lập trùng")),
        (["set", "email", None], Line("set", "Thư điện tử", "")),
        (["set", "email", b"\x01"], Line("set", "Thư điện tử", "01")),
        (["note", "ghi_chu", "gọi\nlại"], Line("note", "Ghi chú", "gọi lại")),
        (["resolve", "email", "a@b", "đã hỏi", []], Line("resolve", "Thư điện tử", "a@b (đã hỏi)")),
        (["settle", MAIN, b"", b"", "đã họp", []], Line("settle", "Bước xử lý", "đã họp")),
        (["mai_sau", 1], Line("mai_sau", "", "")),
    ],
)  # fmt: skip
def test_timeline_lines(op: list[Any], line: Line) -> None:
    """Each operation is a line that a person reads, also one from a newer program."""
    assert lines_of([["note", "ghi_chu", "x"], op])[0 if line.kind in {"act", "settle"} else 1] == line


def test_last_arguments_are_those_of_the_last_time() -> None:
    """The reason on a form is the one that was given last."""
    history: list[list[list[Any]]] = [
        [["act", MAIN, "decline", {"ly_do": "nhầm"}]],
        [["set", "email", "x"], ["act", MAIN, "decline", {"ly_do": "thiếu"}]],
        [["act", "agency:x", "decline", {"ly_do": "khác"}]],
    ]
    assert last_arguments(history, "decline") == {"ly_do": "thiếu"}
    assert last_arguments(history, "refuse") is None
    assert show_time(10**17) == str(10**17)
