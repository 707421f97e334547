"""Real server processes, and machines of a small province that talk to them over 127.0.0.1."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onestop_sync import enrol
from onestop_sync.client import Parent, Patience
from onestop_sync.keyring import Keyring, Secrets
from onestop_sync.keys import FAST_FOR_TESTS
from onestop_sync.store import Store, Writer
from server_stub import province
from tests.province import CASE, UNITS

ROOT = Path(__file__).parents[2]
PASSPHRASE = "một cửa liên thông"
HOLDER = "quan-tri"
QUICK = Patience(tries=2, first_s=0.05, most_s=0.1)


@dataclass
class Server:
    """A server's process.

    Attributes:
        folder: Its folder.
        port: Where it listens on 127.0.0.1.
        process: The process.
    """

    folder: Path
    port: int
    process: subprocess.Popen[str]

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def parent(self) -> Parent:
        """The same, for a machine."""
        return Parent(self.url)

    def kill(self) -> None:
        """Ends it as a power cut does."""
        self.process.kill()
        self.process.wait()

    def stop(self, how: int = signal.SIGTERM) -> int:
        """Asks it to end; returns its exit code."""
        self.process.send_signal(how)
        return self.process.wait(30)


@dataclass
class Office:
    """A machine of a commune with one officer."""

    store: Store
    secrets: Secrets

    @property
    def writer(self) -> Writer:
        """The officer's hand."""
        return self.store.writer(self.secrets.officer)

    def take_in(self, count: int, name: str = "hồ sơ") -> list[bytes]:
        """Creates cases."""
        writer = self.writer
        return [
            writer.create("case", {"code": f"{name} {n}", "name": f"Nguyễn Văn {n}"}) for n in range(count)
        ]


@dataclass
class Town:
    """A province with its top server's folder; makes servers and machines below it."""

    folder: Path
    database: str | None = None
    offices: list[Office] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Founds the province."""
        made = province.found(
            self.folder / "province", UNITS, holder=HOLDER, passphrase=PASSPHRASE, root_passphrase=PASSPHRASE,
            machine_name="Máy chủ tỉnh", types=[CASE], database=self.database, cost=FAST_FOR_TESTS,
        )  # fmt: skip
        made.store.close()

    @contextmanager
    def _office(self) -> Iterator[tuple[Store, Secrets]]:
        folder = self.folder / "province"
        secrets = Keyring(folder).unlock(HOLDER, PASSPHRASE)
        store = Store.open(folder, secrets, types=[CASE], database=self.database)
        try:
            yield store, secrets
        finally:
            store.close()

    def enrol(self, name: str, unit: str, *, serves: bool = False) -> Office:
        """Makes a machine with one officer, enrolled by two files as in the field."""
        folder = self.folder / name
        secrets = Keyring(folder, cost=FAST_FOR_TESTS).create(HOLDER, PASSPHRASE)
        officers = [] if serves else [enrol.Applicant(name, secrets.officer, ["clerk"])]
        asked = enrol.request(secrets, unit, name, officers)
        with self._office() as (store, admin):
            answer = enrol.approve(store, admin.officer, asked, serves=serves)
        office = Office(enrol.accept(folder, secrets, answer, types=[CASE]), secrets)
        self.offices.append(office)
        return office

    def server(self, name: str, unit: str) -> Path:
        """Makes a server below the province; returns its folder."""
        self.enrol(name, unit, serves=True).store.close()
        return self.folder / name

    def close(self) -> None:
        """Closes all machines."""
        for office in self.offices:
            office.store.close()


def run_cli(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs ``onestop-server`` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "server_stub.cli", *map(str, arguments)],
        cwd=ROOT, env=_environment(environment), capture_output=True, text=True, check=False, timeout=60,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def _environment(extra: dict[str, str]) -> dict[str, str]:
    return {**os.environ, "ONESTOP_PASSPHRASE": PASSPHRASE, "PYTHONIOENCODING": "utf-8", **extra}


def status(folder: Path, database: str | None = None) -> dict[str, Any]:
    """Returns what ``onestop-server status --json`` says."""
    done = run_cli(
        "status", "--folder", folder, "--types", "tests.province:CASE", "--json",
        *(["--database", database] if database else []),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@contextmanager
def serving(folder: Path, *options: object, port: int = 0, **environment: str) -> Iterator[Server]:
    """Serves a folder in a process of its own for the length of the block; killed at its end."""
    ready = folder / "ready.json"
    ready.unlink(missing_ok=True)
    command = [
        sys.executable, "-m", "server_stub.cli", "serve", "--folder", str(folder), "--port", str(port),
        "--types", "tests.province:CASE", "--ready-file", str(ready), *map(str, options),
    ]  # fmt: skip
    with (folder / "server.log").open("a", encoding="utf-8") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=_environment(environment), stdout=log, stderr=log, text=True,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    try:
        eventually(lambda: ready.exists() or process.poll() is not None)
        assert process.poll() is None, (folder / "server.log").read_text(encoding="utf-8")
        yield Server(folder, json.loads(ready.read_text())["port"], process)
    finally:
        process.kill()
        process.wait()


def eventually(check: Callable[[], object], patience_s: float = 60.0) -> None:
    """Waits until something holds."""
    end = time.monotonic() + patience_s
    while not check():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.05)


class Line:
    """A TCP line to a server, which counts what passes and can be cut after a request, before its answer.

    Args:
        port: Port of the server on 127.0.0.1.
        lose: Numbers of the answers, from 1, that get lost.
    """

    def __init__(self, port: int, lose: tuple[int, ...] = ()) -> None:
        self.target = port
        self.lose = lose
        self.up = self.down = self.answers = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []

    @property
    def parent(self) -> Parent:
        """Where a machine calls."""
        return Parent(f"http://127.0.0.1:{self.port}")

    def __enter__(self) -> Line:  # noqa: PYI034
        self._go(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        # Closing a socket wakes nobody who accepts on it: call once more instead.
        self.target = 0
        socket.create_connection(("127.0.0.1", self.port)).close()
        for thread in self._threads:
            thread.join(10)
        self._listener.close()

    def _go(self, work: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while self.target:
            near, _ = self._listener.accept()
            if not self.target:
                near.close()
                return
            far = socket.create_connection(("127.0.0.1", self.target))
            self._go(self._upward, near, far)
            self._go(self._downward, near, far)

    def _upward(self, near: socket.socket, far: socket.socket) -> None:
        while data := _received(near):
            self.up += len(data)
            far.sendall(data)
        _shut(far)

    def _downward(self, near: socket.socket, far: socket.socket) -> None:
        while data := _received(far):
            self.answers += data.startswith(b"HTTP/1.1 ")
            if self.answers in self.lose:
                break
            self.down += len(data)
            near.sendall(data)
        _shut(near)
        near.close()
        far.close()


def _received(end: socket.socket) -> bytes:
    try:
        return end.recv(65536)
    except OSError:
        return b""


def _shut(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
