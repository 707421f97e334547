"""``intake``: one dossier from flags or a draft, or many from a JSON file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from commune_client.cli.codes import DONE, REFUSED, UsageFault
from commune_client.cli.complaint import complain
from commune_client.cli.filed import DRAFTS, json_rows, take_each
from commune_client.cli.session import Session
from commune_client.cli.values import form_values, moment_ms, papers_from, papers_of_json, parse_day, whole
from commune_client.cli.words import accepted_lines
from commune_client.messages import REASONS, problem_text
from onestop_sync.errors import OnestopError, StoreError

if TYPE_CHECKING:
    from commune_client.desk.desk import Desk
    from commune_client.desk.facts import Accepted, Draft
    from onestop_sync.dossier.checks import Paper

__all__ = ["intake"]

_DOC_HEX = 32


class _Wanted(NamedTuple):
    """One dossier of a file."""

    procedure: str
    values: dict[str, Any]
    papers: dict[str, Paper] | list[str]
    due: str
    is_verified: bool


def intake(session: Session) -> int:
    """Takes in."""
    arguments = session.arguments
    if sum(map(bool, (arguments.from_json, arguments.from_portal, arguments.what))) != 1:
        raise UsageFault("cần mã thủ tục, mã bản nháp, --from-json TỆP, hoặc --from-portal TỆP.")
    if arguments.from_portal:
        return take_each(session, DRAFTS)
    many = _read_file(arguments.from_json) if arguments.from_json else None
    with session.desk() as desk:
        if arguments.confirm_date:
            desk.confirm_date(parse_day(arguments.confirm_date))
        if many is not None:
            return _take_many(session, desk, many)
        if len(arguments.what) == _DOC_HEX and "." not in arguments.what:
            return _accept_draft(session, desk, desk.find(arguments.what))
        return _take_one(session, desk)


def _take_one(session: Session, desk: Desk) -> int:
    arguments = session.arguments
    procedure = desk.procedure(arguments.what)
    papers = papers_from(desk, procedure.code, arguments.paper)
    if arguments.all_papers:
        papers = {**desk.papers(procedure.code, [d.name_vi for d in procedure.checklist]), **papers}
    if arguments.draft:
        return _show_draft(session, desk.new_draft(procedure.code, form_values(arguments), papers))
    accepted = desk.intake_new(
        procedure.code,
        form_values(arguments),
        papers,
        is_verified=arguments.verified,
        due_ms=_due(session, desk),
    )
    return _show_accepted(session, desk, accepted)


def _accept_draft(session: Session, desk: Desk, doc: bytes) -> int:
    arguments = session.arguments
    draft = desk.draft(doc)
    code = draft.procedure.code
    papers = {**draft.papers, **papers_from(desk, code, arguments.paper)}
    if arguments.all_papers:
        papers = {**desk.papers(code, [d.name_vi for d in draft.procedure.checklist]), **papers}
    draft = desk.save_draft(doc, form_values(arguments), papers)
    if arguments.draft:
        return _show_draft(session, draft)
    accepted = desk.intake(doc, is_verified=arguments.verified, due_ms=_due(session, desk))
    return _show_accepted(session, desk, accepted)


def _due(session: Session, desk: Desk) -> int | None:
    return moment_ms(desk, session.arguments.due) if session.arguments.due else None


def _show_draft(session: Session, draft: Draft) -> int:
    problems = [f"  {problem_text(problem)}" for problem in draft.problems]
    facts = draft._asdict() | {"procedure": draft.procedure.code}
    session.show(facts, [f"Đã lưu bản nháp {draft.doc.hex()}", *problems])
    return DONE


def _show_accepted(session: Session, desk: Desk, accepted: Accepted) -> int:
    session.show(accepted, accepted_lines(accepted, desk.due_state(accepted.due_ms)))
    return DONE


# ---- many


def _take_many(session: Session, desk: Desk, many: list[_Wanted]) -> int:
    """Takes in one after the other: what is wrong with one stops no other."""
    done: list[Accepted] = []
    failed: list[dict[str, Any]] = []
    lines: list[str] = []
    for number, wanted in enumerate(many, 1):
        try:
            accepted = _take_wanted(desk, wanted)
        except StoreError:
            raise
        except OnestopError as error:
            message, facts = complain(error, session.place.folder)
            failed.append({"number": number, "error": facts})
            lines.append(f"Hồ sơ thứ {number}: {message.text}")
        else:
            done.append(accepted)
            lines += accepted_lines(accepted, desk.due_state(accepted.due_ms))
    lines.append(f"Đã tiếp nhận {len(done)} trong {len(many)} hồ sơ.")
    session.show({"accepted": done, "failed": failed}, lines)
    return REFUSED if failed else DONE


def _take_wanted(desk: Desk, wanted: _Wanted) -> Accepted:
    papers = wanted.papers
    if isinstance(papers, list):
        papers = desk.papers(wanted.procedure, papers)
    due_ms = moment_ms(desk, wanted.due) if wanted.due else None
    return desk.intake_new(
        wanted.procedure, wanted.values, papers, is_verified=wanted.is_verified, due_ms=due_ms
    )


def _read_file(path: Path) -> list[_Wanted]:
    return [_wanted(row, number) for number, row in enumerate(json_rows(path), 1)]


def _wanted(row: object, number: int) -> _Wanted:
    match row:
        case {"procedure_code": str(code), "fields": Mapping() as fields, **rest}:
            papers = papers_of_json(rest.get("attachments", []))
            due, verified = rest.get("due", ""), rest.get("verified", False)
            if isinstance(due, str) and isinstance(verified, bool):
                values = {whole(str(key)): whole(value) for key, value in fields.items()}
                return _Wanted(whole(code), values, papers, due, verified)
    raise UsageFault(f"Hồ sơ thứ {number} trong tệp: {REASONS['json']}")
