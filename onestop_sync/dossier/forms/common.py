"""What several forms have in common: the head, who the applicant is, the foot."""

from __future__ import annotations

from typing import Final

from onestop_sync.dossier.forms.facts import Act, Agency, Facts
from onestop_sync.dossier.forms.kinds import APOLOGY, SLIP, STOP
from onestop_sync.dossier.forms.paper import DOTS, Block, Fact, PaperSize, Sheet, Signature
from onestop_sync.dossier.forms.words import date_words, paragraphs, value_or_dots
from onestop_sync.dossier.labels import one_line
from onestop_sync.dossier.profiles import LegalProfile
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.fold import conflicts

__all__ = [
    "DESK",
    "applicant_facts",
    "code_of",
    "contact_facts",
    "dated",
    "id_label",
    "made_sheet",
    "request_text",
    "slip_text",
]

DESK: Final = "Bộ phận Tiếp nhận và Trả kết quả"
_BY_HEAD: Final = frozenset({APOLOGY, STOP})
"""Papers of the agency, signed by its head; all others are the desk's."""


def made_sheet(
    form: str,
    profile: LegalProfile,
    agency: Agency,
    blocks: tuple[Block, ...],
    signatures: tuple[Signature, ...] = (),
    size: PaperSize = PaperSize.A5,
) -> Sheet:
    """Returns a sheet with the head that the legal profile and the agency give it."""
    kind = profile.form(form)
    return Sheet(
        form=form,
        number=kind.number,
        circular=profile.circular,
        title=kind.name_vi,
        size=size,
        issuer=agency.names if form in _BY_HEAD else (*agency.names, DESK.upper()),
        blocks=blocks,
        signatures=signatures,
    )


def dated(agency: Agency, ms: object) -> str:
    """Returns place and day for the head of a paper; empty for no day."""
    return f"{agency.place}, {date_words(ms)}" if type(ms) is int else ""


def code_of(facts: Facts) -> str:
    """Returns the dossier's code; empty before acceptance."""
    return one_line(str(facts.state.value("ma_ho_so") or ""))


def slip_text(facts: Facts, form: str, act: Act) -> str:
    """Returns the number of a slip: the one that was signed with the act, or dots before the suffix."""
    number = one_line(act.text(SLIP))
    suffix = facts.form(form).suffix
    return number or f"{DOTS}{'/' if suffix else ''}{suffix}"


def applicant_facts(facts: Facts) -> tuple[Fact, ...]:
    """Returns who submits, as all slips have it."""
    return (
        Fact("Hồ sơ của", value_or_dots(facts.state.value("nguoi_nop")), is_strong=True),
        Fact(id_label(facts), value_or_dots(facts.state.value("so_dinh_danh"))),
        *contact_facts(facts),
    )


def id_label(facts: Facts) -> str:
    """Returns what the number that names the applicant is."""
    if "loai_doi_tuong" in conflicts(DOSSIER, facts.state):
        return "Số định danh, mã số thuế"
    return "Mã số thuế" if facts.state.value("loai_doi_tuong") == "to_chuc" else "Số định danh"


def contact_facts(facts: Facts) -> tuple[Fact, ...]:
    """Returns how the applicant is reached."""
    # No law wants this one on the paper, so it holds nothing up: while two people differ, it is left out.
    email = None if "email" in conflicts(DOSSIER, facts.state) else facts.state.value("email")
    return (
        Fact("Địa chỉ", value_or_dots(facts.state.value("dia_chi"))),
        Fact("Số điện thoại", value_or_dots(facts.state.value("dien_thoai"))),
        *((Fact("Thư điện tử", value_or_dots(email)),) if email else ()),
    )


def request_text(facts: Facts) -> str:
    """Returns what the applicant wants: in their words, or the procedure's name where there are none."""
    said = facts.state.value("noi_dung")
    return (
        paragraphs(said)
        if isinstance(said, str) and said
        else value_or_dots(facts.state.value("ten_thu_tuc"))
    )
