"""The app with everything that its keys do: synchronising, and going from screen to screen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.message import Message
from textual.screen import Screen

from commune_client.actions import ACTIONS, EVERYWHERE
from commune_client.chores import BackedUp, Chores
from commune_client.office_app import OfficeApp
from commune_client.screens import words
from commune_client.screens.unlock import UnlockScreen
from commune_client.theme import StateStyle

if TYPE_CHECKING:
    from commune_client.desk import Config, Desk
    from commune_client.desk.facts import SyncFacts, SyncResult

__all__ = ["OnestopApp"]

_PROGRESS_EVERY_S = 0.3
"""How often a running sync is looked at, in seconds."""
_LIST_DEPTH = 2
"""Screens on the stack when the working list is up: Textual's own, and the list."""
_OFFICE_ACTIONS = frozenset(item.name for item in ACTIONS if item.screen == EVERYWHERE) - {"quit"}


@dataclass
class Synced(Message):
    """A sync has ended.

    Attributes:
        result: What it came to; None when it failed.
        error: Why it failed.
        is_quiet: Whether nobody had asked for it: then only the line of state changes.
    """

    result: SyncResult | None
    error: Exception | None
    is_quiet: bool = False


class OnestopApp(OfficeApp):
    """The commune's screen."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Make the app; see `OfficeApp`."""
        super().__init__(*arguments, **options)
        self._is_syncing = False
        self.chores = Chores(self)

    # ------------------------------------------------------------------ synchronising

    def action_sync(self) -> None:
        """Synchronise in a thread of its own; the screen is free meanwhile."""
        if self._is_syncing:
            self.say(words.SYNC_RUNNING)
        else:
            self._start_sync(is_quiet=False)

    def _start_sync(self, *, is_quiet: bool) -> None:
        self._is_syncing = True
        total = self.sync_state.unsent
        self._show_sync(replace(self.sync_state, progress=(0, total)))
        self.run_worker(partial(self._sync, self.desk, is_quiet), thread=True, exit_on_error=False)
        self.set_timer(_PROGRESS_EVERY_S, partial(self._look, total))

    def _sync(self, desk: Desk, is_quiet: bool) -> None:  # noqa: FBT001 - private
        """Runs in its own thread; what it finds out goes back as a message."""
        try:
            self.post_message(Synced(desk.sync(), None, is_quiet))
        except Exception as error:  # noqa: BLE001 - whatever it is, the work is kept and the screen says so
            self.post_message(Synced(None, error, is_quiet))

    def _look(self, total: int) -> None:
        """Count what has gone up; the store knows, as acks are stored when they come."""
        if self._is_syncing:
            self.work(self.desk.status, partial(self._moved, total))
            self.set_timer(_PROGRESS_EVERY_S, partial(self._look, total))

    def _moved(self, total: int, facts: SyncFacts) -> None:
        from commune_client.screens.show import sync_state

        if self._is_syncing:
            total = max(total, facts.unsent)
            self._show_sync(sync_state(facts, (total - facts.unsent, total)))

    def on_synced(self, event: Synced) -> None:
        """Say what it came to; no line is an ordinary state."""
        self._is_syncing = False
        self._show_sync(replace(self.sync_state, progress=None))
        if event.is_quiet:
            self.refresh_status()
            if event.result is not None and event.result.received and self.is_open:
                self.reload_list()
        elif event.result is not None:
            self.work(self.desk.status, partial(self._finished, event.result))
        elif event.error is not None:
            self.refresh_status()
            if getattr(event.error, "code", "") == "unreachable":
                self.say(words.OFFLINE_CALM)
            else:
                self.complain(event.error)

    def _finished(self, result: SyncResult, facts: SyncFacts) -> None:
        self._take_status(facts)
        told = [words.synced(result.sent, result.received, facts.unsent, facts.unsent_files[0])]
        if result.refused:
            told.append(words.REFUSED_UP.format(len(result.refused)))
        if result.was_rolled_back:
            told.append(words.ROLLED_BACK)
        self.say(". ".join(told))
        if (screen := self._office_screen()) is not None:
            screen.reload()

    def reload_list(self) -> None:
        """Show what came in where it disturbs nobody: in the list."""
        from commune_client.screens.working_list import ListScreen

        if isinstance(self.screen, ListScreen):
            self.screen.reload()

    # ------------------------------------------------------------------ what goes on by itself

    def keep_watch(self, config: Config) -> None:
        """Synchronise now and then, and back up once a day, on a locked screen too."""
        if config.sync_every_min and config.parents:
            self.again("sync", config.sync_every_min * 60, partial(self._sync_quietly, config))
        self.chores.watch_backup()

    def _sync_quietly(self, config: Config) -> None:
        if not self._is_syncing:
            self._start_sync(is_quiet=True)
        self.again("sync", config.sync_every_min * 60, partial(self._sync_quietly, config))

    @property
    def is_busy_outside(self) -> bool:
        """Whether a thread works on the store that the desk's own does not wait for."""
        return self._is_syncing or self.chores.is_backing_up

    def start_backup(self) -> None:
        """Write a backup in a thread of its own; the screen is free meanwhile."""
        self.chores.start_backup(is_quiet=False)

    def on_backed_up(self, event: BackedUp) -> None:
        """Say what it came to."""
        self.chores.take(event)

    # ------------------------------------------------------------------ the machine

    def action_passphrase(self) -> None:
        """Change one's passphrase."""
        from commune_client.screens.machine import ask_passphrase

        ask_passphrase(self)

    def action_backup(self) -> None:
        """Write a backup now."""
        from commune_client.screens.machine import ask_backup

        ask_backup(self)

    def action_remove_officer(self) -> None:
        """Remove an officer from this machine."""
        from commune_client.screens.machine import ask_dismissal

        if self.is_busy_outside:
            self.say(words.BUSY_LINE, StateStyle.SOON)
            return
        self._to_list()
        ask_dismissal(self)

    # ------------------------------------------------------------------ actions of every screen

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's
        """Allow the office's actions only while somebody is signed in."""
        if action in _OFFICE_ACTIONS:
            return self.is_open and not isinstance(self.screen, UnlockScreen)
        return True

    def _go(self, screen: Screen[None]) -> None:
        """Show a screen above the list; forms that are left are kept."""
        self._to_list()
        self.push_screen(screen)

    def _to_list(self) -> None:
        while len(self.screen_stack) > _LIST_DEPTH:
            self.pop_screen()

    def action_intake(self) -> None:
        """Take in a dossier, or open a draft."""
        from commune_client.screens.intake import choose_procedure

        self._to_list()
        choose_procedure(self)

    def action_list(self) -> None:
        """Go back to the list."""
        self._to_list()

    def action_search(self) -> None:
        """Search in the list."""
        from commune_client.screens.working_list import ListScreen

        self._to_list()
        if isinstance(self.screen, ListScreen):
            self.screen.focus_search()

    def action_outbox(self) -> None:
        """Show what is not sent."""
        from commune_client.screens.outbox import OutboxScreen

        self._go(OutboxScreen())

    def action_notices(self) -> None:
        """Show what changed after the fact."""
        from commune_client.screens.notices import NoticesScreen

        self._go(NoticesScreen())

    def action_conflicts(self) -> None:
        """Show what must be settled: of the dossier on the screen when there is something, else of all."""
        from commune_client.screens.conflicts import ConflictsScreen
        from commune_client.screens.dossier import DossierScreen

        screen = self.screen
        if isinstance(screen, DossierScreen) and screen.dossier and screen.dossier.view.issues:
            self.push_screen(ConflictsScreen(screen.doc))
        else:
            self._go(ConflictsScreen())

    def action_handover(self) -> None:
        """Show what is to be handed on, or signed for."""
        from commune_client.screens.handover import HandoverScreen

        self._go(HandoverScreen())

    def action_agencies(self) -> None:
        """Show which agencies have not answered."""
        from commune_client.screens.agencies import AgenciesScreen

        self._go(AgenciesScreen())

    def action_trail(self) -> None:
        """Show the audit trail."""
        from commune_client.screens.trail import TrailScreen

        self._go(TrailScreen())

    def action_register(self) -> None:
        """Show the register of a year."""
        from commune_client.screens.register import ask_register

        ask_register(self)

    def action_report(self) -> None:
        """Show the report of the quarter that runs."""
        from commune_client.screens.report import ReportScreen

        self._go(ReportScreen())

    def action_awaiting(self) -> None:
        """Show what lies beyond a cut, and waits for a head."""
        from commune_client.screens.awaiting import AwaitingScreen

        self._go(AwaitingScreen())

    def action_difficulties(self) -> None:
        """Show difficulties and obstacles."""
        from commune_client.screens.difficulties import DifficultiesScreen

        self._go(DifficultiesScreen())

    def action_complaints(self) -> None:
        """Show complaints and suggestions."""
        from commune_client.screens.complaints import ComplaintsScreen

        self._go(ComplaintsScreen())

    def action_import_register(self) -> None:
        """Take an older register in."""
        from commune_client.screens.import_register import ask_import

        ask_import(self)

    def action_help(self) -> None:
        """Explain the screen."""
        from commune_client.screens.help import HelpScreen

        screen = self._office_screen()
        if screen is not None and not isinstance(screen, HelpScreen):
            self.push_screen(HelpScreen(screen.NAME))

    def action_palette(self) -> None:
        """Offer everything that can be done."""
        from commune_client.screens.help import show_palette

        show_palette(self)

    async def action_back(self) -> None:
        """Leave the screen."""
        if (screen := self._office_screen()) is not None:
            screen.leave()

    async def action_quit(self) -> None:
        """Ask whether to lock or to leave; before unlocking, leave."""
        if not self.is_open or isinstance(self.screen, UnlockScreen):
            self.exit(0)
            return
        from commune_client.screens.leave import ask_leave

        ask_leave(self)

    def open_dossier(self, doc: bytes) -> None:
        """Show a dossier."""
        from commune_client.screens.dossier import DossierScreen

        self.push_screen(DossierScreen(doc))
