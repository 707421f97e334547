"""One-time codes between real processes: server, machine, relay, two servers on one database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from onestop_sync import codec, enrol, enrol_line
from onestop_sync.client import CONTENT_TYPE
from onestop_sync.enrol_code import read_code
from onestop_sync.errors import UpstreamRefused
from onestop_sync.keyring import Keyring
from onestop_sync.keys import FAST_FOR_TESTS
from server_stub.settings import DEFAULT_TYPES
from tests.e2e.servers import HOLDER, PASSPHRASE, QUICK, ROOT, Server, Town, run_cli, serving

OFFICER = "Nguyễn Văn An:tiep_nhan,tra_ket_qua"
ONESTOP = (sys.executable, "-m", "commune_client.cli")
SECOND = "Lê Thị Bình:phe_duyet"


class Office:
    """A province's folder, and its commands."""

    def __init__(self, folder: Path, database: str | None) -> None:
        self.town = Town(folder, database)
        self.folder = folder
        self.options = [
            "--types",
            "tests.province:CASE",
            "--types",
            DEFAULT_TYPES,
            *(["--database", database] if database else []),
        ]

    def serve(self, *options: object) -> Any:
        """Serves the province."""
        return serving(self.folder / "province", *self.options[2:], *options)

    def run(self, *words: object, code: int = 0) -> str:
        """Runs a command at the province."""
        done = run_cli(*words, "--folder", self.folder / "province", *self.options)
        assert done.returncode == code, done.stderr
        return done.stdout if code == 0 else done.stderr

    def code(self, *options: object, machine: str = "Máy tiếp nhận 1") -> str:
        """Makes a code."""
        made = self.run(
            "enrol", "code", "--unit", "c1", "--machine", machine, "--officer", OFFICER, "--json", *options
        )
        found: str = json.loads(made)["code"]
        return found

    def onestop(self, name: str, *words: object, code: int = 0) -> str:
        """Runs `onestop` on a machine, as JSON."""
        done = subprocess.run(
            [*ONESTOP, *map(str, words), "--store", str(self.folder / name), "--json"], cwd=ROOT,
            env={**os.environ, "ONESTOP_PASSPHRASE": PASSPHRASE, "ONESTOP_NEW_PASSPHRASE": PASSPHRASE},
            capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == code, (words, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        return done.stdout


on_both = pytest.mark.parametrize("office", ["sqlcipher", "postgresql"], indirect=True)


@pytest.fixture
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """Give a province, on SQLCipher unless a test asks for both kinds of database."""
    is_postgres = getattr(request, "param", "") == "postgresql"
    database = request.getfixturevalue("postgres_url") if is_postgres else None
    made = Office(tmp_path, database)
    yield made
    made.town.close()


@on_both
def test_a_machine_enrols_itself_by_its_code(office: Office) -> None:
    """One command on the new machine and it works: certified, synced, second officer too; nobody else may."""
    code = office.code("--officer", SECOND)
    with office.serve() as server:
        by_code = ("enrol", "--server", server.url, "--code", code.lower())
        mistyped = code[:-1] + ("2" if code[-1] != "2" else "3")
        slip = json.loads(office.onestop("pc", "enrol", "--server", server.url, "--code", mistyped, code=1))
        assert slip["error"]["reason"] == "code_slip"
        answered = json.loads(office.onestop("pc", *by_code, "--officer", "nguyen van an"))
        assert (answered["unit"], answered["machine_name"], answered["blocks"][0]) == (
            "c1",
            "Máy tiếp nhận 1",
            [1, 500],
        )
        office.onestop("pc", "sync")
        office.onestop("pc", "officer", "Lê Thị Bình", "--code", code)
        status = json.loads(office.onestop("pc", "status", "--officer", "Lê Thị Bình"))
        assert status["officer"]["roles"] == ["phe_duyet"]
        other = json.loads(office.onestop("other", *by_code, "--officer", "nguyen van an", code=1))
        assert other["error"]["reason"] == "code_used"
    listed = json.loads(office.run("enrol", "codes", "--json"))
    assert [(each["state"], each["selector"]) for each in listed] == [("used", code[:4])]
    log = (office.folder / "province" / "server.log").read_text(encoding="utf-8")
    assert '"event": "enrol"' in log
    assert not [word for word in (*code.split("-"), "Máy tiếp nhận", "Nguyễn") if word in log]


@on_both
def test_strangers_are_bounded(office: Office) -> None:
    """Large, foreign and guessing requests are refused; after too many guesses everybody waits."""
    code = office.code()
    with office.serve() as server:
        url = server.url + enrol_line.ENROL_PATH
        post = {"content-type": CONTENT_TYPE}
        assert httpx.post(url, content=bytes(70_000), headers=post, trust_env=False).status_code == 413
        other = {"content-type": "text/plain"}
        assert httpx.post(url, content=b"x", headers=other, trust_env=False).status_code == 415
        assert httpx.post(url, content=b"x", trust_env=False).status_code == 400  # untyped, and no packet
        assert httpx.post(url, content=b"x", headers=post, trust_env=False).status_code == 400
        guess = codec.encode([1, "enrol", 0, codec.encode([1, "enrol-look", "0000", bytes(16), bytes(32)])])
        near = codec.encode([1, "enrol", 0, codec.encode([1, "enrol-look", code[:4], bytes(16), bytes(32)])])
        ring = codec.encode([1, "enrol", 9, codec.encode([1, "enrol-look", code[:4], bytes(16), bytes(32)])])
        with httpx.Client(headers=post, trust_env=False) as client:
            assert codec.decode(client.post(url, content=ring).content)[2][0] == "code_ring"
            told = [client.post(url, content=body) for body in (near, guess)]
            assert (told[0].status_code, told[0].content) == (told[1].status_code, told[1].content)
            statuses = [client.post(url, content=guess).status_code for _ in range(100)]
        assert (statuses[0], statuses[-1], statuses.index(429)) == (403, 429, 98)
        said = json.loads(office.onestop("pc", "enrol", "--server", server.url, "--code", code, code=1))
        assert said["error"]["reason"] == "code_busy"


def test_a_code_passes_through_a_relay(office: Office) -> None:
    """A machine that reaches only the district is enrolled by the province."""
    code = office.code()
    district = office.town.server("district", "d1")
    with office.serve() as top, serving(district, "--parent", top.url) as relay:
        answered = json.loads(office.onestop("pc", "enrol", "--server", relay.url, "--code", code))
        assert answered["unit"] == "c1"
        wrong = office.code()[:4] + code[4:]
        reason = json.loads(office.onestop("pc2", "enrol", "--server", relay.url, "--code", wrong, code=1))
        assert reason["error"]["reason"] in {"code_slip", "code_wrong"}
        office.onestop("pc", "sync")


def test_a_district_server_enrols_itself_by_its_code(office: Office) -> None:
    """One command makes a server below the province, whose holder certifies for the district from then on."""
    admin = ("--serves", "--no-blocks", "--officer", "Lê Thị Quản:quan_tri")
    words = ("enrol", "code", "--unit", "d1", "--machine", "Máy chủ huyện", "--json", *admin)
    code = json.loads(office.run(*words))["code"]
    types = ("--types", "tests.province:CASE", "--types", DEFAULT_TYPES)
    here = ("--folder", office.folder / "huyen", *types)
    with office.serve() as server:
        by_code = ("init", "--by-code", "--parent", server.url, "--json", *here)
        pc = office.code()
        assert "no server" in run_cli(*by_code, ONESTOP_ENROL_CODE=pc).stderr
        made = run_cli(*by_code, ONESTOP_ENROL_CODE=code)
        assert json.loads(made.stdout)["serves"] is True, made.stderr
    below = ("enrol", "code", "--unit", "c1", "--machine", "Máy 2", "--officer", OFFICER, "--json", *here)
    own = json.loads(run_cli(*below).stdout)["code"]
    with serving(office.folder / "huyen") as district:
        answered = json.loads(office.onestop("pc2", "enrol", "--server", district.url, "--code", own))
    assert answered["machine_name"] == "Máy 2"


def test_a_commune_administrator_adds_a_machine_without_any_line(office: Office) -> None:
    """Certified by the province's code, a commune's administrator makes a code on the own PC, offline."""
    words = ("enrol", "code", "--unit", "c1", "--machine", "Máy chủ xã", "--serves", "--json")
    code = json.loads(office.run(*words, "--officer", "Trần Thị Quản:quan_tri,lanh_dao"))["code"]
    with office.serve() as server:
        office.onestop("hub", "enrol", "--server", server.url, "--code", code)
    here = ("--folder", office.folder / "hub", "--holder", "Trần Thị Quản")
    below = ("enrol", "code", "--unit", "c1", "--machine", "Máy 2", "--officer", OFFICER, "--json", *here)
    own = json.loads(run_cli(*below).stdout)["code"]
    asked = json.loads(
        office.onestop(
            "pc", "init", "--officer", "Nguyễn Văn An", "--unit", "c1", "--machine", "?", "--code", own
        )
    )
    answer = office.folder / "pc.answer"
    approved = run_cli("enrol", "approve", asked["request"], "--out", answer, *here)
    assert approved.returncode == 0, approved.stderr
    answered = json.loads(office.onestop("pc", "enrol", answer, "--code", own))
    assert (answered["machine_name"], answered["blocks"][0]) == ("Máy 2", [1001, 1500])
    above = run_cli("enrol", "code", "--unit", "d1", "--machine", "M", "--officer", OFFICER, *here)
    assert (above.returncode, "Only an administrator of the unit" in above.stderr) == (1, True)


@on_both
def test_without_an_administrator_it_waits_for_one(office: Office) -> None:
    """A server whose holder may not certify keeps the request; approved, the machine gets in."""
    folder = office.folder / "province"
    keyring = Keyring(folder, cost=FAST_FOR_TESTS)
    keyring.add(keyring.unlock(HOLDER, PASSPHRASE), "may-chu", PASSPHRASE)
    code = office.code()
    with office.serve("--holder", "may-chu") as server:
        by_code = ("enrol", "--server", server.url, "--code", code)
        assert json.loads(office.onestop("pc", *by_code, code=3)) == {"waiting": True}
        assert "1 of 1 requests approved" in office.run("enrol", "approve", "--waiting")
        assert json.loads(office.onestop("pc", *by_code))["machine_name"] == "Máy tiếp nhận 1"


def test_by_stick_no_fingerprint_is_compared(office: Office) -> None:
    """A request with its code is approved as a file, the answer opens with the code, and with no other."""
    code, other = office.code(), office.code(machine="Máy 2")
    asked = json.loads(
        office.onestop(
            "pc", "init", "--officer", "Nguyễn Văn An", "--unit", "c1", "--machine", "?", "--code", code
        )
    )
    answer = office.folder / "pc.answer"
    described = json.loads(run_cli("enrol", "describe", asked["request"], "--json").stdout)
    assert described["code"] == code[:4]
    office.run("enrol", "approve", asked["request"], "--out", answer)
    wrong = json.loads(office.onestop("pc", "enrol", answer, "--code", other, code=1))
    assert wrong["error"]["reason"] == "code_answer"
    assert (
        json.loads(office.onestop("pc", "enrol", answer, "--code", code))["machine_name"] == "Máy tiếp nhận 1"
    )


def test_without_a_code_the_request_travels_as_text_and_picture(office: Office) -> None:
    """A request that was pasted into a message is approved like a file; its picture is where it should."""
    words = ("init", "--officer", "Lê Thị Bình", "--unit", "c1", "--machine", "Máy 3", "--role", "tiep_nhan")
    picture, message = office.folder / "request.svg", office.folder / "message.txt"
    asked = json.loads(office.onestop("pc", *words, "--text", "--show-qr", "--qr", picture))
    assert picture.read_text(encoding="utf-8").startswith("<?xml")
    message.write_text(f"Kính gửi tỉnh,\n{asked['text']}\nTrân trọng", encoding="utf-8")
    answer = office.folder / "pc.answer"
    said = office.run(
        "enrol", "approve", message, "--out", answer, "--fingerprint", asked["machine"], "--json"
    )
    root = json.loads(said)["root"]
    assert json.loads(office.onestop("pc", "enrol", answer, "--fingerprint", root))["machine_name"] == "Máy 3"


def test_two_machines_race_for_one_code_through_two_processes(tmp_path: Path, postgres_url: str) -> None:
    """Eight machines ask at once with one code at two processes of one database: one is enrolled."""
    office = Office(tmp_path, postgres_url)
    keys = read_code(office.code())
    requests: list[bytes] = []
    for n in range(8):
        secrets = Keyring(tmp_path / f"m{n}", cost=FAST_FOR_TESTS).create("An", PASSPHRASE)
        requests.append(enrol.request(secrets, "c1", "Máy"))
    with office.serve() as one, office.serve() as two:
        found = _at_once(keys, requests, [one, two])
    assert sorted(found) == ["", *["code_used"] * 7]


def _at_once(keys: Any, requests: list[bytes], servers: list[Server]) -> list[str]:
    """Lets every machine ask in a thread of its own; returns why not, empty for the one that got in."""
    found: list[str] = []
    start = threading.Barrier(len(requests))

    def ask(number: int) -> None:
        start.wait()
        try:
            enrol_line.ask([servers[number % 2].parent], keys, requests[number], patience=QUICK)
            found.append("")
        except UpstreamRefused as error:
            found.append(str(error.details["reason"]))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(len(requests))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found
