"""What a machine and its parent tell each other of the publication: who has which, who lacks what."""

from __future__ import annotations

from collections.abc import Mapping

from onestop_sync.protocol.packets import Published
from onestop_sync.publication import TARGET, Incomplete, check_files
from onestop_sync.store import Store
from onestop_sync.tombstone import is_tombstones


class News:
    """The publication in one exchange, from the machine's side.

    Attributes:
        is_behind: Whether the parent is asked for what it publishes before anything else: we may only not
            have heard of a new tree.
        wanted: Names of files of a newer publication that did not come yet.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.is_behind = False
        self._was_behind = False
        self.wanted: tuple[str, ...] = ()
        self._gives_back = self._gave_back = False

    def catch_up(self) -> bool:
        """Decides to ask for what is published, once; tells whether it was not done before."""
        if self._was_behind:
            return False
        self.is_behind = self._was_behind = True
        return True

    def caught_up(self) -> None:
        """Notes that the parent could prove who it is."""
        self.is_behind = False

    def asked(self) -> Published:
        """Returns what to say of it when the parent is asked who it is."""
        return self._held(None) if self.is_behind else Published(0, 0)

    def offered(self) -> Published:
        """Returns what to say of it in a request; gives the files back to a parent that lost them, once."""
        self._gave_back |= self._gives_back
        files = self._store.publication.files if self._gives_back else None
        self._gives_back = False
        return self._held(files)

    def take(self, files: object) -> None:
        """Takes what is newer of the publication, or notes which files of it are still wanted.

        Raises:
            Incomplete: The parent does not send what it names: asking again would never end.
        """
        if files is None:
            return
        asked, self.wanted = self.wanted, ()
        try:
            self._store.take_files(check_files(files))
        except Incomplete as error:
            if not set(error.names).isdisjoint(asked):
                raise
            # Nothing of what came was kept: where the parent's publication changed meanwhile, ask for all.
            self.wanted = tuple(sorted({*asked, *error.names}))

    def take_sealed(self, files: object) -> None:
        """Takes what somebody published who could not be believed yet: it proves itself."""
        self.take(files)
        self.is_behind = bool(self.wanted)

    def is_level(self, root_version: int, version: int) -> bool:
        """Tells whether neither needs anything of the other; plans to give ours back where it is newer."""
        theirs, ours = (root_version, version), self._store.publication.rank
        self._gives_back = theirs < ours and not self._gave_back
        return theirs <= ours and not self._gives_back

    @property
    def lacks_tombstones(self) -> bool:
        """Whether it is not known yet which documents were erased."""
        return any(is_tombstones(name.removeprefix(TARGET)) for name in self.wanted)

    def _held(self, files: Mapping[str, bytes] | None) -> Published:
        held = self._store.publication
        return Published(held.version, held.root_version, self.wanted, files)
