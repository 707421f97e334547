"""Requests that are not as they should be: each is refused with a status below 500, and tells nothing."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import zstandard

from onestop_sync import brief, client, codec
from onestop_sync.client import Lines, sync
from onestop_sync.keys import Signer, SigningKey
from onestop_sync.protocol import Requester, open_packet, pack_packet, packets
from tests.e2e.servers import Office, Server, Town, serving

DASHBOARD = "mật khẩu bảng điều khiển"


class Target:
    """A server that runs, a machine that it knows, and every request that the machine sent."""

    def __init__(self, town: Town, server: Server, office: Office) -> None:
        self.town = town
        self.server = server
        self.office = office
        self.requests: list[bytes] = []
        self.client = httpx.Client(trust_env=False)

    def post(self, body: bytes, **headers: str) -> httpx.Response:
        """Sends bytes to the endpoint."""
        fields = {"content-type": client.CONTENT_TYPE, **headers}
        return self.client.post(self.server.url + client.SYNC_PATH, content=body, headers=fields)

    def payload(self) -> list[Any]:
        """Returns what is signed of a plain request, good until the machine sends the next."""
        request = Requester(self.office.store, self.server.parent.name).next_request() or b""
        payload: list[Any] = codec.decode(open_packet(request)[0])
        return payload

    def sync(self) -> None:
        """Syncs the machine, noting what passes."""
        with Lines(lambda _: httpx.Client(transport=_Noting(self), trust_env=False)) as lines:
            sync(self.office.store, [self.server.parent], lines=lines)

    def sync_in_plain(self) -> None:
        """Meets the server under another name as an older program does, noting what passes."""
        requester = Requester(self.office.store, f"plain {len(self.requests)}")
        while (request := requester.next_request()) is not None:
            self.requests.append(request)
            answer = self.post(request)
            requester.take_answer(answer.status_code, answer.content)


class _Noting(httpx.BaseTransport):
    """Passes requests on, and keeps them."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self.inner.handle_request(request)
        self.target.requests.append(request.read())
        return httpx.Response(answer.status_code, headers=answer.headers, content=iter([answer.read()]))

    def close(self) -> None:
        self.inner.close()


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Give a server with one document, and the machine that brought it."""
    folder: Path = tmp_path_factory.mktemp("hostile")
    town = Town(folder)
    office = town.enrol("commune", "c9")
    office.take_in(1, "hồ sơ bí mật")
    with serving(folder / "province", "--dashboard", ONESTOP_DASHBOARD_PASSWORD=DASHBOARD) as server:
        found = Target(town, server, office)
        found.sync()
        yield found
        found.client.close()
        assert "broke" not in (server.folder / "server.log").read_text(encoding="utf-8")
    town.close()


def read(answer: httpx.Response) -> list[Any]:
    """Returns the packet of an answer."""
    packet = open_packet(answer.content)
    assert isinstance(packet, list)
    return packet


def forged(key: Signer, log: bytes, **fields: Any) -> bytes:
    """Makes a request as a machine would, with any content."""
    plain: dict[str, Any] = {
        "parent": b"", "nonce": b"n" * 16, "cursor": None, "echo": False, "max_bytes": 10**6,
        "published": packets.Published(0, 0), "frames": [], "introduction": [],
    }  # fmt: skip
    return packets.Request(**{**plain, **fields}).sign(key, log)


def signed(key: Signer, log: bytes, payload: Any) -> bytes:
    """Makes a signed packet of anything."""
    data = codec.encode(payload)
    return pack_packet([data, log, key.sign(codec.pae(packets.REQUEST_KIND, data))])


def test_random_bytes_are_a_bad_request(target: Target) -> None:
    """Noise of any length is answered 400, in this protocol's form."""
    rng = random.Random(1)
    for size in (0, 1, 2, 10, 100, 1000, 100_000):
        for first in (b"", b"\x00", b"\x01", b"\x02"):
            answer = target.post(first + rng.randbytes(size))
            assert answer.status_code in {400, 409}
            assert read(answer)[:2] == [1, "error"]


def test_well_formed_nonsense_is_a_bad_request(target: Target) -> None:
    """Canonical CBOR that is no request is answered 4xx, whatever is in it."""
    rng = random.Random(2)
    log = target.office.store.machine_log
    machine = target.office.secrets.machine
    good = target.payload()
    for _ in range(50):
        value = _nonsense(rng, 4)
        assert 400 <= target.post(pack_packet(value)).status_code < 500
        assert 400 <= target.post(signed(machine, log, value)).status_code < 500
        fields = [_nonsense(rng, 2) if rng.random() < 0.3 else field for field in good]
        assert target.post(signed(machine, log, fields)).status_code < 500


def _nonsense(rng: random.Random, depth: int) -> Any:
    kind = rng.randrange(7 if depth else 5)
    if kind == 5:
        return [_nonsense(rng, depth - 1) for _ in range(rng.randrange(5))]
    if kind == 6:
        return {str(n): _nonsense(rng, depth - 1) for n in range(rng.randrange(4))}
    return (
        None,
        rng.random() < 0.5,
        rng.randrange(-(2**53) + 1, 2**53),
        rng.randbytes(rng.randrange(40)),
        "chữ",
    )[kind]


def test_a_changed_request_is_refused(target: Target) -> None:
    """A request of a machine with one byte changed anywhere is refused, or opens nothing."""
    rng = random.Random(3)
    for whole in target.requests:
        for _ in range(40):
            changed = bytearray(whole)
            changed[rng.randrange(len(changed))] ^= rng.randrange(1, 256)
            assert 400 <= target.post(bytes(changed)).status_code < 500


def test_a_copied_request_opens_nothing(target: Target) -> None:
    """A request that was overheard gets a challenge or a no, which hold no event, however often it comes."""
    target.sync_in_plain()
    target.sync()
    assert {request[:1] for request in target.requests} >= {b"\x01", b"\x02", b"\x05"}
    for copied in target.requests * 2:
        answer = target.post(copied)
        if answer.content[:1] == brief.AGAIN:  # the last one: its nonce and digest are told again, no more
            assert (answer.status_code, len(answer.content), copied) == (401, 49, target.requests[-1])
            continue
        kind, body = read(answer)[1:3]
        if copied[:1] in {brief.MARK, brief.FIRST}:
            assert (answer.status_code, kind, body[0]) == (409, "error", "plain")
            continue
        assert (answer.status_code, kind) == (401, "challenge")
        node, nonce, theirs, proof, introduction = body
        assert "bí mật".encode() not in answer.content
        # What proves the server's own authority is public; nothing else is told.
        assert not theirs or [len(frame) for frame in introduction] == [3] * len(introduction)
        assert (len(node), len(nonce), len(proof)) == (32, 16, 64)
    target.sync()


def test_who_takes_a_machines_name_gets_not_even_a_challenge(target: Target) -> None:
    """Who takes a machine's name without its key is refused, and the machine's own nonce stays good."""
    store = target.office.store
    target.sync()
    answer = target.post(forged(SigningKey(os.urandom(32)), store.machine_log))
    assert (answer.status_code, read(answer)[2][0]) == (403, "not_allowed")
    target.sync()


def test_a_machine_that_nobody_certified_is_refused(target: Target, tmp_path: Path) -> None:
    """A machine that is none of this province's is told so, and stores nothing."""
    other = Town(tmp_path)
    stranger = other.enrol("stranger", "c9")
    stranger.take_in(1)
    store, machine = stranger.store, stranger.secrets.machine
    introduction = store.introduction(store.machine_log)
    for parent in (b"", target.office.store.status().parents[0].node[:16]):
        answer = target.post(
            forged(machine, store.machine_log, parent=parent, nonce=os.urandom(16), introduction=introduction)
        )
        assert (answer.status_code, read(answer)[2][0]) == (403, "not_allowed")
    other.close()


def test_a_request_for_another_server_is_refused(target: Target) -> None:
    """A request that was signed for another parent cannot be passed on to this one."""
    store, machine = target.office.store, target.office.secrets.machine
    answer = target.post(forged(machine, store.machine_log, parent=os.urandom(16)))
    assert (answer.status_code, "another server" in read(answer)[2][1]) == (403, True)


def test_a_wrong_nonce_is_a_challenge(target: Target) -> None:
    """A request with a nonce that was not the last one is asked again, and nothing of it is stored."""
    store, machine = target.office.store, target.office.secrets.machine
    node = store.status().parents[0].node
    answer = target.post(forged(machine, store.machine_log, parent=node[:16]))
    assert (answer.status_code, read(answer)[1]) == (401, "challenge")
    target.sync()


def test_bombs_are_refused(target: Target) -> None:
    """Small requests that would become huge, deep or endless are refused before they do."""
    huge = zstandard.ZstdCompressor().compress(bytes(500 * 2**20))
    deep = b"\x81" * 100_000 + b"\x00"
    claims = b"\x9b" + (2**60).to_bytes(8, "big")
    text = b"\x7b" + (2**60).to_bytes(8, "big")
    for body in (b"\x01" + huge, b"\x00" + deep, b"\x00" + claims, b"\x00" + text, b"\x01" + huge[:-5]):
        assert target.post(body).status_code == 400


def test_what_is_too_large_is_not_read_to_its_end(target: Target) -> None:
    """A request above the limit is answered 413, or cut off while it is still being sent."""
    try:
        status = target.post(bytes(5 * 2**20)).status_code
    except httpx.TransportError:
        status = 413
    assert status == 413


def test_another_type_or_method_is_refused(target: Target) -> None:
    """What is no POST of CBOR is refused by type and by method, and an unknown path by 404."""
    url = target.server.url
    assert target.post(b"", **{"content-type": "text/html"}).status_code == 415
    assert httpx.get(url + client.SYNC_PATH, trust_env=False).status_code == 405
    assert httpx.post(url + "/v1/health", trust_env=False).status_code == 405
    assert httpx.get(url + "/v1/nothing", trust_env=False).status_code == 404


@pytest.mark.parametrize(
    "sent",
    [
        b"\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x00\xa5\x01\x00" + bytes(100),
        b"POST /v1/sync HTTP/1.1\r\n\r\n",
        b"POST /v1/sync HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/sync HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST /v1/sync HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
        b"POST /v1/sync HTTP/1.1\r\nHost: a\r\nContent-Type: application/cbor\r\nContent-Length: 9\r\n\r\na",
    ],
)  # fmt: skip
def test_what_is_no_http_is_refused(target: Target, sent: bytes) -> None:
    """Bytes that are not HTTP, or stop in the middle, end their own connection and nobody else's."""
    with socket.create_connection(("127.0.0.1", target.server.port), timeout=30) as line:
        try:
            line.sendall(sent)
            line.shutdown(socket.SHUT_WR)
            answer = line.recv(65536)
        except OSError:  # hung up on already
            answer = b""
    assert not answer or answer.startswith(b"HTTP/1.1 4")
    target.sync()


def test_events_that_lie_are_stored_without_effect_or_not_at_all(target: Target) -> None:
    """Frames that are no events get a verdict in an answer that is otherwise good."""
    store, machine = target.office.store, target.office.secrets.machine
    target.sync()
    node = store.status().parents[0].node
    nonce = read(target.post(forged(machine, store.machine_log)))[2][1]
    frames: list[Any] = [[b"x", bytes(64), None], 7, [], [b"", b"", b""], {"a": 1}]
    answer = target.post(forged(machine, store.machine_log, parent=node[:16], nonce=nonce, frames=frames))
    assert (answer.status_code, read(answer)[1]) == (200, "answer")


def test_the_dashboard_shows_nothing_without_its_password(target: Target) -> None:
    """Without the password, or with a wrong one in any form, there is no page."""
    url = target.server.url + "/"
    for given in ("", "Basic", "Basic !!!", "Basic YTpi", "Bearer x", "Basic " + "A" * 10_000):
        answer = httpx.get(url, headers={"authorization": given}, trust_env=False)
        assert (answer.status_code, "Tỉnh Mẫu" in answer.text) == (401, False)
    assert httpx.get(url, trust_env=False).headers["www-authenticate"].startswith("Basic ")


def test_the_dashboard_shows_counts_and_nobody(target: Target) -> None:
    """With the password there are counts, units and machines, and no applicant, code or script."""
    url = target.server.url + "/"
    answer = httpx.get(url, auth=httpx.BasicAuth("ai cung duoc", DASHBOARD), trust_env=False)
    assert answer.status_code == 200
    assert ("Xã Chín" in answer.text, "commune" in answer.text, "<script" in answer.text) == (
        True,
        True,
        False,
    )
    assert not any(word in answer.text for word in ("bí mật", "Nguyễn"))
    assert answer.headers["cache-control"] == "no-store"
    assert httpx.get(url + "dashboard.css", trust_env=False).headers["content-type"].startswith("text/css")


def test_without_a_password_there_is_no_dashboard(tmp_path: Path) -> None:
    """A server that was given no password has no page, and says of itself only that it lives."""
    town = Town(tmp_path)
    with serving(tmp_path / "province") as server:
        assert httpx.get(server.url + "/", trust_env=False).status_code == 404
        assert httpx.get(server.url + "/v1/health", trust_env=False).json() == {"status": "ok"}
    town.close()
