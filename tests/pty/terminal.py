"""A process in a pseudo-terminal of 80 by 24, with a screen that can be read."""

import json
import os
import pty
import select
import subprocess
import sys
import termios
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyte

_ROOT = Path(__file__).resolve().parents[2]
_PATIENCE_S = 30.0
F12 = b"\x1b[24~"


class Terminal:
    """Runs `typing_app` and types bytes at it."""

    def __init__(self, output: Path, *kinds: str, env: dict[str, str] | None = None) -> None:
        """Start the app with these fields.

        Args:
            output: Where the app writes the values of its fields.
            kinds: Kinds of fields, see `typing_app`.
            env: Variables beside the usual ones.
        """
        self.output = output
        self.screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self.screen)
        command = [sys.executable, "-m", "tests.pty.typing_app", str(output), *kinds]
        variables = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", **(env or {})}
        self._terminal, inside = pty.openpty()
        termios.tcsetwinsize(inside, (24, 80))
        self._process = subprocess.Popen(
            command,
            cwd=_ROOT,
            env=variables,
            stdin=inside,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
        )
        os.close(inside)

    def __enter__(self) -> Self:
        """Wait until the app takes keys."""
        self._wait_for(self.output.with_suffix(".ready"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process, whatever happened."""
        self._process.kill()
        self._process.wait()
        os.close(self._terminal)

    def type(self, *writes: bytes) -> None:
        """Write bytes as somebody's keyboard would; each part is read by the app before the next is sent."""
        for part in writes:
            os.write(self._terminal, part)
            self._read(0.05)

    def finish(self) -> list[Any]:
        """Ask for the values of the fields, and return them."""
        self.type(F12)
        self._wait_for(self.output)
        values: list[Any] = json.loads(self.output.read_text(encoding="utf-8"))
        return values

    def _wait_for(self, path: Path) -> None:
        """Read the screen until a file is there and has its content."""
        deadline = time.monotonic() + _PATIENCE_S
        while not path.exists() or (path.suffix == ".json" and not path.read_bytes()):
            if time.monotonic() > deadline:
                raise AssertionError("\n".join(self.screen.display))
            self._read(0.02)

    def _read(self, patience_s: float) -> None:
        """Feed the screen with what comes within a time."""
        while select.select([self._terminal], [], [], patience_s)[0]:
            try:
                data = os.read(self._terminal, 65536)
            except OSError:  # the process has ended and closed its side
                return
            if not data:
                return
            self._stream.feed(data)
