"""Founding a province: its root keys, its tree of units, its first administrator, its own server's store."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from onestop_sync import founding, publisher
from onestop_sync.errors import FormatError, InvalidInput, OnestopError, StoreExists
from onestop_sync.keyring import Keyring
from onestop_sync.keys import KeyCost, SigningKey, fingerprint, seal_public_key
from onestop_sync.schema import DocumentType
from onestop_sync.store import Store
from onestop_sync.strict_json import read_json
from onestop_sync.trust import Unit
from server_stub.keyfiles import PUBLISHING, RECOVERY, Purpose, open_key, root_file, seal_key

__all__ = ["ROOTS", "ROOT_FOLDER", "THRESHOLD", "Founded", "found", "parse_units", "publish_units"]

ROOT_FOLDER: Final = "root-keys"
ROOTS: Final = 3
"""Root keys of a province, unless it wants another number."""
THRESHOLD: Final = 2
"""How many of them must sign."""
_FIELDS: Final = ("id", "name", "parent", "level", "codes")
_COST: Final = KeyCost()
_LEVELS: Final = frozenset({"province", "district", "commune"})


class Founded(NamedTuple):
    """What was made, for the operator to write down.

    Attributes:
        store: The top server's store.
        root_fingerprint: Fingerprint of the province's first root: every machine compares it.
        admin_fingerprint: Fingerprint of the first administrator's key.
    """

    store: Store
    root_fingerprint: str
    admin_fingerprint: str


def parse_units(text: str) -> tuple[Unit, ...]:
    """Reads a file of units: JSON or CSV.

    Shape:
        JSON: ``[{"id": "x01", "name": "Xã Một", "parent": "h01", "level": "commune", "codes": ["…"]}, …]``
        CSV: a line ``id,name,parent,level,codes``, then a line for each unit, its codes separated by spaces.

    Raises:
        InvalidInput: It is neither, or a unit is described wrongly.
    """
    stripped = text.lstrip("\ufeff \t\r\n")
    rows = _json_rows(stripped) if stripped[:1] in {"[", "{"} else _csv_rows(stripped)
    units = tuple(_unit(number, row) for number, row in enumerate(rows, 1))
    if not units:
        raise InvalidInput("The file of units names none.")
    if len({u.id for u in units}) != len(units):
        raise InvalidInput("The file of units names one id twice.")
    return units


def _json_rows(text: str) -> Sequence[Mapping[str, Any]]:
    try:
        rows = read_json(text)
    except FormatError as error:
        raise InvalidInput(f"The file of units cannot be read. {error.what}") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InvalidInput("The file of units is not a list of objects.")
    return rows


def _csv_rows(text: str) -> Sequence[Mapping[str, Any]]:
    reader = csv.DictReader(io.StringIO(text))
    try:
        if not set(_FIELDS[:4]) <= set(reader.fieldnames or ()):
            raise InvalidInput(f"The file of units needs a first line with {', '.join(_FIELDS)}.")
        return [{**row, "codes": (row.get("codes") or "").split()} for row in reader]
    except csv.Error as error:
        raise InvalidInput(f"The file of units is not CSV: {error}.") from error


def _unit(number: int, row: Mapping[str, Any]) -> Unit:
    match {"parent": "", "codes": [], **row}:
        case {
            "id": str(unit),
            "name": str(name),
            "parent": str(above),
            "level": str(level),
            "codes": list(codes),
        } if unit and name and level in _LEVELS and all(isinstance(c, str) for c in codes):
            return Unit(unit, name, above, level, tuple(codes))
    raise InvalidInput(
        f"Unit {number} of the file needs an id, a name, a parent (or none), codes, and as level one of"
        f" {', '.join(sorted(_LEVELS))}."
    )


def found(  # noqa: PLR0913 - a province is made of these
    folder: Path,
    units: Sequence[Unit],
    *,
    holder: str,
    passphrase: str,
    root_passphrase: str,
    machine_name: str,
    types: Iterable[DocumentType],
    root_folder: Path | None = None,
    roots: int = ROOTS,
    threshold: int = THRESHOLD,
    database: str | None = None,
    cost: KeyCost = _COST,
    rng: Callable[[int], bytes] = os.urandom,
) -> Founded:
    """Makes a province, and the store of its own server, which is enrolled at once.

    Args:
        folder: The server's folder.
        units: The whole tree.
        holder: Name of the first administrator, who unlocks the server.
        passphrase: The administrator's; seals the publishing key as well.
        root_passphrase: Seals the root keys and the recovery key; each holder of one changes it afterwards.
        machine_name: What the server is called.
        types: Document types.
        root_folder: Where the sealed root keys and the recovery key go; ``root-keys`` in the folder when
            ``None``. Keep them offline, each with another person.
        roots: How many root keys there are.
        threshold: How many of them must sign a new root.
        database: SQLAlchemy URL; an encrypted file in the folder when ``None``.
        cost: What one guess of a passphrase costs.
        rng: Makes random bytes.

    Raises:
        StoreExists: Something is there already; it is left untouched.
        InvalidInput: A passphrase is too short, the tree has a hole or a cycle, or the threshold is wrong.
    """
    sealed_in = root_folder or folder / ROOT_FOLDER
    keyring = Keyring(folder, rng=rng, cost=cost)
    if keyring.exists() or any((sealed_in / root_file(i)).exists() for i in range(1, roots + 1)):
        raise StoreExists(f"A province or a server was made in {folder} already.")
    if not 0 < threshold <= roots:
        raise InvalidInput(f"{threshold} of {roots} root keys can never sign.")
    made: list[Path] = []
    online, recovery = SigningKey(rng(32)), rng(32)
    keys = [SigningKey(rng(32)) for _ in range(roots)]

    def seal(path: Path, seed: bytes, secret: str, purpose: Purpose) -> None:
        seal_key(path, seed, secret, purpose, cost=cost, rng=rng)
        made.append(path)

    secrets = keyring.create(holder, passphrase)
    try:
        for number, key in enumerate(keys, 1):
            seal(sealed_in / root_file(number), key.seed, root_passphrase, "root")
        seal(sealed_in / RECOVERY, recovery, root_passphrase, "recovery")
        seal(folder / PUBLISHING, online.seed, passphrase, "publishing")
        store, _ = founding.found(
            folder, secrets, units, types=types, name=machine_name, database=database,
            roots=founding.Roots(keys, threshold, online, seal_public_key(recovery)),
        )  # fmt: skip
    except (OnestopError, OSError):
        # Keys of a province that was not made would only be in the way of the next try.
        for path in [keyring.path, *made]:
            path.unlink(missing_ok=True)
        raise
    return Founded(store, fingerprint(store.root), fingerprint(secrets.officer.public))


def publish_units(store: Store, units: Sequence[Unit], key_file: Path, passphrase: str) -> None:
    """Adds units to the tree: a publication with them is in the store when it returns.

    Args:
        store: The top server's store.
        units: The new ones.
        key_file: Where the sealed publishing key is.
        passphrase: Opens it.

    Raises:
        NotFound: There is no such file.
        WrongPassphrase: It does not open.
        NotAllowed: The root does not name that key for publishing.
        InvalidInput: The tree would have a hole or a cycle.
    """
    online = SigningKey(open_key(key_file, passphrase, "publishing"))
    held, now = store.publication, store.clock()
    old = held.document
    tree = {**old.units, **{unit.id: unit for unit in units}}
    document = replace(old, version=old.version + 1, units=tree, issued_ms=now)
    store.replace_trust(publisher.publish(held, online, now_ms=now, document=document))
