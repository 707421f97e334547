"""The page for integrators does what it shows."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.hygiene.files import ROOT

PAGE = ROOT / "docs" / "integrators.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_code_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All code of the page runs from top to bottom, and what it asserts holds."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "integrators"}
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert len(blocks) > 8
    try:
        for number, block in enumerate(blocks, 1):
            exec(compile(block, f"{PAGE.name}, block {number}", "exec"), names)
    finally:
        if "stop" in names:
            names["stop"].set()  # the server of the page, when a block above its last one failed
