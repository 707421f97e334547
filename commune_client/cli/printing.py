"""``print`` and ``register``: forms and the year's register, shown, into files, to the printer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from commune_client import strings
from commune_client.cli.codes import DONE, REFUSED, UsageFault
from commune_client.cli.complaint import complain
from commune_client.cli.session import Session
from commune_client.cli.values import parse_day
from commune_client.messages import REASONS
from commune_client.register_words import register_lines
from onestop_sync.dossier.forms.kinds import DOSSIER_FORMS, RECEIPT

if TYPE_CHECKING:
    from commune_client.desk.desk import Desk
    from commune_client.desk.print_facts import Manner, Printed, RegisterFacts

__all__ = ["print_", "register"]

_MOST_COPIES = 20


def print_(session: Session) -> int:
    """Prints a form of one or more dossiers."""
    arguments = session.arguments
    if bool(arguments.codes) == bool(arguments.day):
        raise UsageFault("cần mã hồ sơ, hoặc --day NGÀY.")
    if not 1 <= arguments.copies <= _MOST_COPIES:
        raise UsageFault(f"--copies: từ 1 đến {_MOST_COPIES}.")
    day = parse_day(arguments.day) if arguments.day else None
    with session.desk() as desk:
        docs = desk.received_on(day) if day else [desk.find(code) for code in arguments.codes]
        if arguments.list:
            return _list(session, desk, docs)
        place = _place(session)
        form = _form(desk, docs, arguments.form)
        printed = desk.print_forms(docs, form, place, _manner(session))
    failed = [
        {"doc": each.doc, "code": each.code, "error": complain(each.error, session.place.folder)[1]}
        for each in printed.failed
    ]
    facts = printed._asdict() | {"path": str(printed.path), "failed": failed}
    session.show(facts, [*_printed_lines(printed), *_failed_lines(session, printed)])
    return REFUSED if printed.failed else DONE


def register(session: Session) -> int:
    """Shows a year's register; prints it, or closes it."""
    arguments = session.arguments
    with session.desk() as desk:
        if arguments.close:
            found = desk.close_register(arguments.year, arguments.reason)
        else:
            found = desk.register(arguments.year)
        lines, facts = list(register_lines(found)), _register_facts(found)
        if arguments.print:
            printed = desk.print_register(arguments.year, _place(session), arguments.volume, _manner(session))
            lines += _printed_lines(printed)
            facts["path"] = str(printed.path)
    session.show(facts, lines)
    return DONE


# ---- what was typed


def _list(session: Session, desk: Desk, docs: list[bytes]) -> int:
    found = {doc.hex(): desk.printable(doc) for doc in docs}
    lines = [
        f"{desk.show(doc).code or 'bản nháp'}  mẫu {choice.number} ({choice.form}): {choice.name}"
        for doc in docs
        for choice in found[doc.hex()]
    ]
    session.show(found, lines or ["Chưa có biểu mẫu nào để in."])
    return DONE


def _form(desk: Desk, docs: list[bytes], wanted: str) -> str:
    """Returns the kind of form that was named, by its kind or by its number in the dossiers' circular.

    Without a name it is the one form that there is, else the receipt.
    """
    if wanted in DOSSIER_FORMS:
        return wanted
    choices = [choice for doc in docs[:1] for choice in desk.printable(doc)]
    if wanted:
        found = [choice.form for choice in choices if choice.number == wanted.zfill(2)]
        if not found:
            raise UsageFault(f"--form: không có mẫu {wanted!r} để in; xem --list.")
        return found[0]
    forms = [choice.form for choice in choices]
    return forms[0] if len(forms) == 1 else RECEIPT


def _place(session: Session) -> Path:
    arguments = session.arguments
    folder = session.place.config.print_folder
    if arguments.out is None and not folder:
        raise UsageFault(REASONS["print_folder"])
    return arguments.out or Path(folder)


def _manner(session: Session) -> Manner:
    from commune_client.desk.print_facts import Manner

    arguments = session.arguments
    return Manner(
        is_text=arguments.text,
        is_two_up=getattr(arguments, "two_up", False),
        copies=getattr(arguments, "copies", 1),
        has_form_feeds=arguments.form_feed,
        to_printer=arguments.printer,
    )


# ---- what is said


def _printed_lines(printed: Printed) -> list[str]:
    again = f", trong đó in lại {printed.again}" if printed.again else ""
    sent = " Máy in đã nhận." if printed.is_sent else ""
    return [
        f"Đã ghi {printed.sheets} tờ{again} vào {printed.path}.{sent}",
        f"  {strings.WARNING_MARK} Tệp có dữ liệu cá nhân và không được mã hóa: in xong hãy xóa.",
    ]


def _failed_lines(session: Session, printed: Printed) -> Iterator[str]:
    for each in printed.failed:
        message, _ = complain(each.error, session.place.folder)
        yield f"{each.code or each.doc.hex()}: {message.text}"


def _register_facts(found: RegisterFacts) -> dict[str, object]:
    volumes = [
        {"volume": v.name, "count": len(v.lines), "last": v.last, "missing": v.missing, "doubled": v.doubled}
        for v in found.volumes
    ]
    closings = [closing._asdict() for closing in found.closings]
    return {"year": found.year, "own_volume": found.own_volume, "volumes": volumes, "closings": closings}
