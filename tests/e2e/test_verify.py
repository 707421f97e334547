"""Auditors and administrators with the real commands: evidence in an empty folder, erasure of a province."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from onestop_sync.bundle import export_bundle, import_bundle
from onestop_sync.protocol import Requester, Responder
from onestop_sync.store import Store
from tests.e2e.servers import ROOT, Office, Town, run_cli
from tests.unit.cli_world import Commune, act, take_in

# Each command is a process of its own: slow where cores are shared.
pytestmark = pytest.mark.timeout(300)


def alone(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs ``onestop`` as somebody who has nothing: no store, no passphrase, no setting, an empty folder."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "PYTHONIOENCODING": "utf-8",
    }
    done = subprocess.run(
        [sys.executable, "-m", "commune_client.cli", *arguments], cwd=folder, env=environment,
        capture_output=True, text=True, check=False, timeout=120, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert list(home.iterdir()) == []
    return done


def test_an_auditor_needs_nothing_but_the_file(tmp_path: Path) -> None:
    """In a clean process and folder the file alone proves a dossier, and tells what was changed in it."""
    commune = Commune(tmp_path / "commune")
    desk = commune.desk(commune.place("pc"))
    doc = take_in(desk)
    act(desk, doc, "handover", "receive")
    folder = tmp_path / "auditor"
    folder.mkdir()
    root = desk.write_evidence(doc, folder / "ho-so.evidence").root
    commune.close()

    told = alone(folder, "verify", "ho-so.evidence")
    assert (told.returncode, root in told.stderr) == (2, True)
    proven = alone(folder, "verify", "ho-so.evidence", "--root", root)
    assert proven.returncode == 0, proven.stdout + proven.stderr
    assert "Người ký: An, Xã Một" in proven.stdout
    found = json.loads(alone(folder, "verify", "ho-so.evidence", "--root", root, "--json").stdout)
    assert (found["proven"], len(found["events"])) == (True, 3)

    data = (folder / "ho-so.evidence").read_bytes()
    (folder / "doi.evidence").write_bytes(data.replace("Thôn Đoài".encode(), "Thôn Đoàj".encode()))
    changed = alone(folder, "verify", "doi.evidence", "--root", root)
    assert (changed.returncode, "ghi chép hỏng" in changed.stdout) == (1, True)
    server = run_cli("verify", folder / "ho-so.evidence", "--root", root)
    assert (server.returncode, "signed by An of Xã Một" in server.stdout) == (0, True), server.stderr
    other = run_cli("verify", folder / "ho-so.evidence", "--root", "0" * 20)
    assert (other.returncode, root in other.stderr) == (1, True)


@pytest.fixture
def town(tmp_path: Path, database_url: str) -> Iterator[Town]:
    """Give a province whose server keeps its store in each kind of database."""
    made = Town(tmp_path, database_url)
    yield made
    made.close()


def server(town: Town, *arguments: object) -> Any:
    """Runs a command of the province's server that must succeed; returns its JSON."""
    done = run_cli(
        *arguments, "--folder", town.folder / "province", "--database", town.database, "--json",
        "--types", "tests.province:CASE",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def sync(town: Town, office: Office) -> None:
    """Brings a machine and the province to the same state."""
    with town._office() as (store, _):
        requester, responder = Requester(office.store, "tinh"), Responder(store)
        while (request := requester.next_request()) is not None:
            requester.take_answer(*responder.respond(request))


def test_a_province_proves_and_erases(town: Town) -> None:
    """Proven, planned, erased, proven; a machine erases when it syncs; an old stick brings nothing back."""
    office = town.enrol("Máy xã", "c1")
    first, second = office.take_in(2, "HS")
    sync(town, office)
    stick = export_bundle(office.store, town.folder / "old.bundle").path
    assert server(town, "verify", "--all")["documents"] == 2
    proven = server(town, "verify", "HS 0")
    assert (proven["proven"], proven["events"][0]["acks"][0]["name"]) == (True, "Máy chủ tỉnh")

    why = ("--why", "Luật Lưu trữ, hết hạn")
    planned = server(town, "erase", "HS 0", *why, "--dry-run")
    assert (planned["publication"], planned["erased"][0]["row"]) == (1, {"label": "HS 0"})
    assert server(town, "verify", "--all")["erased"] == 0
    done = server(town, "erase", "HS 0", *why)
    assert (done["publication"], done["scrubbed"], done["erased"][0]["bodies"]) == (2, True, 1)
    again = run_cli(
        "erase", "HS 0", *why, "--folder", town.folder / "province", "--database", town.database,
        "--types", "tests.province:CASE",
    )  # fmt: skip
    assert (again.returncode, "erased already" in again.stderr) == (1, True)
    found = server(town, "verify", "--all")
    assert (found["proven"], found["documents"], found["erased"]) == (True, 2, 1)
    assert server(town, "verify", "HS 0")["erased"]["why"] == "Luật Lưu trữ, hết hạn"

    assert office.store.document(first)
    sync(town, office)
    assert office.store.tombstone(first) is not None
    assert office.store.document(second)
    with town._office() as (store, _):
        import_bundle(store, stick)
        assert {r.event.body for r in store.history(first)} == {None}
        assert store.fingerprints("case") == office.store.fingerprints("case")
    assert is_gone(office.store, "Nguyễn Văn 0")


def is_gone(store: Store, text: str) -> bool:
    """Tells whether no body here holds a text."""
    return all(
        text.encode() not in (r.event.body or b"")
        for row in store.page("case")
        for r in store.history(row.doc)
    )


def test_an_evidence_file_from_a_province(town: Town) -> None:
    """What the province exports proves itself, with the server's own word on each event."""
    office = town.enrol("Máy xã", "c1")
    office.take_in(1, "HS")
    sync(town, office)
    out = town.folder / "hs.evidence"
    made = server(town, "evidence", "HS 0", out)
    done = run_cli("verify", out, "--root", made["root"], "--types", "tests.province:CASE")
    assert done.returncode == 0, done.stderr
    assert "stored by Máy chủ tỉnh of Tỉnh Mẫu" in done.stdout
    missing = run_cli("verify", "HS 9", "--folder", town.folder / "province", "--database", town.database)
    assert missing.returncode == 1
