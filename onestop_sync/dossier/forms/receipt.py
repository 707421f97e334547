"""Form 01: that a dossier was received, and when its result is given out."""

from __future__ import annotations

from typing import Any, Final

from onestop_sync.dossier.charges import charges_of
from onestop_sync.dossier.dates import due_field
from onestop_sync.dossier.forms.common import (
    code_of,
    contact_facts,
    dated,
    id_label,
    made_sheet,
    request_text,
)
from onestop_sync.dossier.forms.facts import Facts, last_act
from onestop_sync.dossier.forms.kinds import RECEIPT
from onestop_sync.dossier.forms.paper import DOTS, Block, Column, Fact, Grid, Sheet, Signature
from onestop_sync.dossier.forms.words import charged_words, full_time, limit_words, value_or_dots, way_words
from onestop_sync.dossier.labels import one_line
from onestop_sync.dossier.register_book import FIELD, place_of

__all__ = ["receipt"]

_PAPERS: Final = "giay_to/"
_COLUMNS: Final = (
    Column("STT", 8, is_centred=True),
    Column("Tên giấy tờ", 60),
    Column("Bản chính", 13, is_centred=True),
    Column("Bản sao", 13, is_centred=True),
)
_FOOT: Final = (
    "Giấy này được lập thành 2 liên: 01 liên giao cho người nộp hồ sơ, 01 liên lưu tại Bộ phận Tiếp nhận và "
    "Trả kết quả. Dùng mã hồ sơ để tra cứu tình trạng giải quyết."
)


def receipt(facts: Facts) -> Sheet:
    """Returns form 01. Source: NĐ 61/2018, Article 17.1c and 17.3; TT 01/2018, Article 9."""
    state, due = facts.state, due_field(facts.state)
    received_ms = state.value("tiep_nhan_luc")
    blocks: tuple[Block, ...] = (
        Fact("Mã hồ sơ", value_or_dots(state.value("ma_ho_so")), is_strong=True),
        Fact("Tiếp nhận hồ sơ của", value_or_dots(state.value("nguoi_nop")), is_strong=True),
        Fact(id_label(facts), value_or_dots(state.value("so_dinh_danh"))),
        *contact_facts(facts),
        Fact("Thủ tục", _procedure(facts)),
        Fact("Nội dung yêu cầu giải quyết", request_text(facts)),
        *_papers(facts),
        Fact("Số lượng hồ sơ", f"{state.value('so_bo') or DOTS} bộ"),
        Fact("Thời hạn giải quyết theo quy định", limit_words(due)),
        Fact("Thời gian nhận hồ sơ", full_time(received_ms)),
        Fact("Thời gian trả kết quả", full_time(due["ms"] if due else None), is_strong=True),
        Fact("Đăng ký nhận kết quả", _way(facts)),
        Fact("Phí, lệ phí", charged_words(charges_of(state)) or facts.fee or DOTS),
        Fact("Vào Sổ theo dõi hồ sơ", _place(facts)),
    )
    accepted = last_act(facts.acts, ("accept", "supply"))
    signatures = (
        Signature("NGƯỜI NỘP HỒ SƠ"),
        Signature("NGƯỜI TIẾP NHẬN HỒ SƠ", accepted.who if accepted else ""),
    )
    return made_sheet(RECEIPT, facts.profile, facts.agency, blocks, signatures).with_(
        code=code_of(facts), place_date=dated(facts.agency, received_ms), mark=facts.mark, foot=_FOOT
    )


def _procedure(facts: Facts) -> str:
    name, code = facts.state.value("ten_thu_tuc"), facts.state.value("ma_thu_tuc")
    return f"{value_or_dots(name)} ({value_or_dots(code)})" if code else value_or_dots(name)


def _papers(facts: Facts) -> tuple[Block, ...]:
    """Returns the table of what was handed in or shown, in the order of the procedure's checklist."""
    order = {name: number for number, name in enumerate(facts.papers)}
    found: list[tuple[str, str, str]] = []
    keys = [key for key in facts.state.registers if key.startswith(_PAPERS)]
    for key in sorted(keys, key=lambda key: (order.get(key.removeprefix(_PAPERS), len(order)), key)):
        counts: Any = facts.state.value(key)
        match counts:
            case {"ban_chinh": int(originals), "ban_sao": int(copies)} if originals or copies:
                name = key.removeprefix(_PAPERS)
                if name in facts.shown:
                    found.append((f"{one_line(name)} (chỉ xuất trình)", "", ""))
                else:
                    found.append((one_line(name), str(originals or ""), str(copies or "")))
    if not found:
        return (Fact("Thành phần hồ sơ nộp", "không"),)
    rows = tuple((str(number), *row) for number, row in enumerate(found, 1))
    return (Fact("Thành phần hồ sơ nộp gồm", ""), Grid(_COLUMNS, rows))


def _way(facts: Facts) -> str:
    where = facts.state.value("dia_chi_nhan")
    way = way_words(facts.state.value("cach_nhan"))
    return f"{way}: {one_line(where)}" if isinstance(where, str) and where.strip() else way


def _place(facts: Facts) -> str:
    place = place_of(facts.state.value(FIELD))
    if place is None:
        return f"Quyển số: {DOTS}, số thứ tự: {DOTS}"
    return f"Quyển số: {one_line(place.volume)}/{place.year}, số thứ tự: {place.number:02d}"
