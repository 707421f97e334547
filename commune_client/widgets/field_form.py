"""A form made from data: scrolled rows, and below them the count and the help of the field in focus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from commune_client import strings
from commune_client.theme import StateStyle
from commune_client.widgets.field_row import FieldRow
from commune_client.widgets.field_rules import FieldValue, FormField, check_value, clean_value, shown_value
from commune_client.widgets.messages import OverLimit


class FieldForm(Vertical):
    """A form; Tab, Shift+Tab, Enter and the arrows move in it, and no letter is a command.

    The scrolling part cannot take the focus: with Textual's default `AUTO_FOCUS` it would, and would swallow
    what is typed before the first Tab.
    """

    DEFAULT_CSS = """
    FieldForm { height: 1fr; }
    FieldForm > VerticalScroll { height: 1fr; scrollbar-size-vertical: 1; }
    FieldForm > .hint { height: 1; padding: 0 2; background: $panel; }
    """

    @dataclass
    class Changed(Message):
        """A value changed; the caller keeps a draft.

        Attributes:
            form: The form.
            name: The field's name.
            value: The value as typed, NFC; `FieldForm.cleaned` gives it as stored.
        """

        form: FieldForm
        name: str
        value: FieldValue

        @property
        def control(self) -> FieldForm:
            """The form, for selectors of message handlers."""
            return self.form

    @dataclass
    class Submitted(Message):
        """Enter was pressed in the last field; nothing has been checked."""

        form: FieldForm

        @property
        def control(self) -> FieldForm:
            """The form, for selectors of message handlers."""
            return self.form

    def __init__(
        self,
        fields: Sequence[FormField],
        values: Mapping[str, FieldValue] | None = None,
        *,
        widget_id: str | None = None,
    ) -> None:
        """Make a form.

        Args:
            fields: Its fields, in order; names differ.
            values: First values by name, as stored or as typed; fields without one are empty.
            widget_id: The widget's id.

        Raises:
            ValueError: Two fields have one name.
        """
        super().__init__(id=widget_id)
        given = values or {}
        self._rows = {
            field.name: FieldRow(field, shown_value(field, given.get(field.name, _empty(field))))
            for field in fields
        }
        if len(self._rows) != len(fields):
            raise ValueError("two fields of a form have the same name")

    def compose(self) -> ComposeResult:
        """Lay the form out."""
        yield VerticalScroll(*self._rows.values(), can_focus=False)
        yield Static("", classes="hint")

    def values(self) -> dict[str, FieldValue]:
        """Return all values as they stand on the screen: a draft."""
        return {name: row.value for name, row in self._rows.items()}

    def cleaned(self) -> dict[str, FieldValue]:
        """Return all values as they are stored; sound only after `check_fields` found no error."""
        return {name: clean_value(row.field, row.value) for name, row in self._rows.items()}

    def set_value(self, name: str, value: FieldValue) -> None:
        """Show another value in a field, as a change.

        Raises:
            KeyError: The form has no such field.
        """
        row = self._rows[name]
        row.set_value(shown_value(row.field, value))

    def check_fields(self) -> dict[str, str]:
        """Check every field, show what is wrong, and go to the first wrong one.

        Returns:
            Vietnamese messages by field name; empty when all is well.
        """
        errors: dict[str, str] = {}
        for name, row in self._rows.items():
            error = check_value(row.field, row.value)
            row.show_error(error)
            if error:
                errors[name] = error
        if errors:
            self.focus_field(next(iter(errors)))
        self._show_hint()
        return errors

    def show_errors(self, errors: Mapping[str, str]) -> None:
        """Show errors that others found, by field name; names that the form does not have are left out."""
        for name, error in errors.items():
            if name in self._rows:
                self._rows[name].show_error(error)
        self._show_hint()

    def focus_field(self, name: str) -> None:
        """Go to a field.

        Raises:
            KeyError: The form has no such field.
        """
        self._rows[name].control.focus()

    def on_descendant_focus(self) -> None:
        """Show the help of the field in focus."""
        self._show_hint()

    def on_field_row_changed(self, event: FieldRow.Changed) -> None:
        """Tell the caller."""
        event.stop()
        self._show_hint()
        self.post_message(self.Changed(self, event.row.field.name, event.value))

    def on_field_row_left(self, event: FieldRow.Left) -> None:
        """Tell the caller that the last field is done."""
        event.stop()
        self.post_message(self.Submitted(self))

    def on_over_limit(self, event: OverLimit) -> None:
        """Say that text was refused; text that was kept shows in the count."""
        if event.was_refused:
            self._say(
                f"{strings.ERROR_MARK} {strings.text_refused(event.length, event.limit)}", StateStyle.LATE
            )

    def _show_hint(self) -> None:
        """Show how many fields are wrong, and the count and the help of the field in focus."""
        wrong = sum(row.error is not None for row in self._rows.values())
        row = next((row for row in self._rows.values() if row.control.has_focus), None)
        parts = [strings.form_errors(wrong)] if wrong else []
        is_over = False
        if row is not None:
            limit = row.field.max_length
            is_over = 0 < limit < len(row.value)
            parts += [strings.limit_count(len(row.value), limit)] if limit else []
            parts.append(row.field.hint)
        self._say(strings.SEPARATOR.join(parts), StateStyle.LATE if wrong or is_over else StateStyle.PLAIN)

    def _say(self, text: str, style: StateStyle) -> None:
        """Show a line below the fields."""
        self.query_one(".hint", Static).update(Content.styled(text, style))


def _empty(field: FormField) -> FieldValue:
    return () if field.kind == "checklist" else ""
