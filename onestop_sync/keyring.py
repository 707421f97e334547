"""Who can unlock a store: the machine's secrets, sealed to each person who works on it.

Each holder's passphrase opens a box with that person's own keys, and one of these opens an envelope with what
all share: the database key and the machine's keys. Envelopes are sealed to public keys, so the database key
can be replaced, and a person removed, while nobody else is there to type a passphrase. One more envelope is
sealed to the province's recovery key. Losing one passphrase loses no one else's. What the file looks like:
`keyring_file`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from onestop_sync import codec
from onestop_sync.errors import (
    FormatError,
    InvalidInput,
    NotAllowed,
    NotFound,
    StoreBusy,
    StoreDamaged,
    StoreExists,
    StoreMissing,
    TooManyTries,
    WrongPassphrase,
)
from onestop_sync.files import locked, on_disk, write_durably
from onestop_sync.keyring_file import BOX, Entry, KeyringFile, Shared, open_box
from onestop_sync.keys import DEFAULT_COST, KeyCost, SealedBox, SigningKey, seal_public_key
from onestop_sync.tries import Tries, running_ms

__all__ = ["Keyring", "Secrets", "write_durably"]

FILE: Final = "keyring"
TRIES: Final = "tries"
DATABASE_KEY_BYTES: Final = 48
_MIN_PASSPHRASE: Final = 8


class Secrets(NamedTuple):
    """What a passphrase unlocks.

    Attributes:
        holder: Whose.
        database_key: 32 bytes of key and 16 of salt for the database file.
        machine: The machine's signing key: for what it does alone, sync above all.
        seal_seed: Seed of the X25519 key to which bundles for this machine are sealed.
        officer: The holder's own signing key.
        next_key: The key that the database is to get, see `rekey.settle`; empty when none is.
    """

    holder: str
    database_key: bytes
    machine: SigningKey
    seal_seed: bytes
    officer: SigningKey
    next_key: bytes = b""

    @property
    def seal_key(self) -> bytes:
        """The X25519 public key to which bundles for this machine are sealed."""
        return seal_public_key(self.seal_seed)


class Keyring:
    """The sealed secrets of one machine.

    Args:
        folder: The store's folder.
        rng: Makes random bytes.
        cost: What one guess of a passphrase costs, for boxes made from now on.
        running: Returns for how long the machine has been running, milliseconds.
    """

    def __init__(
        self,
        folder: Path,
        *,
        rng: Callable[[int], bytes] = os.urandom,
        cost: KeyCost = DEFAULT_COST,
        running: Callable[[], int] = running_ms,
    ) -> None:
        self.path = Path(folder) / FILE
        self._tries = Tries(self.path.with_name(TRIES), running)
        self._rng = rng
        self._cost = cost

    def exists(self) -> bool:
        """Tells whether the machine has been set up."""
        return self.path.exists()

    def create(self, holder: str, passphrase: str) -> Secrets:
        """Sets a machine up: makes its keys, and the first holder's.

        Args:
            holder: Name of the first person who works on it.
            passphrase: Theirs, 8 characters or more.

        Raises:
            StoreExists: It has been set up already.
            InvalidInput: The passphrase is too short.
        """
        if self.exists():
            raise StoreExists(f"The folder {self.path.parent} holds a store already.")
        machine = SigningKey(self._rng(32))
        shared = Shared(self._rng(DATABASE_KEY_BYTES), b"", machine.seed, self._rng(32), {})
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return self._put(KeyringFile(machine.public, ()), shared, holder, passphrase)

    def add(self, secrets: Secrets, holder: str, passphrase: str) -> Secrets:
        """Adds another person, with a signing key of their own.

        Args:
            secrets: What somebody who works here unlocked.
            holder: The new person's name.
            passphrase: Theirs, 8 characters or more.

        Returns:
            What the new person's passphrase unlocks.

        Raises:
            InvalidInput: The name is taken, or the passphrase too short.
        """
        with locked(self.path):
            found = self._load()
            if found.entry(holder):
                raise InvalidInput(f"{holder!r} works on this machine already.")
            return self._put(found, _shared(secrets, found), holder, passphrase)

    def recover(self, shared: Shared, holder: str, passphrase: str) -> Secrets:
        """Gives a person a new box and new keys, in the place of what they had before if they had any.

        Args:
            shared: What the province's recovery key opened, see `recovery`.
            holder: The person's name.
            passphrase: Their new one, 8 characters or more.

        Raises:
            InvalidInput: The passphrase is too short.
            StoreBusy: The database got another key meanwhile: ask once more.
        """
        with locked(self.path):
            found = self._load()
            names = {public: name or shared.names.get(public, "") for public, name in _names(found).items()}
            shared = _fresh(shared._replace(names=names), found)
            return self._put(found, shared, holder, passphrase)

    def _put(self, found: KeyringFile, shared: Shared, holder: str, passphrase: str) -> Secrets:
        """Writes the file with a fresh entry for a person."""
        seal_seed, officer = self._rng(32), SigningKey(self._rng(32))
        public = seal_public_key(seal_seed)
        box = self._box(seal_seed, officer.seed, found.machine, passphrase)
        names = {key: name for key, name in shared.names.items() if name != holder} | {public: holder}
        shared = shared._replace(names=names)
        found = found.with_entry(Entry(public, holder, box, b""), instead_of=holder)
        self._save(found.sealed(shared))
        return _secrets(holder, shared, officer)

    def holders(self) -> list[str]:
        """Returns who can unlock, by name."""
        return sorted(entry.name for entry in self._load().entries if entry.name)

    def unlock(self, holder: str, passphrase: str) -> Secrets:
        """Returns the secrets.

        Raises:
            NotFound: Nobody of that name works on this machine.
            WrongPassphrase: It does not open; ``details["wait_s"]`` is how long the next try has to wait.
            TooManyTries: It was not tried: there were too many wrong ones, see `tries`.
        """
        found = self._load()
        return self._unlock(found, self._entry(found, holder), passphrase)[0]

    def unlock_any(self, passphrase: str) -> Secrets:
        """Returns the secrets of whoever has that passphrase, and gives everybody their names back.

        Raises:
            WrongPassphrase: It is nobody's.
        """
        found = self._load()
        for entry in found.entries:
            try:
                secrets, shared = self._unlock(found, entry, passphrase)
            except (WrongPassphrase, TooManyTries):
                continue
            with locked(self.path):
                self._save(self._load().named(shared.names))
            return secrets
        raise WrongPassphrase("The passphrase does not open this store.")

    def _unlock(self, found: KeyringFile, entry: Entry, passphrase: str) -> tuple[Secrets, Shared]:
        if wait_s := self._tries.wait_s(entry.public):
            raise TooManyTries(f"Too many wrong passphrases: wait {wait_s} seconds.", wait_s=wait_s)
        try:
            payload = entry.box.open(passphrase, purpose=BOX)
        except WrongPassphrase as error:
            self._tries.note_failure(entry.public)
            raise WrongPassphrase(error.what, wait_s=self._tries.wait_s(entry.public)) from error
        self._tries.forget(entry.public)
        seal_seed, officer, machine = open_box(payload)
        if machine != found.machine:
            raise StoreDamaged("The file of keys is of another machine.")
        try:
            shared = Shared.opened(seal_seed, entry.envelope, machine)
        except FormatError as error:
            raise StoreDamaged("The file of keys cannot be read.") from error
        return _secrets(shared.names.get(entry.public, entry.name), shared, SigningKey(officer)), shared

    def change(self, holder: str, old: str, new: str) -> None:
        """Changes a passphrase; the holder's keys stay.

        Raises:
            WrongPassphrase: The old one does not open.
            TooManyTries: It was not tried.
            InvalidInput: The new one is too short.
        """
        with locked(self.path):
            found = self._load()
            entry = self._entry(found, holder)
            _, shared = self._unlock(found, entry, old)
            seal_seed, officer, machine = open_box(entry.box.open(old, purpose=BOX))
            changed = entry._replace(box=self._box(seal_seed, officer, machine, new))
            self._save(found.with_entry(changed, instead_of=holder).sealed(shared))

    # ---- removing a person

    def remove(self, secrets: Secrets, holder: str) -> Secrets:
        """Removes a person: from now on their passphrase opens nothing, and the database is to get a new key.

        Args:
            secrets: What somebody else who works here unlocked.
            holder: Who goes.

        Returns:
            The secrets with the new key; `rekey.settle` gives it to the database.

        Raises:
            NotFound: Nobody of that name works on this machine.
            NotAllowed: One's own name: the last one who can unlock would lock everybody out.
            StoreBusy: The database got another key meanwhile, or still waits for one: see `rekey.settle`.
        """
        if holder == secrets.holder:
            raise NotAllowed(
                "Nobody removes themselves.", todo="Somebody else on this machine does it.", reason="self"
            )
        if secrets.next_key:
            raise StoreBusy(
                "An earlier removal is not finished: another program has the store open.",
                todo="Nothing was changed. Close the other programs, and start again.",
            )
        with locked(self.path):
            found = self._load()
            gone = self._entry(found, holder)
            shared = _shared(secrets, found)
            names = {key: name for key, name in shared.names.items() if key != gone.public}
            next_key = self._rng(DATABASE_KEY_BYTES)
            self._save(found.sealed(shared._replace(next_key=next_key, names=names)))
        self._tries.forget(gone.public)
        return secrets._replace(next_key=next_key)

    def finish_rekey(self, secrets: Secrets) -> Secrets:
        """Forgets the old database key: the database has the new one."""
        with locked(self.path):
            found = self._load()
            done = secrets._replace(database_key=secrets.next_key, next_key=b"")
            if found.mark != _marked(done, found).mark:  # unless another program was faster
                _shared(secrets, found)
                self._save(found.sealed(_marked(done, found)))
        return done

    # ---- the province

    def set_recovery(self, secrets: Secrets, public: bytes) -> None:
        """Seals what all share to the province's recovery key as well; the same key again changes nothing.

        Args:
            secrets: What somebody who works here unlocked.
            public: The X25519 public key; empty for none.

        Raises:
            InvalidInput: Nothing can be sealed to that key.
        """
        with locked(self.path):
            found = self._load()
            if found.recovery != public:
                self._save(found._replace(recovery=public).sealed(_shared(secrets, found)))

    def load_file(self) -> KeyringFile:
        """Returns what is stored.

        Raises:
            StoreMissing: The machine was never set up.
            StoreDamaged: It cannot be read.
        """
        return self._load()

    # ----

    def _entry(self, found: KeyringFile, holder: str) -> Entry:
        entry = found.entry(holder)
        if entry is None:
            raise NotFound(
                f"Nobody called {holder!r} works on this machine.", todo="Choose one of the names shown."
            )
        return entry

    def _box(self, seal_seed: bytes, officer: bytes, machine: bytes, passphrase: str) -> SealedBox:
        if len(passphrase) < _MIN_PASSPHRASE:
            raise InvalidInput(f"A passphrase needs at least {_MIN_PASSPHRASE} characters.")
        payload = codec.encode([seal_seed, officer, machine])
        return SealedBox.seal(payload, passphrase, entropy=self._rng(28), cost=self._cost, purpose=BOX)

    def _load(self) -> KeyringFile:
        try:
            data = self.path.read_bytes()
        except FileNotFoundError as error:
            raise StoreMissing(f"There is no store in {self.path.parent}.") from error
        return KeyringFile.from_bytes(data)

    def _save(self, found: KeyringFile) -> None:
        with on_disk():
            write_durably(self.path, found.to_bytes())


def _shared(secrets: Secrets, found: KeyringFile) -> Shared:
    """Returns what goes into every envelope, when it is what is there: old keys must not come back.

    Raises:
        StoreDamaged: The file is another machine's.
        StoreBusy: The database got another key since somebody unlocked.
    """
    if found.machine != secrets.machine.public:
        raise StoreDamaged("The file of keys is of another machine.")
    return _fresh(_marked(secrets, found), found)


def _fresh(shared: Shared, found: KeyringFile) -> Shared:
    if shared.mark != found.mark:
        raise StoreBusy(
            "The keys of this machine were changed meanwhile.",
            todo="Nothing was changed. Close the program, unlock again, and repeat.",
        )
    return shared


def _marked(secrets: Secrets, found: KeyringFile) -> Shared:
    return Shared(
        secrets.database_key, secrets.next_key, secrets.machine.seed, secrets.seal_seed, _names(found)
    )


def _names(found: KeyringFile) -> dict[bytes, str]:
    return {entry.public: entry.name for entry in found.entries}


def _secrets(holder: str, shared: Shared, officer: SigningKey) -> Secrets:
    return Secrets(
        holder, shared.database_key, SigningKey(shared.machine_seed), shared.seal_seed, officer,
        shared.next_key,
    )  # fmt: skip
