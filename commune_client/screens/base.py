"""What all screens of the office share: heading, a line to say things, keys, and the sync line."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from commune_client.actions import Action, actions_on
from commune_client.screens.jobs import Asker, Jobs
from commune_client.screens.told import told, tone
from commune_client.theme import StateStyle
from commune_client.widgets.key_line import KeyLine
from commune_client.widgets.sync_status import SyncStatus

if TYPE_CHECKING:
    from commune_client.app import OnestopApp
    from commune_client.desk import Desk

__all__ = ["OfficeScreen", "bindings_of"]


def bindings_of(screen: str) -> list[BindingType]:
    """Returns the key bindings of a screen's own actions."""
    return [
        Binding(item.key, item.name, item.label, show=False)
        for item in actions_on(screen)
        if item.key and item.screen == screen
    ]


class OfficeScreen(Asker, Screen[None]):
    """A screen of the office.

    Attributes:
        NAME: What `Action.screen` calls it.
        HEADING: Its Vietnamese name.
    """

    NAME: ClassVar[str] = ""
    HEADING: ClassVar[str] = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012 - Textual declares it so
    AUTO_FOCUS = "RowList, FormInput, VnInput, OptionField, VnTextArea, .scroll"

    DEFAULT_CSS = """
    OfficeScreen { background: $background; }
    OfficeScreen > .heading { height: 1; width: 1fr; background: $panel; padding: 0 1; }
    OfficeScreen > .heading Static { width: auto; }
    OfficeScreen > .heading .title { width: 1fr; text-style: bold; }
    OfficeScreen > .say { height: auto; max-height: 5; display: none; padding: 0 1; background: $surface; }
    OfficeScreen > .say.-on { display: block; }
    """

    @property
    def office(self) -> OnestopApp:
        """The app."""
        return cast("OnestopApp", self.app)

    @property
    def desk(self) -> Desk:
        """The open desk."""
        return self.office.desk

    def jobs_of(self) -> Jobs:
        """Return the thread in which the desk is asked."""
        return self.office.jobs

    # ------------------------------------------------------------------ frame

    def compose(self) -> ComposeResult:
        """Lay out what all screens share around what this one has."""
        with Horizontal(classes="heading"):
            yield Static(Content(self.HEADING), classes="title")
            yield Static(Content(self.office.who), classes="who")
        yield from self.compose_body()
        yield Static("", classes="say")
        yield KeyLine(self.key_actions())
        yield SyncStatus()

    def compose_body(self) -> ComposeResult:
        """Lay out what is this screen's own."""
        yield from ()

    def key_actions(self) -> tuple[Action, ...]:
        """Actions for the line of keys, in the order in which they stand there."""
        return tuple(item for item in actions_on(self.NAME) if item.key and item.name != "quit")

    def set_heading(self, text: str) -> None:
        """Show another heading."""
        for title in self.query(".title").results(Static):
            title.update(Content(text))

    def on_screen_resume(self) -> None:
        """Show how sync stands, and what is new, each time the screen comes up."""
        self.show_sync()
        self.reload()

    def show_sync(self) -> None:
        """Show how sync stands."""
        for line in self.query(SyncStatus):
            line.state = self.office.sync_state

    def reload(self) -> None:
        """Ask the desk anew for what is shown."""

    def leave(self) -> None:
        """Go back to the screen before."""
        self.app.pop_screen()

    # ------------------------------------------------------------------ saying things

    def say(self, text: str, style: StateStyle = StateStyle.PLAIN) -> None:
        """Say something above the keys; it stays until the next thing is said."""
        for line in self.query(".say").results(Static):
            line.update(Content.styled(text, style))
            line.set_class(bool(text), "-on")

    def complain(self, error: Exception) -> None:
        """Say in one sentence what went wrong; what stands on the screen stays."""
        self.say(told(error, self.office.place.folder).text, tone(error))
