"""QR codes on paper, as bars: one rectangle for each run of dark modules in a row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final, NamedTuple

__all__ = ["Bar", "qr_bars"]

_QUIET: Final = 4
"""Empty modules around a QR code (ISO/IEC 18004)."""


class Bar(NamedTuple):
    """A dark rectangle, in mm from the code's upper left corner, its quiet zone included."""

    x: float
    y: float
    width: float
    height: float


def qr_bars(text: str, size_mm: float) -> Iterator[Bar]:
    """Yields the bars of a QR code.

    Args:
        text: What it says.
        size_mm: Length of its side with the quiet zone.
    """
    matrix = _matrix(text)
    module = size_mm / (len(matrix) + 2 * _QUIET)
    for row, line in enumerate(matrix):
        for start, length in _runs(line):
            yield Bar((_QUIET + start) * module, (_QUIET + row) * module, length * module, module)


@cache
def _matrix(text: str) -> tuple[tuple[int, ...], ...]:
    import segno

    return tuple(tuple(row) for row in segno.make(text, error="m", micro=False).matrix)


def _runs(line: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yields where a run of dark modules begins, and how long it is."""
    start = -1
    for column, is_dark in enumerate((*line, 0)):
        if is_dark and start < 0:
            start = column
        elif not is_dark and start >= 0:
            yield start, column - start
            start = -1
