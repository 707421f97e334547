"""An administrator's desk for tests: ``onestop-server`` in this process, with what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from onestop_sync.client import Parent, sync
from server_stub import cli
from tests.e2e.servers import QUICK, Office, Server, Town, serving

__all__ = ["command", "publish", "refused", "run", "serving_top", "settle"]


def run(*words: object) -> tuple[int, str, str]:
    """Runs a command; returns its exit code, and what it said on either stream."""
    said, complained = StringIO(), StringIO()
    with redirect_stdout(said), redirect_stderr(complained):
        code = cli.main([str(word) for word in words])
    return code, said.getvalue(), complained.getvalue()


def _of(town: Town, words: tuple[object, ...]) -> tuple[object, ...]:
    """Returns a command's words with what every command of the province takes."""
    database = ("--database", town.database) if town.database else ()
    return (*words, "--folder", town.folder / "province", "--types", "tests.province:CASE", *database)


def command(town: Town, *words: object) -> Any:
    """Runs a command of the province's administrator, which must be done; returns its JSON."""
    code, said, complained = run(*_of(town, words), "--json")
    assert code == 0, complained
    return json.loads(said)


def refused(town: Town, *words: object) -> str:
    """Runs a command that must be refused in one line; returns that line."""
    code, _, complained = run(*_of(town, words))
    assert (code, complained.count("\n")) == (1, 1), complained
    return complained


def publish(town: Town, *words: object) -> list[str]:
    """Runs a command that publishes; returns what it says changes, the same as it said before."""
    told: list[str] = command(town, *words, "--dry-run")["changes"]
    assert command(town, *words, "--yes")["changes"] == told
    return told


def settle(office: Office, parent: Parent) -> None:
    """Syncs until a machine is where it will be: it hears of a change, and says that it has moved."""
    for _ in range(2):
        sync(office.store, [parent], patience=QUICK)


@contextmanager
def serving_top(town: Town, folder: Path | None = None) -> Iterator[Server]:
    """Serves the province in a process of its own."""
    options = ("--database", town.database) if town.database else ()
    with serving(folder or town.folder / "province", *options) as server:
        yield server
