"""Asks for a passphrase, or a few short lines, and does what they are for; nothing typed here is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from commune_client.actions import Action, action
from commune_client.screens import words
from commune_client.screens.base import OfficeScreen
from commune_client.theme import StateStyle
from commune_client.widgets.vn_input import VnInput

__all__ = ["AskScreen", "Line"]


class Line(NamedTuple):
    """One thing to type.

    Attributes:
        label: What it is.
        is_secret: Whether dots are shown, and it goes when the screen is left or covered.
        value: What stands there at first.
    """

    label: str
    is_secret: bool = True
    value: str = ""


class LineInput(VnInput):
    """One line: Enter goes to the next, and on the last does it."""

    async def action_submit(self) -> None:
        """Go on, or do it."""
        cast("AskScreen", self.screen).go_on(self)


class AskScreen(OfficeScreen):
    """Asks for some lines, and calls with them.

    The call runs in the desk's thread. It raises when it was not done: the screen says so and stays.
    """

    NAME = "asked"
    AUTO_FOCUS = "LineInput"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+s", "save", show=False)]
    DEFAULT_CSS = """
    AskScreen > .about { height: auto; padding: 1 1 0 1; margin: 0 0 1 0; }
    AskScreen > .lines { height: 1fr; padding: 0 1; }
    AskScreen .line { height: 1; margin: 0 0 1 0; }
    AskScreen .label { width: 22; }
    AskScreen LineInput.-textual-compact { width: 1fr; max-width: 60; background: $panel; padding: 0 1; }
    AskScreen LineInput.-textual-compact:focus { background: $panel; background-tint: transparent; }
    """

    def __init__(
        self,
        heading: str,
        about: str,
        lines: Sequence[Line],
        call: Callable[..., Any],
        then: Callable[[Any], None],
        *,
        check: Callable[..., str] | None = None,
    ) -> None:
        """Make the screen.

        Args:
            heading: What is to be done.
            about: What happens then.
            lines: What to type.
            call: Does it, given what was typed, in the desk's thread.
            then: Runs with the result after the screen is gone.
            check: Says what is wrong with what was typed; empty for nothing.
        """
        super().__init__()
        self._title = heading
        self._text = about
        self._lines = tuple(lines)
        self._call = call
        self._then = then
        self._check = check
        self._is_busy = False

    def compose_body(self) -> ComposeResult:
        """Lay out what it is about, and the lines."""
        yield Static(Content(self._text), classes="about")
        with Vertical(classes="lines"):
            for line in self._lines:
                with Horizontal(classes="line"):
                    yield Static(Content(line.label), classes="label")
                    yield LineInput(line.value, password=line.is_secret, compact=True, limit=1000)

    def key_actions(self) -> tuple[Action, ...]:
        """Do it, go back, help."""
        return (action("save", "asked"), action("back"), action("help"))

    def on_mount(self) -> None:
        """Say what is to be done."""
        self.set_heading(self._title)

    def on_screen_suspend(self) -> None:
        """Forget passphrases when something covers the screen, the lock above all."""
        self._forget()

    def _forget(self) -> None:
        for field in self.query(LineInput):
            if field.password:
                field.value = ""

    def go_on(self, field: LineInput) -> None:
        """Go to the next line, or do it after the last."""
        fields = list(self.query(LineInput))
        if field is fields[-1]:
            self.action_save()
        else:
            self.set_focus(fields[fields.index(field) + 1])

    def action_save(self) -> None:
        """Check what was typed, and do it."""
        fields = list(self.query(LineInput))
        typed = [field.value for field in fields]
        empty = next((field for field in fields if not field.value), None)
        if self._is_busy:
            return
        if empty is not None:
            self.say(words.LINE_EMPTY, StateStyle.SOON)
            empty.focus()
        elif self._check and (wrong := self._check(*typed)):
            self.say(wrong, StateStyle.LATE)
        else:
            self._is_busy = True
            self.say(words.WORKING)
            self.work(lambda: self._call(*typed), self._done, self._not_done)

    def _done(self, result: Any) -> None:
        self._forget()
        if self.app.screen is self:
            self.app.pop_screen()
        self._then(result)

    def _not_done(self, error: Exception) -> None:
        self._is_busy = False
        self._forget()
        self.query_one(LineInput).focus()
        self.complain(error)
