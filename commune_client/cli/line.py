"""Commands for the line and the stick: ``sync``, ``status``, ``notices``, ``export``, ``import``."""

from __future__ import annotations

from commune_client.cli.codes import DONE
from commune_client.cli.session import Session
from commune_client.cli.words import bundle_lines, notice_lines, roles_words, status_lines, sync_lines
from commune_client.rules_words import rules_lines

__all__ = ["export", "import_", "notices", "status", "sync"]


def sync(session: Session) -> int:
    """Synchronises with the first parent that answers."""
    with session.desk() as desk:
        result = desk.sync()
    session.show(result, sync_lines(result))
    return DONE


def status(session: Session) -> int:
    """Shows where the work is; asks nobody over the line."""
    with session.desk() as desk:
        facts, officer, count = desk.status(), desk.officer, desk.count()
        beyond, rules = len(desk.store.beyond_cuts()), desk.rules_facts()
    who = f"{officer.name}, {officer.unit_name}: {roles_words(officer.roles) or 'chưa được chứng nhận'}"
    session.show(
        {"officer": officer, "dossiers": count, "sync": facts, "beyond_cuts": beyond, "rules": rules},
        [
            f"{who}   ({count} hồ sơ)",
            *status_lines(facts, facts.clock.now_ms),
            *rules_lines(rules),
            *([f"{beyond} ghi chép chờ lãnh đạo xác nhận: onestop countersign --list"] if beyond else []),
        ],
    )
    return DONE


def notices(session: Session) -> int:
    """Shows what changed after the fact."""
    with session.desk() as desk:
        found = desk.notices(unseen=not session.arguments.all)
        if session.arguments.seen:
            desk.mark_seen([notice.n for notice in found])
    lines = [line for notice in found for line in notice_lines(notice)]
    session.show(found, lines or ["Không có thay đổi nào."])
    return DONE


def export(session: Session) -> int:
    """Writes a sealed file for the stick."""
    with session.desk() as desk:
        facts = desk.export(session.arguments.path, session.arguments.to)
    session.show(facts, bundle_lines(facts, is_import=False))
    return DONE


def import_(session: Session) -> int:
    """Takes a file from the stick."""
    with session.desk() as desk:
        facts = desk.import_(session.arguments.path)
    session.show(facts, bundle_lines(facts, is_import=True))
    return DONE
