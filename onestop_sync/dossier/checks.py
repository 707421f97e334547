"""What is wrong with what was typed, and what is missing: as data, for each interface to say in its own way.

A paper that the catalogue only recalls, and does not source, is reported but stops nobody: the official
knows the law better than an unconfirmed row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import Any, Final, NamedTuple

from onestop_sync.codec import nfc
from onestop_sync.dossier.calendar import Certainty
from onestop_sync.dossier.catalogue import Document, Procedure
from onestop_sync.dossier.schema import DOSSIER

__all__ = [
    "CHOICES",
    "MAX_ELEMENT",
    "REQUIRED",
    "Issue",
    "Paper",
    "Problem",
    "check_values",
    "kind_of",
    "paper_problems",
    "paper_values",
    "papers_of",
    "plan_missing",
    "tidy",
]


class Issue(StrEnum):
    """What is wrong; `Problem.detail` holds what is named here."""

    MISSING = "missing"
    MISSING_PAPER = "missing_paper"
    """Detail: how many are wanted, ``originals/copies``."""
    NOT_TEXT = "not_text"
    TOO_LONG = "too_long"
    """Detail: the longest length, in characters."""
    ID_NUMBER = "id_number"
    """Of a person 9 or 12 digits, of an organisation (tax) 10 or 13."""
    PHONE = "phone"
    EMAIL = "email"
    DATE = "date"
    FUTURE = "future"
    COUNT = "count"
    CHOICE = "choice"
    """Detail: the words that are known."""
    UNKNOWN_FIELD = "unknown_field"
    """No such field, or none that is typed: dates and papers are planned, notes are appended."""
    CODE = "code"
    """The dossier's code does not follow the profile's grammar, or bears another day."""
    NOT_IN_FORCE = "not_in_force"
    """Detail: the procedure that is not in force on the day."""
    NO_LIMIT = "no_limit"
    """The catalogue knows no time limit: an official gives the date."""
    UNCERTAIN_CALENDAR = "uncertain_calendar"
    """Detail: years and days on the way that were not announced."""
    NO_DUE = "no_due"
    """There is no due date that could be changed."""
    NOT_LATER = "not_later"
    """The new date is not after the old one."""
    NOT_WORKED = "not_worked"
    """The office is closed on the new date."""
    NO_EXTENSION = "no_extension"
    """The dossier's legal profile knows no new appointment."""
    AFTER_DUE = "after_due"
    """Detail: the day on which the dossier is due, which is before the date that was given."""
    LATE_NOTICE = "late_notice"
    """Detail: the last day on which the law wanted it."""


class Problem(NamedTuple):
    """One thing that is wrong.

    Attributes:
        key: Register key, or name of an argument.
        is_blocking: Whether it stops the action; otherwise the official is told and decides.
    """

    code: Issue
    key: str
    detail: str = ""
    is_blocking: bool = True


class Paper(NamedTuple):
    """How much of one document was handed in or shown."""

    originals: int = 1
    copies: int = 0

    def to_plain(self) -> dict[str, int]:
        """Returns it as the field ``giay_to/<document>`` holds it."""
        return {"ban_chinh": self.originals, "ban_sao": self.copies}


REQUIRED: Final = ("nguoi_nop", "so_dinh_danh", "dia_chi", "noi_dung")
"""Fields that a dossier is not accepted without (form 01)."""
CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "hinh_thuc_nop": ("truc_tiep", "buu_chinh", "truc_tuyen"),
    "cach_nhan": ("truc_tiep", "buu_chinh", "truc_tuyen"),
    "loai_doi_tuong": ("ca_nhan", "to_chuc"),
}
"""How it was handed in, how the result is received (by hand, by post, online), and by whom."""

_MAX_COUNT: Final = 999
MAX_ELEMENT: Final = 300
"""Longest name of a document or of a procedure's own field, in characters."""
_FREE_TEXT: Final = frozenset({"noi_dung", "y_kien_tham_dinh", "ket_qua"})
_PERSON_DIGITS: Final = frozenset({9, 12})
_TAX_DIGITS: Final = frozenset({10, 13})
_PHONE: Final = re.compile(r"0[0-9]{9,10}")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_DATE: Final = re.compile(r"(?:(?:(\d{1,2})/)?(\d{1,2})/)?(\d{4})", re.ASCII)
_SEPARATORS: Final = re.compile(r"[\s.\-()]+")


def tidy(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values as they are stored: NFC, without stray white space, numbers without separators.

    Empty text is left out: a field that nobody filled in is not written.
    """
    found = {nfc(key): _tidy(key, value) for key, value in values.items()}
    return {key: value for key, value in found.items() if value not in ("", None, [])}


def _tidy(key: str, value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_tidy(key, item) for item in value]
    if not isinstance(value, str):
        return value
    text = nfc(value).strip()
    # What is taken out may have stood between marks, so the rest is put into form C again.
    if key == "dien_thoai":
        return re.sub(r"^\+?84", "0", nfc(_SEPARATORS.sub("", text)))
    if key == "so_dinh_danh":
        return nfc(_SEPARATORS.sub("", text))
    return text if key in _FREE_TEXT else " ".join(text.split())


def check_values(values: Mapping[str, Any], today: date) -> list[Problem]:
    """Returns what is wrong with tidy values; what is missing is not their fault (`plan_missing`).

    Args:
        values: Register key → value.
        today: The day in Vietnam; nobody is born after it.
    """
    found: list[Problem] = []
    for key, value in values.items():
        found += _shape_problems(key, value) or _content_problems(key, value, values, today)
    return found


def _shape_problems(key: str, value: Any) -> list[Problem]:
    spec = DOSSIER.field(key)
    if spec is None or spec.name not in _TYPED:
        return [Problem(Issue.UNKNOWN_FIELD, key[:MAX_ELEMENT])]
    if len(key.partition("/")[2]) > MAX_ELEMENT:
        return [Problem(Issue.TOO_LONG, key, str(MAX_ELEMENT))]
    if spec.name == "so_bo":
        return []
    texts = value if isinstance(value, list) and spec.kind == "map" else [value]
    if not all(isinstance(text, str) for text in texts):
        return [Problem(Issue.NOT_TEXT, key)]
    if any(len(text) > spec.max_chars for text in texts):
        return [Problem(Issue.TOO_LONG, key, str(spec.max_chars))]
    return []


def _content_problems(key: str, value: Any, values: Mapping[str, Any], today: date) -> list[Problem]:
    if key in CHOICES and value not in CHOICES[key]:
        return [Problem(Issue.CHOICE, key, " ".join(CHOICES[key]))]
    if key == "so_dinh_danh" and not _is_id_number(value, values.get("loai_doi_tuong")):
        return [Problem(Issue.ID_NUMBER, key)]
    if key == "so_bo" and not _is_count(value, lowest=1):
        return [Problem(Issue.COUNT, key)]
    if key == "ngay_sinh":
        return _date_problems(key, value, today)
    pattern, issue = _PATTERNS.get(key, (None, Issue.NOT_TEXT))
    return [Problem(issue, key)] if pattern and not pattern.fullmatch(value) else []


_PATTERNS: Final = {"dien_thoai": (_PHONE, Issue.PHONE), "email": (_EMAIL, Issue.EMAIL)}
_TYPED: Final = frozenset(
    {
        "ma_ho_so", "ma_thu_tuc", "ten_thu_tuc", "hinh_thuc_nop", "nguoi_nop", "loai_doi_tuong", "ngay_sinh",
        "so_dinh_danh", "dia_chi", "noi_dung", "truong_rieng", "dien_thoai", "email", "cach_nhan",
        "dia_chi_nhan", "so_bo", "nguoi_thu_ly", "y_kien_tham_dinh", "ket_qua", "nguoi_nhan", "y_kien",
    }
)  # fmt: skip


def _is_id_number(text: str, kind: Any) -> bool:
    lengths = _TAX_DIGITS if kind == "to_chuc" else _PERSON_DIGITS
    return text.isascii() and text.isdigit() and len(text) in lengths


def kind_of(id_number: str) -> str:
    """Returns who bears a number, by its length: ``to_chuc`` a tax number, ``ca_nhan`` any other, or none."""
    return "to_chuc" if len(id_number) in _TAX_DIGITS else "ca_nhan"


def _is_count(value: Any, lowest: int = 0) -> bool:
    return type(value) is int and lowest <= value <= _MAX_COUNT


def _date_problems(key: str, text: str, today: date) -> list[Problem]:
    """Checks a date of birth: dd/mm/yyyy, or mm/yyyy or yyyy where the papers say no more."""
    match = _DATE.fullmatch(text)
    if not match:
        return [Problem(Issue.DATE, key)]
    try:
        day = date(int(match[3]), int(match[2] or 1), int(match[1] or 1))
    except ValueError:
        return [Problem(Issue.DATE, key)]
    return [Problem(Issue.FUTURE, key)] if day > today else []


# ---------------------------------------------------------------------------------------------- papers


def papers_of(procedure: Procedure, names: Iterable[str]) -> dict[str, Paper]:
    """Returns documents that were ticked off on the checklist, in the number that the catalogue wants.

    One original where the catalogue names no number, and for a document that it does not know.
    """
    known = {nfc(document.name_vi): document for document in procedure.documents}
    return {nfc(name): _wanted(known.get(nfc(name))) for name in names}


def _wanted(document: Document | None) -> Paper:
    if document is None or (document.originals is None and document.copies is None):
        return Paper()
    return Paper(document.originals or 0, document.copies or 0)


def plan_missing(
    procedure: Procedure, values: Mapping[str, Any], papers: Mapping[str, Paper]
) -> list[Problem]:
    """Returns which required fields and documents are not there, in the order of the form.

    A document counts when it is there in the number wanted; where the catalogue names no number, any will do.
    """
    found = [Problem(Issue.MISSING, key) for key in REQUIRED if not _is_filled(values.get(key))]
    for document in procedure.checklist:
        name = nfc(document.name_vi)
        paper = papers.get(name, Paper(0, 0))
        if not _suffices(paper, document):
            is_sourced = document.certainty is Certainty.SOURCED
            detail = f"{document.originals or 0}/{document.copies or 0}"
            found.append(Problem(Issue.MISSING_PAPER, f"giay_to/{name}", detail, is_sourced))
    return found


def _is_filled(value: Any) -> bool:
    return bool(value.strip()) if isinstance(value, str) else value is not None


def _suffices(paper: Paper, document: Document) -> bool:
    if document.originals is None and document.copies is None:
        return paper.originals + paper.copies > 0
    return paper.originals >= (document.originals or 0) and paper.copies >= (document.copies or 0)


def paper_values(papers: Mapping[str, Paper]) -> dict[str, Any]:
    """Returns what the dossier's map ``giay_to`` holds of the papers."""
    return {f"giay_to/{nfc(name)}": paper.to_plain() for name, paper in papers.items()}


def paper_problems(papers: Mapping[str, Paper]) -> list[Problem]:
    """Returns the papers whose numbers cannot be."""
    return [
        Problem(Issue.COUNT, f"giay_to/{nfc(name)}")
        for name, paper in papers.items()
        if not all(_is_count(number) for number in paper)
    ]
