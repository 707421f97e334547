"""The first request of all: sealed to the parents that a machine knows, answered so that only it can read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from onestop_sync import brief, keys
from onestop_sync.answer import KeptAnswer
from onestop_sync.errors import FormatError, UpstreamMalformed
from onestop_sync.protocol import Responder, open_packet
from onestop_sync.store import Store
from onestop_sync.trust import Authority
from tests.protocol.test_brief import Talk
from tests.protocol.test_sync import Line
from tests.province import CASE, Province

SECRET = "Nguyễn Văn An 001086012345"


@pytest.fixture
def line(tmp_path: Path) -> Line:
    """A line of machines that have not met, and know each other's certificates."""
    return Line(Province(tmp_path))


def test_one_request_brings_all_and_takes_all(line: Line) -> None:
    """A machine that nobody has seen sends its work and gets its unit's in one request; nothing is left."""
    there = line.pc2.writer("Cúc").create("case", {"name": "there"})
    Talk(line.pc2, line.hub).run()
    here = line.pc1.writer("An").create("case", {"name": "here"})
    talk = Talk(line.pc1, line.hub)
    report = talk.run()
    assert talk.marks == [(5, 200)]
    assert report.acked == report.sent > 0
    assert line.hub.store.document(here).value("name") == "here"
    assert line.pc1.store.document(there).value("name") == "there"
    assert line.pc1.store.status().unsent == 0
    after = Talk(line.pc1, line.hub)
    after.run()
    assert after.marks == [(2, 200)]


def test_the_first_answer_is_evidence(line: Line) -> None:
    """What the parent says of its store in the first answer is signed and kept, as always when it moves."""
    line.pc1.writer("An").create("case", {"name": "x"})
    talk = Talk(line.pc1, line.hub)
    talk.run()
    kept = KeptAnswer.parse(talk.requester._knows.answer)
    authority = line.pc1.store.authority(line.hub.store.machine_log)
    assert isinstance(authority, Authority)
    assert keys.verify(authority.key, kept.signed, kept.signature)
    assert kept.node == line.hub.store.machine_log


def test_nobody_on_the_line_can_read_it(line: Line) -> None:
    """Neither the request nor the answer holds what they bring, and only those meant open them."""
    line.pc2.writer("Cúc").create("case", {"name": SECRET})
    Talk(line.pc2, line.hub).run()
    line.pc1.writer("An").create("case", {"name": SECRET})
    talk = Talk(line.pc1, line.hub)
    talk.run()
    request, _, answer = talk.passed[0]
    assert SECRET.encode() not in request + answer
    assert line.pc1.store.machine_log[:8] not in request
    with pytest.raises(FormatError):
        brief.open_first(request, bytes(32), 2**20)
    with pytest.raises(FormatError):
        brief.open_first_answer(bytes(32), answer)


def test_a_copy_is_told_nothing_and_changes_nothing(line: Line) -> None:
    """A first request that was taken is refused ever after; everybody else cannot open it."""
    line.pc1.writer("An").create("case", {"name": SECRET})
    talk = Talk(line.pc1, line.hub)
    talk.run()
    request = talk.passed[0][0]
    for server in (line.hub, line.province):
        before = server.store.digest()
        status, answer = Responder(server.store).respond(request)
        if server is line.hub:
            assert (status, open_packet(answer)[2][0]) == (409, "plain")
            assert server.store.digest() == before
        else:  # a reader too: it may take it, and the answer is for the machine alone
            assert status in {200, 409}
            assert SECRET.encode() not in answer
    assert Talk(line.pc1, line.hub).run().round_trips == 1


def test_a_copy_to_a_restored_parent_reads_nothing(tmp_path: Path) -> None:
    """A parent that lost its database takes a copy once more; what it answers only the machine can open."""
    province = Province(tmp_path)
    line = Line(province)
    line.pc1.writer("An").create("case", {"name": SECRET})
    talk = Talk(line.pc1, line.hub)
    talk.run()
    request, _, first = talk.passed[0]
    empty = Store.create(
        tmp_path / "empty", line.hub.secrets, types=[CASE], root=province.anchor, trust=province.trust,
        unit="c1", serves=True, database="sqlite://", clock=province.tick, rng=province.rng.randbytes,
        threads=1,
    )  # fmt: skip
    empty.receive(province.issued)
    lost = replace(line.hub, store=empty)
    line.pc2.writer("Cúc").create("case", {"name": SECRET})
    Talk(line.pc2, lost).run()
    status, answer = Responder(empty).respond(request)
    assert (status, answer[:1], SECRET.encode() in answer) == (200, brief.FIRST, False)
    assert answer[1:13] != first[1:13]  # sealed under the same key, never with the same nonce
    Talk(line.pc1, lost).run()
    assert line.pc1.store.status().unsent == 0


def test_a_server_that_is_no_reader_is_asked_as_before(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """If somebody else is at the address, the machine says who it is, and is told who that is."""
    line.pc1.writer("An").create("case", {"name": "x"})
    talk = Talk(line.pc1, line.hub)
    talk.requester._readers = [line.province.secrets.seal_key]
    talk.run()
    assert talk.marks == [(5, 409), (1, 401), (2, 200)]
    assert line.pc1.store.status().unsent == 0


def test_a_lost_first_answer_costs_one_batch(line: Line) -> None:
    """A first request that was taken and not answered is refused the next time, and the usual way follows."""
    line.pc1.writer("An").create("case", {"name": "x"})
    talk = Talk(line.pc1, line.hub)
    request = talk.requester.next_request() or b""
    assert talk.responder.respond(request)[0] == 200  # and the answer is lost
    talk.requester.was_cut()
    talk.run()
    assert talk.marks == [(5, 409), (1, 401), (2, 200)]
    assert line.pc1.store.status().unsent == 0


def test_a_changed_byte_is_refused(line: Line) -> None:
    """One flipped bit in the request or in its answer moves nothing."""
    line.pc1.writer("An").create("case", {"name": "x"})
    talk = Talk(line.pc1, line.hub)
    request = talk.requester.next_request() or b""
    before = line.hub.store.digest()
    for at in (0, 1, 5, 90, len(request) // 2, len(request) - 1):
        spoilt = request[:at] + bytes([request[at] ^ 4]) + request[at + 1 :]
        assert talk.responder.respond(spoilt)[0] in {400, 409}
    assert line.hub.store.digest() == before
    status, answer = talk.responder.respond(request)
    with pytest.raises(UpstreamMalformed):
        talk.requester.take_answer(status, answer[:-1] + bytes([answer[-1] ^ 1]))
    assert line.pc1.store.status().unsent > 0


def test_nobody_speaks_for_another_machine(line: Line) -> None:
    """A first request in the name of another machine is not signed by it: refused, and nothing is stored."""
    asked = brief.Request(True, 0, 0, 0, line.pc1.store.introduction(line.pc1.store.machine_log), [])
    data, _, _ = brief.write_first(
        asked, line.pc1.store.machine_log, line.pc2.store.machine, [line.hub.secrets.seal_key], bytes
    )
    before = line.hub.store.digest()
    status, answer = Responder(line.hub.store).respond(data)
    assert (status, open_packet(answer)[2][0]) == (403, "not_allowed")
    assert line.hub.store.digest() == before
