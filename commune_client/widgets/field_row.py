"""One row of a form: focus mark, label, the control, and its error below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static, TextArea

from commune_client import strings
from commune_client.theme import StateStyle
from commune_client.widgets.field_rules import FieldValue, FormField, check_value
from commune_client.widgets.option_field import OptionField
from commune_client.widgets.vn_input import VnInput
from commune_client.widgets.vn_text_area import VnTextArea

_BLANK = "_" * 12
"""Shows where an empty field is when the terminal has no colour for it."""
_BLANK_DATE = "__/__/____"

Control = VnInput | VnTextArea | OptionField


class FormInput(VnInput):
    """A one-line field of a form: Up and Down go to the neighbours, Enter on to the next."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]

    async def action_submit(self) -> None:
        """Let the row, which knows what comes next, go on before the keys that follow are read."""
        self.query_ancestor(FieldRow).leave()


class FormOptions(OptionField):
    """Options in a form: Enter goes on to the next field."""

    def action_leave(self) -> None:
        """Let the row go on."""
        self.query_ancestor(FieldRow).leave()


class FieldRow(Vertical):
    """A field of a form with its label and its error."""

    DEFAULT_CSS = """
    FieldRow { height: auto; }
    FieldRow > Horizontal { height: auto; }
    FieldRow .focus-mark { width: 2; height: 1; color: $accent; text-style: bold; }
    FieldRow .label { width: 30%; min-width: 22; height: auto; padding: 0 1 0 0; }
    FieldRow FormInput.-textual-compact { width: 1fr; background: $surface; padding: 0 1; }
    FieldRow FormInput.-textual-compact:focus { background: $panel; background-tint: transparent; }
    FieldRow VnTextArea { width: 1fr; height: 4; background: $surface; padding: 0 1; border: none; }
    FieldRow VnTextArea:focus { background: $panel; background-tint: transparent; border: none; }
    FieldRow OptionField:focus { background: $panel; }
    FieldRow .error { height: auto; display: none; padding: 0 0 0 2; }
    FieldRow.-wrong .error { display: block; }
    """

    @dataclass
    class Changed(Message):
        """The field's value changed."""

        row: FieldRow
        value: FieldValue

    @dataclass
    class Left(Message):
        """Enter was pressed in the last field of the form."""

        row: FieldRow

    def __init__(self, field: FormField, value: FieldValue) -> None:
        """Make a row.

        Args:
            field: What it holds.
            value: Its first value, as shown on the screen.
        """
        super().__init__()
        self.field = field
        self.error: str | None = None
        self._value = value
        self.control = _make_control(field, value)

    def compose(self) -> ComposeResult:
        """Lay the row out."""
        required = f" {strings.REQUIRED_MARK}" if self.field.required else ""
        with Horizontal():
            yield Static("", classes="focus-mark")
            yield Static(Content(self.field.label + required), classes="label")
            yield self.control
        yield Static("", classes="error")

    @property
    def value(self) -> FieldValue:
        """The value as it stands on the screen."""
        return _read_control(self.control, self.field)

    def set_value(self, value: FieldValue) -> None:
        """Show another value."""
        if isinstance(self.control, OptionField):
            self.control.marked = _as_marks(value)
        elif isinstance(self.control, VnTextArea):
            self.control.load_text(_as_text(value))
        else:
            self.control.value = _as_text(value)
        self._tell_change()

    def show_error(self, error: str | None) -> None:
        """Show what is wrong, or that nothing is."""
        self.error = error
        self.set_class(error is not None, "-wrong")
        text = f"{strings.ERROR_MARK} {error}" if error else ""
        self.query_one(".error", Static).update(Content.styled(text, StateStyle.LATE))

    def leave(self) -> None:
        """Go on to the next field at once; the form hears of it after the last one."""
        if self.is_last:
            self.post_message(self.Left(self))
        else:
            self.screen.focus_next()

    @property
    def is_last(self) -> bool:
        """Whether no other field follows in this form."""
        return self.parent is not None and self.parent.children[-1] is self

    def on_descendant_focus(self) -> None:
        """Mark the row in ASCII too."""
        self.query_one(".focus-mark", Static).update(">")

    def on_descendant_blur(self) -> None:
        """Take the mark away."""
        self.query_one(".focus-mark", Static).update("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Pass a change on."""
        event.stop()
        self._tell_change()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Pass a change on."""
        event.stop()
        self._tell_change()

    def on_option_field_changed(self, event: OptionField.Changed) -> None:
        """Pass a change on."""
        event.stop()
        self._tell_change()

    def _tell_change(self) -> None:
        """Post a change, once; the messages that Textual posts when it mounts a field change nothing.

        A field that was wrong is checked again as it is mended.
        """
        value = self.value
        if value != self._value:
            self._value = value
            if self.error is not None:
                self.show_error(check_value(self.field, value))
            self.post_message(self.Changed(self, value))


def _make_control(field: FormField, value: FieldValue) -> Control:
    """Make the widget for a kind of field."""
    widget_id = f"field-{field.name}"
    if field.has_options:
        is_multiple = field.kind == "checklist"
        return FormOptions(field.options, _as_marks(value), is_multiple=is_multiple, widget_id=widget_id)
    if field.kind == "multiline":
        return VnTextArea(
            _as_text(value), limit=field.max_length, placeholder=_BLANK, id=widget_id, compact=True
        )
    blank = _BLANK_DATE if field.kind == "date" else _BLANK
    return FormInput(_as_text(value), limit=field.max_length, placeholder=blank, id=widget_id, compact=True)


def _read_control(control: Control, field: FormField) -> FieldValue:
    if isinstance(control, OptionField):
        return control.marked if field.kind == "checklist" else "".join(control.marked[:1])
    return control.text if isinstance(control, VnTextArea) else control.value


def _as_text(value: FieldValue) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def _as_marks(value: FieldValue) -> tuple[str, ...]:
    if isinstance(value, tuple):
        return value
    return (value,) if value else ()
