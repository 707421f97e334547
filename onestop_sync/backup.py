"""Backups of one machine's store: consistent while others write, encrypted as it is, read back after writing.

    report = backup.make(store, Path("/media/usb"))
    restored = backup.restore(report.path, folder, passphrase)

A snapshot is taken beside the store and checked page by page; then it is copied in parts. Interrupted, the
same snapshot goes on with the parts that are missing. Only a whole backup that was read back gets its name,
and then old ones go. The marker is never in it: what is put back is noticed by the store as restored, closes
its logs and goes on in new ones, with the next block of serials. So that a second restore from the same stick
takes another block than the first, each is noted on the stick.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from onestop_sync import backup_files as files
from onestop_sync import codec, keys
from onestop_sync.backup_files import Manifest
from onestop_sync.errors import BackupFailed, FormatError, InvalidInput, OnestopError, StoreExists
from onestop_sync.files import locked, on_disk, sync_folder, write_durably
from onestop_sync.keyring import Keyring, Secrets
from onestop_sync.keyring_file import KeyringFile
from onestop_sync.storage import engines
from onestop_sync.store import DATABASE, MARKER, Store

__all__ = ["KEEP", "BackupReport", "LastBackup", "Restored", "last", "make", "restore"]

KEEP: Final = 7
"""So many backups of a machine stay in a folder."""
PART_BYTES: Final = 8 * 2**20
RESUME_MS: Final = 24 * 3600 * 1000
"""How old a snapshot may be to be copied on, milliseconds."""
_STAGING: Final = "backup"
_SNAPSHOT: Final = "snapshot.db"
_RECORD: Final = "backup.json"
_PURPOSE: Final = "onestop backup extras"
_MARKER_BYTES: Final = 16


class BackupReport(NamedTuple):
    """What a backup came to.

    Attributes:
        path: Its folder.
        made_ms: When the store was like this, milliseconds since 1970 UTC.
        size_bytes: Bytes of the store in it.
        written: Parts that were written now.
        kept: Parts that were there from an attempt before.
        removed: Older backups that went.
    """

    path: Path
    made_ms: int
    size_bytes: int
    written: int
    kept: int
    removed: int


class LastBackup(NamedTuple):
    """What is known of the backups of a store.

    Attributes:
        ok_ms: When the store was as the last whole backup has it; 0 for never.
        tried_ms: When one was last tried; 0 for never.
        error: Why that failed; empty after a success.
    """

    ok_ms: int = 0
    tried_ms: int = 0
    error: str = ""


class Restored(NamedTuple):
    """What a restore came to.

    Attributes:
        made_ms: When the store was like this, milliseconds since 1970 UTC.
        restores: How often the machine has been restored, this time included.
        holders: Who can unlock; empty when nobody did.
        aside: Where the store that was there before is now, or ``None``.
    """

    made_ms: int
    restores: int
    holders: tuple[str, ...]
    aside: Path | None


# ---- making one


def make(
    store: Store,
    folder: Path,
    *,
    keep: int = KEEP,
    extras: Mapping[str, bytes] | None = None,
    part_bytes: int = PART_BYTES,
) -> BackupReport:
    """Writes a backup of an open store; others may write to the store meanwhile.

    Args:
        store: An encrypted file in its folder; other databases have tools of their own.
        folder: A stick, or another folder that is there.
        keep: How many backups of this machine stay there, 1 or more.
        extras: Small files by name that come with it, sealed.
        part_bytes: Bytes of a part.

    Raises:
        BackupFailed: The folder is gone, full, write-protected, or gave back other bytes than were written.
        StoreFull: The machine's own disk has no room for the snapshot.
        InvalidInput: The store is none that can be backed up so.
    """
    if not (store.folder / DATABASE).exists():
        raise InvalidInput(
            "Only a store in an encrypted file is backed up so.", todo="Use the database's tools."
        )
    before = last(store.folder)
    try:
        with locked(store.folder / _STAGING):
            report = _make(store, folder, max(keep, 1), dict(extras or {}), part_bytes)
    except OnestopError as error:
        reason = str(error.details.get("reason", error.code))
        _record(store.folder, LastBackup(before.ok_ms, store.clock(), reason))
        raise
    _record(store.folder, LastBackup(report.made_ms, store.clock()))
    return report


def _make(store: Store, folder: Path, keep: int, extras: dict[str, bytes], part_bytes: int) -> BackupReport:
    with files.on_stick():
        if not folder.is_dir():
            raise BackupFailed("The stick or folder of the backup is not there.", reason="backup_missing")
        manifest = _begun(store, folder)
    if manifest is None:
        with on_disk():
            manifest = _snapshot(store, extras, part_bytes)
    with files.on_stick():
        partial = folder / (manifest.name + files.PARTIAL)
        for old in set(files.partial(folder, manifest.machine)) - {partial}:
            files.remove(old)
        partial.mkdir(exist_ok=True)
        written, kept = _copy(store.folder / _STAGING, partial, manifest)
        manifest.check(partial)
        write_durably(partial / files.MANIFEST, manifest.to_bytes())
        path = partial.rename(folder / manifest.name)
        sync_folder(folder)
        # What was just made stays, whatever the clock said when the others were.
        others = [old for old in files.find(folder, manifest.machine) if old != path]
        gone = others[: max(len(others) - keep + 1, 0)]
        for old in gone:
            files.remove(old)
    shutil.rmtree(store.folder / _STAGING, ignore_errors=True)
    return BackupReport(path, manifest.made_ms, manifest.size, written, kept, len(gone))


def _begun(store: Store, folder: Path) -> Manifest | None:
    """Returns the manifest of a snapshot that was being copied to this folder, if it is of use."""
    with suppress(OnestopError):
        found = Manifest.read(store.folder / _STAGING)
        is_ours = found.machine == store.machine.public and found.restores == store.restores
        is_fresh = abs(store.clock() - found.made_ms) < RESUME_MS
        if is_ours and is_fresh and (folder / (found.name + files.PARTIAL)).is_dir():
            return found
    return None


def _snapshot(store: Store, extras: dict[str, bytes], part_bytes: int) -> Manifest:
    """Takes a snapshot beside the store, and makes sure that it is whole."""
    staging = store.folder / _STAGING
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(mode=0o700)
    path = staging / _SNAPSHOT
    made_ms = store.clock()
    # The keys first: a removal in between leaves keys that open the copy, never a copy that nothing opens.
    held = KeyringFile.from_bytes((store.folder / files.KEYRING).read_bytes()).named({}).to_bytes()
    engines.copy(store.folder / DATABASE, store.database_key, path)
    engines.check(path, store.database_key)
    sealed = keys.seal_to(keys.seal_public_key(store.seal_seed), codec.encode(extras), _PURPOSE)
    write_durably(staging / files.KEYRING, held)
    write_durably(staging / files.EXTRAS, sealed)
    with path.open("rb") as file:
        parts = tuple(hashlib.sha256(part).digest() for part in iter(lambda: file.read(part_bytes), b""))
    manifest = Manifest(
        store.machine.public, made_ms, store.restores, path.stat().st_size, part_bytes, parts,
        hashlib.sha256(held).digest(), hashlib.sha256(sealed).digest(),
    ).signed(store.machine)  # fmt: skip
    write_durably(staging / files.MANIFEST, manifest.to_bytes())
    return manifest


def _copy(staging: Path, partial: Path, manifest: Manifest) -> tuple[int, int]:
    """Writes what is not there yet; returns how many parts were written, and how many were there."""
    written = kept = 0
    with (staging / _SNAPSHOT).open("rb") as file:
        for i in range(len(manifest.parts)):
            name = f"{i:04d}.part"
            if manifest.is_there(partial, name):
                kept += 1
                continue
            file.seek(i * manifest.part_bytes)
            write_durably(partial / name, file.read(manifest.part_bytes))
            written += 1
    for name in (files.KEYRING, files.EXTRAS):
        write_durably(partial / name, (staging / name).read_bytes())
    return written, kept


def last(folder: Path) -> LastBackup:
    """Returns what is known of the backups of the store in a folder."""
    with suppress(OSError, ValueError, TypeError, AttributeError):
        found = json.loads((folder / _RECORD).read_text(encoding="ascii"))
        return LastBackup(int(found["ok_ms"]), int(found["tried_ms"]), str(found["error"]))
    return LastBackup()


def _record(folder: Path, found: LastBackup) -> None:
    with suppress(OSError):  # a full disk has been told already
        write_durably(folder / _RECORD, json.dumps(found._asdict()).encode())


# ---- putting one back


def restore(
    path: Path, folder: Path, passphrase: str | None, *, replace: bool = False, now_ms: int = 0
) -> Restored:
    """Makes a store of a backup; it works at once, without any connection.

    Args:
        path: The backup's folder.
        folder: Where the store goes.
        passphrase: Of any holder; ``None`` when nobody knows theirs and the province is to be asked.
        replace: Put the store that is in ``folder`` aside, instead of refusing.
        now_ms: When this is, for the name of what is put aside; milliseconds since 1970 UTC.

    Raises:
        BackupFailed: Not a whole backup; or its stick cannot note that it was restored.
        WrongPassphrase: It is nobody's.
        StoreExists: A store, or something else, is there.
        StoreBusy: A program has the store open that is to be put aside.
        StoreDamaged: The backup's store does not open with its own keys.
    """
    folder = folder.resolve()
    manifest = Manifest.read(path)
    is_there = folder.exists() and any(folder.iterdir())
    if is_there and not (replace and (folder / DATABASE).exists()):
        raise StoreExists(f"The folder {folder} is not empty.")
    manifest.check(path)
    fresh = folder.with_name(folder.name + ".restoring")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        secrets = _prepare(path, fresh, manifest, passphrase)
        if is_there and secrets is not None:
            _check_alone(folder, secrets)
        restores = _mark_restored(path.parent, folder, fresh, manifest)
        aside = _put_aside(folder, now_ms) if is_there else None
        if folder.exists():
            folder.rmdir()
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    sync_folder(folder.parent)
    holders = tuple(Keyring(folder).holders()) if secrets else ()
    return Restored(manifest.made_ms, restores, holders, aside)


def _prepare(path: Path, fresh: Path, manifest: Manifest, passphrase: str | None) -> Secrets | None:
    """Makes the folder beside its place, and looks whether it opens."""
    fresh.mkdir(mode=0o700, parents=True)
    _assemble(path, fresh, manifest)
    if passphrase is None:
        return None
    secrets = Keyring(fresh).unlock_any(passphrase)
    _check_store(fresh, secrets)
    _write_extras(path, fresh, secrets)
    return secrets


def _assemble(path: Path, fresh: Path, manifest: Manifest) -> None:
    with os.fdopen(os.open(fresh / DATABASE, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        for i, digest in enumerate(manifest.parts):
            with files.on_stick():
                part = (path / f"{i:04d}.part").read_bytes()
            if hashlib.sha256(part).digest() != digest:
                raise BackupFailed("The backup is damaged.", reason="backup_damaged")
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
    write_durably(fresh / files.KEYRING, (path / files.KEYRING).read_bytes())


def _check_store(fresh: Path, secrets: Secrets) -> None:
    """Opens the copy with the keys that came with it; after a removal it may have either of two."""
    is_next = bool(secrets.next_key) and engines.is_key_of(fresh / DATABASE, secrets.next_key)
    engines.check(fresh / DATABASE, secrets.next_key if is_next else secrets.database_key)


def _write_extras(path: Path, fresh: Path, secrets: Secrets) -> None:
    sealed = (path / files.EXTRAS).read_bytes()
    match codec.decode(keys.open_sealed(secrets.seal_seed, sealed, _PURPOSE)):
        case dict(extras):
            for name, data in extras.items():
                if Path(name).name == name and name not in {DATABASE, MARKER, files.KEYRING}:
                    write_durably(fresh / name, data)
            return
    raise FormatError("The extras of a backup are malformed.")


def _check_alone(folder: Path, secrets: Secrets) -> None:
    """Makes sure, where that can be told, that no program has the old store open."""
    database = folder / DATABASE
    with suppress(BackupFailed):
        if engines.is_key_of(database, secrets.database_key):
            engines.check_alone(database, secrets.database_key)


def _mark_restored(stick: Path, folder: Path, fresh: Path, manifest: Manifest) -> int:
    """Lets the store notice that it was restored, and how often that has happened; notes it on the stick."""
    with files.on_stick():
        known = max(manifest.restores, files.read_note(stick, manifest.machine), _restores_beside(folder))
        write_durably(fresh / MARKER, os.urandom(_MARKER_BYTES) + b"%d" % known)
        try:
            files.write_note(stick, manifest.machine, known + 1)
        except OSError as error:
            raise BackupFailed(
                "The stick or folder cannot note that it was restored from.",
                todo="Nothing was changed. Copy the backup to a disk that can be written, and restore it.",
                reason="backup_note",
            ) from error
    return known + 1


def _restores_beside(folder: Path) -> int:
    """Returns how many restores the marker of the store has seen that is to be put aside."""
    path = folder / MARKER
    count = path.read_bytes()[_MARKER_BYTES:] if path.exists() else b""
    return int(count) if count.isdigit() else 0


def _put_aside(folder: Path, now_ms: int) -> Path:
    when = datetime.fromtimestamp(now_ms / 1000).astimezone()
    aside = folder.with_name(f"{folder.name}.before-{when:%Y%m%d-%H%M%S}")
    return folder.rename(aside)
