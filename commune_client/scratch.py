"""What is being typed, kept on the disk letter by letter, sealed, until it becomes a signed event.

A form that is not finished is no event yet: signing every letter would send them all up the line, and a
draft that is thrown away would stay in the register for ever. But no keystroke may be lost. So each open
form has a small file beside the store: replaced durably at each change, sealed with a key that only an
unlocked store has, removed when its content has become an event. File names tell nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

__all__ = ["Note", "Scratch", "reseal"]

FOLDER: Final = "typing"
_NONCE_BYTES: Final = 12
_PERSON: Final = b"onestop typing"


@dataclass(frozen=True, slots=True)
class Note:
    """What stands in a form.

    Attributes:
        name: Which form, see `Scratch.keep`.
        values: The form's values, as typed.
        officer: Who typed it.
        at_ms: When, milliseconds since 1970 UTC.
        facts: What else is needed to open the form again: a procedure's code, a dossier's id.
    """

    name: str
    values: dict[str, Any]
    officer: str = ""
    at_ms: int = 0
    facts: dict[str, str] = field(default_factory=dict)


class Scratch:
    """The forms of one machine that are being filled in.

    Args:
        folder: The store's folder.
        secret: A key that only an unlocked store has.
    """

    def __init__(self, folder: Path, secret: bytes) -> None:
        self.folder = Path(folder) / FOLDER
        self._key = hashlib.blake2b(secret, digest_size=32, person=_PERSON).digest()

    def keep(self, note: Note) -> None:
        """Writes a note; it is on the disk when this returns.

        Raises:
            StoreFull: The disk took no more.
            StoreFailing: It failed.
            StoreError: It may not be written.
        """
        from onestop_sync.files import on_disk, write_durably

        with on_disk():
            self.folder.mkdir(parents=True, exist_ok=True)
            write_durably(self._path(note.name), self._seal(note))

    def read(self, name: str) -> Note | None:
        """Returns a note; ``None`` when there is none, or it cannot be read (it is left where it is)."""
        return self._open(self._path(name))

    def notes(self) -> list[Note]:
        """Returns all notes that can be read, the newest first."""
        paths = sorted(self.folder.glob("*.note")) if self.folder.is_dir() else []
        found = [note for path in paths if (note := self._open(path))]
        return sorted(found, key=lambda note: (-note.at_ms, note.name))

    def forget(self, name: str) -> None:
        """Removes a note: its content is an event now, or was thrown away."""
        self._path(name).unlink(missing_ok=True)

    def forget_of(self, docs: Collection[str]) -> None:
        """Removes what was being typed about dossiers that were erased by law.

        Args:
            docs: Their ids in hex, as names and facts of notes hold them.
        """
        for note in self.notes() if docs else ():
            if any(part in docs for part in (*note.name.split("/"), note.facts.get("doc", ""))):
                self.forget(note.name)

    def _path(self, name: str) -> Path:
        return (
            self.folder / f"{hashlib.blake2b(name.encode(), key=self._key, digest_size=12).hexdigest()}.note"
        )

    def _seal(self, note: Note) -> bytes:
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

        nonce = os.urandom(_NONCE_BYTES)
        plain = json.dumps(asdict(note), ensure_ascii=False).encode()
        return nonce + ChaCha20Poly1305(self._key).encrypt(nonce, plain, _PERSON)

    def _open(self, path: Path) -> Note | None:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

        try:
            data = path.read_bytes()
            plain = ChaCha20Poly1305(self._key).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], _PERSON)
            return Note(**json.loads(plain))
        except (OSError, InvalidTag, ValueError, TypeError):
            return None


def reseal(folder: Path, old: bytes, new: bytes) -> None:
    """Seals all notes with another key; called again, it goes on with those that are left.

    Args:
        folder: The store's folder.
        old: The key that they were sealed with.
        new: The key that the store has now.

    Raises:
        StoreError: The disk refused.
    """
    from onestop_sync.files import on_disk

    before, after = Scratch(folder, old), Scratch(folder, new)
    with on_disk():
        for note in before.notes():
            after.keep(note)
            before.forget(note.name)
