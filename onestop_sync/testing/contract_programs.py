"""What must hold when several programs or machines are at work; run as a module, it is the second program."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

from onestop_sync.errors import (
    NotAllowed,
)
from onestop_sync.keyring import Secrets
from onestop_sync.keys import SigningKey
from onestop_sync.store import Store
from onestop_sync.testing.contract_base import Contract
from onestop_sync.testing.small_province import (
    CLERK,
    JUDGE,
    MATTER,
    Machine,
    sync,
)
from onestop_sync.trust import Certificate


class Programs(Contract):
    """Several programs on one store, and two stores in a sync."""

    def test_two_programs_write_in_turn_without_a_fork(self) -> None:
        """Two open stores on one database share logs, documents and serials."""
        second = Machine(self.province.open(self.pc), self.pc.secrets, self.pc.database, self.pc.officers)
        doc = self.file()
        serials = []
        for turn in range(6):
            machine = (self.pc, second)[turn % 2]
            machine.writer("an").edit(doc, {f"papers/{turn}": turn})
            serials.append(machine.store.next_serial("code", "260101"))
        assert serials == [1, 2, 3, 4, 5, 6]
        for machine in (self.pc, second):
            state = machine.store.document(doc).state
            assert [state.value(f"papers/{turn}") for turn in range(6)] == list(range(6))
            assert machine.store.status().forks == 0
        logs = {record.event.log for record in second.store.history(doc)}
        assert len(logs) == 1

    def test_a_second_program_learns_new_certificates(self) -> None:
        """A key that one program was told of can write by the other at once."""
        second = self.province.open(self.pc)
        key = SigningKey(b"n" * 32)
        self.province.issue(Certificate(key.public, "c1", "officer", "mới", CLERK))
        self.pc.store.receive(self.province.issued)
        doc = self.file()
        with suppress(NotAllowed):
            second.writer(key)
        with second.writing():
            pass
        second.writer(key).edit(doc, {"phone": "7"})
        assert self.pc.store.document(doc).value("phone") == "7"

    def test_two_processes_write_at_once_without_a_fork(self) -> None:
        """Two processes that write with one key at the same time lose and double nothing."""
        doc = self.file()
        count = 12
        with ExitStack() as stack:
            running = [stack.enter_context(self._program(doc, name, count)) for name in ("a", "b")]
            for process in running:
                out, error = process.communicate(timeout=100)
                assert (process.returncode, out.strip()) == (0, b"done"), error.decode()
        state = self.pc.store.document(doc).state
        found = [state.value(f"papers/{name}{i}") for name in "ab" for i in range(count)]
        assert found == list(range(count)) * 2
        assert self.pc.store.status().forks == 0
        records = self.pc.store.history(doc)
        assert [len(r.event.header.parents) for r in records] == [0] + [1] * 2 * count
        assert sorted(r.event.header.seq for r in records) == list(range(1, 2 * count + 2))
        assert self.pc.store.next_serial("code", "260101") == 2 * count + 1

    def _program(self, doc: bytes, name: str, count: int) -> subprocess.Popen[bytes]:
        secrets = self.pc.secrets
        facts = {
            "folder": str(self.pc.store.folder), "database": self.pc.database, "doc": doc.hex(),
            "name": name, "count": count, "key": self.pc.officers["an"].seed.hex(),
            "secrets": [secrets.database_key.hex(), secrets.machine.seed.hex(), secrets.seal_seed.hex()],
        }  # fmt: skip
        process = subprocess.Popen(  # noqa: S603 - this module itself
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(facts).encode())
        process.stdin.close()
        process.stdin = None
        return process

    def test_a_sync_makes_two_stores_equal(self) -> None:
        """What is written on a machine reaches its parent, is acknowledged, and decisions come back."""
        hub = self.province.machine("hub", "d1", {"hoa": JUDGE}, serves=True)
        self.pc.store.receive(self.province.issued)
        docs = [self.file(f"Người {i}") for i in range(5)]
        self.pc.writer("an").act(docs[0], "hand", {"to": "d1"})
        written = len(docs) + 1
        assert self.pc.store.status().unsent == written
        assert {row.doc for row in self.pc.store.page("matter", only="unsent")} == set(docs)
        assert sync(self.pc, hub).acked >= written
        assert self.pc.store.status().unsent == 0
        hub.writer("hoa").act(docs[0], "decide", values={"verdict": "được"})
        sync(self.pc, hub)
        assert self.pc.store.document(docs[0]).value("verdict") == "được"
        assert self.pc.store.digest() == hub.store.digest()
        assert {r.delivery.level for r in hub.store.history(docs[0])} == {"here"}
        assert self.pc.store.history(docs[0])[0].delivery.level == "district"
        assert sync(self.pc, hub).sent == 0


def _main() -> None:
    """Is the second program: writes to the same document with the same key."""
    facts = json.load(sys.stdin)
    database_key, machine, seal = map(bytes.fromhex, facts["secrets"])
    secrets = Secrets("pc", database_key, SigningKey(machine), seal, SigningKey(bytes(32)))
    store = Store.open(Path(facts["folder"]), secrets, types=[MATTER], database=facts["database"])
    hand = store.writer(SigningKey(bytes.fromhex(facts["key"])))
    for i in range(facts["count"]):
        hand.edit(bytes.fromhex(facts["doc"]), {f"papers/{facts['name']}{i}": i})
        store.next_serial("code", "260101")
    store.close()
    print("done")


if __name__ == "__main__":
    _main()
