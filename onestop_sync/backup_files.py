"""What a backup looks like on a stick: a folder of parts, with a signed manifest of their hashes.

onestop-1f0c9a42-20261125-081200-417/           machine's id, date and time; no name of anybody
    0000.part, 0001.part, …                 the store's file, as it is: encrypted
    keyring                                 the sealed keys, without the holders' names
    extras                                  settings and the like, sealed to the machine
    manifest                                written last; without it, there is no backup
onestop-1f0c9a42.restored                   how often the machine was restored from here

manifest = [body, signature]                signature of the machine over PAE("onestop/backup/1", body)
body     = [1, machine, made_ms, restores, size, part size, [hash, …], hash of keyring, hash of extras]
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from onestop_sync import codec, keys
from onestop_sync.errors import BackupFailed, FormatError

__all__ = ["PARTIAL", "Manifest", "find", "machine_id", "on_stick", "read_note", "remove", "write_note"]

KEYRING: Final = "keyring"
EXTRAS: Final = "extras"
MANIFEST: Final = "manifest"
PARTIAL: Final = ".partial"
_SIGNED: Final = "onestop/backup/1"
_NAME: Final = re.compile(r"onestop-([0-9a-f]{8})-\d{8}-\d{6}-\d{3}")
_LATEST_MS: Final = 253_370_764_800_000
"""The year 9999: a folder's name has no room for a later one."""
_PLAIN_READ: Final = 2**20


class Manifest(NamedTuple):
    """What a backup holds.

    Attributes:
        machine: The machine's Ed25519 public key.
        made_ms: When, by its clock, milliseconds since 1970 UTC.
        restores: How often the store had been restored by then.
        size: Bytes of the store's file.
        part_bytes: Bytes of a part; the last may be shorter.
        parts: SHA-256 of each part.
        keyring: SHA-256 of the file of keys.
        extras: SHA-256 of the sealed extras.
        signature: The machine's.
    """

    machine: bytes
    made_ms: int
    restores: int
    size: int
    part_bytes: int
    parts: tuple[bytes, ...]
    keyring: bytes
    extras: bytes
    signature: bytes = b""

    @property
    def name(self) -> str:
        """Name of the backup's folder; the time of day is the machine's own."""
        made = datetime.fromtimestamp(self.made_ms / 1000).astimezone()
        when = f"{made:%Y%m%d-%H%M%S}-{self.made_ms % 1000:03d}"
        return f"onestop-{machine_id(self.machine)}-{when}"

    @property
    def files(self) -> dict[str, bytes]:
        """Name of each file but the manifest → SHA-256."""
        parts = {f"{i:04d}.part": digest for i, digest in enumerate(self.parts)}
        return {**parts, KEYRING: self.keyring, EXTRAS: self.extras}

    def _body(self) -> bytes:
        return codec.encode([1, *self[:5], list(self.parts), self.keyring, self.extras])

    def signed(self, machine: keys.Signer) -> Manifest:
        """Returns it with the machine's signature."""
        return self._replace(signature=machine.sign(codec.pae(_SIGNED, self._body())))

    def to_bytes(self) -> bytes:
        """Encodes it."""
        return codec.encode([self._body(), self.signature])

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Reads the manifest of a folder.

        Raises:
            BackupFailed: There is none, or it is not what the machine signed.
        """
        with on_stick():
            data = (folder / MANIFEST).read_bytes() if (folder / MANIFEST).exists() else b""
        if not data:
            raise BackupFailed(f"{folder.name} is not a backup, or not a whole one.", reason="backup_none")
        with suppress(FormatError):
            match codec.decode(data):
                case [bytes(body), bytes(signature)]:
                    return _checked(_parse(body), body, signature)
        raise _damaged(MANIFEST)

    def check(self, folder: Path) -> None:
        """Reads every file back, and compares.

        Raises:
            BackupFailed: One is missing or not what was written.
        """
        for name, digest in self.files.items():
            with on_stick():
                found = _digest(folder / name) if (folder / name).exists() else b""
            if found != digest:
                raise _damaged(name)

    def is_there(self, folder: Path, name: str) -> bool:
        """Tells whether a file was written already, whole."""
        path = folder / name
        return path.exists() and _digest(path) == self.files[name]


def _parse(body: bytes) -> Manifest:
    match codec.decode(body):
        case [1, bytes(machine), int(made_ms), int(restores), int(size), int(part_bytes), list(parts),
              bytes(keyring), bytes(extras)]:  # fmt: skip
            is_time = type(made_ms) is int and 0 <= made_ms <= _LATEST_MS
            if is_time and all(isinstance(part, bytes) for part in parts) and part_bytes > 0:
                return Manifest(machine, made_ms, restores, size, part_bytes, tuple(parts), keyring, extras)
    raise FormatError("The manifest of a backup is malformed.")


def _checked(found: Manifest, body: bytes, signature: bytes) -> Manifest:
    if not keys.verify(found.machine, codec.pae(_SIGNED, body), signature):
        raise FormatError("The manifest of a backup was changed.")
    return found._replace(signature=signature)


def _damaged(name: str) -> BackupFailed:
    return BackupFailed(
        f"The backup is damaged: {name}.",
        todo="The store is as it was. Use another backup, or another stick.",
        reason="backup_damaged",
    )


def _digest(path: Path) -> bytes:
    """Hashes what is on the medium; where the system can be asked to, not what is still in memory."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        while block := file.read(_PLAIN_READ):
            found.update(block)
    return found.digest()


def machine_id(machine: bytes) -> str:
    """Returns eight hex digits by which backups of a machine are told from others."""
    return keys.fingerprint(machine).replace(" ", "")[:8]


def find(folder: Path, machine: bytes) -> list[Path]:
    """Returns the whole backups of a machine, the oldest first."""
    own = [path for path in folder.iterdir() if path.is_dir() and (path / MANIFEST).exists()]
    return sorted(path for path in own if _is_of(path.name, machine))


def partial(folder: Path, machine: bytes) -> list[Path]:
    """Returns what was begun for a machine and not ended."""
    return [path for path in folder.glob(f"*{PARTIAL}") if _is_of(path.name.removesuffix(PARTIAL), machine)]


def _is_of(name: str, machine: bytes) -> bool:
    match = _NAME.fullmatch(name)
    return match is not None and match[1] == machine_id(machine)


def remove(path: Path) -> None:
    """Removes a backup; killed on the way, what is left is none."""
    (path / MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(path)


def read_note(folder: Path, machine: bytes) -> int:
    """Returns how often a machine was restored from backups in a folder."""
    path = _note(folder, machine)
    text = path.read_text(encoding="ascii").strip() if path.exists() else "0"
    return int(text) if text.isdecimal() else 0


def write_note(folder: Path, machine: bytes, restores: int) -> None:
    """Notes that a machine was restored: the next restore must not use the same block of serials."""
    from onestop_sync.files import write_durably

    write_durably(_note(folder, machine), b"%d\n" % restores)


def _note(folder: Path, machine: bytes) -> Path:
    return folder / f"onestop-{machine_id(machine)}.restored"


_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_REFUSED: Final = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


@contextmanager
def on_stick() -> Iterator[None]:
    """Says in one sentence what a stick, or another folder for backups, had against it.

    Raises:
        BackupFailed: It is full, write-protected or gone.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise BackupFailed("The stick or folder of the backup is full.", reason="backup_full") from error
        if error.errno in _REFUSED:
            raise BackupFailed("The stick or folder cannot be written.", reason="backup_refused") from error
        raise BackupFailed("The stick or folder of the backup is gone.", reason="backup_missing") from error
