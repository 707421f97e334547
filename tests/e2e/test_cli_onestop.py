"""``onestop`` as officials and scripts meet it: real processes, real keys, no network but this machine's."""

from __future__ import annotations

import json
import os
import pty
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from demo.people import dossiers
from onestop_sync import enrol
from onestop_sync.dossier.data import shipped_catalogue
from onestop_sync.dossier.types import TYPES
from tests.province import Province

# Each command is a process of its own with the real cost of a passphrase: slow where cores are shared.
pytestmark = pytest.mark.timeout(300)

ROOT = Path(__file__).resolve().parents[2]
PASSPHRASE = "mật khẩu rất dài"
ALL = ("tiep_nhan", "tham_dinh", "phe_duyet", "tra_ket_qua", "lanh_dao")
ONESTOP = [sys.executable, "-m", "commune_client.cli"]


def environment() -> dict[str, str]:
    """Returns the environment of a machine's command line."""
    return {**os.environ, "ONESTOP_PASSPHRASE": PASSPHRASE, "PYTHONPATH": str(ROOT)}


class Pc:
    """A machine that is used by its command line only.

    Attributes:
        folder: Its store.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *arguments: str, code: int = 0) -> str:
        """Runs a command; it must end with ``code``."""
        done = subprocess.run(
            [*ONESTOP, *arguments, "--store", str(self.folder)],
            env=environment(), cwd=self.folder.parent,
            capture_output=True, check=False, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        return done.stdout if code == 0 else done.stderr

    def json(self, *arguments: str, code: int = 0) -> Any:
        """Runs a command with ``--json``; returns what it printed, read."""
        done = subprocess.run(
            [*ONESTOP, *arguments, "--json", "--store", str(self.folder)],
            env=environment(), cwd=self.folder.parent,
            capture_output=True, check=False, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout)


@pytest.fixture
def province(tmp_path: Path) -> Iterator[Province]:
    """An administrator's office; its clock is this machine's."""
    made = Province(tmp_path / "province", types=TYPES)
    made.clock_ms = time.time_ns() // 1_000_000 - 60_000
    yield made
    made.office.close()


def enrolled(
    province: Province,
    name: str,
    officer: str = "An",
    *,
    parent: str = "http://127.0.0.1:1",
    serves: bool = False,
) -> Pc:
    """Sets a machine up by two files, as in the field."""
    pc = Pc(province.folder.parent / name)
    roles = [word for role in ALL for word in ("--role", role)]
    asked = pc.json(
        "init", "--officer", officer, "--unit", "c1", "--machine", name, "--parent", parent, *roles
    )
    answer = province.folder.parent / f"{name}.answer"
    request = Path(asked["request"]).read_bytes()
    answer.write_bytes(enrol.approve(province.office, province.admin, request, serves=serves))
    pc.json("enrol", str(answer), "--fingerprint", enrol.read_answer(answer.read_bytes()).fingerprint)
    return pc


def dossier_file(folder: Path, count: int) -> Path:
    """Writes dossiers as the demo makes them."""
    made = [asdict(each) for each in dossiers(random.Random(5), shipped_catalogue(), count)]
    path = folder / "dossiers.json"
    path.write_text(json.dumps(made, ensure_ascii=False), encoding="utf-8")
    return path


def test_the_four_steps_without_a_network(province: Province, tmp_path: Path) -> None:
    """From init to the returned result every step works offline; sync says that the work is kept, with 3."""
    pc = enrolled(province, "pc1")
    taken = pc.json("intake", "--from-json", str(dossier_file(tmp_path, 3)))["accepted"]
    codes = [each["code"] for each in taken]
    assert len(set(codes)) == 3
    for command in ("handover", "receive", "appraise", "approve", "handover", "receive", "return"):
        assert pc.json(command, *codes)["failed"] == []
    assert "vẫn được giữ" in pc.run("sync", code=3)
    status = pc.json("status")
    assert (status["dossiers"], status["sync"]["is_online"]) == (3, False)
    shown = pc.json("show", codes[0])
    assert (shown["step"], shown["level"]) == ("returned", "here")
    assert "không ở bước" in pc.run("approve", codes[0], code=1)
    assert "không có lệnh" in pc.run("bay", code=2)


def test_two_machines_work_on_one_dossier_through_the_hub(province: Province, tmp_path: Path) -> None:
    """One PC takes in, the other appraises and approves through the hub; with the hub down both go on."""
    hub = enrolled(province, "hub", serves=True)
    with subprocess.Popen(
        [*ONESTOP, "hub", "--port", "0", "--json", "--store", str(hub.folder)],
        env=environment(), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as serving:  # fmt: skip
        try:
            assert serving.stdout is not None
            address = f"http://127.0.0.1:{json.loads(serving.stdout.readline())['port']}"
            one = enrolled(province, "pc1", parent=address)
            two = enrolled(province, "pc2", "Bình", parent=address)
            code = one.json("intake", "--from-json", str(dossier_file(tmp_path, 1)))["accepted"][0]["code"]
            one.run("handover", code)
            assert one.json("sync")["acked"] > 0
            two.run("sync")
            for command in ("receive", "appraise", "approve"):
                two.run(command, code)
            two.run("sync")
            one.run("sync")
            shown = one.json("show", code)
            assert (shown["step"], shown["level"]) == ("approved", "hub")
            assert {item["who"] for item in shown["timeline"]} == {"An", "Bình"}
            assert "đã có chương trình khác" in hub.run("hub", "--port", address.rpartition(":")[2], code=2)
        finally:
            serving.send_signal(signal.SIGTERM)
            assert serving.wait(30) == 0
    path = str(dossier_file(tmp_path, 2))
    codes = [each["code"] for pc in (one, two) for each in pc.json("intake", "--from-json", path)["accepted"]]
    assert len({code, *codes}) == 5


def test_only_a_certified_machine_is_a_hub(province: Province) -> None:
    """A machine whose certificate does not say so serves nobody, and says whom to ask."""
    assert "--serves" in enrolled(province, "pc1").run("hub", "--port", "0", code=1)


def test_a_kill_in_the_middle_loses_no_code(province: Province, tmp_path: Path) -> None:
    """A process that is killed while it takes in leaves whole dossiers, and the next one doubles no code."""
    pc = enrolled(province, "pc1")
    path = dossier_file(tmp_path, 200)
    with subprocess.Popen(
        [*ONESTOP, "intake", "--from-json", str(path), "--store", str(pc.folder)],
        env=environment(), cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as taking:  # fmt: skip
        wal = pc.folder / "store.db-wal"
        while taking.poll() is None and not (wal.exists() and wal.stat().st_size > 200_000):
            time.sleep(0.005)
        taking.kill()
    before = [row["code"] for row in pc.json("list", "--limit", "1000")["rows"]]
    assert all(before)
    after = pc.json("intake", "--from-json", str(dossier_file(tmp_path, 2)))["accepted"]
    codes = [*before, *(each["code"] for each in after)]
    assert len(set(codes)) == len(codes)


def test_the_passphrase_is_asked_for_on_a_terminal(province: Province, tmp_path: Path) -> None:
    """On a terminal the passphrase is typed and not shown."""
    pc = enrolled(province, "pc1")
    words = environment()
    del words["ONESTOP_PASSPHRASE"]
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*ONESTOP, "status", "--store", str(pc.folder)],
        env=words, cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    ) as asking:  # fmt: skip
        os.close(theirs)
        asked = read_until(ours, "Mật khẩu của An: ")
        os.write(ours, f"{PASSPHRASE}\n".encode())
        told = read_until(ours, "chưa đồng bộ")
        assert asking.wait(60) == 0
    os.close(ours)
    assert "An, Xã Một" in told
    assert PASSPHRASE not in asked + told


def read_until(terminal: int, words: str) -> str:
    """Reads what a process writes on a terminal, up to some words."""
    found = b""
    while words.encode() not in found:
        assert select.select([terminal], [], [], 60)[0], found
        found += os.read(terminal, 4096)
    return found.decode()
