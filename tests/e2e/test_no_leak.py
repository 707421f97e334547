"""A real day leaves nothing of a citizen in logs, temporary files, file names or what servers say.

A dossier with a name, a telephone and an ID number that stand nowhere else goes through every process there
is: commands, a hub, a killed one, one that breaks in the middle of a request, a stick, exports, a screen that
crashes. Then every file and every word of every process is searched for them, however they may be written.
"""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from onestop_sync import enrol
from onestop_sync.dossier.data import shipped_catalogue
from onestop_sync.dossier.dates import local
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.search_text import fold_text
from onestop_sync.store import now_ms
from tests.province import Province

pytestmark = pytest.mark.timeout(300)  # each command pays the real cost of a passphrase

ROOT = Path(__file__).resolve().parents[2]
PASSPHRASE = "mật khẩu rất dài"
BIRTH = "1.001193"
ROLES = ("tiep_nhan", "tham_dinh", "phe_duyet", "tra_ket_qua", "lanh_dao")
NAME, PHONE, NUMBER, PLACE = "Quàng Thị Nguyễn Đượm", "0987612345", "014188773311", "Bản Huổi Lụ"
MARKERS = (NAME, PHONE, NUMBER, PLACE)
BREAKING_HUB = f"""
import sys
from onestop_sync.protocol import Responder
from commune_client.cli import main
def broken(self, body):
    held = {NAME!r}
    raise KeyError(held, {NUMBER!r}, body)
Responder.respond = broken
sys.exit(main())
"""
BREAKING_COMMAND = f"""
import sys
from commune_client.cli import main
from commune_client.desk.reading import Reading
def broken(self, doc):
    held = {NAME!r}
    raise RuntimeError(held + {PHONE!r})
from commune_client.desk.desk import Desk
Desk.show = broken
sys.exit(main())
"""
BREAKING_THREAD = f"""
import asyncio, logging, sys, threading
from commune_client.cli import entry
def broken(session):
    held = {NAME!r}
    def inside():
        raise ValueError(held)
    thread = threading.Thread(target=inside)
    thread.start(); thread.join()
    logging.getLogger("a.library").error("row %s", held)
    async def forgotten():
        asyncio.get_running_loop().call_exception_handler({{"message": held, "exception": ValueError(held)}})
    asyncio.run(forgotten())
    return 0
entry._command = broken
sys.exit(entry.main())
"""
BREAKING_SCREEN = f"""
import sys
from commune_client.cli import main
from commune_client.screens.unlock import UnlockScreen
def broken(self):
    held = {NAME!r}
    raise RuntimeError(held + {NUMBER!r})
UnlockScreen.on_mount = broken
sys.exit(main())
"""


def spellings(text: str) -> set[bytes]:
    """Returns the ways in which a text may stand in a file, in lower case."""
    nfc, nfd = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    words = {nfc, nfd, fold_text(text), json.dumps(nfc)[1:-1], json.dumps(nfd)[1:-1]}
    found = {each.encode(code) for each in words for code in ("utf-8", "utf-16-le")}
    return {each.lower() for each in found} | {each.casefold().encode() for each in words}


ALL = {spelling: marker for marker in MARKERS for spelling in spellings(marker)}


def found_in(data: bytes) -> set[str]:
    """Returns the markers that stand in some bytes, however they are written."""
    lower = data.lower() + data.decode("utf-8", errors="ignore").casefold().encode()
    return {marker for spelling, marker in ALL.items() if spelling in lower}


class Day:
    """Machines, and all that their processes said.

    Attributes:
        said: What was said, by whom.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[tuple[str, bytes]] = []
        self.province = Province(folder / "province", types=[DOSSIER])
        self.province.clock_ms = time.time_ns() // 1_000_000 - 60_000
        self.province.publish()  # what was published at the founding has expired by now
        (folder / "tmp").mkdir()
        self.environment = {
            **os.environ, "ONESTOP_PASSPHRASE": PASSPHRASE, "PYTHONPATH": str(ROOT),
            "TMPDIR": str(folder / "tmp"), "HOME": str(folder / "home"), "SQLITE_TMPDIR": str(folder / "tmp"),
        }  # fmt: skip

    def run(self, pc: str, *arguments: str, code: int = 0, typed: str = "", program: str = "") -> Any:
        """Runs a command to its end; what it said is kept, and returned as JSON where it is."""
        how = ["-c", program] if program else ["-m", "commune_client.cli"]
        done = subprocess.run(
            [sys.executable, *how, *arguments, "--json", "--store", str(self.folder / pc)],
            env=self.environment, cwd=self.folder, input=typed.encode(), capture_output=True, check=False,
            timeout=120,
        )  # fmt: skip
        assert done.returncode == code, (arguments, done.stdout, done.stderr)
        if arguments[0] not in {"show", "list"} or code:  # what somebody asks to see is shown to them
            self.said.append((f"{pc} {arguments[0]} stdout", done.stdout))
        self.said.append((f"{pc} {arguments[0]} stderr", done.stderr))
        return json.loads(done.stdout) if done.stdout else None

    def enrol(self, pc: str, parent: str, *, serves: bool = False) -> None:
        """Sets a machine up by two files, as in the field."""
        roles = [word for role in ROLES for word in ("--role", role)]
        asked = self.run(
            pc, "init", "--officer", "An", "--unit", "c1", "--machine", pc, "--parent", parent, *roles
        )
        request = Path(asked["request"]).read_bytes()
        answer = enrol.approve(self.province.office, self.province.admin, request, serves=serves)
        (self.folder / f"{pc}.answer").write_bytes(answer)
        self.run(
            pc, "enrol", str(self.folder / f"{pc}.answer"),
            "--fingerprint", enrol.read_answer(answer).fingerprint,
        )  # fmt: skip

    def hub(self, *, program: str = "", port: int = 0) -> tuple[subprocess.Popen[bytes], int]:
        """Starts the commune's hub; returns its process and port."""
        how = ["-c", program] if program else ["-m", "commune_client.cli"]
        process = subprocess.Popen(
            [sys.executable, *how, "hub", "--port", str(port), "--json", "--store", str(self.folder / "hub")],
            env=self.environment, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        return process, int(json.loads(process.stdout.readline())["port"])

    def end(self, process: subprocess.Popen[bytes], how: int) -> None:
        """Ends a hub; what it said is kept."""
        process.send_signal(how)
        for name, data in zip(("stdout", "stderr"), process.communicate(timeout=60), strict=True):
            self.said.append((f"hub {name}", data))

    def crash_screen(self) -> None:
        """Opens the screen on a terminal; it breaks at once, and what it draws and says is kept."""
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [sys.executable, "-c", BREAKING_SCREEN, "--store", str(self.folder / "pc")],
            env={**self.environment, "TERM": "xterm-256color"}, cwd=self.folder,
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        ) as process:  # fmt: skip
            os.close(theirs)
            data = b""
            while select.select([ours], [], [], 60)[0]:
                try:
                    part = os.read(ours, 65536)
                except OSError:  # the other end is closed
                    break
                data += part
            assert process.wait(60) == 1
        os.close(ours)
        told = re.sub(rb"\x1b\[[0-?]*[ -/]*[@-~]", b"", data)  # what the terminal was told may stand between
        assert b"onestop.log" in told, told.decode()
        self.said.append(("screen", data))


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    """Make the administrator's office."""
    made = Day(tmp_path)
    yield made
    made.province.office.close()


def dossier() -> str:
    """Returns a dossier with the markers, as ``intake --from-json`` takes it."""
    fields = {"nguoi_nop": NAME, "so_dinh_danh": NUMBER, "dien_thoai": PHONE, "dia_chi": PLACE}
    papers = [paper.name_vi for paper in shipped_catalogue().get(BIRTH, local(now_ms()).date()).documents]
    return json.dumps({"procedure_code": BIRTH, "fields": fields, "attachments": papers})


def test_the_search_finds_what_it_looks_for() -> None:
    """A marker is found in every spelling, and in the middle of other bytes."""
    for marker in MARKERS:
        for form in ("NFC", "NFD"):
            for text in (marker, marker.upper(), fold_text(marker), json.dumps(marker)):
                data = unicodedata.normalize(form, text).encode()
                assert found_in(b"\0\xff" + data + b"\xfe") == {marker}, text
    assert found_in(b"nothing") == set()


def test_a_real_day_leaves_nothing_of_a_citizen_outside_of_the_stores(day: Day) -> None:
    """No file, no file's name, and no word of a server or of a mistake tells of the citizen."""
    day.enrol("hub", "http://127.0.0.1:1", serves=True)
    serving, port = day.hub()
    day.enrol("pc", f"http://127.0.0.1:{port}")
    (taken,) = day.run("pc", "intake", "--from-json", "-", typed=dossier())["accepted"]
    code = taken["code"]
    assert NAME in json.dumps(day.run("pc", "show", code), ensure_ascii=False)  # it is there, for who may see
    assert day.run("pc", "list", NAME)["rows"]
    day.run("pc", "approve", code, code=1)
    scan = day.folder / "scan.txt"  # attached and then destroyed: what the store made of it stays
    scan.write_bytes(f"{NAME} {PHONE} {NUMBER}".encode() * 3000)
    (attached,) = day.run("pc", "attach", code, str(scan))
    scan.unlink()
    day.run("pc", "handover", code)
    day.run("pc", "sync")
    day.end(serving, signal.SIGKILL)
    day.run("pc", "note", code, f"{NAME} {PHONE}")
    day.run("pc", "sync", code=3)
    breaking, _ = day.hub(program=BREAKING_HUB, port=port)
    day.run("pc", "sync", code=3)
    day.end(breaking, signal.SIGTERM)
    serving, _ = day.hub(port=port)
    day.run("pc", "sync")
    day.end(serving, signal.SIGTERM)
    assert NAME in json.dumps(day.run("hub", "show", code), ensure_ascii=False)
    day.run("hub", "attachment", "save", code, attached["name"], str(scan))
    assert NAME.encode() in scan.read_bytes()  # it went over the line
    scan.unlink()
    (day.folder / "stick").mkdir()
    day.run("pc", "export", str(day.folder / "stick"))
    day.run("pc", "show", code, code=1, program=BREAKING_COMMAND)
    day.run("pc", "status", program=BREAKING_THREAD)
    day.crash_screen()
    day.run("pc", "audit", "--export", str(day.folder / "nhat-ky.csv"))
    trail = day.run("pc", "audit")
    assert {"read", "search", "refused", "export", "sync", "audit_export", "command"} <= {
        e["what"] for e in trail
    }
    assert "RuntimeError" in (day.folder / "pc" / "onestop.log").read_text()
    assert any(b'"error": "KeyError"' in said for _, said in day.said)

    leaks = {name: found for name, said in day.said if (found := found_in(said))}
    files = [path for path in day.folder.rglob("*") if path.is_file()]
    leaks |= {str(path): found for path in files if (found := found_in(path.read_bytes()))}
    leaks |= {f"name {path}": found for path in files if (found := found_in(path.name.encode()))}
    assert leaks == {}
    assert {"store.db", "keyring", "onestop.log", "nhat-ky.csv"} <= {path.name for path in files}
    assert not list((day.folder / "tmp").rglob("*"))
