"""Phản ánh, kiến nghị: what citizens complain of, who has it in hand, by when, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from commune_client.complaint_words import STEPS, complaint_lines
from commune_client.screens import words
from commune_client.screens.base import OfficeScreen, bindings_of
from commune_client.screens.form_page import FormPage
from commune_client.screens.intake_form import due_at_close
from commune_client.screens.show import day_time
from commune_client.theme import StateStyle
from commune_client.widgets.field_rules import FieldValue, FormField
from commune_client.widgets.row_list import Cell, Column, Row, RowList

if TYPE_CHECKING:
    from commune_client.desk.voices import ComplaintFacts

__all__ = ["ComplaintsScreen"]

_CONTENT = FormField("noi_dung", words.CONTENT, "multiline", required=True, limit=4000)
_REASON = FormField("ly_do", words.REASON, "multiline", required=True, limit=2000)
_NEW = (
    _CONTENT,
    FormField("ho_so", words.ABOUT_DOSSIER, help=words.ABOUT_DOSSIER_HELP, limit=64),
    FormField("nguoi_gui", words.SENDER, help=words.SENDER_HELP, limit=200),
    FormField("dien_thoai", words.PHONE, "phone"),
)
_TAKE = (FormField("han", words.ANSWER_UNTIL, "date", required=True),)
_ANSWER = (
    _CONTENT,
    FormField("ket_luan", words.VERDICT, "choice", required=True, options=words.VERDICTS),
)
_FORWARD = (FormField("to", words.TO_UNIT, help=words.TO_UNIT_HELP, required=True, limit=200), _REASON)


class ComplaintsScreen(OfficeScreen):
    """Those first that are due first; below the list the whole of the line with the cursor."""

    NAME = "complaints"
    HEADING = words.COMPLAINTS
    AUTO_FOCUS = "RowList"
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("complaints")
    DEFAULT_CSS = """
    ComplaintsScreen > .about { height: auto; max-height: 10; padding: 0 1; background: $surface; }
    """

    def __init__(self) -> None:
        """Make the list."""
        super().__init__()
        self._found: dict[str, ComplaintFacts] = {}

    def compose_body(self) -> ComposeResult:
        """Lay out the list, and below it the whole of a line."""
        columns = [
            Column(words.CAME, 16), Column(words.STEP, 13), Column(words.ANSWER_UNTIL_SHORT, 16),
            Column(words.CONTENT),
        ]  # fmt: skip
        yield RowList(columns, empty="")
        yield Static("", classes="about")

    def reload(self) -> None:
        """Read them."""
        self.work(self.desk.complaints, self._show)

    def _show(self, found: list[ComplaintFacts]) -> None:
        self._found = {each.doc.hex(): each for each in found}
        self.query_one(RowList).set_rows([_row(each) for each in found], empty=words.NO_COMPLAINTS)
        self._show_about(self.query_one(RowList).current)

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        """Show the whole of a line."""
        self._show_about(event.key)

    def _show_about(self, key: str | None) -> None:
        each = self._found.get(key or "")
        said = "\n".join(complaint_lines(each, self.desk.unit_name)) if each else ""
        self.query_one(".about", Static).update(Content(said))

    # ---- what can be done

    def action_new(self) -> None:
        """Take a complaint down."""

        def call(given: Mapping[str, FieldValue]) -> None:
            self.desk.complain(
                _text(given, "noi_dung"), dossier=_text(given, "ho_so"), sender=_text(given, "nguoi_gui"),
                phone=_text(given, "dien_thoai"),
            )  # fmt: skip

        page = FormPage(
            words.NEW_COMPLAINT, words.NEW_COMPLAINT_ABOUT, _NEW, call, self._said, kept_as="complaint"
        )
        self.app.push_screen(page)

    def action_take_up(self) -> None:
        """Take one in hand, and say by when it is answered."""

        def call(each: ComplaintFacts, given: Mapping[str, FieldValue]) -> ComplaintFacts:
            due_ms = due_at_close(given["han"], self.desk.rules.calendar.windows[-1].end_min)
            return self.desk.take_complaint(each.doc, due_ms or 0)

        self._ask("take", words.TAKE_COMPLAINT, _TAKE, call)

    def action_answer(self) -> None:
        """Answer one."""

        def call(each: ComplaintFacts, given: Mapping[str, FieldValue]) -> ComplaintFacts:
            is_founded = given["ket_luan"] == words.FOUNDED
            return self.desk.answer_complaint(each.doc, _text(given, "noi_dung"), is_founded=is_founded)

        self._ask("answer", words.ANSWER, _ANSWER, call)

    def action_refuse(self) -> None:
        """Say that one is not to be handled here."""

        def call(each: ComplaintFacts, given: Mapping[str, FieldValue]) -> ComplaintFacts:
            return self.desk.dismiss_complaint(each.doc, _text(given, "ly_do"))

        self._ask("dismiss", words.DISMISS_COMPLAINT, (_REASON,), call)

    def action_forward(self) -> None:
        """Pass one on to the unit whose business it is."""

        def call(each: ComplaintFacts, given: Mapping[str, FieldValue]) -> ComplaintFacts:
            return self.desk.forward_complaint(each.doc, _text(given, "to"), _text(given, "ly_do"))

        self._ask("forward", words.FORWARD_COMPLAINT, _FORWARD, call)

    def _ask(
        self,
        what: str,
        heading: str,
        fields: Sequence[FormField],
        call: Callable[[ComplaintFacts, Mapping[str, FieldValue]], ComplaintFacts],
    ) -> None:
        each = self._found.get(self.query_one(RowList).current or "")
        if each is None:
            return
        about = "\n".join(complaint_lines(each, self.desk.unit_name))
        page = FormPage(
            heading, about, fields, lambda given: call(each, given), self._said,
            kept_as=f"complaint/{what}/{each.doc.hex()}",
        )  # fmt: skip
        self.app.push_screen(page)

    def _said(self, each: ComplaintFacts | None) -> None:
        step = each.handling.step if each else "moi"
        self.office.say(words.DONE_SO.format(STEPS.get(step, step)))


def _row(each: ComplaintFacts) -> Row:
    handling = each.handling
    due = day_time(handling.due_ms)
    is_late = each.is_late and handling.ended_ms is None
    cell: Cell = (f"!! {due[6:]}", StateStyle.LATE) if is_late else due
    step = STEPS.get(handling.step, handling.step)
    return Row(each.doc.hex(), (day_time(handling.received_ms), step, cell, each.content))


def _text(given: Mapping[str, FieldValue], name: str) -> str:
    value = given.get(name, "")
    return value if isinstance(value, str) else ""
