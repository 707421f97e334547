"""What a machine remembers beside its store: parents and the default officer. Nothing of it is secret."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

__all__ = ["Config", "load_config", "save_config"]

FILE: Final = "config.json"


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of one machine.

    Attributes:
        parents: Addresses to synchronise with, in the order in which they are tried.
        ca: PEM file of the authority that signed the parents' TLS certificates; empty: the system's.
        proxy: URL of a proxy to the parents; empty for none.
        officer: Who works here by default; empty when nobody was chosen.
        confirmed_day: Day, as ISO date, that an official confirmed when the clock looked wrong.
    """

    parents: tuple[str, ...] = ()
    ca: str = ""
    proxy: str = ""
    officer: str = ""
    confirmed_day: str = ""

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
    try:
        match json.loads(path.read_text(encoding="utf-8")):
            case {"parents": list(parents), "officer": str(officer), **rest} if all(
                isinstance(parent, str) for parent in parents
            ):
                known = {name: str(rest.get(name, "")) for name in ("ca", "proxy", "confirmed_day")}
                return Config(parents=tuple(parents), officer=officer, **known)
    except ValueError as error:
        raise _damaged(path) from error
    raise _damaged(path)


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
