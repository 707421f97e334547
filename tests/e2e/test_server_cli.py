"""`onestop-server`: what it prints, its exit codes, and one line for each mistake."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from onestop_sync import enrol
from onestop_sync.dossier.calendar import VIETNAM
from onestop_sync.keyring import Keyring
from onestop_sync.keys import FAST_FOR_TESTS
from server_stub import cli, province
from tests.e2e.servers import PASSPHRASE, run_cli

UNITS: list[dict[str, Any]] = [
    {"id": "p", "name": "Tỉnh Mẫu", "level": "province", "codes": ["000.00.00.H99"]},
    {"id": "d1", "name": "Huyện Một", "parent": "p", "level": "district"},
    {"id": "c1", "name": "Xã Một", "parent": "d1", "level": "commune"},
]
CSV = """id,name,parent,level,codes
p,Tỉnh Mẫu,,province,000.00.00.H99
d1,Huyện Một,p,district,
c1,Xã Một,d1,commune,
"""


class Desk:
    """An administrator's desk: a folder, and the command."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capsys = capsys
        (folder / "units.json").write_text(json.dumps(UNITS), encoding="utf-8")

    def run(self, *arguments: object) -> tuple[int, str, str]:
        """Runs a command in this process; returns its code, and what it said on either stream."""
        try:
            code = cli.main([str(a) for a in arguments])
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        out, err = self.capsys.readouterr()
        return code, out, err

    def done(self, *arguments: object) -> Any:
        """Runs a command that must succeed; returns its JSON."""
        code, out, err = self.run(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)

    def refused(self, *arguments: object, code: int = 1) -> str:
        """Runs a command that must be refused in one line; returns that line."""
        found, _, err = self.run(*arguments)
        assert (found, err.count("\n"), err.startswith("onestop-server: ")) == (code, 1, True), err
        return err

    def found(self) -> Any:
        """Makes the province."""
        return self.done(
            "init", "--folder", self.folder / "p", "--units", self.folder / "units.json", "--name", "Tỉnh"
        )

    def init(self) -> tuple[object, ...]:
        """Returns the arguments that make the province."""
        return (
            "init",
            "--folder",
            self.folder / "p",
            "--units",
            self.folder / "units.json",
            "--name",
            "Tỉnh",
        )

    def ask(self, *options: object) -> Any:
        """Asks for a district's server."""
        return self.done(
            "init", "--folder", self.folder / "d", "--ask", self.folder / "ask", "--unit", "d1",
            "--name", "Huyện", *options,
        )  # fmt: skip

    def approve(self, *options: object) -> tuple[object, ...]:
        """Returns the arguments that approve the district's request."""
        return (
            "enrol", "approve", self.folder / "ask", "--folder", self.folder / "p",
            "--out", self.folder / "answer", *options,
        )  # fmt: skip

    def join(self, *options: object) -> tuple[object, ...]:
        """Returns the arguments that take the answer."""
        return ("init", "--folder", self.folder / "d", "--answer", self.folder / "answer", *options)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    """Give a desk with the passphrases in the environment."""
    monkeypatch.setattr(province, "found", _quick(province.found))
    monkeypatch.setattr("server_stub.commands.Keyring", lambda folder: Keyring(folder, cost=FAST_FOR_TESTS))
    monkeypatch.setenv("ONESTOP_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("ONESTOP_ROOT_PASSPHRASE", PASSPHRASE)
    monkeypatch.delenv("ONESTOP_DATABASE", raising=False)
    return Desk(tmp_path, capsys)


def _quick(real: Any) -> Any:
    return lambda *arguments, **options: real(*arguments, **options, cost=FAST_FOR_TESTS)


def test_a_province_and_a_district_are_made_with_compared_fingerprints(desk: Desk) -> None:
    """Init, ask, describe, approve and answer end with a district's server that serves and is known."""
    made = desk.found()
    asked = desk.ask()
    assert desk.done("enrol", "describe", desk.folder / "ask") == asked
    approved = desk.done(*desk.approve("--serves", "--no-blocks", "--fingerprint", asked["machine"]))
    assert (approved["root"], approved["blocks"]) == (made["root"], [])
    joined = desk.done(*desk.join("--root-fingerprint", made["root"].replace(" ", "").upper()))
    assert joined == {"unit": "d1", "serves": True, "root": made["root"]}
    status = desk.done("status", "--folder", desk.folder / "d")
    assert ([u["unit"] for u in status["units"]], status["root"]) == (["d1", "c1"], made["root"])


def test_a_district_administrator_approves_below_the_district(desk: Desk) -> None:
    """A district that asked for it certifies its communes' machines from its own folder."""
    desk.found()
    desk.ask("--admin", "--admin-name", "Lê Thị Quản")
    desk.done(*desk.approve("--serves", "--no-blocks", "--yes"))
    desk.done(*desk.join("--yes"))
    secrets = Keyring(desk.folder / "c", cost=FAST_FOR_TESTS).create("An", PASSPHRASE)
    (desk.folder / "c.ask").write_bytes(
        enrol.request(secrets, "c1", "Máy 1", [enrol.Applicant("An", secrets.officer, ["tiep_nhan"])])
    )
    approve = ("enrol", "approve", desk.folder / "c.ask", "--out", desk.folder / "c.answer", "--yes")
    given = desk.done(*approve, "--folder", desk.folder / "d", "--blocks", "1-500,501-1000")
    assert given["blocks"] == [[1, 500], [501, 1000]]


def test_units_may_be_a_table(desk: Desk) -> None:
    """A CSV file, as a spreadsheet writes it, gives the same tree as JSON."""
    (desk.folder / "units.csv").write_text("\ufeff" + CSV, encoding="utf-8")
    desk.done("init", "--folder", desk.folder / "p", "--units", desk.folder / "units.csv", "--name", "Tỉnh")
    units = desk.done("status", "--folder", desk.folder / "p")["units"]
    assert [(u["unit"], u["name"], u["depth"]) for u in units] == [
        ("p", "Tỉnh Mẫu", 0), ("d1", "Huyện Một", 1), ("c1", "Xã Một", 2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "units",
    [
        "", "[", "[]", "{}", "[1]", "id,name\n", '[{"id": "p"}]',
        '[{"id": "p", "name": "P", "level": "moon"}]',
        json.dumps(UNITS + UNITS[:1]), json.dumps(UNITS[1:]), json.dumps([*UNITS, {**UNITS[0], "id": "q"}]),
        json.dumps([UNITS[0], {**UNITS[1], "parent": "x"}]),
        json.dumps([UNITS[0], {**UNITS[1], "parent": "c1"}, UNITS[2]]),
        json.dumps([{**UNITS[0], "codes": [1]}]),
    ],
)  # fmt: skip
def test_a_broken_tree_of_units_is_refused_and_leaves_nothing(desk: Desk, units: str) -> None:
    """Whatever is wrong with the file of units, one line says so and no key is made."""
    (desk.folder / "units.json").write_text(units, encoding="utf-8")
    desk.refused(
        "init", "--folder", desk.folder / "p", "--units", desk.folder / "units.json", "--name", "Tỉnh"
    )
    assert not (desk.folder / "p" / "keyring").exists()


def test_making_a_province_twice_leaves_the_first_alone(desk: Desk) -> None:
    """A second init in one folder is refused and changes no file."""
    desk.found()
    before = {path: path.read_bytes() for path in (desk.folder / "p").rglob("*") if path.is_file()}
    desk.refused(
        "init", "--folder", desk.folder / "p", "--units", desk.folder / "units.json", "--name", "Tỉnh"
    )
    assert {path: path.read_bytes() for path in (desk.folder / "p").rglob("*") if path.is_file()} == before


def test_a_database_that_is_not_there_leaves_no_half_of_a_province(desk: Desk) -> None:
    """When the database cannot be reached, init says so, and works when it is repeated without it."""
    nowhere = "postgresql+psycopg://nobody@127.0.0.1:9/none"
    init = desk.init()
    desk.refused(*init, "--database", nowhere)
    desk.refused(*init, "--database", "no database")
    desk.done(*init)


def test_a_wrong_fingerprint_is_refused(desk: Desk) -> None:
    """Neither a machine's nor the root's key is taken when its fingerprint is another one, or unseen."""
    desk.found()
    desk.ask()
    assert "not the one" in desk.refused(*desk.approve("--fingerprint", "0000"))
    assert "nobody has compared" in desk.refused(*desk.approve())
    desk.done(*desk.approve("--serves", "--yes"))
    assert "not the one" in desk.refused(*desk.join("--root-fingerprint", "0000"))
    assert "nobody has compared" in desk.refused(*desk.join())


def test_secrets_come_from_files_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A passphrase is the first line of a file; a wrong, short or missing one is told in one line."""
    desk.found()
    monkeypatch.delenv("ONESTOP_PASSPHRASE")
    status = ("status", "--folder", desk.folder / "p")
    assert "ONESTOP_PASSPHRASE" in desk.refused(*status)
    secret = desk.folder / "secret"
    secret.write_text(f"{PASSPHRASE}\r\nsecond line\n", encoding="utf-8")
    assert desk.run(*status, "--passphrase-file", secret)[0] == 0
    secret.write_text("wrong one", encoding="utf-8")
    assert "does not open" in desk.refused(*status, "--passphrase-file", secret)
    assert "Cannot read" in desk.refused(*status, "--passphrase-file", desk.folder / "none")
    assert "--holder: 'quan-tri'" in desk.refused(*status, "--passphrase-file", secret, "--holder", "ai do")


@pytest.mark.parametrize("content", [b"", b"rubbish", b"\x00" * 100, b"\x83\x01\x02\x03", b"\x9f" * 5000])
def test_a_file_that_is_none_of_ours_is_refused(desk: Desk, content: bytes) -> None:
    """A request or answer that is something else gets one line."""
    desk.found()
    desk.ask()
    (desk.folder / "ask").write_bytes(content)
    (desk.folder / "answer").write_bytes(content)
    assert "not an enrolment request" in desk.refused("enrol", "describe", desk.folder / "ask")
    assert "enrol.request" in desk.refused(*desk.approve("--yes"))
    assert "not an enrolment answer" in desk.refused(*desk.join("--yes"))


def test_a_role_that_nobody_knows_makes_no_code(desk: Desk) -> None:
    """A mistyped role is refused with the list of roles; the portal's is no officer's."""
    desk.found()
    words = (
        "enrol",
        "code",
        "--folder",
        desk.folder / "p",
        "--unit",
        "d1",
        "--machine",
        "Máy 1",
        "--officer",
    )
    for wrong in ("tiep_nhn", "cong_dich_vu"):
        said = desk.refused(*words, f"Nguyễn Văn An:tham_dinh,{wrong}")
        assert f"no role '{wrong}'" in said
        assert "lanh_dao, phe_duyet, quan_tri, tham_dinh, tiep_nhan, tra_ket_qua" in said
    assert desk.done("enrol", "codes", "--folder", desk.folder / "p") == []
    desk.done(*words, "Nguyễn Văn An:tham_dinh")


def test_what_is_missing_is_named(desk: Desk) -> None:
    """A folder, file, unit, document type or password that does not exist is told by its name."""
    desk.found()
    assert "no store" in desk.refused("status", "--folder", desk.folder / "nowhere")
    assert "Cannot read" in desk.refused("enrol", "describe", desk.folder / "nothing")
    assert "nothing:X" in desk.refused("status", "--folder", desk.folder / "p", "--types", "nothing:X")
    assert "json:loads" in desk.refused("status", "--folder", desk.folder / "p", "--types", "json:loads")
    serve = ("serve", "--folder", desk.folder / "p", "--port", "0", "--dashboard")
    assert "ONESTOP_DASHBOARD_PASSWORD" in desk.refused(*serve)
    (desk.folder / "short").write_text("ngắn", encoding="utf-8")
    assert "12 characters" in desk.refused(*serve, "--dashboard-password-file", desk.folder / "short")


@pytest.mark.parametrize("blocks", ["x", "1", "5-1", "0-5", "1-2-3", "1-500,", "500-501,1-500"])
def test_blocks_that_are_none_are_refused(desk: Desk, blocks: str) -> None:
    """Serial blocks given by hand are checked before anything is certified."""
    desk.found()
    desk.ask()
    desk.refused(*desk.approve("--yes", "--blocks", blocks))


def test_nobody_answering_is_exit_code_3(desk: Desk) -> None:
    """A sync with a parent that is down tells so by its own exit code."""
    desk.found()
    sync = ("sync", "--folder", desk.folder / "p", "--parent")
    assert "will be sent" in desk.refused(*sync, "http://127.0.0.1:9", code=3)
    desk.refused(*sync, "not an address")


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["dance"], ["init"], ["init", "--folder", "x"], ["init", "--folder", "x", "--ask", "a"],
        ["init", "--folder", "x", "--units", "a"], ["init", "--folder", "x", "--units", "a", "--ask", "b"],
        ["enrol"], ["enrol", "approve"], ["serve"], ["serve", "--folder", "x", "--port", "70000"],
        ["serve", "--folder", "x", "--port", "-1"], ["serve", "--folder", "x", "--interval", "0"],
        ["serve", "--folder", "x", "--interval", "soon"], ["sync", "--folder", "x"], ["status"],
        ["statement"], ["proof"], ["proof", "f"],
    ],
)  # fmt: skip
def test_wrong_usage_is_exit_code_2(desk: Desk, arguments: list[str]) -> None:
    """A command that is written wrongly says how it is written, and ends with 2."""
    code, _, err = desk.run(*arguments)
    assert (code, "usage: onestop-server" in err) == (2, True)


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["init"],
        ["enrol"],
        ["enrol", "approve"],
        ["enrol", "describe"],
        ["serve"],
        ["sync"],
        ["status"],
        ["statement"],
        ["proof"],
    ],
)
def test_every_command_explains_itself(desk: Desk, command: list[str]) -> None:
    """--help shows every command's usage and ends with 0; every option is explained."""
    code, out, _ = desk.run(*command, "--help")
    assert (code, out.startswith("usage: onestop-server")) == (0, True)


def test_the_top_states_and_others_do_not(desk: Desk) -> None:
    """The province states each unit once while there is no news; a district is told that it does not."""
    desk.found()
    assert desk.done("statement", "--folder", desk.folder / "p") == {"statements": 2}
    assert desk.done("statement", "--folder", desk.folder / "p") == {"statements": 0}
    assert desk.done("statement", "--all", "--folder", desk.folder / "p") == {"statements": 2}
    desk.ask()
    desk.done(*desk.approve("--serves", "--yes"))
    desk.done(*desk.join("--yes"))
    assert "at the top" in desk.refused("statement", "--folder", desk.folder / "d")
    assert "nothing to prove" in desk.refused("proof", desk.folder / "proof", "--folder", desk.folder / "d")
    assert "not a proof" in desk.refused("proof", "--check", desk.folder / "ask")


def test_status_reads_like_a_sentence(desk: Desk) -> None:
    """Without --json, status and describe print lines for a person."""
    desk.found()
    desk.ask("--admin")
    assert "Tỉnh Mẫu (p): 0 documents" in desk.run("status", "--folder", desk.folder / "p")[1]
    assert "officer: quan-tri (quan_tri)" in desk.run("enrol", "describe", desk.folder / "ask")[1]


def test_the_command_works_as_a_process(desk: Desk) -> None:
    """As a process of its own the command gives the same exit codes, and no traceback."""
    assert run_cli("--help").returncode == 0
    missing = run_cli("status", "--folder", desk.folder / "nowhere")
    assert (missing.returncode, "Traceback" in missing.stderr) == (1, False)


def test_the_trail_is_shown_and_exported_and_that_is_noted(desk: Desk) -> None:
    """The administrator lists the trail, and exports it to a new file only; each look is an entry."""
    desk.found()
    folder = ("--folder", desk.folder / "p")
    assert desk.done("audit", *folder) == []
    (looked,) = desk.done("audit", *folder)
    assert (looked["what"], looked["signed_by"], looked["unit"], looked["lines"]) == (
        "audit",
        "officer",
        "p",
        0,
    )
    file = desk.folder / "trail.csv"
    assert desk.done("audit", *folder, "--export", file) == {"file": str(file), "lines": 2}
    assert file.read_text("utf-8-sig").count("\n") == 3
    assert "is there already" in desk.refused("audit", *folder, "--export", file)
    found = desk.done("audit", *folder, "--limit", 1)
    assert [(line["what"], line["lines"]) for line in found] == [("audit_export", 2)]
    assert desk.done("audit", *folder, "--officer", "nobody") == []
    day = datetime.fromisoformat(looked["at"]).astimezone(VIETNAM).date()
    assert looked in desk.done("audit", *folder, "--day", day)
    assert desk.done("audit", *folder, "--day", "2001-01-01") == []
    assert desk.done("status", *folder)["documents"] == 0


def test_a_mistake_of_the_program_is_told_by_its_place(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody foresaw is one line with kind and place; the exception's own words are not repeated."""
    desk.found()

    def broken(_: object) -> None:
        raise KeyError("Nguyễn Văn Bí Mật")

    monkeypatch.setattr("server_stub.figures.collect", broken)
    said = desk.refused("status", "--folder", desk.folder / "p")
    assert ("KeyError at test_server_cli.py" in said, "Bí Mật" in said) == (True, False)
