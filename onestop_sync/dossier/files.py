"""The files in which the province publishes the domain, read strictly: each mistake with its line and reason.

    catalogue.json   ``{"version": 3, "fields": […], "procedures": […]}``, see `catalogue` and `fields`
    holidays.csv     a table ``date,kind,name_vi,certainty,source``, see `read_calendar`
    profiles.json    ``{"profiles": […]}``, see `read_profiles`
    report_rules.json  ``{"rules": […]}``, see `report.rules`
    posting.json     ``{"fields": {…}, "procedures": {…}}``, see `posting`

Readers are pure and never stop at the first mistake, so that a file is corrected in one go. What they return
is either whole or nothing: a catalogue without the rows that could not be read is no catalogue.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple, TypeVar

from onestop_sync.codec import nfc
from onestop_sync.dossier.calendar import Calendar, Window, calendar_from_plain
from onestop_sync.dossier.catalogue import Catalogue, Procedure, procedure_from_plain
from onestop_sync.dossier.fields import FieldOfWork, field_from_plain
from onestop_sync.dossier.plain import PlainMap
from onestop_sync.dossier.posting import PostingMask, mask_from_plain
from onestop_sync.dossier.profiles import LegalProfile, profile_from_plain
from onestop_sync.dossier.report.rules import ReportRules, rules_from_plain
from onestop_sync.errors import FormatError, InvalidInput
from onestop_sync.strict_json import read_json

__all__ = [
    "CATALOGUE",
    "HOLIDAYS",
    "POSTING",
    "PROFILES",
    "REPORTS",
    "Fault",
    "first_fault",
    "read_calendar",
    "read_catalogue",
    "read_posting",
    "read_profiles",
    "read_report_rules",
    "write_calendar",
    "write_catalogue",
    "write_posting",
    "write_profiles",
    "write_report_rules",
]

CATALOGUE: Final = "catalogue.json"
HOLIDAYS: Final = "holidays.csv"
PROFILES: Final = "profiles.json"
REPORTS: Final = "report_rules.json"
POSTING: Final = "posting.json"

_COLUMNS: Final = ("date", "kind", "name_vi", "certainty", "source")
_VERSION, _ANNOUNCED, _WINDOW = "version", "announced_year", "window"
"""Kinds of rows of `HOLIDAYS` that say something of the calendar, not of a day."""
_DAY: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_HOURS: Final = re.compile(r"(\d{1,2})[:h](\d{2}) *[-\u2013] *(\d{1,2})[:h](\d{2})", re.ASCII)

_DECODER: Final = json.JSONDecoder()
_MAX_DIGITS: Final = 9
"""Of a number in a table."""

Read = TypeVar("Read")


class Fault(NamedTuple):
    """One mistake in a file.

    Attributes:
        line: Its line, from 1; 0 for the file as a whole.
        reason: What is wrong, one English sentence.
    """

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}" if self.line else self.reason


def first_fault(name: str, faults: Iterable[Fault]) -> FormatError:
    """Returns the error that says what the first mistake in a file is, and that there are more."""
    found = list(faults)
    more = f" There are {len(found) - 1} more mistakes." if len(found) > 1 else ""
    return FormatError(f"{name}: {found[0]}{more}")


def _text(data: bytes) -> str:
    try:
        return nfc(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _Wrong(Fault(line, "The file is not UTF-8.")) from error


class _Wrong(Exception):
    """A file that cannot be read on."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault


def _whole(
    read: Callable[[bytes], tuple[Read | None, list[Fault]]], data: bytes
) -> tuple[Read | None, list[Fault]]:
    try:
        return read(data)
    except _Wrong as wrong:
        return None, [wrong.fault]


# ------------------------------------------------------------------------------------------------ JSON


def _json(data: bytes) -> tuple[str, Mapping[str, Any]]:
    text = _text(data)
    try:
        found = _normal(read_json(text))
    except FormatError as error:
        raise _Wrong(
            Fault(int(str(error.details["line"])), error.what.replace("It is", "The file is", 1))
        ) from error
    if not isinstance(found, dict):
        raise _Wrong(Fault(1, "The file is not a JSON object."))
    return text, found


def _normal(value: Any) -> Any:
    """Returns a value with its texts in normal form C, also where JSON escaped half of a character."""
    match value:
        case str():
            return nfc(value)
        case list():
            return [_normal(item) for item in value]
        case dict():
            return {nfc(key): _normal(item) for key, item in value.items()}
    return value


def _items(text: str, plain: Mapping[str, Any], key: str) -> Iterator[tuple[int, object]]:
    """Yields the elements of a list of the file, each with the line on which it begins."""
    items = plain.get(key)
    if not isinstance(items, list):
        raise _Wrong(Fault(1, f"The file has no list {key!r}."))
    at = _start_of(text, key)
    for item in items:
        at = _skip(text, at)
        yield text.count("\n", 0, at) + 1, item
        _, at = _DECODER.raw_decode(text, at)


def _start_of(text: str, key: str) -> int:
    """Returns where the elements of a list begin that is a member of the whole."""
    at = _skip(text, text.index("{") + 1)
    while True:
        name, at = _DECODER.raw_decode(text, at)
        at = _skip(text, at)
        if name == key:
            return at + 1
        _, at = _DECODER.raw_decode(text, at)
        at = _skip(text, at)


def _skip(text: str, at: int) -> int:
    while text[at] in " \t\r\n,:":
        at += 1
    return at


def read_catalogue(data: bytes) -> tuple[Catalogue | None, list[Fault]]:
    """Reads a catalogue.

    Returns:
        The catalogue, or ``None`` and what is wrong.
    """
    return _whole(_read_catalogue, data)


def _read_catalogue(data: bytes) -> tuple[Catalogue | None, list[Fault]]:
    text, plain = _json(data)
    faults: list[Fault] = []
    procedures: list[Procedure] = []
    for line, item in _items(text, plain, "procedures"):
        try:
            procedures.append(procedure_from_plain(item))
        except FormatError as error:
            faults.append(Fault(line, error.what))
    fields: list[FieldOfWork] = []
    for line, item in _items(text, plain, "fields") if plain.get("fields") else ():
        try:
            fields.append(field_from_plain(item))
        except FormatError as error:
            faults.append(Fault(line, error.what))
    try:
        version = _version(plain)
        made = Catalogue(version, tuple(procedures), tuple(fields))
    except (InvalidInput, FormatError) as error:
        return None, [*faults, Fault(0, error.what)]
    return (None, faults) if faults else (made, [])


def _version(plain: Mapping[str, Any]) -> int:
    version = PlainMap(plain, "file").integer("version")
    if not version:
        raise FormatError("The file's version is not a whole number from 1 up.")
    return version


def write_catalogue(catalogue: Catalogue) -> bytes:
    """Returns the file of a catalogue: a field or procedure a line, so that two versions can be compared."""
    fields, rows = (
        ",\n".join(json.dumps(item.to_plain(), ensure_ascii=False) for item in items)
        for items in (catalogue.fields, catalogue.procedures)
    )
    return (
        f'{{"version": {catalogue.version}, "fields": [\n{fields}\n], "procedures": [\n{rows}\n]}}\n'.encode()
    )


def read_profiles(
    data: bytes, known: Iterable[LegalProfile] = ()
) -> tuple[tuple[LegalProfile, ...] | None, list[Fault]]:
    """Reads legal profiles.

    A profile may be short: ``based_on`` names a known one, and what is not said is as in that; a profile with
    the id of a known one takes from it what the file does not say, so that a file stays readable when the
    program learns new parameters.

    Args:
        data: The file.
        known: Profiles to build on: those that the program ships.

    Returns:
        The profiles, or ``None`` and what is wrong.
    """
    bases = {profile.id: profile.to_plain() for profile in known}
    return _whole(lambda found: _read_profiles(found, bases), data)


def _read_profiles(
    data: bytes, bases: dict[str, dict[str, Any]]
) -> tuple[tuple[LegalProfile, ...] | None, list[Fault]]:
    text, plain = _json(data)
    faults: list[Fault] = []
    profiles: list[LegalProfile] = []
    for line, item in _items(text, plain, "profiles"):
        try:
            profile = profile_from_plain(_based(item, bases))
            if any(profile.id == other.id for other in profiles):
                raise FormatError(f"The legal profile {profile.id!r} is there twice.")
        except FormatError as error:
            faults.append(Fault(line, error.what))
            continue
        profiles.append(profile)
        bases[profile.id] = profile.to_plain()
    if not profiles and not faults:
        faults.append(Fault(0, "There is no legal profile in the file."))
    return (None, faults) if faults else (tuple(profiles), [])


def _based(item: object, bases: Mapping[str, Mapping[str, Any]]) -> object:
    if not isinstance(item, dict):
        return item
    name = item.get("based_on", item.get("id"))
    base = bases.get(name) if isinstance(name, str) else None
    if base is None and "based_on" in item:
        raise FormatError(f"The legal profile is based on {name!r}, which is not known here.")
    return {**(base or {}), **item}


def write_profiles(profiles: Iterable[LegalProfile]) -> bytes:
    """Returns the file of legal profiles, all parameters of each."""
    plain = {"profiles": [profile.to_plain() for profile in profiles]}
    return json.dumps(plain, ensure_ascii=False, indent=1).encode() + b"\n"


def read_report_rules(data: bytes) -> tuple[tuple[ReportRules, ...] | None, list[Fault]]:
    """Reads the rules for reports.

    Returns:
        The rules, or ``None`` and what is wrong.
    """
    return _whole(_read_report_rules, data)


def _read_report_rules(data: bytes) -> tuple[tuple[ReportRules, ...] | None, list[Fault]]:
    text, plain = _json(data)
    faults: list[Fault] = []
    found: list[ReportRules] = []
    for line, item in _items(text, plain, "rules"):
        try:
            rules = rules_from_plain(item)
            if any(rules.id == other.id for other in found):
                raise FormatError(f"The rules for reports {rules.id!r} are there twice.")
        except FormatError as error:
            faults.append(Fault(line, error.what))
            continue
        found.append(rules)
    if not found and not faults:
        faults.append(Fault(0, "There are no rules for reports in the file."))
    return (None, faults) if faults else (tuple(found), [])


def write_report_rules(rules: Iterable[ReportRules]) -> bytes:
    """Returns the file of rules for reports."""
    plain = {"rules": [each.to_plain() for each in rules]}
    return json.dumps(plain, ensure_ascii=False, indent=1).encode() + b"\n"


def read_posting(data: bytes) -> tuple[PostingMask | None, list[Fault]]:
    """Reads the lists of what may be posted in public.

    Returns:
        The lists, or ``None`` and what is wrong.
    """
    return _whole(_read_posting, data)


def _read_posting(data: bytes) -> tuple[PostingMask | None, list[Fault]]:
    try:
        return mask_from_plain(_json(data)[1]), []
    except FormatError as error:
        return None, [Fault(0, error.what)]


def write_posting(mask: PostingMask) -> bytes:
    """Returns the file of what may be posted in public."""
    return json.dumps(mask.to_plain(), ensure_ascii=False, indent=1).encode() + b"\n"


# ------------------------------------------------------------------------------------------------- CSV


def read_calendar(data: bytes) -> tuple[Calendar | None, list[Fault]]:
    """Reads a calendar.

    Shape:
        ``date,kind,name_vi,certainty,source``, separated by commas or semicolons. Of days (``2026-01-02`` or
        ``02/01/2026``) the kind is holiday, day_off or compensatory_workday. Of the calendar itself the first
        column holds the value: ``3,version``; ``2026,announced_year``, once for each year whose days off were
        announced; ``07:00-11:30,window``, once for each part of the office's hours.

    Returns:
        The calendar, or ``None`` and what is wrong.
    """
    return _whole(_read_calendar, data)


def _read_calendar(data: bytes) -> tuple[Calendar | None, list[Fault]]:
    faults: list[Fault] = []
    said: dict[str, list[Any]] = {_VERSION: [], _ANNOUNCED: [], _WINDOW: []}
    days: dict[str, tuple[int, list[str]]] = {}
    for line, row in _csv_rows(_text(data)):
        try:
            if row["kind"] in said:
                said[row["kind"]].append(_setting(row["kind"], row["date"]))
                continue
            day = _iso(row["date"])
            _check_day([day, *(row[name] for name in _COLUMNS[1:])])
            if day in days:
                raise FormatError(f"The day {day} is there twice, first on line {days[day][0]}.")
            days[day] = (line, [day, *(row[name] for name in _COLUMNS[1:])])
        except FormatError as error:
            faults.append(Fault(line, error.what))
    if len(said[_VERSION]) != 1:
        faults.append(Fault(0, "The calendar needs one row `3,version`, and each new one a higher number."))
    if not said[_WINDOW]:
        faults.append(Fault(0, "The calendar needs the office's hours, as rows `07:00-11:30,window`."))
    if faults:
        return None, faults
    plain = {
        "version": said[_VERSION][0],
        "announced_years": sorted(set(said[_ANNOUNCED])),
        "windows": sorted(said[_WINDOW]),
        "rows": [row for _, row in sorted(days.values(), key=lambda each: each[1][0])],
    }
    try:
        return calendar_from_plain(plain), []
    except FormatError as error:
        return None, [Fault(0, error.what)]


def _csv_rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    head = text.split("\n", 1)[0]
    reader = csv.DictReader(io.StringIO(text), delimiter=";" if head.count(";") > head.count(",") else ",")
    try:
        missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise _Wrong(Fault(1, f"The first line lacks {', '.join(missing)}."))
        for row in reader:
            values = {name: (row[name] or "").strip() for name in _COLUMNS}
            if any(values.values()):
                yield reader.line_num, values
    except csv.Error as error:
        raise _Wrong(Fault(reader.line_num, f"The file is not CSV: {error}.")) from error


def _iso(text: str) -> str:
    match = _DAY.fullmatch(text)
    return f"{match[3]}-{int(match[2]):02d}-{int(match[1]):02d}" if match else text


def _check_day(row: list[str]) -> None:
    """Has the reader of calendars look at one row alone."""
    calendar_from_plain({"version": 1, "announced_years": [], "windows": [[0, 1]], "rows": [row]})


def _setting(kind: str, text: str) -> int | list[int]:
    if kind == _WINDOW:
        match = _HOURS.fullmatch(text)
        if not match:
            raise FormatError(f"The office's hours are not written as 07:00-11:30: {text[:40]!r}.")
        start, end = (int(match[n]) * 60 + int(match[n + 1]) for n in (1, 3))
        return [start, end]
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS and int(text)):
        raise FormatError(f"A row of kind {kind} does not begin with a number from 1 up: {text[:40]!r}.")
    return int(text)


def write_calendar(calendar: Calendar) -> bytes:
    """Returns the file of a calendar, as `read_calendar` reads it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerow([calendar.version, _VERSION, "", "", ""])
    writer.writerows([year, _ANNOUNCED, "", "", ""] for year in calendar.announced_years)
    writer.writerows([_hours(window), _WINDOW, "", "", ""] for window in calendar.windows)
    writer.writerows(
        [row.date.isoformat(), str(row.kind), row.name_vi, str(row.certainty), row.source]
        for row in calendar.rows
    )
    return out.getvalue().encode()


def _hours(window: Window) -> str:
    (a, b), (c, d) = divmod(window.start_min, 60), divmod(window.end_min, 60)
    return f"{a:02d}:{b:02d}-{c:02d}:{d:02d}"
