"""Reports of the desk's unit: figures, the dossiers behind them, and files."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from commune_client.desk.base import Base
from onestop_sync.dossier.report.periods import Period, after, before, containing, named
from onestop_sync.dossier.roles import ADMIN, HEAD
from onestop_sync.errors import NotAllowed
from onestop_sync.keyring import write_durably
from onestop_sync.reporting import difficulties as di
from onestop_sync.reporting.files import render
from onestop_sync.reporting.freezing import Frozen, changes_of, freeze, frozen, read
from onestop_sync.reporting.making import Found, Report, dossiers, make
from onestop_sync.reporting.officers import OfficerLine, officers

__all__ = ["Reports"]

_NO_FIELD = "Chưa rõ lĩnh vực"


class Reports(Base):
    """Makes reports and writes them."""

    def period(self, text: str = "") -> Period:
        """Returns the period that somebody names; the quarter that runs when nothing is named.

        Raises:
            InvalidInput: It is no period.
        """
        rules = self.rules.report_rules
        return named(text, rules) if text else containing(self.store.clock(), rules)

    def neighbour(self, period: Period, *, is_later: bool) -> Period:
        """Returns the period after one, or before it."""
        rules = self.rules.report_rules
        return after(period, rules) if is_later else before(period, rules)

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
        rules = self.rules.report_rules
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
        write_durably(path, render(report, path.suffix, self.report_notes(report)))
        return path

    def report_notes(self, report: Report) -> list[str]:
        """Returns what a report says of difficulties and obstacles."""
        units = {line.unit for line in report.synced}
        return list(di.collected(self.store, units, report.period))

    def freeze_report(self, report: Report) -> Frozen:
        """Signs a report as a document; a second time, as a supplement that says what changed and why.

        Raises:
            InvalidInput: The period is not over, or nothing changed since the last version.
            NotAllowed: Only the head of the unit signs.
        """
        self._use_confirmation()
        last = next(iter(self.frozen_reports(report)), None)
        changes = changes_of(self.store, last, self.rules.report_rules) if last else []
        doc = freeze(
            self.store, self.writer, report, supplements=last, changes=changes,
            extra={"difficulties": self.report_notes(report)},
        )  # fmt: skip
        return read(self.store, doc)

    def officer_marks(self, report: Report) -> tuple[OfficerLine, ...]:
        """Returns the marks of the officers of a report's unit.

        Raises:
            NotAllowed: Only the head, or an administrator, sees them.
        """
        if not set(self.officer.roles) & {HEAD, ADMIN}:
            raise NotAllowed("Only the head of the unit sees officers' marks.", reason="officer_marks")
        return officers(self.store, report.unit, report.period, self.rules.report_rules)

    def frozen_reports(self, report: Report | None = None) -> list[Frozen]:
        """Returns the signed reports, the newest first; those of one report's unit, period and form."""
        if report is None:
            return list(frozen(self.store))
        return list(frozen(self.store, report.unit, report.period.name, is_tier=report.is_tier))

    # ---- difficulties

    def difficulties(self, *, only_open: bool = False) -> list[di.Listed]:
        """Returns difficulties and obstacles, the newest first."""
        return di.listed(self.store, only_open=only_open)

    def difficulty(self, text: str) -> di.Listed:
        """Returns the one whose id begins so.

        Raises:
            NotFound: None does, or more than one.
        """
        return di.find(self.store, text)

    def write_difficulty(
        self, title: str, text: str, *, proposal: str = "", kind: str = "kho_khan", to: str = "",
        due_ms: int | None = None,
    ) -> di.Listed:  # fmt: skip
        """Writes one and sends it: to the unit above, or to the one that is named.

        Raises:
            InvalidInput: Something is missing.
            NotFound: There is no such unit.
            NotAllowed: The desk is locked, or the officer has no role here.
        """
        target = self.find_unit(to) if to else ""
        doc = di.write(
            self.store, self.writer, title=title, text=text, proposal=proposal, kind=kind, to=target,
            due_ms=due_ms,
        )  # fmt: skip
        return di.find(self.store, doc.hex())

    def act_on_difficulty(self, doc: bytes, action: str, text: str = "", to: str = "") -> di.Listed:
        """Takes a step with one: `onestop_sync.dossier.difficulty.ACTIONS`, or ``remind``.

        Raises:
            NotAllowed: Not this officer, or not now.
            NotFound: There is none, or no such unit.
        """
        if action == "remind":
            di.remind(self.writer, doc, text)
        else:
            target = self.find_unit(to) if to else ""
            di.act(self.store, self.writer, doc, action, text=text, to=target)
        return di.find(self.store, doc.hex())

    def field_of(self, procedure: str) -> str:
        """Returns the field of a procedure, by any version of it that is known."""
        found = [each for each in self.rules.catalogue.procedures if each.code == procedure]
        return found[-1].field_vi if found else _NO_FIELD
