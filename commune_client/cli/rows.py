"""Lines of lists: whole where a program reads them, and no wider than the window where a person does."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from typing import Final

from commune_client.strings import CUT_MARK

__all__ = ["row_lines"]

_INDENT: Final = "    "


def row_lines(facts: str, title: str) -> Iterator[str]:
    """Yields a row: its facts, then its title, which in a narrow window is cut and has a line of its own."""
    whole = f"{facts} {title}".rstrip()
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    if not width or len(whole) <= width:
        yield whole
        return
    yield facts.rstrip()
    below = _INDENT + title
    yield below if len(below) <= width else below[: width - len(CUT_MARK)] + CUT_MARK
