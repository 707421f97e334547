"""Tells the story: Vietnamese with English beside it, figures as they were measured, in 80 columns."""

from __future__ import annotations

import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import zip_longest
from typing import TextIO

__all__ = ["Narrator", "number"]

WIDTH = 80
_GAP = " │ "
_COLUMN = (WIDTH - 2 - len(_GAP)) // 2
_LABEL = 52
_BAR = 24
_REDRAW_S = 0.1


def number(value: float) -> str:
    """Returns a number as it is written in Vietnam: 12.345 and 0,25."""
    if isinstance(value, int):
        return f"{value:,}".replace(",", ".")
    text = f"{value:,.2f}" if value < 10 else f"{value:,.1f}"
    return text.translate(str.maketrans(",.", ".,"))


class Narrator:
    """Prints the story.

    Args:
        out: Where to; progress is drawn only on a terminal.
    """

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._is_terminal = self._out.isatty()
        self._drawn_s = 0.0
        self.started_s = time.monotonic()

    def chapter(self, n: int, vi: str, en: str) -> None:
        """Opens a chapter, with the seconds that have gone by."""
        title = f" {n}. {vi} / {en} "
        self._line()
        self._line(title.center(WIDTH, "═"))
        self._line(f"{number(time.monotonic() - self.started_s)} s".rjust(WIDTH))

    def say(self, vi: str, en: str) -> None:
        """Prints a paragraph: Vietnamese on the left, English on the right."""
        left = textwrap.wrap(vi, _COLUMN)
        right = textwrap.wrap(en, _COLUMN)
        for one, other in zip_longest(left, right, fillvalue=""):
            self._line(f"  {one.ljust(_COLUMN)}{_GAP}{other}".rstrip())

    def fact(self, label: str, value: object) -> None:
        """Prints something that was measured."""
        text = number(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
        if len(text) > WIDTH - _LABEL - 5:
            self._line(f"    {label}:")
            for part in textwrap.wrap(text, WIDTH - 8):
                self._line(f"        {part}")
            return
        self._line(f"    {(label + ' ').ljust(_LABEL, '.')} {text}")

    def quote(self, text: str) -> None:
        """Prints what a program answered, as it answered."""
        for part in textwrap.wrap(" ".join(text.split()), WIDTH - 6):
            self._line(f"    > {part}")

    def verdict(self, label: str, detail: str = "", *, is_good: bool) -> None:
        """Prints a check with its outcome."""
        mark = "✓" if is_good else "✗"
        self._line(f"  {mark} {label}")
        for part in textwrap.wrap(detail, WIDTH - 8):
            self._line(f"      {part}")

    @contextmanager
    def measured(self, label: str) -> Iterator[None]:
        """Prints how long the block took."""
        began = time.monotonic()
        yield
        self.fact(label, f"{number(time.monotonic() - began)} s")

    def progress(self, label: str, done: int, total: int) -> None:
        """Draws how far something has got; on a terminal only, and not more often than it can be read."""
        now = time.monotonic()
        if not self._is_terminal or (done < total and now - self._drawn_s < _REDRAW_S):
            return
        self._drawn_s = now
        filled = _BAR * done // max(total, 1)
        bar = "█" * filled + "·" * (_BAR - filled)
        self._out.write(f"\r    {bar} {done}/{total} {label}"[: WIDTH + 1].ljust(WIDTH))
        if done >= total:
            self._out.write("\r" + " " * WIDTH + "\r")
        self._out.flush()

    def _line(self, text: str = "") -> None:
        self._out.write(text + "\n")
        self._out.flush()
