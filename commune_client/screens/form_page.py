"""One form about one thing: filled in, kept letter by letter, and done with Ctrl+S."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Static

from commune_client.scratch import Note
from commune_client.screens import words
from commune_client.screens.base import bindings_of
from commune_client.screens.keeping import KeepingScreen
from commune_client.theme import StateStyle
from commune_client.widgets.field_form import FieldForm
from commune_client.widgets.field_rules import FieldValue, FormField

__all__ = ["FormPage"]


class FormPage(KeepingScreen):
    """Asks for some fields, and calls with them in the desk's thread; stays, and says so, when that fails."""

    NAME = "form"
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("form")
    DEFAULT_CSS = """
    FormPage > .about { height: auto; max-height: 6; padding: 1 1 0 1; margin: 0 0 1 0; }
    """

    def __init__(
        self,
        heading: str,
        about: str,
        fields: Sequence[FormField],
        call: Callable[[Mapping[str, FieldValue]], Any],
        then: Callable[[Any], None],
        *,
        kept_as: str,
    ) -> None:
        """Make the screen.

        Args:
            heading: What is to be done.
            about: What it is about.
            fields: What is asked.
            call: Does it, in the desk's thread.
            then: Runs with the result after the screen is gone.
            kept_as: By which name the letters are kept until it is done.
        """
        super().__init__()
        self._title, self._text, self._fields = heading, about, tuple(fields)
        self._call, self._then, self._kept_as = call, then, kept_as
        self._is_busy = False

    def compose_body(self) -> ComposeResult:
        """Lay out what it is about, and the fields."""
        yield Static(Content(self._text), classes="about")
        yield FieldForm(self._fields, {})

    def on_mount(self) -> None:
        """Say what is to be done, and bring back what was typed before."""
        self.set_heading(self._title)
        self.work(partial(self.office.scratch.read, self._kept_as), self._bring_back)

    def _bring_back(self, note: Note | None) -> None:
        if note is None:
            return
        form = self.query_one(FieldForm)
        for name, value in note.values.items():
            if name in form.values():
                form.set_value(name, tuple(value) if isinstance(value, list) else value)
        self.say(words.OLD_TEXT_BACK)

    def on_field_form_changed(self) -> None:
        """Keep what was typed."""
        desk = self.desk
        values = dict(self.query_one(FieldForm).values())
        self.keeper().put(Note(self._kept_as, values, desk.name, desk.store.clock()))

    def on_field_form_submitted(self) -> None:
        """Say how to go on."""
        self.say(words.PRESS_TO_WRITE)

    def action_save(self) -> None:
        """Check, and do it."""
        form = self.query_one(FieldForm)
        if self._is_busy:
            return
        if errors := form.check_fields():
            self.say(words.not_complete(len(errors)), StateStyle.LATE)
            return
        self._is_busy = True
        self.work(partial(self._call, form.cleaned()), self._done, self._not_done)

    def _done(self, result: Any) -> None:
        self.keeper().drop(self._kept_as)
        self.office.refresh_status()
        self.app.pop_screen()
        self._then(result)

    def _not_done(self, error: Exception) -> None:
        self._is_busy = False
        self.complain(error)
