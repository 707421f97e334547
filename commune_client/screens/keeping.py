"""A form whose letters are on the disk before the screen says so, and come back after a crash."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from commune_client.screens import words
from commune_client.screens.base import OfficeScreen
from commune_client.screens.told import told
from commune_client.theme import StateStyle

if TYPE_CHECKING:
    from commune_client.scratch import Note, Scratch

__all__ = ["Keeper", "KeepingScreen", "Kept"]


@dataclass
class Kept(Message, bubble=False):
    """What was typed is on the disk, or why it is not.

    Attributes:
        at_ms: When it was typed.
        error: None when it is on the disk.
    """

    at_ms: int
    error: Exception | None


class Keeper:
    """Writes the newest state of one form, in the desk's thread, and never an older one after it.

    Args:
        pool: The desk's thread.
        scratch: Where forms in progress are.
        tell: Called from the thread after each write.
    """

    def __init__(
        self, pool: ThreadPoolExecutor, scratch: Scratch, tell: Callable[[int, Exception | None], object]
    ) -> None:
        self._pool = pool
        self._scratch = scratch
        self._tell = tell
        self._lock = threading.Lock()
        self._newest: Note | None = None

    def put(self, note: Note) -> None:
        """Take a state to be written; one that was not written yet is replaced."""
        with self._lock:
            is_waiting = self._newest is not None
            self._newest = note
        if not is_waiting:
            self._pool.submit(self._write)

    def _write(self) -> None:
        with self._lock:
            note, self._newest = self._newest, None
        if note is None:
            return
        try:
            self._scratch.keep(note)
        except Exception as error:  # noqa: BLE001 - the form says it, stays, and tries at the next letter
            self._tell(note.at_ms, error)
        else:
            self._tell(note.at_ms, None)

    def drop(self, name: str) -> None:
        """Remove the form from the disk, after everything that was put before."""
        with self._lock:
            self._newest = None
        self._pool.submit(self._scratch.forget, name)


class KeepingScreen(OfficeScreen):
    """A screen with a form that is kept letter by letter."""

    _has_complained = False
    """Whether the last write failed, and the line below says so."""

    DEFAULT_CSS = """
    KeepingScreen > .kept { height: 1; padding: 0 1; background: $surface; }
    """

    def keeper(self) -> Keeper:
        """Return what writes this screen's form."""
        found: Keeper | None = getattr(self, "_keeper", None)
        if found is None:
            found = self._keeper = Keeper(self.office.jobs.pool, self.office.scratch, self._tell)
        return found

    def _tell(self, at_ms: int, error: Exception | None) -> None:
        """Called from the thread: only a message crosses over."""
        self.post_message(Kept(at_ms, error))

    def on_kept(self, event: Kept) -> None:
        """Say that what was typed is safe, or that it is not."""
        if event.error is None:
            self.show_kept(f"{words.KEPT} {_clock(event.at_ms)}", StateStyle.QUIET)
            if self._has_complained:
                self._has_complained = False
                self.say("")
        else:
            self._has_complained = True
            self.show_kept(words.NOT_KEPT, StateStyle.LATE)
            self.say(told(event.error, self.office.place.folder).text, StateStyle.LATE)

    def show_kept(self, text: str, style: StateStyle) -> None:
        """Say in the heading how safe the form is."""
        for who in self.query(".who").results(Static):
            who.update(Content.styled(text, style))


def _clock(at_ms: int) -> str:
    from commune_client.screens.show import moment

    when = moment(at_ms)
    return f"{when:%H:%M:%S}" if when else ""
