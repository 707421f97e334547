"""The audit trail, as those may see it who ask: leaders and administrators all of it, others their own."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path

from commune_client.desk.base import Base
from commune_client.desk.facts import AuditLine
from onestop_sync import audit
from onestop_sync.audit import Line
from onestop_sync.dossier.calendar import VIETNAM
from onestop_sync.dossier.dates import to_ms
from onestop_sync.dossier.labels import one_line
from onestop_sync.dossier.roles import ADMIN, HEAD
from onestop_sync.errors import NotAllowed
from onestop_sync.keyring import write_durably
from onestop_sync.search_text import has_words

__all__ = ["Audit"]

_READERS = frozenset({ADMIN, HEAD})
_MOST = 100_000
"""Lines that one listing or export holds at most."""


class Audit(Base):
    """Lists and exports the trail."""

    @property
    def sees_all(self) -> bool:
        """Whether the officer sees what others did: who leads or administers."""
        author = self.author
        return author is not None and not _READERS.isdisjoint(author.roles)

    def audit(
        self, officer: str = "", *, day: date | None = None, doc: bytes = b"", limit: int = _MOST
    ) -> list[AuditLine]:
        """Returns entries, the latest first.

        Args:
            officer: Words of the officer's name.
            day: Only entries of this day in Vietnam.
            doc: Only entries about this dossier.
            limit: Lines.

        Raises:
            NotAllowed: The desk is locked.
        """
        return [self._line(line) for line in self._lines_for(officer, day, doc, limit)]

    def export_audit(
        self, path: Path, officer: str = "", *, day: date | None = None, doc: bytes = b""
    ) -> tuple[Path, int]:
        """Writes entries into a file, JSON where its name ends so and CSV otherwise; that itself is an entry.

        Returns:
            The file, and how many entries are in it.

        Raises:
            NotAllowed: The desk is locked.
            StoreError: The entry about the export could not be written; nothing was exported.
            OSError: The file is there already, or the disk refused.
        """
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        found = list(self._lines_for(officer, day, doc, _MOST))
        self.notebook.now("audit_export", lines=len(found))
        write_durably(path, audit.to_json(found) if path.suffix == ".json" else audit.to_csv(found))
        return path, len(found)

    def _lines_for(self, officer: str, day: date | None, doc: bytes, limit: int) -> Iterator[Line]:
        key, sees_all = self.signer.public, self.sees_all
        person = self._person(key)
        self.notebook.flush()  # one sees what one has just done
        since_ms = to_ms(datetime.combine(day, time(), VIETNAM)) if day else None
        until_ms = to_ms(datetime.combine(day + timedelta(days=1), time(), VIETNAM)) if day else None
        found = audit.lines(self.store, doc=doc, since_ms=since_ms, until_ms=until_ms)
        if day:
            found = iter(sorted(found, key=lambda line: line.entry.at_ms, reverse=True))
        mine = (line for line in found if sees_all or self._is_mine(line, key, person))
        return islice((line for line in mine if has_words(line.who, officer)), limit)

    def _is_mine(self, line: Line, key: bytes, person: str) -> bool:
        if line.is_machine:
            return line.key == self._machine and line.entry.who == self.name
        return line.key == key or bool(person and line.person == person)

    def _person(self, key: bytes) -> str:
        try:
            return self.store.find_authority(key)[1].person
        except NotAllowed:
            return ""

    def _line(self, line: Line) -> AuditLine:
        entry = line.entry
        return AuditLine(
            at_ms=entry.at_ms,
            what=entry.what,
            who=one_line(line.who),
            unit=line.unit,
            unit_name=self.unit_name(line.unit) if line.unit else "",
            is_machine=line.is_machine,
            doc=entry.doc,
            dossier=line.label,
            times=entry.times,
            lines=entry.lines,
            code=entry.code,
            event=line.event,
        )
