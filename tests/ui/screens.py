"""The text of a screen, and comparing it with a picture that is kept as a file."""

import os
from pathlib import Path
from typing import Any

from textual.app import App

_GOLDEN = Path(__file__).with_name("golden")


def screen_text(app: App[Any]) -> str:
    """Return what stands on the screen, line by line, without colours."""
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips()) + "\n"


def assert_golden(app: App[Any], name: str) -> None:
    """Compare the screen with its picture; with UPDATE_GOLDEN=1 in the environment, draw it anew."""
    path = _GOLDEN / f"{name}.txt"
    text = screen_text(app)
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
