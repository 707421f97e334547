"""What the app is at heart: it paints the unlock screen first, and loads all that is heavy behind it.

Until the first paint nothing of the database, the network or the cryptography is imported; a thread does it
while the official types the passphrase. The app holds what outlives a screen: the desk, how sync stands, the
idle lock. Threads never touch widgets; what they find out comes back as messages.
"""

from __future__ import annotations

import gc
import importlib
import time
from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, ClassVar, NamedTuple, cast

from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.timer import Timer

from commune_client.actions import ACTIONS, EVERYWHERE
from commune_client.desk.place import Place
from commune_client.screens import words
from commune_client.screens.jobs import Asker, Jobs
from commune_client.screens.unlock import UnlockScreen
from commune_client.theme import StateStyle, use_theme

if TYPE_CHECKING:
    from commune_client.desk import Config, Desk
    from commune_client.desk.facts import SyncFacts
    from commune_client.scratch import Scratch
    from commune_client.screens.base import OfficeScreen
    from commune_client.widgets.sync_status import SyncState

__all__ = ["OfficeApp"]

_STATUS_EVERY_S = 60
"""How often the ages in the sync line are counted anew, in seconds."""


class _Opened(NamedTuple):
    """What unlocking gave: the desk, the letters in progress, and who works."""

    desk: Desk
    scratch: Scratch
    who: str
    config: Config


class OfficeApp(Asker, App[int]):
    """What outlives a screen; `app.OnestopApp` adds what the keys do.

    Attributes:
        place: The machine's folder.
        jobs: The thread in which the desk is asked.
        last_words: What is to be told when the screen is gone, because the program was at fault.
    """

    TITLE = "onestop"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(item.key, item.name, item.label, show=False, priority=item.name == "quit")
        for item in ACTIONS
        if item.screen == EVERYWHERE and item.key
    ]

    def __init__(self, place: Place, officer: str = "", *, idle_lock_s: float | None = None) -> None:
        """Make the app.

        Args:
            place: The machine's folder.
            officer: Whose passphrase to ask for; empty to choose.
            idle_lock_s: Seconds without a key after which the screen locks itself; 0 for never, ``None`` for
                what the machine's settings say.
        """
        super().__init__()
        use_theme(self)
        self.place = place
        self.asked_officer = officer
        self.jobs = Jobs()
        self.who = ""
        self._desk: Desk | None = None
        self._scratch: Scratch | None = None
        self._asked_idle_s = idle_lock_s
        self._idle_lock_s = 0.0
        self._last_key_s = time.monotonic()
        self._timers_by_name: dict[str, Timer] = {}
        self.notices = 0
        self.last_words = ""

    # ------------------------------------------------------------------ start

    def on_mount(self) -> None:
        """Paint the unlock screen; everything heavy comes after that."""
        self.push_screen(UnlockScreen())
        self.call_after_refresh(self.warm_up)

    def warm_up(self) -> None:
        """Load, in a thread, what is needed once the passphrase is there."""
        gc.enable()
        self.work(self._read_place, self._show_officers, self._show_no_officers)
        self.work(_import_office, lambda _: None)

    def read_officers(self, said: str) -> None:
        """Read anew who works here, after the machine was activated.

        Args:
            said: What the unlock screen says; empty for nothing.
        """
        self.work(self._read_place, partial(self._shown_again, said), self._show_no_officers)

    def _shown_again(self, said: str, found: tuple[list[str], str]) -> None:
        self._show_officers(found)
        if said and isinstance(self.screen, UnlockScreen):
            self.screen.say(said)

    def _read_place(self) -> tuple[list[str], str]:
        """Returns who works here, and whose passphrase to ask for."""
        officers = self.place.officers()
        asked = self._desk.name if self._desk else self.asked_officer  # after a lock: who was there
        return officers, asked if asked in officers else self.place.default_officer()

    def _show_officers(self, found: tuple[list[str], str]) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, UnlockScreen):
                screen.show_officers(*found)

    def _show_no_officers(self, _: Exception) -> None:
        self._show_officers(([], ""))

    # ------------------------------------------------------------------ desk

    @property
    def desk(self) -> Desk:
        """The open desk; only screens that need none exist without it."""
        if self._desk is None:
            raise RuntimeError("no desk is open")
        return self._desk

    @cached_property
    def sync_state(self) -> SyncState:
        """What the line of state shows; nothing is known before the desk is open."""
        from commune_client.widgets.sync_status import SyncState

        return SyncState()

    @property
    def scratch(self) -> Scratch:
        """Forms in progress, of the open desk."""
        if self._scratch is None:
            raise RuntimeError("no desk is open")
        return self._scratch

    @property
    def is_desk_open(self) -> bool:
        """Whether the store is open, locked or not."""
        return self._desk is not None

    @property
    def is_open(self) -> bool:
        """Whether an officer is signed in."""
        return self._desk is not None and not self._desk.is_locked

    def unlock(self, officer: str, passphrase: str) -> None:
        """Open the desk, or sign in on the one that is open; the screen changes when that is done."""
        before = self._desk.name if self._desk else ""
        self.work(
            partial(self._open, officer, passphrase),
            lambda opened: self._opened(opened, is_same=before == officer),
            self._not_opened,
        )

    def _open(self, officer: str, passphrase: str) -> _Opened:
        from commune_client.desk.desk import open_desk
        from commune_client.scratch import Scratch

        desk, scratch = self._desk, self._scratch
        if desk is None or scratch is None:
            secrets = self.place.secrets(officer, passphrase)
            desk = open_desk(self.place, secrets)
            desk.asks_again = True
            scratch = Scratch(self.place.folder, desk.store.database_key)
        else:
            desk.unlock(officer, passphrase)
        scratch.forget_of(desk.erased_ids())
        who = desk.officer
        return _Opened(desk, scratch, words.who(who.name, who.unit_name), self.place.config)

    def _opened(self, opened: _Opened, *, is_same: bool) -> None:
        from commune_client.screens.working_list import ListScreen

        self._desk, self._scratch, self.who, config = opened
        asked = self._asked_idle_s
        self._idle_lock_s = config.idle_lock_min * 60 if asked is None else asked
        self._last_key_s = time.monotonic()
        if is_same:
            self.pop_screen()
        else:
            while len(self.screen_stack) > 1:
                self.pop_screen()
            self.push_screen(ListScreen())
        self.refresh_status()
        self._watch_idle()
        self.again("ages", _STATUS_EVERY_S, self._count_ages)
        self.keep_watch(config)

    def keep_watch(self, config: Config) -> None:
        """Do what goes on while nobody asks for it, on a locked screen too."""

    def exchange_desk(self, desk: Desk, scratch: Scratch) -> None:
        """Go on with the same store, opened anew; called in the desk's thread."""
        self._desk, self._scratch = desk, scratch

    def _not_opened(self, error: Exception) -> None:
        if isinstance(self.screen, UnlockScreen):
            self.screen.refuse(error)

    def jobs_of(self) -> Jobs:
        """Return the thread in which the desk is asked."""
        return self.jobs

    def complain(self, error: Exception) -> None:
        """Say on the screen what went wrong with a call of the app's own."""
        if isinstance(self.screen, UnlockScreen):
            self.screen.refuse(error)
        elif (screen := self._office_screen()) is not None:
            screen.complain(error)

    def say(self, text: str, style: StateStyle = StateStyle.PLAIN) -> None:
        """Say something on the screen that is up, once it is."""
        self.call_later(self._say, text, style)

    def _say(self, text: str, style: StateStyle) -> None:
        if (screen := self._office_screen()) is not None:
            screen.say(text, style)

    def _office_screen(self) -> OfficeScreen | None:
        """Return the screen that is up, when it is one of the office."""
        screen = self.screen
        return cast("OfficeScreen", screen) if hasattr(screen, "compose_body") else None

    # ------------------------------------------------------------------ locking

    def lock(self) -> None:
        """Drop the officer's key and cover the screen; what was typed stays, store and sync go on."""
        if not self.is_open:
            return
        self.desk.lock()
        self.push_screen(UnlockScreen())
        self.work(self._read_place, self._show_officers, self._show_no_officers)

    async def on_event(self, event: events.Event) -> None:
        """Note that somebody is here."""
        if isinstance(event, events.Key | events.Paste | events.MouseEvent):
            self._last_key_s = time.monotonic()
        await super().on_event(event)

    def _watch_idle(self) -> None:
        """Lock when nobody has been here for long enough; otherwise look again when that could be."""
        if not self._idle_lock_s or not self.is_open:
            return
        left = self._last_key_s + self._idle_lock_s - time.monotonic()
        if left <= 0:
            self.lock()
        else:
            self.again("idle", left, self._watch_idle)

    def again(self, name: str, after_s: float, call: Callable[[], None]) -> None:
        """Set the one timer of a name anew: an officer who locks and unlocks does not add to them."""
        if name in self._timers_by_name:
            self._timers_by_name[name].stop()
        self._timers_by_name[name] = self.set_timer(after_s, call)

    # ------------------------------------------------------------------ the line of state

    def refresh_status(self) -> None:
        """Ask the desk how sync stands."""
        if self._desk is not None:
            self.work(self._ask_status, self._take_status)

    def _ask_status(self) -> SyncFacts:
        """Runs in the desk's thread: of the desk that is open by then."""
        return self.desk.status()

    def _count_ages(self) -> None:
        if self.is_open:
            self.refresh_status()
            self.again("ages", _STATUS_EVERY_S, self._count_ages)

    def _take_status(self, facts: SyncFacts) -> None:
        from commune_client.screens.show import sync_state

        self.notices = facts.notices
        self._show_sync(sync_state(facts, self.sync_state.progress))

    def _show_sync(self, state: SyncState) -> None:
        self.sync_state = state
        for screen in self.screen_stack:
            if hasattr(screen, "show_sync"):
                screen.show_sync()

    # ------------------------------------------------------------------ when the program is at fault

    def _fatal_error(self) -> None:
        """End with one sentence. Textual would print a traceback with all values, of citizens too."""
        from commune_client.screens.told import told

        if self._exception is not None:
            self.last_words = told(self._exception, self.place.folder).text
        self._close_messages_no_wait()

    def action_help_quit(self) -> None:
        """Say how to leave; Ctrl+C copies, and ends nothing."""
        self.say(words.HOW_TO_LEAVE)

    # ------------------------------------------------------------------ end

    def finish(self) -> None:
        """Close what is open, after the app has ended; what was typed last is written first."""
        self.jobs.close()
        if self._desk is not None:
            self._desk.close()


_OFFICE_MODULES = (
    "desk.desk", "scratch", "screens.working_list", "screens.intake", "screens.accepted", "screens.dossier",
    "screens.act", "screens.edit", "screens.outbox", "screens.conflicts", "screens.settle", "screens.help",
    "screens.notices", "screens.leave", "screens.trail", "screens.first_run", "screens.asked",
    "screens.machine", "screens.handover", "screens.agencies", "screens.why",
)  # fmt: skip


def _import_office() -> None:
    """Load the library and the other screens; runs in the desk's thread."""
    for name in _OFFICE_MODULES:
        importlib.import_module(f"commune_client.{name}")
