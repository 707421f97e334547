"""The data that the package ships: days off, procedures and legal profiles, until signed ones come down.

The only place of the domain that reads a file, and it reads nothing but its own package. A province must
confirm every row before use.
"""

from __future__ import annotations

import csv
import io
import json
from functools import cache
from importlib import resources
from typing import Any

from onestop_sync.dossier.calendar import Calendar, calendar_from_plain
from onestop_sync.dossier.catalogue import Catalogue, catalogue_from_plain
from onestop_sync.dossier.plain import PlainMap
from onestop_sync.dossier.profiles import LegalProfile, profile_from_plain
from onestop_sync.dossier.report.rules import ReportRules, rules_from_plain
from onestop_sync.dossier.retention import Retention, retention_from_plain

__all__ = [
    "shipped_calendar", "shipped_catalogue", "shipped_portal", "shipped_posting", "shipped_profiles",
    "shipped_report_rules",
    "shipped_retention",
]  # fmt: skip


def _read(name: str) -> str:
    return (resources.files(__name__) / name).read_text(encoding="utf-8")


@cache
def shipped_calendar() -> Calendar:
    """Return the shipped calendar, 2024 to 2027; 2027 is an estimate and not among its announced years."""
    settings: dict[str, Any] = json.loads(_read("calendar.json"))
    rows = [list(row.values()) for row in csv.DictReader(io.StringIO(_read("holidays.csv")))]
    return calendar_from_plain({**settings, "rows": rows})


@cache
def shipped_catalogue() -> Catalogue:
    """Return the shipped catalogue: sixteen procedures, two of them in two versions."""
    return catalogue_from_plain(json.loads(_read("procedures.json")))


@cache
def shipped_profiles() -> tuple[LegalProfile, ...]:
    """Return the shipped legal profiles, `nd61-2018` and `nd118-2025`."""
    plain = PlainMap(json.loads(_read("profiles.json")), "file of legal profiles")
    return tuple(profile_from_plain(item) for item in plain.items("profiles"))


@cache
def shipped_portal() -> dict[str, Any]:
    """Return the shipped settings of the national portal, see `portal.settings`; a province changes them."""
    found: dict[str, Any] = json.loads(_read("portal.json"))
    return found


@cache
def shipped_posting() -> dict[str, Any]:
    """Return the shipped lists of publishable fields, see `posting`; a province changes them."""
    found: dict[str, Any] = json.loads(_read("posting.json"))
    return found


@cache
def shipped_retention() -> Retention:
    """Return the shipped terms of keeping: very few; a province publishes its own."""
    return retention_from_plain(_read("retention.json").encode())


@cache
def shipped_report_rules() -> tuple[ReportRules, ...]:
    """Return the shipped rules for reports, one set for each legal profile."""
    plain = PlainMap(json.loads(_read("report_rules.json")), "file of rules for reports")
    return tuple(rules_from_plain(item) for item in plain.items("rules"))
