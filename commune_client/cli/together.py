"""Commands about the office as a whole: handover lists, agencies that are asked, fees, reasons of a date."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from commune_client.cli import work
from commune_client.cli.codes import DONE, REFUSED, UsageFault
from commune_client.cli.complaint import complain
from commune_client.cli.session import Session
from commune_client.cli.together_words import (
    asked_lines,
    each_lines,
    fees_lines,
    handover_lines,
    settlement_lines,
    why_lines,
)
from commune_client.cli.values import moment_ms, parse_day
from commune_client.cli.words import done_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from commune_client.desk.desk import Desk
    from commune_client.desk.office_facts import Each

__all__ = ["ask", "asked", "fee", "fees", "hand", "why"]

_KINDS = {"due": "phai_nop", "paid": "da_nop", "waived": "mien", "back": "huy"}
_QUARTER_MONTHS = 3


def hand(session: Session) -> int:
    """Shows what can be handed over or received, or signs: for those named, or for the whole list."""
    arguments = session.arguments
    is_giving = arguments.command == "handover"
    if arguments.all and arguments.codes:
        raise UsageFault("--all: không nêu thêm mã hồ sơ.")
    if arguments.codes:
        return work.run(session)
    with session.desk() as desk:
        rows = desk.to_give() if is_giving else desk.to_receive()
        if not arguments.all:
            session.show(rows, handover_lines(rows, is_giving=is_giving))
            return DONE
        docs = [row.doc for row in rows]
        return _show_each(session, desk.hand_over_each(docs) if is_giving else desk.receive_each(docs))


def _show_each(session: Session, done: Sequence[Each]) -> int:
    errors = {each.doc: complain(each.error, session.place.folder) for each in done if each.error}
    said = {doc: message.text for doc, (message, _) in errors.items()}
    session.show(
        {
            "done": [{"doc": e.doc, "code": e.code, "step_label": e.step_label} for e in done if not e.error],
            "failed": [{"doc": e.doc, "name": e.code, "error": errors[e.doc][1]} for e in done if e.error],
        },
        each_lines(done, said),
    )
    return REFUSED if errors else DONE


def ask(session: Session) -> int:
    """Asks one or more units about one dossier, all of them at once."""
    arguments = session.arguments
    with session.desk() as desk:
        until_ms = moment_ms(desk, arguments.until)
        done = desk.ask_agencies(desk.find(arguments.code), arguments.to, arguments.content, until_ms)
        session.show(done, done_lines(done))
    return DONE


def asked(session: Session) -> int:
    """Shows which agencies have not answered yet."""
    with session.desk() as desk:
        found = [each for each in desk.asked() if each.is_late or not session.arguments.late]
        session.show(found, asked_lines(found))
    return DONE


def fee(session: Session) -> int:
    """Shows the fees of a dossier, or notes one."""
    a = session.arguments
    with session.desk() as desk:
        doc = desk.find(a.code)
        if a.kind:
            desk.charge(
                doc, _KINDS[a.kind], units=a.units, copies=a.copies, amount_vnd=a.amount, receipt=a.receipt,
                reason=a.reason,
            )  # fmt: skip
        found = desk.fees(doc)
        session.show(found, fees_lines(found))
    return DONE


def fees(session: Session) -> int:
    """Shows what came in in a period, by procedure: the list for settling."""
    with session.desk() as desk:
        first, last = _period(desk)
        if session.arguments.first:
            first = parse_day(session.arguments.first)
        if session.arguments.last:
            last = parse_day(session.arguments.last)
        found = desk.settlement(first, last)
        session.show(found, settlement_lines(found))
    return DONE


def _period(desk: Desk) -> tuple[date, date]:
    """Returns the calendar quarter in which today lies."""
    today = desk.today()
    month = (today.month - 1) // _QUARTER_MONTHS * _QUARTER_MONTHS + 1
    first = today.replace(month=month, day=1)
    following = (first + timedelta(days=31 * _QUARTER_MONTHS)).replace(day=1)
    return first, following - timedelta(days=1)


def why(session: Session) -> int:
    """Shows why a dossier is due when it is, day by day."""
    with session.desk() as desk:
        found = desk.why(desk.find(session.arguments.code))
        session.show(found, why_lines(found))
    return DONE
