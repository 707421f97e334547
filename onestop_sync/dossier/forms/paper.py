"""What a printed sheet is made of, whoever prints it: a head, blocks from top to bottom, signatures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, NamedTuple

__all__ = [
    "DOTS",
    "Block",
    "Column",
    "Fact",
    "Grid",
    "PaperSize",
    "Paragraph",
    "Sheet",
    "Signature",
]

DOTS: Final = "…" * 12
"""What is left to be written by hand."""


class PaperSize(StrEnum):
    """The paper that a circular names."""

    A5 = "A5"
    """148 × 210 mm, upright."""
    A4_WIDE = "A4"
    """297 × 210 mm, on its side: the register has twelve columns."""


class Fact(NamedTuple):
    """A label and what it says; `is_strong` is what a citizen looks for first."""

    label: str
    value: str
    is_strong: bool = False


class Paragraph(NamedTuple):
    """Running text."""

    text: str
    is_strong: bool = False


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        weight: How wide, compared with the others.
        is_centred: Numbers and dates; text is set to the left.
    """

    title: str
    weight: int
    is_centred: bool = False


class Grid(NamedTuple):
    """A table; its head is repeated on each page."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]


Block = Fact | Paragraph | Grid


class Signature(NamedTuple):
    """Where somebody signs by hand.

    Attributes:
        title: As what.
        name: Name printed below the place to sign; empty: written by hand.
        hint: What is asked of who signs.
    """

    title: str
    name: str = ""
    hint: str = "(Ký, ghi rõ họ tên)"


@dataclass(frozen=True, slots=True)
class Sheet:
    """One form, filled in.

    Attributes:
        form: Its kind, see `kinds`.
        number: Its number in the circular: ``01``.
        circular: The circular.
        title: Its title, as the legal profile has it.
        size: Paper.
        issuer: Lines at the top left, the agency last.
        issued: Number of this sheet: ``07.0001-7C3A9/HDHS``, dots to write it on, empty for none.
        place_date: ``Đông Phương, ngày 02 tháng 03 năm 2026``; empty where the form bears no date.
        code: The dossier's code, printed as a QR code; empty before acceptance and on a register.
        blocks: From top to bottom.
        signatures: From left to right.
        mark: ``In lại lần 2``; empty the first time.
        foot: Small print.
        is_numbered: Whether the pages bear numbers even when there is only one.
    """

    form: str
    number: str
    circular: str
    title: str
    size: PaperSize
    issuer: tuple[str, ...]
    blocks: tuple[Block, ...]
    signatures: tuple[Signature, ...] = ()
    issued: str = ""
    place_date: str = ""
    code: str = ""
    mark: str = ""
    foot: str = ""
    is_numbered: bool = False

    def with_(self, **changes: Any) -> Sheet:
        """Returns the sheet with some of it changed."""
        return replace(self, **changes)
