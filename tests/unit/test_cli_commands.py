"""The commands, run in this process on real stores: what they say, return and leave behind."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from commune_client.cli.complaint import LOG
from commune_client.desk.desk import Desk
from commune_client.desk.place import Place
from demo.people import dossiers
from onestop_sync.dossier.data import shipped_catalogue
from tests.protocol.parents import rewind, snapshot
from tests.unit.cli_world import BIRTH, PASSPHRASE, VALUES, Commune, Shell, exchange, take_in

FORM = (
    "--name", "Nguyễn Thị Hường", "--id", "001199012345", "--address", "Thôn Đoài", "--phone", "0912 345 678",
    "--all-papers",
)  # fmt: skip


@pytest.fixture
def commune(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Commune]:
    """A province with its administrator; the passphrase is in the environment."""
    monkeypatch.setenv("ONESTOP_PASSPHRASE", PASSPHRASE)
    made = Commune(tmp_path)
    yield made
    made.close()


@pytest.fixture
def shell(commune: Commune, capsys: pytest.CaptureFixture[str]) -> Shell:
    """A command line on an enrolled machine of one officer with all roles."""
    return Shell(capsys, commune, commune.place("pc1"))


def test_a_machine_is_set_up_and_enrolled_by_two_files(
    commune: Commune, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Init writes a request, the administrator answers, enrol opens the store; the fingerprint is checked."""
    shell = Shell(capsys, commune)
    where = ("--store", str(tmp_path / "pc"), "--officer", "Hường")
    asked = shell.json("init", *where, "--unit", "c1", "--machine", "Máy 1", "--role", "tiep_nhan")
    assert shell.code == 0
    assert asked["officer_name"] == "Hường"
    assert shell.run("list", *where).startswith("onestop: Máy này đang chờ quản trị chứng nhận")
    again = shell.json("init", *where, "--unit", "c1", "--machine", "Máy 1", "--role", "tiep_nhan")
    assert again["machine"] == asked["machine"]
    answer = tmp_path / "answer"
    answer.write_bytes(commune.approve(Path(asked["request"]).read_bytes()))
    assert "vân tay" in shell.run("enrol", str(answer), "--fingerprint", "0000 0000", *where)
    assert shell.code == 1
    enrolled = shell.json("enrol", str(answer), *where)
    assert (shell.code, enrolled["unit_name"], enrolled["blocks"]) == (0, "Xã Một", [[1, 500], [501, 1000]])
    assert "đã có kho" in shell.run("init", *where, "--unit", "c1", "--machine", "x", "--role", "tiep_nhan")
    assert shell.run("status", "--store", str(tmp_path / "pc")).startswith("Hường, Xã Một: Tiếp nhận")


def test_a_second_officer_works_with_an_own_passphrase(
    commune: Commune, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Officer makes a key and a request; after enrol the colleague signs in and may be the default."""
    theirs = tmp_path / "theirs"
    theirs.write_text("mật khẩu của Bình\n", encoding="utf-8")
    asked = shell.json("officer", "Bình", "--role", "phe_duyet", "--new-passphrase-file", str(theirs))
    assert "chưa được chứng nhận" in shell.run(
        "status", "--officer", "Bình", "--passphrase-file", str(theirs)
    )
    answer = tmp_path / "answer"
    answer.write_bytes(commune.approve(Path(asked["request"]).read_bytes()))
    assert shell.json("enrol", str(answer))["officers"] == ["Bình"]
    assert "--officer" not in shell.run("status")
    monkeypatch.delenv("ONESTOP_PASSPHRASE")
    assert shell.json("login", "--officer", "Bình", "--passphrase-file", str(theirs))["officer"] == "Bình"
    assert shell.run("status", "--passphrase-file", str(theirs)).startswith("Bình, Xã Một: Phê duyệt")


def test_login_writes_no_secret(shell: Shell) -> None:
    """The settings hold addresses and a name; a wrong address or passphrase changes nothing."""
    assert shell.place is not None
    before = (shell.place.folder / "config.json").read_bytes()
    assert "Địa chỉ máy chủ không đúng" in shell.run("login", "--parent", "ftp://x")
    assert shell.code == 1
    assert (shell.place.folder / "config.json").read_bytes() == before
    shell.run("login", "--parent", "http://127.0.0.1:1", "--parent", "https://huyen.example.vn")
    text = (shell.place.folder / "config.json").read_text(encoding="utf-8")
    assert json.loads(text)["parents"] == ["http://127.0.0.1:1", "https://huyen.example.vn"]
    assert PASSPHRASE not in text


def test_a_dossier_goes_through_all_steps(shell: Shell) -> None:
    """Intake to return, each by one command, and show tells every signed event."""
    taken = shell.json("intake", BIRTH, *FORM)
    assert (shell.code, taken["code"]) == (0, "000.01.01.H99-260921-0001")
    for command in (
        ["handover", "1"], ["receive", "1"],
        ["appraise", "1", "--opinion", "đủ", "--result", "Giấy khai sinh"],
        ["approve", "1"], ["handover", "1"], ["receive", "1"],
        ["return", "1", "--receiver", "Nguyễn Văn Nam"],
    ):  # fmt: skip
        shell.run(*command)
        assert shell.code == 0, command
    shown = shell.json("show", taken["code"])
    assert (shown["step"], shown["portal_status"], shown["level"]) == ("returned", 10, "here")
    assert shown["fields"]["nguoi_nhan"] == "Nguyễn Văn Nam"
    assert len(shown["timeline"]) == 8
    said = shell.run("show", "1")
    assert "chỉ ở máy này" in said
    assert "không phải chữ ký số" in said


def test_what_is_refused_says_why_and_changes_nothing(shell: Shell) -> None:
    """A step that is not due, an unknown code, missing fields: exit code 1, one message, nothing written."""
    shell.run("intake", BIRTH, *FORM)
    assert "không ở bước" in shell.run("approve", "1")
    assert shell.code == 1
    assert "Không tìm thấy" in shell.run("approve", "7")
    facts = shell.json("intake", BIRTH, "--name", "An", "--phone", "09")
    assert {"dien_thoai", "so_dinh_danh"} <= {problem["key"] for problem in facts["error"]["problems"]}
    assert shell.code == 1
    assert shell.json("status")["dossiers"] == 1


def test_a_draft_is_saved_and_accepted_later(shell: Shell) -> None:
    """Intake --draft keeps an incomplete form; intake of its id completes and accepts it."""
    doc = shell.json("intake", BIRTH, "--name", "Trần Văn Đức", "--draft")["doc"]
    assert shell.code == 0
    assert [row["doc"] for row in shell.json("list", "tran duc")["rows"]] == [doc]
    assert shell.json("intake", doc, *FORM[2:], "--draft")["problems"] == []
    assert shell.json("intake", doc)["code"].endswith("-0001")


def test_many_dossiers_from_a_file(shell: Shell, tmp_path: Path) -> None:
    """A file as the demo makes it is taken in; what is wrong with one is told and stops no other."""
    made = [asdict(each) for each in dossiers(random.Random(7), shipped_catalogue(), 20)]
    made.insert(3, {"procedure_code": BIRTH, "fields": {"nguoi_nop": "An"}, "attachments": []})
    path = tmp_path / "dossiers.json"
    path.write_text(json.dumps(made, ensure_ascii=False), encoding="utf-8")
    facts = shell.json("intake", "--from-json", str(path))
    assert shell.code == 1
    assert [failed["number"] for failed in facts["failed"]] == [4]
    assert len({accepted["code"] for accepted in facts["accepted"]}) == 20


@pytest.mark.parametrize(
    "content",
    [
        b'{"procedure_code": "1.001193", "fields": {"nguoi_nop": "\\ud800"}}', b"[" * 100_000,
        b"\xff\xfe", b"{", b"[1]", b'{"procedure_code": 1}', b'{"procedure_code": "1.001193"}',
        b'{"procedure_code": "1.001193", "fields": {}, "attachments": {"a": "b"}}',
        b'{"procedure_code": "1.001193", "fields": {}, "due": 5}',
    ],
)  # fmt: skip
def test_a_file_that_is_no_intake_is_wrong_usage(shell: Shell, tmp_path: Path, content: bytes) -> None:
    """A malformed file is named as such before anything is written."""
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    shell.run("intake", "--from-json", str(path))
    assert shell.code == 2


@pytest.mark.parametrize(
    "typed",
    [
        ["intake", BIRTH, "--set", "nguoi_nop", *FORM],
        ["intake", BIRTH, "--set", "so_bo=hai", *FORM],
        ["intake", BIRTH, "--due", "31/02/2026", *FORM],
        ["intake"],
        ["intake", BIRTH, "--from-json", "x"],
        ["intake", "--from-json", "/không/có"],
        ["list", "--after", "x"],
        ["list", "--limit", "0"],
        ["enrol", "/không/có"],
        ["import", "/"],
        ["resolve", "1", "--keep", "--reason", "x"],
    ],
)
def test_wrong_usage_of_a_command(shell: Shell, typed: list[str]) -> None:
    """Values that cannot be meant, and files that are not there, end with 2 and one line."""
    shell.run("intake", BIRTH, *FORM)
    said = shell.run(*typed)
    assert shell.code in ({1, 2} if typed[0] == "import" else {2})
    assert said.startswith("onestop: ")
    assert said.count("\n") == 1


def test_names_and_passphrases_are_checked_before_keys_are_made(
    commune: Commune, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A name that is too long, an empty machine or a short passphrase leaves nothing behind."""
    shell = Shell(capsys, commune)
    folder = tmp_path / "new"
    typed = ["init", "--store", str(folder), "--unit", "c1", "--role", "tiep_nhan"]
    assert "200" in shell.run(*typed, "--officer", "x" * 10_000, "--machine", "m")
    assert "200" in shell.run(*typed, "--officer", "An", "--machine", " ")
    monkeypatch.setenv("ONESTOP_PASSPHRASE", "bảy chữ")
    assert "ít nhất 8" in shell.run(*typed, "--officer", "An", "--machine", "m")
    assert not folder.exists()


@pytest.mark.parametrize("text", ["\udcff\udcfe", "x" * 10_000])
def test_text_that_no_dossier_can_hold(shell: Shell, text: str) -> None:
    """Half characters and a name of 10,000 letters are one message each; nothing is written."""
    said = shell.run("intake", BIRTH, *FORM, "--set", f"nguoi_nop={text}")
    assert shell.code in {1, 2}
    assert said.count("\n") == 1
    assert shell.json("status")["dossiers"] == 0


def test_a_passphrase_file_that_is_no_text(shell: Shell, tmp_path: Path) -> None:
    """A passphrase file in another encoding is wrong usage; one with a byte order mark works."""
    path = tmp_path / "passphrase"
    path.write_bytes(b"\xff\xfe\x00")
    assert "UTF-8" in shell.run("status", "--passphrase-file", str(path))
    assert shell.code == 2
    path.write_text(PASSPHRASE + "\r\n", encoding="utf-8-sig")
    shell.run("status", "--passphrase-file", str(path))
    assert shell.code == 0


def test_an_officer_who_does_not_work_here(shell: Shell) -> None:
    """A wrong name is told together with the right ones."""
    assert "có: An" in shell.run("status", "--officer", "Ân")
    assert shell.code == 2


def test_own_fields_and_vietnamese_names_of_fields(shell: Shell) -> None:
    """--set takes a field's key, its Vietnamese name with or without marks, and a procedure's own field."""
    shell.run("intake", BIRTH, *FORM, "--set", "truong_rieng/Họ tên con=Nguyễn An", "--set", "so bo ho so=2")
    shell.run("edit", "1", "--set", "Thư điện tử=a@b.vn", "--paper", "giấy chứng sinh=0/2")
    fields = shell.json("show", "1")["fields"]
    assert (fields["truong_rieng/Họ tên con"], fields["so_bo"], fields["email"]) == ("Nguyễn An", 2, "a@b.vn")
    papers = {key: value for key, value in fields.items() if key.startswith("giay_to/Giấy chứng sinh")}
    assert list(papers.values()) == [{"ban_chinh": 0, "ban_sao": 2}]


def test_a_command_for_many_goes_on_after_one_that_is_refused(shell: Shell) -> None:
    """Several codes in one command: each is told of, and one refusal makes the exit code 1."""
    for _ in range(2):
        shell.run("intake", BIRTH, *FORM)
    facts = shell.json("handover", "1", "9", "2")
    assert shell.code == 1
    assert [done["step"] for done in facts["done"]] == ["given", "given"]
    assert [failed["name"] for failed in facts["failed"]] == ["9"]


def test_every_other_step(shell: Shell) -> None:
    """Refusal, supplement, payment, extension, transfer, consultation, withdrawal, stop, void by command."""
    for number in range(1, 9):
        shell.run("intake", BIRTH, *FORM)
        shell.run("handover", str(number))
        if number != 3:
            shell.run("receive", str(number))
    why = ("--reason", "vì thế")
    for typed, step in (
        (["supplement", "1", *why, "--content", "giấy A"], "supplement"),
        (["supply", "1", "--paper", "giấy A=1/0"], "accepted"),
        (["ask-payment", "2", "--content", "lệ phí"], "payment"),
        (["pay", "2"], "appraisal"),
        (["extend", "2", *why, "--due", "25/09/2026"], "appraisal"),
        (["decline", "3", *why], "accepted"),
        (["transfer", "4", "--to", "Huyện Một"], "sent"),
        (["ask", "5", "--to", "c2", "--content", "hỏi gì", "--until", "25/09/2026 10:00"], "appraisal"),
        (["appraise", "5"], "approval"),
        (["send-back", "5", *why], "appraisal"),
        (["stop", "5", *why], "stopped"),
        (["withdraw", "6", *why], "withdrawn"),
        (["appraise", "7"], "approval"),
        (["reject", "7", *why], "rejected"),
        (["void", "8", *why], "appraisal"),
        (["note", "2", "đã gọi điện"], "appraisal"),
    ):
        done = shell.json(*typed)
        assert (shell.code, done.get("step")) == (0, step), (typed, done)
    draft = shell.json("intake", BIRTH, "--draft")["doc"]
    assert shell.json("supplement", draft, *why, "--content", "giấy B")["step"] == "incomplete"
    assert shell.json("refuse", draft, *why)["step"] == "refused"
    assert "ĐÃ HỦY" in shell.run("show", "8")
    assert "đã gọi điện" in shell.run("show", "2")


def test_an_asked_unit_answers(commune: Commune, capsys: pytest.CaptureFixture[str]) -> None:
    """A unit that was asked gives its opinion, or says that it is not its matter."""
    hub = commune.hub("district", "d1")
    first, second = commune.place("pc1"), commune.place("pc2", unit="c2")
    desk, other = commune.desk(first), commune.desk(second)
    docs = [take_in(desk) for _ in range(2)]
    for doc in docs:
        desk.handover(doc)
        desk.receive(doc)
        desk.ask_agencies(doc, ["c2"], "có đất không", desk.store.clock() + 10**8)
    for store in (desk.store, other.store):
        exchange(store, hub.store)
    shell = Shell(capsys, commune, second)
    codes = [desk.show(doc).code for doc in docs]
    said = shell.run("answer", codes[0], "--opinion", "có đất")
    assert shell.code == 0, said
    said = shell.run("pass", codes[1], "--reason", "đất ở xã khác")
    assert shell.code == 0, said
    for store in (other.store, desk.store):
        exchange(store, hub.store)
    assert [desk.show(doc).view.agencies[0].step for doc in docs] == ["answered", "passed"]


def _conflict(commune: Commune, shell: Shell) -> None:
    hub = commune.hub()
    one, two = commune.desk(shell.place or commune.place("pc1")), commune.desk(commune.place("pc2", "Bình"))
    doc = take_in(one)
    exchange(one.store, hub.store)
    exchange(two.store, hub.store)
    one.edit(doc, {"dien_thoai": "0911111111"})
    two.edit(doc, {"dien_thoai": "0922222222"})
    exchange(two.store, hub.store)
    exchange(one.store, hub.store)


@pytest.mark.parametrize(
    ("way", "value"),
    [
        (["--choose", "1"], None),
        (["--value", "0933333333"], "0933333333"),
        (["dien_thoai", "--value", "0944444444"], "0944444444"),
    ],
)
def test_a_conflict_is_shown_and_settled(
    commune: Commune, shell: Shell, way: list[str], value: str | None
) -> None:
    """Conflicts shows base and sides; resolve takes a side by number, or a value, with a reason."""
    _conflict(commune, shell)
    assert "0001" in shell.run("conflicts")
    said = shell.run("conflicts", "1")
    for words in ("Trước đó: 0912345678", "0911111111", "0922222222", "Bình", "An (tôi)"):
        assert words in said
    wanted = value or shell.json("conflicts", "1")[0]["sides"][0]["value"]
    shell.run("resolve", "1", *way, "--reason", "đã hỏi lại")
    assert shell.code == 0
    assert shell.json("show", "1")["fields"]["dien_thoai"] == wanted
    assert shell.run("conflicts", "1") == "Không có xung đột nào.\n"


def test_a_side_that_is_not_there_cannot_be_chosen(commune: Commune, shell: Shell) -> None:
    """A wrong side, --keep on a conflict, or a key that is not open, is wrong usage and settles nothing."""
    _conflict(commune, shell)
    for way in (["--choose", "3"], ["--choose", "abcdef99"], ["--keep"], ["email", "--choose", "1"]):
        shell.run("resolve", "1", *way, "--reason", "x")
        assert shell.code == 2
    side = shell.json("conflicts", "1")[0]["sides"][1]
    shell.run("resolve", "1", "--choose", side["event"][:8], "--reason", "x")
    assert shell.json("show", "1")["fields"]["dien_thoai"] == side["value"]


def test_notices_are_shown_until_seen(commune: Commune, shell: Shell) -> None:
    """What became of one's own edit after the fact is told, and stays until it is marked as seen."""
    _conflict(commune, shell)
    assert "nay: đang xung đột" in shell.run("notices", "--seen")
    assert shell.run("notices") == "Không có thay đổi nào.\n"
    assert len(shell.json("notices", "--all")) == 1


def test_a_machine_without_a_line_keeps_its_work(shell: Shell) -> None:
    """Sync with nobody there ends with 3, says that the work is kept, and status tells since when."""
    shell.run("intake", BIRTH, *FORM)
    shell.run("login", "--parent", "http://127.0.0.1:1")
    assert "vẫn được giữ" in shell.run("sync")
    assert shell.code == 3
    assert shell.json("sync")["error"]["code"] == "unreachable"
    facts = shell.json("status")["sync"]
    assert (facts["is_online"], facts["unsent"] > 0) == (False, True)
    assert "Ngoại tuyến" in shell.run("status")


def test_no_parent_is_a_refusal_with_what_to_do(shell: Shell) -> None:
    """Sync without any address says how to set one."""
    shell.run("login", "--parent", "")
    assert "--parent" in shell.run("sync")
    assert shell.code == 1


def test_the_stick_is_told_of_on_both_sides(shell: Shell, tmp_path: Path) -> None:
    """Export names who can open the file; import of something else is refused and changes nothing."""
    shell.run("intake", BIRTH, *FORM)
    said = shell.run("export", str(tmp_path / "stick.onestop"), "--to", "pc1")
    assert shell.code in {0, 1}, said
    (tmp_path / "other").write_bytes(b"not a bundle")
    assert "Chưa có gì được nhập" in shell.run("import", str(tmp_path / "other"))
    assert shell.code == 1


def test_a_proof_is_written_told_once_and_checked_without_a_store(
    commune: Commune, shell: Shell, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A parent that went back is told in the status until the proof is written; the proof checks."""
    path = tmp_path / "bang-chung.txt"
    shell.run("proof", str(path))
    assert (shell.code, path.exists()) == (1, False)
    hub = commune.hub()
    assert shell.place is not None
    with shell.place.unlock("An", PASSPHRASE) as desk:
        exchange(desk.store, hub.store)
        desk.new_draft(BIRTH)
        exchange(desk.store, hub.store)
        old = snapshot(hub.store)
        desk.new_draft(BIRTH)
        exchange(desk.store, hub.store)
        rewind(hub.store, old)
        exchange(desk.store, hub.store)
    assert "! Cấp trên có 1 điểm không khớp; ở đây không mất gì" in shell.run("status")
    assert "kho dữ liệu đã bị đưa về bản cũ" in shell.run("proof", str(path))
    assert "không khớp" not in shell.run("status")
    assert path.read_text(encoding="utf-8").startswith("Bằng chứng về máy cấp trên")
    alone = Shell(capsys, commune, Place(tmp_path / "khac"))
    assert "+ đã chứng minh: hub (Xã Một)" in alone.run("proof", "--check", str(path))
    path.write_text(path.read_text(encoding="utf-8").replace("A", "B"), encoding="utf-8")
    alone.run("proof", "--check", str(path))
    assert alone.code == 1


@pytest.mark.parametrize("command", [["status"], ["list"], ["intake", BIRTH, *FORM]])
def test_a_wrong_passphrase_is_one_line(
    shell: Shell, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong passphrase ends with 1, says what to check, and shows no traceback."""
    monkeypatch.setenv("ONESTOP_PASSPHRASE", "sai rồi sai rồi")
    said = shell.run(*command)
    assert (shell.code, said.count("\n")) == (1, 1)
    assert "Mật khẩu không đúng" in said


def test_without_a_terminal_nobody_is_asked(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """With no passphrase, no variable and no terminal the command says how to give one."""
    monkeypatch.delenv("ONESTOP_PASSPHRASE")
    assert "--passphrase-file" in shell.run("status")
    assert shell.code == 2


def test_a_damaged_setting_is_told_and_nothing_is_lost(shell: Shell) -> None:
    """A settings file that is not ours is named; the store opens again once it is moved away."""
    assert shell.place is not None
    path = shell.place.folder / "config.json"
    for content in (b"\xff", b"[]", b'{"parents": 1}', b'{"parents": [], "officer": "", "doubted_ms": "x"}'):
        path.write_bytes(content)
        assert "config.json" in shell.run("status")
        assert shell.code == 1
    path.unlink()
    assert shell.run("status").startswith("An")


def test_a_doubted_clock_is_confirmed_by_naming_the_day(commune: Commune, shell: Shell) -> None:
    """After the clock went back, intake waits for --confirm-date with today's date."""
    shell.run("intake", BIRTH, *FORM)
    commune.province.clock_ms -= 366 * 24 * 3600 * 1000
    assert "Ngày giờ của máy" in shell.run("intake", BIRTH, *FORM)
    assert shell.code == 1
    shell.run("intake", BIRTH, *FORM, "--confirm-date", "01/01/2020")
    assert shell.code == 1
    assert shell.json("intake", BIRTH, *FORM, "--confirm-date", "20/09/2025")["code"].endswith("-250920-0001")


def test_a_mistake_of_ours_is_one_line_and_a_log_without_personal_data(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody foresaw ends with 1; the log says where it happened, and holds no value of a dossier."""

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError(VALUES["nguoi_nop"])

    monkeypatch.setattr(Desk, "dossiers", broken)
    said = shell.run("list")
    assert (shell.code, said.count("\n")) == (1, 1)
    assert shell.place is not None
    log = (shell.place.folder / LOG).read_text(encoding="utf-8")
    assert "RuntimeError" in log
    assert "reading.py" in log
    assert "Hường" not in log + said


def test_procedures_are_shown_without_a_store(commune: Commune, capsys: pytest.CaptureFixture[str]) -> None:
    """The catalogue needs no machine and no passphrase, and is searched without marks."""
    shell = Shell(capsys, commune)
    assert "Đăng ký khai tử" in shell.run("procedures", "khai tu")
    assert {each["code"] for each in shell.json("procedures")} >= {BIRTH}


def test_on_a_terminal_the_screen_is_opened(
    commune: Commune, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Onestop alone on a terminal opens the screen of the named store, for the named officer."""
    opened: list[tuple[Path, str | None]] = []

    def run(folder: Path, officer: str | None = None) -> int:
        opened.append((folder, officer))
        return 7

    monkeypatch.setattr("commune_client.screens.run", run)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    place = commune.place("pc1")
    shell = Shell(capsys, commune, place)
    shell.run("--officer", "An")
    assert (shell.code, opened) == (7, [(place.folder, "An")])


def test_without_a_terminal_no_screen_is_opened(commune: Commune, capsys: pytest.CaptureFixture[str]) -> None:
    """Onestop alone in a script shows its help instead of a screen."""
    shell = Shell(capsys, commune)
    assert shell.run().startswith("cách dùng: onestop")
    assert shell.code == 0
