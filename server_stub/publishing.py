"""Publishing from a server's store: the sealed key, and the next publication."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from onestop_sync import publisher
from onestop_sync.errors import NotAllowed, NotFound, StoreBusy, WrongPassphrase
from onestop_sync.keys import SigningKey, fingerprint
from onestop_sync.root_draft import read_root
from onestop_sync.store import Store
from onestop_sync.trust_document import TrustDocument
from server_stub import settings
from server_stub.keyfiles import PUBLISHING, open_key

__all__ = ["NEXT", "key_path", "next_path", "open_publishing", "passphrase", "publish", "take"]

NEXT: Final = "publishing-next.key"
"""The publishing key that a new root will name, until that root is published."""
_VARIABLE: Final = "ONESTOP_PUBLISHING_PASSPHRASE"


def key_path(arguments: Namespace) -> Path:
    """Returns where the publishing key is."""
    return Path(arguments.publishing_key or Path(arguments.folder) / PUBLISHING)


def next_path(arguments: Namespace) -> Path:
    """Returns where the next one is kept, beside it."""
    return key_path(arguments).with_name(NEXT)


def passphrase(arguments: Namespace) -> str:
    """Returns the passphrase of the publishing key: its own, or else the folder's."""
    is_own = arguments.publishing_passphrase_file or os.environ.get(_VARIABLE)
    if not is_own and (arguments.passphrase_file or os.environ.get("ONESTOP_PASSPHRASE")):
        return settings.passphrase(arguments)
    return settings.secret(
        _VARIABLE, arguments.publishing_passphrase_file, "Passphrase of the publishing key"
    )


def open_publishing(arguments: Namespace, root: bytes) -> tuple[SigningKey, Path]:
    """Opens the key that a root names for publishing, and tells in which file it was.

    Args:
        arguments: Of the command.
        root: The root's metadata.

    Raises:
        NotFound: There is no such file.
        NotAllowed: The root names another key.
        WrongPassphrase: It does not open.
    """
    wanted = read_root(root).online
    paths = [path for path in (key_path(arguments), next_path(arguments)) if path.exists()]
    if not paths:
        raise NotFound(
            f"There is no publishing key at {key_path(arguments)}.",
            todo="Name it with --publishing-key. If it is lost: `root draft --new-online`.",
        )
    locked: WrongPassphrase | None = None
    secret = passphrase(arguments)
    for path in paths:
        try:
            key = SigningKey(open_key(path, secret, "publishing"))
        except WrongPassphrase as error:
            locked = error
            continue
        if key.public == wanted:
            return key, path
    if locked is not None:
        raise locked
    raise NotAllowed(
        f"The root names the publishing key {fingerprint(wanted)}, and it is not in {paths[0]}.",
        todo="Nothing was published. Name it with --publishing-key, or make a new root with --new-online.",
    )


def publish(
    arguments: Namespace,
    store: Store,
    *,
    document: TrustDocument | None = None,
    files: Mapping[str, bytes | None] | None = None,
) -> None:
    """Makes the next publication and stores it; machines hear of it at their next sync.

    Raises:
        NotAllowed: The root does not name the key.
        StoreBusy: Somebody else published at the same time.
    """
    held = store.publication
    key, _ = open_publishing(arguments, held.files[held.root_name])
    data = publisher.publish(held, key, now_ms=store.clock(), document=document, files=files)
    take(store, data)


def take(store: Store, data: bytes) -> None:
    """Stores a publication that was made just now.

    Raises:
        StoreBusy: Somebody else published at the same time, so that this one does not follow.
    """
    store.replace_trust(data)
    if store.publication.data != data:
        raise StoreBusy(
            "Another publication was made at the same time.", todo="Nothing was changed. Repeat it."
        )
