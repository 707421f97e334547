"""The hub on the local network: what is announced, who is believed to be there, and what they are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from onestop_sync import brief
from onestop_sync.client import Parent
from onestop_sync.nearby import Hub, Watch, addresses_of, announcing, read_hub, tell_hub
from onestop_sync.protocol import Requester, Responder
from tests.protocol.test_brief import Talk
from tests.protocol.test_sync import Line
from tests.province import Province


@pytest.fixture
def line(tmp_path: Path) -> Line:
    """A line of machines that have not met."""
    return Line(Province(tmp_path))


def told(line: Line) -> dict[bytes, bytes]:
    """Returns what the commune's hub announces, as it comes from the network."""
    return {key.encode(): word.encode() for key, word in tell_hub(line.hub.store).items()}


def test_a_machine_knows_its_own_hub(line: Line) -> None:
    """A machine takes what stands at or above its unit, in its own province, its own unit's first."""
    watch = Watch()
    for machine in (line.hub, line.pc1, line.district, line.lone):
        words = {k.encode(): v.encode() for k, v in tell_hub(machine.store).items()}
        watch.note(machine.folder.name, read_hub(words, ["192.168.1.9"], 8420))
    mine = read_hub(told(line), ["192.168.1.9"], 8420)
    assert mine is not None
    watch.note("elsewhere", mine._replace(root="00" * 8, node="11" * 8))
    found = watch.hubs(line.pc1.store)
    assert [hub.unit for hub in found] == ["c1", line.district.store.unit]
    assert found[0] == mine
    watch.note(line.hub.folder.name, None)
    assert mine not in watch.hubs(line.pc1.store)


def test_its_name_outlives_its_address(line: Line) -> None:
    """A hub with a new address is the same parent to the store."""
    hubs = [read_hub(told(line), [address], 8420) for address in ("192.168.1.9", "10.0.0.7")]
    assert all(hubs)
    parents = [Parent(hub.urls[0], found=hub.name) for hub in hubs if hub]
    assert parents[0].name == parents[1].name
    assert [parent.endpoint for parent in parents] == [
        "http://192.168.1.9:8420/v1/sync", "http://10.0.0.7:8420/v1/sync",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "addresses"),
    [
        ({b"v": b"2"}, ["10.0.0.1"]),
        ({b"node": b"zz"}, ["10.0.0.1"]),
        ({b"root": None}, ["10.0.0.1"]),
        ({b"unit": b"\xff"}, ["10.0.0.1"]),
        ({b"unit": b""}, ["10.0.0.1"]),
        ({}, ["8.8.8.8"]),
        ({}, ["rubbish"]),
        ({}, []),
    ],
)
def test_rubbish_on_the_network_is_passed_over(
    line: Line, change: dict[bytes, bytes | None], addresses: list[str]
) -> None:
    """What is of another version, malformed, or not on a local network is no hub."""
    assert isinstance(read_hub(told(line), ["10.0.0.1"], 1), Hub)
    assert read_hub({**told(line), **change}, addresses, 1) is None


def test_a_flood_of_names_fills_no_memory(line: Line) -> None:
    """However many names are announced, few are kept."""
    hub = read_hub(told(line), ["10.0.0.1"], 1)
    watch = Watch()
    for n in range(1000):
        watch.note(str(n), hub)
    assert len(watch._found) == 64


def test_whoever_is_found_is_asked_who_it_is(line: Line) -> None:
    """A machine that met a hub before asks again who is there before it tells anything, however often."""
    writer = line.pc1.writer("An")
    doc = writer.create("case", {"name": "x"})
    Talk(line.pc1, line.hub).run()
    writer.edit(doc, {"phone": "0912345678"})
    requester = Requester(line.pc1.store, line.hub.folder.name, is_brief=True, is_wary=True)
    responder = Responder(line.hub.store)
    first = requester.next_request() or b""
    assert first[:1] != brief.MARK
    assert b"0912345678" not in first
    status, answer = responder.respond(first)
    assert status == 401
    requester.take_answer(status, answer)
    while (request := requester.next_request()) is not None:
        requester.take_answer(*responder.respond(request))
    assert line.hub.store.document(doc).value("phone") == "0912345678"


def test_nothing_is_announced_to_the_loopback(line: Line) -> None:
    """A hub that listens on its own machine only, or on an address of the internet, announces nothing."""
    assert addresses_of("127.0.0.1") == addresses_of("8.8.8.8") == addresses_of("hub.example.vn") == []
    assert addresses_of("192.168.1.9") == ["192.168.1.9"]
    with announcing(line.hub.store, "127.0.0.1") as at:
        at(8420)
