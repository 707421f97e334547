"""Figures: what was measured, what was aimed at, and how both are shown."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

__all__ = ["Figure", "heading", "line", "to_markdown", "to_plain"]

_WIDTHS = (58, 12, 10, 10, 10)


@dataclass(frozen=True)
class Figure:
    """One measured thing.

    Attributes:
        name: What was measured.
        unit: Unit of the values, as it is printed.
        values: One for each round.
        target: What the median should reach; ``None`` for a figure that is only to be compared with.
        is_floor: Whether the target is the least that is wanted; otherwise it is the most.
        is_worst: Whether every round has to reach the target, not only the median.
        note: What else belongs to it.
    """

    name: str
    unit: str
    values: tuple[float, ...]
    target: float | None = None
    is_floor: bool = False
    is_worst: bool = False
    note: str = ""

    @property
    def median(self) -> float:
        """The middle of the rounds."""
        return statistics.median(self.values)

    @property
    def is_met(self) -> bool | None:
        """Whether the target was reached; ``None`` when there is none."""
        if self.target is None:
            return None
        if self.is_floor:
            return (min(self.values) if self.is_worst else self.median) >= self.target
        return (max(self.values) if self.is_worst else self.median) <= self.target

    @property
    def mark(self) -> str:
        """One word: ``ok``, ``MISSED``, or nothing without a target."""
        return "" if self.is_met is None else "ok" if self.is_met else "MISSED"

    @property
    def aim(self) -> str:
        """The target as it is printed."""
        if self.target is None:
            return ""
        return f"{'>=' if self.is_floor else '<='} {_number(self.target)} {self.unit}".strip()


def _number(value: float) -> str:
    digits = 0 if abs(value) >= 100 or float(value).is_integer() else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def _cells(figure: Figure) -> tuple[str, ...]:
    values = (figure.median, min(figure.values), max(figure.values))
    return figure.name, figure.aim, *map(_number, values)


def heading() -> str:
    """Returns the table's first line."""
    return _row(("what", "target", "median", "min", "max")) + "  unit"


def line(figure: Figure) -> str:
    """Returns a figure as a line of the table."""
    parts = [_row(_cells(figure)), figure.unit, figure.mark, figure.note]
    return "  ".join(part for part in parts if part)


def _row(cells: tuple[str, ...]) -> str:
    first, *rest = zip(cells, _WIDTHS, strict=True)
    return first[0].ljust(first[1]) + "".join(f" {cell:>{width}}" for cell, width in rest)


def to_plain(figure: Figure) -> dict[str, Any]:
    """Returns a figure as JSON takes it."""
    return {
        "name": figure.name, "unit": figure.unit, "values": list(figure.values), "median": figure.median,
        "target": figure.target, "target_is": "at least" if figure.is_floor else "at most",
        "met": figure.is_met, "note": figure.note,
    }  # fmt: skip


def to_markdown(figures: Iterable[Figure], facts: dict[str, str]) -> str:
    """Returns the section on speed of a README."""
    rows = ["| What | Target | Median | Min | Max | |", "|---|---|---|---|---|---|"]
    for figure in figures:
        name, aim, *numbers = _cells(figure)
        note = f" ({figure.note})" if figure.note else ""
        middle, low, high = numbers
        rows.append(f"| {name}{note} | {aim} | {middle} {figure.unit} | {low} | {high} | {figure.mark} |")
    machine = ", ".join(f"{key} {value}" for key, value in facts.items())
    return "\n".join([*rows, "", f"Measured by `make bench` on: {machine}."])
