"""What a command is told from outside: passphrases, addresses, document types."""

from __future__ import annotations

import getpass
import importlib
import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from onestop_sync import rekey
from onestop_sync.client import Parent
from onestop_sync.errors import InvalidInput, NotFound
from onestop_sync.keyring import Keyring, Secrets
from onestop_sync.schema import DocumentType
from onestop_sync.store import Store

__all__ = [
    "DATABASE",
    "DEFAULT_TYPES",
    "FOLDER",
    "HOLDER",
    "database_of",
    "load_types",
    "open_store",
    "parents_of",
    "read_file",
    "secret",
    "unlock",
]

FOLDER: Final = "ONESTOP_SERVER_FOLDER"
DATABASE: Final = "ONESTOP_DATABASE"
HOLDER: Final = "quan-tri"
"""Who unlocks a server unless somebody else is named."""
DEFAULT_TYPES: Final = "onestop_sync.dossier.types:TYPES"
"""All types of the one-stop domain."""
_MAX_FILE: Final = 16 * 2**20


def secret(variable: str, file: str | None, what: str) -> str:
    """Returns a secret from a file, an environment variable, or a person at a terminal; never from arguments.

    Args:
        variable: Name of the environment variable.
        file: Path whose first line it is; looked at first.
        what: What to ask a person for.

    Raises:
        InvalidInput: It is nowhere, or the file cannot be read.
    """
    if file:
        return read_file(file).decode("utf-8", errors="replace").split("\n", 1)[0].rstrip("\r")
    found = os.environ.get(variable)
    if found:
        return found
    if sys.stdin is not None and sys.stdin.isatty():
        return getpass.getpass(f"{what}: ")
    raise InvalidInput(f"{what} is missing.", todo=f"Set {variable}, or name a file that holds it.")


def read_file(path: str | Path) -> bytes:
    """Reads a file that somebody named.

    Raises:
        InvalidInput: It cannot be read, or is far too large for what it should be.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(_MAX_FILE + 1)
    except OSError as error:
        raise InvalidInput(f"Cannot read {path}: {error.strerror}.", todo="Check the path.") from error
    if len(data) > _MAX_FILE:
        raise InvalidInput(f"{path} is too large.", todo="Check the path.")
    return data


def load_types(names: Sequence[str]) -> list[DocumentType]:
    """Returns document types that are named ``package.module:NAME``, one or a tuple of them by each name.

    Raises:
        InvalidInput: There is none of that name.
    """
    found: list[DocumentType] = []
    for name in names:
        module, _, attribute = name.partition(":")
        try:
            kind = getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError, ValueError) as error:
            raise InvalidInput(
                f"There is no document type {name!r}.", todo="Write package.module:NAME."
            ) from error
        kinds = kind if isinstance(kind, tuple) and kind else (kind,)
        if not all(isinstance(each, DocumentType) for each in kinds):
            raise InvalidInput(f"{name!r} is not a document type.", todo="Write package.module:NAME.")
        found += kinds
    return found


def unlock(arguments: Namespace) -> Secrets:
    """Unlocks the keys of the server in the folder; where one person alone can, nobody has to name them.

    Raises:
        StoreMissing: There is none.
        NotFound: Nobody of that name can unlock it.
        WrongPassphrase: It does not open.
    """
    keyring = Keyring(Path(arguments.folder))
    holders = keyring.holders()  # a missing folder is told before anybody types a passphrase
    if arguments.holder == HOLDER and len(holders) == 1:
        arguments.holder = holders[0]
    if arguments.holder not in holders:
        raise NotFound(
            f"Nobody called {arguments.holder!r} unlocks this folder.",
            todo=f"Name one with --holder: {', '.join(map(repr, holders))}.",
        )
    return keyring.unlock(arguments.holder, passphrase(arguments))


def passphrase(arguments: Namespace) -> str:
    """Returns the holder's passphrase."""
    return secret("ONESTOP_PASSPHRASE", arguments.passphrase_file, f"Passphrase of {arguments.holder}")


def open_store(arguments: Namespace, secrets: Secrets | None = None) -> Store:
    """Opens the server's store; unlocks it first where the caller has not."""
    types, database = load_types(arguments.types), database_of(arguments)
    keyring = Keyring(Path(arguments.folder))
    secrets = rekey.settle(keyring, secrets or unlock(arguments))
    store = Store.open(arguments.folder, secrets, types=types, database=database)
    public = store.trust.document.recovery
    if public:
        with suppress(OSError):  # a folder that cannot be written serves as well
            keyring.set_recovery(secrets, public)
    return store


def database_of(arguments: Namespace) -> str | None:
    """Returns the URL of the database; ``None`` for an encrypted file in the folder.

    Raises:
        InvalidInput: It is not one that this program can open.
    """
    if not arguments.database:
        return None
    try:
        sa.make_url(arguments.database).get_dialect().import_dbapi()
    except (sa.exc.ArgumentError, ImportError) as error:
        raise InvalidInput(
            "That is not a database that this program can open.",
            todo="Write postgresql+psycopg://user@host/name, or leave it out.",
        ) from error
    return str(arguments.database)


def parents_of(arguments: Namespace) -> list[Parent]:
    """Returns the parents that were named, in order."""
    ca = Path(arguments.ca) if arguments.ca else None
    return [Parent(url, ca, arguments.proxy) for url in arguments.parent]
