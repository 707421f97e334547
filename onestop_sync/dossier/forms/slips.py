"""Forms 02 to 04, and 05 since 2025: what the applicant is told in writing, with the reason.

Each tells of the last act of its kind: of a request for supplements, of a refusal, of a new appointment, of
a stop. Where the number of the slip was signed with the act, it is printed; otherwise there is room for it.
"""

from __future__ import annotations

from typing import Any, Final

from onestop_sync.dossier.dates import due_field
from onestop_sync.dossier.forms.common import (
    DESK,
    applicant_facts,
    code_of,
    dated,
    made_sheet,
    request_text,
    slip_text,
)
from onestop_sync.dossier.forms.facts import Act, Facts, last_act
from onestop_sync.dossier.forms.kinds import APOLOGY, REFUSAL, STOP, SUPPLEMENT, actions_of
from onestop_sync.dossier.forms.paper import DOTS, Block, Column, Fact, Grid, Paragraph, Sheet, Signature
from onestop_sync.dossier.forms.words import (
    agency_words,
    committee_words,
    full_time,
    paragraphs,
    value_or_dots,
)
from onestop_sync.dossier.labels import one_line
from onestop_sync.dossier.workflow import NEW_DUE

__all__ = ["apology", "refusal", "stop_notice", "supplement"]

_WANTED: Final = (
    Column("STT", 8, is_centred=True),
    Column("Thành phần hồ sơ", 58),
    Column("Bản chính", 14, is_centred=True),
    Column("Bản chứng thực", 16, is_centred=True),
    Column("Bản chụp", 14, is_centred=True),
)
_ROWS_BY_HAND: Final = 3
"""Empty lines of the table where no papers were named."""
_HEAD: Final = "THỦ TRƯỞNG CƠ QUAN, ĐƠN VỊ"


def supplement(facts: Facts) -> Sheet:
    """Returns form 02. Source: NĐ 61/2018, Articles 17.1a and 19.4."""
    act = _act(SUPPLEMENT, facts)
    blocks: tuple[Block, ...] = (
        *_about(facts),
        Paragraph("Yêu cầu bổ sung, hoàn thiện hồ sơ gồm những nội dung sau:", is_strong=True),
        Paragraph(paragraphs(act.content) or DOTS),
        Grid(_WANTED, _wanted_rows(facts)),
        Fact("Lý do", paragraphs(act.reason) or DOTS),
        Paragraph(
            "Trong quá trình hoàn thiện hồ sơ, nếu có vướng mắc, đề nghị Ông/Bà liên hệ với "
            f"{value_or_dots(act.who)}, số điện thoại {DOTS} để được hướng dẫn."
        ),
    )
    return _slip(SUPPLEMENT, facts, act, blocks, (Signature("NGƯỜI HƯỚNG DẪN", one_line(act.who)),))


def refusal(facts: Facts) -> Sheet:
    """Returns form 03, of a refusal at the counter or after appraisal. Source: Articles 17.1b and 19.8."""
    act = _act(REFUSAL, facts)
    is_late = act.action == "reject"
    what = "không giải quyết hồ sơ này" if is_late else "không tiếp nhận, giải quyết hồ sơ này"
    blocks: tuple[Block, ...] = (
        *_about(facts),
        Paragraph(f"Qua xem xét, {_agency(facts)} thông báo {what} với lý do cụ thể như sau:"),
        Paragraph(paragraphs(act.reason) or DOTS, is_strong=True),
        Paragraph("Xin thông báo để Ông/Bà được biết và thực hiện."),
    )
    signer = Signature(_HEAD if is_late else "NGƯỜI TIẾP NHẬN HỒ SƠ", one_line(act.who))
    return _slip(REFUSAL, facts, act, blocks, (Signature("NGƯỜI NỘP HỒ SƠ"), signer))


def apology(facts: Facts) -> Sheet:
    """Returns form 04: apology, reason and new date. Source: NĐ 61/2018, Article 19.9."""
    act, agency = _act(APOLOGY, facts), _committee(facts)
    new_ms = act.arguments.get(NEW_DUE)
    blocks: tuple[Block, ...] = (
        Fact("Kính gửi", value_or_dots(facts.state.value("nguoi_nop")), is_strong=True),
        Paragraph(
            f"{full_time(facts.state.value('tiep_nhan_luc'))}, {agency} tiếp nhận hồ sơ đề nghị giải quyết "
            f"thủ tục: {value_or_dots(facts.state.value('ten_thu_tuc'))} của Ông/Bà; mã hồ sơ: "
            f"{value_or_dots(facts.state.value('ma_ho_so'))}."
        ),
        Fact("Thời gian hẹn trả kết quả", full_time(_old_due(facts, act))),
        Paragraph(
            f"Tuy nhiên, {agency} chưa trả được kết quả giải quyết hồ sơ của Ông/Bà đúng thời hạn ghi trên "
            "Giấy tiếp nhận hồ sơ và hẹn trả kết quả."
        ),
        Fact("Lý do", paragraphs(act.reason) or DOTS),
        Paragraph(f"{agency} xin lỗi Ông/Bà vì sự chậm trễ này, và đề nghị hẹn lại thời gian trả kết quả:"),
        Fact("Thời gian hẹn lại", full_time(new_ms), is_strong=True),
        Paragraph("Rất mong nhận được sự thông cảm của Ông/Bà."),
    )
    return _slip(APOLOGY, facts, act, blocks, (Signature(_HEAD, "", "(Ký, ghi rõ họ tên, đóng dấu)"),))


def stop_notice(facts: Facts) -> Sheet:
    """Returns form 05 of 2025: that the processing was stopped, and why."""
    act = _act(STOP, facts)
    blocks: tuple[Block, ...] = (
        *_about(facts),
        Fact("Thời gian nhận hồ sơ", full_time(facts.state.value("tiep_nhan_luc"))),
        Paragraph(f"{_committee(facts)} thông báo dừng giải quyết hồ sơ này với lý do cụ thể như sau:"),
        Paragraph(paragraphs(act.reason) or DOTS, is_strong=True),
        Paragraph("Xin thông báo để Ông/Bà được biết."),
    )
    return _slip(STOP, facts, act, blocks, (Signature(_HEAD, "", "(Ký, ghi rõ họ tên, đóng dấu)"),))


def _act(form: str, facts: Facts) -> Act:
    """Returns the act that a slip tells of; `checks.check_printable` has made sure that there is one."""
    found = last_act(facts.acts, actions_of(form))
    assert found is not None
    return found


def _slip(
    form: str, facts: Facts, act: Act, blocks: tuple[Block, ...], signatures: tuple[Signature, ...]
) -> Sheet:
    return made_sheet(form, facts.profile, facts.agency, blocks, signatures).with_(
        code=code_of(facts),
        issued=slip_text(facts, form, act),
        place_date=dated(facts.agency, act.at_ms),
        mark=facts.mark,
    )


def _about(facts: Facts) -> tuple[Fact, ...]:
    code = facts.state.value("ma_ho_so")
    return (
        *((Fact("Mã hồ sơ", value_or_dots(code)),) if code else ()),
        *applicant_facts(facts),
        Fact("Nội dung yêu cầu giải quyết", request_text(facts)),
    )


def _agency(facts: Facts) -> str:
    """Names who writes, in running text."""
    return f"{DESK} của {agency_words(facts.unit_name(facts.agency.unit))}"


def _committee(facts: Facts) -> str:
    """Names the agency, on the papers that its head signs."""
    return committee_words(facts.unit_name(facts.agency.unit))


def _wanted_rows(facts: Facts) -> tuple[tuple[str, ...], ...]:
    """Returns a line for each paper that was asked for; which copy is wanted is ticked by hand."""
    request: Any = facts.state.value("yeu_cau_bo_sung")
    names = request.get("giay_to", ()) if isinstance(request, dict) else ()
    shown = [one_line(name) for name in names if isinstance(name, str)] if isinstance(names, list) else []
    rows = shown or [""] * _ROWS_BY_HAND
    return tuple((str(number), name, "", "", "") for number, name in enumerate(rows, 1))


def _old_due(facts: Facts, act: Act) -> Any:
    """Returns the appointment before the extension; where nothing says, the one that stands."""
    due = due_field(facts.state)
    if due is None:
        return None
    is_new = due["ms"] == act.arguments.get(NEW_DUE)
    return due.get("truoc_ms") if is_new else due["ms"]
