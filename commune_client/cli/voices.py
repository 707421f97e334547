"""``rate``, ``complaint`` and ``inspect``: what is said of the work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commune_client.cli.codes import DONE, UsageFault
from commune_client.cli.filed import COMPLAINTS, RATINGS, take_each
from commune_client.cli.session import Session
from commune_client.cli.values import moment_ms
from commune_client.complaint_words import STEPS, complaint_lines
from onestop_sync.dossier.inspection import FINDINGS
from onestop_sync.dossier.labels import one_line

if TYPE_CHECKING:
    from commune_client.desk.desk import Desk
    from commune_client.desk.voices import ComplaintFacts

__all__ = ["complaint", "inspect", "rate"]


def rate(session: Session) -> int:
    """Notes how a citizen rates a dossier's handling."""
    arguments = session.arguments
    if bool(arguments.from_portal) == bool(arguments.dossier):
        raise UsageFault("cần mã hồ sơ và điểm, hoặc --from-portal TỆP.")
    if arguments.from_portal:
        return take_each(session, RATINGS)
    if arguments.score is None:
        raise UsageFault("cần điểm: 0, 1 hoặc 2.")
    with session.desk() as desk:
        doc = desk.find(arguments.dossier)
        event = desk.rate(doc, arguments.score, arguments.words or "")
    session.show({"dossier": doc, "event": event}, ["Đã ghi đánh giá."])
    return DONE


def inspect(session: Session) -> int:
    """Writes down how procedures are made public at a unit, or lists what was found so far."""
    from onestop_sync.dossier.timeline import show_time

    arguments = session.arguments
    with session.desk() as desk:
        if arguments.score is None:
            found = desk.inspections()
            lines = [
                f"{show_time(each.at_ms)}  {desk.unit_name(each.unit)}: {each.mark} điểm,"
                f" {FINDINGS[each.mark]}. {one_line(each.text)} ({desk.unit_name(each.by)} ghi)"
                for each in found
            ]
            session.show(found, lines or ["Chưa ghi lần kiểm tra nào."])
            return DONE
        doc = desk.inspect(arguments.score, arguments.found, arguments.unit)
    session.show({"inspection": doc}, ["Đã ghi kết quả kiểm tra; chỉ số 6 của kỳ tính theo lần ghi cuối."])
    return DONE


def complaint(session: Session) -> int:
    """Takes a complaint down, lists them, and says what came of one."""
    arguments = session.arguments
    if arguments.from_portal:
        return take_each(session, COMPLAINTS)
    with session.desk() as desk:
        if arguments.new:
            doc = desk.complain(
                arguments.new, dossier=arguments.about, sender=arguments.sender, phone=arguments.phone
            )
            session.show({"complaint": doc}, [f"Đã ghi phản ánh {doc.hex()[:12]}."])
            return DONE
        if arguments.complaint:
            each = _handled(session, desk)
            session.show([each], list(complaint_lines(each, desk.unit_name)))
            return DONE
        found = desk.complaints(arguments.about)
    session.show(found, [_line(each) for each in found] or ["Không có phản ánh nào."])
    return DONE


def _handled(session: Session, desk: Desk) -> ComplaintFacts:
    arguments = session.arguments
    doc = _find(desk, arguments.complaint)
    if arguments.due:
        return desk.take_complaint(doc, moment_ms(desk, arguments.due))
    if arguments.answer:
        return desk.answer_complaint(doc, arguments.answer, is_founded=not arguments.unfounded)
    if arguments.dismiss:
        return desk.dismiss_complaint(doc, arguments.dismiss)
    if arguments.forward:
        return desk.forward_complaint(doc, arguments.to, arguments.forward)
    return next(each for each in desk.complaints() if each.doc == doc)


def _find(desk: Desk, text: str) -> bytes:
    found = [each.doc for each in desk.complaints() if each.doc.hex().startswith(text.lower())]
    if len(found) != 1:
        raise UsageFault(
            f"không có một phản ánh nào có mã bắt đầu bằng {text[:32]!r}; xem `onestop complaint`."
        )
    return found[0]


def _line(each: ComplaintFacts) -> str:
    from onestop_sync.dossier.timeline import show_time

    handling = each.handling
    parts = [each.doc.hex()[:12], STEPS.get(handling.step, handling.step), handling.dossier, each.content]
    if handling.due_ms is not None:
        parts.append(f"hạn {show_time(handling.due_ms)}{' !! quá hạn' if each.is_late else ''}")
    if handling.ended_ms is not None and not handling.counts:
        parts.append("không tính vào đánh giá")
    return "  ".join(part for part in parts if part)
