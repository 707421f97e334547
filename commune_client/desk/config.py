"""What a machine remembers beside its store: parents and the default officer. Nothing of it is secret."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

__all__ = ["Config", "load_config", "save_config"]

FILE: Final = "config.json"
_STATEMENT_DAYS: Final = 3
_WORDS: Final = ("ca", "proxy", "backup_folder", "print_folder", "printer")
_NUMBERS: Final = (
    "doubted_ms", "confirmed_ms", "confirmed_over_ms", "idle_lock_min", "sync_every_min", "backup_keep",
    "statement_days", "find_hub",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Settings of one machine.

    Attributes:
        parents: Addresses to synchronise with, in the order in which they are tried.
        ca: PEM file of the authority that signed the parents' TLS certificates; empty: the system's.
        proxy: URL of a proxy to the parents; empty for the computer's own, "none" for none.
        find_hub: 1 to look for the unit's hub on the local network, and to announce one; 0 for neither.
        officer: Who works here by default; empty when nobody was chosen.
        statement_days: Days of contact without a statement of the province after which that is said.
        idle_lock_min: Minutes without a key after which the screen locks itself; 0 for never.
        sync_every_min: Minutes between two synchronisations that nobody asked for; 0 for none.
        backup_folder: Where a backup goes every day; empty for none.
        backup_keep: How many backups of this machine stay there.
        print_folder: Where printed forms are written; empty: it is asked for.
        printer: What prints such a file: empty for nothing, ``system`` for the system's own way, otherwise a
            command, to which the file's path is added.
        doubted_ms: What the store had last seen when the clock jumped; 0 while it is not doubted.
        confirmed_ms: When an official last confirmed the date, milliseconds since 1970 UTC; 0 for never.
        confirmed_over_ms: Latest time in the store at that moment: it counts no more.
    """

    parents: tuple[str, ...] = ()
    ca: str = ""
    proxy: str = ""
    find_hub: int = 1
    officer: str = ""
    statement_days: int = _STATEMENT_DAYS
    idle_lock_min: int = 10
    sync_every_min: int = 5
    backup_folder: str = ""
    backup_keep: int = 7
    print_folder: str = ""
    printer: str = ""
    doubted_ms: int = 0
    confirmed_ms: int = 0
    confirmed_over_ms: int = 0

    def with_(self, **changes: Any) -> Config:
        """Returns the settings with some of them changed."""
        return replace(self, **changes)


def load_config(folder: Path) -> Config:
    """Reads the settings; the defaults when there are none.

    Raises:
        StoreDamaged: The file is not ours.
    """
    path = folder / FILE
    if not path.exists():
        return Config()
    from onestop_sync.errors import FormatError
    from onestop_sync.strict_json import read_json

    try:
        match read_json(path.read_bytes()):
            case {"parents": list(parents), "officer": str(officer), **rest} if all(
                isinstance(parent, str) for parent in parents
            ):
                return Config(parents=tuple(parents), officer=officer, **_rest(rest))
    except (FormatError, ValueError, TypeError) as error:
        raise _damaged(path) from error
    raise _damaged(path)


def _rest(found: dict[Any, Any]) -> dict[str, Any]:
    """Returns the settings that may be missing, and passes over those of a newer program."""
    words = {name: str(found[name]) for name in _WORDS if name in found}
    return words | {name: int(found[name]) for name in _NUMBERS if name in found}


def _damaged(path: Path) -> Exception:
    from onestop_sync.errors import StoreDamaged

    return StoreDamaged(
        f"The file of settings {path.name} cannot be read.",
        todo="The dossiers are safe. Move the file away; the addresses of the parents are asked for again.",
        reason="settings",
    )


def save_config(folder: Path, config: Config) -> None:
    """Writes the settings durably."""
    from onestop_sync.keyring import write_durably

    data = json.dumps(asdict(config), ensure_ascii=False, indent=2)
    write_durably(folder / FILE, data.encode() + b"\n")
