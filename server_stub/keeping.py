"""For machines in need: ``recover`` opens one whose officers forgot, ``enrol blocks`` gives serials."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Final

from onestop_sync import enrol, recovery
from onestop_sync.codec import nfc
from onestop_sync.errors import NotFound
from onestop_sync.store import Store
from server_stub import commands, keyfiles, settings
from server_stub.console import say, write_file

__all__ = ["blocks", "recover"]

_VARIABLE: Final = "ONESTOP_RECOVERY_PASSPHRASE"


def recover(arguments: Namespace) -> None:
    """Answers a machine's request with the province's recovery key."""
    data = settings.read_file(arguments.request)
    asked = recovery.describe(data)
    commands.compare(arguments, arguments.fingerprint, asked.fingerprint, "request")
    typed = settings.secret(_VARIABLE, arguments.key_passphrase_file, "Passphrase of the recovery key")
    seed = keyfiles.open_key(Path(arguments.key), nfc(typed), "recovery")
    write_file(arguments.out, recovery.answer(data, seed))
    say(
        arguments,
        {"request": asked.fingerprint},
        [f"The answer is in {arguments.out}; it opens there alone."],
    )


def blocks(arguments: Namespace) -> None:
    """Gives a machine further blocks of serials; it gets them with its next sync."""
    store = settings.open_store(arguments)
    try:
        key = _machine(store, arguments.machine)
        secrets = settings.unlock(arguments)
        given = enrol.give_blocks(store, secrets.officer, key)
    finally:
        store.close()
    write = [list(block) for block in given.blocks]
    say(
        arguments,
        {"machine": given.name, "unit": given.unit, "blocks": write},
        [f"{given.name} has {len(write)} blocks."],
    )


def _machine(store: Store, name: str) -> bytes:
    """Returns the key of the one machine of a name, as certified, or of a key in hex.

    Raises:
        NotFound: There is none, or more than one.
    """
    known = {c.key: c.name for _, c in store.trust.certificates() if c.kind == "machine"}
    found = [key for key, called in known.items() if name in {called, key.hex()}]
    if len(found) != 1:
        raise NotFound(f"{len(found)} machines are called {name!r}.", todo="Name its key in hex.")
    return found[0]
