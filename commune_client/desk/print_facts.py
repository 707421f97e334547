"""What printing takes and returns."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from onestop_sync.dossier.forms.register import Line, Volume

__all__ = ["PLAIN", "ClosingFacts", "Manner", "NotPrinted", "PrintChoice", "Printed", "RegisterFacts"]


class Manner(NamedTuple):
    """How something is printed.

    Attributes:
        is_text: As plain text in 80 columns; otherwise as PDF.
        is_two_up: Two A5 pages side by side on an A4.
        copies: So many of each sheet.
        has_form_feeds: Ends each sheet of text with a form feed.
        to_printer: Hands the file to the printer that is set.
    """

    is_text: bool = False
    is_two_up: bool = False
    copies: int = 1
    has_form_feeds: bool = False
    to_printer: bool = False


PLAIN: Final = Manner()
"""One of each, as PDF, into a file."""


class PrintChoice(NamedTuple):
    """A form that can be printed of a dossier now.

    Attributes:
        form: Its kind.
        number: Its number in the circular.
        name: Its short name.
        is_next: It tells of the newest act of which there is a form: what is printed now, most likely.
    """

    form: str
    number: str
    name: str
    is_next: bool = False


class NotPrinted(NamedTuple):
    """A dossier of which the form could not be printed, and why."""

    doc: bytes
    code: str
    error: Exception


class Printed(NamedTuple):
    """What printing came to.

    Attributes:
        path: The file; it lies open there, with personal data.
        sheets: How many are in it, copies not counted.
        again: How many of them had been printed before.
        is_sent: Whether the printer took it.
        failed: What was left out.
    """

    path: Path
    sheets: int
    again: int
    is_sent: bool
    failed: tuple[NotPrinted, ...] = ()


class ClosingFacts(NamedTuple):
    """A closing of a year's register.

    Attributes:
        who: Who signed it.
        at_ms: When, milliseconds since 1970 UTC.
        volumes: Volume → (last number, dossiers, whether what is here is what was signed).
    """

    who: str
    at_ms: int
    volumes: dict[str, tuple[int, int, bool]]


class RegisterFacts(NamedTuple):
    """A year's register as this machine knows it.

    Attributes:
        year: The year.
        volumes: By name.
        closings: Oldest first.
        own_volume: The volume that this machine writes in now.
    """

    year: int
    volumes: tuple[Volume, ...]
    closings: tuple[ClosingFacts, ...]
    own_volume: str

    @property
    def rows(self) -> list[Line]:
        """All lines: how many were looked at is noted in the audit trail."""
        return [line for volume in self.volumes for line in volume.lines]
