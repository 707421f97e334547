"""``conflicts`` and ``resolve``: what two people wrote differently, and how an officer settles it."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from commune_client.cli.codes import DONE, UsageFault
from commune_client.cli.session import Session
from commune_client.cli.values import field_key, typed_value
from commune_client.cli.words import dispute_lines, done_lines, list_lines

if TYPE_CHECKING:
    from commune_client.desk.desk import Desk
    from commune_client.desk.facts import Dispute, DisputeSide, Done

__all__ = ["conflicts", "resolve"]

_SHORTEST_ID = 6


def conflicts(session: Session) -> int:
    """Shows what is open on one dossier, or which dossiers have something open."""
    with session.desk() as desk:
        if not session.arguments.code:
            page = desk.dossiers(only="conflict")
            lines = list(list_lines(page.rows)) or ["Không có xung đột nào."]
            if page.after:
                lines.append(f"Còn nữa: onestop list --only conflict --after {page.after[0]}:{page.after[1]}")
            session.show({"rows": page.rows, "has_more": bool(page.after)}, lines)
            return DONE
        found = desk.conflicts(desk.find(session.arguments.code))
    lines = [line for dispute in found for line in dispute_lines(dispute)]
    session.show(found, lines or ["Không có xung đột nào."])
    return DONE


def resolve(session: Session) -> int:
    """Settles one thing, with a reason."""
    arguments = session.arguments
    with session.desk() as desk:
        doc = desk.find(arguments.code)
        dispute = _chosen(desk.conflicts(doc), arguments.key)
        done = _settle(desk, dispute, arguments)
    session.show(done, done_lines(done))
    return DONE


def _chosen(found: list[Dispute], key: str) -> Dispute:
    if not found:
        raise UsageFault("Hồ sơ này không còn gì phải giải quyết.")
    if key:
        found = [dispute for dispute in found if dispute.key in {key, field_key(key)}]
    if len(found) == 1:
        return found[0]
    raise UsageFault("Cần nêu đúng một mục; xem `onestop conflicts MÃ`.")


def _settle(desk: Desk, dispute: Dispute, arguments: Namespace) -> Done:
    doc, key, reason = dispute.doc, dispute.key, arguments.reason
    if arguments.keep:
        if dispute.kind in {"conflict", "task"}:
            raise UsageFault("--keep chỉ dùng cho ghi chép muộn hoặc hồ sơ đã hủy; hãy dùng --choose.")
        return desk.decline_late(doc, key, reason)
    if arguments.choose is not None:
        return desk.choose(doc, key, _side(dispute, arguments.choose).event, reason)
    if dispute.kind == "task":
        raise UsageFault("Bước xử lý đang tranh chấp: hãy dùng --choose.")
    return desk.resolve(doc, key, typed_value(key, arguments.value), reason)


def _side(dispute: Dispute, text: str) -> DisputeSide:
    """Returns the side that a number, or the beginning of an event's id, names."""
    if text.isdecimal() and 1 <= int(text) <= len(dispute.sides):
        return dispute.sides[int(text) - 1]
    named = [side for side in dispute.sides if side.event.hex().startswith(text.lower())]
    if len(text) >= _SHORTEST_ID and len(named) == 1:
        return named[0]
    raise UsageFault(
        f"--choose: từ 1 đến {len(dispute.sides)}, hoặc mã ghi chép; xem `onestop conflicts MÃ`."
    )
