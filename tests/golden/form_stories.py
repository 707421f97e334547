"""Dossiers whose forms are compared with what they were: fixed people, fixed times, both legal profiles."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from onestop_sync.dossier.calendar import VIETNAM
from onestop_sync.dossier.data import shipped_calendar, shipped_profiles
from onestop_sync.dossier.dates import BY_EXTENSION, BY_INTAKE, due_value, given_due, to_ms
from onestop_sync.dossier.deadlines import Limit, LimitKind, plan_due
from onestop_sync.dossier.forms.facts import Act, Agency, Facts, acts_of
from onestop_sync.dossier.profiles import LegalProfile
from onestop_sync.dossier.register_book import Place
from onestop_sync.dossier.roles import APPRAISAL, APPROVAL, HEAD, INTAKE, RETURN
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.fold import Entry, State, fold
from onestop_sync.schema import MAIN
from tests.unit.dossier_world import officer

UNIT = "x01"
NAMES = {UNIT: "Xã Đông Phương"}
AN, BINH, CHINH = "Nguyễn Văn An", "Trần Thị Bình", "Lê Quốc Chính"
ROLES = {AN: (INTAKE, RETURN), BINH: (APPRAISAL,), CHINH: (APPROVAL, HEAD)}
STARTS = {
    "nd61-2018": datetime(2024, 3, 4, 8, 15, tzinfo=VIETNAM),
    "nd118-2025": datetime(2026, 3, 2, 8, 15, tzinfo=VIETNAM),
}
VALUES: dict[str, Any] = {
    "ma_thu_tuc": "1.004837",
    "ten_thu_tuc": "Đăng ký giám hộ",
    "nguoi_nop": "Nguyễn Thị Hường",
    "so_dinh_danh": "001199012345",
    "dia_chi": "Thôn Đoài, xã Đông Phương",
    "dien_thoai": "0912345678",
    "noi_dung": "Đăng ký giám hộ cho cháu ruột\nCha mẹ cháu đều đã mất",
    "so_bo": 1,
    "cach_nhan": "truc_tiep",
    "giay_to/Tờ khai đăng ký giám hộ": {"ban_chinh": 1, "ban_sao": 0},
    "giay_to/Văn bản cử người giám hộ": {"ban_chinh": 1, "ban_sao": 1},
}


class Story:
    """A dossier under one legal profile, event by event."""

    def __init__(self, profile_id: str, **values: Any) -> None:
        """Drafts it.

        Args:
            profile_id: Id of the legal profile.
            values: More of what the applicant says.
        """
        self.profile = _profile(profile_id)
        self.at = STARTS[profile_id]
        self.acts: list[Act] = []
        self._entries: list[Entry] = []
        self.do(AN, values={**VALUES, **values})

    @property
    def state(self) -> State:
        """The dossier, folded."""
        return fold(DOSSIER, self._entries)

    def do(
        self, who: str, action: str = "", arguments: Any = None, values: Any = None, hours: float = 0
    ) -> None:
        """Adds an event, so many hours after the one before."""
        self.at += timedelta(hours=hours)
        ops: list[Any] = [["set", key, value] for key, value in (values or {}).items()]
        ops += [["act", MAIN, action, arguments or {}]] if action else []
        event = hashlib.sha256(b"%d" % len(self._entries)).digest()
        parents = (self._entries[-1].id,) if self._entries else ()
        self._entries.append(Entry(event, parents, ops, officer(UNIT, *ROLES[who]), to_ms(self.at)))
        self.acts += acts_of(event, ops, to_ms(self.at), who, UNIT)

    def beside(self, who: str, values: Any) -> None:
        """Adds an edit whose author had not seen the last event."""
        ops = [["set", key, value] for key, value in values.items()]
        event = hashlib.sha256(b"beside").digest()
        author = officer(UNIT, *ROLES[who])
        self._entries.append(Entry(event, self._entries[-1].parents, ops, author, to_ms(self.at)))

    def accept(self, serial: int = 7) -> Story:
        """Accepts it, due in three working days."""
        limit, now = Limit(LimitKind.WORKING_DAYS, 3), to_ms(self.at)
        due = plan_due(self.at, limit, shipped_calendar(), self.profile)
        values = {
            "ma_ho_so": f"000.17.22.H56-{self.at:%y%m%d}-{serial:04d}",
            "tiep_nhan_luc": now,
            "han_tra": due_value(due, now, BY_INTAKE),
            "so_theo_doi": Place(self.at.year, "0001-7C3A9", 12).to_plain(),
        }
        self.do(AN, "accept", values=values)
        return self

    def appraise(self) -> Story:
        """Hands it over, and has it received."""
        self.do(AN, "give", hours=1)
        self.do(BINH, "receive", hours=0.25)
        return self

    def extend(self) -> Story:
        """Gives the new appointment."""
        new = to_ms(self.at + timedelta(days=7))
        due: Any = self.state.value("han_tra")
        value = given_due(new, to_ms(self.at), BY_EXTENSION, shipped_calendar(), self.profile, due)
        told = {
            "ly_do": "Cần xác minh thêm tại nơi cư trú cũ",
            "han_moi": new,
            "so_phieu": "01.0001-7C3A9/PXL",
        }
        self.do(CHINH, "extend", told, {"han_tra": value}, hours=1)
        return self

    def supplement(self) -> Story:
        """Asks for papers, after appraisal."""
        told = {
            "ly_do": "Thiếu giấy tờ",
            "noi_dung": "Nộp văn bản cử người giám hộ có chứng thực",
            "to": UNIT,
        }
        request = {**told, "giay_to": ["Văn bản cử người giám hộ"]}
        self.do(BINH, "ask_supplement", told, {"yeu_cau_bo_sung": request}, hours=2)
        return self

    def decide(self) -> Story:
        """Approves, and returns the result."""
        self.do(BINH, "submit", hours=3)
        self.do(CHINH, "approve", hours=1)
        self.do(CHINH, "give_result", {"to": UNIT}, hours=0.5)
        self.do(AN, "receive", hours=0.5)
        self.do(AN, "return", values={"nguoi_nhan": "Nguyễn Thị Hường", "tra_luc": to_ms(self.at)})
        return self

    def facts(self, before: int = 0) -> Facts:
        """Returns what forms are made from."""
        return Facts(
            state=self.state,
            acts=tuple(self.acts),
            profile=self.profile,
            calendar=shipped_calendar(),
            agency=Agency(("ỦY BAN NHÂN DÂN XÃ ĐÔNG PHƯƠNG",), "Đông Phương", UNIT),
            unit_names=NAMES,
            fee="Không thu",
            papers=("Tờ khai đăng ký giám hộ", "Văn bản cử người giám hộ"),
            printed_before=before,
        )


def _profile(profile_id: str) -> LegalProfile:
    return next(profile for profile in shipped_profiles() if profile.id == profile_id)


def stories(profile_id: str) -> dict[str, Facts]:
    """Returns the facts for each form of a profile."""
    found = {
        "receipt": Story(profile_id).accept(),
        "supplement": Story(profile_id).accept().appraise().supplement(),
        "apology": Story(profile_id).accept().appraise().extend(),
        "control_slip": Story(profile_id).accept().appraise().extend().decide(),
    }
    refused, stopped = Story(profile_id), Story(profile_id).accept().appraise()
    refused.do(AN, "refuse", {"ly_do": "Không thuộc thẩm quyền của xã", "so_phieu": "02.0001-7C3A9/HDHS"})
    stopped.do(CHINH, "stop", {"ly_do": "Công dân đề nghị giải quyết tại nơi khác"}, hours=2)
    found |= {"refusal": refused, "stop": stopped}
    forms = {form.key for form in _profile(profile_id).forms}
    return {form: story.facts() for form, story in found.items() if form in forms}
