"""Requests and answers without what both sides hold: the same state, and nothing more opens than before."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from onestop_sync import brief
from onestop_sync.errors import UpstreamMalformed
from onestop_sync.protocol import Requester, Responder, SyncReport, open_packet, pack_packet
from onestop_sync.store import Store
from tests.protocol.test_copied_requests import SECRET
from tests.protocol.test_copied_requests import Line as Copied
from tests.protocol.test_sync import Line, levels
from tests.province import CASE, Machine, Province


class Talk:
    """One exchange in brief, with everything that passed."""

    def __init__(self, child: Machine, parent: Machine, responder: Responder | None = None) -> None:
        self.requester = Requester(child.store, parent.folder.name, is_brief=True)
        self.responder = responder or Responder(parent.store)
        self.passed: list[tuple[bytes, int, bytes]] = []

    def step(self) -> bool:
        """Sends one request and takes its answer; tells whether there was one."""
        request = self.requester.next_request()
        if request is None:
            return False
        answer = self.responder.respond(request)
        self.passed.append((request, *answer))
        self.requester.take_answer(*answer)
        return True

    def run(self) -> SyncReport:
        """Goes on to the end."""
        while self.step():
            pass
        return self.requester.report

    @property
    def marks(self) -> list[tuple[int, int]]:
        """The first byte of each request, and the status of its answer."""
        return [(request[0], status) for request, status, _ in self.passed]


@pytest.fixture
def line(tmp_path: Path) -> Line:
    """A line of machines that have not met."""
    return Line(Province(tmp_path))


def everyone(line: Line) -> None:
    """Syncs in brief until everything has gone up and come down."""
    for _ in range(3):
        for child, parent in [*line.up, *reversed(line.up)]:
            Talk(child, parent).run()


def test_brief_and_plain_come_to_the_same(line: Line) -> None:
    """Work of several machines at three tiers is the same everywhere, and its acks come down to them."""
    doc = line.pc1.writer("An").create("case", {"name": "Nguyễn Văn An"})
    everyone(line)
    line.pc1.writer("An").edit(doc, {"phone": "1"})
    line.pc2.writer("Cúc").edit(doc, {"phone": "2"})
    line.pc1.writer("An").act(doc, "hand", {"to": "c2"})
    everyone(line)
    assert levels(line.pc1, doc) == ["province"] * len(levels(line.pc1, doc))
    stores = [m.store for m in (line.pc1, line.pc2, line.hub, line.district, line.province, line.lone)]
    assert len({store.fingerprints("case")[doc] for store in stores}) == 1
    assert {store.status().unsent for store in stores} == {0}
    assert line.province.store.document(doc).conflicts == ["phone"]


def test_a_line_in_use_is_brief(line: Line) -> None:
    """After the first contact all requests are brief, and one change or none costs little."""
    writer = line.pc1.writer("An")
    doc = writer.create("case", {"name": "x"})
    first = Talk(line.pc1, line.hub)
    first.run()
    assert first.marks == [(5, 200)]
    writer.edit(doc, {"phone": "0912345678"})
    change = Talk(line.pc1, line.hub)
    change.run()
    idle = Talk(line.pc1, line.hub)
    idle.run()
    assert change.marks == idle.marks == [(2, 200)]
    sizes = [sum(len(request) + len(answer) for request, _, answer in talk.passed) for talk in (change, idle)]
    assert sizes[0] < 340
    assert sizes[1] < 80


def test_a_change_in_hundreds_takes_hardly_more_than_its_signature(line: Line) -> None:
    """A hundred changed dossiers travel in one request of at most 100 bytes each, 80 of them random."""
    writer = line.pc1.writer("An")
    docs = [writer.create("case", {"name": f"Nguyễn Văn {i}", "code": str(i)}) for i in range(100)]
    everyone(line)
    for i, doc in enumerate(docs):
        writer.edit(doc, {"phone": f"09{i:08}"})
    report = Talk(line.pc1, line.hub).run()
    assert (report.round_trips, report.sent) == (1, 100)
    assert report.bytes_up + report.bytes_down < 100 * 100


def test_a_parent_of_an_older_version_is_asked_in_plain(line: Line) -> None:
    """A parent that knows no brief packets refuses one, and is asked again in plain; nothing is lost."""

    class Older(Responder):
        def respond(self, data: bytes) -> tuple[int, bytes]:
            if data[:1] in {brief.MARK, brief.FIRST}:
                return 400, pack_packet([1, "error", ["malformed", "?"]])
            return super().respond(data)

    line.pc1.writer("An").create("case", {"name": "x"})
    talk = Talk(line.pc1, line.hub, Older(line.hub.store))
    talk.run()
    assert talk.marks == [(5, 400), (1, 401), (2, 400), (1, 200)]
    assert line.pc1.store.status().unsent == 0


def test_a_parent_that_lost_its_store_is_asked_in_plain(tmp_path: Path) -> None:
    """What a parent lost cannot be leaned on: it gets the plain request, and everything again."""
    province = Province(tmp_path)
    line = Line(province)
    writer = line.pc1.writer("An")
    doc = writer.create("case", {"name": "x"})
    Talk(line.pc1, line.hub).run()
    old = line.hub
    empty = Store.create(
        tmp_path / "empty", old.secrets, types=[CASE], root=province.anchor, trust=province.trust, unit="c1",
        serves=True, database="sqlite://", clock=province.tick, rng=province.rng.randbytes, threads=1,
    )  # fmt: skip
    empty.receive(province.issued)
    lost = replace(old, store=empty)
    writer.edit(doc, {"phone": "1"})
    talk = Talk(line.pc1, lost)
    talk.run()
    assert talk.marks[0] == (2, 409)
    assert line.pc1.store.status().unsent == 0
    assert lost.store.document(doc).value("phone") == "1"


def test_a_wrong_guess_costs_one_round_trip(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the parent has another event where the machine believes one to be, the plain request brings it."""
    writer = line.pc1.writer("An")
    doc = writer.create("case", {"name": "x"})
    Talk(line.pc1, line.hub).run()
    writer.edit(doc, {"phone": "1"})
    talk = Talk(line.pc1, line.hub)
    request = talk.requester.next_request() or b""
    with monkeypatch.context() as other:
        other.setattr(
            "onestop_sync.storage.held.StoredEvents.events",
            lambda _, places: {place: (bytes(32), bytes(16)) for place in places},
        )
        answer = talk.responder.respond(request)
    assert (answer[0], open_packet(answer[1])[2][0]) == (409, "plain")
    talk.requester.take_answer(*answer)
    talk.run()
    assert talk.marks == [(1, 200)]
    assert line.hub.store.document(doc).value("phone") == "1"


def test_a_machine_without_a_seal_key_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no secret can be shared, requests are plain and signed."""
    monkeypatch.setattr("onestop_sync.keys.agree", lambda _seed, _public: b"")
    line = Line(Province(tmp_path))
    line.pc1.writer("An").create("case", {"name": "x"})
    monkeypatch.setattr("onestop_sync.protocol.requester.servers_above", lambda _: [])
    talk = Talk(line.pc1, line.hub)
    talk.run()
    assert talk.marks == [(1, 401), (1, 200)]
    assert line.pc1.store.status().unsent == 0


def test_a_changed_byte_opens_nothing_and_moves_nothing(line: Line) -> None:
    """One flipped bit anywhere in a request or an answer is refused, and both sides stay as they are."""
    dice = random.Random(5)
    writer = line.pc1.writer("An")
    doc = writer.create("case", {"name": "x"})
    Talk(line.pc1, line.hub).run()
    for n in range(30):
        writer.edit(doc, {"phone": str(n)})
        talk = Talk(line.pc1, line.hub)
        request = talk.requester.next_request() or b""
        before = line.hub.store.digest()
        at = dice.randrange(1, len(request))
        spoilt = request[:at] + bytes([request[at] ^ 1 << dice.randrange(8)]) + request[at + 1 :]
        status, _ = talk.responder.respond(spoilt)
        assert (status in {400, 403, 409}, line.hub.store.digest()) == (True, before)
        status, answer = talk.responder.respond(request)
        unsent = line.pc1.store.status()
        at = dice.randrange(len(answer))
        spoilt = answer[:at] + bytes([answer[at] ^ 1 << dice.randrange(8)]) + answer[at + 1 :]
        with suppress(UpstreamMalformed):  # the first byte says what it is
            talk.requester.take_answer(status, spoilt)
            assert not talk.requester.is_brief
        assert line.pc1.store.status() == unsent
        Talk(line.pc1, line.hub).run()
        assert line.pc1.store.status().unsent == 0


def test_an_answer_to_another_request_moves_nothing(line: Line) -> None:
    """Old answers, of this machine or another, are not taken for the answer to a new request."""
    for machine, who in ((line.pc1, "An"), (line.pc2, "Cúc")):
        machine.writer(who).create("case", {"name": who})
    for machine in (line.pc1, line.pc2):
        Talk(machine, line.hub).run()
    for machine, who in ((line.pc1, "An"), (line.pc2, "Cúc")):
        machine.writer(who).create("case", {"name": f"{who} again"})
    old = [Talk(line.pc1, line.hub), Talk(line.pc2, line.hub)]
    for talk in old:
        talk.run()
    answers = [passed[1:] for talk in old for passed in talk.passed if passed[2][:1] == brief.SIGNED]
    assert len(answers) == 2
    for answer in answers:
        talk = Talk(line.pc1, line.hub)
        assert (talk.requester.next_request() or b"")[:1] == brief.MARK
        before = line.pc1.store.digest(), line.pc1.store.status()
        talk.requester.take_answer(*answer)
        assert (line.pc1.store.digest(), line.pc1.store.status()) == before
        assert (talk.requester.next_request() or b"")[:1] != brief.MARK


def test_a_copy_of_a_brief_request_opens_nothing_anywhere(tmp_path: Path) -> None:
    """Copies of brief requests, to any server, now and later, are told nothing; nothing changes by them."""
    line = Copied(tmp_path)
    copies: list[bytes] = []
    for n in range(4):
        line.pc.writer("an").create("case", {"name": f"{SECRET} {n}"})
        line.colleague.writer("binh").create("case", {"name": f"{SECRET} {n}"})
        Talk(line.colleague, line.hub).run()
        talk = Talk(line.pc, line.hub)
        talk.run()
        copies += [request for request, _, _ in talk.passed if request[:1] == brief.MARK]
    assert len(copies) >= 3
    found = Counter[str]()
    for server in line.servers.values():
        for request in copies * 2:
            before = line.facts(server)
            status, answer = Responder(server.store).respond(request)
            assert SECRET.encode() not in answer
            again = answer[:1] == brief.AGAIN
            found["again" if again else open_packet(answer)[2][0]] += 1
            assert status == (401 if again else 409)
            assert line.facts(server) == before
    # Of its own last request the parent tells only the nonce that it has told before.
    assert found == {"plain": 2 * 5 * len(copies) - 2, "again": 2}
    Talk(line.pc, line.hub).run()
    line.close()


def test_a_lost_answer_brings_nothing_twice(line: Line) -> None:
    """After a cut the machine asks first what is stored; a batch that had arrived is not sent again."""
    writer = line.pc1.writer("An")
    doc = writer.create("case", {"name": "x"})
    Talk(line.pc1, line.hub).run()
    for n in range(50):
        writer.edit(doc, {"phone": str(n)})
    talk = Talk(line.pc1, line.hub)
    batch = talk.requester.next_request() or b""
    assert talk.responder.respond(batch)[0] == 200  # and the answer is lost
    talk.requester.was_cut()
    report = talk.run()
    assert [status for _, status, _ in talk.passed] == [401, 200, 200]
    assert all(len(request) < 80 and len(answer) < 260 for request, _, answer in talk.passed)
    assert (report.received, line.pc1.store.status().unsent) == (0, 0)


def test_a_line_that_loses_many_answers_is_no_refusal(line: Line) -> None:
    """However often in a row an answer is lost, the machine goes on asking, and brings its event once."""
    writer = line.pc1.writer("An")
    doc = writer.create("case", {"name": "x"})
    Talk(line.pc1, line.hub).run()
    writer.edit(doc, {"phone": "1"})
    talk = Talk(line.pc1, line.hub)
    for _ in range(8):
        talk.responder.respond(talk.requester.next_request() or b"")
        talk.requester.was_cut()
        talk.step()
    talk.run()
    assert [status for _, status, _ in talk.passed[:8]] == [401] * 8
    assert line.pc1.store.status().unsent == 0
    assert len(line.hub.store.history(doc)) == 2


def test_a_lost_request_is_sent_once_more(line: Line) -> None:
    """After a cut on the way up the machine hears that nothing came, and sends its batch."""
    writer = line.pc1.writer("An")
    doc = writer.create("case", {"name": "x"})
    Talk(line.pc1, line.hub).run()
    writer.edit(doc, {"phone": "1"})
    talk = Talk(line.pc1, line.hub)
    assert talk.requester.next_request()
    talk.requester.was_cut()
    talk.run()
    assert talk.marks == [(2, 200), (2, 200)]
    assert line.pc1.store.status().unsent == 0
    assert line.hub.store.document(doc).value("phone") == "1"


def test_a_copied_disk_hears_what_its_twin_brought(line: Line) -> None:
    """A request that was taken from somebody else under the same key makes the machine ask for everything."""
    writer = line.pc1.writer("An")
    doc = writer.create("case", {"name": "x"})
    Talk(line.pc1, line.hub).run()
    ours, twin = Talk(line.pc1, line.hub), Talk(line.pc1, line.hub)
    ours.requester.next_request()
    writer.edit(doc, {"phone": "1"})
    twin.responder.respond(twin.requester.next_request() or b"")
    ours.requester.was_cut()
    ours.step()
    assert ours.passed[-1][2][:1] == brief.AGAIN
    assert ours.requester._echo


def test_an_answer_without_news_replaces_no_evidence(line: Line) -> None:
    """The paper with the parent's last signed cursor outlives any number of answers that moved nothing."""
    line.pc1.writer("An").create("case", {"name": "x"})
    talk = Talk(line.pc1, line.hub)
    talk.run()
    kept = talk.requester._knows
    for _ in range(3):
        idle = Talk(line.pc1, line.hub)
        idle.run()
        assert [answer[:1] for _, _, answer in idle.passed] == [brief.MARK]
        assert (idle.requester._knows.answer, idle.requester._knows.cursor) == (kept.answer, kept.cursor)
        assert idle.requester._knows.nonce != kept.nonce
