"""A year's register in Vietnamese, for the screen and for ``onestop register``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from commune_client import strings

if TYPE_CHECKING:
    from commune_client.desk.print_facts import RegisterFacts

__all__ = ["register_lines"]

_MOST_NUMBERS = 10
"""Missing numbers that are listed one by one."""


def register_lines(found: RegisterFacts) -> Iterator[str]:
    """Yields the volumes of a year, what is missing in them, and its closings."""
    from onestop_sync.dossier.timeline import show_time

    yield f"Sổ theo dõi hồ sơ năm {found.year}: {sum(len(v.lines) for v in found.volumes)} hồ sơ"
    for volume in found.volumes:
        own = " (máy này)" if volume.name == found.own_volume else ""
        yield f"  Quyển {volume.name}{own}: {len(volume.lines)} hồ sơ, từ số 01 đến số {volume.last:02d}"
        if volume.missing:
            numbers = _numbers(volume.missing)
            yield f"    {strings.WARNING_MARK} Chưa thấy số {numbers} (máy khác chưa đồng bộ?)"
        if volume.doubled:
            yield f"    {strings.ERROR_MARK} Trùng số {_numbers(volume.doubled)}: hãy báo quản trị"
    for closing in found.closings:
        yield f"  Khóa sổ lúc {show_time(closing.at_ms)}: {closing.who}"
        for name, (last, count, is_same) in closing.volumes.items():
            wrong = "" if is_same else f"  {strings.ERROR_MARK} không còn như khi khóa"
            yield f"    Quyển {name}: {count} hồ sơ, đến số {last:02d}{wrong}"
    if not found.closings:
        yield "  Sổ chưa khóa."


def _numbers(numbers: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, numbers[:_MOST_NUMBERS]))
    return shown + (f" và {len(numbers) - _MOST_NUMBERS} số nữa" if len(numbers) > _MOST_NUMBERS else "")
