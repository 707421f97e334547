"""Commands for scans and photos: ``attach``, ``attachments``, ``attachment``."""

from __future__ import annotations

from pathlib import Path

from commune_client import strings
from commune_client.attachment_words import attachment_text
from commune_client.cli.codes import DONE
from commune_client.cli.session import Session
from onestop_sync.dossier.labels import size_words

__all__ = ["attach", "attachment", "attachments"]


def attach(session: Session) -> int:
    """Attaches files to a dossier."""
    arguments = session.arguments
    with session.desk() as desk:
        doc = desk.find(arguments.code)
        done = [
            desk.attach(doc, path, paper=arguments.paper, shrink=arguments.shrink) for path in arguments.files
        ]
    lines = []
    for each in done:
        before = f" (trước khi thu nhỏ: {size_words(each.original_bytes)})" if arguments.shrink else ""
        lines.append(f"Đã đính kèm vào {each.code}: {each.name}, {size_words(each.size_bytes)}{before}")
    session.show(done, lines)
    return DONE


def attachments(session: Session) -> int:
    """Shows a dossier's attachments, and where each is."""
    with session.desk() as desk:
        found = desk.attachments(desk.find(session.arguments.code))
    lines = [f"{each.name}: {attachment_text(each)}" for each in found]
    session.show(found, lines or ["Hồ sơ không có tệp đính kèm."])
    return DONE


def attachment(session: Session) -> int:
    """Saves one attachment to a file, or asks for it."""
    arguments = session.arguments
    with session.desk() as desk:
        doc = desk.find(arguments.code)
        if arguments.verb == "fetch":
            count = desk.fetch_attachments(doc, arguments.name)
            line = f"Còn {count} tệp sẽ được tải về ở lần đồng bộ tới." if count else "Đã có đủ trên máy này."
            session.show({"wanted": count}, [line])
            return DONE
        path = desk.save_attachment(doc, arguments.name, arguments.file or Path())
    warning = f"  {strings.WARNING_MARK} Tệp này không còn được mã hóa: dùng xong hãy xóa."
    session.show({"path": str(path)}, [f"Đã lưu ra {path}", warning])
    return DONE
