"""Who can unlock a store: the machine's secrets, sealed once for each person who works on it.

The file beside the store holds one sealed box a holder. Each opens with that person's passphrase and gives
the same database key and machine key, and that person's own signing key. Nothing of it is readable
otherwise, and losing one passphrase loses no one else's.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from onestop_sync import codec
from onestop_sync.errors import FormatError, InvalidInput, NotFound, StoreDamaged, StoreExists, StoreMissing
from onestop_sync.keys import DEFAULT_COST, KeyCost, SealedBox, SigningKey, seal_public_key

__all__ = ["Keyring", "Secrets"]

FILE: Final = "keyring"
DATABASE_KEY_BYTES: Final = 48
_MIN_PASSPHRASE: Final = 8
_PURPOSE: Final = "onestop keyring"


class Secrets(NamedTuple):
    """What a passphrase unlocks.

    Attributes:
        holder: Whose.
        database_key: 32 bytes of key and 16 of salt for the database file.
        machine: The machine's signing key: for what it does alone, sync above all.
        seal_seed: Seed of the X25519 key to which bundles for this machine are sealed.
        officer: The holder's own signing key.
    """

    holder: str
    database_key: bytes
    machine: SigningKey
    seal_seed: bytes
    officer: SigningKey

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
    """

    def __init__(
        self, folder: Path, *, rng: Callable[[int], bytes] = os.urandom, cost: KeyCost = DEFAULT_COST
    ) -> None:
        self.path = Path(folder) / FILE
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
        self.path.parent.mkdir(parents=True, exist_ok=True)
        machine = SigningKey(self._rng(32))
        secrets = Secrets(
            holder, self._rng(DATABASE_KEY_BYTES), machine, self._rng(32), SigningKey(self._rng(32))
        )
        self._save({holder: self._seal(secrets, passphrase)})
        return secrets

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
        boxes = self._load()
        if holder in boxes:
            raise InvalidInput(f"{holder!r} works on this machine already.")
        added = secrets._replace(holder=holder, officer=SigningKey(self._rng(32)))
        boxes[holder] = self._seal(added, passphrase)
        self._save(boxes)
        return added

    def holders(self) -> list[str]:
        """Returns who can unlock, by name."""
        return sorted(self._load())

    def unlock(self, holder: str, passphrase: str) -> Secrets:
        """Returns the secrets.

        Raises:
            NotFound: Nobody of that name works on this machine.
            WrongPassphrase: It does not open.
        """
        box = self._load().get(holder)
        if box is None:
            raise NotFound(
                f"Nobody called {holder!r} works on this machine.", todo="Choose one of the names shown."
            )
        return _unpack(holder, box.open(passphrase, purpose=_PURPOSE))

    def change(self, holder: str, old: str, new: str) -> None:
        """Changes a passphrase.

        Raises:
            WrongPassphrase: The old one does not open.
            InvalidInput: The new one is too short.
        """
        secrets = self.unlock(holder, old)
        boxes = self._load()
        boxes[holder] = self._seal(secrets, new)
        self._save(boxes)

    def _seal(self, secrets: Secrets, passphrase: str) -> SealedBox:
        if len(passphrase) < _MIN_PASSPHRASE:
            raise InvalidInput(f"A passphrase needs at least {_MIN_PASSPHRASE} characters.")
        payload = codec.encode(
            [secrets.database_key, secrets.machine.seed, secrets.seal_seed, secrets.officer.seed]
        )
        return SealedBox.seal(payload, passphrase, entropy=self._rng(28), cost=self._cost, purpose=_PURPOSE)

    def _load(self) -> dict[str, SealedBox]:
        try:
            data = self.path.read_bytes()
        except FileNotFoundError as error:
            raise StoreMissing(f"There is no store in {self.path.parent}.") from error
        try:
            match codec.decode(data):
                case [1, dict(boxes)]:
                    return {name: SealedBox.from_bytes(box) for name, box in boxes.items()}
        except FormatError as error:
            raise StoreDamaged("The file of keys cannot be read.") from error
        raise StoreDamaged("The file of keys cannot be read.")

    def _save(self, boxes: dict[str, SealedBox]) -> None:
        data = codec.encode([1, {name: box.to_bytes() for name, box in boxes.items()}])
        write_durably(self.path, data)


def write_durably(path: Path, data: bytes) -> None:
    """Replaces a file so that a power cut leaves the old one or the new one, readable by its owner only."""
    beside = path.with_name(path.name + ".new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    if hasattr(os, "O_DIRECTORY"):  # Windows cannot open a folder, and needs not
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _unpack(holder: str, payload: bytes) -> Secrets:
    match codec.decode(payload):
        case [bytes(database_key), bytes(machine), bytes(seal_seed), bytes(officer)]:
            return Secrets(holder, database_key, SigningKey(machine), seal_seed, SigningKey(officer))
    raise StoreDamaged("The file of keys cannot be read.")
