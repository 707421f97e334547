"""What a store must do with events that come in any order, or that may not be."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

import sqlalchemy as sa

from onestop_sync import event as ev
from onestop_sync.event import Event
from onestop_sync.keyring import Secrets
from onestop_sync.keys import SigningKey
from onestop_sync.schema import MAIN
from onestop_sync.state import Standing
from onestop_sync.storage import tables as t
from onestop_sync.storage import transaction
from onestop_sync.store import Store
from onestop_sync.testing.contract_base import Contract, forge
from onestop_sync.testing.small_province import (
    CLERK,
    frames,
    share,
)
from onestop_sync.trust import CERTIFICATE, Certificate


class Arrival(Contract):
    """Events that others deliver."""

    def test_any_order_of_arrival_ends_the_same(self) -> None:
        """Certificates, parents and events, shuffled, doubled and one by one, end in the same bytes."""
        doc = self.file()
        for step in range(4):
            self.pc.writer("an").edit(doc, {"phone": str(step), "tags/x": bool(step % 2)})
        self.pc.writer("an").act(doc, "hand", {"to": "c1"})
        self.pc.writer("binh").act(doc, "decide", values={"verdict": "được"})
        given = frames(self.pc.store, [doc])
        for seed in range(3):
            taker = self._newcomer(f"taker{seed}")
            self._deliver(taker, given, random.Random(seed))
            assert taker.waiting() == []
            assert taker.digest() == self.pc.store.digest()

    def _newcomer(self, name: str) -> Store:
        """Makes a store that knows no certificate at all."""
        secrets = Secrets(name, bytes(48), SigningKey(bytes(32)), bytes(32), SigningKey(bytes(32)))
        return self.province.create(name, secrets, "c1", database=self.province.databases(name))

    @staticmethod
    def _deliver(store: Store, given: Sequence[Any], dice: random.Random) -> None:
        left = list(given)
        while left:
            dice.shuffle(left)
            size = dice.randint(1, len(left))
            found = store.receive([*left[:size], left[0]])
            # Events of a log whose beginning is not here are not stored: whoever has them offers them again.
            again = {outcome.id for outcome in found if not outcome.is_stored}
            left = left[size:] + [frame for frame in left[:size] if ev.parse(frame).id in again]

    def test_what_nobody_certified_waits_and_then_counts(self) -> None:
        """An officer without a certificate is stored, visible and without effect until it comes."""
        key = SigningKey(b"k" * 32)
        doc = self.file()
        head = self.pc.store.document(doc).state.heads
        certificate = Certificate(key.public, "c1", "officer", "mới", CLERK)
        issued = self.province.issue(certificate)
        genesis = ev.build(
            key, log=b"", seq=0, prev=b"", doc_type=ev.LOG, doc_id=ev.typed_id(ev.LOG, b"g" * 16), parents=(),
            time_ms=1, schema=0, ops=[ev.Genesis(key.public, issued.id, "c1", 0).to_op()], salt=bytes(16),
        )  # fmt: skip
        edit = forge(key, genesis, [["set", "phone", "0999"]], doc=doc, parents=head)
        follows = forge(
            self.pc.officers["an"], self._last("an"), [["set", "phone", "1"]], doc=doc, parents=[edit.id]
        )
        store = self.pc.store
        found = store.receive([follows.to_frame(), genesis.to_frame(), edit.to_frame()])
        reasons = {o.id: (o.code, o.reason) for o in found}
        assert reasons == {
            genesis.id: ("waiting", "authority"),
            edit.id: ("waiting", "authority"),
            follows.id: ("waiting", "missing"),
        }
        assert (store.waiting() != [], store.document(doc).value("phone")) == (True, None)
        assert [r.standing for r in store.history(doc)][1:] == [Standing.WAITING] * 2
        assert [row.waiting for row in store.page("matter", only="waiting")] == [2]
        store.receive([issued.to_frame()])
        assert (store.waiting(), store.document(doc).value("phone")) == ([], "1")
        assert store.page("matter", only="waiting") == []

    def _last(self, officer: str) -> Event:
        with self.pc.store.writing() as writing:
            head = writing.own_log(self.pc.officers[officer]).head
        with self.pc.store.reading() as connection:
            row = connection.execute(sa.select(t.event).where(t.event.c.id == head)).one()
        return ev.parse([row.header, row.signature, row.body])

    def test_a_refused_event_is_kept_and_delays_no_other(self) -> None:
        """What may not take effect is stored with its reason; later events stand on it all the same."""
        doc = self.file()
        heads = self.pc.store.document(doc).state.heads
        bad = self.signed("binh", ["set", "name", "không được phép"], doc=doc, parents=heads)
        other = self.another()
        given = [*frames(self.pc.store, [doc]), *self.pc.store.introduction(bad.log), bad.to_frame()]
        found = {o.id: (o.code, o.reason) for o in other.store.receive(given)}
        assert found[bad.id] == ("refused", "owner")
        assert other.store.document(doc).value("name") == "Nguyễn Văn An"
        other.writer("chi").edit(doc, {"name": "Trần Văn An"})
        assert [r.standing for r in other.store.history(doc)] == [
            Standing.SUPERSEDED, Standing.REFUSED, Standing.STANDS,
        ]  # fmt: skip
        share([doc], self.pc, other)
        assert self.pc.store.digest() == other.store.digest()

    def test_a_certificate_by_nobody_in_charge_shadows_no_true_one(self) -> None:
        """What an officer without the right certifies, however new it claims to be, binds nobody."""
        theirs = self.pc.officers["binh"].public
        false = Certificate(theirs, "c1", "officer", "binh", CLERK, valid_from_ms=self.province.clock_ms)
        doc_id = ev.typed_id(CERTIFICATE, b"d" * 16)
        event = self.signed("an", false.to_op(), doc=doc_id, doc_type=CERTIFICATE)
        assert [o.code for o in self.pc.store.receive([event.to_frame()])] == [""]
        doc = self.file()
        self.pc.writer("an").act(doc, "hand", {"to": "c1"})
        self.pc.writer("binh").act(doc, "decide")
        assert self.pc.store.document(doc).state.tasks[MAIN].step == "done"

    def test_what_is_no_event_is_not_stored(self) -> None:
        """Rubbish, a forged signature and a log without a beginning are named, and nothing of it is kept."""
        doc = self.file()
        true = self.signed("binh", ["note", "remarks", "x"], doc=doc)
        before = self.everything()
        forged = [true.header_bytes, bytes(64), true.body]
        torn = [true.header_bytes, true.signature, b"another body"]
        stranger = forge(
            SigningKey(bytes(32)), true._replace(header=true.header._replace(log=b"l" * 32)), [["a", 1]]
        )
        found = self.pc.store.receive([forged, torn, "rubbish", stranger.to_frame()])
        assert sorted(o.code for o in found) == ["forged", "malformed", "malformed", "unknown_log"]
        assert self.everything() == before

    def test_a_forged_twin_keeps_no_event_out(self) -> None:
        """A frame with a forged signature before the true one of the same event does not keep it out."""
        true = self.signed("an", ["set", "phone", "0903"])
        twins = [[true.header_bytes, bytes([n]) * 64, true.body] for n in range(3)]
        assert [o.code for o in self.pc.store.receive([*twins, true.to_frame(), *twins])] == [""]
        assert self.pc.store.document(true.header.doc_id).value("phone") == "0903"

    def test_an_event_without_its_body_is_not_stored(self) -> None:
        """An event whose body was left out on the way is named, not kept, and counts when it comes whole."""
        true = self.signed("an", ["set", "phone", "0903"])
        before = self.everything()
        stripped = [true.header_bytes, true.signature, None]
        assert [o.code for o in self.pc.store.receive([stripped])] == ["withheld"]
        assert self.everything() == before
        assert [o.code for o in self.pc.store.receive([stripped, true.to_frame()])] == [""]
        assert self.pc.store.receive([stripped]) == []
        key = SigningKey(b"g" * 32)
        certificate = self.province.issue(Certificate(key.public, "c1", "officer", "giang", CLERK)).to_frame()
        begins = _genesis(key, ev.parse(certificate).id).to_frame()
        for whole in (certificate, begins):
            assert [o.code for o in self.pc.store.receive([[*whole[:2], None], whole])] == [""]
        assert self.pc.store.document(true.header.doc_id).value("phone") == "0903"

    def test_delivering_again_changes_nothing(self) -> None:
        """The same frames a second time are no news, whoever brings them."""
        doc = self.file()
        self.pc.writer("an").edit(doc, {"phone": "1"})
        other = self.another()
        given = frames(self.pc.store, [doc])
        other.store.receive(given)
        digest, count = other.store.digest(), other.store.count("matter")
        assert other.store.receive([*given, *given]) == []
        assert self.pc.store.receive(given) == []
        assert (other.store.digest(), other.store.count("matter")) == (digest, count)

    def test_a_fork_keeps_both_sides_and_is_flagged_everywhere(self) -> None:
        """Two events with one number in one log: both count, on every store, and the log takes no more."""
        doc = self.file()
        heads = self.pc.store.document(doc).state.heads
        other = self.another()
        share([doc], self.pc, other)
        one = self.signed("binh", ["note", "remarks", "một"], doc=doc, parents=heads)
        two = self.signed("binh", ["note", "remarks", "hai"], doc=doc, parents=heads, salt=b"s" * 16)
        proof = self.pc.store.introduction(one.log)
        other.store.receive([*proof, two.to_frame(), one.to_frame()])
        self.pc.store.receive([one.to_frame(), two.to_frame()])
        for machine in (self.pc, other):
            assert machine.store.status().forks == 1
            notes = machine.store.document(doc).state.notes["remarks"]
            assert {note[2] for note in notes} == {"một", "hai"}
        assert self.pc.store.digest() == other.store.digest()
        goes_on = self.pc.writer("binh").note(doc, "remarks", "ba")
        assert goes_on.log != one.log
        other.store.receive(frames(self.pc.store, [doc]))
        assert self.pc.store.digest() == other.store.digest()

    def test_a_machine_may_not_leave_endless_rubbish(self) -> None:
        """Events without authority are stored up to about a quota for each deliverer; the rest is named."""
        key = SigningKey(b"q" * 32)
        events = [_genesis(key, b"c" * 32)]
        for _ in range(20):
            events.append(forge(key, events[-1], [["set", "phone", "1"]]))
        given = [event.to_frame() for event in events]
        with patch.object(transaction, "WAITING_QUOTA", 5):
            codes = [o.code for i in range(0, len(given), 3) for o in self.pc.store.receive(given[i : i + 3])]
        assert (codes[0], codes[-1]) == ("waiting", "quota")
        assert codes.count("waiting") <= 5 + 3
        self.file()  # our own work goes on


def _genesis(key: SigningKey, cert: bytes) -> Event:
    """Makes a log's first event by hand."""
    return ev.build(
        key, log=b"", seq=0, prev=b"", doc_type=ev.LOG, doc_id=ev.typed_id(ev.LOG, b"q" * 16), parents=(),
        time_ms=1, schema=0, ops=[ev.Genesis(key.public, cert, "c1", 0).to_op()], salt=bytes(16),
    )  # fmt: skip
