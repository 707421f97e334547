"""A portal for tests, as a process: it checks every field, and is no better than a real one.

It takes the same dossier twice when it is told to (``isUpdating`` False makes a new one), adds progress each
time that it comes, loses answers after it has stored what they answer, and may want to be left alone. What it
holds is on the disk, so that it can be killed and started again.

    python -m tests.portal_receiver FOLDER
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from onestop_sync.dossier.portal.format import DOSSIER, PROGRESS, check


class Receiver:
    """The portal's process, and what it holds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(exist_ok=True)
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def start(self) -> None:
        """Starts it, at the port that it had before."""
        ready = self.folder / "port"
        asked = str(self.port)
        ready.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.portal_receiver", str(self.folder), asked],
            cwd=Path(__file__).parents[1],
        )
        until = time.monotonic() + 20
        while not (ready.exists() and ready.read_text()):
            assert time.monotonic() < until, "the receiver did not start"
            time.sleep(0.02)
        self.port = int(ready.read_text())

    def kill(self) -> None:
        """Ends it as a power cut does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}/apiNPAdapter"

    @property
    def held(self) -> dict[str, Any]:
        """What it holds: ``dossiers``, ``faults``, ``calls``."""
        path = self.folder / "held.json"
        return json.loads(path.read_text()) if path.exists() else _empty()

    def be(self, **mood: Any) -> None:
        """Makes it ``lose`` or ``busy`` so many answers, ``refuse`` codes, or ask for ``after`` seconds."""
        (self.folder / "mood.json").write_text(json.dumps(mood))

    def of(self, code: str) -> list[dict[str, Any]]:
        """Returns the dossiers under a code: two are a doubled one."""
        return [each for each in self.held["dossiers"] if each["MaHoSo"] == code]


def _empty() -> dict[str, Any]:
    return {"dossiers": [], "faults": [], "calls": []}


def _take(held: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    service, data = body.get("service"), body.get("data", [])
    if body.get("session") != "phiên":
        return {"error_code": "401"}
    if service == "TraCuuHoSo":
        codes = {each["MaHoSo"] for each in data}
        return {"error_code": "0", "data": [each for each in held["dossiers"] if each["MaHoSo"] in codes]}
    faults = [list(fault) for fault in check(body)]
    held["faults"] += faults
    if faults:
        return {"error_code": "-1"}
    for each in data:
        mine = [found for found in held["dossiers"] if found["MaHoSo"] == each["MaHoSo"]]
        if service == DOSSIER and body["isUpdating"] == "False":
            held["dossiers"].append({**each, "QuaTrinhXuLy": []})
        elif not mine:
            return {"error_code": "-2"}
        elif service == DOSSIER:
            progress = mine[0]["QuaTrinhXuLy"]
            mine[0].clear()
            mine[0].update(each, QuaTrinhXuLy=progress)
        else:
            assert service == PROGRESS
            mine[0]["QuaTrinhXuLy"].append(each)
    return {"error_code": "0"}


class _Handler(BaseHTTPRequestHandler):
    folder: Path

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        mood = self._read("mood.json", {})
        held = self._read("held.json", _empty())
        codes = [each.get("MaHoSo") for each in body.get("data", [])]
        if mood.get("busy", 0) > 0:
            self._write("mood.json", {**mood, "busy": mood["busy"] - 1})
            self._answer(503, {}, {"Retry-After": str(mood["after"])} if "after" in mood else {})
            return
        if set(mood.get("refuse", [])) & set(codes):
            self._answer(200, {"error_code": "-9"})
            return
        answer = _take(held, body)
        held["calls"].append([body.get("service"), body.get("isUpdating"), answer["error_code"]])
        self._write("held.json", held)
        if mood.get("lose", 0) > 0 and body.get("service") in {DOSSIER, PROGRESS}:
            self._write("mood.json", {**mood, "lose": mood["lose"] - 1})
            self.close_connection = True
            return  # stored, and nobody hears of it
        self._answer(200, answer)

    def log_message(self, *_: object) -> None:
        """Says nothing: what comes is personal data."""

    def _answer(self, status: int, value: object, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        for name, text in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(data)

    def _read(self, name: str, default: Any) -> Any:
        path = self.folder / name
        return json.loads(path.read_text()) if path.exists() else default

    def _write(self, name: str, value: object) -> None:
        fresh = self.folder / f"{name}.new"
        fresh.write_text(json.dumps(value))
        fresh.replace(self.folder / name)


def _serve(folder: Path, port: int) -> None:
    _Handler.folder = folder
    with HTTPServer(("127.0.0.1", port), _Handler) as server:
        fresh = folder / "port.new"
        fresh.write_text(str(server.server_port))
        fresh.replace(folder / "port")
        server.serve_forever()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), int(sys.argv[2]))
