"""The report of a period: its lines, the figures of a line, and the dossiers behind a figure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from commune_client.messages import reason_text
from commune_client.screens import words
from commune_client.screens.asked import AskScreen, Line
from commune_client.screens.base import OfficeScreen, bindings_of
from commune_client.screens.form_page import FormPage
from commune_client.screens.officers import OfficersScreen
from commune_client.screens.show import day_time
from commune_client.theme import StateStyle
from commune_client.widgets.field_rules import FieldValue, FormField
from commune_client.widgets.row_list import Cell, Column, Row, RowList
from onestop_sync.dossier.inspection import FINDINGS, TEXT_MAX
from onestop_sync.dossier.report.count import COLUMNS
from onestop_sync.dossier.report.count import Line as Counted
from onestop_sync.reporting.words import notes

if TYPE_CHECKING:
    from onestop_sync.reporting.making import Found, Report

__all__ = ["FiguresScreen", "FoundScreen", "ReportScreen"]

_INSPECT = (
    FormField("diem", words.MARK, "choice", required=True, options=words.scored(FINDINGS)),
    FormField("noi_dung", words.INSPECTION_FOUND, "multiline", required=True, limit=TEXT_MAX),
    FormField("don_vi", words.INSPECTED_UNIT, help=words.INSPECTED_UNIT_HELP, limit=200),
)
_SHOWN = (3, 6, 7, 10, 11, 13)
_LATE = frozenset({10, 13})


def _cell(column: int, figure: int) -> Cell:
    return (str(figure), StateStyle.LATE) if figure and column in _LATE else str(figure)


class ReportScreen(OfficeScreen):
    """Biểu II.06a or II.06b, a line for each field and, for a tier, each unit."""

    NAME = "report"
    HEADING = words.REPORT
    AUTO_FOCUS = "RowList"
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("report")
    DEFAULT_CSS = """
    ReportScreen > .notes { height: auto; max-height: 50%; padding: 0 1; background: $surface;
                            scrollbar-size-vertical: 1; }
    """

    def __init__(self) -> None:
        """Make the list."""
        super().__init__()
        self._period = ""
        self._is_tier = False
        self._report: Report | None = None
        self._extra: list[str] = []

    def compose_body(self) -> ComposeResult:
        """Lay out the lines, and what is said below the table."""
        heads = [Column(f"{text}({n})", 9) for n, text in zip(_SHOWN, words.REPORT_HEADS, strict=True)]
        yield RowList([Column(words.FIELD_OF_WORK), *heads], empty="")
        with VerticalScroll(classes="notes"):
            yield Static("", classes="about")

    def reload(self) -> None:
        """Make the report anew."""
        self.say("")
        self.work(self._make, self._show)

    def _make(self) -> tuple[Report, list[str]]:
        report = self.desk.report(self._period, is_tier=self._is_tier)
        return report, self.desk.report_notes(report)

    def _show(self, made: tuple[Report, list[str]]) -> None:
        self._report, self._extra = made
        report = self._report
        self._period = report.period.name
        title = report.period.title_vi
        self.set_heading(f"{title.partition(' (')[0]} – {report.form.partition('/')[0]}")
        rows = [_row(f"f{n}", line, "") for n, line in enumerate(report.table.fields)]
        if report.is_tier:
            rows += [_row(f"u{n}", line, "  ") for n, line in enumerate(report.table.units)]
        total = Counted("", words.TOTAL, report.table.total)
        rows = [*rows, _row("t", total, "")] if rows else []
        self.query_one(RowList).set_rows(rows, empty=words.REPORT_EMPTY)
        said = "\n".join((f"{report.name}: {title}.", *notes(report), *self._extra))
        self.query_one(".about", Static).update(Content(said))

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        """Open a line's figures; a unit of a tier has a report of its own."""
        report = self._report
        if report is None:
            return
        if event.key == "t":
            self.app.push_screen(FiguresScreen(report, Counted("", words.TOTAL, report.table.total), ""))
        elif event.key.startswith("f"):
            line = report.table.fields[int(event.key[1:])]
            self.app.push_screen(FiguresScreen(report, line, line.key))
        else:
            line = report.table.units[int(event.key[1:])]
            self.work(lambda: self.desk.report(report.period.name, line.key), self._open_unit)

    def _open_unit(self, own: Report) -> None:
        self.app.push_screen(FiguresScreen(own, Counted("", own.name, own.table.total), ""))

    def action_earlier(self) -> None:
        """Go to the period before."""
        if self._report is not None:
            self._period = self.desk.neighbour(self._report.period, is_later=False).name
            self.reload()

    def action_later(self) -> None:
        """Go to the period after, up to the one that runs."""
        if self._report is not None and self._report.period.is_over:
            self._period = self.desk.neighbour(self._report.period, is_later=True).name
            self.reload()

    def action_tier(self) -> None:
        """Count the units below as well, or no more."""
        self._is_tier = not self._is_tier
        self.reload()

    def action_write(self) -> None:
        """Ask for a file, and write the report into it."""
        report = self._report
        if report is None:
            return
        name = f"bao-cao-{report.unit}-{report.period.name.replace('/', '-')}.xlsx"
        line = Line(words.FILE, is_secret=False, value=str(Path.home() / name))
        self.app.push_screen(
            AskScreen(
                words.WRITE_REPORT,
                words.WRITE_REPORT_ABOUT,
                [line],
                lambda path: self.desk.write_report(Path(path).expanduser(), report),
                lambda path: self.office.say(words.WRITTEN_TO.format(path)),
            )
        )

    def action_officers(self) -> None:
        """Show the marks of the unit's officers."""
        if self._report is not None:
            self.app.push_screen(OfficersScreen(self._report))

    def action_inspect(self) -> None:
        """Write down how procedures are made public at the unit."""
        if not self.desk.may_inspect:  # before anybody types
            self.say(reason_text("inspection_unit"), StateStyle.SOON)
            return

        def call(given: Mapping[str, FieldValue]) -> bytes:
            return self.desk.inspect(
                int(str(given["diem"])), str(given["noi_dung"]), str(given["don_vi"] or "")
            )

        def then(_: bytes) -> None:
            self.office.say(words.INSPECTED)
            self.reload()

        self.app.push_screen(
            FormPage(words.INSPECT, words.INSPECT_ABOUT, _INSPECT, call, then, kept_as="inspection")
        )

    def action_freeze(self) -> None:
        """Ask for the passphrase, and sign the report."""
        report = self._report
        if report is None:
            return
        if not report.period.is_over:  # before anybody types a passphrase
            self.say(reason_text("running"), StateStyle.SOON)
            return

        def call(passphrase: str) -> str:
            self.desk.confirm(passphrase)
            return self.desk.freeze_report(report).label

        self.app.push_screen(
            AskScreen(
                words.FREEZE,
                words.FREEZE_ABOUT,
                [Line(words.UNLOCK_WITH)],
                call,
                lambda label: self.office.say(words.FROZEN.format(label)),
            )
        )


def _row(key: str, line: Counted, indent: str) -> Row:
    return Row(key, (indent + line.name, *(_cell(n, line.counts.column(n)) for n in _SHOWN)))


class FiguresScreen(OfficeScreen):
    """All columns of one line."""

    NAME = "figures"
    HEADING = words.REPORT
    AUTO_FOCUS = "RowList"
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("figures")

    def __init__(self, report: Report, line: Counted, field: str) -> None:
        """Make the list.

        Args:
            report: The report.
            line: Its line.
            field: The field that the line is of; empty for all.
        """
        super().__init__()
        self._report, self._line, self._field = report, line, field

    def compose_body(self) -> ComposeResult:
        """Lay out the columns."""
        yield RowList([Column(words.COLUMN), Column(words.FIGURE, 10)], empty="")

    def reload(self) -> None:
        """Show the columns."""
        self.set_heading(f"{self._line.name} – {self._report.name} – {self._report.period.name}")
        rows = [
            Row(str(n), (f"({n}) {text}", _cell(n, self._line.counts.column(n))))
            for n, text in COLUMNS.items()
        ]
        self.query_one(RowList).set_rows(rows, empty="")

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        """Open a figure's dossiers."""
        self.app.push_screen(FoundScreen(self._report, int(event.key), self._field))


def _day(ms: int | None) -> str:
    return day_time(ms).partition(" ")[2] if ms else ""


class FoundScreen(OfficeScreen):
    """The dossiers behind a figure."""

    NAME = "figures"
    HEADING = words.REPORT
    AUTO_FOCUS = "RowList"
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("figures")

    def __init__(self, report: Report, column: int, field: str) -> None:
        """Make the list of a column, of one field or of all."""
        super().__init__()
        self._report, self._column, self._field = report, column, field

    def compose_body(self) -> ComposeResult:
        """Lay out the list."""
        unit = [Column(words.UNIT)] if self._report.is_tier else []
        dates = [Column(words.DUE, 10), Column(words.ENDED, 10)]
        yield RowList([Column("Mã hồ sơ", 25), *unit, Column("Thủ tục"), *dates], empty="")

    def reload(self) -> None:
        """Read the dossiers."""
        self.set_heading(f"({self._column}) {COLUMNS[self._column]}")
        ask = partial(self.desk.report_dossiers, self._report, self._column, self._field)
        self.work(ask, self._show)

    def _show(self, found: list[Found]) -> None:
        self.query_one(RowList).set_rows(list(map(self._row, found)), empty=words.NO_DOSSIERS)

    def _row(self, each: Found) -> Row:
        course = each.course
        unit = [self.desk.unit_name(each.unit)] if self._report.is_tier else []
        name = self.desk.any_procedure(course.procedure).name_vi
        dates = (_day(course.dues[-1][1] if course.dues else None), _day(course.ended_ms))
        return Row(each.doc.hex(), (each.label, *unit, name, *dates))

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        """Open a dossier."""
        self.office.open_dossier(bytes.fromhex(event.key))
