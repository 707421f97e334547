"""All that this store holds, written into a folder in open formats: whole or not at all."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from commune_client.desk.base import Base
from onestop_sync import shelf
from onestop_sync.dossier.complaint import COMPLAINT
from onestop_sync.dossier.difficulty import DIFFICULTY
from onestop_sync.dossier.inspection import INSPECTION
from onestop_sync.dossier.old_entry import OLD_ENTRY
from onestop_sync.dossier.open_data import COLUMNS, SCHEMA, line_of, plain_of, readme, row_of
from onestop_sync.dossier.register_closing import REGISTER_CLOSING
from onestop_sync.dossier.report.frozen import REPORT, content_of
from onestop_sync.dossier.roles import ADMIN, HEAD
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.errors import FormatError, InvalidInput, NotAllowed, NotFound, StoreFull
from onestop_sync.schema import DocumentType

__all__ = ["FILES", "DataExport", "OpenData"]

_MAY: Final = frozenset({ADMIN, HEAD})
"""An administrator who does no work on dossiers sees them masked, and takes none out either."""
FILES: Final[dict[str, DocumentType]] = {
    "ho-so.jsonl": DOSSIER, "so-cu.jsonl": OLD_ENTRY, "phan-anh.jsonl": COMPLAINT,
    "kiem-tra.jsonl": INSPECTION, "kho-khan.jsonl": DIFFICULTY, "khoa-so.jsonl": REGISTER_CLOSING,
    "bao-cao.jsonl": REPORT,
}  # fmt: skip
"""File → what is in it: all that the programs of the one-stop domain write."""
_FULL: Final = frozenset({28, 122})
"""ENOSPC and EDQUOT."""


class DataExport(NamedTuple):
    """What was exported.

    Attributes:
        folder: Where it is.
        counts: File → documents in it; ``dinh-kem``: attachments.
        missing: Attachments that are not here: they are named in the data, and ``onestop attachment --fetch``
            brings them.
    """

    folder: Path
    counts: dict[str, int]
    missing: int


class OpenData(Base):
    """Everything, for whoever comes after this program."""

    def export_data(self, folder: Path) -> DataExport:
        """Writes everything into a folder that was not there before.

        Args:
            folder: Where it goes; it appears when all of it is written.

        Raises:
            NotAllowed: The officer neither heads nor administers the unit, or sees citizens masked.
            InvalidInput: The folder is there already, or cannot be made.
            StoreFull: The disk took no more; nothing is left of it.
        """
        author = self.author
        if author is None or _MAY.isdisjoint(author.roles):
            raise NotAllowed("Only the head or an administrator exports everything.", reason="export_all")
        self._check_sight()
        if folder.exists():
            raise InvalidInput("There is something of that name already.", reason="attachment_exists")
        part = folder.with_name(f"{folder.name}.part")
        try:
            part.mkdir(mode=0o700, parents=True)
            try:
                found = self._write_data(part)
                part.rename(folder)
            except BaseException:
                shutil.rmtree(part, ignore_errors=True)
                raise
        except OSError as error:
            if error.errno in _FULL:
                raise StoreFull("The disk took no more of the export.") from error
            raise InvalidInput("The folder cannot be written.", reason="file") from error
        return found._replace(folder=folder)

    def _write_data(self, part: Path) -> DataExport:
        counts: dict[str, int] = {}
        contents: dict[bytes, shelf.Attached] = {}
        with _file(part / "ho-so.csv", "utf-8-sig") as table:
            rows = csv.DictWriter(table, COLUMNS)
            rows.writeheader()
            for name, kind in FILES.items():
                counts[name] = 0
                with _file(part / name, "utf-8") as out:
                    for line in self._data_lines(kind, contents):
                        out.write(json.dumps(line, ensure_ascii=False) + "\n")
                        counts[name] += 1
                        if kind is DOSSIER:
                            rows.writerow(row_of(line))
        counts["dinh-kem"] = self._write_files(part / "dinh-kem", contents)
        (part / "schema.json").write_text(json.dumps(SCHEMA, indent=1), encoding="utf-8")
        (part / "README.md").write_text(readme(counts), encoding="utf-8")
        return DataExport(part, counts, len(contents) - counts["dinh-kem"])

    def _data_lines(
        self, kind: DocumentType, contents: dict[bytes, shelf.Attached]
    ) -> Iterator[dict[str, Any]]:
        after: tuple[int, int] | None = None
        while page := self.store.page(kind.name, after=after):
            for row in page:
                tombstone = self.store.tombstone(row.doc)
                if tombstone is not None:
                    yield {
                        "id": row.doc.hex(),
                        "kind": kind.name,
                        "erased": True,
                        "register": dict(tombstone.row),
                    }
                    continue
                document = self.store.document(row.doc)
                line = line_of(row.doc, kind, document.state, self.store.history(row.doc))
                if kind is REPORT:
                    with suppress(FormatError):  # not signed yet, or of a stranger's making
                        line["content"] = plain_of(content_of(document.state))
                yield line if document.stated_ms is None else line | {"stated_ms": document.stated_ms}
                if kind is DOSSIER:
                    contents.update({a.manifest.content: a for a in shelf.attached(self.store, row.doc)})
            after = page[-1].key

    def _write_files(self, folder: Path, contents: dict[bytes, shelf.Attached]) -> int:
        folder.mkdir()
        count = 0
        for content, each in contents.items():
            if each.is_here:
                with suppress(NotFound), (folder / content.hex()).open("xb") as file:
                    for chunk in shelf.read(self.store, each.manifest):
                        file.write(chunk)
                    count += 1
        return count


def _file(path: Path, encoding: str) -> Any:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(descriptor, "w", encoding=encoding, newline="")
