"""Public posting: what of which dossiers goes onto the board, by the lists of publishable fields."""

from __future__ import annotations

import csv
import errno
import html
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from commune_client.desk.base import Base
from onestop_sync.dossier.posting import PostingMask, posted, why_not_posted
from onestop_sync.keyring import write_durably

__all__ = ["Posting", "PostingSheet"]

_PAGE: Final = """<!DOCTYPE html>
<html lang="vi"><head><meta charset="utf-8"><title>{title}</title>
<style>body{{font:16px/1.4 sans-serif;margin:2em}}table{{border-collapse:collapse}}
th,td{{border:1px solid #444;padding:.3em .6em;text-align:left}}
td:first-child{{white-space:nowrap}}</style></head>
<body><p><b>{agency}</b></p><h1>{title}</h1><p>{day}</p><table><thead><tr>{head}</tr></thead><tbody>
{rows}
</tbody></table></body></html>
"""


class PostingSheet(NamedTuple):
    """What is posted.

    Attributes:
        headings: Of the columns.
        rows: The dossiers.
        left_out: Code of a dossier → why it is not posted.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: dict[str, str]


class Posting(Base):
    """Lists for the board."""

    def posting(self, docs: Sequence[bytes], mask: PostingMask) -> PostingSheet:
        """Returns what may be posted of dossiers, and which are not posted."""
        found: list[dict[str, str]] = []
        left_out: dict[str, str] = {}
        for doc in docs:
            state = self._document(doc).state
            why = why_not_posted(state)
            if why:
                left_out[str(state.value("ma_ho_so") or doc.hex())] = why
            else:
                found.append(posted(state, mask))
        headings = tuple(dict.fromkeys(label for row in found for label in row))
        rows = tuple(tuple(row.get(label, "") for label in headings) for row in found)
        return PostingSheet(headings, rows, left_out)

    def write_posting(self, sheet: PostingSheet, path: Path, title: str) -> Path:
        """Writes a sheet into a file that was not there: HTML where its name ends so, CSV otherwise.

        Raises:
            OSError: It is there already, or the disk refused.
        """
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        if path.suffix.lower() in {".html", ".htm"}:
            day = f"Niêm yết ngày {self.today():%d/%m/%Y}; {len(sheet.rows)} hồ sơ"
            data = _html(sheet, title, self.unit_name(self.store.unit), day)
        else:
            data = _csv(sheet)
        write_durably(path, data)
        return path


def _html(sheet: PostingSheet, title: str, agency: str, day: str) -> bytes:
    head = "".join(f"<th>{html.escape(label)}</th>" for label in sheet.headings)
    rows = "\n".join(
        f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in sheet.rows
    )
    named = {"title": title, "agency": agency, "day": day}
    said = {name: html.escape(text) for name, text in named.items()}
    return _PAGE.format(**said, head=head, rows=rows).encode()


def _csv(sheet: PostingSheet) -> bytes:
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(sheet.headings)
    rows.writerows(
        [f"'{cell}" if cell[:1] in {"=", "+", "-", "@"} else cell for cell in row] for row in sheet.rows
    )
    return out.getvalue().encode("utf-8-sig")
