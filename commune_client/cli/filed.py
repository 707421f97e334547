"""Files of what citizens filed and said on a portal, or to a device: each thing is taken by itself."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from commune_client.cli.codes import DONE, REFUSED, UsageFault
from commune_client.cli.complaint import complain
from commune_client.cli.session import Session
from commune_client.messages import REASONS
from onestop_sync.errors import FormatError, OnestopError, StoreError

if TYPE_CHECKING:
    from commune_client.desk.desk import Desk
    from onestop_sync.dossier.portal.outside import Taken

__all__ = ["COMPLAINTS", "DRAFTS", "RATINGS", "Kind", "json_rows", "take_each"]


class Kind(NamedTuple):
    """What a file may hold.

    Attributes:
        key: Under which name a program is told what was taken.
        one: What one is called.
        made: What is said of one that was taken now.
        take: Takes one.
    """

    key: str
    one: str
    made: str
    take: Callable[[Desk, object, str], Taken]


DRAFTS = Kind("drafts", "Hồ sơ", "đã lập bản nháp", lambda desk, row, name: desk.take_filed(row, name))
COMPLAINTS = Kind(
    "complaints", "Phản ánh", "đã ghi phản ánh", lambda desk, row, name: desk.take_filed_complaint(row, name)
)
RATINGS = Kind(
    "ratings", "Đánh giá", "đã ghi vào hồ sơ", lambda desk, row, name: desk.take_filed_rating(row, name)
)


def take_each(session: Session, kind: Kind) -> int:
    """Takes all that a file holds: what is wrong with one stops no other."""
    arguments = session.arguments
    rows = json_rows(arguments.from_portal)
    done: list[Taken] = []
    failed: list[dict[str, Any]] = []
    lines: list[str] = []
    with session.desk() as desk:
        for number, row in enumerate(rows, 1):
            try:
                taken = kind.take(desk, row, arguments.portal_name)
            except StoreError:
                raise
            except OnestopError as error:
                message, facts = complain(error, session.place.folder)
                field = str(error.details.get("field", ""))
                failed.append({"number": number, "field": field, "error": facts})
                lines.append(
                    f"{kind.one} thứ {number}{f' (trường {field})' if field else ''}: {message.text}"
                )
            else:
                done.append(taken)
                state = kind.made if taken.is_new else "đã có trên máy này, giữ nguyên"
                lines.append(f"{taken.code}: {state} {taken.doc.hex()}")
    lines.append(f"Đã nhận {sum(each.is_new for each in done)} mục mới, trong tệp có {len(rows)}.")
    session.show({kind.key: done, "failed": failed}, lines)
    return REFUSED if failed else DONE


def json_rows(path: Path) -> list[object]:
    """Returns what a JSON file holds, one or a list; ``-``: what comes by standard input.

    Raises:
        UsageFault: It is no JSON.
    """
    from onestop_sync.strict_json import read_json

    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8-sig")
        data = read_json(text)
    except (ValueError, FormatError) as error:  # not UTF-8, not JSON, or nested without end
        raise UsageFault(REASONS["json"]) from error
    return data if isinstance(data, list) else [data]
