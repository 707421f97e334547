"""``audit``: the trail of who looked, printed, exported, unlocked and was refused; shown, or into a file."""

from __future__ import annotations

from commune_client.cli.codes import DONE, UsageFault
from commune_client.cli.session import Session
from commune_client.cli.values import parse_day
from commune_client.cli.words import audit_lines

__all__ = ["audit"]

_MOST = 100_000


def audit(session: Session) -> int:
    """Shows entries, the latest first, or writes them into a file."""
    arguments = session.arguments
    if not 1 <= arguments.limit <= _MOST:
        raise UsageFault(f"--limit: từ 1 đến {_MOST}.")
    day = parse_day(arguments.day) if arguments.day else None
    with session.desk() as desk:
        doc = desk.find(arguments.dossier) if arguments.dossier else b""
        if arguments.export is not None:
            path, count = desk.export_audit(arguments.export, arguments.by, day=day, doc=doc)
            session.show({"path": str(path), "lines": count}, [f"Đã ghi {count} dòng nhật ký vào {path}."])
            return DONE
        found = desk.audit(arguments.by, day=day, doc=doc, limit=arguments.limit)
        sees_all = desk.sees_all
    if not sees_all:
        session.tell("Chỉ thấy nhật ký của chính mình; lãnh đạo và quản trị thấy của cả đơn vị.")
    session.show(found, list(audit_lines(found)) or ["Chưa có dòng nhật ký nào."])
    return DONE
