"""Reports of the desk's unit: figures, the dossiers behind them, and files."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from commune_client.desk.base import Base
from onestop_sync.dossier.data import shipped_report_rules
from onestop_sync.dossier.report.periods import Period, containing, named
from onestop_sync.keyring import write_durably
from onestop_sync.reporting.files import render
from onestop_sync.reporting.making import Found, Report, dossiers, make

__all__ = ["Reports"]

_NO_FIELD = "Chưa rõ lĩnh vực"


class Reports(Base):
    """Makes reports and writes them."""

    def period(self, text: str = "") -> Period:
        """Returns the period that somebody names; the quarter that runs when nothing is named.

        Raises:
            InvalidInput: It is no period.
        """
        rules = shipped_report_rules()
        return named(text, rules) if text else containing(self.store.clock(), rules)

    def report(self, period: str = "", unit: str = "", *, is_tier: bool = False) -> Report:
        """Makes a report.

        Args:
            period: ``Q1/2026``, ``2026``, or two days; the quarter that runs when empty.
            unit: By id, code or name; the desk's own when empty.
            is_tier: With the units below it.

        Raises:
            InvalidInput: It is no period.
            NotFound: There is no such unit.
        """
        at = self.find_unit(unit) if unit else self.store.unit
        rules = shipped_report_rules()
        return make(self.store, at, self.period(period), rules, self.field_of, is_tier=is_tier)

    def report_dossiers(self, report: Report, column: int, field: str = "") -> list[Found]:
        """Returns the dossiers behind a figure of a report.

        Args:
            report: The report.
            column: The form's column, 3 to 13.
            field: Only of this field.

        Raises:
            InvalidInput: There is no such column.
        """
        found = dossiers(self.store, report.unit, report.period, column, is_tier=report.is_tier)
        return [each for each in found if not field or self.field_of(each.course.procedure) == field]

    def write_report(self, path: Path, report: Report) -> Path:
        """Writes a report into a new file, in the format that its name asks for.

        Raises:
            InvalidInput: There is no such format.
            OSError: The file is there already, or the disk refused.
        """
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        write_durably(path, render(report, path.suffix))
        return path

    def field_of(self, procedure: str) -> str:
        """Returns the field of a procedure, by any version of it that is known."""
        found = [each for each in self.rules.catalogue.procedures if each.code == procedure]
        return found[-1].field_vi if found else _NO_FIELD
