"""Reports over real stores: figures that open to dossiers, every format, tiers, and an upgraded store."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from openpyxl import load_workbook

from commune_client.desk.desk import Desk
from onestop_sync import publisher
from onestop_sync.dossier.data import shipped_report_rules
from onestop_sync.dossier.report.count import Counts
from onestop_sync.dossier.report.frozen import content_of, sign_op, split
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.dossier.types import TYPES
from onestop_sync.erasure import plan_erasure, plan_files
from onestop_sync.errors import FormatError, InvalidInput, NotAllowed
from onestop_sync.reporting.files import FORMATS, render, to_text
from onestop_sync.reporting.freezing import frozen, frozen_lines, read
from onestop_sync.reporting.making import Report, facts_of, make
from onestop_sync.reporting.words import notes
from onestop_sync.storage import tables as t
from onestop_sync.store import Store
from onestop_sync.verification import verify_document
from server_stub.app import build_app
from tests.e2e.servers import PASSPHRASE as SERVER_PASSPHRASE
from tests.e2e.test_server_cli import Desk as ServerDesk
from tests.unit.cli_world import PASSPHRASE, Commune, Shell, exchange, take_in


@pytest.fixture
def commune(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Commune]:
    """A province with its administrator; the passphrase is in the environment."""
    monkeypatch.setenv("ONESTOP_PASSPHRASE", PASSPHRASE)
    made = Commune(tmp_path)
    yield made
    made.close()


@pytest.fixture
def desk(commune: Commune) -> Desk:
    """A commune's desk with three dossiers: decided, withdrawn, and just taken in."""
    desk = commune.desk(commune.place("pc1"))
    decided, withdrawn, _ = (take_in(desk) for _ in range(3))
    desk.handover(decided)
    desk.receive(decided)
    desk.appraise(decided, "Đủ điều kiện")
    desk.approve(decided, "Đồng ý")
    desk.withdraw(withdrawn, "Đổi ý")
    return desk


def test_figures_of_a_desk_open_to_their_dossiers(desk: Desk) -> None:
    """What was taken in, decided and withdrawn is counted, and each figure names exactly its dossiers."""
    report = desk.report()
    total = report.table.total
    assert (total.c3, total.c5, total.c7, total.c11) == (3, 3, 2, 1)
    assert report.table.broken == ()
    for column in range(3, 14):
        assert len(desk.report_dossiers(report, column)) == total.column(column), column
    assert len(desk.report_dossiers(report, 3, "Hộ tịch")) == 3
    assert desk.report_dossiers(report, 3, "Đất đai") == []
    assert report.shares["c1"].on_spot.percent == 100.0
    with pytest.raises(InvalidInput):
        desk.report_dossiers(report, 2)
    assert desk.report("2020").table.total == Counts()


def test_each_format_says_the_same(desk: Desk, tmp_path: Path) -> None:
    """Text, CSV, JSON and the spreadsheet hold the figures; the PDF is one; another ending is refused."""
    report = desk.report()
    figures = [str(n) for n in report.table.total]
    assert max(map(len, to_text(report).splitlines())) <= 80
    assert not any(line.strip().startswith("%") for line in to_text(report).splitlines())
    assert [line for line in to_text(report).splitlines() if line.split()[2:] == figures]
    rows = list(csv.reader(io.StringIO(render(report, ".csv").decode("utf-8-sig"))))
    assert ["", "Tổng cộng", *figures] in rows
    said = json.loads(render(report, ".json"))
    assert said["total"] == list(report.table.total) == facts_of(report)["total"]
    book = load_workbook(io.BytesIO(render(report, ".xlsx")))
    assert ("Tổng cộng", *report.table.total) in [row[1:] for row in book.active.values]
    path = desk.write_report(tmp_path / "b.pdf", report)
    assert path.read_bytes().startswith(b"%PDF-")
    assert zipfile.is_zipfile(desk.write_report(tmp_path / "b.xlsx", report))
    with pytest.raises(FileExistsError):
        desk.write_report(path, report)
    with pytest.raises(InvalidInput):
        desk.write_report(tmp_path / "b.doc", report)
    assert set(FORMATS) == {".txt", ".csv", ".json", ".xlsx", ".pdf"}


def test_command_shows_a_report_and_what_is_behind_it(
    commune: Commune, desk: Desk, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Without a period the quarter that runs; a column lists codes; a file is written; nonsense is told."""
    shell = Shell(capsys, commune, desk.place)
    assert "Đã kiểm tra" in shell.run("report")
    assert shell.json("report", "--tier")["total"] == shell.json("report")["total"]
    listed = shell.run("report", "--column", "7")
    assert listed.startswith("(7) Đã giải quyết: tổng số: 2 hồ sơ")
    assert len(listed.splitlines()) == 3
    out = tmp_path / "quy.csv"
    assert str(out) in shell.run("report", "--out", str(out))
    assert out.exists()
    assert "Kỳ báo cáo" in shell.run("report", "Q9/2026")
    assert shell.code == 1


def test_tier_is_the_sum_of_its_units_wherever_it_is_counted(commune: Commune, desk: Desk) -> None:
    """A district that has synced counts the same as its commune, and says up to when each unit is there."""
    district = commune.hub("huyen", "d1")
    exchange(desk.store, district.store)
    above = tier_of(district.store, desk)
    assert above.table.total == desk.report().table.total
    assert [(line.key, line.counts) for line in above.table.units] == [("c1", above.table.total)]
    held = {line.unit: line.events for line in above.synced}
    assert held["c1"] > 0
    assert held["c2"] == 0
    assert tier_of(district.store, desk).heads == above.heads
    take_in(desk)
    exchange(desk.store, district.store)
    assert tier_of(district.store, desk).heads != above.heads


def test_many_units_are_told_of_in_sum(desk: Desk) -> None:
    """Of more units than a page has room for, the sum and who stands out are said; the facts have all."""
    report = desk.report(is_tier=True)
    many = {f"c{n}": report.shares["c1"] for n in range(100)}
    synced = tuple(report.synced[0]._replace(unit=unit, events=n % 2) for n, unit in enumerate(many))
    wide = report._replace(shares=many, synced=synced)
    said = list(notes(wide))
    assert "Bốn bước tại chỗ: 100/100 đơn vị đạt mục tiêu." in said
    assert any("và 30 đơn vị khác" in line for line in said)
    assert len(said) < 40
    assert len(facts_of(wide)["shares"]) == 100


def tier_of(store: Store, desk: Desk) -> Report:
    """Makes the district's report."""
    return make(store, "d1", desk.period(), shipped_report_rules(), desk.field_of, is_tier=True)


def test_a_store_of_the_version_before_counts_after_it_was_opened(commune: Commune, desk: Desk) -> None:
    """The table of what is counted is made, and filled from the events, when an older store is opened."""
    before = desk.report().table
    place, secrets = desk.place, desk.place.secrets("An", PASSPHRASE)
    with desk.store.engine.begin() as connection:
        t.tally.drop(connection)
        for key, value in (("version", b"1"), ("folded", b"")):
            connection.execute(sa.update(t.meta).where(t.meta.c.key == key).values(value=value))
    desk.close()
    Store.open(place.folder, secrets, types=TYPES, clock=commune.clock).close()
    assert commune.desk(place).report().table == before


def test_frozen_report_is_supplemented_when_late_events_change_a_figure(commune: Commune, desk: Desk) -> None:
    """A withdrawal in the quarter that arrives after it was frozen makes a version that names it, and why."""
    other = commune.desk(commune.place("pc2", "Bình"))
    hub = commune.hub()
    late = take_in(desk)
    for _ in range(2):
        for each in (desk, other):
            exchange(each.store, hub.store)
    with pytest.raises(InvalidInput):
        desk.freeze_report(desk.report())  # the quarter still runs
    for step in (other.handover, other.receive):
        step(late)
    other.withdraw(late, "Công dân rút")
    commune.province.clock_ms = desk.period().end_ms + 1000
    period = "Q4/2026"
    first = desk.freeze_report(desk.report(period))
    assert (first.content["version"], first.content["changes"]) == (1, [])
    with pytest.raises(InvalidInput):
        desk.freeze_report(desk.report(period))
    for _ in range(2):
        for each in (other, desk):
            exchange(each.store, hub.store)
    second = desk.freeze_report(desk.report(period))
    (change,) = second.content["changes"]
    label, doc, before, after, events = change
    assert (doc, before, after) == (late, [5, 13], [5, 8])
    assert label == desk.show(late).view.code
    assert {who for who, *_ in events} == {"Bình"}
    assert second.content["supplements"] == first.doc
    assert [each.content["version"] for each in desk.frozen_reports()] == [2, 1]
    assert any("đến muộn" in line for line in frozen_lines(second))
    exchange(desk.store, hub.store)
    assert next(frozen(hub.store, "c1", period)).content == second.content


def test_frozen_report_that_was_tampered_with_is_none(desk: Desk, commune: Commune) -> None:
    """Only who leads signs; a part that is not what was signed makes it no report."""
    commune.province.clock_ms = desk.period().end_ms + 1000
    kept = desk.freeze_report(desk.report("Q4/2026"))
    state = desk.store.document(kept.doc).state
    key = next(key for key in state.registers if key.startswith("phan/"))
    state.registers[key].live = ((b"x" * 32, b"another"),)
    with pytest.raises(FormatError):
        content_of(state)
    parts = split({"unit": "c1", "period": "Q4/2026"})  # signed, and no report all the same
    writer = desk.writer
    with desk.store.writing():
        odd = writer.create("report", {"ten": "Q4/2026", **parts}, [sign_op(parts)])
    with pytest.raises(FormatError):
        read(desk.store, odd)
    assert [each.doc for each in desk.frozen_reports()] == [kept.doc]
    commune.colleague(desk.place, "Chi", ["tiep_nhan"])
    clerk = commune.desk(desk.place, "Chi")
    with pytest.raises(NotAllowed):
        clerk.freeze_report(desk.report("2026"))


def test_difficulty_is_told_answered_and_collected(commune: Commune, desk: Desk) -> None:
    """A commune writes it offline; the level above takes it up, is reminded, answers; each quarter tells."""
    hub = commune.hub("huyen", "d1")
    above = commune.desk(commune.place("pc-huyen", "Chánh", unit="d1"))
    told = desk.write_difficulty("Mạng chậm", "Không nộp được hồ sơ điện tử", proposal="Thêm đường truyền")
    assert (told.view.holder, told.view.step) == ("d1", "reported")
    with pytest.raises(NotAllowed):
        desk.act_on_difficulty(told.doc, "answer", "tự trả lời")

    def carry() -> None:
        for _ in range(2):
            for each in (desk, above):
                exchange(each.store, hub.store)

    carry()
    seen = above.act_on_difficulty(told.doc, "take_up")
    assert seen.view.step == "taken_up"
    carry()
    desk.act_on_difficulty(told.doc, "remind", "Đã năm ngày")
    carry()
    assert [text for _, text in above.difficulty(told.id).view.reminders] == ["Đã năm ngày"]
    assert above.difficulties(only_open=True)
    above.act_on_difficulty(told.doc, "answer", "Sẽ nâng cấp trong tháng")
    carry()
    back = desk.difficulty(told.id).view
    assert (back.step, back.holder, back.answer) == ("answered", "c1", "Sẽ nâng cấp trong tháng")
    text = to_text(desk.report(), desk.report_notes(desk.report()))
    assert "Mạng chậm" in text
    assert "nâng cấp" in text
    first = desk.report()
    commune.province.clock_ms += 100 * 24 * 3600 * 1000
    assert desk.report_notes(desk.report()) == []
    desk.act_on_difficulty(told.doc, "reopen", "Chưa thấy")
    assert desk.difficulty(told.id).view.holder == "d1"
    assert len(desk.report_notes(desk.report())) == len(desk.report_notes(first)) == 2


def test_office_urges_a_unit_below(commune: Commune, desk: Desk) -> None:
    """What the level above asks for goes down, is taken up and answered there, and closed by who asked."""
    hub = commune.hub("huyen", "d1")
    above = commune.desk(commune.place("pc-huyen", "Chánh", unit="d1"))
    sent = above.write_difficulty("Hồ sơ quá hạn", "Giải trình", kind="don_doc", to="c1")
    for _ in range(2):
        for each in (above, desk):
            exchange(each.store, hub.store)
    desk.act_on_difficulty(sent.doc, "answer", "Đã xử lý")
    for _ in range(2):
        for each in (desk, above):
            exchange(each.store, hub.store)
    assert above.act_on_difficulty(sent.doc, "close").view.step == "closed"
    assert not desk.report_notes(desk.report())  # what is urged is no difficulty of the unit


def test_complaints_count_in_a_report(commune: Commune, desk: Desk) -> None:
    """A complaint about a decided dossier takes its mark for indicator 7, until it is verified as untrue."""
    assert not {7, 8} & desk.report().shares["c1"].marks.tenths.keys()
    decided = next(row for row in desk.dossiers(step="approved").rows)
    doc = desk.complain("Chậm", dossier=decided.code)
    found = desk.report().shares["c1"].marks.tenths
    assert found[7] < found[1]
    assert found[8] == 20
    desk.take_complaint(doc, desk.store.clock() + 1)
    desk.answer_complaint(doc, "Không đúng", is_founded=False)
    found = desk.report().shares["c1"].marks.tenths
    assert found[7] == found[1]


def test_a_complaint_and_a_rating_that_come_late_make_a_supplementary_version(
    commune: Commune, desk: Desk
) -> None:
    """No figure moves, but indicators 7 and 8 do: the version says what changed them, and why."""
    other = commune.desk(commune.place("pc2", "Bình"))
    hub = commune.hub()
    for each in (desk, other):
        exchange(each.store, hub.store)
    doc = other.complain("Chờ lâu")
    rated = next(line.doc for line in desk.report_dossiers(desk.report(), 7))
    other.rate(rated, 0)
    commune.province.clock_ms = desk.period().end_ms + 1000
    first = desk.freeze_report(desk.report("Q4/2026"))
    for each in (other, desk):
        exchange(each.store, hub.store)
    second = desk.freeze_report(desk.report("Q4/2026"))
    changes = {about: change for _, about, *change in second.content["changes"]}
    assert changes.keys() == {doc, rated}
    before, after, late = changes[doc]
    assert (before, after, [who for who, *_ in late]) == ([], [], ["Bình"])
    before, after, late = changes[rated]
    assert (before == after != [], [who for who, *_ in late]) == (True, ["Bình"])
    assert second.content["total"] == first.content["total"]
    said = "\n".join(frozen_lines(second))
    assert ("đổi chỉ số đánh giá" in said, "đổi đánh giá của người nộp" in said, doc.hex()[:12] in said) == (
        True,
    ) * 3


def test_an_inspection_is_the_data_of_indicator_6(
    commune: Commune, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last inspection of the period counts, by the unit or one above it; a late one is told."""
    assert 6 not in desk.report().shares["c1"].marks.tenths
    clerk = commune.desk(commune.place("pc3", "Chi", roles=("tiep_nhan",)))
    with pytest.raises(NotAllowed):
        clerk.inspect(2, "đủ")
    with pytest.raises(NotAllowed):
        desk.inspect(2, "đủ", "d1")  # above it
    with pytest.raises(InvalidInput):
        desk.inspect(2, "  ")
    desk.inspect(0, "bảng cũ")
    shell = Shell(capsys, commune, commune.place("pc4", "Dung"))
    exchange(desk.store, (hub := commune.hub()).store)
    shell.run("inspect", "1", "--found", "bảng đã thay")
    assert "bảng đã thay" in shell.run("inspect")
    desk.inspect(2, "bảng và trang đều đúng")
    assert desk.report().shares["c1"].marks.tenths[6] == 20
    assert "chỉ số 6: 2" in "\n".join(notes(desk.report()))
    other = commune.desk(commune.place("pc5", "Em"))
    exchange(other.store, hub.store)
    other.inspect(1, "trang mất một thủ tục")
    commune.province.clock_ms = desk.period().end_ms + 1000
    desk.freeze_report(desk.report("Q4/2026"))
    for each in (other, desk):
        exchange(each.store, hub.store)
    second = desk.freeze_report(desk.report("Q4/2026"))
    assert [label.startswith("Kiểm tra niêm yết") for label, *_ in second.content["changes"]] == [True]
    assert second.content["shares"]["c1"]["marks_tenths"]["6"] == 10
    commune.province.clock_ms += 1000
    assert 6 not in desk.report().shares["c1"].marks.tenths


def test_officers_have_marks_that_their_head_alone_sees(commune: Commune, desk: Desk) -> None:
    """Who signed something in a resolved dossier is marked by it; what others read has none of it."""
    (line,) = desk.officer_marks(desk.report())
    assert (line.name, line.marks.dossiers, line.marks.late) == (desk.name, 2, 0)
    assert sorted(line.marks.tenths) == [1, 3, 4]
    assert "officers" not in facts_of(desk.report())
    clerk = commune.desk(commune.place("pc3", "Chi", roles=("tiep_nhan",)))
    with pytest.raises(NotAllowed):
        clerk.officer_marks(clerk.report())


def test_an_asked_agency_is_marked_for_its_answer(commune: Commune, desk: Desk) -> None:
    """Indicator 2 of the agency is that of its answers; who asked has no date of its own for that dossier."""
    before = desk.report().shares["c1"].marks.tenths[2]
    doc = take_in(desk)
    desk.handover(doc)
    desk.receive(doc)
    desk.ask_agencies(doc, ["d1"], "Ý kiến", desk.store.clock() + 86_400_000)
    desk.appraise(doc, "Đủ")
    desk.approve(doc, "Đồng ý")
    own = desk.report().shares["c1"].marks.tenths
    assert own[2] == before
    assert make(desk.store, "d1", desk.period(), desk.rules.report_rules, str).shares["d1"].marks.tenths == {
        2: 0
    }


def test_difficulty_command(commune: Commune, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    """New, list, show and remind; what is missing is told."""
    shell = Shell(capsys, commune, desk.place)
    made = shell.json("difficulty", "new", "--title", "Thiếu máy in", "--text", "Hỏng từ thứ hai")
    assert made["step"] == "reported"
    assert "Thiếu máy in" in shell.run("difficulty", "list", "--open")
    assert shell.run("difficulty") == shell.run("difficulty", "list")
    assert "Nhắc: gấp" in shell.run("difficulty", "remind", made["id"], "--text", "gấp")
    assert shell.run("difficulty", "show", made["id"]).startswith(made["id"])
    shell.run("difficulty", "new", "--title", "x")
    assert shell.code == 1
    shell.run("difficulty", "take")
    assert shell.code == 2


def test_dashboard_shows_the_report_and_what_waits(commune: Commune, desk: Desk) -> None:
    """Behind the password: figures by unit, open difficulties, frozen reports; no period that is none."""
    hub = commune.hub("huyen", "d1")
    desk.write_difficulty("Mạng <chậm>", "Không nộp được")
    exchange(desk.store, hub.store)
    app = build_app(hub.store, password="mat khau rat dai")

    def get(path: str, password: str) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://p") as client:
                return await client.get(path, auth=("", password))

        return asyncio.run(ask())

    assert get("/report", "x").status_code == 401
    page = get("/report", "mat khau rat dai")
    assert page.status_code == 200
    assert "Xã Một" in page.text
    assert "Mạng &lt;chậm&gt;" in page.text
    assert "Hường" not in page.text
    assert get("/report?period=Q9/2026", "mat khau rat dai").status_code == 404


def test_server_reports_urges_and_freezes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The province's commands: a report shown and written, signed once it is over, and a unit urged."""
    server = ServerDesk(tmp_path, capsys)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONESTOP_PASSPHRASE", SERVER_PASSPHRASE)
        patch.setenv("ONESTOP_ROOT_PASSPHRASE", SERVER_PASSPHRASE)
        server.found()
        folder = ("--folder", tmp_path / "p")
        assert server.done("report", *folder)["form"].startswith("Biểu số II.06b")
        server.run("report", "2025", "--out", tmp_path / "nam.xlsx", *folder)
        assert load_workbook(tmp_path / "nam.xlsx").active is not None
        server.run("report", "--column", "3", *folder)
        noted = {(line["what"], line["code"]) for line in server.done("audit", *folder)}
        assert {("export", "report"), ("list", "report")} <= noted
        assert "over yet" in server.refused("report", "--freeze", *folder)
        assert server.done("report", "Q1/2025", "--freeze", *folder)[0]["total"] == [0] * 11
        assert len(server.done("report", "--frozen", *folder)) == 1
        text = ("--title", "Chậm", "--text", "Gửi báo cáo")
        sent = server.done("difficulty", "new", "--to", "d1", "--due", "2026-01-05", *text, *folder)
        assert sent["holder"] == "d1"
        server.done("difficulty", "remind", sent["id"], "--text", "gấp", *folder)
        assert [each["id"] for each in server.done("difficulty", "list", *folder)] == [sent["id"]]
        assert "id is missing" in server.refused("difficulty", "take", *folder)


def test_erased_dossier_is_still_counted(commune: Commune, desk: Desk) -> None:
    """What a dossier came to stays in the figures of its quarter when it is erased by law, under its code."""
    before = desk.report()
    (ended,) = [each for each in desk.report_dossiers(before, 7) if each.course.outcome == "approve"]
    proven = verify_document(desk.store, ended.doc)
    plan = plan_erasure(proven, DOSSIER, why="Hết hạn lưu trữ", now_ms=commune.clock())
    held, root = desk.store.publication, commune.province.root
    files = plan_files(held, [plan])
    assert desk.store.replace_trust(publisher.publish(held, root, now_ms=commune.clock(), files=files))
    after = desk.report()
    assert after.table == before.table
    assert ended.label in [each.label for each in desk.report_dossiers(after, 7)]
