"""A tiny app, run in a pseudo-terminal by the tests: fields; F12 writes their values and quits.

Usage: python -m tests.pty.typing_app OUTPUT.json KIND...
KIND is stock, stock-area, input, area or form.
"""

import json
import sys
from pathlib import Path
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input, TextArea

from commune_client.theme import use_theme
from commune_client.widgets.field_form import FieldForm
from commune_client.widgets.field_rules import FormField
from commune_client.widgets.vn_input import VnInput
from commune_client.widgets.vn_text_area import VnTextArea

FORM = [
    FormField("name", "Họ và tên"),
    FormField("copy", "Bản sao", kind="checklist", options=(("a", "Một"), ("b", "Hai"))),
    FormField("note", "Ghi chú"),
]


class TypingApp(App[None]):
    """The fields, one below the other, the first in focus."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f12", "finish")]

    def __init__(self, output: Path, kinds: list[str]) -> None:
        super().__init__()
        use_theme(self)
        self.output = output
        self.kinds = kinds

    def compose(self) -> ComposeResult:
        """Lay the fields out."""
        for kind in self.kinds:
            yield make_field(kind)

    def on_mount(self) -> None:
        """Say that keys are taken, once the first field has the focus."""
        self.call_after_refresh(lambda: self.output.with_suffix(".ready").touch())

    def action_finish(self) -> None:
        """Write the values and quit."""
        values = [read_field(field) for field in self.screen.query("Input, TextArea, FieldForm")]
        self.output.write_text(json.dumps(values), encoding="utf-8")
        self.exit()


def make_field(kind: str) -> Widget:
    """Make a field of a kind."""
    if kind == "form":
        return FieldForm(FORM)
    makers: dict[str, type[Widget]] = {
        "stock": Input,
        "stock-area": TextArea,
        "input": VnInput,
        "area": VnTextArea,
    }
    return makers[kind]()


def read_field(field: Widget) -> object:
    """Return what a field holds."""
    if isinstance(field, Input):
        return field.value
    if isinstance(field, FieldForm):
        return field.values()
    assert isinstance(field, TextArea)
    return field.text


if __name__ == "__main__":
    TypingApp(Path(sys.argv[1]), sys.argv[2:]).run()
