"""Legal profiles: parameters and named policies that change with the law; data, not a rule language.

A dossier keeps the profile in force on the day when it was received, whatever comes later.

Source: Nghị định 61/2018/NĐ-CP (in force 21/06/2018) and Thông tư 01/2018/TT-VPCP; Nghị định
118/2025/NĐ-CP (in force 01/07/2025) and Thông tư 03/2025/TT-VPCP. Where no source says that the second
differs, it repeats the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from onestop_sync.dossier.codes import grammar
from onestop_sync.dossier.plain import PlainMap
from onestop_sync.errors import FormatError, InvalidInput

__all__ = [
    "DayPolicy",
    "Form",
    "LegalProfile",
    "Status",
    "StepPolicy",
    "SupplementPolicy",
    "profile_for",
    "profile_from_plain",
    "with_forms_of",
]

_DAY_MINUTES: Final = 24 * 60
_WHOLE: Final = 100


class DayPolicy(StrEnum):
    """How a limit in working days is counted."""

    BY_THE_HOUR = "by_the_hour"
    """A working day is so many working hours: received Monday 09:00, one day, due Tuesday 09:00."""
    END_OF_DAY = "end_of_day"
    """The day of receipt is not counted, and the last day counts until the office closes."""


class SupplementPolicy(StrEnum):
    """What a request for supplements does to the deadline."""

    RESTART = "restart"
    """The whole limit starts anew when the dossier is complete (NĐ 61/2018 Article 19.4)."""
    PAUSE = "pause"
    """The waiting time is subtracted, and a second request counts as overdue (QĐ 766's indicators)."""


class StepPolicy(StrEnum):
    """Whether the internal steps of a procedure have dates of their own."""

    CATALOGUE = "catalogue"
    """The limit is shared out as the catalogue says, one step after the other from the receipt."""
    NONE = "none"
    """Only the dossier has a date."""


@dataclass(frozen=True, slots=True)
class Form:
    """A printed form and its number in the circular of the profile.

    Attributes:
        suffix: What the number of each sheet ends with (``HDHS``, ``PXL``); empty: no number is issued, and
            where the form has one it is written in by hand.
    """

    key: str
    number: str
    name_vi: str
    suffix: str = ""

    def to_plain(self) -> list[str]:
        """Return the form as it stands in the profile."""
        return [self.key, self.number, self.name_vi, *([self.suffix] if self.suffix else [])]


@dataclass(frozen=True, slots=True)
class Status:
    """A status of the national portal, `TrangThaiHoSo`."""

    number: int
    name_vi: str


@dataclass(frozen=True, slots=True)
class LegalProfile:
    """What the law in force on a day says, as parameters.

    Attributes:
        effective_to: Last day in force, None while it still is.
        tiers: From the top: province, district, commune.
        code_grammar: Id of the grammar of dossier codes, see `codes`.
        cut_off_min: Receipt after this minute of the day moves handover and same-day results to the next
            working day, in minutes after local midnight.
        working_hours_per_day: Hours that a limit of one working day stands for.
        supplement_notice_days: Working days from receipt within which a supplement is asked after appraisal.
        extensions_max: How often a new date may be given: 0 or 1.
        extension_notice_days: Days before expiry by which the apology is sent.
        step_policy: Whether steps have dates of their own.
        four_steps_targets: Tier → the share of procedures that should be done by the four steps on the spot,
            in percent.
        circular: The circular whose annex the forms are.
        forms_from: First day of these forms, where the circular came after the decree; None: from the start.
        forms_before: Id of the profile whose forms are used until then.
    """

    id: str
    name_vi: str
    effective_from: date
    effective_to: date | None
    tiers: tuple[str, ...]
    code_grammar: str
    cut_off_min: int
    working_hours_per_day: int
    day_policy: DayPolicy
    supplement_policy: SupplementPolicy
    supplement_notice_days: int
    extensions_max: int
    extension_notice_days: int
    forms: tuple[Form, ...]
    statuses: tuple[Status, ...]
    step_policy: StepPolicy = StepPolicy.CATALOGUE
    four_steps_targets: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    source: str = ""
    circular: str = ""
    forms_from: date | None = None
    forms_before: str = ""

    def is_in_force(self, day: date) -> bool:
        """Tell whether the profile governs what is received on that day."""
        return self.effective_from <= day and (self.effective_to is None or day <= self.effective_to)

    def form(self, key: str) -> Form:
        """Return a form by its key: receipt, supplement, refusal, apology, stop, control_slip, register.

        Raises:
            InvalidInput: The profile has no such form (there is no `stop` before 2025).
        """
        for form in self.forms:
            if form.key == key:
                return form
        raise InvalidInput(f"Profile {self.id} has no form {key!r}.")

    def status_name(self, number: int) -> str:
        """Return the Vietnamese name of a status.

        Raises:
            InvalidInput: The profile has no status of that number.
        """
        for status in self.statuses:
            if status.number == number:
                return status.name_vi
        raise InvalidInput(f"Profile {self.id} has no status {number}.")

    def to_plain(self) -> dict[str, Any]:
        """Return the profile as maps, arrays, text and integers, as it is signed and synced."""
        return {
            "id": self.id,
            "name_vi": self.name_vi,
            "effective_from": self.effective_from.isoformat(),
            "effective_to": self.effective_to.isoformat() if self.effective_to else None,
            "tiers": list(self.tiers),
            "code_grammar": self.code_grammar,
            "cut_off_min": self.cut_off_min,
            "working_hours_per_day": self.working_hours_per_day,
            "day_policy": str(self.day_policy),
            "supplement_policy": str(self.supplement_policy),
            "supplement_notice_days": self.supplement_notice_days,
            "extensions_max": self.extensions_max,
            "extension_notice_days": self.extension_notice_days,
            "forms": [form.to_plain() for form in self.forms],
            "statuses": [[status.number, status.name_vi] for status in self.statuses],
            "step_policy": str(self.step_policy),
            "four_steps_targets": dict(sorted(self.four_steps_targets.items())),
            "source": self.source,
            "circular": self.circular,
            **({"forms_from": self.forms_from.isoformat()} if self.forms_from else {}),
            **({"forms_before": self.forms_before} if self.forms_before else {}),
        }


def profile_for(day: date, profiles: Iterable[LegalProfile]) -> LegalProfile:
    """Return the one profile in force on a day, in Vietnam's date.

    Raises:
        InvalidInput: None is in force, or more than one.
    """
    found = [profile for profile in profiles if profile.is_in_force(day)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(profile.id for profile in found) or "none"
    raise InvalidInput(
        f"One legal profile should be in force on {day}; there is {names}.",
        todo="Nothing was changed. Check the machine's date, or synchronise the legal profiles.",
    )


def with_forms_of(day: date, profile: LegalProfile, profiles: Iterable[LegalProfile]) -> LegalProfile:
    """Return a profile with the forms that were used on a day: those of the circular before its own began."""
    if profile.forms_from is None or day >= profile.forms_from:
        return profile
    for earlier in profiles:
        if earlier.id == profile.forms_before:
            return replace(profile, forms=earlier.forms, circular=earlier.circular)
    return profile


def _form(value: object) -> Form:
    match value:
        case [str(key), str(number), str(name)]:
            return Form(key, number, name)
        case [str(key), str(number), str(name), str(suffix)]:
            return Form(key, number, name, suffix)
    raise FormatError("A form of the legal profile is not key, number and name, with or without a suffix.")


def _status(value: object) -> Status:
    match value:
        case [int(number), str(name)]:
            return Status(number, name)
    raise FormatError("A status of the legal profile is not number and name.")


def _check_known(plain: PlainMap) -> None:
    """Refuses parameters that this version could not follow.

    Raises:
        FormatError: A grammar that is not known, or more new appointments than the workflow has.
    """
    try:
        grammar(plain.text("code_grammar"))
    except InvalidInput as error:
        raise FormatError(error.what) from None
    if plain.integer("extensions_max") > 1:
        raise FormatError("The legal profile allows more than one new appointment; the workflow has one.")


def _targets(value: object) -> Mapping[str, int]:
    """Reads shares by tier; a missing map is empty."""
    if value is None:
        return MappingProxyType({})
    if not isinstance(value, Mapping) or not all(
        isinstance(tier, str) and type(share) is int and 0 <= share <= _WHOLE for tier, share in value.items()
    ):
        raise FormatError("The legal profile's targets of the four steps are not tiers with percentages.")
    return MappingProxyType(dict(value))


def profile_from_plain(value: object) -> LegalProfile:
    """Read a legal profile from plain data.

    Raises:
        FormatError: It is not one, or it names a policy that this version does not know.
    """
    plain = PlainMap(value, "legal profile")
    try:
        day_policy = DayPolicy(plain.text("day_policy"))
        supplement_policy = SupplementPolicy(plain.text("supplement_policy"))
        step_policy = StepPolicy(plain.text("step_policy", str(StepPolicy.CATALOGUE)))
    except ValueError as error:
        raise FormatError(f"The legal profile needs a newer version: {error}.") from None
    _check_known(plain)
    if not 0 < plain.integer("cut_off_min") < _DAY_MINUTES or not plain.integer("working_hours_per_day"):
        raise FormatError("The legal profile's cut-off or working hours are not possible.")
    return LegalProfile(
        id=plain.text("id"),
        name_vi=plain.text("name_vi"),
        effective_from=plain.day("effective_from"),
        effective_to=plain.optional_day("effective_to"),
        tiers=plain.texts("tiers"),
        code_grammar=plain.text("code_grammar"),
        cut_off_min=plain.integer("cut_off_min"),
        working_hours_per_day=plain.integer("working_hours_per_day"),
        day_policy=day_policy,
        supplement_policy=supplement_policy,
        supplement_notice_days=plain.integer("supplement_notice_days"),
        extensions_max=plain.integer("extensions_max"),
        extension_notice_days=plain.integer("extension_notice_days"),
        forms=tuple(_form(form) for form in plain.items("forms")),
        statuses=tuple(_status(status) for status in plain.items("statuses")),
        step_policy=step_policy,
        four_steps_targets=_targets(plain.raw("four_steps_targets")),
        source=plain.text("source", ""),
        circular=plain.text("circular", ""),
        forms_from=plain.optional_day("forms_from"),
        forms_before=plain.text("forms_before", ""),
    )
