"""``export-data``: everything in open formats, once somebody has read what that means."""

from __future__ import annotations

import sys
from typing import Final

from commune_client.cli.codes import DONE, UsageFault
from commune_client.cli.session import Session

__all__ = ["export_data"]

_WARNING: Final = (
    "Sẽ ghi toàn bộ hồ sơ, gồm dữ liệu cá nhân và tệp đính kèm, KHÔNG mã hóa, vào một thư mục."
    " Việc này được ghi vào nhật ký."
)


def export_data(session: Session) -> int:
    """Exports, after a warning that somebody confirmed."""
    if not session.arguments.yes:
        if not sys.stdin.isatty():
            raise UsageFault(f"{_WARNING} Chưa xuất gì: thêm --yes nếu đã hiểu.")
        session.tell(_WARNING)
        if input("Gõ DONG Y để xuất: ").strip().upper() not in {"DONG Y", "ĐỒNG Ý"}:
            raise UsageFault("chưa xuất gì.")
    with session.desk() as desk:
        found = desk.export_data(session.arguments.folder)
    lines = [f"Đã xuất vào {found.folder}:", *(f"  {name}: {count}" for name, count in found.counts.items())]
    if found.missing:
        lines.append(f"{found.missing} tệp đính kèm chưa có trên máy này: lấy về rồi xuất lại nếu cần.")
    session.show(found, lines)
    return DONE
