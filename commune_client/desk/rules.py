"""The catalogue, calendar and legal profiles that a desk works by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from onestop_sync.dossier.calendar import Calendar
from onestop_sync.dossier.catalogue import Catalogue
from onestop_sync.dossier.data import shipped_calendar, shipped_catalogue, shipped_profiles
from onestop_sync.dossier.profiles import LegalProfile, profile_for

__all__ = ["Rules"]


@dataclass(frozen=True, slots=True)
class Rules:
    """What the law and the province say, as data.

    Attributes:
        catalogue: Procedures.
        calendar: Days off and office hours.
        profiles: Legal profiles.
    """

    catalogue: Catalogue
    calendar: Calendar
    profiles: tuple[LegalProfile, ...]

    @classmethod
    def shipped(cls) -> Rules:
        """Returns what the package ships."""
        return cls(shipped_catalogue(), shipped_calendar(), shipped_profiles())

    def profile(self, day: date) -> LegalProfile:
        """Returns the profile in force on a day.

        Raises:
            InvalidInput: None is, or more than one.
        """
        return profile_for(day, self.profiles)
