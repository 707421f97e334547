"""The document type of a one-stop dossier: its fields, who owns each at which step, and their names.

- What the applicant brought (*content*) is the intake desk's until the appraiser has signed for it; then the
  appraiser's, and the approver's once it is submitted. While a supplement is awaited it is the desk's again.
- *Contact* data belongs to all four roles of the unit that holds the dossier, at every step: it never changes
  hands inside a commune, so that parallel edits there merge or conflict, and none is late.
- Scans belong to the same four roles: each has a name of its own, so they hardly ever meet.
- How the result is received belongs to everyone who takes part, also while another unit decides.
- The due date is set at acceptance, and after that only where a supplement comes in or a new appointment
  can still be given.
- An agency that is asked owns its own opinion until it has answered.
- A portal's integration files a draft with what the citizen sent, and writes nothing after that.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from onestop_sync.dossier.labels import FIELD_LABELS, ROLE_LABELS, field_label
from onestop_sync.dossier.report.course import kept_due, tally_of
from onestop_sync.dossier.roles import (
    ADMIN,
    APPRAISAL,
    APPROVAL,
    HEAD,
    INTAKE,
    OFFICERS,
    PORTAL,
    RETURN,
)
from onestop_sync.dossier.summary import regime, register_row, summarise
from onestop_sync.dossier.workflow import AGENCY, AGENCY_TASK, MAIN_TASK, NEW_DUE_STEPS, variants
from onestop_sync.schema import MAIN, DocumentType, Field, FieldKind

__all__ = [
    "ADMIN",
    "APPRAISAL",
    "APPROVAL",
    "DOSSIER",
    "FIELD_LABELS",
    "HEAD",
    "INTAKE",
    "NAME_MAX",
    "OFFICERS",
    "PORTAL",
    "RETURN",
    "ROLE_LABELS",
    "field_label",
]

NAME_MAX: Final = 200
"""Longest name of a person or organisation, in characters."""

_Owners = Mapping[str, frozenset[str]]
_INTAKE: Final = frozenset({INTAKE})
_APPRAISAL: Final = frozenset({APPRAISAL})
_DECIDE: Final = frozenset({APPROVAL, HEAD})
_DESK: Final = frozenset({INTAKE, APPRAISAL})
_HEAD: Final = frozenset({HEAD})


def _owners(plan: Mapping[tuple[str, ...], frozenset[str]]) -> _Owners:
    """Spreads owners given for steps without marks over the steps with all their marks."""
    return MappingProxyType({step: roles for bases, roles in plan.items() for step in variants(*bases)})


_AT_COUNTER: Final = ("draft", "incomplete")
_REGISTRATION: Final = _owners({_AT_COUNTER: _INTAKE})
_FILED: Final = _owners({("draft",): _INTAKE | {PORTAL}, ("incomplete",): _INTAKE})
"""What a citizen says when filing: a portal's integration writes it as well, with the first event."""
_CONTENT: Final = _owners(
    {
        ("draft",): _INTAKE | {PORTAL},
        ("incomplete", "accepted", "given", "supplement"): _INTAKE,
        ("sent", "appraisal", "payment"): _APPRAISAL,
        ("approval",): _DECIDE,
    }
)
_CONTACT: Final = _owners(
    {
        ("draft",): OFFICERS | {PORTAL},
        (
            "incomplete",
            "accepted",
            "given",
            "sent",
            "appraisal",
            "supplement",
            "payment",
            "approval",
        ): OFFICERS,
        (
            "approved",
            "rejected",
            "stopped",
            "result_given",
            "notice_given",
            "result_ready",
            "notice_ready",
        ): OFFICERS,
    }
)
_DUE: Final = MappingProxyType(
    {**_owners({(*_AT_COUNTER, "supplement"): _INTAKE}), **dict.fromkeys(NEW_DUE_STEPS, _DECIDE)}
)
_REQUEST: Final = _owners({_AT_COUNTER: _INTAKE, ("appraisal",): _APPRAISAL})
_OPINION: Final = _owners({("appraisal",): _APPRAISAL})
_RESULT: Final = _owners({("appraisal",): _APPRAISAL, ("approval",): _DECIDE})
_ASSIGNED: Final = _owners({("given", "sent", "appraisal"): _APPRAISAL | _HEAD})
_RETURNED: Final = _owners({("result_ready", "notice_ready"): frozenset({RETURN})})


_DATED: Final = frozenset({"accept", "supply", "extend"})
"""What gives a date: the acceptance, a supplement, the one new appointment; nothing else changes it."""


def _field(
    name: str,
    owners: _Owners,
    kind: FieldKind = "register",
    *,
    is_legal: bool = False,
    max_chars: int = 4000,
    within: frozenset[str] = frozenset(),
) -> Field:
    return Field(name, kind, MAIN, owners, _HEAD, is_legal, max_chars, within)


_ASKED: Final = Field("hoi_y_kien", "map", f"{AGENCY}:*", MappingProxyType({"none": _DESK | _DECIDE}), _HEAD)
"""What an agency is asked and by when: the lead agency's, in the event by which it asks."""

DOSSIER: Final = DocumentType(
    "dossier",
    fields=(
        # Registration: what acceptance gives.
        _field("ma_ho_so", _REGISTRATION, is_legal=True, max_chars=64),
        _field("ma_thu_tuc", _FILED, is_legal=True, max_chars=64),
        _field("ten_thu_tuc", _FILED, is_legal=True, max_chars=2000),
        _field("hinh_thuc_nop", _FILED, max_chars=20),
        _field("nguon", _FILED),
        _field("tiep_nhan_luc", _REGISTRATION, is_legal=True),
        _field("han_tra", _DUE, is_legal=True, within=_DATED),
        _field("so_theo_doi", _REGISTRATION, is_legal=True),
        # What the applicant says and brings.
        _field("nguoi_nop", _CONTENT, is_legal=True, max_chars=NAME_MAX),
        _field("loai_doi_tuong", _CONTENT, max_chars=20),
        _field("ngay_sinh", _CONTENT, is_legal=True, max_chars=10),
        _field("so_dinh_danh", _CONTENT, is_legal=True, max_chars=20),
        _field("dia_chi", _CONTENT, is_legal=True, max_chars=500),
        _field("noi_dung", _CONTENT, is_legal=True),
        _field("so_bo", _CONTENT, is_legal=True),
        _field("giay_to", _CONTENT, "map", is_legal=True),
        _field("truong_rieng", _CONTENT, "map", is_legal=True),
        # How to reach the applicant, and how the result is received.
        _field("dien_thoai", _CONTACT, is_legal=True, max_chars=20),
        _field("email", _CONTACT, max_chars=254),
        # Scans and photos: the values are manifests (`attachments`).
        _field("dinh_kem", _CONTACT, "map"),
        Field("cach_nhan", is_legal=True, max_chars=20),
        Field("dia_chi_nhan", is_legal=True, max_chars=500),
        # Processing.
        _field("nguoi_thu_ly", _ASSIGNED, max_chars=NAME_MAX),
        _field("yeu_cau_bo_sung", _REQUEST, is_legal=True),
        _field("y_kien_tham_dinh", _OPINION),
        _field("ket_qua", _RESULT, is_legal=True),
        _field("nguoi_nhan", _RETURNED, is_legal=True, max_chars=NAME_MAX),
        _field("tra_luc", _RETURNED, is_legal=True),
        Field("y_kien", "map", f"{AGENCY}:*", MappingProxyType({"asked": _APPRAISAL | _DECIDE}), _HEAD),
        _ASKED,
        # What only grows.
        Field("danh_gia", "notes", guests=frozenset({PORTAL})),
        Field("le_phi", "notes"),
        Field("ghi_chu", "notes"),
    ),
    tasks=(MAIN_TASK, AGENCY_TASK),
    creators=_INTAKE | {PORTAL},
    founders=frozenset({PORTAL}),
    arbiters=_HEAD,
    voiders=_HEAD,
    summarise=summarise,
    regime=regime,
    register=register_row,
    keeps=kept_due,
    tally=tally_of,
)
