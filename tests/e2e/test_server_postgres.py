"""Several server processes on one PostgreSQL: nobody's cursor skips anything, and nothing is doubled."""

from __future__ import annotations

import threading
from pathlib import Path

from onestop_sync.client import Lines, sync
from onestop_sync.errors import OnestopError
from onestop_sync.protocol import Limits
from tests.e2e.servers import QUICK, Office, Server, Town, serving, status

DOCUMENTS = 24
SMALL = Limits(batch_events=7, answer_bytes=8 * 1024)


def test_two_processes_on_one_database_serve_many_machines_at_once(tmp_path: Path, postgres_url: str) -> None:
    """Machines push through two processes at a time while others read: all end with all, and each once."""
    town = Town(tmp_path, database=postgres_url)
    writers = [town.enrol(f"writer {n}", "c9") for n in range(4)]
    readers = [town.enrol(f"reader {n}", "c9") for n in range(2)]
    folder = tmp_path / "province"
    options = ("--database", postgres_url)
    with serving(folder, *options) as one, serving(folder, *options) as two:
        failures = _at_once(writers, readers, [one, two])
        assert failures == []
        for office in [*writers, *readers]:
            for server in (one, two):
                sync(office.store, [server.parent], patience=QUICK)
        assert (one.stop(), two.stop()) == (0, 0)
    total = DOCUMENTS * len(writers)
    found = status(folder, postgres_url)
    assert {office.store.count("case") for office in town.offices} == {total}
    assert {office.store.digest().hex() for office in town.offices} == {found["digest"]}
    assert (found["documents"], found["status"]["forks"]) == (total, 0)
    town.close()


def _at_once(writers: list[Office], readers: list[Office], servers: list[Server]) -> list[OnestopError]:
    """Lets every machine work in a thread of its own; returns what went wrong."""
    failures: list[OnestopError] = []
    is_over = threading.Event()

    def write(number: int, office: Office) -> None:
        # One exchange of a machine at a time, each through the other process.
        with Lines() as lines:
            for part in range(4):
                office.take_in(DOCUMENTS // 4, f"{number}.{part}")
                sync(
                    office.store,
                    [servers[(number + part) % 2].parent],
                    lines=lines,
                    limits=SMALL,
                    patience=QUICK,
                )

    def read(number: int, office: Office) -> None:
        with Lines() as lines:
            while not is_over.wait(0.1):
                sync(office.store, [servers[number % 2].parent], lines=lines, limits=SMALL, patience=QUICK)

    def guarded(work: object, *arguments: object) -> None:
        try:
            work(*arguments)  # type: ignore[operator]
        except OnestopError as error:
            failures.append(error)

    pushing = [threading.Thread(target=guarded, args=(write, n, o)) for n, o in enumerate(writers)]
    reading = [threading.Thread(target=guarded, args=(read, n, o)) for n, o in enumerate(readers)]
    for thread in [*pushing, *reading]:
        thread.start()
    for thread in pushing:
        thread.join()
    is_over.set()
    for thread in reading:
        thread.join()
    return failures
