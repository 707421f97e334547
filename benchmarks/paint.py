"""Start to first paint, in a pseudo-terminal of 80 by 24, against the smallest Textual app in the same run.

Both find their modules compiled, as after an installation, whatever the environment of the run says about
writing bytecode: the starts that nobody counts compile them, into a folder of this run.

What is loaded by then is told by the process itself: it notes `sys.modules` when the terminal is given the
first bytes of the unlock screen.
"""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from benchmarks.bench import Bench
from benchmarks.figures import Figure
from commune_client.screens.words import OFFICE

__all__ = ["run"]

TARGET: Final = 1.3
_LEAST: Final = 7
"""Rounds: a start is short, and one of them meets the disk."""
_PATIENCE_S: Final = 60
_MINIMAL: Final = """
from textual.app import App
from textual.widgets import Static
class Minimal(App):
    def compose(self):
        yield Static("SMALLEST")
Minimal().run()
"""
_NOTING: Final = """
import sys
from textual.drivers.linux_driver import LinuxDriver
true, seen = LinuxDriver.write, []
def write(self, data):
    if sys.argv[1] in data and not seen:
        seen.append(open(sys.argv[2], "w").write(" ".join(sys.modules)))
    true(self, data)
LinuxDriver.write = write
from commune_client.cli.entry import main
sys.exit(main(sys.argv[3:]))
"""
_HEAVY: Final = (
    "sqlalchemy", "sqlcipher3", "sqlite3", "httpx", "cryptography", "nacl", "cbor2", "zstandard", "segno",
    "onestop_sync.store", "onestop_sync.client",
)  # fmt: skip


def run(bench: Bench) -> Iterator[Figure]:
    """Measures both in turn, after one start each that nobody counts."""
    counter = bench.world.counter(bench.fresh("screen"))
    counter.store.close()
    screen = ["--store", str(counter.store.folder)]
    ours = [sys.executable, "-m", "commune_client.cli", *screen]
    smallest = [sys.executable, "-c", _MINIMAL]
    mark = OFFICE.split()[0]
    rounds = max(bench.rounds, _LEAST)
    compiled = bench.folder / "compiled"
    pairs = [
        (_painted_ms(smallest, "SMALLEST", compiled), _painted_ms(ours, mark, compiled))
        for _ in range(rounds + 1)
    ][1:]
    ratios = tuple(own / small for small, own in pairs)
    yield Figure("start to first paint / the smallest Textual app's", "x", ratios, TARGET)
    yield Figure("start to first paint", "ms", tuple(own for _, own in pairs))
    yield Figure("control: the smallest Textual app's first paint", "ms", tuple(small for small, _ in pairs))
    loaded = _loaded(bench.folder / bench.fresh("modules"), mark, screen, compiled)
    heavy = [name for name in _HEAVY if name in loaded]
    yield Figure(
        "heavy modules loaded before the first paint", "", (float(len(heavy)),), 0,
        note=", ".join(heavy) or f"{len(loaded)} modules in sys.modules, none of them heavy",
    )  # fmt: skip


def _loaded(path: Path, mark: str, screen: Sequence[str], compiled: Path) -> set[str]:
    _painted_ms([sys.executable, "-c", _NOTING, mark, str(path), *screen], mark, compiled)
    return set(path.read_text(encoding="utf-8").split())


def _painted_ms(command: Sequence[str], mark: str, compiled: Path) -> float:
    """Returns the milliseconds from the start of a process to a word on its terminal."""
    terminal, inside = pty.openpty()
    termios.tcsetwinsize(inside, (24, 80))
    variables = {
        **os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8",
        "PYTHONPYCACHEPREFIX": str(compiled), "PYTHONDONTWRITEBYTECODE": "",
    }  # fmt: skip
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=inside, stdout=inside, stderr=inside, env=variables, start_new_session=True
    )
    os.close(inside)
    try:
        _wait_for(terminal, mark.encode())
        return (time.perf_counter() - begun) * 1000
    finally:
        process.kill()
        process.wait()
        os.close(terminal)


def _wait_for(terminal: int, mark: bytes) -> None:
    seen = b""
    end = time.monotonic() + _PATIENCE_S
    while mark not in seen:
        if time.monotonic() > end:
            raise TimeoutError("The screen was not painted: " + seen[-500:].decode(errors="replace"))
        if select.select([terminal], [], [], 1.0)[0]:
            seen += os.read(terminal, 64 * 1024)
