"""A dossier for the tests of the portal: its events, what is told of them, and the settings of a province."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from onestop_sync.dossier.calendar import VIETNAM
from onestop_sync.dossier.data import shipped_catalogue, shipped_portal
from onestop_sync.dossier.dates import to_ms
from onestop_sync.dossier.labels import ROLE_LABELS
from onestop_sync.dossier.portal.documents import Source
from onestop_sync.dossier.portal.settings import PortalSettings, settings_from_plain
from onestop_sync.dossier.portal.steps import Told
from onestop_sync.fold import Author, Entry
from tests.unit.dossier_world import APPRAISER, APPROVER, CLERK, CLERK_2, World

CODE = "000.01.01.H99-261125-0007"
FIELD_CODES = {"Hộ tịch": "HT01"}


def settings(**changes: Any) -> PortalSettings:
    """Returns the shipped settings with a field's code, and what a test changes."""
    return settings_from_plain(shipped_portal(), {"field_codes": FIELD_CODES, **changes})


def at(text: str) -> int:
    """Returns a moment in Vietnam, ``25/11/2026 08:30``, as milliseconds since 1970 UTC."""
    return to_ms(datetime.strptime(text, "%d/%m/%Y %H:%M").replace(tzinfo=VIETNAM))


class Case(World):
    """A birth that is registered, each event with its time."""

    def __init__(self) -> None:
        """Takes the dossier in at 08:30 on 25/11/2026."""
        self.times: dict[bytes, int] = {}
        self.now = at("25/11/2026 08:30")
        super().__init__()
        written = {
            "ma_ho_so": CODE, "ma_thu_tuc": "1.001193", "ten_thu_tuc": "Đăng ký khai sinh",
            "loai_doi_tuong": "ca_nhan", "hinh_thuc_nop": "truc_tiep", "so_dinh_danh": "001199012345",
            "dia_chi": "Thôn Đoài", "tiep_nhan_luc": self.now,
            "han_tra": {"ms": at("26/11/2026 17:00"), "quy_dinh": "nd61-2018"},
            "giay_to/Tờ khai": {"ban_chinh": 1, "ban_sao": 2},
        }  # fmt: skip
        ops: list[Any] = [["set", key, value] for key, value in written.items()]
        self.last = self.root
        self.step(CLERK, "25/11/2026 08:30", [*ops, ["act", "main", "accept", {}]])

    def add(self, parents: list[Entry], ops: list[Any], author: Author) -> Entry:
        """Adds an event at the time that is now."""
        entry = super().add(parents, ops, author)
        self.times[entry.id] = self.now
        return entry

    def step(self, author: Author, when: str, ops: list[Any]) -> Entry:
        """Adds an event whose author has seen everything."""
        self.now = at(when)
        self.last = self.add([self.last], ops, author)
        return self.last

    def to_the_end(self) -> None:
        """Decides and returns the dossier."""
        for author, when, action in (
            (CLERK, "25/11/2026 08:40", "give"),
            (APPRAISER, "25/11/2026 09:00", "receive"),
            (APPRAISER, "25/11/2026 10:00", "submit"),
            (APPROVER, "25/11/2026 14:05", "approve"),
            (APPROVER, "25/11/2026 14:10", "give_result"),
            (CLERK_2, "25/11/2026 14:20", "receive"),
        ):
            self.step(author, when, [["act", "main", action, {"to": "x01"}]])
        returned = at("26/11/2026 08:00")
        back = [["set", "tra_luc", returned], ["act", "main", "return", {}]]
        self.step(CLERK_2, "26/11/2026 08:00", back)

    @property
    def told(self) -> list[Told]:
        """The events as others are told of them, in no order."""
        found = [
            Told(
                entry.id, entry.parents, self.times[entry.id], "Lê Văn Đạt", "Xã Một",
                tuple(ROLE_LABELS[role] for role in sorted(entry.author.roles)), tuple(entry.ops),
            )
            for entry in self.entries.values()
        ]  # fmt: skip
        return found[::-1]

    def source(self) -> Source:
        """What an export is made of."""
        procedure = shipped_catalogue().get("1.001193")
        return Source(self.state, self.told, procedure, lambda _: "UBND xã Một", lambda _: "000.01.01.H99")
