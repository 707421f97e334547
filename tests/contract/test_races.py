"""Two programs on one PostgreSQL that come between each other: nothing waits for what is here."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from onestop_sync.store import Store
from tests.province import CASE, Machine, Province


class Pair:
    """A server's store, opened by two programs, and a commune's machine that it does not know yet."""

    def __init__(self, folder: Path, url: str) -> None:
        self.province = Province(folder)
        self.server = self.province.machine("server", "p", serves=True, database=url)
        self.one = self.server.store
        self.two = Store.open(
            self.server.folder, self.server.secrets, types=[CASE], database=url, clock=self.province.tick
        )

    def commune(self, name: str) -> tuple[list[Any], list[Any]]:
        """Returns what proves an officer of a new machine, and an event that the officer wrote."""
        machine: Machine = self.province.machine(name, "c1", {name: ["clerk"]})
        doc = machine.writer(name).create("case", {"code": name})
        event = machine.store.history(doc)[0].event
        proof = machine.store.introduction(event.log)
        machine.store.close()
        return proof, [event.to_frame()]


@pytest.fixture
def pair(tmp_path: Path, postgres_url: str) -> Iterator[Pair]:
    """Give two programs on one database."""
    made = Pair(tmp_path, postgres_url)
    yield made
    made.two.close()
    made.one.close()


def between(store: Store, work: Any, meanwhile: Any) -> None:
    """Lets something else happen after a transaction of a store began, the first time that it is tried."""
    left = [meanwhile]

    def whole() -> None:
        with store.writing():
            if left:
                left.pop()()
            work()

    store.retrying(whole)


def test_an_event_does_not_wait_for_a_certificate_that_arrives_beside_it(pair: Pair) -> None:
    """One program stores an event while another stores its author's certificate: it takes effect."""
    proof, event = pair.commune("an")
    genesis = proof[-1]
    between(pair.two, lambda: pair.two.receive([genesis, *event]), lambda: pair.one.receive(proof[:-1]))
    assert (pair.one.count("case"), pair.one.status().waiting, pair.two.status().waiting) == (1, 0, 0)


def test_another_thread_that_reads_keys_takes_none_from_a_transaction(tmp_path: Path) -> None:
    """A thread that reads the keys again, while another one has just learned some, leaves it those."""
    province = Province(tmp_path)
    server = province.machine("server", "p", serves=True).store
    officer = province.machine("commune", "c1", {"an": ["clerk"]})
    doc = officer.writer("an").create("case", {"code": "1"})
    event = officer.store.history(doc)[0].event
    proof = officer.store.introduction(event.log)
    proofs, events = server.prepare(proof), server.prepare([proof[-1], event.to_frame()])
    with server.writing():
        server.append(proofs)
        reader = threading.Thread(target=server.authority, args=(bytes(32),))
        reader.start()
        reader.join(0.5)
        server.append(events)
    reader.join()
    assert (server.count("case"), server.status().waiting) == (1, 0)
    server.close()
    officer.store.close()


def test_keys_that_two_programs_learn_at_once_are_known_to_both(pair: Pair) -> None:
    """Each program learns an officer at the same time; events of both take effect at either."""
    (proof_1, event_1), (proof_2, event_2) = pair.commune("an"), pair.commune("binh")
    between(pair.two, lambda: pair.two.receive(proof_2), lambda: pair.one.receive(proof_1))
    pair.two.receive(event_1)
    pair.one.receive(event_2)
    assert (pair.one.count("case"), pair.one.status().waiting) == (2, 0)
