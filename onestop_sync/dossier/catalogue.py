"""The catalogue of procedures: effective-dated data that the province publishes and a commune never edits.

One code may have several versions, one after the other in time: a limit or a tier changes with the law.
Every limit and fee says how far it can be trusted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final

from onestop_sync.dossier.calendar import Certainty
from onestop_sync.dossier.codes import parse_procedure_code
from onestop_sync.dossier.deadlines import Limit, limit_from_plain
from onestop_sync.dossier.fees import Fee, FeeKind, fee_from_plain
from onestop_sync.dossier.fields import FieldOfWork, check_fields, code_of, field_from_plain
from onestop_sync.dossier.plain import PlainMap
from onestop_sync.dossier.procedure_steps import ProcedureStep, Tier, step_from_plain
from onestop_sync.errors import FormatError, InvalidInput, NotFound
from onestop_sync.search_text import fold_text, has_words

__all__ = [
    "Catalogue",
    "DecidedBy",
    "Document",
    "DocumentUse",
    "Procedure",
    "Tier",
    "catalogue_from_plain",
    "procedure_from_plain",
]

_LAST_DAY: Final = date.max


class DecidedBy(StrEnum):
    """Who decides."""

    COMMUNE = "xa"
    INTERLINKED = "lien_thong"
    """Taken in by the commune, decided by a higher tier."""
    PROVINCE = "tinh"
    """Taken in and decided by the province."""


class DocumentUse(StrEnum):
    """What happens to a document at the counter."""

    SUBMIT = "submit"
    PRESENT = "present"
    """Shown, compared and given back."""


@dataclass(frozen=True, slots=True)
class Document:
    """One line of a procedure's checklist.

    Attributes:
        is_required: False when it is asked for only in the case that `condition_vi` names.
        originals: Originals wanted, None when no source says.
        copies: Copies wanted, None when no source says.
    """

    name_vi: str
    certainty: Certainty
    use: DocumentUse = DocumentUse.SUBMIT
    is_required: bool = True
    originals: int | None = None
    copies: int | None = None
    condition_vi: str = ""

    def to_plain(self) -> dict[str, Any]:
        """Return the document as a map, without what is unknown or empty."""
        values: dict[str, Any] = {
            "name_vi": self.name_vi,
            "certainty": str(self.certainty),
            "use": str(self.use),
            "is_required": self.is_required,
            "originals": self.originals,
            "copies": self.copies,
            "condition_vi": self.condition_vi or None,
        }
        return {key: value for key, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Procedure:
    """One procedure in one version.

    Attributes:
        name_vi: Short name, for lists.
        full_name_vi: Official name, for what is printed.
        limit: Time limit, None when it is not known.
        verified_limit: The whole limit when something has to be verified first, None when there is none.
        limit_text_vi: What the source prints where it cannot be read as a limit: a bare number, a remark.
        steps: Who acts in which order, and how the limit is shared among them.
        effective_to: Last day in force, None while it still is.
        note_vi: What an official should know.
        source: Evidence.
    """

    code: str
    name_vi: str
    full_name_vi: str
    field_vi: str
    limit: Limit | None
    limit_certainty: Certainty
    verified_limit: Limit | None
    steps: tuple[ProcedureStep, ...]
    fee: Fee
    documents: tuple[Document, ...]
    decided_by: DecidedBy
    leading_tier: Tier
    effective_from: date
    effective_to: date | None
    note_vi: str
    source: str
    limit_text_vi: str = ""

    @property
    def checklist(self) -> tuple[Document, ...]:
        """The documents that are always wanted."""
        return tuple(document for document in self.documents if document.is_required)

    @property
    def is_complete(self) -> bool:
        """Whether limit, checklist and acting units are all known: nothing is left for an official to add."""
        return self.limit is not None and bool(self.checklist) and bool(self.steps)

    def is_in_force(self, day: date) -> bool:
        """Tell whether this version governs what is received on that day."""
        return self.effective_from <= day <= (self.effective_to or _LAST_DAY)

    def to_plain(self) -> dict[str, Any]:
        """Return the procedure as maps, arrays, text and integers, without what is unknown."""
        values: dict[str, Any] = {
            "code": self.code,
            "name_vi": self.name_vi,
            "full_name_vi": self.full_name_vi,
            "field_vi": self.field_vi,
            "limit": self.limit.to_plain() if self.limit else None,
            "limit_certainty": str(self.limit_certainty),
            "verified_limit": self.verified_limit.to_plain() if self.verified_limit else None,
            "limit_text_vi": self.limit_text_vi or None,
            "steps": [step.to_plain() for step in self.steps] or None,
            "fee": self.fee.to_plain(),
            "documents": [document.to_plain() for document in self.documents],
            "decided_by": str(self.decided_by),
            "leading_tier": str(self.leading_tier),
            "effective_from": self.effective_from.isoformat(),
            "effective_to": self.effective_to.isoformat() if self.effective_to else None,
            "note_vi": self.note_vi or None,
            "source": self.source,
        }
        return {key: value for key, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All procedures in all versions.

    Attributes:
        version: Raised with every publication.
        procedures: In order of code, then of date.
        fields: Fields of work, in order of name, then of date; empty: procedures name them freely.

    Raises:
        InvalidInput: Two versions of one procedure or field are in force on one day, or one ends before it
            begins.
    """

    version: int
    procedures: tuple[Procedure, ...]
    fields: tuple[FieldOfWork, ...] = ()
    _versions: dict[str, list[Procedure]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ordered = sorted(self.procedures, key=lambda item: (item.code, item.effective_from))
        object.__setattr__(self, "procedures", tuple(ordered))
        object.__setattr__(self, "fields", check_fields(self.fields))
        object.__setattr__(self, "_versions", _by_code(ordered))

    def get(self, code: str, on: date | None = None) -> Procedure:
        """Return a procedure as it was on a day, or its latest version.

        Raises:
            NotFound: No such code, or not in force on that day.
        """
        versions = self._versions.get(code, [])
        found = [item for item in versions if on is None or item.is_in_force(on)]
        if not found:
            when = f" in force on {on}" if on and versions else ""
            raise NotFound(f"Catalogue version {self.version} has no procedure {code!r}{when}.")
        return found[-1]

    def any(self, code: str, on: date, name_vi: str = "") -> Procedure:
        """Return what is known of a procedure: as it is on a day, as it was last, or its bare name.

        A dossier that was received is worked to its end, also when its procedure has ended since.
        """
        versions = self._versions.get(code, [])
        found = [item for item in versions if item.is_in_force(on)] or versions
        return found[-1] if found else _bare(code, name_vi or code)

    def in_force(self, on: date) -> tuple[Procedure, ...]:
        """List the procedures in force on a day, in order of code."""
        return tuple(item for item in self.procedures if item.is_in_force(on))

    def field_code(self, name: str, on: date) -> str:
        """Return the code of a field of work on a day; empty where no source says."""
        return code_of(self.fields, name, on)

    def is_listed(self, item: Procedure) -> bool:
        """Tell whether the field of work of a procedure is one of those that are listed, if any are."""
        return not self.fields or any(each.name_vi == item.field_vi for each in self.fields)

    def search(self, text: str, on: date | None = None) -> tuple[Procedure, ...]:
        """List the procedures whose code, names or field hold the beginnings of all the words typed.

        Marks and case do not matter: `dang ky khai sinh` finds Đăng ký khai sinh. Without a day, the latest
        version of each is listed. Names that hold the words as they were typed come first, then what is
        complete, then by code.
        """
        latest = tuple(versions[-1] for versions in self._versions.values())
        items = latest if on is None else self.in_force(on)
        phrase = " ".join(fold_text(text).split())
        found = [item for item in items if has_words(_searchable(item), text)]
        return tuple(sorted(found, key=lambda item: _rank(item, phrase)))

    def to_plain(self) -> dict[str, Any]:
        """Return the catalogue as maps, arrays, text and integers, as it is signed and synced."""
        return {
            "version": self.version,
            "fields": [each.to_plain() for each in self.fields],
            "procedures": [item.to_plain() for item in self.procedures],
        }


def _bare(code: str, name_vi: str) -> Procedure:
    return Procedure(
        code=code,
        name_vi=name_vi,
        full_name_vi=name_vi,
        field_vi="",
        limit=None,
        limit_certainty=Certainty.RECALLED,
        verified_limit=None,
        steps=(),
        fee=Fee(FeeKind.UNKNOWN, Certainty.RECALLED),
        documents=(),
        decided_by=DecidedBy.COMMUNE,
        leading_tier=Tier.COMMUNE,
        effective_from=date.min,
        effective_to=None,
        note_vi="",
        source="",
    )


def _rank(item: Procedure, phrase: str) -> tuple[bool, bool, str]:
    return phrase not in fold_text(item.full_name_vi), not item.is_complete, item.code


def _searchable(item: Procedure) -> str:
    return f"{item.code} {item.name_vi} {item.full_name_vi} {item.field_vi}"


def _by_code(ordered: Iterable[Procedure]) -> dict[str, list[Procedure]]:
    """Group versions by code, and refuse two that are in force on one day, and one that never is."""
    versions: dict[str, list[Procedure]] = {}
    for item in ordered:
        if item.effective_to is not None and item.effective_to < item.effective_from:
            raise InvalidInput(f"Procedure {item.code} ends on {item.effective_to}, before it begins.")
        earlier = versions.setdefault(item.code, [])
        if earlier and earlier[-1].is_in_force(item.effective_from):
            raise InvalidInput(f"Procedure {item.code} has two versions in force on {item.effective_from}.")
        earlier.append(item)
    return versions


def _document_from_plain(value: object) -> Document:
    plain = PlainMap(value, "document")
    return Document(
        name_vi=plain.text("name_vi"),
        certainty=Certainty(plain.text("certainty")),
        use=DocumentUse(plain.text("use", str(DocumentUse.SUBMIT))),
        is_required=plain.flag("is_required", default=True),
        originals=plain.optional_integer("originals"),
        copies=plain.optional_integer("copies"),
        condition_vi=plain.text("condition_vi", ""),
    )


def procedure_from_plain(value: object) -> Procedure:
    """Read a procedure from plain data.

    Raises:
        FormatError: It is not one, or it holds a word that this version does not know.
    """
    plain = PlainMap(value, "procedure")
    code = plain.text("code")
    plain.what = f"procedure {code[:40]}"
    try:
        parse_procedure_code(code)
        return Procedure(
            code=code,
            name_vi=plain.text("name_vi"),
            full_name_vi=plain.text("full_name_vi", plain.text("name_vi")),
            field_vi=plain.text("field_vi"),
            limit=limit_from_plain(plain.raw("limit")) if plain.has("limit") else None,
            limit_certainty=Certainty(plain.text("limit_certainty")),
            verified_limit=limit_from_plain(plain.raw("verified_limit"))
            if plain.has("verified_limit")
            else None,
            limit_text_vi=plain.text("limit_text_vi", ""),
            steps=tuple(step_from_plain(item) for item in plain.items("steps")),
            fee=fee_from_plain(plain.raw("fee")),
            documents=tuple(_document_from_plain(item) for item in plain.items("documents")),
            decided_by=DecidedBy(plain.text("decided_by")),
            leading_tier=Tier(plain.text("leading_tier")),
            effective_from=plain.day("effective_from"),
            effective_to=plain.optional_day("effective_to"),
            note_vi=plain.text("note_vi", ""),
            source=plain.text("source", ""),
        )
    except (ValueError, InvalidInput) as error:
        raise FormatError(f"The {plain.what} cannot be read: {error}") from None


def catalogue_from_plain(value: object) -> Catalogue:
    """Read a catalogue from plain data.

    Raises:
        FormatError: It is not a catalogue, or contradicts itself.
    """
    plain = PlainMap(value, "catalogue")
    try:
        return Catalogue(
            version=plain.integer("version"),
            procedures=tuple(procedure_from_plain(item) for item in plain.items("procedures")),
            fields=tuple(field_from_plain(item) for item in plain.items("fields")),
        )
    except InvalidInput as error:
        raise FormatError(error.what) from None
