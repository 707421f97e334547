"""``import-register`` and ``old-register``: the register of before, taken in and looked at."""

from __future__ import annotations

from typing import Any

from commune_client.cli.codes import DONE, REFUSED
from commune_client.cli.session import Session
from commune_client.import_words import import_lines, read_mapping

__all__ = ["import_register", "old_register"]


def import_register(session: Session) -> int:
    """Takes a register in: all of it or nothing."""
    arguments = session.arguments
    if arguments.propose:
        return _propose(session)
    how = read_mapping(arguments.mapping)
    with session.desk() as desk:
        found = desk.import_register(arguments.file, how, dry_run=arguments.dry_run)
    session.show(found, import_lines(found, how))
    return REFUSED if found.bad and not arguments.dry_run else DONE


def _propose(session: Session) -> int:
    """Writes a mapping to be looked at and corrected."""
    arguments = session.arguments
    with session.desk() as desk:
        desk.propose_mapping(arguments.file, arguments.mapping)
    lines = [f"Đã ghi bản đề xuất vào {arguments.mapping}.", "Hãy mở xem, sửa chỗ chưa đúng, rồi chạy thử."]
    session.show({"mapping": str(arguments.mapping)}, lines)
    return DONE


def old_register(session: Session) -> int:
    """Lists entries of the old register."""
    from onestop_sync.dossier.timeline import show_time

    arguments = session.arguments
    with session.desk() as desk:
        rows = desk.old_entries(" ".join(arguments.words))
        facts: list[dict[str, Any]] = [desk.old_entry(row.doc) for row in rows]
    lines = []
    for entry in facts:
        times = [show_time(entry[key]) for key in ("tiep_nhan_luc", "tra_luc") if key in entry]
        lines.append(
            "  ".join(
                [entry.get("ma_ho_so", ""), entry.get("nguoi_nop", ""), entry.get("ten_thu_tuc", ""), *times]
            )
        )
    session.show(facts, lines or ["Không có dòng sổ cũ nào."])
    return DONE
