"""Correcting a dossier: only the fields that this officer may write now, and only what was changed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import BindingType

from commune_client.messages import problem_text
from commune_client.scratch import Note
from commune_client.screens import words
from commune_client.screens.base import bindings_of
from commune_client.screens.intake_form import DossierForm
from commune_client.screens.keeping import KeepingScreen
from commune_client.screens.seen import ChangedMeanwhile, as_seen
from commune_client.theme import StateStyle
from commune_client.widgets.field_form import FieldForm
from commune_client.widgets.field_rules import FieldValue

if TYPE_CHECKING:
    from commune_client.app import OnestopApp
    from commune_client.desk import Desk
    from commune_client.desk.facts import Done, Dossier
    from onestop_sync.dossier.checks import Paper

__all__ = ["EditScreen", "open_edit"]


class Start(NamedTuple):
    """What the form opens with.

    Attributes:
        dossier: The dossier, as the officer sees it.
        values: What stands in the dossier.
        typed: What was typed before and not saved; None when nothing was.
    """

    dossier: Dossier
    form: DossierForm
    values: dict[str, FieldValue]
    typed: dict[str, FieldValue] | None


def open_edit(app: OnestopApp, dossier: Dossier) -> None:
    """Open the form of what may be corrected; say so when nothing may."""
    app.work(partial(_start, app, dossier.doc), partial(_show, app))


def _show(app: OnestopApp, start: Start) -> None:
    if start.form.fields:
        app.push_screen(EditScreen(start))
    else:
        app.say(words.NOTHING_TO_EDIT)


def _start(app: OnestopApp, doc: bytes) -> Start:
    desk = app.desk
    dossier = desk.show(doc)
    form, values = _form(desk, dossier)
    note = app.scratch.read(_name(doc))
    typed = None
    if note:
        typed = {key: tuple(v) if isinstance(v, list) else v for key, v in note.values.items()}
    return Start(dossier, form, values, typed)


def _form(desk: Desk, dossier: Dossier) -> tuple[DossierForm, dict[str, FieldValue]]:
    """Returns the form of what the officer may correct, and what stands there."""
    registers, papers = desk.form(dossier.doc)
    procedure = desk.any_procedure(dossier.view.procedure, dossier.view.procedure_name)
    form = DossierForm.of(procedure, registers, papers, is_intake=False)
    author = desk.author
    allowed = [
        key
        for key in (*form.keys.values(), "giay_to")
        if author and dossier.view.why_not_edit(author, key if key != "giay_to" else "giay_to/x") is None
    ]
    form = form.only(allowed)
    here = {field.name for field in form.fields}
    shown = {name: value for name, value in form.shown(registers, papers).items() if name in here}
    return form, shown


def _name(doc: bytes) -> str:
    return f"edit/{doc.hex()}"


class EditScreen(KeepingScreen):
    """The fields that may be corrected."""

    NAME = "edit"
    HEADING = words.EDIT
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("edit")

    def __init__(self, start: Start) -> None:
        """Make the form.

        Args:
            start: What it opens with.
        """
        super().__init__()
        self._start = start
        self._is_busy = False

    def compose_body(self) -> ComposeResult:
        """Lay out the form."""
        yield FieldForm(self._start.form.fields, self._start.typed or self._start.values)

    def on_mount(self) -> None:
        """Say which dossier it is."""
        view = self._start.dossier.view
        self.set_heading(f"{words.EDIT}: {view.code or view.applicant}")
        if self._start.typed is not None:
            self.say(words.OLD_TEXT_BACK)

    def on_field_form_changed(self) -> None:
        """Keep what was typed."""
        desk = self.desk
        values = dict(self.query_one(FieldForm).values())
        self.keeper().put(Note(_name(self._start.dossier.doc), values, desk.name, desk.store.clock()))

    def on_field_form_submitted(self) -> None:
        """Say how to save."""
        self.say(words.PRESS_TO_SIGN)

    def action_save(self) -> None:
        """Check, sign and store what was changed."""
        form = self.query_one(FieldForm)
        if self._is_busy:
            return
        if errors := form.check_fields():
            self.say(words.not_complete(len(errors)), StateStyle.LATE)
            return
        cleaned = form.cleaned()
        changed = {
            name: value for name, value in cleaned.items() if value != self._start.values.get(name, "")
        }
        self._is_busy = True
        self.work(partial(self._write, changed), self._done, self._not_done)

    def _write(self, changed: Mapping[str, FieldValue]) -> Done:
        """Signs the correction; runs in the desk's thread."""
        desk, dossier = self.desk, self._start.dossier
        values: dict[str, Any] = self._start.form.registers(changed)
        with as_seen(desk, dossier):
            return desk.edit(dossier.doc, values, self._papers(changed))

    def _papers(self, changed: Mapping[str, FieldValue]) -> dict[str, Paper]:
        """Returns the documents whose tick was changed: those that came, and those that are gone."""
        from onestop_sync.dossier.checks import Paper

        if "papers" not in changed:
            return {}
        before, after = set(self._start.values.get("papers", ())), set(changed["papers"])
        found = dict(self.desk.papers(self._start.dossier.view.procedure, sorted(after - before)))
        return found | dict.fromkeys(before - after, Paper(0, 0))

    def _done(self, done: Done) -> None:
        self.keeper().drop(_name(done.doc))
        self.office.refresh_status()
        self.app.pop_screen()
        self.office.say(words.done(words.EDIT, done.step_label) if done.event else words.NOTHING_CHANGED)

    def _not_done(self, error: Exception) -> None:
        self._is_busy = False
        if isinstance(error, ChangedMeanwhile):
            self._rebase(error.dossier)
        elif getattr(error, "code", "") == "unready":
            by_field, rest = self._start.form.errors(getattr(error, "problems", ()), problem_text)
            self.query_one(FieldForm).show_errors(by_field)
            self.say("; ".join([words.not_complete(len(by_field) + len(rest)), *rest]), StateStyle.LATE)
        else:
            self.complain(error)

    def _rebase(self, dossier: Dossier) -> None:
        """Take what came in between; a field that the officer did not touch shows the new value."""
        form, old = self.query_one(FieldForm), self._start.values
        _, values = _form(self.desk, dossier)
        shown = form.cleaned()
        clashes = {}
        for name, value in values.items():
            if name not in shown or value == old.get(name, ""):
                continue
            if shown[name] == old.get(name, ""):
                form.set_value(name, value)
            elif shown[name] != value:
                clashes[name] = words.now_written(value)
        self._start = self._start._replace(dossier=dossier, values={**old, **values})
        form.show_errors(clashes)
        self.say(words.CHANGED_MEANWHILE, StateStyle.SOON)
