"""Gathers what is to be noted in the audit trail, and has it signed soon, without anybody waiting for it.

What somebody looked at is gathered for some seconds: alike entries become one, and a batch is one signed
event. Log-ins and exports are signed at once. A crash loses what was looked at in the last seconds, no more.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, NamedTuple

from commune_client.desk.unsigned import Unsigned
from onestop_sync.audit import record
from onestop_sync.errors import NotAllowed, OnestopError, StoreError
from onestop_sync.keys import Signer
from onestop_sync.store import Store
from onestop_sync.trail import Entry, merged

__all__ = ["GATHER_S", "Notebook"]

GATHER_S: Final = 15.0
"""How long entries are gathered, in seconds: so much of what was read is lost at most in a crash."""
_MOST: Final = 1000
"""Entries that are held while the disk refuses them; the oldest stay."""


class _Hand(NamedTuple):
    """By whose key entries are signed: an officer's, or the machine's while the desk is locked."""

    signer: Signer | None
    name: str


class Notebook:
    """The entries of one open desk.

    Args:
        store: Where they are written.
        machine: The machine's key: signs what no officer can.
        unsigned: Where entries go that nobody can sign yet.
        gather_s: How long entries are gathered, in seconds; 0 writes each at once.
    """

    def __init__(self, store: Store, machine: Signer, unsigned: Unsigned, gather_s: float = GATHER_S) -> None:
        self._store = store
        self._machine = machine
        self._unsigned = unsigned
        self._gather_s = gather_s
        self._hand = _Hand(None, "")
        self._pending: list[tuple[_Hand, Entry]] = []
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._depth = threading.local()

    # ---- noting

    def use(self, signer: Signer | None, name: str) -> None:
        """Says who works from now on; what was noted before stays the one's who worked then."""
        self._hand = _Hand(signer, name)

    def add(self, what: str, doc: bytes = b"", *, lines: int = 0, code: str = "") -> None:
        """Notes something; it is signed within some seconds."""
        self.keep(what, doc, lines=lines, code=code)
        if self._gather_s:
            self._later()
        else:
            self.flush()

    def keep(self, what: str, doc: bytes = b"", *, lines: int = 0, code: str = "") -> None:
        """Notes something that is signed with whatever is noted next, or at the end."""
        entry = Entry(self._store.clock(), what, doc, 1, lines, code)
        with self._lock:
            if len(self._pending) < _MOST:
                self._pending.append((self._hand, entry))

    def now(self, what: str, doc: bytes = b"", *, lines: int = 0, code: str = "") -> None:
        """Notes something that must not happen unnoted; it is on the disk when this returns.

        Raises:
            StoreError: The disk refused; do not go on.
        """
        self.keep(what, doc, lines=lines, code=code)
        self.flush(strict=True)

    @contextmanager
    def inside(self) -> Iterator[bool]:
        """Tells whether a call came from outside of the desk: what a desk asks itself is not noted."""
        depth = getattr(self._depth, "n", 0)
        self._depth.n = depth + 1
        try:
            yield depth == 0
        finally:
            self._depth.n = depth

    # ---- writing

    def sweep(self) -> None:
        """Has the machine sign what was noted while nobody could; until then it stays where it is."""
        entries, size_bytes = self._unsigned.read()
        if not size_bytes:
            return
        with suppress(OnestopError, OSError):
            record(self._store, self._machine, entries)
            self._unsigned.drop(size_bytes)

    def flush_soon(self) -> None:
        """Has everything signed without waiting for it: another thread may be writing just now."""
        self._start_timer(0)

    def flush(self, *, strict: bool = False) -> None:
        """Has everything signed that was noted.

        Args:
            strict: Say so when the disk refuses; otherwise the entries are kept for the next time.

        Raises:
            StoreError: The disk refused, and ``strict``.
        """
        with self._writing:
            with self._lock:
                batch, self._pending = self._pending, []
                if self._timer is not None:
                    self._timer.cancel()
                    self._timer = None
            try:
                while batch:
                    hand = batch[0][0]
                    count = next((i for i, (h, _) in enumerate(batch) if h != hand), len(batch))
                    self._write(hand, merged(entry for _, entry in batch[:count]))
                    del batch[:count]
            except (OnestopError, OSError) as error:
                with self._lock:
                    self._pending = [*batch, *self._pending][:_MOST]
                if strict:
                    raise StoreError("The audit trail could not be written.") from error

    def _write(self, hand: _Hand, entries: list[Entry]) -> None:
        """Signs entries by the officer's key, else by the machine's; what neither may sign is put aside."""
        if hand.signer is not None:
            with suppress(NotAllowed):  # not certified yet, or no more: the machine says who it was
                record(self._store, hand.signer, entries)
                return
        named = [entry._replace(who=hand.name) for entry in entries]
        try:
            record(self._store, self._machine, named)
        except NotAllowed:
            self._unsigned.note(named)

    def _later(self) -> None:
        with self._lock:
            is_set = self._timer is not None
        if not is_set:
            self._start_timer(self._gather_s)

    def _start_timer(self, after_s: float) -> None:
        timer = threading.Timer(after_s, self._flush_quietly)
        timer.daemon = True
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = timer
        timer.start()

    def _flush_quietly(self) -> None:
        # Nobody is there to be told; what could not be written is kept, and tried again at the next entry.
        with suppress(Exception):
            self.flush()
