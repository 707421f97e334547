"""A procedure's form: which fields it has, and how they become a dossier's registers and back; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any

from commune_client.screens import words
from commune_client.screens.own_fields import OwnField, own_fields
from commune_client.widgets.field_rules import FieldKind, FieldValue, FormField, parse_date
from commune_client.widgets.vn_text import to_lines

if TYPE_CHECKING:
    from onestop_sync.dossier.catalogue import Procedure
    from onestop_sync.dossier.checks import Paper, Problem

__all__ = ["DossierForm", "due_at_close"]

_OWN = "truong_rieng/"
_PAPERS = "giay_to/"
_LOCAL = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
_CHOICES = {
    "cach_nhan": ("truc_tiep", "buu_chinh", "truc_tuyen"),
    "loai_doi_tuong": ("ca_nhan", "to_chuc"),
}


@dataclass(frozen=True)
class DossierForm:
    """The form of one procedure.

    Attributes:
        fields: What stands on the screen, in order.
        keys: Field's name → register key; fields that are no register are missing.
        lists: Names of fields with one value a line.
    """

    fields: tuple[FormField, ...]
    keys: Mapping[str, str]
    lists: frozenset[str]

    @classmethod
    def of(
        cls,
        procedure: Procedure,
        values: Mapping[str, Any] | None = None,
        papers: Iterable[str] = (),
        *,
        is_intake: bool = True,
    ) -> DossierForm:
        """Returns a procedure's form.

        Args:
            procedure: The procedure.
            values: What the dossier holds, so that fields unknown here are shown too.
            papers: Documents that the dossier holds, likewise.
            is_intake: Whether it is for accepting: with the date and the limit to choose.
        """
        own = _with_unknown(own_fields(procedure.code), values or {})
        numbered = {f"own_{number}": field for number, field in enumerate(own)}
        fields = [
            *_applicant(),
            *(_own_field(name, field) for name, field in numbered.items()),
            *_papers(procedure, papers),
            *_receiving(),
        ]
        if is_intake:
            fields += _acceptance(procedure)
        keys = {field.name: field.name for field in (*_applicant(), *_receiving())}
        keys |= {name: _OWN + field.name for name, field in numbered.items()}
        lists = frozenset(name for name, field in numbered.items() if field.is_list)
        return cls(tuple(fields), keys, lists)

    def only(self, allowed: Iterable[str]) -> DossierForm:
        """Returns the form with the fields of these register keys alone; ``giay_to`` is the checklist."""
        kept = set(allowed)
        fields = tuple(
            field
            for field in self.fields
            if self.keys.get(field.name, "giay_to" if field.name == "papers" else "") in kept
        )
        return DossierForm(fields, self.keys, self.lists)

    def shown(self, values: Mapping[str, Any], papers: Mapping[str, Paper]) -> dict[str, FieldValue]:
        """Returns the form's values for a dossier's registers."""
        found: dict[str, FieldValue] = {
            name: _as_text(values[key]) for name, key in self.keys.items() if values.get(key) is not None
        }
        found["papers"] = tuple(name for name, paper in papers.items() if paper.originals or paper.copies)
        return found

    def registers(self, shown: Mapping[str, FieldValue]) -> dict[str, Any]:
        """Returns register key → value for what stands in the form; empty text where a field is empty."""
        return {
            self.keys[name]: _as_list(value) if name in self.lists else value
            for name, value in shown.items()
            if name in self.keys
        }

    def errors(self, problems: Iterable[Problem], say: Any) -> tuple[dict[str, str], list[str]]:
        """Sorts problems: by field's name those that a field can show, and the rest.

        Args:
            problems: What is wrong.
            say: Turns a problem into Vietnamese words.
        """
        names = {key: name for name, key in self.keys.items()} | {"han_tra": "due"}
        here = {field.name for field in self.fields}
        by_field: dict[str, str] = {}
        rest: list[str] = []
        for problem in problems:
            name = "papers" if problem.key.startswith(_PAPERS) else names.get(problem.key, "")
            if name in here:
                text = say(problem)
                by_field[name] = f"{by_field[name]}; {text}" if name in by_field else text
            else:
                rest.append(say(problem))
        return by_field, rest


def _applicant() -> tuple[FormField, ...]:
    return (
        FormField("nguoi_nop", "Người nộp", required=True, limit=200),
        FormField("so_dinh_danh", "Số căn cước, mã số", required=True, limit=20, help=words.ID_HELP),
        FormField("ngay_sinh", "Ngày sinh", "born"),
        FormField("dien_thoai", "Điện thoại", "phone"),
        FormField("dia_chi", "Địa chỉ", required=True, limit=500),
    )


def _receiving() -> tuple[FormField, ...]:
    return (
        _choice("cach_nhan", "Nhận kết quả"),
        FormField("dia_chi_nhan", "Nơi nhận kết quả", limit=500, help=words.ONLY_IF_POSTED),
        FormField("email", "Thư điện tử", limit=254),
        _choice("loai_doi_tuong", "Người nộp là"),
        FormField("noi_dung", "Nội dung yêu cầu", "multiline", limit=4000, help=words.CONTENT_HELP),
    )


def _choice(name: str, label: str) -> FormField:
    options = tuple((value, words.CHOICE_LABELS[value]) for value in _CHOICES[name])
    return FormField(name, label, "choice", options=options)


def _own_field(name: str, field: OwnField) -> FormField:
    from onestop_sync.dossier.labels import one_line

    if field.options:
        return FormField(name, one_line(field.name), "choice", options=tuple((o, o) for o in field.options))
    kind: FieldKind = "multiline" if field.is_list else "text"
    return FormField(
        name, one_line(field.name), kind, limit=2000, help=words.LIST_HELP if field.is_list else ""
    )


def _with_unknown(known: Sequence[OwnField], values: Mapping[str, Any]) -> list[OwnField]:
    """Adds the fields that a dossier holds and no form knows; an option that is not offered becomes text."""
    held = {key.removeprefix(_OWN): value for key, value in values.items() if key.startswith(_OWN)}
    fields = [field if _offers(field, held) else field._replace(options=()) for field in known]
    names = {field.name for field in fields}
    return fields + [
        OwnField(name, is_list=isinstance(value, list)) for name, value in held.items() if name not in names
    ]


def _offers(field: OwnField, held: Mapping[str, Any]) -> bool:
    return not field.options or held.get(field.name, field.options[0]) in field.options


def _papers(procedure: Procedure, held: Iterable[str]) -> tuple[FormField, ...]:
    from onestop_sync.dossier.labels import one_line

    labels = {item.name_vi: _paper_label(item) for item in procedure.documents}
    labels |= {name: one_line(name) for name in held if name not in labels}
    if not labels:
        return ()
    return (FormField("papers", words.PAPERS, "checklist", options=tuple(labels.items())),)


def _paper_label(document: Any) -> str:
    many = words.originals_copies(document.originals or 0, document.copies or 0)
    parts = [many] if document.originals or document.copies else []
    parts += [document.condition_vi or words.PAPER_OPTIONAL] if not document.is_required else []
    return f"{document.name_vi} ({', '.join(parts)})" if parts else str(document.name_vi)


def _acceptance(procedure: Procedure) -> list[FormField]:
    fields = []
    if procedure.verified_limit is not None:
        fields.append(
            FormField("verified", words.VERIFIED, "checklist", options=(("yes", words.VERIFIED_YES),))
        )
    if procedure.limit is None:
        fields.append(FormField("due", words.DUE_FIELD, "date", required=True, help=words.DUE_FIELD_HELP))
    return fields


def due_at_close(text: FieldValue, close_min: int) -> int | None:
    """Returns a day that was typed as the moment when the office closes; None when it is no day.

    Args:
        text: Day/month/year or ISO 8601.
        close_min: When the office closes, minutes after midnight.

    Returns:
        Milliseconds since 1970 UTC.
    """
    day = parse_date(text) if isinstance(text, str) else None
    if day is None:
        return None
    closing = datetime.combine(day, time(close_min // 60, close_min % 60), _LOCAL)
    return int(closing.timestamp() * 1000)


def _as_text(value: Any) -> str:
    """Returns what stands in a field; an event of others may hold characters that would move the screen."""
    return to_lines("\n".join(map(str, value)) if isinstance(value, list) else str(value))


def _as_list(value: FieldValue) -> Any:
    lines = [line.strip() for line in str(value).splitlines() if line.strip()]
    return lines or ""
