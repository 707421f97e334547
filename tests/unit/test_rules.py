"""The rules come from the publication, the newest that can be read, and leave accepted dossiers alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from commune_client.desk.base import Unready
from commune_client.rules_words import rules_lines
from onestop_sync.dossier.calendar import Certainty, DayKind, DayRow
from onestop_sync.dossier.catalogue import Catalogue
from onestop_sync.dossier.checks import Issue
from onestop_sync.dossier.data import (
    shipped_calendar,
    shipped_catalogue,
    shipped_profiles,
    shipped_report_rules,
)
from onestop_sync.dossier.files import (
    read_calendar,
    read_catalogue,
    read_profiles,
    read_report_rules,
    write_calendar,
    write_catalogue,
    write_profiles,
    write_report_rules,
)
from onestop_sync.dossier.profiles import LegalProfile, SupplementPolicy, profile_for
from onestop_sync.dossier.rules import Rules, check_publication
from onestop_sync.errors import InvalidInput, NotFound
from tests.unit.cli_world import BIRTH, VALUES, Commune, Shell, act, checklist, exchange, take_in

SHIPPED = Rules.shipped()
HEAD = b"date,kind,name_vi,certainty,source\n"
TWO = b'{"profiles": [{"id": "nd118-2025"}, {"id": "nd61-2018"}]}'
LAST_DAY, FIRST_DAY = date(2026, 9, 20), date(2026, 9, 21)
"""The clock of these tests stands on 21/09/2026."""


@pytest.fixture
def commune(tmp_path: Path) -> Iterator[Commune]:
    """A province with its administrator."""
    made = Commune(tmp_path)
    yield made
    made.close()


def next_calendar() -> bytes:
    """The shipped calendar's successor, in which the coming two weeks are off."""
    off = (DayRow(date(2026, 9, n), DayKind.DAY_OFF, "Nghỉ bù", Certainty.SOURCED) for n in range(21, 30))
    rows = sorted((*shipped_calendar().rows, *off), key=lambda row: row.date)
    return write_calendar(replace(shipped_calendar(), version=2, rows=tuple(rows)))


def next_profiles() -> tuple[LegalProfile, ...]:
    """The shipped profiles, the second ended, and a provincial one after it."""
    first, second = shipped_profiles()
    own = replace(
        second, id="tinh-2026", name_vi="Quy định của tỉnh", effective_from=FIRST_DAY, cut_off_min=600,
        supplement_policy=SupplementPolicy.PAUSE,
    )  # fmt: skip
    return first, replace(second, effective_to=LAST_DAY), own


def next_catalogue(version: int = 2) -> bytes:
    """The shipped catalogue with another name for a procedure."""
    items = [
        replace(p, name_vi="Khai sinh (bản mới)") if p.code == BIRTH else p
        for p in shipped_catalogue().procedures
    ]
    return write_catalogue(Catalogue(version, tuple(items)))


def test_the_files_say_what_was_written() -> None:
    """Each of the four files is read back as it was written, whole."""
    files = SHIPPED.to_files()
    assert read_catalogue(files["catalogue.json"]) == (shipped_catalogue(), [])
    assert read_calendar(files["holidays.csv"]) == (shipped_calendar(), [])
    assert read_profiles(files["profiles.json"]) == (shipped_profiles(), [])
    assert read_report_rules(files["report_rules.json"]) == (shipped_report_rules(), [])


def test_published_cut_offs_make_the_next_report(commune: Commune) -> None:
    """Quarters that begin on other days come by sync, and the desk's report is of those."""
    desk = commune.desk(commune.place("pc1"))
    before = desk.period("Q2/2026")
    moved = [replace(each, quarters=((1, 1), (4, 1), (7, 1), (10, 1))) for each in shipped_report_rules()]
    commune.province.publish_files(desk.store, report_rules__json=write_report_rules(moved))
    found = desk.period("Q2/2026")
    assert (before.first.day, before.first.month) == (15, 3)
    assert (found.first.day, found.first.month) == (1, 4)


def test_what_comes_by_sync_rules_from_then_on_and_changes_no_due_date(commune: Commune) -> None:
    """Calendar, catalogue and profile arrive by sync: accepted dossiers keep date, versions and profile."""
    hub, place = commune.hub(), commune.place("pc1")
    desk = commune.desk(place)
    exchange(desk.store, hub.store)
    doc = take_in(desk)
    before = desk.show(doc).view.due_facts
    commune.province.publish_files(
        hub.store, holidays__csv=next_calendar(), catalogue__json=next_catalogue(),
        profiles__json=write_profiles(next_profiles()),
    )  # fmt: skip
    exchange(desk.store, hub.store)
    facts = desk.rules_facts()
    assert (facts.catalogue_version, facts.calendar_version, facts.profile) == (2, 2, "tinh-2026")
    assert desk.procedure(BIRTH).name_vi == "Khai sinh (bản mới)"
    assert desk.show(doc).view.due_facts == before
    assert before
    assert (before["lich"], before["danh_muc"], before["quy_dinh"]) == (1, 1, "nd118-2025")
    act(desk, doc, "handover", "receive")
    desk.supplement(doc, "Thiếu", "Giấy chứng sinh")
    desk.supply(doc)
    later = desk.show(doc).view.due_facts
    assert later
    assert (later["lich"], later["quy_dinh"], later["cach"]) == (2, "nd118-2025", "bo_sung")
    again = desk.show(take_in(desk)).view.due_facts
    assert again
    assert (again["lich"], again["danh_muc"], again["quy_dinh"]) == (2, 2, "tinh-2026")


def test_a_file_that_cannot_be_read_harms_no_store(commune: Commune) -> None:
    """The last calendar that could be read stays, also after a restart, and the official is told."""
    place = commune.place("pc1")
    desk = commune.desk(place)
    commune.province.publish_files(desk.store, holidays__csv=next_calendar())
    assert desk.rules.calendar.version == 2
    commune.province.publish_files(desk.store, holidays__csv=b"date,kind\n", catalogue__json=b"{")
    for each in (desk, commune.desk(place)):
        facts = each.rules_facts()
        assert (facts.calendar_version, facts.catalogue_version) == (2, 1)
        assert facts.origins == {
            "holidays.csv": "held",
            "catalogue.json": "shipped",
            "profiles.json": "shipped",
            "report_rules.json": "shipped",
            "posting.json": "shipped",
        }
        assert set(facts.faults) == {"holidays.csv", "catalogue.json"}
        take_in(each)
    said = list(rules_lines(facts))
    assert [line[0] for line in said] == ["D", "!", "!"]
    assert "bản trước đó" in " ".join(said)


def test_a_procedure_that_has_ended_is_still_worked_to_its_end(commune: Commune) -> None:
    """A dossier under way can be supplied and read when its procedure is in no catalogue any more."""
    desk = commune.desk(commune.place("pc1"))
    doc = take_in(desk)
    others = tuple(p for p in shipped_catalogue().procedures if p.code != BIRTH)
    commune.province.publish_files(desk.store, catalogue__json=write_catalogue(Catalogue(5, others)))
    act(desk, doc, "handover", "receive")
    desk.supplement(doc, "Thiếu", "Giấy chứng sinh")
    desk.supply(doc, desk.papers(BIRTH, ["Giấy chứng sinh"]))
    assert desk.any_procedure(BIRTH, "Đăng ký khai sinh").full_name_vi == "Đăng ký khai sinh"


def test_a_draft_outlives_its_procedure_and_is_not_accepted(commune: Commune) -> None:
    """What was typed before the procedure ended is still there, says why it is not accepted, is refused."""
    desk = commune.desk(commune.place("pc1"))
    doc = desk.new_draft("1.011607", {"nguoi_nop": "Trần Văn Bé"}).doc
    commune.province.clock_ms += 110 * 24 * 3600 * 1000
    desk.confirm_date(desk.today())
    told = {problem.code for problem in desk.save_draft(doc, {"dia_chi": "Thôn Đông"}).problems}
    assert desk.draft(doc).values["dia_chi"] == "Thôn Đông"
    assert Issue.NOT_IN_FORCE in told
    with pytest.raises(Unready):
        desk.intake(doc)
    with pytest.raises(NotFound) as caught:
        desk.new_draft("1.011607")
    assert caught.value.details["reason"] == "not_in_force"
    assert desk.refuse(doc, "Thủ tục đã bãi bỏ").step == "refused"


def test_the_longest_name_is_kept_whole(commune: Commune) -> None:
    """A procedure with a name of more than 1,000 characters is taken in and shown under all of it."""
    desk = commune.desk(commune.place("pc1"))
    item = max(shipped_catalogue().in_force(FIRST_DAY), key=lambda each: len(each.full_name_vi))
    due_ms = desk.store.clock() + 10**9
    doc = desk.intake_new(item.code, VALUES, checklist(desk, item.code), due_ms=due_ms).doc
    assert len(item.full_name_vi) > 1000
    assert desk.show(doc).view.procedure_name == item.full_name_vi
    assert desk.dossiers(item.full_name_vi[:30]).rows[0].doc == doc


def test_versions_are_shown_to_the_official(commune: Commune, capsys: pytest.CaptureFixture[str]) -> None:
    """`onestop status` names catalogue, calendar and profile; `procedures` lists the province's own."""
    place = commune.place("pc1")
    desk = commune.desk(place)
    commune.province.publish_files(desk.store, catalogue__json=next_catalogue(7))
    desk.close()
    shell = Shell(capsys, commune, place)
    secret = place.folder / "secret"
    secret.write_text("mật khẩu rất dài\n", encoding="utf-8")
    said = shell.run("status", "--passphrase-file", str(secret))
    assert "Danh mục bản 7: " in said
    assert "lịch nghỉ bản 1 (kèm chương trình)" in said
    assert "bản mới" in shell.run("procedures", "khai sinh", "--passphrase-file", str(secret))


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("catalogue.json", b'{"version": 2,\n"procedures": [\n{"code": "1.1"}]}', r"line 3: .*1\.1"),
        ("catalogue.json", b'{"version": 2,\n"procedures": [,]}', "line 2: The file is not JSON"),
        ("catalogue.json", b'{"version": 1, "procedures": []}', "higher number"),
        ("catalogue.json", b'{"procedures": []}', "version"),
        ("catalogue.json", b"[]", "not a JSON object"),
        ("catalogue.json", b"{}", "no list"),
        ("holidays.csv", b"date,kind\n", "line 1: The first line lacks name_vi"),
        ("holidays.csv", b"\xff", "UTF-8"),
        ("holidays.csv", HEAD + b"x,version,,,\n7,window,,,\n", "line 2: .*line 3: "),
        (
            "holidays.csv",
            HEAD.replace(b",", b";") + b"02/01/2026;holiday;a;sourced;\n2026-01-02;holiday;a;sourced;\n",
            "line 3: .*twice, first on line 2",
        ),
        ("profiles.json", b'{"profiles": []}', "no legal profile"),
        ("profiles.json", b'{"profiles": [\n{"id": "x", "based_on": "y"}]}', "line 2: .*'y'"),
        ("profiles.json", TWO.replace(b'2025"', b'2025", "cut_off_min": 901'), "cut_off_min; end it"),
        ("profiles.json", b'{"profiles": [{"id": "nd118-2025"}]}', "'nd61-2018' is missing"),
        ("profiles.json", TWO.replace(b'2025"', b'2025", "effective_to": "2026-01-01"'), "After 2026-01-01"),
        ("profiles.json", b'{"profiles": [{"id": "nd61-2018"}, {"id": "nd61-2018"}]}', "twice"),
        ("report_rules.json", b'{"rules": []}', "no rules for reports"),
        ("posting.json", b'{"fields": {"so_dinh_danh": "full"}}', "never posted"),
        ("report_rules.json", b'{"rules": [\n{"id": "x"}]}', "line 2"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_or_does_not_follow_is_not_published(name: str, data: bytes, reason: str) -> None:
    """Each mistake is told by line and reason; a known profile id never gets other parameters."""
    with pytest.raises(InvalidInput, match=f"(?s){reason}"):
        check_publication(name, data, SHIPPED)


def test_a_clock_that_is_years_off_still_shows_what_is_in_force() -> None:
    """By a clock before all profiles the versions are shown, and that the date cannot be right."""
    facts = SHIPPED.facts(date(1999, 1, 1))
    assert (facts.profile, facts.calendar_version) == ("", 1)
    assert "xem lại ngày của máy" in next(rules_lines(facts))


def test_a_year_that_was_not_announced_is_told_in_time() -> None:
    """In the last months of a year it is said that the next one's days off are not known; before, nothing."""
    assert SHIPPED.facts(date(2026, 9, 21)).missing_years == ()
    facts = SHIPPED.facts(date(2026, 11, 2))
    assert facts.missing_years == (2027,)
    assert any("2027" in line and line.startswith("!") for line in rules_lines(facts))


def test_a_province_ends_a_profile_and_begins_its_own() -> None:
    """A short profile takes from the one that it names what it does not say, from its first day on."""
    text = (
        '{"profiles": [{"id": "nd61-2018"}, {"id": "nd118-2025", "effective_to": "2026-09-20"},'
        ' {"id": "tinh-2026", "based_on": "nd118-2025", "effective_from": "2026-09-21",'
        ' "effective_to": null, "cut_off_min": 600,'
        ' "supplement_policy": "pause", "name_vi": "Quy định của tỉnh"}]}'
    )
    check_publication("profiles.json", text.encode(), SHIPPED)
    found, _ = read_profiles(text.encode(), shipped_profiles())
    assert found == next_profiles()
    assert profile_for(FIRST_DAY, found or ()).cut_off_min == 600
    check_publication("note.txt", b"\xff", SHIPPED)
