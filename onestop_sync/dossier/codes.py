"""Codes of agencies, procedures and dossiers, and the serials that a machine may issue offline.

Agencies have a code of the old style (`000.17.22.H56`, read from right to left), one of the new style
(`H56.22.17`, from left to right), or both. Neither is ever derived from the other: `AgencyAliases` says
which codes name one unit, and a code that named a unit once names it for ever.

Source: QCVN 102:2016/BTTTT (old style; digits only is inferred from samples), QĐ 20/2020/QĐ-TTg Article 4
(new style), TT 01/2018/TT-VPCP Article 19 (dossiers).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from onestop_sync.errors import InvalidInput, NotAllowed

__all__ = [
    "GRAMMARS",
    "AgencyAliases",
    "AgencyCode",
    "AgencyStyle",
    "CodeBlock",
    "DossierCode",
    "DossierGrammar",
    "ProcedureCode",
    "grammar",
    "next_serial",
    "parse_agency_code",
    "parse_procedure_code",
    "read_dossier_code",
]

_OLD_AGENCY: Final = re.compile(r"[0-9]{3}\.[0-9]{2}\.[0-9]{2}\.[A-Y][0-9]{2}")
_NEW_AGENCY: Final = re.compile(r"[A-Y][0-9]{2}(?:\.[0-9A-Z]+)*")
_NEW_AGENCY_MAX: Final = 35
_PROCEDURE: Final = re.compile(
    r"(?P<national>[0-9]\.[0-9]{6})"
    r"(?:\.(?P<agency>[0-9]{3}\.[0-9]{2}\.[0-9]{2}\.[A-Y][0-9]{2}))?"
    r"(?:\.(?P<service>[0-9]{2}))?"
)
_PARAMETERS: Final = re.compile(r"y([24])s([3-9])", re.ASCII)
"""A grammar by its parameters: digits of the year and of the serial."""
_SHOWN: Final = 60
"""Characters of a wrong code that a message repeats."""


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


class AgencyStyle(StrEnum):
    """Which decision an agency code follows."""

    OLD = "qcvn102-2016"
    NEW = "qd20-2020"


@dataclass(frozen=True, slots=True)
class AgencyCode:
    """An agency code that was checked.

    Attributes:
        text: As it is written.
        path: Its groups from the province or ministry down; the old style's empty levels are left out.
    """

    text: str
    style: AgencyStyle
    path: tuple[str, ...]

    def __str__(self) -> str:
        return self.text


def parse_agency_code(text: str) -> AgencyCode:
    """Check an agency code of either style.

    Raises:
        InvalidInput: It is neither.
    """
    if _OLD_AGENCY.fullmatch(text):
        groups = text.split(".")[::-1]
        while len(groups) > 1 and not groups[-1].strip("0"):
            groups.pop()
        return AgencyCode(text, AgencyStyle.OLD, tuple(groups))
    if len(text) <= _NEW_AGENCY_MAX and _NEW_AGENCY.fullmatch(text):
        return AgencyCode(text, AgencyStyle.NEW, tuple(text.split(".")))
    raise InvalidInput(f"{_shown(text)} is not an agency code such as 000.17.22.H56 or H56.22.17.")


@dataclass(frozen=True, slots=True)
class AgencyAliases:
    """Which codes, old, new and of units that are gone, name which unit; made from the tree (`rules`).

    Attributes:
        units: From code to the opaque id of its unit.
    """

    units: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def with_code(self, code: str, unit: str) -> AgencyAliases:
        """Return a table in which the code names the unit.

        Raises:
            InvalidInput: It is no agency code, or it names another unit: a code is never given away.
        """
        parse_agency_code(code)
        holder = self.units.get(code, unit)
        if holder != unit:
            raise InvalidInput(f"Code {code} names unit {holder} already, and codes are never given away.")
        return AgencyAliases(MappingProxyType({**self.units, code: unit}))

    def unit_of(self, code: str) -> str | None:
        """Return the unit that a code names, or None when the table does not know it."""
        return self.units.get(code)

    def codes_of(self, unit: str) -> tuple[str, ...]:
        """List the codes of a unit, in alphabetical order."""
        return tuple(sorted(code for code, named in self.units.items() if named == unit))


@dataclass(frozen=True, slots=True)
class ProcedureCode:
    """A procedure's code that was checked.

    Attributes:
        national: The national code, `1.001193`.
        agency: Agency of the local form, `000.00.00.H55` in `2.000815.000.00.00.H55`; else empty.
        service: Suffix of an online service, `02`; else empty.
    """

    national: str
    agency: str = ""
    service: str = ""

    def __str__(self) -> str:
        return ".".join(part for part in (self.national, self.agency, self.service) if part)


def parse_procedure_code(text: str) -> ProcedureCode:
    """Check a procedure's code: national, local, or of an online service.

    Raises:
        InvalidInput: It is none of them.
    """
    match = _PROCEDURE.fullmatch(text)
    if not match:
        raise InvalidInput(
            f"{_shown(text)} is not a procedure's code such as 1.001193 or 2.000815.000.00.00.H55."
        )
    return ProcedureCode(match["national"], match["agency"] or "", match["service"] or "")


@dataclass(frozen=True, slots=True)
class DossierCode:
    """A dossier's code in parts."""

    agency: str
    received_on: date
    serial: int


@dataclass(frozen=True, slots=True)
class DossierGrammar:
    """How a dossier's code is written: `<receiving agency>-<date>-<serial of the day>`.

    Attributes:
        year_digits: 2 (of this century) or 4.
        serial_digits: Width of the serial, filled up with zeros.
    """

    id: str
    year_digits: int
    serial_digits: int

    @property
    def max_serial(self) -> int:
        """Largest serial that can be written."""
        return int(10**self.serial_digits) - 1

    def format(self, code: DossierCode) -> str:
        """Write a code.

        Raises:
            InvalidInput: The agency, the serial or the year does not fit.
        """
        parse_agency_code(code.agency)
        day = code.received_on
        if not 1 <= code.serial <= self.max_serial:
            raise InvalidInput(f"Serial {code.serial} is outside 1 to {self.max_serial}.")
        year = f"{day.year:04d}"[-self.year_digits :]
        if self._century() + year != f"{day.year:04d}":
            raise InvalidInput(f"The year {day.year} cannot be written with {self.year_digits} digits.")
        return f"{code.agency}-{year}{day.month:02d}{day.day:02d}-{code.serial:0{self.serial_digits}d}"

    def parse(self, text: str) -> DossierCode:
        """Read a code, strictly: what it returns is written back as the same text.

        Raises:
            InvalidInput: It is not a code of this grammar.
        """
        agency, _, rest = text.partition("-")
        numbers = rf"([0-9]{{{self.year_digits}}})([0-9]{{2}})([0-9]{{2}})-([0-9]{{{self.serial_digits}}})"
        match = re.fullmatch(numbers, rest)
        if not match or not int(match[4]):
            raise InvalidInput(f"{_shown(text)} is not a dossier's code such as {self.sample()}.")
        parse_agency_code(agency)
        try:
            day = date(int(self._century() + match[1]), int(match[2]), int(match[3]))
        except ValueError:
            raise InvalidInput(f"{_shown(text)} holds a date that does not exist.") from None
        return DossierCode(agency, day, int(match[4]))

    def sample(self) -> str:
        """Return an example for messages and help."""
        return self.format(DossierCode("000.17.22.H56", date(2021, 5, 31), 1))

    def _century(self) -> str:
        return "20"[: 4 - self.year_digits]


GRAMMARS: Final[Mapping[str, DossierGrammar]] = MappingProxyType(
    {
        "tt01-2018": DossierGrammar("tt01-2018", year_digits=2, serial_digits=4),
        # A ministry's sample of 2026, G09.20-20260609-0092637; no circular was found.
        "ministry-2026": DossierGrammar("ministry-2026", year_digits=4, serial_digits=7),
    }
)
"""Grammars by id; a legal profile names the one it uses."""


def grammar(grammar_id: str) -> DossierGrammar:
    """Return a grammar by the id that a legal profile names.

    Args:
        grammar_id: One of `GRAMMARS`, or parameters: ``y4s6`` is a year of four digits and six of the serial.

    Raises:
        InvalidInput: This version does not know it.
    """
    if match := _PARAMETERS.fullmatch(grammar_id):
        return DossierGrammar(grammar_id, int(match[1]), int(match[2]))
    if grammar_id not in GRAMMARS:
        raise InvalidInput(
            f"Grammar {_shown(grammar_id)} of dossier codes is not known here.",
            todo="Nothing was changed. Update this program.",
        )
    return GRAMMARS[grammar_id]


def read_dossier_code(text: str) -> DossierCode | None:
    """Return a dossier's code in parts, whichever grammar it was written by; ``None`` when it is none."""
    _, _, rest = text.partition("-")
    day, _, serial = rest.partition("-")
    try:
        return grammar(f"y{len(day) - len('mmdd')}s{len(serial)}").parse(text)
    except InvalidInput:
        return None


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """The serials of each day that one machine alone may issue, both ends included."""

    first: int
    last: int

    def __post_init__(self) -> None:
        if not 1 <= self.first <= self.last:
            raise InvalidInput(f"The serials {self.first} to {self.last} are not a block.")

    def __contains__(self, serial: int) -> bool:
        return self.first <= serial <= self.last

    def overlaps(self, other: CodeBlock) -> bool:
        """Tell whether two blocks share a serial; blocks of one unit never may."""
        return self.first <= other.last and other.first <= self.last


def next_serial(block: CodeBlock, used_today: Iterable[int]) -> int:
    """Return the serial for the next dossier of the day.

    Args:
        block: The machine's own block.
        used_today: Serials given out that day, all of them or only the highest; those outside the block
            belong to other machines and are passed over.

    Returns:
        The first of the block, or the one after the highest given out: a serial is never issued twice.

    Raises:
        NotAllowed: The block is used up for that day.
    """
    highest = max((serial for serial in used_today if serial in block), default=block.first - 1)
    if highest >= block.last:
        raise NotAllowed(
            f"All of this machine's serials for the day, {block.first} to {block.last}, are used.",
            todo="Take in on another machine of the commune, or ask the administrator for a spare block.",
            reason="serials_exhausted",
        )
    return highest + 1
