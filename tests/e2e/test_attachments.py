"""Scans between real processes: killed on either side at any moment, and on through a relay."""

from __future__ import annotations

import hashlib
import io
import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from onestop_sync import shelf
from onestop_sync.attachment import CHUNK_BYTES
from onestop_sync.client import sync
from onestop_sync.errors import Unreachable, UpstreamError
from onestop_sync.keyring import Keyring
from onestop_sync.protocol import LIMITS
from onestop_sync.storage import tables
from onestop_sync.store import Store
from tests.e2e.servers import HOLDER, PASSPHRASE, QUICK, ROOT, Office, Server, Town, eventually, serving
from tests.province import CASE

STEPS = replace(LIMITS, batch_bytes=CHUNK_BYTES, answer_bytes=CHUNK_BYTES)
TAKE_IN = """
import sys
from pathlib import Path
from onestop_sync import shelf
from onestop_sync.keyring import Keyring
from onestop_sync.store import Store
from tests.e2e.servers import HOLDER, PASSPHRASE
from tests.province import CASE
folder, file, doc = Path(sys.argv[1]), Path(sys.argv[2]), bytes.fromhex(sys.argv[3])
secrets = Keyring(folder).unlock(HOLDER, PASSPHRASE)
store = Store.open(folder, secrets, types=[CASE])
print("open", flush=True)
with file.open("rb") as scan:
    manifest = shelf.take_in(store, scan, "scan.pdf", "application/pdf")
store.writer(secrets.officer).edit(doc, {"phone": manifest.to_value()})
print("done", flush=True)
"""


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """Give a province without servers running."""
    made = Town(tmp_path)
    yield made
    made.close()


def attach(office: Office, data: bytes) -> bytes:
    """Attaches a scan to a new case; returns the case."""
    (doc,) = office.take_in(1)
    manifest = shelf.take_in(office.store, io.BytesIO(data), "scan.pdf", "application/pdf")
    office.writer.edit(doc, {"phone": manifest.to_value()})
    return doc


def opened(folder: Path) -> Store:
    """Opens a store that no process uses."""
    return Store.open(folder, Keyring(folder).unlock(HOLDER, PASSPHRASE), types=[CASE])


def digest(store: Store, doc: bytes) -> str:
    """Returns the hash of a case's scan, read from a store."""
    (found,) = shelf.attached(store, doc)
    return hashlib.sha256(b"".join(shelf.read(store, found.manifest))).hexdigest()


def test_a_server_that_is_killed_while_a_scan_comes_keeps_what_it_said_it_has(town: Town) -> None:
    """Killed three times in the middle of a scan, it ends with it whole, and no chunk is sent in vain."""
    data = random.Random(1).randbytes(60 * CHUNK_BYTES)
    office = town.enrol("commune", "c9")
    doc = attach(office, data)
    folder = town.folder / "province"
    port = cut_off = sent = 0
    for threshold in (10, 25, 40):
        with serving(folder, port=port) as server:
            port = server.port
            cut_off += push_until(office, server, threshold)
    with serving(folder, port=port) as server:
        report = sync(office.store, [server.parent], limits=STEPS, patience=QUICK)
        sent = report.chunks_up
        assert server.stop() == 0
    assert cut_off > 0
    assert 0 < sent <= 60 - 40 + 2  # those that it had said it has are not sent again
    assert shelf.unsent(office.store).files == 0
    store = opened(folder)
    assert digest(store, doc) == hashlib.sha256(data).hexdigest()
    store.close()


def push_until(office: Office, server: Server, threshold: int) -> bool:
    """Pushes in a thread, and kills the server when it has so many chunks; tells whether it was cut off."""
    ended: list[UpstreamError] = []

    def push() -> None:
        try:
            sync(office.store, [server.parent], limits=STEPS, patience=QUICK)
        except UpstreamError as error:
            ended.append(error)

    def is_there() -> bool:
        with office.store.reading() as connection:
            sent = [row.sent for row in connection.execute(tables.content.select())]
        return max(sent) >= threshold or not thread.is_alive()

    thread = threading.Thread(target=push)
    thread.start()
    eventually(is_there)
    server.kill()
    thread.join()
    assert all(isinstance(error, Unreachable) for error in ended)
    return bool(ended)


def test_a_machine_that_is_killed_while_it_takes_a_scan_in_has_it_whole_or_not_at_all(
    town: Town, tmp_path: Path
) -> None:
    """Killed at any moment, a machine opens again, names no half of a scan, and takes it in anew."""
    office = town.enrol("commune", "c9")
    (doc,) = office.take_in(1)
    office.store.close()
    folder = town.folder / "commune"
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(random.Random(2).randbytes(400 * CHUNK_BYTES))
    command = [sys.executable, "-c", TAKE_IN, str(folder), str(scan), doc.hex()]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    killed = 0
    for wait_s in (0.0, 0.05, 0.1, 0.2, 0.3):
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "open\n"
            threading.Event().wait(wait_s)
            process.kill()
            killed += "done" not in process.stdout.read()
        store = opened(folder)
        assert all(each.is_here for each in shelf.attached(store, doc))
        store.close()
    assert killed > 0
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert "done" in done.stdout
    store = opened(folder)
    assert digest(store, doc) == hashlib.sha256(scan.read_bytes()).hexdigest()
    store.close()


def test_a_scan_goes_through_a_relay_and_comes_down_to_who_asks(town: Town) -> None:
    """A relay takes a scan in and passes it on by itself; a neighbour gets it from there when it asks."""
    data = random.Random(3).randbytes(30 * CHUNK_BYTES + 1)
    folder = town.server("district", "d1")
    office, neighbour = town.enrol("commune", "c1"), town.enrol("neighbour", "c1")
    with serving(town.folder / "province") as top:
        relay_options = ("--parent", top.url, "--interval", "0.2")
        with serving(folder, *relay_options) as district:
            doc = attach(office, data)

            def level() -> str:
                sync(office.store, [district.parent], patience=QUICK)
                return shelf.attached(office.store, doc)[0].delivery.level

            eventually(lambda: level() == "province")
            sync(neighbour.store, [district.parent], patience=QUICK)
            (found,) = shelf.attached(neighbour.store, doc)
            assert not found.is_here
            shelf.want(neighbour.store, [found.manifest])
            sync(neighbour.store, [district.parent], patience=QUICK)
            assert digest(neighbour.store, doc) == hashlib.sha256(data).hexdigest()
            assert district.stop() == 0
        assert top.stop() == 0
    store = opened(town.folder / "province")
    assert digest(store, doc) == hashlib.sha256(data).hexdigest()
    store.close()
