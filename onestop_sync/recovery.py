"""A machine whose officers all forgot their passphrases: the province's recovery key opens it once more.

    machine:   request   makes a passphrase and a fresh key, and asks; nothing has to be unlocked
    province:  answer    opens the machine's keys with the recovery key, and seals them to that fresh key
    machine:   take      gives the officer a box and new keys; an administrator certifies these

The answer opens on the machine that asked alone, with the passphrase that was chosen when it did. What was
typed before is all there: the database was never touched. A thief of the machine can ask as well, so the
province answers when it knows who asks, and both compare the request's fingerprint.

    request = [1, "recovery request", machine, fresh seal key, recovery key, envelope]
    answer  = [1, "recovery answer", machine, fresh seal key, sealed keys]
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final, NamedTuple

from onestop_sync import codec, keys
from onestop_sync.errors import FormatError, InvalidInput, NotAllowed, NotFound, StoreDamaged
from onestop_sync.files import write_durably
from onestop_sync.keyring import Keyring, Secrets
from onestop_sync.keyring_file import Shared
from onestop_sync.keys import DEFAULT_COST, KeyCost, SealedBox, seal_public_key

__all__ = ["RecoveryRequest", "answer", "describe", "request", "take"]

FILE: Final = "recovery"
_PURPOSE: Final = "onestop recovery"
_MIN_PASSPHRASE: Final = 8


class RecoveryRequest(NamedTuple):
    """What a machine asks.

    Attributes:
        machine: Its Ed25519 public key.
        public: The fresh X25519 key to which the answer is to be sealed.
        recovery: The recovery key that can answer.
        envelope: The machine's keys, sealed to that.
    """

    machine: bytes
    public: bytes
    recovery: bytes
    envelope: bytes

    @property
    def fingerprint(self) -> str:
        """What both sides compare aloud: of the machine and the fresh key together."""
        return keys.fingerprint(self.machine + self.public)


def request(
    keyring: Keyring,
    holder: str,
    passphrase: str,
    *,
    rng: Callable[[int], bytes] = os.urandom,
    cost: KeyCost = DEFAULT_COST,
) -> bytes:
    """Asks the province, for one officer; asked again, the earlier request is void.

    Args:
        keyring: The machine's; it stays locked.
        holder: The officer's name, the one that they had or another.
        passphrase: A new one, 8 characters or more.
        rng: Makes random bytes.
        cost: What one guess of the passphrase costs.

    Returns:
        The request's bytes.

    Raises:
        NotAllowed: The machine's keys are sealed to no recovery key.
        InvalidInput: The passphrase is too short.
    """
    found = keyring.load_file()
    if not found.recovery_envelope:
        raise NotAllowed(
            "This machine's keys were never sealed to a recovery key of the province.",
            todo="Nothing was changed. Restore a backup whose passphrase somebody knows.",
            reason="no_recovery",
        )
    if len(passphrase) < _MIN_PASSPHRASE:
        raise InvalidInput(f"A passphrase needs at least {_MIN_PASSPHRASE} characters.", reason="passphrase")
    seed = rng(32)
    box = SealedBox.seal(seed, passphrase, entropy=rng(28), cost=cost, purpose=_PURPOSE)
    write_durably(keyring.path.with_name(FILE), codec.encode([1, holder, box.to_bytes()]))
    return codec.encode(
        [1, "recovery request", found.machine, seal_public_key(seed), found.recovery, found.recovery_envelope]
    )


def describe(data: bytes) -> RecoveryRequest:
    """Reads a request.

    Raises:
        FormatError: It is none.
    """
    match codec.decode(data):
        case [1, "recovery request", bytes(machine), bytes(public), bytes(recovery), bytes(envelope)]:
            return RecoveryRequest(machine, public, recovery, envelope)
    raise FormatError("The file is not a recovery request.")


def answer(data: bytes, recovery_seed: bytes) -> bytes:
    """Answers a request, with the province's recovery key.

    Args:
        data: The request.
        recovery_seed: Seed of the X25519 recovery key, 32 bytes.

    Raises:
        FormatError: Not a request, or its envelope was changed.
        NotAllowed: The machine's keys are sealed to another recovery key.
    """
    asked = describe(data)
    if seal_public_key(recovery_seed) != asked.recovery:
        raise NotAllowed(
            "The machine's keys are sealed to another recovery key.",
            todo="Nothing was changed. Use the recovery key that the request names.",
            reason="recovery_key",
        )
    shared = Shared.opened(recovery_seed, asked.envelope, asked.machine)
    sealed = shared.sealed_to(asked.public, asked.machine)
    return codec.encode([1, "recovery answer", asked.machine, asked.public, sealed])


def take(keyring: Keyring, passphrase: str, data: bytes) -> Secrets:
    """Takes the answer: the officer can unlock again, with new keys that are to be certified.

    Args:
        keyring: The machine's.
        passphrase: The one that was chosen with the request.
        data: The answer.

    Returns:
        What the passphrase unlocks from now on.

    Raises:
        NotFound: Nothing was asked here.
        WrongPassphrase: It is not the one of the request.
        FormatError: Not an answer, or changed on the way.
        NotAllowed: The answer is another request's.
        StoreBusy: The database got another key since the request: ask once more.
    """
    holder, box = _asked(keyring)
    match codec.decode(data):
        case [1, "recovery answer", bytes(machine), bytes(public), bytes(sealed)]:
            pass
        case _:
            raise FormatError("The file is not a recovery answer.")
    seed = box.open(passphrase, purpose=_PURPOSE)
    if (machine, public) != (keyring.load_file().machine, seal_public_key(seed)):
        raise NotAllowed(
            "The answer is to another request.",
            todo="Nothing was changed. Ask for the answer to the last request of this machine.",
            reason="machine",
        )
    secrets = keyring.recover(Shared.opened(seed, sealed, machine), holder, passphrase)
    keyring.path.with_name(FILE).unlink()
    return secrets


def _asked(keyring: Keyring) -> tuple[str, SealedBox]:
    path = keyring.path.with_name(FILE)
    if not path.exists():
        raise NotFound("No recovery was asked for on this machine.", todo="Write a request first.")
    match codec.decode(path.read_bytes()):
        case [1, str(holder), bytes(box)]:
            return holder, SealedBox.from_bytes(box)
    raise StoreDamaged("The file of the recovery cannot be read.", todo="Write a new request.")
