"""The first screen of a new machine: the address and the code on the sheet, then who works here.

What the code is for is shown before any key is made, to be compared with the sheet. Each officer chooses
their own name and passphrase; whoever is not there comes later. Nothing is lost by leaving: the same again
goes on.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from commune_client.screens import words
from commune_client.screens.jobs import Asker, Jobs
from commune_client.theme import StateStyle
from commune_client.widgets.option_field import OptionField
from commune_client.widgets.vn_input import VnInput

if TYPE_CHECKING:
    from commune_client.app import OnestopApp
    from commune_client.desk.enrolment import Answered
    from onestop_sync.enrol_proof import Offer

__all__ = ["FirstRunScreen"]

_MIN_PASSPHRASE = 8


class StepInput(VnInput):
    """A field of this screen: Enter goes on to the next one, and from the last one does the step."""

    async def action_submit(self) -> None:
        """Go on."""
        cast("FirstRunScreen", self.screen).go_on(self)


class WhoChoice(OptionField):
    """Which officer sits here: Enter takes the line, and goes on to the passphrase."""

    def action_leave(self) -> None:
        """Take the line, and go on."""
        self.action_mark()
        self.screen.query_one("#passphrase", StepInput).focus()


class FirstRunScreen(Asker, Screen[None]):
    """Activates a machine by its code."""

    AUTO_FOCUS: ClassVar[str] = "StepInput"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]
    DEFAULT_CSS = """
    FirstRunScreen { align: center middle; background: $background; }
    FirstRunScreen > .box { width: 76; max-width: 100%; height: auto; padding: 1 2; background: $surface; }
    FirstRunScreen .head { margin: 0 0 1 0; height: auto; }
    FirstRunScreen .step, FirstRunScreen .line { height: auto; }
    FirstRunScreen .label { width: 15; }
    FirstRunScreen OptionField { background: $surface; max-height: 6; padding: 0; }
    FirstRunScreen OptionField:focus { background: $panel; }
    FirstRunScreen StepInput.-textual-compact { width: 1fr; background: $panel; padding: 0 1; }
    FirstRunScreen StepInput.-textual-compact:focus { background: $panel; background-tint: transparent; }
    FirstRunScreen .say { height: auto; min-height: 2; margin: 1 0 0 0; }
    """

    def __init__(self) -> None:
        """Make the screen, at its first step."""
        super().__init__()
        self._offer: Offer | None = None
        self._first: tuple[str, str] | None = None
        self._is_busy = False

    @property
    def office(self) -> OnestopApp:
        """The app."""
        return cast("OnestopApp", self.app)

    def jobs_of(self) -> Jobs:
        """Return the thread in which the desk is asked."""
        return self.office.jobs

    # ------------------------------------------------------------------ what is shown

    def compose(self) -> ComposeResult:
        """Lay the screen out."""
        with Vertical(classes="box"):
            yield Static(
                Content.assemble((words.PRODUCT, "bold $primary"), "\n", words.ACTIVATE), classes="head"
            )
            yield Vertical(classes="step")
            yield Static("", classes="say")
            yield Static(Content.styled(words.ACTIVATE_HINT, StateStyle.QUIET))

    async def on_mount(self) -> None:
        """Ask for address and code."""
        parents = self.office.place.config.parents
        await self._show(
            (words.SERVER, StepInput(parents[0] if parents else "", compact=True, limit=200, id="server")),
            (words.ACTIVATION_CODE, StepInput(compact=True, limit=60, id="code")),
        )
        self.query_one("#code" if parents else "#server").focus()
        self.say(words.CODE_HELP)

    async def _show(self, *rows: tuple[str, StepInput | WhoChoice | Static]) -> None:
        step = self.query_one(".step", Vertical)
        await step.remove_children()
        for label, field in rows:
            await step.mount(Horizontal(Static(Content(label), classes="label"), field, classes="line"))

    def say(self, text: str, style: StateStyle = StateStyle.PLAIN) -> None:
        """Say something below the fields."""
        self.query_one(".say", Static).update(Content.styled(text, style))

    def complain(self, error: Exception) -> None:
        """Say why it did not go on; what was typed stays."""
        from commune_client.screens.told import told, tone

        self._is_busy = False
        self.say(told(error, self.office.place.folder).text, tone(error))

    # ------------------------------------------------------------------ what is done

    def go_on(self, field: StepInput) -> None:
        """Go to the next field; from the last one, do the step."""
        fields = list(self.query(StepInput))
        if field is not fields[-1]:
            fields[fields.index(field) + 1].focus()
        elif not self._is_busy:
            self._is_busy = True
            if self._offer is None:
                self._look()
            else:
                self._activate()

    def _typed(self, name: str) -> str:
        return self.query_one(f"#{name}", StepInput).value

    def _look(self) -> None:
        from commune_client.desk.line import whole_address

        server, code = whole_address(self._typed("server")), self._typed("code")
        self.say(words.ASKING)
        self.work(partial(_look, self.office.place, server, code), partial(self._looked, server, code))

    async def _looked_on(self, offer: Offer) -> None:
        from commune_client.cli.words import roles_words

        here = set(self.office.place.officers())
        left = [(name, f"{name}: {roles_words(roles)}") for name, roles in offer.officers]
        if self._first is not None:
            left = [pair for pair in left if pair[0] not in here]
        await self._show(
            (words.UNIT, Static(Content(offer.unit_name))),
            (words.MACHINE, Static(Content(offer.machine_name))),
            (words.OFFICER, WhoChoice(left, (left[0][0],) if len(left) == 1 else ())),
            (words.UNLOCK_NEW, StepInput(password=True, compact=True, limit=1000, id="passphrase")),
            (words.AGAIN, StepInput(password=True, compact=True, limit=1000, id="again")),
        )
        (self.query_one("#passphrase") if len(left) == 1 else self.query_one(WhoChoice)).focus()

    def _looked(self, server: str, code: str, offer: Offer) -> None:
        self._is_busy = False
        self._offer, self._server, self._code = offer, server, code
        if not offer.officers:
            self.say(words.NO_OFFICER, StateStyle.SOON)
            self._offer = None
            return
        self.run_worker(self._looked_on(offer))
        self.say(words.COMPARE_SHEET)

    def _activate(self) -> None:
        marked = self.query_one(WhoChoice).marked
        passphrase, again = self._typed("passphrase"), self._typed("again")
        wrong = (
            words.OFFICER_MISSING if not marked
            else words.UNLOCK_SHORT if len(passphrase) < _MIN_PASSPHRASE
            else words.UNLOCK_DIFFERS if passphrase != again
            else ""
        )  # fmt: skip
        if wrong:
            self._is_busy = False
            self.say(wrong, StateStyle.SOON)
            return
        self.say(words.ACTIVATING)
        who = (marked[0], passphrase)
        call = partial(_activate, self.office.place, self._server, self._code, who, self._first)
        self.work(call, partial(self._activated, who))

    def _activated(self, who: tuple[str, str], answered: Answered | None) -> None:
        self._is_busy = False
        if answered is None:
            self.say(words.WAITING_FOR_APPROVAL, StateStyle.SOON)
            return
        self._first = self._first or who
        offer = self._offer
        here = set(self.office.place.officers())
        if offer is not None and any(name not in here for name, _ in offer.officers):
            self.run_worker(self._looked_on(offer))
            self.say(words.NEXT_OFFICER.format(who[0]))
        else:
            self._finish()

    def _finish(self) -> None:
        self.dismiss()
        self.office.read_officers(words.ACTIVATED)

    def action_leave(self) -> None:
        """Go back to unlocking; with an officer here already, that can be done."""
        if self._first is not None:
            self._finish()
        else:
            self.dismiss()
            self.office.read_officers("")


def _look(place: Any, server: str, code: str) -> Offer:
    from commune_client.desk.activation import look

    return look(place, [server] if server else [], code)


def _activate(
    place: Any, server: str, code: str, who: tuple[str, str], first: tuple[str, str] | None
) -> Answered | None:
    from commune_client.desk.activation import activate, add_by_code

    if first is None:
        return activate(place, [server], code, *who)
    return add_by_code(place, place.secrets(*first), [server], code, *who)
