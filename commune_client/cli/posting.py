"""``post``: a list for the board, with what may be published and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from commune_client.cli.codes import DONE, UsageFault
from commune_client.cli.session import Session
from commune_client.messages import REASONS
from onestop_sync.errors import FormatError

if TYPE_CHECKING:
    from onestop_sync.dossier.posting import PostingMask

__all__ = ["post"]

_WHY: Final = {"void": "đã hủy", "draft": "chưa tiếp nhận", "conflict": "đang có xung đột"}


def post(session: Session) -> int:
    """Shows the list, or writes it into a file."""
    arguments = session.arguments
    chosen = _mask(arguments.fields) if arguments.fields else None
    with session.desk() as desk:
        published = desk.rules.posting
        mask = chosen.within(published) if chosen else published
        docs = [desk.find(code) for code in arguments.dossier]
        sheet = desk.posting(docs, mask)
        if arguments.out is not None:
            desk.write_posting(sheet, arguments.out, arguments.title)
    lines = [f"{code}: không niêm yết, {_WHY[why]}" for code, why in sheet.left_out.items()]
    if arguments.out is not None:
        lines.append(f"Đã ghi {len(sheet.rows)} hồ sơ vào {arguments.out}.")
    else:
        lines += [
            "; ".join(f"{h}: {c}" for h, c in zip(sheet.headings, row, strict=True) if c)
            for row in sheet.rows
        ]
    session.show(sheet, lines)
    return DONE


def _mask(path: Path) -> PostingMask:
    from onestop_sync.dossier.posting import mask_from_plain
    from onestop_sync.strict_json import read_json

    try:
        plain = read_json(path.read_bytes())
    except FormatError as error:
        raise UsageFault(f"tệp {path.name}: {REASONS['json']}") from error
    try:
        return mask_from_plain(plain)
    except FormatError as error:
        field = str(error.details.get("field", ""))
        raise UsageFault(f"tệp {path.name}: trường {field or '?'} không được niêm yết như vậy.") from error
