"""Servers as processes: pushes that are cut off, relays, and what the wire costs."""

from __future__ import annotations

import http.server
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from onestop_sync.client import Lines, Parent, sync
from onestop_sync.errors import InvalidInput, Unreachable, UpstreamError, UpstreamMalformed
from onestop_sync.proof_export import export_proof
from onestop_sync.protocol import Limits
from onestop_sync.store import Store
from server_stub import serve
from server_stub.relay import Pace
from tests.e2e.servers import QUICK, Line, Office, Server, Town, eventually, run_cli, serving, status

SMALL = Limits(batch_events=10)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """Give a province without servers running."""
    made = Town(tmp_path)
    yield made
    made.close()


def unsent(office: Office) -> int:
    """Returns how much of a machine's work no parent has acknowledged."""
    return office.store.status().unsent


def levels(office: Office, docs: list[bytes]) -> set[str]:
    """Returns how far the events of documents have got."""
    return {record.delivery.level for doc in docs for record in office.store.history(doc)}


def synced_levels(office: Office, parent: Parent, docs: list[bytes]) -> set[str]:
    """Returns the same after a sync."""
    sync(office.store, [parent])
    return levels(office, docs)


def same(server: Path, office: Office) -> bool:
    """Tells whether a server's folded state is the machine's."""
    return bool(status(server)["digest"] == office.store.digest().hex())


def test_a_server_that_is_killed_in_the_middle_of_pushes_loses_and_doubles_nothing(town: Town) -> None:
    """Killed three times while a machine pushes, the restarted server ends with each document once."""
    office = town.enrol("commune", "c9")
    office.take_in(150)
    folder = town.folder / "province"
    port = cut_off = 0
    for threshold in (120, 80, 30):
        with serving(folder, port=port) as server:
            port = server.port
            cut_off += _push_until(office, server, threshold)
    with serving(folder, port=port) as server:
        sync(office.store, [server.parent], limits=SMALL, patience=QUICK)
        assert server.stop() == 0
    found = status(folder)
    assert (found["documents"], unsent(office), same(folder, office)) == (150, 0, True)
    assert cut_off > 0


def _push_until(office: Office, server: Server, threshold: int) -> bool:
    """Pushes in a thread, and kills the server while that goes on; tells whether the push was cut off."""
    ended: list[UpstreamError] = []

    def push() -> None:
        try:
            sync(office.store, [server.parent], limits=SMALL, patience=QUICK)
        except UpstreamError as error:
            ended.append(error)

    thread = threading.Thread(target=push)
    thread.start()
    eventually(lambda: unsent(office) < threshold or not thread.is_alive())
    server.kill()
    thread.join()
    assert all(isinstance(error, Unreachable) for error in ended)
    return bool(ended)


@pytest.mark.parametrize("lost", [(1,), (2,), (3, 5), (2, 3, 4)])
def test_answers_that_get_lost_double_nothing(town: Town, lost: tuple[int, ...]) -> None:
    """The line is cut after the request arrived; the next sync completes, with each document once."""
    office = town.enrol("commune", "c9")
    office.take_in(40)
    with serving(town.folder / "province") as server, Line(server.port, lost) as line:
        while unsent(office):
            try:
                sync(office.store, [line.parent], limits=SMALL, patience=QUICK)
            except Unreachable:
                continue
        assert line.answers > max(lost)
    assert status(town.folder / "province")["documents"] == 40


def test_the_report_tells_the_bytes_that_were_on_the_wire(town: Town) -> None:
    """What a report says of bytes, HTTP's included, is what passed; nothing new costs 500 bytes at most."""
    office = town.enrol("commune", "c9")
    with serving(town.folder / "province") as server, Line(server.port) as line, Lines() as lines:
        for count in (100, 1, 0):
            office.take_in(count, f"lần {count}")
            before = line.up, line.down
            report = sync(office.store, [line.parent], lines=lines)
            assert (line.up - before[0], line.down - before[1]) == (report.wire_up, report.wire_down)
        assert (report.round_trips, report.wire_up + report.wire_down <= 500) == (1, True)


def _stated_after_sync(office: Office, parent: Parent) -> int | None:
    """Syncs; returns when the province's newest statement was made."""
    sync(office.store, [parent])
    return office.store.status().stated_ms


def test_the_province_states_by_itself_and_a_copied_back_server_is_proven(town: Town, tmp_path: Path) -> None:
    """A serving province states what it has; put back unseen, it contradicts what it signed."""
    office, folder = town.enrol("commune", "c9"), town.folder / "province"
    with serving(folder, "--statement-every", "1") as server:
        office.take_in(1)
        sync(office.store, [server.parent])
        eventually(lambda: _stated_after_sync(office, server.parent))
        assert server.stop() == 0
    shutil.copytree(folder, tmp_path / "copy")
    port = server.port
    with serving(folder, port=port) as server:
        office.take_in(2)
        sync(office.store, [server.parent])
        assert server.stop() == 0
    with serving(tmp_path / "copy", port=port) as server:
        sync(office.store, [server.parent])
        assert [finding.kind for finding in office.store.findings()] == ["rolled_back"]
        assert unsent(office) == 0
    data, _ = export_proof(office.store)
    (tmp_path / "proof").write_bytes(data)
    done = run_cli("proof", "--check", tmp_path / "proof")
    assert (done.returncode, "proven: " in done.stdout) == (0, True), done.stderr


def test_events_go_up_through_a_relay_and_acks_come_down(town: Town) -> None:
    """A district passes a commune's work on by itself, and the commune learns that the province has it."""
    office = town.enrol("commune", "c1")
    docs = office.take_in(5)
    district = town.server("district", "d1")
    with (
        serving(town.folder / "province") as top,
        serving(district, "--parent", top.url, "--interval", 0.2) as relay,
    ):
        sync(office.store, [relay.parent])
        assert levels(office, docs) == {"district"}
        eventually(lambda: synced_levels(office, relay.parent, docs) == {"province"})
        assert (relay.stop(), top.stop()) == (0, 0)
    assert same(district, office)
    assert same(town.folder / "province", office)


def test_a_relay_outlives_a_parent_that_is_down(town: Town) -> None:
    """The district takes work while the province is down, says so, and passes it on when that is back."""
    office = town.enrol("commune", "c1")
    district = town.server("district", "d1")
    with serving(town.folder / "province") as top:
        port = top.port
    with serving(district, "--parent", f"http://127.0.0.1:{port}", "--interval", 0.2) as relay:
        docs = office.take_in(3)
        sync(office.store, [relay.parent])
        eventually(lambda: [p["error"] for p in status(district)["status"]["parents"]] == ["unreachable"])
        with serving(town.folder / "province", port=port):
            eventually(lambda: synced_levels(office, relay.parent, docs) == {"province"})


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_server_ends_when_it_is_told_to(town: Town, how: signal.Signals) -> None:
    """SIGTERM and Ctrl+C end a server with code 0 and without a traceback."""
    with serving(town.folder / "province") as server:
        assert server.stop(how) == 0
    assert "Traceback" not in (server.folder / "server.log").read_text(encoding="utf-8")


def test_the_log_holds_nothing_of_anybody(town: Town) -> None:
    """No name, code or passphrase of anybody is in a server's log."""
    office = town.enrol("commune", "c9")
    office.take_in(3, "hồ sơ bí mật")
    with serving(town.folder / "province") as server:
        sync(office.store, [server.parent])
        server.stop()
    said = (server.folder / "server.log").read_text(encoding="utf-8")
    assert '"event": "sync"' in said
    assert not any(word in said for word in ("bí mật", "Nguyễn", "commune", "một cửa"))


def test_a_wrong_server_is_told_from_one_that_is_down(town: Town) -> None:
    """A web server at the parent's address is a wrong address, and the work is kept."""
    office = town.enrol("commune", "c9")
    office.take_in(1)
    kept = unsent(office)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Page) as web:
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        with pytest.raises(UpstreamMalformed):
            sync(office.store, [Parent(f"http://127.0.0.1:{web.server_port}")])
        web.shutdown()
        thread.join()
    assert (unsent(office), kept > 0) == (kept, True)


class _Page(http.server.BaseHTTPRequestHandler):
    """Answers everything with a page."""

    def do_POST(self) -> None:
        """Answers with a page."""
        self.rfile.read(int(self.headers["content-length"]))
        page = b"<html><body>Xin ch\xc3\xa0o</body></html>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def test_a_hub_serves_and_relays_inside_a_program(town: Town) -> None:
    """A commune's own store serves its second machine from a thread, and ends when it is told to."""
    hub = town.enrol("hub", "c1", serves=True)
    second = town.enrol("second", "c1")
    docs = second.take_in(2)
    stop, ready = threading.Event(), threading.Event()
    ports: list[int] = []

    def on_ready(port: int) -> None:
        ports.append(port)
        ready.set()

    with serving(town.folder / "province") as top:
        thread = threading.Thread(
            target=serve.run, args=(hub.store, "127.0.0.1", 0, [top.parent]),
            kwargs={"pace": Pace(0.2), "on_ready": on_ready, "stop": stop},
        )  # fmt: skip
        thread.start()
        assert ready.wait(30)
        address = Parent(f"http://127.0.0.1:{ports[0]}")
        eventually(lambda: synced_levels(second, address, docs) == {"province"})
        stop.set()
        thread.join(30)
        assert not thread.is_alive()
    assert hub.store.count("case") == 2


def test_only_a_certified_server_serves(town: Town) -> None:
    """A machine that was not approved as a server refuses to serve, with what to do."""
    office = town.enrol("commune", "c9")
    with pytest.raises(InvalidInput, match="--serves"):
        serve.run(office.store)


def test_a_port_that_is_taken_is_told(town: Town) -> None:
    """A second server on one port ends with code 1 and one line."""
    with serving(town.folder / "province") as server:
        done = run_cli(
            "serve", "--folder", server.folder, "--port", server.port, "--types", "tests.province:CASE"
        )
    assert (done.returncode, "Cannot listen" in done.stderr, "Traceback" in done.stderr) == (1, True, False)


def test_a_machine_that_was_restored_takes_its_own_work_back_over_http(town: Town, tmp_path: Path) -> None:
    """A machine whose database is an older copy gets what it had sent, and goes on."""
    office = town.enrol("commune", "c9")
    office.store.close()
    database = tmp_path / "commune" / "store.db"
    old = database.read_bytes()
    with serving(town.folder / "province") as server:
        for _ in range(2):
            store = Store.open(tmp_path / "commune", office.secrets, types=tuple(office.store.types.values()))
            again = Office(store, office.secrets)
            again.take_in(2)
            sync(store, [server.parent])
            held = store.count("case")
            store.close()
            for rest in ("store.db-wal", "store.db-shm"):
                (tmp_path / "commune" / rest).unlink(missing_ok=True)
            database.write_bytes(old)
    assert (held, status(town.folder / "province")["documents"]) == (4, 4)
