"""The processes of the story: started with their own folders and ports, ended by their ids, never by name."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import IO, Any, Final

from demo import PASSPHRASE

__all__ = [
    "HOST",
    "ROOT",
    "JobFailed",
    "Processes",
    "Talker",
    "command",
    "environment",
    "free_ports",
    "is_alive",
    "wait_until",
]

HOST: Final = "127.0.0.1"
ROOT: Final = Path(__file__).parents[1]
_START_S: Final = 60.0
_STOP_S: Final = 15.0

Progress = Callable[[int, int], None]


class JobFailed(Exception):
    """A process answered that it could not do what it was told.

    Attributes:
        code: Stable code of the library's error.
        details: What the error says besides.
    """

    def __init__(self, code: str, what: str, details: Mapping[str, str]) -> None:
        super().__init__(f"{code}: {what}")
        self.code = code
        self.details = dict(details)


def command(name: str) -> list[str]:
    """Returns how to start ``onestop`` or ``onestop-server``, installed beside this Python or not."""
    installed = Path(sys.executable).with_name(name)
    if installed.exists():
        return [str(installed)]
    module = {"onestop": "commune_client.cli", "onestop-server": "server_stub.cli"}[name]
    return [sys.executable, "-c", f"import sys; from {module} import main; sys.exit(main())"]


def environment() -> dict[str, str]:
    """Returns the environment of every process: the demo's passphrases, and UTF-8 everywhere."""
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", "")))),
        "PYTHONUTF8": "1",
        "ONESTOP_PASSPHRASE": PASSPHRASE,
        "ONESTOP_NEW_PASSPHRASE": PASSPHRASE,
        "ONESTOP_ROOT_PASSPHRASE": PASSPHRASE,
    }


def free_ports(count: int) -> list[int]:
    """Returns ports on 127.0.0.1 that nobody listens on now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((HOST, 0))
        return [int(each.getsockname()[1]) for each in sockets]


class Talker:
    """A process that takes a line and answers lines of JSON."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._in: IO[str] = process.stdin
        self._out: IO[str] = process.stdout

    def send(self, line: str) -> None:
        """Sends a line without waiting for its answer."""
        self._in.write(line + "\n")
        self._in.flush()

    def take(self, progress: Progress | None = None) -> Any:
        """Waits for the answer to a line.

        Raises:
            JobFailed: It says why it could not do it, or it is gone.
        """
        for line in self._out:
            match json.loads(line):
                case {"progress": [int(done), int(total)]}:
                    if progress:
                        progress(done, total)
                case {"result": result}:
                    return result
                case {"error": str(code), "what": str(what), "details": dict(details)}:
                    raise JobFailed(code, what, details)
                case answer:
                    return answer
        raise JobFailed("gone", "The process has ended; its log says why.", {})

    def ask(self, line: str, progress: Progress | None = None) -> Any:
        """Sends a line and waits for its answer."""
        self.send(line)
        return self.take(progress)


class Processes:
    """Everything that the story has started.

    Args:
        logs: Folder for what they write to standard error.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: dict[str, subprocess.Popen[str]] = {}
        self._is_starting = False
        self._signal = 0

    def start(self, name: str, arguments: Sequence[str]) -> subprocess.Popen[str]:
        """Starts a process; its standard input is a pipe that stays open while it should run."""
        self._logs.mkdir(parents=True, exist_ok=True)
        self._is_starting = True
        with (self._logs / f"{name}.log").open("a", encoding="utf-8") as log:
            process = subprocess.Popen(
                list(arguments), cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=log, text=True, encoding="utf-8", start_new_session=True,
            )  # fmt: skip
        self._running[name] = process
        self._is_starting = False
        if self._signal:
            raise SystemExit(128 + self._signal)
        return process

    def interrupt(self, number: int, _: FrameType | None) -> None:
        """Handles a signal: ends the story, but not between a process's start and its being known here.

        Raises:
            SystemExit: With the code that a shell gives to a program that a signal ended.
        """
        self._signal = number
        if not self._is_starting:
            raise SystemExit(128 + number)

    def serve(self, name: str, arguments: Sequence[str], port: int) -> None:
        """Starts a server, and waits until it answers on ``port``.

        Raises:
            RuntimeError: It ended, or did not answer in time.
        """
        process = self.start(name, arguments)
        wait_until(lambda: process.poll() is not None or is_alive(port), name)
        if process.poll() is not None:
            raise RuntimeError(f"{name} did not start: see {self._logs / name}.log")

    def talk(self, name: str, arguments: Sequence[str]) -> Talker:
        """Starts a process that is spoken to in lines."""
        return Talker(self.start(name, arguments))

    def stop(self, name: str) -> None:
        """Ends a process: asks, waits, and ends it the hard way if it does not go."""
        process = self._running.pop(name, None)
        if process is None:
            return
        with contextlib.suppress(OSError):
            if process.stdin:
                process.stdin.close()
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()

    def kill(self, name: str) -> None:
        """Ends a process as a power cut would."""
        process = self._running.get(name)
        if process is not None:
            process.kill()
            process.wait()
            self.stop(name)

    def stop_all(self) -> None:
        """Ends everything, the newest first."""
        for name in reversed(list(self._running)):
            self.stop(name)


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    """Waits for something that other processes do.

    Raises:
        RuntimeError: It did not come about in time.
    """
    end = time.monotonic() + _START_S
    while not is_so():
        if time.monotonic() > end:
            raise RuntimeError(f"{what} did not start in {_START_S:.0f} s")
        time.sleep(0.05)


def is_alive(port: int) -> bool:
    """Tells whether a server answers on ``port``."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/v1/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
