"""Single keys in sealed files: the root's, the publishing one, the recovery key."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

from onestop_sync.errors import InvalidInput, NotFound, StoreExists, WrongPassphrase
from onestop_sync.keyring import write_durably
from onestop_sync.keys import KeyCost, SealedBox

__all__ = ["MIN_PASSPHRASE", "PUBLISHING", "RECOVERY", "Purpose", "open_key", "root_file", "seal_key"]

Purpose = Literal["root", "publishing", "recovery"]
"""What a key is for; a file that was sealed for another purpose does not open."""

PUBLISHING: Final = "publishing.key"
"""Name of the file of the key that publishes, in the server's folder."""
RECOVERY: Final = "recovery.key"
MIN_PASSPHRASE: Final = 8
_COST: Final = KeyCost()


def root_file(number: int) -> str:
    """Returns the name of the file of a root key, from 1."""
    return f"root-{number}.key"


def seal_key(
    path: Path,
    seed: bytes,
    passphrase: str,
    purpose: Purpose,
    *,
    cost: KeyCost = _COST,
    rng: Callable[[int], bytes] = os.urandom,
    replaces: bool = False,
) -> None:
    """Writes a key's 32-byte seed, sealed.

    Args:
        path: The file.
        seed: The seed.
        passphrase: 8 characters or more.
        purpose: What the key is for.
        cost: What one guess of the passphrase costs.
        rng: Makes random bytes.
        replaces: Whether a file that is there may be replaced.

    Raises:
        StoreExists: A file is there, and is not to be replaced.
        InvalidInput: The passphrase is too short, or the file cannot be written.
    """
    if path.exists() and not replaces:
        raise StoreExists(f"There is a file {path} already.")
    if len(passphrase) < MIN_PASSPHRASE:
        raise InvalidInput(f"The passphrase of a key needs at least {MIN_PASSPHRASE} characters.")
    box = SealedBox.seal(seed, passphrase, entropy=rng(28), cost=cost, purpose=_bound(purpose))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(path, box.to_bytes())
    except OSError as error:
        raise InvalidInput(f"Cannot write {path}: {error.strerror}.", todo="Check the path.") from error


def open_key(path: Path, passphrase: str, purpose: Purpose) -> bytes:
    """Returns the seed of a key.

    Raises:
        NotFound: There is no such file.
        WrongPassphrase: It does not open.
        FormatError: Not a sealed key.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NotFound(
            f"The key file {path} cannot be read.", todo="Bring the medium that holds it, or name its path."
        ) from error
    try:
        return SealedBox.from_bytes(data).open(passphrase, purpose=_bound(purpose))
    except WrongPassphrase as error:
        raise WrongPassphrase(
            f"The passphrase does not open {path}, or that is no {purpose} key.", todo=error.todo
        ) from error


def _bound(purpose: Purpose) -> str:
    return f"onestop {purpose} key"
