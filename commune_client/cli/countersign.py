"""``countersign``: the head of a unit vouches for what lies beyond a cut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from commune_client import strings
from commune_client.cli.codes import DONE, UsageFault
from commune_client.cli.session import Session
from onestop_sync.dossier.timeline import show_time

if TYPE_CHECKING:
    from commune_client.desk.countersigning import AwaitingFacts

__all__ = ["countersign"]

_SHORT_ID = 10


def countersign(session: Session) -> int:
    """Shows what waits, or vouches for what was named."""
    arguments = session.arguments
    if arguments.list or not arguments.names:
        with session.desk() as desk:
            found = desk.awaiting()
        lines = [line for each in found for line in _lines(each)]
        session.show(found, lines or ["Không có ghi chép nào chờ lãnh đạo xác nhận."])
        return DONE
    if not arguments.reason:
        raise UsageFault("Còn thiếu lý do: --why LÝ-DO.")
    with session.desk() as desk:
        done = desk.countersign(arguments.names, arguments.reason)
    lines = [line for each in done for line in _lines(each)]
    session.show(done, [*lines, f"Đã xác nhận {len(done)} ghi chép; từ nay có hiệu lực."])
    return DONE


def _lines(each: AwaitingFacts) -> Iterator[str]:
    what = each.code or strings.KINDS.get(each.kind, "(chưa có mã)")
    who = f"{each.who}, {each.unit_name}, ghi lúc {show_time(each.at_ms)}"
    yield f"{each.event.hex()[:_SHORT_ID]}  {what}  {who}"
    if each.lines:
        yield "    " + "; ".join(f"{line.label}{': ' if line.text else ''}{line.text}" for line in each.lines)
    if not each.is_mine:
        yield f"    {strings.WARNING_MARK} cần lãnh đạo của đơn vị xác nhận, không phải người ghi"
