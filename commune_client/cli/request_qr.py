"""An enrolment request as QR: whole as a picture, or its fingerprints alone on the terminal.

A request with its signatures has some 400 bytes: a QR of that many is 42 lines high, and a terminal has 24.
So the terminal shows what two people would read out to each other, unit and fingerprints, to be photographed
and compared; the whole request goes to a picture (SVG or PNG), and as text into a message.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Final

from commune_client.cli.codes import UsageFault

if TYPE_CHECKING:
    from commune_client.desk.enrolment import Asked

__all__ = ["fingerprint_text", "save_picture", "terminal_lines"]

_QUIET: Final = 2
"""Empty modules around the QR on a terminal, whose own margin adds to them."""
_HALVES: Final = {(1, 1): " ", (1, 0): "▄", (0, 1): "▀", (0, 0): "█"}
"""Upper and lower module → the character: dark modules are left dark, light ones drawn."""
_MOST: Final = 106
"""Bytes that fit 24 lines (version 5, ISO/IEC 18004)."""
_PICTURES: Final = frozenset({".svg", ".png"})


def fingerprint_text(asked: Asked) -> str:
    """Returns unit and fingerprints of a request; without the unit when its id is too long for 24 lines."""
    keys = [asked.machine.replace(" ", ""), asked.officer.replace(" ", "")]
    text = " ".join(["ONESTOP", asked.unit, *keys])
    return text if len(text.encode()) <= _MOST else " ".join(["ONESTOP", *keys])


def terminal_lines(text: str) -> list[str]:
    """Returns a QR as lines of half blocks, at most 80 × 22."""
    import segno

    return _half_blocks([list(map(bool, row)) for row in segno.make(text, error="l", micro=False).matrix])


def _half_blocks(matrix: Sequence[Sequence[bool]]) -> list[str]:
    width = len(matrix[0]) + 2 * _QUIET
    empty = [False] * width
    side = [False] * _QUIET
    rows = [*[empty] * _QUIET, *([*side, *row, *side] for row in matrix), *[empty] * _QUIET]
    pairs = zip_longest(rows[::2], rows[1::2], fillvalue=empty)
    return ["".join(_HALVES[upper, lower] for upper, lower in zip(*pair, strict=True)) for pair in pairs]


def save_picture(path: Path, text: str) -> None:
    """Writes a request as a picture.

    Args:
        path: ``….svg`` or ``….png``.
        text: The request as text.

    Raises:
        UsageFault: Another kind of file, or more officers than a QR can hold.
    """
    import segno

    if path.suffix.lower() not in _PICTURES:
        raise UsageFault("--qr: cần tên tệp .svg hoặc .png.")
    try:
        code = segno.make(text, error="l", micro=False)
    except segno.DataOverflowError:
        raise UsageFault("yêu cầu quá lớn cho một mã QR; hãy gửi tệp.") from None
    code.save(str(path), scale=6, border=4)
