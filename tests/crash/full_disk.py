"""A disk that is really full: a file system of 96 MiB in memory, which Linux lets many mount for themselves.

Dossiers are taken in until nothing goes any more; what was told is there at each point, also after a restart
on the same full disk, and with room again the day goes on.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

from commune_client.desk.desk import Desk
from onestop_sync.errors import StoreFull
from onestop_sync.storage.ballast import SAVING, STARTING
from tests.crash.day import take_in
from tests.crash.world import World, build
from tests.unit.cli_world import PASSPHRASE

__all__ = ["Filled", "can_mount", "fill_and_work", "on_a_small_disk"]

_PLACE: Final = "/mnt"
_MOUNT: Final = f"mount -t tmpfs -o size=96m tmpfs {_PLACE}"


class Filled(NamedTuple):
    """What a full disk let through.

    Attributes:
        after: Dossiers that were taken in on the full disk, once the room that was held back was given up.
        restarted: Dossiers that were there after a restart on the full disk.
        told: Dossiers that were told to be saved until then.
        later: Dossiers that were there at the end, with room again.
    """

    after: int
    restarted: int
    told: int
    later: int


def can_mount() -> bool:
    """Tells whether a process may have file systems of its own here."""
    if shutil.which("unshare") is None:
        return False
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", _MOUNT], capture_output=True, check=False, timeout=10
    )
    return done.returncode == 0


def on_a_small_disk() -> Filled:
    """Works on a disk of its own until it is full, in a process of its own."""
    command = f"{_MOUNT} && exec '{sys.executable}' -m tests.crash.full_disk {_PLACE}"
    root = Path(__file__).parents[2]
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", command],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return Filled(*map(int, done.stdout.split()))


def fill_and_work(folder: Path) -> Filled:
    """Fills a disk, and works on.

    Args:
        folder: Where it is mounted.
    """
    world = build(folder / "made", "cipher")
    desk = world.pc.unlock("An", PASSPHRASE)
    pc = world.pc.folder
    assert (pc / SAVING).exists()
    assert (pc / STARTING).exists()
    _fill(folder)
    codes: list[str] = []
    assert _take_in_until_full(desk, codes) == "reserve"
    before = len(codes)
    assert _take_in_until_full(desk, codes) is None
    assert {row.code for row in desk.dossiers().rows} == set(codes)
    desk.close()
    _fill(folder)
    restarted = len(_codes(world) & set(codes))
    (folder / "filling").unlink()
    with world.pc.unlock("An", PASSPHRASE) as again:
        take_in(again, lambda *_: None)
    assert (pc / SAVING).exists()
    return Filled(len(codes) - before, restarted, len(codes), len(_codes(world)))


def _take_in_until_full(desk: Desk, codes: list[str]) -> object:
    """Takes in dossiers until one is refused; returns the reason that was given."""
    while True:
        try:
            take_in(desk, lambda word, *rest: codes.append(rest[0]) if word == "code" else None)
        except StoreFull as error:
            return error.details.get("reason")


def _codes(world: World) -> set[str]:
    with world.pc.unlock("An", PASSPHRASE) as desk:
        return {row.code for row in desk.dossiers().rows}


def _fill(folder: Path) -> None:
    """Writes until the disk takes no byte more."""
    with (folder / "filling").open("ab", buffering=0) as file:
        for size in (2**20, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


if __name__ == "__main__":
    print(*fill_and_work(Path(sys.argv[1])))  # noqa: T201 - read by the process that started it
