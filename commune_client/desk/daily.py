"""The day's backup of a machine that serves others, and has no screen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from onestop_sync.errors import OnestopError

if TYPE_CHECKING:
    from commune_client.desk.safekeeping import Safekeeping

__all__ = ["backing_up_daily"]

_LOOK_EVERY_S: Final = 600.0


@contextmanager
def backing_up_daily(
    desk: Safekeeping, tell: Callable[[OnestopError], None], *, every_s: float = _LOOK_EVERY_S
) -> Iterator[None]:
    """Makes the day's backup when it is due, in a thread, for as long as what follows lasts.

    Args:
        desk: The machine's desk; it may be locked.
        tell: Called, from the thread, when one failed; the next try comes later.
        every_s: How often it is looked, seconds.
    """
    is_over = threading.Event()

    def watch() -> None:
        while True:
            try:
                if desk.is_backup_due():
                    desk.backup()
            except OnestopError as error:
                tell(error)
            if is_over.wait(every_s):
                return

    thread = threading.Thread(target=watch, name="backup", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()  # what was begun is ended: the store is closed next
