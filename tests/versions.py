"""Another revision and this one on one network: `python -m tests.versions REVISION` (`make versions`).

The other revision is taken out of the repository into a folder, and runs from there: as the server, as a
machine, as the stores that are updated. Each ends with the same events and the same documents, and is proven.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
_MACHINES: Final = ("old", "new", "late-1", "late-2", "late-3")
_EACH: Final = 40
"""Dossiers that a machine takes in each time."""
_WAY: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("give", {}), ("receive", {}), ("submit", {}), ("approve", {}), ("give_result", {"to": "c1"}),
    ("receive", {}), ("return", {"tra_luc": 1_790_000_000_000}),
)  # fmt: skip
"""What becomes of a dossier after its acceptance; of the last step, the values that it writes."""


# ------------------------------------------------------- what runs in either revision, with its own library


def make(folder: Path) -> None:
    """Makes a server's store and those of some machines."""
    from benchmarks.world import World

    world = World(folder)
    world.server("server")
    for name in _MACHINES:
        world.counter(name).store.close()
    world.close()


def opened(folder: Path, *, is_newer: bool) -> Any:
    """Opens a machine's store, with the next version of its document type if told so."""
    from dataclasses import replace

    from benchmarks.world import Counter
    from onestop_sync.dossier.schema import DOSSIER
    from onestop_sync.schema import Field
    from onestop_sync.store import Store

    if not is_newer:
        return Counter.open(folder)
    kept = Store.open

    def open_newer(*arguments: Any, **options: Any) -> Any:
        newer = replace(DOSSIER, version=2, base=1, fields=(*DOSSIER.fields, Field("mau", since=2)))
        return kept(*arguments, **{**options, "types": [newer]})

    Store.open = open_newer  # type: ignore[method-assign] # this process opens one store and ends
    return Counter.open(folder)


def work(folder: Path, start: int, *, is_newer: bool) -> None:
    """Takes in dossiers, finishes some, and changes those of everybody."""
    from benchmarks.bench import take_in
    from benchmarks.world import KIND
    from onestop_sync.errors import NotAllowed

    counter = opened(folder, is_newer=is_newer)
    others = [row.doc for row in counter.store.page(KIND, limit=1000)]
    mine = take_in(counter, start, start + _EACH)
    for doc in mine[::2]:
        for action, given in _WAY:
            is_last = action == "return"
            counter.officer.act(doc, action, {} if is_last else given, values=given if is_last else {})
    for n, doc in enumerate([*mine[1::2], *others]):
        if not counter.store.document(doc).value("tra_luc"):
            with suppress(NotAllowed):  # what is in conflict is settled by other roles than these
                counter.officer.edit(doc, {"dien_thoai": f"09{start:04d}{n:04d}"})
            if is_newer and n % 5 == 0:
                counter.officer.edit(doc, {"mau": "đỏ"})
    counter.store.close()


def sync(folder: Path, port: int, *, is_newer: bool) -> dict[str, Any]:
    """Syncs a machine, and tells what it cost."""
    from benchmarks.link import Link

    counter = opened(folder, is_newer=is_newer)
    link = Link(port)
    found = link.sync(counter.store)
    link.close()
    status = counter.store.status()
    counter.store.close()
    return {"wire": found.wire_bytes, "trips": found.round_trips, "unsent": status.unsent}


def sign(folder: Path) -> int:
    """Signs snapshots at a server that is off; returns of how many documents."""
    from benchmarks.world import open_store
    from onestop_sync.snapshotting import make_snapshots

    store = open_store(folder)
    signed = make_snapshots(store)
    store.close()
    return signed


def look(folder: Path, *, is_newer: bool) -> dict[str, Any]:
    """Tells what a store holds: its events, byte for byte, its documents, what waits, what is not proven."""
    import sqlalchemy as sa

    from benchmarks.world import KIND
    from onestop_sync.storage import tables as t
    from onestop_sync.verification import verify_store

    counter = opened(folder, is_newer=is_newer)
    at = t.event.c
    with counter.store.reading() as connection:
        rows = connection.execute(
            sa.select(at.header, at.body, at.waiting)
            .join(t.document, t.document.c.n == at.doc_n)
            .where(t.document.c.kind == KIND)
            .order_by(at.id)
        ).all()
    events = hashlib.sha256(b"".join(row.header + row.body for row in rows)).hexdigest()
    report = verify_store(counter.store)
    found = {
        "events": events, "count": len(rows), "waiting": sum(row.waiting for row in rows),
        "snapshots": getattr(report, "snapshots", 0), "digest": counter.store.digest().hex(),
        "problems": sorted({problem.code for problem in report.problems}),
    }  # fmt: skip
    counter.store.close()
    return found


def role(arguments: argparse.Namespace) -> Any:
    """Does one thing in the revision that this process runs."""
    folder, is_newer = arguments.folder, arguments.newer
    match arguments.role:
        case "make":
            return make(folder)
        case "work":
            return work(folder, arguments.number, is_newer=is_newer)
        case "sync":
            return sync(folder, arguments.number, is_newer=is_newer)
        case "sign":
            return sign(folder)
        case _:
            return look(folder, is_newer=is_newer)


# ------------------------------------------------------------------------------------------------ the driver


class Tree:
    """One revision: where it lies, and its own interpreter's path.

    Args:
        root: Folder of the sources.
        is_newer: Whether its machines know the next version of the document type.
    """

    def __init__(self, root: Path, *, is_newer: bool = False) -> None:
        self.root = root
        self.is_newer = is_newer
        self.environment = {**os.environ, "PYTHONPATH": str(root)}

    def run(self, what: str, folder: Path, number: int = 0) -> Any:
        """Does one thing in a process of this revision."""
        command = [sys.executable, "-P", str(Path(__file__)), "--role", what, "--folder", str(folder),
                   "--number", str(number), *(["--newer"] if self.is_newer else [])]  # fmt: skip
        done = subprocess.run(
            command, cwd=self.root, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{what} in {self.root}:\n{done.stderr}")
        return json.loads(done.stdout)

    @contextmanager
    def serving(self, folder: Path) -> Iterator[int]:
        """Serves a store in a process of this revision, for the length of the block."""
        pipe = subprocess.PIPE
        command = [sys.executable, "-P", "-m", "benchmarks.server", str(folder)]
        with subprocess.Popen(
            command, cwd=self.root, env=self.environment, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                yield int(process.stdout.readline())
            finally:
                process.stdin.close()


def unpacked(revision: str, folder: Path) -> Path:
    """Takes a revision out of the repository."""
    data = subprocess.run(
        ["git", "archive", "--format=tar", revision], cwd=ROOT, capture_output=True, check=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def told(what: str, facts: Any) -> Any:
    """Prints what a step came to."""
    print(f"{what}: {json.dumps(facts)}", flush=True)
    return facts


def play(other: Tree, this: Tree, folder: Path) -> bool:
    """Lets both revisions work on one network, and updates it by steps; tells whether all are the same."""
    world = folder / "world"
    other.run("make", world)
    plain = Tree(this.root)
    machines = {"old": other, "new": this, "late-1": this, "late-2": plain, "late-3": other}

    def rounds(server: Tree, *names: str) -> None:
        with server.serving(world / "server") as port:
            for name in names + names:
                facts = told(f"{name} syncs", machines[name].run("sync", world / name, port))
                assert facts["unsent"] == 0, facts

    def looks() -> dict[str, Any]:
        return {name: told(name, tree.run("look", world / name)) for name, tree in machines.items()}

    told("--", "the server and a machine are of the other revision, one machine is updated")
    other.run("work", world / "old", 0)
    this.run("work", world / "new", 1000)
    rounds(other, "old", "new")
    this.run("work", world / "new", 2000)
    other.run("work", world / "old", 3000)
    rounds(other, "old", "new", "late-1")
    told("--", "the server is updated, and signs snapshots; a machine is still of the other revision")
    told("signed", plain.run("sign", world / "server"))
    other.run("work", world / "old", 4000)
    rounds(plain, "late-2", "late-3")
    begun = told("late-2", plain.run("look", world / "late-2"))
    rounds(plain, *machines)
    found = looks()
    told("--", "everybody is updated")
    machines = dict.fromkeys(machines, this)
    rounds(plain, *machines)
    after = looks()
    is_same = len({each["events"] for each in found.values()}) == 1
    is_same &= len({(each["events"], each["digest"]) for each in after.values()}) == 1
    is_waiting = found["old"]["waiting"] > 0 and after["old"]["waiting"] == 0
    is_proven = not any(each["problems"] or each["snapshots"] for each in after.values())
    return is_same and is_waiting and is_proven and begun["snapshots"] > 0


def main(arguments: list[str] | None = None) -> int:
    """Plays it; 0 when every store ends the same."""
    parser = argparse.ArgumentParser(prog="python -m tests.versions", description=__doc__)
    parser.add_argument("revision", nargs="?", default="HEAD", help="of this repository (default: HEAD)")
    for name in ("--role", "--number", "--folder"):
        parser.add_argument(name, type={"--number": int, "--folder": Path}.get(name, str),
                            help=argparse.SUPPRESS)  # fmt: skip
    parser.add_argument("--newer", action="store_true", help=argparse.SUPPRESS)
    found = parser.parse_args(arguments)
    if found.role:
        print(json.dumps(role(found)))
        return 0
    with tempfile.TemporaryDirectory(prefix="onestop-versions-") as name:
        folder = Path(name)
        other = Tree(unpacked(found.revision, folder / "other"))
        is_good = play(other, Tree(ROOT, is_newer=True), folder)
    print("all the same" if is_good else "NOT the same")
    return int(not is_good)


if __name__ == "__main__":
    sys.exit(main())
