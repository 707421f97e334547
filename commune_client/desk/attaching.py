"""Scans and photos of a dossier: attached, told where each is, asked for, and saved to a file."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from commune_client.desk.attachment_facts import PAPER, AttachDone, Attachment, facts_of
from commune_client.desk.base import Base
from onestop_sync import shelf
from onestop_sync.codec import nfc
from onestop_sync.errors import InvalidInput, NotAllowed, NotFound, StoreFull
from onestop_sync.search_text import fold_text
from onestop_sync.shelf import Attached as Held

__all__ = ["Attaching"]

FIELD: Final = "dinh_kem"
_LONGEST_NAME: Final = 120
_FULL: Final = frozenset({28, 122})
"""ENOSPC and EDQUOT."""


class Attaching(Base):
    """Attachments."""

    def attach(self, doc: bytes, path: Path, *, paper: str = "", shrink: bool = False) -> AttachDone:
        """Attaches a file to a dossier; durable when it returns.

        Args:
            doc: The dossier.
            path: The file, which is left as it is.
            paper: Which paper of the checklist it shows.
            shrink: Make a photo smaller, and drop what it says of place and camera.

        Raises:
            InvalidInput: It cannot be read, is empty or too large, or is no image that can be made smaller.
            NotAllowed: Not by this officer, or not at this step; nothing was stored.
            StoreFull: The disk took no more; the dossier is as it was.
        """
        state = self._document(doc).state
        writer = self.writer
        view = self._view(state)
        name = _free_name(path, {key.partition("/")[2] for key in state.registers}, is_jpeg=shrink)
        reason = view.why_not_edit(writer.author_of(doc), f"{FIELD}/{name}")
        if reason is not None:  # before anything is read: a large file takes its time
            raise NotAllowed(f"Nothing may be attached here and now: {reason}.", reason=str(reason))
        with _opened(path) as file:
            original = file.seek(0, os.SEEK_END)
            file.seek(0)
            manifest = shelf.take_in(self.store, _shrunk(file) if shrink else file, name, _type_of(name))
        extra = ((PAPER, nfc(paper)),) if paper else ()
        event = writer.edit(doc, {f"{FIELD}/{name}": manifest._replace(extra=extra).to_value()})
        return AttachDone(doc, view.code, event.id, name, original, manifest.size_bytes)

    def attachments(self, doc: bytes) -> tuple[Attachment, ...]:
        """Returns a dossier's attachments, and where each is.

        Raises:
            NotFound: It is not here.
        """
        self._document(doc)
        self._check_sight()
        return tuple(facts_of(each) for each in shelf.attached(self.store, doc))

    def fetch_attachments(self, doc: bytes, name: str = "") -> int:
        """Asks for attachments that are not here: they come with the next synchronisations.

        Args:
            doc: The dossier.
            name: One of them; empty: all.

        Returns:
            How many are still to come.

        Raises:
            NotFound: There is none of that name.
        """
        found = [self._attachment(doc, name)] if name else shelf.attached(self.store, doc)
        missing = [each.manifest for each in found if not each.is_here]
        shelf.want(self.store, missing)
        return len(missing)

    def save_attachment(self, doc: bytes, name: str, path: Path) -> Path:
        """Writes an attachment to a file that was not there before.

        Args:
            doc: The dossier.
            name: The attachment's name.
            path: The file, or a folder for it.

        Raises:
            NotFound: There is none of that name, or not all of it is here: then it is asked for.
            InvalidInput: There is a file already, or it cannot be written.
            StoreFull: The disk took no more; no half of it is left.
        """
        manifest = self._attachment(doc, name).manifest
        target = path / _file_name(manifest.name) if path.is_dir() else path
        try:
            _write(target, shelf.read(self.store, manifest))
        except NotFound:
            shelf.want(self.store, [manifest])
            raise
        return target

    def _attachment(self, doc: bytes, name: str) -> Held:
        self._document(doc)
        self._check_sight()
        found = shelf.attached(self.store, doc)
        for each in found:
            if each.key.partition("/")[2] == nfc(name):
                return each
        like = [each for each in found if fold_text(name) in fold_text(each.key.partition("/")[2])]
        if len(like) != 1:
            raise NotFound(
                "The dossier has no attachment of that name.", reason="attachment_none", name=name[:64]
            )
        return like[0]


# ---- files


def _free_name(path: Path, taken: set[str], *, is_jpeg: bool) -> str:
    """Returns a name that the dossier has not: that of the file, counted on where it has."""
    plain = "".join(char for char in nfc(path.name) if char.isprintable() and char not in '/\\:*?"<>|')
    stem, dot, suffix = plain.rpartition(".")
    stem, suffix = (stem, dot + suffix) if stem else (plain, "")
    stem = stem[: _LONGEST_NAME - len(suffix[:20])].strip() or "tệp"
    suffix = ".jpg" if is_jpeg else suffix[:20]
    found, count = stem + suffix, 1
    while found in taken:
        count += 1
        found = f"{stem} ({count}){suffix}"
    return found


def _file_name(name: str) -> str:
    """Returns a name that every file system takes, whoever made it up."""
    found = "".join(char for char in name if char.isprintable() and char not in '/\\:*?"<>|').strip(". ")
    return found or "tep"


def _type_of(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def _shrunk(file: BinaryIO) -> BinaryIO:
    from commune_client.desk.shrink import shrunk

    return shrunk(file)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.expanduser().open("rb") as file:
            yield file
    except OSError as error:
        raise InvalidInput("The file cannot be read.", reason="file") from error


def _write(path: Path, chunks: Iterator[bytes]) -> None:
    """Writes a file that was not there, whole or not at all."""
    first = next(chunks)  # says that it is not here before a file is made
    try:
        with path.expanduser().open("xb") as file:
            try:
                file.write(first)
                for chunk in chunks:
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                with suppress(OSError):
                    Path(file.name).unlink()
                raise
    except FileExistsError as error:
        raise InvalidInput("There is a file of that name already.", reason="attachment_exists") from error
    except OSError as error:
        if error.errno in _FULL:
            raise StoreFull("The disk took no more of the file.") from error
        raise InvalidInput("The file cannot be written.", reason="file") from error
