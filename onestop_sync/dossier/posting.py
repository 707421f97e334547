"""What may be posted on the board or the page of a commune: a list of publishable fields for each procedure.

A field is posted when its procedure's list names it, whole or as initials; a procedure without a list has the
general one. The lists are data that the province publishes; who posts may leave more out, and put nothing in.
Numbers, dates of birth, telephones, scans and opinions are never posted, whatever a list says: such a list is
refused when it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from onestop_sync.dossier.dates import due_field
from onestop_sync.dossier.labels import field_label, one_line, step_label
from onestop_sync.dossier.personal import initials
from onestop_sync.dossier.plain import PlainMap
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.dossier.summary import text_of
from onestop_sync.dossier.timeline import show_time
from onestop_sync.errors import FormatError
from onestop_sync.schema import MAIN
from onestop_sync.state import State, conflicts

__all__ = ["POSTABLE", "PostingMask", "mask_from_plain", "posted", "why_not_posted"]

POSTABLE: Final = (
    "ma_ho_so", "ten_thu_tuc", "nguoi_nop", "dia_chi", "tiep_nhan_luc", "han_tra", "buoc", "ket_qua",
)  # fmt: skip
"""What a list may name, in the order in which it is posted."""
_FULL: Final = "full"
_WAYS: Final = frozenset({_FULL, "initials"})
_TIMES: Final = frozenset({"tiep_nhan_luc"})


class PostingMask(NamedTuple):
    """The lists.

    Attributes:
        general: Field → ``full`` or ``initials``.
        procedures: The same, of single procedures.
    """

    general: Mapping[str, str]
    procedures: Mapping[str, Mapping[str, str]]

    def of(self, procedure: str) -> Mapping[str, str]:
        """Returns the list of a procedure."""
        return self.procedures.get(procedure, self.general)

    def within(self, published: PostingMask) -> PostingMask:
        """Returns these lists as far as the published ones let them go."""
        codes = {*self.procedures, *published.procedures}
        procedures = {code: _narrowed(self.of(code), published.of(code)) for code in sorted(codes)}
        return PostingMask(_narrowed(self.general, published.general), procedures)

    def to_plain(self) -> dict[str, Any]:
        """Returns the lists as they are published."""
        return {
            "fields": dict(self.general),
            "procedures": {code: dict(fields) for code, fields in self.procedures.items()},
        }


def _narrowed(fields: Mapping[str, str], published: Mapping[str, str]) -> dict[str, str]:
    return {name: way if published[name] == _FULL else published[name]
            for name, way in fields.items() if name in published}  # fmt: skip


def mask_from_plain(value: object) -> PostingMask:
    """Reads the lists.

    Raises:
        FormatError: They are none, or name a field that is never posted.
    """
    plain = PlainMap(value, "list of publishable fields")
    procedures = plain.raw("procedures") if plain.has("procedures") else {}
    if not isinstance(procedures, Mapping):
        raise FormatError("The lists of publishable fields by procedure are not a map.")
    return PostingMask(
        _fields(plain.raw("fields")), {str(code): _fields(fields) for code, fields in procedures.items()}
    )


def _fields(value: object) -> Mapping[str, str]:
    inner = PlainMap(value, "list of publishable fields")
    found = {str(name): inner.text(name) for name in value} if isinstance(value, Mapping) else {}
    for name, way in found.items():
        if name not in POSTABLE or way not in _WAYS:
            raise FormatError(f"Field {name[:40]!r} is never posted in that way.", field=name[:40])
    return {name: found[name] for name in POSTABLE if name in found}


def why_not_posted(state: State) -> str:
    """Says why a dossier is not posted: ``void``, ``conflict`` or ``draft``; empty when it may be."""
    if state.is_void:
        return "void"
    if not text_of(state, "ma_ho_so"):
        return "draft"
    legal = [key for key in conflicts(DOSSIER, state) if not (spec := DOSSIER.field(key)) or spec.is_legal]
    return "conflict" if legal else ""


def posted(state: State, mask: PostingMask) -> dict[str, str]:
    """Returns what is posted of a dossier: Vietnamese name of the field → text.

    Args:
        state: The dossier, folded; see `why_not_posted` first.
        mask: The lists.
    """
    fields = mask.of(text_of(state, "ma_thu_tuc"))
    found = {_label(name): _text(state, name, way) for name, way in fields.items()}
    return {label: text for label, text in found.items() if text}


def _label(name: str) -> str:
    return "Tình trạng" if name == "buoc" else field_label(name)


def _text(state: State, name: str, way: str) -> str:
    if name == "buoc":
        task = state.tasks.get(MAIN)
        return step_label(task.step) if task else ""
    if name == "han_tra":
        due = due_field(state)
        return show_time(due["ms"]) if due else ""
    value: Any = state.value(name)
    if name in _TIMES:
        return show_time(value) if type(value) is int else ""
    text = one_line(value) if isinstance(value, str) else ""
    return initials(text) if way == "initials" else text
