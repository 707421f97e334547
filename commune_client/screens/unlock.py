"""The first screen: who works, and the passphrase. It is painted before anything heavy is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from commune_client.screens import words
from commune_client.theme import StateStyle
from commune_client.widgets.option_field import OptionField
from commune_client.widgets.vn_input import VnInput

if TYPE_CHECKING:
    from commune_client.app import OnestopApp

__all__ = ["UnlockScreen"]


class PassphraseInput(VnInput):
    """The field of the passphrase: Enter opens."""

    async def action_submit(self) -> None:
        """Try what was typed."""
        cast("UnlockScreen", self.screen).attempt()


class OfficerChoice(OptionField):
    """Who works: Enter takes the line with the cursor, and goes on to the passphrase."""

    def action_leave(self) -> None:
        """Take the line, and go on."""
        self.action_mark()
        self.screen.query_one(PassphraseInput).focus()


class UnlockScreen(Screen[None]):
    """Who works, and the passphrase."""

    AUTO_FOCUS: ClassVar[str] = "PassphraseInput"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2", "activate", words.ACTIVATE_AGAIN, show=False)]
    DEFAULT_CSS = """
    UnlockScreen { align: center middle; background: $background; }
    UnlockScreen > .box { width: 64; max-width: 96%; height: auto; padding: 1 2; background: $surface; }
    UnlockScreen .office { margin: 0 0 1 0; }
    UnlockScreen .line { height: auto; margin: 0 0 1 0; }
    UnlockScreen .label { width: 12; }
    UnlockScreen OptionField { background: $surface; max-height: 8; padding: 0; }
    UnlockScreen OptionField:focus { background: $panel; }
    UnlockScreen PassphraseInput.-textual-compact { width: 1fr; background: $panel; padding: 0 1; }
    UnlockScreen PassphraseInput.-textual-compact:focus { background: $panel; background-tint: transparent; }
    UnlockScreen .say { height: auto; min-height: 2; }
    """

    def __init__(self) -> None:
        """Make the screen; officers are shown when they are known."""
        super().__init__()
        self._officers: list[str] = []
        self._is_busy = False

    @property
    def office(self) -> OnestopApp:
        """The app."""
        return cast("OnestopApp", self.app)

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        with Vertical(classes="box"):
            yield Static(
                Content.assemble((words.PRODUCT, "bold $primary"), "\n", words.OFFICE), classes="office"
            )
            with Horizontal(classes="line officers"):
                yield Static(Content(words.OFFICER), classes="label")
                yield Static(Content.styled(words.READING_OFFICERS, StateStyle.QUIET), classes="reading")
            with Horizontal(classes="line"):
                yield Static(Content(words.UNLOCK_WITH), classes="label")
                yield PassphraseInput(password=True, compact=True, limit=1000)
            yield Static("", classes="say")
            yield Static(Content.styled(words.UNLOCK_HINT, StateStyle.QUIET))
        if self.office.is_desk_open:
            from commune_client.widgets.sync_status import SyncStatus

            yield SyncStatus()

    def on_mount(self) -> None:
        """Say that the screen was locked, when it was."""
        if self.office.is_desk_open:
            self.say(words.LOCKED)
            self.show_sync()

    def show_sync(self) -> None:
        """Show how sync stands; it goes on while the screen is locked."""
        from commune_client.widgets.sync_status import SyncStatus

        for line in self.query(SyncStatus):
            line.state = self.office.sync_state

    def show_officers(self, officers: list[str], chosen: str) -> None:
        """Show who can unlock.

        Args:
            officers: Their names.
            chosen: Whose passphrase is asked for; empty when that is open.
        """
        self._officers = officers
        for old in self.query(".reading, OfficerChoice"):
            old.remove()
        line = self.query_one(".officers")
        if not officers:
            line.mount(Static("-", classes="reading"))
            self.say(self._nobody, StateStyle.SOON)
            return
        field = OfficerChoice([(name, name) for name in officers], (chosen,) if chosen else ())
        line.mount(field)
        if not chosen and not self.query_one(PassphraseInput).value:
            field.call_after_refresh(field.focus)

    @property
    def _nobody(self) -> str:
        return words.KEYS_UNREADABLE if self.office.place.is_set_up else words.NOT_SET_UP

    def action_activate(self) -> None:
        """Activate this machine by a code, while it is not enrolled."""
        place = self.office.place
        if place.is_enrolled or (place.is_set_up and not self._officers):
            self.say(self._nobody if not self._officers else "", StateStyle.SOON)
            return
        from commune_client.screens.first_run import FirstRunScreen

        self.app.push_screen(FirstRunScreen())

    def say(self, text: str, style: StateStyle = StateStyle.PLAIN) -> None:
        """Say something below the fields."""
        self.query_one(".say", Static).update(Content.styled(text, style))

    def on_input_changed(self) -> None:
        """Take away what was said of the last attempt, once somebody types again."""
        if not self._is_busy and self.query_one(PassphraseInput).value:
            self.say("")

    def attempt(self) -> None:
        """Try to unlock with what was typed."""
        passphrase = self.query_one(PassphraseInput).value
        marked = [name for field in self.query(OfficerChoice) for name in field.marked]
        if self._is_busy:
            return
        if not self._officers:
            self.action_activate()
        elif not marked:
            self.say(words.OFFICER_MISSING, StateStyle.SOON)
            self.query_one(OfficerChoice).focus()
        elif not passphrase:
            self.say(words.UNLOCK_EMPTY, StateStyle.SOON)
        else:
            self._is_busy = True
            self.say(words.OPENING)
            self.office.unlock(marked[0], passphrase)

    def refuse(self, error: Exception) -> None:
        """Say why it did not open; what was typed goes, as nobody can see what is wrong in it."""
        from commune_client.screens.told import told

        self._is_busy = False
        field = self.query_one(PassphraseInput)
        field.value = ""
        field.focus()
        text = told(error, self.office.place.folder).text
        if getattr(error, "details", {}).get("reason") == "not_enrolled":
            text = f"{text} {words.ACTIVATE_AGAIN}."
        self.say(text, StateStyle.LATE)
