"""The example for integrators runs, stays short, and imports nothing but the public API and the server."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import onestop_sync

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "embed.py"
PUBLIC = {*onestop_sync.__all__, "enrol"}


def test_example_meets_and_settles_a_conflict(tmp_path: Path) -> None:
    """Two tablets edit one field offline, one settles it, all stores agree; a second run touches nothing."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), str(tmp_path)],
        cwd=ROOT, env={"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "PYTHONWARNINGS": "error"},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    conflict, settled, same = done.stdout.splitlines()
    assert conflict.startswith("in conflict: ['water'] [")
    assert all(value in conflict for value in ("well", "spring"))
    assert (settled, same) == ("settled: spring", "the same everywhere: True")
    again = subprocess.run(
        [sys.executable, str(EXAMPLE), str(tmp_path)],
        cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.startswith("That folder holds the stores of an earlier run, untouched.")
    assert len(again.stderr.splitlines()) == 1


def test_example_without_a_folder_says_how_it_is_run() -> None:
    """Run without its argument, it shows its usage, and no traceback."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLE)],
        cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "python examples/embed.py FOLDER" in done.stderr
    assert "Traceback" not in done.stderr


def test_example_is_short_and_uses_public_names() -> None:
    """Fewer than 60 lines, and of the library only what it names as public."""
    source = EXAMPLE.read_text(encoding="utf-8")
    assert len(source.splitlines()) < 60
    imports = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)]
    ours = {n.module: {a.name for a in n.names} for n in imports if (n.module or "").startswith("onestop")}
    assert set(ours) == {"onestop_sync"}
    assert ours["onestop_sync"] <= PUBLIC
