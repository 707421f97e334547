"""Requests that somebody copied on the way, given to any server at any time: nothing opens or changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from onestop_sync import event as ev
from onestop_sync.event import LOG
from onestop_sync.protocol import Requester, Responder, open_packet
from onestop_sync.storage import tables as t
from onestop_sync.trust import CERTIFICATE
from tests.province import Machine, Province

SECRET = "hồ sơ bí mật"


class Line:
    """A commune's machine, its hub, a second hub, the district, the province, and a copyist on the line."""

    def __init__(self, folder: Path) -> None:
        self.province = Province(folder)
        self.servers = {
            "the same": self._server("hub", "c1"),
            "a sibling": self._server("hub2", "c1"),
            "the parent's parent": self._server("district", "d1"),
            "the province": self._server("top", "p"),
            "a stranger": self._server("other", "c2"),
        }
        self.hub = self.servers["the same"]
        self.pc = self.province.machine("pc", "c1", {"an": ["clerk"]}, database="sqlite://")
        self.colleague = self.province.machine("pc2", "c1", {"binh": ["clerk"]}, database="sqlite://")
        self.copies: list[bytes] = []
        for server in self.servers.values():
            server.store.receive(self.province.issued)

    def _server(self, name: str, unit: str) -> Machine:
        return self.province.machine(name, unit, serves=True, database="sqlite://")

    def work(self, times: int) -> None:
        """Lets both officers work, and their machines sync; the requests of one are copied."""
        for n in range(times):
            for machine, who in ((self.pc, "an"), (self.colleague, "binh")):
                machine.writer(who).create("case", {"name": f"{SECRET} {n}"})
                requester, responder = Requester(machine.store, "hub"), Responder(self.hub.store)
                while (request := requester.next_request()) is not None:
                    if machine is self.pc:
                        self.copies.append(request)
                    requester.take_answer(*responder.respond(request))

    def facts(self, server: Machine) -> tuple[Any, ...]:
        """Returns what a server has of documents, acks and feeds; proofs of authority are public."""
        store = server.store
        kinds = sa.select(t.event.c.id).join(t.document, t.document.c.n == t.event.c.doc_n)
        with store.reading() as connection:
            query = kinds.where(t.document.c.kind.not_in([LOG, CERTIFICATE]))
            events = connection.execute(query).scalars().all()
            tables = (t.ack, t.ack_event, t.statement)
            acks = [connection.execute(sa.select(table)).all() for table in tables]
        return store.digest(), sorted(events), acks, store.status()

    def close(self) -> None:
        """Closes all stores."""
        for machine in (*self.servers.values(), self.pc, self.colleague):
            machine.store.close()


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    """Give a line with some traffic on it."""
    found = Line(tmp_path)
    found.work(3)
    yield found
    found.close()


def told(status: int, answer: bytes) -> str:
    """Returns what an answer is, and holds that it tells nothing of any document."""
    assert SECRET.encode() not in answer
    packet = open_packet(answer)
    match packet:
        case [1, "error", [code, _]]:
            assert status in {400, 403}
            return str(code)
        case [1, "challenge", [_, _, _, _, introduction]]:
            assert status == 401
            assert {ev.parse(frame).header.doc_type for frame in introduction} <= {LOG, CERTIFICATE}
            return "challenge"
    raise AssertionError(packet)


@pytest.mark.parametrize(
    "where", ["the same", "a sibling", "the parent's parent", "the province", "a stranger"]
)
def test_a_copy_opens_nothing_anywhere(line: Line, where: str) -> None:
    """Copies of all requests, to any server, now and later, get a challenge or a no; nothing changes."""
    server, found = line.servers[where], Counter[str]()
    for _ in range(2):
        for request in line.copies * 2:
            before = line.facts(server)
            found[told(*Responder(server.store).respond(request))] += 1
            assert line.facts(server) == before
        line.work(1)  # the true machine goes on meanwhile
    assert found.keys() <= {"challenge", "not_allowed"}
    # A machine of the server's units that introduces itself is asked to prove who it is.
    assert (found["challenge"] >= 4) == (where != "a stranger")
    assert (found["not_allowed"] > 10) == (where != "the same")
    line.work(1)
    assert line.pc.store.status().unsent == 0


def test_a_copy_that_is_faster_than_the_request_costs_one_round_trip(line: Line) -> None:
    """If the copy comes first, the request gets a challenge, the work is stored once, and nothing is lost."""
    doc: bytes = line.pc.writer("an").create("case", {"name": "chậm hơn"})
    requester, responder = Requester(line.pc.store, "hub"), Responder(line.hub.store)
    request = requester.next_request() or b""
    status, _ = responder.respond(request)
    assert status == 200
    answers = [told(*responder.respond(request)) for _ in range(5)]
    assert answers == ["challenge"] * 5
    requester.take_answer(*responder.respond(request))
    while (again := requester.next_request()) is not None:
        requester.take_answer(*responder.respond(again))
    assert (requester.report.round_trips <= 4, line.pc.store.status().unsent) == (True, 0)
    assert len(line.hub.store.history(doc)) == 1
