"""A report as text, CSV, JSON, or in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from onestop_sync.dossier.report.count import Counts
from onestop_sync.errors import InvalidInput
from onestop_sync.reporting.making import Report, facts_of
from onestop_sync.reporting.words import HEADS, blocks, notes, safe_cell, subtitle, title

__all__ = ["FORMATS", "render", "to_csv", "to_json", "to_text"]

_NAME: Final = 24
_FIGURE: Final = 5
_SHORT: Final = (
    "Tổng", "Mạng", "Khác", "Cũ", "Xong", "Sớm", "Đúng", "Quá", "Đang", "Hạn", "Quá",
)  # fmt: skip
"""Heads of the columns (3) to (13) where a line has 80 characters."""
_LINE: Final = 78
_HARD: Final = "\N{NO-BREAK SPACE}"


def to_text(report: Report, extra: Sequence[str] = ()) -> str:
    """Returns a report in lines of 80 characters; of more where a figure has more than four digits.

    Args:
        report: The report.
        extra: Lines to add below.
    """
    width = max(_FIGURE, 1 + len(str(report.table.total.c3)))
    lines = [title(report), *subtitle(report), ""]
    for block in blocks(report):
        lines += [_line(block.head, _SHORT, width), _line("", [f"({n})" for n in range(3, 14)], width)]
        for index, name, counts in block.lines:
            lines += _row(f"{index} {name}", counts, width)
        lines += [*_row("Tổng cộng", block.total, width), ""]
    for note in (*notes(report), *extra):
        lines += _wrapped(note)
    return "\n".join(lines) + "\n"


def _line(name: str, cells: Iterable[object], width: int) -> str:
    return f"{name:<{_NAME}}" + "".join(f"{cell!s:>{width}}" for cell in cells)


def _row(name: str, counts: Counts, width: int) -> list[str]:
    """Returns a line of the table; a long name takes lines of its own before it."""
    *before, last = _cut(name)
    return [*before, _line(last, counts, width)]


def _cut(name: str) -> list[str]:
    found = [""]
    for word in name.split():
        if found[-1] and len(found[-1]) + 1 + len(word) > _NAME - 1:
            found.append(" ")
        found[-1] = f"{found[-1]} {word}".lstrip() if found[-1].strip() else found[-1] + word
    return [part[: _NAME - 1] for part in found]


def _wrapped(text: str) -> Iterator[str]:
    """Yields a note in lines; a percent sign stays with its number."""
    line = "-"
    for word in " ".join(text.split()).replace(" %", f"{_HARD}%").split(" "):
        if len(line) + 1 + len(word) > _LINE:
            yield line.replace(_HARD, " ")
            line = " "
        line += " " + word
    yield line.replace(_HARD, " ")


def to_csv(report: Report, extra: Sequence[str] = ()) -> bytes:
    """Returns the table as CSV that a spreadsheet opens: UTF-8 with its mark."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerows([[title(report)], *([line] for line in subtitle(report))])
    for block in blocks(report):
        writer.writerows([[block.head], [HEADS[0], block.name, *HEADS[2:]], [f"({n})" for n in range(1, 14)]])
        writer.writerows([index, safe_cell(name), *counts] for index, name, counts in block.lines)
        writer.writerow(["", "Tổng cộng", *block.total])
    writer.writerows([safe_cell(line)] for line in (*notes(report), *extra))
    return out.getvalue().encode("utf-8-sig")


def to_json(report: Report, extra: Sequence[str] = ()) -> bytes:
    """Returns a report as JSON: what `facts_of` says, times in milliseconds since 1970 UTC."""
    facts: dict[str, Any] = facts_of(report) | {"notes": [*notes(report), *extra]}
    return json.dumps(facts, ensure_ascii=False, indent=1).encode() + b"\n"


def _xlsx(report: Report, extra: Sequence[str] = ()) -> bytes:
    from onestop_sync.reporting.sheet import to_xlsx

    return to_xlsx(report, extra)


def _pdf(report: Report, extra: Sequence[str] = ()) -> bytes:
    from onestop_sync.reporting.pdf import to_pdf

    return to_pdf(report, extra)


def _text(report: Report, extra: Sequence[str] = ()) -> bytes:
    return to_text(report, extra).encode()


FORMATS: Final[Mapping[str, Callable[[Report, Sequence[str]], bytes]]] = {
    ".txt": _text, ".csv": to_csv, ".json": to_json, ".xlsx": _xlsx, ".pdf": _pdf,
}  # fmt: skip
"""Ending of a file's name → what writes it."""


def render(report: Report, ending: str, extra: Sequence[str] = ()) -> bytes:
    """Returns a report in the format that a file's name asks for.

    Raises:
        InvalidInput: There is no such format.
    """
    write = FORMATS.get(ending.lower())
    if write is None:
        raise InvalidInput(
            f"A report is not written as {ending or 'a file without an ending'}.",
            todo=f"End the file's name in {', '.join(FORMATS)}.",
            reason="format",
        )
    return write(report, extra)
