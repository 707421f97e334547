"""Intake: choose the procedure or a draft, fill in the form, accept; no letter is lost on the way."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from commune_client.messages import problem_text
from commune_client.scratch import Note
from commune_client.screens import words
from commune_client.screens.base import bindings_of
from commune_client.screens.intake_form import DossierForm, due_at_close
from commune_client.screens.keeping import KeepingScreen
from commune_client.screens.pick import Pick, PickScreen
from commune_client.screens.show import day_time
from commune_client.theme import StateStyle
from commune_client.widgets.field_form import FieldForm
from commune_client.widgets.field_rules import FieldValue
from commune_client.widgets.row_list import Column

if TYPE_CHECKING:
    from commune_client.app import OnestopApp
    from commune_client.desk import Desk
    from commune_client.desk.facts import Accepted
    from onestop_sync.dossier.catalogue import Procedure
    from onestop_sync.dossier.checks import Paper, Problem

__all__ = ["IntakeScreen", "choose_procedure", "open_draft"]

_NAME = "intake/"
_FIRST = {"cach_nhan": "truc_tiep", "loai_doi_tuong": "ca_nhan"}


# ------------------------------------------------------------------ choosing


class _Choices(NamedTuple):
    """What can be opened: procedures in force, and drafts on this machine."""

    procedures: tuple[Procedure, ...]
    notes: list[Note]


def choose_procedure(app: OnestopApp) -> None:
    """Ask for the procedure, with the drafts of this machine first."""

    def read() -> _Choices:
        notes = [note for note in app.scratch.notes() if note.name.startswith(_NAME)]
        return _Choices(app.desk.procedures(), notes)

    app.work(read, partial(_show_choices, app))


def _show_choices(app: OnestopApp, found: _Choices) -> None:
    names = {procedure.code: procedure.name_vi for procedure in found.procedures}
    drafts = [_draft_pick(note, names) for note in found.notes if note.facts.get("procedure") in names]
    picks = [
        Pick(item.code, (item.code, item.name_vi, _limit(item)), item.field_vi) for item in found.procedures
    ]
    notes = {note.name: note for note in found.notes}

    def then(key: str) -> None:
        open_draft(app, notes.get(key), key)

    app.push_screen(
        PickScreen(
            words.CHOOSE_PROCEDURE,
            [Column(words.CODE_SHORT, 11), Column(words.PROCEDURE), Column(words.LIMIT, 20)],
            [*drafts, *picks],
            then,
            hint=words.PROCEDURE_HELP,
            empty=words.NO_PROCEDURE,
            stays=True,
        )
    )


def _draft_pick(note: Note, names: Mapping[str, str]) -> Pick:
    title = words.draft_of(str(note.values.get("nguoi_nop", "")), names[note.facts["procedure"]])
    when = day_time(note.at_ms)
    style = StateStyle.SOON
    return Pick(note.name, ((words.DRAFT, style), (title, style), (when, style)), note.officer)


def _limit(procedure: Procedure) -> str:
    limit = procedure.limit
    return words.limit(str(limit.kind), limit.amount) if limit else ""


# ------------------------------------------------------------------ opening


class Start(NamedTuple):
    """What a form opens with.

    Attributes:
        doc: The dossier when there is one already, else empty.
        name: Under which the form is kept.
        values: What stands in it.
        is_back: Whether that was typed before and not finished.
        twin: Code of a dossier that looks as if this draft had been accepted already.
    """

    procedure: Procedure
    form: DossierForm
    doc: bytes
    name: str
    values: dict[str, FieldValue]
    due: str
    is_back: bool
    twin: str


def open_draft(app: OnestopApp, note: Note | None, procedure: str = "", doc: bytes = b"") -> None:
    """Open a form: a draft of this machine, a dossier that is not accepted yet, or an empty one.

    Args:
        app: The app.
        note: The draft.
        procedure: The procedure's code, for an empty form.
        doc: The dossier that is not accepted yet.
    """
    app.work(partial(_start, app, note, procedure, doc), lambda start: _show_form(app, start))


def _show_form(app: OnestopApp, start: Start) -> None:
    if isinstance(app.screen, PickScreen):
        app.switch_screen(IntakeScreen(start))
    else:
        app.push_screen(IntakeScreen(start))


def _start(app: OnestopApp, note: Note | None, code: str, doc: bytes) -> Start:
    desk = app.desk
    name = note.name if note else f"{_NAME}{doc.hex() or secrets.token_hex(8)}"
    note = note or app.scratch.read(name)
    doc = doc or bytes.fromhex(note.facts.get("doc", "") if note else "")
    registers, papers = desk.form(doc) if doc else ({}, {})
    code = (note.facts.get("procedure", "") if note else "") or code or str(registers.get("ma_thu_tuc", ""))
    procedure = desk.procedure(code)
    form = DossierForm.of(procedure, registers, papers)
    values = {**_FIRST, **form.shown(registers, papers)}
    if note:
        values |= {
            key: tuple(value) if isinstance(value, list) else value for key, value in note.values.items()
        }
    facts = desk.preview_due(code)
    due = (
        words.expected_due(day_time(facts.due_ms))
        if facts.due_ms
        else words.no_limit(procedure.limit_text_vi)
    )
    return Start(procedure, form, doc, name, values, due, note is not None, _twin(desk, note, code))


def _twin(desk: Desk, note: Note | None, procedure: str) -> str:
    """Returns the code of a dossier that may be this very draft: accepted just before the power went."""
    number = str(note.values.get("so_dinh_danh", "")) if note else ""
    if note is None or not number:
        return ""
    for row in desk.dossiers(number, order="new", limit=20).rows:
        values, _ = desk.form(row.doc)
        if (
            row.code
            and row.step != "draft"
            and values.get("ma_thu_tuc") == procedure
            and row.updated_ms >= note.at_ms
        ):
            return row.code
    return ""


# ------------------------------------------------------------------ the form


class IntakeScreen(KeepingScreen):
    """The form of one dossier that is being taken in."""

    NAME = "intake"
    HEADING = words.INTAKE
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("intake")
    DEFAULT_CSS = """
    IntakeScreen > .about { height: auto; max-height: 3; padding: 0 1; color: $secondary; }
    """

    def __init__(self, start: Start) -> None:
        """Make the form.

        Args:
            start: What it opens with.
        """
        super().__init__()
        self._start = start
        self._is_busy = False

    def compose_body(self) -> ComposeResult:
        """Lay out what is known of the procedure, and the form."""
        procedure = self._start.procedure
        parts = [_limit(procedure), self._start.due, words.fee(procedure.fee)]
        yield Static(Content(" | ".join(part for part in parts if part)), classes="about")
        yield FieldForm(self._start.form.fields, self._start.values)

    def on_mount(self) -> None:
        """Say which procedure it is, and whether something came back."""
        self.set_heading(words.intake_of(self._start.procedure.name_vi))
        if self._start.twin:
            self.say(words.maybe_accepted(self._start.twin), StateStyle.SOON)
        elif self._start.is_back:
            self.say(words.OLD_TEXT_BACK)

    @property
    def _form(self) -> FieldForm:
        return self.query_one(FieldForm)

    def on_field_form_changed(self) -> None:
        """Keep what was typed."""
        self.show_kept(words.KEEPING, StateStyle.QUIET)
        self.keeper().put(self._note())

    def _note(self) -> Note:
        facts = {"procedure": self._start.procedure.code, "doc": self._start.doc.hex()}
        desk = self.desk
        return Note(self._start.name, dict(self._form.values()), desk.name, desk.store.clock(), facts)

    def on_field_form_submitted(self) -> None:
        """Say how to accept: Enter alone issues no code."""
        self.say(words.PRESS_TO_ACCEPT)

    # ------------------------------------------------------------------ accepting

    def action_save(self) -> None:
        """Check, and accept."""
        if self._is_busy:
            return
        shown = self._form.cleaned()
        if errors := self._form.check_fields():
            self.say(words.not_complete(len(errors)), StateStyle.LATE)
            self.work(partial(self._check, shown), partial(self._show_more, errors))
            return
        self._is_busy = True
        self.say(words.ACCEPTING)
        self.work(partial(self._accept, shown), self._accepted, self._not_accepted)

    def _check(self, shown: Mapping[str, FieldValue]) -> tuple[Problem, ...]:
        """Returns what else is wrong besides single fields, papers above all; runs in the desk's thread."""
        filled = {key: value for key, value in self._start.form.registers(shown).items() if value != ""}
        return self.desk.check(self._start.procedure.code, filled, self._marked(shown))

    def _show_more(self, errors: Mapping[str, str], problems: Iterable[Problem]) -> None:
        """Show all that is wrong at once: nobody corrects a form in two rounds."""
        by_field, rest = self._start.form.errors((p for p in problems if p.is_blocking), problem_text)
        more = {name: text for name, text in by_field.items() if name not in errors}
        self._form.show_errors(more)
        self.say("; ".join([words.not_complete(len({*errors, *more}) + len(rest)), *rest]), StateStyle.LATE)

    def _marked(self, shown: Mapping[str, FieldValue]) -> dict[str, Paper]:
        marked = shown.get("papers", ())
        return self.desk.papers(self._start.procedure.code, marked if isinstance(marked, tuple) else ())

    def _accept(self, shown: Mapping[str, FieldValue]) -> Accepted:
        """Accepts; runs in the desk's thread."""
        desk, code = self.desk, self._start.procedure.code
        values, papers = self._start.form.registers(shown), self._marked(shown)
        options = {
            "is_verified": shown.get("verified") == ("yes",),
            "due_ms": due_at_close(shown.get("due", ""), desk.rules.calendar.windows[-1].end_min),
        }
        if self._start.doc:
            desk.save_draft(self._start.doc, values, papers)
            return desk.intake(self._start.doc, **options)  # type: ignore[arg-type]
        filled = {key: value for key, value in values.items() if value != ""}
        return desk.intake_new(code, filled, papers, **options)  # type: ignore[arg-type]

    def _accepted(self, accepted: Accepted) -> None:
        from commune_client.screens.accepted import AcceptedScreen

        self.keeper().drop(self._start.name)
        self.office.refresh_status()
        self.app.switch_screen(AcceptedScreen(accepted, self._start.procedure))

    def _not_accepted(self, error: Exception) -> None:
        self._is_busy = False
        code = getattr(error, "code", "")
        if code == "clock_suspect":
            self._confirm_date()
        elif code == "unready":
            self._show_problems(getattr(error, "problems", ()))
        else:
            self.complain(error)

    def _show_problems(self, problems: Any) -> None:
        by_field, rest = self._start.form.errors(problems, problem_text)
        self._form.show_errors(by_field)
        if by_field:
            self._form.focus_field(next(iter(by_field)))
        self.say("; ".join([words.not_complete(len(by_field) + len(rest)), *rest]), StateStyle.LATE)

    def _confirm_date(self) -> None:
        today = self.desk.today()
        picks = [
            Pick("yes", (f"{words.CONFIRM_DATE} {today:%d/%m/%Y}",)),
            Pick("no", (words.WRONG_DATE,)),
        ]

        def then(key: str) -> None:
            if key == "yes":
                self.work(partial(self.desk.confirm_date, today), lambda _: self.action_save())

        heading = f"{words.CONFIRM_DATE_TITLE} {today:%d/%m/%Y}?"
        self.app.push_screen(PickScreen(heading, [Column("")], picks, then))
        self.office.say(words.CONFIRM_DATE_WHY, StateStyle.SOON)

    # ------------------------------------------------------------------ leaving

    def action_discard(self) -> None:
        """Throw the draft away, when the official says so twice."""
        picks = [Pick("no", (words.KEEP_DRAFT,)), Pick("yes", (words.DISCARD,))]

        def then(key: str) -> None:
            if key == "yes":
                self.keeper().drop(self._start.name)
                self.app.pop_screen()
                self.office.say(words.DISCARDED)

        self.app.push_screen(PickScreen(words.DISCARD_TITLE, [Column("")], picks, then))

    def action_not_accept(self) -> None:
        """Store the draft as a dossier, so that what is missing can be asked for, or it can be refused."""
        if self._is_busy:
            return
        self._is_busy = True
        self.work(partial(self._store, self._form.cleaned()), self._stored, self._not_accepted)

    def _store(self, shown: Mapping[str, FieldValue]) -> bytes:
        desk, code = self.desk, self._start.procedure.code
        values = self._start.form.registers(shown)
        marked = shown.get("papers", ())
        papers = desk.papers(code, marked if isinstance(marked, tuple) else ())
        if self._start.doc:
            return desk.save_draft(self._start.doc, values, papers).doc
        return desk.new_draft(code, {key: value for key, value in values.items() if value != ""}, papers).doc

    def _stored(self, doc: bytes) -> None:
        self.keeper().drop(self._start.name)
        self.office.refresh_status()
        self.app.pop_screen()
        self.office.open_dossier(doc)
