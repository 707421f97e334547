"""The rules that a store works by: catalogue, calendar, profiles and codes, as the province published them.

What the program ships is the start, until the province has published its own. A published file that this
program cannot read harms nobody: the last one that it could read stays in force, or else the shipped one, and
`Rules.faults` says so.

What an id of a legal profile means never changes: a dossier keeps the profile of its intake for life, by id.
So the shipped profiles stay known whatever is published, and `plan_publication` refuses a file that gives a
known id other parameters, or drops one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any, Final, NamedTuple

from onestop_sync.dossier.calendar import Calendar
from onestop_sync.dossier.catalogue import Catalogue
from onestop_sync.dossier.codes import AgencyAliases
from onestop_sync.dossier.data import (
    shipped_calendar,
    shipped_catalogue,
    shipped_posting,
    shipped_profiles,
    shipped_report_rules,
)
from onestop_sync.dossier.files import (
    CATALOGUE,
    HOLIDAYS,
    POSTING,
    PROFILES,
    REPORTS,
    Fault,
    first_fault,
    read_calendar,
    read_catalogue,
    read_posting,
    read_profiles,
    read_report_rules,
    write_calendar,
    write_catalogue,
    write_posting,
    write_profiles,
    write_report_rules,
)
from onestop_sync.dossier.posting import PostingMask, mask_from_plain
from onestop_sync.dossier.profiles import LegalProfile, profile_for
from onestop_sync.dossier.report.rules import ReportRules
from onestop_sync.errors import FormatError, InvalidInput
from onestop_sync.publication import Publication
from onestop_sync.trust_document import TrustDocument

__all__ = [
    "CATALOGUE",
    "FILES",
    "HOLIDAYS",
    "POSTING",
    "PROFILES",
    "REPORTS",
    "Origin",
    "Rules",
    "RulesFacts",
    "agency_aliases",
    "check_publication",
    "plan_publication",
]

FILES: Final = (CATALOGUE, HOLIDAYS, PROFILES, REPORTS, POSTING)
"""Published files that hold the domain."""
_AHEAD: Final = timedelta(days=92)
"""How far ahead a year without announced days off is told: as far as most due dates reach."""
_SHOWN: Final = 20
"""Mistakes that one refusal lists."""


class Origin(StrEnum):
    """Where a part of the rules comes from."""

    SHIPPED = "shipped"
    PUBLISHED = "published"
    HELD = "held"
    """Published earlier: the newest cannot be read here."""


class RulesFacts(NamedTuple):
    """What an official sees of the rules that are in force here.

    Attributes:
        publication: Version of the province's publication.
        origins: File → `Origin`.
        faults: File → why its newest version cannot be read here.
        missing_years: Years within the coming months whose days off were not announced.
    """

    publication: int
    catalogue_version: int
    procedures: int
    calendar_version: int
    announced_years: tuple[int, ...]
    profile: str
    profile_name: str
    origins: dict[str, Origin]
    faults: dict[str, str]
    missing_years: tuple[int, ...] = ()


@lru_cache(maxsize=8)
def _parsed(name: str, data: bytes) -> Any:
    """Reads a published file once, however many desks ask.

    Raises:
        FormatError: It cannot be read.
    """
    readers: dict[str, Any] = {
        CATALOGUE: read_catalogue,
        HOLIDAYS: read_calendar,
        PROFILES: lambda found: read_profiles(found, shipped_profiles()),
        REPORTS: read_report_rules,
        POSTING: read_posting,
    }
    value, faults = readers[name](data)
    if faults:
        raise first_fault(name, faults)
    return value


class Rules:
    """What the law and the province say, as data; each file is read when it is first asked for.

    Args:
        files: Published files, by name.
        held: Earlier versions of them that could be read, by name.
        version: Of the publication.
    """

    def __init__(
        self,
        files: Mapping[str, bytes] | None = None,
        held: Mapping[str, bytes] | None = None,
        version: int = 0,
    ) -> None:
        self.version = version
        self._files = files or {}
        self._held = held or {}
        self._origins: dict[str, Origin] = {}
        self._faults: dict[str, str] = {}

    @classmethod
    def shipped(cls) -> Rules:
        """Returns what the package ships."""
        return cls()

    @classmethod
    def of(cls, publication: Publication, held: Mapping[str, bytes] | None = None) -> Rules:
        """Returns what a publication says.

        Args:
            publication: The newest one of the store.
            held: Earlier versions of its files that could be read, by name.
        """
        files = {name: data for name in FILES if (data := publication.target(name)) is not None}
        return cls(files, held, publication.version)

    @cached_property
    def catalogue(self) -> Catalogue:
        """Procedures."""
        found: Catalogue = self._read(CATALOGUE, shipped_catalogue())
        return found

    @cached_property
    def calendar(self) -> Calendar:
        """Days off and office hours."""
        found: Calendar = self._read(HOLIDAYS, shipped_calendar())
        return found

    @cached_property
    def profiles(self) -> tuple[LegalProfile, ...]:
        """Legal profiles, of which one is in force on each day."""
        found: tuple[LegalProfile, ...] = self._read(PROFILES, shipped_profiles())
        return found

    @cached_property
    def report_rules(self) -> tuple[ReportRules, ...]:
        """Rules for reports, of which one set is in force on each day."""
        found: tuple[ReportRules, ...] = self._read(REPORTS, shipped_report_rules())
        return found

    @cached_property
    def posting(self) -> PostingMask:
        """What may be posted in public."""
        found: PostingMask = self._read(POSTING, mask_from_plain(shipped_posting()))
        return found

    @cached_property
    def known_profiles(self) -> tuple[LegalProfile, ...]:
        """Every profile that a dossier here may have been received under: the published, then the shipped."""
        ids = {profile.id for profile in self.profiles}
        return (*self.profiles, *(profile for profile in shipped_profiles() if profile.id not in ids))

    def _read(self, name: str, shipped: Any) -> Any:
        for origin, files in ((Origin.PUBLISHED, self._files), (Origin.HELD, self._held)):
            data = files.get(name)
            if data is None:
                continue
            try:
                found = _parsed(name, data)
            except FormatError as error:
                self._faults.setdefault(name, error.what)
            else:
                self._origins[name] = origin
                return found
        self._origins[name] = Origin.SHIPPED
        return shipped

    @property
    def readable(self) -> dict[str, bytes]:
        """The published files that could be read: what is kept for the day when a newer one cannot be."""
        _ = self.catalogue, self.calendar, self.profiles, self.report_rules, self.posting
        return {name: self._files[name] for name in FILES if self._origins[name] == Origin.PUBLISHED}

    @property
    def faults(self) -> dict[str, str]:
        """Published files that cannot be read here, each with the reason."""
        _ = self.catalogue, self.calendar, self.profiles, self.report_rules, self.posting
        return dict(self._faults)

    def profile(self, day: date) -> LegalProfile:
        """Returns the profile in force on a day.

        Raises:
            InvalidInput: None is, or more than one.
        """
        return profile_for(day, self.profiles)

    def facts(self, day: date) -> RulesFacts:
        """Returns which versions are in force.

        Args:
            day: For which day the legal profile is told; empty where none is in force, as by a clock that is
                years off.
        """
        faults = self.faults
        found = [profile for profile in self.profiles if profile.is_in_force(day)]
        name, title = (found[0].id, found[0].name_vi) if len(found) == 1 else ("", "")
        return RulesFacts(
            self.version, self.catalogue.version, len(self.catalogue.in_force(day)), self.calendar.version,
            self.calendar.announced_years, name, title, dict(self._origins), faults,
            self.calendar.missing_years(day, day + _AHEAD),
        )  # fmt: skip

    def to_files(self) -> dict[str, bytes]:
        """Returns the files that say what is in force here: what a province edits and publishes."""
        return {
            CATALOGUE: write_catalogue(self.catalogue),
            HOLIDAYS: write_calendar(self.calendar),
            PROFILES: write_profiles(self.profiles),
            REPORTS: write_report_rules(self.report_rules),
            POSTING: write_posting(self.posting),
        }


def agency_aliases(document: TrustDocument) -> AgencyAliases:
    """Returns which agency codes, old and new and of units that are gone, name which unit."""
    return AgencyAliases({code: unit.id for unit in document.units.values() for code in unit.all_codes})


# ------------------------------------------------------------------------------------------ publishing


def plan_publication(name: str, data: bytes, rules: Rules) -> list[Fault]:
    """Tells what speaks against publishing a file: it cannot be read, or does not follow what is in force.

    Args:
        name: Under which it would be published.
        data: The file.
        rules: What is in force at the province.

    Returns:
        Every mistake; none for a file that this program knows nothing of.
    """
    if name == CATALOGUE:
        catalogue, faults = read_catalogue(data)
        if catalogue is None:
            return faults
        return [*_newer(catalogue.version, rules.catalogue.version), *_unlisted(catalogue)]
    if name == HOLIDAYS:
        calendar, faults = read_calendar(data)
        return faults if calendar is None else _newer(calendar.version, rules.calendar.version)
    if name == PROFILES:
        profiles, faults = read_profiles(data, shipped_profiles())
        return faults if profiles is None else [*_changed(profiles, rules.known_profiles), *_gaps(profiles)]
    if name == REPORTS:
        reports, faults = read_report_rules(data)
        return faults if reports is None else _gaps(reports)
    return read_posting(data)[1] if name == POSTING else []


def _newer(version: int, held: int) -> list[Fault]:
    if version > held:
        return []
    return [Fault(0, f"Its version is {version}, and {held} is in force: each new one has a higher number.")]


def _unlisted(catalogue: Catalogue) -> list[Fault]:
    """Refuses procedures of a field that is not listed: a slip of the pen would be a field of its own."""
    return [
        Fault(0, f"Procedure {item.code} is of the field {item.field_vi[:60]!r}, which is not listed.")
        for item in catalogue.procedures
        if not catalogue.is_listed(item)
    ]


def _changed(profiles: Iterable[LegalProfile], known: Iterable[LegalProfile]) -> list[Fault]:
    """Refuses other parameters under a known id; only the last day and the names may change."""
    given = {profile.id: profile for profile in profiles}
    faults = []
    for old in known:
        new = given.get(old.id)
        if new is None:
            why = "is missing; dossiers were received under it"
        elif _lasting(new) != _lasting(old):
            differing = sorted(k for k, v in _lasting(new).items() if v != _lasting(old).get(k))
            why = f"says something else of {', '.join(differing)}; end it, and begin another one"
        else:
            continue
        faults.append(Fault(0, f"The legal profile {old.id!r} {why}."))
    return faults


def _lasting(profile: LegalProfile) -> dict[str, Any]:
    return replace(profile, effective_to=None, name_vi="", source="").to_plain()


def _gaps(profiles: Iterable[LegalProfile | ReportRules]) -> list[Fault]:
    """Refuses days with none in force, or with two, between the first day and the end of days."""
    faults = []
    ordered = sorted(profiles, key=lambda profile: profile.effective_from)
    for before, after in pairwise(ordered):
        if before.effective_to is None or before.effective_to + timedelta(days=1) != after.effective_from:
            faults.append(
                Fault(0, f"What is called {after.id!r} does not begin on the day after {before.id!r} ends.")
            )
    if ordered and ordered[-1].effective_to is not None:
        faults.append(Fault(0, f"After {ordered[-1].effective_to} nothing is in force."))
    return faults


def check_publication(name: str, data: bytes, rules: Rules) -> None:
    """Refuses to publish what `plan_publication` finds mistakes in.

    Raises:
        InvalidInput: The mistakes, each with its line.
    """
    faults = plan_publication(name, data, rules)
    if faults:
        shown = "; ".join(map(str, faults[:_SHOWN]))
        more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        raise InvalidInput(
            f"{name} cannot be published: {shown}{more}.".replace("..", "."),
            todo="Nothing was published. Correct the file and publish it again.",
        )
