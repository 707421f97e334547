"""The year's register: one line for each accepted dossier, one volume for each machine and epoch.

Every line comes from a folded dossier, so that a reprint shows what is true now; the place of a line never
changes. `volumes_of` tells which numbers of a volume are not here and which stand twice.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from onestop_sync.dossier.dates import due_field, local
from onestop_sync.dossier.forms.checks import blocking_keys
from onestop_sync.dossier.forms.common import made_sheet
from onestop_sync.dossier.forms.facts import Agency
from onestop_sync.dossier.forms.kinds import REGISTER
from onestop_sync.dossier.forms.paper import Block, Column, Fact, Grid, PaperSize, Paragraph, Sheet, Signature
from onestop_sync.dossier.forms.words import cell_time, date_words, way_words
from onestop_sync.dossier.labels import field_label, one_line
from onestop_sync.dossier.profiles import LegalProfile
from onestop_sync.dossier.register_book import FIELD, Place, place_of
from onestop_sync.dossier.workflow import MAIN_TASK
from onestop_sync.schema import MAIN
from onestop_sync.state import State

__all__ = [
    "Closed",
    "Line",
    "Volume",
    "erased_line",
    "line_of",
    "register_sheet",
    "volume_digest",
    "volumes_of",
]

_COLUMNS: Final = (
    Column("STT", 8, is_centred=True),
    Column("Mã hồ sơ", 30),
    Column("Thủ tục", 37),
    Column("Tên người nộp", 28),
    Column("Địa chỉ, điện thoại", 31),
    Column("Cơ quan chủ trì", 22),
    Column("Nhận hồ sơ", 17, is_centred=True),
    Column("Hẹn trả", 17, is_centred=True),
    Column("Trả kết quả", 17, is_centred=True),
    Column("Cách nhận", 17),
    Column("Ký nhận", 18),
    Column("Ghi chú", 19),
)
_OPEN: Final = "(xung đột)"
"""Stands for a value that two people wrote differently and nobody has settled."""


class Line(NamedTuple):
    """One line of the register.

    Attributes:
        place: Where it stands.
        code: The dossier's code.
        cells: What the printed columns say, from the code on.
        open_fields: Names of what is in conflict.
    """

    place: Place
    code: str
    cells: tuple[str, ...]
    open_fields: tuple[str, ...] = ()


class Volume(NamedTuple):
    """One volume of a year.

    Attributes:
        name: See `register_book.volume_name`.
        lines: In the order of their numbers.
        missing: Numbers below the last that no dossier here bears.
        doubled: Numbers that several dossiers bear.
    """

    name: str
    lines: tuple[Line, ...]
    missing: tuple[int, ...]
    doubled: tuple[int, ...]

    @property
    def last(self) -> int:
        """The highest number that is here."""
        return self.lines[-1].place.number if self.lines else 0

    @property
    def is_whole(self) -> bool:
        """Whether every number from 1 to the last stands once."""
        return not self.missing and not self.doubled


class Closed(NamedTuple):
    """By whom, when and up to which number a volume was closed."""

    last: int
    who: str
    at_ms: int


def line_of(state: State, unit_names: Mapping[str, str]) -> Line | None:
    """Returns a dossier's line; ``None`` of one that has no place in a register."""
    place = place_of(state.value(FIELD))
    if place is None:
        return None
    open_keys = blocking_keys(REGISTER, state)
    shown = _Shown(state, frozenset(key.partition("/")[0] for key in open_keys))
    task = state.tasks.get(MAIN)
    due = due_field(state)
    cells = (
        shown.text("ma_ho_so"),
        shown.text("ten_thu_tuc"),
        shown.text("nguoi_nop"),
        "\n".join(filter(None, (shown.text("dia_chi"), shown.text("dien_thoai")))),
        one_line(unit_names.get(state.unit if task is None else task.unit, "")),
        shown.time("tiep_nhan_luc"),
        _OPEN if "han_tra" in shown.open else cell_time(due["ms"] if due else None),
        shown.time("tra_luc"),
        shown.way(),
        "",
        _note(state),
    )
    return Line(place, shown.text("ma_ho_so"), cells, tuple(map(field_label, open_keys)))


class _Shown(NamedTuple):
    """Values of a dossier as cells."""

    state: State
    open: frozenset[str]

    def text(self, key: str) -> str:
        value = self.state.value(key)
        return _OPEN if key in self.open else one_line(value) if isinstance(value, str) else ""

    def time(self, key: str) -> str:
        return _OPEN if key in self.open else cell_time(self.state.value(key))

    def way(self) -> str:
        value = self.state.value("cach_nhan")
        return _OPEN if "cach_nhan" in self.open else way_words(value).split(" tại ")[0] if value else ""


def _note(state: State) -> str:
    if state.is_void:
        return "Đã hủy"
    task = state.tasks.get(MAIN)
    step = (task.step if task else MAIN_TASK.initial).partition("+")[0]
    return {"withdrawn": "Đã rút", "stopped": "Dừng xử lý", "rejected": "Không giải quyết"}.get(step, "")


def erased_line(label: str, row: Mapping[str, Any]) -> Line | None:
    """Returns the line of a dossier that was erased by law: nobody's data, but its place is kept.

    Args:
        label: The dossier's code.
        row: What the tombstone keeps, see `summary.register_row`.
    """
    place = place_of(row.get(FIELD))
    if place is None:
        return None
    name, times = row.get("ten_thu_tuc", ""), ("tiep_nhan_luc", "han_tra", "tra_luc")
    cells = (one_line(label), one_line(str(name)), "", "", "", *(cell_time(row.get(key)) for key in times))
    return Line(place, one_line(label), (*cells, "", "", "Đã xóa theo quy định"))


def volumes_of(lines: Iterable[Line], year: int) -> tuple[Volume, ...]:
    """Returns the volumes of a year by name, each with its lines in order and what is wrong with them."""
    by_name: dict[str, list[Line]] = {}
    for line in lines:
        if line.place.year == year:
            by_name.setdefault(line.place.volume, []).append(line)
    return tuple(_volume(name, found) for name, found in sorted(by_name.items()))


def _volume(name: str, lines: Sequence[Line]) -> Volume:
    ordered = sorted(lines, key=lambda line: (line.place.number, line.code))
    counts = Counter(line.place.number for line in ordered)
    missing = tuple(number for number in range(1, max(counts) + 1) if number not in counts)
    doubled = tuple(sorted(number for number, count in counts.items() if count > 1))
    return Volume(name, tuple(ordered), missing, doubled)


def volume_digest(volume: Volume, last: int) -> bytes:
    """Returns what a closing signs of a volume: which code stands at which number, up to the last."""
    lines = (f"{line.place.number} {line.code}\n" for line in volume.lines if line.place.number <= last)
    return hashlib.sha256("".join(lines).encode()).digest()


def register_sheet(
    volume: Volume,
    year: int,
    profile: LegalProfile,
    agency: Agency,
    closed: Closed | None = None,
    mark: str = "",
) -> Sheet:
    """Returns form 06 (07 since 2025) for one volume, on A4.

    Source: TT 01/2018/TT-VPCP, Articles 9.2 and 10.2 (closed at the year's end by who heads the section).
    """
    rows = tuple((f"{line.place.number:02d}", *line.cells) for line in volume.lines)
    blocks: tuple[Block, ...] = (
        Fact("Năm", str(year), is_strong=True),
        Fact("Quyển số", one_line(volume.name), is_strong=True),
        Grid(_COLUMNS, rows),
        *_closing(volume, closed),
    )
    signature = Signature("NGƯỜI ĐỨNG ĐẦU BỘ PHẬN MỘT CỬA", "", "(Ký, ghi rõ họ tên, đóng dấu)")
    signatures = (signature,) if closed else ()
    sheet = made_sheet(REGISTER, profile, agency, blocks, signatures, PaperSize.A4_WIDE)
    return sheet.with_(mark=mark, is_numbered=True)


def _closing(volume: Volume, closed: Closed | None) -> tuple[Paragraph, ...]:
    if closed is None:
        return (Paragraph("Sổ chưa khóa."),)
    count = sum(line.place.number <= closed.last for line in volume.lines)
    said = (
        f"Khóa sổ {date_words(closed.at_ms)}: {count} hồ sơ, từ số 01 đến số {closed.last:02d}. "
        f"Người khóa sổ: {one_line(closed.who)}, lúc {local(closed.at_ms):%H:%M}."
    )
    later = volume.last - closed.last
    more = (Paragraph(f"Có {later} số đến sau khi khóa sổ, cần khóa sổ bổ sung."),) if later > 0 else ()
    return (Paragraph(said, is_strong=True), *more)
