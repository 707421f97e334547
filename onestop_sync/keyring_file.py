"""The bytes of a keyring: for each holder a box and an envelope, signed by the machine's key.

    file     = [1, machine, mark, [entry, …], [recovery key, envelope], signature]
    entry    = [seal key, name, box, envelope]
    box      = what the holder's passphrase opens: [seal seed, officer's seed, machine]
    envelope = what the seal key opens (HPKE): [database key, next database key, machine's seed,
               machine's seal seed, [[seal key, name], …]]

The envelopes all hold the same; they are sealed to public keys, so that they can be made anew without
anybody's passphrase. The box names the machine's key, and that key signs the list: who changes the file gives
nobody another machine, and has nothing sealed to a key of their own. The mark tells database keys that are in
memory somewhere from those that a removal has replaced meanwhile. Names are not signed: a backup leaves them
out, and the envelope has them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from onestop_sync import codec, keys
from onestop_sync.errors import FormatError, StoreDamaged
from onestop_sync.keys import SealedBox, SigningKey

__all__ = ["BOX", "Entry", "KeyringFile", "Shared", "open_box"]

BOX: Final = "onestop keyring"
_ENVELOPE: Final = "onestop keyring "
_SIGNED: Final = "onestop/keyring/1"
_SEED_BYTES: Final = 32


class Shared(NamedTuple):
    """What everybody who works on a machine shares.

    Attributes:
        database_key: 32 bytes of key and 16 of salt for the database file.
        next_key: The key that the database is to get; empty when none is.
        machine_seed: Seed of the machine's signing key.
        seal_seed: Seed of the X25519 key to which bundles for this machine are sealed.
        names: Seal key of each holder → name.
    """

    database_key: bytes
    next_key: bytes
    machine_seed: bytes
    seal_seed: bytes
    names: Mapping[bytes, str]

    @property
    def mark(self) -> bytes:
        """Tells database keys apart, and nothing about them."""
        return hashlib.blake2b(
            self.database_key + self.next_key, key=self.machine_seed, digest_size=16
        ).digest()

    def sealed_to(self, public: bytes, machine: bytes) -> bytes:
        """Returns the envelope for a key."""
        names: list[Any] = [[key, name] for key, name in sorted(self.names.items())]
        data = codec.encode([self.database_key, self.next_key, self.machine_seed, self.seal_seed, names])
        return keys.seal_to(public, data, _ENVELOPE + machine.hex())

    @classmethod
    def opened(cls, seed: bytes, envelope: bytes, machine: bytes) -> Shared:
        """Opens an envelope.

        Raises:
            FormatError: It is another key's, or of another machine.
        """
        match codec.decode(keys.open_sealed(seed, envelope, _ENVELOPE + machine.hex())):
            case [bytes(key), bytes(next_key), bytes(machine_seed), bytes(seal_seed), list(names)]:
                if len(machine_seed) == _SEED_BYTES and SigningKey(machine_seed).public == machine:
                    return cls(key, next_key, machine_seed, seal_seed, dict(map(_name, names)))
        raise FormatError("The sealed keys are not those of this machine.")


class Entry(NamedTuple):
    """One person.

    Attributes:
        public: X25519 public key of the holder.
        name: Theirs; empty in a backup.
        box: What their passphrase opens.
        envelope: What their key opens.
    """

    public: bytes
    name: str
    box: SealedBox
    envelope: bytes


class KeyringFile(NamedTuple):
    """A keyring as it is stored.

    Attributes:
        machine: The machine's Ed25519 public key.
        entries: One for each person.
        mark: `Shared.mark` of what is in the envelopes.
        recovery: The province's recovery key; empty for none.
        recovery_envelope: What that opens.
        signature: The machine's, over everything but the names.
    """

    machine: bytes
    entries: tuple[Entry, ...]
    mark: bytes = b""
    recovery: bytes = b""
    recovery_envelope: bytes = b""
    signature: bytes = b""

    def entry(self, name: str) -> Entry | None:
        """Returns the entry of a person."""
        return next((entry for entry in self.entries if entry.name == name), None)

    def with_entry(self, entry: Entry, *, instead_of: str) -> KeyringFile:
        """Returns the file with an entry in the place of the one of a name, or behind the others."""
        others = [each for each in self.entries if each.name != instead_of]
        return self._replace(entries=(*others, entry))

    def sealed(self, shared: Shared) -> KeyringFile:
        """Returns the file with all envelopes made anew, signed; only those named in ``shared`` stay."""
        entries = tuple(
            entry._replace(
                name=shared.names[entry.public], envelope=shared.sealed_to(entry.public, self.machine)
            )
            for entry in self.entries
            if entry.public in shared.names
        )
        envelope = shared.sealed_to(self.recovery, self.machine) if self.recovery else b""
        found = self._replace(entries=entries, mark=shared.mark, recovery_envelope=envelope)
        return found._replace(signature=SigningKey(shared.machine_seed).sign(found.signed_bytes()))

    def is_by_machine(self) -> bool:
        """Tells whether the machine's key signed it."""
        return keys.verify(self.machine, self.signed_bytes(), self.signature)

    def named(self, names: Mapping[bytes, str]) -> KeyringFile:
        """Returns the file with other names; the signature does not cover them."""
        entries = tuple(entry._replace(name=names.get(entry.public, "")) for entry in self.entries)
        return self._replace(entries=entries)

    def signed_bytes(self) -> bytes:
        """Returns what the signature is over."""
        rows = [[e.public, e.box.to_bytes(), e.envelope] for e in self.entries]
        body = codec.encode([self.machine, self.mark, rows, self.recovery, self.recovery_envelope])
        return codec.pae(_SIGNED, body)

    def to_bytes(self) -> bytes:
        """Encodes the file."""
        rows: list[Any] = [[e.public, e.name, e.box.to_bytes(), e.envelope] for e in self.entries]
        recovery = [self.recovery, self.recovery_envelope]
        return codec.encode([1, self.machine, self.mark, rows, recovery, self.signature])

    @classmethod
    def from_bytes(cls, data: bytes) -> KeyringFile:
        """Decodes a file.

        Raises:
            StoreDamaged: It is none, or the machine's key did not sign it.
        """
        try:
            match codec.decode(data):
                case [1, bytes(machine), bytes(mark), list(rows), [bytes(key), bytes(envelope)], bytes(by)]:
                    found = cls(machine, tuple(_entries(rows)), mark, key, envelope, by)
                    if found.is_by_machine():
                        return found
        except FormatError as error:
            raise StoreDamaged("The file of keys cannot be read.") from error
        raise StoreDamaged("The file of keys cannot be read.")


def _name(row: Any) -> tuple[bytes, str]:
    match row:
        case [bytes(public), str(name)]:
            return public, name
    raise FormatError("The sealed keys name a holder wrongly.")


def _entries(rows: Iterable[Any]) -> Iterable[Entry]:
    for row in rows:
        match row:
            case [bytes(public), str(name), bytes(box), bytes(envelope)]:
                yield Entry(public, name, SealedBox.from_bytes(box), envelope)
            case _:
                raise FormatError("An entry of the keyring is malformed.")


def open_box(payload: bytes) -> tuple[bytes, bytes, bytes]:
    """Returns what a holder's box holds: seal seed, officer's seed, the machine's public key.

    Raises:
        StoreDamaged: It holds something else.
    """
    match codec.decode(payload):
        case [bytes(seal_seed), bytes(officer), bytes(machine)]:
            return seal_seed, officer, machine
    raise StoreDamaged("The file of keys cannot be read.")
