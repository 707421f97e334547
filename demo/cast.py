"""Who plays: an invented province, its machines, and the officers who work on them, each with an own key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from onestop_sync.dossier.roles import APPRAISAL, APPROVAL, HEAD, INTAKE, RETURN
from onestop_sync.trust import Unit

__all__ = [
    "ALONE",
    "APPRAISER_PC",
    "DISTRICT",
    "HUB",
    "INTAKE_PC",
    "MACHINES",
    "PROVINCE",
    "REMOTE",
    "ROGUE",
    "UNITS",
    "Machine",
    "Officer",
]


@dataclass(frozen=True, slots=True)
class Officer:
    """An invented officer."""

    name: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Machine:
    """A computer with a store of its own.

    Attributes:
        folder: Name of its folder below the demo's.
        title: Vietnamese name.
        unit: Unit for which it writes.
        officers: Who works on it.
        serves: Whether it is a parent of others.
        blocks: Its serials of each day: the block in use, and one to spare; the next free ones when empty.
    """

    folder: str
    title: str
    unit: str
    officers: tuple[Officer, ...] = ()
    serves: bool = False
    blocks: str = ""

    def who(self, role: str) -> str:
        """Returns the officer on this machine who holds a role."""
        return next(officer.name for officer in self.officers if role in officer.roles)

    @property
    def first(self) -> str:
        """The officer who set the machine up."""
        return self.officers[0].name


UNITS: Final = (
    Unit("t01", "Tỉnh Sông Vàng", "", "province", ("000.00.00.H99",)),
    Unit("h01", "Huyện Đồng Lĩnh", "t01", "district", ("000.00.22.H99",)),
    Unit("x01", "Xã Phú An Hạ", "h01", "commune", ("000.01.22.H99",)),
    Unit("x02", "Xã Tân Sơn Đông", "h01", "commune", ("000.02.22.H99",)),
    Unit("x03", "Xã Khe Trầu", "h01", "commune", ("000.03.22.H99",)),
)

PROVINCE: Final = Machine("tinh", "Máy chủ tỉnh", "t01", serves=True)
DISTRICT: Final = Machine(
    "huyen",
    "Máy chủ huyện",
    "h01",
    (
        Officer("Bùi Thị Hạnh", (INTAKE, RETURN)),
        Officer("Ngô Quang Vinh", (APPRAISAL,)),
        Officer("Đỗ Thị Thu Hà", (APPROVAL, HEAD)),
    ),
    serves=True,
)
HUB: Final = Machine(
    "xa1-tram", "Máy trạm xã (hub)", "x01", (Officer("Dương Văn Khoa", (INTAKE,)),), serves=True
)
INTAKE_PC: Final = Machine(
    "xa1-tiepnhan",
    "Máy tiếp nhận",
    "x01",
    (Officer("Nguyễn Thị Hường", (INTAKE,)), Officer("Phạm Văn Đức", (RETURN,))),
    blocks="1-500,501-1000",
)
APPRAISER_PC: Final = Machine(
    "xa1-thamdinh",
    "Máy thẩm định",
    "x01",
    (
        Officer("Đặng Văn Đường", (APPRAISAL,)),
        Officer("Trần Thị Lan", (APPROVAL, HEAD)),
        Officer("Lê Thị Mai", (INTAKE,)),
    ),
    blocks="1001-1500,1501-2000",
)
ALONE: Final = Machine(
    "xa2",
    "Máy xã Tân Sơn Đông",
    "x02",
    (
        Officer("Hoàng Văn Tùng", (INTAKE, RETURN)),
        Officer("Vi Thị Ngọc", (APPRAISAL,)),
        Officer("Lò Văn Sơn", (APPROVAL, HEAD)),
    ),
)
REMOTE: Final = Machine(
    "xa3",
    "Máy xã Khe Trầu",
    "x03",
    (Officer("Triệu Thị Xuân", (INTAKE, APPRAISAL, RETURN)), Officer("Nông Văn Quý", (APPROVAL, HEAD))),
)
ROGUE: Final = Machine(
    "xa2-trunggian", "Máy trung gian bị sửa", "x02", (Officer("Không rõ", (INTAKE,)),), serves=True
)
"""A relay whose program somebody changed."""

MACHINES: Final = (PROVINCE, DISTRICT, HUB, INTAKE_PC, APPRAISER_PC, ALONE, REMOTE)
"""Those that tell the truth."""
