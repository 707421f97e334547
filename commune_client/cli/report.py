"""``report``: Biểu II.06a of the unit, II.06b with those below; shown, figure by figure, or into a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from commune_client.cli.codes import DONE, UsageFault
from commune_client.cli.rows import row_lines
from commune_client.cli.session import Session
from onestop_sync.dossier.labels import one_line
from onestop_sync.dossier.report.count import COLUMNS
from onestop_sync.dossier.timeline import show_time
from onestop_sync.reporting.files import to_text
from onestop_sync.reporting.freezing import Frozen, frozen_lines
from onestop_sync.reporting.making import Found, Report, facts_of
from onestop_sync.reporting.officers import NO_OFFICERS, officer_lines

if TYPE_CHECKING:
    from commune_client.desk.desk import Desk

__all__ = ["report"]


def report(session: Session) -> int:
    """Makes a report, or lists the dossiers behind one of its figures."""
    arguments = session.arguments
    if arguments.field and arguments.column is None:
        raise UsageFault("--field cần đi cùng --column.")
    if arguments.frozen:
        return _frozen(session)
    with session.desk() as desk:
        found = desk.report(arguments.period, arguments.unit, is_tier=arguments.tier)
        if arguments.column is not None:
            _show_dossiers(session, desk, found)
            return DONE
        if arguments.freeze:
            _show_frozen(session, [desk.freeze_report(found)])
            return DONE
        if arguments.officers:
            marks = desk.officer_marks(found)
            head = f"Điểm của từng cán bộ, {one_line(found.name)}, {found.period.title_vi}"
            session.show(marks, [head, *officer_lines(marks)] if marks else [head, NO_OFFICERS])
            return DONE
        extra = desk.report_notes(found)
        if arguments.out is not None:
            path = desk.write_report(arguments.out, found)
            session.show({"path": str(path)}, [f"Đã ghi báo cáo vào {path}."])
            return DONE
    session.show(facts_of(found) | {"difficulties": extra}, to_text(found, extra).splitlines())
    return DONE


def _frozen(session: Session) -> int:
    """Lists the signed reports."""
    with session.desk() as desk:
        found = desk.frozen_reports()
    _show_frozen(session, found)
    return DONE


def _show_frozen(session: Session, found: Sequence[Frozen]) -> None:
    data = [each.content | {"doc": each.doc, "label": each.label, "logs": [], "loose": []} for each in found]
    lines = [line for each in found for line in frozen_lines(each)]
    session.show(data, lines or ["Chưa có báo cáo nào được chốt."])


def _show_dossiers(session: Session, desk: Desk, found: Report) -> None:
    column = int(session.arguments.column)
    lines = desk.report_dossiers(found, column, session.arguments.field)
    head = f"({column}) {COLUMNS[column]}: {len(lines)} hồ sơ"
    rows = [row for line in lines for row in _found_lines(desk, line)]
    session.show([_plain(line) for line in lines], [head, *rows])


def _found_lines(desk: Desk, line: Found) -> Iterator[str]:
    course = line.course
    times = (("hẹn", course.dues[-1][1] if course.dues else None), ("xong", course.ended_ms))
    said = ", ".join(f"{word} {show_time(ms)}" for word, ms in times if ms)
    facts = f"{line.label or line.doc.hex():<28} {desk.unit_name(line.unit)}; {said};"
    yield from row_lines(facts, desk.any_procedure(course.procedure).name_vi)


def _plain(line: Found) -> dict[str, Any]:
    course = line.course
    due_ms = course.dues[-1][1] if course.dues else None
    return {
        "code": line.label, "doc": line.doc.hex(), "unit": line.unit, "procedure": course.procedure,
        "received_ms": course.received_ms, "ended_ms": course.ended_ms, "due_ms": due_ms,
        "columns": list(line.place),
    }  # fmt: skip
