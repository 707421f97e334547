"""The audit trail at a desk and by command: noted at one door, seen by who may, kept when no key is open."""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from commune_client.audit_words import AUDIT_LABELS
from commune_client.desk.desk import Desk
from commune_client.desk.notebook import Notebook
from commune_client.desk.unsigned import Unsigned
from commune_client.desk.watch import WATCHED
from onestop_sync import audit
from onestop_sync.dossier.dates import local
from onestop_sync.errors import NotAllowed, StoreError, StoreFull, WrongPassphrase
from onestop_sync.store import Store
from onestop_sync.trail import KINDS, Entry
from tests.unit.cli_world import PASSPHRASE, Commune, Shell, exchange, take_in

QUIET = {
    # They tell nothing of a dossier's content, or are noted by themselves.
    "lock", "unlock", "close", "unit_name", "units", "find_unit", "today", "clock", "confirm_date",
    "closing_ms", "step", "find", "procedures", "procedure", "papers", "check", "preview_due", "block",
    "count", "due_state", "status", "set_parents", "parent_lines", "mark_seen", "export_audit",
    "backup", "backups", "is_backup_due", "choose_backups", "change_passphrase", "confirm", "colleagues",
    "prove", "erased", "erased_ids", "verify_all", "received_on", "agency", "volume",
    "period", "neighbour", "report", "report_notes", "frozen_reports", "difficulties", "difficulty",
    "field_of", "upper_name", "inspections", "checklist",
    "check_health", "rebuild", "rules_facts", "handover_by", "any_procedure",
    "propose_mapping",
}  # fmt: skip


@pytest.fixture
def commune(tmp_path: Path) -> Iterator[Commune]:
    """Make the province."""
    found = Commune(tmp_path)
    yield found
    found.close()


def told(store: Store) -> list[tuple[str, str, int, str]]:
    """Returns who did what, how often, and the code; the latest first."""
    return [(line.who, line.entry.what, line.entry.times, line.entry.code) for line in audit.lines(store)]


def kinds(store: Store) -> list[str]:
    """Returns what was done, the first first."""
    return [line.entry.what for line in audit.lines(store)][::-1]


def test_no_method_of_the_desk_is_forgotten() -> None:
    """Each public method of a desk is watched, or is named here as one that shows nothing of a dossier."""
    methods = {name for name, _ in inspect.getmembers(Desk, inspect.isfunction) if not name.startswith("_")}
    assert methods == set(WATCHED) | QUIET
    assert not set(WATCHED) & QUIET


def test_every_kind_of_entry_has_words() -> None:
    """What can be noted has a Vietnamese name."""
    assert set(AUDIT_LABELS) == KINDS


def test_a_sitting_is_noted_from_unlocking_to_leaving(commune: Commune) -> None:
    """Log-in, what was looked at (counted), searches without their words, lock, log-in again, log-out."""
    place = commune.place("pc")
    desk = commune.desk(place)
    doc = take_in(desk)
    assert kinds(desk.store) == ["login"]
    desk.show(doc)
    desk.show(doc)
    desk.dossiers("Nguyễn Thị Hường")
    desk.dossiers()
    desk.lock()
    desk.unlock("An", PASSPHRASE)
    desk.close()
    store = Store.open(place.folder, place.secrets("An", PASSPHRASE), types=list(desk.store.types.values()))
    assert [(what, times) for _, what, times, _ in told(store)][::-1] == [
        ("login", 1), ("read", 2), ("search", 1), ("list", 1), ("lock", 1), ("login", 1), ("logout", 1)
    ]  # fmt: skip
    (read,) = audit.lines(store, doc=doc)
    assert (read.who, read.label) == ("An", desk.show(doc).view.code)
    (found,) = [line for line in audit.lines(store) if line.entry.what == "search"]
    assert (found.entry.lines, found.entry.code, found.entry.doc) == (1, "", b"")
    store.close()


def test_what_was_read_is_signed_soon_without_anybody_waiting(commune: Commune) -> None:
    """Gathered entries are written by themselves, some time after the first of them."""
    desk = commune.desk(commune.place("pc"))
    desk.notebook._gather_s = 0.05
    desk.notebook.add("list", lines=3)
    end = time.monotonic() + 10
    while "list" not in kinds(desk.store) and time.monotonic() < end:
        time.sleep(0.01)
    assert kinds(desk.store) == ["login", "list"]


def test_a_wrong_passphrase_is_signed_by_the_machine_at_the_next_unlocking(commune: Commune) -> None:
    """While no key is open the attempt is kept in a file, with the officer and the time only."""
    place = commune.place("pc")
    before = commune.province.clock_ms
    for _ in range(2):
        with pytest.raises(WrongPassphrase):
            place.unlock("An", "không phải mật khẩu này")
    kept = [json.loads(line) for line in (place.folder / "unsigned").read_text("utf-8").splitlines()]
    assert [(what, who) for _, what, _, _, _, _, who in kept] == [("wrong_passphrase", "An")] * 2
    desk = commune.desk(place)
    lines = list(audit.lines(desk.store))
    assert [(line.entry.what, line.who, line.is_machine) for line in lines] == [
        ("login", "An", False), ("wrong_passphrase", "An", True), ("wrong_passphrase", "An", True)
    ]  # fmt: skip
    assert all(before <= line.entry.at_ms <= lines[0].entry.at_ms for line in lines)
    assert not (place.folder / "unsigned").exists()


def test_a_refusal_is_noted_with_its_reason(commune: Commune) -> None:
    """What an officer tried and may not is an entry with action and reason; what succeeds is none."""
    place = commune.place("pc", roles=["tiep_nhan"])
    desk = commune.desk(place)
    doc = take_in(desk)
    with pytest.raises(NotAllowed):
        desk.approve(doc)
    with pytest.raises(NotAllowed):
        desk.act(doc, "send_back", {"ly_do": "x"})
    desk.note(doc, "ghi chú")
    desk.notebook.flush()
    assert told(desk.store)[:2] == [
        ("An", "refused", 1, "send_back:step"), ("An", "refused", 1, "approve:step")
    ]  # fmt: skip
    assert [line.entry.what for line in audit.lines(desk.store, doc=doc)] == ["refused", "refused"]


def test_nothing_is_exported_or_printed_unnoted(commune: Commune, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the entry cannot be written, there is no bundle, no exported trail, and no form."""
    desk = commune.desk(commune.place("pc"))
    doc = take_in(desk)

    def full(*_: object) -> None:
        raise StoreFull("The disk is full.")

    monkeypatch.setattr("commune_client.desk.notebook.record", full)
    stick, file = commune.folder / "stick", commune.folder / "nhat-ky.csv"
    stick.mkdir()
    for attempt in (
        lambda: desk.export(stick),
        lambda: desk.export_audit(file),
        lambda: desk.print_forms([doc], "receipt", stick),
    ):
        with pytest.raises(StoreError):
            attempt()
    assert (list(stick.iterdir()), file.exists()) == ([], False)
    monkeypatch.undo()
    desk.notebook.flush()
    assert kinds(desk.store) == ["login", "export", "audit_export", "print"]  # what was tried is not lost


def test_work_goes_on_when_the_trail_cannot_be_written(
    commune: Commune, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading a dossier never fails for the trail's sake; what is noted waits for the disk."""
    desk = commune.desk(commune.place("pc"))
    doc = take_in(desk)

    def full(*_: object) -> None:
        raise StoreFull("The disk is full.")

    monkeypatch.setattr("commune_client.desk.notebook.record", full)
    assert desk.show(doc).doc == doc
    desk.notebook.flush()
    monkeypatch.undo()
    desk.notebook.flush()
    assert kinds(desk.store) == ["login", "read"]


def test_an_officer_without_certificate_is_named_by_the_machine(commune: Commune) -> None:
    """Who may not sign is noted all the same: the machine's key signs, and the entry names the officer."""
    place = commune.place("pc")
    desk = commune.desk(place)
    place.keyring().add(place.secrets("An", PASSPHRASE), "Mới", PASSPHRASE)
    desk.lock()
    desk.unlock("Mới", PASSPHRASE)
    desk.notebook.flush()
    line = next(iter(audit.lines(desk.store)))
    assert (line.who, line.entry.what, line.is_machine) == ("Mới", "login", True)


def test_what_nobody_may_sign_stays_in_the_file(tmp_path: Path, commune: Commune) -> None:
    """While not even the machine is certified, entries are put aside, and no fuller than the file may be."""
    desk = commune.desk(commune.place("pc"))
    stranger = commune.province._secrets("lạ")
    unsigned = Unsigned(tmp_path)
    book = Notebook(desk.store, stranger.machine, unsigned, 0)
    book.use(stranger.officer, "Lạ")
    book.add("read", bytes(16))
    entries, _ = unsigned.read()
    assert [(e.what, e.who, e.doc) for e in entries] == [("read", "Lạ", bytes(16))]
    for _ in range(40):
        unsigned.note([Entry(1, "read", who="x" * 150)] * 20)
    assert unsigned.path.stat().st_size <= 64 * 1024
    unsigned.path.write_bytes(b"\xff\x00no json\n" + unsigned.path.read_bytes()[:20])
    assert unsigned.read()[0] == []


def test_own_entries_for_all_those_of_others_for_leaders(commune: Commune) -> None:
    """An officer sees what was done in the own name; who leads or administers sees the unit's."""
    place = commune.place("pc", roles=["tiep_nhan"])
    commune.colleague(place, "Bình", ["tham_dinh"])
    commune.colleague(place, "Chính", ["lanh_dao"])
    for name in ("An", "Bình"):
        commune.desk(place, name).close()
    with pytest.raises(WrongPassphrase):
        place.unlock("Bình", "sai mật khẩu")
    seen = {}
    for name in ("An", "Bình", "Chính"):
        with commune.desk(place, name) as desk:
            seen[name] = {(line.who, line.what) for line in desk.audit()}
    own = {"login", "logout"}
    assert seen["An"] == {("An", what) for what in own}
    assert seen["Bình"] == {("Bình", what) for what in {*own, "wrong_passphrase"}}
    assert {who for who, _ in seen["Chính"]} == {"An", "Bình", "Chính"}
    with commune.desk(place, "Chính") as desk:
        assert {line.who for line in desk.audit("binh")} == {"Bình"}
        day = local(commune.province.clock_ms).date()
        assert {line.event for line in desk.audit(day=day)} < {line.event for line in desk.audit()}
        assert desk.audit(day=day.replace(year=day.year - 1)) == []


def test_the_trail_goes_up_with_a_sync(commune: Commune) -> None:
    """A district reads what was done in its communes; the status says meanwhile that all work is sent."""
    desk = commune.desk(commune.place("pc"))
    hub, district = commune.hub(), commune.hub("huyen", "d1")
    exchange(desk.store, hub.store)
    assert desk.status().unsent == 0
    exchange(hub.store, district.store)
    assert kinds(district.store) == ["login"]


def test_commands_note_themselves(
    commune: Commune, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command is an entry, with what it showed; the trail is listed, filtered and exported."""
    place = commune.place("pc")
    with commune.desk(place) as desk:
        doc = take_in(desk)
        code = desk.show(doc).view.code
    shell = Shell(capsys, commune, place)
    monkeypatch.setenv("ONESTOP_PASSPHRASE", PASSPHRASE)
    shell.run("show", code)
    assert "Xem hồ sơ" in shell.run("audit", "--dossier", code)
    rows = shell.json("audit", "--by", "an")
    assert [row["what"] for row in rows][:2] == ["command", "audit"]
    assert [row["code"] for row in rows if row["what"] == "command"] == ["audit", "audit", "show"]
    file = commune.folder / "nhật ký.json"
    assert "dòng nhật ký" in shell.run("audit", "--export", str(file))
    facts = json.loads(file.read_bytes())
    assert {"login", "read", "command", "logout"} <= {fact["what"] for fact in facts}
    assert shell.json("audit")[1]["what"] == "audit_export"
    assert "đã có tệp đó" in shell.run("audit", "--export", str(file))
    assert "không phải là ngày" in shell.run("audit", "--day", "mai")
    assert file.stat().st_mode & 0o077 == 0
