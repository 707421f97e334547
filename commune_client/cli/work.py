"""Commands that take one action on one or more dossiers: what is wrong with one stops no other."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from commune_client.cli.codes import DONE, REFUSED
from commune_client.cli.complaint import complain
from commune_client.cli.session import Session
from commune_client.cli.values import form_values, moment_ms, papers_from, parse_paper
from commune_client.cli.words import done_lines
from onestop_sync.errors import OnestopError, StoreError

if TYPE_CHECKING:
    from commune_client.desk.desk import Desk
    from commune_client.desk.facts import Done
    from onestop_sync.dossier.checks import Paper

__all__ = ["WORK", "run"]


def run(session: Session) -> int:
    """Does the command that was typed, for each dossier that was named."""
    arguments = session.arguments
    names: list[str] = getattr(arguments, "codes", None) or [arguments.code]
    with session.desk() as desk:
        if len(names) == 1:
            done = WORK[arguments.command](desk, desk.find(names[0]), arguments)
            session.show(done, done_lines(done))
            return DONE
        return _each(session, desk, names)


def _each(session: Session, desk: Desk, names: list[str]) -> int:
    done: list[Done] = []
    failed: list[dict[str, Any]] = []
    lines: list[str] = []
    for name in names:
        try:
            found = WORK[session.arguments.command](desk, desk.find(name), session.arguments)
        except StoreError:
            raise
        except OnestopError as error:
            message, facts = complain(error, session.place.folder)
            failed.append({"name": name, "error": facts})
            lines.append(f"{name}: {message.text}")
        else:
            done.append(found)
            lines += done_lines(found)
    session.show({"done": done, "failed": failed}, lines)
    return REFUSED if failed else DONE


def _papers(desk: Desk, doc: bytes, texts: list[str]) -> dict[str, Paper]:
    values, _ = desk.form(doc)
    return papers_from(desk, str(values.get("ma_thu_tuc", "")), texts) if texts else {}


def _edit(desk: Desk, doc: bytes, a: Namespace) -> Done:
    return desk.edit(doc, form_values(a), _papers(desk, doc, a.paper))


def _supplement(desk: Desk, doc: bytes, a: Namespace) -> Done:
    """Before acceptance it is asked for at the counter, afterwards by the appraiser."""
    papers = tuple(parse_paper(text)[0] for text in a.paper)
    if desk.step(doc) in {"draft", "incomplete"}:
        return desk.ask_at_intake(doc, a.reason, a.content, papers)
    return desk.supplement(doc, a.reason, a.content, papers)


WORK: Final[dict[str, Callable[[Desk, bytes, Namespace], Done]]] = {
    "refuse": lambda desk, doc, a: desk.refuse(doc, a.reason),
    "edit": _edit,
    "note": lambda desk, doc, a: desk.note(doc, a.text),
    "handover": lambda desk, doc, _: desk.handover(doc),
    "receive": lambda desk, doc, _: desk.receive(doc),
    "decline": lambda desk, doc, a: desk.decline(doc, a.reason),
    "appraise": lambda desk, doc, a: desk.appraise(doc, a.opinion, a.result),
    "send-back": lambda desk, doc, a: desk.send_back(doc, a.reason),
    "supplement": _supplement,
    "supply": lambda desk, doc, a: desk.supply(doc, _papers(desk, doc, a.paper)),
    "ask-payment": lambda desk, doc, a: desk.ask_payment(doc, a.content),
    "pay": lambda desk, doc, _: desk.pay(doc),
    "approve": lambda desk, doc, a: desk.approve(doc, a.result),
    "reject": lambda desk, doc, a: desk.reject(doc, a.reason),
    "extend": lambda desk, doc, a: desk.extend(doc, a.reason, moment_ms(desk, a.due)),
    "stop": lambda desk, doc, a: desk.stop(doc, a.reason),
    "withdraw": lambda desk, doc, a: desk.withdraw(doc, a.reason),
    "void": lambda desk, doc, a: desk.void(doc, a.reason),
    "transfer": lambda desk, doc, a: desk.transfer(doc, a.to),
    "answer": lambda desk, doc, a: desk.answer(doc, a.opinion),
    "pass": lambda desk, doc, a: desk.pass_on(doc, a.reason),
    "return": lambda desk, doc, a: desk.return_result(doc, a.receiver),
}
"""Command → what the desk does for one dossier."""
