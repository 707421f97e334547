"""Commands that prove: ``verify`` of a dossier, the whole store or a file, and ``evidence``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from commune_client.cli.codes import DONE, REFUSED, UsageFault
from commune_client.cli.session import Session

if TYPE_CHECKING:
    from onestop_sync.report import Report

__all__ = ["evidence", "verify"]

_EVERY = 20
"""Lines of progress at most, for who reads them from a file."""


def verify(session: Session) -> int:
    """Proves what was named; 0 when everything checks, 1 when something does not."""
    arguments = session.arguments
    if arguments.all:
        return _all(session)
    path = Path(arguments.what)
    if path.is_file():
        return _file(session, path)
    if arguments.root:
        raise UsageFault("--root: chỉ dùng khi xác minh một tệp.")
    with session.desk() as desk:
        return _show(session, desk.verify(desk.find(arguments.what)))


def _show(session: Session, report: Report) -> int:
    from commune_client.cli.proof_words import report_lines

    session.show(report.to_json(), report_lines(report))
    return DONE if report.is_proven else REFUSED


def _file(session: Session, path: Path) -> int:
    """Proves a file, once a person has compared what it hangs on; needs no store and no passphrase."""
    from commune_client.desk.proving import anchor_of_file, check_file

    _compare(session, anchor_of_file(path))
    return _show(session, check_file(path))


def _compare(session: Session, shown: str) -> None:
    said = "".join(session.arguments.root.split()).lower()
    if said:
        if said != shown.replace(" ", ""):
            raise UsageFault(
                f"tệp thuộc gốc khác: dấu vân tay trong tệp là {shown}. Chưa có gì được chứng minh."
            )
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageFault(
            f"chưa ai so dấu vân tay gốc của tỉnh; trong tệp là {shown}."
            f" Hãy so với dấu do tỉnh công bố, rồi chạy lại với --root '{shown}'."
        )
    session.tell(f"Dấu vân tay gốc của tỉnh trong tệp: {shown}")
    if input("Có đúng là dấu do tỉnh công bố không? (có/không) ").strip().lower() not in {"có", "co", "c"}:
        raise UsageFault("chưa xác nhận dấu vân tay. Chưa có gì được chứng minh.")


def _all(session: Session) -> int:
    from commune_client.cli.proof_words import store_lines

    with session.desk() as desk:
        report = desk.verify_all(_progress(session))
    session.show(report.to_json(), store_lines(report))
    return DONE if report.is_proven else REFUSED


def _progress(session: Session) -> Callable[[str, int, int], None]:
    """Returns what tells how far it is: a line at each twentieth."""
    told: dict[str, int] = {}
    names = {"events": "ghi chép", "documents": "hồ sơ"}

    def tell(what: str, done: int, total: int) -> None:
        part = done * _EVERY // max(total, 1)
        if part > told.get(what, 0):
            told[what] = part
            session.tell(f"Đã kiểm tra {done}/{total} {names[what]}")

    return tell


def evidence(session: Session) -> int:
    """Writes an evidence file."""
    path: Path = session.arguments.path
    with session.desk() as desk:
        facts = desk.write_evidence(desk.find(session.arguments.code), path)
    session.show(
        facts,
        [
            f"Đã ghi {facts.path} ({facts.size_bytes} byte), chỉ chủ tệp đọc được.",
            "Tệp có dữ liệu cá nhân và không mã hóa: chỉ đưa cho người có quyền xem hồ sơ.",
            f"Người kiểm tra chạy: onestop verify {path.name} --root '{facts.root}'",
            f"Hãy cho họ biết dấu vân tay {facts.root} bằng đường khác.",
        ],
    )
    return DONE
