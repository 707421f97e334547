"""An older register taken in: planned line by line, then written in one transaction or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from commune_client.desk.base import Base
from commune_client.desk.tables import read_table
from onestop_sync.dossier.old_entry import OLD_ENTRY
from onestop_sync.dossier.personal import masked_state, masked_title
from onestop_sync.dossier.register_headings import fields_of, propose
from onestop_sync.dossier.register_rows import BadRow, PlannedRow, RegisterMap, Rules, plan_rows
from onestop_sync.dossier.schema import DOSSIER
from onestop_sync.errors import InvalidInput, NotAllowed, NotFound
from onestop_sync.schema import MAIN
from onestop_sync.storage.queries import Row

__all__ = ["OldRegister", "RegisterImport"]


class RegisterImport(NamedTuple):
    """What taking a register in came to, or would come to.

    Attributes:
        going: Dossiers that go on.
        old: Entries of the old register.
        bad: Lines that cannot be taken.
        is_done: Whether it was written; nothing was, otherwise.
    """

    going: int
    old: int
    bad: tuple[BadRow, ...]
    is_done: bool


class OldRegister(Base):
    """The register of before."""

    def import_register(self, path: Path, how: RegisterMap, *, dry_run: bool = False) -> RegisterImport:
        """Takes a register in: all of its lines in one transaction, or none.

        Args:
            path: The table.
            how: What its columns mean.
            dry_run: Write nothing.

        Returns:
            What it came to; with bad lines nothing was written.

        Raises:
            InvalidInput: The file is no table, or lacks a column that the mapping names, or has it twice.
            NotAllowed: The officer may not take in.
        """
        table = read_table(path, how.sheet, how.columns)
        for heading in how.columns:
            if (found := table.headings.count(heading)) != 1:
                reason = "column_twice" if found else "column"
                raise InvalidInput(
                    "The table lacks a column, or has it twice.", reason=reason, column=heading
                )
        rules = Rules(self.rules.catalogue, self.rules.calendar, self.rules.profiles, self.today())
        good, bad = plan_rows(table.rows, how, rules, self._is_here, table.source)
        going = sum(row.is_open for row in good)
        is_done = not (dry_run or bad) and bool(good)
        if is_done:
            self._write_entries(good)
        return RegisterImport(going, len(good) - going, tuple(bad), is_done)

    def propose_mapping(self, table: Path, path: Path) -> None:
        """Writes, into a file that was not there, what the columns of a register seem to mean.

        Raises:
            InvalidInput: The register is no table, or no column of it is understood.
            OSError: The file is there already, or cannot be written.
        """
        found = read_table(table, wanted=lambda headings: len(fields_of(headings)))
        procedures = self.rules.catalogue.in_force(self.today())
        plain = propose([row.cells for row in found.rows], found.headings, procedures)
        if not plain["columns"]:
            raise InvalidInput("No column of the register is understood.", reason="columns_unknown")
        with path.open("x", encoding="utf-8") as file:
            json.dump(plain, file, ensure_ascii=False, indent=1)

    def _write_entries(self, rows: list[PlannedRow]) -> None:
        writer = self.writer
        with self.store.writing():
            for row in rows:
                if self._is_here(row.code):  # another program was faster
                    raise NotAllowed("A code of the register was taken meanwhile.", reason="register_taken")
                if row.is_open:
                    writer.create(DOSSIER.name, row.values, [["act", MAIN, "accept", {}]])
                else:
                    writer.create(OLD_ENTRY.name, row.values)

    def _is_here(self, code: str) -> bool:
        for kind in (DOSSIER.name, OLD_ENTRY.name):
            try:
                self.store.lookup(kind, code)
            except NotFound:
                continue
            return True
        return False

    def old_entries(
        self, search: str = "", *, after: tuple[int, int] | None = None, limit: int = 200
    ) -> list[Row]:
        """Returns entries of the old register, a page at a time, the last that came in first."""
        rows = self.store.page(
            OLD_ENTRY.name, search=search, after=after, limit=limit, is_by_label=self.is_masked
        )
        return [row._replace(title=masked_title(row.title)) for row in rows] if self.is_masked else rows

    def old_entry(self, doc: bytes) -> dict[str, object]:
        """Returns what an entry holds.

        Raises:
            NotFound: It is not here.
        """
        state = self.store.document(doc).state
        state = masked_state(state) if self.is_masked else state
        return {key: state.value(key) for key in sorted(state.registers)}
