"""The transport over HTTP: what it makes of lines that break, and of servers that are not ours."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from onestop_sync import client
from onestop_sync.client import Lines, Parent, Patience, sync
from onestop_sync.errors import (
    InvalidInput,
    NotAllowed,
    StoreError,
    Unreachable,
    UpstreamMalformed,
    UpstreamRefused,
)
from onestop_sync.protocol import Limits, Responder, pack_packet
from tests.province import Machine, Province

AT_ONCE = Patience(tries=3, first_s=0.0, most_s=0.0)
DISTRICT, PROVINCE = Parent("http://district.test"), Parent("http://province.test/base/")

Handler = Callable[[httpx.Request], httpx.Response]


class World:
    """A commune's machine, a district and a province, joined by handlers that tests may replace."""

    def __init__(self, folder: Path) -> None:
        self.province = Province(folder)
        self.machine: Machine = self.province.machine("commune", "c1", {"an": ["clerk"]})
        self.servers = {
            "district.test": self.province.machine("district", "d1", serves=True),
            "province.test": self.province.machine("top", "p", serves=True),
        }
        self.handlers: dict[str, Handler] = {}
        self.asked: list[httpx.Request] = []
        self.machine.writer("an").create("case", {"code": "1"})

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answers as the named server does."""
        self.asked.append(request)
        handler = self.handlers.get(request.url.host, self.serve)
        answer = handler(request)
        # A made answer has been read already; one from a line has not.
        if not answer.is_stream_consumed:
            return answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=iter([answer.content]))

    def serve(self, request: httpx.Request) -> httpx.Response:
        """Answers as a server of ours."""
        responder = Responder(self.servers[request.url.host].store)
        return cbor(*responder.respond(request.read()))

    def sync(self, *parents: Parent, **options: Any) -> client.WireReport:
        """Syncs the commune's machine."""

        def make(_: Parent) -> httpx.Client:
            return httpx.Client(transport=httpx.MockTransport(self.handle), trust_env=False)

        with Lines(make) as lines:
            return sync(self.machine.store, parents, lines=lines, **{"patience": AT_ONCE, **options})

    def count(self, host: str = "district.test") -> int:
        """Returns how many cases a server has."""
        return self.servers[host].store.count("case")

    def error(self, parent: Parent = DISTRICT) -> str:
        """Returns what the status line says of a parent."""
        return next(p.error for p in self.machine.store.status().parents if p.name == parent.name)


def cbor(status: int, body: bytes) -> httpx.Response:
    """Makes an answer of this protocol."""
    return httpx.Response(status, content=body, headers={"content-type": "application/cbor"})


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Give a machine and its two parents."""
    return World(tmp_path)


def test_a_first_sync_brings_everything_up(world: World) -> None:
    """A machine that was never there introduces itself, and its work is acknowledged in two round trips."""
    report = world.sync(DISTRICT)
    assert (world.count(), world.machine.store.status().unsent, report.is_complete) == (1, 0, True)
    assert (report.parent, report.round_trips, world.error()) == (DISTRICT.name, 2, "")


def test_a_request_carries_no_header_that_nobody_reads(world: World) -> None:
    """Only what HTTP needs goes out with a request, to the path of the protocol below the address."""
    world.sync(PROVINCE)
    request = world.asked[0]
    assert sorted(request.headers) == ["content-length", "host"]
    assert (request.method, str(request.url)) == ("POST", "http://province.test/base/v1/sync")


def test_the_next_parent_is_asked_when_the_first_is_down(world: World) -> None:
    """With the hub off the district is asked, and the status line tells both."""
    world.handlers["district.test"] = fail(httpx.ConnectError)
    report = world.sync(DISTRICT, PROVINCE)
    assert (report.parent, world.count("province.test")) == (PROVINCE.name, 1)
    assert (world.error(DISTRICT), world.error(PROVINCE)) == ("unreachable", "")


@pytest.mark.parametrize(
    "error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.ReadTimeout, httpx.ReadError]
)
def test_nobody_answers(world: World, error: type[httpx.TransportError]) -> None:
    """When no parent can be reached the caller hears Unreachable, and the work stays unsent."""
    world.handlers = {"district.test": fail(error), "province.test": fail(error)}
    with pytest.raises(Unreachable):
        world.sync(DISTRICT, PROVINCE)
    assert (world.machine.store.status().unsent > 0, world.error()) == (True, "unreachable")


def test_a_request_that_got_lost_is_sent_again(world: World) -> None:
    """A connection that breaks is tried again, a few times, with the same bytes."""
    world.handlers["district.test"] = first_then(2, fail(httpx.ReadError), world.serve)
    world.sync(DISTRICT)
    assert world.count() == 1
    assert len({request.content for request in world.asked[:3]}) == 1


@pytest.mark.parametrize("lost", [1, 2, 3, 4])
def test_a_lost_answer_doubles_nothing(world: World, lost: int) -> None:
    """An answer that is lost after the server has stored the work is asked for again; nothing is doubled."""
    seen = 0

    def handler(request: httpx.Request) -> httpx.Response:
        nonlocal seen
        seen += 1
        answer = world.serve(request)
        if seen == lost:
            raise httpx.ReadError("cut", request=request)
        return answer

    world.handlers["district.test"] = handler
    world.sync(DISTRICT)
    assert (world.count(), world.machine.store.status().unsent) == (1, 0)


@pytest.mark.parametrize("status", [200, 302, 401, 404, 500])
def test_a_web_page_is_no_answer(world: World, status: int) -> None:
    """A captive portal or a wrong server that answers HTML is told from one that is down."""
    world.handlers["district.test"] = lambda _: httpx.Response(status, html="<h1>Xin chào</h1>")
    with pytest.raises(UpstreamMalformed, match="a web page"):
        world.sync(DISTRICT)
    assert (world.error(), len(world.asked)) == ("upstream_malformed", 1)


def test_a_web_page_claiming_our_type_is_no_answer(world: World) -> None:
    """Bytes that are no packet are refused whatever the content type says."""
    world.handlers["district.test"] = lambda _: cbor(200, b"<html>")
    with pytest.raises(UpstreamMalformed):
        world.sync(DISTRICT)


def test_an_endless_answer_is_cut_off(world: World) -> None:
    """No more of an answer is read than the protocol allows."""
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        while True:
            read += 65536
            yield bytes(65536)

    world.handlers["district.test"] = lambda _: httpx.Response(
        200, content=endless(), headers={"content-type": "application/cbor"}
    )
    with pytest.raises(UpstreamMalformed, match="larger than"):
        world.sync(DISTRICT, limits=Limits(packet_bytes=200_000))
    assert read <= 400_000


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_proxy_whose_server_is_down_counts_as_unreachable(world: World, status: int) -> None:
    """A gateway's page for a server that is away is tried again, and is then Unreachable."""
    world.handlers["district.test"] = lambda _: httpx.Response(status, html="<h1>Bad gateway</h1>")
    with pytest.raises(Unreachable):
        world.sync(DISTRICT)
    assert len(world.asked) == AT_ONCE.tries


def test_a_busy_server_is_asked_again(world: World) -> None:
    """A server that cannot store just now is asked again; when it stays so, its reason is told."""
    busy = cbor(503, pack_packet([1, "error", ["store_full", "The disk is full."]]))
    world.handlers["district.test"] = first_then(1, lambda _: busy, world.serve)
    world.sync(DISTRICT)
    world.machine.writer("an").create("case", {"code": "2"})
    world.handlers["district.test"] = lambda _: busy
    with pytest.raises(UpstreamRefused, match="The disk is full"):
        world.sync(DISTRICT)


def test_a_server_says_when_to_come_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pause before the next try is at least what Retry-After says, up to a bound; rubbish is none."""
    pauses: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", pauses.append)
    for told in ("7", "9999", "soon", "-1"):
        busy = httpx.Response(503, headers={"retry-after": told}, html="<h1>Later</h1>")
        world.handlers["district.test"] = first_then(1, partial(_always, busy), world.serve)
        world.sync(DISTRICT)
    assert [round(pause) for pause in pauses] == [7, 10, 0, 0]


def test_a_server_that_wants_the_type_named_is_told_it(world: World) -> None:
    """A server that refuses a request without a type gets it with one, and what was to be sent arrives."""

    def strict(request: httpx.Request) -> httpx.Response:
        if "content-type" not in request.headers:
            return cbor(415, pack_packet([1, "error", ["malformed", "?"]]))
        return world.serve(request)

    world.handlers["district.test"] = strict
    world.sync(DISTRICT)
    assert (world.count(), world.machine.store.status().unsent) == (1, 0)
    assert sum("content-type" not in request.headers for request in world.asked) == 1


def test_a_refusal_tells_more_than_silence(world: World) -> None:
    """When one parent refuses and the other is down, the caller hears the reason."""
    world.handlers = {
        "district.test": fail(httpx.ConnectError),
        "province.test": lambda _: cbor(403, pack_packet([1, "error", ["not_allowed", "Who are you?"]])),
    }
    with pytest.raises(UpstreamRefused, match="Who are you"):
        world.sync(DISTRICT, PROVINCE)
    assert (world.error(DISTRICT), world.error(PROVINCE)) == ("unreachable", "upstream_refused")


def test_a_sync_that_runs_out_of_time_keeps_what_it_did(world: World) -> None:
    """After the deadline no request is begun; what was exchanged counts, and the report says so."""
    now = 0.0

    def slow(request: httpx.Request) -> httpx.Response:
        nonlocal now
        now += 400.0
        return world.serve(request)

    world.handlers["district.test"] = slow
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("onestop_sync.client.syncing.time.monotonic", lambda: now)
        report = world.sync(DISTRICT, deadline_s=300.0)
    assert (report.is_complete, report.round_trips, world.count()) == (False, 1, 0)
    assert world.sync(DISTRICT).is_complete
    assert world.count() == 1


def test_a_full_disk_here_is_not_the_parents_fault(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails in the own store is told as such, and no parent is blamed."""

    def full(*_: object, **__: object) -> None:
        raise StoreError("The disk is full.")

    monkeypatch.setattr("onestop_sync.exchange.take", full)
    with pytest.raises(StoreError):
        world.sync(DISTRICT, PROVINCE)


def test_a_machine_that_nobody_certified_is_told_so(world: World, tmp_path: Path) -> None:
    """A store that is not enrolled asks no parent."""
    stranger = world.province._store("stranger", world.province._secrets("x"), "c1")
    with pytest.raises(NotAllowed):
        sync(stranger, [DISTRICT])
    stranger.close()


def test_no_parent_is_unreachable(world: World) -> None:
    """A machine without parents is offline, and nothing breaks."""
    with pytest.raises(Unreachable):
        world.sync()


@pytest.mark.parametrize(
    "url", ["", "district", "ftp://district", "http://", "http://a b", "http://a:99999", "http://[::1", "//x"]
)
def test_an_address_that_is_none_is_refused_when_it_is_given(url: str) -> None:
    """A mistyped address is told at once, and not as a broken line later."""
    with pytest.raises(InvalidInput):
        Parent(url)
    if url:
        with pytest.raises(InvalidInput):
            Parent("http://district", proxy=url)


def test_an_authority_file_that_is_none_is_refused(world: World, tmp_path: Path) -> None:
    """A file of the certificate authority that is missing or no PEM is told as such."""
    (tmp_path / "ca.pem").write_text("no certificate")
    for name in ("ca.pem", "missing.pem"):
        with pytest.raises(InvalidInput):
            sync(world.machine.store, [Parent("https://district.test", ca=tmp_path / name)])


def test_importing_the_client_loads_no_http() -> None:
    """The HTTP client and tenacity are loaded by the first sync, not by the import."""
    program = "import sys, json, onestop_sync.client; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert not {"httpx", "tenacity", "httpcore", "h11"} & set(json.loads(done.stdout))


def fail(kind: type[httpx.TransportError]) -> Handler:
    """Makes a handler that breaks the connection."""

    def handler(request: httpx.Request) -> httpx.Response:
        raise kind("cut", request=request)

    return handler


def _always(answer: httpx.Response, _: httpx.Request) -> httpx.Response:
    return answer


def first_then(times: int, first: Handler, then: Handler) -> Handler:
    """Makes a handler that is another one after some calls."""
    left = times

    def handler(request: httpx.Request) -> httpx.Response:
        nonlocal left
        left -= 1
        return first(request) if left >= 0 else then(request)

    return handler
